use crate::Fallback;
use crate::io_cause::cause;
use lb_health::Cause;
use lb_net::Origin;
use std::io;
use std::net::SocketAddr;

/// May this process make half-open probes ([`Kind::HalfOpen`](crate::Kind::HalfOpen)) of its own?
///
/// Asks the system each time; sends nothing.
///
/// # Errors
/// `PermissionDenied` without the capability CAP_NET_RAW; whatever else the system says.
pub fn half_open_is_permitted() -> io::Result<()> {
    lb_net::half_open_is_permitted()
}

/// SYN, SYN-ACK, RST; where that is not permitted, what `fallback` says.
pub(crate) async fn half_open(address: SocketAddr, origin: Origin<'_>, fallback: Fallback) -> Result<(), Cause> {
    match lb_net::half_open(address, origin).await {
        Ok(()) => Ok(()),
        // also what a firewall's refusal to send looks like: then connecting meets the same
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => match fallback {
            Fallback::Connect => lb_net::connect_and_reset(address, origin)
                .await
                .map_err(|error| cause(&error)),
            Fallback::Refuse => Err(Cause::Local),
        },
        Err(error) => Err(cause(&error)),
    }
}

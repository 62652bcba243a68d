use crate::UdpOptions;
use crate::connect::connect_udp;
use crate::io_cause::cause;
use lb_health::Cause;
use lb_net::Origin;
use std::net::SocketAddr;
use tokio::time::{Instant, timeout_at};

/// Sends the datagram and judges the first reply. A port that nobody listens on answers by ICMP: refused.
pub(crate) async fn ask(
    address: SocketAddr,
    origin: Origin<'_>,
    options: &UdpOptions,
    deadline: Instant,
) -> Result<(), Cause> {
    let socket = connect_udp(address, origin).await?;
    socket.send(&options.send).await.map_err(|error| cause(&error))?;
    let mut reply = vec![0; LONGEST_REPLY];
    match timeout_at(deadline, socket.recv(&mut reply)).await {
        Err(_) if options.silence_is_good => Ok(()),
        Err(_) => Err(Cause::Timeout),
        Ok(Err(error)) => Err(cause(&error)),
        Ok(Ok(len)) => match &options.expect {
            Some(text)
                if !reply
                    .get(..len)
                    .unwrap_or_default()
                    .windows(text.len())
                    .any(|part| part == text) =>
            {
                Err(Cause::Reply)
            }
            _ => Ok(()),
        },
    }
}

/// What is looked at of a reply; the rest of a longer one is cut off.
const LONGEST_REPLY: usize = 4_096;

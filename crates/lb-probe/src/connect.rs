use crate::io_cause::cause;
use lb_health::Cause;
use lb_net::{Handshake, Opening, Origin, Stream, TlsFault, in_scope_of};
use lb_tls::upstream::{UpstreamRefusal, Verify};
use lb_tls::{Expiry, HandshakeFault, UpstreamTls};
use lb_types::Address;
use rustls::HandshakeKind;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpSocket, UdpSocket};
use tokio::time::{Instant, timeout_at};

/// Connects and waits for the answer. The socket is closed when the future is dropped.
pub(crate) async fn connect(address: Address, origin: Origin<'_>) -> Result<Stream, Cause> {
    let Address::Ip(address) = address else {
        let mut opening = Opening::start(address).map_err(|error| cause(&error))?;
        return poll_fn(|cx| opening.poll(cx)).await.map_err(|error| cause(&error));
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.map_err(|error| cause(&error))?;
    if let Some(name) = origin.interface {
        socket
            .bind_device(Some(name.as_bytes()))
            .map_err(|error| cause(&error))?;
    }
    if let Some(source) = origin.source {
        let local = in_scope_of(address, source, 0);
        socket.bind(local).map_err(|error| cause(&error))?;
    }
    let stream = socket.connect(address).await.map_err(|error| cause(&error))?;
    Ok(stream.into())
}

/// How one probe speaks TLS, and what it saw of that.
#[derive(Debug)]
pub(crate) struct Security<'a> {
    tls: &'a UpstreamTls,
    /// How long the certificate is good that was shown and taken.
    pub(crate) certificate: Option<Expiry>,
}

impl<'a> Security<'a> {
    pub(crate) fn new(tls: &'a UpstreamTls) -> Self {
        Self { tls, certificate: None }
    }

    /// Makes TLS of a connection.
    pub(crate) async fn begin(&mut self, stream: Stream, deadline: Instant) -> Result<Stream, Cause> {
        let shaking = shake_hands(stream, self.tls);
        let stream = timeout_at(deadline, shaking).await.map_err(|_| Cause::Silent)??;
        self.certificate = stream
            .tls()
            .and_then(|over| over.with_peer_certificates(|shown| self.tls.expiry(shown.unwrap_or_default())));
        Ok(stream)
    }
}

async fn shake_hands(stream: Stream, tls: &UpstreamTls) -> Result<Stream, Cause> {
    let own = |error: &rustls::Error| Cause::Handshake(HandshakeFault::of(error).word());
    let mut handshake =
        Handshake::client(stream, Arc::clone(tls.config()), tls.server_name().clone()).map_err(|error| own(&error))?;
    let shaken = poll_fn(|cx| handshake.poll(cx)).await;
    let stream = shaken.map_err(|refused| match refused.fault {
        TlsFault::Protocol(error) => match UpstreamRefusal::of(&error) {
            Some(refusal) => Cause::Handshake(refusal.reason().word()),
            None => own(&error),
        },
        TlsFault::Socket(error) => cause(&error),
        _ => Cause::Closed,
    })?;
    judge(&stream, tls)?;
    Ok(stream)
}

/// rustls does not verify the certificate of a session that it takes up again; by now it may have expired.
fn judge(stream: &Stream, tls: &UpstreamTls) -> Result<(), Cause> {
    let Some(over) = stream.tls().filter(|_| tls.verify() == Verify::Full) else {
        return Ok(());
    };
    if over.handshake_kind() != Some(HandshakeKind::Resumed) {
        return Ok(());
    }
    over.with_peer_certificates(|shown| tls.judge(shown.unwrap_or_default()))
        .map_err(|refusal| Cause::Handshake(refusal.reason().word()))
}

/// A UDP socket that hears only `address`, ICMP errors included.
pub(crate) async fn connect_udp(address: SocketAddr, origin: Origin<'_>) -> Result<UdpSocket, Cause> {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let socket = UdpSocket::bind(in_scope_of(address, origin.source.unwrap_or(any), 0))
        .await
        .map_err(|error| cause(&error))?;
    if let Some(name) = origin.interface {
        socket
            .bind_device(Some(name.as_bytes()))
            .map_err(|error| cause(&error))?;
    }
    socket.connect(address).await.map_err(|error| cause(&error))?;
    Ok(socket)
}

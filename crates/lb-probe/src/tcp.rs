use crate::io_cause::cause;
use lb_health::Cause;
use std::net::{IpAddr, SocketAddr};
use tokio::net::{TcpSocket, TcpStream};

/// Sends a SYN and waits for the answer. The socket is closed when the future is dropped.
pub(crate) async fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<TcpStream, Cause> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let socket = socket.map_err(|error| cause(&error))?;
    if let Some(source) = source {
        socket.bind(SocketAddr::new(source, 0)).map_err(|error| cause(&error))?;
    }
    socket.connect(address).await.map_err(|error| cause(&error))
}

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use socket2::SockRef;
use std::time::Duration;
use tokio::net::TcpStream;

/// Ends a connection with a RST instead of a FIN, so that the other side cannot take what it got
/// for the whole. What was not sent yet is lost.
pub fn reset(stream: TcpStream) {
    // If the option cannot be set the connection ends with a FIN; there is nothing better left.
    let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}

/// Sends the FIN of our direction; the other direction stays open. An error means that the
/// connection is gone already.
pub fn shutdown_write(stream: &TcpStream) {
    let _ = shutdown(stream, Shutdown::Write);
}

/// Has the peer reset the connection? It sees that behind bytes that nobody read, where a read would not. One
/// system call, which takes the error away: whoever is told ends the connection.
#[must_use]
pub fn has_broken(stream: &TcpStream) -> bool {
    !matches!(stream.take_error(), Ok(None))
}

/// Has the peer sent or closed anything that nobody read? One system call; it sees what the
/// kernel has now, even when the runtime was not told yet.
#[must_use]
pub fn has_unread(stream: &TcpStream) -> bool {
    let mut byte = [0_u8; 1];
    match recv(stream, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok(_) => true,
        Err(e) => e != rustix::io::Errno::AGAIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    async fn pair() -> (TcpStream, std::net::TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (listener.accept().await.unwrap().0, other)
    }

    #[tokio::test]
    async fn a_reset_is_seen_as_one() {
        let (ours, mut theirs) = pair().await;
        reset(ours);
        let error = theirs.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_half_close_leaves_the_other_half_open() {
        let (ours, mut theirs) = pair().await;
        shutdown_write(&ours);
        assert_eq!(theirs.read(&mut [0; 1]).unwrap(), 0);
        theirs.write_all(b"still here").unwrap();
        ours.readable().await.unwrap();
        assert_eq!(ours.try_read(&mut [0; 16]).unwrap(), 10);
    }

    #[tokio::test]
    async fn a_reset_is_seen_behind_unread_bytes_and_an_end_is_none() {
        for is_reset in [false, true] {
            let (ours, mut theirs) = pair().await;
            theirs.write_all(b"unread").unwrap();
            ours.readable().await.unwrap();
            assert!(!has_broken(&ours));
            if is_reset {
                SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
            }
            drop(theirs);
            assert_eq!(has_broken(&ours), is_reset);
        }
    }

    #[tokio::test]
    async fn unread_bytes_and_a_close_are_seen() {
        let (ours, mut theirs) = pair().await;
        assert!(!has_unread(&ours));
        theirs.write_all(b"x").unwrap();
        ours.readable().await.unwrap();
        assert!(has_unread(&ours));
        let (ours, theirs) = pair().await;
        drop(theirs);
        ours.readable().await.unwrap();
        assert!(has_unread(&ours));
    }
}

//! Reading and writing without the layers in between.
//!
//! The kernel's way of a segment is deep enough to push the caller's return addresses out of the processor's
//! memory of them: behind a system call each function that returns costs a wrong guess. So between the
//! call and the code that goes on with its answer there is nothing.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::hint::cold_path;
use std::io;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Reads once, if the runtime knows of something to read; `None`: nothing is here. `Ok(0)` is the end of the
/// stream, or an empty `into`. Asks nobody to wake the task: `poll_read_ready` does.
///
/// As with `poll_read`, a read that did not fill its room clears the readiness, so that the next wait
/// does not begin with a useless system call. It takes nothing from the task's budget.
#[inline]
pub fn try_recv(stream: &TcpStream, into: &mut [u8]) -> Option<io::Result<usize>> {
    let room = into.len();
    let mut read = None;
    // What it says is said in `read`; it itself only learns whether more is to be expected.
    let _ = stream.try_io(Interest::READABLE, || {
        let taken = loop {
            match recv(stream, &mut *into, RecvFlags::empty()) {
                Err(Errno::INTR) => cold_path(),
                taken => break taken,
            }
        };
        match taken {
            Ok((len, _)) => {
                read = Some(Ok(len));
                if 0 < len && len < room { spent() } else { Ok(()) }
            }
            Err(error) => {
                cold_path();
                if error == Errno::AGAIN {
                    return spent();
                }
                read = Some(Err(error.into()));
                Ok(())
            }
        }
    });
    read
}

/// Writes once, if the runtime does not know the socket to be full; `None`: it is. Asks nobody to wake the
/// task: `poll_write` does. A broken connection is an error, never a signal.
#[inline]
pub fn try_send(stream: &TcpStream, bytes: &[u8]) -> Option<io::Result<usize>> {
    let mut written = None;
    let _ = stream.try_io(Interest::WRITABLE, || {
        let taken = loop {
            match send(stream, bytes, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => cold_path(),
                taken => break taken,
            }
        };
        match taken {
            Ok(len) => {
                written = Some(Ok(len));
                if len < bytes.len() { spent() } else { Ok(()) }
            }
            Err(error) => {
                cold_path();
                if error == Errno::AGAIN {
                    return spent();
                }
                written = Some(Err(error.into()));
                Ok(())
            }
        }
    });
    written
}

/// What clears the readiness.
#[inline]
fn spent() -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
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
    async fn what_is_here_is_read_and_then_nothing_is() {
        let (ours, mut theirs) = pair().await;
        let mut room = [0; 8];
        assert!(try_recv(&ours, &mut room).is_none());
        theirs.write_all(b"abcdefghij").unwrap();
        ours.readable().await.unwrap();
        assert_eq!(try_recv(&ours, &mut room).unwrap().unwrap(), 8);
        assert_eq!(&room, b"abcdefgh");
        assert_eq!(
            try_recv(&ours, &mut room).unwrap().unwrap(),
            2,
            "a filled room leaves the readiness"
        );
        assert!(try_recv(&ours, &mut room).is_none(), "a short read clears it");
        theirs.write_all(b"k").unwrap();
        ours.readable().await.unwrap();
        assert_eq!(
            try_recv(&ours, &mut room).unwrap().unwrap(),
            1,
            "and the next byte sets it again"
        );
    }

    #[tokio::test]
    async fn the_end_and_a_reset_are_seen_again_and_again() {
        let (ours, theirs) = pair().await;
        drop(theirs);
        ours.readable().await.unwrap();
        for _ in 0..2 {
            assert_eq!(try_recv(&ours, &mut [0; 4]).unwrap().unwrap(), 0);
        }
        let (ours, theirs) = pair().await;
        socket2::SockRef::from(&theirs)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(theirs);
        ours.readable().await.unwrap();
        let error = try_recv(&ours, &mut [0; 4]).unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn a_full_socket_takes_nothing_until_it_is_read() {
        let (ours, mut theirs) = pair().await;
        ours.writable().await.unwrap();
        let block = vec![b'x'; 1 << 16];
        let mut sent = 0;
        while let Some(taken) = try_send(&ours, &block) {
            sent += taken.unwrap();
        }
        assert!(sent > 0);
        let mut got = 0;
        let mut room = vec![0; 1 << 20];
        while got < sent {
            got += theirs.read(&mut room).unwrap();
        }
        assert_eq!(got, sent);
        ours.writable().await.unwrap();
        assert_eq!(try_send(&ours, b"more").unwrap().unwrap(), 4);
    }

    #[tokio::test]
    async fn writing_to_a_closed_connection_is_an_error_and_no_signal() {
        let (ours, theirs) = pair().await;
        ours.writable().await.unwrap();
        socket2::SockRef::from(&theirs)
            .set_linger(Some(std::time::Duration::ZERO))
            .unwrap();
        drop(theirs);
        ours.readable().await.unwrap();
        let _ = try_recv(&ours, &mut [0; 4]);
        let error = try_send(&ours, b"x").unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}

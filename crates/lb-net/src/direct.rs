//! Reading and writing without the layers in between.
//!
//! The kernel's way of a segment is deep enough to push the caller's return addresses out of the processor's
//! memory of them: behind a system call each function that returns costs a wrong guess. So between the
//! call and the code that goes on with its answer there is nothing.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::hint::cold_path;
use std::io;
use std::os::fd::AsFd;

/// One read for `try_io`: what it comes to is said in `read`, what it returns clears the readiness or leaves it.
#[inline(always)]
pub(crate) fn receive(socket: impl AsFd, into: &mut [u8], read: &mut Option<io::Result<usize>>) -> io::Result<()> {
    let room = into.len();
    let taken = loop {
        match recv(socket.as_fd(), &mut *into, RecvFlags::empty()) {
            Err(Errno::INTR) => cold_path(),
            taken => break taken,
        }
    };
    match taken {
        Ok((len, _)) => {
            *read = Some(Ok(len));
            if 0 < len && len < room { spent() } else { Ok(()) }
        }
        Err(error) => {
            cold_path();
            if error == Errno::AGAIN {
                return spent();
            }
            *read = Some(Err(error.into()));
            Ok(())
        }
    }
}

/// One write for `try_io`, in the same way.
#[inline(always)]
pub(crate) fn transmit(socket: impl AsFd, bytes: &[u8], written: &mut Option<io::Result<usize>>) -> io::Result<()> {
    let taken = loop {
        match send(socket.as_fd(), bytes, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => cold_path(),
            taken => break taken,
        }
    };
    match taken {
        Ok(len) => {
            *written = Some(Ok(len));
            if len < bytes.len() { spent() } else { Ok(()) }
        }
        Err(error) => {
            cold_path();
            if error == Errno::AGAIN {
                return spent();
            }
            *written = Some(Err(error.into()));
            Ok(())
        }
    }
}

/// What clears the readiness.
#[inline]
fn spent() -> io::Result<()> {
    Err(io::ErrorKind::WouldBlock.into())
}

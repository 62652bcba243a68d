use lb_net::{UnixSocket, UnixSocketError, UnixSocketOptions};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Listens, in the place of a program that says it is on its way out if need be. Blocks for a moment at most.
///
/// # Errors
/// As [`UnixSocket::open`].
pub fn open(options: &UnixSocketOptions) -> Result<UnixSocket, UnixSocketError> {
    UnixSocket::open_over(options, is_stopping)
}

/// Does whoever answers there say that it is on its way out? Then its place is free.
fn is_stopping(stream: &UnixStream) -> bool {
    let mut answer = Vec::new();
    let ask = |mut stream: &UnixStream, answer: &mut Vec<u8>| -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /v1/process HTTP/1.1\r\nHost: lbd\r\nConnection: close\r\n\r\n")?;
        stream.take(LONGEST_ANSWER).read_to_end(answer)?;
        Ok(())
    };
    let _ = ask(stream, &mut answer); // no answer is no
    answer.windows(STOPPING.len()).any(|part| part == STOPPING)
}

/// How long a program may take to say that it is stopping.
const PATIENCE: Duration = Duration::from_millis(500);
const LONGEST_ANSWER: u64 = 16 * 1024;
const STOPPING: &[u8] = b"\"stopping\":true";

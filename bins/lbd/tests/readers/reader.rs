//! How other programs read paths: servers that are asked over kept connections, and programs that read a file of paths.

use super::support::{Folder, PATIENCE, is_listening, until};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Gives the program one target a line, and takes from it one line of letters for each.
pub(crate) fn batch(command: &mut Command, targets: &[&str]) -> Vec<Vec<u8>> {
    let folder = Folder::new();
    let input = folder.write("targets", &(targets.join("\n") + "\n"));
    let output = command.stdin(File::open(input).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Vec<u8>> = output.stdout.lines_of_letters();
    assert_eq!(lines.len(), targets.len());
    lines
}

trait Lines {
    fn lines_of_letters(&self) -> Vec<Vec<u8>>;
}

impl Lines for Vec<u8> {
    fn lines_of_letters(&self) -> Vec<Vec<u8>> {
        self.split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .map(<[u8]>::to_vec)
            .collect()
    }
}

/// Asks a server for each target; `-` stands for every answer but 200, else the first byte of the answer.
pub(crate) fn ask(address: SocketAddr, targets: &[&str]) -> Vec<Answer> {
    let mut stream = connect(address);
    let mut answers = Vec::with_capacity(targets.len());
    for target in targets {
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
        let answer = match exchange(&mut stream, &request) {
            Ok(answer) => answer,
            // A server may close a kept connection whenever it likes: once more on a new one.
            Err(_) => {
                stream = connect(address);
                exchange(&mut stream, &request).unwrap_or_else(|error| panic!("{target}: {error}"))
            }
        };
        if answer.closes {
            stream = connect(address);
        }
        answers.push(answer);
    }
    answers
}

/// What matters of an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) letter: u8,
    closes: bool,
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn exchange(stream: &mut TcpStream, request: &str) -> io::Result<Answer> {
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    let mut room = [0; 4096];
    loop {
        let len = stream.read(&mut room)?;
        bytes.extend_from_slice(&room[..len]);
        if let Some((answer, end)) = read(&bytes) {
            if bytes.len() >= end || len == 0 {
                return Ok(answer(&bytes));
            }
        } else if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// When the head is there: how to make the answer, and where it ends.
fn read(bytes: &[u8]) -> Option<(impl Fn(&[u8]) -> Answer, usize)> {
    let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(bytes.get(..head)?).to_ascii_lowercase();
    let status: u16 = text.get(9..12)?.parse().ok()?;
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(str::trim));
    let length = field("content-length:").and_then(|value| value.parse::<usize>().ok());
    let closes = length.is_none() || field("connection:") == Some("close");
    let body = head + 4;
    let answer = move |bytes: &[u8]| Answer {
        status,
        letter: if status == 200 {
            bytes.get(body).copied().unwrap_or(b'-')
        } else {
            b'-'
        },
        closes,
    };
    Some((answer, length.map_or(usize::MAX, |length| body + length)))
}

/// A server that ends with the test.
#[derive(Debug)]
pub(crate) struct Server(
    Child,
    #[expect(dead_code, reason = "kept until the server has ended")] Folder,
);

impl Server {
    /// Tomcat on two addresses, with the jars of this path.
    pub(crate) fn tomcat(java: &Path, jars: &str, addresses: [SocketAddr; 2]) -> Self {
        let folder = Folder::new();
        let source = folder.write("Readers.java", include_str!("Readers.java"));
        let ports = addresses.map(|address| address.port().to_string());
        let child = Command::new(java)
            .args([
                "-Djava.net.preferIPv4Stack=true",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                jars,
            ])
            .arg(source)
            .arg(folder.path())
            .args(ports)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self(child, folder);
        for address in addresses {
            until("Tomcat listens", || {
                assert!(server.0.try_wait().unwrap().is_none(), "Tomcat ended");
                is_listening(address).then_some(())
            });
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

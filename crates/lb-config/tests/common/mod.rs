use lb_config::Environment;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

/// A resolver that knows two names, one secret file, and two groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fake;

impl Environment for Fake {
    fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let address = |last: u8| SocketAddr::from(([192, 0, 2, last], port));
        match host {
            "one.internal" => Ok(vec![address(1)]),
            "two.internal" => Ok(vec![address(1), address(2)]),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "name not known")),
        }
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        match path.to_str() {
            Some("/etc/lbd/secret") => Ok("correct horse battery staple\n".into()),
            Some("/etc/group") => Ok("root:x:0:\nops:x:1000:ann,bob\n".into()),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn may_probe_half_open(&self) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "operation not permitted",
        ))
    }
}

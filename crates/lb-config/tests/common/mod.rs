use lb_config::{Environment, Roots};
use lb_types::Wall;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

    fn read_bytes(&self, path: &Path) -> io::Result<Vec<u8>> {
        let folder = || io::Error::new(io::ErrorKind::IsADirectory, "is a directory");
        match FILES.iter().find(|(known, _)| Path::new(known) == path) {
            Some((_, bytes)) => Ok(bytes.to_vec()),
            None if FILES.iter().any(|(known, _)| Path::new(known).starts_with(path)) => Err(folder()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = FILES
            .iter()
            .filter_map(|(known, _)| Path::new(known).strip_prefix(folder).ok())
            .filter_map(|rest| rest.components().next())
            .map(|name| folder.join(name))
            .collect();
        // Folders list in no order.
        paths.sort_unstable_by(|a, b| b.cmp(a));
        paths.dedup();
        Ok(paths)
    }

    fn roots(&self) -> io::Result<Roots> {
        let contents = lb_tls::lb_cert::read("ca", include_bytes!("../tls/ca.pem"), &Default::default()).unwrap();
        let mut roots = Roots::new();
        for found in lb_tls::lb_cert::parse_all(contents.certificates).unwrap() {
            roots.add(found.value);
        }
        Ok(roots)
    }

    fn now(&self) -> Wall {
        NOW
    }

    fn may_probe_half_open(&self) -> io::Result<()> {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "operation not permitted",
        ))
    }
}

/// 2026-12-20, within the time of all certificates of `tests/tls` but `old`.
pub(crate) const NOW: Wall = Wall::from_secs(1_797_724_800);

/// What is on the machine: `tests/tls/made.sh` says what each is.
const FILES: &[(&str, &[u8])] = &[
    ("/etc/lbd/tls/www.pem", include_bytes!("../tls/www.pem")),
    ("/etc/lbd/tls/www.key", include_bytes!("../tls/www.key")),
    ("/etc/lbd/tls/api.pem", include_bytes!("../tls/api-and-key.pem")),
    ("/etc/lbd/tls/README", b"Certificates for lbd. Not one itself.\n"),
    ("/etc/lbd/tls/.www.pem.swp", b"-----BEGIN CERTIFICATE-----\nhalf of one"),
    (
        "/etc/lbd/tls/older/www.pem",
        b"-----BEGIN CERTIFICATE-----\nhalf of one",
    ),
    ("/etc/lbd/one/www.pem", include_bytes!("../tls/www.pem")),
    ("/etc/lbd/one/locked.key", include_bytes!("../tls/locked.key")),
    ("/etc/lbd/half/www.pem", b"-----BEGIN CERTIFICATE-----\nhalf of one"),
    ("/etc/lbd/none/README", b"Certificates for lbd. Not one itself.\n"),
    ("/etc/lbd/www.pem", include_bytes!("../tls/www.pem")),
    ("/etc/lbd/www.key", include_bytes!("../tls/www.key")),
    ("/etc/lbd/api.pem", include_bytes!("../tls/api-and-key.pem")),
    ("/etc/lbd/old.pem", include_bytes!("../tls/old.pem")),
    ("/etc/lbd/old.key", include_bytes!("../tls/old.key")),
    ("/etc/lbd/client.pem", include_bytes!("../tls/client.pem")),
    ("/etc/lbd/client.key", include_bytes!("../tls/client.key")),
    ("/etc/lbd/lost.key", include_bytes!("../tls/lost.key")),
    ("/etc/lbd/ca.pem", include_bytes!("../tls/ca.pem")),
    ("/etc/lbd/crl.pem", include_bytes!("../tls/crl.pem")),
    ("/etc/lbd/password", b"open-sesame\n"),
    ("/etc/lbd/wrong-password", b"open-barley\n"),
    ("/etc/lbd/empty", b"\n"),
    (
        "/etc/lbd/tickets.key",
        b"forty-eight bytes of which nobody could know any",
    ),
    ("/etc/lbd/friends.txt", b"10.0.0.0/8 # the office\n2001:db8::/32\n"),
    ("/etc/lbd/foes.txt", b"192.0.2.1\n"),
    ("/etc/lbd/not-ranges.txt", b"10.0.0.0/8\nnobody\n"),
];

//! `lbd demo`: three small backends and a balancer in front of them, in one process.

mod backends;
mod certificate;

use crate::access::Watcher;
use crate::commands::run::{say, serve};
use crate::control::Source;
use crate::{FAILED, MISCONFIGURED, args};
use backends::{Backends, NAMES};
use certificate::Certificate;
use lb_telemetry::Format;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `lbd demo`: serves until Ctrl-C.
pub(crate) fn run(demo: &args::Demo) -> ExitCode {
    let (address, backends) = match open(demo.port) {
        Ok(opened) => opened,
        Err(error) => {
            eprintln!("lbd: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let socket = socket(address.port());
    let secure = secure(address.port());
    let configuration = configuration(address, secure.as_ref(), backends.addresses(), socket.as_deref());
    let raw = lb_config::parse("demo.toml", &configuration);
    let resolved = match lb_config::resolve(&raw, &lb_config::System) {
        Ok(resolved) => resolved,
        Err(problems) => {
            say(&problems);
            return ExitCode::from(MISCONFIGURED);
        }
    };
    if let Err(error) = backends.start(configuration) {
        eprintln!("lbd: the backends cannot start: {error}");
        return ExitCode::from(FAILED);
    }
    // Nobody may be there to read it: no reason to end.
    let _ =
        std::io::stdout().write_all(introduction(address, secure.as_ref(), socket.as_deref(), &program()).as_bytes());
    let watcher = Watcher { format: Format::Short };
    serve(resolved.plan, Source::Arguments, Some(watcher))
}

fn open(port: Option<u16>) -> Result<(SocketAddr, Backends), String> {
    if let Some(port) = port {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| listener.local_addr());
        let address = taken.map_err(|error| {
            format!(
                "port {port} of {} cannot be had: {error}; without --port another one is found",
                Ipv4Addr::LOCALHOST
            )
        })?;
        return Ok((address, Backends::open().map_err(no_port)?));
    }
    let first = std::env::var(PORT_VARIABLE).ok().and_then(|text| text.parse().ok());
    let address = free_address(first.unwrap_or(PORT)).map_err(no_port)?;
    Ok((address, Backends::open().map_err(no_port)?))
}

fn no_port(error: std::io::Error) -> String {
    format!("no port on {}: {error}", Ipv4Addr::LOCALHOST)
}

/// The first free port from `first` on; whatever the kernel has when all of them are taken.
fn free_address(first: u16) -> std::io::Result<SocketAddr> {
    (first..first.saturating_add(PORTS))
        .chain([0])
        .map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
        .find(Result::is_ok)
        .unwrap_or_else(|| Err(std::io::ErrorKind::AddrInUse.into()))?
        .local_addr()
}

/// How this program is called from where the demo was started: most often it is not on the PATH.
fn program() -> String {
    let Ok(path) = std::env::current_exe() else {
        return "lbd".to_owned();
    };
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let is_found = |folder: PathBuf| {
        let there = folder.join("lbd");
        there.is_file() && std::fs::canonicalize(there).is_ok_and(|there| there == path)
    };
    // the first one of this name is what a shell runs
    let first = std::env::split_paths(&folders).find(|folder| folder.join("lbd").is_file());
    if first.is_some_and(is_found) {
        return "lbd".to_owned();
    }
    let here = std::env::current_dir().and_then(std::fs::canonicalize);
    let short = here
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    quoted(&match short {
        Some(name) if name.components().count() == 1 => format!("./{}", name.display()),
        Some(name) => name.display().to_string(),
        None => path.display().to_string(),
    })
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let is_plain = word
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"/._-+@%:,".contains(&b));
    if is_plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Where the demo speaks TLS.
struct Secure {
    address: SocketAddr,
    certificate: Certificate,
}

/// A port for TLS, and a file with a certificate; none where there is no place for either.
fn secure(port: u16) -> Option<Secure> {
    let first = port.checked_add(SECURE_BEHIND).unwrap_or(port);
    let address = free_address(first).ok()?;
    let path = std::env::temp_dir().join(format!("lbd-demo-{port}.pem"));
    path.to_str().filter(|text| !text.contains(['"', '\\']))?;
    Some(Secure {
        address,
        certificate: Certificate::make(path).ok()?,
    })
}

/// A place for the admin socket that nobody else has; none, if somebody else's file lies there.
fn socket(port: u16) -> Option<PathBuf> {
    let path = std::env::temp_dir().join(format!("lbd-demo-{port}.sock"));
    // Whoever had this port left it: we have the port now.
    let _ = std::fs::remove_file(&path);
    let is_free = !path.exists() && path.is_absolute() && path.as_os_str().len() <= LONGEST_SOCKET;
    path.to_str().filter(|text| is_free && !text.contains(['"', '\\']))?;
    Some(path)
}

/// The demo's configuration: a file as `lbd run --config` reads it.
fn configuration(
    address: SocketAddr,
    secure: Option<&Secure>,
    backends: [SocketAddr; NAMES.len()],
    socket: Option<&Path>,
) -> String {
    let secure = secure.map_or_else(String::new, |Secure { address, certificate }| {
        format!(
            "
[[listeners]] # the same over TLS; the file is there for as long as the demo runs
name = \"secure\"
address = \"{address}\"
pool = \"turns\"
tls = {{ certificates = \"{}\" }}
",
            certificate.path().display()
        )
    });
    let admin = socket.map_or_else(String::new, |path| {
        format!("admin = {{ socket = \"{}\" }}\n", path.display())
    });
    let lines = |with_weights: bool| -> String {
        let mut weight = NAMES.len();
        NAMES
            .iter()
            .zip(backends)
            .map(|(name, backend)| {
                let share = if with_weights {
                    format!(", weight = {weight}")
                } else {
                    String::new()
                };
                weight -= 1;
                format!("    {{ name = \"{name}\", address = \"{backend}\"{share} }},\n")
            })
            .collect()
    };
    let health = "health = { kind = \"http\", path = \"/health\", interval = \"1s\", rise = 2, fall = 2 }";
    format!(
        "version = 1
drain_timeout = \"2s\"
log = {{ access = \"stdout\" }}
{admin}
[[listeners]]
name = \"demo\"
address = \"{address}\"
pool = \"turns\"
routes = [{{ path = \"/sticky\", pool = \"sticky\" }}]
{secure}
[[pools]] # everyone in turn, by weight
name = \"turns\"
backends = [
{}]
{health}

[[pools]] # a client stays where it was
name = \"sticky\"
backends = [
{}]
persistence = {{ kind = \"cookie_insert\", name = \"DEMO\", secret = \"anyone may know this one\" }}
{health}
",
        lines(true),
        lines(false)
    )
}

fn introduction(address: SocketAddr, secure: Option<&Secure>, socket: Option<&Path>, program: &str) -> String {
    let secure = secure.map_or_else(String::new, |Secure { address, certificate }| {
        format!(
            "  # the same over TLS, with a certificate that was made just now
  curl --cacert {} https://localhost:{}/

",
            certificate.path().display(),
            address.port()
        )
    });
    let admin = socket.map_or_else(String::new, |path| {
        let path = path.display();
        format!(
            "  # how they are; take one out, without a failed request, and back in
  {program} status --socket {path}
  {program} backend drain turns/red --socket {path}
  {program} backend ready turns/red --socket {path}

"
        )
    });
    format!(
        "lbd demo: three backends (red, green, blue) and a balancer in front of them, at

  http://{address}

Try in another terminal:

  # turns by weight: red 3, green 2, blue 1
  for i in 1 2 3 4 5 6; do curl http://{address}/; done

  # a client stays at its backend, by a cookie
  for i in 1 2 3; do curl -b jar -c jar http://{address}/sticky; done

  # the backend that answers this refuses connections for 15 seconds; ask on as above, no request fails
  curl http://{address}/down
  curl -b jar -c jar http://{address}/sticky/down

{secure}{admin}  # what a backend is sent; the configuration of all this
  curl http://{address}/show
  curl http://{address}/config

Ctrl-C ends it. One line for each request follows (times are UTC), and what becomes of the backends.

"
    )
}

/// The usual port of a web server that needs no rights.
const PORT: u16 = 8080;
/// TLS is so far behind it: 8443.
const SECURE_BEHIND: u16 = 363;
/// As a socket's path may be, by lb-config.
const LONGEST_SOCKET: usize = 90;
/// Ports that are tried.
const PORTS: u16 = 100;
/// Another first port, for tests and for people who have plans for 8080.
const PORT_VARIABLE: &str = "LBD_DEMO_PORT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_good_without_a_warning() {
        let address = "127.0.0.1:8080".parse().unwrap();
        let backends = [1, 2, 3].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let secure = Secure {
            address: "127.0.0.1:8443".parse().unwrap(),
            certificate: Certificate::make(std::env::temp_dir().join("lbd-demo-test.pem")).unwrap(),
        };
        let text = configuration(address, Some(&secure), backends, Some(Path::new("/tmp/lbd-demo.sock")));
        let raw = lb_config::parse("demo.toml", &text);
        let resolved = lb_config::resolve(&raw, &lb_config::System).unwrap_or_else(|p| panic!("{}", p.render(false)));
        assert!(resolved.warnings.is_empty(), "{}", resolved.warnings.render(false));
        let turns = resolved.plan.pool("turns").unwrap();
        let weights: Vec<u16> = turns.backends.iter().map(|backend| backend.weight.get()).collect();
        assert_eq!(weights, [3, 2, 1]);
    }

    #[test]
    fn a_port_that_was_asked_for_is_had_or_missed() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = open(Some(port)).map(|(address, _)| address).unwrap_err();
        assert!(
            error.starts_with(&format!("port {port} of 127.0.0.1 cannot be had: ")),
            "{error}"
        );
        drop(taken);
        assert_eq!(open(Some(port)).map(|(address, _)| address.port()), Ok(port));
    }

    #[test]
    fn the_path_of_the_program_is_one_word_of_a_shell() {
        assert_eq!(quoted("target/release/lbd"), "target/release/lbd");
        assert_eq!(quoted("/home/it's me/lbd"), "'/home/it'\\''s me/lbd'");
    }

    #[test]
    fn a_taken_port_is_passed_over() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = taken.local_addr().unwrap();
        let found = free_address(address.port()).unwrap();
        assert_ne!(found, address);
        assert_ne!(found.port(), 0);
    }
}

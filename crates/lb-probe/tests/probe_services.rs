//! Probes of real servers: redis, memcached, an SMTP server, MariaDB and PostgreSQL, each started in a folder of its
//! own on a free port, the last three over STARTTLS too. A server that is not installed is skipped, unless `LBD_REQUIRE_PEERS=1`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests

mod tls;

use lb_health::Cause;
use lb_probe::{ExchangeOptions, HttpOptions, Kind, Probe, ProbeOptions, ProxyHeader, Step};
use lb_tls::{Engine, SetClock};
use lb_types::Wall;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tls::{Made, NOW};
use tokio::time::Instant;

/// A server in a folder; both end with it.
struct Server {
    child: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Server {
    fn start(mut command: Command, address: SocketAddr, folder: PathBuf) -> Self {
        let log = std::fs::File::create(folder.join("test.log")).unwrap();
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn().unwrap();
        Self { child, address, folder }
    }

    fn probe(&self, kind: Kind) -> Probe {
        let options = ProbeOptions {
            kind,
            timeout: Duration::from_secs(60),
            ..ProbeOptions::default()
        };
        Probe::new(self.address, options).unwrap()
    }

    /// Asks over STARTTLS: whom the certificate is believed, and who believes another one.
    async fn ask_over_tls(&self, kind: Kind, made: &Made) -> [Result<(), Cause>; 2] {
        let engine = Engine::aws_lc(SetClock::at(Wall::from_secs(NOW)));
        let options = ProbeOptions {
            kind,
            timeout: Duration::from_secs(60),
            starttls: true,
            ..ProbeOptions::default()
        };
        let probe = Probe::new(self.address, options).unwrap();
        let ask = async |who: &Made| probe.clone().with_tls(Some(who.trusted(&engine))).run().await;
        [ask(made).await, ask(&Made::new()).await]
    }

    /// Until the probe says that the server is up.
    async fn is_up(&mut self, kind: Kind) {
        let probe = self.probe(kind);
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            match probe.run().await {
                Ok(()) => return,
                Err(cause) => {
                    let log = || std::fs::read_to_string(self.folder.join("test.log")).unwrap_or_default();
                    let ended = self.child.try_wait().unwrap();
                    assert!(ended.is_none(), "it ended: {ended:?}\n{}", log());
                    assert!(Instant::now() < deadline, "{cause}\n{}", log());
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
    }
}

/// Where the program is; `None`, with a line, when it is not installed.
fn program(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let found = folders
        .split(':')
        .flat_map(|folder| names.iter().map(move |name| Path::new(folder).join(name)))
        .find(|path| path.is_file());
    absent(found, names[0])
}

fn absent(found: Option<PathBuf>, name: &str) -> Option<PathBuf> {
    if found.is_none() {
        assert!(
            std::env::var_os("LBD_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "{name} is needed"
        );
        println!("skipped: {name} is not installed");
    }
    found
}

fn free_port() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("lb-probe-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// The user that owns files of ours: servers that refuse root run as `nobody`.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The command as an unprivileged user who owns `folder`, when we are root.
fn unprivileged(program: &Path, folder: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let nobody = Command::new("chown")
        .args(["-R", "nobody"])
        .arg(folder)
        .status()
        .unwrap();
    assert!(nobody.success());
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"])
        .arg(program);
    command
}

/// The files of a certificate and its key in `folder`.
fn write(made: &Made, folder: &Path) -> (PathBuf, PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    std::fs::write(&certificate, &made.certificate).unwrap();
    std::fs::write(&key, &made.key).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    (certificate, key)
}

/// The other root has the same name and another key.
const OVER_TLS: [Result<(), Cause>; 2] = [Ok(()), Err(Cause::Handshake("bad_signature"))];

fn exchange(steps: Vec<Step>) -> Kind {
    Kind::Exchange(ExchangeOptions {
        steps,
        ..ExchangeOptions::default()
    })
}

#[tokio::test]
async fn redis_is_up_with_and_without_a_password_and_others_are_wrong() {
    let Some(redis) = program(&["redis-server"]) else {
        return;
    };
    let (address, folder) = (free_port(), folder("redis"));
    let mut command = Command::new(redis);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--port"])
        .arg(address.port().to_string())
        .arg("--dir")
        .arg(&folder);
    let mut server = Server::start(command, address, folder);
    server.is_up(Kind::Redis).await;
    assert_eq!(server.probe(Kind::Memcached).run().await, Err(Cause::Reply));
    let password = exchange(vec![
        Step::Send(b"CONFIG SET requirepass secret\r\n".to_vec()),
        Step::Expect(b"+OK\r\n".to_vec()),
        Step::Send(b"QUIT\r\n".to_vec()),
    ]);
    assert_eq!(server.probe(password).run().await, Ok(()));
    assert_eq!(
        server.probe(Kind::Redis).run().await,
        Ok(()),
        "it asks for the password: it is up"
    );
    let other = exchange(vec![Step::Send(b"PING\r\n".to_vec()), Step::Expect(b"NOAUTH".to_vec())]);
    assert_eq!(server.probe(other).run().await, Ok(()));
}

#[tokio::test]
async fn memcached_is_up() {
    let Some(memcached) = program(&["memcached"]) else {
        return;
    };
    let (address, folder) = (free_port(), folder("memcached"));
    let mut command = unprivileged(&memcached, &folder);
    command
        .args(["-U", "0", "-l", "127.0.0.1", "-p"])
        .arg(address.port().to_string());
    let mut server = Server::start(command, address, folder);
    server.is_up(Kind::Memcached).await;
    assert_eq!(
        server.probe(Kind::Redis).run().await,
        Err(Cause::Reply),
        "PING is ERROR there"
    );
    let steps = exchange(vec![
        Step::Send(b"set k 0 60 5\r\nhello\r\n".to_vec()),
        Step::Expect(b"STORED\r\n".to_vec()),
        Step::Send(b"get k\r\n".to_vec()),
        Step::Expect(b"hello".to_vec()),
    ]);
    assert_eq!(server.probe(steps).run().await, Ok(()));
}

#[tokio::test]
async fn a_mail_server_is_up() {
    let module = PathBuf::from("/usr/lib/python3/dist-packages/aiosmtpd");
    let found = module.is_dir().then(|| PathBuf::from("/usr/bin/python3"));
    let Some(python) = absent(found, "python3-aiosmtpd") else {
        return;
    };
    let (address, folder) = (free_port(), folder("smtp"));
    let made = Made::new();
    let (certificate, key) = write(&made, &folder);
    let mut command = Command::new(python);
    command
        .args(["-m", "aiosmtpd", "--nosetuid", "--no-requiretls", "--listen"])
        .arg(address.to_string())
        .arg("--tlscert")
        .arg(certificate)
        .arg("--tlskey")
        .arg(key)
        .current_dir(&folder);
    let mut server = Server::start(command, address, folder);
    server.is_up(Kind::Smtp).await;
    assert_eq!(server.ask_over_tls(Kind::Smtp, &made).await, OVER_TLS);
    let steps = exchange(vec![
        Step::Expect(b"220 ".to_vec()),
        Step::Send(b"NOOP\r\n".to_vec()),
        Step::Expect(b"250 ".to_vec()),
        Step::Send(b"QUIT\r\n".to_vec()),
        Step::Expect(b"221 ".to_vec()),
    ]);
    assert_eq!(server.probe(steps).run().await, Ok(()));
    assert_eq!(
        server.probe(Kind::Mysql { user: None }).run().await,
        Err(Cause::Reply),
        "a greeting of another protocol"
    );
}

#[tokio::test]
async fn mariadb_greets_and_lets_its_user_in_and_out() {
    let Some(mariadb) = program(&["mariadbd", "mysqld"]) else {
        return;
    };
    let (address, folder) = (free_port(), folder("mariadb"));
    let data = folder.join("data");
    std::fs::create_dir(&data).unwrap();
    let made = Made::new();
    let (certificate, key) = write(&made, &folder);
    let mut command = unprivileged(&mariadb, &folder);
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .arg(format!("--socket={}", folder.join("socket").display()))
        .arg(format!("--pid-file={}", folder.join("pid").display()))
        .arg(format!("--port={}", address.port()))
        .arg(format!("--ssl-cert={}", certificate.display()))
        .arg(format!("--ssl-key={}", key.display()))
        .args([
            "--bind-address=127.0.0.1",
            // everybody may log in: the probe's side of the conversation is what is tested
            "--skip-grant-tables",
            "--skip-networking=0",
            "--skip-innodb",
            "--default-storage-engine=Aria",
            "--skip-log-bin",
        ]);
    let mut server = Server::start(command, address, folder);
    server.is_up(Kind::Mysql { user: None }).await;
    let user = Some("lbd".to_owned());
    for _ in 0..3 {
        let probe = server.probe(Kind::Mysql { user: user.clone() });
        assert_eq!(probe.run().await, Ok(()));
    }
    for user in [None, user] {
        assert_eq!(server.ask_over_tls(Kind::Mysql { user }, &made).await, OVER_TLS);
    }
    assert_eq!(server.probe(Kind::Smtp).run().await, Err(Cause::Reply));
}

#[tokio::test]
async fn postgresql_answers_and_says_what_it_thinks_of_the_user() {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let found = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .find(|bin| bin.join("initdb").is_file());
    let Some(bin) = absent(found, "postgresql") else { return };
    let (address, folder) = (free_port(), folder("postgresql"));
    let data = folder.join("data");
    let made = Made::new();
    let (certificate, key) = write(&made, &folder);
    let initialised = unprivileged(&bin.join("initdb"), &folder)
        .args(["--no-sync", "--auth=trust", "--username=lbd", "-D"])
        .arg(&data)
        .current_dir(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&initialised.stderr);
    assert!(initialised.status.success(), "{said}");
    let mut command = unprivileged(&bin.join("postgres"), &folder);
    command
        .arg("-D")
        .arg(&data)
        .args(["-F", "-h", "127.0.0.1", "-p"])
        .arg(address.port().to_string())
        .arg("-k")
        .arg(&folder)
        .args(["-c", "ssl=on", "-c"])
        .arg(format!("ssl_cert_file={}", certificate.display()))
        .arg("-c")
        .arg(format!("ssl_key_file={}", key.display()))
        .current_dir(&folder);
    let mut server = Server::start(command, address, folder);
    let user = |name: &str| Kind::Postgres {
        user: Some(name.to_owned()),
    };
    server.is_up(user("lbd")).await;
    assert_eq!(server.probe(Kind::Postgres { user: None }).run().await, Ok(()));
    assert_eq!(
        server.probe(user("nobody-knows-me")).run().await,
        Ok(()),
        "it judges users: it is up"
    );
    for user in [None, Some("lbd".to_owned()), Some("nobody-knows-me".to_owned())] {
        assert_eq!(server.ask_over_tls(Kind::Postgres { user }, &made).await, OVER_TLS);
    }
    assert_ne!(server.probe(Kind::Redis).run().await, Ok(()));
}

/// Both answer 200 to whoever begins with a PROXY header, and cut off everybody else.
#[tokio::test]
async fn haproxy_and_nginx_accept_all_proxy_headers_and_refuse_probes_without() {
    let http = || Kind::Http(HttpOptions::default());
    for name in ["haproxy", "nginx"] {
        let Some(program) = program(&[name]) else { continue };
        let (address, folder) = (free_port(), folder(name));
        let config = folder.join("config");
        let mut command = Command::new(program);
        if name == "haproxy" {
            let text = format!(
                "defaults\n mode http\n timeout client 60s\n timeout server 60s\n timeout connect 60s\n\
                 frontend f\n bind {address} accept-proxy\n http-request return status 200\n"
            );
            std::fs::write(&config, text).unwrap();
            command.arg("-db").arg("-f").arg(&config);
        } else {
            let text = format!(
                "daemon off; master_process off; pid {0}/pid; error_log stderr;\nevents {{}}\nhttp {{ access_log off;\n\
                 client_body_temp_path {0}; proxy_temp_path {0}; fastcgi_temp_path {0}; uwsgi_temp_path {0}; scgi_temp_path {0};\n\
                 server {{ listen {address} proxy_protocol; location / {{ return 200; }} }} }}\n",
                folder.display()
            );
            std::fs::write(&config, text).unwrap();
            command.arg("-c").arg(&config);
        }
        let mut server = Server::start(command, address, folder);
        server.is_up(Kind::Tcp).await;
        for header in [ProxyHeader::V1, ProxyHeader::V2, ProxyHeader::V2Local] {
            let options = ProbeOptions {
                kind: http(),
                timeout: Duration::from_secs(60),
                proxy_header: Some(header),
                ..ProbeOptions::default()
            };
            let probe = Probe::new(address, options).unwrap();
            assert_eq!(probe.run().await, Ok(()), "{name} {header:?}");
        }
        assert_ne!(server.probe(http()).run().await, Ok(()), "{name} without a header");
    }
}

//! Health checks through the program: agents, half-open probes, and probes that leave no line in a log.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Authority, Backend, Client, Config, Folder, Lbd, Nginx, address, peer, until};

/// An agent that says its line to everybody who asks.
struct Agent {
    address: SocketAddr,
    line: Arc<Mutex<String>>,
}

impl Agent {
    fn start(at: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Mutex::new("up\n".to_owned()));
        let said = Arc::clone(&line);
        // ends with the test's process
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let line = said.lock().unwrap().clone();
                let _ = (&stream).write_all(line.as_bytes());
            }
        });
        Self { address, line }
    }

    fn says(&self, line: &str) {
        *self.line.lock().unwrap() = format!("{line}\n");
    }
}

/// How many of `requests` new connections each of the two backends answered.
fn shares(listener: SocketAddr, requests: usize) -> (usize, usize) {
    let answered = |name: &str, texts: &[String]| texts.iter().filter(|text| text.as_str() == name).count();
    let texts: Vec<String> = (0..requests)
        .map(|_| Client::connect(listener).get("/").text())
        .collect();
    (answered("a", &texts), answered("b", &texts))
}

#[test]
fn an_agent_moves_weight_and_drains_and_takes_its_backend_out() {
    let (a, b, listener) = (Backend::saying("a"), Backend::saying("b"), address());
    let agent = Agent::start(SocketAddr::new(a.address().ip(), 0));
    let plain = Config::http(listener, &[a.address(), b.address()]);
    let config = plain.clone().rest(&format!(
            "[pools.health]\nkind = \"tcp\"\ninterval = \"200ms\"\nagent = {{ port = {}, address = \"{}\", interval = \"20ms\" }}",
            agent.address.port(),
            agent.address.ip()
    ));
    let lbd = Lbd::start(&config.text());
    assert_eq!(shares(listener, 20), (10, 10));
    // both backends have this agent: it speaks for both
    agent.says("down #too hot");
    until("both are out", || {
        (Client::connect(listener).get("/").status() == 503).then_some(())
    });
    assert!(lbd.stderr().contains("too hot"), "{}", lbd.stderr());
    agent.says("up 50%");
    until("both are back", || {
        (Client::connect(listener).get("/").status() == 200).then_some(())
    });
    agent.says("maint");
    until("maintenance", || {
        (Client::connect(listener).get("/").status() == 503).then_some(())
    });
    agent.says("ready 100%");
    until("back", || {
        (Client::connect(listener).get("/").status() == 200).then_some(())
    });
    agent.says("drain");
    until("drained", || {
        (Client::connect(listener).get("/").status() == 503).then_some(())
    });
    lbd.reload(&plain.text());
    assert_eq!(
        Client::connect(listener).get("/").status(),
        200,
        "without its agent nothing is left of its words"
    );
    drop((a, b));
    lbd.stop();
}

#[test]
fn an_agents_percent_is_a_share_of_its_own_backends_weight() {
    // the same port on two loopback addresses: each backend's own agent
    let (a, b, listener) = (Backend::saying("a"), Backend::saying("b"), address());
    let one = Agent::start("127.0.0.1:0".parse().unwrap());
    let folder = Folder::new();
    let socket = folder.path().join("admin.sock").display().to_string();
    let config = format!(
        "version = 1\n[admin]\nsocket = \"{socket}\"\n[[listeners]]\nname = \"main\"\naddress = \"{listener}\"\npool = \"main\"\n\
         [[pools]]\nname = \"main\"\nbackends = [{{ address = \"{}\", weight = 10 }}, {{ address = \"127.0.0.2:{}\", weight = 10 }}]\n\
         health = {{ kind = \"passive\", max_failures = 100, agent = {{ port = {}, interval = \"20ms\" }} }}\n",
        a.address(),
        second(&b),
        one.address.port()
    );
    let lbd = Lbd::start(&config);
    assert_eq!(shares(listener, 20), (10, 10));
    one.says("50%");
    until("a third", || (shares(listener, 30) == (10, 20)).then_some(()));
    let [first, other] = [0, 1].map(|at| status(&socket)["pools"][0]["backends"][at].clone());
    assert_eq!(first["weight"]["configured"], 10);
    assert_eq!(first["weight"]["agent_percent"], 50);
    assert_eq!(first["weight"]["effective"], 5.0);
    assert_eq!(first["weight"]["share_percent"], 33.33);
    assert_eq!(first["probe"]["agent_fault"], serde_json::Value::Null);
    // nobody listens there: told once, and shown as long as it lasts
    assert_eq!(other["weight"]["effective"], 10.0);
    let fault = other["probe"]["agent_fault"].as_str().unwrap();
    assert!(
        fault.contains("the agent does not answer: connection refused"),
        "{fault}"
    );
    assert_eq!(lbd.stderr().matches(fault).count(), 1, "{}", lbd.stderr());
    one.says("0%");
    until("nothing", || (shares(listener, 10) == (0, 10)).then_some(()));
    one.says("200% ready");
    until("twice", || (shares(listener, 30) == (20, 10)).then_some(()));
    assert_eq!(status(&socket)["pools"][0]["backends"][0]["weight"]["effective"], 20.0);
    drop((a, b));
    lbd.stop();
}

#[test]
fn a_backends_certificate_that_ends_soon_is_told_once_and_shown_and_takes_nobody_down() {
    let Some(program) = peer("nginx") else { return };
    let authority = Authority::new("Root of backends");
    let longer = Duration::from_secs(5 * 86_400 + 3_600);
    let file = authority.ending("app.pem", &["app.internal"], longer);
    let (backend, listener) = (address(), address());
    let server = format!(
        "server {{ listen {backend} ssl; ssl_certificate {0}; ssl_certificate_key {0}; location / {{ return 200; }} }}\n",
        file.display()
    );
    let _nginx = Nginx::start_with(&program, &server, vec![backend]);
    let folder = Folder::new();
    let socket = folder.path().join("admin.sock").display().to_string();
    for kind in ["tcp", "http"] {
        let config = Config::http(listener, &[backend])
            .top(&format!("admin = {{ socket = \"{socket}\" }}"))
            .pool(&format!(
                "health = {{ kind = \"{kind}\", interval = \"20ms\", timeout = \"10s\" }}"
            ))
            .pool(&format!(
                "tls = {{ roots = {:?}, server_name = \"app.internal\" }}",
                authority.root()
            ));
        let lbd = Lbd::start(&config.text());
        let seen = until("ten probes", || {
            let backend = status(&socket)["pools"][0]["backends"][0].clone();
            let results = backend["probe"]["results"].as_array().unwrap().len();
            (results == 10).then_some(backend)
        });
        assert_eq!(seen["state"], "up");
        assert_eq!(seen["probe"]["certificate"]["days_left"], 5);
        assert_eq!(seen["probe"]["certificate"]["warning"], "expires in 5 days");
        let said = lbd.stderr();
        assert_eq!(
            said.matches("the backend's certificate expires in 5 days").count(),
            1,
            "{said}"
        );
        let table = std::process::Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["status", "--socket", &socket])
            .output()
            .unwrap();
        let table = String::from_utf8(table.stdout).unwrap();
        assert!(
            table.contains("its certificate expires in 5 days: renew it there"),
            "{table}"
        );
        lbd.stop();
    }
}

#[test]
fn a_mail_server_without_starttls_is_down_and_the_mend_is_said() {
    let mail = Backend::start(|mut connection| {
        connection.send("220 mx\r\n");
        // the probe says EHLO
        let _ = connection.some();
        connection.send("250-mx\r\n250 SIZE 1000\r\n");
        let _ = connection.some();
    });
    let listener = address();
    let folder = Folder::new();
    let socket = folder.path().join("admin.sock").display().to_string();
    let config = Config::tcp(listener, &[mail.address()])
        .top(&format!("admin = {{ socket = \"{socket}\" }}"))
        .pool("tls = { verify = \"none\" }")
        .pool("health = { kind = \"smtp\", starttls = true, interval = \"50ms\", fall = 1 }");
    let lbd = Lbd::start(&config.text());
    let cause = until("it is down", || {
        let cause = status(&socket)["pools"][0]["backends"][0]["cause"].clone();
        (!cause.is_null()).then_some(cause)
    });
    assert_eq!(cause["kind"], "starttls_missing", "{cause}");
    assert!(
        cause["mend"].as_str().unwrap().contains("`starttls` of `health`"),
        "{cause}"
    );
    lbd.stop();
}

fn status(socket: &str) -> serde_json::Value {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(["status", "--json", "--socket", socket])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The port of a relay on 127.0.0.2 to `backend`.
fn second(backend: &Backend) -> u16 {
    let listener = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = backend.address();
    // ends with the test's process
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = std::net::TcpStream::connect(target) else {
                continue;
            };
            let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
            let (mut from_server, mut to_client) = (server, client);
            std::thread::spawn(move || std::io::copy(&mut from_server, &mut to_client));
        }
    });
    port
}

#[test]
fn s_health_01_half_open_probes_leave_the_backend_without_a_connection() {
    let (backend, listener) = (Backend::saying("a"), address());
    let config = Config::http(listener, &[backend.address()])
        .rest("[pools.health]\nkind = \"syn\"\ninterval = \"10ms\"\ntimeout = \"5ms\"");
    let lbd = Lbd::start(&config.text());
    if lbd.stderr().contains("not-permitted") {
        println!("skipped: raw sockets are not permitted");
        return;
    }
    until("up", || lbd.state().pool_is("main", "Up").then_some(()));
    assert_eq!(backend.accepted(), 0, "nobody connected");
    assert_eq!(Client::connect(listener).get("/").text(), "a");
    assert_eq!(backend.accepted(), 1);
    backend.stop();
    until("down", || lbd.state().pool_is("main", "Down").then_some(()));
    lbd.stop();
}

#[test]
fn s_xff_11_probes_of_another_lbd_can_be_left_out_of_the_log() {
    let (backend, listener, folder) = (Backend::saying("a"), address(), Folder::new());
    let log = folder.path().join("access.log");
    let config = Config::http(listener, &[backend.address()])
        .listener("log_probes = false")
        .rest(&format!("[log]\naccess = \"{}\"\n", log.display()));
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    let ask = |path: &str, agent: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: {agent}\r\n\r\n");
    assert_eq!(client.exchange(ask("/probe", "lbd-probe/9.9.9")).status(), 200);
    assert_eq!(client.exchange(ask("/person", "curl/8.0")).status(), 200);
    drop(client);
    lbd.stop();
    let lines = fs::read_to_string(&log).unwrap();
    assert!(lines.contains("/person") && !lines.contains("/probe"), "{lines}");
    drop(backend);
}

//! What is said of an exchange that did not go well: the rule that was broken, in the log, to the client, in the status.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Backend, Client, Config, Folder, Lbd, address, answer, until};

/// A running program whose access log is read.
struct Logged {
    lbd: Lbd,
    listener: SocketAddr,
    folder: Folder,
}

impl Logged {
    fn start(backends: &[SocketAddr], format: &str, change: impl Fn(Config) -> Config) -> Self {
        let (listener, folder) = (address(), Folder::new());
        let log = folder.path().join("access.log");
        let table = format!("[log]\naccess = \"{}\"\nformat = \"{format}\"\n", log.display());
        // Of one worker the lines come in the order of the requests.
        let config = Config::http(listener, backends).top("workers = 1").rest(&table);
        let lbd = Lbd::start(&change(config).text());
        Self { lbd, listener, folder }
    }

    /// Stops the program and reads its log.
    fn lines(self) -> Vec<String> {
        let path: PathBuf = self.folder.path().join("access.log");
        self.lbd.stop();
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }
}

/// Answers with the bytes that belong to the target, and closes.
fn answering(answers: &'static [(&'static str, &'static str)]) -> Backend {
    Backend::start(move |mut conn| {
        if let Ok(request) = conn.request() {
            let (_, bytes) = answers
                .iter()
                .find(|(target, _)| *target == request.head.target())
                .unwrap();
            conn.send(bytes);
        }
    })
}

#[test]
fn a_refused_request_is_logged_with_its_first_line_and_the_rule() {
    let cases: [(&str, &str, &str, &str); 10] = [
        (
            "POST /two?a=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
            "POST",
            "/two?a=1",
            "Content-Length is given more than once",
        ),
        ("GET /none HTTP/1.1\r\n\r\n", "GET", "/none", "Host is missing"),
        (
            "GET /space HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",
            "GET",
            "/space",
            "white space between field name and colon",
        ),
        (
            "GET /fold HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n",
            "GET",
            "/fold",
            "folded line: a field line begins with white space",
        ),
        (
            "GET /colon HTTP/1.1\r\nHost: h\r\nX y\r\n\r\n",
            "GET",
            "/colon",
            "field line without a colon",
        ),
        (
            "GET /name HTTP/1.1\r\nHost: h\r\nX(y): z\r\n\r\n",
            "GET",
            "/name",
            "malformed field name",
        ),
        (
            "GET /feed HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
            "GET",
            "/feed",
            "line feed without carriage return",
        ),
        (
            "GET /q?\"<x>\" HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET",
            "/q?\\\"<x>\\\"",
            "character in the request target that must be percent-encoded",
        ),
        (
            "GET /cut HTTP/1.1\r\nHost: h\r\n",
            "GET",
            "/cut",
            "connection ended inside a message",
        ),
        ("\u{16}\u{3}\u{1}\u{2}", "", "", "TLS where HTTP in clear is expected"),
    ];
    let backend = Backend::saying("never");
    for format in ["json", "combined_xff"] {
        let logged = Logged::start(&[backend.address()], format, |config| config);
        for (request, .., rule) in &cases {
            let mut client = Client::connect(logged.listener);
            client.send(request);
            client.half_close();
            let response = client.response();
            assert_eq!(response.status(), 400, "{request:?}");
            let status = response.get("proxy-status").unwrap();
            assert!(
                status.ends_with(&format!("details=\"bad_request: {rule}\"")),
                "{status}"
            );
            assert!(response.text().contains(rule), "{}", response.text());
        }
        let lines = logged.lines();
        assert_eq!(lines.len(), cases.len(), "{lines:#?}");
        for ((request, method, target, rule), line) in cases.iter().zip(&lines) {
            let parts = if format == "json" {
                let mut parts = vec![format!("\"detail\":\"{rule}\""), "\"status\":400".to_owned()];
                if !method.is_empty() {
                    parts.push(format!("\"method\":\"{method}\""));
                    parts.push(format!("\"target\":\"{target}\""));
                }
                parts
            } else if method.is_empty() {
                vec![format!("\"-\" 400 "), format!(" \"bad_request: {rule}\"")]
            } else {
                vec![
                    format!("\"{method} {target} HTTP/1.1\" 400 "),
                    format!(" \"bad_request: {rule}\""),
                ]
            };
            for part in parts {
                assert!(line.contains(&part), "{request:?}: {line} lacks {part}");
            }
        }
    }
}

#[test]
fn a_bad_response_names_the_rule_to_client_log_and_status() {
    let answers = &[
        (
            "/both",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        ("/tls", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}"),
        ("/ssh", "SSH-2.0-OpenSSH_9.2p1\r\n"),
        ("/cut", "HTTP/1.1 200 OK\r\nContent-"),
        ("/one", "H"),
    ];
    let rules = [
        "Transfer-Encoding and Content-Length in one message",
        "TLS where HTTP in clear is expected",
        "the first byte cannot begin an HTTP/1 message",
        "connection ended inside a message",
        "connection ended inside a message",
    ];
    let backend = answering(answers);
    let socket = Folder::new();
    let logged = Logged::start(&[backend.address()], "json", |config| config.rest(&admin(&socket)));
    for ((target, _), rule) in answers.iter().zip(rules) {
        let response = Client::connect(logged.listener).get(target);
        assert_eq!(response.status(), 502, "{target}");
        let status = response.get("proxy-status").unwrap();
        let want = format!("lbd; error=http_protocol_error; details=\"upstream_protocol: {rule}\"");
        assert_eq!(status, want, "{target}");
        assert_eq!(
            response.text().contains("TLS"),
            *target == "/tls",
            "{}",
            response.text()
        );
        let state = status_of(&socket);
        assert!(
            state.contains(&format!("upstream_protocol: {rule}")),
            "{target}: {state}"
        );
    }
    for (line, rule) in logged.lines().iter().zip(rules) {
        assert!(line.contains(&format!("\"detail\":\"{rule}\"")), "{line}");
    }
}

/// A section that puts the admin socket into this folder.
fn admin(socket: &Folder) -> String {
    format!("[admin]\nsocket = \"{}\"\n", socket.path().join("s").display())
}

/// What `lbd status` prints.
fn status_of(socket: &Folder) -> String {
    let output = support::run(
        std::process::Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["status", "--socket"])
            .arg(socket.path().join("s")),
    );
    assert!(output.success, "{}", output.errors);
    // The table breaks long notes over lines.
    output.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_failed_probe_names_the_rule_once() {
    let backend = Backend::http(|_| {
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_vec()
    });
    let health = "health = { kind = \"http\", interval = \"50ms\", fall = 1 }";
    let lbd = Lbd::start(&Config::http(address(), &[backend.address()]).pool(health).text());
    let said = until("the backend is down", || {
        let text = lbd.stderr();
        text.contains("is down: ").then_some(text)
    });
    let rule = "the answer is no valid HTTP/1: Transfer-Encoding and Content-Length in one message (";
    assert!(said.contains(rule), "{said}");
    assert_eq!(said.matches("the answer is no").count(), 1, "{said}");
    assert!(!said.contains("TLS"), "{said}");
    lbd.stop();
}

#[test]
fn a_pool_of_old_backends_is_read_probes_included() {
    let backend = Backend::http(|_| b"HTTP/1.1 200 OK\nX-Old : a\n b\nContent-Length: 4, 4\n\nfine".to_vec());
    let health = "health = { kind = \"http\", interval = \"50ms\", rise = 1, body = \"fine\" }";
    let listener = address();
    for (parsing, is_up) in [("strict", false), ("tolerant", true)] {
        let config = Config::http(listener, &[backend.address()])
            .pool(&format!("parsing = \"{parsing}\""))
            .pool(health);
        let lbd = Lbd::start(&config.text());
        let want = if is_up { "Up" } else { "Down(protocol)" };
        until("the probe decides", || {
            let state = lbd.state();
            let line = state.backend(backend.address());
            line.contains(&format!("status={want}")).then_some(())
        });
        let response = Client::connect(listener).get("/");
        if is_up {
            assert_eq!((response.status(), response.text().as_str()), (200, "fine"));
            assert_eq!(response.get("x-old"), Some("a b"));
            assert_eq!(response.head.all("content-length"), ["4"]);
        } else {
            assert_eq!(response.status(), 503);
        }
        lbd.stop();
    }
}

#[test]
fn what_an_old_backend_chunks_and_folds_reaches_the_client_clean() {
    let backend = Backend::http(|_| {
        b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTrailer: X-Sum\nX: a\n b\n\n5 \nhello\r\n6;q=1\n world\n0\nX-Sum : one\n\ttwo \n\n"
            .to_vec()
    });
    let listener = address();
    let config = Config::http(listener, &[backend.address()]).pool("parsing = \"tolerant\"");
    let lbd = Lbd::start(&config.text());
    let mut client = Client::connect(listener);
    for _ in 0..2 {
        client.send("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n");
        // Nothing of the backend's own framing: sizes, extensions, blanks, line ends.
        let mut raw = Vec::new();
        while !raw.ends_with(b"two\r\n\r\n") {
            let bytes = client.some().unwrap();
            assert!(!bytes.is_empty(), "{}", String::from_utf8_lossy(&raw));
            raw.extend(bytes);
        }
        let text = String::from_utf8(raw).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text:?}");
        assert!(
            head.contains("\r\nX: a b\r\n") && head.contains("\r\nTransfer-Encoding: chunked"),
            "{head:?}"
        );
        let (chunks, trailers) = body.split_once("0\r\n").unwrap();
        assert_eq!(trailers, "X-Sum: one two\r\n\r\n", "{body:?}");
        let mut lines = chunks.split("\r\n");
        let mut payload = String::new();
        while let Some(size) = lines.next().filter(|line| !line.is_empty()) {
            let piece = lines.next().unwrap();
            assert_eq!(usize::from_str_radix(size, 16).unwrap(), piece.len(), "{chunks:?}");
            payload += piece;
        }
        assert_eq!(payload, "hello world");
    }
    assert_eq!(backend.accepted(), 1, "its connection is used again");
    lbd.stop();
}

#[test]
fn why_a_connection_failed_stands_in_status_log_and_answer() {
    let dead = address();
    let resetting = Backend::start(|mut conn| {
        let _ = conn.take(1);
        conn.reset();
    });
    let unreachable = "no route to the network of the address";
    let mut cases = vec![
        ("tcp", dead.to_string(), "connect_refused", ""),
        (
            "tcp",
            resetting.address().to_string(),
            "tunnel_reset",
            "by the backend, which sent nothing before",
        ),
        ("http", dead.to_string(), "connect_refused", ""),
    ];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        // The loopback interface has no route for link-local addresses.
        let nowhere = "[fe80::dead%lo]:80".to_owned();
        cases.push(("tcp", nowhere.clone(), "connect_failed", unreachable));
        cases.push(("http", nowhere, "connect_failed", unreachable));
    }
    for (protocol, backend, end, detail) in cases {
        let (listener, folder) = (address(), Folder::new());
        let log = folder.path().join("access.log");
        let config = match protocol {
            "tcp" => Config::tcp(listener, &[dead]),
            _ => Config::http(listener, &[dead]),
        };
        let config = config
            .top("workers = 1")
            .rest(&format!("[log]\naccess = \"{}\"\nformat = \"json\"\n", log.display()))
            .rest(&admin(&folder));
        let lbd = Lbd::start(&config.text().replace(&dead.to_string(), &backend));
        assert!(!status_of(&folder).contains("last failure"), "nothing happened yet");
        let mut client = Client::connect(listener);
        if protocol == "http" {
            let response = client.get("/");
            let details = response.get("proxy-status").unwrap().to_owned();
            let colon = if detail.is_empty() { "" } else { ": " };
            assert!(
                details.ends_with(&format!("details=\"{end}{colon}{detail}\"")),
                "{details}"
            );
        } else {
            // Reset already where nobody was reached.
            let _ = client.try_send("x");
            let _ = client.some();
        }
        let state = until("the failure is told", || {
            Some(status_of(&folder)).filter(|state| state.contains("last failure"))
        });
        lbd.stop();
        let line = fs::read_to_string(&log).unwrap();
        for part in [
            format!("\"backend\":\"{backend}\",\"why\":\"scheduled\""),
            "\"retries\":0".to_owned(), // nobody else was there to try
        ] {
            assert!(line.contains(&part), "{line} lacks {part}");
        }
        let want = if detail.is_empty() {
            end.to_owned()
        } else {
            format!("{end}: {detail}")
        };
        assert!(state.contains(&format!(" ago: {want}")), "{state}");
        assert!(line.contains(&format!("\"end\":\"{end}\"")), "{line}");
        assert!(
            line.contains("\"detail\"") != detail.is_empty() && line.contains(detail),
            "{line}"
        );
    }
}

#[test]
fn odd_characters_of_a_query_are_refused_encoded_or_passed_on_as_configured() {
    let backend = Backend::http(|request| answer(200, "", request.head.target().as_bytes()));
    for (way, want) in [
        ("strict", None),
        ("encode", Some("/s?q=%22a%7Cb%22&%3Cc%3E=%7B%7D%C3%A9")),
        ("pass", Some("/s?q=\"a|b\"&<c>={}\u{e9}")),
    ] {
        let listener = address();
        let config = Config::http(listener, &[backend.address()]).listener(&format!("query_characters = \"{way}\""));
        let lbd = Lbd::start(&config.text());
        let response = Client::connect(listener).get("/s?q=\"a|b\"&<c>={}\u{e9}");
        match want {
            Some(want) => assert_eq!((response.status(), response.text().as_str()), (200, want), "{way}"),
            None => assert_eq!(response.status(), 400),
        }
        assert_eq!(
            Client::connect(listener).get("/\"s\"?q").status(),
            400,
            "a path is strict"
        );
        lbd.stop();
    }
}

#[test]
fn our_own_answers_are_logged_with_the_bytes_of_their_bodies() {
    let refused = address();
    let logged = Logged::start(&[refused], "combined", |config| {
        config.rest("[[listeners.routes]]\npath = \"/no\"\nrespond = 404\n")
    });
    let mut lengths = Vec::new();
    for request in [
        "GET /refused HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /no HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /bad HTTP/1.1\r\n\r\n",
        "HEAD /no HTTP/1.1\r\nHost: h\r\n\r\n",
    ] {
        let mut client = Client::connect(logged.listener);
        client.send(request);
        let response = client.response_to(request.split(' ').next().unwrap()).unwrap();
        lengths.push(response.body.len());
    }
    assert!(lengths[..3].iter().all(|length| *length > 10), "{lengths:?}");
    for (line, length) in logged.lines().iter().zip(lengths) {
        let want = if length == 0 {
            "-".to_owned()
        } else {
            length.to_string()
        };
        let behind = line.split("\" ").nth(1).unwrap();
        assert_eq!(behind.split(' ').nth(1), Some(want.as_str()), "{line}");
    }
}

#[test]
fn an_upgraded_connection_is_logged_once_at_its_end_with_all_its_bytes() {
    let head = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
    let backend = Backend::start(move |mut conn| {
        let _ = conn.head();
        conn.send(format!("{head}hello "));
        while let Ok(bytes) = conn.some() {
            if bytes.is_empty() || !conn.send(bytes) {
                return;
            }
        }
    });
    let logged = Logged::start(&[backend.address()], "json", |config| config);
    let mut client = Client::connect(logged.listener);
    client.send("GET /chat HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.head().unwrap().status(), 101);
    client.send("world");
    assert_eq!(client.take(11).unwrap(), b"hello world");
    client.half_close();
    assert_eq!(client.some().unwrap(), b"");
    drop(client);
    let state = until("the tunnel has ended", || {
        Some(logged.lbd.state()).filter(|state| state.ends("tunnel_done") == 1)
    });
    assert_eq!(state.ends("done"), 0, "it ended once: {state:?}");
    let lines = logged.lines();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let parts = [
        "\"status\":101",
        "\"bytes\":11",
        "\"request_bytes\":5",
        "\"end\":\"tunnel_done\"",
        "/chat",
    ];
    for part in parts {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[test]
fn an_answer_that_we_cut_is_not_the_backends_fault() {
    let backend = Backend::start(|mut conn| {
        if conn.request().is_ok() {
            conn.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
            let _ = conn.await_end();
        }
    });
    let logged = Logged::start(&[backend.address()], "json", |config| {
        config.top("timeouts = { response = \"200ms\" }")
    });
    let mut client = Client::connect(logged.listener);
    client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    assert!(client.response_to("GET").is_err(), "cut");
    let state = logged.lbd.state();
    assert_eq!(
        (state.ends("response_timeout"), state.ends("upstream_truncated")),
        (1, 0),
        "{state:?}"
    );
    let lines = logged.lines();
    assert!(lines[0].contains("\"end\":\"response_timeout\""), "{}", lines[0]);
}

#[test]
fn a_post_lost_on_a_kept_connection_names_the_key() {
    // The second request of a connection is read and not answered.
    let closes = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&closes);
    let backend = Backend::start(move |mut conn| {
        while let Ok(request) = conn.request() {
            if request.head.target() == "/lost" {
                seen.store(true, Ordering::SeqCst);
                return;
            }
            conn.send(answer(200, "", b"good"));
        }
    });
    let socket = Folder::new();
    let logged = Logged::start(&[backend.address()], "json", |config| config.rest(&admin(&socket)));
    let mut client = Client::connect(logged.listener);
    assert_eq!(client.get("/good").status(), 200);
    let response = client.exchange("POST /lost HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi");
    assert!(closes.load(Ordering::SeqCst));
    assert_eq!(response.status(), 502);
    let status = response.get("proxy-status").unwrap();
    assert!(
        status.contains("kept-alive") && status.contains("upstream_keep_alive"),
        "{status}"
    );
    let state = status_of(&socket);
    assert!(state.contains("the backend closed a kept-alive connection"), "{state}");
    // On a fresh connection it is something else.
    let fresh =
        Client::connect(logged.listener).exchange("POST /lost HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(fresh.status(), 502);
    assert!(!fresh.get("proxy-status").unwrap().contains("kept-alive"));
    let lines = logged.lines();
    assert!(
        lines[1].contains("\"detail\":\"the backend closed a kept-alive connection"),
        "{}",
        lines[1]
    );
}

#[test]
fn a_backend_that_says_how_long_it_waits_is_believed() {
    for (field, connections) in [
        ("", 1),
        ("Keep-Alive: timeout=60\r\n", 1),
        ("Keep-Alive: timeout=0\r\n", 3),
    ] {
        let bytes = answer(200, field, b"good");
        let backend = Backend::http(move |_| bytes.clone());
        let listener = address();
        let config = Config::http(listener, &[backend.address()]).pool("timeouts = { upstream_keep_alive = \"1h\" }");
        let lbd = Lbd::start(&config.text());
        let mut client = Client::connect(listener);
        for _ in 0..3 {
            assert_eq!(client.get("/").status(), 200);
        }
        assert_eq!(backend.accepted(), connections, "{field:?}");
        lbd.stop();
    }
}

/// What nginx and Node send to HEAD, and for what did not change: a length, and then nothing.
#[test]
fn head_and_304_keep_the_connections_of_nginx_and_node() {
    let head = "HEAD /f HTTP/1.1\r\nHost: h\r\n\r\n";
    let unchanged = "GET /f HTTP/1.1\r\nHost: h\r\nIf-None-Match: W/\"1\"\r\n\r\n";
    let ask = |backend: SocketAddr, statuses: &[u16]| {
        let listener = address();
        let lbd = Lbd::start(&Config::http(listener, &[backend]).top("workers = 1").text());
        let mut client = Client::connect(listener);
        for _ in 0..20 {
            for (request, status) in [head, unchanged].iter().zip(statuses) {
                client.send(request);
                let method = request.split(' ').next().unwrap();
                assert_eq!(client.response_to(method).unwrap().status(), *status, "{request}");
            }
        }
        let state = lbd.state();
        assert_eq!(
            (state.sum("upstream_connects"), state.sum("stale_reuses")),
            (1, 0),
            "{state:?}"
        );
        lbd.stop();
    };
    if let Some(nginx) = support::peer("nginx") {
        let place = address();
        let server = format!(
            "server {{ listen {place}; location / {{ add_header ETag 'W/\"1\"' always; return 200 \"0123456789\"; }} }}\n"
        );
        let _nginx = support::Nginx::start_with(&nginx, &server, vec![place]);
        ask(place, &[200, 200]);
    }
    // No peer that has to be there: everything else of it is proved with nginx.
    let has_node = std::process::Command::new("node").arg("--version").output();
    if has_node.is_ok_and(|output| output.status.success()) {
        let place = address();
        let script = format!(
            "require('http').createServer((q, s) => {{ s.writeHead(q.headers['if-none-match'] ? 304 : 200, \
             {{ 'Content-Length': 10, ETag: 'W/\"1\"' }}); s.end(q.method == 'HEAD' ? '' : undefined); }}).listen({}, '{}')",
            place.port(),
            place.ip()
        );
        let mut node = std::process::Command::new("node")
            .args(["-e", &script])
            .spawn()
            .unwrap();
        until("node listens", || support::is_listening(place).then_some(()));
        let asked = std::panic::catch_unwind(|| ask(place, &[200, 304]));
        let _ = node.kill();
        let _ = node.wait();
        asked.unwrap();
    }
}

#[test]
fn a_request_that_was_held_is_logged_with_the_moment_when_it_began() {
    let arrived: Arc<Mutex<Vec<u128>>> = Arc::default();
    let (release, released) = std::sync::mpsc::channel();
    let backend = Backend::http({
        let arrived = Arc::clone(&arrived);
        let released = Mutex::new(released);
        move |_| {
            arrived.lock().unwrap().push(unix_millis());
            released.lock().unwrap().recv().unwrap();
            answer(200, "", b"at last")
        }
    });
    let logged = Logged::start(&[backend.address()], "json", |config| config);
    let mut client = Client::connect(logged.listener);
    let sent = [(); 3].map(|()| {
        let sent = unix_millis();
        client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        client.expect_silence(Duration::from_millis(1_300));
        release.send(()).unwrap();
        assert_eq!(client.response().status(), 200);
        sent
    });
    let lines = logged.lines();
    assert_eq!(lines.len(), 3);
    for ((line, sent), arrived) in lines.iter().zip(sent).zip(arrived.lock().unwrap().iter()) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let began = unix_millis_of(line["time"].as_str().unwrap());
        assert!(
            (sent.saturating_sub(50)..=arrived + 50).contains(&began),
            "sent at {sent}, logged as {began}, at the backend at {arrived}"
        );
    }
}

fn unix_millis() -> u128 {
    lb_net::clock::now().wall.as_millis().into()
}

/// Of `2026-11-30T10:51:19.976Z`, by the system's own reading.
fn unix_millis_of(date: &str) -> u128 {
    let output = Command::new("date").args(["--date", date, "+%s%3N"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

#[test]
fn retries_are_the_other_backends_that_were_tried() {
    let dead = [address(), address()];
    let alive = Backend::saying("alive");
    for (backends, retries) in [
        (vec![dead[0]], 0),
        (dead.to_vec(), 1),
        (vec![dead[0], alive.address()], 1),
    ] {
        let logged = Logged::start(&backends, "json", |config| config.pool("algorithm = \"first\""));
        let _ = Client::connect(logged.listener).get("/");
        let lines = logged.lines();
        let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(line["retries"], retries, "{backends:?}: {line}");
        assert_eq!(line["backend"], backends[backends.len() - 1].to_string(), "{line}");
    }
}

#[test]
fn a_backend_at_another_address_has_not_failed_yet() {
    let (dead, alive) = (address(), Backend::saying("alive"));
    let (listener, socket) = (address(), Folder::new());
    let config = |at: SocketAddr| {
        let named = Config::http(listener, &[at]).backend(0, "name = \"b\"");
        named.rest(&admin(&socket)).text()
    };
    let lbd = Lbd::start(&config(dead));
    assert_eq!(Client::connect(listener).get("/").status(), 502);
    assert!(status_of(&socket).contains("connect_refused"));
    lbd.reload(&config(alive.address()));
    let state = status_of(&socket);
    assert!(!state.contains("connect_refused"), "{state}");
    lbd.stop();
}

#[test]
fn the_time_of_a_request_begins_with_its_first_byte() {
    let backend = Backend::saying("here");
    let logged = Logged::start(&[backend.address()], "json", |config| {
        config.listener("timeouts = { head = \"1s\" }")
    });
    let mut client = Client::connect(logged.listener);
    assert_eq!(client.get("/quick").status(), 200);
    client.send("\r\nGET /slow HTTP/1.1\r\n");
    client.expect_silence(Duration::from_millis(600));
    client.send("Host: h\r\n\r\n");
    assert_eq!(client.response().status(), 200);
    client.send("GET /never HTTP/1.1\r\n");
    assert_eq!(client.response().status(), 408);
    let lines = logged.lines();
    let total = |line: &String| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["total_us"]
            .as_u64()
            .unwrap()
    };
    let totals: Vec<u64> = lines.iter().map(total).collect();
    assert_eq!(totals.len(), 3, "{lines:#?}");
    assert!(
        totals[0] < 500_000 && totals[1] >= 550_000 && totals[2] >= 900_000,
        "{totals:?}"
    );
}

//! Backends behind Unix domain sockets: nginx, gunicorn and a service of bytes, in the traffic and in the probes.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::{fs, thread};
use support::{Backend, Client, Config, Folder, Lbd, Nginx, Running, address, peer, run, until};

/// How a configuration has the socket of this name.
fn unix(folder: &Folder, name: &str) -> String {
    format!("unix:{}", folder.path().join(name).display())
}

#[test]
fn nginx_behind_a_socket_gets_every_byte_over_kept_connections() {
    const LARGE: usize = 8 * 1024 * 1024;
    let Some(program) = peer("nginx") else { return };
    let folder = Folder::new();
    let root = folder.path().display();
    fs::write(folder.path().join("large"), vec![b'x'; LARGE]).unwrap();
    let socket = unix(&folder, "nginx.sock");
    let servers = format!(
        "server {{ listen {socket}; root {root}; dav_methods PUT; client_body_temp_path {root}/body;\n\
         location = /small {{ return 200 \"$host $http_x_forwarded_for $connection_requests\"; }} }}\n"
    );
    let _nginx = Nginx::start_with(&program, &servers, Vec::new());
    until("nginx listens", || {
        folder.path().join("nginx.sock").exists().then_some(())
    });
    let (listener, log) = (address(), folder.path().join("access.log"));
    let lbd = Lbd::start(
        &Config::http(listener, &[&socket])
            .rest("[pools.health]\nkind = \"http\"\npath = \"/small\"\ninterval = \"50ms\"")
            .rest(&format!("[log]\naccess = \"{}\"", log.display()))
            .text(),
    );
    let mut client = Client::connect(listener);
    assert_eq!(client.get("/small").text(), "test.example 127.0.0.1 1");
    assert_eq!(
        client.get("/small").text(),
        "test.example 127.0.0.1 2",
        "one connection"
    );
    let large = client.get("/large");
    assert_eq!((large.status(), large.body.len()), (200, LARGE));
    assert!(large.body.iter().all(|byte| *byte == b'x'));
    client.send(format!(
        "PUT /put HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n"
    ));
    client.send(vec![b'y'; LARGE]);
    assert_eq!(client.response().status(), 201);
    let stored = fs::read(folder.path().join("put")).unwrap();
    assert!(stored.len() == LARGE && stored.iter().all(|byte| *byte == b'y'));
    // The probes go to the socket as well.
    until("the probes find it", || {
        lbd.state().backend(&socket).contains("status=Up").then_some(())
    });
    until("the log names it", || {
        fs::read_to_string(&log).ok()?.contains(&socket).then_some(())
    });
    lbd.stop();
}

#[test]
fn gunicorn_may_go_and_come_back() {
    let program = Path::new("/usr/bin/python3");
    let there = program.is_file() && run(Command::new(program).args(["-c", "import gunicorn"])).success;
    if !there {
        assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none_or(|value| value != "1"));
        println!("skipped: gunicorn is not installed");
        return;
    }
    let folder = Folder::new();
    folder.write(
        "app.py",
        "def app(environ, start):\n    start('200 OK', [('Content-Length', '5')])\n    return [b'hello']\n",
    );
    let (socket, spare) = (unix(&folder, "app.sock"), Backend::saying("spare"));
    let start = || {
        let mut command = Command::new(program);
        command.args(["-m", "gunicorn", "--bind", &socket, "app:app"]);
        Running::spawn(command.current_dir(folder.path()))
    };
    let listener = address();
    let lbd = Lbd::start(
        &Config::http(listener, &[socket.clone(), spare.address().to_string()])
            .backend(1, "backup = true")
            .rest("[pools.health]\nkind = \"tcp\"\ninterval = \"50ms\"\nfall = 1\nrise = 1")
            .text(),
    );
    for _ in 0..2 {
        // Nothing is there: the backup serves, and the reason names the socket.
        assert_eq!(Client::connect(listener).get("/").text(), "spare");
        until("it is found down", || {
            lbd.state().backend(&socket).contains("status=Down").then_some(())
        });
        let gunicorn = start();
        until("it serves", || {
            (Client::connect(listener).get("/").text() == "hello").then_some(())
        });
        drop(gunicorn); // killed: its socket stays behind, and nobody listens
        let _ = fs::remove_file(folder.path().join("app.sock"));
    }
    let said = lbd.stderr();
    assert!(said.contains("no socket is at its path"), "{said}");
    lbd.stop();
}

#[test]
fn a_tcp_listener_passes_bytes_and_ends_to_a_socket() {
    let folder = Folder::new();
    let listening = UnixListener::bind(folder.path().join("bytes.sock")).unwrap();
    // Says what it got, backwards, once the other side has said its end.
    let service = thread::spawn(move || {
        let (mut stream, _) = listening.accept().unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        all.reverse();
        stream.write_all(&all).unwrap();
    });
    let listener = address();
    let lbd = Lbd::start(&Config::tcp(listener, &[unix(&folder, "bytes.sock")]).text());
    let mut client = Client::connect(listener);
    client.send(b"one two");
    client.half_close();
    assert_eq!(client.take(7).unwrap(), b"owt eno");
    assert!(client.is_closed());
    service.join().unwrap();
    lbd.stop();
}

#[test]
fn a_request_that_one_socket_refuses_goes_to_the_next() {
    let Some(program) = peer("nginx") else { return };
    let folder = Folder::new();
    let (good, missing, dead) = (unix(&folder, "good"), unix(&folder, "missing"), unix(&folder, "dead"));
    drop(UnixListener::bind(folder.path().join("dead")).unwrap()); // the file stays
    let servers = format!("server {{ listen {good}; location / {{ return 200 good; }} }}\n");
    let _nginx = Nginx::start_with(&program, &servers, Vec::new());
    until("nginx listens", || folder.path().join("good").exists().then_some(()));
    let listener = address();
    let lbd = Lbd::start(
        &Config::http(listener, &[missing, dead, good])
            .pool("retries = { attempts = 1 }")
            .text(),
    );
    for _ in 0..20 {
        assert_eq!(Client::connect(listener).get("/").text(), "good");
    }
    lbd.stop();
}

#[test]
fn a_listener_on_a_socket_serves_other_proxies_and_its_file_goes_at_the_end() {
    let (Some(curl), Some(program)) = (peer("curl"), peer("nginx")) else {
        return;
    };
    let folder = Folder::new();
    let (own, file) = (unix(&folder, "lbd.sock"), folder.path().join("lbd.sock"));
    let backend = Backend::http(|request| {
        support::answer(
            200,
            "",
            request.head.get("x-forwarded-for").unwrap_or("none").as_bytes(),
        )
    });
    let (port, front) = (address(), address());
    let config = |mode: &str| {
        let listener = format!(
            "[[listeners]]\nname = \"unix\"\naddress = \"{own}\"\npool = \"main\"\nsocket_mode = \"{mode}\"\ntrusted_proxies = [\"127.0.0.1\"]"
        );
        Config::http(port, &[backend.address()]).rest(&listener).text()
    };
    let lbd = Lbd::start(&config("0600"));
    assert_eq!(mode_of(&file), 0o600);
    let get = || support::curl(&curl, ["--unix-socket", file.to_str().unwrap(), "http://test.example/"]);
    assert_eq!(get().text, "127.0.0.1", "its clients are of this machine");
    lbd.reload(&config("0660"));
    until("the mode is changed", || (mode_of(&file) == 0o660).then_some(()));
    // nginx in front of it: what it says of its own client is believed.
    let servers = format!(
        "server {{ listen {front}; location / {{ proxy_pass http://{own}; proxy_set_header X-Forwarded-For 192.0.2.7; }} }}\n"
    );
    let _nginx = Nginx::start_with(&program, &servers, vec![front]);
    assert_eq!(Client::connect(front).get("/").text(), "192.0.2.7, 127.0.0.1");
    // Taken out of the file: gone at once, for a reload and for good.
    lbd.reload(&Config::http(port, &[backend.address()]).text());
    until("the file is gone", || (!file.exists()).then_some(()));
    lbd.reload(&config("0660"));
    until("it is back", || (get().text == "127.0.0.1").then_some(()));
    lbd.stop();
    assert!(!file.exists());
}

#[test]
fn what_lies_at_the_path_of_a_listener_is_never_taken_away() {
    let folder = Folder::new();
    let own = unix(&folder, "lbd.sock");
    let check = |said: &str| {
        let file = folder.write("lbd.toml", &format!("version = 1\n[[listeners]]\nname = \"unix\"\naddress = \"{own}\"\npool = \"a\"\n[[pools]]\nname = \"a\"\nbackends = [\"127.0.0.1:1\"]\n"));
        let output = run(Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["run", "--config"])
            .arg(file));
        assert!(!output.success && output.errors.contains(said), "{}", output.errors);
    };
    folder.write("lbd.sock", "somebody's");
    check("there is a file of this name, which is left alone");
    assert_eq!(
        fs::read_to_string(folder.path().join("lbd.sock")).unwrap(),
        "somebody's"
    );
    fs::remove_file(folder.path().join("lbd.sock")).unwrap();
    let _other = UnixListener::bind(folder.path().join("lbd.sock")).unwrap();
    check("another program answers there");
}

#[test]
fn a_listener_of_the_command_line_does_not_take_the_place_of_the_admin_socket() {
    let folder = Folder::new();
    let file = folder.path().join("x.sock");
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
    command.args([
        "run",
        "--listen",
        &unix(&folder, "x.sock"),
        "--to",
        "127.0.0.1:1",
        "--socket",
    ]);
    let output = command.arg(folder.path().join("./x.sock")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("give the admin socket a path of its own"), "{said}");
    assert!(!file.exists() && output.stdout.is_empty());
}

#[test]
fn a_refused_reload_changes_the_mode_of_no_socket() {
    let folder = Folder::new();
    let (own, file) = (unix(&folder, "lbd.sock"), folder.path().join("lbd.sock"));
    let port = address();
    let config = |mode: &str, more: &str| {
        let rest = format!(
            "[[listeners]]\nname = \"unix\"\naddress = \"{own}\"\npool = \"main\"\nsocket_mode = \"{mode}\"\n\
             [admin]\nsocket = \"{}\"\n{more}",
            folder.path().join("admin.sock").display()
        );
        Config::http(port, &["127.0.0.1:1"]).rest(&rest).text()
    };
    let lbd = Lbd::start_without_chown(&config("0600", ""));
    // Found out last, when the listener's socket has its new mode already.
    let said = lbd.reload_refused(&config("0666", "group = \"1\"\n"));
    assert!(
        said.contains("nothing was changed: admin socket: cannot change"),
        "{said}"
    );
    assert_eq!(mode_of(&file), 0o600);
    lbd.stop();
}

fn mode_of(file: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(file).unwrap().permissions()) & 0o777
}

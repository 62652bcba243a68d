//! Whatever a listener does without TLS it does with it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::process::Command;
use support::{Authority, Backend, Broken, Config, Conn, Lbd, Message, address, answer, chunked, peer, run};

#[test]
fn s_ops_03_every_feature_works_with_and_without_tls() {
    let Some(python) = peer("python3") else { return };
    let authority = Authority::new("Root of the test");
    let backends = ["one", "two"].map(|name| Backend::start(move |conn| serve(conn, name)));
    let (plain, secure) = (address(), address());
    let site = authority.server("site.pem", &["localhost"]);
    let listener = "limits = { head_bytes = \"16KiB\", keep_alive_requests = 4 }\nroutes = [{ path = \"/old\", redirect = \
                    { to = \"/new\", status = 308 } }, { path = \"/closed\", respond = 503 }]";
    let config = Config::http(plain, &backends.each_ref().map(Backend::address))
        .listener(listener)
        .pool("persistence = { kind = \"cookie_insert\", name = \"SRV\" }\nhealth = { kind = \"http\", path = \"/who\", interval = \"100ms\" }")
        .rest(&format!(
            "[[listeners]]\nname = \"secure\"\naddress = \"{secure}\"\npool = \"main\"\n{listener}\ntls = {{ certificates = {site:?} }}"
        ));
    let lbd = Lbd::start(&config.text());
    let said = |scheme: &str, port: u16| {
        let mut command = Command::new(&python);
        command.args(["-c", include_str!("tls_clients/features.py"), scheme, &port.to_string()]);
        let output = run(command.arg(authority.root()));
        assert!(output.success, "{scheme}: {}{}", output.text, output.errors);
        // Which backend is first is chance.
        output.text.replace("b'two'", "b'one'")
    };
    let (without, with) = (said("http", plain.port()), said("https", secure.port()));
    assert_eq!(with, without);
    for line in [
        "redirect | (308, '/new')",
        "respond | 503",
        "refused path | 400",
        "bad request | 400",
        "large head | 431",
        "first | 200 | b'one' | False",
        "pipelined | (200, True, None) | (200, True, None) | (200, True, 'close')",
        "ended | True",
        "sticky | True",
        "continue | 100",
        "sized upload | 200 | b'3000000'",
        "chunked upload | 200 | b'589824'",
        "after an abort | 200",
    ] {
        assert!(
            without.lines().any(|said| said == line),
            "{line} is missing in\n{without}"
        );
    }
    // Of one that lasts until the backend's connection ends, a client of HTTP/1.1 gets chunks: `|` is their end.
    for (name, length) in [
        ("/sized", BULK),
        ("/chunked", BULK + 1),
        ("/until-close", BULK + 1),
        ("upgrade | 101", 200_005),
    ] {
        let line = without.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(line.contains(&format!("({length}, ")), "{line}");
    }
    lbd.stop();
}

/// Too much for any buffer on the way.
const BULK: usize = 5_000_000;

fn serve(mut conn: Conn, name: &str) {
    while let Ok(request) = conn.request() {
        if !respond(&mut conn, &request, name).unwrap_or(false) {
            return;
        }
    }
}

/// Says whether the connection goes on.
fn respond(conn: &mut Conn, request: &Message, name: &str) -> Result<bool, Broken> {
    let bulk = || vec![b'b'; BULK];
    match request.head.target() {
        "/count" => Ok(conn.send(answer(200, "", request.body.len().to_string().as_bytes()))),
        "/sized" => Ok(conn.send(answer(200, "", &bulk()))),
        "/chunked" => {
            conn.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            Ok(conn.send(chunked(&bulk(), 50_000, "")))
        }
        "/until-close" => {
            conn.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            conn.send(bulk());
            Ok(false)
        }
        "/switch" => {
            conn.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
            loop {
                let some = conn.some()?;
                if some.is_empty() || !conn.send(some) {
                    return Ok(false);
                }
            }
        }
        _ => Ok(conn.send(answer(200, "", name.as_bytes()))),
    }
}

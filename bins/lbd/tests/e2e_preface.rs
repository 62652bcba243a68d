//! What comes before TLS or HTTP: PROXY headers in and out, names that are passed on, who may connect.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use lb_preface::proxy::{Addresses, Outgoing, Tlv, Transport, write_v2};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use support::{
    Authority, Backend, Client, Config, Folder, Lbd, Nginx, Running, address, answer, is_listening, peer, run, until,
};

const GET: &str = "GET / HTTP/1.1\r\nHost: site.example\r\n\r\n";

/// Says what it is told of the client.
fn telling() -> Backend {
    Backend::http(|request| {
        let said = |name: &str| request.head.get(name).unwrap_or("-").to_owned();
        answer(
            200,
            "",
            format!("{} {}", said("x-forwarded-for"), said("x-forwarded-port")).as_bytes(),
        )
    })
}

#[test]
fn a_proxy_header_says_who_the_client_is_when_it_comes_from_who_may_say_so() {
    let backend = telling();
    let at = address();
    let start = |mode: &str, from: &str| {
        let config = Config::http(at, &[backend.address()])
            .top("log = { access = \"stdout\", format = \"json\" }")
            .listener(&format!(
                "proxy_protocol = \"{mode}\"\nproxy_protocol_from = [\"{from}\"]"
            ));
        Lbd::start(&config.text())
    };
    let v2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x01\xbb";
    let local: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";
    let lbd = start("require", "127.0.0.0/8");
    for (header, told) in [
        (
            &b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"[..],
            "192.0.2.1 443".to_owned(),
        ),
        (v2, "192.0.2.1 443".to_owned()),
        (
            b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 80\r\n",
            "2001:db8::1 80".to_owned(),
        ),
        (b"PROXY UNKNOWN\r\n", format!("127.0.0.1 {}", at.port())),
        (local, format!("127.0.0.1 {}", at.port())),
    ] {
        // At once, and byte by byte.
        let mut client = Client::connect(at);
        client.send([header, GET.as_bytes()].concat());
        assert_eq!(client.response().text(), told);
        assert_eq!(client.exchange(GET).text(), told, "it holds for the connection");
        let mut client = Client::connect(at);
        for byte in header {
            client.send([*byte]);
        }
        assert_eq!(client.exchange(GET).text(), told);
    }
    for wrong in [
        GET.as_bytes(),
        b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
    ] {
        let mut client = Client::connect(at);
        client.send(wrong);
        assert!(client.some().map_or(true, |bytes| bytes.is_empty()), "no answer");
    }
    until("they are counted", || {
        (lbd.state().ends("proxy_header") == 3).then_some(())
    });
    until("and told", || lbd.stdout().contains("65536").then_some(()));
    lbd.stop();
    // Nobody else may say so.
    let lbd = start("accept", "10.0.0.0/8");
    let mut client = Client::connect(at);
    assert_eq!(client.exchange(GET).text(), format!("127.0.0.1 {}", at.port()));
    let mut client = Client::connect(at);
    client.send("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n");
    assert_eq!(client.exchange(GET).head.status(), 400);
    lbd.stop();
    let lbd = start("require", "10.0.0.0/8");
    let mut client = Client::connect(at);
    client.send(GET);
    assert!(client.some().map_or(true, |bytes| bytes.is_empty()));
    lbd.stop();
}

#[test]
fn s_xff_02_tcp_backends_see_the_client_by_a_proxy_header() {
    let (Some(nginx), Some(haproxy)) = (peer("nginx"), peer("haproxy")) else {
        return;
    };
    let at = address();
    let server =
        format!("server {{ listen {at} proxy_protocol; location / {{ return 200 \"$proxy_protocol_addr\"; }} }}\n");
    let behind = Nginx::start_with(&nginx, &server, vec![at]);
    let folder = Folder::new();
    let other = address();
    let file = folder.write(
        "haproxy.cfg",
        &format!(
            "defaults\n    mode http\n    timeout connect 2s\n    timeout client 9s\n    timeout server 9s\nfrontend in\n    \
             bind {other} accept-proxy\n    http-request return status 200 content-type text/plain lf-string \"%[src]\"\n"
        ),
    );
    let _haproxy = Running::spawn(Command::new(&haproxy).args(["-db", "-f"]).arg(file));
    until("haproxy listens", || is_listening(other).then_some(()));
    for backend in [behind.addresses()[0], other] {
        for version in [
            "\"v1\"",
            "\"v2\"",
            "{ version = \"v2\", crc = true, tlvs = [\"unique_id\", \"ssl\"] }",
        ] {
            for protocol in [Config::tcp, Config::http] {
                let listener = address();
                let config = protocol(listener, &[backend]).pool(&format!("proxy_protocol = {version}"));
                let lbd = Lbd::start(&config.text());
                let mut client = Client::connect_from("127.0.0.77".parse().unwrap(), listener);
                for _ in 0..2 {
                    assert_eq!(client.exchange(GET).text(), "127.0.0.77", "{backend} {version}");
                }
                // A connection of TCP is not ended by a drain.
                drop(client);
                lbd.stop();
            }
        }
    }
}

#[test]
fn what_a_proxy_in_front_says_of_the_clients_tls_is_in_the_log() {
    let (Some(haproxy), Some(curl)) = (peer("haproxy"), peer("curl")) else {
        return;
    };
    let (servers, clients) = (Authority::new("Root of servers"), Authority::new("Root of clients"));
    let alice = clients.client("alice.pem", "Alice", 5);
    let backend = Backend::saying("here");
    let (front, at) = (address(), address());
    let config = Config::http(at, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener("proxy_protocol = \"require\"\nproxy_protocol_from = [\"127.0.0.1\"]");
    let lbd = Lbd::start(&config.text());
    let folder = Folder::new();
    let site = servers.server("site.pem", &["site.example"]);
    let file = folder.write(
        "haproxy.cfg",
        &format!(
            "defaults\n    mode tcp\n    timeout connect 2s\n    timeout client 9s\n    timeout server 9s\nfrontend in\n    \
             bind {front} ssl crt {} alpn http/1.1 ca-file {} verify optional\n    unique-id-format conn-%pid-%rt\n    default_backend out\n\
             backend out\n    server lbd {at} send-proxy-v2-ssl-cn proxy-v2-options authority,unique-id,crc32c\n",
            site.display(),
            clients.root().display()
        ),
    );
    let _haproxy = Running::spawn(Command::new(&haproxy).args(["-db", "-f"]).arg(file));
    until("haproxy listens", || is_listening(front).then_some(()));
    let url = format!("https://site.example:{}/", front.port());
    let resolve = format!("site.example:{}:127.0.0.1", front.port());
    let root = servers.root();
    for certificate in [None, Some(&alice)] {
        let mut arguments = vec!["--resolve", &resolve, "--cacert", root.to_str().unwrap()];
        if let Some(certificate) = certificate {
            arguments.extend(["--cert", certificate.to_str().unwrap()]);
        }
        arguments.push(&url);
        let got = support::curl(&curl, arguments);
        assert_eq!(got.text, "here", "{}", got.errors);
    }
    let lines = until("both lines are written", || {
        let text = lbd.stdout();
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.contains("\"status\":200"))
            .map(str::to_owned)
            .collect();
        (lines.len() == 2).then_some(lines)
    });
    // Two workers write them in any order.
    for who in [
        "\"proxy_client_verified\":\"none\"",
        "\"proxy_client_verified\":\"ok\",\"proxy_client_name\":\"Alice\"",
    ] {
        let line = lines.iter().find(|line| line.contains(who));
        let line = line.unwrap_or_else(|| panic!("{who} is missing in {lines:?}"));
        for part in [
            "\"proxy_authority\":\"site.example\"",
            // `conn-`, in hexadecimal digits
            "\"proxy_unique_id\":\"636f6e6e2d",
            "\"proxy_tls_version\":\"TLSv1.3\"",
        ] {
            assert!(line.contains(part), "{part} is missing in {line}");
        }
    }
    lbd.stop();
}

#[test]
fn endpoints_of_private_networks_are_in_the_log_of_bytes_as_well() {
    let backend = Backend::saying("here");
    let at = address();
    let config = Config::tcp(at, &[backend.address()])
        .top("log = { access = \"stdout\", format = \"json\" }")
        .listener("proxy_protocol = \"require\"\nproxy_protocol_from = [\"127.0.0.1\"]");
    let lbd = Lbd::start(&config.text());
    let line = |header: &[u8], number: usize| {
        let mut client = Client::connect(at);
        client.send(header);
        assert_eq!(client.exchange(GET).text(), "here");
        drop(client);
        until("the line is written", || {
            let log = lbd.stdout();
            (log.lines().count() == number).then(|| log.lines().last().unwrap().to_owned())
        })
    };
    for (number, tlv, said) in [
        (
            1,
            Tlv::AwsVpcEndpoint(b"vpce-08d2bf15fac5001c9"),
            "vpce-08d2bf15fac5001c9",
        ),
        (2, Tlv::AzureLinkId(20_010), "20010"),
        (
            3,
            Tlv::GooglePscConnection(18_446_744_073_709_551_615),
            "18446744073709551615",
        ),
    ] {
        let mut header = Vec::new();
        let outgoing = Outgoing {
            addresses: Addresses::Ip {
                source: "192.0.2.7:5000".parse().unwrap(),
                destination: "192.0.2.1:80".parse().unwrap(),
            },
            transport: Transport::Stream,
            tlvs: &[tlv],
            checksum: false,
        };
        write_v2(&outgoing, &mut header).unwrap();
        let line = line(&header, number);
        assert!(line.contains(&format!("\"proxy_endpoint\":\"{said}\"")), "{line}");
        assert!(line.contains("\"client\":\"192.0.2.7\""), "{line}");
    }
    // A proxy's own connection: the addresses are not meant, and nothing else is either.
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x20\x11\0\x14".to_vec();
    header.extend([192, 0, 2, 7, 192, 0, 2, 1, 0x13, 0x88, 0, 80]);
    header.extend(b"\x02\0\x05proxy");
    let line = line(&header, 4);
    assert!(
        line.contains("\"client\":\"127.0.0.1\"") && !line.contains("proxy_"),
        "{line}"
    );
    lbd.stop();
}

fn site(authority: &Authority, nginx: &std::path::Path, name: &str) -> (Nginx, SocketAddr) {
    let at = address();
    let file: PathBuf = authority.server(&format!("{name}.pem"), &[name]);
    let file = file.display();
    let server = format!(
        "server {{ listen {at} ssl; ssl_certificate {file}; ssl_certificate_key {file}; location / {{ return 200 \"{name}\"; }} }}\n"
    );
    (Nginx::start_with(nginx, &server, vec![at]), at)
}

#[test]
fn tls_is_passed_on_by_the_name_that_is_asked_for() {
    let (Some(nginx), Some(curl), Some(openssl)) = (peer("nginx"), peer("curl"), peer("openssl")) else {
        return;
    };
    let authority = Authority::new("Root of the test");
    let (_one, first) = site(&authority, &nginx, "first.example");
    let (_two, second) = site(&authority, &nginx, "second.example");
    let at = address();
    let config = format!(
        "version = 1\nlog = {{ access = \"stdout\", format = \"json\" }}\n[[listeners]]\nname = \"relay\"\naddress = \"{at}\"\n\
         protocol = \"tls_passthrough\"\n[[listeners.routes]]\nhosts = [\"first.example\"]\npool = \"first\"\n\
         [[listeners.routes]]\nhosts = [\"*.second.example\", \"second.example\"]\npool = \"second\"\n\
         [[pools]]\nname = \"first\"\nbackends = [\"{first}\"]\n[[pools]]\nname = \"second\"\nbackends = [\"{second}\"]\n"
    );
    let lbd = Lbd::start(&config);
    for name in ["first.example", "second.example"] {
        let got = support::curl(
            &curl,
            [
                "--resolve",
                &format!("{name}:{}:127.0.0.1", at.port()),
                "--cacert",
                authority.root().to_str().unwrap(),
                &format!("https://{name}:{}/", at.port()),
            ],
        );
        assert_eq!(got.text, name, "{}", got.errors);
    }
    for name in [&["-servername", "third.example"][..], &["-noservername"]] {
        let got = run(Command::new(&openssl)
            .args(["s_client", "-connect", &at.to_string()])
            .args(name));
        assert!(got.errors.contains("unrecognized name"), "{}", got.errors);
    }
    until("they are counted", || {
        (lbd.state().ends("unknown_name") == 2).then_some(())
    });
    // Byte by byte, and what is no hello.
    let mut client = Client::connect(at);
    client.send(GET);
    assert_eq!(client.response().head.status(), 400);
    lbd.stop();
}

#[test]
fn s_mtls_11_a_route_serves_whom_its_lists_let_in() {
    let backend = Backend::saying("here");
    let at = address();
    let folder = Folder::new();
    let list = folder.write("deny.txt", "127.0.0.66\n");
    let config = Config::http(at, &[backend.address()])
        .listener("trusted_proxies = [\"127.0.0.9\"]")
        .listener(&format!(
            "[[listeners.routes]]\npath = \"/admin\"\npool = \"main\"\nallow = [\"127.0.0.5\"]\n\
             [[listeners.routes]]\npath = \"/gone\"\nrespond = 410\ndeny_files = [{list:?}]"
        ));
    let lbd = Lbd::start(&config.text());
    let ask = |from: &str, target: &str, said: &str| {
        let mut client = Client::connect_from(from.parse().unwrap(), at);
        let statuses = [(); 2].map(|()| {
            let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{said}\r\n");
            client.exchange(request).status()
        });
        assert_eq!(statuses[0], statuses[1], "the connection goes on");
        statuses[0]
    };
    let of = |client: &str| format!("X-Forwarded-For: {client}\r\n");
    for (from, target, said, status) in [
        ("127.0.0.5", "/admin", String::new(), 200),
        ("127.0.0.6", "/admin", String::new(), 403),
        ("127.0.0.6", "/admin/x?y", String::new(), 403),
        ("127.0.0.6", "/", String::new(), 200),
        // Who is not believed is who it is; who is, brings others.
        ("127.0.0.6", "/admin", of("127.0.0.5"), 403),
        ("127.0.0.9", "/admin", of("127.0.0.5"), 200),
        ("127.0.0.9", "/admin", of("127.0.0.6"), 403),
        ("127.0.0.6", "/gone", String::new(), 410),
        ("127.0.0.66", "/gone", String::new(), 403),
    ] {
        assert_eq!(ask(from, target, &said), status, "{from} {target} {said}");
    }
    // No spelling of the path goes around the list.
    for target in ["/x/../admin", "/%61dmin", "//admin", "/x/..;/admin", "/admin%2fx"] {
        let status = ask("127.0.0.6", target, "");
        assert!([400, 403].contains(&status), "{target}: {status}");
    }
    until("they are counted", || (lbd.state().ends("denied") >= 10).then_some(()));
    folder.write("deny.txt", "127.0.0.6\n");
    lbd.reload(&config.text());
    assert_eq!(
        (ask("127.0.0.66", "/gone", ""), ask("127.0.0.6", "/gone", "")),
        (410, 403)
    );
    lbd.stop();
}

/// A connection from there that is served, if it is.
fn served(from: &str, to: SocketAddr, before: &str) -> Option<Client> {
    let mut client = Client::connect_from(from.parse().unwrap(), to);
    let _ = client.try_send([before, GET].concat());
    client.response_to("GET").ok().map(|_| client)
}

#[test]
fn s_ka_09_one_client_has_no_more_connections_than_it_may_whatever_is_reloaded() {
    let backend = Backend::saying("here");
    let at = address();
    let config = |limits: &str| {
        Config::http(at, &[backend.address()])
            .top("workers = 2\nlog = { access = \"stdout\", format = \"json\" }")
            .listener(&format!("trusted_proxies = [\"127.0.0.9\"]\nlimits = {{ {limits} }}"))
            .text()
    };
    let two = config("max_connections_per_client = 2");
    let lbd = Lbd::start(&two);
    let mut held = vec![
        served("127.0.0.5", at, "").unwrap(),
        served("127.0.0.5", at, "").unwrap(),
    ];
    assert!(served("127.0.0.5", at, "").is_none());
    // Others have their own, and who brings others as many as there are.
    held.extend((0..2).map(|_| served("127.0.0.6", at, "").unwrap()));
    held.extend((0..5).map(|_| served("127.0.0.9", at, "").unwrap()));
    until("the refusal is logged and counted", || {
        let told = "\"detail\":\"the client has 2 open already, as many as one client may\"";
        (lbd.stdout().contains(told) && lbd.state().ends("connection_limit") == 1).then_some(())
    });
    // Who leaves makes room.
    held.remove(0);
    held.push(until("there is room again", || served("127.0.0.5", at, "")));
    assert!(served("127.0.0.5", at, "").is_none());
    lbd.reload(&two);
    assert!(served("127.0.0.5", at, "").is_none(), "the counts outlive a reload");
    lbd.reload(&config("max_connections_per_client = 3"));
    held.push(served("127.0.0.5", at, "").unwrap());
    assert!(served("127.0.0.5", at, "").is_none());
    // Other prefixes, other counts.
    lbd.reload(&config("max_connections_per_client = 1, client_prefix_v4 = 24"));
    held.push(served("127.0.0.5", at, "").unwrap());
    assert!(served("127.0.0.77", at, "").is_none());
    held.push(served("127.0.1.5", at, "").unwrap());
    lbd.reload(&config(""));
    held.extend((0..4).map(|_| served("127.0.0.5", at, "").unwrap()));
    drop(held);
    lbd.stop();
}

#[test]
fn s_ka_09_behind_a_proxy_header_who_it_names_is_counted() {
    let backend = Backend::saying("here");
    let at = address();
    let config = Config::http(at, &[backend.address()])
        .listener("proxy_protocol = \"require\"\nproxy_protocol_from = [\"127.0.0.0/8\"]")
        .listener("limits = { max_connections_per_client = 1 }");
    let lbd = Lbd::start(&config.text());
    let from = |client: &str| served("127.0.0.1", at, &format!("PROXY TCP4 {client} 192.0.2.9 40000 80\r\n"));
    let first = from("192.0.2.1").unwrap();
    assert!(from("192.0.2.1").is_none());
    let second = from("192.0.2.2").unwrap();
    drop((first, second));
    until("there is room again", || from("192.0.2.1"));
    lbd.stop();
}

#[test]
fn s_ka_09_bytes_and_upgraded_connections_are_counted_until_they_end() {
    const UPGRADE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let switched = || {
        Backend::start(|mut conn| {
            if conn.head().is_ok() {
                conn.send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
            }
            let _ = conn.await_end();
        })
    };
    let limits = "limits = { max_connections_per_client = 1 }";
    for is_http in [true, false] {
        let (backend, at) = (switched(), address());
        let config = if is_http { Config::http } else { Config::tcp };
        let lbd = Lbd::start(&config(at, &[backend.address()]).listener(limits).text());
        let enter = || {
            let mut client = Client::connect(at);
            let _ = client.try_send(UPGRADE);
            client.head().ok().map(|head| (client, head.status()))
        };
        let (held, status) = enter().unwrap();
        assert_eq!(status, 101);
        assert!(enter().is_none());
        drop(held);
        until("there is room again", enter);
        lbd.stop();
    }
}

#[test]
fn s_mtls_11_who_may_not_connect_is_closed_before_anything_is_said() {
    let backend = Backend::saying("here");
    let at = address();
    let folder = Folder::new();
    let list = folder.write("deny.txt", "# a bad neighbour\n127.0.0.66\n");
    let config = Config::http(at, &[backend.address()])
        .listener(&format!("allow = [\"127.0.0.0/24\"]\ndeny_files = [{list:?}]"));
    let lbd = Lbd::start(&config.text());
    for (from, may) in [("127.0.0.5", true), ("127.0.0.66", false), ("127.0.1.5", false)] {
        let mut client = Client::connect_from(from.parse().unwrap(), at);
        let _ = client.try_send(GET);
        let got = client.response_to("GET").map(|message| message.text());
        assert_eq!(got.is_ok(), may, "{from}: {got:?}");
    }
    until("both are counted", || (lbd.state().ends("denied") == 2).then_some(()));
    lbd.stop();
}

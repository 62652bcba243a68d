//! Where lbd listens and where backends are, as the kernel sees it.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use support::{Backend, Client, Folder, Lbd, Namespace, Running, address, peer, until};

#[test]
fn of_listeners_on_one_port_the_narrowest_address_gets_the_connection() {
    let backends = ["narrow", "every IPv4", "every"].map(Backend::saying);
    let port = address().port();
    let mut config = "version = 1\n".to_owned();
    // in every order: it is the kernel that decides, not who came first
    let listeners = [
        ("every", format!("[::]:{port}")),
        ("narrow", format!("127.0.0.1:{port}")),
        ("every-IPv4", format!("0.0.0.0:{port}")),
    ];
    for (name, address) in listeners {
        config += &format!("[[listeners]]\nname = \"{name}\"\naddress = \"{address}\"\npool = \"{name}\"\n");
    }
    for (name, backend) in ["narrow", "every-IPv4", "every"].iter().zip(&backends) {
        config += &format!("[[pools]]\nname = \"{name}\"\nbackends = [\"{}\"]\n", backend.address());
    }
    let lbd = start(&config, 3);
    let warnings = lbd.stderr();
    for text in [
        "listeners \"every-IPv4\" and \"narrow\" share port",
        "listeners \"every\" and \"every-IPv4\" share port",
        "connections to 127.0.0.1 come here",
        "connections to IPv4 addresses come here",
    ] {
        assert!(warnings.contains(text), "{text} is missing in\n{warnings}");
    }
    let mut clients = vec![("127.0.0.1", "narrow"), ("127.0.0.2", "every IPv4")];
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        clients.push(("[::1]", "every"));
    }
    for (to, expected) in clients {
        // each connection is dealt anew
        for _ in 0..20 {
            let answer = Client::connect(format!("{to}:{port}").parse().unwrap()).get("/");
            assert_eq!(answer.text(), expected, "of {to}");
        }
    }
    lbd.stop();
}

#[test]
fn link_local_addresses_with_their_interface_are_listened_on_and_forwarded_to() {
    let Some((ip, interface)) = link_local() else {
        println!("no interface of this machine has a link-local address");
        return;
    };
    let (listener, backend) = (address().port(), address().port());
    let number = lb_net::interface_index(&interface).unwrap();
    let at = |port| -> SocketAddr { format!("[{ip}%{number}]:{port}").parse().unwrap() };
    let _backend = Backend::start_at(at(backend), |conn| conn.serve(&|_| support::answer(200, "", b"near")));
    let config = format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"[{ip}%{interface}]:{listener}\"\npool = \"app\"\n\
         [[pools]]\nname = \"app\"\nbackends = [\"[{ip}%{interface}]:{backend}\"]\n\
         health = {{ kind = \"http\", interval = \"100ms\" }}\n"
    );
    let lbd = start(&config, 1);
    let answer = Client::connect(at(listener)).get("/");
    assert_eq!((answer.status(), answer.text()), (200, "near".to_owned()));
    until("the probe is good too", || {
        let state = lbd.state();
        state.pool_is("app", "Up").then_some(())
    });
    lbd.stop();
}

#[test]
fn over_a_real_link_a_link_local_backend_is_reached_and_a_link_local_listener_answers() {
    let programs = ["unshare", "nsenter", "ip", "nginx", "curl"].map(peer);
    let [Some(unshare), Some(nsenter), Some(ip), Some(nginx), Some(curl)] = programs else {
        return;
    };
    let Some(link) = Link::start(&unshare, &nsenter, &ip) else {
        println!("skipped: no network namespace may be made here");
        return;
    };
    let folder = Folder::new();
    let w = folder.path().display().to_string();
    let server = format!(
        "user root;\ndaemon off;\nmaster_process off;\npid {w}/pid;\nerror_log {w}/error.log;\nevents {{}}\n\
         http {{ access_log off; server {{ listen [::]:8081; location / {{ return 200 \"across $remote_addr\"; }} }} }}\n"
    );
    let server = folder.write("nginx.conf", &server);
    let _backend = Running::spawn(link.far.command(&nginx).args(["-p", &w, "-c"]).arg(server));
    let config = "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"[fe80::1%near0]:8080\"\npool = \"app\"\n\
         [[pools]]\nname = \"app\"\nbackends = [\"[fe80::2%near0]:8081\"]\nhealth = { kind = \"http\", interval = \"100ms\" }\n";
    let config = folder.write("lbd.toml", config);
    let lbd = Path::new(env!("CARGO_BIN_EXE_lbd"));
    let _lbd = Running::spawn(link.near.command(lbd).arg("run").arg(config));
    until("an answer comes across the link", || {
        // This end of the link has another name there.
        let arguments = ["-sg", "--max-time", "2", "http://[fe80::1%25far0]:8080/"];
        let output = support::run(link.far.command(&curl).args(arguments));
        // What nginx sees: the way led over the link, in both directions.
        (output.text == "across fe80::1").then_some(())
    });
}

#[test]
fn a_zone_a_final_dot_and_a_name_lead_to_this_machine() {
    let backend = Backend::saying("here");
    let (listener, port) = (address(), backend.address().port());
    let config = format!(
        "version = 1\n[[listeners]]\nname = \"web\"\naddress = \"{listener}\"\npool = \"app\"\n\
         [[pools]]\nname = \"app\"\nbackends = [\"localhost.:{port}\"]\n"
    );
    let lbd = start(&config, 1);
    assert_eq!(Client::connect(listener).get("/").text(), "here");
    lbd.stop();
}

/// `lbd run FILE`, once it has said that it listens so many times.
fn start(config: &str, listeners: usize) -> Lbd {
    let folder = Folder::new();
    let path = folder.write("lbd.toml", config).display().to_string();
    let lbd = Lbd::start_with(&["run", &path], &[]);
    until("lbd listens", || {
        (lbd.stderr().matches("listening on").count() == listeners).then_some(())
    });
    lbd
}

/// Two network namespaces and a link between them: `near0` is fe80::1, `far0` is fe80::2.
struct Link {
    near: Namespace,
    far: Namespace,
}

impl Link {
    /// `None`: it is not allowed here.
    fn start(unshare: &Path, nsenter: &Path, ip: &Path) -> Option<Self> {
        let (mut near, mut far) = (Namespace::start(unshare, nsenter)?, Namespace::start(unshare, nsenter)?);
        if !Namespace::link(ip, (&mut near, "near0"), (&mut far, "far0")) {
            return None;
        }
        for (space, name, address) in [(&near, "near0", "fe80::1/64"), (&far, "far0", "fe80::2/64")] {
            // The only one on its link: no need to wait for the proof that nobody else has it.
            let lines = format!(
                "link set {name} addrgenmode none\naddr add {address} dev {name} nodad\nlink set {name} up\nlink set lo up\n"
            );
            space.batch(ip, &lines);
        }
        Some(Self { near, far })
    }
}

/// A link-local address of this machine and its interface: proc(5), `/proc/net/if_inet6`.
fn link_local() -> Option<(Ipv6Addr, String)> {
    let table = fs::read_to_string("/proc/net/if_inet6").ok()?;
    table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ip = Ipv6Addr::from(u128::from_str_radix(words.first()?, 16).ok()?);
        let usable = ip.is_unicast_link_local()
            && TcpListener::bind(format!("[{ip}%{}]:0", u32::from_str_radix(words.get(1)?, 16).ok()?)).is_ok();
        usable.then(|| (ip, (*words.last().unwrap_or(&"")).to_owned()))
    })
}

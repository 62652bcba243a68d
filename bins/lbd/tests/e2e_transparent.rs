//! Backends that see the client's own address as their peer.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::path::{Path, PathBuf};
use support::{Folder, Namespace, Running, peer, run, until};

const LBD: &str = env!("CARGO_BIN_EXE_lbd");

/// A client, a balancer and a backend, each with a network of its own: 10.91.1.2, 10.91.1.1 and 10.91.2.1, 10.91.2.2;
/// likewise fd91:1:: and fd91:2::. The backend's way to everybody leads over the balancer.
struct Place {
    client: Namespace,
    middle: Namespace,
    backend: Namespace,
}

struct Programs {
    ip: PathBuf,
    nginx: PathBuf,
    curl: PathBuf,
    bash: PathBuf,
}

impl Place {
    /// `None`: it is not allowed here, or a program is missing.
    fn start() -> Option<(Self, Programs)> {
        let programs = ["unshare", "nsenter", "ip", "nginx", "curl", "bash", "nft"].map(peer);
        let [
            Some(unshare),
            Some(nsenter),
            Some(ip),
            Some(nginx),
            Some(curl),
            Some(bash),
            Some(_),
        ] = programs
        else {
            return None;
        };
        let space = || Namespace::start(&unshare, &nsenter);
        let (Some(mut client), Some(mut middle), Some(mut backend)) = (space(), space(), space()) else {
            println!("skipped: no network namespace may be made here");
            return None;
        };
        let is_linked = Namespace::link(&ip, (&mut client, "c0"), (&mut middle, "m1"))
            && Namespace::link(&ip, (&mut backend, "b0"), (&mut middle, "m2"));
        if !is_linked {
            println!("skipped: no link between namespaces may be made here");
            return None;
        }
        for (space, name, net, host) in [
            (&client, "c0", 1, 2),
            (&middle, "m1", 1, 1),
            (&middle, "m2", 2, 1),
            (&backend, "b0", 2, 2),
        ] {
            space.batch(
                &ip,
                &format!(
                    "addr add 10.91.{net}.{host}/24 dev {name}\naddr add fd91:{net}::{host}/64 dev {name} nodad\n\
                     link set {name} up\nlink set lo up\n"
                ),
            );
        }
        let way = "route add default via 10.91.2.1\nroute add default via fd91:2::1\n";
        backend.batch(&ip, way);
        let place = Self {
            client,
            middle,
            backend,
        };
        Some((place, Programs { ip, nginx, curl, bash }))
    }
}

/// Says who it sees, over either family.
fn nginx(folder: &Folder, place: &Place, program: &Path) -> Running {
    let w = folder.path().display().to_string();
    let text = format!(
        "user root;\ndaemon off;\nmaster_process off;\npid {w}/pid;\nerror_log {w}/error.log;\nevents {{}}\n\
         http {{ access_log off; server {{ listen 8081; listen [::]:8081; location / {{ return 200 \"$remote_addr\"; }} }} }}\n"
    );
    let path = folder.write("nginx.conf", &text);
    Running::spawn(place.backend.command(program).args(["-p", &w, "-c"]).arg(path))
}

/// Two listeners for either family; `four` and `six` lead to a backend of IPv4 and of IPv6, `bytes` by TCP.
const CONFIG: &str = r#"
version = 1
[[listeners]]
name = "four"
address = "[::]:8004"
pool = "four"
[[listeners]]
name = "six"
address = "[::]:8006"
pool = "six"
[[listeners]]
name = "bytes"
protocol = "tcp"
address = "10.91.1.1:8005"
pool = "four"
[[listeners]]
name = "told"
address = "10.91.1.1:8007"
proxy_protocol = "require"
proxy_protocol_from = ["10.91.1.2"]
pool = "four"
[[pools]]
name = "four"
backends = ["10.91.2.2:8081"]
transparent = true
health = { kind = "tcp", max_failures = 2, passive = { max_ejected_percent = 100 } }
[[pools]]
name = "six"
backends = ["[fd91:2::2]:8081"]
transparent = true
"#;

#[test]
fn s_xff_02_transparent_pools_show_the_clients_address_and_check_says_what_is_missing() {
    let Some((place, programs)) = Place::start() else {
        return;
    };
    let folder = Folder::new();
    let _backend = nginx(&folder, &place, &programs.nginx);
    let config = folder.write("lbd.toml", CONFIG);
    let check = || run(place.middle.command(Path::new(LBD)).arg("check").arg(&config)).text;
    // The commands that it prints are those that mend it.
    let said = check();
    let warning = said.split("warning: ").find(|part| part.contains("no route keeps"));
    let warning = warning.unwrap_or_else(|| panic!("{said}"));
    let commands: Vec<&str> = warning.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let page = include_str!("../../../docs/tls.md");
    for command in commands.iter().filter(|command| !command.starts_with("ip -6")) {
        assert!(page.contains(&format!("{command}\n")), "{command} is not on the page");
    }
    assert_eq!(commands.len(), 7, "{warning}");
    assert!(
        warning.starts_with("pools \"four\", \"six\" are transparent"),
        "{warning}"
    );

    let _lbd = Running::spawn(place.middle.command(Path::new(LBD)).arg("run").arg(&config));
    let get = |url: &str| {
        let arguments = ["-sg", "--max-time", "3", "-w", " %{http_code}", url];
        run(place.client.command(&programs.curl).args(arguments)).text
    };
    until("lbd answers", || {
        get("http://10.91.1.1:8006/").ends_with(" 502").then_some(())
    });
    for command in commands {
        let output = run(place.middle.command(&programs.bash).args(["-c", command]));
        assert!(output.success, "{command}: {}", output.errors);
    }
    assert!(!check().contains("no route keeps"), "{}", check());
    for (url, answer) in [
        ("http://10.91.1.1:8004/", "10.91.1.2 200"),
        ("http://[fd91:1::1]:8006/", "fd91:1::2 200"),
        ("http://10.91.1.1:8005/", "10.91.1.2 200"),
    ] {
        until("the way back is there", || (get(url) == answer).then_some(()));
        // Each client has connections of its own: another one on the same machine is not taken for the first.
        assert_eq!(get(url), answer);
    }
    place.client.batch(&programs.ip, "addr add 10.91.1.3/24 dev c0\n");
    let arguments = [
        "-sg",
        "--max-time",
        "3",
        "--interface",
        "10.91.1.3",
        "http://10.91.1.1:8004/",
    ];
    let other = run(place.client.command(&programs.curl).args(arguments));
    assert_eq!(other.text, "10.91.1.3");
    // No address of IPv6 is an IPv4 client's, and none of IPv4 the other's.
    for url in ["http://10.91.1.1:8006/", "http://[fd91:1::1]:8004/"] {
        let arguments = ["-sgi", "--max-time", "3", url];
        let text = run(place.client.command(&programs.curl).args(arguments)).text;
        assert!(text.starts_with("HTTP/1.1 502"), "{text}");
        assert!(text.contains("one is IPv4 and one IPv6"), "{text}");
    }
    // Nor is one of lbd's own machine shown to another; the backend is not to blame for it.
    for _ in 0..4 {
        let mut near = place.middle.command(&programs.curl);
        let text = run(near.args(["-sgi", "--max-time", "3", "http://127.0.0.1:8004/"])).text;
        assert!(text.starts_with("HTTP/1.1 502"), "{text}");
        assert!(text.contains("can be made from the client's address"), "{text}");
    }
    assert_eq!(get("http://10.91.1.1:8004/"), "10.91.1.2 200");
    // Who is named by nobody's address is not shown with lbd's own.
    for nobody in ["0.0.0.0", "255.255.255.255", "10.91.2.255"] {
        let script = format!(
            "exec 3<>/dev/tcp/10.91.1.1/8007; printf 'PROXY TCP4 {nobody} 10.91.1.1 5000 80\\r\\nGET / HTTP/1.1\\r\\nHost: a\\r\\n\
             Connection: close\\r\\n\\r\\n' >&3; cat <&3"
        );
        let text = run(place.client.command(&programs.bash).args(["-c", &script])).text;
        assert!(text.starts_with("HTTP/1.1 502"), "{nobody}: {text}");
    }
}

#[test]
fn s_xff_02_without_the_capability_it_is_said_at_once_and_the_backend_is_not_blamed() {
    let Some((place, programs)) = Place::start() else {
        return;
    };
    let Some(setpriv) = peer("setpriv") else { return };
    let folder = Folder::new();
    let _backend = nginx(&folder, &place, &programs.nginx);
    let config = folder.write("lbd.toml", CONFIG);
    let bounded = |what: &str| {
        let mut command = place.middle.command(&setpriv);
        command
            .args(["--bounding-set", "-net_admin,-net_raw", "--inh-caps", "-all", LBD, what])
            .arg(&config);
        command
    };
    let said = run(&mut bounded("check")).text;
    assert!(said.contains("it needs CAP_NET_ADMIN"), "{said}");
    let _lbd = Running::spawn(&mut bounded("run"));
    let mut text = String::new();
    until("lbd answers", || {
        let arguments = ["-sgi", "--max-time", "3", "http://10.91.1.1:8004/"];
        text = run(place.client.command(&programs.curl).args(arguments)).text;
        text.contains("502").then_some(())
    });
    assert!(text.contains("this process needs CAP_NET_ADMIN"), "{text}");
}

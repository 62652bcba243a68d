use super::*;
use lb_types::UnixPath;

/// A machine with one interface: eth0 has number 2.
fn eth0(name: &str) -> io::Result<u32> {
    match name {
        "eth0" => Ok(2),
        _ => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no network interface {name:?}"),
        )),
    }
}

fn backend(text: &str) -> Result<HostPort, Wrong> {
    host_port(text, &eth0)
}

fn listener(text: &str) -> Result<SocketAddr, Wrong> {
    listen_address(text, &eth0)
}

fn named(host: &str, port: u16) -> Result<HostPort, Wrong> {
    Ok(HostPort::Name {
        host: host.into(),
        port,
    })
}

#[test]
fn addresses_and_names_are_told_apart() {
    for text in ["10.0.0.1:80", "[2001:db8::1]:80", "[::1]:65535"] {
        assert_eq!(backend(text), Ok(HostPort::Address(text.parse().unwrap())));
    }
    assert_eq!(backend("App.Internal:80"), named("app.internal", 80));
    assert_eq!(backend("app.internal.:80"), named("app.internal.", 80));
    assert_eq!(backend("my_app:80"), named("my_app", 80));
    assert_eq!(backend("localhost.:80"), named("localhost.", 80));
    assert_eq!(backend("3com.example:80"), named("3com.example", 80));
    assert_eq!(listener("[::]:8080"), Ok("[::]:8080".parse().unwrap()));
    // one address, one form
    assert_eq!(listener("[::ffff:127.0.0.1]:80"), Ok("127.0.0.1:80".parse().unwrap()));
}

#[test]
fn a_zone_is_the_number_of_its_interface() {
    let scoped: SocketAddr = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, 2).into();
    for text in ["[fe80::1%eth0]:80", "[fe80::1%2]:80", "[FE80::1%eth0]:80"] {
        assert_eq!(backend(text), Ok(HostPort::Address(scoped.into())), "{text}");
        assert_eq!(listener(text), Ok(scoped), "{text}");
    }
    // only link-local addresses have one; on others it is checked and changes nothing
    assert_eq!(listener("[::1%eth0]:80"), Ok("[::1]:80".parse().unwrap()));
    let said = |text: &str| {
        let wrong = listener(text).unwrap_err();
        assert_eq!(backend(text), Err(wrong.clone()), "{text}");
        (wrong.label, wrong.help.unwrap_or_default())
    };
    let (label, _) = said("[fe80::1%eth9]:80");
    assert_eq!(label, "there is no network interface \"eth9\"");
    assert_eq!(said("[fe80::1]:80").0, "a link-local address needs its interface");
    assert_eq!(said("[fe80::1%]:80").0, "the interface is missing behind `%`");
    assert_eq!(
        said("[fe80::1%25eth0]:80").1,
        "only in a URL `%` is written `%25`: write \"[fe80::1%eth0]:80\""
    );
    assert_eq!(said("fe80::1%eth0:80").1, "did you mean \"[fe80::1%eth0]:80\"?");
    assert_eq!(said("[::%eth0]:80").0, ":: belongs to no interface");
    assert!(
        backend("[fe80::1%eth0]")
            .unwrap_err()
            .help
            .unwrap()
            .contains("[fe80::1%eth0]:80")
    );
    assert!(
        backend("fe80::1%eth0")
            .unwrap_err()
            .help
            .unwrap()
            .contains("[fe80::1%eth0]:80")
    );
    assert!(backend("127.0.0.1%eth0:80").is_err());
    assert!(backend("[127.0.0.1%eth0]:80").is_err());
}

#[test]
fn broken_backend_addresses_say_what_is_meant() {
    for (text, help) in [
        ("10.0.0.1", "write \"10.0.0.1:80\""),
        ("::1", "write \"[::1]:80\""),
        ("[::1]", "write \"[::1]:80\""),
        ("[::1]80", "write \"[::1]:80\""),
        ("[10.0.0.1]:80", "write \"10.0.0.1:80\""),
        ("[app]:80", "write \"app:80\""),
        ("2001:db8::1:80", "did you mean \"[2001:db8::1]:80\"?"),
        ("app", "write \"app:80\""),
        ("app.internal.", "write \"app.internal.:80\""),
        ("http://10.0.0.1:80/x", "write \"10.0.0.1:80\""),
        ("http://app", "write \"app:80\""),
        ("HTTP://app/", "write \"app:80\""),
        ("http://[::1]", "write \"[::1]:80\""),
        ("tcp://10.0.0.1:5432", "write \"10.0.0.1:5432\""),
        ("http://user:pw@app:81/x", "write \"app:81\""),
        ("//app:80", "write \"app:80\""),
        ("10.0.0.1:80*3", "write { address = \"10.0.0.1:80\", weight = 3 }"),
        (
            "10.0.0.1:80 weight=3",
            "write { address = \"10.0.0.1:80\", weight = 3 }",
        ),
        (
            "10.0.0.1:80 backup;",
            "write { address = \"10.0.0.1:80\", backup = true }",
        ),
        ("10.0.0.1:80;", "write \"10.0.0.1:80\""),
        (
            "server a 10.0.0.1:80 check",
            "write \"10.0.0.1:80\", and health = { kind = \"tcp\" } in the pool",
        ),
        ("two words:80", EXAMPLES),
        ("what is this", EXAMPLES),
        ("10.0.0.1: 80", "write \"10.0.0.1:80\""),
        ("10.0.0.1 80", "write \"10.0.0.1:80\""),
        (
            "10.0.0.1:80,10.0.0.2:80",
            "write each by itself: \"10.0.0.1:80\", \"10.0.0.2:80\"",
        ),
        (
            "10.0.0.1:80 10.0.0.2:80",
            "write each by itself: \"10.0.0.1:80\", \"10.0.0.2:80\"",
        ),
        (" 10.0.0.1:80", "write \"10.0.0.1:80\""),
        ("10.0.0.1:80/path", "write \"10.0.0.1:80\""),
        ("0.0.0.0:80", "for this machine write \"127.0.0.1:80\""),
        ("[::]:80", "for this machine write \"127.0.0.1:80\""),
        ("22031", "for this machine write \"127.0.0.1:22031\""),
        (":22031", "for this machine write \"127.0.0.1:22031\""),
        ("*:22031", "for this machine write \"127.0.0.1:22031\""),
        ("99999", "ports go from 1 to 65535"),
        ("ipv4@10.0.0.1:80", "write \"10.0.0.1:80\""),
        ("app:http", "write \"app:80\""),
        ("app:https", "write \"app:443\""),
        ("10.0.0.1\u{a0}:80", "write \"10.0.0.1:80\""),
        ("10.0.0.1:80\u{200b}", "write \"10.0.0.1:80\""),
        (
            "bücher.example:80",
            "the DNS has this name as \"xn--bcher-kva.example\"",
        ),
        (
            "bu\u{308}cher.example:80",
            "write the name as the DNS has it: \"xn--..\" (punycode)",
        ),
    ] {
        assert_eq!(backend(text).unwrap_err().help.unwrap_or_default(), help, "{text:?}");
    }
    for (text, label) in [
        ("", "nothing stands here"),
        (" ", "nothing stands here"),
        ("10.0.0.1:0", "port 0 is not a port"),
        ("10.0.0.1:65536", "65536 is not a port"),
        ("10.0.0.1:99999999999999999999", "99999999999999999999 is not a port"),
        ("app:65536", "65536 is not a port"),
        ("10.0.0.1:+80", "`+80` is not a port"),
        ("10.0.0.1:", "the port is missing"),
        ("10.0.0.256:80", "this is not an IPv4 address: 256 is more than 255"),
        ("1.2.3:80", "this is not an IPv4 address"),
        ("10.0.0.01:80", "this is not an IPv4 address"),
        ("127.1:80", "this is not an IPv4 address"),
        ("2130706433:80", "this is not an IPv4 address"),
        ("0x7f.1:80", "this is not an IPv4 address"),
        ("10.0.0.1-3:80", "this is a range of addresses"),
        ("10.0.0.0/24:80", "this is a range of addresses"),
        ("10.0.0.0/24", "this is a range of addresses"),
        (
            "10.0.0.1:8000-8010",
            "a range of ports is not read: an address has one port",
        ),
        ("fe80::1:80x", "this is not an IPv6 address"),
        ("[::1:80", "the bracket is never closed"),
        ("[::1x]:80", "this is not an IPv6 address"),
        ("-a:80", "no part of a name begins or ends with `-`"),
        ("a..b:80", "a part of the name is empty"),
        ("app..:80", "a part of the name is empty"),
        (".:80", "a part of the name is empty"),
        ("a~b:80", "'~' cannot stand in a host name"),
        ("${APP}:80", "variables are not filled in here"),
        ("{env.APP}:80", "variables are not filled in here"),
        ("224.0.0.1:80", "224.0.0.1 is the address of many, TCP connects to one"),
        (
            "255.255.255.255:80",
            "255.255.255.255 is the address of many, TCP connects to one",
        ),
        (
            "10.0.0.1:80\u{200b}",
            "U+200B (zero-width space, which cannot be seen) stands in it",
        ),
        (
            "bücher.example:80",
            "`ü` (U+00FC) is not ASCII, and names in the DNS are",
        ),
    ] {
        assert_eq!(backend(text).unwrap_err().label, label, "{text:?}");
    }
    assert!(
        backend("https://app")
            .unwrap_err()
            .help
            .unwrap()
            .contains("does not speak TLS yet")
    );
    assert!(
        backend("https://app")
            .unwrap_err()
            .help
            .unwrap()
            .starts_with("write \"app:443\"")
    );
    let long = format!("{}.example:80", "a".repeat(64));
    assert_eq!(
        backend(&long).unwrap_err().label,
        "a part of the name has 64 letters, at most 63 are allowed"
    );
}

#[test]
fn unix_domain_sockets_have_a_path_or_an_abstract_name() {
    for path in ["/run/app.sock", "/run/app", "@app", "/run/a b.sock"] {
        let unix = UnixPath::new(path).unwrap();
        assert_eq!(backend(&format!("unix:{path}")), Ok(HostPort::Address(unix.into())));
    }
}

#[test]
fn sockets_as_other_programs_write_them_are_told_how_they_are_written_here() {
    for (text, written) in [
        ("/run/app.sock", "unix:/run/app.sock"),
        ("/run/app", "unix:/run/app"),
        ("unix:///run/app.sock", "unix:/run/app.sock"),
        ("unix://run/app.sock", "unix:/run/app.sock"),
        ("UNIX:/run/app.sock", "unix:/run/app.sock"),
        ("unix//run/app.sock", "unix:/run/app.sock"),
        ("unix+h2c//run/app.sock", "unix:/run/app.sock"),
        ("unix@/run/app.sock", "unix:/run/app.sock"),
        ("uxst@/run/app.sock", "unix:/run/app.sock"),
        ("abns@app", "unix:@app"),
        ("unix:/run/app.sock:/path", "unix:/run/app.sock"),
    ] {
        for wrong in [backend(text).unwrap_err(), listener(text).unwrap_err()] {
            assert_eq!(wrong.help, Some(format!("write \"{written}\"")), "{text}");
        }
        assert!(backend(written).is_ok(), "{written}");
    }
}

#[test]
fn what_is_no_path_of_a_socket_says_why() {
    let label = |text: &str| backend(text).unwrap_err().label;
    for text in ["unix:run/app.sock", "./app.sock", "run/app.sock", "app.sock"] {
        let absolute = "the path of a socket must be absolute: a service does not begin where you do";
        assert_eq!(label(text), absolute, "{text}");
    }
    for text in ["unix:", "unix:@"] {
        assert_eq!(label(text), "the path of the socket is missing", "{text}");
    }
    let long = format!("unix:/{}", "a".repeat(107));
    assert_eq!(
        label(&long),
        "the path has 108 bytes, and the path of a socket has at most 107"
    );
}

#[test]
fn broken_listener_addresses_say_what_is_meant() {
    let help = |text: &str| listener(text).unwrap_err().help.unwrap_or_default();
    let everywhere = "write \"0.0.0.0:8080\" for every IPv4 address of this machine, \"[::]:8080\" for IPv6 too";
    for text in [
        "8080",
        ":8080",
        "*:8080",
        "web.internal:8080",
        "web.internal.:8080",
        "my_web:8080",
    ] {
        assert_eq!(help(text), everywhere, "{text}");
    }
    let localhost = "write \"127.0.0.1:8080\", or \"[::1]:8080\" for IPv6";
    for text in ["localhost:8080", "LocalHost:8080", "localhost.:8080"] {
        assert_eq!(help(text), localhost, "{text}");
    }
    assert_eq!(help("127.0.0.1"), "write \"127.0.0.1:8080\"");
    assert_eq!(help("2001:db8::1:80"), "did you mean \"[2001:db8::1]:80\"?");
    assert_eq!(help("::1"), "write \"[::1]:8080\"");
    assert_eq!(help("http://0.0.0.0:8080"), "write \"0.0.0.0:8080\"");
    assert_eq!(help("0.0.0.0:http"), "write \"0.0.0.0:80\"");
    for text in [
        "",
        "web",
        "127.0.0.1:0",
        "127.0.0.1:99999",
        "99999",
        "0",
        "1.2.3:80",
        "::1:8080x",
        "224.0.0.1:80",
        "[ff02::1%eth0]:80",
        "127.0.0.1:80-90",
        "0.0.0.0:80 ssl",
        "0.0.0.0/0:80",
    ] {
        assert!(listener(text).is_err(), "{text}");
    }
}

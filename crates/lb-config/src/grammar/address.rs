use super::{Wrong, is_host_name};
use std::net::{IpAddr, SocketAddr};

/// Where a backend is: an address, or a name that must still be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPort {
    Address(SocketAddr),
    Name { host: String, port: u16 },
}

/// `10.0.0.1:80`, `[2001:db8::1]:80` or `app.internal:80`.
pub(crate) fn host_port(text: &str) -> Result<HostPort, Wrong> {
    if let Some(wrong) = scheme(text) {
        return Err(wrong);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return if address.port() == 0 {
            Err(Wrong::new("port 0 is not a port").help("ports go from 1 to 65535"))
        } else if address.ip().is_unspecified() {
            Err(Wrong::new(format!("{} is no address of a server", address.ip()))
                .help(format!("for this machine write \"127.0.0.1:{}\"", address.port())))
        } else {
            Ok(HostPort::Address(address))
        };
    }
    if let Some(wrong) = without_brackets(text) {
        return Err(wrong);
    }
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Err(Wrong::new("the port is missing").help(format!("write \"{}\"", SocketAddr::new(ip, 80))));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Wrong::new("the port is missing").help(if is_host_name(text) {
            format!("write \"{text}:80\"")
        } else {
            EXAMPLES.to_owned()
        }));
    };
    let port = port_number(host, port)?;
    if looks_like_ipv4(host) {
        return Err(Wrong::new("this is not an IPv4 address").help("four numbers from 0 to 255, joined by dots"));
    }
    if host.starts_with('[') || host.contains(':') {
        return Err(
            Wrong::new("this is not an IPv6 address").help("IPv6 addresses go in brackets: \"[2001:db8::1]:80\"")
        );
    }
    if !is_host_name(host) {
        return Err(Wrong::new("this is neither an address nor a host name").help(EXAMPLES));
    }
    Ok(HostPort::Name {
        host: host.to_ascii_lowercase(),
        port,
    })
}

/// `0.0.0.0:8080` or `[::]:8080`: an address of this machine.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, Wrong> {
    if let Some(wrong) = scheme(text) {
        return Err(wrong);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return if address.port() == 0 {
            Err(Wrong::new("port 0 is not a port").help("ports go from 1 to 65535"))
        } else {
            Ok(address)
        };
    }
    if let Ok(port) = text.parse::<u16>() {
        return Err(Wrong::new("the address is missing").help(everywhere(port)));
    }
    if let Some(wrong) = without_brackets(text) {
        return Err(wrong);
    }
    if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Err(Wrong::new("the port is missing").help(format!("write \"{}\"", SocketAddr::new(ip, 8080))));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Wrong::new("this is not an address with a port").help(LISTEN_EXAMPLES));
    };
    let port = port_number(host, port)?;
    match host {
        "" | "*" => Err(Wrong::new("the address is missing").help(everywhere(port))),
        "localhost" => {
            Err(Wrong::new("a listener needs an address, not a name").help(format!("write \"127.0.0.1:{port}\"")))
        }
        _ if is_host_name(host) && !looks_like_ipv4(host) => {
            Err(Wrong::new("a listener needs an address, not a name").help(everywhere(port)))
        }
        _ if host.contains(':') => {
            Err(Wrong::new("this is not an IPv6 address").help("IPv6 addresses go in brackets: \"[::]:8080\""))
        }
        _ => Err(Wrong::new("this is not an IPv4 address").help("four numbers from 0 to 255, joined by dots")),
    }
}

/// `2001:db8::1:80` is an address by itself; who writes it means a port.
fn without_brackets(text: &str) -> Option<Wrong> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let address: std::net::Ipv6Addr = host.parse().ok()?;
    Some(Wrong::new("IPv6 addresses go in brackets").help(format!("did you mean \"[{address}]:{port}\"?")))
}

fn everywhere(port: u16) -> String {
    format!("write \"0.0.0.0:{port}\" for every IPv4 address of this machine, \"[::]:{port}\" for IPv6 too")
}

fn scheme(text: &str) -> Option<Wrong> {
    let (_, rest) = text.split_once("://")?;
    let rest = rest.split('/').next().unwrap_or(rest);
    Some(Wrong::new("an address has no scheme and no path").help(format!("write \"{rest}\"")))
}

fn port_number(host: &str, port: &str) -> Result<u16, Wrong> {
    if let Some((number, weight)) = port.split_once('*')
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(Wrong::new("a weight does not belong into the address")
            .help(format!("write {{ address = \"{host}:{number}\", weight = {weight} }}")));
    }
    if port.is_empty() {
        return Err(Wrong::new("the port is missing").help(format!("write \"{host}:80\"")));
    }
    match port.parse::<u32>() {
        Ok(number @ 1..=65535) if port.bytes().all(|b| b.is_ascii_digit()) => {
            u16::try_from(number).map_err(|_| Wrong::new("this is not a port"))
        }
        Ok(_) => Err(Wrong::new(format!("{port} is not a port")).help("ports go from 1 to 65535")),
        Err(_) => Err(Wrong::new(format!("`{port}` is not a port")).help("ports go from 1 to 65535")),
    }
}

fn looks_like_ipv4(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

const EXAMPLES: &str = "write \"10.0.0.1:80\", \"[2001:db8::1]:80\" or \"app.internal:80\"";
const LISTEN_EXAMPLES: &str = "write \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_told_apart() {
        assert_eq!(
            host_port("10.0.0.1:80"),
            Ok(HostPort::Address("10.0.0.1:80".parse().unwrap()))
        );
        assert_eq!(
            host_port("[2001:db8::1]:80"),
            Ok(HostPort::Address("[2001:db8::1]:80".parse().unwrap()))
        );
        assert_eq!(
            host_port("App.Internal:80"),
            Ok(HostPort::Name {
                host: "app.internal".into(),
                port: 80
            })
        );
        assert_eq!(listen_address("[::]:8080"), Ok("[::]:8080".parse().unwrap()));
    }

    #[test]
    fn broken_backend_addresses_say_what_is_meant() {
        let help = |text: &str| host_port(text).unwrap_err().help.unwrap_or_default();
        assert_eq!(help("10.0.0.1"), "write \"10.0.0.1:80\"");
        assert_eq!(help("::1"), "write \"[::1]:80\"");
        assert_eq!(help("app"), "write \"app:80\"");
        assert_eq!(help("http://10.0.0.1:80/x"), "write \"10.0.0.1:80\"");
        assert_eq!(help("10.0.0.1:80*3"), "write { address = \"10.0.0.1:80\", weight = 3 }");
        assert_eq!(help("0.0.0.0:80"), "for this machine write \"127.0.0.1:80\"");
        for text in [
            "",
            ":80",
            "10.0.0.1:",
            "10.0.0.1:0",
            "10.0.0.1:65536",
            "10.0.0.1:+80",
            "10.0.0.256:80",
            "1.2.3:80",
            "a b:80",
            "fe80::1:80x",
            "[::1:80",
            "app:http",
            "-a:80",
        ] {
            assert!(host_port(text).is_err(), "{text}");
        }
    }

    #[test]
    fn broken_listener_addresses_say_what_is_meant() {
        let help = |text: &str| listen_address(text).unwrap_err().help.unwrap_or_default();
        let everywhere = "write \"0.0.0.0:8080\" for every IPv4 address of this machine, \"[::]:8080\" for IPv6 too";
        for text in ["8080", ":8080", "*:8080", "web.internal:8080"] {
            assert_eq!(help(text), everywhere, "{text}");
        }
        assert_eq!(help("localhost:8080"), "write \"127.0.0.1:8080\"");
        assert_eq!(help("127.0.0.1"), "write \"127.0.0.1:8080\"");
        assert_eq!(help("2001:db8::1:80"), "did you mean \"[2001:db8::1]:80\"?");
        assert_eq!(help("::1"), "write \"[::1]:8080\"");
        for text in ["", "web", "127.0.0.1:0", "127.0.0.1:99999", "1.2.3:80", "::1:8080x"] {
            assert!(listen_address(text).is_err(), "{text}");
        }
    }
}

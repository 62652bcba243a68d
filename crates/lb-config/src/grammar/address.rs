mod strange;
mod unix;

use super::{Wrong, is_host_name};
use lb_types::Address;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use strange::strange;

/// Where a backend is: an address, or a name that must still be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPort {
    Address(Address),
    /// With its final dot, if it was written with one: such a name is looked up as it stands.
    Name {
        host: String,
        port: u16,
    },
}

/// The number of the network interface of a name.
pub(crate) type Interfaces<'a> = &'a dyn Fn(&str) -> io::Result<u32>;

/// `10.0.0.1:80`, `[2001:db8::1]:80`, `[fe80::1%eth0]:80`, `app.internal:80`, `app.internal.:80` or `unix:/run/app.sock`.
pub(crate) fn host_port(text: &str, interfaces: Interfaces<'_>) -> Result<HostPort, Wrong> {
    if let Some(path) = unix::unix(text) {
        return path.map(|path| HostPort::Address(path.into()));
    }
    if let Some(address) = numeric(text, Purpose::Backend, interfaces)? {
        return of_a_server(address).map(|address| HostPort::Address(address.into()));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(if text.bytes().all(|b| b.is_ascii_digit()) {
            Wrong::new("a port alone: the address is missing").help(on_this_machine(text))
        } else if strange::is_range(text) {
            strange::range()
        } else if is_absolute_name(text) {
            Wrong::new("the port is missing").help(format!("write \"{text}:80\""))
        } else {
            match name(text) {
                Ok(()) => Wrong::new("the port is missing").help(EXAMPLES),
                Err(wrong) => wrong,
            }
        });
    };
    match host {
        "" | "*" => {
            let port = port_number(host, port)?;
            return Err(Wrong::new("the address is missing").help(on_this_machine(&port.to_string())));
        }
        _ if strange::is_range(host) => return Err(strange::range()),
        _ if host.contains(':') => return Err(not_ipv6("[2001:db8::1]:80")),
        _ if !looks_like_ipv4(host) => name(host)?,
        _ => {}
    }
    let port = port_number(host, port)?;
    if looks_like_ipv4(host) {
        return Err(not_ipv4(host));
    }
    Ok(HostPort::Name {
        host: host.to_ascii_lowercase(),
        port,
    })
}

/// `0.0.0.0:8080`, `[::]:8080` or `[fe80::1%eth0]:8080`: an address of this machine.
pub(crate) fn listen_address(text: &str, interfaces: Interfaces<'_>) -> Result<SocketAddr, Wrong> {
    if let Some(path) = unix::unix(text) {
        path?;
        return Err(Wrong::new("a listener on a Unix domain socket is not supported yet")
            .help("until then listen on this machine alone: \"127.0.0.1:8080\""));
    }
    if let Some(address) = numeric(text, Purpose::Listener, interfaces)? {
        return if address.ip().is_multicast() {
            Err(Wrong::new("a multicast address takes no connections").help(everywhere(address.port())))
        } else {
            Ok(address)
        };
    }
    if text.bytes().all(|b| b.is_ascii_digit()) {
        let port = port_number("0.0.0.0", text)?;
        return Err(Wrong::new("the address is missing").help(everywhere(port)));
    }
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(Wrong::new("this is not an address with a port").help(LISTEN_EXAMPLES));
    };
    let port = port_number(host, port)?;
    match host {
        "" | "*" => Err(Wrong::new("the address is missing").help(everywhere(port))),
        _ if host.trim_end_matches('.').eq_ignore_ascii_case("localhost") => {
            Err(Wrong::new("a listener needs an address, not a name: this one has two")
                .help(format!("write \"127.0.0.1:{port}\", or \"[::1]:{port}\" for IPv6")))
        }
        _ if looks_like_ipv4(host) => Err(not_ipv4(host)),
        _ if strange::is_range(host) => Err(strange::range()),
        _ if host.contains(':') => Err(not_ipv6("[::]:8080")),
        _ => Err(Wrong::new("a listener needs an address, not a name").help(everywhere(port))),
    }
}

/// What an address is for: what is said about a wrong one depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Listener,
    Backend,
}

impl Purpose {
    /// A port for examples.
    const fn port(self) -> u16 {
        match self {
            Self::Listener => 8080,
            Self::Backend => 80,
        }
    }
}

/// An IP address with a port. `None` for what may still be a name with a port.
fn numeric(text: &str, purpose: Purpose, interfaces: Interfaces<'_>) -> Result<Option<SocketAddr>, Wrong> {
    if let Some(wrong) = strange(text, purpose) {
        return Err(wrong);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return checked(address).map(Some);
    }
    if text.starts_with('[') {
        return bracketed(text, purpose, interfaces).and_then(checked).map(Some);
    }
    if let Some(wrong) = without_brackets(text) {
        return Err(wrong);
    }
    let bare = text.trim_end_matches(']');
    if let Ok(ip) = bare.parse::<IpAddr>() {
        let example = SocketAddr::new(ip, purpose.port());
        return Err(Wrong::new("the port is missing").help(format!("write \"{example}\"")));
    }
    if let Some((ip, zone)) = bare.split_once('%').filter(|(ip, _)| ip.parse::<Ipv6Addr>().is_ok()) {
        let port = purpose.port();
        return Err(Wrong::new("the port is missing").help(format!("write \"[{ip}%{zone}]:{port}\"")));
    }
    Ok(None)
}

/// `[ADDRESS]:PORT` or `[ADDRESS%INTERFACE]:PORT` that is not plain.
fn bracketed(text: &str, purpose: Purpose, interfaces: Interfaces<'_>) -> Result<SocketAddr, Wrong> {
    let inner = text.trim_start_matches('[');
    let Some((inner, rest)) = inner.split_once(']') else {
        return Err(
            Wrong::new("the bracket is never closed").help("IPv6 addresses go in brackets: \"[2001:db8::1]:80\"")
        );
    };
    let (ip, zone) = match inner.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (inner, None),
    };
    let ip = match ip.parse::<IpAddr>() {
        Ok(IpAddr::V6(ip)) => ip,
        Ok(IpAddr::V4(_)) => {
            let plain = format!("{inner}{}", if rest.is_empty() { ":80" } else { rest });
            return Err(Wrong::new("only IPv6 addresses go in brackets").help(format!("write \"{plain}\"")));
        }
        Err(_) if is_absolute_name(ip) && ip.bytes().any(|b| b.is_ascii_alphabetic()) && zone.is_none() => {
            let plain = format!("{inner}{}", if rest.is_empty() { ":80" } else { rest });
            return Err(Wrong::new("only IPv6 addresses go in brackets").help(format!("write \"{plain}\"")));
        }
        Err(_) => return Err(not_ipv6("[2001:db8::1]:80")),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port_number(&format!("[{inner}]"), port)?,
        None if rest.is_empty() => {
            let port = purpose.port();
            return Err(Wrong::new("the port is missing").help(format!("write \"[{inner}]:{port}\"")));
        }
        None => {
            return Err(Wrong::new("a colon is missing before the port").help(format!("write \"[{inner}]:{rest}\"")));
        }
    };
    let scope = zone.map_or(Ok(0), |zone| scope(ip, zone, port, interfaces))?;
    Ok(SocketAddrV6::new(ip, port, 0, scope).into())
}

/// The number of the interface that a zone names: RFC 4007, section 11.
fn scope(ip: Ipv6Addr, zone: &str, port: u16, interfaces: Interfaces<'_>) -> Result<u32, Wrong> {
    if zone.is_empty() {
        return Err(
            Wrong::new("the interface is missing behind `%`").help(format!("for example \"[{ip}%eth0]:{port}\""))
        );
    }
    if ip.is_unspecified() || ip.to_ipv4_mapped().is_some() {
        return Err(Wrong::new(format!("{ip} belongs to no interface")).help(format!("write \"[{ip}]:{port}\"")));
    }
    if let Ok(number) = zone.parse::<u32>() {
        return Ok(number);
    }
    interfaces(zone).map_err(|error| {
        let wrong = Wrong::new(error.to_string());
        match zone.strip_prefix("25").filter(|zone| interfaces(zone).is_ok()) {
            // RFC 6874 has it so in URLs
            Some(zone) => wrong.help(format!(
                "only in a URL `%` is written `%25`: write \"[{ip}%{zone}]:{port}\""
            )),
            None => wrong.help("behind `%` stands the name of a network interface of this machine"),
        }
    })
}

/// Refuses addresses that no connection can use, and brings every other into its one form.
fn checked(address: SocketAddr) -> Result<SocketAddr, Wrong> {
    if address.port() == 0 {
        return Err(Wrong::new("port 0 is not a port").help("ports go from 1 to 65535"));
    }
    let SocketAddr::V6(v6) = address else {
        return Ok(address);
    };
    if let Some(v4) = v6.ip().to_ipv4_mapped() {
        return Ok(SocketAddr::new(v4.into(), v6.port()));
    }
    if v6.ip().is_unicast_link_local() {
        return if v6.scope_id() == 0 {
            Err(Wrong::new("a link-local address needs its interface").help(format!(
                "for example \"[{}%eth0]:{}\"; `ip -6 address` shows which",
                v6.ip(),
                v6.port()
            )))
        } else {
            Ok(address)
        };
    }
    // The kernel heeds an interface of link-local addresses only; two ways to write one address would be two addresses.
    Ok(SocketAddr::new(address.ip(), address.port()))
}

fn of_a_server(address: SocketAddr) -> Result<SocketAddr, Wrong> {
    let (ip, port) = (address.ip(), address.port());
    if ip.is_unspecified() {
        return Err(Wrong::new(format!("{ip} is no address of a server")).help(on_this_machine(&port.to_string())));
    }
    if ip.is_multicast() || ip == Ipv4Addr::BROADCAST {
        return Err(Wrong::new(format!("{ip} is the address of many, TCP connects to one")).help(EXAMPLES));
    }
    Ok(address)
}

/// `2001:db8::1:80` is an address by itself; who writes it means a port.
fn without_brackets(text: &str) -> Option<Wrong> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    let (ip, zone) = match host.split_once('%') {
        Some((ip, zone)) => (ip, format!("%{zone}")),
        None => (host, String::new()),
    };
    let address: Ipv6Addr = ip.parse().ok()?;
    Some(Wrong::new("IPv6 addresses go in brackets").help(format!("did you mean \"[{address}{zone}]:{port}\"?")))
}

/// Says what is wrong with a host name.
pub(super) fn name(host: &str) -> Result<(), Wrong> {
    if is_absolute_name(host) {
        return Ok(());
    }
    let bare = host.strip_suffix('.').unwrap_or(host);
    if let Some(c) = host.chars().find(|c| !c.is_ascii()) {
        let wrong = Wrong::new(format!(
            "{} is not ASCII, and names in the DNS are",
            super::odd::describe(c)
        ));
        return Err(match super::punycode::to_ascii(host) {
            Some(ascii) => wrong.help(format!("the DNS has this name as \"{ascii}\"")),
            None => wrong.help("write the name as the DNS has it: \"xn--..\" (punycode)"),
        });
    }
    if let Some(long) = bare.split('.').find(|label| label.len() > 63) {
        return Err(Wrong::new(format!(
            "a part of the name has {} letters, at most 63 are allowed",
            long.len()
        )));
    }
    if bare.len() > 253 {
        return Err(Wrong::new(format!(
            "the name has {} letters, at most 253 are allowed",
            bare.len()
        )));
    }
    if bare.split('.').any(str::is_empty) {
        return Err(
            Wrong::new("a part of the name is empty").help("one dot between two parts, and at most one at the end")
        );
    }
    if let Some(c) = bare
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
    {
        return Err(Wrong::new(format!("{c:?} cannot stand in a host name")).help(EXAMPLES));
    }
    Err(Wrong::new("no part of a name begins or ends with `-`").help(EXAMPLES))
}

/// A host name, with or without the final dot that makes it absolute.
fn is_absolute_name(text: &str) -> bool {
    is_host_name(text.strip_suffix('.').unwrap_or(text))
}

fn everywhere(port: u16) -> String {
    format!("write \"0.0.0.0:{port}\" for every IPv4 address of this machine, \"[::]:{port}\" for IPv6 too")
}

fn on_this_machine(port: &str) -> String {
    match port.parse::<u16>() {
        Ok(port @ 1..) => format!("for this machine write \"127.0.0.1:{port}\""),
        _ => "ports go from 1 to 65535".to_owned(),
    }
}

fn not_ipv4(host: &str) -> Wrong {
    let octets: Vec<&str> = host.split('.').collect();
    let is_octal = |octet: &str| octet.len() > 1 && octet.starts_with('0');
    let wrong = match octets
        .iter()
        .find(|octet| octet.parse::<u8>().is_err() || is_octal(octet))
    {
        Some(octet) if octets.len() == 4 && is_octal(octet) => {
            return Wrong::new("this is not an IPv4 address")
                .help("without zeros in front: some programs read such numbers as octal");
        }
        Some(octet) if octets.len() == 4 && !octet.is_empty() => {
            Wrong::new(format!("this is not an IPv4 address: {octet} is more than 255"))
        }
        _ => Wrong::new("this is not an IPv4 address"),
    };
    wrong.help("four numbers from 0 to 255, joined by dots")
}

fn not_ipv6(example: &str) -> Wrong {
    Wrong::new("this is not an IPv6 address").help(format!("IPv6 addresses go in brackets: \"{example}\""))
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
    if let Some((first, last)) = port.split_once('-')
        && [first, last]
            .iter()
            .all(|end| !end.is_empty() && end.bytes().all(|b| b.is_ascii_digit()))
    {
        return Err(Wrong::new("a range of ports is not read: an address has one port")
            .help(format!("write each one: \"{host}:{first}\", .. \"{host}:{last}\"")));
    }
    if let Some((_, number)) = SERVICES.iter().find(|(name, _)| port.eq_ignore_ascii_case(name)) {
        return Err(
            Wrong::new(format!("`{port}` is not a port: ports are numbers")).help(format!("write \"{host}:{number}\""))
        );
    }
    match port.parse::<u32>() {
        Ok(number @ 1..=65535) if port.bytes().all(|b| b.is_ascii_digit()) => {
            u16::try_from(number).map_err(|_| Wrong::new("this is not a port"))
        }
        _ if port.bytes().all(|b| b.is_ascii_digit()) => {
            Err(Wrong::new(format!("{port} is not a port")).help("ports go from 1 to 65535"))
        }
        _ => Err(Wrong::new(format!("`{port}` is not a port")).help("ports go from 1 to 65535")),
    }
}

fn looks_like_ipv4(host: &str) -> bool {
    let is_number = |part: &str| match part.strip_prefix("0x") {
        // what inet_aton(3) takes for one: resolvers would look up nothing
        Some(hex) => hex.bytes().all(|b| b.is_ascii_hexdigit()),
        None => part.bytes().all(|b| b.is_ascii_digit()),
    };
    host.bytes().any(|b| b.is_ascii_digit()) && host.split('.').all(is_number)
}

/// Names that other programs take for ports: /etc/services.
const SERVICES: [(&str, u16); 8] = [
    ("http", 80),
    ("https", 443),
    ("http-alt", 8080),
    ("ssh", 22),
    ("smtp", 25),
    ("mysql", 3306),
    ("postgresql", 5432),
    ("redis", 6379),
];
const EXAMPLES: &str = "write \"10.0.0.1:80\", \"[2001:db8::1]:80\" or \"app.internal:80\"";
const LISTEN_EXAMPLES: &str = "write \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::]:8080\"";

#[cfg(test)]
mod tests;

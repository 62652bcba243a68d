use super::{Cidr, Head, IpAddr, Name, list};
use core::net::SocketAddr;
use core::str;

/// The address of the client behind trusted proxies.
///
/// It walks from the peer through `X-Forwarded-For`, last line and last entry first, as long as
/// each address is in `trusted`, and answers with the first that is not, or with the last one
/// it could read: an entry that is no address ends the walk. With an untrusted peer nothing is
/// read. `O(entries · trusted)`, no allocation.
#[must_use]
pub fn client_address(head: &Head, peer: IpAddr, trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|range| range.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(client) {
        return client;
    }
    for entry in head
        .values(Name::XForwardedFor)
        .rev()
        .flat_map(|line| list::members(line).rev())
    {
        let Some(address) = read_entry(entry) else {
            break;
        };
        client = address;
        if !is_trusted(client) {
            break;
        }
    }
    client
}

/// An address, perhaps with a port, in brackets or in quotes: all of these are seen.
fn read_entry(entry: &[u8]) -> Option<IpAddr> {
    let entry = match entry {
        [b'"', inside @ .., b'"'] => inside,
        _ => entry,
    };
    let text = str::from_utf8(entry).ok()?;
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    let address = bare
        .parse()
        .or_else(|_| text.parse().map(|a: SocketAddr| a.ip()))
        .ok()?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_with_port_brackets_and_quotes() {
        for (entry, want) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("\"[2001:db8::1]:80\"", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(read_entry(entry.as_bytes()), want.parse().ok(), "{entry}");
        }
        for entry in [
            "unknown",
            "_hidden",
            "1.2.3",
            "1.2.3.4.5",
            "",
            "for=1.2.3.4",
            "1.2.3.4:x",
            "[1.2.3.4",
        ] {
            assert_eq!(read_entry(entry.as_bytes()), None, "{entry}");
        }
    }
}

use super::{Cidr, Head, IpAddr, Name, list};
use core::fmt::Write;
use core::net::{Ipv4Addr, SocketAddr};
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

/// Addresses, small numbers and what stands between them, as text on the stack. What does not fit is left out:
/// `N` is chosen so that all fits.
#[derive(Debug)]
pub(super) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

/// One address or number.
pub(super) type Short = Text<48>;

impl<const N: usize> Text<N> {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    pub(super) fn address(address: IpAddr) -> Self {
        let mut text = Self::new();
        text.push_address(address);
        text
    }

    pub(super) fn number(number: u16) -> Self {
        let mut text = Self::new();
        text.push_number(number);
        text
    }

    /// How many bytes `push` added.
    pub(super) fn measure(&mut self, push: impl FnOnce(&mut Self)) -> usize {
        let before = self.len;
        push(self);
        self.len.wrapping_sub(before)
    }

    /// The address as in RFC 5952; an IPv4-mapped one as IPv4.
    pub(super) fn push_address(&mut self, address: IpAddr) {
        match address.to_canonical() {
            IpAddr::V4(v4) => self.push_v4(v4),
            // 39 characters at most: there is room, so the result says nothing.
            IpAddr::V6(v6) => _ = write!(self, "{v6}"),
        }
    }

    #[inline]
    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        let end = self.len.wrapping_add(bytes.len());
        if let Some(place) = self.bytes.get_mut(self.len..end) {
            place.copy_from_slice(bytes);
            self.len = end;
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// By hand, because formatting costs as much as the rest of the forwarding.
    fn push_v4(&mut self, address: Ipv4Addr) {
        let mut first = true;
        for octet in address.octets() {
            if !first {
                self.push(b'.');
            }
            first = false;
            self.push_number(u16::from(octet));
        }
    }

    pub(super) fn push_number(&mut self, number: u16) {
        // Divisors that the compiler knows: it turns them into multiplications.
        if number >= 10_000 {
            self.push_digit(number / 10_000);
        }
        if number >= 1_000 {
            self.push_digit(number / 1_000 % 10);
        }
        if number >= 100 {
            self.push_digit(number / 100 % 10);
        }
        if number >= 10 {
            self.push_digit(number / 10 % 10);
        }
        self.push_digit(number % 10);
    }

    fn push_digit(&mut self, digit: u16) {
        self.push(b'0'.wrapping_add(digit as u8));
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len = self.len.wrapping_add(1);
        }
    }
}

impl<const N: usize> Write for Text<N> {
    fn write_str(&mut self, s: &str) -> core::fmt::Result {
        s.bytes().for_each(|b| self.push(b));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_like_the_standard_library_does() {
        for text in [
            "0.0.0.0",
            "127.0.0.1",
            "255.255.255.255",
            "10.20.3.100",
            "::1",
            "2001:db8::7",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(str::from_utf8(Short::address(address).bytes()), Ok(text));
        }
        let longest: IpAddr = "1111:2222:3333:4444:5555:6666:7777:8888".parse().unwrap();
        assert_eq!(Short::address(longest).bytes().len(), 39);
        assert_eq!(
            Short::address("::ffff:192.0.2.1".parse().unwrap()).bytes(),
            b"192.0.2.1"
        );
    }

    #[test]
    fn numbers_are_written_without_leading_zeros() {
        for (port, text) in [
            (0, "0"),
            (80, "80"),
            (443, "443"),
            (8080, "8080"),
            (65_535, "65535"),
            (10_000, "10000"),
        ] {
            assert_eq!(Short::number(port).bytes(), text.as_bytes());
        }
    }

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

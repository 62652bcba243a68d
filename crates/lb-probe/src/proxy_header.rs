use crate::ProxyHeader;
use std::net::{IpAddr, SocketAddr};

/// The bytes of the header of a connection between these ends, from and to, which are of one family; `None`: over a
/// Unix domain socket.
pub(crate) fn proxy_header(version: ProxyHeader, ends: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    match (version, ends) {
        (ProxyHeader::V1, None) => b"PROXY UNKNOWN\r\n".to_vec(),
        (ProxyHeader::V2, None) => [&SIGNATURE[..], &[VERSION_2 | PROXY, UNSPECIFIED, 0, 0]].concat(),
        (ProxyHeader::V1, Some((from, to))) => {
            let family = if from.is_ipv4() { "TCP4" } else { "TCP6" };
            let (source, target) = (from.ip(), to.ip());
            format!("PROXY {family} {source} {target} {} {}\r\n", from.port(), to.port()).into_bytes()
        }
        (ProxyHeader::V2Local, _) => [&SIGNATURE[..], &[VERSION_2 | LOCAL, UNSPECIFIED, 0, 0]].concat(),
        (ProxyHeader::V2, Some((from, to))) => {
            let (family, bytes) = if from.is_ipv4() { (TCP4, 12_u8) } else { (TCP6, 36_u8) };
            let mut header = [&SIGNATURE[..], &[VERSION_2 | PROXY, family, 0, bytes]].concat();
            for address in [from.ip(), to.ip()] {
                match address {
                    IpAddr::V4(v4) => header.extend(v4.octets()),
                    IpAddr::V6(v6) => header.extend(v6.octets()),
                }
            }
            header.extend(from.port().to_be_bytes());
            header.extend(to.port().to_be_bytes());
            header
        }
    }
}

/// `proxy-protocol.txt`, section 2.2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
const VERSION_2: u8 = 0x20;
const LOCAL: u8 = 0;
const PROXY: u8 = 1;
const UNSPECIFIED: u8 = 0;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_are_those_of_the_specification() {
        let (a, b) = ("192.0.2.1:40000".parse().unwrap(), "192.0.2.2:80".parse().unwrap());
        let (c, d) = (
            "[2001:db8::1]:40000".parse().unwrap(),
            "[2001:db8::2]:80".parse().unwrap(),
        );
        assert_eq!(
            proxy_header(ProxyHeader::V1, Some((a, b))),
            b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n"
        );
        assert_eq!(
            proxy_header(ProxyHeader::V1, Some((c, d))),
            b"PROXY TCP6 2001:db8::1 2001:db8::2 40000 80\r\n"
        );
        // 40000 = 0x9c40, 80 = 0x0050
        assert_eq!(
            proxy_header(ProxyHeader::V2, Some((a, b))),
            b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x50"
        );
        let v6 = proxy_header(ProxyHeader::V2, Some((c, d)));
        assert_eq!((v6.len(), v6.get(12..16)), (16 + 36, Some(&[0x21, 0x21, 0, 36][..])));
        assert!(v6.ends_with(b"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x9c\x40\x00\x50"));
        assert_eq!(
            proxy_header(ProxyHeader::V2Local, Some((a, b))),
            b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"
        );
    }
}

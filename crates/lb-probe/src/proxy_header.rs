use crate::ProxyHeader;
use lb_preface::proxy::{self, Addresses, Outgoing, Transport};
use std::net::SocketAddr;

/// The bytes of the header of a connection between these ends, from and to, which are of one family; `None`: over a
/// Unix domain socket.
pub(crate) fn proxy_header(version: ProxyHeader, ends: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let ends = ends.filter(|_| version != ProxyHeader::V2Local);
    let addresses = ends.map_or(Addresses::Unknown, |(source, destination)| Addresses::Ip {
        source,
        destination,
    });
    let mut out = Vec::new();
    if version == ProxyHeader::V1 {
        proxy::write_v1(&addresses, &mut out);
        return out;
    }
    let header = Outgoing {
        addresses,
        transport: Transport::Stream,
        tlvs: &[],
        checksum: false,
    };
    if proxy::write_v2(&header, &mut out).is_err() {
        debug_assert!(false, "without TLVs there is room");
    }
    out
}

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
        // HAProxy and Envoy hang up when PROXY comes without addresses.
        assert_eq!(
            proxy_header(ProxyHeader::V2, None),
            proxy_header(ProxyHeader::V2Local, None)
        );
        assert_eq!(proxy_header(ProxyHeader::V1, None), b"PROXY UNKNOWN\r\n");
    }
}

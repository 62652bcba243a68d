//! The PROXY header ahead of a connection to a backend.

use super::OnBehalf;
use crate::core::Core;
use crate::options::{ProxyOut, ProxyVersion};
use lb_preface::proxy::{self, Addresses, Outgoing, Ssl, Tlv, Transport};
use lb_tls::ClientVerdict;
use lb_types::hash64;
use std::net::SocketAddr;

/// Its bytes. What does not go in is left out.
#[cold]
pub(super) fn write(how: ProxyOut, of: OnBehalf<'_>, core: &Core) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    let addresses = addresses(of);
    if how.version == ProxyVersion::V1 {
        proxy::write_v1(&addresses, &mut out);
        return out;
    }
    let number = number(&addresses, core);
    let tlvs = tlvs(how, of, &number);
    let mut header = Outgoing {
        addresses,
        transport: Transport::Stream,
        tlvs: &tlvs,
        checksum: how.crc,
    };
    if proxy::write_v2(&header, &mut out).is_err() {
        // Longer than receivers read: the addresses are what must be said.
        out.clear();
        header.tlvs = &[];
        let _ = proxy::write_v2(&header, &mut out);
    }
    out
}

fn addresses(of: OnBehalf<'_>) -> Addresses<'static> {
    // A socket for both families has IPv4 addresses in the form of IPv6, which is nobody's own.
    let canonical = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
    match of.proxied.or_else(|| of.io.peer_socket().zip(of.io.local_socket())) {
        Some((source, destination)) => Addresses::Ip {
            source: canonical(source),
            destination: canonical(destination),
        },
        None => Addresses::Unknown,
    }
}

/// A number that no other connection of this process and moment has.
fn number(addresses: &Addresses<'_>, core: &Core) -> [u8; 16] {
    let now = core.now().wall.as_millis();
    let place = hash64(now, format!("{addresses:?} {}", core.next_client()).as_bytes());
    let mut number = [0; 16];
    number[..8].copy_from_slice(&now.to_be_bytes());
    number[8..].copy_from_slice(&place.to_be_bytes());
    number
}

fn tlvs<'a>(how: ProxyOut, of: OnBehalf<'a>, number: &'a [u8]) -> Vec<Tlv<'a>> {
    let mut tlvs = Vec::new();
    let facts = of.tls.map(|tls| &tls.facts);
    if how.alpn
        && let Some(alpn) = facts.and_then(|facts| facts.alpn.as_deref())
    {
        tlvs.push(Tlv::Alpn(alpn));
    }
    if how.authority
        && let Some(name) = facts.and_then(|facts| facts.server_name.as_deref())
    {
        tlvs.push(Tlv::Authority(name.as_bytes()));
    }
    if how.unique_id {
        tlvs.push(Tlv::UniqueId(number));
    }
    if how.ssl {
        tlvs.push(Tlv::Ssl(ssl(of)));
    }
    tlvs
}

fn ssl(of: OnBehalf<'_>) -> Ssl<'_> {
    let Some(tls) = of.tls else {
        return Ssl::default();
    };
    let (shown, verify) = match &tls.verdict {
        ClientVerdict::Ok(_) => (SHOWN, 0),
        ClientVerdict::Failed {
            certificate: Some(_), ..
        } => (SHOWN, 1),
        _ => (0, 1),
    };
    Ssl {
        client: USES_TLS | shown,
        verify,
        version: Some(tls.facts.version.as_bytes()),
        cipher: Some(tls.facts.cipher.as_bytes()),
        ..Ssl::default()
    }
}

/// PP2_CLIENT_SSL: section 2.2.6.
const USES_TLS: u8 = 1;
/// PP2_CLIENT_CERT_CONN and PP2_CLIENT_CERT_SESS: a session that is taken up keeps its certificate.
const SHOWN: u8 = 2 | 4;

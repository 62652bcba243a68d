//! Keys that are octets of known lengths: Edwards and Montgomery curves (RFC 8410), ML-DSA (RFC 9881), SLH-DSA
//! (RFC 9909), ML-KEM.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::AnyRef;
use der::{Decode, Tag, Tagged};

use super::structure::items_of_whole;

/// Whether `content`, the octets of a PKCS#8 key of the kind `name`, has a form that this kind has. `None` when no
/// form of this kind is known here.
pub(super) fn fits(name: &str, content: &[u8]) -> Option<bool> {
    if let Some(octets) = wrapped_octets(name) {
        let inner = AnyRef::from_der(content).ok();
        return Some(inner.is_some_and(|inner| inner.tag() == Tag::OctetString && inner.value().len() == octets));
    }
    if let Some(octets) = slh_dsa_octets(name) {
        return Some(content.len() == octets);
    }
    let lattice = lattice(name)?;
    Some(lattice.has(content))
}

/// What the octets of a key say of its public part: an SLH-DSA key ends with it.
pub(super) fn stated<'a>(name: &str, content: &'a [u8]) -> Option<&'a [u8]> {
    let octets = slh_dsa_octets(name)?;
    content.get(octets.checked_div(2)?..octets)
}

/// RFC 8410, section 7: an octet string inside the octet string.
fn wrapped_octets(name: &str) -> Option<usize> {
    match name {
        "Ed25519" | "X25519" => Some(32),
        "Ed448" => Some(57),
        "X448" => Some(56),
        _ => None,
    }
}

/// RFC 9909, section 6: four times n octets as they are; n is the strength.
fn slh_dsa_octets(name: &str) -> Option<usize> {
    let parameters = name
        .strip_prefix("HashSLH-DSA-")
        .or_else(|| name.strip_prefix("SLH-DSA-"))?;
    match parameters.split_once('-')?.1.get(..3)? {
        "128" => Some(64),
        "192" => Some(96),
        "256" => Some(128),
        _ => None,
    }
}

/// Octets of the seed, the expanded private key and the public key (FIPS 204, table 2; FIPS 203, table 3).
struct Lattice {
    seed: usize,
    expanded: usize,
    public: usize,
}

fn lattice(name: &str) -> Option<Lattice> {
    let (seed, expanded, public) = match name.strip_prefix("Hash").unwrap_or(name) {
        "ML-DSA-44" => (32, 2560, 1312),
        "ML-DSA-65" => (32, 4032, 1952),
        "ML-DSA-87" => (32, 4896, 2592),
        "ML-KEM-512" => (64, 1632, 800),
        "ML-KEM-768" => (64, 2400, 1184),
        "ML-KEM-1024" => (64, 3168, 1568),
        _ => return None,
    };
    Some(Lattice { seed, expanded, public })
}

impl Lattice {
    /// RFC 9881, section 6: the seed in [0], the expanded key, or both. Before it some wrote the octets themselves, with
    /// or without the public key behind them.
    fn has(&self, content: &[u8]) -> bool {
        let is_bare = [self.seed, self.expanded, self.expanded.saturating_add(self.public)].contains(&content.len());
        let Ok(found) = AnyRef::from_der(content) else {
            return is_bare;
        };
        let octets = found.value().len();
        match found.tag() {
            Tag::ContextSpecific { constructed: false, .. } => octets == self.seed,
            Tag::OctetString => octets == self.expanded || octets == self.expanded.saturating_add(self.public),
            Tag::Sequence => items_of_whole(content).is_ok_and(|items| {
                let lengths: Vec<usize> = items.iter().map(|item| item.value().len()).collect();
                items.iter().all(|item| item.tag() == Tag::OctetString) && lengths == [self.seed, self.expanded]
            }),
            _ => is_bare,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_lengths() {
        assert_eq!(fits("Ed25519", &[&[4, 32][..], &[7; 32]].concat()), Some(true));
        assert_eq!(fits("Ed25519", &[7; 32]), Some(false));
        assert_eq!(fits("Ed448", &[&[4, 57][..], &[7; 57]].concat()), Some(true));
        assert_eq!(fits("Ed448", &[&[4, 56][..], &[7; 56]].concat()), Some(false));
        assert_eq!(fits("SLH-DSA-SHA2-192s", &[7; 96]), Some(true));
        assert_eq!(fits("SLH-DSA-SHAKE-256f", &[7; 96]), Some(false));
        assert_eq!(
            stated("SLH-DSA-SHA2-128f", &(0..64).collect::<Vec<u8>>()),
            Some(&(32..64).collect::<Vec<u8>>()[..])
        );
        assert_eq!((fits("DH", &[2, 1, 5]), stated("DH", &[2, 1, 5])), (None, None));
    }

    #[test]
    fn an_ml_dsa_key_is_its_seed_its_expansion_or_both() {
        let expanded = [&[4, 0x82, 0x0f, 0xc0][..], &[7; 4032]].concat();
        let seed = [&[0x80, 32][..], &[7; 32]].concat();
        let both = [&[0x30, 0x82, 0x0f, 0xe6, 4, 32][..], &[7; 32], &expanded].concat();
        for key in [&seed, &expanded, &both, &vec![7; 32], &vec![7; 4032]] {
            assert_eq!(fits("ML-DSA-65", key), Some(true), "{}", key.len());
            assert_eq!(fits("ML-DSA-65", &key[..key.len() - 1]), Some(false), "{}", key.len());
        }
        assert_eq!(fits("ML-DSA-44", &expanded), Some(false));
    }
}

//! DSA keys: of openssl's own form (`DSA PRIVATE KEY`) and inside PKCS#8 (RFC 3279, section 2.3.2).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::{AnyRef, BitStringRef};
use der::zeroize::Zeroizing;
use der::{Decode, Encode, Tag};

use super::convert::{algorithm, constructed, encoded, pkcs8};
use super::structure::{DSA, Structure, broken, items_of_whole, positive_bits, small};
use super::{KeyAlgorithm, KeyError, KeyFormat};

/// Version 0, p, q, g, the public and the private number.
pub(super) const NUMBERS: usize = 6;

/// openssl's own form. It becomes PKCS#8, which has no place for the public number: that is kept beside.
pub(super) fn read(whole: &[u8], items: &[AnyRef<'_>]) -> Result<Structure, KeyError> {
    let [version, p, q, g, public, private] = items else {
        return Err(KeyError::Unrecognised);
    };
    if small(*version) != Some(0) {
        return Err(broken(whole, items, 0, "its version is not 0"));
    }
    let bits = [p, q, g, public, private].map(|number| positive_bits(*number));
    let [
        Some(p_bits),
        Some(q_bits),
        Some(g_bits),
        Some(public_bits),
        Some(private_bits),
    ] = bits
    else {
        return Err(broken(whole, items, 1, "a number that is not positive"));
    };
    if q_bits >= p_bits || g_bits > p_bits || public_bits > p_bits || private_bits > q_bits {
        return Err(broken(whole, items, 1, "the numbers of a DSA key do not fit together"));
    }
    let group: Vec<u8> = [p, q, g].into_iter().flat_map(|number| encoded(*number)).collect();
    let algorithm = algorithm(DSA, &constructed(Tag::Sequence, &group));
    let number = encoded(*public);
    let bits = BitStringRef::from_bytes(&number)
        .ok()
        .and_then(|bits| bits.to_der().ok());
    let spki = bits.map(|bits| constructed(Tag::Sequence, &[algorithm.clone(), bits].concat()));
    Ok(Structure {
        format: KeyFormat::Pkcs8,
        algorithm: KeyAlgorithm::Dsa { bits: p_bits },
        oddities: Vec::new(),
        normal: Some(Zeroizing::new(pkcs8(&algorithm, &Zeroizing::new(encoded(*private))))),
        public: spki,
    })
}

/// What is inside PKCS#8: the private number. The answer is the bits of the prime, 0 if the group is not given.
pub(super) fn read_inside(content: &[u8], group: Option<AnyRef<'_>>) -> Option<u32> {
    let private = positive_bits(AnyRef::from_der(content).ok()?)?;
    let Some(group) = group.filter(|group| !group.value().is_empty()) else {
        return Some(0);
    };
    let group = encoded(group);
    let items = items_of_whole(&group).ok()?;
    let [p, q, g] = items.as_slice() else { return None };
    let (p, q, g) = (positive_bits(*p)?, positive_bits(*q)?, positive_bits(*g)?);
    (q < p && g <= p && private <= q).then_some(p)
}

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
    let spki = spki(&algorithm, &encoded(*public));
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

/// SubjectPublicKeyInfo of this algorithm and public number, both encoded.
fn spki(algorithm: &[u8], number: &[u8]) -> Option<Vec<u8>> {
    let bits = BitStringRef::from_bytes(number).ok()?.to_der().ok()?;
    Some(constructed(Tag::Sequence, &[algorithm, &bits].concat()))
}

/// SubjectPublicKeyInfo of a key in PKCS#8: its public number is g to the power of the private one, modulo p (FIPS 186-4,
/// section 4.1). `None` for other keys, without the group, and for numbers larger than openssl takes.
#[cfg(feature = "aws-lc-rs")]
pub(crate) fn public(pkcs8: &[u8]) -> Option<Vec<u8>> {
    use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
    use crypto_bigint::{BoxedUint, Odd};
    use der::asn1::UintRef;

    let items = items_of_whole(pkcs8).ok()?;
    let (algorithm, content) = (*items.get(1)?, *items.get(2)?);
    let (oid, group) = super::structure::algorithm_parts(algorithm).ok()?;
    if oid != DSA {
        return None;
    }
    let group = encoded(group?);
    let items = items_of_whole(&group).ok()?;
    let [p, q, g] = items.as_slice() else { return None };
    let private = AnyRef::from_der(content.value()).ok()?;
    let bits = positive_bits(*p)?;
    let exponent_bits = positive_bits(*q)?;
    if bits > MOST_BITS || exponent_bits > MOST_EXPONENT_BITS || positive_bits(private)? > exponent_bits {
        return None;
    }
    let number = |item: AnyRef<'_>, bits: u32| {
        let octets = item.decode_as::<UintRef<'_>>().ok()?;
        BoxedUint::from_be_slice(octets.as_bytes(), bits).ok()
    };
    let modulus: Option<Odd<BoxedUint>> = Odd::new(number(*p, bits)?).into();
    let parameters = BoxedMontyParams::new(modulus?);
    let private = number(private, exponent_bits)?;
    let generator = BoxedMontyForm::new(number(*g, bits)?, &parameters);
    let public = generator.pow_bounded_exp(&private, exponent_bits).retrieve();
    let octets = public.to_be_bytes();
    let number = UintRef::new(&octets).ok()?.to_der().ok()?;
    spki(&encoded(algorithm), &number)
}

/// `OPENSSL_DSA_MAX_MODULUS_BITS`.
#[cfg(feature = "aws-lc-rs")]
const MOST_BITS: u32 = 10_000;
/// FIPS 186-4 knows 160, 224 and 256.
#[cfg(feature = "aws-lc-rs")]
const MOST_EXPONENT_BITS: u32 = 512;

//! Elliptic curve keys (SEC1, RFC 5915), as programs write them, and their normal form: the curve by its name, the
//! private number in as many octets as the order has.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::zeroize::Zeroizing;
use der::{Decode, Encode, Tag, Tagged};

use super::convert::{constructed, context_0, context_1, encoded};
use super::structure::{broken, items_of_whole, small};
use super::{KeyAlgorithm, KeyError, Oddity};
use crate::curve::{Curve, Parameters, Point, WrongScalar};
use crate::tlv;

/// An elliptic curve key that was read to its end.
pub(super) struct EcKey<'a> {
    pub(super) algorithm: KeyAlgorithm,
    pub(super) oddities: Vec<Oddity>,
    /// Of a curve that we know.
    pub(super) curve: Option<&'static Curve>,
    scalar: &'a [u8],
    /// The parameters inside, as they stand.
    own: Option<AnyRef<'a>>,
    point: Option<&'a [u8]>,
    is_normal: bool,
}

impl<'a> EcKey<'a> {
    /// Version 1, the private number, curve [0], public point [1]. In PKCS#8 the curve stands outside.
    pub(super) fn read(whole: &'a [u8], outer: Option<AnyRef<'_>>) -> Result<Self, KeyError> {
        let items = items_of_whole(whole)?;
        let [version, scalar, rest @ ..] = items.as_slice() else {
            return Err(KeyError::Unrecognised);
        };
        if small(*version) != Some(1) {
            return Err(broken(whole, &items, 0, "the version of a SEC1 key is 1"));
        }
        if scalar.tag() != Tag::OctetString {
            return Err(broken(whole, &items, 1, "the private number is no octet string"));
        }
        let (own, point) = optional_parts(whole, &items, rest)?;
        let outer = outer.map(encoded);
        let inner = own.map(encoded);
        let parameters = agreed(outer.as_deref(), inner.as_deref())
            .ok_or_else(|| broken(whole, &items, 2, "the curve inside differs from the curve outside"))?;
        let mut key = Self {
            algorithm: algorithm(&parameters)
                .ok_or_else(|| broken(whole, &items, 2, "the curve is not well-formed"))??,
            oddities: Vec::new(),
            curve: parameters.curve(),
            scalar: scalar.value(),
            own,
            point: point.map(|(_, point)| point),
            is_normal: true,
        };
        if let Some(curve) = key.curve {
            key.scalar(curve)?;
            if let Some((index, point)) = point {
                key.point(curve, point)
                    .ok_or_else(|| broken(whole, &items, index, "the public point has not the size of the curve"))?;
            }
            key.name(curve, &parameters);
            // The name may stand in one place only, and is wanted in the outer one.
            key.is_normal &= inner.is_none_or(|inner| inner == curve.oid_der());
        } else if scalar.value().is_empty() {
            return Err(broken(whole, &items, 1, "the private number has no octets"));
        }
        Ok(key)
    }

    fn scalar(&mut self, curve: &'static Curve) -> Result<(), KeyError> {
        let wanted = curve.scalar_octets();
        let octets = self.scalar.len();
        self.scalar = curve.private(self.scalar).map_err(|wrong| KeyError::Scalar {
            curve: curve.name,
            what: match wrong {
                WrongScalar::Zero => "is zero",
                WrongScalar::TooLarge => "is not below the order of the curve",
            },
        })?;
        if octets != wanted {
            self.is_normal = false;
            self.oddities.push(Oddity::ScalarOctets { octets, wanted });
        }
        Ok(())
    }

    fn point(&mut self, curve: &'static Curve, point: &[u8]) -> Option<()> {
        Point::read(point, curve)?;
        // The hybrid form is read by nobody but openssl.
        self.is_normal &= !matches!(point.first(), Some(6 | 7));
        Some(())
    }

    fn name(&mut self, curve: &'static Curve, parameters: &Parameters<'_>) {
        if matches!(parameters, Parameters::Numbers(_)) {
            self.is_normal = false;
            self.oddities.push(Oddity::ExplicitCurve { curve: curve.name });
        }
    }

    /// The key as SEC1 with the name of the curve inside (`with_curve`) or without; `None` when it stands so already,
    /// or when the curve is unknown.
    pub(super) fn normal(&self, with_curve: bool) -> Option<Zeroizing<Vec<u8>>> {
        let curve = self.curve?;
        if self.is_normal && (self.own.is_some() || !with_curve) {
            return None;
        }
        let missing = curve.scalar_octets().saturating_sub(self.scalar.len());
        let mut scalar = Zeroizing::new(vec![0; missing]);
        scalar.extend_from_slice(self.scalar);
        let mut content = Zeroizing::new(vec![0x02, 0x01, 0x01]); // version 1
        content.extend(OctetStringRef::new(&scalar).ok()?.to_der().ok()?);
        if with_curve || self.own.is_some() {
            content.extend(constructed(context_0(), &curve.oid_der()));
        }
        if let Some(point) = self.point {
            let long = Point::read(point, curve).and_then(|point| point.uncompressed());
            let bits = BitStringRef::from_bytes(long.as_deref().unwrap_or(point)).ok()?;
            content.extend(constructed(context_1(), &bits.to_der().ok()?));
        }
        Some(Zeroizing::new(constructed(Tag::Sequence, &content)))
    }
}

/// Curve [0] and public point [1] with its index; nothing else may stand there.
type Parts<'a> = (Option<AnyRef<'a>>, Option<(usize, &'a [u8])>);

fn optional_parts<'a>(whole: &'a [u8], items: &[AnyRef<'a>], rest: &[AnyRef<'a>]) -> Result<Parts<'a>, KeyError> {
    let (mut own, mut point) = (None, None);
    for (index, item) in rest.iter().enumerate() {
        let index = index.saturating_add(2);
        if item.tag() == context_0() && own.is_none() && point.is_none() {
            own = Some(
                AnyRef::from_der(item.value())
                    .map_err(|_| broken(whole, items, index, "the curve is not well-formed"))?,
            );
        } else if item.tag() == context_1() && point.is_none() {
            let bits = BitStringRef::from_der(item.value())
                .ok()
                .and_then(|bits| bits.as_bytes());
            let bits = bits.ok_or_else(|| broken(whole, items, index, "the public point is not well-formed"))?;
            point = Some((index, bits));
        } else {
            return Err(broken(whole, items, index, "an element that no SEC1 key has"));
        }
    }
    Ok((own, point))
}

/// The curve that both places name, in whatever way; `None` when they name two.
fn agreed<'a>(outer: Option<&'a [u8]>, inner: Option<&'a [u8]>) -> Option<Parameters<'a>> {
    let read = |der: Option<&'a [u8]>| der.map_or(Parameters::Inherited, Parameters::read);
    match (read(outer), read(inner)) {
        (found, Parameters::Inherited) | (Parameters::Inherited, found) => Some(found),
        (one, other) => {
            let is_same = match (one.curve(), other.curve()) {
                (Some(one), Some(other)) => one.oid == other.oid,
                _ => outer == inner,
            };
            // Numbers in one place are worth a word even if the other has the name.
            let found = if matches!(other, Parameters::Numbers(_)) {
                other
            } else {
                one
            };
            is_same.then_some(found)
        }
    }
}

/// `None` for parameters that are malformed.
fn algorithm(parameters: &Parameters<'_>) -> Option<Result<KeyAlgorithm, KeyError>> {
    let unknown = |words: String| Some(Ok(KeyAlgorithm::Unknown(words.into())));
    match parameters {
        Parameters::Named(curve) | Parameters::Numbers(curve) => Some(Ok(match curve.name {
            "P-256" => KeyAlgorithm::EcP256,
            "P-384" => KeyAlgorithm::EcP384,
            "P-521" => KeyAlgorithm::EcP521,
            name => KeyAlgorithm::OtherCurve(name),
        })),
        Parameters::Unknown(oid) => unknown(format!("ECDSA on the unknown curve {}", tlv::dotted(oid))),
        Parameters::OtherNumbers => unknown("ECDSA on a curve given by its numbers, which equals no named one".into()),
        Parameters::Inherited => Some(Err(KeyError::NoCurve)),
        Parameters::Malformed => None,
    }
}

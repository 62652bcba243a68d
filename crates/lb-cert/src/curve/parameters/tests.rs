#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use super::super::tests::curve;
use super::*;

/// A value with a length below 128, or in one or two further bytes.
fn value(id: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut all = vec![id];
    match length {
        0..128 => all.push(u8::try_from(length).expect("short")),
        128..256 => all.extend([0x81, u8::try_from(length).expect("short")]),
        _ => all.extend([0x82, u8::try_from(length >> 8).expect("short"), (length & 255) as u8]),
    }
    all.extend(content);
    all
}

fn integer(number: &[u8]) -> Vec<u8> {
    let is_high = number.first().is_some_and(|first| *first >= 0x80);
    value(0x02, &[if is_high { &[0][..] } else { &[] }, number].concat())
}

fn padded(number: &[u8], octets: usize) -> Vec<u8> {
    [vec![0; octets - number.len()], number.to_vec()].concat()
}

/// The numbers of a curve, with changes.
struct Written {
    version: u8,
    p: Vec<u8>,
    a: Vec<u8>,
    b: Vec<u8>,
    seed: Vec<u8>,
    generator: Vec<u8>,
    order: Vec<u8>,
    cofactor: Vec<u8>,
}

impl Written {
    fn of(name: &str) -> Self {
        let curve = curve(name);
        let octets = curve.field_octets();
        let equation = curve.equation.as_ref().expect("over a prime field");
        Self {
            version: 1,
            p: integer(equation.p),
            a: padded(equation.a, octets),
            b: padded(equation.b, octets),
            seed: vec![],
            generator: [vec![4], padded(equation.x, octets), padded(equation.y, octets)].concat(),
            order: integer(curve.order),
            cofactor: integer(&[equation.cofactor]),
        }
    }

    fn der(&self) -> Vec<u8> {
        let field = value(0x30, &[value(0x06, PRIME_FIELD), self.p.clone()].concat());
        let curve = [value(0x04, &self.a), value(0x04, &self.b), self.seed.clone()].concat();
        value(
            0x30,
            &[
                value(0x02, &[self.version]),
                field,
                value(0x30, &curve),
                value(0x04, &self.generator),
                self.order.clone(),
                self.cofactor.clone(),
            ]
            .concat(),
        )
    }

    fn name(&self) -> Option<&'static str> {
        let der = self.der();
        Parameters::read(&der).curve().map(|curve| curve.name)
    }
}

fn changed(name: &str, change: impl FnOnce(&mut Written)) -> Option<&'static str> {
    let mut written = Written::of(name);
    change(&mut written);
    written.name()
}

#[test]
fn the_numbers_of_every_named_curve_are_that_curve() {
    for curve in table::CURVES.iter().filter(|curve| curve.equation.is_some()) {
        assert_eq!(Written::of(curve.name).name(), Some(curve.name));
    }
}

#[test]
fn what_may_be_left_out_or_written_otherwise_changes_nothing() {
    let p256 = Some("P-256");
    assert_eq!(changed("P-256", |written| written.cofactor.clear()), p256);
    assert_eq!(
        changed("P-256", |written| {
            written.version = 2;
            written.seed = value(0x03, &[0, 1, 2, 3]);
        }),
        p256
    );
    // the generator in the short form: its y is odd (SEC 2, section 2.4.2), so 03; in the hybrid form 07
    let short = |form: u8| {
        changed("P-256", |written| {
            written.generator.truncate(33);
            written.generator[0] = form;
        })
    };
    assert_eq!((short(3), short(2)), (p256, None));
    assert_eq!(changed("P-256", |written| written.generator[0] = 7), p256);
    // SEC 2, section 2.4.1: a is 0, which some write in one octet
    assert_eq!(changed("secp256k1", |written| written.a = vec![0]), Some("secp256k1"));
    assert_eq!(changed("secp256k1", |written| written.a = vec![]), Some("secp256k1"));
}

#[test]
fn any_other_number_is_another_curve() {
    let last = |number: &mut Vec<u8>| *number.last_mut().expect("not empty") ^= 1;
    for change in [
        (|written| &mut written.p) as fn(&mut Written) -> &mut Vec<u8>,
        |written| &mut written.a,
        |written| &mut written.b,
        |written| &mut written.generator,
        |written| &mut written.order,
        |written| &mut written.cofactor,
    ] {
        let mut written = Written::of("P-256");
        last(change(&mut written));
        let der = written.der();
        assert!(matches!(Parameters::read(&der), Parameters::OtherNumbers), "{der:x?}");
    }
}

#[test]
fn what_is_no_curve_is_told_apart() {
    let read = Parameters::read;
    assert!(matches!(read(&[0x05, 0x00]), Parameters::Inherited));
    assert!(matches!(
        read(&[0x06, 0x03, 0x2a, 0x03, 0x04]),
        Parameters::Unknown([0x2a, 3, 4])
    ));
    for wrong in [
        &[][..],
        &[0x30, 0x00],
        &[0x02, 0x01, 0x01],
        &[0x05, 0x00, 0x00],
        &[0x30, 0x05, 0x02],
    ] {
        assert!(matches!(read(wrong), Parameters::Malformed), "{wrong:?}");
    }
    let whole = Written::of("P-384").der();
    for length in 0..whole.len() {
        assert!(matches!(read(&whole[..length]), Parameters::Malformed), "{length}");
    }
}

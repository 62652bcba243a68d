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

/// The exponents of a polynomial but for the highest and 0, which a field always has.
fn exponents(polynomial: &[u8]) -> Vec<u32> {
    let bits = (0..).zip(
        polynomial
            .iter()
            .rev()
            .flat_map(|octet| (0..8).map(move |bit| octet >> bit & 1)),
    );
    let mut found: Vec<u32> = bits
        .filter(|(_, bit)| *bit == 1)
        .map(|(exponent, _)| exponent)
        .collect();
    found.pop();
    found.remove(0);
    found
}

fn number(exponent: u32) -> Vec<u8> {
    integer(significant(&exponent.to_be_bytes()))
}

/// `Characteristic-two` of X9.62.
fn characteristic_two(degree: u32, middle: &[u32]) -> Vec<u8> {
    let basis = match middle {
        [one] => [value(0x06, TRINOMIAL), number(*one)].concat(),
        more => {
            let numbers: Vec<u8> = more.iter().flat_map(|exponent| number(*exponent)).collect();
            [value(0x06, PENTANOMIAL), value(0x30, &numbers)].concat()
        }
    };
    value(0x30, &[number(degree), basis].concat())
}

/// The numbers of a curve, with changes.
struct Written {
    version: u8,
    kind: &'static [u8],
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
        let equation = &curve.equation;
        let is_prime = curve.is_over_a_prime_field();
        Self {
            version: 1,
            kind: if is_prime { PRIME_FIELD } else { BINARY_FIELD },
            p: if is_prime {
                integer(equation.p)
            } else {
                characteristic_two(curve.bits, &exponents(equation.p))
            },
            a: padded(equation.a, octets),
            b: padded(equation.b, octets),
            seed: vec![],
            generator: [vec![4], padded(equation.x, octets), padded(equation.y, octets)].concat(),
            order: integer(curve.order),
            cofactor: integer(significant(&equation.cofactor.to_be_bytes())),
        }
    }

    fn der(&self) -> Vec<u8> {
        let field = value(0x30, &[value(0x06, self.kind), self.p.clone()].concat());
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
    for curve in table::CURVES {
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
fn another_polynomial_or_basis_is_another_field() {
    // SEC 2, section 3.3.1 (version 1): x^233 + x^74 + 1; section 3.2.1: x^163 + x^7 + x^6 + x^3 + 1
    assert_eq!(exponents(curve("sect233k1").equation.p), [74]);
    assert_eq!(exponents(curve("sect163k1").equation.p), [3, 6, 7]);
    let with = |name: &str, p: Vec<u8>| changed(name, |written| written.p = p);
    let found = with("sect233k1", characteristic_two(233, &[74]));
    assert_eq!(found, Some("sect233k1"));
    for (name, degree, middle) in [
        ("sect233k1", 233, &[73][..]),
        ("sect233k1", 234, &[74]),
        ("sect233k1", 233, &[74, 74, 74]),
        ("sect233k1", 233, &[233]),
        ("sect233k1", 233, &[0]),
        ("sect163k1", 163, &[3, 6, 8]),
        ("sect163k1", 163, &[6, 3, 7]),
        ("sect163k1", 163, &[7]),
        ("sect163k1", 65_535, &[3, 6, 7]),
        ("sect163k1", u32::MAX, &[3, 6, 7]),
    ] {
        assert_eq!(
            with(name, characteristic_two(degree, middle)),
            None,
            "{degree} {middle:?}"
        );
    }
    // A normal basis (gnBasis, X9.62), a prime where the polynomial belongs, and the other way round.
    let normal = [
        number(233),
        value(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 2, 3, 1]),
        vec![5, 0],
    ];
    assert_eq!(with("sect233k1", value(0x30, &normal.concat())), None);
    assert_eq!(with("sect233k1", integer(curve("sect233k1").equation.p)), None);
    assert_eq!(with("P-256", characteristic_two(256, &[10, 5, 2])), None);
    assert_eq!(changed("sect233k1", |written| written.kind = PRIME_FIELD), None);
    // The short form of the generator says another bit of y than over a prime field: openssl writes 02 for sect233k1 and
    // 03 for sect163r1, and both y are odd.
    for (name, form) in [("sect233k1", 2), ("sect163r1", 3)] {
        let short = |form: u8| {
            changed(name, |written| {
                written.generator.truncate(1 + curve(name).field_octets());
                written.generator[0] = form;
            })
        };
        assert_eq!((short(form), short(form ^ 1)), (Some(name), None), "{name}");
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

//! Each limit from both sides: what is exactly at it is read, one more is refused.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs7", feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::{Limits, Password, Problem, ReadOptions, read};
use openssl::Shop;
use openssl::goods::Goods;

/// What is refused with these limits, `None` when it is read.
fn refused(bytes: &[u8], change: impl FnOnce(&mut Limits)) -> Option<Problem> {
    let words = [Password::from("x")];
    let mut options = ReadOptions::with_passwords(&words);
    change(&mut options.limits);
    read("a", bytes, &options).err().map(|error| error.problem)
}

fn limit(what: &'static str, limit: u64) -> Option<Problem> {
    Some(Problem::Limit { what, limit })
}

fn cost(what: &'static str, needed: u64, limit: u64) -> Option<Problem> {
    Some(Problem::Cost { what, needed, limit })
}

#[test]
fn bytes_blocks_and_certificates_are_limited() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let leaf = shop.bytes("leaf.crt");
    assert_eq!(refused(&leaf, |limits| limits.bytes = leaf.len()), None);
    assert_eq!(
        refused(&leaf, |limits| limits.bytes = leaf.len() - 1),
        limit("bytes", leaf.len() as u64 - 1)
    );
    let three = shop.bytes("chain.crt");
    assert_eq!(refused(&three, |limits| limits.blocks = 3), None);
    assert_eq!(refused(&three, |limits| limits.blocks = 2), limit("blocks", 2));
    assert_eq!(refused(&three, |limits| limits.certificates = 3), None);
    assert_eq!(
        refused(&three, |limits| limits.certificates = 2),
        limit("certificates", 2)
    );
    shop.run("crl2pkcs7 -nocrl -certfile chain.crt -outform der -out a.p7b");
    assert_eq!(refused(&shop.bytes("a.p7b"), |limits| limits.certificates = 3), None);
    assert_eq!(
        refused(&shop.bytes("a.p7b"), |limits| limits.certificates = 2),
        limit("certificates", 2)
    );
}

#[test]
fn nesting_is_limited() {
    let Some(shop) = Shop::open() else { return };
    let goods = Goods::make(&shop, "p256");
    // The file, the certificate, what is signed, [3], the extensions, one extension: six contents.
    assert_eq!(refused(&goods.chain[0], |limits| limits.depth = 6), None);
    let problem = refused(&goods.chain[0], |limits| limits.depth = 5).expect("it nests deeper");
    assert!(problem.to_string().ends_with("nested too deeply"), "{problem}");
    // Sequences in sequences, more than any stack would bear.
    let mut nested = vec![0x05, 0x00];
    for _ in 0..20_000 {
        let length = nested.len();
        let mut outer = vec![0x30, 0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8];
        outer.append(&mut nested);
        nested = outer;
    }
    assert!(refused(&nested, |_| {}).is_some());
    // The same as a PKCS#7 of indefinite length.
    let mut open = vec![
        0x30, 0x80, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02,
    ];
    open.extend([0xA0, 0x80].repeat(50_000));
    assert!(refused(&open, |_| {}).is_some());
}

#[test]
fn encrypted_bytes_are_limited() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs12 -export -inkey leaf.key -in leaf.crt -passout pass:x -out a.p12");
    shop.run("pkcs8 -topk8 -in leaf.key -outform der -passout pass:x -out enc.der");
    for (name, what) in [
        ("a.p12", "bytes of a PKCS#12"),
        ("enc.der", "bytes of an encrypted key"),
    ] {
        let bytes = shop.bytes(name);
        assert_eq!(refused(&bytes, |limits| limits.encrypted_bytes = bytes.len()), None);
        let less = bytes.len() - 1;
        assert_eq!(
            refused(&bytes, |limits| limits.encrypted_bytes = less),
            limit(what, less as u64)
        );
    }
}

#[test]
fn iterations_are_limited_before_any_work_is_done() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let what = "iterations of a key derivation";
    for (name, command) in [
        (
            "enc.pem",
            "pkcs8 -topk8 -in leaf.key -iter 3000 -passout pass:x -out enc.pem",
        ),
        (
            "a.p12",
            "pkcs12 -export -inkey leaf.key -in leaf.crt -iter 3000 -passout pass:x -out a.p12",
        ),
        (
            "b.p12",
            "pkcs12 -export -inkey leaf.key -in leaf.crt -iter 3000 -nomac -legacy -passout pass:x -out b.p12",
        ),
        (
            "c.p12",
            "pkcs12 -export -inkey leaf.key -in leaf.crt -iter 3000 -keypbe NONE -certpbe NONE -passout pass:x -out c.p12",
        ),
    ] {
        shop.run(command);
        let bytes = shop.bytes(name);
        assert_eq!(refused(&bytes, |limits| limits.iterations = 3000), None, "{name}");
        assert_eq!(
            refused(&bytes, |limits| limits.iterations = 2999),
            cost(what, 3000, 2999),
            "{name}"
        );
    }
    // openssl's own greatest number would take an hour.
    shop.run("pkcs8 -topk8 -in leaf.key -iter 1 -outform der -passout pass:x -out one.der");
    let one = shop.bytes("one.der");
    let at = one
        .windows(3)
        .position(|three| three == [0x02, 0x01, 0x01])
        .expect("one iteration");
    let mut many = one.clone();
    many[at + 2] = 0x7F;
    assert_eq!(refused(&many, |limits| limits.iterations = 126), cost(what, 127, 126));
}

#[test]
fn all_derivations_of_a_container_together_are_limited() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let what = "iterations of all key derivations together";
    // MAC, certificates, key.
    shop.run("pkcs12 -export -inkey leaf.key -in leaf.crt -iter 3000 -passout pass:x -out a.p12");
    let bytes = shop.bytes("a.p12");
    assert_eq!(refused(&bytes, |limits| limits.total_iterations = 9000), None);
    assert_eq!(
        refused(&bytes, |limits| limits.total_iterations = 8999),
        cost(what, 9000, 8999)
    );
    // As many as today's programs order for a chain are nothing unusual.
    let limits = Limits::default();
    assert!(limits.iterations >= 5_000_000 && limits.total_iterations >= 50 * 600_000);
}

#[test]
fn the_work_of_scrypt_is_limited() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs8 -topk8 -in leaf.key -scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 2 -passout pass:x -out enc.pem");
    let bytes = shop.bytes("enc.pem");
    assert_eq!(refused(&bytes, |limits| limits.scrypt_work = 16_384), None);
    assert_eq!(
        refused(&bytes, |limits| limits.scrypt_work = 16_383),
        cost("units of scrypt (N * r * p)", 16_384, 16_383)
    );
}

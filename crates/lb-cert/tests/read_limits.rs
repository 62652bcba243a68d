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
    read("a", bytes, &with(change)).err().map(|error| error.problem)
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
fn the_total_of_all_derivations_follows_from_their_number() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let part = certificate_part(&shop, 3000);
    // By the limit of one, ten parts may cost 30,000 and each further one 300.
    let parts = |number: usize| container(&part.repeat(number));
    let three = |limits: &mut Limits| (limits.iterations, limits.scrypt_work) = (3000, 1);
    assert_eq!(refused(&parts(10), three), None);
    let total = |derivations, needed, limit| Problem::TotalCost {
        derivations,
        needed,
        limit,
    };
    assert_eq!(refused(&parts(11), three), Some(total(11, 33_000, 30_300)));
    assert_eq!(refused(&parts(50), three), Some(total(50, 150_000, 42_000)));
    // The option that the message names is enough, and one less is not.
    let error = read("a", &parts(50), &with(three)).expect_err("too dear");
    assert!(
        error.explain().contains("`--max-iterations 10715`"),
        "{}",
        error.explain()
    );
    assert_eq!(
        refused(&parts(50), |limits| (limits.iterations, limits.scrypt_work) =
            (10_715, 1)),
        None
    );
    let less = |limits: &mut Limits| (limits.iterations, limits.scrypt_work) = (10_714, 1);
    assert_eq!(refused(&parts(50), less), Some(total(50, 150_000, 149_996)));
}

#[test]
fn two_hundred_parts_as_certtool_writes_them_are_not_too_dear() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let file = std::fs::read(corpus.join("certtool-default.p12")).expect("the corpus has it");
    // The first encrypted part: its ContentInfo begins four bytes before its type, EncryptedData.
    let encrypted = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x06];
    let at = file.windows(11).position(|eleven| eleven == encrypted).expect("a part");
    let length = usize::from(u16::from_be_bytes([file[at - 2], file[at - 1]]));
    let part = &file[at - 4..at + length];
    assert!(part.starts_with(&[0x30, 0x82]));
    // 600,000 iterations for each part, and the first one's are done: that the password is wrong is found by work.
    let many = container(&part.repeat(200));
    assert_eq!(
        refused(&many, |_| {}),
        Some(Problem::WrongPassword {
            what: "the PKCS#12",
            tried: 1
        })
    );
    // With a tenth of the default the total is passed, in spite of the number.
    let dear = refused(&many, |limits| (limits.iterations, limits.scrypt_work) = (1_000_000, 1));
    assert_eq!(
        dear,
        Some(Problem::TotalCost {
            derivations: 200,
            needed: 120_000_000,
            limit: 29_000_000
        })
    );
}

#[test]
fn two_hundred_parts_are_read() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let many = container(&certificate_part(&shop, 3000).repeat(200));
    let found = read("a", &many, &with(|_| {})).expect("it is read");
    assert_eq!(found.certificates.len(), 200);
}

#[test]
fn the_number_of_derivations_is_limited_before_any_work_is_done() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let part = certificate_part(&shop, 1);
    let thousand = container(&part.repeat(1000));
    assert_eq!(refused(&thousand, |_| {}), None);
    let what = "key derivations";
    let more = container(&part.repeat(1001));
    assert_eq!(refused(&more, |_| {}), cost(what, 1001, 1000));
    let error = read("a", &more, &with(|_| {})).expect_err("too many");
    assert!(
        error.explain().contains("`--max-derivations 1001`"),
        "{}",
        error.explain()
    );
    assert_eq!(refused(&more, |limits| limits.derivations = 1001), None);
    // Hostile files. The largest is larger than any PKCS#12 may be; were it not, its parts would be too many.
    let part = certificate_part(&shop, 1_000_000);
    let hostile = container(&part.repeat(10_000));
    let any_size = |limits: &mut Limits| (limits.encrypted_bytes, limits.bytes) = (1 << 30, 1 << 30);
    assert_eq!(refused(&hostile, any_size), cost(what, 10_000, 1000));
    let hostile = container(&part.repeat(100_000));
    assert_eq!(refused(&hostile, |_| {}), limit("bytes of a PKCS#12", 4 << 20));
    assert_eq!(refused(&hostile, any_size), limit("parts of a PKCS#12", 20_000));
}

#[test]
fn keys_in_one_text_and_keys_inside_encrypted_parts_count_together() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs8 -topk8 -in leaf.key -iter 1 -passout pass:x -out enc.pem");
    let keys = shop.bytes("enc.pem").repeat(4);
    assert_eq!(refused(&keys, |limits| limits.derivations = 4), None);
    assert_eq!(
        refused(&keys, |limits| limits.derivations = 3),
        cost("key derivations", 4, 3)
    );
}

/// Options with the password of these tests and other limits.
fn with(change: impl FnOnce(&mut Limits)) -> ReadOptions<'static> {
    static WORDS: std::sync::LazyLock<[Password; 1]> = std::sync::LazyLock::new(|| [Password::from("x")]);
    let mut options = ReadOptions::with_passwords(&*WORDS);
    change(&mut options.limits);
    options
}

/// The encrypted part that holds the leaf, with so many iterations, out of a file of openssl.
fn certificate_part(shop: &Shop, iterations: u32) -> Vec<u8> {
    shop.run(&format!(
        "pkcs12 -export -nokeys -in leaf.crt -iter {iterations} -certpbe AES-256-CBC -passout pass:x -out part.p12"
    ));
    let file = shop.bytes("part.p12");
    // PFX, version 3, ContentInfo of type data, [0], octet string, AuthenticatedSafe: each with a length of two bytes.
    let at = 4 + 3 + 4 + 11 + 4 + 4 + 4;
    let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
    assert!(file[at..].starts_with(&[0x30, 0x82]));
    file[at..at + 4 + length].to_vec()
}

/// A PKCS#12 of these parts without an integrity check.
fn container(parts: &[u8]) -> Vec<u8> {
    let data = [0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01];
    let octets = der(0x04, &der(0x30, parts));
    let safe = der(0x30, &[&data[..], &der(0xA0, &octets)].concat());
    der(0x30, &[&[0x02, 0x01, 0x03][..], &safe].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("small").to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
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

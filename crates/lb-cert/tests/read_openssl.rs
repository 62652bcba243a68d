//! What openssl writes, we read.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.

mod openssl;

use lb_cert::{Format, KeyAlgorithm, ReadOptions, read};
use openssl::Shop;

#[test]
fn s_pem_06_a_chain_with_text_and_a_key_is_read() {
    let Some(shop) = Shop::open() else { return };
    shop.run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a -days 9",
    );
    let text = format!("Install this:\n\n{}\n{}", shop.text("c.pem"), shop.text("k.pem"));
    let contents = read("both.pem", text.as_bytes(), &ReadOptions::default()).expect("it is whole");
    assert_eq!(contents.format, Format::Pem);
    assert_eq!((contents.certificates.len(), contents.keys.len()), (1, 1));
    assert_eq!(*contents.keys[0].value.algorithm(), KeyAlgorithm::EcP256);
    assert_eq!(contents.certificates[0].place.to_string(), "both.pem, block 1 (line 3)");
}

#[test]
fn s_chain_06_uncommon_but_whole_certificates_are_read() {
    let Some(shop) = Shop::open() else { return };
    shop.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem");
    shop.run("req -new -key k.pem -subj /CN=old -out r.csr");
    for (name, arguments) in [
        ("version 1", "x509 -req -in r.csr -signkey k.pem -days 9"),
        ("until 2099", "req -x509 -key k.pem -subj /CN=a -days 27000"),
        ("serial 0", "req -x509 -key k.pem -subj /CN=a -set_serial 0"),
        ("a negative serial", "req -x509 -key k.pem -subj /CN=a -set_serial -5"),
        (
            "a serial of 20 bytes",
            "req -x509 -key k.pem -subj /CN=a -set_serial 0x7fffffffffffffffffffffffffffffffffffffff",
        ),
        ("no subject", "req -x509 -key k.pem -subj /"),
        ("SHA-512", "req -x509 -key k.pem -subj /CN=a -sha512"),
        (
            "several attributes in one name part",
            "req -x509 -key k.pem -subj /CN=a+OU=b/O=c -multivalue-rdn",
        ),
        (
            "letters of all kinds",
            "req -x509 -key k.pem -utf8 -subj /CN=\u{5e97}/O=B\u{fc}cher",
        ),
        (
            "an unknown critical extension",
            "req -x509 -key k.pem -subj /CN=a -addext 1.2.3.4=critical,ASN1:UTF8String:x",
        ),
    ] {
        shop.run(&format!("{arguments} -out c.pem"));
        for bytes in [shop.bytes("c.pem"), shop.run("x509 -in c.pem -outform der")] {
            let contents = read("c", &bytes, &ReadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(contents.certificates.len(), 1, "{name}");
        }
    }
}

#[test]
fn a_dsa_certificate_is_read_and_a_dsa_key_is_named() {
    let Some(shop) = Shop::open() else { return };
    shop.run("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out p.pem");
    shop.run("genpkey -paramfile p.pem -out k.pem");
    shop.run("req -x509 -key k.pem -subj /CN=a -days 3 -out c.pem");
    let contents = read(
        "c",
        &[shop.bytes("c.pem"), shop.bytes("k.pem")].concat(),
        &ReadOptions::default(),
    );
    let contents = contents.expect("it is whole");
    assert_eq!(contents.certificates.len(), 1);
    let dsa = KeyAlgorithm::Dsa { bits: 1024 };
    assert_eq!(*contents.keys[0].value.algorithm(), dsa);
    shop.run("dsa -in k.pem -out old.pem");
    let old = read("old.pem", &shop.bytes("old.pem"), &ReadOptions::default()).expect("treated alike");
    assert_eq!(*old.keys[0].value.algorithm(), dsa);
    assert_eq!(old.keys[0].value, contents.keys[0].value);
}

//! What is odd about a source is said, and it is read all the same.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs7", feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::{Format, NoteKind, Password, ReadOptions, read};
use openssl::Shop;
use openssl::goods::{Goods, wrapped};

/// The notes of a source that is read, as lines.
fn notes(name: &str, bytes: impl AsRef<[u8]>) -> Vec<String> {
    let words = [Password::from("x")];
    let contents =
        read(name, bytes.as_ref(), &ReadOptions::with_passwords(&words)).unwrap_or_else(|error| panic!("{error}"));
    assert!(contents.notes.iter().all(|note| note.kind.explain().len() > 30));
    contents.notes.iter().map(ToString::to_string).collect()
}

#[test]
fn s_pem_01_crlf_marks_and_blanks_are_read_with_a_note() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let leaf = shop.text("leaf.crt");
    assert_eq!(notes("a.pem", &leaf), [""; 0]);
    assert_eq!(
        notes("a.pem", leaf.replace('\n', "\r\n")),
        ["a.pem: lines end with CR LF"]
    );
    assert_eq!(
        notes("a.pem", leaf.replace('\n', "\r")),
        ["a.pem: lines end with a lone CR"]
    );
    assert_eq!(
        notes("a.pem", format!("\u{feff}{leaf}")),
        ["a.pem: begins with a byte order mark"]
    );
    assert_eq!(
        notes("a.pem", leaf.trim_end()),
        ["a.pem: the last line has no line end"]
    );
    assert_eq!(
        notes("a.pem", leaf.replacen("\nM", " \nM", 1)),
        [""; 0],
        "a blank behind BEGIN harms nobody"
    );
    let lines = leaf.lines().count() - 2;
    assert_eq!(
        notes("a.pem", leaf.replace('\n', "\t \n")),
        [format!("a.pem, block 1 (line 1): {lines} lines end with blanks")]
    );
    let utf16: Vec<u8> = leaf.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        notes("a.pem", [b"\xff\xfe", utf16.as_slice()].concat()),
        ["a.pem: is UTF-16 text"]
    );
    assert_eq!(
        notes(
            "a.pem",
            leaf.lines().map(|line| format!(" {line}\n")).collect::<String>()
        )
        .len(),
        1
    );
}

#[test]
fn s_pem_03_the_lint_says_which_line_has_how_many_columns() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let leaf = shop.text("leaf.crt");
    let joined = leaf.replacen('\n', "#", 2).replacen('\n', "", 1).replace('#', "\n");
    assert_eq!(
        notes("a.pem", joined),
        ["a.pem, block 1 (line 1): line 3 has 128 columns, not 64"]
    );
    let all: usize = leaf.lines().filter(|line| !line.starts_with('-')).map(str::len).sum();
    assert_eq!(
        notes("a.pem", wrapped(&leaf, 76)),
        [format!(
            "a.pem, block 1 (line 1): line 2 has 76 columns, not 64, as have {} more",
            all.div_ceil(76) - 2
        )]
    );
    assert_eq!(
        notes("a.pem", wrapped(&leaf, 10_000)),
        [format!("a.pem, block 1 (line 1): line 2 has {all} columns, not 64")]
    );
}

#[test]
fn s_pem_04_a_blank_line_between_certificates_is_read_with_a_note() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let [leaf, inter] = ["leaf.crt", "inter.crt"].map(|name| shop.text(name));
    let line = leaf.lines().count() + 2;
    assert_eq!(
        notes("a.pem", format!("{leaf}\n{inter}")),
        [format!("a.pem, block 2 (line {line}): an empty line before the block")]
    );
    assert_eq!(
        notes("a.pem", leaf.replacen('\n', "\n\n", 3)),
        ["a.pem, block 1 (line 1): an empty line inside the block"]
    );
    assert_eq!(
        notes("a.pem", format!("\n\n{leaf}\n\n")),
        [""; 0],
        "around the whole it harms nobody"
    );
}

#[test]
fn s_pem_05_and_s_key_02_each_block_has_its_own_lint() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    let [leaf, inter, key] = ["leaf.crt", "inter.crt", "leaf.key"].map(|name| shop.text(name));
    let found = notes("a.pem", format!("{}{inter}{}", wrapped(&leaf, 70), wrapped(&key, 60)));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("a.pem, block 1 (line 1): line 2 has 70 columns"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("a.pem, block 3 ") && found[1].contains(" has 60 columns"),
        "{found:?}"
    );
}

#[test]
fn s_pem_06_text_around_the_blocks_is_left_out_with_a_note() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let leaf = shop.text("leaf.crt");
    let found = notes("a.pem", format!("Dear customer,\n\ninstall this:\n{leaf}Yours\n"));
    let last = leaf.lines().count() + 4;
    assert_eq!(
        found,
        [
            "a.pem (line 1): 2 lines of text outside the blocks were ignored".to_owned(),
            format!("a.pem (line {last}): a line of text outside the blocks was ignored")
        ]
    );
}

#[test]
fn s_conv_03_and_s_conv_08_what_openssl_prints_around_is_left_out() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("pkcs12 -export -inkey leaf.key -in chain.crt -passout pass:x -name shop -out a.p12");
    let printed = shop.run("pkcs12 -in a.p12 -passin pass:x -nodes");
    assert!(String::from_utf8_lossy(&printed).starts_with("Bag Attributes"));
    let contents = read("a.pem", &printed, &ReadOptions::default()).expect("it is whole");
    assert_eq!((contents.certificates.len(), contents.keys.len()), (3, 1));
    assert!(
        contents
            .notes
            .iter()
            .all(|note| matches!(note.kind, NoteKind::Text { .. })),
        "{:?}",
        contents.notes
    );
}

#[test]
fn s_conv_04_pkcs7_without_a_key_is_explained_and_no_error() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    shop.run("crl2pkcs7 -nocrl -certfile chain.crt -outform der -out a.p7b");
    let contents = read("a.p7b", &shop.bytes("a.p7b"), &ReadOptions::default()).expect("it is whole");
    assert_eq!((contents.format, contents.keys.len()), (Format::Pkcs7, 0));
    let note = contents.notes.last().expect("a note");
    assert_eq!(
        note.to_string(),
        "a.p7b: PKCS#7 holds certificates only, never the private key"
    );
    assert!(note.kind.explain().contains("where the certificate request was made"));
    assert!(
        contents.certificates[1]
            .place
            .to_string()
            .starts_with("a.p7b, block 2 (byte ")
    );
}

#[test]
fn what_was_left_out_or_is_uncommon_is_named() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let leaf = shop.text("leaf.crt");
    let request = shop.text("leaf.csr");
    assert_eq!(
        notes("a.pem", format!("{request}{leaf}")),
        ["a.pem, block 1 (line 1): a certificate request: left out"]
    );
    assert_eq!(
        notes("a.pem", leaf.replace("CERTIFICATE", "X509 CERTIFICATE")),
        ["a.pem, block 1 (line 1): the label is \"X509 CERTIFICATE\""]
    );
    let found = notes("a.pem", format!("{leaf}{leaf}"));
    assert_eq!(
        found,
        [format!(
            "a.pem, block 2 (line {}): the same stood already in block 1",
            leaf.lines().count() + 1
        )]
    );
    let many = leaf.repeat(30);
    assert_eq!(notes("a.pem", many).len(), 29);
    shop.run("x509 -in leaf.crt -trustout -addtrust serverAuth -out trusted.pem");
    assert_eq!(
        notes("a.pem", shop.bytes("trusted.pem")),
        ["a.pem, block 1 (line 1): openssl's trust settings behind the certificate were left out"]
    );
    let body: String = leaf
        .lines()
        .filter(|line| !line.starts_with('-'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(notes("a.pem", body), ["a.pem: base64 without BEGIN and END lines"]);
    shop.run("pkcs12 -export -inkey leaf.key -in leaf.crt -passout pass:x -nomac -out a.p12");
    assert_eq!(
        notes("a.p12", shop.bytes("a.p12")),
        ["a.p12: PKCS#12 without integrity check"]
    );
    let relabelled = shop.text("leaf.key").replace("PRIVATE", "EC PRIVATE");
    assert_eq!(
        notes("a.pem", relabelled),
        ["a.pem, block 1 (line 1): the label is \"EC PRIVATE KEY\", the content a PKCS#8 private key"]
    );
    let elsewhere = "with which OpenSSL serves TLS and rustls does not";
    for (command, words) in [
        (
            "-algorithm X25519",
            "a key for X25519, with which no TLS server signs".to_owned(),
        ),
        ("-algorithm ED448", format!("a key for Ed448, {elsewhere}")),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
            format!("a key for ECDSA secp256k1, {elsewhere}"),
        ),
        (
            "-algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit",
            "the curve is given by its numbers, which are those of P-256".to_owned(),
        ),
    ] {
        shop.run(&format!("genpkey {command} -out other.key"));
        assert_eq!(
            notes("a.pem", shop.bytes("other.key")),
            [format!("a.pem, block 1 (line 1): {words}")]
        );
    }
}

#[test]
fn s_conv_04_what_is_no_use_alone_is_named_and_explained() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let error =
        read("a.csr", &shop.bytes("leaf.csr"), &ReadOptions::default()).expect_err("a request is no certificate");
    assert_eq!(
        error.to_string(),
        "a.csr: holds no certificate, key or revocation list, only: a certificate request"
    );
    assert!(error.explain().contains("goes to the certificate authority"));
}

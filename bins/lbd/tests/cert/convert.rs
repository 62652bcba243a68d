//! `lbd cert convert`.

use super::made::{Ca, blocks, ders, six};
use super::run::{Place, assert_text};

fn chain() -> (Place, String, String) {
    let place = Place::new();
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, key) = authority.leaf("www.example.com");
    let ordered = [&leaf, &authority.pem, &alpha.pem, &beta.pem, &gamma.pem, &root.pem]
        .map(String::as_str)
        .concat();
    let heap = [
        &gamma.pem,
        &key,
        &alpha.pem,
        &root.pem,
        &leaf,
        &beta.pem,
        &authority.pem,
    ]
    .map(String::as_str)
    .concat();
    place.put("heap.pem", &heap);
    place.put("key.pem", &key);
    (place, ordered, key)
}

#[test]
fn s_chain_08_any_order_in_right_order_out() {
    let (place, ordered, key) = chain();
    let said = place.cert("convert heap.pem --to pem --out out.pem").with_code(0);
    assert_eq!((said.out.as_str(), said.errors.as_str()), ("", ""));
    let written = place.text("out.pem");
    assert_eq!(ders(&written), ders(&ordered));
    assert_eq!(blocks(&written, "PRIVATE KEY"), blocks(&key, "PRIVATE KEY"));
    assert_eq!(place.mode("out.pem"), 0o600);
}

#[test]
fn s_pem_03_and_04_what_is_written_has_64_columns_and_nothing_between_the_blocks() {
    let (place, ..) = chain();
    place.cert("convert heap.pem --out out.pem").with_code(0);
    let written = place.text("out.pem");
    assert!(!written.contains('\r') && !written.contains("\n\n") && written.ends_with("-----\n"));
    let mut lines = written.lines().peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none_or(|next| next.starts_with("-----END"));
        let is_armour = line.starts_with("-----");
        assert!(is_armour || line.len() == 64 || (is_last && line.len() < 64), "{line}");
    }
}

#[test]
fn s_conv_01_binary_certificates_are_recognised_whatever_their_name() {
    let (place, ordered, _) = chain();
    let der = &ders(&ordered)[0];
    place.put("certificate.cer", der);
    let said = place.cert("convert certificate.cer").with_code(0);
    assert_eq!(ders(&said.out), std::slice::from_ref(der));
    // And back again.
    place.put("certificate.pem", said.out);
    place
        .cert("convert certificate.pem --to der --out again.der")
        .with_code(0);
    assert_eq!(place.get("again.der"), *der);
    assert_eq!(place.mode("again.der") & 0o077, 0o044);
}

#[test]
fn s_conv_02_a_binary_key_becomes_pem_and_back() {
    let (place, _, key) = chain();
    let der = &blocks(&key, "PRIVATE KEY")[0];
    place.put("privatekey.der", der);
    place.cert("convert privatekey.der --out key.new").with_code(0);
    assert_eq!(blocks(&place.text("key.new"), "PRIVATE KEY"), std::slice::from_ref(der));
    assert_eq!(place.mode("key.new"), 0o600);
    place.cert("convert key.new --to der --out key.der").with_code(0);
    assert_eq!(place.get("key.der"), *der);
    assert_eq!(place.mode("key.der"), 0o600);
}

#[test]
fn s_conv_03_and_04_pkcs7_loses_its_text_gets_its_order_and_has_no_key() {
    let (place, ordered, _) = chain();
    let said = place.cert("convert heap.pem --to p7b --out chain.p7b").with_code(0);
    assert_text(
        &said.errors,
        "lbd: note: PKCS#7 cannot hold a private key; the key of heap.pem is not in what is written\n",
    );
    let said = place.cert("convert chain.p7b").with_code(0);
    assert_eq!(ders(&said.out), ders(&ordered));
    assert_text(
        &said.errors,
        "lbd: note: chain.p7b is PKCS#7, which holds certificates and never a private key\n",
    );
    let said = place.cert("convert chain.p7b --only-key").with_code(4);
    assert_text(
        &said.errors,
        "lbd: chain.p7b holds no private key: PKCS#7 never does; the key is where the certificate was requested\n",
    );
}

#[test]
fn s_conv_05_and_06_a_pkcs12_gives_its_chain_and_its_key() {
    let (place, ordered, key) = chain();
    place.put("secret.txt", "tiger & lion \n");
    let make = "convert heap.pem --to p12 --out server.p12 --out-password-file secret.txt";
    place.cert(make).with_code(0);
    assert_eq!(place.mode("server.p12"), 0o600);

    place
        .cert("convert server.p12 --out out.pem --password-file secret.txt")
        .with_code(0);
    let written = place.text("out.pem");
    assert_eq!(ders(&written), ders(&ordered));
    assert_eq!(blocks(&written, "PRIVATE KEY"), blocks(&key, "PRIVATE KEY"));
    assert_eq!(place.mode("out.pem"), 0o600);

    let said = place
        .cert("convert server.p12 --no-key --password-file secret.txt")
        .with_code(0);
    assert_eq!(ders(&said.out), ders(&ordered));
    assert!(!said.out.contains("PRIVATE"));
    let variables = [("SECRET", "tiger & lion ")];
    let said = place
        .cert_with("convert server.p12 --only-key --password-env SECRET", &variables, b"")
        .with_code(0);
    assert!(!said.out.contains("CERTIFICATE"));
    assert_eq!(blocks(&said.out, "PRIVATE KEY"), blocks(&key, "PRIVATE KEY"));
}

#[test]
fn passwords_are_never_said_and_one_on_the_command_line_is_warned_of() {
    let (place, ..) = chain();
    let variables = [("SECRET", "tiger")];
    place
        .cert_with(
            "convert heap.pem --to p12 --out a.p12 --out-password-env SECRET",
            &variables,
            b"",
        )
        .with_code(0);
    let said = place.cert("convert a.p12 --out a.pem --password tiger").with_code(0);
    assert_text(
        &said.errors,
        "lbd: warning: a password on the command line can be seen by other users of this machine and stays in the \
         history of the shell; use --password-file or --password-env\n",
    );
    let said = place.cert("convert a.p12 --out b.pem --password leopard").with_code(5);
    assert!(
        !said.errors.contains("leopard") && !said.errors.contains("tiger"),
        "{}",
        said.errors
    );
    assert!(said.errors.contains("a.p12"), "{}", said.errors);
    // Without a terminal nobody is asked.
    let said = place.cert("convert a.p12 --out b.pem").with_code(5);
    assert!(said.errors.contains("--password-file"), "{}", said.errors);
    assert!(!place.has("b.pem"));
    let said = place.cert("convert heap.pem --to p12 --out b.p12").with_code(2);
    assert!(said.errors.contains("--out-password-file"), "{}", said.errors);
    let said = place.cert("convert a.p12 --password-env NOBODY_SET_THIS").with_code(2);
    assert!(said.errors.contains("NOBODY_SET_THIS"), "{}", said.errors);
}

#[test]
fn s_key_03_keys_come_in_the_form_that_is_asked_for() {
    let (place, _, key) = chain();
    for (form, label) in [
        ("pkcs8", "BEGIN PRIVATE KEY"),
        ("sec1", "BEGIN EC PRIVATE KEY"),
        ("traditional", "BEGIN EC PRIVATE KEY"),
    ] {
        let said = place.cert(&format!("convert key.pem --key-format {form}")).with_code(0);
        assert!(said.out.contains(label), "{form}: {}", said.out);
        // What was written is the same key.
        let back = place.cert_with("convert -", &[], said.out.as_bytes()).with_code(0);
        assert!(back.out.contains("BEGIN PRIVATE KEY"));
        let again = place.cert_with("match heap.pem -", &[], said.out.as_bytes());
        assert_eq!(again.code, Some(0), "{}", again.errors);
    }
    assert!(key.contains("BEGIN PRIVATE KEY"));
    let said = place
        .cert("convert key.pem --key-format pkcs1 --out none.pem")
        .with_code(4);
    assert!(
        said.errors.contains("key.pem") && said.errors.contains("RSA PRIVATE KEY"),
        "{}",
        said.errors
    );
    assert!(!place.has("none.pem"));
}

#[test]
fn an_existing_file_is_left_alone_without_force() {
    let (place, ordered, _) = chain();
    place.put("out.pem", "mine");
    let said = place.cert("convert heap.pem --out out.pem").with_code(1);
    assert_text(
        &said.errors,
        "lbd: out.pem exists and is left as it is; --force writes over it\n",
    );
    assert_eq!(place.text("out.pem"), "mine");
    place.cert("convert heap.pem --out out.pem --force").with_code(0);
    assert_eq!(ders(&place.text("out.pem")), ders(&ordered));
    // Over itself, too.
    place.cert("convert heap.pem --out heap.pem --force").with_code(0);
    assert_eq!(ders(&place.text("heap.pem")), ders(&ordered));
    assert_eq!(place.files(), ["heap.pem", "key.pem", "out.pem"]);
}

#[test]
fn a_file_that_others_could_read_is_closed_when_a_key_is_written_over_it() {
    use std::os::unix::fs::PermissionsExt;
    let (place, ..) = chain();
    place.put("out.pem", "mine");
    std::fs::set_permissions(place.path().join("out.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    place.cert("convert heap.pem --out out.pem --force").with_code(0);
    assert_eq!(place.mode("out.pem"), 0o600);
}

#[test]
fn a_link_stays_a_link_and_a_device_is_not_replaced() {
    let (place, ordered, _) = chain();
    place.put("real.pem", "old");
    std::os::unix::fs::symlink("real.pem", place.path().join("link.pem")).unwrap();
    place.cert("convert heap.pem --out link.pem --force").with_code(0);
    assert_eq!(ders(&place.text("real.pem")), ders(&ordered));
    assert!(place.path().join("link.pem").is_symlink());
    let said = place.cert("convert heap.pem --out /dev/null --force").with_code(1);
    assert!(said.errors.contains("/dev/null is not a file"), "{}", said.errors);
}

#[test]
fn what_cannot_be_written_is_a_failure_that_names_the_file() {
    let (place, ..) = chain();
    let said = place.cert("convert heap.pem --out nowhere/out.pem").with_code(1);
    assert!(said.errors.contains("nowhere/out.pem"), "{}", said.errors);
    let said = place.cert("convert absent.pem").with_code(1);
    assert!(said.errors.contains("absent.pem"), "{}", said.errors);
}

#[test]
fn s_key_04_a_foreign_key_is_not_written_beside_a_certificate() {
    let (place, ordered, _) = chain();
    let (_, foreign) = Ca::root("Other").leaf("other.example");
    place.put("pair.pem", format!("{ordered}{foreign}"));
    let said = place.cert("convert pair.pem --out out.pem").with_code(4);
    assert_text(
        &super::run::plain(&said.errors),
        "lbd: pair.pem, block 7 (line N): the key does not belong to the certificate www.example.com (pair.pem, block 1 (line 1))\n  \
         certificate's public key: SHA-256 <sha256>\n  \
         key's public half: SHA-256 <sha256>\n  \
         mend: look for the right key; --no-key or --only-key converts one of the two\n"
            .replace("line N", &format!("line {}", ordered.lines().count() + 1))
            .as_str(),
    );
    assert!(!place.has("out.pem"));
    place.cert("convert pair.pem --no-key --out out.pem").with_code(0);
    assert_eq!(ders(&place.text("out.pem")), ders(&ordered));
}

#[test]
fn s_chain_09_a_repeated_certificate_is_written_once() {
    let (place, ordered, _) = chain();
    place.put("twice.pem", format!("{ordered}{ordered}"));
    let said = place.cert("convert twice.pem --out out.pem").with_code(0);
    assert_text(&said.errors, "lbd: note: twice.pem: 6 repeated certificates left out\n");
    assert_eq!(ders(&place.text("out.pem")), ders(&ordered));
}

#[test]
fn a_conversion_loses_no_certificate_and_roots_only_on_request() {
    let (place, ordered, _) = chain();
    let stranger = Ca::root("Stranger").pem;
    place.put("more.pem", format!("{stranger}{ordered}"));
    let said = place.cert("convert more.pem --out out.pem").with_code(0);
    assert_text(
        &said.errors,
        "lbd: note: more.pem: written behind the chain, because they are not part of it: Stranger\n",
    );
    assert_eq!(ders(&place.text("out.pem")), ders(&format!("{ordered}{stranger}")));
    place.cert("convert more.pem --drop-root --out served.pem").with_code(0);
    assert_eq!(ders(&place.text("served.pem")), ders(&ordered)[..5]);
}

#[test]
fn der_holds_one_thing() {
    let (place, ..) = chain();
    let said = place.cert("convert heap.pem --to der --out out.der").with_code(4);
    assert_text(
        &said.errors,
        "lbd: DER holds one thing, and heap.pem holds 6 certificates, 1 key and 0 revocation lists\n  \
         mend: write the key with --only-key, or the certificates with --to p7b, or all with --to p12\n",
    );
    assert!(!place.has("out.der"));
}

#[test]
fn a_trust_store_of_roots_keeps_its_order() {
    let place = Place::new();
    let roots = ["C", "A", "B"].map(|name| Ca::root(name).pem).concat();
    place.put("roots.pem", &roots);
    place.cert("convert roots.pem --to p7b --out roots.p7b").with_code(0);
    place.cert("convert roots.p7b --out again.pem").with_code(0);
    assert_eq!(ders(&place.text("again.pem")), ders(&roots));
}

#[test]
fn expired_certificates_are_converted_all_the_same() {
    let place = Place::new();
    let root = Ca::root("Root");
    let key = rcgen::KeyPair::generate().unwrap();
    let (leaf, _) = root.leaf_with("old.example", &key, |parameters| {
        parameters.not_before = rcgen::date_time_ymd(2001, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2002, 1, 1);
    });
    place.put("old.pem", &leaf);
    place.cert("convert old.pem --out new.pem").with_code(0);
    assert_eq!(place.text("new.pem"), leaf);
}

//! `lbd cert bundle`.

use super::made::{AT, Ca, blocks, ders, six};
use super::run::{Place, assert_text, plain};

#[test]
fn s_chain_07_any_heap_of_files_becomes_one_bundle_and_its_key() {
    let place = Place::new();
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, key) = authority.leaf("www.example.com");
    let (stranger, stranger_key) = Ca::root("Stranger").leaf("other.example");
    place.put("some.crt", format!("{}{}{}", beta.pem, root.pem, authority.pem));
    place.put("more.crt", format!("{}{leaf}{}{}", gamma.pem, stranger, alpha.pem));
    place.put("again.crt", format!("{leaf}{}", alpha.pem));
    place.put("keys.pem", &stranger_key);
    place.put("key.pem", &key);
    // The stranger's key is there too: it comes later, so the first key's certificate is the leaf.
    let said = place
        .cert(&format!("bundle some.crt more.crt again.crt key.pem --out made/ {AT}"))
        .with_code(0);
    let line = |text: &str| text.lines().count() + 1;
    let lines = |parts: &[&str]| parts.iter().map(|part| line(part) - 1).sum::<usize>() + 1;
    assert_text(
        &plain(&said.out),
        &format!(
            "1 www.example.com (more.crt, block 2 (line {}))\n\
             2 Authority (some.crt, block 3 (line {}))\n\
             3 Alpha (more.crt, block 4 (line {}))\n\
             4 Beta (some.crt, block 1 (line 1))\n\
             5 Gamma (more.crt, block 1 (line 1))\n\
             key ECDSA P-256 (key.pem, block 1 (line 1))\n\
             left out www.example.com (again.crt, block 1 (line 1)): the same as more.crt, block 2 (line {})\n\
             left out Alpha (again.crt, block 2 (line {})): the same as more.crt, block 4 (line {})\n\
             left out Root (some.crt, block 2 (line {})): a root, which clients have\n\
             left out other.example (more.crt, block 3 (line {})): for another server\n\
             written: made/fullchain.pem\n\
             written: made/key.pem\n",
            lines(&[&gamma.pem]),
            lines(&[&beta.pem, &root.pem]),
            lines(&[&gamma.pem, &leaf, &stranger]),
            lines(&[&gamma.pem]),
            lines(&[&leaf]),
            lines(&[&gamma.pem, &leaf, &stranger]),
            lines(&[&beta.pem]),
            lines(&[&gamma.pem, &leaf]),
        ),
    );
    let expected = [&leaf, &authority.pem, &alpha.pem, &beta.pem, &gamma.pem]
        .map(String::as_str)
        .concat();
    assert_eq!(ders(&place.text("made/fullchain.pem")), ders(&expected));
    assert!(!place.text("made/fullchain.pem").contains("PRIVATE"));
    assert_eq!(
        blocks(&place.text("made/key.pem"), "PRIVATE KEY"),
        blocks(&key, "PRIVATE KEY")
    );
    assert_eq!(place.mode("made/key.pem"), 0o600);
    // Nothing is written over, and nothing is written at all when one of the two is there.
    std::fs::remove_file(place.path().join("made/fullchain.pem")).unwrap();
    let said = place
        .cert(&format!("bundle some.crt more.crt key.pem --out made {AT}"))
        .with_code(1);
    assert_text(
        &said.errors,
        "lbd: made/key.pem exists and is left as it is; --force writes over it\n",
    );
    assert!(!place.has("made/fullchain.pem"));
    place
        .cert(&format!("bundle some.crt more.crt key.pem --out made --force {AT}"))
        .with_code(0);
    assert_eq!(ders(&place.text("made/fullchain.pem")), ders(&expected));
}

#[test]
fn one_file_holds_chain_and_key_and_the_root_on_request() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("heap.pem", format!("{key}{}{leaf}", root.pem));
    place
        .cert("bundle heap.pem --out one.pem --keep-root --key-format sec1")
        .with_code(0);
    let written = place.text("one.pem");
    assert_eq!(ders(&written), ders(&format!("{leaf}{}", root.pem)));
    assert_eq!(blocks(&written, "EC PRIVATE KEY").len(), 1);
    assert_eq!(place.mode("one.pem"), 0o600);
    place.cert("bundle heap.pem --out two.pem").with_code(0);
    assert_eq!(ders(&place.text("two.pem")), ders(&leaf));
}

#[test]
fn an_issuer_that_is_missing_is_named_with_its_address() {
    let place = Place::new();
    let [.., authority] = six();
    let (leaf, _) = authority.leaf("www.example.com");
    place.put("leaf.pem", leaf);
    let said = place.cert("bundle leaf.pem --out out.pem").with_code(0);
    assert_text(
        &said.out,
        "1 www.example.com (leaf.pem, block 1 (line 1))\n\
         the last one was issued by CN=Authority, which was not given; unless clients know it as a root, add what is at \
         http://ca.example/authority.cer\n\
         written: out.pem\n",
    );
}

#[test]
fn s_key_04_a_key_of_another_certificate_makes_no_bundle() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, _) = root.leaf("www.example.com");
    let (_, foreign) = root.leaf("other.example");
    place.put("leaf.pem", leaf);
    place.put("foreign.key", foreign);
    let said = place.cert("bundle leaf.pem foreign.key --out out.pem").with_code(4);
    assert_text(
        &plain(&said.errors),
        "lbd: foreign.key, block 1 (line 1): the key does not belong to the certificate www.example.com (leaf.pem, \
         block 1 (line 1))\n  \
         certificate's public key: SHA-256 <sha256>\n  \
         key's public half: SHA-256 <sha256>\n  \
         mend: look for the key that was there when the certificate was requested; nothing was written\n",
    );
    assert!(!place.has("out.pem"));
    let said = place.cert("bundle foreign.key --out out.pem").with_code(4);
    assert_text(
        &said.errors,
        "lbd: no certificate was given\n  mend: add the file with the server's certificate\n",
    );
}

#[test]
fn every_bad_file_is_named() {
    let place = Place::new();
    let (leaf, _) = Ca::root("Root").leaf("www.example.com");
    place.put("good.pem", &leaf);
    place.put("cut.pem", &leaf[..leaf.len() / 2]);
    place.put("letter.txt", "Dear customer,\n");
    let said = place
        .cert("bundle good.pem cut.pem letter.txt --out out.pem")
        .with_code(3);
    for word in ["cut.pem", "letter.txt", "END"] {
        assert!(said.errors.contains(word), "{word}: {}", said.errors);
    }
    assert!(!place.has("out.pem"));
}

//! Passwords and what they cost.

use super::openssl::openssl;
use super::run::Place;

/// A PKCS#12 with this password and so many iterations; `None` without openssl.
fn locked(place: &Place, options: &str) -> Option<()> {
    let words = format!("pkcs12 -export -in leaf.pem -inkey key.pem -passout file:secret -out a.p12 {options}");
    openssl(place, &words).map(drop)
}

#[test]
fn a_limit_names_the_option_that_raises_it() {
    let (place, _) = super::openssl::chain();
    if locked(&place, "-iter 3000").is_none() {
        return;
    }
    let said = place.cert("inspect a.p12 --password-file secret --max-iterations 2999");
    assert_ne!(said.code, Some(0));
    assert!(said.errors.contains("`--max-iterations 3000`"), "{}", said.errors);
    place
        .cert("inspect a.p12 --password-file secret --max-iterations 3000")
        .with_code(0);
    if openssl(
        &place,
        "pkcs8 -topk8 -in key.pem -scrypt -passout file:secret -out s.pem",
    )
    .is_none()
    {
        return;
    }
    let said = place.cert("inspect s.pem --password-file secret --max-scrypt-work 1000");
    assert!(said.errors.contains("`--max-scrypt-work 131072`"), "{}", said.errors);
    place
        .cert("inspect s.pem --password-file secret --max-scrypt-work 131072")
        .with_code(0);
    place.cert("inspect a.p12 --max-iterations 0").with_code(2);
}

#[test]
fn a_password_file_need_not_be_utf_8() {
    let (place, _) = super::openssl::chain();
    place.put("secret", "p\u{E4}ss\n");
    for options in ["", "-legacy"] {
        if locked(&place, options).is_none() {
            return;
        }
        for (name, bytes) in [
            ("latin1", &b"p\xE4ss\n"[..]),
            ("utf16", b"\xFF\xFEp\0\xE4\0s\0s\0\r\0\n\0"),
            ("utf8", b"\xEF\xBB\xBFp\xC3\xA4ss\r\n"),
        ] {
            place.put(name, bytes);
            place
                .cert(&format!("inspect a.p12 --password-file {name}"))
                .with_code(0);
        }
        place.put("wrong", b"p\xE5ss\n");
        let said = place.cert("inspect a.p12 --password-file wrong");
        assert!(said.errors.contains("none of the passwords"), "{}", said.errors);
    }
    let said = place
        .cert("convert leaf.pem --to p12 --out b.p12 --out-password-file latin1")
        .with_code(2);
    assert!(said.errors.contains("not UTF-8"), "{}", said.errors);
}

#[test]
fn many_derivations_are_named_with_the_option_that_allows_them() {
    let (place, _) = super::openssl::chain();
    if locked(&place, "-iter 10").is_none() {
        return;
    }
    let said = place
        .cert("inspect a.p12 --password-file secret --max-derivations 2")
        .with_code(6);
    assert!(said.errors.contains("`--max-derivations 3`"), "{}", said.errors);
    place
        .cert("inspect a.p12 --password-file secret --max-derivations 3")
        .with_code(0);
    place.cert("inspect a.p12 --max-derivations 0").with_code(2);
}

/// A Java key store of lb-cert's corpus, whose password is "tigers".
fn java_store(place: &Place, name: &str) {
    let forms = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/lb-cert/tests/corpus/forms/");
    place.put(name, std::fs::read(format!("{forms}{name}")).unwrap());
}

#[test]
fn a_password_for_one_file_does_not_lock_a_java_key_store_beside_it() {
    let (place, _) = super::openssl::chain();
    if locked(&place, "-iter 10").is_none() {
        return;
    }
    for (store, format) in [("trust.jks", "JKS"), ("trust.jceks", "JCEKS")] {
        java_store(&place, store);
        for files in [format!("a.p12 {store}"), format!("{store} a.p12")] {
            let said = place
                .cert(&format!("inspect {files} --password-file secret"))
                .with_code(0);
            let note = format!("{store}: the password is not that of this {format}, so its integrity was not checked");
            assert!(said.out.contains(&note), "{}", said.out);
            let said = place.cert(&format!(
                "bundle {files} --password-file secret --out - --roots leaf.pem"
            ));
            assert_ne!(said.code, Some(5), "{}", said.errors);
        }
        // Alone, or beside files that need no password, it was meant for the store.
        for files in [store.to_owned(), format!("leaf.pem {store}")] {
            let said = place
                .cert(&format!("inspect {files} --password-file secret"))
                .with_code(5);
            assert!(
                said.errors.contains("fits the integrity check of the Java key store"),
                "{}",
                said.errors
            );
        }
        // Beside what it does not open either, it is wrong.
        place.put("wrong", "lion\n");
        place
            .cert(&format!("inspect a.p12 {store} --password-file wrong"))
            .with_code(5);
        // Its own password beside a file with another: each is tried on each.
        place.put("tigers", "tigers\n");
        let said = place
            .cert(&format!(
                "inspect a.p12 {store} --password-file secret --password-file tigers"
            ))
            .with_code(0);
        assert!(!said.out.contains("integrity was not checked"), "{}", said.out);
    }
    // A store and a key that needs the password.
    if openssl(
        &place,
        "pkcs8 -topk8 -in key.pem -iter 10 -passout file:secret -out s.pem",
    )
    .is_none()
    {
        return;
    }
    let said = place.cert("match trust.jks s.pem --password-file secret").with_code(4);
    assert!(said.out.contains("mismatch"), "{}{}", said.out, said.errors);
    let unchecked = "lbd: note: trust.jks: the password is not that of this JKS, so its integrity was not checked";
    assert!(said.errors.contains(unchecked), "{}", said.errors);
    for words in [
        "convert trust.jks a.p12 --out out.pem",
        "verify trust.jks a.p12 --roots leaf.pem",
    ] {
        let said = place.cert(&format!("{words} --password-file secret"));
        assert_ne!(said.code, Some(5), "{words}: {}", said.errors);
        assert!(said.errors.contains(unchecked), "{words}: {}", said.errors);
    }
    // A folder shows what it can, and says the rest.
    std::fs::create_dir(place.path().join("folder")).unwrap();
    java_store(&place, "server.jks");
    std::fs::rename(place.path().join("server.jks"), place.path().join("folder/server.jks")).unwrap();
    let said = place.cert("inspect folder --password-file secret").with_code(5);
    assert!(said.out.contains("JKS"), "{}", said.out);
}

#[test]
fn several_passwords_open_several_files() {
    let (place, _) = super::openssl::chain();
    if locked(&place, "-iter 10").is_none() {
        return;
    }
    place.put("other", "another\n");
    openssl(
        &place,
        "pkcs8 -topk8 -in key.pem -iter 10 -passout file:other -out s.pem",
    );
    let said = place.cert("inspect a.p12 s.pem --password-file secret").with_code(5);
    assert!(said.errors.contains("s.pem"), "{}", said.errors);
    assert!(said.errors.contains("may be repeated"), "{}", said.errors);
    for order in ["secret --password-file other", "other --password-file secret"] {
        place
            .cert(&format!("inspect a.p12 s.pem --password-file {order}"))
            .with_code(0);
    }
}

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

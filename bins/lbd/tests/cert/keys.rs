//! `lbd cert` on keys as other programs write them, from the corpus of lb-cert (`tests/corpus/keys/README.md`) and made
//! when the tests run; openssl judges what is written.

use super::made::{AT, Ca};
use super::run::{Place, Said, assert_text, plain};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/lb-cert/tests/corpus/keys")
}

/// A folder with the corpus in it.
fn place() -> Place {
    let place = Place::new();
    for entry in fs::read_dir(corpus()).unwrap() {
        let entry = entry.unwrap();
        place.put(entry.file_name().to_str().unwrap(), fs::read(entry.path()).unwrap());
    }
    place.put("secret", "tiger\n");
    place
}

/// Runs a program in the folder; `None` with a printed reason when it is absent and need not be there.
fn tool(place: &Place, words: &str) -> Option<Output> {
    let mut words = words.split_whitespace();
    let program = words.next().unwrap();
    let output = Command::new(program)
        .args(words)
        .current_dir(place.path())
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "{program}: {error}");
            println!("skipped: {program}: {error}");
            None
        }
    }
}

/// The public part in the common form, by openssl.
fn public(place: &Place, key: &str) -> Option<Vec<u8>> {
    let ec = tool(
        place,
        &format!("openssl ec -in {key} -pubout -param_enc named_curve -conv_form uncompressed -outform der"),
    )?;
    if ec.status.success() {
        return Some(ec.stdout);
    }
    let other = tool(place, &format!("openssl pkey -in {key} -pubout -outform der"))?;
    Some(if other.status.success() {
        other.stdout
    } else {
        Vec::new()
    })
}

/// `convert` in each form, and openssl finds the same key in each.
fn converts(place: &Place, key: &str) -> Option<()> {
    let before = public(place, key)?;
    assert!(!before.is_empty(), "openssl reads {key}");
    for form in ["pkcs8", "traditional"] {
        place
            .cert(&format!(
                "convert {key} --key-format {form} --out out.pem --force --password-file secret"
            ))
            .with_code(0);
        assert_eq!(public(place, "out.pem")?, before, "{key} as {form}");
        let said = place.cert("inspect out.pem").with_code(0);
        assert!(
            !said.out.contains("octets instead of") && !said.out.contains("by its numbers"),
            "{}",
            said.out
        );
    }
    Some(())
}

#[test]
fn every_key_of_the_corpus_is_converted_and_openssl_finds_the_same_in_it() {
    let place = place();
    for name in place.files().iter().filter(|name| name.ends_with(".key")) {
        // openssl 3.0 knows no ML-DSA
        if name.starts_with("mldsa") {
            place.cert(&format!("convert {name} --out {name}.out")).with_code(0);
            assert_eq!(place.text(&format!("{name}.out")), place.text(name));
        } else if converts(&place, name).is_none() {
            return;
        }
    }
}

#[test]
fn gnutls_keys_of_every_length_are_read() {
    let place = place();
    for curve in ["secp256r1", "secp384r1", "secp521r1"] {
        // The fault hits about half of them.
        for _ in 0..6 {
            let words = format!("certtool --generate-privkey --ecc --curve {curve} --no-text --outfile new.key");
            let Some(made) = tool(&place, &words) else { return };
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            if converts(&place, "new.key").is_none() {
                return;
            }
        }
    }
}

#[test]
fn perl_keys_with_the_numbers_of_a_curve_are_read() {
    let place = place();
    place.put(
        "make.pl",
        "use Crypt::PK::ECC; my $k = Crypt::PK::ECC->new(); $k->generate_key($ARGV[0]);\n\
         open my $f, '>', 'new.key'; print $f $k->export_key_pem($ARGV[1]);\n",
    );
    for curve in ["secp256r1", "secp384r1", "secp521r1", "secp256k1", "brainpoolp384r1"] {
        for form in ["private", "private_short", "private_compressed"] {
            let Some(made) = tool(&place, &format!("perl make.pl {curve} {form}")) else {
                return;
            };
            if !made.status.success() {
                let complaint = String::from_utf8_lossy(&made.stderr).into_owned();
                assert!(std::env::var_os("LBD_REQUIRE_PEERS").is_none(), "{complaint}");
                println!("skipped: {complaint}");
                return;
            }
            if converts(&place, "new.key").is_none() {
                return;
            }
        }
    }
}

#[test]
fn the_numbers_of_every_curve_of_openssl_are_that_curve() {
    let place = place();
    for curve in [
        "prime192v1",
        "prime192v2",
        "prime239v1",
        "prime239v3",
        "prime256v1",
        "secp112r1",
        "secp112r2",
        "secp128r1",
        "secp160k1",
        "secp160r1",
        "secp192k1",
        "secp224k1",
        "secp224r1",
        "secp256k1",
        "secp384r1",
        "secp521r1",
        "brainpoolP160r1",
        "brainpoolP192t1",
        "brainpoolP224r1",
        "brainpoolP256r1",
        "brainpoolP256t1",
        "brainpoolP320r1",
        "brainpoolP384r1",
        "brainpoolP384t1",
        "brainpoolP512r1",
        "brainpoolP512t1",
        "sect113r1",
        "sect113r2",
        "sect131r1",
        "sect131r2",
        "sect163k1",
        "sect163r1",
        "sect163r2",
        "sect193r1",
        "sect193r2",
        "sect233k1",
        "sect233r1",
        "sect239k1",
        "sect283k1",
        "sect283r1",
        "sect409k1",
        "sect409r1",
        "sect571k1",
        "sect571r1",
        "c2pnb163v1",
        "c2pnb163v2",
        "c2pnb163v3",
        "c2pnb176v1",
        "c2tnb191v1",
        "c2tnb191v2",
        "c2tnb191v3",
        "c2pnb208w1",
        "c2tnb239v1",
        "c2tnb239v2",
        "c2tnb239v3",
        "c2pnb272w1",
        "c2pnb304w1",
        "c2tnb359v1",
        "c2pnb368w1",
        "c2tnb431r1",
    ] {
        for form in ["uncompressed", "compressed"] {
            let words = format!(
                "openssl ecparam -name {curve} -genkey -noout -param_enc explicit -conv_form {form} -out new.key"
            );
            let Some(made) = tool(&place, &words) else { return };
            assert!(
                made.status.success(),
                "{curve}: {}",
                String::from_utf8_lossy(&made.stderr)
            );
            let said = place.cert("inspect new.key").with_code(0);
            let name = match curve {
                "prime192v1" => "P-192",
                "secp224r1" => "P-224",
                "prime256v1" => "P-256",
                "secp384r1" => "P-384",
                "secp521r1" => "P-521",
                name => name,
            };
            assert!(
                said.out.contains(&format!("which are those of {name}\n")),
                "{curve}: {}",
                said.out
            );
            if converts(&place, "new.key").is_none() {
                return;
            }
        }
    }
}

#[test]
fn certificates_and_keys_of_all_kinds_match() {
    let place = place();
    let mut matched = 0;
    for certificate in place.files().iter().filter(|name| name.ends_with(".crt")) {
        let key = certificate.replace(".crt", ".key");
        let said = place.cert(&format!("match {certificate} {key}"));
        // An Ed448 key does not hold its public half, and no library here computes it.
        let is_computed = !certificate.contains("ed448");
        assert_eq!(
            said.code,
            Some(if is_computed { 0 } else { 3 }),
            "{certificate}: {}{}",
            said.out,
            said.errors
        );
        let word = if is_computed { "match: " } else { "unknown: " };
        if !is_computed {
            compares(&place, &certificate.replace(".crt", ".key"), &said.out);
        }
        assert!(
            said.out.starts_with(word) && !said.errors.contains("damaged"),
            "{}{}",
            said.out,
            said.errors
        );
        let other = if key.contains("rsa-pss") {
            "gnutls-p256-33.key"
        } else {
            "openssl-rsa-pss.key"
        };
        let said = place.cert(&format!("match {certificate} {other}")).with_code(4);
        assert!(said.out.starts_with("mismatch: "), "{}", said.out);
        matched += u32::from(is_computed);
    }
    assert!(matched >= 12, "{matched}");
}

/// The command that is printed when nobody here can tell is run, and prints what was said.
fn compares(place: &Place, key: &str, said: &str) {
    let command = said.split('`').nth(1).unwrap_or_else(|| panic!("{key}: {said}"));
    let (_, rest) = said.split_once("` prints ").unwrap_or_else(|| panic!("{key}: {said}"));
    let expected = rest.split(' ').next().unwrap();
    let lbd = std::path::Path::new(env!("CARGO_BIN_EXE_lbd")).parent().unwrap();
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(place.path())
        .env("PATH", format!("{}:/usr/bin:/bin", lbd.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(
        out.trim_end().ends_with(expected) && expected.len() == 64,
        "{key}: {command}: {out}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn where_it_cannot_be_told_the_reason_is_the_keys_own_and_the_command_tells() {
    let place = place();
    for (certificate, key, reason) in [
        (
            "openssl-ed448.crt",
            "openssl-ed448.key",
            "the public half of an Ed448 key",
        ),
        (
            "openssl-brainpoolP256r1.crt",
            "openssl-nopublic-brainpoolP256r1.key",
            "does not hold the public point",
        ),
    ] {
        let said = place.cert(&format!("match {certificate} {key}")).with_code(3);
        assert!(said.out.contains(reason), "{key}: {}", said.out);
        assert!(!said.out.contains("do not use"), "{}", said.out);
        let said_by_doctor = place.cert(&format!("doctor {certificate} {key} --at 2026-11-21"));
        let (_, finding) = said_by_doctor
            .out
            .split_once("key-unknown")
            .unwrap_or_else(|| panic!("{}", said_by_doctor.out));
        assert!(finding.contains(" prints "), "{finding}");
        compares(&place, key, &said.out);
        let json = place.cert(&format!("match {certificate} {key} --json")).with_code(3);
        assert!(!json.out.contains("\"key_sha256\": \"\""), "{}", json.out);
    }
}

#[test]
fn a_point_in_another_form_is_compared_by_the_command_whatever_the_certificate_writes() {
    let place = Place::new();
    for (curve, certificates, keys) in [
        ("sect233k1", "uncompressed", "compressed"),
        ("sect571r1", "compressed", "uncompressed"),
        ("sect233k1", "hybrid", "compressed"),
    ] {
        for written in ["named_curve", "explicit"] {
            let words = format!(
                "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:{curve} -pkeyopt ec_param_enc:{written} \
                 -pkeyopt point-format:{certificates} -nodes -keyout made.key -out made.crt -subj /CN=binary -days 9"
            );
            let Some(made) = tool(&place, &words) else { return };
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let words = format!("openssl ec -in made.key -conv_form {keys} -param_enc {written} -out other.key");
            let made = tool(&place, &words).expect("it was there");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            let said = place.cert("match made.crt other.key");
            if said.code == Some(0) {
                continue; // this openssl does not write the certificate's point as asked
            }
            assert_eq!(said.code, Some(3), "{curve}, {written}: {}{}", said.out, said.errors);
            assert!(said.out.contains("in two forms"), "{}", said.out);
            compares(&place, "other.key", &said.out);
        }
    }
}

/// Those of [`lb_cert::Command::ALL`] that compare, each on a key of its own: what is to come out is known from openssl.
#[test]
fn every_command_that_compares_is_one_that_openssl_understands() {
    let place = Place::new();
    let Some(made) = tool(
        &place,
        "openssl ecparam -name brainpoolP256r1 -genkey -noout -out a.key",
    ) else {
        return;
    };
    assert!(made.status.success());
    let mut run = 0;
    for command in lb_cert::Command::ALL {
        let Some(rest) = command.template().strip_suffix(" | openssl sha256") else {
            continue;
        };
        let form = rest
            .split_once("-ec_conv_form ")
            .map_or("uncompressed", |(_, form)| form);
        let words = format!("openssl ec -in a.key -pubout -conv_form {form} -outform DER -out a.der");
        assert!(tool(&place, &words).expect("it was there").status.success());
        let digest = tool(&place, "openssl sha256 a.der").expect("it was there");
        let digest = String::from_utf8(digest.stdout).unwrap();
        let digest = digest.trim_end().rsplit(' ').next().unwrap();
        let filled = command.fill(&lb_cert::Place::whole(&"a.key".into()));
        compares(&place, "a.key", &format!("`{filled}` prints {digest} "));
        run += 1;
    }
    assert_eq!(run, 5);
}

#[test]
fn a_dsa_key_is_matched_in_both_its_forms() {
    let place = place();
    // In PKCS#8 the public number is computed; in openssl's form of old it stands there, and is compared.
    place.cert("match openssl-dsa.crt openssl-dsa-pkcs8.key").with_code(0);
    place.cert("match openssl-dsa.crt perl-dsa.key").with_code(4);
}

#[test]
fn a_pkcs12_of_gnutls_becomes_a_pair() {
    let place = place();
    place
        .cert("convert gnutls-p256-33.p12 --password-file secret --out out.pem")
        .with_code(0);
    place.cert("match out.pem gnutls-p256-33.key").with_code(0);
    place.cert("match gnutls-p256-33.crt out.pem").with_code(0);
}

#[test]
fn what_rustls_does_not_serve_is_said_and_is_not_damaged() {
    let place = place();
    for (key, words) in [
        (
            "openssl-ed448.key",
            "a key for Ed448, with which OpenSSL serves TLS and rustls does not",
        ),
        (
            "openssl-brainpoolP256r1.key",
            "a key for ECDSA brainpoolP256r1, with which OpenSSL serves",
        ),
        ("openssl-dsa.key", "a key for DSA 1024, with which OpenSSL serves"),
        ("openssl-dsa-pkcs8.key", "a key for DSA 1024, with which OpenSSL serves"),
        ("mldsa65.key", "a key for ML-DSA-65, with which OpenSSL serves"),
        ("openssl-x25519.key", "a key for X25519, with which no TLS server signs"),
    ] {
        let said = place.cert(&format!("inspect {key}")).with_code(0);
        assert!(said.out.contains(words), "{key}: {}", said.out);
    }
}

#[test]
fn a_key_of_an_unknown_kind_is_unknown() {
    let place = place();
    // PKCS#8 by RFC 5958: version 0, algorithm 1.3.6.1.4.1.99999.1, four octets
    let der = [
        &[0x30, 0x17, 0x02, 0x01, 0x00, 0x30, 0x0c, 0x06, 0x0a][..],
        &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x86, 0x8d, 0x1f, 0x01, 0x01],
        &[0x04, 0x04, 1, 2, 3, 4],
    ]
    .concat();
    place.put("new.key", &der);
    let said = place.cert("inspect new.key").with_code(0);
    assert!(
        said.out.contains("key unknown kind 1.3.6.1.4.1.99999.1.1"),
        "{}",
        said.out
    );
    let said = place.cert("convert new.key --out out.pem");
    assert!(matches!(said.code, Some(3 | 6)), "{said:?}");
    assert!(
        said.errors.contains("not known here") && !said.errors.contains("damaged"),
        "{}",
        said.errors
    );
    place.cert("convert new.key --out out.pem --unchecked").with_code(0);
}

fn bundle() -> (Place, Vec<String>) {
    let place = Place::new();
    let root = Ca::root("Root");
    let middle = root.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("bundle.pem", format!("{leaf}{}{}", middle.pem, root.pem));
    place.put("backwards.pem", format!("{}{}{leaf}", root.pem, middle.pem));
    place.put("authorities.pem", format!("{}{}", root.pem, middle.pem));
    place.put("leaf.key", key);
    let keys = [("middle.key", &middle), ("root.key", &root)];
    keys.iter().for_each(|(name, ca)| place.put(name, ca.key_pem()));
    let names = keys.iter().map(|(name, _)| (*name).to_owned()).collect();
    (place, names)
}

#[test]
fn the_key_of_an_issuer_in_the_bundle_is_a_mismatch() {
    let (place, issuers) = bundle();
    for file in ["bundle.pem", "backwards.pem"] {
        place.cert(&format!("match {file} leaf.key")).with_code(0);
        for key in &issuers {
            let said = place.cert(&format!("match {file} {key}")).with_code(4);
            let issuer = if key == "root.key" { "Root" } else { "Middle" };
            assert!(said.out.contains("is not the key of www.example.com"), "{}", said.out);
            let words = format!("  it is the key of {issuer} ({file}, block ");
            assert!(said.out.contains(&words), "{}", said.out);
            let json = place.cert(&format!("match {file} {key} --json")).with_code(4);
            assert!(
                json.out.contains(&format!("\"subject\": \"CN={issuer}\"")),
                "{}",
                json.out
            );
        }
    }
    // Of authorities alone it is the one that issued none of the others.
    place.cert("match authorities.pem middle.key").with_code(0);
    place.cert("match authorities.pem root.key").with_code(4);
}

#[test]
fn a_revocation_list_says_who_when_and_how_many() {
    let place = Place::new();
    place.put("root.crl", Ca::root("Root").revocations(&[0x05]));
    let said = place.cert(&format!("inspect root.crl {AT}")).with_code(0);
    let (_, list) = said.out.split_once("\n\n").unwrap();
    let (first, rest) = list.split_once('\n').unwrap();
    assert!(
        first.starts_with("revocation list (root.crl, block 1 (line 1), "),
        "{first}"
    );
    let expected = "  issuer          CN=Root\n  this update     2026-11-01T00:00:00Z\n  next update     \
                    2026-12-01T00:00:00Z\n                  in force\n  revokes         1 certificate\n";
    assert!(rest.starts_with(expected), "{rest}");
    let outdated = place.cert("inspect root.crl --at 2026-12-02").with_code(0);
    assert!(outdated.out.contains("out of date"), "{}", outdated.out);
    let json = place.cert(&format!("inspect root.crl {AT} --json")).with_code(0);
    for line in [
        "\"issuer\": \"CN=Root\"",
        "\"revoked\": 1",
        "\"currency\": \"current\"",
        "\"next_update\": \"2026-12-01T00:00:00Z\"",
    ] {
        assert!(json.out.contains(line), "{line}: {}", json.out);
    }
}

#[test]
fn pem_that_lost_its_lines_is_converted_with_a_note() {
    let place = Place::new();
    let (leaf, key) = Ca::root("Root").leaf("www.example.com");
    let both = format!("{leaf}{key}");
    place.put("right.pem", &both);
    place.cert("convert right.pem --out right.out").with_code(0);
    for (name, text, words) in [
        (
            "one-line",
            both.replace('\n', " "),
            "base64 in the line of BEGIN or END",
        ),
        ("json", format!("{{\"tls\": \"{}\"}}", both.replace('\n', "\\n")), r"\n"),
        (
            "joined",
            format!("{}{key}", leaf.trim_end()),
            "an END and a BEGIN line in one line",
        ),
        (
            "dashes",
            both.replace("-----", "\u{2014}\u{2013}"),
            "dashes that are not the minus sign",
        ),
        ("quotes", format!("TLS=\"{both}\"\n"), "quotes or other signs"),
    ] {
        place.put(name, text);
        let said = place.cert(&format!("inspect {name}")).with_code(0);
        assert!(
            said.out.contains("mended while reading: ") && said.out.contains(words),
            "{name}: {}",
            said.out
        );
        place.cert(&format!("convert {name} --out {name}.out")).with_code(0);
        assert_eq!(place.text(&format!("{name}.out")), place.text("right.out"), "{name}");
    }
    // Indented as in YAML, with tabs, or with the line ends of old Macs: read without any mending.
    let indented: String = both.lines().map(|line| format!("    {line}\n")).collect();
    for (name, text) in [
        ("yaml", format!("tls:\n  crt: |\n{indented}")),
        ("tabs", indented.replace("    ", "\t")),
        ("old-mac", both.replace('\n', "\r")),
    ] {
        place.put(name, text);
        place.cert(&format!("convert {name} --out {name}.out")).with_code(0);
        assert_eq!(place.text(&format!("{name}.out")), place.text("right.out"), "{name}");
    }
}

#[test]
fn a_mismatch_of_kinds_needs_no_public_half() {
    let place = place();
    let said: Said = place.cert("match openssl-rsa-pss.crt openssl-ed448.key").with_code(4);
    assert_text(
        &plain(&said.out),
        "mismatch: openssl-ed448.key, block 1 (line 1) is not the key of pss (openssl-rsa-pss.crt, block 1 (line 1))\n  \
         certificate's public key, RSA-PSS 2048: SHA-256 <sha256>\n  key's public half, Ed448: SHA-256 unknown\n",
    );
}

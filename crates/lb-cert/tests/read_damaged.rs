//! Damaged containers: all are refused, with a place and a reason, and nothing panics.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs7", feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::{Password, Problem, ReadError, ReadOptions, read};
use openssl::Shop;
use openssl::goods::{Goods, body, generation, wrapped};

/// The refusal of `bytes`.
fn refused(name: &str, bytes: &[u8], words: &[&str]) -> Result<ReadError, String> {
    let passwords: Vec<Password> = words.iter().map(|word| Password::from(*word)).collect();
    let options = ReadOptions::with_passwords(&passwords);
    #[cfg(feature = "aws-lc-rs")]
    let options = options.crypto(&lb_cert::AwsLc);
    match read(name, bytes, &options) {
        Ok(contents) => Err(format!(
            "{name}: accepted: {} certificates, {} keys",
            contents.certificates.len(),
            contents.keys.len()
        )),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.starts_with(name), "{line}");
            assert!(error.explain().len() > 40, "{line}: {}", error.explain());
            Ok(error)
        }
    }
}

/// Collects what was accepted and should not.
#[derive(Default)]
struct Judge {
    count: usize,
    accepted: Vec<String>,
}

impl Judge {
    fn refuse(&mut self, name: &str, bytes: impl AsRef<[u8]>, words: &[&str]) {
        self.count += 1;
        if let Err(accepted) = refused(name, bytes.as_ref(), words) {
            self.accepted.push(accepted);
        }
    }

    fn end(self, least: usize) {
        assert!(
            self.accepted.is_empty(),
            "{} of {}:\n{}",
            self.accepted.len(),
            self.count,
            self.accepted.join("\n")
        );
        assert!(self.count >= least, "only {}", self.count);
    }
}

#[test]
fn s_pem_02_damaged_armour_is_refused() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let [leaf, inter, key] = ["leaf.crt", "inter.crt", "leaf.key"].map(|name| shop.text(name));
    let mut judge = Judge::default();
    // Each damage to the only block, to the second and to one between others.
    let mut everywhere = |name: &str, change: &dyn Fn(&str) -> String| {
        judge.refuse(name, change(&leaf), &[]);
        judge.refuse(name, format!("{leaf}{}", change(&inter)), &[]);
        judge.refuse(name, format!("{leaf}{}{key}", change(&inter)), &[]);
        judge.refuse(name, format!("{}{leaf}", change(&key)), &[]);
        judge.refuse(name, change(&leaf).replace('\n', "\r\n"), &[]);
    };
    let begin_line = |pem: &str| pem.lines().next().expect("a line").to_owned();
    everywhere("no END", &|pem| {
        pem.lines()
            .filter(|line| !line.contains("END"))
            .map(|line| format!("{line}\n"))
            .collect()
    });
    everywhere("no BEGIN", &|pem| pem.split_once('\n').expect("lines").1.to_owned());
    everywhere("no dashes before BEGIN", &|pem| pem.replace("-----BEGIN", "BEGIN"));
    everywhere("no dashes before END", &|pem| pem.replace("-----END", "END"));
    everywhere("4 dashes before BEGIN", &|pem| pem.replace("-----BEGIN", "----BEGIN"));
    everywhere("4 dashes before END", &|pem| pem.replace("-----END", "----END"));
    everywhere("6 dashes before BEGIN", &|pem| pem.replace("-----BEGIN", "------BEGIN"));
    everywhere("6 dashes before END", &|pem| pem.replace("-----END", "------END"));
    everywhere("1 dash before BEGIN", &|pem| pem.replace("-----BEGIN", "-BEGIN"));
    everywhere("4 dashes behind", &|pem| pem.replace("-----\n", "----\n"));
    everywhere("6 dashes behind", &|pem| pem.replace("-----\n", "------\n"));
    everywhere("no dashes behind", &|pem| pem.replace("-----\n", "\n"));
    everywhere("no dashes at all", &|pem| pem.replace("-----", ""));
    everywhere("blanks in the dashes", &|pem| {
        pem.replace("-----BEGIN", "- - - - -BEGIN")
    });
    everywhere("blank behind the dashes", &|pem| {
        pem.replace("-----BEGIN", "----- BEGIN")
    });
    everywhere("other END label", &|pem| pem.replace("-----END ", "-----END X509 "));
    everywhere("END is BEGIN", &|pem| pem.replace("-----END", "-----BEGIN"));
    everywhere("misspelt label", &|pem| {
        pem.replace("CERTIFICATE", "CERTIFICAT").replace("PRIVATE", "PRIVAT")
    });
    everywhere("no label", &|pem| {
        pem.replace("CERTIFICATE", "").replace("PRIVATE KEY", "")
    });
    everywhere("something before the dashes", &|pem| {
        pem.replace("-----BEGIN", "x-----BEGIN")
    });
    everywhere("empty", &|pem| {
        format!("{}\n{}\n", begin_line(pem), begin_line(pem).replace("BEGIN", "END"))
    });
    everywhere("cut in the middle", &|pem| pem[..pem.len() / 2].to_owned());
    everywhere("cut in the END line", &|pem| pem[..pem.len() - 9].to_owned());
    judge.refuse(
        "neither BEGIN nor END",
        format!("{leaf}{}", inter.lines().skip(1).take(7).collect::<Vec<_>>().join("\n")),
        &[],
    );
    judge.end(110);
}

#[test]
fn damaged_base64_is_refused_where_it_is_damaged() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    let [leaf, inter] = ["leaf.crt", "inter.crt"].map(|name| shop.text(name));
    let mut judge = Judge::default();
    let key = shop.text("leaf.key");
    for pem in [&leaf, &key] {
        let lines: Vec<&str> = pem.lines().collect();
        for number in 1..lines.len() - 1 {
            let with = |line: String| {
                let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                changed[number] = line;
                format!("{inter}{}\n", changed.join("\n"))
            };
            let line = lines[number];
            judge.refuse("a character fewer", with(line[1..].to_owned()), &[]);
            judge.refuse("a character more", with(format!("{line}A")), &[]);
            judge.refuse("a line fewer", with(String::new()), &[]);
            judge.refuse("a line twice", with(format!("{line}\n{line}")), &[]);
            judge.refuse("padding inside", with(format!("{}={}", &line[..5], &line[6..])), &[]);
            for strange in ["!", "-", "_", "\\", "*", "\u{e9}", "\0", "\u{2026}", ",", ":", "<"] {
                judge.refuse(
                    "a strange character",
                    with(format!("{}{strange}{}", &line[..9], &line[10..])),
                    &[],
                );
            }
        }
    }
    // A subject of another length until there is padding.
    for subject in ["/CN=a", "/CN=ab", "/CN=abc"] {
        shop.run(&format!(
            "req -x509 -key inter.key -days 9 -subj {subject} -out padded.crt"
        ));
        let padded = shop.text("padded.crt");
        if padded.contains('=') {
            judge.refuse("no padding", padded.replace('=', ""), &[]);
            judge.refuse(
                "more padding",
                padded.replace("=\n", "==\n").replace("===", "===="),
                &[],
            );
        }
    }
    judge.end(400);

    let damaged = leaf.replacen("\nMII", "\nM!I", 1);
    let error = refused("chain.pem", format!("{inter}{damaged}").as_bytes(), &[]).expect("it is damaged");
    let line = inter.lines().count() + 2;
    assert!(
        error.to_string().starts_with(&format!(
            "chain.pem, block 2 (line {line}): column 2: '!' is not base64"
        )),
        "{error}"
    );
}

#[test]
fn structures_that_are_cut_lengthened_or_bent_are_refused() {
    let Some(shop) = Shop::open() else { return };
    let mut judge = Judge::default();
    for kind in ["rsa", "p256", "ed25519"] {
        let goods = Goods::make(&shop, kind);
        shop.run("crl2pkcs7 -nocrl -certfile chain.crt -outform der -out all.p7b");
        shop.run("pkcs12 -export -inkey leaf.key -in chain.crt -passout pass:x -out site.p12");
        shop.run("pkcs8 -topk8 -in leaf.key -outform der -passout pass:x -out enc.der");
        let mut all = vec![
            ("certificate", goods.chain[0].clone()),
            ("key", goods.key.clone()),
            ("crl", goods.crl.clone()),
            ("pkcs7", shop.bytes("all.p7b")),
            ("pkcs12", shop.bytes("site.p12")),
            ("encrypted key", shop.bytes("enc.der")),
        ];
        if goods.traditional().is_some() {
            let form = if kind == "rsa" { "rsa -traditional" } else { "ec" };
            all.push(("old key", shop.run(&format!("{form} -in leaf.key -outform der"))));
        }
        for (what, der) in all {
            let name = format!("{kind} {what}");
            // Passwords cost time: what is cut or lengthened is refused before them.
            for length in 0..der.len() {
                judge.refuse(&format!("{name} cut at {length}"), &der[..length], &["x"]);
            }
            for tail in [&b"\0"[..], b"\n", b"\r\n", b"garbage", &der] {
                judge.refuse(&format!("{name} with a tail"), [der.as_slice(), tail].concat(), &["x"]);
            }
            for first in [0x31, 0x00, 0xB0, 0x10] {
                let mut bent = der.clone();
                bent[0] = first;
                judge.refuse(&format!("{name} with another first byte"), bent, &["x"]);
            }
        }
    }
    judge.end(5000);
}

/// Offsets of all length bytes of the nested definite elements of a DER structure, by openssl's own parser.
fn lengths(shop: &Shop, der: &[u8]) -> Vec<usize> {
    shop.write("parse.der", der);
    let listing = shop.run("asn1parse -inform der -in parse.der");
    let offset = |line: &str| {
        line.trim_start()
            .split(':')
            .next()
            .and_then(|number| number.trim().parse::<usize>().ok())
    };
    String::from_utf8_lossy(&listing)
        .lines()
        .filter_map(offset)
        .map(|at| at + 1)
        .collect()
}

#[test]
fn every_bent_length_is_refused() {
    let Some(shop) = Shop::open() else { return };
    let mut judge = Judge::default();
    for kind in ["rsa", "p256", "ed25519"] {
        let goods = Goods::make(&shop, kind);
        shop.run("crl2pkcs7 -nocrl -certfile chain.crt -outform der -out all.p7b");
        let all = [
            ("certificate", goods.chain[0].clone()),
            ("key", goods.key.clone()),
            ("crl", goods.crl.clone()),
            ("pkcs7", shop.bytes("all.p7b")),
        ];
        for (what, der) in all {
            for at in lengths(&shop, &der) {
                for change in [1u8, 0xFF, 0x20] {
                    let mut bent = der.clone();
                    // In the long form the last byte of the length is bent.
                    let at = if bent[at] & 0x80 == 0 {
                        at
                    } else {
                        at + usize::from(bent[at] & 0x7F)
                    };
                    bent[at] = bent[at].wrapping_add(change);
                    judge.refuse(&format!("{kind} {what}, byte {at} by {change}"), bent, &[]);
                }
            }
        }
    }
    judge.end(500);
}

#[test]
fn labels_that_lie_are_refused() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    shop.run("crl2pkcs7 -nocrl -certfile chain.crt -out all.p7b");
    let mut judge = Judge::default();
    let [leaf, key, crl, p7b] = ["leaf.crt", "leaf.key", "root.crl", "all.p7b"].map(|name| shop.text(name));
    let relabel = |pem: &str, label: &str| {
        let own = pem
            .lines()
            .next()
            .expect("a line")
            .replace("-----BEGIN ", "")
            .replace("-----", "");
        pem.replace(&format!("{own}-----"), &format!("{label}-----"))
    };
    for label in [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "X509 CRL",
        "PKCS7",
        "CMS",
    ] {
        judge.refuse(&format!("certificate as {label}"), relabel(&leaf, label), &["x"]);
        if label != "X509 CRL" {
            judge.refuse(&format!("list as {label}"), relabel(&crl, label), &["x"]);
        }
    }
    for label in [
        "CERTIFICATE",
        "X509 CERTIFICATE",
        "TRUSTED CERTIFICATE",
        "X509 CRL",
        "PKCS7",
        "EC PRIVATE KEY",
    ] {
        judge.refuse(&format!("key as {label}"), relabel(&key, label), &["x"]);
    }
    for label in ["CERTIFICATE", "PRIVATE KEY", "X509 CRL", "SOMETHING"] {
        judge.refuse(&format!("PKCS#7 as {label}"), relabel(&p7b, label), &["x"]);
    }
    judge.refuse(
        "a request as certificate",
        relabel(&shop.text("leaf.csr"), "CERTIFICATE"),
        &[],
    );
    judge.refuse("only a request", shop.text("leaf.csr"), &[]);
    judge.refuse("only a public key", shop.run("pkey -in leaf.key -pubout"), &[]);
    judge.refuse(
        "only a public key in DER",
        shop.run("pkey -in leaf.key -pubout -outform der"),
        &[],
    );
    judge.refuse("only a request in DER", shop.run("req -in leaf.csr -outform der"), &[]);
    judge.refuse("nothing", "", &[]);
    judge.refuse("blanks", " \r\n\t\n", &[]);
    judge.refuse("a mark", "\u{feff}", &[]);
    judge.refuse("text", "Hello\n", &[]);
    judge.refuse("HTML", "<html><body>404</body></html>\n", &[]);
    judge.refuse("a word of base64", "abcd", &[]);
    judge.refuse("zeros", [0u8; 500], &[]);
    judge.refuse("0xFF", [0xFFu8; 500], &[]);
    judge.refuse(
        "two DER certificates",
        [
            shop.run("x509 -in leaf.crt -outform der"),
            shop.run("x509 -in root.crt -outform der"),
        ]
        .concat(),
        &[],
    );
    judge.refuse("a Java key store", [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2], &[]);
    judge.end(35);
}

#[test]
fn s_conv_06_wrong_passwords_and_bent_pkcs12_are_refused() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "p256");
    let mut judge = Judge::default();
    for scheme in ["", "-legacy", "-keypbe NONE -certpbe NONE", "-macalg sha1 -descert"] {
        shop.run(&format!(
            "pkcs12 -export -inkey leaf.key -in chain.crt -passout pass:right {scheme} -out site.p12"
        ));
        let whole = shop.bytes("site.p12");
        for words in [
            &[][..],
            &["wrong"],
            &["Right"],
            &["right "],
            &[""],
            &["wrong", "also wrong"],
        ] {
            judge.refuse(&format!("{scheme} {words:?}"), &whole, words);
        }
        assert!(
            read(
                "x",
                &whole,
                &ReadOptions::with_passwords(&["wrong".into(), "right".into()])
            )
            .is_ok(),
            "{scheme}"
        );
        // With a MAC no bit may change, whatever it is in.
        for at in (0..whole.len())
            .step_by(whole.len() / 60)
            .chain(whole.len() - 70..whole.len())
        {
            let mut bent = whole.clone();
            bent[at] ^= 0x10;
            judge.refuse(&format!("{scheme} bit in byte {at}"), bent, &["right"]);
        }
    }
    shop.run("pkcs8 -topk8 -in leaf.key -out enc.pem -passout pass:right");
    for words in [&[][..], &["wrong"], &[""], &["right\n"], &["RIGHT"]] {
        judge.refuse(&format!("key {words:?}"), shop.bytes("enc.pem"), words);
    }
    judge.end(500);
    let none = refused("a.p12", &shop.bytes("site.p12"), &[]).expect("it needs one");
    assert_eq!(none.problem, Problem::PasswordNeeded { what: "the PKCS#12" });
    let wrong = refused("a.p12", &shop.bytes("site.p12"), &["tiger"]).expect("it is wrong");
    assert_eq!(
        wrong.problem,
        Problem::WrongPassword {
            what: "the PKCS#12",
            tried: 1
        }
    );
    assert!(!format!("{wrong:?} {wrong} {}", wrong.explain()).contains("tiger"));
}

#[cfg(feature = "aws-lc-rs")]
#[test]
fn keys_whose_numbers_do_not_belong_together_are_refused() {
    let Some(shop) = Shop::open() else { return };
    let mut judge = Judge::default();
    for kind in ["rsa", "rsa-pss", "p256", "p384", "p521"] {
        shop.run(&format!("genpkey {} -out a.key", generation(kind)));
        let der = shop.run("pkcs8 -topk8 -nocrypt -in a.key -outform der");
        // A bit in the middle of a number: the structure stays whole.
        let numbers = [der.len() / 4, der.len() / 2, der.len() * 3 / 4, der.len() - 5];
        for at in numbers {
            let mut bent = der.clone();
            bent[at] ^= 0x04;
            judge.refuse(&format!("{kind}, bit in byte {at} of {}", der.len()), bent, &[]);
        }
    }
    judge.end(20);
}

#[test]
fn s_pem_07_a_sample_damaged_by_text_extraction_gives_a_precise_report() {
    let Some(shop) = Shop::open() else { return };
    Goods::make(&shop, "rsa");
    // As a document viewer copies it: 28 lines whose ends were lost here and there, letters that became signs.
    let text = wrapped(&shop.text("leaf.crt"), 64);
    let base64 = body(&text).repeat(2);
    let mut lines = vec!["-----BEGIN CERTIFICATE-----".to_owned()];
    let mut rest = base64.as_str();
    for number in 0..28 {
        let columns = 44 + (number * 7) % 20;
        let (line, after) = rest.split_at(columns);
        rest = after;
        lines.push(line.replace('=', "A"));
    }
    lines[13].replace_range(20..21, "\u{2022}");
    lines[20].replace_range(3..4, "?");
    lines.push("-----END CERTIFICATE-----\n".to_owned());
    let error = refused("sample.pem", lines.join("\n").as_bytes(), &[]).expect("it is damaged");
    assert_eq!(
        error.to_string(),
        "sample.pem, block 1 (line 14): column 21: '\u{2022}' is not base64; the block has 28 lines of 44 to 63 columns \
         (27 have not 64) and 2 illegal characters"
    );
}

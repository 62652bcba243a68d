//! Whole containers that openssl made: all are read, with the right certificates and keys.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.
#![cfg(all(feature = "pkcs7", feature = "pkcs12", feature = "encrypted-keys"))]

mod openssl;

use lb_cert::{Contents, Password, ReadOptions, read};
use openssl::Shop;
use openssl::goods::{Goods, body, wrapped};

const WORD: &str = "correct horse";
const UTF8: &str = "pässwörd-密码";

/// What is read, under which passwords, and what must come out.
struct Case {
    name: String,
    bytes: Vec<u8>,
    passwords: Vec<&'static str>,
    certificates: Vec<Vec<u8>>,
    keys: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
}

/// One run's counter and the list of what went wrong.
struct Corpus<'a> {
    goods: &'a Goods,
    shop: &'a Shop,
    count: usize,
    wrong: Vec<String>,
}

impl Corpus<'_> {
    fn case(&self, name: &str, bytes: impl Into<Vec<u8>>) -> Case {
        Case {
            name: format!("{} {name}", self.goods.kind),
            bytes: bytes.into(),
            passwords: Vec::new(),
            certificates: Vec::new(),
            keys: Vec::new(),
            crls: Vec::new(),
        }
    }

    fn check(&mut self, case: Case) {
        self.count += 1;
        let passwords: Vec<Password> = case.passwords.iter().map(|word| Password::new(*word)).collect();
        let options = ReadOptions::with_passwords(&passwords);
        #[cfg(feature = "aws-lc-rs")]
        let options = options.crypto(&lb_cert::AwsLc);
        let name = &case.name;
        match read(name, &case.bytes, &options) {
            Err(error) => self.wrong.push(format!("{name}: refused: {error}")),
            Ok(contents) => {
                if sorted(certificates(&contents)) != sorted(case.certificates) {
                    self.wrong
                        .push(format!("{name}: other certificates: {}", contents.certificates.len()));
                }
                let keys = contents
                    .keys
                    .iter()
                    .map(|key| key.value.to_pkcs8().secret_pkcs8_der().to_vec())
                    .collect();
                if sorted(keys) != sorted(case.keys) {
                    self.wrong.push(format!("{name}: other keys"));
                }
                let crls = contents.crls.iter().map(|crl| crl.value.to_vec()).collect();
                if sorted(crls) != sorted(case.crls) {
                    self.wrong.push(format!("{name}: other revocation lists"));
                }
            }
        }
    }

    /// A text with the chain and, when it holds one, the key.
    fn text(&mut self, name: &str, text: impl Into<Vec<u8>>, has_key: bool) {
        let mut case = self.case(name, text);
        case.certificates = self.goods.chain.clone();
        case.keys = if has_key {
            vec![self.goods.key.clone()]
        } else {
            Vec::new()
        };
        self.check(case);
    }

    fn key(&mut self, name: &str, bytes: Vec<u8>, password: Option<&'static str>) {
        let mut case = self.case(name, bytes);
        case.keys = vec![self.goods.key.clone()];
        case.passwords = password.into_iter().collect();
        self.check(case);
    }

    fn forms_of_text(&mut self) {
        let chain = self.shop.text("chain.crt");
        let key = self.shop.text("leaf.key");
        let both = format!("{chain}{key}");
        self.text("plain", both.clone(), true);
        self.text("key first", format!("{key}{chain}"), true);
        let [leaf, inter, root] = ["leaf.crt", "inter.crt", "root.crt"].map(|name| self.shop.text(name));
        self.text(
            "key in the middle, root first",
            format!("{root}{inter}{key}{leaf}"),
            true,
        );
        self.text("CRLF", both.replace('\n', "\r\n"), true);
        self.text("CR", both.replace('\n', "\r"), true);
        self.text("mixed line ends", format!("{}{key}", chain.replace('\n', "\r\n")), true);
        self.text("byte order mark", format!("\u{feff}{both}"), true);
        self.text(
            "byte order mark and CRLF",
            format!("\u{feff}{}", both.replace('\n', "\r\n")),
            true,
        );
        self.text("no final newline", both.trim_end(), true);
        self.text("trailing blanks", both.replace('\n', "  \t\n"), true);
        self.text("trailing blanks and CRLF", both.replace('\n', " \r\n"), true);
        self.text(
            "indented",
            both.lines().map(|line| format!("    {line}\n")).collect::<String>(),
            true,
        );
        self.text(
            "blank lines between",
            both.replace("-----BEGIN", "\n\n-----BEGIN"),
            true,
        );
        self.text("blank lines everywhere", both.replace('\n', "\n\n"), true);
        self.text("text before", format!("Install these:\n=====\n1. leaf\n\n{both}"), true);
        self.text("text behind", format!("{both}\nYours, the CA.\n"), true);
        self.text(
            "text between",
            format!("leaf:\n{leaf}intermediate:\n{inter}root:\n{root}key:\n{key}"),
            true,
        );
        self.text(
            "text that mentions armour",
            format!("Copy from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----:\n{both}"),
            true,
        );
        self.text(
            "text that is not UTF-8",
            [b"Schl\xfcssel\n", both.as_bytes()].concat(),
            true,
        );
        for columns in [1, 16, 63, 65, 76, 1024, 100_000] {
            let blocks: Vec<String> = [&leaf, &inter, &root, &key]
                .iter()
                .map(|pem| wrapped(pem, columns))
                .collect();
            self.text(&format!("{columns} columns"), blocks.concat(), true);
        }
        let utf16: Vec<u16> = both.encode_utf16().collect();
        let little: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        self.text("UTF-16 LE with mark", [b"\xff\xfe", little.as_slice()].concat(), true);
        self.text("UTF-16 BE with mark", [b"\xfe\xff", big.as_slice()].concat(), true);
        self.text("UTF-16 LE", little, true);
        self.text("UTF-16 BE", big, true);
        for label in ["X509 CERTIFICATE", "TRUSTED CERTIFICATE"] {
            self.text(label, chain.replace("CERTIFICATE", label), false);
        }
        let described = ["leaf.crt", "inter.crt", "root.crt"]
            .map(|name| String::from_utf8_lossy(&self.shop.run(&format!("x509 -in {name} -text"))).into_owned());
        self.text("openssl x509 -text", described.concat(), false);
        let others = [
            "req -in leaf.csr",
            "pkey -in leaf.key -pubout",
            "ecparam -name prime256v1",
        ]
        .map(|command| String::from_utf8_lossy(&self.shop.run(command)).into_owned());
        self.text(
            "request, public key and parameters around",
            format!("{}{both}{}{}", others[0], others[1], others[2]),
            true,
        );
        let mut bare = self.case("base64 without armour", body(&leaf));
        bare.certificates = vec![self.goods.chain[0].clone()];
        self.check(bare);
        let lines = leaf
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect::<Vec<_>>()
            .join("\r\n");
        let mut bare = self.case("base64 lines without armour", lines);
        bare.certificates = vec![self.goods.chain[0].clone()];
        self.check(bare);
        self.key("base64 key without armour", body(&key).into_bytes(), None);
        let mut one = self.case("one certificate", leaf.clone());
        one.certificates = vec![self.goods.chain[0].clone()];
        self.check(one);
        let mut twice = self.case("twice the same", format!("{leaf}{leaf}"));
        twice.certificates = vec![self.goods.chain[0].clone(), self.goods.chain[0].clone()];
        self.check(twice);
        self.shop
            .run("x509 -in leaf.crt -trustout -addtrust serverAuth -setalias name -out trusted.pem");
        let mut trusted = self.case("openssl's trust settings", self.shop.bytes("trusted.pem"));
        trusted.certificates = vec![self.goods.chain[0].clone()];
        self.check(trusted);
    }

    fn der(&mut self) {
        for index in 0..3 {
            let mut case = self.case(&format!("certificate {index} in DER"), self.goods.chain[index].clone());
            case.certificates = vec![self.goods.chain[index].clone()];
            self.check(case);
        }
        for (name, bytes) in [
            ("revocation list", self.shop.bytes("root.crl")),
            ("its DER", self.goods.crl.clone()),
        ] {
            let mut case = self.case(name, bytes);
            case.crls = vec![self.goods.crl.clone()];
            self.check(case);
        }
        self.key("PKCS#8 DER", self.goods.key.clone(), None);
        self.key("PKCS#8", self.shop.bytes("leaf.key"), None);
    }

    fn keys(&mut self) {
        if self.goods.traditional().is_some() {
            let kind = if self.goods.kind.starts_with("rsa") {
                "rsa -traditional"
            } else {
                "ec"
            };
            self.shop.run(&format!("{kind} -in leaf.key -out old.pem"));
            self.shop.run(&format!("{kind} -in leaf.key -out old.der -outform der"));
            self.key("traditional", self.shop.bytes("old.pem"), None);
            self.key("traditional DER", self.shop.bytes("old.der"), None);
            if kind == "ec" {
                let parameters = String::from_utf8_lossy(&self.shop.run("ec -in leaf.key -param_out")).into_owned();
                let parameters = parameters
                    .split("-----BEGIN EC PRIVATE")
                    .next()
                    .unwrap_or("")
                    .to_owned();
                self.key(
                    "EC PARAMETERS before",
                    [parameters.into_bytes(), self.shop.bytes("old.pem")].concat(),
                    None,
                );
                self.shop.run("ec -in leaf.key -no_public -out nopub.pem");
                let contents = read("nopub", &self.shop.bytes("nopub.pem"), &ReadOptions::default());
                assert!(contents.is_ok_and(|contents| contents.keys.len() == 1));
            }
        }
        for scheme in [
            "-v2 aes-128-cbc",
            "-v2 aes-192-cbc",
            "-v2 aes-256-cbc",
            "-v2 des3",
            "-v2 aes-256-cbc -v2prf hmacWithSHA1",
            "-v2 aes-256-cbc -v2prf hmacWithSHA224",
            "-v2 aes-256-cbc -v2prf hmacWithSHA384",
            "-v2 aes-256-cbc -v2prf hmacWithSHA512",
            "-v2 des3 -v2prf hmacWithSHA1",
            "-v2 aes-256-cbc -iter 10000",
            "-scrypt",
            "-scrypt -scrypt_N 1024 -scrypt_r 8 -scrypt_p 4",
        ] {
            let thorough = self.goods.kind == "p256";
            let words = [("PEM", WORD), ("DER", UTF8), ("PEM", "")];
            for (form, word) in words.into_iter().take(if thorough { 3 } else { 2 }) {
                let mut arguments = vec![
                    "pkcs8", "-topk8", "-in", "leaf.key", "-outform", form, "-out", "enc", "-passout",
                ];
                let pass = format!("pass:{word}");
                arguments.push(&pass);
                arguments.extend(scheme.split(' '));
                let output = self.shop.attempt_with(&arguments);
                assert!(
                    output.status.success(),
                    "{scheme}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
                self.key(&format!("{form} {scheme} {word:?}"), self.shop.bytes("enc"), Some(word));
            }
        }
    }

    fn pkcs7(&mut self) {
        for form in ["pem", "der"] {
            self.shop.run(&format!(
                "crl2pkcs7 -nocrl -certfile chain.crt -outform {form} -out all.p7b"
            ));
            self.text(&format!("PKCS#7 {form}"), self.shop.bytes("all.p7b"), false);
            self.shop.run(&format!(
                "crl2pkcs7 -in root.crl -certfile chain.crt -outform {form} -out crl.p7b"
            ));
            let mut case = self.case(
                &format!("PKCS#7 {form} with a revocation list"),
                self.shop.bytes("crl.p7b"),
            );
            case.certificates = self.goods.chain.clone();
            case.crls = vec![self.goods.crl.clone()];
            self.check(case);
        }
        self.shop.run("crl2pkcs7 -nocrl -certfile chain.crt -out all.p7b");
        self.text(
            "PKCS#7 labelled CMS",
            self.shop.text("all.p7b").replace("PKCS7", "CMS"),
            false,
        );
        let printed = self.shop.run("pkcs7 -in all.p7b -print_certs");
        assert!(
            String::from_utf8_lossy(&printed).contains("subject="),
            "openssl prints names"
        );
        self.text("openssl pkcs7 -print_certs", printed, false);
        let printed = self.shop.run("pkcs7 -in all.p7b -print_certs -text");
        self.text("openssl pkcs7 -print_certs -text", printed, false);
        // With -stream openssl writes BER of indefinite length, and a signature with its content.
        self.shop.write("content", "hello");
        self.shop.write(
            "others.crt",
            format!("{}{}", self.shop.text("inter.crt"), self.shop.text("root.crt")),
        );
        if self.goods.kind != "ed25519" {
            for form in ["DER", "PEM"] {
                self.shop.run(&format!(
                    "cms -sign -binary -nodetach -stream -in content -signer leaf.crt -inkey leaf.key -certfile others.crt \
                     -outform {form} -out signed"
                ));
                let bytes = self.shop.bytes("signed");
                assert!(form == "PEM" || bytes.starts_with(&[0x30, 0x80]), "indefinite length");
                self.text(&format!("CMS {form} of indefinite length"), bytes, false);
            }
        }
    }

    fn pkcs12(&mut self) {
        let (shop, kind) = (self.shop, self.goods.kind);
        let mut export = |name: &str, more: &str, word: &'static str, certificates: usize, has_key: bool| {
            let pass = format!("pass:{word}");
            let mut arguments = vec!["pkcs12", "-export", "-out", "site.p12", "-passout", &pass];
            arguments.extend(more.split(' '));
            let output = shop.attempt_with(&arguments);
            assert!(
                output.status.success(),
                "{more}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let mut case = self.case(&format!("PKCS#12 {name}"), shop.bytes("site.p12"));
            case.passwords = vec![word];
            case.certificates = self.goods.chain[..certificates].to_vec();
            case.keys = if has_key {
                vec![self.goods.key.clone()]
            } else {
                Vec::new()
            };
            self.check(case);
        };
        let all = "-inkey leaf.key -in leaf.crt -certfile others.crt";
        for (name, more) in [
            ("default", ""),
            ("legacy", " -legacy"),
            ("legacy, descert", " -legacy -descert"),
            ("3DES", " -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1"),
            ("RC2-40", " -legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-40"),
            ("AES-128", " -keypbe AES-128-CBC -certpbe AES-128-CBC"),
            (
                "AES-192, SHA-384",
                " -keypbe AES-192-CBC -certpbe AES-192-CBC -macalg sha384",
            ),
            (
                "AES-256, SHA-512",
                " -keypbe AES-256-CBC -certpbe AES-256-CBC -macalg sha512",
            ),
            ("SHA-1 MAC", " -macalg sha1"),
            ("SHA-224 MAC", " -macalg sha224"),
            ("no MAC", " -nomac"),
            ("certificates in clear", " -certpbe NONE"),
            ("key in clear", " -keypbe NONE"),
            ("all in clear", " -keypbe NONE -certpbe NONE"),
            ("all in clear, no MAC", " -keypbe NONE -certpbe NONE -nomac"),
            ("one iteration", " -noiter -nomaciter"),
            ("20000 iterations", " -iter 20000"),
            ("names", " -name server -caname inter -caname root"),
            ("Microsoft attributes", " -LMK -keyex -CSP provider"),
        ] {
            // One word for most kinds of keys: each costs derivations.
            let few = if name.len() % 2 == 0 { [WORD] } else { [UTF8] };
            let words: &[&str] = if kind == "p256" { &[WORD, UTF8, ""] } else { &few };
            for word in words {
                export(&format!("{name} {word:?}"), &format!("{all}{more}"), word, 3, true);
            }
        }
        export("certificate and key", "-inkey leaf.key -in leaf.crt", WORD, 1, true);
        export("certificates only", "-nokeys -in chain.crt", WORD, 3, false);
        export("key only", "-nocerts -inkey leaf.key -in leaf.key", WORD, 0, true);
    }
}

#[test]
fn s_conv_07_every_whole_container_with_an_rsa_key_is_read() {
    all(&["rsa", "rsa3072"], 180);
}

#[test]
fn s_conv_07_every_whole_container_with_an_elliptic_curve_key_is_read() {
    all(&["p256", "p384", "p521"], 350);
}

#[test]
fn s_conv_07_every_whole_container_with_another_key_is_read() {
    all(&["rsa-pss", "ed25519"], 180);
}

fn all(kinds: &[&'static str], least: usize) {
    let (mut count, mut wrong) = (0, Vec::new());
    for kind in kinds {
        let Some(shop) = Shop::open() else { return };
        let goods = Goods::make(&shop, kind);
        let mut corpus = Corpus {
            goods: &goods,
            shop: &shop,
            count: 0,
            wrong: Vec::new(),
        };
        corpus.forms_of_text();
        corpus.der();
        corpus.keys();
        corpus.pkcs7();
        corpus.pkcs12();
        count += corpus.count;
        wrong.append(&mut corpus.wrong);
    }
    eprintln!("{count} containers, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count >= least, "the corpus shrank to {count}");
}

fn certificates(contents: &Contents) -> Vec<Vec<u8>> {
    contents.certificates.iter().map(|found| found.value.to_vec()).collect()
}

fn sorted(mut list: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    list.sort();
    list
}

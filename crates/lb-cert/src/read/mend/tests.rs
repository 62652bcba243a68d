#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "tests may panic"
)]

use crate::{Contents, NoteKind, ReadError, ReadOptions, read};

/// A whole certificate and its key, in PEM.
fn pair() -> (String, String) {
    let key = rcgen::KeyPair::generate().expect("a key");
    let made = rcgen::CertificateParams::new(["a.example".to_owned()]).expect("parameters");
    (
        made.self_signed(&key).expect("a certificate").pem(),
        key.serialize_pem(),
    )
}

fn contents(text: &[u8]) -> Result<Contents, ReadError> {
    read("a.pem", text, &ReadOptions::default())
}

fn mended(contents: &Contents) -> Vec<&'static str> {
    let notes = contents.notes.iter();
    notes
        .filter_map(|note| match note.kind {
            NoteKind::Mended { what } => Some(what),
            _ => None,
        })
        .collect()
}

/// The text is read as the pair, and at least one note says why it was mended.
#[track_caller]
fn is_the_pair(text: impl AsRef<[u8]>, pair: &(String, String), word: &str) {
    let text = text.as_ref();
    let found = contents(text).unwrap_or_else(|error| panic!("{error}\n{}", String::from_utf8_lossy(text)));
    let right = contents([pair.0.as_str(), &pair.1].concat().as_bytes()).expect("it is whole");
    let ders = |contents: &Contents| {
        contents
            .certificates
            .iter()
            .map(|found| found.value.to_vec())
            .collect::<Vec<_>>()
    };
    assert_eq!(ders(&found), ders(&right));
    assert_eq!(found.keys.len(), 1);
    assert_eq!(found.keys[0].value, right.keys[0].value);
    assert!(
        mended(&found).iter().any(|what| what.contains(word)),
        "{word}: {:?}",
        found.notes
    );
}

#[test]
fn lines_that_were_written_out_are_lines() {
    let pair = pair();
    let both = format!("{}{}", pair.0, pair.1);
    let json = |text: &str| text.replace('\n', "\\n");
    is_the_pair(json(&both), &pair, r"\n");
    is_the_pair(both.replace('\n', "\\\\n"), &pair, r"\n");
    is_the_pair(both.replace('\n', "\\r\\n"), &pair, r"\n");
    is_the_pair(
        format!("{{\"cert\": \"{}\", \"key\":\"{}\"}}\n", json(&pair.0), json(&pair.1)),
        &pair,
        r"\n",
    );
    // PHP escapes the slash, .NET the plus sign, others the equals sign
    let escaped = json(&both)
        .replace('/', "\\/")
        .replace('+', "\\u002B")
        .replace('=', "\\u003d");
    is_the_pair(format!("{{\"tls\":\"{escaped}\"}}"), &pair, r"\n");
    is_the_pair(
        format!("TLS_CERT=\"{}\"\nTLS_KEY='{}'\n", json(&pair.0), json(&pair.1)),
        &pair,
        r"\n",
    );
    is_the_pair(format!("export TLS=\"{both}\"\n"), &pair, "quotes");
    is_the_pair(
        both.lines()
            .map(|line| format!("  \"{line}\\n\" +\n"))
            .collect::<String>(),
        &pair,
        r"\n",
    );
    is_the_pair(
        format!(
            "[\n{}]\n",
            both.lines().map(|line| format!("  \"{line}\",\n")).collect::<String>()
        ),
        &pair,
        "quotes",
    );
    is_the_pair(both.replace('\n', " \\\n"), &pair, "signs around");
    is_the_pair(
        both.lines()
            .map(|line| format!("    b\"{line}\\n\"\n"))
            .collect::<String>(),
        &pair,
        r"\n",
    );
    // a shell ate the backslashes
    is_the_pair(both.replace('\n', "n"), &pair, r"\n");
    is_the_pair(both.replace('\n', "rn"), &pair, r"\n");
}

#[test]
fn one_line_is_put_into_lines() {
    let pair = pair();
    let both = format!("{}{}", pair.0, pair.1);
    is_the_pair(both.replace('\n', " "), &pair, "BEGIN or END");
    is_the_pair(both.replace('\n', ""), &pair, "BEGIN or END");
    is_the_pair(format!("{}{}", pair.0.trim_end(), pair.1), &pair, "an END and a BEGIN");
    is_the_pair(format!("{} {}", pair.0.trim_end(), pair.1), &pair, "an END and a BEGIN");
    is_the_pair(both.replacen("-----\n", "-----", 1), &pair, "BEGIN or END");
    is_the_pair(both.replace("\n-----END", "-----END"), &pair, "BEGIN or END");
    // beside a block that is whole
    is_the_pair(
        format!("{}key: {}", pair.0, pair.1.replace('\n', " ")),
        &pair,
        "BEGIN or END",
    );
    is_the_pair(
        format!("{}key: \"{}\"", pair.0, pair.1.replace('\n', "\\n")),
        &pair,
        r"\n",
    );
}

#[test]
fn what_stands_around_lines_is_left_out() {
    let pair = pair();
    let both = format!("{}{}", pair.0, pair.1);
    for prefix in ["> ", ">> ", "# ", "// ", "* ", "+", "| ", "\u{a0}\u{a0}"] {
        is_the_pair(
            both.lines().map(|line| format!("{prefix}{line}\n")).collect::<String>(),
            &pair,
            "",
        );
    }
    is_the_pair(format!("\u{201c}{both}\u{201d}"), &pair, "quotes");
    is_the_pair(format!("cert = \"\"\"{both}\"\"\"\n"), &pair, "quotes");
    is_the_pair(both.replace('\n', "<br>\n"), &pair, "HTML");
    is_the_pair(both.replace('\n', "&#10;"), &pair, "HTML");
    is_the_pair(both.replace('\n', "&#xA;"), &pair, "HTML");
}

#[test]
fn what_word_processors_and_web_pages_make_is_mended() {
    let pair = pair();
    let both = format!("{}{}", pair.0, pair.1);
    is_the_pair(both.replace("-----", "\u{2014}\u{2013}"), &pair, "dashes");
    is_the_pair(both.replace("-----", "\u{2013}\u{2013}-"), &pair, "dashes");
    is_the_pair(
        both.replace("-----", "\u{2212}\u{2212}\u{2212}\u{2212}\u{2212}"),
        &pair,
        "dashes",
    );
    is_the_pair(
        both.replace("BEGIN", "begin").replace("END", "end"),
        &pair,
        "small letters",
    );
    is_the_pair(both.replace("CERTIFICATE", "Certificate"), &pair, "small letters");
    is_the_pair(both.replace("BEGIN ", "BEGIN  "), &pair, "one blank");
    is_the_pair(both.replace("BEGIN ", "BEGIN\u{a0}"), &pair, "invisible");
    is_the_pair(both.replace('\n', "\u{a0}\n"), &pair, "invisible");
    is_the_pair(format!("\u{200b}{both}"), &pair, "invisible");
    is_the_pair(both.replace('M', "\u{200b}M"), &pair, "invisible");
    is_the_pair(both.replace('\n', "\u{2028}"), &pair, "invisible");
    // windows-1252: a dash and a blank of one byte
    let bytes = both.replace("-----", "\u{2013}\u{2013}").into_bytes();
    let bytes = String::from_utf8(bytes)
        .expect("text")
        .replace('\u{2013}', "\u{1}")
        .into_bytes();
    let bytes: Vec<u8> = bytes
        .into_iter()
        .map(|byte| if byte == 1 { 0x96 } else { byte })
        .collect();
    is_the_pair(bytes, &pair, "dashes");
}

#[test]
fn what_proxies_put_into_a_field_is_decoded() {
    let pair = pair();
    let both = format!("{}{}", pair.0, pair.1);
    let all = both
        .replace('+', "%2B")
        .replace('/', "%2F")
        .replace('=', "%3D")
        .replace('\n', "%0A");
    is_the_pair(all.replace(' ', "%20"), &pair, "percent");
    is_the_pair(all.replace(' ', "+"), &pair, "percent");
    // as AWS writes: base64's own signs stay
    is_the_pair(both.replace('\n', "%0A").replace(' ', "%20"), &pair, "percent");
}

#[test]
fn places_are_those_of_the_source() {
    let (certificate, key) = pair();
    let text = format!(
        "one\ntwo\ncert: \"{}\"\nkey: \"{}\"\n",
        certificate.replace('\n', "\\n"),
        key.replace('\n', "\\n")
    );
    let found = contents(text.as_bytes()).expect("it is certain");
    assert_eq!(found.certificates[0].place.line, Some(3));
    assert_eq!(found.certificates[0].place.offset, 8);
    assert_eq!((found.keys[0].place.block, found.keys[0].place.line), (2, Some(4)));
    // what is damaged is named where it stands
    let damaged = text.replace("MII", "M!I");
    let error = contents(damaged.as_bytes()).expect_err("a letter is wrong");
    assert!(
        error.to_string().contains("(line 3)") && error.to_string().contains("'!'"),
        "{error}"
    );
}

#[test]
fn missing_and_surplus_signs_are_not_guessed() {
    let (certificate, _) = pair();
    for damaged in [
        certificate.replace("-----BEGIN", "----BEGIN"),
        certificate.replace("-----END", "------END"),
        certificate.replace("-----", ""),
        certificate.replace("-----\n", "----\n"),
        certificate.replace("-----\n", "----\\n"),
        certificate
            .replace("CERTIFICATE", "CERTIFICAT")
            .replace("BEGIN", "begin"),
        certificate
            .replace("END CERTIFICATE", "END PRIVATE KEY")
            .replace('\n', " "),
        certificate.replace('\n', " ").replace("-----END CERTIFICATE-----", ""),
    ] {
        let error = contents(damaged.as_bytes()).expect_err(&damaged);
        assert!(error.explain().len() > 40, "{error}");
    }
}

#[test]
fn text_that_mentions_blocks_stays_text() {
    let (certificate, key) = pair();
    let text = format!(
        "Copy all from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE----- into a file, and the lines\n\
         -----BEGIN PRIVATE KEY-----... too.\n{certificate}{key}"
    );
    let found = contents(text.replace("-----BEGIN PRIVATE KEY-----...", "of the key").as_bytes()).expect("it is whole");
    assert_eq!(
        (found.certificates.len(), found.keys.len(), mended(&found).len()),
        (1, 1, 0)
    );
    let glued = format!(
        "Copy all from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE----- into a file.\n{}{key}",
        certificate.trim_end()
    );
    let found = contents(glued.as_bytes()).expect("it is certain");
    assert_eq!((found.certificates.len(), found.keys.len()), (1, 1));
}

#[test]
fn an_encrypted_key_in_one_line_keeps_its_header() {
    let text = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n\
                MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu\n-----END RSA PRIVATE KEY-----\n";
    let expected = contents(text.as_bytes()).expect_err("encrypted").problem;
    for changed in [
        text.replace('\n', "\\n"),
        text.replace('\n', "\\r\\n"),
        text.replace("\n\n", " ").replace('\n', " "),
    ] {
        assert_eq!(
            contents(changed.as_bytes()).expect_err("encrypted").problem,
            expected,
            "{changed}"
        );
    }
}

#[test]
fn hostile_text_is_mended_in_linear_time() {
    // 1 MB each; a quadratic step would take minutes
    let size = 1 << 20;
    for pattern in [
        "\\",
        "\\r",
        "%",
        "&",
        "<",
        "-",
        "-----BEGIN ",
        "-----END CERTIFICATE",
        "-B",
        "\u{2013}E",
        "-----BEGIN CERTIFICATE-----",
        "-----END CERTIFICATE----------BEGIN CERTIFICATE-----",
        "\"",
        "-----BEGIN X-----\n",
        "Proc-Type:DEK-Info:",
        "-----BEGIN A----- \\n",
    ] {
        let text = format!("-----BEGIN CERTIFICATE----- {}", pattern.repeat(size / pattern.len()));
        assert!(contents(text.as_bytes()).is_err(), "{pattern}");
    }
}

#[test]
fn changed_texts_never_panic_and_every_refusal_has_one_line() {
    let (certificate, key) = pair();
    let both = format!("{certificate}{key}");
    for text in [
        both.replace('\n', " "),
        format!(
            "{{\"a\": \"{}\"}}",
            both.replace('\n', "\\n").replace('/', "\\/").replace('+', "\\u002b")
        ),
        both.replace('\n', "%0A").replace(' ', "%20"),
        both.replace("-----", "\u{2014}\u{2013}").replace('\n', "&#10;"),
        format!("{}{key}", certificate.trim_end()),
    ] {
        let bytes = text.into_bytes();
        for at in (0..bytes.len()).step_by(3) {
            for byte in [b'\\', b'-', b'"', b'%', b'\n', b'n', 0xff] {
                let mut changed = bytes.clone();
                changed[at] = byte;
                if let Err(error) = contents(&changed) {
                    assert!(!error.to_string().contains('\n') && !error.explain().is_empty());
                }
            }
            let _ = contents(&bytes[..at]);
        }
    }
}

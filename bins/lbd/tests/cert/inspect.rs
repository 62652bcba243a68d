//! `lbd cert inspect`.

use super::made::{AT, Ca, six};
use super::run::{Place, assert_text, plain};

#[test]
fn s_chain_02_the_tree_of_the_six_certificates_is_drawn() {
    let place = Place::new();
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, _) = authority.leaf("www.example.com");
    let all = [&leaf, &authority.pem, &alpha.pem, &beta.pem, &gamma.pem, &root.pem]
        .map(String::as_str)
        .concat();
    place.put("six.pem", all);
    let said = place.cert(&format!("inspect six.pem {AT}")).with_code(0);
    let tree: Vec<&str> = said.out.lines().take(9).collect();
    assert_text(
        &tree.join("\n"),
        "six.pem: PEM, 6 certificates\n\
         \n\
         Root                            #6 root, valid, 1137 days left\n\
         └─ Gamma                        #5 intermediate, valid, 1137 days left\n   \
            └─ Beta                      #4 intermediate, valid, 1137 days left\n      \
               └─ Alpha                  #3 intermediate, valid, 1137 days left\n         \
                  └─ Authority           #2 intermediate, valid, 1137 days left\n            \
                     └─ www.example.com  #1 leaf, valid, 192 days left\n",
    );
}

#[test]
fn a_certificate_and_its_key_are_shown() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("pair.pem", format!("{leaf}{key}"));
    let said = place.cert(&format!("inspect pair.pem {AT}")).with_code(0);
    assert_text(
        &plain(&said.out),
        &format!(
            "pair.pem: PEM, 1 certificate, 1 private key\n\
             \n\
             (CN=Root, not given)\n\
             └─ www.example.com  #1 leaf, valid, 192 days left\n\
             \n\
             #1 www.example.com (pair.pem, block 1 (line 1))\n  \
             subject         CN=www.example.com\n  \
             issuer          CN=Root\n  \
             names           www.example.com\n  \
             valid           2026-10-01T00:00:00Z to 2027-06-01T00:00:00Z\n                  \
             valid, 192 days left\n  \
             key             ECDSA P-256\n  \
             signed with     ECDSA with SHA-256\n  \
             serial          4000000000000007\n  \
             may be used for digitalSignature, serverAuth\n  \
             issuer is at    http://ca.example/root.cer\n  \
             SHA-256         <sha256>\n  \
             public SHA-256  <sha256>\n\
             \n\
             key ECDSA P-256 (pair.pem, block 2 (line {}))\n  \
             belongs to      certificate 1\n  \
             public SHA-256  <sha256>\n",
            leaf.lines().count() + 1
        ),
    );
}

#[test]
fn validity_is_told_as_of_the_date_given() {
    let place = Place::new();
    let (leaf, _) = Ca::root("Root").leaf("www.example.com");
    place.put("leaf.pem", leaf);
    for (at, expected) in [
        ("2026-09-30", "not yet valid, begins in 1 day"),
        ("2026-10-01", "valid, 243 days left"),
        ("2027-05-31T12:00:00Z", "valid, ends within a day"),
        ("2027-06-01T00:00:00Z", "valid, ends within a day"),
        ("2027-06-01T00:00:01Z", "expired within the last day"),
        ("2027-06-11T00:00:01+00:00", "expired 10 days ago"),
    ] {
        let said = place.cert(&format!("inspect leaf.pem --at {at}")).with_code(0);
        assert!(
            said.out.contains(&format!("#1 leaf, {expected}\n")),
            "{at}: {}",
            said.out
        );
    }
}

#[test]
fn json_has_a_stable_shape() {
    let place = Place::new();
    let (leaf, _) = Ca::root("Root").leaf("www.example.com");
    place.put("leaf.pem", leaf);
    let said = place.cert(&format!("inspect leaf.pem --json {AT}")).with_code(0);
    assert_text(
        &plain(&said.out),
        r##"{
  "at": "2026-11-21T00:00:00Z",
  "certificates": [
    {
      "ca_issuers": [
        "http://ca.example/root.cer"
      ],
      "crls": [],
      "days_left": 192,
      "issuer": "CN=Root",
      "key": "ECDSA P-256",
      "key_sha256": "<sha256>",
      "label": "www.example.com",
      "malformed": [],
      "names": [
        "www.example.com"
      ],
      "not_after": "2027-06-01T00:00:00Z",
      "not_before": "2026-10-01T00:00:00Z",
      "place": {
        "block": 1,
        "file": "leaf.pem",
        "line": 1,
        "offset": 0
      },
      "role": "leaf",
      "serial": "4000000000000007",
      "sha256": "<sha256>",
      "signature": "ECDSA with SHA-256",
      "subject": "CN=www.example.com",
      "usages": [
        "digitalSignature",
        "serverAuth"
      ],
      "validity": "valid"
    }
  ],
  "crls": [],
  "files": [
    {
      "certificates": 1,
      "crls": 0,
      "file": "leaf.pem",
      "format": "PEM",
      "keys": 0
    }
  ],
  "keys": [],
  "notes": [],
  "tree": [
    {
      "certificate": null,
      "depth": 0,
      "name": "CN=Root"
    },
    {
      "certificate": 1,
      "depth": 1,
      "name": "www.example.com"
    }
  ]
}
"##,
    );
}

#[test]
fn standard_input_is_a_file_named_minus() {
    let place = Place::new();
    let root = Ca::root("Root");
    let said = place
        .cert_with(&format!("inspect - {AT}"), &[], root.pem.as_bytes())
        .with_code(0);
    assert!(
        said.out.starts_with("standard input: PEM, 1 certificate\n"),
        "{}",
        said.out
    );
    assert!(!said.out.contains('\u{1b}'), "colours go to terminals only");
}

#[test]
fn a_key_of_nobody_and_odd_lines_are_told() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (_, key) = root.leaf("www.example.com");
    place.put("odd.pem", format!("\u{feff}{}{key}", root.pem).replace('\n', "\r\n"));
    let said = place.cert(&format!("inspect odd.pem {AT}")).with_code(0);
    assert!(
        said.out.contains("belongs to      none of these certificates\n"),
        "{}",
        said.out
    );
    for note in ["begins with a byte order mark", "lines end with CR LF"] {
        assert!(said.out.contains(note), "{}", said.out);
    }
}

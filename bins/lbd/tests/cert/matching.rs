//! `lbd cert match`.

use super::made::Ca;
use super::run::{Place, assert_text, plain};

fn place() -> Place {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    let (_, other) = root.leaf("other.example");
    assert_eq!(root.pem.lines().count(), 10, "the expected outputs below name line 11");
    place.put("chain.pem", format!("{}{leaf}", root.pem));
    place.put("own.key", key);
    place.put("other.key", other);
    place
}

#[test]
fn a_key_and_its_certificate_match_with_code_0() {
    let said = place().cert("match chain.pem own.key").with_code(0);
    assert_text(
        &plain(&said.out),
        "match: own.key, block 1 (line 1) is the key of www.example.com (chain.pem, block 2 (line 11))\n  \
         public key SHA-256 <sha256>\n",
    );
}

#[test]
fn s_key_04_a_mismatch_has_its_own_code_and_both_fingerprints() {
    let said = place().cert("match chain.pem other.key").with_code(4);
    assert_text(
        &plain(&said.out),
        "mismatch: other.key, block 1 (line 1) is not the key of www.example.com (chain.pem, block 2 (line 11))\n  \
         certificate's public key, ECDSA P-256: SHA-256 <sha256>\n  \
         key's public half, ECDSA P-256: SHA-256 <sha256>\n",
    );
    let fingerprints: Vec<&str> = said.out.split("SHA-256 ").skip(1).map(|part| &part[..95]).collect();
    assert_eq!(fingerprints.len(), 2);
    assert_ne!(fingerprints[0], fingerprints[1]);
    assert_text(
        &said.errors,
        "lbd: mend: look for the key that was there when this certificate was requested; if it is lost, have the \
         certificate issued again for a new key\n",
    );
}

#[test]
fn json_says_the_same() {
    let place = place();
    let said = place.cert("match chain.pem own.key --json").with_code(0);
    assert_text(
        &plain(&said.out),
        r#"{
  "answer": "match",
  "certificate": {
    "key": "ECDSA P-256",
    "key_sha256": "<sha256>",
    "place": {
      "block": 2,
      "file": "chain.pem",
      "line": 11,
      "offset": OFFSET
    },
    "subject": "CN=www.example.com"
  },
  "key": {
    "issuer": null,
    "key": "ECDSA P-256",
    "key_sha256": "<sha256>",
    "place": {
      "block": 1,
      "file": "own.key",
      "line": 1,
      "offset": 0
    }
  }
}
"#
        .replace("OFFSET", &offset(&said.out))
        .as_str(),
    );
    let said = place.cert("match chain.pem other.key --json").with_code(4);
    assert!(said.out.contains("\"answer\": \"mismatch\""), "{}", said.out);
}

/// Certificates differ by a few bytes in length.
fn offset(json: &str) -> String {
    let (_, rest) = json.split_once("\"offset\": ").unwrap();
    rest.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn a_file_without_the_thing_is_wrong_input() {
    let place = place();
    let said = place.cert("match own.key own.key").with_code(3);
    assert_text(
        &said.errors,
        "lbd: own.key holds no certificate; write it as: lbd cert match CERT KEY\n",
    );
    let said = place.cert("match chain.pem chain.pem").with_code(3);
    assert_text(
        &said.errors,
        "lbd: chain.pem holds no private key; write it as: lbd cert match CERT KEY\n",
    );
    place.cert("match chain.pem absent.key").with_code(1);
    place.cert("match chain.pem").with_code(2);
}

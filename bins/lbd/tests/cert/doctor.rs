//! `lbd cert doctor`.

use super::made::{AT, Ca, ders, six};
use super::run::{Place, assert_text, plain};

#[test]
fn s_chain_03_a_missing_intermediate_is_named_with_its_address() {
    let place = Place::new();
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, _) = authority.leaf("www.example.com");
    let chain = [&leaf, &authority.pem, &alpha.pem, &beta.pem, &gamma.pem];
    place.put("root.pem", &root.pem);
    for (missing, below) in [(1, "www.example.com"), (2, "Authority"), (3, "Alpha"), (4, "Beta")] {
        let name = ["", "Authority", "Alpha", "Beta", "Gamma"][missing];
        let rest: Vec<&str> = (0..5)
            .filter(|index| *index != missing)
            .map(|index| chain[index].as_str())
            .collect();
        place.put("gap.pem", rest.concat());
        let said = place
            .cert(&format!("doctor gap.pem --roots root.pem {AT}"))
            .with_code(4);
        let out = plain(&said.out);
        let expected = format!(
            "error[missing-intermediate]: {below} was issued by CN={name} (key identifier <key id>), which was not \
             given and is no root of root.pem; browsers that fetch it hide the gap\n"
        );
        assert!(out.contains(&expected), "{expected}\n{out}");
        assert!(
            out.contains(&format!("http://ca.example/{}.cer", name.to_lowercase())),
            "{out}"
        );
    }
}

#[test]
fn s_chain_04_clients_with_and_without_fetching_and_with_several_roots_are_simulated() {
    let place = Place::new();
    let (old, new) = (Ca::root("Old Root"), Ca::root("New Root"));
    let cross = new.cross_signed_by(&old);
    let middle = new.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("old.pem", &old.pem);
    place.put("new.pem", &new.pem);
    place.put("leaf.pem", &leaf);
    place.put("key.pem", key);
    place.put("middle.pem", &middle.pem);
    place.put("cross.pem", &cross);

    let simulate = |files: &str| {
        let said = place.cert(&format!("doctor {files} key.pem --roots old.pem --roots new.pem {AT}"));
        let (_, clients) = said.out.split_once("What clients say (nothing was fetched)\n").unwrap();
        let (clients, _) = clients.split_once("\n\n").unwrap();
        format!("{clients}\n")
    };
    assert_text(
        &simulate("leaf.pem"),
        "  with the roots of old.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   refuses it: CN=Middle is missing\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   refuses it: CN=Middle is missing\n    \
         sorts, fetches nothing (Java, Go, Firefox)               refuses it: CN=Middle is missing\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  would fetch CN=Middle from http://ca.example/middle.cer\n  \
         with the roots of new.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   refuses it: CN=Middle is missing\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   refuses it: CN=Middle is missing\n    \
         sorts, fetches nothing (Java, Go, Firefox)               refuses it: CN=Middle is missing\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  would fetch CN=Middle from http://ca.example/middle.cer\n",
    );
    assert_text(
        &simulate("leaf.pem middle.pem"),
        "  with the roots of old.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   refuses it: CN=New Root is missing\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   refuses it: CN=New Root is missing\n    \
         sorts, fetches nothing (Java, Go, Firefox)               refuses it: CN=New Root is missing\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  would fetch CN=New Root from http://ca.example/new-root.cer\n  \
         with the roots of new.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   trusts it, by New Root\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   trusts it, by New Root\n    \
         sorts, fetches nothing (Java, Go, Firefox)               trusts it, by New Root\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  trusts it, by New Root\n",
    );
    assert_text(
        &simulate("leaf.pem cross.pem middle.pem"),
        "  with the roots of old.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   refuses it: certificate 1 is not followed by its issuer, CN=Middle\n      \
         and the mended bundle:                                 trusts it, by Old Root\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   trusts it, by Old Root\n    \
         sorts, fetches nothing (Java, Go, Firefox)               trusts it, by Old Root\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  trusts it, by Old Root\n  \
         with the roots of new.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   refuses it: certificate 1 is not followed by its issuer, CN=Middle\n      \
         and the mended bundle:                                 trusts it, by New Root\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   trusts it, by New Root\n    \
         sorts, fetches nothing (Java, Go, Firefox)               trusts it, by New Root\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  trusts it, by New Root\n",
    );
}

#[test]
fn s_chain_05_the_misprinted_list_is_diagnosed() {
    let place = Place::new();
    let [root, gamma, beta, alpha, authority] = six();
    let (leaf, _) = authority.leaf("www.example.com");
    // the second certificate should be the Authority's, and was issued to somebody else.
    let (misprint, _) = alpha.leaf("example.tencent-cloud");
    place.put("root.pem", &root.pem);
    place.put(
        "list.pem",
        [&leaf, &misprint, &alpha.pem, &beta.pem, &gamma.pem, &root.pem]
            .map(String::as_str)
            .concat(),
    );
    let said = place
        .cert(&format!("doctor list.pem --roots root.pem {AT}"))
        .with_code(4);
    for expected in [
        "warning[chain-order]: certificate 1's issuer (CN=Authority) is not the subject of certificate 2 \
         (CN=example.tencent-cloud)\n  where  list.pem, block 1 (line 1)\n",
        "  mend   No certificate that was given has the subject CN=Authority. If certificate 2 was meant to\n         \
         be it, it was issued to somebody else: get the right one from whoever issued certificate 1.\n",
        "error[missing-intermediate]: www.example.com was issued by CN=Authority",
        "warning[other-leaf]: example.tencent-cloud is a certificate for another server than www.example.com\n",
    ] {
        assert!(said.out.contains(expected), "{expected}\n{}", said.out);
    }
}

#[test]
fn s_chain_06_a_single_certificate_issued_by_a_root_is_good() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("leaf.pem", leaf);
    place.put("leaf.key", key);
    let said = place
        .cert(&format!(
            "doctor leaf.pem leaf.key --roots root.pem --name www.example.com --strict {AT}"
        ))
        .with_code(0);
    assert_text(
        &said.out,
        "(CN=Root, not given)\n\
         └─ www.example.com  #1 leaf, valid, 192 days left\n\
         \n\
         What clients say (nothing was fetched)\n  \
         with the roots of root.pem\n    \
         takes the order as it is (old devices, strict TLS 1.2)   trusts it, by Root\n    \
         takes the first that fits (curl, Python, PHP: OpenSSL)   trusts it, by Root\n    \
         sorts, fetches nothing (Java, Go, Firefox)               trusts it, by Root\n    \
         fetches what is missing (Chrome, Edge, Safari, Windows)  trusts it, by Root\n\
         \n\
         good; mended: www.example.com\n",
    );
}

#[test]
fn s_chain_07_to_09_a_heap_is_explained_and_mended() {
    let place = Place::new();
    let root = Ca::root("Root");
    let middle = root.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("heap.pem", format!("{}{leaf}{leaf}{key}{}", middle.pem, root.pem));
    let said = place
        .cert(&format!("doctor heap.pem --roots root.pem --out mended.pem {AT}"))
        .with_code(0);
    let line = |parts: &[&str]| parts.iter().map(|part| part.lines().count()).sum::<usize>() + 1;
    assert_text(
        &said.out,
        &format!(
            "\
Root                   #4 root, valid, 1137 days left
└─ Middle              #1 intermediate, valid, 1137 days left
   ├─ www.example.com  #2 leaf, valid, 192 days left
   └─ www.example.com  #3 leaf, valid, 192 days left

warning[chain-order]: certificate 1's issuer (CN=Root) is not the subject of certificate 2 (CN=www.example.com); 1 more does not follow its predecessor
  where  heap.pem, block 1 (line 1)
  why    Each certificate must be followed by its issuer (RFC 5246, section 7.4.2). Browsers sort
         them; older programs and devices take them as they come and do not trust the server.
  mend   The issuer is there, only in another place: install the mended bundle.

warning[duplicate-certificate]: www.example.com stands there again; the first time: heap.pem, block 2 (line {})
  where  heap.pem, block 3 (line {})
  why    It is sent to every client for nothing, and some programs refuse a chain in which a
         certificate is repeated. It happens when a full chain is given once more as the chain.
  mend   Leave the second one out.

note[root-included]: the root Root is part of the files
  where  heap.pem, block 5 (line {})
  why    Clients trust only their own copy of a root; the one that is sent costs bytes in every
         handshake.
  mend   Leave it out, unless a program asks for it; `--keep-root` keeps it.

What clients say (nothing was fetched)
  with the roots of root.pem
    takes the order as it is (old devices, strict TLS 1.2)   refuses it: the first certificate is Middle
      and the mended bundle:                                 trusts it, by Root
    takes the first that fits (curl, Python, PHP: OpenSSL)   refuses it: the first certificate is Middle
      and the mended bundle:                                 trusts it, by Root
    sorts, fetches nothing (Java, Go, Firefox)               refuses it: the first certificate is Middle
      and the mended bundle:                                 trusts it, by Root
    fetches what is missing (Chrome, Edge, Safari, Windows)  refuses it: the first certificate is Middle
      and the mended bundle:                                 trusts it, by Root

0 errors, 2 warnings, 1 note; mended: www.example.com, Middle
",
            line(&[&middle.pem]),
            line(&[&middle.pem, &leaf]),
            line(&[&middle.pem, &leaf, &leaf, &key]),
        ),
    );
    assert_eq!(ders(&place.text("mended.pem")), ders(&format!("{leaf}{}", middle.pem)));
    assert_eq!(place.mode("mended.pem"), 0o600);
    assert_text(
        &said.errors,
        "lbd: the mended chain and key was written to mended.pem\n",
    );
}

#[test]
fn s_key_04_a_foreign_key_is_an_error_and_is_not_written() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, _) = root.leaf("www.example.com");
    let (_, foreign) = root.leaf("other.example");
    place.put("root.pem", &root.pem);
    place.put("leaf.pem", &leaf);
    place.put("foreign.key", foreign);
    let said = place
        .cert(&format!(
            "doctor leaf.pem foreign.key --roots root.pem --out mended.pem {AT}"
        ))
        .with_code(4);
    assert!(
        plain(&said.out).contains(
            "error[key-mismatch]: the key (ECDSA P-256) does not belong to the certificate www.example.com (leaf.pem, \
             block 1 (line 1), ECDSA P-256): SHA-256 of the certificate's public key <sha256>, of the key's <sha256>\n"
        ),
        "{}",
        said.out
    );
    assert_eq!(place.text("mended.pem"), leaf);
}

#[test]
fn each_fault_of_a_certificate_is_found() {
    let place = Place::new();
    let root = Ca::root("Root");
    place.put("root.pem", &root.pem);
    let key = rcgen::KeyPair::generate().unwrap();
    for (fault, change, at) in FAULTS {
        let (leaf, _) = root.leaf_with("www.example.com", &key, change);
        place.put("leaf.pem", leaf);
        let said = place.cert(&format!(
            "doctor leaf.pem --roots root.pem --name www.example.com --json --at {at}"
        ));
        let id = format!("\"id\": \"{fault}\"");
        assert!(said.out.contains(&id), "{fault}: {}", said.out);
    }
}

type Fault = (&'static str, fn(&mut rcgen::CertificateParams), &'static str);

const FAULTS: [Fault; 8] = [
    ("expired", |_| {}, "2028-01-01"),
    ("not-yet-valid", |_| {}, "2026-09-01"),
    ("expires-soon", |_| {}, "2027-05-20"),
    ("no-names", |leaf| leaf.subject_alt_names.clear(), "2026-11-21"),
    (
        "name-not-covered",
        |leaf| leaf.subject_alt_names = vec![rcgen::SanType::DnsName("example.org".try_into().unwrap())],
        "2026-11-21",
    ),
    (
        "not-for-servers",
        |leaf| leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth],
        "2026-11-21",
    ),
    (
        "leaf-is-ca",
        |leaf| leaf.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained),
        "2026-11-21",
    ),
    (
        "long-lifetime",
        |leaf| leaf.not_after = rcgen::date_time_ymd(2029, 1, 1),
        "2026-11-21",
    ),
];

#[test]
fn a_readable_key_file_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("root.pem", &root.pem);
    place.put("pair.pem", format!("{leaf}{key}"));
    let examine = || {
        place
            .cert(&format!("doctor pair.pem --roots root.pem {AT}"))
            .with_code(0)
            .out
    };
    assert!(!examine().contains("key-is-readable"));
    std::fs::set_permissions(place.path().join("pair.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let out = examine();
    assert!(
        out.contains("warning[key-is-readable]: every user of this machine can read the private key (mode 644)"),
        "{out}"
    );
    assert!(
        out.contains("  mend   `chmod 600 pair.pem` leaves it to its owner.\n"),
        "{out}"
    );
}

#[test]
fn the_mended_chain_is_printed_behind_the_report() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, key) = root.leaf("www.example.com");
    place.put("heap.pem", format!("{key}{}{leaf}", root.pem));
    place.put("root.pem", &root.pem);
    let said = place
        .cert(&format!("doctor heap.pem --roots root.pem --print {AT}"))
        .with_code(0);
    assert!(
        said.out.ends_with(&format!("; mended: www.example.com\n{leaf}")),
        "{}",
        said.out
    );
}

#[test]
fn without_roots_the_files_own_root_is_a_client_too() {
    let place = Place::new();
    let root = Ca::root("Root");
    let (leaf, _) = root.leaf("www.example.com");
    place.put("pair.pem", format!("{leaf}{}", root.pem));
    let said = place.cert(&format!("doctor pair.pem {AT}"));
    assert!(
        said.out.contains("  with the roots of the files given\n"),
        "{}",
        said.out
    );
    assert!(said.out.contains("trusts it, by Root\n"), "{}", said.out);
}

#[test]
fn a_store_of_roots_is_described_in_a_few_lines() {
    let place = Place::new();
    let roots: String = (0..40).map(|number| Ca::root(&format!("Root {number}")).pem).collect();
    place.put("store.pem", &roots);
    let said = place.cert(&format!("doctor store.pem {AT}")).with_code(0);
    assert_text(
        &said.out,
        "\
\nnote[root-store]: a root store: 40 roots; no server's certificate
  why    Roots are what clients trust; servers do not send them. That a root signed itself, with
         whatever digest, and lives long, is as it should be.
  mend   Nothing has to be done. `lbd cert doctor CHAIN --roots FILE` looks at a server's chain as
         clients with these roots do.

good, 1 note
",
    );
    let said = place.cert(&format!("doctor store.pem --json {AT}")).with_code(0);
    let document: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["root_store"]["roots"], 40);
    assert_eq!(document["findings"][0]["id"], "root-store");
    for member in ["at", "worst", "findings", "clients", "chain"] {
        assert!(document.get(member).is_some(), "{member}");
    }
    let said = place
        .cert(&format!("doctor store.pem --out mended.pem {AT}"))
        .with_code(4);
    assert_text(
        &said.errors,
        "lbd: a root store is no server's bundle; nothing was written\n",
    );
    assert!(!place.has("mended.pem"));
}

#[test]
fn the_mended_bundle_passes_verify_with_the_same_roots_and_serves_openssl() {
    let place = Place::new();
    let (a, b) = (Ca::root("Root A"), Ca::root("Root B"));
    let middle = a.below("Middle");
    let (leaf, key) = middle.leaf("www.example.com");
    place.put("a.pem", &a.pem);
    place.put("b.pem", &b.pem);
    place.put("key.pem", key);
    let by_b = middle.cross_signed_by(&b);
    place.put("heap.pem", format!("{leaf}{by_b}{}", middle.pem));
    for roots in ["a.pem", "b.pem"] {
        for command in [
            "doctor heap.pem key.pem --out out.pem",
            "bundle heap.pem key.pem --out out.pem",
            "convert heap.pem --out out.pem",
        ] {
            let at = if command.starts_with("convert") { "" } else { AT };
            place
                .cert(&format!("{command} --force --roots {roots} {at}"))
                .with_code(0);
            let written = place.text("out.pem");
            let second = if roots == "a.pem" { &middle.pem } else { &by_b };
            assert_eq!(ders(&written)[1], ders(second)[0], "{command} {roots}");
            place
                .cert(&format!("verify out.pem --roots {roots} --name www.example.com {AT}"))
                .with_code(0);
        }
    }
}

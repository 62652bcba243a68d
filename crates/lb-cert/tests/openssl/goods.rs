//! A chain of three certificates and the key of the first, made by openssl.
#![allow(dead_code)]

use super::Shop;

/// What stands in the shop: `leaf.crt`, `inter.crt`, `root.crt`, `chain.crt` (all three), `leaf.key` (PKCS#8),
/// `root.crl`, and the same as DER here.
#[derive(Debug)]
pub(crate) struct Goods {
    pub(crate) kind: &'static str,
    /// Leaf, intermediate, root.
    pub(crate) chain: Vec<Vec<u8>>,
    /// PKCS#8.
    pub(crate) key: Vec<u8>,
    pub(crate) crl: Vec<u8>,
}

impl Goods {
    pub(crate) fn make(shop: &Shop, kind: &'static str) -> Self {
        shop.run(&format!("genpkey {} -out leaf.key", generation(kind)));
        shop.run(&format!("genpkey {} -out inter.key", generation("p256")));
        shop.run(&format!("genpkey {} -out root.key", generation("p256")));
        shop.write(
            "ca.ext",
            "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
        );
        shop.write(
            "leaf.ext",
            "subjectAltName=DNS:shop.example,DNS:*.shop.example\nextendedKeyUsage=serverAuth\n",
        );
        shop.run("req -x509 -key root.key -subj /O=Test/CN=Root -days 30 -out root.crt");
        shop.run("req -new -key inter.key -subj /O=Test/CN=Intermediate -out inter.csr");
        shop.run("x509 -req -in inter.csr -CA root.crt -CAkey root.key -set_serial 2 -days 20 -extfile ca.ext -out inter.crt");
        shop.run("req -new -key leaf.key -subj /CN=shop.example -out leaf.csr");
        shop.run("x509 -req -in leaf.csr -CA inter.crt -CAkey inter.key -set_serial 3 -days 9 -extfile leaf.ext -out leaf.crt");
        shop.write(
            "ca.conf",
            "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ncrlnumber=crlnumber\ndefault_md=sha256\ndefault_crl_days=9\n",
        );
        shop.write("index", "R\t300101000000Z\t200101000000Z\t0A\tunknown\t/CN=gone\n");
        shop.write("index.attr", "unique_subject = no\n");
        shop.write("crlnumber", "01\n");
        shop.run("ca -config ca.conf -gencrl -cert root.crt -keyfile root.key -out root.crl");
        shop.write(
            "chain.crt",
            ["leaf.crt", "inter.crt", "root.crt"]
                .map(|name| shop.text(name))
                .concat(),
        );
        let der = |name: &str| shop.run(&format!("x509 -in {name} -outform der"));
        Self {
            kind,
            chain: vec![der("leaf.crt"), der("inter.crt"), der("root.crt")],
            key: shop.run("pkcs8 -topk8 -nocrypt -in leaf.key -outform der"),
            crl: shop.run("crl -in root.crl -outform der"),
        }
    }

    /// Whether there is a PKCS#1 or SEC1 form.
    pub(crate) fn traditional(&self) -> Option<&'static str> {
        match self.kind {
            "rsa" | "rsa3072" => Some("RSA PRIVATE KEY"),
            "p256" | "p384" | "p521" => Some("EC PRIVATE KEY"),
            _ => None,
        }
    }
}

pub(crate) fn generation(kind: &str) -> String {
    match kind {
        "rsa" => "-algorithm RSA -pkeyopt rsa_keygen_bits:2048".into(),
        "rsa3072" => "-algorithm RSA -pkeyopt rsa_keygen_bits:3072".into(),
        "rsa-pss" => "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048".into(),
        "ed25519" => "-algorithm ED25519".into(),
        curve => format!("-algorithm EC -pkeyopt ec_paramgen_curve:{}", curve.replace('p', "P-")),
    }
}

/// The lines of base64 of the first block.
pub(crate) fn body(pem: &str) -> String {
    pem.lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect()
}

/// The first block with its base64 in lines of `columns`.
pub(crate) fn wrapped(pem: &str, columns: usize) -> String {
    let first = pem
        .lines()
        .find(|line| line.starts_with("-----BEGIN"))
        .expect("a block");
    let body = body(pem);
    let mut text = format!("{first}\n");
    for line in body.as_bytes().chunks(columns) {
        text.push_str(std::str::from_utf8(line).expect("base64"));
        text.push('\n');
    }
    text + &first.replace("BEGIN", "END") + "\n"
}

//! Certificates and keys, made when the tests run.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};

/// The time by which tests judge, unless they say another.
pub(crate) const AT: &str = "--at 2026-11-21";

/// A CA: its certificate in PEM and what is needed to issue more.
pub(crate) struct Ca {
    pub(crate) pem: String,
    parameters: CertificateParams,
    key: KeyPair,
}

impl Ca {
    pub(crate) fn root(name: &str) -> Self {
        let (parameters, key) = (ca(name), KeyPair::generate().unwrap());
        let pem = parameters.self_signed(&key).unwrap().pem();
        Self { pem, parameters, key }
    }

    pub(crate) fn below(&self, name: &str) -> Self {
        let (parameters, key) = (ca(name), KeyPair::generate().unwrap());
        let pem = self.sign(parameters.clone(), &key);
        Self { pem, parameters, key }
    }

    /// The same name and key, issued by another CA.
    pub(crate) fn cross_signed_by(&self, other: &Self) -> String {
        other.sign(self.parameters.clone(), &self.key)
    }

    /// A server's certificate and its key, in PEM.
    pub(crate) fn leaf(&self, name: &str) -> (String, String) {
        self.leaf_with(name, &KeyPair::generate().unwrap(), |_| {})
    }

    pub(crate) fn leaf_with(
        &self,
        name: &str,
        key: &KeyPair,
        change: impl FnOnce(&mut CertificateParams),
    ) -> (String, String) {
        let mut parameters = parameters(name);
        parameters.subject_alt_names = vec![SanType::DnsName(name.try_into().unwrap())];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.not_before = date_time_ymd(2026, 10, 1);
        parameters.not_after = date_time_ymd(2027, 6, 1);
        change(&mut parameters);
        (self.sign(parameters, key), key.serialize_pem())
    }

    /// Its private key, in PEM.
    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }

    /// A revocation list with one serial number, from 2026-11-01 to 2026-12-01.
    pub(crate) fn revocations(&self, serial: &[u8]) -> String {
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 11, 1),
            next_update: date_time_ymd(2026, 12, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: date_time_ymd(2026, 11, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&issuer).unwrap().pem().unwrap()
    }

    fn sign(&self, mut parameters: CertificateParams, key: &KeyPair) -> String {
        parameters.use_authority_key_identifier_extension = true;
        let address = format!(
            "http://ca.example/{}.cer",
            name_of(&self.parameters).to_lowercase().replace(' ', "-")
        );
        parameters.custom_extensions.push(issuer_is_at(&address));
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        parameters.signed_by(key, &issuer).unwrap().pem().replace("\r\n", "\n")
    }
}

/// The example of the sources: root, Gamma, Beta, Alpha, Authority; the leaf is issued by the last.
pub(crate) fn six() -> [Ca; 5] {
    let root = Ca::root("Root");
    let gamma = root.below("Gamma");
    let beta = gamma.below("Beta");
    let alpha = beta.below("Alpha");
    let authority = alpha.below("Authority");
    [root, gamma, beta, alpha, authority]
}

/// The DER of each certificate in a PEM text, in order.
pub(crate) fn ders(pem: &str) -> Vec<Vec<u8>> {
    blocks(pem, "CERTIFICATE")
}

/// The DER of each block with this label, by the reader of another crate.
pub(crate) fn blocks(pem: &str, label: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let (begin, end) = (format!("-----BEGIN {label}-----\n"), format!("-----END {label}-----\n"));
    for part in pem.split(&begin).skip(1) {
        let body = part.split(&end).next().unwrap();
        found.push(decode(body));
    }
    found
}

/// Base64, the plain way.
fn decode(text: &str) -> Vec<u8> {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut value, mut bits) = (0u32, 0);
    for letter in text
        .bytes()
        .filter(|letter| !letter.is_ascii_whitespace() && *letter != b'=')
    {
        let place = LETTERS.iter().position(|known| *known == letter).expect("base64");
        value = (value << 6) | u32::try_from(place).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((value >> bits) & 0xff).unwrap());
        }
    }
    bytes
}

fn ca(name: &str) -> CertificateParams {
    let mut parameters = parameters(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.remove(DnType::CommonName);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = date_time_ymd(2026, 1, 1);
    parameters.not_after = date_time_ymd(2030, 1, 1);
    parameters.serial_number = Some(SerialNumber::from_slice(&[0x40, 0, 0, 0, 0, 0, 0, 0x07]));
    parameters
}

fn name_of(parameters: &CertificateParams) -> String {
    match parameters.distinguished_name.get(&DnType::CommonName) {
        Some(rcgen::DnValue::Utf8String(name)) => name.clone(),
        other => panic!("{other:?}"),
    }
}

/// Authority information access with one address (RFC 5280, section 4.2.2.1).
fn issuer_is_at(address: &str) -> CustomExtension {
    let length = u8::try_from(address.len()).unwrap();
    let mut der = vec![0x30, length + 14, 0x30, length + 12];
    der.extend([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02, 0x86, length]);
    der.extend(address.as_bytes());
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der)
}

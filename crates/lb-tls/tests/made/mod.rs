//! Certificates, lists and handshakes for the tests. The clock stands at [`NOW`] unless a test sets it.
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

pub mod shake;

use lb_tls::{Engine, File, Identity, LoadOptions, Loaded, Note, SetClock};
use lb_types::Wall;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// 2026-11-21 00:00:00 UTC.
pub const NOW: u64 = 1_795_219_200;

pub fn clock() -> Arc<SetClock> {
    SetClock::at(Wall::from_secs(NOW))
}

pub fn engine() -> Engine {
    Engine::aws_lc(clock())
}

/// Says yes or no to certificates.
pub struct Authority {
    pub issuer: Issuer<'static, KeyPair>,
    pub der: CertificateDer<'static>,
    pub pem: String,
    pub key_pem: String,
}

/// A certificate with its key, as PEM.
pub struct Made {
    pub pem: String,
    pub key_pem: String,
    pub der: CertificateDer<'static>,
    pub serial: u64,
}

impl Made {
    /// Certificate and key in one file.
    pub fn both(&self) -> String {
        format!("{}{}", self.pem, self.key_pem)
    }

    pub fn key(&self) -> KeyPair {
        KeyPair::from_pem(&self.key_pem).expect("a key")
    }

    /// As a client shows it, with these issuers.
    pub fn shown(&self, issuers: &[&Authority]) -> Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
        let issuers = issuers.iter().map(|one| one.der.clone());
        let chain = std::iter::once(self.der.clone()).chain(issuers).collect();
        Some((chain, PrivateKeyDer::Pkcs8(self.key().serialize_der().into())))
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority_named(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2035, 1, 1);
    params
}

impl Authority {
    pub fn root(name: &str) -> Self {
        Self::root_by(name, KeyPair::generate().expect("a key"))
    }

    pub fn root_by(name: &str, key: KeyPair) -> Self {
        let params = authority_named(name);
        let key_pem = key.serialize_pem();
        let made = params.self_signed(&key).expect("a root");
        Self {
            der: made.der().clone(),
            pem: made.pem(),
            key_pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub fn intermediate(&self, name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let params = authority_named(name);
        let key_pem = key.serialize_pem();
        let made = params.signed_by(&key, &self.issuer).expect("an intermediate");
        Self {
            der: made.der().clone(),
            pem: made.pem(),
            key_pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A server's certificate, ECDSA P-256.
    pub fn server(&self, names: &[&str]) -> Made {
        self.leaf(names, &rcgen::PKCS_ECDSA_P256_SHA256, |_| {})
    }

    /// A client's certificate with this serial number.
    pub fn client(&self, name: &str, serial: u64) -> Made {
        self.leaf(&[name], &rcgen::PKCS_ECDSA_P256_SHA256, |params| {
            params.serial_number = Some(SerialNumber::from(serial));
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    pub fn leaf(
        &self,
        names: &[&str],
        kind: &'static SignatureAlgorithm,
        change: impl FnOnce(&mut CertificateParams),
    ) -> Made {
        let key = KeyPair::generate_for(kind).expect("a key");
        self.leaf_by(names, key, change)
    }

    pub fn leaf_by(&self, names: &[&str], key: KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Made {
        let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = named(names.first().copied().unwrap_or("nameless"));
        params.subject_alt_names = CertificateParams::new(owned).expect("names").subject_alt_names;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.serial_number = Some(SerialNumber::from(77));
        change(&mut params);
        let serial = params.serial_number.as_ref().map_or(0, |serial| {
            serial
                .to_bytes()
                .iter()
                .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
        });
        let made = params.signed_by(&key, &self.issuer).expect("a certificate");
        Made {
            pem: made.pem(),
            key_pem: key.serialize_pem(),
            der: made.der().clone(),
            serial,
        }
    }

    /// A list that revokes these, in force from 2026-11-01 until 2026-12-01.
    pub fn crl(&self, revoked: impl IntoIterator<Item = u64>) -> String {
        self.crl_until(revoked, (2026, 12, 1))
    }

    pub fn crl_until(&self, revoked: impl IntoIterator<Item = u64>, (year, month, day): (i32, u8, u8)) -> String {
        let entry = |serial: u64| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2026, 10, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 11, 1),
            next_update: date_time_ymd(year, month, day),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.into_iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }
}

/// A self-signed certificate as `openssl req -x509` makes it: a CA, for everything.
pub fn self_signed(names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Made {
    let key = KeyPair::generate().expect("a key");
    let owned: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = named(names.first().copied().unwrap_or("nameless"));
    params.subject_alt_names = CertificateParams::new(owned).expect("names").subject_alt_names;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    let made = params.self_signed(&key).expect("a certificate");
    Made {
        pem: made.pem(),
        key_pem: key.serialize_pem(),
        der: made.der().clone(),
        serial: 0,
    }
}

pub fn file<'a>(label: &'a str, text: &'a str) -> File<'a> {
    File {
        label,
        bytes: text.as_bytes(),
        password: None,
    }
}

pub fn try_load(files: &[(&str, &str)]) -> Result<Loaded, lb_tls::LoadError> {
    let files = files.iter().map(|(label, text)| file(label, text));
    lb_tls::load(files, &LoadOptions::default(), &engine())
}

pub fn load(files: &[(&str, &str)]) -> Loaded {
    try_load(files).expect("identities")
}

/// The identities of certificates with their keys.
pub fn identities(made: &[&Made]) -> Vec<Arc<Identity>> {
    let texts: Vec<String> = made.iter().map(|made| made.both()).collect();
    let files = texts.iter().map(|text| file("made.pem", text));
    lb_tls::load(files, &LoadOptions::default(), &engine())
        .expect("identities")
        .identities
}

pub fn said(notes: &[Note]) -> Vec<String> {
    notes.iter().map(ToString::to_string).collect()
}

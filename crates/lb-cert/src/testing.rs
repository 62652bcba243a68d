//! Certificates for tests, made when they run.

use crate::{Certificate, Place};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd};

/// A CA with its key.
pub(crate) struct Ca {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
    parameters: CertificateParams,
}

impl Ca {
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(name, |_| {})
    }

    pub(crate) fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut parameters, key) = (ca_parameters(name), KeyPair::generate().unwrap());
        change(&mut parameters);
        let certificate = read(&parameters.self_signed(&key).unwrap());
        Self {
            certificate,
            key,
            parameters,
        }
    }

    pub(crate) fn below(issuer: &Self, name: &str) -> Self {
        Self::below_with(issuer, name, |_| {})
    }

    pub(crate) fn below_with(issuer: &Self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut parameters, key) = (ca_parameters(name), KeyPair::generate().unwrap());
        change(&mut parameters);
        let certificate = issuer.sign(&parameters, &key);
        Self {
            certificate,
            key,
            parameters,
        }
    }

    /// A certificate that issues although it says of itself that it may not.
    pub(crate) fn not_a_ca(issuer: &Self, name: &str) -> Self {
        let (mut parameters, key) = (parameters(name), KeyPair::generate().unwrap());
        parameters.use_authority_key_identifier_extension = true;
        let certificate = issuer.sign(&parameters, &key);
        Self {
            certificate,
            key,
            parameters,
        }
    }

    /// The same name and key, issued by somebody else.
    pub(crate) fn cross_signed_by(&self, issuer: &Self) -> Certificate {
        issuer.sign(&self.parameters, &self.key)
    }

    /// A server's certificate with changes.
    pub(crate) fn issue(&self, name: &str, key: &KeyPair, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut parameters = parameters(name);
        parameters.subject_alt_names = vec![rcgen::SanType::DnsName(name.try_into().unwrap())];
        parameters.use_authority_key_identifier_extension = true;
        change(&mut parameters);
        self.sign(&parameters, key)
    }

    fn sign(&self, parameters: &CertificateParams, key: &KeyPair) -> Certificate {
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        read(&parameters.signed_by(key, &issuer).unwrap())
    }
}

/// A server's certificate for `name` and its key.
pub(crate) fn leaf(issuer: &Ca, name: &str) -> (Certificate, KeyPair) {
    let key = KeyPair::generate().unwrap();
    (issuer.issue(name, &key, |_| {}), key)
}

pub(crate) fn place(source: &str, block: usize) -> Place {
    Place {
        source: source.into(),
        block: u32::try_from(block).unwrap(),
        line: None,
        offset: 0,
    }
}

fn ca_parameters(name: &str) -> CertificateParams {
    let mut parameters = parameters(name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters.use_authority_key_identifier_extension = true;
    parameters
}

fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.remove(DnType::CommonName);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = date_time_ymd(2026, 1, 1);
    parameters.not_after = date_time_ymd(2030, 1, 1);
    parameters
}

fn read(made: &rcgen::Certificate) -> Certificate {
    Certificate::parse(made.der().clone()).unwrap()
}

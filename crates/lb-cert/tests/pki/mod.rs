//! Certificates and CRLs for tests, made when they run.
#![allow(dead_code)] // every test file uses another part

use lb_cert::{AwsLc, Certificate, Crl, Crls, Profile, Refusal, Request, Roots, Verified, Verifier};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevocationReason, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};

/// 2026-07-01, within everything that is made here.
pub(crate) const NOW: i64 = 1_782_864_000;
pub(crate) const DAY: i64 = 86_400;

/// A CA with its key.
pub(crate) struct Ca {
    pub(crate) certificate: Certificate,
    pub(crate) params: CertificateParams,
    pub(crate) key: KeyPair,
}

impl Ca {
    pub(crate) fn root(name: &str) -> Self {
        Self::root_with(name, |_| {})
    }

    pub(crate) fn root_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (ca(name), KeyPair::generate().expect("a key"));
        params.use_authority_key_identifier_extension = false;
        change(&mut params);
        let certificate = parse(params.self_signed(&key).expect("a root").der());
        Self {
            certificate,
            params,
            key,
        }
    }

    pub(crate) fn below(issuer: &Self, name: &str) -> Self {
        Self::below_with(issuer, name, |_| {})
    }

    pub(crate) fn below_with(issuer: &Self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let (mut params, key) = (ca(name), KeyPair::generate().expect("a key"));
        change(&mut params);
        let certificate = issuer.sign(&params, &key);
        Self {
            certificate,
            params,
            key,
        }
    }

    pub(crate) fn sign(&self, params: &CertificateParams, key: &KeyPair) -> Certificate {
        parse(params.signed_by(key, &self.issuer()).expect("a certificate").der())
    }

    pub(crate) fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &self.key)
    }

    /// A server's certificate.
    pub(crate) fn leaf(&self, name: &str) -> Certificate {
        self.leaf_with(name, |_| {})
    }

    pub(crate) fn leaf_with(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Certificate {
        let mut params = named(name);
        params.subject_alt_names = vec![SanType::DnsName(name.try_into().expect("ASCII"))];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        change(&mut params);
        self.sign(&params, &KeyPair::generate().expect("a key"))
    }

    /// A CRL that revokes these serial numbers; in force in 2026.
    pub(crate) fn crl(&self, serials: &[&[u8]]) -> Crl {
        self.crl_with(serials, |_| {})
    }

    pub(crate) fn crl_with(&self, serials: &[&[u8]], change: impl FnOnce(&mut CertificateRevocationListParams)) -> Crl {
        Crl::parse(self.crl_der(serials, change).into()).expect("ours reads it")
    }

    pub(crate) fn crl_der(
        &self,
        serials: &[&[u8]],
        change: impl FnOnce(&mut CertificateRevocationListParams),
    ) -> Vec<u8> {
        let mut params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2027, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(|serial| revoked(serial)).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        change(&mut params);
        params.signed_by(&self.issuer()).expect("a CRL").der().to_vec()
    }
}

fn revoked(serial: &[u8]) -> RevokedCertParams {
    RevokedCertParams {
        serial_number: SerialNumber::from_slice(serial),
        revocation_time: date_time_ymd(2026, 3, 1),
        reason_code: Some(RevocationReason::KeyCompromise),
        invalidity_date: None,
    }
}

pub(crate) fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca(name: &str) -> CertificateParams {
    let mut params = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

pub(crate) fn parse(der: &[u8]) -> Certificate {
    Certificate::parse(der.to_vec().into()).expect("ours reads it")
}

/// Verifies in a profile; with CRLs if there are any.
pub(crate) fn verify(
    profile: &Profile,
    roots: &[&Ca],
    leaf: &Certificate,
    others: &[&Certificate],
    request: &Request<'_>,
    crls: Option<&Crls>,
) -> Result<Verified, Refusal> {
    let roots: Roots = roots.iter().map(|root| root.certificate.clone()).collect();
    let others: Vec<Certificate> = others.iter().map(|other| (*other).clone()).collect();
    let mut verifier = Verifier::new(&roots, &AwsLc, profile);
    if let Some(crls) = crls {
        verifier = verifier.with_crls(crls);
    }
    verifier.verify(leaf, &others, request)
}

/// In the profile for connections, as a server, now.
pub(crate) fn connect(roots: &[&Ca], leaf: &Certificate, others: &[&Certificate]) -> Result<Verified, Refusal> {
    verify(&Profile::connection(), roots, leaf, others, &Request::server(NOW), None)
}

/// The DER with the last byte of the signature changed.
pub(crate) fn corrupted(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    if let Some(last) = der.last_mut() {
        *last ^= 1;
    }
    parse(&der)
}

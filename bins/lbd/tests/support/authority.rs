//! Certificates made for a test.

use super::Folder;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use std::path::PathBuf;
use std::time::Duration;

/// An authority with the files that it issued.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: Folder,
    issuer: Issuer<'static, KeyPair>,
}

/// What a leaf is to be.
#[derive(Debug, Clone)]
pub(crate) struct Leaf<'a> {
    pub(crate) names: &'a [&'a str],
    pub(crate) common_name: &'a str,
    pub(crate) serial: u64,
    /// First and last year.
    pub(crate) years: (i32, i32),
    pub(crate) purpose: ExtendedKeyUsagePurpose,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Folder::new();
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2120, 1, 1));
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        folder.write("root.pem", &certificate.pem());
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    /// The file of the root.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Certificate and key of a server with these names, in one file.
    pub(crate) fn server(&self, file: &str, names: &[&str]) -> PathBuf {
        self.issue(
            file,
            Leaf {
                names,
                common_name: names[0],
                serial: 1,
                years: (2020, 2119),
                purpose: ExtendedKeyUsagePurpose::ServerAuth,
            },
        )
    }

    /// The same of a client.
    pub(crate) fn client(&self, file: &str, common_name: &str, serial: u64) -> PathBuf {
        self.issue(
            file,
            Leaf {
                names: &[],
                common_name,
                serial,
                years: (2020, 2119),
                purpose: ExtendedKeyUsagePurpose::ClientAuth,
            },
        )
    }

    pub(crate) fn issue(&self, file: &str, leaf: Leaf<'_>) -> PathBuf {
        let last = leaf.years.1;
        self.issue_valid(file, leaf, |params| params.not_after = date_time_ymd(last, 12, 31))
    }

    /// Certificate and key of a server with these names, good for so much longer.
    pub(crate) fn ending(&self, file: &str, names: &[&str], longer: Duration) -> PathBuf {
        let now = Duration::from_secs(lb_net::clock::now().wall.as_secs());
        let leaf = Leaf {
            names,
            common_name: names[0],
            serial: 1,
            years: (2020, 2020),
            purpose: ExtendedKeyUsagePurpose::ServerAuth,
        };
        self.issue_valid(file, leaf, |params| {
            params.not_after = date_time_ymd(1970, 1, 1) + now + longer;
        })
    }

    fn issue_valid(&self, file: &str, leaf: Leaf<'_>, until: impl FnOnce(&mut CertificateParams)) -> PathBuf {
        let names: Vec<String> = leaf.names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.distinguished_name = named(leaf.common_name);
        params.serial_number = Some(SerialNumber::from(leaf.serial));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![leaf.purpose];
        params.use_authority_key_identifier_extension = true;
        params.not_before = date_time_ymd(leaf.years.0, 1, 1);
        until(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        self.folder
            .write(file, &format!("{}{}", certificate.pem(), key.serialize_pem()))
    }

    /// A list that revokes these serial numbers.
    pub(crate) fn revocation_list(&self, file: &str, serials: &[u64]) -> PathBuf {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(2119, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        self.folder
            .write(file, &list.signed_by(&self.issuer).unwrap().pem().unwrap())
    }
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

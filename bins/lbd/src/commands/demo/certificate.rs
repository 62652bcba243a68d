//! A certificate for the demo, made when it starts.

use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use std::error::Error;
use std::fs::{File, remove_file};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A file with a certificate for `localhost`, signed by itself, and its key. It goes with its owner.
#[derive(Debug)]
pub(super) struct Certificate(PathBuf);

impl Certificate {
    /// Makes it, for its owner alone to read.
    pub(super) fn make(path: PathBuf) -> Result<Self, Box<dyn Error>> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "lbd demo");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let text = format!("{}{}", params.self_signed(&key)?.pem(), key.serialize_pem());
        // Whoever had this port left it: we have the port now.
        let _ = remove_file(&path);
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&path)?;
        let made = Self(path);
        file.write_all(text.as_bytes())?;
        Ok(made)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = remove_file(&self.0);
    }
}

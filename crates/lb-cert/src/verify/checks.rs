//! The rules of a profile, applied to a path.

use super::{Refusal, Verifier, Warning};
use crate::certificate::Certificate;
use crate::crypto::Crypto;
use crate::profile::{Check, Level, Link, Path, Profile, Role, Rule, core};
use crate::request::Request;

/// A rule that is checked at each certificate.
type Each = fn(&Link<'_>) -> Option<String>;
/// A rule that is checked at a whole path.
type Whole = fn(&Path<'_>) -> Option<(usize, String)>;
/// A rule that is checked at a CRL and its issuer.
type List = fn(&crate::crl::Crl, &Certificate) -> Option<String>;

/// The rules that are not off, by where they are checked.
#[derive(Debug, Default)]
pub(super) struct Checks {
    each: Vec<(&'static Rule, Level, Each)>,
    path: Vec<(&'static Rule, Level, Whole)>,
    pub(super) crl: Vec<(&'static Rule, Level, List)>,
}

impl Checks {
    pub(super) fn new(profile: &Profile) -> Self {
        let mut checks = Self::default();
        for (rule, level) in profile.rules().filter(|(_, level)| *level != Level::Off) {
            match rule.check {
                Check::Core => {}
                Check::Each(check) => checks.each.push((rule, level, check)),
                Check::Path(check) => checks.path.push((rule, level, check)),
                Check::Crl(check) => checks.crl.push((rule, level, check)),
            }
        }
        checks
    }

    /// The first rule that refuses this certificate in this role; warnings are collected if asked for.
    pub(super) fn at(
        &self,
        certificate: &Certificate,
        role: Role,
        position: usize,
        request: &Request<'_>,
        crypto: &dyn Crypto,
        mut warnings: Option<&mut Vec<Warning>>,
    ) -> Result<(), Refusal> {
        if role != Role::Anchor {
            in_time(certificate, position, request)?;
        }
        let link = Link {
            certificate,
            role,
            request,
            crypto,
        };
        for (rule, level, check) in &self.each {
            let refuses = *level == Level::Refuse;
            if !refuses && warnings.is_none() {
                continue;
            }
            let Some(value) = check(&link) else { continue };
            let refusal = Refusal::new(rule, position, certificate.label(), value);
            match &mut warnings {
                _ if refuses => return Err(refusal),
                Some(warnings) => warnings.push(Warning(refusal)),
                None => {}
            }
        }
        Ok(())
    }

    /// All rules at all certificates of a path that leads to an anchor. Gives the warnings.
    pub(super) fn all(&self, path: &Path<'_>, verifier: &Verifier<'_>) -> Result<Vec<Warning>, Refusal> {
        let mut warnings = Vec::new();
        for (position, certificate) in path.certificates.iter().enumerate() {
            let role = path.role(position);
            self.at(
                certificate,
                role,
                position,
                path.request,
                verifier.crypto,
                Some(&mut warnings),
            )?;
            if role == Role::Intermediate && !certificate.is_ca() {
                let value = String::from("no basicConstraints cA TRUE");
                return Err(Refusal::new(&core::NOT_A_CA, position, certificate.label(), value));
            }
        }
        for (rule, level, check) in &self.path {
            let Some((position, value)) = check(path) else { continue };
            let subject = path.certificates.get(position).map(|one| one.label());
            let refusal = Refusal::new(rule, position, subject.unwrap_or_default(), value);
            if *level == Level::Refuse {
                return Err(refusal);
            }
            warnings.push(Warning(refusal));
        }
        if let Some(crls) = verifier.crls {
            super::revocation::check(crls, path, verifier.crypto, &self.crl, &mut warnings)?;
        }
        Ok(warnings)
    }
}

fn in_time(certificate: &Certificate, position: usize, request: &Request<'_>) -> Result<(), Refusal> {
    let now = request.now;
    let (rule, value) = if now > certificate.not_after() {
        let end = crate::date::moment(certificate.not_after());
        (&core::EXPIRED, format!("it ended {end}"))
    } else if now < certificate.not_before() {
        let start = crate::date::moment(certificate.not_before());
        (&core::NOT_YET_VALID, format!("it begins {start}"))
    } else {
        return Ok(());
    };
    Err(Refusal::new(rule, position, certificate.label(), value))
}

#[cfg(all(test, feature = "aws-lc-rs"))]
#[path = "../../tests/debian/mod.rs"]
mod debian;

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;
    use crate::AwsLc;
    use std::collections::BTreeMap;

    /// Every finding of the strictest profile about Debian's roots, in 2026.
    fn findings() -> BTreeMap<&'static str, Vec<String>> {
        let mut checks = Checks::new(&Profile::strict());
        checks.each.iter_mut().for_each(|(_, level, _)| *level = Level::Warn);
        let request = Request::server(1_782_864_000);
        let mut found: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for der in debian::roots() {
            let root = Certificate::parse(der).expect("a root");
            let mut warnings = Vec::new();
            let checked = checks.at(&root, Role::Anchor, 0, &request, &AwsLc, Some(&mut warnings));
            assert_eq!(checked, Ok(()));
            for warning in warnings {
                let finding = warning.finding();
                found.entry(finding.rule().id).or_default().push(finding.to_string());
            }
        }
        found
    }

    /// What is true of real roots, looked up with pyca/cryptography: rule and part of the name.
    const RIGHT: [(&str, &str); 14] = [
        ("aki.issuer-serial", "Certigna"),
        ("aki.issuer-serial", "Go Daddy Class 2"),
        ("aki.issuer-serial", "Starfield Class 2"),
        ("aki.issuer-serial", "QuoVadis Root CA 2"),
        ("aki.issuer-serial", "QuoVadis Root CA 3"),
        ("basic-constraints.critical", "Go Daddy Class 2"),
        ("basic-constraints.critical", "Starfield Class 2"),
        ("basic-constraints.critical", "ePKI Root"),
        ("ski.missing", "Hongkong Post Root CA 1"),
        ("ski.missing", "TWCA Global Root CA"),
        ("validity.anchor", "Baltimore CyberTrust Root"),
        ("validity.anchor", "E-Tugra Certification Authority"),
        ("validity.anchor", "Hongkong Post Root CA 1"),
        ("validity.anchor", "Security Communication RootCA1"),
    ];

    #[test]
    fn debians_roots_show_no_wrong_finding() {
        for (rule, findings) in findings() {
            for finding in findings {
                let right = RIGHT.iter().any(|(id, name)| *id == rule && finding.contains(name));
                assert!(right, "{rule}: {finding}");
            }
        }
    }
}

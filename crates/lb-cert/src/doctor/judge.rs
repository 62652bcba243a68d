//! The rules that clients share, dates of the leaf aside, and what OpenSSL asks beyond them.

use super::Examination;
use super::clients::RootSet;
use crate::{Certificate, Profile, Request, Verifier};

/// The rules that clients share.
pub(super) struct Judge<'a> {
    pub(super) leaf: &'a Certificate,
    pub(super) set: &'a RootSet<'a>,
    pub(super) examination: &'a Examination<'a>,
}

impl Judge<'_> {
    /// Why no way through what was sent pleases the rules.
    pub(super) fn any_way(&self, sent: &[Certificate]) -> Option<String> {
        let others = sent.get(1..).unwrap_or_default();
        let (profile, request) = (rules(), self.request());
        let verifier = Verifier::new(self.set.roots, self.examination.crypto, &profile);
        let verdict = verifier.verify(self.leaf, others, &request);
        verdict.err().map(|refusal| refusal.to_string())
    }

    /// Why exactly this way, root last, does not please OpenSSL: it knows no other.
    pub(super) fn way(&self, way: &[Certificate]) -> Option<String> {
        let (profile, request) = (rules(), self.request());
        let verifier = Verifier::new(self.set.roots, self.examination.crypto, &profile);
        let certificates: Vec<&Certificate> = way.iter().collect();
        let verdict = verifier.judge(&certificates, &request);
        verdict
            .err()
            .map(|refusal| refusal.to_string())
            .or_else(|| self.purpose(way))
    }

    /// What OpenSSL asks of usages beyond the rules (error 26): a root that states what it is for has to be for this, and
    /// a server's key has to sign, encipher or agree.
    fn purpose(&self, way: &[Certificate]) -> Option<String> {
        let wanted = if self.is_for_clients() {
            &CLIENT_USES[..]
        } else {
            &SERVER_USES[..]
        };
        let (root, below) = way.split_last()?;
        let is_other = root
            .extended_key_usage()
            .is_some_and(|uses| !uses.iter().any(|oid| wanted.contains(&oid.as_str())));
        if is_other {
            return Some(format!(
                "the extended key usage of the root {} does not allow it",
                root.label()
            ));
        }
        if !below.is_empty() && root.key_usage().is_some_and(|usage| !usage.sign_certificates()) {
            return Some(format!(
                "the key usage of the root {} does not allow to sign certificates",
                root.label()
            ));
        }
        let allows = |usage: crate::KeyUsage| LEAF_USAGES.iter().any(|name| usage.has(name));
        let is_dumb = !self.is_for_clients() && self.leaf.key_usage().is_some_and(|usage| !allows(usage));
        is_dumb.then(|| {
            format!(
                "the key usage of {} allows neither to sign nor to encipher or agree keys",
                self.leaf.label()
            )
        })
    }

    fn request(&self) -> Request<'static> {
        if self.is_for_clients() {
            Request::client(self.examination.at)
        } else {
            Request::server(self.examination.at)
        }
    }

    /// A certificate for clients alone is judged as one.
    fn is_for_clients(&self) -> bool {
        let uses = self.leaf.extended_key_usage();
        uses.is_some_and(|uses| uses.iter().all(|oid| oid == CLIENT_AUTH))
    }
}

/// Real clients do not share the limits of the library that builds paths here.
fn rules() -> Profile {
    Profile::connection().with_complete(true)
}

const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";
const CLIENT_USES: [&str; 1] = [CLIENT_AUTH];
/// serverAuth, and what Netscape and Microsoft called it for strong ciphers.
const SERVER_USES: [&str; 3] = ["1.3.6.1.5.5.7.3.1", "2.16.840.1.113730.4.1", "1.3.6.1.4.1.311.10.3.3"];
const LEAF_USAGES: [&str; 3] = ["digitalSignature", "keyEncipherment", "keyAgreement"];

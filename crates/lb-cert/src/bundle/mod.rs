//! From a heap of certificates and keys to one bundle: leaf first, then its issuers, and the key of the leaf.
//!
//! Nothing is guessed from file names or positions. The leaf is the certificate whose key is there; without a key, the
//! one that issued nobody. Each further certificate is one whose subject is the issuer of the one before, whose key
//! identifier does not contradict that and, when a [`Crypto`](crate::Crypto) is given that knows the algorithm, whose
//! key made the signature. What does not belong is left out, with the reason.
//!
//! When roots are given, the way is one that leads to them and that [`Verifier`](crate::Verifier) accepts, whichever
//! cross-signed intermediate stands first; a certificate that another set of roots needs is kept behind the chain.

mod mend;
mod pairing;
mod path;
#[cfg(test)]
#[cfg(feature = "aws-lc-rs")]
mod tests;
mod trusted;
mod unknown;

pub use crate::graph::MAX_SIGNATURES;
pub use mend::mend;
pub use pairing::{KeyMatch, match_key, public_key, public_key_digest};
pub use trusted::MAX_VERIFICATIONS;
pub use unknown::{Comparison, unknown_reason};

use crate::{Certificate, CertificateDer, CertificateError, Found, Place, PrivateKey, Roots};

/// Longest chain that is put together, leaf and root included. webpki follows 6 intermediates, OpenSSL 100.
pub const MAX_CHAIN: usize = 12;

/// Steps that one search for a way to the root takes at most; after that the best way so far is taken.
pub const MAX_STEPS: usize = 10_000;

/// Reads the structure of each certificate that [`read`](crate::read) found, once for everything that follows.
///
/// # Errors
///
/// The first certificate whose structure cannot be read, and where it stands.
pub fn parse_all(found: Vec<Found<CertificateDer<'static>>>) -> Result<Vec<Found<Certificate>>, UnreadableCertificate> {
    let parse = |Found { value, place }| match Certificate::parse(value) {
        Ok(value) => Ok(Found { value, place }),
        Err(error) => Err(UnreadableCertificate { place, error }),
    };
    found.into_iter().map(parse).collect()
}

/// A certificate whose structure cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {error}")]
pub struct UnreadableCertificate {
    /// Where it stands.
    pub place: Place,
    /// What is wrong with it.
    pub error: CertificateError,
}

impl UnreadableCertificate {
    /// What it means and how to mend it.
    #[must_use]
    pub const fn explain(&self) -> &'static str {
        "The certificate is damaged, or not of the form that RFC 5280 asks for. Get it again from whoever issued it."
    }
}

/// How to mend.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct MendOptions<'a> {
    /// Keep the root at the end of the chain. Clients have their own copy; sending it costs bytes and gives nothing.
    pub keep_root: bool,
    /// The time, in unix seconds: between two ways up, one whose certificates are valid then is taken.
    pub at: i64,
    /// Whom the clients trust, each set a kind of clients: the chain leads to the roots of the first that can be
    /// reached, and what only another set needs follows behind it.
    pub roots: &'a [&'a Roots],
}

impl MendOptions<'_> {
    /// Without the root, as of `at` (unix seconds), whomever the clients trust.
    #[must_use]
    pub const fn new(at: i64) -> Self {
        Self {
            keep_root: false,
            at,
            roots: &[],
        }
    }
}

/// One right bundle, and what became of the rest.
#[derive(Debug)]
#[non_exhaustive]
pub struct Mended {
    /// Leaf first, each further one the issuer of the one before. Empty when no certificate was given.
    pub chain: Vec<Found<Certificate>>,
    /// To be sent behind the chain: certificates that make the way to other roots, cross-signed ones mostly. Without any
    /// root that is known, every cross-signed one, because nobody can say which will be needed.
    pub further: Vec<Found<Certificate>>,
    /// The key of the leaf; of several that belong to no certificate the first, with `pairing` saying so.
    pub key: Option<Found<PrivateKey>>,
    /// Whether `key` belongs to the leaf.
    pub pairing: KeyMatch,
    /// Certificates that are neither in the chain nor behind it, in the order given.
    pub left_out: Vec<LeftOut>,
    /// Keys that are not `key`, in the order given.
    pub spare_keys: Vec<Found<PrivateKey>>,
    /// How the chain ends.
    pub end: End,
    /// Certificates that name an issuer among those given, by name or by key identifier, which did not sign them; and
    /// nobody else given did.
    pub broken: Vec<Broken>,
}

impl Mended {
    /// What a server sends: the chain, then the further ones.
    pub fn sent(&self) -> impl Iterator<Item = &Found<Certificate>> {
        self.chain.iter().chain(&self.further)
    }
}

/// A certificate that is not in the chain.
#[derive(Debug)]
#[non_exhaustive]
pub struct LeftOut {
    /// Which.
    pub certificate: Found<Certificate>,
    /// Why.
    pub reason: Reason,
}

/// Why a certificate is not in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The same bytes were given before, there.
    Duplicate(Place),
    /// The root at the end of the chain, which clients have.
    Root,
    /// The same subject and key as that certificate of the chain, issued by somebody else or at another time.
    Alternative(Place),
    /// For a server of its own: it issued nobody, and another certificate was chosen as the leaf.
    OtherLeaf,
    /// Neither the leaf nor on the way from it to a root.
    Unrelated,
}

/// How a chain ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// There is no chain.
    Empty,
    /// With a certificate that issued itself, which was given (and dropped, unless kept).
    Root,
    /// With a certificate whose issuer was not given: a root that clients have, or an intermediate that is missing.
    Open(Issuer),
}

/// The issuer that the last certificate of a chain names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Its subject, readable.
    pub name: String,
    /// The identifier of its key, when the certificate says it.
    pub key_id: Option<Vec<u8>>,
    /// Where its certificate can be had, as the certificate says (authority information access); never fetched.
    pub addresses: Vec<String>,
}

impl Issuer {
    /// The issuer that `certificate` names.
    #[must_use]
    pub fn of(certificate: &Certificate) -> Self {
        Self {
            name: certificate.issuer(),
            key_id: certificate
                .authority_key_id()
                .and_then(|id| id.key_id.as_deref())
                .map(<[u8]>::to_vec),
            addresses: certificate.ca_issuers().iter().map(ToString::to_string).collect(),
        }
    }
}

/// A certificate and the one that should have signed it and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The certificate with the wrong signature.
    pub certificate: Place,
    /// Its subject.
    pub subject: String,
    /// The certificate whose key should have made it; the same for one that issued itself.
    pub issuer: Place,
    /// The subject of that.
    pub issuer_subject: String,
    /// The key identifiers agree and the names do not, so that whoever looks by name finds no issuer.
    pub is_name: bool,
    /// Name and key identifier agree: it is this key that should have signed. Otherwise there may be another issuer of
    /// that name, which was not given.
    pub is_certain: bool,
}

//! Is there a path of certificates from a peer to a root that is trusted?

mod budget;
mod checks;
mod first;
mod refusal;
mod revocation;
mod roots;
mod search;

pub use budget::Budget;
pub use refusal::{Refusal, Warning};
pub use roots::Roots;

use crate::certificate::Certificate;
use crate::count::counted;
use crate::crl::Crls;
use crate::crypto::Crypto;
use crate::profile::{Path, Profile};
use crate::request::Request;
use checks::Checks;

/// Verifies paths. Made once, used for every peer; shared between threads.
///
/// rustls-webpki builds the paths and checks signatures; the profile checks each path that it finds,
/// so that a bad first path does not hide a good second one. After a refusal a bounded search of our
/// own finds the certificate and the rule; it changes the verdict only if the profile
/// [is complete](Profile::is_complete), or for clients' certificates.
#[derive(Debug)]
pub struct Verifier<'a> {
    roots: &'a Roots,
    crypto: &'a dyn Crypto,
    profile: &'a Profile,
    crls: Option<&'a Crls>,
    budget: Budget,
    checks: Checks,
}

/// A path that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    path: Vec<Step>,
    warnings: Vec<Warning>,
}

/// One certificate of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The peer's own.
    Leaf,
    /// The one at this index among those that came with it.
    Intermediate(usize),
    /// The root at this index of [`Roots::iter`].
    Anchor(usize),
}

impl Verified {
    /// The path: leaf first, root last.
    #[must_use]
    pub fn path(&self) -> &[Step] {
        &self.path
    }

    /// Rules that were broken and whose level is only to tell.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

impl Verifier<'_> {
    /// What the rules say of exactly this path, leaf first and root last. Signatures are not looked at.
    pub(crate) fn judge(&self, path: &[&Certificate], request: &Request<'_>) -> Result<(), Refusal> {
        request.comparisons.set(self.budget.comparisons);
        let path = Path {
            certificates: path,
            request,
        };
        self.checks.all(&path, self).map(drop)
    }
}

impl<'a> Verifier<'a> {
    /// A verifier without CRLs and with the default budget.
    #[must_use]
    pub fn new(roots: &'a Roots, crypto: &'a dyn Crypto, profile: &'a Profile) -> Self {
        Self {
            roots,
            crypto,
            profile,
            crls: None,
            budget: Budget::DEFAULT,
            checks: Checks::new(profile),
        }
    }

    /// Checks revocation, too.
    #[must_use]
    pub const fn with_crls(mut self, crls: &'a Crls) -> Self {
        self.crls = Some(crls);
        self
    }

    /// With another budget.
    #[must_use]
    pub const fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Verifies a peer's certificate with whatever certificates came with it, in any order.
    ///
    /// Cost: two or three signature checks for the usual path; within the limits always.
    ///
    /// # Errors
    ///
    /// No path is acceptable: the certificate and the rule that come closest.
    pub fn verify(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
        request: &Request<'_>,
    ) -> Result<Verified, Refusal> {
        request.comparisons.set(self.budget.comparisons);
        if others.len() > self.budget.certificates {
            let value = format!(
                "{}, {} allowed",
                counted(others.len(), "certificates"),
                self.budget.certificates
            );
            return Err(Refusal::new(&crate::profile::core::LIMIT, 0, leaf.label(), value));
        }
        let refused = match first::verify(self, leaf, others, request) {
            Ok(verified) => return Ok(verified),
            Err(refused) => refused,
        };
        request.comparisons.set(self.budget.comparisons);
        match search::search(self, leaf, others, request) {
            // rustls-webpki knows no constraints on mailboxes, which is what clients are called.
            Ok(verified) if self.profile.is_complete() || request.is_for_clients() => Ok(verified),
            Ok(found) => Err(refused.unexplained(self, leaf, others, request, &found)),
            Err(refusal) => Err(refusal),
        }
    }
}

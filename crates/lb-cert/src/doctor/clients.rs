//! What clients of different kinds would say.

use super::judge::Judge;
use super::walk::Walk;
use super::{Examination, first_fit};
use crate::bundle::{Issuer, Mended};
use crate::inspect::Validity;
use crate::{Certificate, Finding, Roots, Severity};

/// What a client trusts.
#[derive(Debug, Clone, Copy)]
pub struct RootSet<'a> {
    /// How the report names it.
    pub name: &'a str,
    /// Its roots.
    pub roots: &'a Roots,
}

/// How a client finds the way to a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Client {
    /// Takes certificates in the order in which they were sent, each the issuer of the one before: old TLS libraries
    /// and devices.
    InOrder,
    /// Finds the order itself, but of several issuers of one name takes the first that fits by its key identifier and
    /// tries no other; takes a certificate without key identifiers that has its issuer's name for self-signed; fetches
    /// nothing: OpenSSL, so curl, Python, PHP, Ruby, Node, nginx, HAProxy. GnuTLS, too, takes the first that fits.
    FirstFit,
    /// Finds the order itself, tries every way and fetches nothing: Java, Go, Firefox.
    Sorting,
    /// Also fetches a missing issuer from the address in the certificate: Chrome, Edge, Safari, Windows.
    Fetching,
}

impl Client {
    /// All kinds, from the least to the most helpful.
    pub const ALL: [Self; 4] = [Self::InOrder, Self::FirstFit, Self::Sorting, Self::Fetching];

    /// `in-order`, `first-fit`, `sorting` or `fetching`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "in-order",
            Self::FirstFit => "first-fit",
            Self::Sorting => "sorting",
            Self::Fetching => "fetching",
        }
    }

    /// Who is like that.
    #[must_use]
    pub const fn examples(self) -> &'static str {
        match self {
            Self::InOrder => "old devices, strict TLS 1.2",
            Self::FirstFit => "curl, Python, PHP: OpenSSL",
            Self::Sorting => "Java, Go, Firefox",
            Self::Fetching => "Chrome, Edge, Safari, Windows",
        }
    }
}

/// What one client with one set of roots says of the certificates as they were given, and as they are mended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientView {
    /// The client.
    pub client: Client,
    /// Its roots.
    pub roots: String,
    /// About what was given.
    pub given: Verdict,
    /// About the mended bundle.
    pub mended: Verdict,
}

/// What a client says of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Trusts it, by this root.
    Trusts {
        /// The root's short name.
        root: String,
    },
    /// Would fetch the issuer from its address and trust the chain if that is the right one. Nothing was fetched.
    WouldFetch {
        /// The missing issuer.
        issuer: Issuer,
    },
    /// Refuses it: the issuer was not sent, and is none of its roots.
    Missing {
        /// The missing issuer.
        issuer: Issuer,
    },
    /// Refuses it: the next certificate is not the issuer of this one.
    OutOfOrder {
        /// The certificate whose issuer does not follow, from 1.
        position: usize,
        /// The issuer that it names.
        issuer: String,
    },
    /// Refuses it: the first certificate, which is taken for the server's, is another one.
    WrongFirst {
        /// The first certificate's short name.
        first: String,
    },
    /// Refuses it: it leads to a root that this client does not know.
    UnknownRoot {
        /// The root's short name.
        root: String,
    },
    /// Refuses it: what it was given as a root does not look self-signed, so that it looks for a root above it.
    NotARoot {
        /// The certificate's short name.
        certificate: String,
    },
    /// Refuses it: takes a certificate for self-signed that has its issuer's name and not both key identifiers.
    TakenForSelfSigned {
        /// The certificate's short name.
        certificate: String,
    },
    /// Refuses it: took the first issuer of that name, which did not sign it.
    WrongIssuer {
        /// The certificate's short name.
        certificate: String,
        /// The issuer that was taken.
        issuer: String,
    },
    /// Refuses it: a certificate on the way is not valid at that time.
    NotValid {
        /// Its short name and its validity.
        certificate: String,
    },
    /// Refuses it by a rule, although there is a way to one of its roots.
    Refuses {
        /// The refusal on one line.
        why: String,
    },
    /// There is nothing to judge.
    Nothing,
}

impl Verdict {
    /// Does the client connect, without having to fetch anything?
    #[must_use]
    pub const fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusts { .. })
    }

    /// `trusts`, `would-fetch` or `refuses`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Trusts { .. } => "trusts",
            Self::WouldFetch { .. } => "would-fetch",
            _ => "refuses",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trusts { root } => write!(f, "trusts it, by {root}"),
            Self::WouldFetch { issuer } => write!(
                f,
                "would fetch {} from {}",
                issuer.name,
                issuer.addresses.first().map_or("its address", String::as_str)
            ),
            Self::Missing { issuer } => write!(f, "refuses it: {} is missing", issuer.name),
            Self::OutOfOrder { position, issuer } => {
                write!(
                    f,
                    "refuses it: certificate {position} is not followed by its issuer, {issuer}"
                )
            }
            Self::WrongFirst { first } => write!(f, "refuses it: the first certificate is {first}"),
            Self::UnknownRoot { root } => write!(f, "refuses it: {root} is none of its roots"),
            Self::NotARoot { certificate } => {
                write!(
                    f,
                    "refuses it: {certificate} is trusted and does not look self-signed (only curl and Python 3.13 take that)"
                )
            }
            Self::TakenForSelfSigned { certificate } => {
                write!(
                    f,
                    "refuses it: {certificate} has its issuer's name and is taken for self-signed"
                )
            }
            Self::WrongIssuer { certificate, issuer } => {
                write!(f, "refuses it: the first {issuer} did not sign {certificate}")
            }
            Self::NotValid { certificate } => write!(f, "refuses it: {certificate}"),
            Self::Refuses { why } => write!(f, "refuses it: {why}"),
            Self::Nothing => f.write_str("has nothing to judge"),
        }
    }
}

pub(super) fn simulate(given: &[Certificate], mended: &Mended, examination: &Examination<'_>) -> Vec<ClientView> {
    let chain: Vec<Certificate> = mended.sent().map(|found| found.value.clone()).collect();
    let mut views = Vec::new();
    for set in examination.roots {
        for client in Client::ALL {
            views.push(ClientView {
                client,
                roots: set.name.to_owned(),
                given: judge(client, given, chain.first(), set, examination),
                mended: judge(client, &chain, chain.first(), set, examination),
            });
        }
    }
    views
}

/// What clients say of the mended bundle and nothing else explains, once for each set of roots.
pub(super) fn findings(views: &[ClientView]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // All kinds of clients agree about the mended bundle in these cases, so one speaks for them.
    for view in views.iter().filter(|view| view.client == Client::Sorting) {
        findings.extend(finding(view));
        let first_fit = |other: &&ClientView| other.client == Client::FirstFit && other.roots == view.roots;
        if view.mended.is_trusted() {
            findings.extend(views.iter().find(first_fit).and_then(one_way));
        }
    }
    findings
}

/// Clients that try every way trust the mended bundle, and those that try one do not.
fn one_way(view: &ClientView) -> Option<Finding> {
    // A finding of the certificate says so already.
    if view.mended.is_trusted() || matches!(view.mended, Verdict::TakenForSelfSigned { .. }) {
        return None;
    }
    if let Verdict::NotARoot { certificate } = &view.mended {
        return Some(Finding {
            severity: Severity::Warning,
            id: "no-root",
            place: None,
            what: format!(
                "{certificate} is among the roots of {} and does not look self-signed",
                view.roots
            ),
            why: "Java, Go, browsers, curl and Python 3.13 trust any certificate that they were given. Other programs by \
                  OpenSSL (PHP, Ruby, Node, nginx and HAProxy as clients) look for a root above it and refuse the chain \
                  without one.",
            mend: "Give these clients the self-signed root, too, whose authority key identifier is its own.".to_owned(),
        });
    }
    if let Verdict::Refuses { why } = &view.mended {
        return Some(Finding {
            severity: Severity::Warning,
            id: "one-way-only",
            place: None,
            what: format!(
                "OpenSSL with the roots of {} refuses the way that it finds: {why}",
                view.roots
            ),
            why: "It tries no other way, and asks of the root, too, what it is for. Java, Go and browsers do not.",
            mend: "Send only certificates of a way without this fault, or have the named certificate issued again."
                .to_owned(),
        });
    }
    Some(Finding {
        severity: Severity::Warning,
        id: "one-way-only",
        place: None,
        what: format!(
            "OpenSSL and GnuTLS with the roots of {} do not find the way that Java, Go and browsers find: {}",
            view.roots, view.mended
        ),
        why: "Of several issuers with the same name and key they take the first that was sent and try no other, so one \
              bundle serves clients of one root only: curl, Python, PHP, Ruby, nginx as a client.",
        mend:
            "Decide for the root that most clients have, and give it alone with --roots. If both are needed, ask the \
               issuer for one intermediate whose root is itself cross-signed by the other."
                .to_owned(),
    })
}

fn finding(view: &ClientView) -> Option<Finding> {
    let (severity, id, what, why, mend) = match &view.mended {
        Verdict::Refuses { why } => (
            Severity::Error,
            "refused",
            format!("clients with the roots of {} refuse the chain: {why}", view.roots),
            "There is a way from the certificate to a root, but something on it breaks a rule that clients share.",
            "`lbd cert verify` says more of the rule; the certificate that it names has to be issued again.",
        ),
        Verdict::UnknownRoot { root } => (
            Severity::Warning,
            "unknown-root",
            format!("{root} is none of the roots of {}", view.roots),
            "A client trusts only roots that it was given. Private roots have to be installed in every client; public \
             ones are missing in clients that are older than the root.",
            "Install the root in these clients, or have the certificate issued by a CA that they know.",
        ),
        _ => return None,
    };
    Some(Finding {
        severity,
        id,
        place: None,
        what,
        why,
        mend: mend.to_owned(),
    })
}

fn judge(
    client: Client,
    sent: &[Certificate],
    leaf: Option<&Certificate>,
    set: &RootSet<'_>,
    examination: &Examination<'_>,
) -> Verdict {
    let (Some(first), Some(leaf)) = (sent.first(), leaf) else {
        return Verdict::Nothing;
    };
    if first != leaf {
        return Verdict::WrongFirst { first: first.label() };
    }
    if client == Client::FirstFit {
        let (verdict, way) = first_fit::walk(sent, set.roots, examination);
        return ruled(verdict, leaf, set, examination, |judge| judge.way(&way));
    }
    let verdict = Walk::new(client, sent, set.roots, examination).verdict();
    ruled(verdict, leaf, set, examination, |judge| judge.any_way(sent))
}

/// The verdict when the leaf's dates and the rules have had their word, too; `refused` asks the rules.
fn ruled(
    verdict: Verdict,
    leaf: &Certificate,
    set: &RootSet<'_>,
    examination: &Examination<'_>,
    refused: impl FnOnce(&Judge<'_>) -> Option<String>,
) -> Verdict {
    match (Validity::of(leaf, examination.at), &verdict) {
        // The rules that clients share: usage, constraints, weak keys and so on.
        (Validity::Valid { .. }, Verdict::Trusts { .. }) => {
            let judge = Judge { leaf, set, examination };
            refused(&judge).map_or(verdict, |why| Verdict::Refuses { why })
        }
        (Validity::Valid { .. }, _) => verdict,
        // A leaf out of its time is refused whatever the way.
        (validity, Verdict::Trusts { .. } | Verdict::WouldFetch { .. }) => Verdict::NotValid {
            certificate: format!("{}: {validity}", leaf.label()),
        },
        _ => verdict,
    }
}

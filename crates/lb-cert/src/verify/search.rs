//! The second layer: a bounded search of our own.
//!
//! After a refusal it finds which certificate and which rule are to blame. In a complete profile it
//! also finds what rustls-webpki cannot: paths with more than six intermediates, names compared as
//! RFC 5280 says, name constraints on mailboxes, policies, self-issued certificates.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Refusal, Step, Verified, Verifier};
use crate::certificate::{Certificate, KeyKind, PublicKey, name};
use crate::count::counted;
use crate::profile::{Path, Role, core};
use crate::request::Request;
use crate::signature::{self, Answer};
use std::collections::HashMap;

/// How far a failed path came: the refusal that came farthest is the one that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Progress {
    /// Nobody of the issuer's name is there.
    NoIssuer,
    /// Somebody is, but did not sign.
    NotSigned,
    /// Somebody signed who may not.
    NotAllowed,
    /// A whole path to an anchor, that breaks a rule.
    WholePath,
    /// A limit was reached: nothing more is tried.
    Limit,
}

/// A certificate with its names in comparable form.
struct Node<'a> {
    certificate: &'a Certificate,
    issuer: Vec<u8>,
    /// Is there any way to an anchor, going by names?
    hopeful: bool,
    /// What the rules say of it as an intermediate certificate, once asked.
    verdict: Option<Result<(), Refusal>>,
}

struct Search<'a, 'b> {
    verifier: &'a Verifier<'a>,
    request: &'a Request<'b>,
    leaf: &'a Certificate,
    nodes: Vec<Node<'a>>,
    by_subject: HashMap<Vec<u8>, Vec<usize>>,
    /// Signatures that were checked: by subject and issuer.
    signatures: HashMap<(Key, Key), Answer>,
    signatures_left: u32,
    steps_left: u32,
    /// Indices of intermediates, leaf's issuer first.
    path: Vec<usize>,
    best: Option<(Progress, Refusal)>,
}

/// A certificate's number for the table of signatures.
type Key = (u8, usize);

/// What finding the words for a refusal may cost: some 5 ms.
const DIAGNOSIS_SIGNATURES: u32 = 64;
const DIAGNOSIS_STEPS: u32 = 1_000;

pub(super) fn search<'a>(
    verifier: &'a Verifier<'a>,
    leaf: &'a Certificate,
    others: &'a [Certificate],
    request: &'a Request<'_>,
) -> Result<Verified, Refusal> {
    verifier
        .checks
        .at(leaf, Role::Leaf, 0, request, verifier.crypto, None)?;

    let mut nodes: Vec<Node<'a>> = Vec::with_capacity(others.len());
    let mut by_subject: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (index, certificate) in others.iter().enumerate() {
        nodes.push(Node {
            certificate,
            issuer: name::canonical(certificate.issuer_raw()),
            hopeful: false,
            verdict: None,
        });
        // the same certificate sent twice is tried once
        let known = by_subject
            .entry(name::canonical(certificate.subject_raw()))
            .or_default();
        if !known.iter().any(|one| others.get(*one) == Some(certificate)) {
            known.push(index);
        }
    }
    mark_hopeful(&mut nodes, &by_subject, verifier);

    let mut budget = verifier.budget;
    if !verifier.profile.is_complete() {
        // only words depend on it
        budget.signatures = budget.signatures.min(DIAGNOSIS_SIGNATURES);
        budget.steps = budget.steps.min(DIAGNOSIS_STEPS);
    }
    let mut search = Search {
        verifier,
        request,
        leaf,
        nodes,
        by_subject,
        signatures: HashMap::new(),
        signatures_left: budget.signatures,
        steps_left: budget.steps,
        path: Vec::new(),
        best: None,
    };
    match search.extend() {
        Some(verified) => Ok(verified),
        None => Err(match search.best {
            Some((_, refusal)) => refusal,
            None => search.no_issuer(),
        }),
    }
}

/// Marks every certificate from which names lead to an anchor. Each is looked at once.
fn mark_hopeful(nodes: &mut [Node<'_>], by_subject: &HashMap<Vec<u8>, Vec<usize>>, verifier: &Verifier<'_>) {
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut open = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        for issuer in by_subject.get(&node.issuer).into_iter().flatten() {
            children.entry(*issuer).or_default().push(index);
        }
        if !verifier.roots.called(&node.issuer).is_empty() {
            open.push(index);
        }
    }
    while let Some(index) = open.pop() {
        let Some(node) = nodes.get_mut(index) else { continue };
        if !node.hopeful {
            node.hopeful = true;
            open.extend(children.get(&index).into_iter().flatten());
        }
    }
}

impl<'a> Search<'a, '_> {
    /// Tries every issuer of the last certificate. The path found, or nothing.
    fn extend(&mut self) -> Option<Verified> {
        let (last, key) = self.last();
        let issuer = match self.path.last().and_then(|index| self.nodes.get(*index)) {
            Some(node) => node.issuer.clone(),
            None => name::canonical(last.issuer_raw()),
        };
        let mut somebody = false;
        let verifier = self.verifier;
        for index in verifier.roots.called(&issuer) {
            let Some(anchor) = verifier.roots.certificates.get(*index) else {
                continue;
            };
            somebody = true;
            if !self.step() || !self.signed_by(last, key, anchor, (2, *index)) {
                continue;
            }
            if let Some(verified) = self.finish(*index, anchor) {
                return Some(verified);
            }
        }
        let candidates = self.by_subject.get(&issuer).cloned().unwrap_or_default();
        for index in candidates {
            let Some(node) = self.nodes.get(index) else { continue };
            let (candidate, hopeful) = (node.certificate, node.hopeful);
            if self.repeats(candidate) {
                continue;
            }
            somebody = true;
            if !hopeful
                && self
                    .best
                    .as_ref()
                    .is_some_and(|(progress, _)| *progress > Progress::NoIssuer)
            {
                continue;
            }
            if !self.step() || !self.deep_enough(candidate) || !self.may_issue(index) {
                continue;
            }
            if !self.signed_by(last, key, candidate, (1, index)) {
                continue;
            }
            self.path.push(index);
            let found = self.extend();
            self.path.pop();
            if found.is_some() {
                return found;
            }
        }
        if !somebody {
            let refusal = self.no_issuer();
            self.remember(Progress::NoIssuer, refusal);
        }
        None
    }

    /// The last certificate of the path so far.
    fn last(&self) -> (&'a Certificate, Key) {
        match self
            .path
            .last()
            .and_then(|index| Some((self.nodes.get(*index)?.certificate, *index)))
        {
            Some((certificate, index)) => (certificate, (1, index)),
            None => (self.leaf, (0, 0)),
        }
    }

    /// RFC 4158, section 5.2: no name with the same key twice in one path.
    fn repeats(&self, candidate: &Certificate) -> bool {
        let same = |one: &Certificate| {
            one.spki_raw() == candidate.spki_raw() && name::same(one.subject_raw(), candidate.subject_raw())
        };
        let mut nodes = self.path.iter().filter_map(|index| self.nodes.get(*index));
        same(self.leaf) || nodes.any(|node| same(node.certificate))
    }

    fn step(&mut self) -> bool {
        self.take(|search| &mut search.steps_left, "candidates")
    }

    /// Takes one from a budget; tells once that it is used up.
    fn take(&mut self, budget: fn(&mut Self) -> &mut u32, what: &str) -> bool {
        let left = budget(self);
        if let Some(fewer) = left.checked_sub(1) {
            *left = fewer;
            return true;
        }
        let value = format!("no path after the allowed number of {what}");
        let refusal = Refusal::new(&core::LIMIT, 0, self.leaf.label(), value);
        self.remember(Progress::Limit, refusal);
        false
    }

    fn deep_enough(&mut self, candidate: &Certificate) -> bool {
        let limit = self.verifier.budget.intermediates;
        if self.path.len() < limit {
            return true;
        }
        let value = format!("more than {}", counted(limit, "intermediate certificates"));
        let position = self.path.len().saturating_add(1);
        let refusal = Refusal::new(&core::LIMIT, position, candidate.label(), value);
        self.remember(Progress::NotAllowed, refusal);
        false
    }

    /// What the rules say of a certificate wherever it stands as an intermediate.
    fn may_issue(&mut self, index: usize) -> bool {
        let position = self.path.len().saturating_add(1);
        let (verifier, request) = (self.verifier, self.request);
        let Some(node) = self.nodes.get_mut(index) else {
            return false;
        };
        let certificate = node.certificate;
        let verdict = node.verdict.get_or_insert_with(|| {
            verifier.checks.at(
                certificate,
                Role::Intermediate,
                position,
                request,
                verifier.crypto,
                None,
            )?;
            if certificate.is_ca() {
                return Ok(());
            }
            let value = String::from("no basicConstraints cA TRUE");
            Err(Refusal::new(&core::NOT_A_CA, position, certificate.label(), value))
        });
        match verdict.clone() {
            Ok(()) => true,
            Err(refusal) => {
                self.remember(Progress::NotAllowed, refusal);
                false
            }
        }
    }

    fn signed_by(&mut self, subject: &Certificate, key: Key, issuer: &Certificate, issuer_key: Key) -> bool {
        let answer = match self.signatures.get(&(key, issuer_key)) {
            Some(answer) => *answer,
            None => {
                if !self.take(|search| &mut search.signatures_left, "signatures") {
                    return false;
                }
                let answer = signature::check(
                    self.verifier.crypto,
                    issuer.spki_raw(),
                    subject.signature_algorithm_raw(),
                    subject.signed(),
                    subject.signature(),
                );
                self.signatures.insert((key, issuer_key), answer);
                answer
            }
        };
        let (rule, value) = match answer {
            Answer::Good => return true,
            // what checks signatures refuses short keys without a word
            Answer::Bad if is_short(issuer.key()) => (
                &core::UNSUPPORTED_SIGNATURE,
                format!("the issuer's {} key is too short", issuer.key()),
            ),
            Answer::Bad => (
                &core::BAD_SIGNATURE,
                format!("the key of {} did not make it", issuer.label()),
            ),
            Answer::Unsupported => {
                let (algorithm, key) = (subject.signature_algorithm(), issuer.key());
                (
                    &core::UNSUPPORTED_SIGNATURE,
                    format!("{algorithm} with the issuer's {key} key"),
                )
            }
        };
        let refusal = Refusal::new(rule, self.path.len(), subject.label(), value);
        self.remember(Progress::NotSigned, refusal);
        false
    }

    /// A path to an anchor: does it please every rule?
    fn finish(&mut self, index: usize, anchor: &'a Certificate) -> Option<Verified> {
        let mut certificates = vec![self.leaf];
        let mut steps = vec![Step::Leaf];
        for index in &self.path {
            certificates.push(self.nodes.get(*index)?.certificate);
            steps.push(Step::Intermediate(*index));
        }
        certificates.push(anchor);
        steps.push(Step::Anchor(index));
        let path = Path {
            certificates: &certificates,
            request: self.request,
        };
        match self.verifier.checks.all(&path, self.verifier) {
            Ok(warnings) => Some(Verified { path: steps, warnings }),
            Err(refusal) => {
                self.remember(Progress::WholePath, refusal);
                None
            }
        }
    }

    fn no_issuer(&self) -> Refusal {
        let (last, _) = self.last();
        let value = if last.is_self_signed(self.verifier.crypto) {
            format!(
                "{} issued itself and is not among the trusted roots",
                name::printable(&last.label())
            )
        } else {
            format!(
                "nobody called {} is among the sent certificates and the trusted roots",
                last.issuer()
            )
        };
        Refusal::new(&core::UNKNOWN_ISSUER, self.path.len(), last.label(), value)
    }

    /// Keeps the refusal that came farthest, of those the first; of missing issuers the highest.
    fn remember(&mut self, progress: Progress, refusal: Refusal) {
        let farther = self.best.as_ref().is_none_or(|(best, known)| {
            progress > *best
                || (progress == Progress::NoIssuer && *best == progress && refusal.position() > known.position())
        });
        if farther {
            self.best = Some((progress, refusal));
        }
    }
}

fn is_short(key: &PublicKey) -> bool {
    matches!(key.kind, KeyKind::Rsa | KeyKind::RsaPss) && key.bits < 2048
}

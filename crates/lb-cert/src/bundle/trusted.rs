//! Which ways the given roots accept: asked of the verifier itself, so that a mended bundle passes it.

use super::MendOptions;
use crate::graph::Graph;
use crate::signature::is_signed_by;
use crate::{Certificate, Crypto, Profile, Purpose, Request, Roots, Step, Verifier};
use std::collections::{HashMap, HashSet};

/// Verifications that mending makes for one set of roots at most: each of two purposes by each of four profiles, and
/// a few more to choose the leaf.
pub const MAX_VERIFICATIONS: usize = 8 * (MAX_LEAVES + 1);

/// Of so many certificates that may be the leaf it is asked whether roots accept them.
const MAX_LEAVES: usize = 16;

/// Ways that were accepted, each as the numbers of its certificates, leaf first, root left out.
type Accepted = Vec<Vec<usize>>;

/// The ways from a leaf to the roots that were given.
pub(super) struct Ways<'a> {
    options: MendOptions<'a>,
    crypto: &'a dyn Crypto,
    profiles: [Profile; 4],
    known: HashMap<usize, Accepted>,
}

impl<'a> Ways<'a> {
    pub(super) fn new(options: MendOptions<'a>, crypto: &'a dyn Crypto) -> Self {
        // What the first accepts, all accept; the last finds ways that the others do not look for.
        let profiles = [
            Profile::strict().with_complete(false),
            Profile::connection(),
            Profile::lenient(),
            Profile::strict(),
        ];
        Self {
            options,
            crypto,
            profiles,
            known: HashMap::new(),
        }
    }

    pub(super) const fn at(&self) -> i64 {
        self.options.at
    }

    /// Does any set of roots accept this leaf? Of the first [`MAX_LEAVES`] that are asked for.
    pub(super) fn accepts(&mut self, graph: &Graph<'_>, leaf: usize) -> bool {
        let is_asked =
            !self.options.roots.is_empty() && (self.known.contains_key(&leaf) || self.known.len() < MAX_LEAVES);
        is_asked && !self.of(graph, leaf).is_empty()
    }

    /// The way for the first set that has one, and those that others need beside it.
    pub(super) fn from(&mut self, graph: &Graph<'_>, leaf: usize) -> (Vec<usize>, Accepted) {
        let mut ways = self.of(graph, leaf).iter();
        (ways.next().cloned().unwrap_or_default(), ways.cloned().collect())
    }

    fn of(&mut self, graph: &Graph<'_>, leaf: usize) -> &Accepted {
        if !self.known.contains_key(&leaf) {
            let found = self.find(graph, leaf);
            self.known.insert(leaf, found);
        }
        self.known.entry(leaf).or_default()
    }

    fn find(&self, graph: &Graph<'_>, leaf: usize) -> Accepted {
        let mut found = Accepted::new();
        if self.options.roots.is_empty() {
            return found;
        }
        let above = ancestors(graph, leaf);
        let others: Vec<Certificate> = above.iter().map(|&index| graph.at(index).clone()).collect();
        for roots in self.options.roots {
            for purpose in [Purpose::Server, Purpose::Client] {
                self.by_each_profile(graph.at(leaf), &others, roots, &purpose, |steps| {
                    let intermediates = steps.iter().filter_map(|step| match step {
                        Step::Intermediate(index) => above.get(*index).copied(),
                        _ => None,
                    });
                    let way: Vec<usize> = std::iter::once(leaf).chain(intermediates).collect();
                    if !found.contains(&way) {
                        found.push(way);
                    }
                });
            }
        }
        found
    }

    /// Gives each way that one of the profiles needs.
    fn by_each_profile(
        &self,
        leaf: &Certificate,
        others: &[Certificate],
        roots: &Roots,
        purpose: &Purpose,
        mut take: impl FnMut(&[Step]),
    ) {
        let mut is_served = false;
        for (number, profile) in self.profiles.iter().enumerate() {
            // The last is the strictest, and the most thorough.
            if is_served && number + 1 < self.profiles.len() {
                continue;
            }
            let request = Request::new(self.options.at, purpose.clone());
            if let Ok(verified) = Verifier::new(roots, self.crypto, profile).verify(leaf, others, &request) {
                take(verified.path());
                if number == 0 {
                    return;
                }
                is_served = true;
            }
        }
    }
}

/// What may stand above the leaf, by names, the nearest first; no more than a verifier takes.
fn ancestors(graph: &Graph<'_>, leaf: usize) -> Vec<usize> {
    let mut found = vec![leaf];
    let mut seen: HashSet<usize> = HashSet::from([leaf]);
    let mut next = 0;
    while let Some(&index) = found.get(next) {
        next += 1;
        let issuers = graph.named(&graph.at(index).issuer()).iter().copied();
        found.extend(issuers.filter(|&issuer| seen.insert(issuer)));
    }
    found.remove(0);
    found.truncate(crate::Budget::DEFAULT.certificates);
    // The order in which they were given decides between equals.
    found.sort_unstable();
    found
}

/// Which certificates are a root of a set, or were issued by one: where no way is accepted, for its dates or for want of
/// cryptography, the way to a known root is still the better one.
#[derive(Debug, Default)]
pub(super) struct Known(HashSet<usize>);

impl Known {
    /// Of those that may stand above this leaf, and itself.
    pub(super) fn of(graph: &Graph<'_>, leaf: usize, sets: &[&Roots], crypto: &dyn Crypto) -> Self {
        if sets.is_empty() {
            return Self::default();
        }
        let is_issued = |one: &Certificate, root: &Certificate| {
            one.is_issued_by(root) && is_signed_by(one, root, crypto).unwrap_or_else(|| one.names_key_of(root))
        };
        let is_root = |one: &Certificate, root: &Certificate| {
            one.spki_raw() == root.spki_raw() && one.subject_raw() == root.subject_raw()
        };
        let leads = |index: &usize| {
            let one = graph.at(*index);
            let mut roots = sets.iter().flat_map(|set| set.iter());
            roots.any(|root| is_root(one, root) || is_issued(one, root))
        };
        let mut above = ancestors(graph, leaf);
        above.push(leaf);
        Self(above.into_iter().filter(leads).collect())
    }

    pub(super) fn leads(&self, index: usize) -> bool {
        self.0.contains(&index)
    }
}

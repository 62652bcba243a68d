//! The best way from the leaf up.

use super::trusted::Known;
use super::{MAX_CHAIN, MAX_STEPS};
use crate::graph::Graph;
use std::cmp::Reverse;

/// The best chain that begins with `leaf`, root included. In this order: all its certificates are valid at `at`; it
/// reaches one of the `known` roots; it reaches a root that was given, or an intermediate with the name and key of one;
/// it is long, because a cross-signed intermediate serves the clients that know either root; its first certificate to
/// expire does so late; it was given first.
pub(super) fn best(graph: &mut Graph<'_>, leaf: usize, at: i64, known: &Known) -> Vec<usize> {
    search(graph, &[leaf], at, known, false)
}

/// A chain that roots accept, and the best way on from its end as far as that is valid: for the clients that know only
/// a root further up.
pub(super) fn onwards(graph: &mut Graph<'_>, start: &[usize], at: i64) -> Vec<usize> {
    search(graph, start, at, &Known::default(), true)
}

fn search(graph: &mut Graph<'_>, start: &[usize], at: i64, known: &Known, only_valid: bool) -> Vec<usize> {
    let mut search = Search {
        at,
        known,
        only_valid,
        steps: 0,
        best: None,
    };
    search.walk(graph, &mut start.to_vec());
    search.best.map_or_else(|| start.to_vec(), |(_, path)| path)
}

struct Search<'a> {
    at: i64,
    known: &'a Known,
    only_valid: bool,
    steps: usize,
    best: Option<(Rank, Vec<usize>)>,
}

/// Greater is better.
type Rank = (bool, bool, bool, usize, i64, Reverse<Vec<usize>>);

impl Search<'_> {
    fn walk(&mut self, graph: &mut Graph<'_>, path: &mut Vec<usize>) {
        let Some(&last) = path.last() else { return };
        self.steps += 1;
        let mut is_end = true;
        if path.len() < MAX_CHAIN && !graph.is_root(last) {
            for issuer in graph.issuers(last) {
                // The same name and key twice on one way is a circle of cross-signatures.
                if self.steps >= MAX_STEPS
                    || (self.only_valid && !self.is_valid(graph, issuer))
                    || path.iter().any(|&known| graph.is_same_ca(known, issuer))
                {
                    continue;
                }
                is_end = false;
                path.push(issuer);
                self.walk(graph, path);
                path.pop();
            }
        }
        if is_end {
            let rank = self.rank(graph, path);
            if self.best.as_ref().is_none_or(|(best, _)| rank > *best) {
                self.best = Some((rank, path.clone()));
            }
        }
    }

    fn is_valid(&self, graph: &Graph<'_>, index: usize) -> bool {
        let certificate = graph.at(index);
        (certificate.not_before()..=certificate.not_after()).contains(&self.at)
    }

    fn rank(&self, graph: &mut Graph<'_>, path: &[usize]) -> Rank {
        let above = path.get(1..).unwrap_or_default();
        let is_valid = above.iter().all(|&index| self.is_valid(graph, index));
        let is_known = path.iter().any(|&index| self.known.leads(index));
        let ends_in_root = path.last().is_some_and(|&last| graph.is_root(last));
        let is_complete = ends_in_root || above.iter().any(|&index| has_root(graph, index));
        let expiry = above.iter().map(|&index| graph.at(index).not_after()).min();
        (
            is_valid,
            is_known,
            is_complete,
            path.len() - usize::from(ends_in_root),
            expiry.unwrap_or(i64::MAX),
            Reverse(path.to_vec()),
        )
    }
}

/// Is there a root with the name and key of this intermediate?
fn has_root(graph: &mut Graph<'_>, index: usize) -> bool {
    (0..graph.len()).any(|other| other != index && graph.is_same_ca(other, index) && graph.is_root(other))
}

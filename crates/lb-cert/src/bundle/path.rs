//! The best way from the leaf up.

use super::{MAX_CHAIN, MAX_STEPS};
use crate::graph::Graph;
use std::cmp::Reverse;

/// The best chain that begins with `leaf`, root included. In this order: all its certificates are valid at `at`; it
/// reaches a root that was given, or an intermediate with the name and key of one; it is long, because a cross-signed
/// intermediate serves the clients that know either root; its first certificate to expire does so late; it was given first.
pub(super) fn best(graph: &mut Graph<'_>, leaf: usize, at: i64) -> Vec<usize> {
    let mut search = Search {
        at,
        steps: 0,
        best: None,
    };
    search.walk(graph, &mut vec![leaf]);
    search.best.map_or_else(|| vec![leaf], |(_, path)| path)
}

struct Search {
    at: i64,
    steps: usize,
    best: Option<(Rank, Vec<usize>)>,
}

/// Greater is better.
type Rank = (bool, bool, usize, i64, Reverse<Vec<usize>>);

impl Search {
    fn walk(&mut self, graph: &mut Graph<'_>, path: &mut Vec<usize>) {
        let Some(&last) = path.last() else { return };
        self.steps += 1;
        let mut is_end = true;
        if path.len() < MAX_CHAIN && !graph.is_root(last) {
            for issuer in graph.issuers(last) {
                // The same name and key twice on one way is a circle of cross-signatures.
                if self.steps >= MAX_STEPS || path.iter().any(|&known| graph.is_same_ca(known, issuer)) {
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

    fn rank(&self, graph: &mut Graph<'_>, path: &[usize]) -> Rank {
        let above = path.get(1..).unwrap_or_default();
        let is_valid = above.iter().all(|&index| {
            let certificate = graph.at(index);
            (certificate.not_before()..=certificate.not_after()).contains(&self.at)
        });
        let ends_in_root = path.last().is_some_and(|&last| graph.is_root(last));
        let is_complete = ends_in_root || above.iter().any(|&index| has_root(graph, index));
        let expiry = above.iter().map(|&index| graph.at(index).not_after()).min();
        (
            is_valid,
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

//! Who issued whom, as a tree with the roots on top.

use crate::graph::Graph;
use crate::{Certificate, Crypto, Found};

/// The certificates of a heap, each below its issuer. An issuer that is not there stands as a name.
///
/// `Display` draws it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// From the top down.
    pub branches: Vec<Branch>,
}

/// One line of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// How deep: 0 is on top.
    pub depth: usize,
    /// What is drawn before the name: `│  └─ `.
    pub lines: String,
    /// Which certificate of those given; `None` for an issuer that is not there.
    pub certificate: Option<usize>,
    /// The certificate's short name, or the missing issuer's full one.
    pub name: String,
}

impl Tree {
    /// Of these certificates. A certificate with several issuers among them (cross-signed) stands below the first
    /// given.
    ///
    /// Cost: at most [`MAX_SIGNATURES`](crate::bundle::MAX_SIGNATURES) signature checks.
    #[must_use]
    pub fn of(certificates: &[Found<Certificate>], crypto: &dyn Crypto) -> Self {
        let mut graph = Graph::new(certificates.iter().map(|found| &found.value).collect(), crypto);
        let count = graph.len();
        let parents: Vec<Option<usize>> = (0..count).map(|index| graph.parent(index)).collect();
        let mut tops: Vec<(Option<usize>, String, Vec<usize>)> = Vec::new();
        for index in (0..count).filter(|&index| reaches_itself_or_nothing(&parents, index)) {
            if graph.is_root(index) {
                tops.push((Some(index), String::new(), Vec::new()));
                continue;
            }
            let issuer = graph.at(index).issuer();
            match tops.iter_mut().find(|(top, name, _)| top.is_none() && *name == issuer) {
                Some((_, _, below)) => below.push(index),
                None => tops.push((None, issuer, vec![index])),
            }
        }
        let mut tree = Self { branches: Vec::new() };
        let mut drawn = vec![false; count];
        for (top, name, below) in tops {
            match top {
                Some(index) => tree.draw(&graph, &parents, &mut drawn, index, &[]),
                None => {
                    tree.branches.push(Branch {
                        depth: 0,
                        lines: String::new(),
                        certificate: None,
                        name,
                    });
                    let last = below.len().saturating_sub(1);
                    for (place, index) in below.into_iter().enumerate() {
                        tree.draw(&graph, &parents, &mut drawn, index, &[place == last]);
                    }
                }
            }
        }
        tree
    }

    /// Draws `index` and what it issued. `lasts` says for each level whether it is the last of its siblings.
    fn draw(&mut self, graph: &Graph<'_>, parents: &[Option<usize>], drawn: &mut [bool], index: usize, lasts: &[bool]) {
        let mut stack = vec![(index, lasts.to_vec())];
        while let Some((index, lasts)) = stack.pop() {
            if std::mem::replace(&mut drawn[index], true) {
                continue;
            }
            let mut lines = String::new();
            if let Some((own, above)) = lasts.split_last() {
                above
                    .iter()
                    .for_each(|last| lines.push_str(if *last { "   " } else { "│  " }));
                lines.push_str(if *own { "└─ " } else { "├─ " });
            }
            self.branches.push(Branch {
                depth: lasts.len(),
                lines,
                certificate: Some(index),
                name: graph.at(index).label(),
            });
            let children = parents
                .iter()
                .enumerate()
                .filter(|(_, parent)| **parent == Some(index))
                .rev();
            for (place, (child, _)) in children.enumerate() {
                let mut deeper = lasts.clone();
                deeper.push(place == 0);
                stack.push((child, deeper));
            }
        }
    }
}

impl std::fmt::Display for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for branch in &self.branches {
            let missing = if branch.certificate.is_none() {
                " (not given)"
            } else {
                ""
            };
            writeln!(f, "{}{}{missing}", branch.lines, branch.name)?;
        }
        Ok(())
    }
}

/// Nobody above it, or it is the first of a circle of certificates that issued each other.
fn reaches_itself_or_nothing(parents: &[Option<usize>], index: usize) -> bool {
    let Some(mut current) = parents[index] else {
        return true;
    };
    let mut smallest = index;
    for _ in 0..parents.len() {
        if current == index {
            return smallest == index;
        }
        smallest = smallest.min(current);
        match parents[current] {
            Some(next) => current = next,
            None => return false,
        }
    }
    false
}

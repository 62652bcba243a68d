//! How clients find their way that do not give up at the first issuer.

use super::Examination;
use super::clients::{Client, Verdict};
use crate::bundle::{Issuer, MAX_CHAIN, MAX_STEPS};
use crate::graph::Graph;
use crate::inspect::Validity;
use crate::{Certificate, Roots};

/// A search for the way up, with backtracking.
pub(super) struct Walk<'a> {
    graph: Graph<'a>,
    /// So many certificates were sent; the rest are roots.
    sent: usize,
    client: Client,
    at: i64,
    steps: usize,
    farthest: Vec<usize>,
    not_valid: Option<String>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        client: Client,
        sent: &'a [Certificate],
        roots: &'a Roots,
        examination: &Examination<'a>,
    ) -> Self {
        let all: Vec<&Certificate> = sent.iter().chain(roots.iter()).collect();
        Self {
            graph: Graph::new(all, examination.crypto),
            sent: sent.len(),
            client,
            at: examination.at,
            steps: 0,
            farthest: vec![0],
            not_valid: None,
        }
    }

    /// What such a client says, dates of the leaf and rules aside.
    pub(super) fn verdict(mut self) -> Verdict {
        self.up(&mut vec![0]).unwrap_or_else(|| self.stuck())
    }

    fn up(&mut self, path: &mut Vec<usize>) -> Option<Verdict> {
        let last = *path.last()?;
        self.steps += 1;
        if path.len() > self.farthest.len() {
            self.farthest.clone_from(path);
        }
        if let Some(root) = self.anchor(last) {
            return Some(Verdict::Trusts {
                root: self.graph.at(root).label(),
            });
        }
        if path.len() >= MAX_CHAIN || self.steps >= MAX_STEPS {
            return None;
        }
        let issuers = self.graph.issuers(last);
        let sent = self.sent;
        for next in issuers {
            let is_usable = next < sent && !path.contains(&next);
            if !is_usable || (self.client == Client::InOrder && next != last + 1) {
                continue;
            }
            let certificate = self.graph.at(next);
            match Validity::of(certificate, self.at) {
                Validity::Valid { .. } => {}
                validity => {
                    self.not_valid = Some(format!("{}: {validity}", certificate.label()));
                    continue;
                }
            }
            path.push(next);
            let found = self.up(path);
            path.pop();
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The root that issued this certificate, or that it is.
    fn anchor(&mut self, index: usize) -> Option<usize> {
        if let Some(same) = (self.sent..self.graph.len()).find(|&root| self.graph.is_same_ca(index, root)) {
            return Some(same);
        }
        let sent = self.sent;
        self.graph.issuers(index).into_iter().find(|&issuer| issuer >= sent)
    }

    /// No way up: what the farthest certificate lacks.
    fn stuck(&mut self) -> Verdict {
        let last = *self.farthest.last().unwrap_or(&0);
        if let Some(certificate) = self.not_valid.take() {
            return Verdict::NotValid { certificate };
        }
        let certificate = self.graph.at(last);
        if self.graph.is_root(last) {
            return Verdict::UnknownRoot {
                root: certificate.label(),
            };
        }
        let sent = self.sent;
        let was_sent = self.graph.issuers(last).into_iter().any(|issuer| issuer < sent);
        let issuer = Issuer::of(certificate);
        match self.client {
            Client::InOrder if was_sent => Verdict::OutOfOrder {
                position: last + 1,
                issuer: issuer.name,
            },
            Client::Fetching if !issuer.addresses.is_empty() => Verdict::WouldFetch { issuer },
            _ => Verdict::Missing { issuer },
        }
    }
}

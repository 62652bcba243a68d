//! The heap sorted.

use super::path::{best, onwards};
use super::trusted::{Known, Ways};
use super::{Broken, End, Issuer, KeyMatch, LeftOut, MendOptions, Mended, Reason, match_key};
use crate::graph::Graph;
use crate::{Certificate, Crypto, Found, PrivateKey};
use std::cmp::Reverse;
use std::collections::HashMap;

/// Puts what was given in order. Never fails: what is missing or wrong stands in the answer.
///
/// Of several certificates that could be the leaf, the one whose key is there is taken; then one that is no CA; then
/// one that is valid at `options.at`; then, of those with the same subject, the one that expires last; then the first
/// given. Where roots were given, one that they accept comes before one that they do not.
///
/// Cost: at most [`MAX_SIGNATURES`](super::MAX_SIGNATURES) signature checks and [`MAX_STEPS`](super::MAX_STEPS) steps,
/// one comparison for each pair of key and certificate, and for each set of roots at most
/// [`MAX_VERIFICATIONS`](super::MAX_VERIFICATIONS) verifications.
#[must_use]
pub fn mend(
    certificates: Vec<Found<Certificate>>,
    keys: Vec<Found<PrivateKey>>,
    options: MendOptions<'_>,
    crypto: &dyn Crypto,
) -> Mended {
    let (certificates, mut left_out) = split_duplicates(certificates);
    let mut graph = Graph::new(certificates.iter().map(|found| &found.value).collect(), crypto);
    let mut ways = Ways::new(options, crypto);
    let choice = choose(&graph, &keys, &mut ways, crypto);
    let (first, others) = choice
        .leaf
        .map_or_else(Default::default, |leaf| ways.from(&graph, leaf));
    let mut path = match (first.as_slice(), choice.leaf) {
        ([], None) => Vec::new(),
        ([], Some(leaf)) => {
            let known = Known::of(&graph, leaf, options.roots, crypto);
            best(&mut graph, leaf, options.at, &known)
        }
        (start, _) => onwards(&mut graph, start, options.at),
    };
    let end = path.last().map_or(End::Empty, |&last| end_of(&mut graph, last));
    let childless = graph.childless();
    let mut fate: Vec<Option<Reason>> = vec![None; certificates.len()];
    if end == End::Root
        && path.len() > 1
        && !options.keep_root
        && let Some(root) = path.pop()
    {
        fate[root] = Some(Reason::Root);
    }
    let further = further(&mut graph, &path, first.is_empty(), &end, others);
    for (index, fate) in fate.iter_mut().enumerate() {
        if fate.is_none() && !path.contains(&index) && !further.contains(&index) {
            let twin = path.iter().find(|&&member| graph.is_same_ca(member, index));
            *fate = Some(match twin {
                Some(&twin) => Reason::Alternative(certificates[twin].place.clone()),
                None if childless.contains(&index) && !graph.at(index).is_ca() => Reason::OtherLeaf,
                None => Reason::Unrelated,
            });
        }
    }
    let broken = broken(&mut graph, &certificates);
    let mut members: HashMap<usize, Found<Certificate>> = HashMap::new();
    for (index, (found, reason)) in certificates.into_iter().zip(fate).enumerate() {
        match reason {
            Some(reason) => left_out.push(LeftOut {
                certificate: found,
                reason,
            }),
            None => drop(members.insert(index, found)),
        }
    }
    let mut key = None;
    let mut spare_keys = Vec::new();
    for (index, found) in keys.into_iter().enumerate() {
        if choice.key == Some(index) {
            key = Some(found);
        } else {
            spare_keys.push(found);
        }
    }
    Mended {
        chain: path.iter().filter_map(|index| members.remove(index)).collect(),
        further: further.iter().filter_map(|index| members.remove(index)).collect(),
        key,
        pairing: choice.pairing,
        left_out,
        spare_keys,
        end,
        broken,
    }
}

/// What is sent behind the chain: the rest of other ways that roots accept. If none accepts any, and the chain ends with
/// an issuer that nobody has, the cross-signed ones: each may be the one that a client needs.
fn further(graph: &mut Graph<'_>, path: &[usize], is_unknown: bool, end: &End, ways: Vec<Vec<usize>>) -> Vec<usize> {
    let mut further: Vec<usize> = Vec::new();
    if is_unknown && matches!(end, End::Open(_)) {
        for index in 0..graph.len() {
            let is_other_way = path.iter().skip(1).any(|&member| {
                graph.is_same_ca(member, index) && graph.at(member).issuer_raw() != graph.at(index).issuer_raw()
            });
            if is_other_way && !path.contains(&index) && !graph.is_root(index) {
                further.push(index);
            }
        }
    }
    for index in ways.into_iter().flatten() {
        if !path.contains(&index) && !further.contains(&index) {
            further.push(index);
        }
    }
    further
}

fn end_of(graph: &mut Graph<'_>, last: usize) -> End {
    if graph.is_root(last) {
        return End::Root;
    }
    End::Open(Issuer::of(graph.at(last)))
}

fn broken(graph: &mut Graph<'_>, certificates: &[Found<Certificate>]) -> Vec<Broken> {
    let pairs = graph.broken();
    let say = |&(child, issuer): &(usize, usize)| Broken {
        certificate: certificates[child].place.clone(),
        subject: graph.at(child).subject(),
        issuer: certificates[issuer].place.clone(),
        issuer_subject: graph.at(issuer).subject(),
        is_name: !graph.at(child).is_issued_by(graph.at(issuer)),
        is_certain: graph.identifiers(child, issuer) == Some(true) && graph.at(child).is_issued_by(graph.at(issuer)),
    };
    pairs.iter().map(say).collect()
}

fn split_duplicates(certificates: Vec<Found<Certificate>>) -> (Vec<Found<Certificate>>, Vec<LeftOut>) {
    let mut distinct: Vec<Found<Certificate>> = Vec::new();
    let mut left_out = Vec::new();
    let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
    for found in certificates {
        match seen.get(found.value.der().as_ref()) {
            Some(&first) => left_out.push(LeftOut {
                reason: Reason::Duplicate(distinct[first].place.clone()),
                certificate: found,
            }),
            None => {
                seen.insert(found.value.der().to_vec(), distinct.len());
                distinct.push(found);
            }
        }
    }
    (distinct, left_out)
}

struct Choice {
    leaf: Option<usize>,
    key: Option<usize>,
    pairing: KeyMatch,
}

fn choose(graph: &Graph<'_>, keys: &[Found<PrivateKey>], ways: &mut Ways<'_>, crypto: &dyn Crypto) -> Choice {
    let mut matches: Vec<(usize, usize, KeyMatch)> = Vec::new();
    let mut is_unknown = false;
    for (key, found) in keys.iter().enumerate() {
        for index in 0..graph.len() {
            match match_key(graph.at(index), &found.value, crypto) {
                pairing @ KeyMatch::Match { .. } => matches.push((index, key, pairing)),
                KeyMatch::Unknown => is_unknown = true,
                _ => {}
            }
        }
    }
    let matched: Vec<usize> = matches.iter().map(|(index, ..)| *index).collect();
    if let Some(leaf) = preferred(graph, &matched, ways)
        && let Some((_, key, pairing)) = matches.into_iter().find(|(index, ..)| *index == leaf)
    {
        return Choice {
            leaf: Some(leaf),
            key: Some(key),
            pairing,
        };
    }
    let mut candidates = graph.childless();
    if candidates.is_empty() {
        // Certificates that issued each other in a circle.
        candidates = (0..graph.len()).collect();
    }
    let leaf = preferred(graph, &candidates, ways);
    let pairing = match (leaf, keys.first()) {
        (Some(_), Some(_)) if is_unknown => KeyMatch::Unknown,
        (Some(leaf), Some(key)) => match_key(graph.at(leaf), &key.value, crypto),
        _ => KeyMatch::Absent,
    };
    Choice {
        leaf,
        key: (!keys.is_empty()).then_some(0),
        pairing,
    }
}

fn preferred(graph: &Graph<'_>, candidates: &[usize], ways: &mut Ways<'_>) -> Option<usize> {
    let at = ways.at();
    let is_valid = |index: usize| {
        let certificate = graph.at(index);
        (certificate.not_before()..=certificate.not_after()).contains(&at)
    };
    let best = candidates
        .iter()
        .copied()
        .min_by_key(|&index| (graph.at(index).is_ca(), !is_valid(index), index))?;
    // A renewed certificate beside its predecessor.
    let mut renewed: Vec<usize> = candidates
        .iter()
        .copied()
        .filter(|&index| graph.at(index).subject_raw() == graph.at(best).subject_raw())
        .collect();
    renewed.sort_by_key(|&index| {
        let certificate = graph.at(index);
        let last_day = Reverse(certificate.not_after());
        (certificate.is_ca(), !is_valid(index), last_day, index)
    });
    let mut servers = renewed.iter().filter(|&&index| !graph.at(index).is_ca());
    let accepted = servers.find(|&&index| renewed.len() > 1 && ways.accepts(graph, index));
    accepted.or(renewed.first()).copied()
}

//! Certificate policies: does an acceptable one hold where one is required?
//!
//! RFC 5280, section 6.1, with anyPolicy accepted at the start and no explicit policy required. Only
//! which policies are still valid matters for that, so a set stands for the tree (RFC 9618 explains why
//! a tree is dangerous).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::ANY_POLICY;
use super::rule::Path;
use crate::certificate::Certificate;
use std::collections::BTreeSet;

/// The policies that are still valid; `any` is anyPolicy.
#[derive(Debug)]
struct Valid<'a> {
    any: bool,
    named: BTreeSet<&'a [u8]>,
}

/// The rule `policy.required`.
pub(super) fn unsatisfied(path: &Path<'_>) -> Option<(usize, String)> {
    // most paths neither require policies nor map them
    let constrained = |one: &&Certificate| one.known().policy_constraints.is_some();
    if !path.certificates.iter().any(constrained) {
        return None;
    }
    let count = u32::try_from(path.certificates.len()).unwrap_or(u32::MAX);
    let (mut explicit, mut mapping, mut any_allowed) = (count, count, count);
    let mut valid = Valid {
        any: true,
        named: BTreeSet::new(),
    };
    // from below the anchor down to the leaf; the anchor's own constraints count as those of section 6.2
    if let Some(anchor) = path.certificates.last() {
        tighten(anchor, &mut explicit, &mut mapping, &mut any_allowed);
    }
    for (position, certificate) in path.certificates.iter().enumerate().rev().skip(1) {
        let (leaf, self_issued) = (position == 0, certificate.is_self_issued());
        narrow(&mut valid, certificate, any_allowed > 0 || (!leaf && self_issued));
        if leaf {
            // section 6.1.5 (a) and (b)
            let required = certificate
                .known()
                .policy_constraints
                .and_then(|found| found.require_explicit);
            explicit = if required == Some(0) {
                0
            } else {
                explicit.saturating_sub(1)
            };
        }
        if explicit == 0 && !valid.any && valid.named.is_empty() {
            return Some((position, String::from("no policy that its issuers accept")));
        }
        map(&mut valid, certificate, mapping > 0);
        if !self_issued {
            explicit = explicit.saturating_sub(1);
            mapping = mapping.saturating_sub(1);
            any_allowed = any_allowed.saturating_sub(1);
        }
        tighten(certificate, &mut explicit, &mut mapping, &mut any_allowed);
    }
    None
}

/// Section 6.1.3 (d) and (e).
fn narrow<'a>(valid: &mut Valid<'a>, certificate: &'a Certificate, any_allowed: bool) {
    let Some(policies) = &certificate.known().policies else {
        valid.any = false;
        valid.named.clear();
        return;
    };
    let any = any_allowed && policies.iter().any(|policy| **policy == *ANY_POLICY);
    let named = policies
        .iter()
        .map(|policy| &**policy)
        .filter(|policy| *policy != ANY_POLICY);
    let mut kept: BTreeSet<&[u8]> = named
        .filter(|policy| valid.any || valid.named.contains(policy))
        .collect();
    if any {
        kept.append(&mut valid.named);
    }
    valid.named = kept;
    valid.any = valid.any && any;
}

/// Section 6.1.4 (b).
fn map<'a>(valid: &mut Valid<'a>, certificate: &'a Certificate, allowed: bool) {
    let Some(mappings) = &certificate.known().policy_mappings else {
        return;
    };
    let mut added = Vec::new();
    for (from, to) in mappings {
        if allowed && (valid.any || valid.named.contains(&**from)) {
            added.push(&**to);
        }
    }
    for (from, _) in mappings {
        valid.named.remove(&**from);
    }
    valid.named.extend(added);
}

/// Section 6.1.4 (h) to (j), for the certificates below.
fn tighten(certificate: &Certificate, explicit: &mut u32, mapping: &mut u32, any_allowed: &mut u32) {
    let known = certificate.known();
    if let Some(found) = known.policy_constraints {
        *explicit = found.require_explicit.unwrap_or(u32::MAX).min(*explicit);
        *mapping = found.inhibit_mapping.unwrap_or(u32::MAX).min(*mapping);
    }
    *any_allowed = known.inhibit_any_policy.unwrap_or(u32::MAX).min(*any_allowed);
}

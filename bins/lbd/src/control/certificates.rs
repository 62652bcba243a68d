//! Certificates that clients are shown: what there is to see of them, and warnings before they end.

use lb_admin::state::Certificate;
use lb_config::Plan;
use lb_tls::{Expiry, Identity};
use lb_types::Wall;
use std::collections::HashMap;
use std::sync::Arc;

/// Every certificate once, with the listeners and sites that show it.
pub(super) fn seen(plan: &Plan, now: Wall) -> Vec<Certificate> {
    let mut list: Vec<Certificate> = Vec::new();
    for (user, identity) in used(plan) {
        let fingerprint = hex(identity.fingerprint());
        if let Some(known) = list.iter_mut().find(|known| known.fingerprint == fingerprint) {
            known.used_by.push(user);
            continue;
        }
        let ends = u64::try_from(identity.not_after()).unwrap_or(0);
        list.push(Certificate {
            names: identity.names().to_vec(),
            subject: identity.subject().to_owned(),
            issuer: identity.issuer().to_owned(),
            key: identity.key_kind().to_string(),
            not_after: lb_telemetry::timestamp(Wall::from_secs(ends)),
            days_left: identity.expiry(now).days_left(),
            chain: identity.chain().len(),
            file: identity.label().to_owned(),
            fingerprint,
            used_by: vec![user],
        });
    }
    list
}

/// What was told of which certificate.
#[derive(Debug, Default)]
pub(super) struct Warnings {
    /// The last of [`Expiry::STEPS`] that was told, by fingerprint.
    told: HashMap<[u8; 32], i64>,
}

impl Warnings {
    /// What is to be told now: each step once for each certificate.
    pub(super) fn lines(&mut self, plan: &Plan, now: Wall) -> Vec<String> {
        let mut lines = Vec::new();
        let mut there = HashMap::new();
        for (user, identity) in used(plan) {
            let expiry = identity.expiry(now);
            let Some(step) = expiry.step() else {
                continue;
            };
            let fingerprint = *identity.fingerprint();
            if there.insert(fingerprint, step).is_some() {
                continue;
            }
            if self.told.get(&fingerprint).is_none_or(|told| *told > step) {
                lines.push(line(&user, &identity, expiry));
            }
        }
        self.told = there;
        lines
    }
}

fn line(user: &str, identity: &Identity, expiry: Expiry) -> String {
    let names = match identity.names() {
        [] => identity.subject().to_owned(),
        names => names.join(", "),
    };
    format!(
        "the certificate for {names} ({}, shown by {user}) {expiry}: renew it; it is loaded when the file changes",
        identity.label()
    )
}

/// Each certificate with who shows it.
fn used(plan: &Plan) -> impl Iterator<Item = (String, Arc<Identity>)> {
    plan.listeners.iter().flat_map(|listener| {
        let sites = listener.tls.iter().flat_map(|tls| {
            let own = std::iter::once((listener.name.clone(), &tls.default));
            let named = |site: &lb_config::Site| match site.names.first() {
                Some(name) => format!("{}/{name}", listener.name),
                None => listener.name.clone(),
            };
            own.chain(tls.sites.iter().map(move |site| (named(site), site)))
                .collect::<Vec<_>>()
        });
        sites.flat_map(|(user, site)| {
            let identities = site.certificates.identities().iter();
            identities
                .map(move |identity| (user.clone(), Arc::clone(identity)))
                .collect::<Vec<_>>()
        })
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

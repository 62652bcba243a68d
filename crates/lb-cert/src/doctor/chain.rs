//! Order, gaps, repetitions, strangers, signatures.

use super::clients::{Client, ClientView, Verdict};
use super::{Certificate, Crypto, Examination, Found};
use crate::bundle::{Broken, End, Issuer, LeftOut, Mended, Reason};
use crate::count::agreed;
use crate::graph::Graph;
use crate::inspect::hex;
use crate::{Finding, Place, Severity};

/// The first certificate whose issuer does not follow it, and how many there are.
#[derive(Debug)]
pub(super) struct Order {
    first: Option<Gap>,
    more: usize,
}

#[derive(Debug)]
struct Gap {
    place: Place,
    number: usize,
    issuer: String,
    next: String,
    is_one_file: bool,
}

/// Looks at the certificates as they were given, one after the other.
pub(super) fn order(certificates: &[Found<Certificate>], crypto: &dyn Crypto) -> Order {
    let mut graph = Graph::new(certificates.iter().map(|found| &found.value).collect(), crypto);
    let mut order = Order { first: None, more: 0 };
    for (index, pair) in certificates.windows(2).enumerate() {
        let [found, next] = pair else { continue };
        // A root is the end of a chain; what follows is another matter.
        if found.value == next.value || graph.is_root(index) || graph.issued(index, index + 1) {
            continue;
        }
        if order.first.is_some() {
            order.more += 1;
            continue;
        }
        order.first = Some(Gap {
            place: found.place.clone(),
            number: index + 1,
            issuer: found.value.issuer(),
            next: next.value.subject(),
            is_one_file: found.place.source == next.place.source,
        });
    }
    order
}

pub(super) fn findings(
    mended: &Mended,
    order: Order,
    examination: &Examination<'_>,
    clients: &[ClientView],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if mended.chain.is_empty() {
        findings.push(Finding {
            severity: Severity::Error,
            id: "no-certificate",
            place: None,
            what: "no certificate was given".to_owned(),
            why: "A server shows its certificate to every client; without one there is no TLS.",
            mend: "Give the file with the certificate; on request it was sent by whoever issued it.".to_owned(),
        });
        return findings;
    }
    findings.extend(mended.broken.iter().map(broken));
    findings.extend(missing(mended, examination, clients));
    findings.extend(order.first.map(|gap| out_of_order(&gap, order.more, mended)));
    findings.extend(mended.further.iter().map(other_way));
    findings.extend(mended.left_out.iter().map(|left_out| left(left_out, mended)));
    findings
}

/// X-10 of the requirements is of this kind: a list whose second certificate is not the issuer of the first.
fn out_of_order(gap: &Gap, more: usize, mended: &Mended) -> Finding {
    let mut what = format!(
        "certificate {}'s issuer ({}) is not the subject of certificate {} ({})",
        gap.number,
        gap.issuer,
        gap.number + 1,
        gap.next
    );
    if more > 0 {
        what.push_str(&format!(
            "; {more} more {} predecessor",
            agreed(more, "does not follow its", "do not follow their")
        ));
    }
    let left_out = mended.left_out.iter().map(|left_out| &left_out.certificate);
    let is_given = mended
        .sent()
        .chain(left_out)
        .any(|found| found.value.subject() == gap.issuer);
    let mend = if is_given {
        "The issuer is there, only in another place: install the mended bundle.".to_owned()
    } else {
        format!(
            "No certificate that was given has the subject {}. If certificate {} was meant to be it, it was issued to \
             somebody else: get the right one from whoever issued certificate {}.",
            gap.issuer,
            gap.number + 1,
            gap.number
        )
    };
    Finding {
        // Two files are not yet an order.
        severity: if gap.is_one_file {
            Severity::Warning
        } else {
            Severity::Note
        },
        id: "chain-order",
        place: Some(gap.place.clone()),
        what,
        why: "Each certificate must be followed by its issuer (RFC 5246, section 7.4.2). Browsers sort them; older \
              programs and devices take them as they come and do not trust the server.",
        mend,
    }
}

fn broken(broken: &Broken) -> Finding {
    let severity = if broken.is_certain {
        Severity::Error
    } else {
        Severity::Warning
    };
    let what = if broken.certificate == broken.issuer {
        format!("the signature of {} by itself is wrong", broken.subject)
    } else if broken.is_name {
        format!(
            "{} was issued by the key of {} ({}), but names another issuer",
            broken.subject, broken.issuer_subject, broken.issuer
        )
    } else {
        format!(
            "{} names {} as its issuer, but the key of that certificate ({}) did not sign it",
            broken.subject, broken.issuer_subject, broken.issuer
        )
    };
    Finding {
        severity,
        id: "bad-signature",
        place: Some(broken.certificate.clone()),
        what,
        why: "Clients check every signature up to the root and refuse the connection at the first wrong one. Either \
              bytes were changed on the way, or there are two issuers of the same name with different keys.",
        mend: "Get both certificates again from whoever issued them; of issuers with the same name take the one whose \
               subject key identifier is the certificate's authority key identifier."
            .to_owned(),
    }
}

fn missing(mended: &Mended, examination: &Examination<'_>, clients: &[ClientView]) -> Option<Finding> {
    let End::Open(issuer) = &mended.end else { return None };
    let last = mended.chain.last()?;
    let is_known = |set: &super::RootSet<'_>| {
        let chain: Vec<&Certificate> = mended.sent().map(|found| &found.value).collect();
        let sent = chain.len();
        let mut graph = Graph::new(chain.into_iter().chain(set.roots.iter()).collect(), examination.crypto);
        let all = graph.len();
        (0..sent).any(|member| (sent..all).any(|root| graph.is_same_ca(member, root) || graph.issued(member, root)))
    };
    let (known, unknown): (Vec<_>, Vec<_>) = examination.roots.iter().partition(|set| is_known(set));
    if unknown.is_empty() && !known.is_empty() {
        return None;
    }
    let fetched = issuer.addresses.first();
    let (severity, id, mut what) = if examination.roots.is_empty() {
        (
            Severity::Note,
            "open-chain",
            format!(
                "the chain ends with {}, whose issuer {} was not given",
                last.value.label(),
                said(issuer)
            ),
        )
    } else if known.is_empty() {
        (
            Severity::Error,
            "missing-intermediate",
            format!(
                "{} was issued by {}, which was not given and is no root of {}",
                last.value.label(),
                said(issuer),
                names(&unknown)
            ),
        )
    } else {
        (
            Severity::Warning,
            "missing-intermediate",
            format!(
                "{} was issued by {}, a root of {}, but not of {}",
                last.value.label(),
                said(issuer),
                names(&known),
                names(&unknown)
            ),
        )
    };
    let would_fetch = clients
        .iter()
        .any(|view| view.client == Client::Fetching && matches!(view.given, Verdict::WouldFetch { .. }));
    if would_fetch {
        what.push_str("; browsers that fetch it hide the gap");
    }
    let mend = match fetched {
        Some(address) => format!(
            "Download {address} (the address stands in the certificate; nothing was fetched), check that its subject \
             is {}, and give it as one more file; convert it with `lbd cert convert` if it is binary.",
            issuer.name
        ),
        None if examination.roots.is_empty() => format!(
            "If {} is a root that clients have, nothing has to be done. Otherwise get its certificate from whoever \
             issued yours. With --roots the doctor can tell.",
            issuer.name
        ),
        None => format!(
            "Get the certificate of {} from whoever issued yours (the certificate names no address) and give it as one \
             more file; if it is a private root, install it in the clients.",
            issuer.name
        ),
    };
    Some(Finding {
        severity,
        id,
        place: Some(last.place.clone()),
        what,
        why: "A client must find a way from the server's certificate to a root it knows, and has only what the server \
              sends. Without this certificate curl, Java, Go, Python and many devices refuse the connection, while \
              most browsers fetch or remember it and seem content.",
        mend,
    })
}

fn said(issuer: &Issuer) -> String {
    match &issuer.key_id {
        Some(key_id) => format!("{} (key identifier {})", issuer.name, hex(key_id)),
        None => issuer.name.clone(),
    }
}

fn names(sets: &[&super::RootSet<'_>]) -> String {
    sets.iter().map(|set| set.name).collect::<Vec<_>>().join(", ")
}

fn left(left_out: &LeftOut, mended: &Mended) -> Finding {
    let certificate = &left_out.certificate.value;
    let label = certificate.label();
    let missing = match &mended.end {
        End::Open(issuer) => Some(issuer.name.as_str()),
        _ => None,
    };
    let (severity, id, what, why, mend) = match &left_out.reason {
        Reason::Duplicate(first) => (
            Severity::Warning,
            "duplicate-certificate",
            format!("{label} stands there again; the first time: {first}"),
            "It is sent to every client for nothing, and some programs refuse a chain in which a certificate is \
             repeated. It happens when a full chain is given once more as the chain.",
            "Leave the second one out.".to_owned(),
        ),
        Reason::Root => (
            Severity::Note,
            "root-included",
            format!("the root {label} is part of the files"),
            "Clients trust only their own copy of a root; the one that is sent costs bytes in every handshake.",
            "Leave it out, unless a program asks for it; `--keep-root` keeps it.".to_owned(),
        ),
        Reason::Alternative(other) => (
            Severity::Note,
            "cross-signed",
            format!(
                "{label} is there twice: this one by {}, the one in the chain at {other}",
                certificate.issuer()
            ),
            "A cross-signed intermediate has the same name and key, and leads to another root. A chain has room for \
             one of them; the one with the longer way to a known root was taken.",
            "Nothing has to be done, unless clients know only the root of this one.".to_owned(),
        ),
        Reason::OtherLeaf => (
            Severity::Warning,
            "other-leaf",
            format!("{label} is a certificate for another server than {}", leaf_name(mended)),
            "A bundle proves one server. A second server certificate in it is never shown as such, and strict clients \
             refuse the chain.",
            "Make a bundle of its own for it, with its own key.".to_owned(),
        ),
        Reason::Unrelated if certificate.is_ca() && missing.is_some() => (
            Severity::Warning,
            "unconnected-certificate",
            format!(
                "{label} is not connected with {}: the missing certificate of {} may be what connects them",
                leaf_name(mended),
                missing.unwrap_or_default()
            ),
            "A chain is only as good as its links: what stands above a gap is sent to every client for nothing.",
            "Give the missing certificate too. If this one still stands apart then, leave it out.".to_owned(),
        ),
        Reason::Unrelated => (
            Severity::Warning,
            "unrelated-certificate",
            format!("{label} is not on the way from {} to its root", leaf_name(mended)),
            "It is sent to every client for nothing; strict clients refuse a chain with a stranger in it.",
            format!("Leave it out. It was issued by {}.", certificate.issuer()),
        ),
    };
    Finding {
        severity,
        id,
        place: Some(left_out.certificate.place.clone()),
        what,
        why,
        mend,
    }
}

fn other_way(found: &Found<Certificate>) -> Finding {
    let (label, issuer) = (found.value.label(), found.value.issuer());
    Finding {
        severity: Severity::Note,
        id: "cross-signed",
        place: Some(found.place.clone()),
        what: format!("{label}, issued by {issuer}, stands behind the chain: it leads to another root"),
        why: "A cross-signed intermediate has the same name and key as one of the chain. Browsers, Java and Go try both \
              ways; OpenSSL takes the first, so the one for the first set of roots stands first.",
        mend: "Nothing has to be done. With --roots FILE, the chain leads to the roots in that file.".to_owned(),
    }
}

fn leaf_name(mended: &Mended) -> String {
    mended
        .chain
        .first()
        .map_or_else(String::new, |found| found.value.label())
}

//! `lbd cert inspect`: what is in a file.

use super::args::Inspect;
use super::input::Input;
use super::paint::Paint;
use super::{Failure, count, input, output};
use lb_cert::date::moment;
use lb_cert::inspect::{Facts, Tree, Validity, colons};
use lb_cert::{AwsLc, Certificate, CertificateRevocationListDer, Crl, Found, KeyMatch, PrivateKey};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(inspect: &Inspect) -> Result<(), Failure> {
    let mut input = input::read_with_folders(&inspect.files, &inspect.passwords)?;
    let unread = input.unread.take();
    let at = super::time(inspect.at);
    let text = if inspect.json {
        format!("{:#}\n", as_json(&input, at))
    } else {
        as_text(&input, at, Paint::stdout())
    };
    output::print(text.as_bytes())?;
    unread.map_or(Ok(()), Err)
}

fn as_text(input: &Input, at: i64, paint: Paint) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for file in &input.files {
        let mut parts = Vec::new();
        for (number, word) in [
            (file.certificates, "certificate"),
            (file.keys, "private key"),
            (file.crls, "revocation list"),
        ] {
            if number > 0 {
                parts.push(count(number, word));
            }
        }
        let _ = writeln!(
            text,
            "{}: {}, {}",
            paint.bold(&file.name),
            file.format,
            parts.join(", ")
        );
    }
    if !input.certificates.is_empty() {
        text.push('\n');
        text.push_str(&tree(&input.certificates, at, paint));
    }
    for (index, found) in input.certificates.iter().enumerate() {
        text.push('\n');
        text.push_str(&certificate(index + 1, found, at, paint));
    }
    for found in &input.keys {
        let public = lb_cert::bundle::public_key(&found.value, &AwsLc);
        let owner = owner(input, &found.value);
        let _ = write!(
            text,
            "\n{} {} ({})",
            paint.bold("key"),
            found.value.algorithm(),
            found.place
        );
        let _ = match owner {
            Some(index) => writeln!(text, "\n  belongs to      certificate {}", index + 1),
            None if input.certificates.is_empty() => writeln!(text),
            None => writeln!(
                text,
                "\n  belongs to      {}",
                paint.warning("none of these certificates")
            ),
        };
        if let Some(digest) = public.and_then(|spki| lb_cert::inspect::fingerprint(&spki, &AwsLc)) {
            let _ = writeln!(text, "  public SHA-256  {}", colons(&digest));
        }
    }
    for found in &input.crls {
        text.push('\n');
        text.push_str(&revocation_list(found, at, paint));
    }
    if !input.notes.is_empty() {
        text.push('\n');
        for note in &input.notes {
            let _ = writeln!(text, "{} {note}", paint.dim("note"));
        }
    }
    text
}

/// The tree with a number, role and validity for each certificate. Also what `doctor` shows.
pub(super) fn tree(certificates: &[Found<Certificate>], at: i64, paint: Paint) -> String {
    let tree = Tree::of(certificates, &AwsLc);
    let width = |branch: &lb_cert::inspect::Branch| branch.lines.chars().count() + branch.name.chars().count();
    let widest = tree
        .branches
        .iter()
        .filter(|branch| branch.certificate.is_some())
        .map(width)
        .max();
    let mut text = String::new();
    for branch in &tree.branches {
        let _ = match branch
            .certificate
            .and_then(|index| Some((index, certificates.get(index)?)))
        {
            Some((index, found)) => {
                let padding = " ".repeat(widest.unwrap_or(0).saturating_sub(width(branch)));
                let role = lb_cert::inspect::Role::of(&found.value, &AwsLc).as_str();
                let validity = painted(Validity::of(&found.value, at), paint);
                writeln!(
                    text,
                    "{}{}{padding}  {} {role}, {validity}",
                    paint.dim(&branch.lines),
                    branch.name,
                    paint.dim(format!("#{}", index + 1))
                )
            }
            None => writeln!(text, "{}", paint.dim(format!("({}, not given)", branch.name))),
        };
    }
    text
}

fn painted(validity: Validity, paint: Paint) -> String {
    match validity {
        Validity::Valid { days } if days >= 30 => paint.good(validity),
        Validity::Valid { .. } => paint.warning(validity),
        _ => paint.bad(validity),
    }
}

fn certificate(number: usize, found: &Found<Certificate>, at: i64, paint: Paint) -> String {
    let facts = Facts::of(&found.value, at, &AwsLc);
    let mut text = format!(
        "{} {} ({})\n",
        paint.bold(format!("#{number}")),
        paint.bold(&facts.label),
        found.place
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {}{value}", paint.dim(format!("{name:<16}")));
    };
    line("subject", &facts.subject);
    line("issuer", &facts.issuer);
    for (index, names) in facts.names.chunks(NAMES_ON_A_LINE).enumerate() {
        line(if index == 0 { "names" } else { "" }, &names.join(", "));
    }
    line("valid", &format!("{} to {}", facts.not_before, facts.not_after));
    line("", &painted(facts.validity, paint));
    line("key", &facts.key);
    line("signed with", &facts.signature);
    line("serial", &facts.serial);
    if !facts.usages.is_empty() {
        line("may be used for", &facts.usages.join(", "));
    }
    for (name, values) in [("issuer is at", &facts.ca_issuers), ("CRL is at", &facts.crls)] {
        values.iter().for_each(|value| line(name, value));
    }
    for (name, value) in [("SHA-256", &facts.sha256), ("public SHA-256", &facts.key_sha256)] {
        if let Some(digits) = value {
            line(name, &colons(digits));
        }
    }
    for malformed in &facts.malformed {
        line("malformed", &paint.bad(malformed));
    }
    text
}

const NAMES_ON_A_LINE: usize = 4;

fn revocation_list(found: &Found<CertificateRevocationListDer<'static>>, at: i64, paint: Paint) -> String {
    let mut text = format!(
        "{} ({}, {})\n",
        paint.bold("revocation list"),
        found.place,
        super::count(found.value.len(), "byte")
    );
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {}{value}", paint.dim(format!("{name:<16}")));
    };
    match Crl::parse(found.value.clone()) {
        Ok(crl) => {
            line("issuer", &crl.issuer());
            line("this update", &moment(crl.this_update()));
            line(
                "next update",
                &crl.next_update().map_or_else(|| "not said".to_owned(), moment),
            );
            line(
                "",
                &match Currency::of(&crl, at) {
                    Currency::Current => paint.good("in force"),
                    Currency::NotYet => paint.bad("not yet in force"),
                    Currency::Outdated => paint.bad("out of date"),
                    Currency::Unlimited => paint.warning("in force, and does not say until when"),
                },
            );
            line("revokes", &super::count(crl.len(), "certificate"));
            if let Some(why) = crl.unsupported() {
                line("not usable", &paint.warning(why));
            }
        }
        Err(error) => line("unreadable", &paint.bad(error)),
    }
    text
}

/// Whether a revocation list holds at a moment.
enum Currency {
    Current,
    NotYet,
    Outdated,
    Unlimited,
}

impl Currency {
    fn of(crl: &Crl, at: i64) -> Self {
        match crl.next_update() {
            _ if at < crl.this_update() => Self::NotYet,
            Some(next) if at > next => Self::Outdated,
            Some(_) => Self::Current,
            None => Self::Unlimited,
        }
    }

    const fn as_str(&self) -> &'static str {
        match self {
            Self::Current | Self::Unlimited => "current",
            Self::NotYet => "not-yet-current",
            Self::Outdated => "outdated",
        }
    }
}

fn as_json(input: &Input, at: i64) -> Value {
    let files: Vec<Value> = input
        .files
        .iter()
        .map(|file| {
            json!({
                "file": file.name,
                "format": file.format,
                "certificates": file.certificates,
                "keys": file.keys,
                "crls": file.crls,
            })
        })
        .collect();
    let keys: Vec<Value> = input
        .keys
        .iter()
        .map(|found| {
            let spki = lb_cert::bundle::public_key(&found.value, &AwsLc);
            let owner = owner(input, &found.value);
            json!({
                "place": place(&found.place),
                "key": found.value.algorithm().to_string(),
                "key_sha256": spki.and_then(|spki| lb_cert::inspect::fingerprint(&spki, &AwsLc)),
                "certificate": owner.map(|index| index + 1),
            })
        })
        .collect();
    let tree: Vec<Value> = Tree::of(&input.certificates, &AwsLc)
        .branches
        .iter()
        .map(|branch| {
            json!({
                "depth": branch.depth,
                "certificate": branch.certificate.map(|index| index + 1),
                "name": branch.name,
            })
        })
        .collect();
    json!({
        "at": lb_cert::date::moment(at),
        "files": files,
        "certificates": input.certificates.iter().map(|found| certificate_json(found, at)).collect::<Vec<_>>(),
        "keys": keys,
        "crls": input.crls.iter().map(|found| revocation_list_json(found, at)).collect::<Vec<_>>(),
        "tree": tree,
        "notes": input.notes.iter().map(|note| json!({"place": place(&note.place), "text": note.kind.to_string()})).collect::<Vec<_>>(),
    })
}

/// A list that cannot be read has only a place.
fn revocation_list_json(found: &Found<CertificateRevocationListDer<'static>>, at: i64) -> Value {
    let crl = Crl::parse(found.value.clone()).ok();
    let crl = crl.as_ref();
    json!({
        "place": place(&found.place),
        "issuer": crl.map(Crl::issuer),
        "this_update": crl.map(|crl| moment(crl.this_update())),
        "next_update": crl.and_then(Crl::next_update).map(moment),
        "currency": crl.map(|crl| Currency::of(crl, at).as_str()),
        "revoked": crl.map(Crl::len),
        "unsupported": crl.and_then(Crl::unsupported),
    })
}

/// One certificate, as all sub-commands write it.
pub(super) fn certificate_json(found: &Found<Certificate>, at: i64) -> Value {
    let facts = Facts::of(&found.value, at, &AwsLc);
    let days = match facts.validity {
        Validity::Valid { days } => Some(days),
        _ => None,
    };
    json!({
        "place": place(&found.place),
        "label": facts.label,
        "role": facts.role.as_str(),
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": facts.names,
        "not_before": facts.not_before,
        "not_after": facts.not_after,
        "validity": facts.validity.as_str(),
        "days_left": days,
        "key": facts.key,
        "signature": facts.signature,
        "serial": facts.serial,
        "usages": facts.usages,
        "ca_issuers": facts.ca_issuers,
        "crls": facts.crls,
        "sha256": facts.sha256,
        "key_sha256": facts.key_sha256,
        "malformed": facts.malformed,
    })
}

/// The certificate that holds the public half of this key.
fn owner(input: &Input, key: &PrivateKey) -> Option<usize> {
    input
        .certificates
        .iter()
        .position(|found| matches!(lb_cert::match_key(&found.value, key, &AwsLc), KeyMatch::Match { .. }))
}

/// A place, as all sub-commands write it.
pub(super) fn place(place: &lb_cert::Place) -> Value {
    json!({
        "file": place.source.as_ref(),
        "block": (place.block > 0).then_some(place.block),
        "line": place.line,
        "offset": place.offset,
    })
}

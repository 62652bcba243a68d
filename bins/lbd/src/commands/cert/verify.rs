//! `lbd cert verify`: what a client, or a server that asks for certificates, would say.

use super::args::{CrlPolicy, PurposeName, Verify};
use super::paint::Paint;
use super::{Failure, input, output, roots};
use lb_cert::{
    AwsLc, Certificate, Crl, Crls, Found, Freshness, Level, PeerName, Profile, Purpose, Refusal, Request, Roots, Step,
    Verified, Verifier,
};
use serde_json::{Value, json};
use std::fmt::Write;

pub(super) fn run(verify: &Verify) -> Result<(), Failure> {
    let profile = profile(verify)?;
    let input = input::read(&verify.files, &verify.passwords)?;
    input::say_unproven(&input);
    let at = super::time(verify.at);
    let mut trusted = Roots::new();
    for set in roots::sets(&verify.roots)? {
        set.1.iter().for_each(|root| trusted.add(root.clone()));
    }
    let revocation = revocation(verify)?;
    let names: Vec<PeerName> = verify.name.iter().map(|name| PeerName::read(name)).collect();
    let purpose = match verify.purpose {
        PurposeName::Server => Purpose::Server,
        PurposeName::Client => Purpose::Client,
    };
    let request = Request::new(at, purpose).by(&names);
    let (leaf, others) = sent(&input.certificates)
        .ok_or_else(|| Failure::Input(format!("{} holds no certificate", input::name(&verify.files[0]))))?;
    let mut verifier = Verifier::new(&trusted, &AwsLc, &profile);
    if let Some(crls) = &revocation {
        crls.prepare(trusted.iter().chain(&others), &AwsLc);
        verifier = verifier.with_crls(crls);
    }
    let answer = verifier.verify(&leaf.value, &others, &request);
    let text = if verify.json {
        format!("{:#}\n", as_json(&answer, leaf, &others, &trusted, at))
    } else {
        as_text(&answer, leaf, &others, &trusted, verify, Paint::stdout())
    };
    output::print(text.as_bytes())?;
    answer.map(drop).map_err(|_| Failure::Refused(String::new()))
}

/// The leaf is what a server would show first, unless that is a CA and another is none: files come in any order.
fn sent(certificates: &[Found<Certificate>]) -> Option<(&Found<Certificate>, Vec<Certificate>)> {
    let first = certificates.first()?;
    let leaf = match certificates.iter().find(|found| !found.value.is_ca()) {
        Some(other) if first.value.is_ca() => other,
        _ => first,
    };
    let others = certificates.iter().filter(|found| found.value != leaf.value);
    Some((leaf, others.map(|found| found.value.clone()).collect()))
}

fn profile(verify: &Verify) -> Result<Profile, Failure> {
    let mut profile = Profile::named(&verify.profile).ok_or_else(|| {
        Failure::Usage(format!(
            "there is no profile \"{}\"; there are connection, strict and lenient",
            verify.profile
        ))
    })?;
    for rule in &verify.warn {
        profile
            .set(rule, Level::Warn)
            .map_err(|error| Failure::Usage(error.to_string()))?;
    }
    Ok(profile)
}

fn revocation(verify: &Verify) -> Result<Option<Crls>, Failure> {
    if verify.crl.is_empty() {
        return Ok(None);
    }
    let input = input::read(&verify.crl, &super::args::Passwords::default())?;
    let mut crls = Crls::new().with_freshness(match verify.crl_policy {
        CrlPolicy::FailClosed => Freshness::FailClosed,
        CrlPolicy::FailOpen => Freshness::FailOpen,
    });
    if verify.crl_all {
        crls = crls.required();
    }
    let count = input.crls.len();
    for found in input.crls {
        let crl = Crl::parse(found.value).map_err(|error| Failure::Input(format!("{}: {error}", found.place)))?;
        if let Some(reason) = crl.unsupported() {
            return Err(Failure::Input(format!(
                "{}: this revocation list cannot be used: {reason}\n  mend: ask its issuer for a complete list",
                found.place
            )));
        }
        crls.add(crl);
    }
    if count == 0 {
        return Err(Failure::Input(format!(
            "{} holds no revocation list",
            input::name(&verify.crl[0])
        )));
    }
    Ok(Some(crls))
}

fn as_text(
    answer: &Result<Verified, Refusal>,
    leaf: &Found<Certificate>,
    others: &[Certificate],
    trusted: &Roots,
    verify: &Verify,
    paint: Paint,
) -> String {
    let mut text = String::new();
    let asked = match (&verify.name, verify.purpose) {
        (Some(name), PurposeName::Server) => format!("as the server {name}"),
        (None, PurposeName::Server) => "as a server, whatever its name (--name was not given)".to_owned(),
        (Some(name), PurposeName::Client) => format!("as the client {name}"),
        (None, PurposeName::Client) => "as a client".to_owned(),
    };
    // Writing to a String cannot fail.
    match answer {
        Ok(verified) => {
            let _ = writeln!(text, "{}: {} {asked}", paint.good("accepted"), leaf.value.label());
            for step in verified.path() {
                let name = certificate_of(*step, leaf, others, trusted).map_or_else(String::new, Certificate::label);
                let origin = match step {
                    Step::Leaf => leaf.place.to_string(),
                    Step::Intermediate(_) => "sent with it".to_owned(),
                    Step::Anchor(_) => "trusted root".to_owned(),
                };
                let _ = writeln!(text, "  {name} ({origin})");
            }
            for warning in verified.warnings() {
                let _ = writeln!(text, "{}: {warning}", paint.warning("warning"));
                let _ = writeln!(text, "  mend   {}", warning.finding().rule().mend);
            }
        }
        Err(refusal) => {
            let _ = writeln!(text, "{}: {} {asked}", paint.bad("refused"), leaf.value.label());
            let _ = writeln!(text, "  {refusal}");
            let rule = refusal.rule();
            let _ = writeln!(text, "  rule   {}: {} ({})", rule.id, rule.what, rule.section);
            let _ = writeln!(text, "  mend   {}", rule.mend);
        }
    }
    text
}

fn certificate_of<'a>(
    step: Step,
    leaf: &'a Found<Certificate>,
    others: &'a [Certificate],
    trusted: &'a Roots,
) -> Option<&'a Certificate> {
    match step {
        Step::Leaf => Some(&leaf.value),
        Step::Intermediate(index) => others.get(index),
        Step::Anchor(index) => trusted.iter().nth(index),
    }
}

fn as_json(
    answer: &Result<Verified, Refusal>,
    leaf: &Found<Certificate>,
    others: &[Certificate],
    trusted: &Roots,
    at: i64,
) -> Value {
    let (path, warnings) = match answer {
        Ok(verified) => (
            verified
                .path()
                .iter()
                .filter_map(|step| Some(certificate_of(*step, leaf, others, trusted)?.subject()))
                .collect(),
            verified
                .warnings()
                .iter()
                .map(|warning| refusal(warning.finding()))
                .collect(),
        ),
        Err(_) => (Vec::new(), Vec::new()),
    };
    json!({
        "at": lb_cert::date::moment(at),
        "answer": if answer.is_ok() { "accepted" } else { "refused" },
        "leaf": super::inspect::certificate_json(leaf, at),
        "path": path,
        "refusal": answer.as_ref().err().map(refusal),
        "warnings": warnings,
    })
}

fn refusal(refusal: &Refusal) -> Value {
    json!({
        "rule": refusal.rule().id,
        "section": refusal.rule().section,
        "position": refusal.position() + 1,
        "subject": refusal.subject(),
        "value": refusal.value(),
        "text": refusal.to_string(),
        "mend": refusal.rule().mend,
    })
}

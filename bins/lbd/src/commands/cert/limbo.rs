//! `lbd cert limbo-harness`: speaks the harness protocol of x509-limbo, a suite of certificate chains with
//! known answers. Test cases in, results out, as JSON.

use super::args::LimboHarness;
use super::{Failure, output};
use lb_cert::{
    AwsLc, Certificate, Crl, Crls, PeerName, Profile, Purpose, ReadOptions, Request, Roots, Verifier, date, read,
};
use serde_json::{Value, json};
use std::io::Read;

pub(super) fn run(harness: &LimboHarness) -> Result<(), Failure> {
    let profile = Profile::named(&harness.profile)
        .ok_or_else(|| Failure::Usage(format!("there is no profile \"{}\"", harness.profile)))?;
    let now = i64::try_from(lb_net::clock::now().wall.as_secs()).unwrap_or(i64::MAX);
    let mut cases = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut cases);
    read.map_err(|error| Failure::Running(format!("standard input: {error}")))?;
    let results = answer(&cases, &profile, now).map_err(Failure::Input)?;
    output::print(format!("{results}\n").as_bytes())
}

/// Answers every test case. Errors are about the document, not about a case.
fn answer(cases: &str, profile: &Profile, now: i64) -> Result<String, String> {
    let document: Value = serde_json::from_str(cases).map_err(|error| format!("not JSON: {error}"))?;
    let cases = document.get("testcases").and_then(Value::as_array);
    let cases = cases.ok_or("no \"testcases\": this is not an x509-limbo document")?;
    let results: Vec<Value> = cases.iter().map(|case| result(case, profile, now)).collect();
    let harness = format!("lbd {} ({})", env!("CARGO_PKG_VERSION"), profile.name());
    Ok(json!({ "version": 1, "harness": harness, "results": results }).to_string())
}

fn result(case: &Value, profile: &Profile, now: i64) -> Value {
    let (answer, context) = match verify(case, profile, now) {
        Ok(()) => ("SUCCESS", Value::Null),
        Err(why) => ("FAILURE", Value::String(why)),
    };
    json!({ "id": case.get("id"), "actual_result": answer, "context": context })
}

/// One case: the refusal in words, if it is refused.
fn verify(case: &Value, profile: &Profile, now: i64) -> Result<(), String> {
    let at = match text(case, "validation_time") {
        Some(moment) => date::parse(moment).map_err(|error| error.to_string())?,
        None => now,
    };
    // what cannot be read is nobody's issuer
    let roots: Roots = list(case, "trusted_certs")
        .filter_map(|pem| certificate(pem).ok())
        .collect();
    let others: Vec<Certificate> = list(case, "untrusted_intermediates")
        .filter_map(|pem| certificate(pem).ok())
        .collect();
    let leaf = certificate(text(case, "peer_certificate").ok_or("no peer_certificate")?)?;

    let mut names = Vec::new();
    let several = case.get("expected_peer_names").and_then(Value::as_array);
    for name in case
        .get("expected_peer_name")
        .into_iter()
        .chain(several.into_iter().flatten())
    {
        names.extend(peer_name(name)?);
    }
    let key_usages: Vec<&str> = list(case, "key_usage").collect();
    let algorithms: Vec<String> = list(case, "signature_algorithms").map(algorithm).collect();
    let algorithms: Vec<&str> = algorithms.iter().map(String::as_str).collect();
    let mut request = match text(case, "validation_kind") {
        Some("CLIENT") => Request::client(at),
        _ => Request::server(at),
    }
    .by(&names)
    .with_key_usages(&key_usages)
    .with_signature_algorithms(&algorithms);
    for usage in list(case, "extended_key_usage") {
        request = request.and_for(purpose(usage)?);
    }
    if let Some(depth) = case.get("max_chain_depth").and_then(Value::as_u64) {
        request = request.with_max_depth(usize::try_from(depth).unwrap_or(usize::MAX));
    }

    let mut crls = Crls::new();
    for pem in list(case, "crls") {
        crls.add(crl(pem)?);
    }
    let verifier = Verifier::new(&roots, &AwsLc, profile).with_crls(&crls);
    match verifier.verify(&leaf, &others, &request) {
        Ok(_) => Ok(()),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn text<'a>(case: &'a Value, member: &str) -> Option<&'a str> {
    case.get(member).and_then(Value::as_str)
}

fn list<'a>(case: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    let values = case.get(member).and_then(Value::as_array);
    values.into_iter().flatten().filter_map(Value::as_str)
}

fn certificate(pem: &str) -> Result<Certificate, String> {
    let contents = read("case", pem.as_bytes(), &ReadOptions::default()).map_err(|error| error.to_string())?;
    let found = contents.certificates.into_iter().next().ok_or("no certificate")?;
    Certificate::parse(found.value).map_err(|error| error.to_string())
}

fn crl(pem: &str) -> Result<Crl, String> {
    let contents = read("case", pem.as_bytes(), &ReadOptions::default()).map_err(|error| error.to_string())?;
    let found = contents.crls.into_iter().next().ok_or("no CRL")?;
    Crl::parse(found.value).map_err(|error| error.to_string())
}

/// Nothing for `null`.
fn peer_name(name: &Value) -> Result<Option<PeerName>, String> {
    if name.is_null() {
        return Ok(None);
    }
    let value = text(name, "value").ok_or("a peer name without value")?;
    Ok(Some(match text(name, "kind") {
        Some("DNS") => PeerName::Dns(value.into()),
        Some("IP") => PeerName::Ip(value.parse().map_err(|_| format!("{value} is no address"))?),
        Some("RFC822") => PeerName::Email(value.into()),
        other => return Err(format!("a peer name of kind {other:?}")),
    }))
}

/// RFC 5280, section 4.2.1.12.
fn purpose(usage: &str) -> Result<Purpose, String> {
    Ok(match usage {
        "serverAuth" => Purpose::Server,
        "clientAuth" => Purpose::Client,
        "codeSigning" => Purpose::Other(&[0x2b, 6, 1, 5, 5, 7, 3, 3]),
        "emailProtection" => Purpose::Other(&[0x2b, 6, 1, 5, 5, 7, 3, 4]),
        "timeStamping" => Purpose::Other(&[0x2b, 6, 1, 5, 5, 7, 3, 8]),
        "OCSPSigning" => Purpose::Other(&[0x2b, 6, 1, 5, 5, 7, 3, 9]),
        "anyExtendedKeyUsage" => Purpose::Other(&[0x55, 0x1d, 0x25, 0]),
        other => return Err(format!("extended key usage {other}")),
    })
}

/// `RSA_WITH_SHA256` as this program calls it: `RSA with SHA-256`.
fn algorithm(name: &str) -> String {
    match name {
        "ED25519" => String::from("Ed25519"),
        "ED448" => String::from("Ed448"),
        "RSASSA_PSS" => String::from("RSA-PSS"),
        other => other
            .replace("_WITH_", " with ")
            .replace("SHA3_", "SHA3-")
            .replace("SHA", "SHA-")
            .replace("SHA-3", "SHA3"),
    }
}

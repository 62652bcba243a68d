//! What is said of the connection, above the doctor's report.

use super::args::Scan;
use super::handshake::{Proof, Server};
use super::wire::Wire;
use crate::commands::cert::paint::Paint;
use crate::commands::cert::{count, inspect};
use lb_cert::{Certificate, Found};
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::IpAddr;

pub(super) fn as_text(scan: &Scan, wire: &Wire, server: &Server, paint: Paint) -> String {
    let mut text = paint.bold(&scan.target);
    // Writing to a String cannot fail.
    let _ = write!(text, " at {}", wire.address());
    let _ = match sent_name(scan) {
        Some(name) => write!(text, ", asked for {name}"),
        None => write!(text, ", asked for no name"),
    };
    if let Some(protocol) = scan.starttls {
        let _ = write!(text, ", after STARTTLS of {protocol}");
    }
    let spoken: Vec<&str> = [&server.version, &server.suite, &server.group]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let _ = write!(text, "\n  {}", spoken.join(", "));
    let _ = match &server.alpn {
        Some(word) => writeln!(text, ", ALPN {word}"),
        None => writeln!(text, ", no ALPN"),
    };
    let number = count(server.certificates.len(), "certificate");
    let _ = write!(text, "  {number} in {} bytes", bytes(server));
    let _ = match server.ocsp_bytes {
        0 => writeln!(text, ", no OCSP response"),
        bytes => writeln!(text, ", an OCSP response of {bytes} bytes"),
    };
    match server.client_authorities {
        None => {}
        Some(0) => text.push_str("  asks for a client certificate\n"),
        Some(number) => {
            let authorities = if number == 1 { "authority" } else { "authorities" };
            let _ = writeln!(text, "  asks for a client certificate of {number} {authorities}");
        }
    }
    if let Some(reason) = &server.broken_off {
        let _ = writeln!(
            text,
            "  {}: {reason}",
            paint.warning("broken off behind the certificates")
        );
    }
    text
}

/// The doctor's report and, as `server`, what is known of the connection.
pub(super) fn as_json(
    scan: &Scan,
    wire: &Wire,
    server: &Server,
    certificates: &[Found<Certificate>],
    mut report: Value,
    at: i64,
) -> Value {
    let (proof, reason) = match &server.proof {
        Proof::Given => ("given", None),
        Proof::Doubtful(reason) => ("doubtful", Some(reason)),
        Proof::Missing => ("missing", None),
    };
    let sent: Vec<Value> = certificates
        .iter()
        .map(|found| inspect::certificate_json(found, at))
        .collect();
    report["server"] = json!({
        "target": scan.target.to_string(),
        "address": wire.address().to_string(),
        "name": scan.server(),
        "sni": sent_name(scan),
        "starttls": scan.starttls.map(super::args::Starttls::word),
        "version": server.version,
        "suite": server.suite,
        "group": server.group,
        "alpn": server.alpn,
        "ocsp_bytes": server.ocsp_bytes,
        "certificate_bytes": bytes(server),
        "received_bytes": wire.received(),
        "client_certificate": server.client_authorities.map(|number| json!({ "authorities": number })),
        "key_proof": proof,
        "key_proof_reason": reason,
        "broken_off": server.broken_off,
        "sent": sent,
    });
    report
}

/// What goes into the hello: never an address (RFC 6066, section 3).
fn sent_name(scan: &Scan) -> Option<&str> {
    let name = scan.server();
    name.parse::<IpAddr>().is_err().then_some(name)
}

fn bytes(server: &Server) -> usize {
    server.certificates.iter().map(|certificate| certificate.len()).sum()
}

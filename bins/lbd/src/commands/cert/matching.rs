//! `lbd cert match`: does this key belong to this certificate?

use super::args::Match;
use super::paint::Paint;
use super::{Failure, input, output};
use lb_cert::{AwsLc, KeyMatch};

pub(super) fn run(pair: &Match) -> Result<(), Failure> {
    let certificates = input::read(std::slice::from_ref(&pair.certificate), &pair.passwords)?;
    let keys = input::read(std::slice::from_ref(&pair.key), &pair.passwords)?;
    let (certificate_name, key_name) = (input::name(&pair.certificate), input::name(&pair.key));
    let key = keys.keys.first().ok_or_else(|| {
        Failure::Input(format!(
            "{key_name} holds no private key; write it as: lbd cert match CERT KEY"
        ))
    })?;
    // Of a chain the one that matches, else the leaf.
    let found = certificates.certificates.iter().find(|found| {
        matches!(
            lb_cert::match_key(&found.value, &key.value, &AwsLc),
            KeyMatch::Match { .. }
        )
    });
    let leaf = found
        .or_else(|| certificates.certificates.iter().find(|found| !found.value.is_ca()))
        .or_else(|| certificates.certificates.first())
        .ok_or_else(|| {
            Failure::Input(format!(
                "{certificate_name} holds no certificate; write it as: lbd cert match CERT KEY"
            ))
        })?;
    let answer = lb_cert::match_key(&leaf.value, &key.value, &AwsLc);
    let paint = Paint::stdout();
    let text = match &answer {
        KeyMatch::Match { digest } if pair.json => json("match", leaf, key, digest.as_ref(), digest.as_ref()),
        KeyMatch::Mismatch { certificate, key: own } if pair.json => {
            json("mismatch", leaf, key, certificate.as_ref(), own.as_ref())
        }
        _ if pair.json => json("unknown", leaf, key, None, None),
        KeyMatch::Match { digest } => format!(
            "{}: {} is the key of {} ({})\n  public key SHA-256 {}\n",
            paint.good("match"),
            key.place,
            leaf.value.label(),
            leaf.place,
            shown(digest.as_ref())
        ),
        KeyMatch::Mismatch { certificate, key: own } => format!(
            "{}: {} is not the key of {} ({})\n  certificate's public key, {}: SHA-256 {}\n  key's public half, {}: SHA-256 {}\n",
            paint.bad("mismatch"),
            key.place,
            leaf.value.label(),
            leaf.place,
            leaf.value.key(),
            shown(certificate.as_ref()),
            key.value.algorithm(),
            shown(own.as_ref())
        ),
        _ => format!(
            "{}: a key for {} cannot be compared\n",
            paint.warning("unknown"),
            key.value.algorithm()
        ),
    };
    output::print(text.as_bytes())?;
    match answer {
        KeyMatch::Match { .. } => Ok(()),
        KeyMatch::Mismatch { .. } => Err(Failure::Refused(
            "mend: look for the key that was there when this certificate was requested; if it is lost, have the \
             certificate issued again for a new key"
                .to_owned(),
        )),
        _ => Err(Failure::Input(String::new())),
    }
}

fn json(
    answer: &str,
    leaf: &lb_cert::Found<lb_cert::Certificate>,
    key: &lb_cert::Found<lb_cert::PrivateKey>,
    certificate: Option<&[u8; 32]>,
    own: Option<&[u8; 32]>,
) -> String {
    let digits = |digest: Option<&[u8; 32]>| digest.map(hex);
    let value = serde_json::json!({
        "answer": answer,
        "certificate": {
            "place": super::inspect::place(&leaf.place),
            "subject": leaf.value.subject(),
            "key": leaf.value.key().to_string(),
            "key_sha256": digits(certificate),
        },
        "key": {
            "place": super::inspect::place(&key.place),
            "key": key.value.algorithm().to_string(),
            "key_sha256": digits(own),
        },
    });
    format!("{value:#}\n")
}

pub(super) fn shown(digest: Option<&[u8; 32]>) -> String {
    digest.map_or_else(|| "unknown".to_owned(), |digest| lb_cert::inspect::colons(&hex(digest)))
}

fn hex(digest: &[u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

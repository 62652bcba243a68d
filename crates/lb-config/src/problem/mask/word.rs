//! Which keys hold what must not be seen.

use crate::schema::SECTIONS;

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// A secret.
    Secret,
    /// The name of a file with one; people write the secret itself there.
    File,
    /// Header fields.
    Fields,
}

/// What the key `word` holds, if that is not to be seen. Slips and words of other programs count.
pub(super) fn sort(word: &str) -> Option<Sort> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase().replace('-', "_");
    let near = |ours: &str, most: usize| strsim::damerau_levenshtein(&word, ours) <= most;
    if word == "headers" {
        return Some(Sort::Fields);
    }
    if SENT.contains(&&*word) {
        return Some(Sort::Secret);
    }
    if FILES.contains(&&*word) {
        return Some(Sort::File);
    }
    let is_ours = || SECTIONS.iter().any(|section| section.key(&word).is_some());
    if word != "secret" && is_ours() {
        return None;
    }
    let names_one = SECRETS.iter().any(|part| word.contains(part)) || word.ends_with("key") || word.starts_with("auth");
    if (names_one || near("secret_file", 2)) && (word.ends_with("file") || word.ends_with("path")) {
        return Some(Sort::File);
    }
    if names_one || near("secret", 2) || (word.len() > 3 && near("send", 1)) {
        return Some(Sort::Secret);
    }
    (word.contains("header") || near("headers", 2)).then_some(Sort::Fields)
}

/// A field that says nothing that the probed server does not say to everybody.
pub(super) fn is_harmless_field(name: &str) -> bool {
    HARMLESS
        .iter()
        .any(|harmless| name.trim_matches('"').eq_ignore_ascii_case(harmless))
}

/// `word` without the escapes of TOML.
pub(super) fn unescaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut letters = after.chars();
        let kind = letters.next();
        rest = letters.as_str();
        let digits = match kind {
            Some('u') => 4,
            Some('U') => 8,
            Some('x') => 2,
            Some(c) => {
                out.push(match c {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'e' => '\u{1b}',
                    other => other,
                });
                continue;
            }
            None => break,
        };
        let code = rest.get(..digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(c) = code.and_then(char::from_u32) {
            out.push(c);
            rest = rest.get(digits..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

const SECRETS: [&str; 11] = [
    "secret",
    "passw",
    "passphrase",
    "pwd",
    "token",
    "credential",
    "apikey",
    "authorization",
    "private_",
    "privkey",
    "signature",
];

/// Keys of ours that name a file with a secret.
const FILES: [&str; 3] = ["secret_file", "password_file", "ticket_secret_file"];

/// What probes send may be a password.
const SENT: [&str; 3] = ["send", "send_hex", "payload"];

const HARMLESS: [&str; 9] = [
    "host",
    "accept",
    "accept-encoding",
    "accept-language",
    "user-agent",
    "content-type",
    "content-length",
    "connection",
    "cache-control",
];

/// Longer words are no keys.
const LONGEST: usize = 64;

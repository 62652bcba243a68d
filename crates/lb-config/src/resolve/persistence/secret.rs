use crate::reader::Reader;
use crate::resolve::Context;
use crate::secret::Secret;
use crate::{Kind, Problem, Span};
use std::path::{Path, PathBuf};

/// What the cookie is signed with, and the file it came from.
pub(super) fn read(context: &Context<'_>, reader: &Reader<'_>) -> (Option<Secret>, Option<PathBuf>) {
    let text = reader.text("secret");
    let file = reader.text("secret_file");
    if let (Some((_, first)), Some((_, second))) = (text.as_ref(), file.as_ref()) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, "`secret` and `secret_file` are both set")
                .at(second.clone(), "only one of them can be obeyed")
                .see(first.clone(), "the other one"),
        );
        return (None, None);
    }
    if text.is_missing() && file.is_missing() {
        reader.push(
            Problem::warning(
                Kind::RandomSecret,
                "no `secret`: cookies are signed with a random key of this process",
            )
            .at(
                reader.raw_span("kind").unwrap_or_else(|| reader.span()),
                "after a restart, and on other machines, these cookies mean nothing",
            )
            .help("set `secret` or `secret_file` to the same text everywhere; `openssl rand -hex 32` makes one"),
        );
    }
    if let Some((text, span)) = text.as_ref() {
        return (checked(reader, text, span), None);
    }
    let Some((path, span)) = file.as_ref() else {
        return (None, None);
    };
    let path = Path::new(path);
    if !path.is_absolute() {
        reader.push(
            Problem::error(
                Kind::BadPath,
                format!("`secret_file` is \"{}\", not an absolute path", path.display()),
            )
            .at(span.clone(), "expected a path that begins with `/`"),
        );
        return (None, None);
    }
    context.note_file(path);
    match context.environment.read(path) {
        Ok(text) => (
            checked(reader, text.trim_end_matches(['\r', '\n']), span),
            Some(path.to_owned()),
        ),
        Err(error) => {
            reader.push(
                Problem::error(
                    Kind::UnreadableFile,
                    format!("the secret file \"{}\" cannot be read", path.display()),
                )
                .at(span.clone(), error.to_string()),
            );
            (None, None)
        }
    }
}

fn checked(reader: &Reader<'_>, text: &str, span: &Span) -> Option<Secret> {
    let problem = |message: String, label: String| {
        Problem::error(Kind::BadSecret, message)
            .at(span.clone(), label)
            .help("`openssl rand -hex 32` makes a good one")
    };
    let Some(secret) = Secret::new(text) else {
        let shortest = Secret::SHORTEST;
        reader.push(problem(
            match text.len() {
                1 => "the secret has 1 byte".to_owned(),
                len => format!("the secret has {len} bytes"),
            },
            format!("at least {shortest} are needed"),
        ));
        return None;
    };
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < FEWEST_CHARACTERS {
        reader.push(problem(
            "the secret can be guessed".into(),
            match distinct.len() {
                1 => "it is one character, again and again".to_owned(),
                many => format!("it is made of {many} different characters"),
            },
        ));
        return None;
    }
    let label = if is_placeholder(text) {
        "these are the words of an example, not a secret"
    } else if repeats(text) {
        "a short piece of text, again and again"
    } else {
        return Some(secret);
    };
    reader.push(problem("the secret can be guessed".into(), label.to_owned()));
    None
}

/// Does it stand where a secret should be written? Then little is left without the words of examples.
fn is_placeholder(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut words = 0_usize;
    let mut left = 0_usize;
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let mut rest = word.to_owned();
        for known in PLACEHOLDERS {
            let found = rest.matches(known).count();
            // Short ones would be found inside of random letters.
            if rest == *known || (known.len() >= 5 && found > 0) {
                words = words.saturating_add(1);
                rest = rest.replace(known, "");
            }
        }
        let counts = |digits: &str| "01234567890123456789".contains(digits) || "98765432109876543210".contains(digits);
        if !FILLERS.contains(&&*rest) && !counts(&rest) {
            left = left.saturating_add(rest.chars().count());
        }
    }
    words > 0 && left < FEWEST_LEFT
}

/// A piece of up to eight bytes, again and again.
fn repeats(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=8).any(|period| bytes.iter().zip(bytes.iter().skip(period)).all(|(a, b)| a == b))
}

/// What people write where a secret is to be written, our documents included.
const PLACEHOLDERS: &[&str] = &[
    "changeit",
    "changeme",
    "change",
    "replace",
    "insert",
    "secret",
    "password",
    "passwort",
    "passphrase",
    "example",
    "placeholder",
    "openssl",
    "todo",
    "fixme",
    "dummy",
    "sample",
    "default",
    "your",
    "qwerty",
    "letmein",
];

/// Words between those.
const FILLERS: &[&str] = &[
    "",
    "a",
    "an",
    "and",
    "any",
    "at",
    "base64",
    "be",
    "before",
    "bytes",
    "characters",
    "chars",
    "cookie",
    "cookies",
    "d",
    "enough",
    "for",
    "from",
    "generate",
    "generated",
    "goes",
    "here",
    "hex",
    "in",
    "is",
    "it",
    "key",
    "lbd",
    "least",
    "long",
    "me",
    "must",
    "my",
    "not",
    "now",
    "of",
    "or",
    "our",
    "output",
    "please",
    "prints",
    "production",
    "rand",
    "random",
    "really",
    "s",
    "should",
    "some",
    "something",
    "string",
    "super",
    "test",
    "text",
    "that",
    "the",
    "this",
    "to",
    "token",
    "top",
    "use",
    "value",
    "very",
    "what",
    "with",
    "x",
    "xx",
    "xxx",
    "xxxx",
    "you",
    "own",
];

/// A placeholder with a random text behind it is a secret.
const FEWEST_LEFT: usize = 10;

/// A random text of 16 characters, even of hexadecimal digits, has more.
const FEWEST_CHARACTERS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_secrets() {
        for text in [
            "what `openssl rand -hex 32` prints",
            "what openssl rand prints",
            "openssl rand -hex 32",
            "change-me-please-now",
            "CHANGE_ME_IN_PRODUCTION",
            "changemechangeme",
            "secretsecretsecret",
            "secret1234567890",
            "my-very-secret-secret",
            "super-secret-key-1",
            "example-secret-key",
            "password12345678",
            "password password",
            "your-secret-goes-here",
            "<insert a secret here>",
            "replace this with a random string",
            "xxxx-placeholder-xxxx",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "correct horse battery staple",
            "anyone may know this one",
            "never shown to anybody",
            "0123456789abcdef",
            "secret-8f14e45fceea167a5a36dedd4bea2543",
            "3b0f7c1e9a2d4c5f8e6b7a9d0c1f2e3d",
            "tr0ub4dor&3 with more words",
        ] {
            assert!(!is_placeholder(text) && !repeats(text), "{text}");
        }
        for text in ["abcdefabcdefabcdef", "hunter2hunter2hun", "12345678123456781"] {
            assert!(repeats(text), "{text}");
        }
    }
}

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
    Some(secret)
}

/// A random text of 16 characters, even of hexadecimal digits, has more.
const FEWEST_CHARACTERS: usize = 5;

//! What may have been meant: the words that other programs use for the same thing, then the nearest word of ours.

mod foreign;

use crate::schema::{SECTIONS, Section, Value};
use crate::{Kind, Problem, Span};
use foreign::{Foreign, KEYS, SYNONYMS, VALUES};
use lb_types::nearest;

/// A key that the section does not know.
pub(crate) fn unknown_key(key: &str, span: Span, section: &'static Section) -> Problem {
    let place = match section.path {
        "" => "at the top of the file".to_owned(),
        path => format!("in `{path}`"),
    };
    let problem =
        Problem::error(Kind::UnknownKey, format!("unknown key `{key}` {place}")).at(span, "nobody reads this key");
    if let Some(foreign) = foreign_key(key, section) {
        return problem.help(match foreign.write {
            "" => foreign.why.to_owned(),
            write => format!("write {write}: {}", foreign.why),
        });
    }
    if let Some(meant) = synonym(key, section) {
        return problem.help(format!("did you mean `{meant}`? That is its name here"));
    }
    let here = || section.keys.iter().map(|key| key.name);
    if let Some(meant) = nearest(key, here()) {
        return problem.help(format!("did you mean `{meant}`?"));
    }
    let homes: Vec<_> = SECTIONS
        .iter()
        .filter(|home| home.key(key).is_some())
        .map(|home| {
            if home.path.is_empty() {
                "the top of the file".to_owned()
            } else {
                format!("`{}`", home.path)
            }
        })
        .collect();
    if !homes.is_empty() {
        return problem.help(format!("`{key}` belongs to {}", join(&homes, "or")));
    }
    let known: Vec<_> = here().map(|name| format!("`{name}`")).collect();
    problem.help(format!("known keys: {}", known.join(", ")))
}

/// Is the unknown `key` probably meant to be `name`?
pub(crate) fn means(key: &str, name: &str, section: &'static Section) -> bool {
    if section.key(key).is_some() {
        return false;
    }
    if let Some(foreign) = foreign_key(key, section) {
        let begins = |start: String| foreign.write.starts_with(&start);
        return begins(format!("{name} = ")) || begins(format!("[[{name}]]"));
    }
    let here = section.keys.iter().map(|key| key.name);
    synonym(key, section).or_else(|| nearest(key, here)) == Some(name)
}

/// What a line is meant to be that begins with another program's word: a directive with its value inside a block, or
/// the beginning of a block.
pub(crate) fn our_word(word: &str, is_directive: bool) -> Option<String> {
    let renamed = || {
        SYNONYMS
            .iter()
            .find(|(other, _)| *other == plain(word))
            .map(|(_, ours)| format!("`{word}` of other programs is `{ours}` here: {ours} = and a value"))
    };
    if let Some(renamed) = renamed().filter(|_| is_directive) {
        return Some(renamed);
    }
    let top = SECTIONS.first().and_then(|section| foreign_key(word, section));
    let anywhere = || SECTIONS.iter().find_map(|section| foreign_key(word, section));
    if let Some(foreign) = top.or_else(anywhere) {
        return Some(match foreign.write {
            "" => foreign.why.to_owned(),
            write => format!("write {write}: {}", foreign.why),
        });
    }
    renamed()
}

fn foreign_key(key: &str, section: &Section) -> Option<&'static Foreign> {
    let key = plain(key);
    KEYS.iter()
        .find(|foreign| foreign.at.contains(&section.path) && foreign.words().any(|word| word == key))
}

fn synonym(key: &str, section: &'static Section) -> Option<&'static str> {
    let found = SYNONYMS
        .iter()
        .find(|(other, ours)| *other == plain(key) && section.key(ours).is_some());
    found.map(|(_, ours)| *ours)
}

/// A word that is none of the words allowed, of the key `key` in the section at `path`.
pub(crate) fn unknown_word(path: &str, key: &str, word: &str, span: Span, words: &[&'static str]) -> Problem {
    let all: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let problem = Problem::error(Kind::UnknownValue, format!("`{key}` is {word:?}, which is not known"))
        .at(span, format!("expected {}", join(&all, "or")));
    match meant(path, key, word, words) {
        Some(Meant::Word(meant, "")) => problem.help(format!("did you mean \"{meant}\"?")),
        Some(Meant::Word(meant, why)) => problem.help(format!("did you mean \"{meant}\"? {}", sentence(why))),
        Some(Meant::Sentence(sentence)) => problem.help(sentence),
        None => problem,
    }
}

/// What to write for a flag: keys of ours that hold a word have one for it.
pub(crate) fn flag(key: &str, on: bool) -> String {
    let homes = || {
        SECTIONS
            .iter()
            .filter_map(|section| Some((section.path, section.key(key)?.value)))
    };
    let flag = if on { "true" } else { "false" };
    if !homes().any(|(_, value)| matches!(value, Value::Boolean)) {
        for (path, value) in homes() {
            if let Value::Word(words) = value
                && let Some(Meant::Word(word, _)) = meant(path, key, flag, words)
            {
                return format!("write {key} = \"{word}\"");
            }
        }
    }
    format!("write {key} = {flag}")
}

/// What a value is meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// This word of ours, and a remark.
    Word(&'static str, &'static str),
    /// What this says.
    Sentence(&'static str),
}

/// What `word` is meant to be, as a value of `key` in the section at `path`.
pub(crate) fn meant(path: &str, key: &str, word: &str, words: &[&'static str]) -> Option<Meant> {
    let plain = plain(word);
    let known = |plain: &str| {
        VALUES
            .iter()
            .find(|value| value.of == (path, key) && value.words().any(|word| word == plain))
    };
    // `hdr(X-User)`, `hash $host consistent`: with what it is for.
    let first = || word.split(['(', ' ']).next().map(str::to_ascii_lowercase);
    let foreign = known(&plain).or_else(|| known(&first()?));
    match foreign {
        Some(value) if value.ours.is_empty() => Some(Meant::Sentence(value.why)),
        Some(value) => Some(Meant::Word(value.ours, value.why)),
        None => nearest(word, words.iter().copied()).map(|word| Meant::Word(word, "")),
    }
}

/// `A, B or C`.
pub(crate) fn join(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}", first.to_uppercase(), letters.as_str())
    })
}

fn plain(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', ' ', '.'], "_")
}

#[cfg(test)]
mod tests;

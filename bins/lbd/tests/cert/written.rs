//! What stands in backquotes in the messages of lb-cert and of `lbd cert`, as their source has it: a command is a row of
//! `lb_cert::Command::ALL`, so that it is run by the tests in `commands.rs`; everything else is a name that is known.

use super::bench::is_name;
use lb_cert::Command;
use std::fs;
use std::path::{Path, PathBuf};

const MESSAGES: [&str; 2] = ["../../crates/lb-cert/src", "src/commands/cert"];

/// Rust files below a folder, but for tests.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !["tests.rs", "testing.rs"].iter().any(|name| path.ends_with(name))
        {
            found.push(path);
        }
    }
}

/// The string literals of a source before its tests, with continued lines joined as the compiler does.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut found = Vec::new();
    let mut letters = source.chars().peekable();
    let mut last = ' ';
    while let Some(letter) = letters.next() {
        match letter {
            '/' if letters.peek() == Some(&'/') => while letters.next_if(|next| *next != '\n').is_some() {},
            // A quote as a letter: '"', '\'' and b'"'.
            '\'' if letters.peek() == Some(&'"') => drop(letters.next()),
            '\'' if letters.peek() == Some(&'\\') => drop((letters.next(), letters.next())),
            '"' => found.push(literal(&mut letters, last == 'b')),
            _ => {}
        }
        last = letter;
    }
    found
}

/// The rest of a literal; one of bytes is no message.
fn literal(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, is_bytes: bool) -> String {
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => match letters.next() {
                Some('\n') => while letters.next_if(|next| next.is_whitespace()).is_some() {},
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => break,
            },
            _ => text.push(letter),
        }
    }
    if is_bytes { String::new() } else { text }
}

#[test]
fn no_message_has_a_command_that_the_table_does_not_know() {
    let mut files = Vec::new();
    for folder in MESSAGES {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    assert!(files.len() > 60, "{}", files.len());
    let mut unknown = Vec::new();
    for file in files {
        for text in literals(&fs::read_to_string(&file).unwrap()) {
            // A message that is written in pieces ends one with an open backquote, and a value follows.
            for part in text.split('`').skip(1).step_by(2).filter(|part| !part.is_empty()) {
                let is_value = part.starts_with('{') && part.ends_with('}') && !part.contains(' ');
                let is_command = Command::ALL.iter().any(|command| command.template() == part);
                if !is_value && !is_command && !is_name(part) {
                    unknown.push(format!("{}: `{part}`", file.display()));
                }
            }
        }
    }
    assert!(
        unknown.is_empty(),
        "not in lb_cert::Command::ALL:\n{}",
        unknown.join("\n")
    );
}

#[test]
fn the_reader_of_sources_finds_what_is_written() {
    let source = "let a = '\"'; // \"no\"\nlet b = \"one `x` \\\n    two\"; b\"`\"; let c = '\\''; \"\\\"`\\n\"\n#[cfg(test)]\nmod tests { \"not\" }";
    assert_eq!(literals(source), ["one `x` two", "", "\"`\n"]);
}

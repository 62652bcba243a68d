//! Formats as they were cut out of a configuration: the directive, its name, its quotes.
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::spec::SpecError;

/// The format inside Apache's `LogFormat "..." name` or `CustomLog file "..."`, nginx's `log_format name '..' '..';`, or
/// a few quoted pieces; the text itself if it is none of these.
///
/// # Errors
/// [`SpecError`] for what other programs call a format.
pub(super) fn unwrapped(text: &str) -> Result<String, SpecError> {
    // a log has no line breaks; a format that was copied off a terminal may
    content(text.trim()).map(|format| format.replace("\r\n", " ").replace('\n', " "))
}

fn content(text: &str) -> Result<String, SpecError> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    if is("LogFormat") || is("CustomLog") || is("TransferLog") || is("GlobalLog") {
        let rest = joined(rest);
        return match quoted(&rest).into_iter().max_by_key(|piece| piece.matches('%').count()) {
            // a file or a pipe may have a % too
            Some(format) if format.contains('%') => Ok(format),
            _ => match rest.split_whitespace().find(|word| word.contains('%')) {
                Some(format) => Ok(format.to_owned()),
                None => Err(SpecError::new(
                    text,
                    "has no format in it",
                    "give the LogFormat that it names",
                )),
            },
        };
    }
    if is("log_format") {
        let pieces = quoted(rest);
        return match pieces.is_empty() {
            // without quotes: name, format
            true => Ok(rest
                .split_once(char::is_whitespace)
                .map_or("", |(_, format)| format)
                .trim()
                .trim_end_matches(';')
                .to_owned()),
            false => Ok(pieces.concat()),
        };
    }
    if word.eq_ignore_ascii_case("log-format") || text.contains("%ci") && text.contains("%ft") {
        let mend = "haproxy reads option httplog and option tcplog, and httplog clf is read as combined";
        return Err(SpecError::new(
            text,
            "is a log-format of HAProxy, which is not read",
            mend,
        ));
    }
    if text.contains("%START_TIME") || text.contains("%RESPONSE_CODE%") {
        let mend = "json reads Envoy's, with start_time, response_code, duration and upstream_host";
        return Err(SpecError::new(
            text,
            "is a text format of Envoy, which is not read",
            mend,
        ));
    }
    let is_pieces = text.starts_with('\'') || (text.starts_with('"') && is_one_quoted(text));
    let pieces = if is_pieces { quoted(text) } else { Vec::new() };
    Ok(match pieces.is_empty() {
        true => text.trim_end_matches(';').to_owned(),
        false => pieces.concat(),
    })
}

/// Apache continues a line that ends with a backslash.
fn joined(text: &str) -> String {
    text.replace("\\\r\n", "").replace("\\\n", "")
}

/// Is it one piece in quotes? Several may be fields of a line that has them in quotes.
fn is_one_quoted(text: &str) -> bool {
    let Some((_, rest)) = piece(text) else { return false };
    let rest = rest.trim_matches([' ', ';']);
    // the name of an Apache format may follow
    !rest.contains(['"', '%', '$']) && !rest.contains(char::is_whitespace)
}

/// All pieces in quotes, without them; what stands between them is left out.
fn quoted(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['"', '\'']) {
        let Some((inside, after)) = rest.get(open..).and_then(piece) else {
            break;
        };
        pieces.push(inside);
        rest = after;
    }
    pieces
}

/// The piece in the quotes with which the text begins, unescaped, and what follows.
fn piece(text: &str) -> Option<(String, &str)> {
    let mut letters = text.char_indices();
    let (_, quote) = letters.next().filter(|(_, letter)| matches!(letter, '"' | '\''))?;
    let mut inside = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => match letters.next()?.1 {
                escaped @ ('"' | '\'' | '\\') => inside.push(escaped),
                't' => inside.push('\t'),
                'n' => inside.push('\n'),
                other => {
                    inside.push('\\');
                    inside.push(other);
                }
            },
            letter if letter == quote => {
                let after = text.get(at..)?.get(quote.len_utf8()..)?;
                return Some((inside, after));
            }
            letter => inside.push(letter),
        }
    }
    None
}

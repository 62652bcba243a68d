/// `text` with every value of a key `secret` overwritten with `*`, byte for byte, so that places stay true: reports go
/// to logs and into tickets. Works on text that is no TOML as well.
pub(super) fn secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(KEY) {
        let (before, after) = rest.split_at(at.saturating_add(KEY.len()));
        let own_word = !before
            .trim_end_matches(KEY)
            .ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'));
        out.push_str(before);
        rest = after;
        let key = after.trim_start_matches(['"', '\'', ' ', '\t']);
        if let Some(value) = key.strip_prefix(['=', ':']).filter(|_| own_word) {
            let value = value.trim_start_matches([' ', '\t']);
            out.push_str(after.strip_suffix(value).unwrap_or_default());
            rest = mask(value, &mut out);
        }
    }
    out.push_str(rest);
    out
}

/// Writes the value at the start of `text` as stars and gives what follows.
fn mask<'a>(text: &'a str, out: &mut String) -> &'a str {
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| text.starts_with(quote));
    let inner = quote.and_then(|quote| text.strip_prefix(quote)).unwrap_or(text);
    let end = match quote {
        // Typographic marks open a text too: where it ends is anybody's guess.
        None if inner.starts_with(|c: char| !c.is_ascii()) => inner.find(['\r', '\n']),
        None => inner.find([' ', '\t', ',', '}', '\r', '\n']),
        Some(quote) if quote.len() == 3 => inner.find(quote),
        Some(quote) => end_of_string(inner, quote.as_bytes()).or(inner.find(['\r', '\n'])),
    };
    let (value, rest) = inner.split_at(end.unwrap_or(inner.len()));
    out.push_str(quote.unwrap_or_default());
    out.extend(value.bytes().map(|byte| if byte == b'\n' { '\n' } else { '*' }));
    rest
}

/// Where the closing quote stands, on the same line.
fn end_of_string(text: &str, quote: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = quote == b"\"",
            _ if quote.contains(&byte) => return Some(at),
            _ => {}
        }
    }
    None
}

const KEY: &str = "secret";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_become_stars_and_nothing_else_does() {
        for (text, masked) in [
            ("secret = \"hunter2\"\nx = 1", "secret = \"*******\"\nx = 1"),
            (
                "{ kind = \"k\", secret='a b', path = \"/\" }",
                "{ kind = \"k\", secret='***', path = \"/\" }",
            ),
            ("secret = \"a\\\"b\" # \"c\"", "secret = \"****\" # \"c\""),
            ("secret = hunter2, x", "secret = *******, x"),
            ("\"secret\" = \"x\"", "\"secret\" = \"*\""),
            ("secret = \"open\nnext", "secret = \"****\nnext"),
            ("secret = \"\"\"a\nb\"\"\"", "secret = \"\"\"*\n*\"\"\""),
            ("secret_file = \"/etc/x\"", "secret_file = \"/etc/x\""),
            ("my_secret = \"x\"", "my_secret = \"x\""),
            ("name = \"secret\"", "name = \"secret\""),
            ("# a secret is", "# a secret is"),
            ("secret", "secret"),
            ("secret = \"ä\"", "secret = \"**\""),
            ("secret = “a b”\nx", "secret = *********\nx"),
        ] {
            assert_eq!(secrets(text), masked);
            assert_eq!(secrets(text).len(), text.len());
        }
    }
}

//! The commands that messages print. Each is run by a test on the very file that it is printed for.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::Place;

/// The command with the source's name for `FILE`, quoted for a shell where it must be, and the line of its block for
/// `LINE`. A result is never written over its source.
pub(crate) fn filled(command: &str, place: &Place) -> String {
    let source: &str = &place.source;
    let mut command = command.to_owned();
    if source.rsplit('/').next().is_some_and(|own| own.starts_with("out.")) {
        command = command.replace("out.", "new.");
    }
    let is_bare_base64 = place.block == 0 && place.line.is_some();
    if is_bare_base64 && command.starts_with("openssl ") && command.contains(" -in FILE") {
        // openssl takes PEM and DER, not base64 without armour.
        let told = command
            .replace(" -inform DER", "")
            .replace(" -in FILE", " -inform DER -in out.der");
        command = format!("base64 -di FILE > out.der && {told}");
    }
    if is_bare_base64 && command.starts_with("botan ") {
        command = format!("base64 -di FILE > out.der && {}", command.replace(" FILE", " out.der"));
    }
    let line = place.line.unwrap_or(1).to_string();
    command.replace("LINE", &line).replace("FILE", &quoted(source))
}

/// A file name as one word of a shell, which no program takes for an option. What was piped in has no name.
fn quoted(source: &str) -> String {
    if source == "standard input" {
        return "FILE".to_owned();
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_./+,:@%=-".contains(letter);
    let dot = if source.starts_with('-') { "./" } else { "" };
    if !source.is_empty() && source.chars().all(is_plain) {
        format!("{dot}{source}")
    } else {
        format!("'{dot}{}'", source.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_and_no_option() {
        for (name, word) in [
            ("a.p12", "a.p12"),
            ("/etc/ssl/b c.jks", "'/etc/ssl/b c.jks'"),
            ("it's.pem", "'it'\\''s.pem'"),
            ("-x.pem", "./-x.pem"),
            ("- $(x).pem", "'./- $(x).pem'"),
            ("a`b`.pem", "'a`b`.pem'"),
            ("größe.pem", "'größe.pem'"),
            ("standard input", "FILE"),
        ] {
            assert_eq!(filled("cat FILE", &Place::whole(&name.into())), format!("cat {word}"));
        }
    }

    #[test]
    fn no_result_is_written_over_its_source() {
        let filled = |source: &str| filled("gzip -dc FILE > out.pem", &Place::whole(&source.into()));
        assert_eq!(filled("a/out.pem"), "gzip -dc a/out.pem > new.pem");
        assert_eq!(filled("a.pem"), "gzip -dc a.pem > out.pem");
    }

    #[test]
    fn a_command_knows_its_block_and_that_there_is_no_armour() {
        let whole = Place::whole(&"a".into());
        let block = Place {
            block: 2,
            line: Some(9),
            ..whole.clone()
        };
        let bare = Place {
            line: Some(1),
            ..whole.clone()
        };
        let key = "openssl pkcs8 -in FILE -out out.pem";
        assert_eq!(filled(key, &block), "openssl pkcs8 -in a -out out.pem");
        assert_eq!(
            filled(key, &bare),
            "base64 -di a > out.der && openssl pkcs8 -inform DER -in out.der -out out.pem"
        );
        assert_eq!(
            filled("sed -n 'LINE,/-----END/p' FILE", &block),
            "sed -n '9,/-----END/p' a"
        );
    }
}

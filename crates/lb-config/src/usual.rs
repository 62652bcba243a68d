//! What holds where the file says nothing, by the schema alone.

use crate::grammar;
use crate::schema::Section;
use std::time::Duration;

/// How long a key lasts that is not written.
pub(crate) fn duration(section: &'static Section, name: &str) -> Duration {
    grammar::duration(text(section, name).trim_matches('"')).unwrap_or_default()
}

/// The size or number of a key that is not written; `None`: no limit.
pub(crate) fn size(section: &'static Section, name: &str) -> Option<u64> {
    let text = text(section, name);
    text.parse().ok().or_else(|| grammar::size(text.trim_matches('"')).ok())
}

/// The default of a number, from the schema.
pub(crate) fn number(section: &'static Section, name: &str) -> u64 {
    section
        .key(name)
        .and_then(|key| key.default.parse().ok())
        .unwrap_or_default()
}

/// The first time out when the file does not say: that of probes while down, and where no probe sees a recovery, that
/// of nginx's `fail_timeout`.
pub(crate) fn ejection(is_probed: bool) -> Option<Duration> {
    (!is_probed).then_some(Duration::from_secs(10))
}

fn text(section: &'static Section, name: &str) -> &'static str {
    section.key(name).map_or("", |key| key.default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{SECTIONS, Value};

    #[test]
    fn every_default_of_a_duration_or_number_is_in_its_range() {
        for key in SECTIONS.iter().flat_map(|section| section.keys) {
            let text = key.default.trim_matches('"');
            if matches!(text, "" | "required" | "none") || !text.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            match key.value {
                Value::Duration { least, most } => {
                    let value = grammar::duration(text).unwrap();
                    assert!(least <= value && value <= most, "{key:?}");
                }
                Value::Integer { least, most } => {
                    let value: u64 = text.parse().unwrap();
                    assert!(least <= value && value <= most, "{key:?}");
                }
                Value::Size { least, most, .. } => {
                    let value = grammar::size(text).unwrap();
                    assert!(least <= value && value <= most, "{key:?}");
                }
                Value::Text(_) | Value::Word(_) => {}
                _ => panic!("{key:?}"),
            }
        }
    }
}

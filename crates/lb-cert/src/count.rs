//! Numbers with their nouns and verbs.

/// `1 byte`, `2 bytes`: the noun is given as it is for many, alone or with words around it (`lines of base64`).
pub(crate) fn counted(number: impl TryInto<u64>, many: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number != 1 {
        return format!("{number} {many}");
    }
    let words = many.split(' ');
    let mut is_found = false;
    let singular: Vec<String> = words
        .map(
            |word| match (is_found, word.strip_suffix("ies"), word.strip_suffix('s')) {
                (true, ..) | (_, _, None) => word.to_owned(),
                (false, Some(stem), _) => {
                    is_found = true;
                    format!("{stem}y")
                }
                (false, None, Some(stem)) => {
                    is_found = true;
                    stem.to_owned()
                }
            },
        )
        .collect();
    format!("1 {}", singular.join(" "))
}

/// The form of a word that goes with the number.
pub(crate) fn agreed<'a>(number: impl TryInto<u64>, one: &'a str, many: &'a str) -> &'a str {
    if number.try_into().is_ok_and(|number| number == 1) {
        one
    } else {
        many
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::Validity;
    use crate::{BlockReport, CertificateError, KeyError, NoteKind, Oddity, Place, Problem, ReadError};

    #[test]
    fn one_has_its_own_form() {
        for (many, one) in [
            ("bytes", "1 byte"),
            ("entries of a Java key store", "1 entry of a Java key store"),
            ("base64 characters", "1 base64 character"),
            ("lines of base64", "1 line of base64"),
            ("certificates", "1 certificate"),
        ] {
            assert_eq!(counted(1_u32, many), one);
            assert_eq!(counted(2_u32, many), format!("2 {many}"));
            assert_eq!(counted(0_u32, many), format!("0 {many}"));
        }
    }

    /// Every message with a number in it, made with that number.
    fn messages(number: u32) -> Vec<String> {
        let wide = u64::from(number);
        let size = number as usize;
        let what = "the key";
        let report = BlockReport {
            lines: number,
            uneven: number,
            shortest: size,
            longest: size,
            illegal: size,
        };
        let mut all = vec![report.to_string()];
        let place = Place::whole(&"a.pem".into());
        let limited = [
            "bytes",
            "blocks",
            "certificates",
            "entries of a Java key store",
            "parts of a PKCS#12",
        ];
        let limits = limited.map(|what| Problem::Limit { what, limit: wide });
        let problems = limits.into_iter().chain([
            Problem::StrayBase64 { lines: number },
            Problem::Length {
                characters: size,
                report,
            },
            Problem::Truncated {
                what,
                promised: wide,
                present: size,
            },
            Problem::Trailing {
                what,
                end: 7,
                extra: size,
            },
            Problem::WrongPassword { what, tried: size },
            Problem::Unproven { tried: size },
            Problem::Cost {
                what: "key derivations",
                needed: wide,
                limit: wide,
            },
            Problem::TotalCost {
                derivations: number,
                needed: wide,
                limit: wide,
            },
        ]);
        for problem in problems {
            let error = ReadError {
                place: place.clone(),
                problem,
            };
            all.extend([error.to_string(), error.explain()]);
        }
        all.push(KeyError::Trailing { end: 7, extra: size }.to_string());
        all.push(CertificateError::Trailing { count: size }.to_string());
        for kind in [
            NoteKind::TrailingBlanks { lines: number },
            NoteKind::LeadingBlanks { lines: number },
            NoteKind::Text { lines: number },
            NoteKind::Columns {
                line: 7,
                columns: size,
                lines: number,
            },
            NoteKind::Columns {
                line: 7,
                columns: size,
                lines: number + 1,
            },
            NoteKind::KeyForm(Oddity::ScalarOctets {
                octets: size,
                wanted: 32,
            }),
        ] {
            all.push(kind.to_string());
        }
        let days = i64::from(number);
        all.push(Validity::Valid { days }.to_string());
        all.push(Validity::NotYet { days }.to_string());
        all.push(Validity::Expired { days }.to_string());
        all
    }

    #[test]
    fn no_message_has_one_of_many_or_many_of_one() {
        // A number and the word behind it: adjectives and the end of a sentence need no form.
        let pairs = |text: &str, number: &str| -> Vec<String> {
            let words: Vec<String> = text
                .split_whitespace()
                .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned())
                .collect();
            words
                .windows(2)
                .filter(|pair| pair[0] == number)
                .map(|pair| pair[1].clone())
                .collect()
        };
        const NOUNS: [&str; 12] = [
            "byte",
            "block",
            "certificate",
            "line",
            "character",
            "column",
            "octet",
            "day",
            "derivation",
            "iteration",
            "password",
            "part",
        ];
        for text in messages(1) {
            for word in pairs(&text, "1") {
                let is_many = NOUNS.iter().any(|noun| word == format!("{noun}s"));
                assert!(
                    !is_many && !["stand", "are", "have", "follow", "lines"].contains(&word.as_str()),
                    "{text}"
                );
            }
        }
        for text in messages(2) {
            for word in pairs(&text, "2") {
                assert!(
                    !NOUNS.contains(&word.as_str()) && !["stands", "is", "has", "follows"].contains(&word.as_str()),
                    "{text}"
                );
            }
        }
    }
}

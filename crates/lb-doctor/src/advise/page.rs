use super::profile::Profile;
use super::recommend::Advice;
use super::rehearse::Rehearsal;
use super::text::{COLUMNS, NOTHING_TO_SERVE, about};
use crate::report::{escape, section, shell};

impl Advice {
    /// The advice as one HTML page that needs nothing else: what the log `name` is, what to choose and why, weights, the
    /// pool to paste, and the plots of the rehearsal. Its figures are inside as JSON too, in the element `data`.
    #[must_use]
    pub fn html(&self, profile: &mut Profile, mut rehearsal: Option<&mut Rehearsal>, name: &str) -> String {
        let data = self.json(profile, rehearsal.as_deref_mut());
        let header = format!(
            "<h1>Advice for {}: {}</h1>\n<p class=\"lead\">{} Certainty: {}.</p>\n{}",
            escape(name),
            self.algorithm,
            escape(&about(profile)),
            escape(&self.sure(profile)),
            paragraphs(&profile.reading)
        );
        let mut body = String::new();
        section(&mut body, "why", "Why", "", &paragraphs(&self.reasons));
        if profile.backends.len() > 1 {
            let table = self.weights_table(profile);
            section(&mut body, "weights", "Backends and their weights", "", &table);
        }
        if !self.notes.is_empty() {
            section(
                &mut body,
                "notes",
                "What else the log says",
                "",
                &paragraphs(&self.notes),
            );
        }
        let pool = format!("<pre class=\"scroll\">{}</pre>\n", escape_lines(&self.toml()));
        section(&mut body, "pool", "To paste into the configuration", "", &pool);
        match rehearsal {
            Some(rehearsal) => {
                let (comparison, setting) = (&mut rehearsal.comparison, &rehearsal.setting);
                let mut words = vec![comparison.verdict()];
                words.extend(self.objection(comparison));
                let words = format!("{}{}", paragraphs(&words), comparison.facts());
                section(
                    &mut body,
                    "simulation",
                    "The algorithms at work on this log",
                    "",
                    &words,
                );
                body.push_str(&comparison.sections());
                body.push_str(&comparison.footer(setting));
            }
            None => section(
                &mut body,
                "simulation",
                "No simulation",
                "",
                &paragraphs(&[NOTHING_TO_SERVE.to_owned()]),
            ),
        }
        shell(&format!("lbd: advice for {name}"), &header, &body, &data)
    }

    fn weights_table(&self, profile: &mut Profile) -> String {
        let cells = |cells: &[String], tag: &str| -> String {
            let cells = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)));
            format!("<tr>{}</tr>\n", cells.collect::<String>())
        };
        let heads = cells(&COLUMNS.map(str::to_owned), "th");
        let rows: String = self.rows(profile).iter().map(|row| cells(row, "td")).collect();
        format!("<div class=\"scroll\"><table>\n<thead>{heads}</thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n")
    }
}

fn paragraphs(lines: &[String]) -> String {
    lines.iter().map(|line| format!("<p>{}</p>\n", escape(line))).collect()
}

/// As [`escape`], which makes line breaks visible.
fn escape_lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", escape(line))).collect()
}

//! What all plots are made of.

use std::fmt::Write as _;

/// Text for HTML and SVG, also inside attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            letter if letter.is_control() => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// An SVG picture under construction.
#[derive(Debug)]
pub(super) struct Picture {
    body: String,
    width: f64,
    height: f64,
    label: String,
}

impl Picture {
    pub(super) fn new(width: f64, height: f64, label: &str) -> Self {
        Self {
            body: String::new(),
            width,
            height,
            label: escape(label),
        }
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = writeln!(
            self.body,
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        );
    }

    /// `anchor`: start, middle or end.
    pub(super) fn text(&mut self, class: &str, anchor: &str, at: (f64, f64), text: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            at.0,
            at.1,
            escape(text)
        );
    }

    /// Anything else.
    pub(super) fn raw(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }
}

impl std::fmt::Display for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "<svg viewBox=\"0 0 {:.0} {:.0}\" role=\"img\" aria-label=\"{}\">\n{}</svg>",
            self.width, self.height, self.label, self.body
        )
    }
}

/// The colour of backend number `place`.
pub(super) fn color(place: usize) -> String {
    format!("var(--c{})", place % COLORS)
}

/// So many colours can be told apart.
pub(super) const COLORS: usize = 8;

/// Which name is which colour.
pub(super) fn key<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let item = |(place, name): (usize, &str)| {
        format!(
            "<li><i style=\"background:{}\"></i>{}</li>\n",
            color(place),
            escape(name)
        )
    };
    let items: String = names.enumerate().map(item).collect();
    format!("<ul class=\"key\">\n{items}</ul>\n")
}

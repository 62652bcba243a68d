//! Colours, on a terminal that wants them.

use std::fmt::Display;
use std::io::IsTerminal;

/// Paints text, or leaves it plain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint {
    is_on: bool,
}

impl Paint {
    /// For standard output: on a terminal, unless `NO_COLOR` is set to something or `TERM` is `dumb`.
    pub(super) fn stdout() -> Self {
        let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self {
            is_on: std::io::stdout().is_terminal() && !is_refused,
        }
    }

    pub(super) fn bold(self, text: impl Display) -> String {
        self.in_colour("1", text)
    }

    pub(super) fn dim(self, text: impl Display) -> String {
        self.in_colour("2", text)
    }

    pub(super) fn good(self, text: impl Display) -> String {
        self.in_colour("32", text)
    }

    pub(super) fn warning(self, text: impl Display) -> String {
        self.in_colour("33", text)
    }

    pub(super) fn bad(self, text: impl Display) -> String {
        self.in_colour("1;31", text)
    }

    fn in_colour(self, code: &str, text: impl Display) -> String {
        if self.is_on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_string()
        }
    }
}

mod kind;
mod mask;
mod render;
mod sink;

pub use kind::Kind;
use mask::Hidden;
pub(crate) use sink::Sink;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Where something stands in the file: byte offsets.
pub type Span = Range<usize>;

/// One mistake, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What sort of mistake.
    pub kind: Kind,
    /// Does it stop the configuration from being used?
    pub severity: Severity,
    /// One line, lower case, that names the value.
    pub message: String,
    /// The bytes of the file that are wrong. `None` when no place is to blame.
    pub span: Option<Span>,
    /// What to write under the underlined bytes.
    pub label: String,
    /// Other places that belong to the mistake, each with its remark.
    pub related: Vec<(Span, String)>,
    /// How to mend it.
    pub help: Vec<String>,
}

/// How bad a [`Problem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The configuration cannot be used.
    Error,
    /// The configuration is used, but probably does not do what was meant.
    Warning,
}

/// All mistakes of one file, in the order of the file.
///
/// `Display` prints them without colour, [`render`](Problems::render) with or without.
#[derive(Clone, PartialEq, Eq)]
pub struct Problems {
    file: Arc<str>,
    text: Arc<str>,
    list: Vec<Problem>,
}

impl Problem {
    /// A mistake that makes the configuration unusable.
    #[must_use]
    pub(crate) fn error(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Severity::Error, message.into())
    }

    /// A mistake the program can live with.
    #[must_use]
    pub(crate) fn warning(kind: Kind, message: impl Into<String>) -> Self {
        Self::new(kind, Severity::Warning, message.into())
    }

    const fn new(kind: Kind, severity: Severity, message: String) -> Self {
        Self {
            kind,
            severity,
            message,
            span: None,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    pub(crate) fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    pub(crate) fn see(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl Problems {
    pub(crate) fn new(file: &str, text: &str, mut list: Vec<Problem>) -> Self {
        let hidden = Hidden::of(text);
        hidden.clean(&mut list);
        list.sort_by_key(|problem| problem.span.as_ref().map_or((0, 0), |span| (span.start, span.end)));
        Self {
            file: file.into(),
            text: hidden.masked(text).into(),
            list,
        }
    }

    /// A list for problems that no text is to blame for.
    pub(crate) fn without_text(file: &str, list: Vec<Problem>) -> Self {
        Self::new(file, "", list)
    }

    /// The mistakes, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// No mistake at all?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many mistakes make the configuration unusable.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.list
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    }

    /// How many are only warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.list.len().saturating_sub(self.errors())
    }

    /// The name of the file, as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Line and column of a byte, both counted from 1; columns are characters.
    #[must_use]
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or(&self.text);
        let line = before.bytes().filter(|&b| b == b'\n').count().saturating_add(1);
        let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let column = before
            .get(start..)
            .map_or(0, |text| text.chars().filter(|&c| c != '\u{feff}').count());
        (line, column.saturating_add(1))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The report itself: this is what a failed `unwrap` in a test should print.
impl fmt::Debug for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Problems\n{self}")
    }
}

impl std::error::Error for Problems {}

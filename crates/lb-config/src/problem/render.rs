use super::{Problem, Problems, Severity, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

impl Problems {
    /// The report for people: every mistake with file, line, column and the underlined source, then one line that
    /// counts them. Colours are terminal escape sequences.
    ///
    /// At most 100 mistakes are shown; the last line counts all.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut out = String::new();
        for problem in self.list.iter().take(SHOWN) {
            out.push_str(&renderer.render(&[self.report(problem)]));
            out.push_str("\n\n");
        }
        if let Some(hidden) = self.list.len().checked_sub(SHOWN).filter(|&hidden| hidden > 0) {
            out.push_str(&format!("and {hidden} more\n\n"));
        }
        out.push_str(&self.summary());
        out.push('\n');
        out
    }

    /// One line: `lbd.toml: 3 errors, 1 warning`.
    #[must_use]
    pub fn summary(&self) -> String {
        let count = |n: usize, word: &str| match n {
            1 => format!("1 {word}"),
            _ => format!("{n} {word}s"),
        };
        match (self.errors(), self.warnings()) {
            (0, 0) => format!("{}: no problems", self.file),
            (errors, 0) => format!("{}: {}", self.file, count(errors, "error")),
            (0, warnings) => format!("{}: {}", self.file, count(warnings, "warning")),
            (errors, warnings) => {
                format!(
                    "{}: {}, {}",
                    self.file,
                    count(errors, "error"),
                    count(warnings, "warning")
                )
            }
        }
    }

    fn report<'a>(&'a self, problem: &'a Problem) -> Group<'a> {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(problem.message.as_str()).id(problem.kind.id());
        let group = match &problem.span {
            None => title.element(Origin::path(&*self.file)),
            Some(span) => title.element(self.snippet(span, problem)),
        };
        problem
            .help
            .iter()
            .fold(group, |group, help| group.element(Level::HELP.message(help.as_str())))
    }

    /// Only the lines that are needed: the renderer's cost grows with the text it is given.
    fn snippet<'a>(&'a self, span: &Span, problem: &'a Problem) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let all = || std::iter::once(span).chain(problem.related.iter().map(|(span, _)| span));
        let first = all().map(|span| span.start).min().unwrap_or(0);
        let last = all().map(|span| span.end).max().unwrap_or(0);
        let start = self.line_start(first);
        let end = self.line_end(last);
        let shift = |span: &Span| {
            let from = span.start.clamp(start, end).saturating_sub(start);
            let to = span.end.clamp(start, end).saturating_sub(start);
            from..to.max(from)
        };
        let window = self.text.get(start..end).unwrap_or_default();
        let related = problem
            .related
            .iter()
            .map(|(span, label)| AnnotationKind::Context.span(shift(span)).label(label.as_str()));
        let label = Some(problem.label.as_str()).filter(|label| !label.is_empty());
        Snippet::source(window)
            .path(&*self.file)
            .line_start(self.place(start).0)
            .annotation(AnnotationKind::Primary.span(shift(span)).label(label))
            .annotations(related)
    }

    fn line_start(&self, offset: usize) -> usize {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let mark = '\u{feff}';
        if start == 0 && self.text.starts_with(mark) && offset >= mark.len_utf8() {
            mark.len_utf8()
        } else {
            start
        }
    }

    fn line_end(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        let after = self.text.get(offset..).unwrap_or_default();
        offset.saturating_add(after.find('\n').unwrap_or(after.len()))
    }
}

const SHOWN: usize = 100;

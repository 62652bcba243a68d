//! Columns that are as wide as their widest cell.

use std::fmt::Write;

/// Cells of one column, its title first.
#[derive(Debug)]
pub(super) struct Column {
    title: &'static str,
    right: bool,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    paint: Paint,
}

/// The colour of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    None,
    Good,
    Bad,
    Care,
}

impl Column {
    pub(super) const fn left(title: &'static str) -> Self {
        Self {
            title,
            right: false,
            cells: Vec::new(),
        }
    }

    /// For numbers: they end under each other.
    pub(super) const fn right(title: &'static str) -> Self {
        Self {
            title,
            right: true,
            cells: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, text: impl ToString) {
        self.paint(text, Paint::None);
    }

    pub(super) fn paint(&mut self, text: impl ToString, paint: Paint) {
        self.cells.push(Cell {
            text: text.to_string(),
            paint,
        });
    }

    pub(super) fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.text.chars().count());
        cells.max().unwrap_or(0).max(self.title.len())
    }

    fn write(&self, row: Option<usize>, color: bool, out: &mut String) {
        let cell = row.and_then(|row| self.cells.get(row));
        let text = if row.is_none() {
            self.title
        } else {
            cell.map_or("", |cell| &cell.text)
        };
        let paint = cell.map_or(Paint::None, |cell| cell.paint);
        let blanks = self.width().saturating_sub(text.chars().count());
        // Writing to a String cannot fail.
        let _ = match (self.right, paint.code().filter(|_| color)) {
            (true, None) => write!(out, "{:blanks$}{text}", ""),
            (false, None) => write!(out, "{text}{:blanks$}", ""),
            (true, Some(code)) => write!(out, "{:blanks$}\x1b[{code}m{text}\x1b[0m", ""),
            (false, Some(code)) => write!(out, "\x1b[{code}m{text}\x1b[0m{:blanks$}", ""),
        };
    }
}

impl Paint {
    const fn code(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Good => Some(32),
            Self::Bad => Some(31),
            Self::Care => Some(33),
        }
    }
}

/// How wide all of them are beside each other.
pub(super) fn width(columns: &[Column]) -> usize {
    let between = columns.len().saturating_sub(1) * GAP.len();
    columns.iter().map(Column::width).sum::<usize>() + between
}

/// The titles (`None`) or a row, behind `indent`, without blanks at the end.
pub(super) fn row(columns: &[Column], row: Option<usize>, indent: &str, color: bool, out: &mut String) {
    out.push_str(indent);
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push_str(GAP);
        }
        column.write(row, color, out);
    }
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

const GAP: &str = "  ";

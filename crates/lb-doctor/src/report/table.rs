use std::fmt;

/// Columns of equal width: the first to the left, numbers to the right.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    left: Vec<usize>,
    indent: usize,
}

impl Table {
    pub(crate) fn new(heads: &[&str]) -> Self {
        Self {
            rows: vec![heads.iter().map(|head| (*head).to_owned()).collect()],
            left: vec![0],
            indent: 0,
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// These columns begin where their heads do, instead of the first.
    pub(crate) fn left(mut self, columns: &[usize]) -> Self {
        self.left = columns.to_vec();
        self
    }

    pub(crate) fn indented(mut self, indent: usize) -> Self {
        self.indent = indent;
        self
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = " ".repeat(self.indent);
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column > 0 {
                    line.push_str("  ");
                }
                let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
                match self.left.contains(&column) {
                    true => line.extend([cell.as_str(), &gap]),
                    false => line.extend([gap.as_str(), cell]),
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// Lines of at most 100 letters, broken between words.
pub(crate) fn wrap(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let is_full = lines
            .last()
            .is_some_and(|line| !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH);
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// Letters of a line.
const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_broken() {
        let mut table = Table::new(&["name", "p99"]);
        table.row(["a".to_owned(), "1.5 ms".to_owned()]);
        table.row(["long name".to_owned(), "20 s".to_owned()]);
        assert_eq!(
            table.to_string(),
            "name          p99\na          1.5 ms\nlong name    20 s\n"
        );
        let text = wrap(&"word ".repeat(30));
        assert!(
            text.lines().count() == 2 && text.lines().all(|line| line.len() <= 100),
            "{text}"
        );
    }
}

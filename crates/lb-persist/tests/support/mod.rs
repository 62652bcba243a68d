//! A message head as a list of lines, for tests.
#![allow(dead_code)]

use lb_types::{Fields, FieldsMut, InvalidField, Now, Time, Wall};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<(String, Vec<u8>)>,
    /// `append` fails with `Full` when there are so many.
    pub(crate) most: Option<usize>,
}

impl Lines {
    pub(crate) fn new(lines: &[(&str, &str)]) -> Self {
        Self {
            lines: lines
                .iter()
                .map(|(n, v)| ((*n).into(), v.as_bytes().to_vec()))
                .collect(),
            most: None,
        }
    }

    /// All values of one name, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        (0..)
            .map_while(|i| self.nth(name, i))
            .map(|v| String::from_utf8_lossy(v).into_owned())
            .collect()
    }

    fn position(&self, name: &str, index: usize) -> Option<usize> {
        self.lines
            .iter()
            .enumerate()
            .filter(|(_, l)| l.0.eq_ignore_ascii_case(name))
            .nth(index)
            .map(|(at, _)| at)
    }
}

impl Fields for Lines {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.position(name, index).map(|at| &*self.lines[at].1)
    }
}

impl FieldsMut for Lines {
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        check(value)?;
        if self.most.is_some_and(|most| self.lines.len() >= most) {
            return Err(InvalidField::Full);
        }
        self.lines.push((name.into(), value.to_vec()));
        Ok(())
    }

    fn replace(&mut self, name: &str, index: usize, value: &[u8]) -> Result<(), InvalidField> {
        check(value)?;
        if let Some(at) = self.position(name, index) {
            self.lines[at].1 = value.to_vec();
        }
        Ok(())
    }

    fn remove(&mut self, name: &str, index: usize) -> bool {
        self.position(name, index).map(|at| self.lines.remove(at)).is_some()
    }
}

/// As strict as RFC 9110, section 5.5.
fn check(value: &[u8]) -> Result<(), InvalidField> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let ends = [(0, value.first()), (value.len().saturating_sub(1), value.last())];
    let end = ends
        .into_iter()
        .find_map(|(at, b)| b.filter(|b| blank(b)).map(|b| (at, *b)));
    let control = value
        .iter()
        .copied()
        .enumerate()
        .find(|(_, b)| (*b < 0x20 && *b != b'\t') || *b == 0x7f);
    match control.or(end) {
        Some((offset, byte)) => Err(InvalidField::Value { byte, offset }),
        None => Ok(()),
    }
}

/// Both clocks at `secs`.
pub(crate) fn at(secs: u64) -> Now {
    Now {
        mono: Time::from_nanos(secs * 1_000_000_000),
        wall: Wall::from_secs(secs),
    }
}

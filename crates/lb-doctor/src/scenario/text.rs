use super::{Part, Scenario};
use crate::report::{Table, wrap};
use std::fmt;

impl fmt::Display for Scenario {
    /// As `lbd simulate --scenario` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Scenario {}: {}\n", self.number, self.title)?;
        writeln!(f, "{}\n{}\n", wrap(self.situation), wrap(self.advice))?;
        for part in &self.parts {
            part.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |numbers: &[u16]| numbers.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
        writeln!(f, "{} ({}, w=[{}])", self.title, self.algorithm, list(&self.weights))?;
        let mut table = Table::new(&["picks", self.unit]);
        for row in &self.rows {
            let counts: Vec<String> = row.counts.iter().map(u32::to_string).collect();
            table.row([row.picks.to_string(), format!("c=[{}]", counts.join(","))]);
        }
        // the counts stand as a list, so they begin at one column
        write!(f, "{}", table.left(&[1]).indented(2))?;
        writeln!(f, "  {}\n", self.remark)
    }
}

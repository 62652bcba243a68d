//! Where something was found: every value and every complaint carries one.

use std::fmt;
use std::sync::Arc;

/// Where something stood: in which source, which block of it, which line or byte.
///
/// ```
/// use lb_cert::Place;
/// let place = Place { source: "chain.pem".into(), block: 2, line: Some(23), offset: 1432 };
/// assert_eq!(place.to_string(), "chain.pem, block 2 (line 23)");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The name that the caller gave to what was read: a path, `standard input`.
    pub source: Arc<str>,
    /// Number of the block or bag, from 1; 0 is the whole source.
    pub block: u32,
    /// Line in a text file, from 1; `None` in a binary one.
    pub line: Option<u32>,
    /// Byte offset in the source, from 0. In a UTF-16 file it counts the bytes of its UTF-8 form.
    pub offset: usize,
}

impl Place {
    /// The whole of `source`.
    pub fn whole(source: &Arc<str>) -> Self {
        Self {
            source: Arc::clone(source),
            block: 0,
            line: None,
            offset: 0,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match (self.block, self.line) {
            (0, Some(line)) => write!(f, " (line {line})"),
            (0, None) if self.offset == 0 => Ok(()),
            (0, None) => write!(f, " (byte {})", self.offset),
            (block, Some(line)) => write!(f, ", block {block} (line {line})"),
            (block, None) if self.offset == 0 => write!(f, ", block {block}"),
            (block, None) => write!(f, ", block {block} (byte {})", self.offset),
        }
    }
}

/// A value and the place where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What was found.
    pub value: T,
    /// Where.
    pub place: Place,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_says_as_much_as_it_knows() {
        let source: Arc<str> = "a.p12".into();
        let whole = Place::whole(&source);
        assert_eq!(whole.to_string(), "a.p12");
        assert_eq!(
            Place {
                offset: 31,
                ..whole.clone()
            }
            .to_string(),
            "a.p12 (byte 31)"
        );
        assert_eq!(
            Place {
                line: Some(4),
                ..whole.clone()
            }
            .to_string(),
            "a.p12 (line 4)"
        );
        assert_eq!(
            Place {
                block: 3,
                ..whole.clone()
            }
            .to_string(),
            "a.p12, block 3"
        );
        assert_eq!(
            Place {
                block: 3,
                offset: 9,
                ..whole
            }
            .to_string(),
            "a.p12, block 3 (byte 9)"
        );
    }
}

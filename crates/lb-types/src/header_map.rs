//! The fields of hyper, axum and tower.

use crate::{Fields, FieldsMut, InvalidField};
use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};

/// Lines of one name keep their order; lines of different names have none.
impl Fields for HeaderMap {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.get_all(name).iter().nth(index).map(HeaderValue::as_bytes)
    }
}

impl FieldsMut for HeaderMap {
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        let (name, value) = (name_of(name)?, value_of(value)?);
        self.try_append(name, value).map(drop).map_err(|_| InvalidField::Full)
    }

    fn replace(&mut self, name: &str, index: usize, value: &[u8]) -> Result<(), InvalidField> {
        let value = value_of(value)?;
        let Ok(name) = name_of(name) else { return Ok(()) };
        // an entry that is vacant takes no room until something is put into it
        if let Ok(Entry::Occupied(mut lines)) = self.try_entry(name)
            && let Some(line) = lines.iter_mut().nth(index)
        {
            *line = value;
        }
        Ok(())
    }

    fn remove(&mut self, name: &str, index: usize) -> bool {
        let Ok(name) = name_of(name) else { return false };
        let Ok(Entry::Occupied(lines)) = self.try_entry(&name) else {
            return false;
        };
        if lines.iter().nth(index).is_none() {
            return false;
        }
        let (name, values) = lines.remove_entry_mult();
        let kept: std::vec::Vec<HeaderValue> = values
            .enumerate()
            .filter(|(at, _)| *at != index)
            .map(|(_, value)| value)
            .collect();
        for value in kept {
            // there was room for one more a moment ago
            self.append(&name, value);
        }
        true
    }
}

fn name_of(name: &str) -> Result<HeaderName, InvalidField> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| InvalidField::Name)
}

fn value_of(value: &[u8]) -> Result<HeaderValue, InvalidField> {
    InvalidField::check_value(value)?;
    HeaderValue::from_bytes(value).map_err(|_| InvalidField::Value {
        byte: value.first().copied().unwrap_or_default(),
        offset: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'a>(map: &'a HeaderMap, name: &str) -> std::vec::Vec<&'a [u8]> {
        (0..).map_while(|index| map.nth(name, index)).collect()
    }

    #[test]
    fn lines_are_read_added_replaced_and_removed_one_by_one() {
        let mut map = HeaderMap::new();
        for value in [&b"a=1"[..], b"b=2", b"c=\xff"] {
            FieldsMut::append(&mut map, "Cookie", value).unwrap();
        }
        FieldsMut::append(&mut map, "host", b"h").unwrap();
        assert_eq!(map.first("cOOkie"), Some(&b"a=1"[..]));
        assert_eq!(all(&map, "cookie"), [&b"a=1"[..], b"b=2", b"c=\xff"]);
        map.replace("COOKIE", 1, b"d=4").unwrap();
        map.replace("cookie", 9, b"nobody").unwrap();
        map.replace("absent", 0, b"nobody").unwrap();
        assert_eq!(all(&map, "cookie"), [&b"a=1"[..], b"d=4", b"c=\xff"]);
        assert!(FieldsMut::remove(&mut map, "Cookie", 0));
        assert!(!FieldsMut::remove(&mut map, "Cookie", 2));
        assert!(!FieldsMut::remove(&mut map, "absent", 0));
        assert_eq!(all(&map, "cookie"), [&b"d=4"[..], b"c=\xff"]);
        assert!(FieldsMut::remove(&mut map, "cookie", 1) && FieldsMut::remove(&mut map, "cookie", 0));
        assert_eq!((all(&map, "cookie").len(), map.len()), (0, 1));
        assert_eq!(map.nth("not a name", 0), None);
    }

    #[test]
    fn what_could_end_a_line_changes_nothing() {
        let mut map = HeaderMap::new();
        FieldsMut::append(&mut map, "a", b"1").unwrap();
        assert_eq!(FieldsMut::append(&mut map, "b c", b"1"), Err(InvalidField::Name));
        let bad = InvalidField::Value { byte: b'\r', offset: 1 };
        assert_eq!(FieldsMut::append(&mut map, "b", b"1\r\nx: y"), Err(bad));
        assert_eq!(map.replace("a", 0, b"1\r\nx: y"), Err(bad));
        let blank = InvalidField::Value { byte: b' ', offset: 1 };
        assert_eq!(FieldsMut::append(&mut map, "b", b"1 "), Err(blank));
        assert_eq!((map.len(), map.first("a")), (1, Some(&b"1"[..])));
    }
}

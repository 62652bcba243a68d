/// The fields (headers) of a message, by name, without owning them.
///
/// Implemented by `lb_http::Head`; an embedder can implement it for its own header type. Names
/// are compared without regard to ASCII case (RFC 9110, section 5.1). A field that appears on
/// several lines is several values; nothing is joined or split.
pub trait Fields {
    /// The value of the line number `index` (from 0) among those called `name`.
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]>;

    /// The value of the first line called `name`.
    fn first(&self, name: &str) -> Option<&[u8]> {
        self.nth(name, 0)
    }
}

/// Fields that can be edited.
pub trait FieldsMut: Fields {
    /// Adds a line at the end.
    ///
    /// # Errors
    /// [`InvalidField`] when the name is no token or the value could end the line early; nothing
    /// is changed then.
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField>;

    /// Replaces the value of line number `index` among those called `name`; adds nothing when
    /// there is no such line.
    ///
    /// # Errors
    /// [`InvalidField`] when the value could end the line early; nothing is changed then.
    fn replace(&mut self, name: &str, index: usize, value: &[u8]) -> Result<(), InvalidField>;

    /// Removes line number `index` among those called `name`; says whether there was one.
    fn remove(&mut self, name: &str, index: usize) -> bool;
}

impl InvalidField {
    /// May a field have this name? For those who implement [`FieldsMut`].
    ///
    /// # Errors
    /// [`InvalidField::Name`] unless it is a token: RFC 9110, section 5.6.2.
    pub fn check_name(name: &str) -> Result<(), Self> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !name.is_empty() && name.bytes().all(is_token) {
            Ok(())
        } else {
            Err(Self::Name)
        }
    }

    /// May a field have this value?
    ///
    /// # Errors
    /// [`InvalidField::Value`] for a control character other than the tab, and for a blank at an end: RFC 9110,
    /// section 5.5.
    pub fn check_value(value: &[u8]) -> Result<(), Self> {
        let last = value.len().saturating_sub(1);
        let is_bad = |(at, byte): &(usize, &u8)| match **byte {
            b' ' | b'\t' => *at == 0 || *at == last,
            0x20..=0x7e | 0x80.. => false,
            _ => true,
        };
        match value.iter().enumerate().find(is_bad) {
            None => Ok(()),
            Some((offset, byte)) => Err(Self::Value { byte: *byte, offset }),
        }
    }
}

/// A field that must not be written into a message.
///
/// Whoever implements [`FieldsMut`] makes it: with [`check_name`](Self::check_name) and
/// [`check_value`](Self::check_value), or directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidField {
    /// The name is empty or has a character that is no token character (RFC 9110, section 5.6.2).
    #[error("the field name is not a token")]
    Name,
    /// The value has a control character such as CR, LF or NUL, or a space at an end
    /// (RFC 9110, section 5.5).
    #[error("byte 0x{byte:02x} at {offset} must not stand in a field value")]
    Value {
        /// The first offending byte.
        byte: u8,
        /// Where it stands in the value.
        offset: usize,
    },
    /// The message would exceed its limit of bytes or lines.
    #[error("the head has no room for the field")]
    Full,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tokens_and_values_end_no_line() {
        assert_eq!(InvalidField::check_name("X-A_b~1"), Ok(()));
        for name in ["", "a b", "a:", "a\r", "\u{e4}"] {
            assert_eq!(InvalidField::check_name(name), Err(InvalidField::Name), "{name:?}");
        }
        for value in [&b""[..], b"a", b"a b\tc", b"\x80\xff"] {
            assert_eq!(InvalidField::check_value(value), Ok(()));
        }
        for (value, byte, offset) in [
            (&b"a\r\nb"[..], b'\r', 1),
            (b"a\n", b'\n', 1),
            (b"\0", 0, 0),
            (b" a", b' ', 0),
            (b"a\t", b'\t', 1),
            (b" ", b' ', 0),
            (b"\x7f", 0x7f, 0),
        ] {
            assert_eq!(
                InvalidField::check_value(value),
                Err(InvalidField::Value { byte, offset })
            );
        }
    }
}

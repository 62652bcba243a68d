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

/// A field that must not be written into a message.
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

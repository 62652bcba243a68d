use std::fmt;
use std::sync::Arc;

/// What was made from files: equal to another when the files held the same.
pub(crate) struct Made<T> {
    digest: [u8; 32],
    value: Arc<T>,
}

impl<T> Made<T> {
    /// `value`, made from what has this SHA-256.
    pub(crate) fn new(digest: [u8; 32], value: impl Into<Arc<T>>) -> Self {
        Self {
            digest,
            value: value.into(),
        }
    }

    pub(crate) const fn value(&self) -> &Arc<T> {
        &self.value
    }
}

impl<T> Clone for Made<T> {
    fn clone(&self) -> Self {
        Self {
            digest: self.digest,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> PartialEq for Made<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<T> Eq for Made<T> {}

/// Nothing of what is in the files.
impl<T> fmt::Debug for Made<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.digest;
        write!(f, "Made({a:02x}{b:02x}{c:02x}{d:02x}..)")
    }
}

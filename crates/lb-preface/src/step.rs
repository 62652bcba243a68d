/// What a parser says of the bytes so far.
///
/// `NeedMore` is no promise that more will come: the caller bounds the wait in time, the parsers bound it in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<T> {
    /// All is there.
    Done {
        /// What was found.
        value: T,
        /// How many bytes of the input it took, from the start.
        len: usize,
    },
    /// The bytes so far begin it, but do not end it. Ask again with the same bytes and more behind them.
    NeedMore,
}

impl<T> Step<T> {
    /// The value, if all is there.
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done { value, .. } => Some(value),
            Self::NeedMore => None,
        }
    }

    /// The same step with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done { value, len } => Step::Done {
                value: change(value),
                len,
            },
            Self::NeedMore => Step::NeedMore,
        }
    }
}

use crate::Span;

/// What a key of the file turned out to be.
///
/// Broken is not missing: what is broken has been reported, and nothing more is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field<T> {
    Missing,
    Broken,
    Is(T, Span),
}

impl Field<bool> {
    /// Is it set? Missing is not; `None`: what stands there cannot be read.
    pub(crate) const fn if_readable(&self) -> Option<bool> {
        match self {
            Self::Missing => Some(false),
            Self::Is(is_set, _) => Some(*is_set),
            Self::Broken => None,
        }
    }
}

impl<T> Field<T> {
    /// The value, if there is a good one.
    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Is(value, _) => Some(value),
            Self::Missing | Self::Broken => None,
        }
    }

    pub(crate) const fn as_ref(&self) -> Option<(&T, &Span)> {
        match self {
            Self::Is(value, span) => Some((value, span)),
            Self::Missing | Self::Broken => None,
        }
    }

    pub(crate) const fn span(&self) -> Option<&Span> {
        match self {
            Self::Is(_, span) => Some(span),
            Self::Missing | Self::Broken => None,
        }
    }

    pub(crate) const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// The value made into another; `None` means broken, and the caller has said why.
    pub(crate) fn and_then<U>(self, f: impl FnOnce(T, &Span) -> Option<U>) -> Field<U> {
        match self {
            Self::Missing => Field::Missing,
            Self::Broken => Field::Broken,
            Self::Is(value, span) => match f(value, &span) {
                Some(value) => Field::Is(value, span),
                None => Field::Broken,
            },
        }
    }

    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Field<U> {
        self.and_then(|value, _| Some(f(value)))
    }
}

use core::fmt;

/// The first bytes of something a stranger sent, for errors and logs: at most [`Shown::MOST`], escaped when displayed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    bytes: [u8; Shown::MOST],
    len: u8,
    cut: bool,
}

impl Shown {
    /// The most bytes that are kept: an IPv6 address in its longest form, and a little.
    pub const MOST: usize = 48;

    /// Copies the beginning of `bytes`. No allocation.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..Self::MOST).unwrap_or(bytes);
        let mut out = [0; Self::MOST];
        for (to, from) in out.iter_mut().zip(kept) {
            *to = *from;
        }
        Self {
            bytes: out,
            len: u8::try_from(kept.len()).unwrap_or(0),
            cut: kept.len() < bytes.len(),
        }
    }

    /// What was kept, as it came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = if self.cut { "..." } else { "" };
        write!(f, "\"{}\"{behind}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sent_is_shown_escaped_and_bounded() {
        assert_eq!(Shown::new(b"a\r\n\x00\xff\"").to_string(), r#""a\r\n\x00\xff\"""#);
        let most = [b'a'; Shown::MOST];
        assert_eq!(Shown::new(&most).to_string(), format!("\"{}\"", "a".repeat(48)));
        let more = [b'a'; Shown::MOST + 1];
        assert_eq!(Shown::new(&more).to_string(), format!("\"{}\"...", "a".repeat(48)));
    }
}

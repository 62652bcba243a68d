use core::fmt;

/// What a strategy makes its keys from: its kind, and every option that changes a key.
///
/// Strategies with equal shapes make the same key of the same request, so the table of one serves the other. What one
/// wrote must not be read by a strategy of another shape: the address `192.0.2.0` is one client where 32 bits count, and
/// stands for 256 where 24 do.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyShape {
    kind: &'static str,
    options: Box<str>,
}

impl KeyShape {
    /// Keys of this kind (`client_ip`, `header`), made under these options. Options that mean the same are written the
    /// same way (the name of a header in small letters), those that change no key (timeout, capacity) are left out, and
    /// none is a secret.
    #[must_use]
    pub fn new(kind: &'static str, options: impl Into<Box<str>>) -> Self {
        Self {
            kind,
            options: options.into(),
        }
    }
}

/// `client_ip 24 64`: for logs.
impl fmt::Display for KeyShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.options {
            "" => f.write_str(self.kind),
            options => write!(f, "{} {options}", self.kind),
        }
    }
}

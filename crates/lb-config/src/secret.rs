use std::fmt;
use std::fs::File;
use std::io::Read;

/// What cookies are signed with. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// A secret of at least [`Secret::SHORTEST`] bytes. `None` when it is shorter.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (text.len() >= Self::SHORTEST).then(|| Self(text.into()))
    }

    /// A secret that nobody knows, from the system's random numbers.
    pub(crate) fn random() -> Self {
        let mut bytes = [0_u8; 32];
        let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
        let text: String = match read {
            Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            // No such device: keys of the standard library's maps come from the system as well.
            Err(_) => (0..4).map(|_| format!("{:016x}", lb_net::clock::seed())).collect(),
        };
        Self(text.into())
    }

    /// The fewest bytes: as many as the key has.
    pub const SHORTEST: usize = 16;

    /// The key for one pool and cookie ([`lb_persist::token::key`]): the same on every machine with the same secret. A cookie of one pool is worth
    /// nothing in another.
    #[must_use]
    pub fn key(&self, pool: &str, cookie: &str) -> [u8; 16] {
        lb_persist::token::key(self.0.as_bytes(), pool, cookie)
    }

    /// The text, to write it into a file.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_sixteen_bytes_and_is_not_printed() {
        assert!(Secret::new("fifteen bytes.!").is_none());
        let secret = Secret::new("sixteen bytes..!").unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(Secret::random().0.len() == 64 && Secret::random() != Secret::random());
    }

    #[test]
    fn keys_differ_by_pool_and_cookie_and_not_by_process() {
        let secret = Secret::new("sixteen bytes..!").unwrap();
        assert_eq!(
            secret.key("a", "c"),
            Secret::new("sixteen bytes..!").unwrap().key("a", "c")
        );
        assert_ne!(secret.key("a", "c"), secret.key("b", "c"));
        assert_ne!(secret.key("a", "c"), secret.key("a", "d"));
        assert_ne!(
            secret.key("a", "c"),
            Secret::new("sixteen bytes..?").unwrap().key("a", "c")
        );
    }
}

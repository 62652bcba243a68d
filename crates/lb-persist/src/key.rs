use core::fmt;
use core::hash::{Hash, Hasher};
use core::net::IpAddr;

use lb_types::tag128;

/// What a client is known by in a [`Table`](crate::Table).
///
/// Nothing secret is kept in clear: session ids, `Authorization` values and the like are kept as
/// a keyed digest. 17 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key {
    /// The address of the client, or of the network it belongs to.
    Client(IpAddr),
    /// A keyed tag of some value of the request.
    Digest([u8; 16]),
}

impl Key {
    /// The key of `value`, which cannot be read back from it. `O(len)`, no allocation.
    ///
    /// `secret` is sixteen random bytes; with the same secret, replicas make the same key.
    #[must_use]
    pub fn digest(secret: &[u8; 16], value: &[u8]) -> Self {
        Self::Digest(tag128(secret, value))
    }
}

impl Hash for Key {
    /// One write to the hasher instead of the derived three to five: this is most of a lookup.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Client(IpAddr::V4(address)) => state.write_u32(address.to_bits()),
            Self::Client(IpAddr::V6(address)) => state.write_u128(address.to_bits()),
            Self::Digest(digest) => state.write_u128(u128::from_ne_bytes(*digest)),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Key {
    /// The address, or the first four bytes of the digest: enough to tell keys apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(address) => write!(f, "{address}"),
            Self::Digest([a, b, c, d, ..]) => write!(f, "digest {a:02x}{b:02x}{c:02x}{d:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_value_is_kept_and_shown_only_as_a_fingerprint() {
        let secret = [7; 16];
        let key = Key::digest(&secret, b"Basic dXNlcjpwYXNz");
        assert_eq!(key, Key::digest(&secret, b"Basic dXNlcjpwYXNz"));
        assert_ne!(key, Key::digest(&[8; 16], b"Basic dXNlcjpwYXNz"));
        let shown = format!("{key} {key:?}");
        assert!(!shown.contains("dXNl"));
        assert_eq!(key.to_string().len(), "digest ".len() + 8);
    }

    #[test]
    fn a_key_is_seventeen_bytes() {
        assert_eq!(size_of::<Key>(), 17);
    }
}

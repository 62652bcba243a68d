//! What configurations are made with: cryptography and a clock, both passed in.

use lb_cert::Crypto;
use lb_types::Wall;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::UnixTime;
use std::fmt;
use std::sync::Arc;

/// Cryptography and clock, for everything that this crate makes. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    provider: Arc<CryptoProvider>,
    crypto: &'static dyn Crypto,
    clock: Arc<dyn TimeProvider>,
}

/// Why something is no engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The cryptography for certificates computes nothing.
    #[error(
        "the cryptography given for certificates ({crypto}) has no SHA-256 or checks no signature: give one that has both"
    )]
    NoCrypto {
        /// Its name, as `Debug` prints it.
        crypto: String,
    },
    /// The provider has nothing to offer.
    #[error("the provider has {suites} cipher suites and {groups} groups: give one with at least one of each")]
    NothingToOffer {
        /// How many suites.
        suites: usize,
        /// How many groups.
        groups: usize,
    },
}

impl Engine {
    /// By AWS-LC: the suites and groups of [`suites`](crate::suites), in that order.
    #[cfg(feature = "aws-lc-rs")]
    #[must_use]
    pub fn aws_lc(clock: Arc<dyn TimeProvider>) -> Self {
        Self {
            provider: Arc::new(crate::suites::modern()),
            crypto: &lb_cert::AwsLc,
            clock,
        }
    }

    /// By any other provider. What it offers is what is negotiated: [`suites`](crate::suites) says what should be left out.
    ///
    /// # Errors
    ///
    /// `crypto` has no SHA-256 or checks no signatures, or the provider has no suite or group.
    pub fn new(
        provider: Arc<CryptoProvider>,
        crypto: &'static dyn Crypto,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, EngineError> {
        if crypto.sha256(b"").is_none() || crypto.algorithms().is_empty() {
            return Err(EngineError::NoCrypto {
                crypto: format!("{crypto:?}"),
            });
        }
        let (suites, groups) = (provider.cipher_suites.len(), provider.kx_groups.len());
        if suites == 0 || groups == 0 {
            return Err(EngineError::NothingToOffer { suites, groups });
        }
        Ok(Self {
            provider,
            crypto,
            clock,
        })
    }

    /// The provider of rustls.
    #[must_use]
    pub fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// The cryptography for certificates.
    #[must_use]
    pub fn crypto(&self) -> &'static dyn Crypto {
        self.crypto
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn TimeProvider> {
        &self.clock
    }

    /// What the clock says; `None` when it says nothing.
    #[must_use]
    pub fn now(&self) -> Option<Wall> {
        self.clock.current_time().map(|now| Wall::from_secs(now.as_secs()))
    }

    /// SHA-256. It is known to be there; all zeros if the cryptography changed its mind.
    pub(crate) fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        self.crypto.sha256(bytes).unwrap_or_default()
    }

    /// SHA-256 over parts, each with its length before it, so that no two lists of parts look the same.
    pub(crate) fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut whole = Vec::with_capacity(parts.iter().map(|part| part.len().saturating_add(8)).sum());
        for part in parts {
            whole.extend_from_slice(&(part.len() as u64).to_be_bytes());
            whole.extend_from_slice(part);
        }
        self.sha256(&whole)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("crypto", &self.crypto)
            .finish_non_exhaustive()
    }
}

/// A clock that is set by whoever holds it: for programs that keep time themselves, and for tests.
///
/// ```
/// use lb_tls::{SetClock, TimeProvider};
/// use lb_types::Wall;
/// let clock = SetClock::at(Wall::from_secs(1_795_219_200));
/// assert_eq!(clock.current_time().map(|now| now.as_secs()), Some(1_795_219_200));
/// ```
#[derive(Debug, Default)]
pub struct SetClock(std::sync::atomic::AtomicU64);

impl SetClock {
    /// A clock that shows `now` until it is set.
    #[must_use]
    pub fn at(now: Wall) -> Arc<Self> {
        let clock = Self::default();
        clock.set(now);
        Arc::new(clock)
    }

    /// Sets it.
    pub fn set(&self, now: Wall) {
        self.0.store(now.as_millis(), std::sync::atomic::Ordering::Relaxed);
    }
}

impl TimeProvider for SetClock {
    fn current_time(&self) -> Option<UnixTime> {
        let now = self.0.load(std::sync::atomic::Ordering::Relaxed);
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_millis(now)))
    }
}

/// A version of TLS that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// TLS 1.2 (RFC 5246), with AEAD and ECDHE only.
    Tls12,
    /// TLS 1.3 (RFC 9846).
    Tls13,
}

/// From which version to which. Older ones than 1.2 are not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    min: Version,
    max: Version,
}

impl Versions {
    /// Both, inclusive; `None` when `min` is above `max`.
    #[must_use]
    pub fn new(min: Version, max: Version) -> Option<Self> {
        (min <= max).then_some(Self { min, max })
    }

    /// The oldest.
    #[must_use]
    pub const fn min(self) -> Version {
        self.min
    }

    /// The newest.
    #[must_use]
    pub const fn max(self) -> Version {
        self.max
    }

    pub(crate) fn list(self) -> Vec<&'static rustls::SupportedProtocolVersion> {
        let all = [
            (Version::Tls13, &rustls::version::TLS13),
            (Version::Tls12, &rustls::version::TLS12),
        ];
        let chosen = all
            .into_iter()
            .filter(|(version, _)| (self.min..=self.max).contains(version));
        chosen.map(|(_, version)| version).collect()
    }

    /// Two bytes that tell it from others.
    pub(crate) fn tag(self) -> [u8; 2] {
        let number = |version| match version {
            Version::Tls12 => 2,
            Version::Tls13 => 3,
        };
        [number(self.min), number(self.max)]
    }
}

impl Default for Versions {
    /// 1.2 and 1.3 (S-TLS-08).
    fn default() -> Self {
        Self {
            min: Version::Tls12,
            max: Version::Tls13,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "1.2",
            Self::Tls13 => "1.3",
        })
    }
}

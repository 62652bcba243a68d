use std::fmt;

/// What sort of mistake a [`Problem`](crate::Problem) is. Its [`id`](Kind::id) never changes, so scripts and
/// documentation may rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// The text is no TOML here.
    Syntax,
    /// The same key or table a second time.
    DuplicateKey,
    /// A key nobody reads.
    UnknownKey,
    /// A text where a number belongs, and the like.
    WrongType,
    /// A key that must be there.
    MissingKey,
    /// The key `version` is not there.
    MissingVersion,
    /// A file for another version of the program.
    UnsupportedVersion,
    /// A number, duration or size outside its range.
    OutOfRange,
    /// A word that is none of the words allowed.
    UnknownValue,
    /// Not `host:port`, or a host or port that cannot be.
    BadAddress,
    /// Not a duration with its unit.
    BadDuration,
    /// Not a size with its unit.
    BadSize,
    /// Not an address range, or one with bits beyond its prefix.
    BadRange,
    /// A listener, pool or backend name with forbidden characters.
    BadName,
    /// A host pattern of a route that no request can carry.
    BadHost,
    /// A path that does not begin with `/`, or holds what a path cannot.
    BadPath,
    /// Not a status code or range of them.
    BadStatus,
    /// A redirect to nowhere.
    BadRedirect,
    /// A cookie name or attribute that browsers refuse.
    BadCookie,
    /// A secret that is too short to protect anything.
    BadSecret,
    /// A certificate, key or revocation list that cannot be used.
    BadCertificate,
    /// A text that is no fingerprint.
    BadPin,
    /// A certificate that is used, and that some clients will refuse.
    DoubtfulCertificate,
    /// Plain text on a port that others expect TLS on.
    NoTls,
    /// Backends whose certificate nobody looks at.
    Unverified,
    /// Text that may not be sent: control characters, an empty word.
    BadText,
    /// Two listeners, pools or backends of one name.
    DuplicateName,
    /// Two listeners on one address, or one in the admin socket's place.
    DuplicateAddress,
    /// A listener on every address, and another one on one of them.
    OverlappingAddress,
    /// The same backend address twice in one pool.
    DuplicateBackend,
    /// A pool that is named but not defined.
    UnknownPool,
    /// A pool that no listener uses.
    UnusedPool,
    /// A pool without backends.
    EmptyPool,
    /// A file without listeners.
    NoListeners,
    /// A listener, or a route, that leads nowhere.
    NoDestination,
    /// A route that another one hides.
    UnreachableRoute,
    /// A key that has no meaning in this place.
    NotApplicable,
    /// Two keys of which only one can be obeyed.
    ConflictingKeys,
    /// Two ways of persistence that exclude each other.
    ConflictingPersistence,
    /// Values that contradict each other.
    Contradiction,
    /// Lines of TCP connections among those of HTTP requests, in a text format.
    MixedLog,
    /// A pool in which no backend takes new clients.
    NoUsableBackend,
    /// Weights under an algorithm that ignores them.
    IgnoredWeight,
    /// An algorithm that costs more with this many backends than another that does as well.
    CostlyChoice,
    /// Cookies that no other process will understand.
    RandomSecret,
    /// Everybody may do what only some should: forge client addresses, give orders.
    TrustsEverybody,
    /// A backend that is one of our own listeners.
    ForwardingLoop,
    /// A check page that a program makes.
    DynamicPage,
    /// What this process may not do on this machine.
    NotPermitted,
    /// Probes that the probed server takes for an attack.
    Lockout,
    /// A host name without an address.
    UnresolvedHost,
    /// A host name with more addresses than one.
    SeveralAddresses,
    /// A file that cannot be read.
    UnreadableFile,
    /// More entries than are allowed.
    TooMany,
    /// A check that the prober refuses, and no key of the file explains it.
    Refused,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::Syntax,
        Self::DuplicateKey,
        Self::UnknownKey,
        Self::WrongType,
        Self::MissingKey,
        Self::MissingVersion,
        Self::UnsupportedVersion,
        Self::OutOfRange,
        Self::UnknownValue,
        Self::BadAddress,
        Self::BadDuration,
        Self::BadSize,
        Self::BadRange,
        Self::BadName,
        Self::BadHost,
        Self::BadPath,
        Self::BadStatus,
        Self::BadRedirect,
        Self::BadCookie,
        Self::BadSecret,
        Self::BadCertificate,
        Self::BadPin,
        Self::DoubtfulCertificate,
        Self::NoTls,
        Self::Unverified,
        Self::BadText,
        Self::DuplicateName,
        Self::DuplicateAddress,
        Self::OverlappingAddress,
        Self::DuplicateBackend,
        Self::UnknownPool,
        Self::UnusedPool,
        Self::EmptyPool,
        Self::NoListeners,
        Self::NoDestination,
        Self::UnreachableRoute,
        Self::NotApplicable,
        Self::ConflictingKeys,
        Self::ConflictingPersistence,
        Self::Contradiction,
        Self::MixedLog,
        Self::NoUsableBackend,
        Self::IgnoredWeight,
        Self::CostlyChoice,
        Self::RandomSecret,
        Self::TrustsEverybody,
        Self::ForwardingLoop,
        Self::DynamicPage,
        Self::NotPermitted,
        Self::Lockout,
        Self::UnresolvedHost,
        Self::SeveralAddresses,
        Self::UnreadableFile,
        Self::TooMany,
        Self::Refused,
    ];

    /// The stable name, as it stands in brackets in the report: `unknown-key`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::DuplicateKey => "duplicate-key",
            Self::UnknownKey => "unknown-key",
            Self::WrongType => "wrong-type",
            Self::MissingKey => "missing-key",
            Self::MissingVersion => "missing-version",
            Self::UnsupportedVersion => "unsupported-version",
            Self::OutOfRange => "out-of-range",
            Self::UnknownValue => "unknown-value",
            Self::BadAddress => "bad-address",
            Self::BadDuration => "bad-duration",
            Self::BadSize => "bad-size",
            Self::BadRange => "bad-range",
            Self::BadName => "bad-name",
            Self::BadHost => "bad-host",
            Self::BadPath => "bad-path",
            Self::BadStatus => "bad-status",
            Self::BadRedirect => "bad-redirect",
            Self::BadCookie => "bad-cookie",
            Self::BadSecret => "bad-secret",
            Self::BadCertificate => "bad-certificate",
            Self::BadPin => "bad-pin",
            Self::DoubtfulCertificate => "doubtful-certificate",
            Self::NoTls => "no-tls",
            Self::Unverified => "unverified",
            Self::BadText => "bad-text",
            Self::DuplicateName => "duplicate-name",
            Self::DuplicateAddress => "duplicate-address",
            Self::OverlappingAddress => "overlapping-address",
            Self::DuplicateBackend => "duplicate-backend",
            Self::UnknownPool => "unknown-pool",
            Self::UnusedPool => "unused-pool",
            Self::EmptyPool => "empty-pool",
            Self::NoListeners => "no-listeners",
            Self::NoDestination => "no-destination",
            Self::UnreachableRoute => "unreachable-route",
            Self::NotApplicable => "not-applicable",
            Self::ConflictingKeys => "conflicting-keys",
            Self::ConflictingPersistence => "conflicting-persistence",
            Self::Contradiction => "contradictory-values",
            Self::MixedLog => "mixed-log",
            Self::NoUsableBackend => "no-usable-backend",
            Self::IgnoredWeight => "ignored-weight",
            Self::CostlyChoice => "costly-choice",
            Self::RandomSecret => "random-secret",
            Self::TrustsEverybody => "trusts-everybody",
            Self::ForwardingLoop => "forwarding-loop",
            Self::DynamicPage => "dynamic-check-page",
            Self::NotPermitted => "not-permitted",
            Self::Lockout => "lockout",
            Self::UnresolvedHost => "unresolved-host",
            Self::SeveralAddresses => "several-addresses",
            Self::UnreadableFile => "unreadable-file",
            Self::TooMany => "too-many",
            Self::Refused => "refused",
        }
    }

    /// May the mistake be only the echo of a syntax error, because what it misses stood in the part that could not
    /// be read?
    pub(crate) const fn may_be_an_echo(self) -> bool {
        matches!(
            self,
            Self::MissingKey
                | Self::MissingVersion
                | Self::UnknownPool
                | Self::UnusedPool
                | Self::EmptyPool
                | Self::NoListeners
                | Self::NoDestination
                | Self::RandomSecret
                | Self::NoUsableBackend
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_are_distinct_words() {
        let ids: HashSet<_> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        assert_eq!(ids.len(), Kind::ALL.len());
        assert!(
            ids.iter()
                .all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
        );
    }
}

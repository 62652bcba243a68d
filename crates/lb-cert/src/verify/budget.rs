//! What a verification may cost.

/// What a search may cost. Reaching a limit is a refusal (`path.limit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// Certificates beside the leaf. More are refused before anything is tried.
    pub certificates: usize,
    /// Intermediate certificates in one path, self-issued ones included.
    pub intermediates: usize,
    /// Signatures that are checked in one search.
    pub signatures: u32,
    /// Candidates that are looked at in one search.
    pub steps: u32,
    /// Comparisons of a name with a name space in one verification.
    pub comparisons: u32,
}

impl Budget {
    /// 128 certificates, 16 intermediates, 512 signatures, 10,000 steps, 250,000 comparisons.
    ///
    /// rustls-webpki, which is asked first, has its own: 6 intermediates, 100 signatures, 200,000
    /// candidates, 250,000 comparisons. In a profile that is not complete our search only finds words for a
    /// refusal, or a way for a client's certificate; it then takes at most 64 signatures and 1,000 steps.
    pub const DEFAULT: Self = Self {
        certificates: 128,
        intermediates: 16,
        signatures: 512,
        steps: 10_000,
        comparisons: 250_000,
    };
}

impl Default for Budget {
    fn default() -> Self {
        Self::DEFAULT
    }
}

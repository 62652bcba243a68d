/// An address as a number: `u32` for IPv4, `u128` for IPv6.
pub(crate) trait Key: Copy + Ord {
    const BITS: u32;
    /// How many first bits two addresses share.
    fn shared(self, other: Self) -> u32;
    /// The first `bits` bits, the rest cleared.
    fn first_of(self, bits: u32) -> Self;
    /// The first `bits` bits, the rest set.
    fn last_of(self, bits: u32) -> Self;
    /// The address after this one.
    fn next(self) -> Option<Self>;
    /// The lowest 32 bits after a shift to the right.
    fn shifted(self, by: u32) -> u32;
}

impl Key for u32 {
    const BITS: u32 = Self::BITS;

    fn shared(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    fn first_of(self, bits: u32) -> Self {
        self & !Self::MAX.checked_shr(bits).unwrap_or(0)
    }

    fn last_of(self, bits: u32) -> Self {
        self | Self::MAX.checked_shr(bits).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn shifted(self, by: u32) -> u32 {
        self.checked_shr(by).unwrap_or(0)
    }
}

impl Key for u128 {
    const BITS: u32 = Self::BITS;

    fn shared(self, other: Self) -> u32 {
        (self ^ other).leading_zeros()
    }

    fn first_of(self, bits: u32) -> Self {
        self & !Self::MAX.checked_shr(bits).unwrap_or(0)
    }

    fn last_of(self, bits: u32) -> Self {
        self | Self::MAX.checked_shr(bits).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn shifted(self, by: u32) -> u32 {
        self.checked_shr(by).unwrap_or(0) as u32
    }
}

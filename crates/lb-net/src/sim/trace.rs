use lb_types::Time;

/// What happened, as one number always and in words when asked for.
#[derive(Debug)]
pub(super) struct Trace {
    digest: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(super) const fn new() -> Self {
        Self {
            digest: 0xcbf2_9ce4_8422_2325, // FNV-1a's offset
            lines: None,
        }
    }

    pub(super) fn record(&mut self) {
        self.lines.get_or_insert_default();
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.clone().unwrap_or_default()
    }

    /// `what` happened to socket `id`, with a number that says more.
    pub(super) fn add(&mut self, at: Time, what: &str, id: u64, number: usize) {
        self.mix(&at.as_nanos().to_le_bytes());
        self.mix(what.as_bytes());
        self.mix(&id.to_le_bytes());
        self.mix(&(number as u64).to_le_bytes());
        if let Some(lines) = &mut self.lines {
            let nanos = at.as_nanos();
            lines.push(format!(
                "{}.{:06} #{id} {what} {number}",
                nanos / 1_000_000_000,
                nanos / 1_000 % 1_000_000
            ));
        }
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

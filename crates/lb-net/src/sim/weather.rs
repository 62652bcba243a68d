use lb_types::Rng;
use std::ops::RangeInclusive;
use std::time::Duration;

/// How a simulated network treats what is sent over it. A connection keeps what it began with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Weather {
    /// From the sender to the receiver. Each connection has a part of this range.
    pub latency: RangeInclusive<Duration>,
    /// How many bytes of one direction are under way or unread before its sender has to wait. At least 1.
    pub window: RangeInclusive<usize>,
    /// A send travels in pieces of so many bytes. At least 1.
    pub piece: RangeInclusive<usize>,
    /// Of a thousand sends, those that take a part only although there is room for more.
    pub short_send_permille: u16,
    /// Of a thousand tidings of a socket, those that are followed by one for nothing.
    pub false_alarm_permille: u16,
    /// Of a thousand tidings of a socket, those that come after the bytes they speak of, by up to the longest latency or 5 ms.
    pub late_notice_permille: u16,
    /// Of a thousand resets, those that overtake bytes sent before them, which nobody gets.
    pub overtaking_permille: u16,
    /// Of a thousand connections from the proxy, those that find no free port.
    pub port_shortage_permille: u16,
    /// So many descriptors the proxy's side may have.
    pub descriptors: u64,
}

impl Weather {
    /// Everything arrives at once and whole, as over the loopback interface.
    #[must_use]
    pub const fn calm() -> Self {
        Self {
            latency: Duration::ZERO..=Duration::ZERO,
            window: 1 << 18..=1 << 18,
            piece: usize::MAX..=usize::MAX,
            short_send_permille: 0,
            false_alarm_permille: 0,
            late_notice_permille: 0,
            overtaking_permille: 0,
            port_shortage_permille: 0,
            descriptors: 1024,
        }
    }

    /// Some weather: each seed has its own, so that among many each trouble comes alone, together with others and not at
    /// all.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x7765_6174_6865_7221); // not the numbers that the network draws later
        let mut some = |most: u64| u16::try_from(rng.below(3).saturating_sub(1) * rng.below(most)).unwrap_or(0);
        let [short_send_permille, false_alarm_permille, late_notice_permille] = [some(500), some(300), some(500)];
        let [overtaking_permille, port_shortage_permille] = [some(1_000), some(20)];
        let millis = |most: u64| Duration::from_millis(most);
        let latency = match rng.below(4) {
            0 => Duration::ZERO..=Duration::ZERO,
            1 => Duration::ZERO..=millis(1),
            2 => millis(1)..=millis(20),
            _ => millis(10)..=millis(300),
        };
        let window = match rng.below(4) {
            0 => 1..=64,
            1 => 256..=8 << 10,
            _ => 16 << 10..=256 << 10,
        };
        let piece = match rng.below(4) {
            0 => 1..=3,
            1 => 1..=100,
            2 => 500..=1460,
            _ => usize::MAX..=usize::MAX,
        };
        let descriptors = if rng.below(4) == 0 { 24 + rng.below(60) } else { 1024 };
        Self {
            latency,
            window,
            piece,
            short_send_permille,
            false_alarm_permille,
            late_notice_permille,
            overtaking_permille,
            port_shortage_permille,
            descriptors,
        }
    }
}

/// Draws by the network's seed.
pub(super) trait Draw {
    fn chance(&mut self, permille: u16) -> bool;
    fn size(&mut self, range: &RangeInclusive<usize>) -> usize;
    fn time(&mut self, range: &RangeInclusive<Duration>) -> Duration;
}

impl Draw for Rng {
    fn chance(&mut self, permille: u16) -> bool {
        permille > 0 && self.below(1_000) < u64::from(permille)
    }

    fn size(&mut self, range: &RangeInclusive<usize>) -> usize {
        let spread = range.end().saturating_sub(*range.start()) as u64;
        let drawn = if spread == 0 { 0 } else { self.below(spread + 1) };
        (range.start() + usize::try_from(drawn).unwrap_or(0)).max(1)
    }

    fn time(&mut self, range: &RangeInclusive<Duration>) -> Duration {
        let spread = u64::try_from(range.end().saturating_sub(*range.start()).as_nanos()).unwrap_or(0);
        let drawn = if spread == 0 { 0 } else { self.below(spread + 1) };
        *range.start() + Duration::from_nanos(drawn)
    }
}

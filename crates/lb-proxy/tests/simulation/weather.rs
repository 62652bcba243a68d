//! The weather of a seed.

use crate::dice::Dice;
use crate::rules::COARSE;
use lb_net::sim::Weather;
use std::time::Duration;

/// The seed's weather, and how long a head takes in it. Where the way is long the window is not narrow: a body would take days.
pub(crate) fn weather(seed: u64) -> (Weather, Duration) {
    let mut weather = Weather::of(seed);
    let latency = *weather.latency.end();
    let least = match latency.as_millis() {
        0 | 1 => 1,
        2..=30 => 32,
        _ => 400,
    };
    if weather.descriptors < 1_000 {
        weather.descriptors = Dice::of(seed, 6).between(17, 36);
    }
    weather.window = (*weather.window.start()).max(least)..=(*weather.window.end()).max(least);
    let windows = LONGEST_HEAD / *weather.window.start() as u32 + 1;
    (weather, latency * 2 * windows)
}

/// A head with all that is added to it.
const LONGEST_HEAD: u32 = 1_000;

/// What the network is like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// The longest way of a byte, and of the word that it is here.
    pub(crate) time: Duration,
    /// It cuts nothing into pieces.
    pub(crate) is_whole: bool,
}

impl Way {
    /// All that was sent has arrived.
    pub(crate) fn long(&self) -> Duration {
        self.time * 3 + COARSE
    }
}

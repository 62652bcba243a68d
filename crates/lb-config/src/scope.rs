use crate::field::Field;
use crate::plan::{ClientTimeouts, Limits, PerClient, UpstreamTimeouts};
use crate::reader::Reader;
use crate::schema::{LIMITS, TIMEOUTS, Value};
use crate::usual;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

/// The settings of one table that narrower tables inherit: what is set, and nothing else.
///
/// Global is overruled by the listener's, that by the route's, that by the pool's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    durations: BTreeMap<&'static str, Duration>,
    /// `None` is the word `none`.
    numbers: BTreeMap<&'static str, Option<u64>>,
}

impl Scope {
    /// Everything that is set in a table of timeouts or limits.
    pub(crate) fn read(table: Field<Reader<'_>>) -> Self {
        let mut scope = Self::default();
        let Some(reader) = table.value() else { return scope };
        for key in reader.section().keys {
            match key.value {
                Value::Duration { .. } => {
                    if let Some(value) = reader.duration(key.name).value() {
                        scope.durations.insert(key.name, value);
                    }
                }
                Value::Size { .. } => {
                    if let Some(value) = reader.size(key.name).value() {
                        scope.numbers.insert(key.name, value);
                    }
                }
                Value::Integer { .. } => {
                    if let Some(value) = reader.integer(key.name).value() {
                        scope.numbers.insert(key.name, Some(value));
                    }
                }
                _ => {}
            }
        }
        scope
    }

    /// What holds in a table inside this one.
    #[must_use]
    pub(crate) fn then(&self, inner: &Self) -> Self {
        let mut both = self.clone();
        both.durations.extend(inner.durations.iter());
        both.numbers.extend(inner.numbers.iter());
        both
    }

    /// Is this limit set, here or further out?
    pub(crate) fn sets(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    pub(crate) fn duration(&self, name: &'static str) -> Duration {
        self.durations
            .get(name)
            .copied()
            .unwrap_or_else(|| usual::duration(&TIMEOUTS, name))
    }

    fn number(&self, name: &'static str) -> Option<u64> {
        self.numbers
            .get(name)
            .copied()
            .unwrap_or_else(|| usual::size(&LIMITS, name))
    }

    pub(crate) fn count(&self, name: &'static str) -> usize {
        self.number(name)
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(usize::MAX)
    }

    pub(crate) fn per_client(&self) -> Option<PerClient> {
        let small = |name| u8::try_from(self.count(name)).unwrap_or(u8::MAX);
        let most = self.number("max_connections_per_client")?;
        Some(PerClient {
            most: u32::try_from(most).unwrap_or(u32::MAX),
            prefix_v4: small("client_prefix_v4"),
            prefix_v6: small("client_prefix_v6"),
        })
    }

    /// Bytes per second.
    pub(crate) fn min_body_rate(&self) -> Option<NonZeroU64> {
        self.number("min_body_rate").and_then(NonZeroU64::new)
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            head_bytes: self.count("head_bytes"),
            fields: self.count("fields"),
            target_bytes: self.count("target_bytes"),
            body_bytes: self.number("body_bytes"),
        }
    }

    pub(crate) fn client(&self) -> ClientTimeouts {
        ClientTimeouts {
            head: self.duration("head"),
            body: self.duration("body"),
            write: self.duration("write"),
            request: Some(self.duration("request")).filter(|total| !total.is_zero()),
            keep_alive: self.duration("keep_alive"),
            expect_continue: self.duration("expect_continue"),
            tunnel: self.duration("tunnel"),
        }
    }

    pub(crate) fn upstream(&self) -> UpstreamTimeouts {
        UpstreamTimeouts {
            connect: self.duration("connect"),
            response: self.duration("response"),
        }
    }
}

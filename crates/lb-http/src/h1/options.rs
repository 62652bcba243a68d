use super::error::Error;
use super::limits::CONNECTION_OPTIONS_MAX;
use crate::head::name::Name;
use crate::{Head, Version, list};

/// What the `Connection` fields of a message say. RFC 9110, section 7.6.1.
#[derive(Debug, Default)]
pub(super) struct Options {
    close: bool,
    keep_alive: bool,
    pub(super) names_framing: bool,
}

impl Options {
    pub(super) fn read(head: &Head) -> Result<Self, Error> {
        let mut options = Self::default();
        if !head.has(Name::Connection) {
            return Ok(options);
        }
        if let Some(keep_alive) = head.plain_connection() {
            options.keep_alive = keep_alive;
            options.close = !keep_alive;
            return Ok(options);
        }
        let mut count = 0_usize;
        for member in head.values(Name::Connection).flat_map(list::members) {
            count = count.saturating_add(1);
            if count > CONNECTION_OPTIONS_MAX {
                return Err(Error::TooManyOptions {
                    limit: CONNECTION_OPTIONS_MAX,
                });
            }
            match Name::of(member) {
                Name::Host | Name::ContentLength | Name::TransferEncoding | Name::FramingAlias => {
                    options.names_framing = true;
                }
                _ => {
                    options.close |= member.eq_ignore_ascii_case(b"close");
                    options.keep_alive |= member.eq_ignore_ascii_case(b"keep-alive");
                }
            }
        }
        Ok(options)
    }

    /// Does the connection stay open after the message? RFC 9112, section 9.3.
    pub(super) fn keeps(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}

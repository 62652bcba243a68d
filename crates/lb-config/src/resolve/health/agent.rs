//! The agent beside a backend.

use super::check::bytes;
use crate::Kind;
use crate::plan::AgentCheck;
use crate::reader::Reader;
use crate::schema::AGENT;
use crate::usual;

/// Where the agents of the backends listen; `None`: there are none.
pub(super) fn read(health: &Reader<'_>) -> Option<AgentCheck> {
    let reader = health.table("agent", &AGENT).value()?;
    let port = reader.integer("port");
    reader.require("port", &port, "port = 9707");
    Some(AgentCheck {
        address: reader.parsed("address", Kind::BadAddress, super::address).value(),
        interval: reader
            .duration("interval")
            .value()
            .unwrap_or_else(|| usual::duration(&AGENT, "interval")),
        timeout: reader.duration("timeout").value(),
        send: bytes(&reader, "send", "send_hex").unwrap_or_default(),
        port: port.value().and_then(|port| u16::try_from(port).ok())?,
    })
}

//! What comes before requests and bytes: a PROXY header, and the handshake of TLS.

use super::ranges;
use crate::field::Field;
use crate::plan::{Opening, ProxyProtocol};
use crate::reader::Reader;
use crate::schema::{LISTENER_LIMITS, LISTENER_TIMEOUTS};
use crate::scope::Scope;
use crate::{Kind, Problem};

/// Whether a PROXY header comes first, and from whom.
pub(super) fn proxy_protocol(reader: &Reader<'_>) -> Option<ProxyProtocol> {
    let word = reader.word("proxy_protocol");
    let from = ranges::read(reader, "proxy_protocol_from", &|range, span| {
        reader.push(
            Problem::warning(
                Kind::TrustsEverybody,
                format!("`proxy_protocol_from` holds {range}: every client"),
            )
            .at(span, "anybody may now claim any address in a PROXY header")
            .help("list only the proxies in front of this listener"),
        );
    });
    if let Some((word, span)) = word.as_ref()
        && (!reader.has("proxy_protocol_from") || reader.list_is_empty("proxy_protocol_from"))
        && !reader.meant("proxy_protocol_from")
    {
        reader.push(
            Problem::error(Kind::MissingKey, "`proxy_protocol` without `proxy_protocol_from`")
                .at(
                    span.clone(),
                    format!("with \"{word}\", anybody could claim any address"),
                )
                .help("list the proxies in front of this listener: proxy_protocol_from = [\"10.0.0.0/8\"]"),
        );
    }
    if word.is_missing()
        && !reader.meant("proxy_protocol")
        && let Some(span) = reader.key_span("proxy_protocol_from")
    {
        reader.push(
            Problem::error(Kind::NotApplicable, "`proxy_protocol_from` without `proxy_protocol`")
                .at(span, "no PROXY header is read")
                .help("write proxy_protocol = \"require\", or \"accept\" where some connect without one"),
        );
    }
    word.value().map(|word| ProxyProtocol {
        is_required: word == "require",
        from,
    })
}

/// What may come first on a listener.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    pub(super) proxy: bool,
    /// A hello of TLS, whoever answers it.
    pub(super) hello: bool,
}

/// What that may take. Reports limits of what does not come.
pub(super) fn read(reader: &Reader<'_>, first: First, limits: &Scope, timeouts: &Scope) -> Option<Opening> {
    if !first.hello {
        for key in ["max_handshakes", "hello_bytes"] {
            not_here(reader, ("limits", key), "this listener speaks no TLS");
        }
        if !first.proxy {
            not_here(
                reader,
                ("timeouts", "handshake"),
                "this listener speaks no TLS and reads no PROXY header",
            );
            return None;
        }
    }
    let usual = Scope::default();
    let limits = if first.hello { limits } else { &usual };
    Some(Opening {
        handshake: timeouts.duration("handshake"),
        max_handshakes: limits.count("max_handshakes"),
        hello_bytes: limits.count("hello_bytes"),
    })
}

pub(super) fn not_here(reader: &Reader<'_>, (table, key): (&'static str, &str), why: &str) {
    let section = if table == "limits" {
        &LISTENER_LIMITS
    } else {
        &LISTENER_TIMEOUTS
    };
    if let Field::Is(inner, _) = reader.quiet_table(table, section)
        && let Some(span) = inner.key_span(key)
        // Who misspelt `tls` has meant it.
        && !reader.has_unknown()
    {
        reader
            .push(Problem::error(Kind::NotApplicable, format!("`{key}` means nothing to this listener")).at(span, why));
    }
}

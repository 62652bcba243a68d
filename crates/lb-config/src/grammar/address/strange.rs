//! What other programs take for an address, and what copied text brings along.

use super::{Purpose, is_absolute_name};
use crate::grammar::{Wrong, odd};
use std::net::SocketAddr;

/// Says what is wrong with a text that no address begins, ends or is written with.
pub(super) fn strange(text: &str, purpose: Purpose) -> Option<Wrong> {
    if text.trim().is_empty() {
        return Some(Wrong::new("nothing stands here").help(match purpose {
            Purpose::Listener => super::LISTEN_EXAMPLES,
            Purpose::Backend => super::EXAMPLES,
        }));
    }
    if let Some(c) = odd::first(text) {
        let plain = odd::plain(text);
        // Quotation marks at the ends are not of the address.
        let plain = plain.trim().trim_matches(['"', '\'']).to_owned();
        let compact = plain.replace(' ', "");
        let meant = if is_address_like(&compact) {
            &compact
        } else {
            plain.trim()
        };
        return Some(Wrong::new(format!("{} stands in it", odd::describe(c))).help(format!("write \"{meant}\"")));
    }
    if text.trim() != text {
        return Some(Wrong::new("blanks do not belong into an address").help(format!("write \"{}\"", text.trim())));
    }
    scheme(text)
        .or_else(|| family(text))
        .or_else(|| several(text, purpose))
        .or_else(|| variable(text))
        .or_else(|| path(text))
}

fn scheme(text: &str) -> Option<Wrong> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None => (String::new(), text.strip_prefix("//")?),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let is_tls = TLS_SCHEMES.contains(&scheme.as_str());
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(before, port)| !port.contains(']') && !before.is_empty());
    let written = match (has_port, is_tls) {
        _ if host.is_empty() => return Some(Wrong::new("an address has no scheme and no path").help(super::EXAMPLES)),
        (true, _) => host.to_owned(),
        (false, true) => format!("{host}:443"),
        (false, false) => format!("{host}:80"),
    };
    let wrong = Wrong::new("an address has no scheme and no path");
    Some(if is_tls {
        wrong.help(format!(
            "write \"{written}\"; lbd does not speak TLS yet, so the port must be one for plain {}",
            if scheme.starts_with("http") { "HTTP" } else { "TCP" }
        ))
    } else {
        wrong.help(format!("write \"{written}\""))
    })
}

/// `ipv4@10.0.0.1:80`: HAProxy's families.
fn family(text: &str) -> Option<Wrong> {
    let (family, rest) = text.split_once('@')?;
    let known = [
        "ipv4", "ipv6", "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6", "quic4", "quic6", "fd", "sockpair",
    ];
    let wrong = Wrong::new(format!("`{family}@` does not belong into an address"));
    Some(
        if known.contains(&family) && !family.starts_with("fd") && family != "sockpair" {
            wrong.help(format!("write \"{rest}\""))
        } else if known.contains(&family) {
            wrong.help("sockets of another process are not taken over: write an address with a port")
        } else {
            wrong.help(format!(
                "did you mean \"{rest}\"? A user and a password are not sent to an address"
            ))
        },
    )
}

/// Several addresses in one text, or an address and what nginx and HAProxy say behind it.
fn several(whole: &str, purpose: Purpose) -> Option<Wrong> {
    let text = whole.trim_end_matches([';', ',']);
    let parts: Vec<&str> = text
        .split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() < 2 {
        let only = parts.first().filter(|only| **only != whole)?;
        return Some(Wrong::new("only the address belongs here").help(format!("write \"{only}\"")));
    }
    let are_all = |test: fn(&str) -> bool| parts.iter().all(|part| test(part));
    if are_all(is_address_like) {
        let quoted: Vec<String> = parts.iter().map(|part| format!("\"{part}\"")).collect();
        return Some(
            Wrong::new("these are several addresses").help(format!("write each by itself: {}", quoted.join(", "))),
        );
    }
    // `server NAME ADDRESS ..` is a line of HAProxy's
    let skipped = if parts.first() == Some(&"server") { 2 } else { 0 };
    let Some(address) = parts.get(skipped).filter(|part| is_address_like(part)) else {
        return Some(without_colon(&parts, purpose));
    };
    let wrong = Wrong::new("only the address belongs here");
    if purpose == Purpose::Listener {
        return Some(wrong.help(format!(
            "write \"{address}\", and everything else under keys of its own"
        )));
    }
    let weight = parts.iter().find_map(|word| {
        word.strip_prefix("weight=")
            .and_then(|weight| weight.parse::<u16>().ok())
    });
    Some(match weight {
        Some(weight) => wrong.help(format!("write {{ address = \"{address}\", weight = {weight} }}")),
        None if parts.contains(&"backup") => wrong.help(format!("write {{ address = \"{address}\", backup = true }}")),
        None if parts.contains(&"check") => wrong.help(format!(
            "write \"{address}\", and health = {{ kind = \"tcp\" }} in the pool"
        )),
        None => wrong.help(format!(
            "write \"{address}\", and everything else under keys of its own"
        )),
    })
}

/// `10.0.0.1 80`, `10.0.0.1: 80` and words that are no address.
fn without_colon(parts: &[&str], purpose: Purpose) -> Wrong {
    match parts {
        [host, port] if port.parse::<u16>().is_ok() => {
            Wrong::new("an address has no blanks").help(format!("write \"{}:{port}\"", host.trim_end_matches(':')))
        }
        _ => Wrong::new("an address has no blanks").help(match purpose {
            Purpose::Listener => super::LISTEN_EXAMPLES,
            Purpose::Backend => super::EXAMPLES,
        }),
    }
}

/// `$PORT`, `${HOST}:80`, `{env.HOST}:80`.
fn variable(text: &str) -> Option<Wrong> {
    text.contains(['$', '{', '}']).then(|| {
        Wrong::new("variables are not filled in here")
            .help("write the address itself; a script may write the file, with `envsubst` for example")
    })
}

/// A path behind the address, or an address range.
fn path(text: &str) -> Option<Wrong> {
    let (address, rest) = text.split_once('/')?;
    let is_range = rest
        .split(':')
        .next()
        .is_some_and(|bits| !bits.is_empty() && bits.len() < 4 && bits.bytes().all(|b| b.is_ascii_digit()));
    Some(if is_range && address.parse::<SocketAddr>().is_err() {
        Wrong::new("this is a range of addresses").help("write each address by itself, with its port")
    } else {
        Wrong::new("an address has no path").help(format!("write \"{address}\""))
    })
}

/// `10.0.0.1-3`: addresses from one to another.
pub(super) fn is_range(host: &str) -> bool {
    host.contains('-') && host.contains('.') && host.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-'))
}

pub(super) fn range() -> Wrong {
    Wrong::new("this is a range of addresses").help("write each address by itself, with its port")
}

fn is_address_like(text: &str) -> bool {
    text.parse::<SocketAddr>().is_ok()
        || text
            .rsplit_once(':')
            .is_some_and(|(host, port)| port.parse::<u16>().is_ok() && (host.is_empty() || is_absolute_name(host)))
}

/// Schemes that mean TLS.
const TLS_SCHEMES: [&str; 7] = ["https", "wss", "grpcs", "tls", "ssl", "h2", "https+insecure"];

//! What a probe asks: the keys of each kind.

use super::{http, passive};
use crate::plan::Check;
use crate::reader::Reader;
use crate::schema::{HEALTH, STEPS};
use crate::usual;
use crate::{Kind, Problem};
use lb_probe::{ExchangeOptions, Fallback, Step, UdpOptions};
use toml::de::DeValue;

/// The check of this kind; `None` when something in it was reported that leaves no check.
pub(super) fn read(reader: &Reader<'_>, kind: &str) -> Option<Check> {
    if kind == "passive" {
        passive::report_probe_keys(reader);
        return Some(Check::Passive);
    }
    report_foreign_keys(reader, kind);
    let user = || reader.text("user").value();
    Some(match kind {
        "http" => Check::Http(http::read(reader)),
        "syn" => Check::HalfOpen(match reader.word("when_not_permitted").value() {
            Some("refuse") => Fallback::Refuse,
            _ => Fallback::Connect,
        }),
        "udp" => Check::Udp(UdpOptions {
            send: bytes(reader, "send", "send_hex").unwrap_or_default(),
            expect: bytes(reader, "expect", "expect_hex"),
            silence_is_good: reader.word("silence").value() == Some("up"),
        }),
        "redis" => Check::Redis,
        "memcached" => Check::Memcached,
        "smtp" => Check::Smtp,
        "mysql" => Check::Mysql { user: user() },
        "postgresql" => Check::Postgres { user: user() },
        _ => tcp(reader)?,
    })
}

fn tcp(reader: &Reader<'_>) -> Option<Check> {
    let read_bytes = bytes_of(reader, "read_bytes");
    let send = bytes(reader, "send", "send_hex").map(Step::Send);
    let expect = bytes(reader, "expect", "expect_hex").map(Step::Expect);
    let short = SHORT_KEYS.iter().find_map(|name| reader.key_span(name));
    let mut steps: Vec<Step> = send.into_iter().chain(expect).collect();
    if let (Some(first), Some(place)) = (short, reader.key_span("steps")) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, "`steps` stands beside `send` or `expect`")
                .at(place, "this is the long form")
                .see(first, "this is the short one")
                .help("write all of it as steps: steps = [{ send = \"..\" }, { expect = \"..\" }]"),
        );
        return None;
    }
    for step in reader.tables("steps", &STEPS).value().unwrap_or_default() {
        let send = bytes(&step, "send", "send_hex");
        let expect = bytes(&step, "expect", "expect_hex");
        match (send, expect) {
            (Some(send), None) => steps.push(Step::Send(send)),
            (None, Some(expect)) => steps.push(Step::Expect(expect)),
            (None, None) if SHORT_KEYS.iter().any(|name| step.has(name)) => return None,
            (None, None) => {
                step.push(
                    Problem::error(Kind::MissingKey, "a step neither sends nor expects anything")
                        .at(step.span(), "`send` or `expect` must be set here")
                        .help("for example { expect = \"220 \" }"),
                );
            }
            (Some(_), Some(_)) => {
                step.push(
                    Problem::error(Kind::ConflictingKeys, "a step sends and expects at once")
                        .at(step.span(), "which one comes first?")
                        .help("write two steps: { send = \"..\" }, { expect = \"..\" }"),
                );
            }
        }
    }
    Some(if steps.is_empty() {
        Check::Tcp
    } else {
        Check::Exchange(ExchangeOptions { steps, read_bytes })
    })
}

/// The bytes of one of the two keys.
pub(super) fn bytes(reader: &Reader<'_>, text: &'static str, hex: &'static str) -> Option<Vec<u8>> {
    let plain = reader.text(text);
    let digits = reader.parsed(hex, Kind::BadText, from_hex);
    if let (Some((_, first)), Some((_, second))) = (plain.as_ref(), digits.as_ref()) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, format!("`{text}` and `{hex}` are both set"))
                .at(second.clone(), "only one of them can be obeyed")
                .see(first.clone(), "the other one"),
        );
    }
    plain.value().map(String::into_bytes).or_else(|| digits.value())
}

/// A key that holds a number of bytes.
pub(super) fn bytes_of(reader: &Reader<'_>, name: &'static str) -> usize {
    let bytes = reader.size(name).value().flatten();
    let bytes = bytes.or_else(|| usual::size(&HEALTH, name)).unwrap_or_default();
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn from_hex(text: &str) -> Result<Vec<u8>, crate::grammar::Wrong> {
    let wrong = || {
        crate::grammar::Wrong::new("this is no list of bytes")
            .help("write each byte as two digits of 0-9 and a-f: \"16 03 01\" or \"160301\"")
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(wrong());
    }
    digits
        .chunks(2)
        .map(|pair| match std::str::from_utf8(pair) {
            Ok(pair) if pair.len() == 2 => u8::from_str_radix(pair, 16).map_err(|_| wrong()),
            _ => Err(wrong()),
        })
        .collect()
}

/// Keys that mean something to some kinds only.
fn report_foreign_keys(reader: &Reader<'_>, kind: &str) {
    for (name, kinds) in OF_KIND {
        if kinds.contains(&kind) || !reader.has(name) {
            continue;
        }
        let kinds: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
        reader.push(
            Problem::error(
                Kind::NotApplicable,
                format!("`{name}` means nothing to a probe of kind \"{kind}\""),
            )
            .at(
                reader.key_span(name).unwrap_or_else(|| reader.span()),
                "this kind has no use for it",
            )
            .help(match reader.raw(name).map(|value| value.get_ref()) {
                Some(DeValue::Integer(status)) if name == "expect" && kind == "http" => {
                    format!("write status = [{status}]")
                }
                Some(DeValue::String(text)) if name == "expect" && kind == "http" => match text.parse::<u16>() {
                    Ok(status) => format!("write status = [{status}]"),
                    Err(_) => format!("write body = {text:?}: it is looked for in the page"),
                },
                _ => format!("it belongs to kind = {}", kinds.join(" or ")),
            }),
        );
    }
}

const SHORT_KEYS: [&str; 4] = ["send", "send_hex", "expect", "expect_hex"];

const HTTP: &[&str] = &["http"];
const TALK: &[&str] = &["tcp", "udp"];
/// Who is asked for TLS in the middle of a conversation.
pub(super) const STARTTLS: &[&str] = &["smtp", "mysql", "postgresql"];
const OF_KIND: [(&str, &[&str]); 20] = [
    ("path", HTTP),
    ("method", HTTP),
    ("host", HTTP),
    ("status", HTTP),
    ("body", HTTP),
    ("body_bytes", HTTP),
    ("location", HTTP),
    ("headers", HTTP),
    ("user_agent", HTTP),
    ("send", TALK),
    ("send_hex", TALK),
    ("expect", TALK),
    ("expect_hex", TALK),
    ("steps", &["tcp"]),
    ("read_bytes", &["tcp"]),
    ("silence", &["udp"]),
    ("starttls", STARTTLS),
    ("user", &["mysql", "postgresql"]),
    ("when_not_permitted", &["syn"]),
    (
        "proxy_protocol",
        &["http", "tcp", "redis", "memcached", "smtp", "mysql", "postgresql"],
    ),
];

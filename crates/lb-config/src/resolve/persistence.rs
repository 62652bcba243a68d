mod cookie;
mod secret;

use super::{Context, whole};
use crate::field::Field;
use crate::near::{self, Meant};
use crate::plan::{ClientIp, Persistence};
use crate::reader::Reader;
use crate::schema::PERSISTENCE;
use crate::usual;
use crate::{Kind, Problem, Span};
use toml::de::DeValue;

/// The ways a pool recognises clients, and where they stand.
pub(super) fn read_all(context: &Context<'_>, pool: &Reader<'_>) -> (Vec<Persistence>, Option<Span>) {
    let Some(value) = pool.raw("persistence") else {
        return (Vec::new(), None);
    };
    let span = value.span();
    let readers = match value.get_ref() {
        DeValue::String(word) if word == "off" => return (Vec::new(), None),
        DeValue::String(word) => {
            let problem = Problem::error(
                Kind::UnknownValue,
                format!("`persistence` is {word:?}, which is not known"),
            )
            .at(span.clone(), "expected a table or \"off\"");
            pool.push(match near::meant(PERSISTENCE.path, "kind", word, KINDS) {
                Some(Meant::Word(kind, _)) => problem.help(format!("write persistence = {{ kind = \"{kind}\" }}")),
                Some(Meant::Sentence(sentence)) => problem.help(sentence),
                None => problem.help("write persistence = { kind = \"cookie_insert\" } or { kind = \"client_ip\" }"),
            });
            return (Vec::new(), None);
        }
        DeValue::Table(_) => pool.table("persistence", &PERSISTENCE).value().into_iter().collect(),
        DeValue::Array(_) => pool.tables("persistence", &PERSISTENCE).value().unwrap_or_default(),
        _ => {
            pool.wrong_type("persistence", value, "a table, a list of two tables or \"off\"");
            return (Vec::new(), None);
        }
    };
    report_conflicts(pool, &readers, &span);
    let name = match pool.raw("name").map(|value| value.get_ref()) {
        Some(DeValue::String(name)) => name.to_string(),
        _ => String::new(),
    };
    let span = readers.first().map_or(span, Reader::span);
    (
        readers
            .iter()
            .filter_map(|reader| read(context, &name, reader))
            .collect(),
        Some(span),
    )
}

/// At most two ways, and not two of one sort: the second would never be asked, or both would write a cookie.
fn report_conflicts(pool: &Reader<'_>, readers: &[Reader<'_>], span: &Span) {
    if readers.len() > MOST {
        pool.push(
            Problem::error(
                Kind::ConflictingPersistence,
                format!("a pool with {} ways of persistence", readers.len()),
            )
            .at(
                readers.get(MOST).map_or_else(|| span.clone(), Reader::span),
                "one too many",
            )
            .help("a pool has one way, or a main way and a fallback"),
        );
        return;
    }
    let [main, fallback] = readers else { return };
    let (Some((first, at)), Some((second, here))) = (kind_as_written(main), kind_as_written(fallback)) else {
        return;
    };
    let cookies = is_cookie(&first) && is_cookie(&second);
    if first == second || cookies {
        let message = match first == second {
            true => format!("`{first}` is both the main way of persistence and its fallback"),
            false => format!("`{first}` and `{second}` are alternatives, a pool has one of them"),
        };
        let help = match cookies {
            true => "choose one; behind it, `client_ip` may recognise clients without cookies",
            false => "leave one out",
        };
        pool.push(
            Problem::error(Kind::ConflictingPersistence, message)
                .at(here, "this contradicts the main way")
                .see(at, "the main way")
                .help(help),
        );
    }
}

fn kind_as_written(reader: &Reader<'_>) -> Option<(String, Span)> {
    let value = reader.raw("kind")?;
    match value.get_ref() {
        DeValue::String(text) => Some((text.to_string(), value.span())),
        _ => None,
    }
}

fn is_cookie(kind: &str) -> bool {
    kind.starts_with("cookie")
}

fn read(context: &Context<'_>, pool: &str, reader: &Reader<'_>) -> Option<Persistence> {
    let written = kind_as_written(reader);
    if let Some((kind, span)) = written.filter(|(kind, _)| LATER.contains(&kind.as_str())) {
        reader.push(
            Problem::error(
                Kind::UnknownValue,
                format!("`kind` is {kind:?}, which this version does not have"),
            )
            .at(span, "expected \"client_ip\" or \"cookie_insert\""),
        );
        return None;
    }
    let kind = reader.word("kind");
    reader.require("kind", &kind, "kind = \"cookie_insert\"");
    let kind = kind.value()?;
    let (own, others) = if kind == "client_ip" {
        (CLIENT_IP, COOKIE_INSERT)
    } else {
        (COOKIE_INSERT, CLIENT_IP)
    };
    for name in others.iter().filter(|name| !own.contains(name)) {
        if let Some(span) = reader.key_span(name) {
            reader.push(
                Problem::error(Kind::NotApplicable, format!("`{name}` means nothing to `{kind}`"))
                    .at(span, "nobody reads it here")
                    .help(format!(
                        "keys of `{kind}`: {}",
                        own.iter().map(|own| format!("`{own}`")).collect::<Vec<_>>().join(", ")
                    )),
            );
        }
    }
    Some(match kind {
        "client_ip" => Persistence::ClientIp(client_ip(reader)),
        _ => Persistence::CookieInsert(Box::new(cookie::read(context, pool, reader))),
    })
}

fn client_ip(reader: &Reader<'_>) -> ClientIp {
    let number = |name| usual::number(&PERSISTENCE, name);
    ClientIp {
        netmask_v4: whole(
            netmask(reader, "netmask_v4"),
            u8::try_from(number("netmask_v4")).unwrap_or(32),
        ),
        netmask_v6: whole(
            netmask(reader, "netmask_v6"),
            u8::try_from(number("netmask_v6")).unwrap_or(128),
        ),
        timeout: reader
            .duration("timeout")
            .value()
            .unwrap_or_else(|| usual::duration(&PERSISTENCE, "timeout")),
        capacity: whole(
            reader.integer("capacity"),
            usize::try_from(number("capacity")).unwrap_or(0),
        ),
        evict_oldest: reader.word("when_full").value() == Some("evict_oldest"),
    }
}

/// A number of bits; who writes `255.255.255.0` is told which.
pub(super) fn netmask(reader: &Reader<'_>, name: &'static str) -> Field<u64> {
    let value = reader.raw(name);
    let Some(DeValue::String(text)) = value.map(|value| value.get_ref()) else {
        return reader.integer(name);
    };
    let mask = text
        .parse()
        .ok()
        .and_then(|mask| lb_persist::ClientIpOptions::default().netmask(mask).ok());
    let bits = mask.map(|mask| {
        if name == "netmask_v4" {
            mask.prefix_v4
        } else {
            mask.prefix_v6
        }
    });
    match (bits, value) {
        (Some(bits), Some(value)) => {
            reader.push(
                Problem::error(
                    Kind::WrongType,
                    format!("`{name}` must be a number of bits, not a text"),
                )
                .at(value.span(), "expected a whole number")
                .help(format!("{text} is {name} = {bits}")),
            );
            Field::Broken
        }
        _ => reader.integer(name),
    }
}

/// A main way and a fallback: of a pool's strategies one is left for what its algorithm places by.
const MOST: usize = lb_balance::Pool::STRATEGIES.saturating_sub(1);

const KINDS: &[&str] = &["client_ip", "cookie_insert"];
/// Kinds that the design names and this version does not have.
const LATER: &[&str] = &[
    "cookie_rewrite",
    "cookie_passive",
    "cookie_hash",
    "header",
    "tls_session",
];
const CLIENT_IP: &[&str] = &["netmask_v4", "netmask_v6", "timeout", "capacity", "when_full"];
const COOKIE_INSERT: &[&str] = &[
    "name",
    "max_age",
    "refresh",
    "path",
    "domain",
    "secure",
    "http_only",
    "same_site",
    "partitioned",
    "mark_private",
    "forward_to_backend",
    "secret",
    "secret_file",
];

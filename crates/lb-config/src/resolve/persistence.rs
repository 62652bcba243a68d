use super::scope::default_duration;
use super::{Context, default_number, whole};
use crate::field::Field;
use crate::grammar::check_path;
use crate::plan::{ClientIp, CookieInsert, Persistence};
use crate::reader::Reader;
use crate::schema::PERSISTENCE;
use crate::secret::Secret;
use crate::{Kind, Problem, Span, near};
use lb_persist::cookie::{CookieError, SetCookie};
use lb_persist::{Refresh, SameSite};
use std::path::{Path, PathBuf};
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
            let kind = near::nearest(word, KINDS.iter().copied()).unwrap_or("client_ip");
            pool.push(problem.help(format!("write persistence = {{ kind = \"{kind}\" }}")));
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
    let span = readers.first().map_or(span, Reader::span);
    (
        readers.iter().filter_map(|reader| read(context, reader)).collect(),
        Some(span),
    )
}

/// At most two ways, and not two of one sort: the second would never be asked, or both would write a cookie.
fn report_conflicts(pool: &Reader<'_>, readers: &[Reader<'_>], span: &Span) {
    if readers.len() > 2 {
        pool.push(
            Problem::error(
                Kind::ConflictingPersistence,
                format!("a pool with {} ways of persistence", readers.len()),
            )
            .at(
                readers.get(2).map_or_else(|| span.clone(), Reader::span),
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

fn read(context: &Context<'_>, reader: &Reader<'_>) -> Option<Persistence> {
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
        _ => Persistence::CookieInsert(Box::new(cookie_insert(context, reader))),
    })
}

fn client_ip(reader: &Reader<'_>) -> ClientIp {
    let number = |name| default_number(&PERSISTENCE, name);
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
            .unwrap_or_else(|| default_duration(&PERSISTENCE, "timeout")),
        capacity: whole(
            reader.integer("capacity"),
            usize::try_from(number("capacity")).unwrap_or(0),
        ),
        evict_oldest: reader.word("when_full").value() == Some("evict_oldest"),
    }
}

/// A number of bits; who writes `255.255.255.0` is told which.
fn netmask(reader: &Reader<'_>, name: &'static str) -> Field<u64> {
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

fn cookie_insert(context: &Context<'_>, reader: &Reader<'_>) -> CookieInsert {
    let refresh = reader.word("refresh");
    let max_age = reader.duration("max_age");
    if let Some((&word, span)) = refresh.as_ref()
        && word == "when_half_expired"
        && max_age.is_missing()
    {
        reader.push(
            Problem::error(
                Kind::NotApplicable,
                "`refresh` is \"when_half_expired\", but the cookie does not expire",
            )
            .at(span.clone(), "there is no lifetime to be half over")
            .help("set `max_age`, or leave `refresh` out"),
        );
    }
    let (secret, secret_file) = secret(context, reader);
    let cookie = CookieInsert {
        name: reader.text("name").value().unwrap_or_else(|| "SERVERID".into()),
        max_age: whole_seconds(reader, max_age),
        refresh: match refresh.value() {
            Some("always") => Refresh::Always,
            Some("when_missing") => Refresh::WhenMissing,
            _ => Refresh::WhenHalfExpired,
        },
        path: reader
            .parsed("path", Kind::BadPath, |path| check_path(path).map(|()| path.to_owned()))
            .value()
            .unwrap_or_else(|| "/".into()),
        domain: reader.text("domain").value(),
        secure: reader.boolean("secure").value().unwrap_or(false),
        http_only: reader.boolean("http_only").value().unwrap_or(true),
        same_site: match reader.word("same_site").value() {
            Some("lax") => Some(SameSite::Lax),
            Some("strict") => Some(SameSite::Strict),
            Some("none") => Some(SameSite::None),
            _ => None,
        },
        partitioned: reader.boolean("partitioned").value().unwrap_or(false),
        mark_private: reader.boolean("mark_private").value().unwrap_or(true),
        forward_to_backend: reader.boolean("forward_to_backend").value().unwrap_or(false),
        secret,
        secret_file,
    };
    report_refused_cookie(reader, &cookie);
    cookie
}

/// `Max-Age` counts seconds.
fn whole_seconds(reader: &Reader<'_>, field: Field<std::time::Duration>) -> Option<std::time::Duration> {
    let (age, span) = match field {
        Field::Is(age, span) => (age, span),
        Field::Missing | Field::Broken => return None,
    };
    if age.subsec_nanos() > 0 {
        reader.push(
            Problem::error(Kind::BadCookie, "`max_age` is not a whole number of seconds")
                .at(span, "browsers count seconds"),
        );
    }
    Some(age)
}

/// Asks the cookie engine whether browsers would keep such a cookie, until it has nothing more to say.
fn report_refused_cookie(reader: &Reader<'_>, cookie: &CookieInsert) {
    let mut line = SetCookie {
        name: cookie.name.as_bytes(),
        domain: cookie.domain.as_deref().map(str::as_bytes),
        path: Some(cookie.path.as_bytes()),
        secure: cookie.secure,
        same_site: cookie.same_site,
        partitioned: cookie.partitioned,
        value: b"",
        max_age: None,
        expires: None,
        http_only: false,
    };
    for _ in 0..MOST_COOKIE_PROBLEMS {
        let Err(error) = line.check() else { return };
        let key = match error {
            CookieError::EmptyName | CookieError::Name { .. } => {
                line.name = b"fine";
                "name"
            }
            CookieError::HostPrefix | CookieError::SecurePrefix => {
                line.name = b"fine";
                "name"
            }
            CookieError::Domain { .. } => {
                line.domain = None;
                "domain"
            }
            CookieError::Path { .. } => {
                line.path = Some(b"/");
                "path"
            }
            CookieError::SameSiteNone => {
                line.same_site = None;
                "same_site"
            }
            CookieError::Partitioned => {
                line.partitioned = false;
                "partitioned"
            }
            _ => {
                line.name = b"fine";
                line.domain = None;
                line.path = Some(b"/");
                "kind"
            }
        };
        let span = reader.raw_span(key).unwrap_or_else(|| reader.span());
        let problem = Problem::error(Kind::BadCookie, error.to_string()).at(span, "browsers would drop the cookie");
        reader.push(match error {
            CookieError::HostPrefix if cookie.domain.is_some() => problem.help("leave `domain` out"),
            CookieError::HostPrefix if cookie.path != "/" => problem.help("leave `path` out"),
            CookieError::HostPrefix
            | CookieError::SecurePrefix
            | CookieError::SameSiteNone
            | CookieError::Partitioned => problem.help("set secure = true; the cookie then works over HTTPS only"),
            CookieError::Domain { ref domain } if domain.starts_with('.') => problem.help(format!(
                "write \"{}\": subdomains are included",
                domain.trim_start_matches('.')
            )),
            _ => problem,
        });
    }
}

fn secret(context: &Context<'_>, reader: &Reader<'_>) -> (Option<Secret>, Option<PathBuf>) {
    let text = reader.text("secret");
    let file = reader.text("secret_file");
    if let (Some((_, first)), Some((_, second))) = (text.as_ref(), file.as_ref()) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, "`secret` and `secret_file` are both set")
                .at(second.clone(), "only one of them can be obeyed")
                .see(first.clone(), "the other one"),
        );
        return (None, None);
    }
    if text.is_missing() && file.is_missing() {
        reader.push(
            Problem::warning(
                Kind::RandomSecret,
                "no `secret`: cookies are signed with a random key of this process",
            )
            .at(
                reader.raw_span("kind").unwrap_or_else(|| reader.span()),
                "after a restart, and on other machines, these cookies mean nothing",
            )
            .help("set `secret` or `secret_file` to the same text everywhere; `openssl rand -hex 32` makes one"),
        );
    }
    if let Some((text, span)) = text.as_ref() {
        return (checked(reader, text, span), None);
    }
    let Some((path, span)) = file.as_ref() else {
        return (None, None);
    };
    let path = Path::new(path);
    if !path.is_absolute() {
        reader.push(
            Problem::error(
                Kind::BadPath,
                format!("`secret_file` is \"{}\", not an absolute path", path.display()),
            )
            .at(span.clone(), "expected a path that begins with `/`"),
        );
        return (None, None);
    }
    match context.environment.read(path) {
        Ok(text) => (
            checked(reader, text.trim_end_matches(['\r', '\n']), span),
            Some(path.to_owned()),
        ),
        Err(error) => {
            reader.push(
                Problem::error(
                    Kind::UnreadableFile,
                    format!("the secret file \"{}\" cannot be read", path.display()),
                )
                .at(span.clone(), error.to_string()),
            );
            (None, None)
        }
    }
}

fn checked(reader: &Reader<'_>, text: &str, span: &Span) -> Option<Secret> {
    let problem = |message: String, label: String| {
        Problem::error(Kind::BadSecret, message)
            .at(span.clone(), label)
            .help("`openssl rand -hex 32` makes a good one")
    };
    let Some(secret) = Secret::new(text) else {
        let shortest = Secret::SHORTEST;
        reader.push(problem(
            format!("the secret has {} bytes", text.len()),
            format!("at least {shortest} are needed"),
        ));
        return None;
    };
    let mut distinct: Vec<char> = text.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < FEWEST_CHARACTERS {
        reader.push(problem(
            "the secret can be guessed".into(),
            match distinct.len() {
                1 => "it is one character, again and again".to_owned(),
                many => format!("it is made of {many} different characters"),
            },
        ));
        return None;
    }
    Some(secret)
}

impl Reader<'_> {
    /// Where a value stands, whatever it is.
    fn raw_span(&self, name: &'static str) -> Option<Span> {
        self.raw(name).map(|value| value.span())
    }
}

const KINDS: &[&str] = &["client_ip", "cookie_insert"];
/// Kinds that the design names and this version does not have.
const LATER: &[&str] = &[
    "cookie_rewrite",
    "cookie_passive",
    "cookie_hash",
    "header",
    "tls_session",
    "target_hash",
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
/// One for each attribute that can be wrong.
const MOST_COOKIE_PROBLEMS: usize = 8;
/// A random text of 16 characters, even of hexadecimal digits, has more.
const FEWEST_CHARACTERS: usize = 5;

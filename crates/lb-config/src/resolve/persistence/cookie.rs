use super::secret;
use crate::field::Field;
use crate::grammar::check_path;
use crate::plan::CookieInsert;
use crate::reader::Reader;
use crate::resolve::Context;
use crate::{Kind, Problem};
use lb_persist::cookie::{CookieError, SetCookie};
use lb_persist::{CookieInsertOptions, Refresh, SameSite};
use std::time::Duration;

/// The options of `cookie_insert` in the pool of this name.
pub(super) fn read(context: &Context<'_>, pool: &str, reader: &Reader<'_>) -> CookieInsert {
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
    let (secret, secret_file) = secret::read(context, reader);
    let cookie = CookieInsert {
        name: reader
            .text("name")
            .value()
            .unwrap_or_else(|| CookieInsertOptions::default_name(pool)),
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
fn whole_seconds(reader: &Reader<'_>, field: Field<Duration>) -> Option<Duration> {
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

/// One for each attribute that can be wrong.
const MOST_COOKIE_PROBLEMS: usize = 8;

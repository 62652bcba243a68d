use super::http::{Surroundings, needs_client_auth};
use super::listener::{forward, not_applicable};
use super::pool::Pools;
use super::{Context, answer, ranges};
use crate::field::Field;
use crate::grammar::{Wrong, check_host_pattern, check_path};
use crate::plan::{AccessLists, Action, Forward, Route};
use crate::reader::{Reader, explain};
use crate::schema::{ROUTE_TIMEOUTS, ROUTES};
use crate::scope::Scope;
use crate::{Kind, Problem, Span};
use lb_balance::route::{Host, Prefix};
use std::collections::HashMap;

/// The routes of a listener. Reports those that another route, or the listener's own pool, makes pointless.
pub(super) fn read_all(listener: &Reader<'_>, around: &Surroundings<'_>, redirects: Option<bool>) -> Field<Vec<Route>> {
    let Surroundings {
        context,
        pools,
        timeouts,
        tls,
        ..
    } = *around;
    listener.tables("routes", &ROUTES).map(|readers| {
        let mut taken: HashMap<(String, String), Span> = HashMap::new();
        let mut routes = Vec::new();
        for reader in &readers {
            let (route, is_good) = read(context, reader, pools, timeouts);
            if route.verified {
                needs_client_auth(listener, tls, reader, "verified");
            }
            report_plain(listener, reader, &route, redirects);
            if is_good {
                report_twice(reader, &route, &mut taken);
            }
            routes.extend(route.filter_good());
        }
        if let (Some(span), Some(other)) = (taken.get(&(ANY.to_owned(), "/".to_owned())), listener.key_span("pool")) {
            listener.push(
                Problem::error(Kind::UnreachableRoute, "the `pool` of this listener is never used")
                    .at(other, "for requests without a route")
                    .see(span.clone(), "but this route takes every request")
                    .help("leave one of the two out"),
            );
        }
        routes
    })
}

/// On a listener that redirects to https, routes are the exceptions, and say so; elsewhere there is none to be made.
/// `redirects`: `None` where that could not be read.
fn report_plain(listener: &Reader<'_>, reader: &Reader<'_>, route: &ReadRoute, redirects: Option<bool>) {
    let place = || {
        let key = listener.key_span("redirect_to_https");
        key.unwrap_or_else(|| listener.span())
    };
    match (redirects, route.plain) {
        (Some(true), Some(false)) if !reader.has_unknown() => reader.push(
            Problem::error(Kind::UnreachableRoute, "this route is never used")
                .at(reader.span(), "no request gets there")
                .see(place(), "every request is sent to https")
                .help("write plain = true for what is to be served without TLS, such as ACME's \"/.well-known/acme-challenge\"")
                .help("or move the route to the listener with TLS"),
        ),
        (Some(true), Some(true)) if route.hosts.is_empty() && route.path == "/" => reader.push(
            Problem::error(Kind::UnreachableRoute, "the `redirect_to_https` of this listener is never used")
                .at(place(), "nothing is left to be sent to https")
                .see(reader.span(), "this route takes every request")
                .help("give the route a `path` or a `host`, or leave `redirect_to_https` out"),
        ),
        (Some(false), Some(true)) if !listener.meant("redirect_to_https") => not_applicable(
            reader,
            "plain",
            "`plain` means nothing to a listener that does not redirect to https".to_owned(),
            "it is an exception from redirect_to_https",
        ),
        _ => {}
    }
}

/// A route whose action may be missing because it was wrong.
struct ReadRoute {
    hosts: Vec<String>,
    path: String,
    access: AccessLists,
    verified: bool,
    /// `None`: it could not be read.
    plain: Option<bool>,
    action: Option<Action>,
}

impl ReadRoute {
    fn filter_good(self) -> Option<Route> {
        let Self {
            hosts,
            path,
            access,
            verified,
            plain,
            action,
        } = self;
        action.map(|action| Route {
            hosts,
            path,
            access,
            verified,
            plain: plain == Some(true),
            action,
        })
    }
}

fn read(context: &Context<'_>, reader: &Reader<'_>, pools: &Pools, timeouts: &Scope) -> (ReadRoute, bool) {
    let errors = reader.errors();
    let hosts = hosts(reader, &host);
    not_applicable(
        reader,
        "alpn",
        "`alpn` means nothing to a route of requests".to_owned(),
        "it is for protocol = \"tls_passthrough\"",
    );
    let path = reader
        .parsed("path", Kind::BadPath, prefix)
        .value()
        .unwrap_or_else(|| "/".into());
    // A misspelt key may have said which requests are meant.
    let is_good = reader.errors() == errors && !reader.has_unknown();
    let inner = Scope::read(reader.table("timeouts", &ROUTE_TIMEOUTS));
    let pool = pools.find(reader).map(|pool| {
        Action::Forward(Forward {
            pool,
            ..forward(pool, pools, &timeouts.then(&inner))
        })
    });
    let respond = reader
        .integer("respond")
        .and_then(|status, span| answer::respond(reader, status, span));
    let redirect = answer::redirect(reader);
    let given: Vec<&str> = ["pool", "respond", "redirect"]
        .into_iter()
        .filter(|name| reader.has(name))
        .collect();
    match given.as_slice() {
        [] => reader.push(
            Problem::error(Kind::NoDestination, "this route leads nowhere")
                .at(reader.span(), "it has neither `pool` nor `respond` nor `redirect`")
                .help("for example pool = \"app\""),
        ),
        [first, second, ..] => {
            let span = |name: &str| reader.key_span(name).unwrap_or_else(|| reader.span());
            reader.push(
                Problem::error(Kind::ConflictingKeys, format!("`{first}` and `{second}` are both set"))
                    .at(span(second), "a route does one thing")
                    .see(span(first), "the other one"),
            );
        }
        [_] => {}
    }
    if !reader.has("pool")
        && let Some(span) = reader.key_span("timeouts")
    {
        reader.push(
            Problem::error(Kind::NotApplicable, "`timeouts` of a route without a pool")
                .at(span, "no backend is asked here"),
        );
    }
    let action = pool.value().or(respond.value()).or(redirect.value());
    let access = ranges::access(context, reader);
    let route = ReadRoute {
        hosts,
        path,
        access,
        verified: reader.boolean("verified").value().unwrap_or(false),
        plain: reader.boolean("plain").if_readable(),
        action,
    };
    (route, is_good)
}

/// `host` and `hosts`, each as `parse` reads it.
pub(super) fn hosts(reader: &Reader<'_>, parse: &dyn Fn(&str) -> Result<String, Wrong>) -> Vec<String> {
    let one = reader.parsed("host", Kind::BadHost, parse);
    let list = reader.list("hosts", "hosts");
    if let (Some(first), Some(second)) = (reader.key_span("host"), reader.key_span("hosts")) {
        reader.push(
            Problem::error(Kind::ConflictingKeys, "`host` and `hosts` are both set")
                .at(second, "only one of them can be obeyed")
                .see(first, "the other one")
                .help("put all of them into `hosts`"),
        );
    }
    if let Field::Is([], span) = &list {
        reader.push(
            Problem::error(Kind::BadHost, "`hosts` is empty: no request would match")
                .at(span.clone(), "at least one host must stand here")
                .help("leave `hosts` out to match every host"),
        );
    }
    let mut hosts: Vec<String> = one.value().into_iter().collect();
    for element in list.value().unwrap_or_default() {
        let Some(text) = reader.element_text("hosts", element) else {
            continue;
        };
        match parse(text) {
            Ok(host) if hosts.contains(&host) => reader.push(
                Problem::error(Kind::UnreachableRoute, format!("host \"{host}\" is listed twice"))
                    .at(element.span(), "the same host again"),
            ),
            Ok(host) => hosts.push(host),
            Err(wrong) => reader.push(explain(Kind::BadHost, "`hosts`", text, element.span(), wrong)),
        }
    }
    hosts
}

fn host(text: &str) -> Result<String, Wrong> {
    let pattern = check_host_pattern(text)?;
    // The router has the last word on what it can match.
    let host = pattern.parse::<Host>().map_err(|error| Wrong::new(error.to_string()))?;
    // In its shortest form, in which two spellings of one address are seen to be one.
    Ok(host.to_string())
}

fn prefix(text: &str) -> Result<String, Wrong> {
    if let Some(wrong) = pattern(text) {
        return Err(wrong);
    }
    check_path(text)?;
    if let Some(start) = text.strip_suffix('*') {
        let start = if start.is_empty() { "/" } else { start };
        return Err(Wrong::new("a path is a prefix already").help(format!("write \"{start}\"")));
    }
    if let Some((path, _)) = text.split_once('?') {
        return Err(Wrong::new("queries are not compared").help(format!("write \"{path}\"")));
    }
    Prefix::new(text).map_err(|error| Wrong::new(error.to_string()))?;
    Ok(text.to_owned())
}

/// Says what to write for the paths of other programs: regular expressions, templates, whole URLs.
fn pattern(text: &str) -> Option<Wrong> {
    if let Some((_, rest)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        return Some(
            Wrong::new("a path has no scheme and no host")
                .help(format!("write host = \"{host}\" and path = \"/{path}\"")),
        );
    }
    // nginx: `= /x`, `~ ^/x`, `~* ^/x`, `^~ /x`
    let (marker, bare) = match text.split_once(char::is_whitespace) {
        Some((marker @ ("=" | "~" | "~*" | "^~"), rest)) => (Some(marker), rest.trim()),
        _ => (None, text),
    };
    // Traefik: PathPrefix(`/x`)
    let inner = bare.split_once('(').and_then(|(word, rest)| {
        word.starts_with("Path")
            .then(|| rest.trim_end_matches(')').trim_matches(['`', '"', '\'']))
    });
    let is_regex = bare.starts_with(['^', '~'])
        || bare.ends_with('$')
        || bare.contains(['\\', '|'])
        || [".*", ".+", "(?", "[^", "[0-9", "[a-z", "[A-Z"]
            .iter()
            .any(|sign| bare.contains(sign));
    let is_template = bare.contains(['{', '}']) || bare.contains("/:") || bare.contains("/*/") || bare.contains("**");
    let label = match (marker, inner) {
        (_, Some(_)) => "a path stands alone: it is a prefix, in whole segments",
        (Some("="), _) => "there are no exact paths: a path is a prefix, in whole segments",
        (Some("^~"), _) if !is_regex => "a path stands alone: it is a prefix, in whole segments",
        _ if is_regex => "a path is a prefix in whole segments, not a regular expression",
        _ if is_template => "a path is a prefix in whole segments, without places to fill in",
        _ if bare.starts_with("*.") => "a path is a prefix, not an ending",
        _ => return None,
    };
    let wrong = Wrong::new(label);
    Some(match literal(inner.unwrap_or(bare)).as_str() {
        "/" | "" => wrong.help("write the beginning of the paths that are meant, for example \"/api\""),
        start => wrong.help(format!("write \"{start}\": it takes {start} and everything below")),
    })
}

/// The whole segments at the beginning that stand for themselves.
fn literal(text: &str) -> String {
    let text = text.trim_start_matches(['^', '~']);
    let special = text.find(|c: char| "\\^$|?*+()[]{}:.".contains(c));
    let Some(special) = special else {
        return text.trim_end_matches('/').to_owned();
    };
    let (start, rest) = text.split_at(special);
    // `/x$`, `/x(/.*)?` and `/x.*`: the segment is whole, and what follows it is free
    let is_whole = ["$", "(/", ".*", "*"].iter().any(|sign| rest.starts_with(sign));
    let start = if is_whole {
        start
    } else {
        start.rsplit_once('/').map_or("", |(start, _)| start)
    };
    let start = start.trim_end_matches('/');
    if start.starts_with('/') {
        start.to_owned()
    } else {
        "/".to_owned()
    }
}

fn report_twice(reader: &Reader<'_>, route: &ReadRoute, taken: &mut HashMap<(String, String), Span>) {
    let any = [ANY.to_owned()];
    let hosts = if route.hosts.is_empty() {
        any.as_slice()
    } else {
        route.hosts.as_slice()
    };
    for host in hosts {
        let Some(first) = taken.insert((host.clone(), route.path.clone()), reader.span()) else {
            continue;
        };
        let what = if host == ANY {
            "any host".to_owned()
        } else {
            format!("host \"{host}\"")
        };
        reader.push(
            Problem::error(
                Kind::UnreachableRoute,
                format!("no request reaches this route ({what}, path \"{}\")", route.path),
            )
            .at(reader.span(), "the same host and path again")
            .see(first, "this route takes them all"),
        );
    }
}

/// Stands for a route without hosts.
const ANY: &str = "*";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_other_programs_are_taken_for_what_they_are() {
        let help = |text: &str| prefix(text).unwrap_err().help.unwrap_or_default();
        let below = |start: &str| format!("write \"{start}\": it takes {start} and everything below");
        for text in [
            "^/x",
            "^/x$",
            "~ ^/x",
            "~* ^/x",
            "^~ /x",
            "= /x",
            "/x$",
            "^/x/",
            "^/x/.*",
            "/x.*",
            "^/x(/.*)?$",
            "^/x/[0-9]+$",
            "/x/[a-z]+/y",
            "/x/{id}",
            "/x/:id",
            "/x/**",
            "PathPrefix(`/x`)",
            "Path('/x')",
            "^/x/\\d+",
            "/x/*/y",
            "/x/(?:a|b)",
        ] {
            assert_eq!(help(text), below("/x"), "{text}");
        }
        for text in [
            "\\.php$",
            "*.php",
            "~ \\.(jpg|png)$",
            "^.*$",
            ".*",
            "^/$",
            "^/v[0-9]+/x",
        ] {
            assert_eq!(
                help(text),
                "write the beginning of the paths that are meant, for example \"/api\"",
                "{text}"
            );
        }
        assert_eq!(
            help("http://example.com:80/x"),
            "write host = \"example.com\" and path = \"/x\""
        );
        assert_eq!(help("/x*"), "write \"/x\"");
        assert_eq!(help("x"), "write \"/x\"");
        for text in [
            "/",
            "/x",
            "/x/y.php",
            "/~user",
            "/a(b)",
            "/a+b",
            "/a[0]",
            "/price/$5",
            "/a:b",
        ] {
            assert_eq!(prefix(text).as_deref(), Ok(text));
        }
    }
}

//! What an HTTP probe sends and expects.

use super::check::bytes_of;
use crate::field::Field;
use crate::grammar::{self, StatusRange, check_path};
use crate::plan::{HttpCheck, ProbeMethod};
use crate::reader::{Reader, explain, shown};
use crate::{Kind, Problem};
use lb_http::h1::Parsing;
use toml::de::DeValue;

pub(super) fn read(reader: &Reader<'_>) -> HttpCheck {
    let method = match reader.word("method").value() {
        Some("HEAD") => ProbeMethod::Head,
        Some("OPTIONS") => ProbeMethod::Options,
        _ => ProbeMethod::Get,
    };
    let body = reader.text("body").and_then(|text, span| {
        if text.len() > LONGEST_BODY {
            reader.push(
                Problem::error(
                    Kind::OutOfRange,
                    format!("`body` has {} bytes, out of range", text.len()),
                )
                .at(span.clone(), format!("allowed: 1B to {LONGEST_BODY}B")),
            );
            return None;
        }
        Some(text)
    });
    if let Some((_, span)) = body.as_ref()
        && method == ProbeMethod::Head
    {
        reader.push(
            Problem::error(Kind::NotApplicable, "`body` cannot be found in the answer to HEAD")
                .at(span.clone(), "such an answer has no body")
                .help("write method = \"GET\""),
        );
    }
    let location = reader.text("location");
    let user_agent = reader.text("user_agent");
    HttpCheck {
        method,
        path: reader
            .parsed("path", Kind::BadPath, path_alone)
            .value()
            .unwrap_or_else(|| "/".into()),
        host: reader.parsed("host", Kind::BadHost, host_field).value(),
        status: status(reader, location.as_ref().is_some()),
        body: body.value(),
        body_bytes: bytes_of(reader, "body_bytes"),
        location: location.value(),
        headers: headers(reader),
        user_agent: user_agent.value(),
        // The pool says.
        parsing: Parsing::Strict,
    }
}

/// A path; of a whole URL it is said what of it belongs where.
fn path_alone(text: &str) -> Result<String, grammar::Wrong> {
    if let Some((_, rest)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains('/')) {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        return Err(grammar::Wrong::new("a path has no scheme and no host")
            .help(format!("write path = \"/{path}\" and host = \"{host}\"")));
    }
    check_path(text).map(|()| text.to_owned())
}

/// Texts such as `X-Token: abc`.
fn headers(reader: &Reader<'_>) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for element in reader.list("headers", "header fields").value().unwrap_or_default() {
        let Some(text) = reader.element_text("headers", element) else {
            continue;
        };
        match text.split_once(':') {
            Some((name, value)) => fields.push((name.to_owned(), value.trim().to_owned())),
            None => reader.push(
                Problem::error(Kind::BadText, format!("`headers`: {text:?} is no header field"))
                    .at(element.span(), "a name, a colon and a value")
                    .help("for example \"X-Token: abc\""),
            ),
        }
    }
    fields
}

/// What may stand in a `Host` field: RFC 9110, section 7.2.
fn host_field(text: &str) -> Result<String, grammar::Wrong> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    // The final dot of an absolute name is for the resolver; no server is asked with it.
    let host = host.strip_suffix('.').unwrap_or(host);
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_good = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => grammar::is_host_name(host),
    };
    let port_is_good = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if host_is_good && port_is_good {
        Ok(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    } else {
        Err(grammar::Wrong::new("this cannot stand in a `Host` field")
            .help("write a host, or a host and a port: \"app.example.com:8080\""))
    }
}

/// Good answers; a page that must redirect answers with 3xx unless said otherwise.
fn status(reader: &Reader<'_>, redirects: bool) -> Vec<StatusRange> {
    let usual = if redirects { "300-399" } else { "200-399" };
    let default = || grammar::status_range(usual).into_iter().collect();
    let list = reader.list("status", "status codes and ranges");
    if let Field::Is([], span) = &list {
        reader.push(
            Problem::error(Kind::BadStatus, "`status` is empty: every probe would fail")
                .at(span.clone(), "at least one code must stand here"),
        );
    }
    let Some(list) = list.value() else { return default() };
    let mut ranges = Vec::new();
    for element in list {
        let text = shown(element.get_ref());
        match element.get_ref() {
            DeValue::String(_) | DeValue::Integer(_) => match grammar::status_range(&text) {
                Ok(range) => ranges.push(range),
                Err(wrong) => {
                    reader.push(explain(Kind::BadStatus, "`status`", &text, element.span(), wrong));
                }
            },
            _ => reader.wrong_element("status", element, "status codes and ranges"),
        }
    }
    ranges
}

/// The text is looked for in every answer.
const LONGEST_BODY: usize = 1024;

//! What a route answers itself, without a backend.

use crate::field::Field;
use crate::grammar::Wrong;
use crate::plan::Action;
use crate::reader::Reader;
use crate::schema::REDIRECT;
use crate::{Kind, Problem, Span};

pub(super) fn respond(reader: &Reader<'_>, status: u64, span: &Span) -> Option<Action> {
    if (300..=399).contains(&status) && status != 304 {
        reader.push(
            Problem::error(
                Kind::BadStatus,
                format!("`respond` is {status}, a redirect without a destination"),
            )
            .at(span.clone(), "a redirect needs a place to go")
            .help(format!(
                "write redirect = {{ to = \"https://example.com/\", status = {status} }}"
            )),
        );
        return None;
    }
    u16::try_from(status).ok().map(Action::Respond)
}

pub(super) fn redirect(reader: &Reader<'_>) -> Field<Action> {
    if let Some(text) = reader.raw("redirect").and_then(|value| value.get_ref().as_str()) {
        let value = reader.raw("redirect");
        let span = value.map_or_else(|| reader.span(), |value| value.span());
        reader.push(
            Problem::error(Kind::WrongType, "`redirect` must be a table, not a text")
                .at(span, "expected a table")
                .help(format!("write redirect = {{ to = \"{text}\" }}")),
        );
        return Field::Broken;
    }
    reader.table("redirect", &REDIRECT).and_then(|inner, _| {
        let to = inner.parsed("to", Kind::BadRedirect, location);
        inner.require("to", &to, "to = \"https://example.com/\"");
        let status = inner.integer("status").and_then(|status, span| {
            let known = STATUSES.contains(&status);
            if !known {
                inner.push(
                    Problem::error(
                        Kind::BadStatus,
                        format!("`status` is {status}, which is no redirect to another place"),
                    )
                    .at(span.clone(), "expected 301, 302, 303, 307 or 308"),
                );
            }
            known.then_some(status)
        });
        let status = match status {
            Field::Missing => 302,
            Field::Broken => return None,
            Field::Is(status, _) => u16::try_from(status).unwrap_or(302),
        };
        Some(Action::Redirect {
            status,
            to: to.value()?,
        })
    })
}

/// A URL of the web, or a path of the same site: what a `Location` field may hold, RFC 9110, section 10.2.2.
fn location(text: &str) -> Result<String, Wrong> {
    const EXAMPLES: &str = "for example \"https://example.com/\" or \"/new\"";
    if has_variable(text) {
        return Err(Wrong::new("variables are not filled in: clients would get the text as it stands").help(
            "there is no way yet to keep the path or the query: write a whole URL, \"https://www.example.com/\", in one \
             route for each host",
        ));
    }
    if let Some(c) = text
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(Wrong::new(format!("{c:?} cannot stand in a URL")).help("write it percent-encoded"));
    }
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?', '#']) => {
            Err(Wrong::new("the host is missing").help(EXAMPLES))
        }
        Some(_) => Ok(text.to_owned()),
        // `//host` would lead to another site.
        None if text.starts_with('/') && !text.starts_with("//") => Ok(text.to_owned()),
        None => Err(Wrong::new("neither a URL nor a path").help(EXAMPLES)),
    }
}

/// `$host` (nginx), `${1}` (Traefik), `{host}` (Caddy), `%[path]` and `%HOST%` (HAProxy, Apache, Envoy).
fn has_variable(text: &str) -> bool {
    let named = text.split('$').skip(1).any(|rest| {
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        rest.starts_with('{') || VARIABLES.contains(&word) || word.starts_with("http_") || word.starts_with("arg_")
    });
    named || text.contains(['{', '}']) || text.contains("%[") || text.contains("%{")
}

const VARIABLES: [&str; 16] = [
    "1",
    "2",
    "3",
    "host",
    "hostname",
    "request_uri",
    "uri",
    "document_uri",
    "scheme",
    "server_name",
    "server_port",
    "args",
    "query_string",
    "is_args",
    "remote_addr",
    "request",
];

const STATUSES: [u64; 5] = [301, 302, 303, 307, 308];

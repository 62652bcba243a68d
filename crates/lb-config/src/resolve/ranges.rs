//! Lists of address ranges.

use super::Context;
use crate::plan::AccessLists;
use crate::reader::{Element, Reader};
use crate::{Kind, Problem, Span};
use lb_types::{Cidr, CidrError};
use std::collections::HashMap;
use std::path::PathBuf;

/// The ranges of the list `name`. `everybody` is told of one that holds every address.
pub(super) fn read(reader: &Reader<'_>, name: &'static str, everybody: &dyn Fn(Cidr, Span)) -> Vec<Cidr> {
    placed(reader, name, everybody)
        .into_iter()
        .map(|(range, _)| range)
        .collect()
}

fn placed(reader: &Reader<'_>, name: &'static str, everybody: &dyn Fn(Cidr, Span)) -> Vec<(Cidr, Span)> {
    let list = reader.list(name, "address ranges").value().unwrap_or_default();
    list.iter()
        .filter_map(|element| one(reader, name, element, everybody))
        .collect()
}

fn one(
    reader: &Reader<'_>,
    name: &'static str,
    element: &Element<'_>,
    everybody: &dyn Fn(Cidr, Span),
) -> Option<(Cidr, Span)> {
    let text = reader.element_text(name, element)?;
    match text.parse::<Cidr>() {
        Ok(range) => {
            if range.prefix() == 0 {
                everybody(range, element.span());
            }
            Some((range, element.span()))
        }
        Err(error) => {
            let problem = Problem::error(Kind::BadRange, format!("`{name}` holds {text:?}, not an address range"))
                .at(element.span(), error.to_string());
            reader.push(match error {
                CidrError::HostBits { network, prefix } => problem.help(format!(
                    "write \"{network}/{prefix}\" for the range, \"{}\" for the one address",
                    text.split('/').next().unwrap_or(text)
                )),
                _ if text.starts_with(['/', '.']) && (name == "allow" || name == "deny") => {
                    problem.help(format!("files stand in a key of their own: {name}_files = \"{text}\""))
                }
                _ => problem.help("for example \"10.0.0.0/8\", \"2001:db8::/32\" or \"192.0.2.1\""),
            });
            None
        }
    }
}

/// `allow`, `deny` and their files, of a listener or a route.
pub(super) fn access(context: &Context<'_>, reader: &Reader<'_>) -> AccessLists {
    let nothing = |_, _| {};
    let (allow, deny) = (placed(reader, "allow", &nothing), placed(reader, "deny", &nothing));
    let mut first: HashMap<Cidr, Span> = allow.iter().cloned().collect();
    for (range, span) in &deny {
        if let Some(other) = first.remove(range) {
            reader.push(
                Problem::error(Kind::ConflictingKeys, format!("{range} is allowed and denied"))
                    .at(span.clone(), "denied here")
                    .see(other, "allowed here")
                    .help("leave one of the two out; a longer prefix may say otherwise than a shorter one"),
            );
        }
    }
    if reader.list_is_empty("allow") && !reader.has("allow_files") {
        reader.push(
            Problem::error(Kind::Contradiction, "`allow` is empty: nobody could connect")
                .at(
                    reader.raw_span("allow").unwrap_or_else(|| reader.span()),
                    "nothing stands here",
                )
                .help("leave `allow` out to let everybody in"),
        );
    }
    let ranges = |list: Vec<(Cidr, Span)>| list.into_iter().map(|(range, _)| range).collect();
    AccessLists {
        allow: ranges(allow),
        allow_files: files(context, reader, "allow_files"),
        deny: ranges(deny),
        deny_files: files(context, reader, "deny_files"),
    }
}

fn files(context: &Context<'_>, reader: &Reader<'_>, name: &'static str) -> Vec<PathBuf> {
    let paths = reader.paths(name).value().unwrap_or_default();
    for (path, span) in &paths {
        let _ = context.bytes(reader, name, path, span);
    }
    paths.into_iter().map(|(path, _)| path).collect()
}

//! Lists of address ranges.

use super::Context;
use crate::field::Field;
use crate::plan::{AccessLists, Made};
use crate::reader::{Element, Reader};
use crate::{Kind, Problem, Span};
use lb_guard::{Access, AccessError, List, ListError, ListLimits, Source};
use lb_types::{Cidr, CidrError};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

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
    let (allow_files, deny_files) = (reader.paths("allow_files"), reader.paths("deny_files"));
    let mut lists = Lists::default();
    for (list, ranges) in [(List::Allow, &allow), (List::Deny, &deny)] {
        if !ranges.is_empty() {
            let span = ranges.first().map_or_else(|| reader.span(), |(_, span)| span.clone());
            let ranges = ranges.iter().map(|(range, _)| *range).collect();
            lists.add(list, format!("`{list}`"), span, ranges);
        }
    }
    let mut digests: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (list, key, files) in [
        (List::Allow, "allow_files", &allow_files),
        (List::Deny, "deny_files", &deny_files),
    ] {
        for (path, span) in files.as_ref().map_or(&[][..], |(files, _)| files.as_slice()) {
            if let Some(bytes) = context.bytes(reader, key, path, span) {
                let ranges = ranges_of(reader, path, &bytes, span);
                lists.add(list, path.display().to_string(), span.clone(), ranges);
                digests.push((path.clone(), bytes));
            }
        }
    }
    let digest = context.digest(
        digests
            .iter()
            .map(|(path, bytes)| [path.as_os_str().as_encoded_bytes(), bytes.as_slice()]),
    );
    let made = lists.build(reader).map(|access| Made::new(digest, access));
    let ranges = |list: Vec<(Cidr, Span)>| list.into_iter().map(|(range, _)| range).collect();
    let paths = |files: Field<Vec<(PathBuf, Span)>>| {
        let files = files.value().unwrap_or_default();
        files.into_iter().map(|(path, _)| path).collect()
    };
    AccessLists {
        allow: ranges(allow),
        allow_files: paths(allow_files),
        deny: ranges(deny),
        deny_files: paths(deny_files),
        made,
    }
}

/// The ranges in a file. Reports each of its lines that holds none.
fn ranges_of(reader: &Reader<'_>, path: &Path, bytes: &[u8], span: &Span) -> Vec<Cidr> {
    let problem = |message: String| Problem::error(Kind::BadRange, message).at(span.clone(), "in this file");
    match lb_guard::parse(bytes, &ListLimits::default()) {
        Ok(ranges) => ranges,
        Err(ListError::Lines(bad)) => {
            for line in &bad.lines {
                let mend = "an address or a range stands on each line; what follows a `#` is a remark";
                reader.push(problem(format!("{}, {line}", path.display())).help(mend));
            }
            let more = bad.total.saturating_sub(bad.lines.len());
            if more > 0 {
                reader.push(problem(format!("{}: {more} more lines like these", path.display())));
            }
            Vec::new()
        }
        Err(error) => {
            reader.push(problem(format!("{}: {error}", path.display())));
            Vec::new()
        }
    }
}

/// What is put together, each with a name for messages and its place.
#[derive(Default)]
struct Lists {
    sources: Vec<(String, Span)>,
    lists: Vec<(List, Vec<Cidr>)>,
}

impl Lists {
    fn add(&mut self, list: List, name: String, span: Span, ranges: Vec<Cidr>) {
        self.sources.push((name, span));
        self.lists.push((list, ranges));
    }

    fn build(self, reader: &Reader<'_>) -> Option<Access> {
        if self.lists.is_empty() {
            return None;
        }
        let mut builder = Access::builder();
        let named = |source: Source| self.sources.get(usize::from(source.0));
        let refused = |error: AccessError| {
            let span = self
                .sources
                .first()
                .map_or_else(|| reader.span(), |(_, span)| span.clone());
            reader.push(Problem::error(Kind::TooMany, error.to_string()).at(span, "these lists together"));
        };
        for (index, (list, ranges)) in (0..).zip(self.lists) {
            builder.add(list, Source(index), ranges).map_err(refused).ok()?;
        }
        let built = builder.build().map_err(refused).ok()?;
        for conflict in &built.facts.conflicts {
            let (Some((deny, span)), Some((allow, other))) = (named(conflict.deny), named(conflict.allow)) else {
                continue;
            };
            // Two keys of the configuration: that is an error already.
            if deny.starts_with('`') && allow.starts_with('`') {
                continue;
            }
            reader.push(
                Problem::warning(
                    Kind::Contradiction,
                    format!("{} is allowed by {allow} and denied by {deny}", conflict.range),
                )
                .at(span.clone(), "it is denied")
                .see(other.clone(), "allowed here")
                .help("take it out of one of them"),
            );
        }
        Some(built.access)
    }
}

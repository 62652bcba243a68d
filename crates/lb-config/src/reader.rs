mod complain;

pub(crate) use complain::{explain, shown};

use crate::field::Field;
use crate::grammar::{self, Wrong};
use crate::problem::Sink;
use crate::schema::{Section, Value};
use crate::{Kind, Problem, Span, near};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table of the file, read key by key. What is wrong goes into the sink; the reader never gives up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    table: &'a DeTable<'a>,
    /// The header or the inline table: what to underline when something is missing in it.
    start: usize,
    end: usize,
    section: &'static Section,
    sink: &'a Sink,
}

/// One element of a list.
pub(crate) type Element<'a> = Spanned<DeValue<'a>>;

impl<'a> Reader<'a> {
    /// Reads `table`, which is at `span`. Reports its unknown keys.
    pub(crate) fn new(table: &'a DeTable<'a>, span: Span, section: &'static Section, sink: &'a Sink) -> Self {
        let reader = Self {
            table,
            start: span.start,
            end: span.end,
            section,
            sink,
        };
        for key in table.keys().filter(|key| section.key(key.get_ref()).is_none()) {
            let problem = near::unknown_key(key.get_ref(), key.span(), section);
            let port = reader
                .foreign("port")
                .filter(|_| section.path == "listeners" && key.get_ref() == "port");
            sink.push(match (port, reader.address_alone()) {
                (Some(port), Some(ip)) => Problem {
                    help: vec![format!("write address = \"{}\"", SocketAddr::new(ip, port))],
                    ..problem
                },
                _ => problem,
            });
        }
        reader
    }

    /// Which keys it may hold.
    pub(crate) const fn section(&self) -> &'static Section {
        self.section
    }

    /// The header or inline table.
    pub(crate) const fn span(&self) -> Span {
        self.start..self.end
    }

    pub(crate) fn push(&self, problem: Problem) {
        self.sink.push(problem);
    }

    /// Where the key itself stands.
    pub(crate) fn key_span(&self, name: &str) -> Option<Span> {
        self.table.get_key_value(name).map(|(key, _)| key.span())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The address that stands there without a port, or the one that means all.
    fn address_alone(&self) -> Option<IpAddr> {
        match self.table.get("address").map(Spanned::get_ref) {
            Some(DeValue::String(text)) => text.parse().ok(),
            Some(_) => None,
            None => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        }
    }

    /// The port in a key that the section does not have.
    pub(crate) fn foreign(&self, name: &str) -> Option<u16> {
        match self.table.get(name)?.get_ref() {
            DeValue::Integer(port) => port.to_string().parse().ok().filter(|port| *port > 0),
            DeValue::String(port) => port.parse().ok().filter(|port| *port > 0),
            _ => None,
        }
    }

    /// Is there a key, reported already, that the section does not have?
    pub(crate) fn has_unknown(&self) -> bool {
        self.table.keys().any(|key| self.section.key(key.get_ref()).is_none())
    }

    /// Reports that `name`, which must be there, is not.
    pub(crate) fn require<T>(&self, name: &str, field: &Field<T>, example: &str) {
        if field.is_missing() && !self.meant(name) {
            let place = if self.section.path.is_empty() {
                "the file"
            } else {
                self.section.path
            };
            self.push(
                Problem::error(
                    Kind::MissingKey,
                    format!("`{name}` is missing in {}", self.title(place)),
                )
                .at(self.span(), format!("`{name}` must be set here"))
                .help(format!("for example {example}")),
            );
        }
    }

    /// Is there an unknown key, reported already, that was probably meant to be `name`?
    pub(crate) fn meant(&self, name: &str) -> bool {
        self.table
            .keys()
            .any(|key| near::means(key.get_ref(), name, self.section))
    }

    fn title(&self, place: &str) -> String {
        match self.table.get("name").map(Spanned::get_ref) {
            Some(DeValue::String(name)) if place == "listeners" => format!("listener \"{name}\""),
            Some(DeValue::String(name)) if place == "pools" => format!("pool \"{name}\""),
            _ if place == "the file" => place.to_owned(),
            _ => format!("`{place}`"),
        }
    }

    fn value(&self, name: &'static str) -> Option<&'a Element<'a>> {
        debug_assert!(
            self.section.key(name).is_some(),
            "{name} is not in the schema of {}",
            self.section.path
        );
        self.table.get(name)
    }

    fn schema(&self, name: &str) -> Value {
        self.section.key(name).map_or(Value::Table, |key| key.value)
    }

    /// A text of any kind; an empty one is an error everywhere.
    pub(crate) fn text(&self, name: &'static str) -> Field<String> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(name, value, "a text in quotes");
            return Field::Broken;
        };
        if text.is_empty() {
            let problem =
                Problem::error(Kind::BadText, format!("`{name}` is empty")).at(value.span(), "nothing stands here");
            self.push(match (self.section.path, name) {
                ("listeners", "address") => problem.help("for example \"0.0.0.0:8080\""),
                ("pools.backends", "address") => problem.help("for example \"10.0.0.1:80\""),
                _ => problem.help(format!("leave `{name}` out, or write what it shall be")),
            });
            return Field::Broken;
        }
        Field::Is(text.to_string(), value.span())
    }

    /// A text that `parse` understands.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        kind: Kind,
        parse: impl FnOnce(&str) -> Result<T, Wrong>,
    ) -> Field<T> {
        self.text(name).and_then(|text, span| match parse(&text) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.push(explain(kind, &format!("`{name}`"), &text, span.clone(), wrong));
                None
            }
        })
    }

    pub(crate) fn boolean(&self, name: &'static str) -> Field<bool> {
        match self.value(name) {
            None => Field::Missing,
            Some(value) => match value.get_ref() {
                DeValue::Boolean(flag) => Field::Is(*flag, value.span()),
                _ => {
                    self.wrong_type(name, value, "`true` or `false`");
                    Field::Broken
                }
            },
        }
    }

    /// A whole number within the range of the schema.
    pub(crate) fn integer(&self, name: &'static str) -> Field<u64> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        let Value::Integer { least, most } = self.schema(name) else {
            return Field::Broken;
        };
        let DeValue::Integer(_) = value.get_ref() else {
            self.wrong_type(name, value, "a whole number");
            return Field::Broken;
        };
        match number(value.get_ref()).filter(|number| (least..=most).contains(number)) {
            Some(number) => Field::Is(number, value.span()),
            None => {
                self.out_of_range(
                    name,
                    &shown(value.get_ref()),
                    value.span(),
                    &least.to_string(),
                    &most.to_string(),
                );
                Field::Broken
            }
        }
    }

    pub(crate) fn duration(&self, name: &'static str) -> Field<Duration> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        let Value::Duration { least, most } = self.schema(name) else {
            return Field::Broken;
        };
        let DeValue::String(text) = value.get_ref() else {
            self.wrong_type(name, value, "a duration in quotes");
            return Field::Broken;
        };
        match grammar::duration(text) {
            Ok(duration) if (least..=most).contains(&duration) => Field::Is(duration, value.span()),
            Ok(_) => {
                let (least, most) = (grammar::show_duration(least), grammar::show_duration(most));
                self.out_of_range(name, text, value.span(), &least, &most);
                Field::Broken
            }
            Err(wrong) => {
                self.push(explain(
                    Kind::BadDuration,
                    &format!("`{name}`"),
                    text,
                    value.span(),
                    wrong,
                ));
                Field::Broken
            }
        }
    }

    /// A number of bytes. `None` inside the field is the word `none`.
    pub(crate) fn size(&self, name: &'static str) -> Field<Option<u64>> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        let Value::Size { least, most, or_none } = self.schema(name) else {
            return Field::Broken;
        };
        let bytes = match value.get_ref() {
            DeValue::String(text) if or_none && text == "none" => return Field::Is(None, value.span()),
            DeValue::String(text) => match grammar::size(text) {
                Ok(bytes) => Some(bytes),
                Err(wrong) => {
                    let wrong = match wrong.help {
                        Some(help) if or_none => Wrong {
                            label: wrong.label,
                            help: Some(format!("{help}, or \"none\"")),
                        },
                        _ => wrong,
                    };
                    self.push(explain(Kind::BadSize, &format!("`{name}`"), text, value.span(), wrong));
                    return Field::Broken;
                }
            },
            DeValue::Integer(_) => number(value.get_ref()),
            _ => {
                self.wrong_type(name, value, "a size in quotes");
                return Field::Broken;
            }
        };
        match bytes.filter(|bytes| (least..=most).contains(bytes)) {
            Some(bytes) => Field::Is(Some(bytes), value.span()),
            None => {
                let (least, most) = (grammar::show_size(least), grammar::show_size(most));
                self.out_of_range(name, &shown(value.get_ref()), value.span(), &least, &most);
                Field::Broken
            }
        }
    }

    /// One of the words of the schema.
    pub(crate) fn word(&self, name: &'static str) -> Field<&'static str> {
        let Value::Word(words) = self.schema(name) else {
            return Field::Broken;
        };
        self.text(name).and_then(|text, span| {
            let word = words.iter().find(|word| **word == text).copied();
            if word.is_none() {
                self.push(near::unknown_word(self.section.path, name, &text, span.clone(), words));
            }
            word
        })
    }

    /// The elements of a list of the file.
    pub(crate) fn list(&self, name: &'static str, of: &str) -> Field<&'a [Element<'a>]> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        match value.get_ref() {
            DeValue::Array(list) if list.len() > MOST_ELEMENTS => {
                self.push(
                    Problem::error(Kind::TooMany, format!("`{name}` has {} elements", list.len()))
                        .at(value.span(), format!("at most {MOST_ELEMENTS} are allowed")),
                );
                Field::Broken
            }
            DeValue::Array(list) => Field::Is(list.as_ref(), value.span()),
            _ => {
                self.wrong_type(name, value, &format!("a list of {of}"));
                Field::Broken
            }
        }
    }

    /// A text, or a list of texts: each with its place. Nothing at all is an error.
    pub(crate) fn texts(&self, name: &'static str, of: &str) -> Field<Vec<(String, Span)>> {
        match self.value(name).map(|value| (value, value.get_ref())) {
            Some((_, DeValue::String(_))) => {
                return self.text(name).and_then(|text, span| Some(vec![(text, span.clone())]));
            }
            Some((_, DeValue::Array(_))) | None => {}
            Some((value, _)) => {
                self.wrong_type(name, value, "a text in quotes, or a list of them");
                return Field::Broken;
            }
        }
        let errors = self.errors();
        let list = self.list(name, of).map(|list| {
            let texts = list.iter().filter_map(|element| {
                let text = self.element_text(name, element)?;
                if text.is_empty() {
                    self.push(
                        Problem::error(Kind::BadText, format!("`{name}` holds an empty text"))
                            .at(element.span(), "nothing stands here"),
                    );
                    return None;
                }
                Some((text.to_owned(), element.span()))
            });
            texts.collect::<Vec<_>>()
        });
        if let Some((list, span)) = list.as_ref()
            && list.is_empty()
            && self.errors() == errors
        {
            self.push(
                Problem::error(Kind::BadText, format!("`{name}` is empty"))
                    .at(span.clone(), "nothing stands here")
                    .help(format!("leave `{name}` out, or write what it shall be")),
            );
        }
        if self.errors() > errors { Field::Broken } else { list }
    }

    /// The absolute paths of files or folders: each with its place.
    pub(crate) fn paths(&self, name: &'static str) -> Field<Vec<(PathBuf, Span)>> {
        self.texts(name, "absolute paths in quotes").and_then(|texts, _| {
            let paths: Vec<_> = texts
                .iter()
                .filter_map(|(text, span)| match grammar::absolute_path(text) {
                    Ok(path) => Some((path, span.clone())),
                    Err(wrong) => {
                        self.push(explain(Kind::BadPath, &format!("`{name}`"), text, span.clone(), wrong));
                        None
                    }
                })
                .collect();
            (paths.len() == texts.len()).then_some(paths)
        })
    }

    /// The absolute path of a file.
    pub(crate) fn path(&self, name: &'static str) -> Field<PathBuf> {
        self.parsed(name, Kind::BadPath, grammar::absolute_path)
    }

    /// A table below this one. A broken one has been reported.
    pub(crate) fn table(&self, name: &'static str, section: &'static Section) -> Field<Reader<'a>> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        match value.get_ref() {
            DeValue::Table(table) => {
                let reader = Reader::new(table, value.span(), section, self.sink);
                Field::Is(reader, value.span())
            }
            _ => {
                self.wrong_type(name, value, "a table");
                Field::Broken
            }
        }
    }

    /// A table that [`table`](Self::table) has read before: nothing is reported again.
    pub(crate) fn quiet_table(&self, name: &'static str, section: &'static Section) -> Field<Reader<'a>> {
        match self.value(name).map(|value| (value.get_ref(), value.span())) {
            Some((DeValue::Table(table), span)) => {
                let reader = Reader {
                    table,
                    start: span.start,
                    end: span.end,
                    section,
                    sink: self.sink,
                };
                Field::Is(reader, span)
            }
            _ => Field::Missing,
        }
    }

    /// Is `name` there, as a list of nothing?
    pub(crate) fn list_is_empty(&self, name: &'static str) -> bool {
        matches!(self.value(name).map(Spanned::get_ref), Some(DeValue::Array(list)) if list.is_empty())
    }

    /// How many errors were found so far, anywhere.
    pub(crate) fn errors(&self) -> usize {
        self.sink.errors()
    }

    /// A list of tables below this one. One table where a list belongs is reported and read.
    pub(crate) fn tables(&self, name: &'static str, section: &'static Section) -> Field<Vec<Reader<'a>>> {
        let Some(value) = self.value(name) else {
            return Field::Missing;
        };
        match value.get_ref() {
            DeValue::Table(table) => {
                self.wrong_type(name, value, "a list of tables");
                let reader = Reader::new(table, value.span(), section, self.sink);
                Field::Is(vec![reader], value.span())
            }
            _ => self.list(name, "tables").map(|list| {
                list.iter()
                    .filter_map(|element| self.element_table(name, element, section))
                    .collect()
            }),
        }
    }

    /// An element of the list `name` as a table.
    pub(crate) fn element_table(
        &self,
        name: &str,
        element: &'a Element<'a>,
        section: &'static Section,
    ) -> Option<Reader<'a>> {
        match element.get_ref() {
            DeValue::Table(table) => Some(Reader::new(table, element.span(), section, self.sink)),
            _ => {
                self.wrong_element(name, element, "a table");
                None
            }
        }
    }

    /// An element of the list `name` as text.
    pub(crate) fn element_text(&self, name: &str, element: &'a Element<'a>) -> Option<&'a str> {
        match element.get_ref() {
            DeValue::String(text) => Some(text),
            _ => {
                self.wrong_element(name, element, "a text in quotes");
                None
            }
        }
    }

    /// Where a value stands, whatever it is.
    pub(crate) fn raw_span(&self, name: &'static str) -> Option<Span> {
        self.raw(name).map(|value| value.span())
    }

    /// The raw value, for keys that may be of several types.
    pub(crate) fn raw(&self, name: &'static str) -> Option<&'a Element<'a>> {
        self.value(name)
    }
}

fn number(value: &DeValue<'_>) -> Option<u64> {
    let DeValue::Integer(integer) = value else { return None };
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// Listeners, pools, backends of a pool, ranges: each list has at most so many elements.
const MOST_ELEMENTS: usize = 10_000;

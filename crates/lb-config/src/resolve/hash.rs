use crate::field::Field;
use crate::grammar::{Wrong, check_token};
use crate::reader::Reader;
use crate::schema::{HASH, HASH_WORDS};
use crate::usual;
use crate::{Kind, Problem, Span, near};
use lb_persist::{ClientIp, ClientIpOptions, HashBy};
use toml::de::DeValue;

/// What a pool places requests by, and where that stands.
pub(super) fn read(pool: &Reader<'_>) -> Field<HashBy> {
    let Some(value) = pool.raw("hash") else {
        return Field::Missing;
    };
    let by = match value.get_ref() {
        DeValue::String(word) => match HASH_WORDS.iter().find(|known| *known == word) {
            Some(word) => Some(of_word(word, ClientIp::default())),
            None => {
                pool.push(unknown(word, value.span()));
                None
            }
        },
        DeValue::Table(_) => pool.table("hash", &HASH).value().and_then(|reader| table(&reader)),
        _ => {
            pool.wrong_type("hash", value, "a word in quotes or a table");
            None
        }
    };
    by.map_or(Field::Broken, |by| Field::Is(by, value.span()))
}

fn of_word(word: &str, source: ClientIp) -> HashBy {
    match word {
        "url" => HashBy::Url { query: false },
        "url_and_query" => HashBy::Url { query: true },
        _ => HashBy::Source(source),
    }
}

fn unknown(word: &str, span: Span) -> Problem {
    let problem = near::unknown_word("pools", "hash", word, span, HASH_WORDS);
    // `hash = "id"`: perhaps the name of something that a table tells the kind of
    if problem.help.is_empty() {
        problem.help(format!(
            "by a part of the request: hash = {{ parameter = \"{word}\" }}, {{ header = .. }} or {{ cookie = .. }}"
        ))
    } else {
        problem
    }
}

/// Exactly one of `kind`, `parameter`, `header` and `cookie`.
fn table(reader: &Reader<'_>) -> Option<HashBy> {
    let errors = reader.errors();
    let token = |text: &str| check_token(text).map(|()| text.to_owned());
    let kind = reader.word("kind");
    let parameter = reader.parsed("parameter", Kind::BadText, parameter);
    let header = reader.parsed("header", Kind::BadText, token);
    let cookie = reader.parsed("cookie", Kind::BadText, token);
    let source = source(reader);
    let spans: Vec<(&str, Span)> = KINDS
        .iter()
        .filter_map(|name| reader.key_span(name).map(|span| (*name, span)))
        .collect();
    match spans.as_slice() {
        [] if !KINDS.iter().any(|name| reader.meant(name)) => reader.push(
            Problem::error(Kind::MissingKey, "`hash` does not say by what")
                .at(
                    reader.span(),
                    "one of `kind`, `parameter`, `header` and `cookie` must stand here",
                )
                .help("for example hash = { parameter = \"id\" }"),
        ),
        [(first, at), (second, here), ..] => reader.push(
            Problem::error(Kind::ConflictingKeys, format!("`{first}` and `{second}` are both set"))
                .at(here.clone(), "only one of them can be obeyed")
                .see(at.clone(), "the other one"),
        ),
        _ => {}
    }
    let by_source = kind.as_ref().map(|(word, _)| *word) == Some("source");
    for mask in MASKS.into_iter().filter(|_| !by_source) {
        if let Some(span) = reader.key_span(mask) {
            reader.push(
                Problem::error(
                    Kind::NotApplicable,
                    format!("`{mask}` is for the client's address only"),
                )
                .at(span, "nobody reads it here")
                .help("write kind = \"source\" to place by the client's address"),
            );
        }
    }
    if reader.errors() > errors {
        return None;
    }
    let by = kind
        .value()
        .map(|word| of_word(word, source))
        .or_else(|| parameter.value().map(HashBy::Parameter))
        .or_else(|| header.value().map(HashBy::Header));
    by.or_else(|| cookie.value().map(HashBy::Cookie))
}

fn source(reader: &Reader<'_>) -> ClientIp {
    let bits = |name| {
        let bits = super::persistence::netmask(reader, name).value();
        u8::try_from(bits.unwrap_or_else(|| usual::number(&HASH, name))).unwrap_or(0)
    };
    let mut options = ClientIpOptions::default();
    options.prefix_v4 = bits("netmask_v4");
    options.prefix_v6 = bits("netmask_v6");
    // the schema's range is that of the prefixes
    ClientIp::new(options).unwrap_or_default()
}

/// The name of a query parameter, as it stands in the URL.
fn parameter(text: &str) -> Result<String, Wrong> {
    match text.bytes().find(|b| !b.is_ascii_graphic() || b"&=#?".contains(b)) {
        None => Ok(text.to_owned()),
        Some(b) => Err(
            Wrong::new(format!("{:?} cannot stand in the name of a parameter", char::from(b)))
                .help("write the name alone, as it stands in the URL: \"id\" for /basket?id=7"),
        ),
    }
}

const KINDS: [&str; 4] = ["kind", "parameter", "header", "cookie"];
const MASKS: [&str; 2] = ["netmask_v4", "netmask_v6"];

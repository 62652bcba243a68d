//! What is said about a value of the wrong sort.

use super::{Element, Reader};
use crate::grammar::Wrong;
use crate::near::{self, Meant};
use crate::schema::Value;
use crate::{Kind, Problem, Span};
use toml::de::DeValue;

impl Reader<'_> {
    pub(crate) fn wrong_element(&self, name: &str, element: &Element<'_>, expected: &str) {
        self.push(
            Problem::error(
                Kind::WrongType,
                format!("`{name}` must hold {expected}, not {}", type_name(element.get_ref())),
            )
            .at(element.span(), format!("expected {expected}")),
        );
    }

    pub(super) fn out_of_range(&self, name: &str, value: &str, span: Span, least: &str, most: &str) {
        self.push(
            Problem::error(Kind::OutOfRange, format!("`{name}` is {value}, out of range"))
                .at(span, format!("allowed: {least} to {most}")),
        );
    }

    pub(crate) fn wrong_type(&self, name: &str, value: &Element<'_>, expected: &str) {
        let problem = Problem::error(
            Kind::WrongType,
            format!("`{name}` must be {expected}, not {}", type_name(value.get_ref())),
        )
        .at(value.span(), format!("expected {expected}"));
        self.push(match self.type_help(name, value.get_ref()) {
            Some(help) => problem.help(help),
            None => problem,
        });
    }

    fn type_help(&self, name: &str, value: &DeValue<'_>) -> Option<String> {
        let path = match self.section.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        let text = shown(value);
        match (self.schema(name), value) {
            (Value::Duration { .. }, DeValue::Integer(_)) => Some(format!(
                "write {name} = \"{text}s\" for seconds, \"{text}ms\" for milliseconds"
            )),
            (Value::Integer { .. }, DeValue::String(text)) if text.parse::<u64>().is_ok() => {
                Some(format!("numbers stand without quotes: {name} = {text}"))
            }
            (Value::Duration { .. }, DeValue::Float(_)) => {
                let millis = text
                    .parse::<f64>()
                    .ok()
                    .map(|seconds| seconds * 1000.0)
                    .filter(|ms| (1.0..1e12).contains(ms) && ms.fract() == 0.0);
                millis.map(|millis| format!("write {name} = \"{millis}ms\""))
            }
            (Value::TableOrOff, DeValue::Boolean(false)) => Some(format!("write {name} = \"off\", or leave it out")),
            (Value::TableOrOff, DeValue::Boolean(true)) if name == "health" => {
                Some("write health = { kind = \"tcp\" }".to_owned())
            }
            (Value::TableOrOff, DeValue::Boolean(true)) if name == "persistence" => {
                Some("write persistence = { kind = \"cookie_insert\" }".to_owned())
            }
            (Value::Boolean, DeValue::Integer(_)) if text == "1" => Some(format!("write {name} = true")),
            (Value::Boolean, DeValue::Integer(_)) if text == "0" => Some(format!("write {name} = false")),
            (Value::Boolean, DeValue::String(text)) if matches!(&**text, "true" | "yes" | "on" | "1") => {
                Some(format!("write {name} = true"))
            }
            (Value::Boolean, DeValue::String(text)) if matches!(&**text, "false" | "no" | "off" | "0") => {
                Some(format!("write {name} = false"))
            }
            (Value::List(_), DeValue::String(text)) => Some(format!("write {name} = [\"{text}\"]")),
            (Value::TextOrList(_), DeValue::Boolean(_) | DeValue::Integer(_)) => {
                Some(format!("for example {name} = \"/etc/lbd/{name}.pem\""))
                    .filter(|_| name != "alpn" && name != "pins")
            }
            (Value::Table, DeValue::Boolean(true)) if name == "tls" && self.section().path == "pools" => {
                Some("write tls = {}: backends are verified against the system's roots then".to_owned())
            }
            (Value::Table, DeValue::Boolean(true)) if name == "tls" && self.section().path == "listeners" => {
                Some("write tls = { certificates = \"/etc/lbd/tls\" }, a file or a folder".to_owned())
            }
            (Value::Table, DeValue::Boolean(false)) if name == "tls" => Some("leave `tls` out".to_owned()),
            (Value::List(_), DeValue::Integer(_)) => Some(format!("write {name} = [{text}]")),
            (Value::Tables, DeValue::Table(_)) => Some(format!("write [[{path}]] with two brackets, once for each")),
            (Value::Table, DeValue::Array(_)) => Some(format!("write [{path}] with one bracket")),
            (Value::Word(words), _) if !words.contains(&&*text) => {
                match near::meant(self.section.path, name, &text, words) {
                    Some(Meant::Word(word, _)) => Some(format!("write {name} = \"{word}\"")),
                    _ => None,
                }
            }
            (Value::Text(_), DeValue::Integer(_)) if name == "address" => match self.section.path {
                "listeners" => Some(format!(
                    "write address = \"0.0.0.0:{text}\" for every IPv4 address of this machine"
                )),
                "pools.backends" => Some(format!("for this machine write address = \"127.0.0.1:{text}\"")),
                _ => None,
            },
            (Value::Text(_) | Value::Word(_), DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_)) => {
                Some(format!("put it in quotes: {name} = \"{text}\""))
            }
            (Value::Table, DeValue::Integer(_)) if name == "retries" => {
                Some(format!("write retries = {{ attempts = {text} }}"))
            }
            (Value::Table, DeValue::String(text)) if name == "log" => {
                Some(format!("write log = {{ access = \"{text}\" }}"))
            }
            (Value::Table, DeValue::String(text)) if name == "timeouts" => Some(format!(
                "each wait has its own: timeouts = {{ connect = \"{text}\", response = \"{text}\" }}"
            )),
            _ => None,
        }
    }
}

/// A problem with the text of a value.
pub(crate) fn explain(kind: Kind, what: &str, text: &str, span: Span, wrong: Wrong) -> Problem {
    let noun = match kind {
        Kind::BadAddress => "a usable address",
        Kind::BadDuration => "a duration",
        Kind::BadSize => "a size",
        Kind::BadRange => "an address range",
        Kind::BadName => "a usable name",
        Kind::BadHost => "a usable host",
        Kind::BadPath => "a usable path",
        Kind::BadStatus => "a status range",
        Kind::BadCookie => "good for a cookie",
        _ => "usable",
    };
    let problem = Problem::error(kind, format!("{what} is {text:?}, not {noun}")).at(span, wrong.label);
    match wrong.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

/// A short value as it stands in the file.
pub(crate) fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(integer) => integer.to_string(),
        DeValue::Float(float) => float.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) | DeValue::Table(_) => String::new(),
    }
}

pub(crate) const fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

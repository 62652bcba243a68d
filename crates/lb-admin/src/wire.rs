//! What requests and errors look like on the wire.

use crate::control::{ControlError, Order, Wish};
use crate::state::Backend;
use lb_health::Admin;
use lb_types::Weight;
use lb_types::nearest;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The body of every error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) error: ErrorText,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorText {
    pub(crate) kind: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) mend: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) near: Option<String>,
}

/// The body of `POST /v1/orders`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrdersBody {
    orders: Vec<OrderBody>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderBody {
    pool: String,
    backend: String,
    #[serde(default, deserialize_with = "present")]
    admin: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    weight: Option<Value>,
}

/// The body of `PUT .. /admin`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdminBody {
    admin: Value,
}

/// The body of `PUT .. /weight`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WeightBody {
    weight: Value,
}

/// The answer to `POST /v1/orders`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Backends {
    pub(crate) backends: Vec<Backend>,
}

/// Why a request is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("the body is no JSON: {0}")]
    Syntax(String),
    #[error("the body is not what this path takes: {0}")]
    Shape(String),
    #[error("`admin` is {word}, which is not known")]
    Admin { word: String, near: Option<String> },
    #[error("`weight` is {text}, out of range")]
    Weight { text: String },
    #[error("{count} orders at once, at most {most} are taken")]
    TooMany { count: usize, most: usize },
    #[error("the order for {backend:?} sets nothing")]
    Nothing { backend: String },
    #[error("{backend:?} has two orders")]
    Twice { backend: String },
}

impl RequestError {
    /// The status to answer with: 400 for what cannot be read, 422 for what can and is wrong.
    pub(crate) const fn status(&self) -> u16 {
        match self {
            Self::Syntax(_) => 400,
            _ => 422,
        }
    }

    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Syntax(_) => "bad_json",
            Self::Shape(_) => "bad_body",
            Self::Admin { .. } => "bad_admin",
            Self::Weight { .. } => "bad_weight",
            Self::TooMany { .. } => "too_many_orders",
            Self::Nothing { .. } => "empty_order",
            Self::Twice { .. } => "two_orders",
        }
    }

    pub(crate) fn text(&self) -> ErrorText {
        let mut near_word = None;
        let mend = match self {
            Self::Syntax(_) => "send one JSON object, such as {\"weight\": 5}".to_owned(),
            Self::Shape(_) => "docs/admin.md shows the body of each path".to_owned(),
            Self::Admin { near: Some(near), .. } => {
                near_word = Some(near.clone());
                format!("did you mean {near:?}?")
            }
            Self::Admin { near: None, .. } => {
                let words: Vec<String> = Admin::ALL.iter().map(|admin| format!("{:?}", admin.as_str())).collect();
                format!("one of {}, or null for what the configuration says", words.join(", "))
            }
            Self::Weight { .. } => {
                "a whole number from 0 (known clients only) to 256, or null for what the configuration says".to_owned()
            }
            Self::TooMany { .. } => "send them in several requests".to_owned(),
            Self::Nothing { .. } => {
                "give it `admin` or `weight`, or both; null means what the configuration says".to_owned()
            }
            Self::Twice { .. } => "put everything for one backend into one order".to_owned(),
        };
        ErrorText {
            kind: self.kind().to_owned(),
            message: self.to_string(),
            mend,
            near: near_word,
        }
    }
}

impl From<serde_json::Error> for RequestError {
    fn from(error: serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => Self::Shape(error.to_string()),
            _ => Self::Syntax(error.to_string()),
        }
    }
}

impl From<&ControlError> for ErrorText {
    fn from(error: &ControlError) -> Self {
        Self {
            kind: error.kind().to_owned(),
            message: error.to_string(),
            mend: error.mend().to_owned(),
            near: error.near().map(str::to_owned),
        }
    }
}

/// Reads the body of `POST /v1/orders`, at most `most` of them.
pub(crate) fn orders(body: &[u8], most: usize) -> Result<Vec<Order>, RequestError> {
    let body: OrdersBody = serde_json::from_slice(body)?;
    if body.orders.len() > most {
        return Err(RequestError::TooMany {
            count: body.orders.len(),
            most,
        });
    }
    let mut orders = Vec::with_capacity(body.orders.len());
    for one in body.orders {
        let mut order = Order::new(&one.pool, &one.backend);
        if let Some(value) = one.admin {
            order.admin = admin(&value)?;
        }
        if let Some(value) = one.weight {
            order.weight = weight(&value)?;
        }
        if order.admin == Wish::Keep && order.weight == Wish::Keep {
            return Err(RequestError::Nothing { backend: full(&order) });
        }
        orders.push(order);
    }
    let mut names: Vec<(&str, &str)> = orders.iter().map(|o| (o.pool.as_str(), o.backend.as_str())).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.array_windows().find(|[a, b]| a == b) {
        return Err(RequestError::Twice {
            backend: format!("{}/{}", twice.0, twice.1),
        });
    }
    Ok(orders)
}

/// Reads the body of `PUT .. /admin`.
pub(crate) fn admin_body(body: &[u8]) -> Result<Wish<Admin>, RequestError> {
    admin(&serde_json::from_slice::<AdminBody>(body)?.admin)
}

/// Reads the body of `PUT .. /weight`.
pub(crate) fn weight_body(body: &[u8]) -> Result<Wish<Weight>, RequestError> {
    weight(&serde_json::from_slice::<WeightBody>(body)?.weight)
}

/// Writes the body of `POST /v1/orders`.
pub(crate) fn write_orders(orders: &[Order]) -> Vec<u8> {
    let one = |order: &Order| {
        let mut map = Map::new();
        map.insert("pool".to_owned(), Value::from(order.pool.as_str()));
        map.insert("backend".to_owned(), Value::from(order.backend.as_str()));
        let mut put = |key: &str, wish: Option<Value>| {
            if let Some(value) = wish {
                map.insert(key.to_owned(), value);
            }
        };
        put("admin", written(order.admin, |admin| admin.as_str().into()));
        put("weight", written(order.weight, |weight| weight.get().into()));
        Value::Object(map)
    };
    let list = Value::Array(orders.iter().map(one).collect());
    let body: Map<String, Value> = [("orders".to_owned(), list)].into_iter().collect();
    Value::Object(body).to_string().into_bytes()
}

fn written<T>(wish: Wish<T>, show: impl FnOnce(T) -> Value) -> Option<Value> {
    match wish {
        Wish::Keep => None,
        Wish::Forget => Some(Value::Null),
        Wish::Set(value) => Some(show(value)),
    }
}

fn admin(value: &Value) -> Result<Wish<Admin>, RequestError> {
    match value {
        Value::Null => Ok(Wish::Forget),
        Value::String(word) => match Admin::ALL.iter().find(|admin| admin.as_str() == word) {
            Some(admin) => Ok(Wish::Set(*admin)),
            None => {
                let words = Admin::ALL.iter().map(|admin| admin.as_str());
                let other = OTHER_WORDS
                    .iter()
                    .find(|(other, _)| other == word)
                    .map(|(_, ours)| *ours);
                Err(RequestError::Admin {
                    word: shortened(value),
                    near: other.or_else(|| nearest(word, words)).map(str::to_owned),
                })
            }
        },
        other => Err(RequestError::Admin {
            word: shortened(other),
            near: None,
        }),
    }
}

fn weight(value: &Value) -> Result<Wish<Weight>, RequestError> {
    if value.is_null() {
        return Ok(Wish::Forget);
    }
    let weight = value.as_u64().and_then(|number| Weight::try_from(number).ok());
    weight
        .map(Wish::Set)
        .ok_or_else(|| RequestError::Weight { text: shortened(value) })
}

fn full(order: &Order) -> String {
    format!("{}/{}", order.pool, order.backend)
}

/// The value as JSON, as far as it is short.
fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("..".chars()).collect()
}

/// Tells `null` from a key that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Words of other programs, and of our own command line, for the same.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("maint", "maintenance"),
    ("maintain", "maintenance"),
    ("disable", "maintenance"),
    ("disabled", "maintenance"),
    ("enable", "ready"),
    ("enabled", "ready"),
    ("draining", "drain"),
];

/// So much of a wrong value is repeated.
const SHOWN: usize = 60;

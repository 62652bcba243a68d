//! Every key of the file: what it holds, its range, its default. The reader checks against this table, and a test
//! compares docs/configuration.md with it.

mod pool;
mod tls;

pub(crate) use pool::{
    AGENT, BACKENDS, HASH, HASH_WORDS, HEALTH, HEALTH_KINDS, PASSIVE, PERSISTENCE, POOL_LIMITS, POOL_TIMEOUTS, POOLS,
    RETRIES, STEPS,
};
use std::time::Duration;
pub(crate) use tls::{BACKEND_TLS, POOL_TLS, PROXY_OUT, PROXY_VERSIONS, SITES, TLS};

/// The keys that may stand in one table of the file.
#[derive(Debug)]
pub struct Section {
    /// As the reference writes it: `listeners.limits`. The top of the file is empty.
    pub path: &'static str,
    /// The keys, in the order of the reference.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// The name.
    pub name: &'static str,
    /// What it holds.
    pub value: Value,
    /// What holds without it, as it would be written; empty: nothing.
    pub default: &'static str,
}

/// What a key holds.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Integer {
        /// The smallest allowed.
        least: u64,
        /// The largest allowed.
        most: u64,
    },
    /// A duration, with its unit, in quotes.
    Duration {
        /// The shortest allowed.
        least: Duration,
        /// The longest allowed.
        most: Duration,
    },
    /// Bytes: a size with its unit in quotes, or a whole number.
    Size {
        /// The smallest allowed.
        least: u64,
        /// The largest allowed.
        most: u64,
        /// May the word `none` stand here?
        or_none: bool,
    },
    /// `true` or `false`.
    Boolean,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text with rules of its own, which the description names.
    Text(&'static str),
    /// A list.
    List(&'static str),
    /// A list of texts, or one of them alone.
    TextOrList(&'static str),
    /// A table.
    Table,
    /// A list of tables.
    Tables,
    /// A table, a list of tables or the word `off`.
    TableOrOff,
    /// One of these words, or a table.
    WordOrTable(&'static [&'static str]),
}

impl Section {
    /// The key of this name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Every table of the file.
pub const SECTIONS: &[&Section] = &[
    &ROOT,
    &LOG,
    &ADMIN,
    &LIMITS,
    &TIMEOUTS,
    &LISTENERS,
    &FORWARDED,
    &TLS,
    &SITES,
    &LISTENER_LIMITS,
    &LISTENER_TIMEOUTS,
    &ROUTES,
    &REDIRECT,
    &ROUTE_TIMEOUTS,
    &POOLS,
    &HASH,
    &BACKENDS,
    &BACKEND_TLS,
    &POOL_TLS,
    &PROXY_OUT,
    &PERSISTENCE,
    &HEALTH,
    &PASSIVE,
    &STEPS,
    &AGENT,
    &POOL_TIMEOUTS,
    &POOL_LIMITS,
    &RETRIES,
];

const fn key(name: &'static str, value: Value, default: &'static str) -> Key {
    Key { name, value, default }
}

const fn integer(least: u64, most: u64) -> Value {
    Value::Integer { least, most }
}

const fn millis(least: u64, most: u64) -> Value {
    Value::Duration {
        least: Duration::from_millis(least),
        most: Duration::from_millis(most),
    }
}

const fn size(least: u64, most: u64, or_none: bool) -> Value {
    Value::Size { least, most, or_none }
}

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;
const NAME: Value = Value::Text("a name: letters, digits and `.` `_` `-` `:`");
const NAME_OF_HOST: Value = Value::Text("the name of a host, or an IP address");

pub(crate) static ROOT: Section = Section {
    path: "",
    keys: &[
        key("version", integer(1, 1), ""),
        key("workers", integer(0, 1024), "0"),
        key("zone", NAME, ""),
        key("drain_timeout", millis(0, DAY), "\"30s\""),
        key("log", Value::Table, ""),
        key("admin", Value::Table, ""),
        key("limits", Value::Table, ""),
        key("timeouts", Value::Table, ""),
        key("listeners", Value::Tables, ""),
        key("pools", Value::Tables, ""),
    ],
};

pub(crate) static LOG: Section = Section {
    path: "log",
    keys: &[
        key(
            "access",
            Value::Text("`off`, `stdout`, `stderr` or an absolute path"),
            "\"off\"",
        ),
        key(
            "format",
            Value::Word(&["combined_timed", "combined_xff", "combined", "common", "json"]),
            "\"combined_timed\"",
        ),
        key("event_time", Value::Boolean, "false"),
    ],
};

pub(crate) static ADMIN: Section = Section {
    path: "admin",
    keys: &[
        key("socket", Value::Text("an absolute path"), "\"/run/lbd/admin.sock\""),
        key("mode", Value::Text("permissions in octal digits"), "\"0600\""),
        key("group", Value::Text("the name or number of a group"), ""),
    ],
};

const LIMIT_KEYS: [Key; 12] = [
    key("max_connections", integer(1, 10_000_000), "100000"),
    key("max_connections_per_client", integer(1, 1_048_575), ""),
    key("client_prefix_v4", integer(1, 32), "32"),
    key("client_prefix_v6", integer(1, 128), "64"),
    key("keep_alive_requests", integer(1, 1_000_000_000), "1000"),
    HEAD_BYTES,
    FIELDS,
    key("target_bytes", size(256, 1 << 20, false), "\"8KiB\""),
    key("body_bytes", size(0, 1 << 50, true), "\"none\""),
    key("min_body_rate", size(1, 1 << 30, true), "\"none\""),
    key("max_handshakes", integer(1, 1_000_000), "2000"),
    key("hello_bytes", size(1 << 10, 63 << 10, false), "\"16KiB\""),
];
const HEAD_BYTES: Key = key("head_bytes", size(1 << 10, 1 << 16, false), "\"16KiB\"");
/// 256 is the size of the codec's table.
const FIELDS: Key = key("fields", integer(1, 256), "100");

pub(crate) static LIMITS: Section = Section {
    path: "limits",
    keys: &LIMIT_KEYS,
};

const HANDSHAKE: Key = key("handshake", millis(1, HOUR), "\"10s\"");
const HEAD: Key = key("head", millis(1, HOUR), "\"10s\"");
const BODY: Key = key("body", millis(1, DAY), "\"30s\"");
const WRITE: Key = key("write", millis(1, DAY), "\"30s\"");
/// 0 is no limit: many a download or stream of events is meant to take hours.
const REQUEST: Key = key("request", millis(0, 7 * DAY), "\"0s\"");
const KEEP_ALIVE: Key = key("keep_alive", millis(1, DAY), "\"75s\"");
const EXPECT_CONTINUE: Key = key("expect_continue", millis(1, HOUR), "\"1s\"");
const TUNNEL: Key = key("tunnel", millis(1, 7 * DAY), "\"60s\"");
const IDLE: Key = key("idle", millis(1, 7 * DAY), "\"10m\"");
const CONNECT: Key = key("connect", millis(1, HOUR), "\"5s\"");
const RESPONSE: Key = key("response", millis(1, DAY), "\"60s\"");
/// Below the 2 s after which gunicorn closes an unused connection, the shortest default of widespread application servers.
const UPSTREAM_KEEP_ALIVE: Key = key("upstream_keep_alive", millis(0, DAY), "\"1500ms\"");

pub(crate) static TIMEOUTS: Section = Section {
    path: "timeouts",
    keys: &[
        HANDSHAKE,
        HEAD,
        BODY,
        WRITE,
        REQUEST,
        KEEP_ALIVE,
        EXPECT_CONTINUE,
        TUNNEL,
        IDLE,
        CONNECT,
        RESPONSE,
        UPSTREAM_KEEP_ALIVE,
    ],
};

const ALLOW: Key = key("allow", Value::List("address ranges"), "");
const ALLOW_FILES: Key = key("allow_files", Value::TextOrList("absolute paths of files"), "");
const DENY: Key = key("deny", Value::List("address ranges"), "");
const DENY_FILES: Key = key("deny_files", Value::TextOrList("absolute paths of files"), "");

pub(crate) static LISTENERS: Section = Section {
    path: "listeners",
    keys: &[
        key("name", NAME, "required"),
        key("address", Value::Text("an address with a port"), "required"),
        key("protocol", Value::Word(&["http", "tcp", "tls_passthrough"]), "\"http\""),
        key("pool", Value::Text("the name of a pool"), ""),
        key("routes", Value::Tables, ""),
        key("tls", Value::Table, ""),
        key("hsts", millis(0, 3650 * DAY), ""),
        key("redirect_to_https", Value::Boolean, "false"),
        key("proxy_protocol", Value::Word(&["accept", "require"]), ""),
        key("proxy_protocol_from", Value::List("address ranges"), ""),
        ALLOW,
        ALLOW_FILES,
        DENY,
        DENY_FILES,
        key("trusted_proxies", Value::List("address ranges"), "[]"),
        key(
            "query_characters",
            Value::Word(&["strict", "encode", "pass"]),
            "\"strict\"",
        ),
        key("forwarded", Value::Table, ""),
        key("abort_on_half_close", Value::Boolean, "false"),
        key("access_log", Value::Boolean, "true"),
        key("log_probes", Value::Boolean, "true"),
        key("backlog", integer(1, 65_535), "4096"),
        key(
            "socket_mode",
            Value::Text("an octal number, as chmod takes it"),
            "\"0660\"",
        ),
        key("socket_group", Value::Text("the name or number of a group"), ""),
        key("limits", Value::Table, ""),
        key("timeouts", Value::Table, ""),
    ],
};

pub(crate) static FORWARDED: Section = Section {
    path: "listeners.forwarded",
    keys: &[
        key("for", Value::Boolean, "true"),
        key("proto", Value::Boolean, "true"),
        key("port", Value::Boolean, "true"),
        key("drop_claims", Value::Boolean, "true"),
        key("client_cert", Value::Boolean, "false"),
        key("xfcc", Value::Boolean, "false"),
        key("client_verify", Value::Boolean, "false"),
    ],
};

pub(crate) static LISTENER_LIMITS: Section = Section {
    path: "listeners.limits",
    keys: &LIMIT_KEYS,
};

pub(crate) static LISTENER_TIMEOUTS: Section = Section {
    path: "listeners.timeouts",
    keys: &[
        HANDSHAKE,
        HEAD,
        BODY,
        WRITE,
        REQUEST,
        KEEP_ALIVE,
        EXPECT_CONTINUE,
        TUNNEL,
        IDLE,
        CONNECT,
        RESPONSE,
    ],
};

pub(crate) static ROUTES: Section = Section {
    path: "listeners.routes",
    keys: &[
        key("host", Value::Text("a host, or `*.` and a host"), ""),
        key("hosts", Value::List("hosts"), ""),
        key("path", Value::Text("a path prefix"), "\"/\""),
        key("alpn", Value::TextOrList("names of protocols"), ""),
        ALLOW,
        ALLOW_FILES,
        DENY,
        DENY_FILES,
        key("verified", Value::Boolean, "false"),
        key("plain", Value::Boolean, "false"),
        key("pool", Value::Text("the name of a pool"), ""),
        key("respond", integer(200, 599), ""),
        key("redirect", Value::Table, ""),
        key("timeouts", Value::Table, ""),
    ],
};

pub(crate) static REDIRECT: Section = Section {
    path: "listeners.routes.redirect",
    keys: &[
        key("to", Value::Text("a URL or a path"), "required"),
        key("status", integer(300, 399), "302"),
    ],
};

pub(crate) static ROUTE_TIMEOUTS: Section = Section {
    path: "listeners.routes.timeouts",
    keys: &[CONNECT, RESPONSE],
};

/// The version of the format that this program reads.
pub(crate) const VERSION: u64 = 1;

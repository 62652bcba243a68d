//! Every key of the file: what it holds, its range, its default. The reader checks against this table, and a test
//! compares docs/configuration.md with it.

use std::time::Duration;

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
    &LISTENER_LIMITS,
    &LISTENER_TIMEOUTS,
    &ROUTES,
    &REDIRECT,
    &ROUTE_TIMEOUTS,
    &POOLS,
    &HASH,
    &BACKENDS,
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

const LIMIT_KEYS: [Key; 7] = [
    key("max_connections", integer(1, 10_000_000), "100000"),
    key("keep_alive_requests", integer(1, 1_000_000_000), "1000"),
    HEAD_BYTES,
    FIELDS,
    key("target_bytes", size(256, 1 << 20, false), "\"8KiB\""),
    key("body_bytes", size(0, 1 << 50, true), "\"none\""),
    key("min_body_rate", size(1, 1 << 30, true), "\"none\""),
];
const HEAD_BYTES: Key = key("head_bytes", size(1 << 10, 1 << 16, false), "\"16KiB\"");
/// 256 is the size of the codec's table.
const FIELDS: Key = key("fields", integer(1, 256), "100");

pub(crate) static LIMITS: Section = Section {
    path: "limits",
    keys: &LIMIT_KEYS,
};

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

pub(crate) static LISTENERS: Section = Section {
    path: "listeners",
    keys: &[
        key("name", NAME, "required"),
        key("address", Value::Text("an address with a port"), "required"),
        key("protocol", Value::Word(&["http", "tcp"]), "\"http\""),
        key("pool", Value::Text("the name of a pool"), ""),
        key("routes", Value::Tables, ""),
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
    ],
};

pub(crate) static LISTENER_LIMITS: Section = Section {
    path: "listeners.limits",
    keys: &LIMIT_KEYS,
};

pub(crate) static LISTENER_TIMEOUTS: Section = Section {
    path: "listeners.timeouts",
    keys: &[
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

pub(crate) static POOLS: Section = Section {
    path: "pools",
    keys: &[
        key("name", NAME, "required"),
        key(
            "algorithm",
            Value::Word(&[
                "weighted_round_robin",
                "round_robin",
                "least_conn",
                "two_choices",
                "peak_ewma",
                "random",
                "ring",
                "maglev",
                "rendezvous",
                "first",
            ]),
            "\"weighted_round_robin\"",
        ),
        key("hash", Value::WordOrTable(HASH_WORDS), "\"source\""),
        key("bounded_load_percent", integer(101, 1000), ""),
        key("table_size", integer(3, 4_194_319), ""),
        key("ewma_decay", millis(100, HOUR), "\"10s\""),
        key("backup_below_percent", integer(0, 100), "0"),
        key("other_zones_below_percent", integer(0, 100), "70"),
        key("backends", Value::List("backends"), "required"),
        key("persistence", Value::TableOrOff, "\"off\""),
        key("health", Value::TableOrOff, "\"off\""),
        key("fail_open", Value::Word(&["never", "when_all_down"]), "\"never\""),
        key("fail_open_percent", integer(1, 100), ""),
        key("max_idle_connections", integer(0, 100_000), "512"),
        key("parsing", Value::Word(&["strict", "tolerant"]), "\"strict\""),
        key("timeouts", Value::Table, ""),
        key("limits", Value::Table, ""),
        key("retries", Value::Table, ""),
    ],
};

pub(crate) static BACKENDS: Section = Section {
    path: "pools.backends",
    keys: &[
        key("address", Value::Text("a host or address, with a port"), "required"),
        key("name", NAME, "the address"),
        key("weight", integer(0, 256), "1"),
        key("max_connections", integer(1, 1_000_000), ""),
        key("backup", Value::Boolean, "false"),
        key("priority", integer(0, 9), "0"),
        key("zone", NAME, ""),
        key("drain", Value::Boolean, "false"),
    ],
};

/// What `hash` may be without a table.
pub(crate) const HASH_WORDS: &[&str] = &["source", "url", "url_and_query"];

pub(crate) static HASH: Section = Section {
    path: "pools.hash",
    keys: &[
        key("kind", Value::Word(HASH_WORDS), ""),
        key("netmask_v4", integer(1, 32), "32"),
        key("netmask_v6", integer(1, 128), "128"),
        key("parameter", Value::Text("the name of a query parameter"), ""),
        key("header", Value::Text("the name of a header field"), ""),
        key("cookie", Value::Text("the name of a cookie"), ""),
    ],
};

pub(crate) static PERSISTENCE: Section = Section {
    path: "pools.persistence",
    keys: &[
        key("kind", Value::Word(&["client_ip", "cookie_insert"]), "required"),
        key("netmask_v4", integer(1, 32), "32"),
        key("netmask_v6", integer(1, 128), "128"),
        key("timeout", millis(SECOND, 30 * DAY), "\"30m\""),
        key("capacity", integer(1, 100_000_000), "100000"),
        key("when_full", Value::Word(&["refuse", "evict_oldest"]), "\"refuse\""),
        key("name", Value::Text("a cookie name"), ""),
        key("max_age", millis(SECOND, 400 * DAY), ""),
        key(
            "refresh",
            Value::Word(&["when_half_expired", "when_missing", "always"]),
            "\"when_half_expired\"",
        ),
        key("path", Value::Text("a path"), "\"/\""),
        key("domain", Value::Text("a domain"), ""),
        key("secure", Value::Boolean, "false"),
        key("http_only", Value::Boolean, "true"),
        key("same_site", Value::Word(&["lax", "strict", "none"]), ""),
        key("partitioned", Value::Boolean, "false"),
        key("mark_private", Value::Boolean, "true"),
        key("forward_to_backend", Value::Boolean, "false"),
        key("secret", Value::Text("at least 16 characters"), ""),
        key("secret_file", Value::Text("a path"), ""),
    ],
};

/// What `pools.health.kind` may be.
pub(crate) const HEALTH_KINDS: &[&str] = &[
    "http",
    "tcp",
    "syn",
    "udp",
    "redis",
    "memcached",
    "smtp",
    "mysql",
    "postgresql",
    "passive",
];

pub(crate) static HEALTH: Section = Section {
    path: "pools.health",
    keys: &[
        key("kind", Value::Word(HEALTH_KINDS), "required"),
        key("interval", millis(10, HOUR), "\"5s\""),
        key("interval_down", millis(10, HOUR), "`interval`"),
        key("interval_changing", millis(10, HOUR), ""),
        key("timeout", millis(1, HOUR / 12), "\"2s\""),
        key("jitter_percent", integer(0, 50), "10"),
        key("rise", integer(1, 1_000), "3"),
        key("fall", integer(1, 1_000), "3"),
        key("max_failures", integer(1, 1_000), ""),
        key("passive", Value::Table, ""),
        key("slow_start", millis(0, HOUR), "\"0s\""),
        key("slow", millis(1, HOUR / 12), ""),
        key("address", Value::Text("an address"), "the backend's"),
        key("port", integer(1, 65_535), "the backend's"),
        key("source", Value::Text("an address of this machine"), ""),
        key("interface", Value::Text("a network interface"), ""),
        key("proxy_protocol", Value::Word(&["v1", "v2", "v2_local"]), ""),
        key("when_not_permitted", Value::Word(&["connect", "refuse"]), "\"connect\""),
        key("path", Value::Text("a path"), "\"/\""),
        key("method", Value::Word(&["GET", "HEAD", "OPTIONS"]), "\"GET\""),
        key("host", Value::Text("the `Host` field"), "the backend's address"),
        key("status", Value::List("status codes and ranges"), "[\"200-399\"]"),
        key("body", Value::Text("text that the answer contains"), ""),
        key("body_bytes", size(1, 1 << 20, false), "\"64KiB\""),
        key("location", Value::Text("where the answer redirects to"), ""),
        key("headers", Value::List("header fields"), "[]"),
        key("user_agent", Value::Text("the `User-Agent` field"), ""),
        key("send", Value::Text("text to send"), ""),
        key("send_hex", Value::Text("bytes to send"), ""),
        key("expect", Value::Text("text that the answer contains"), ""),
        key("expect_hex", Value::Text("bytes that the answer contains"), ""),
        key("steps", Value::Tables, ""),
        key("read_bytes", size(1, 1 << 20, false), "\"64KiB\""),
        key("silence", Value::Word(&["down", "up"]), "\"down\""),
        key("user", Value::Text("a user without password"), ""),
        key("agent", Value::Table, ""),
    ],
};

pub(crate) static STEPS: Section = Section {
    path: "pools.health.steps",
    keys: &[
        key("send", Value::Text("text to send"), ""),
        key("send_hex", Value::Text("bytes to send"), ""),
        key("expect", Value::Text("text that the answer contains"), ""),
        key("expect_hex", Value::Text("bytes that the answer contains"), ""),
    ],
};

pub(crate) static AGENT: Section = Section {
    path: "pools.health.agent",
    keys: &[
        key("port", integer(1, 65_535), "required"),
        key("address", Value::Text("an address"), "the backend's"),
        key("interval", millis(10, HOUR), "\"2s\""),
        key("timeout", millis(1, HOUR / 12), "`interval`"),
        key("send", Value::Text("text to send first"), ""),
        key("send_hex", Value::Text("bytes to send first"), ""),
    ],
};

pub(crate) static PASSIVE: Section = Section {
    path: "pools.health.passive",
    keys: &[
        key("max_failures", integer(1, 1_000), ""),
        key("success_rate_percent", integer(1, 100), ""),
        key("latency_factor", integer(2, 100), ""),
        key("latency_least", millis(0, HOUR), "\"10ms\""),
        key("min_requests", integer(1, 1_000_000), "20"),
        key("window", millis(SECOND, HOUR), "\"10s\""),
        key("server_errors", Value::Boolean, "true"),
        key("eject_for", millis(10, HOUR), ""),
        key("eject_at_most", millis(10, DAY), "\"5m\""),
        key("max_ejected_percent", integer(0, 100), "50"),
    ],
};

pub(crate) static POOL_TIMEOUTS: Section = Section {
    path: "pools.timeouts",
    keys: &[CONNECT, RESPONSE, UPSTREAM_KEEP_ALIVE],
};

pub(crate) static POOL_LIMITS: Section = Section {
    path: "pools.limits",
    keys: &[HEAD_BYTES, FIELDS],
};

pub(crate) static RETRIES: Section = Section {
    path: "pools.retries",
    keys: &[
        key("attempts", integer(0, 10), "2"),
        key("budget_percent", integer(0, 100), "20"),
    ],
};

/// The version of the format that this program reads.
pub(crate) const VERSION: u64 = 1;

//! The keys of a pool.

use super::{
    CONNECT, DAY, FIELDS, HEAD_BYTES, HOUR, NAME, PROXY_VERSIONS, RESPONSE, SECOND, Section, UPSTREAM_KEEP_ALIVE,
    Value, integer, key, millis, size,
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
        key("tls", Value::Table, ""),
        key("proxy_protocol", Value::WordOrTable(PROXY_VERSIONS), ""),
        key("transparent", Value::Boolean, "false"),
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
        key("tls", Value::Table, ""),
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
        key("tls", Value::Boolean, "as the pool"),
        key("starttls", Value::Boolean, "false"),
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

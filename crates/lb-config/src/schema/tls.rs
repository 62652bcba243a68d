//! The keys of TLS, on both sides.

use super::{DAY, Key, NAME_OF_HOST, SECOND, Section, Value, integer, key, millis};

/// What [`min_version`](MIN_VERSION) and [`max_version`](MAX_VERSION) may be.
const VERSIONS: Value = Value::Word(&["1.2", "1.3"]);
const PATHS: Value = Value::TextOrList("absolute paths of files or folders");
const FILES: Value = Value::TextOrList("absolute paths of files");
const PASSWORD_FILE: Key = key("password_file", Value::Text("an absolute path"), "");
const MIN_VERSION: Key = key("min_version", VERSIONS, "\"1.2\"");
const MAX_VERSION: Key = key("max_version", VERSIONS, "\"1.3\"");
const CLIENT_AUTH: Value = Value::Word(&["none", "optional", "required"]);
const REFUSE: Value = Value::Word(&["refuse", "accept"]);
/// More intermediates are never followed.
const DEPTH: Value = integer(0, 6);

pub(crate) static TLS: Section = Section {
    path: "listeners.tls",
    keys: &[
        key("certificates", PATHS, ""),
        PASSWORD_FILE,
        key("strict_sni", Value::Boolean, "false"),
        MIN_VERSION,
        MAX_VERSION,
        key("server_order", Value::Boolean, "true"),
        key("ticket_secret_file", Value::Text("an absolute path"), ""),
        key("ticket_lifetime", millis(60 * SECOND, 7 * DAY), "\"12h\""),
        key("session_cache", integer(0, 10_000_000), "20480"),
        key("client_auth", CLIENT_AUTH, "\"none\""),
        key("authorities", FILES, ""),
        key("crl", FILES, ""),
        key("expired_crl", REFUSE, "\"refuse\""),
        key("missing_crl", REFUSE, "\"refuse\""),
        key("depth", DEPTH, "6"),
        key("sites", Value::Tables, ""),
    ],
};

const INHERITED: &str = "the listener's";

pub(crate) static SITES: Section = Section {
    path: "listeners.tls.sites",
    keys: &[
        key("names", Value::List("hosts"), "required"),
        key("certificates", PATHS, INHERITED),
        key("password_file", Value::Text("an absolute path"), INHERITED),
        key("min_version", VERSIONS, INHERITED),
        key("max_version", VERSIONS, INHERITED),
        key("client_auth", CLIENT_AUTH, INHERITED),
        key("authorities", FILES, INHERITED),
        key("crl", FILES, INHERITED),
        key("expired_crl", REFUSE, INHERITED),
        key("missing_crl", REFUSE, INHERITED),
        key("depth", DEPTH, INHERITED),
    ],
};

pub(crate) static POOL_TLS: Section = Section {
    path: "pools.tls",
    keys: &[
        key(
            "roots",
            Value::TextOrList("`system`, or absolute paths of files"),
            "\"system\"",
        ),
        key("server_name", NAME_OF_HOST, "the backend's host"),
        key("sni", Value::Boolean, "true"),
        key("pins", Value::TextOrList("fingerprints"), "[]"),
        key("verify", Value::Word(&["full", "none"]), "\"full\""),
        key("certificates", PATHS, ""),
        PASSWORD_FILE,
        MIN_VERSION,
        MAX_VERSION,
    ],
};

pub(crate) static BACKEND_TLS: Section = Section {
    path: "pools.backends.tls",
    keys: &[key("server_name", NAME_OF_HOST, "the pool's")],
};

/// What a pool's `proxy_protocol` may be without a table.
pub(crate) const PROXY_VERSIONS: &[&str] = &["v1", "v2"];

pub(crate) static PROXY_OUT: Section = Section {
    path: "pools.proxy_protocol",
    keys: &[
        key("version", Value::Word(PROXY_VERSIONS), "\"v2\""),
        key("crc", Value::Boolean, "false"),
        key("tlvs", Value::List("kinds of values"), "[]"),
    ],
};

//! What may have been meant: the nearest word, and the words that other programs use for the same thing.

use crate::schema::{SECTIONS, Section};
use crate::{Kind, Problem, Span};

/// A key that the section does not know.
pub(crate) fn unknown_key(key: &str, span: Span, section: &'static Section) -> Problem {
    let place = match section.path {
        "" => "at the top of the file".to_owned(),
        path => format!("in `{path}`"),
    };
    let problem =
        Problem::error(Kind::UnknownKey, format!("unknown key `{key}` {place}")).at(span, "nobody reads this key");
    let here = || section.keys.iter().map(|key| key.name);
    if let Some(meant) = nearest(key, here()) {
        return problem.help(format!("did you mean `{meant}`?"));
    }
    if let Some((_, meant)) = ELSEWHERE
        .iter()
        .find(|(other, meant)| *other == plain(key) && section.key(meant).is_some())
    {
        return problem.help(format!("did you mean `{meant}`? That is its name here"));
    }
    let homes: Vec<_> = SECTIONS
        .iter()
        .filter(|home| home.key(key).is_some())
        .map(|home| {
            if home.path.is_empty() {
                "the top of the file".to_owned()
            } else {
                format!("`{}`", home.path)
            }
        })
        .collect();
    if !homes.is_empty() {
        return problem.help(format!("`{key}` belongs to {}", join(&homes, "or")));
    }
    let known: Vec<_> = here().map(|name| format!("`{name}`")).collect();
    problem.help(format!("known keys: {}", known.join(", ")))
}

/// Is the unknown `key` probably meant to be `name`?
pub(crate) fn means(key: &str, name: &str, section: &'static Section) -> bool {
    let here = section.keys.iter().map(|key| key.name);
    section.key(key).is_none() && synonym(key, section).or_else(|| nearest(key, here)) == Some(name)
}

/// What another program's word for a key is here.
pub(crate) fn our_word(word: &str) -> Option<&'static str> {
    ELSEWHERE
        .iter()
        .find(|(other, _)| *other == plain(word))
        .map(|(_, ours)| *ours)
}

fn synonym(key: &str, section: &'static Section) -> Option<&'static str> {
    let found = ELSEWHERE
        .iter()
        .find(|(other, ours)| *other == plain(key) && section.key(ours).is_some());
    found.map(|(_, ours)| *ours)
}

/// A word that is none of the words allowed.
pub(crate) fn unknown_word(key: &str, word: &str, span: Span, words: &[&'static str]) -> Problem {
    let all: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let problem = Problem::error(Kind::UnknownValue, format!("`{key}` is {word:?}, which is not known"))
        .at(span, format!("expected {}", join(&all, "or")));
    if let Some((.., help)) = SENTENCES
        .iter()
        .find(|(of, other, _)| *of == key && *other == plain(word))
    {
        return problem.help(*help);
    }
    let other = || {
        let found = OTHER_WORDS
            .iter()
            .find(|(other, meant)| *other == plain(word) && words.contains(meant));
        found.map(|(_, meant)| *meant)
    };
    match other().or_else(|| nearest(word, words.iter().copied())) {
        Some(meant) => problem.help(format!("did you mean \"{meant}\"?")),
        None => problem,
    }
}

/// The known word that `word` is a slip of. At most one letter in three may differ.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = plain(word);
    known
        .map(|name| (strsim::damerau_levenshtein(&word, &plain(name)), name))
        .filter(|(distance, name)| *distance <= name.len().min(word.len()).div_ceil(3).min(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `A, B or C`.
pub(crate) fn join(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn plain(word: &str) -> String {
    word.to_ascii_lowercase().replace(['-', ' '], "_")
}

/// Longer words are no slips; comparing them costs the square of their length.
const LONGEST: usize = 64;

/// Keys of haproxy, nginx, Caddy and Traefik, and ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("bind", "address"),
    ("stats", "admin"),
    ("stats_socket", "admin"),
    ("api", "admin"),
    ("control", "admin"),
    ("listen", "address"),
    ("url", "address"),
    ("server", "backends"),
    ("servers", "backends"),
    ("servers", "pools"),
    ("server", "pools"),
    ("upstream", "pool"),
    ("upstreams", "pools"),
    ("backend", "pool"),
    ("backends", "pools"),
    ("default_backend", "pool"),
    ("proxy_pass", "pool"),
    ("reverse_proxy", "pool"),
    ("frontend", "listeners"),
    ("frontends", "listeners"),
    ("entrypoints", "listeners"),
    ("cluster", "pools"),
    ("clusters", "pools"),
    ("services", "pools"),
    ("balance", "algorithm"),
    ("lb_policy", "algorithm"),
    ("strategy", "algorithm"),
    ("hash_key", "hash"),
    ("hash_by", "hash"),
    ("hash_type", "algorithm"),
    ("hash_balance_factor", "bounded_load_percent"),
    ("bounded_load", "bounded_load_percent"),
    ("decay", "ewma_decay"),
    ("url_param", "parameter"),
    ("query", "parameter"),
    ("hdr", "header"),
    ("locality", "zone"),
    ("region", "zone"),
    ("availability_zone", "zone"),
    ("mode", "protocol"),
    ("maxconn", "max_connections"),
    ("max_conns", "max_connections"),
    ("maxconnections", "max_connections"),
    ("inter", "interval"),
    ("uri", "path"),
    ("prefix", "path"),
    ("path_prefix", "path"),
    ("server_name", "host"),
    ("domains", "hosts"),
    ("check", "health"),
    ("health_check", "health"),
    ("healthcheck", "health"),
    ("sticky", "persistence"),
    ("stickiness", "persistence"),
    ("session", "persistence"),
    ("return", "respond"),
    ("nbthread", "workers"),
    ("threads", "workers"),
    ("worker_processes", "workers"),
    ("http_request", "head"),
    ("client", "body"),
    ("server_timeout", "response"),
    ("read", "response"),
    ("keepalive_timeout", "keep_alive"),
    ("http_keep_alive", "keep_alive"),
    ("keepalive_requests", "keep_alive_requests"),
    ("client_max_body_size", "body_bytes"),
    ("max_body_size", "body_bytes"),
    ("expect", "status"),
    ("samesite", "same_site"),
    ("httponly", "http_only"),
    ("maxage", "max_age"),
    ("expire", "max_age"),
    ("slowstart", "slow_start"),
    ("set_real_ip_from", "trusted_proxies"),
    ("trusted", "trusted_proxies"),
    ("forwardfor", "forwarded"),
    ("x_forwarded_for", "for"),
];

/// Words of other programs that are two keys here: key, word, what to write.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("algorithm", "source", BY_SOURCE),
    (
        "algorithm",
        "ip_hash",
        "write algorithm = \"ring\"; like ip_hash: hash = { kind = \"source\", netmask_v4 = 24 }",
    ),
    ("algorithm", "source_ip", BY_SOURCE),
    ("algorithm", "sh", BY_SOURCE),
    ("algorithm", "uri", "write algorithm = \"ring\" and hash = \"url\""),
    ("algorithm", "url", "write algorithm = \"ring\" and hash = \"url\""),
    (
        "algorithm",
        "url_param",
        "write algorithm = \"ring\" and hash = { parameter = \"..\" }",
    ),
    (
        "algorithm",
        "hdr",
        "write algorithm = \"ring\" and hash = { header = \"..\" }",
    ),
    (
        "algorithm",
        "cookie",
        "write algorithm = \"ring\" and hash = { cookie = \"..\" }",
    ),
    (
        "algorithm",
        "hash",
        "write algorithm = \"ring\", and in `hash` what to place by",
    ),
    (
        "algorithm",
        "consistent",
        "write algorithm = \"ring\", and in `hash` what to place by",
    ),
    (
        "algorithm",
        "consistent_hash",
        "write algorithm = \"ring\", and in `hash` what to place by",
    ),
    ("kind", "hash", HASH_IS_OF_THE_POOL),
    ("kind", "source_hash", HASH_IS_OF_THE_POOL),
    ("kind", "target_hash", HASH_IS_OF_THE_POOL),
    ("kind", "url_hash", HASH_IS_OF_THE_POOL),
    ("kind", "uri", HASH_IS_OF_THE_POOL),
];

const HASH_IS_OF_THE_POOL: &str =
    "placing by a hash is the algorithm's work: write algorithm = \"ring\" and `hash` in the pool itself";

const BY_SOURCE: &str = "write algorithm = \"ring\"; it places by the client's address unless `hash` says otherwise";

/// Words of other programs for our values.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("roundrobin", "weighted_round_robin"),
    ("rr", "round_robin"),
    ("wrr", "weighted_round_robin"),
    ("leastconn", "least_conn"),
    ("least_connections", "least_conn"),
    ("least_connection", "least_conn"),
    ("wlc", "least_conn"),
    ("static_rr", "weighted_round_robin"),
    ("least_request", "two_choices"),
    ("random_two_least_conn", "two_choices"),
    ("p2c", "two_choices"),
    ("power_of_two", "two_choices"),
    ("least_time", "peak_ewma"),
    ("ewma", "peak_ewma"),
    ("latency", "peak_ewma"),
    ("ketama", "ring"),
    ("ring_hash", "ring"),
    ("hrw", "rendezvous"),
    ("highest_random_weight", "rendezvous"),
    ("first_available", "first"),
    ("ip", "source"),
    ("src", "source"),
    ("client_ip", "source"),
    ("source_ip", "source"),
    ("ip_hash", "source"),
    ("remote_addr", "source"),
    ("uri", "url"),
    ("path", "url"),
    ("destination", "url"),
    ("request_uri", "url_and_query"),
    ("ip_hash", "client_ip"),
    ("source", "client_ip"),
    ("source_ip", "client_ip"),
    ("cookie", "cookie_insert"),
    ("sticky", "cookie_insert"),
    ("https", "http"),
    ("http1", "http"),
    ("stream", "tcp"),
    ("l4", "tcp"),
    ("connect", "tcp"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_understood_and_other_words_are_not() {
        let known = ["address", "name", "pool", "routes", "keep_alive"];
        let near = |word| nearest(word, known.iter().copied());
        assert_eq!(near("adress"), Some("address"));
        assert_eq!(near("addres"), Some("address"));
        assert_eq!(near("Keep-Alive"), Some("keep_alive"));
        assert_eq!(near("route"), Some("routes"));
        assert_eq!(near("poool"), Some("pool"));
        assert_eq!(near("colour"), None);
        assert_eq!(near("x"), None);
        assert_eq!(near(&"a".repeat(100_000)), None);
    }
}

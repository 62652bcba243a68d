//! From a plan back to text. What has its default value is left out.

use crate::grammar::{show_duration, show_size};
use crate::plan::{
    AccessLog, Action, Backend, Check, ClientTimeouts, CookieInsert, Forward, Health, Http, Limits, Listener, Log,
    Persistence, Plan, Pool, ProbeMethod, Route, Service, UpstreamTimeouts,
};
use crate::resolve::Scope;
use crate::schema::{HEALTH, LISTENERS, LOG, PERSISTENCE, POOLS, RETRIES, ROOT, Section};
use lb_balance::FailOpen;
use lb_persist::{Refresh, SameSite};
use lb_sched::Algorithm;
use lb_types::Weight;
use std::fmt::{Display, Write};
use std::time::Duration;

impl Plan {
    /// The configuration file that means this plan. What has its default value is left out; everything else is said
    /// where it is narrowest: at the listener, the route or the pool. Reads back as the same plan, if host names still
    /// have the same addresses.
    ///
    /// A secret that did not come from a file is written in clear: mind who may read the text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Text(String::from("version = 1\n"));
        out.set_unless(&ROOT, "workers", self.workers);
        out.duration_unless(&ROOT, "drain_timeout", self.drain_timeout);
        log(&mut out, &self.log);
        for listener in &self.listeners {
            listener_text(&mut out, self, listener);
        }
        for pool in &self.pools {
            pool_text(&mut out, pool);
        }
        out.0
    }
}

/// TOML in the making.
struct Text(String);

impl Text {
    fn header(&mut self, header: &str) {
        self.0.push('\n');
        self.0.push_str(header);
        self.0.push('\n');
    }

    fn line(&mut self, key: &str, value: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.line(key, quoted(value));
    }

    fn set_unless(&mut self, section: &'static Section, key: &'static str, value: impl Display) {
        if let Some(value) = unless(section, key, value.to_string()) {
            self.line(key, value);
        }
    }

    fn text_unless(&mut self, section: &'static Section, key: &'static str, value: &str) {
        self.set_unless(section, key, quoted(value));
    }

    fn duration_unless(&mut self, section: &'static Section, key: &'static str, value: Duration) {
        self.text_unless(section, key, &show_duration(value));
    }

    /// A table of the pairs that differ from what holds anyway; nothing when all agree.
    fn table(&mut self, key: &str, pairs: &[(&str, String, String)]) {
        let differing: Vec<String> = pairs
            .iter()
            .filter(|(_, value, usual)| value != usual)
            .map(|(name, value, _)| format!("{name} = {value}"))
            .collect();
        if !differing.is_empty() {
            self.line(key, format_args!("{{ {} }}", differing.join(", ")));
        }
    }
}

fn unless(section: &'static Section, key: &str, value: String) -> Option<String> {
    let default = section.key(key).map_or("", |key| key.default);
    (default != value).then_some(value)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn seconds(duration: Duration) -> String {
    quoted(&show_duration(duration))
}

fn log(out: &mut Text, log: &Log) {
    let access = match &log.access {
        AccessLog::Off => "off".to_owned(),
        AccessLog::Stdout => "stdout".to_owned(),
        AccessLog::Stderr => "stderr".to_owned(),
        AccessLog::File(path) => path.display().to_string(),
    };
    let lines = [
        ("access", unless(&LOG, "access", quoted(&access))),
        ("format", unless(&LOG, "format", quoted(log.format.as_str()))),
    ];
    if lines.iter().any(|(_, value)| value.is_some()) {
        out.header("[log]");
    }
    for (key, value) in lines {
        if let Some(value) = value {
            out.line(key, value);
        }
    }
}

fn listener_text(out: &mut Text, plan: &Plan, listener: &Listener) {
    out.header("[[listeners]]");
    out.text("name", &listener.name);
    out.text("address", &listener.address.to_string());
    let name = |forward: &Forward| plan.pools.get(forward.pool).map_or("", |pool| pool.name.as_str());
    match &listener.service {
        Service::Tcp(tcp) => {
            out.text("protocol", "tcp");
            out.text("pool", name(&tcp.forward));
            common(out, listener);
            let scope = Scope::default();
            let usual = scope.upstream();
            out.table("limits", &[max_connections(listener)]);
            // `response` is no key of a tcp listener: it can only have come from further out, and means nothing here.
            out.table(
                "timeouts",
                &[
                    ("idle", seconds(tcp.idle), seconds(scope.duration("idle"))),
                    ("connect", seconds(tcp.forward.timeouts.connect), seconds(usual.connect)),
                ],
            );
        }
        Service::Http(http) => {
            if let Some(forward) = &http.forward {
                out.text("pool", name(forward));
            }
            common(out, listener);
            http_text(out, listener, http);
            let own = http
                .forward
                .as_ref()
                .map_or_else(UpstreamTimeouts::default, |forward| forward.timeouts);
            for route in &http.routes {
                route_text(out, route, own, name);
            }
        }
    }
}

fn common(out: &mut Text, listener: &Listener) {
    out.set_unless(&LISTENERS, "access_log", listener.access_log);
    out.set_unless(&LISTENERS, "backlog", listener.backlog);
}

fn max_connections(listener: &Listener) -> (&'static str, String, String) {
    let usual = Scope::default().count("max_connections");
    (
        "max_connections",
        listener.max_connections.to_string(),
        usual.to_string(),
    )
}

fn http_text(out: &mut Text, listener: &Listener, http: &Http) {
    if !http.trusted_proxies.is_empty() {
        let ranges: Vec<String> = http
            .trusted_proxies
            .iter()
            .map(|range| quoted(&range.to_string()))
            .collect();
        out.line("trusted_proxies", format_args!("[{}]", ranges.join(", ")));
    }
    out.set_unless(&LISTENERS, "abort_on_half_close", http.abort_on_half_close);
    let scope = Scope::default();
    let mut pairs = vec![
        max_connections(listener),
        (
            "keep_alive_requests",
            http.keep_alive_requests.to_string(),
            scope.count("keep_alive_requests").to_string(),
        ),
    ];
    pairs.extend(limit_pairs(&http.limits));
    out.table("limits", &pairs);
    let own = http
        .forward
        .as_ref()
        .map_or_else(UpstreamTimeouts::default, |forward| forward.timeouts);
    let mut pairs = client_pairs(&http.timeouts, &scope.client());
    pairs.extend(upstream_pairs(own, UpstreamTimeouts::default()));
    out.table("timeouts", &pairs);
}

fn limit_pairs(limits: &Limits) -> Vec<(&'static str, String, String)> {
    let usual = Scope::default().limits();
    let bytes = |bytes: usize| quoted(&show_size(u64::try_from(bytes).unwrap_or(u64::MAX)));
    let body = |limit: Option<u64>| quoted(&limit.map_or_else(|| "none".to_owned(), show_size));
    vec![
        ("head_bytes", bytes(limits.head_bytes), bytes(usual.head_bytes)),
        ("fields", limits.fields.to_string(), usual.fields.to_string()),
        ("target_bytes", bytes(limits.target_bytes), bytes(usual.target_bytes)),
        ("body_bytes", body(limits.body_bytes), body(usual.body_bytes)),
    ]
}

fn client_pairs(timeouts: &ClientTimeouts, usual: &ClientTimeouts) -> Vec<(&'static str, String, String)> {
    let pair = |name, value: fn(&ClientTimeouts) -> Duration| (name, seconds(value(timeouts)), seconds(value(usual)));
    vec![
        pair("head", |timeouts| timeouts.head),
        pair("body", |timeouts| timeouts.body),
        pair("write", |timeouts| timeouts.write),
        pair("keep_alive", |timeouts| timeouts.keep_alive),
        pair("expect_continue", |timeouts| timeouts.expect_continue),
        pair("tunnel", |timeouts| timeouts.tunnel),
    ]
}

fn upstream_pairs(timeouts: UpstreamTimeouts, usual: UpstreamTimeouts) -> Vec<(&'static str, String, String)> {
    vec![
        ("connect", seconds(timeouts.connect), seconds(usual.connect)),
        ("response", seconds(timeouts.response), seconds(usual.response)),
    ]
}

fn route_text<'a>(out: &mut Text, route: &Route, own: UpstreamTimeouts, name: impl Fn(&Forward) -> &'a str) {
    out.header("[[listeners.routes]]");
    match route.hosts.as_slice() {
        [] => {}
        [host] => out.text("host", host),
        hosts => {
            let hosts: Vec<String> = hosts.iter().map(|host| quoted(host)).collect();
            out.line("hosts", format_args!("[{}]", hosts.join(", ")));
        }
    }
    out.text_unless(&crate::schema::ROUTES, "path", &route.path);
    match &route.action {
        Action::Forward(forward) => {
            out.text("pool", name(forward));
            out.table("timeouts", &upstream_pairs(forward.timeouts, own));
        }
        Action::Respond(status) => out.line("respond", status),
        Action::Redirect { status, to } => {
            out.line("redirect", format_args!("{{ to = {}, status = {status} }}", quoted(to)));
        }
    }
}

fn pool_text(out: &mut Text, pool: &Pool) {
    out.header("[[pools]]");
    out.text("name", &pool.name);
    if pool.algorithm != Algorithm::default() {
        out.text("algorithm", pool.algorithm.word());
    }
    let backends: Vec<String> = pool.backends.iter().map(backend_text).collect();
    let one_line = backends.join(", ");
    if one_line.len() <= LINE {
        out.line("backends", format_args!("[{one_line}]"));
    } else {
        out.line("backends", format_args!("[\n    {},\n]", backends.join(",\n    ")));
    }
    match pool.fail_open {
        FailOpen::WhenAllDown => out.text("fail_open", "when_all_down"),
        FailOpen::Below { percent } => out.line("fail_open_percent", percent),
        _ => {}
    }
    out.set_unless(&POOLS, "max_idle_connections", pool.max_idle_connections);
    let usual = seconds(Scope::default().duration("upstream_keep_alive"));
    out.table("timeouts", &[("upstream_keep_alive", seconds(pool.keep_alive), usual)]);
    let limits: Vec<_> = limit_pairs(&pool.limits)
        .into_iter()
        .filter(|(name, ..)| matches!(*name, "head_bytes" | "fields"))
        .collect();
    out.table("limits", &limits);
    let small = |name| RETRIES.key(name).map_or("", |key| key.default).to_owned();
    out.table(
        "retries",
        &[
            ("attempts", pool.retries.attempts.to_string(), small("attempts")),
            (
                "budget_percent",
                pool.retries.budget_percent.to_string(),
                small("budget_percent"),
            ),
        ],
    );
    let several = pool.persistence.len() > 1;
    for way in &pool.persistence {
        out.header(if several {
            "[[pools.persistence]]"
        } else {
            "[pools.persistence]"
        });
        persistence_text(out, way);
    }
    if let Some(health) = &pool.health {
        out.header("[pools.health]");
        health_text(out, health);
    }
}

fn backend_text(backend: &Backend) -> String {
    let mut pairs = vec![format!("address = {}", quoted(&backend.address_text))];
    if backend.name != backend.address_text {
        pairs.push(format!("name = {}", quoted(&backend.name)));
    }
    if backend.weight != Weight::ONE {
        pairs.push(format!("weight = {}", backend.weight.get()));
    }
    if let Some(most) = backend.max_connections {
        pairs.push(format!("max_connections = {most}"));
    }
    if backend.drain {
        pairs.push("drain = true".to_owned());
    }
    if pairs.len() == 1 {
        quoted(&backend.address_text)
    } else {
        format!("{{ {} }}", pairs.join(", "))
    }
}

fn persistence_text(out: &mut Text, way: &Persistence) {
    match way {
        Persistence::ClientIp(client) => {
            out.text("kind", "client_ip");
            out.set_unless(&PERSISTENCE, "netmask_v4", client.netmask_v4);
            out.set_unless(&PERSISTENCE, "netmask_v6", client.netmask_v6);
            out.duration_unless(&PERSISTENCE, "timeout", client.timeout);
            out.set_unless(&PERSISTENCE, "capacity", client.capacity);
            out.text_unless(
                &PERSISTENCE,
                "when_full",
                if client.evict_oldest { "evict_oldest" } else { "refuse" },
            );
        }
        Persistence::CookieInsert(cookie) => cookie_text(out, cookie),
    }
}

fn cookie_text(out: &mut Text, cookie: &CookieInsert) {
    out.text("kind", "cookie_insert");
    out.text_unless(&PERSISTENCE, "name", &cookie.name);
    if let Some(age) = cookie.max_age {
        out.line("max_age", seconds(age));
    }
    let refresh = match cookie.refresh {
        Refresh::Always => "always",
        Refresh::WhenMissing => "when_missing",
        _ => "when_half_expired",
    };
    out.text_unless(&PERSISTENCE, "refresh", refresh);
    out.text_unless(&PERSISTENCE, "path", &cookie.path);
    if let Some(domain) = &cookie.domain {
        out.text("domain", domain);
    }
    out.set_unless(&PERSISTENCE, "secure", cookie.secure);
    out.set_unless(&PERSISTENCE, "http_only", cookie.http_only);
    match cookie.same_site {
        Some(SameSite::Lax) => out.text("same_site", "lax"),
        Some(SameSite::Strict) => out.text("same_site", "strict"),
        Some(SameSite::None) => out.text("same_site", "none"),
        None => {}
    }
    out.set_unless(&PERSISTENCE, "partitioned", cookie.partitioned);
    out.set_unless(&PERSISTENCE, "mark_private", cookie.mark_private);
    out.set_unless(&PERSISTENCE, "forward_to_backend", cookie.forward_to_backend);
    match (&cookie.secret_file, &cookie.secret) {
        (Some(path), _) => out.text("secret_file", &path.display().to_string()),
        (None, Some(secret)) => out.text("secret", secret.expose()),
        (None, None) => {}
    }
}

fn health_text(out: &mut Text, health: &Health) {
    let rules = health.rules.options();
    out.text(
        "kind",
        if matches!(health.check, Check::Tcp) {
            "tcp"
        } else {
            "http"
        },
    );
    out.duration_unless(&HEALTH, "interval", rules.interval);
    if let Some(interval) = rules.interval_down {
        out.line("interval_down", seconds(interval));
    }
    // The default depends on the interval.
    let usual = crate::resolve::default_duration(&HEALTH, "timeout").min(rules.interval);
    if health.timeout != usual {
        out.line("timeout", seconds(health.timeout));
    }
    out.set_unless(&HEALTH, "jitter_percent", rules.jitter_percent);
    out.set_unless(&HEALTH, "rise", rules.rise);
    out.set_unless(&HEALTH, "fall", rules.fall);
    if let Some(most) = rules.max_failures {
        out.line("max_failures", most);
    }
    out.duration_unless(&HEALTH, "slow_start", rules.slow_start);
    if let Some(port) = health.port {
        out.line("port", port);
    }
    let Check::Http(check) = &health.check else { return };
    out.text_unless(&HEALTH, "path", &check.path);
    out.text_unless(
        &HEALTH,
        "method",
        if check.method == ProbeMethod::Head {
            "HEAD"
        } else {
            "GET"
        },
    );
    if let Some(host) = &check.host {
        out.text("host", host);
    }
    let status: Vec<String> = check.status.iter().map(|range| quoted(&range.to_string())).collect();
    out.set_unless(&HEALTH, "status", format_args!("[{}]", status.join(", ")));
    if let Some(body) = &check.body {
        out.text("body", body);
    }
}

/// Longer lists of backends go one to a line.
const LINE: usize = 90;

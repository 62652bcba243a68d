use super::listener::limit_pairs;
use super::{Text, health, quoted, seconds, tls};
use crate::plan::{Backend, CookieInsert, Persistence, Pool, Scheduling};
use crate::schema::{PERSISTENCE, POOLS, RETRIES};
use crate::scope::Scope;
use lb_balance::FailOpen;
use lb_persist::{ClientIp, CookieInsertOptions, HashBy, Refresh, SameSite};
use lb_sched::Algorithm;
use lb_types::Weight;

pub(super) fn pool_text(out: &mut Text, pool: &Pool) {
    out.header("[[pools]]");
    out.text("name", &pool.name);
    if pool.algorithm != Algorithm::default() {
        out.text("algorithm", pool.algorithm.word());
    }
    scheduling_text(out, &pool.scheduling);
    let backends: Vec<String> = pool.backends.iter().map(backend_text).collect();
    let one_line = backends.join(", ");
    if one_line.len() <= LINE {
        out.line("backends", format_args!("[{one_line}]"));
    } else {
        out.line("backends", format_args!("[\n    {},\n]", backends.join(",\n    ")));
    }
    if let Some(proxy) = &pool.proxy_protocol {
        tls::proxy_text(out, proxy);
    }
    out.set_unless(&POOLS, "transparent", pool.transparent);
    match pool.fail_open {
        FailOpen::WhenAllDown => out.text("fail_open", "when_all_down"),
        FailOpen::Below { percent } => out.line("fail_open_percent", percent),
        _ => {}
    }
    out.set_unless(&POOLS, "max_idle_connections", pool.max_idle_connections);
    out.text_unless(&POOLS, "parsing", pool.parsing.as_str());
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
    if let Some(tls) = &pool.tls {
        tls::pool_text(out, tls);
    }
    let several = pool.persistence.len() > 1;
    for way in &pool.persistence {
        out.header(if several {
            "[[pools.persistence]]"
        } else {
            "[pools.persistence]"
        });
        persistence_text(out, &pool.name, way);
    }
    if let Some(health) = &pool.health {
        out.header("[pools.health]");
        health::text(out, health);
    }
}

fn scheduling_text(out: &mut Text, scheduling: &Scheduling) {
    if let Some(by) = scheduling
        .hash
        .as_ref()
        .filter(|by| **by != HashBy::Source(ClientIp::default()))
    {
        out.line("hash", hash_text(by));
    }
    let numbers = [
        ("bounded_load_percent", scheduling.bounded_load_percent.map(u64::from)),
        ("table_size", scheduling.table_size.map(u64::from)),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            out.line(name, number);
        }
    }
    out.duration_unless(&POOLS, "ewma_decay", scheduling.ewma_decay);
    out.set_unless(&POOLS, "backup_below_percent", scheduling.backup_below_percent);
    out.set_unless(
        &POOLS,
        "other_zones_below_percent",
        scheduling.other_zones_below_percent,
    );
}

fn hash_text(by: &HashBy) -> String {
    match by {
        HashBy::Source(source) => {
            let options = source.options();
            format!(
                "{{ kind = \"source\", netmask_v4 = {}, netmask_v6 = {} }}",
                options.prefix_v4, options.prefix_v6
            )
        }
        HashBy::Url { query: true } => quoted("url_and_query"),
        HashBy::Parameter(name) => format!("{{ parameter = {} }}", quoted(name)),
        HashBy::Header(name) => format!("{{ header = {} }}", quoted(name)),
        HashBy::Cookie(name) => format!("{{ cookie = {} }}", quoted(name)),
        _ => quoted("url"),
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
    match backend.priority {
        0 => {}
        1 => pairs.push("backup = true".to_owned()),
        more => pairs.push(format!("priority = {more}")),
    }
    if let Some(zone) = &backend.zone {
        pairs.push(format!("zone = {}", quoted(zone)));
    }
    if backend.drain {
        pairs.push("drain = true".to_owned());
    }
    if let Some(name) = &backend.server_name {
        pairs.push(format!("tls = {{ server_name = {} }}", quoted(name)));
    }
    if pairs.len() == 1 {
        quoted(&backend.address_text)
    } else {
        format!("{{ {} }}", pairs.join(", "))
    }
}

fn persistence_text(out: &mut Text, pool: &str, way: &Persistence) {
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
        Persistence::CookieInsert(cookie) => cookie_text(out, pool, cookie),
    }
}

fn cookie_text(out: &mut Text, pool: &str, cookie: &CookieInsert) {
    out.text("kind", "cookie_insert");
    if cookie.name != CookieInsertOptions::default_name(pool) {
        out.text("name", &cookie.name);
    }
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

/// Longer lists of backends go one to a line.
const LINE: usize = 90;

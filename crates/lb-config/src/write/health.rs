//! How the backends of a pool are probed.

use super::{Text, quoted, seconds};
use crate::grammar::show_size;
use crate::plan::{AgentCheck, Check, Health, HttpCheck, ProbeMethod};
use crate::schema::{AGENT, HEALTH, PASSIVE};
use crate::usual;
use lb_probe::{Fallback, ProxyHeader, Step};

pub(super) fn text(out: &mut Text, health: &Health) {
    let rules = health.rules.options();
    out.text("kind", kind(&health.check));
    passive_text(out, health);
    out.duration_unless(&HEALTH, "slow_start", rules.slow_start);
    if let Some(source) = health.origin.source {
        out.text("source", &source.to_string());
    }
    if let Some(interface) = &health.origin.interface {
        out.text("interface", interface);
    }
    if let Some(agent) = &health.agent {
        agent_text(out, agent);
    }
    if health.check == Check::Passive {
        return;
    }
    out.duration_unless(&HEALTH, "interval", rules.interval);
    if let Some(interval) = rules.interval_down {
        out.line("interval_down", seconds(interval));
    }
    if let Some(interval) = rules.interval_changing {
        out.line("interval_changing", seconds(interval));
    }
    // The default depends on the interval.
    let usual = usual::duration(&HEALTH, "timeout").min(rules.interval);
    if health.timeout != usual {
        out.line("timeout", seconds(health.timeout));
    }
    out.set_unless(&HEALTH, "jitter_percent", rules.jitter_percent);
    out.set_unless(&HEALTH, "rise", rules.rise);
    out.set_unless(&HEALTH, "fall", rules.fall);
    if let Some(slow) = health.slow {
        out.line("slow", seconds(slow));
    }
    if let Some(address) = health.address {
        out.text("address", &address.to_string());
    }
    if let Some(port) = health.port {
        out.line("port", port);
    }
    if let Some(tls) = health.tls {
        out.line("tls", tls);
    }
    out.set_unless(&HEALTH, "starttls", health.starttls);
    match health.proxy_protocol {
        Some(ProxyHeader::V1) => out.text("proxy_protocol", "v1"),
        Some(ProxyHeader::V2) => out.text("proxy_protocol", "v2"),
        Some(ProxyHeader::V2Local) => out.text("proxy_protocol", "v2_local"),
        _ => {}
    }
    match &health.check {
        Check::Http(check) => http(out, check),
        Check::HalfOpen(Fallback::Refuse) => out.text("when_not_permitted", "refuse"),
        Check::Exchange(exchange) => {
            let steps: Vec<String> = exchange
                .steps
                .iter()
                .map(|step| format!("{{ {} }}", pair(step)))
                .collect();
            out.line("steps", format_args!("[{}]", steps.join(", ")));
            out.set_unless(&HEALTH, "read_bytes", quoted(&size(exchange.read_bytes)));
        }
        Check::Mysql { user: Some(user) } | Check::Postgres { user: Some(user) } => out.text("user", user),
        Check::Udp(udp) => {
            if !udp.send.is_empty() {
                out.plain(&pair(&Step::Send(udp.send.clone())));
            }
            if let Some(bytes) = &udp.expect {
                out.plain(&pair(&Step::Expect(bytes.clone())));
            }
            out.text_unless(&HEALTH, "silence", if udp.silence_is_good { "up" } else { "down" });
        }
        _ => {}
    }
}

fn kind(check: &Check) -> &'static str {
    match check {
        Check::Tcp | Check::Exchange(_) => "tcp",
        Check::HalfOpen(_) => "syn",
        Check::Http(_) => "http",
        Check::Redis => "redis",
        Check::Memcached => "memcached",
        Check::Smtp => "smtp",
        Check::Mysql { .. } => "mysql",
        Check::Postgres { .. } => "postgresql",
        Check::Udp(_) => "udp",
        Check::Passive => "passive",
    }
}

/// The row of failures as the short key, when nothing else is said.
fn passive_text(out: &mut Text, health: &Health) {
    let rules = health.rules.options();
    let passive = &rules.passive;
    let usual = |name| PASSIVE.key(name).map_or("", |key| key.default).to_owned();
    let duration = |name, value| (name, seconds(value), usual(name));
    let optional = |name, value: Option<String>| (name, value.unwrap_or_default(), String::new());
    let is_usual_ejection = passive.eject_for == usual::ejection(rules.probing);
    let eject_for = passive.eject_for.filter(|_| !is_usual_ejection).map(seconds);
    let most = rules.max_failures.map(|most| most.to_string());
    let pairs = [
        optional(
            "success_rate_percent",
            passive.success_rate_percent.map(|percent| percent.to_string()),
        ),
        optional(
            "latency_factor",
            passive.latency_factor.map(|factor| factor.to_string()),
        ),
        duration("latency_least", passive.latency_least),
        ("min_requests", passive.min_requests.to_string(), usual("min_requests")),
        duration("window", passive.window),
        (
            "server_errors",
            health.server_errors.to_string(),
            usual("server_errors"),
        ),
        optional("eject_for", eject_for),
        duration("eject_at_most", passive.eject_at_most),
        (
            "max_ejected_percent",
            passive.max_ejected_percent.to_string(),
            usual("max_ejected_percent"),
        ),
    ];
    if pairs.iter().all(|(_, value, usual)| value == usual) {
        if let Some(most) = most {
            out.line("max_failures", most);
        }
    } else {
        let row = optional("max_failures", most);
        let pairs: Vec<_> = std::iter::once(row).chain(pairs).collect();
        out.table("passive", &pairs);
    }
}

fn http(out: &mut Text, check: &HttpCheck) {
    out.text_unless(&HEALTH, "path", &check.path);
    let method = match check.method {
        ProbeMethod::Get => "GET",
        ProbeMethod::Head => "HEAD",
        ProbeMethod::Options => "OPTIONS",
    };
    out.text_unless(&HEALTH, "method", method);
    if let Some(host) = &check.host {
        out.text("host", host);
    }
    let status: Vec<String> = check.status.iter().map(|range| quoted(&range.to_string())).collect();
    let status = format!("[{}]", status.join(", "));
    match &check.location {
        // then another range is usual
        Some(location) => {
            out.text("location", location);
            out.line("status", status);
        }
        None => out.set_unless(&HEALTH, "status", status),
    }
    if let Some(body) = &check.body {
        out.text("body", body);
    }
    out.set_unless(&HEALTH, "body_bytes", quoted(&size(check.body_bytes)));
    let headers: Vec<String> = check
        .headers
        .iter()
        .map(|(name, value)| quoted(&format!("{name}: {value}")))
        .collect();
    out.set_unless(&HEALTH, "headers", format_args!("[{}]", headers.join(", ")));
    if let Some(agent) = &check.user_agent {
        out.text("user_agent", agent);
    }
}

fn agent_text(out: &mut Text, agent: &AgentCheck) {
    let mut pairs = vec![format!("port = {}", agent.port)];
    if let Some(address) = agent.address {
        pairs.push(format!("address = {}", quoted(&address.to_string())));
    }
    if agent.interval != usual::duration(&AGENT, "interval") {
        pairs.push(format!("interval = {}", seconds(agent.interval)));
    }
    if let Some(timeout) = agent.timeout {
        pairs.push(format!("timeout = {}", seconds(timeout)));
    }
    if !agent.send.is_empty() {
        pairs.push(pair(&Step::Send(agent.send.clone())));
    }
    out.line("agent", format_args!("{{ {} }}", pairs.join(", ")));
}

/// Bytes as text where they are text, else as digits.
fn pair(step: &Step) -> String {
    let (name, bytes) = match step {
        Step::Send(bytes) => ("send", bytes),
        Step::Expect(bytes) => ("expect", bytes),
        _ => return String::new(),
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => format!("{name} = {}", one_line(text)),
        Err(_) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{name}_hex = \"{}\"", digits.join(" "))
        }
    }
}

/// A text on one line, whatever is in it.
fn one_line(text: &str) -> String {
    let mut line = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => line.push_str("\\\""),
            '\\' => line.push_str("\\\\"),
            '\r' => line.push_str("\\r"),
            '\n' => line.push_str("\\n"),
            '\t' => line.push_str("\\t"),
            letter if letter.is_control() => line.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => line.push(letter),
        }
    }
    line.push('"');
    line
}

fn size(bytes: usize) -> String {
    show_size(u64::try_from(bytes).unwrap_or(u64::MAX))
}

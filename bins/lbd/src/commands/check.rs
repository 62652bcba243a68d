use crate::MISCONFIGURED;
use crate::args::Check;
use crate::control::workers_of;
use crate::descriptors::too_few;
use crate::transparent;
use lb_config::{Check as HealthCheck, Health, Plan};
use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;

/// `lbd check`: everything that is wrong, on standard error; of a good file, what it amounts to.
pub(crate) fn run(check: &Check) -> ExitCode {
    let color = std::io::stderr().is_terminal();
    match lb_config::load(check.path(), &lb_config::System) {
        Ok(resolved) => {
            if !resolved.warnings.is_empty() {
                eprint!("{}", resolved.warnings.render(color));
            }
            print!("{}: {}", check.path().display(), summary(&resolved.plan));
            let limit = lb_net::raise_descriptor_limit().now;
            // Of this machine, not of the file: said beside what the file amounts to.
            if let Some(warning) = too_few(&resolved.plan, limit, workers_of(&resolved.plan)) {
                println!("warning: {warning}");
            }
            let of_transparent = [
                transparent::forbidden(&resolved.plan),
                transparent::unrouted(&resolved.plan),
            ];
            for warning in of_transparent.into_iter().flatten() {
                println!("warning: {warning}");
            }
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprint!("{}", problems.render(color));
            ExitCode::from(MISCONFIGURED)
        }
    }
}

/// How much there is, and how long an outage can last before it is noticed.
fn summary(plan: &Plan) -> String {
    let count = |number: usize, word: &str| format!("{number} {word}{}", if number == 1 { "" } else { "s" });
    let backends = plan.pools.iter().map(|pool| pool.backends.len()).sum();
    let mut text = format!(
        "good ({}, {}, {})\n",
        count(plan.listeners.len(), "listener"),
        count(plan.pools.len(), "pool"),
        count(backends, "backend")
    );
    for (pool, health) in plan.probed_pools() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "pool \"{pool}\": a dead backend is out after at most {:?}, a recovered one is back after at most {:?}",
            health.worst_detection(),
            health.worst_recovery()
        );
        for line in oddities(plan, pool, health) {
            let _ = writeln!(text, "pool \"{pool}\": {line}");
        }
    }
    text
}

/// What of the probes is not as the traffic is: where to, from where, as whom.
fn oddities(plan: &Plan, pool: &str, health: &Health) -> Vec<String> {
    let mut lines = Vec::new();
    let backends = plan.pool(pool).map_or(&[][..], |pool| &pool.backends);
    let mut elsewhere = backends.iter().filter_map(|backend| {
        let probe = lb_config::probe(health, backend.address).ok()??;
        probe.is_elsewhere().then(|| (backend, probe.address()))
    });
    if let Some((backend, address)) = elsewhere.next() {
        let more = match elsewhere.count() {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        lines.push(format!(
            "probes go elsewhere than the traffic: backend {} serves on {}, {address} is probed{more}",
            backend.name, backend.address
        ));
    }
    if let HealthCheck::Http(check) = &health.check
        && let Some(host) = &check.host
    {
        let name = |text: &str| {
            text.rsplit_once(':')
                .map_or(text, |(name, _)| name)
                .to_ascii_lowercase()
        };
        if backends.iter().any(|backend| name(&backend.address_text) != name(host)) {
            lines.push(format!("probes ask for host {host}, which is not the backend's own"));
        }
    }
    match (health.origin.source, health.origin.interface.as_deref()) {
        (None, None) => {}
        (Some(source), None) => lines.push(format!("probes come from {source}")),
        (None, Some(name)) => lines.push(format!("probes leave through {name}")),
        (Some(source), Some(name)) => lines.push(format!("probes come from {source} through {name}")),
    }
    if let Some(agent) = &health.agent {
        lines.push(format!(
            "agents on port {} are asked every {:?}",
            agent.port, agent.interval
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_health_08_the_worst_case_detection_time_is_printed() {
        let text = r#"
            version = 1
            [[listeners]]
            name = "web"
            address = "127.0.0.1:8080"
            pool = "app"
            [[pools]]
            name = "app"
            backends = ["10.0.0.1:80", "10.0.0.2:80"]
            health = { kind = "tcp", interval = "2s", timeout = "1s", rise = 2, jitter_percent = 0 }
        "#;
        let plan = lb_config::resolve(&lb_config::parse("lbd.toml", text), &lb_config::Nowhere)
            .unwrap()
            .plan;
        // 2 s to the first probe that fails, and three that fail in 1 s each, one second apart; back: the same with two good ones
        assert_eq!(
            summary(&plan),
            "good (1 listener, 1 pool, 2 backends)\n\
             pool \"app\": a dead backend is out after at most 5s, a recovered one is back after at most 4s\n"
        );
    }

    #[test]
    fn s_health_05_06_a_port_host_or_source_other_than_the_traffics_is_shown() {
        let text = r#"
            version = 1
            [[listeners]]
            name = "web"
            address = "127.0.0.1:8080"
            pool = "app"
            [[pools]]
            name = "app"
            backends = [{ address = "10.0.0.1:80", name = "a" }, "10.0.0.2:81", "10.0.0.3:8081"]
            [pools.health]
            kind = "http"
            port = 8081
            host = "www.example.com"
            interval = "2s"
            timeout = "1s"
            jitter_percent = 0
            source = "10.0.0.9"
            interface = "eth1"
            agent = { port = 9707 }
        "#;
        let plan = lb_config::resolve(&lb_config::parse("lbd.toml", text), &lb_config::Nowhere)
            .unwrap()
            .plan;
        assert_eq!(
            summary(&plan),
            "good (1 listener, 1 pool, 3 backends)\n\
             pool \"app\": a dead backend is out after at most 5s, a recovered one is back after at most 5s\n\
             pool \"app\": probes go elsewhere than the traffic: backend a serves on 10.0.0.1:80, 10.0.0.1:8081 is \
             probed (and 1 more)\n\
             pool \"app\": probes ask for host www.example.com, which is not the backend's own\n\
             pool \"app\": probes come from 10.0.0.9 through eth1\n\
             pool \"app\": agents on port 9707 are asked every 2s\n"
        );
    }
}

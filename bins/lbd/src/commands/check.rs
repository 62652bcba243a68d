use crate::MISCONFIGURED;
use crate::args::Check;
use lb_config::Plan;
use std::fmt::Write;
use std::io::IsTerminal;
use std::process::ExitCode;

/// `lbd check`: everything that is wrong, on standard error; of a good file, what it amounts to.
pub(crate) fn run(check: &Check) -> ExitCode {
    let color = std::io::stderr().is_terminal();
    match lb_config::load(&check.config, &lb_config::System) {
        Ok(resolved) => {
            if !resolved.warnings.is_empty() {
                eprint!("{}", resolved.warnings.render(color));
            }
            print!("{}: {}", check.config.display(), summary(&resolved.plan));
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
    }
    text
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
        assert_eq!(
            summary(&plan),
            "good (1 listener, 1 pool, 2 backends)\n\
             pool \"app\": a dead backend is out after at most 7s, a recovered one is back after at most 5s\n"
        );
    }
}

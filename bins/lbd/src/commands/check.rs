use crate::MISCONFIGURED;
use crate::args::Check;
use std::io::IsTerminal;
use std::process::ExitCode;

/// `lbd check`: everything that is wrong, on standard error; a good file in one line.
pub(crate) fn run(check: &Check) -> ExitCode {
    let color = std::io::stderr().is_terminal();
    match lb_config::load(&check.config, &lb_config::System) {
        Ok(resolved) => {
            if !resolved.warnings.is_empty() {
                eprint!("{}", resolved.warnings.render(color));
            }
            let plan = &resolved.plan;
            let backends: usize = plan.pools.iter().map(|pool| pool.backends.len()).sum();
            println!(
                "{}: good ({} listeners, {} pools, {backends} backends)",
                check.config.display(),
                plan.listeners.len(),
                plan.pools.len()
            );
            ExitCode::SUCCESS
        }
        Err(problems) => {
            eprint!("{}", problems.render(color));
            ExitCode::from(MISCONFIGURED)
        }
    }
}

use crate::control::{Control, Source};
use crate::note::{note, print, warnings};
use crate::{FAILED, MISCONFIGURED, args};
use lb_config::{Plan, Problems};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// `lbd run`: serves until it is told to stop.
pub(crate) fn run(run: &args::Run) -> ExitCode {
    let (plan, source) = match plan(run) {
        Ok(found) => found,
        Err(problems) => {
            say(&problems);
            return ExitCode::from(MISCONFIGURED);
        }
    };
    serve(plan, source, None)
}

/// Serves a plan from the first socket to the last connection.
pub(crate) fn serve(plan: Plan, source: Source, watch: Option<crate::access::Watcher>) -> ExitCode {
    crate::note::serving();
    let code = serve_to_the_end(plan, source, watch);
    crate::note::finish();
    code
}

fn serve_to_the_end(plan: Plan, source: Source, watch: Option<crate::access::Watcher>) -> ExitCode {
    warnings();
    let limit = lb_net::raise_descriptor_limit();
    if limit.now != limit.before {
        note(format_args!(
            "descriptor limit raised from {} to {}",
            text(limit.before),
            text(limit.now)
        ));
    }
    // Local, because a single worker runs on this thread too.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            note(format_args!("cannot start: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    runtime.block_on(async {
        match Control::start(plan, source, watch) {
            Ok(control) => control.run().await,
            Err(error) => {
                note(error);
                ExitCode::from(FAILED)
            }
        }
    })
}

fn plan(run: &args::Run) -> Result<(Plan, Source), Problems> {
    if let Some(path) = run.path() {
        let resolved = lb_config::load(path, &lb_config::System)?;
        say(&resolved.warnings);
        return Ok((resolved.plan, Source::File(path.clone())));
    }
    let resolved = Plan::from_one_liner(&run.listen, &run.to, run.algorithm.as_deref(), &lb_config::System)?;
    say(&resolved.warnings);
    let mut plan = resolved.plan;
    plan.admin = run.socket.as_ref().map(absolute).map(lb_config::AdminSocket::new);
    let text = format!("# The same as a file, for `lbd run`:\n{}\n", plan.to_toml());
    // Nobody may be there to read it: no reason to end.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok((plan, Source::Arguments))
}

/// Prints problems, if there are any.
pub(crate) fn say(problems: &Problems) {
    if !problems.is_empty() {
        print(&problems.render(std::io::stderr().is_terminal()));
    }
}

fn text(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |n| n.to_string())
}

/// As a configuration file would have it. Without a present folder the path stays as it is.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.clone())
}

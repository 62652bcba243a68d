use crate::control::{ControlLoop, Source};
use crate::note::{note, print, warnings};
use crate::workers::Workers;
use crate::{FAILED, MISCONFIGURED, args};
use lb_config::{Plan, Problems};
use lb_net::Address;
use lb_proxy::Snapshot;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// `lbd run`: serves until it is told to stop.
pub(crate) fn run(run: &args::Run) -> ExitCode {
    match plan(run) {
        Ok((plan, source)) => serve(plan, source, None),
        Err(wrong) => {
            match wrong {
                Wrong::Problems(problems) => say(&problems),
                Wrong::SamePath(path) => note(format_args!(
                    "--listen and --socket are both {}: give the admin socket a path of its own",
                    path.display()
                )),
            }
            ExitCode::from(MISCONFIGURED)
        }
    }
}

/// Serves a plan from the first socket to the last connection.
pub(crate) fn serve(plan: Plan, source: Source, watch: Option<crate::access::Watcher>) -> ExitCode {
    crate::note::serving();
    let code = serve_to_the_end(plan, source, watch, Workers::start);
    crate::note::finish();
    code
}

fn serve_to_the_end(
    plan: Plan,
    source: Source,
    watch: Option<crate::access::Watcher>,
    workers: impl FnOnce(usize, &Arc<Snapshot>) -> io::Result<Workers>,
) -> ExitCode {
    warnings();
    let limit = lb_net::raise_descriptor_limit();
    if limit.now != limit.before {
        note(format_args!(
            "descriptor limit raised from {} to {}",
            text(limit.before),
            text(limit.now)
        ));
    }
    if let Some(warning) = crate::transparent::forbidden(&plan) {
        note(format_args!("warning: {warning}"));
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
        match ControlLoop::start(plan, source, watch, workers) {
            Ok(control) => control.run().await,
            Err(error) => {
                note(error);
                ExitCode::from(FAILED)
            }
        }
    })
}

/// Why nothing can be served.
enum Wrong {
    Problems(Problems),
    /// A listener is to be where the admin socket is.
    SamePath(PathBuf),
}

impl From<Problems> for Wrong {
    fn from(problems: Problems) -> Self {
        Self::Problems(problems)
    }
}

fn plan(run: &args::Run) -> Result<(Plan, Source), Wrong> {
    if let Some(path) = run.path() {
        let resolved = lb_config::load(path, &lb_config::System)?;
        say(&resolved.warnings);
        return Ok((resolved.plan, Source::File(path.clone(), resolved.text)));
    }
    let resolved = Plan::from_one_liner(&run.listen, &run.to, run.algorithm.as_deref(), &lb_config::System)?;
    say(&resolved.warnings);
    let mut plan = resolved.plan;
    plan.admin = run.socket.as_ref().map(absolute).map(lb_config::AdminSocket::new);
    if let Some(admin) = &plan.admin
        && plan
            .listeners
            .iter()
            .any(|listener| is_at(listener.address, &admin.socket))
    {
        return Err(Wrong::SamePath(admin.socket.clone()));
    }
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

/// Is it a Unix domain socket with this file? As paths, which `//` and `/./` make no other.
fn is_at(address: Address, file: &Path) -> bool {
    matches!(address, Address::Unix(path) if path.abstract_name().is_none() && Path::new(path.as_str()) == file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lb_proxy::Order;
    use lb_telemetry::Counters;
    use rustix::process::{Signal, getpid, kill_process};
    use std::process::{Command, Output};
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::mpsc::UnboundedReceiver;

    /// When the first worker breaks down; the others go on until they are told to end.
    #[derive(Clone, Copy, PartialEq)]
    enum Breaks {
        AtTheStart,
        InADrain,
    }

    /// Everything that `lbd run` does with this many workers, but that they break down.
    fn serve_broken(workers: u16, breaks: Breaks) -> ExitCode {
        let text = format!(
            "version = 1\nworkers = {workers}\n[[listeners]]\nname = \"l\"\naddress = \"unix:@lbd-test-{}\"\npool = \"a\"\n\
             [[pools]]\nname = \"a\"\nbackends = [\"127.0.0.1:1\"]\n",
            std::process::id()
        );
        let resolved = lb_config::resolve(&lb_config::parse("t", &text), &lb_config::Nowhere);
        let plan = resolved.unwrap_or_else(|problems| panic!("{problems}")).plan;
        let is_first = Arc::new(AtomicBool::new(true));
        let work = move |_: Arc<Counters>, mut orders: UnboundedReceiver<Order>| {
            let breaks = is_first.swap(false, Ordering::SeqCst).then_some(breaks);
            async move {
                while let Some(order) = orders.recv().await {
                    match (order, breaks) {
                        (Order::Listen(..), Some(Breaks::AtTheStart)) => panic!("the wheel is square"),
                        // As the operator ends it.
                        (Order::Listen(..), Some(_)) => kill_process(getpid(), Signal::TERM).unwrap(),
                        (Order::Drain, Some(Breaks::InADrain)) => panic!("the wheel is square"),
                        (Order::Drain, _) => return,
                        _ => {}
                    }
                }
            }
        };
        crate::note::serving();
        let code = serve_to_the_end(plan, Source::Arguments, None, |count, _| Workers::start_as(count, work));
        crate::note::finish();
        code
    }

    /// The test of this name once more, in a process of its own that is told to `serve_broken`.
    fn in_a_process(name: &str, workers: u16) -> Output {
        Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                &format!("{}::{name}", module_path!().replacen("lbd::", "", 1)),
                "--nocapture",
            ])
            .env(CHILD, workers.to_string())
            .output()
            .unwrap()
    }

    fn check(name: &str, breaks: Breaks) {
        if let Ok(workers) = std::env::var(CHILD) {
            let code = serve_broken(workers.parse().unwrap(), breaks);
            assert_eq!(code, ExitCode::from(FAILED));
            // As main does with it; a thread that goes on does not hold the process up.
            std::process::exit(i32::from(FAILED));
        }
        for workers in [1, 2] {
            let output = in_a_process(name, workers);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{workers} workers: {said}");
            let line = "ended by a fault of lbd, please report it: the wheel is square";
            assert!(
                said.lines()
                    .any(|said| said.starts_with("lbd: worker ") && said.ends_with(line)),
                "{said}"
            );
        }
    }

    #[test]
    fn a_worker_that_panics_ends_the_process_with_code_1_and_its_words() {
        check(
            "a_worker_that_panics_ends_the_process_with_code_1_and_its_words",
            Breaks::AtTheStart,
        );
    }

    #[test]
    fn a_worker_that_panics_in_a_drain_is_told_of_and_ends_it_with_code_1() {
        check(
            "a_worker_that_panics_in_a_drain_is_told_of_and_ends_it_with_code_1",
            Breaks::InADrain,
        );
    }

    const CHILD: &str = "LBD_TEST_WORKERS";
}

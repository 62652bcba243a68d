//! The program under test.

use super::{Folder, is_listening, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

/// A running `lbd`. A test that passes ends it with [`Lbd::stop`]; one that fails kills it and shows what it said.
#[derive(Debug)]
pub(crate) struct Lbd {
    child: Child,
    folder: Folder,
}

const CONFIG: &str = "lbd.toml";

impl Lbd {
    /// `lbd run --config` with this text; returns when each listener listens.
    pub(crate) fn start(config: &str) -> Self {
        let folder = Folder::new();
        let path = folder.write(CONFIG, config);
        let arguments = ["run".to_owned(), "--config".to_owned(), path.display().to_string()];
        let lbd = Self::spawn(folder, &arguments);
        lbd.await_listening(&listeners(config));
        lbd
    }

    /// As [`start`](Self::start), with at most so many descriptors.
    pub(crate) fn start_limited(config: &str, descriptors: u64) -> Self {
        let folder = Folder::new();
        let path = folder.write(CONFIG, config);
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            &format!("ulimit -n {descriptors} && exec \"$0\" run --config \"$1\""),
        ]);
        shell.arg(env!("CARGO_BIN_EXE_lbd")).arg(path);
        let lbd = Self::run(folder, shell);
        lbd.await_listening(&listeners(config));
        lbd
    }

    /// As [`start`](Self::start), for an owner who may give files to no group but his own, as root may as a rule.
    pub(crate) fn start_without_chown(config: &str) -> Self {
        let folder = Folder::new();
        let path = folder.write(CONFIG, config);
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set", "-chown", env!("CARGO_BIN_EXE_lbd")]);
            command
        } else {
            Command::new(env!("CARGO_BIN_EXE_lbd"))
        };
        command.args(["run", "--config"]).arg(path);
        let lbd = Self::run(folder, command);
        lbd.await_listening(&listeners(config));
        lbd
    }

    /// `lbd` with these arguments; returns when `listeners` listen.
    pub(crate) fn start_with(arguments: &[&str], listeners: &[SocketAddr]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let lbd = Self::spawn(Folder::new(), &arguments);
        lbd.await_listening(listeners);
        lbd
    }

    fn spawn(folder: Folder, arguments: &[String]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
        command.args(arguments);
        Self::run(folder, command)
    }

    fn run(folder: Folder, mut command: Command) -> Self {
        let file = |name| File::create(folder.path().join(name)).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .spawn()
            .unwrap();
        Self { child, folder }
    }

    fn await_listening(&self, listeners: &[SocketAddr]) {
        for &address in listeners {
            until("lbd listens", || {
                assert!(
                    self.status().is_some(),
                    "lbd ended before it listened on {address}:\n{}",
                    self.stderr()
                );
                is_listening(address).then_some(())
            });
        }
    }

    /// Replaces the file, which nobody is told of.
    pub(crate) fn write(&self, config: &str) {
        self.folder.write(CONFIG, config);
    }

    /// Replaces the file, sends SIGHUP and waits until the new file is in force.
    pub(crate) fn reload(&self, config: &str) {
        let before = self.count_said("is in force");
        self.folder.write(CONFIG, config);
        self.signal(Signal::HUP);
        until("the new configuration is in force", || {
            let said = self.stderr();
            assert!(!said.contains("reload refused"), "{said}");
            (self.count_said("is in force") > before).then_some(())
        });
    }

    /// Replaces the file, sends SIGHUP, waits until the file is refused, and gives what was said of it.
    pub(crate) fn reload_refused(&self, config: &str) -> String {
        let before = self.stderr().len();
        self.folder.write(CONFIG, config);
        self.signal(Signal::HUP);
        until("the new configuration is refused", || {
            let said = self.stderr().split_off(before);
            said.contains("reload refused").then_some(said)
        })
    }

    /// What SIGUSR1 makes it print of itself.
    pub(crate) fn state(&self) -> State {
        let before = self.stderr().len();
        self.signal(Signal::USR1);
        let is_whole = |said: &str| said.ends_with('\n') && said.contains("state total ");
        let said = until("lbd prints its state", || {
            Some(self.stderr().split_off(before)).filter(|said| is_whole(said))
        });
        State(
            said.lines()
                .filter(|line| line.starts_with("state "))
                .map(str::to_owned)
                .collect(),
        )
    }

    fn count_said(&self, what: &str) -> usize {
        self.stderr().matches(what).count()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends SIGTERM; panics unless the program then ends with code 0.
    pub(crate) fn stop(mut self) {
        self.signal(Signal::TERM);
        let status = self.wait();
        assert_eq!(
            status.code(),
            Some(0),
            "after SIGTERM lbd ended with {status}:\n{}",
            self.stderr()
        );
    }

    /// Waits for the program to end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("lbd ends", || self.child.try_wait().unwrap())
    }

    /// Did SIGSTOP stop it?
    pub(crate) fn is_stopped(&self) -> bool {
        self.status().is_some_and(|status| status.contains("State:\tT"))
    }

    /// Everything it wrote to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.said("stdout")
    }

    /// Everything it wrote to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.said("stderr")
    }

    fn said(&self, name: &str) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join(name)).unwrap()).into_owned()
    }

    /// The most memory it ever had, in bytes.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_line("VmHWM:")
    }

    /// The memory it has now, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory_line("VmRSS:")
    }

    fn memory_line(&self, key: &str) -> u64 {
        let status = self.status().expect("lbd runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .expect("a memory line");
        let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse().unwrap();
        kibibytes * 1024
    }

    /// How many descriptors it holds.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// /proc/PID/status while it runs; a process that ended and waits to be collected has no memory lines.
    fn status(&self) -> Option<String> {
        fs::read_to_string(self.proc("status"))
            .ok()
            .filter(|status| !status.contains("State:\tZ"))
    }

    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

/// The lines of one state report: `state backend=a in_flight=0 ..`.
#[derive(Debug)]
pub(crate) struct State(Vec<String>);

impl State {
    /// The sum of `key` over all lines that have it.
    pub(crate) fn sum(&self, key: &str) -> u64 {
        let values = self
            .0
            .iter()
            .flat_map(|line| line.split(' '))
            .filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    }

    /// The line of the backend at this address.
    pub(crate) fn backend(&self, address: impl std::fmt::Display) -> &str {
        let wanted = format!(" address={address} ");
        self.0
            .iter()
            .find(|line| line.contains("backend=") && line.contains(&wanted))
            .expect("a line of the backend")
    }

    /// Has each backend of this pool this status?
    pub(crate) fn pool_is(&self, pool: &str, status: &str) -> bool {
        let mut lines = self
            .0
            .iter()
            .filter(|line| line.contains(&format!("pool={pool} ")))
            .peekable();
        lines.peek().is_some() && lines.all(|line| line.contains(&format!("status={status}")))
    }

    /// How often this end was reached.
    pub(crate) fn ends(&self, end: &str) -> u64 {
        let wanted = format!("end={end} ");
        let line = self.0.iter().find(|line| line.contains(&wanted));
        line.and_then(|line| line.rsplit('=').next())
            .map_or(0, |count| count.parse().unwrap())
    }
}

impl Drop for Lbd {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if thread::panicking() {
            println!("lbd said:\n{}", self.stderr());
        }
    }
}

/// The IP addresses of the `[[listeners]]` tables, where each stands on a line of its own.
fn listeners(config: &str) -> Vec<SocketAddr> {
    let tables = config
        .split("\n[[")
        .filter(|table| table.trim_start_matches("[[").starts_with("listeners]]"));
    let found: Vec<SocketAddr> = tables
        .filter_map(|table| table.lines().find_map(|line| line.strip_prefix("address = ")))
        .map(|text| text.trim_matches('"'))
        .filter(|text| !text.starts_with("unix:"))
        .map(|text| text.parse().unwrap())
        .collect();
    assert!(!found.is_empty(), "no listener in\n{config}");
    found
}

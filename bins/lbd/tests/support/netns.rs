//! Network namespaces and links between them.

use super::{Folder, Running, run, until};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A network of its own, with nothing in it but what a test puts there.
pub(crate) struct Namespace {
    nsenter: PathBuf,
    /// A namespace lives as long as a process in it.
    holder: Running,
}

impl Namespace {
    /// `None`: it is not allowed here.
    pub(crate) fn start(unshare: &Path, nsenter: &Path) -> Option<Self> {
        let own = fs::read_link("/proc/self/ns/net").ok()?;
        let mut holder = Running::spawn(Command::new(unshare).args(["--net", "sleep", "300"]));
        let path = format!("/proc/{}/ns/net", holder.id());
        let mut is_made = false;
        until("a namespace is made or refused", || {
            is_made = fs::read_link(&path).is_ok_and(|found| found != own);
            (is_made || holder.has_ended()).then_some(())
        });
        let nsenter = nsenter.to_owned();
        is_made.then_some(Self { nsenter, holder })
    }

    /// A link between two of them, with a name at either end. `false`: it is not allowed here.
    pub(crate) fn link(ip: &Path, (near, at): (&mut Self, &str), (far, there): (&mut Self, &str)) -> bool {
        let (from, to) = (near.holder.id(), far.holder.id());
        let words = format!("link add {at} netns {from} type veth peer name {there} netns {to}");
        let made = run(Command::new(ip).args(words.split(' ')));
        if !made.success {
            let ended = near.holder.has_ended() || far.holder.has_ended();
            assert!(ended || made.errors.contains("not permitted"), "{}", made.errors);
        }
        made.success
    }

    /// A program that runs inside.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(&self.nsenter);
        let id = self.holder.id().to_string();
        command.args(["--target", &id, "--net"]).arg(program);
        command
    }

    /// Lines for `ip -batch`.
    pub(crate) fn batch(&self, ip: &Path, lines: &str) {
        let folder = Folder::new();
        let output = run(self.command(ip).arg("-batch").arg(folder.write("batch", lines)));
        assert!(output.success, "{}", output.errors);
    }
}

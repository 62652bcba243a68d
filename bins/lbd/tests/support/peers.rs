//! Programs by other hands, on either side of lbd.

use super::{Folder, address, is_listening, until};
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, fs};

/// Finds a peer's program. Absent: the test says so and is skipped, or fails where `LBD_REQUIRE_PEERS` is 1.
pub(crate) fn peer(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        assert!(
            env::var_os("LBD_REQUIRE_PEERS").is_none_or(|value| value != "1"),
            "{name} is not installed"
        );
        println!("skipped: {name} is not installed");
    }
    found
}

/// What a peer's run gave.
#[derive(Debug)]
pub(crate) struct Output {
    /// Standard output.
    pub(crate) text: String,
    /// Standard error.
    pub(crate) errors: String,
    /// Did it end with code 0?
    pub(crate) success: bool,
}

/// Runs curl, quiet but for errors, and waits for its end.
pub(crate) fn curl(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
    run(Command::new(program)
        .args(["--silent", "--show-error", "--noproxy", "*"])
        .args(arguments))
}

/// Runs a program to its end, in English.
pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.env("LC_ALL", "C").stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output {
        text: text(&output.stdout),
        errors: text(&output.stderr),
        success: output.status.success(),
    }
}

/// A quiet process that ends with the test.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(quiet.spawn().unwrap())
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One nginx process that serves as one or more backends.
#[derive(Debug)]
pub(crate) struct Nginx {
    child: Child,
    program: PathBuf,
    folder: Folder,
    addresses: Vec<SocketAddr>,
}

impl Nginx {
    /// A backend per name; each answers every request with its name and a line end.
    pub(crate) fn start(program: &Path, names: &[&str]) -> Self {
        let addresses: Vec<SocketAddr> = names.iter().map(|_| address()).collect();
        let servers: String = names
            .iter()
            .zip(&addresses)
            .map(|(name, address)| {
                format!("server {{ listen {address} backlog=4096; location / {{ return 200 \"{name}\\n\"; }} }}\n")
            })
            .collect();
        Self::start_with(program, &servers, addresses)
    }

    /// `servers` are the server blocks; they listen on `addresses`.
    pub(crate) fn start_with(program: &Path, servers: &str, addresses: Vec<SocketAddr>) -> Self {
        let folder = Folder::new();
        let w = folder.path().display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {w}/{kind};\n"))
            .collect();
        // One process, so that killing it kills all of it.
        let config = format!(
            "user root;\ndaemon off;\nmaster_process off;\nworker_rlimit_nofile 10000;\npid {w}/pid;\nerror_log {w}/error.log;\n\
             events {{ worker_connections 8000; }}\nhttp {{\naccess_log off;\nkeepalive_requests 1000000;\nkeepalive_timeout 75s;\n\
             client_max_body_size 0;\n{temporary}{servers}}}\n"
        );
        folder.write("nginx.conf", &config);
        let mut nginx = Self {
            child: spawn(program, &folder),
            program: program.to_owned(),
            folder,
            addresses,
        };
        nginx.await_listening();
        nginx
    }

    pub(crate) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// SIGKILL: its connections are reset, its port refuses.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Comes back on the same addresses.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.program, &self.folder);
        self.await_listening();
    }

    fn await_listening(&mut self) {
        for address in self.addresses.clone() {
            until("nginx listens", || {
                let ended = self.child.try_wait().unwrap();
                let log = || fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default();
                assert!(ended.is_none(), "nginx ended: {ended:?}\n{}", log());
                is_listening(address).then_some(())
            });
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(program: &Path, folder: &Folder) -> Child {
    let config = folder.path().join("nginx.conf");
    Command::new(program)
        .arg("-p")
        .arg(folder.path())
        .arg("-c")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

//! The socket's file: who may use it, when it is replaced, when it goes.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use lb_net::{UnixSocket, UnixSocketError, UnixSocketOptions};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A folder of its own; removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lb-net-unix-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn socket(&self) -> PathBuf {
        self.0.join("app.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_file_has_its_mode_and_group_and_goes_with_its_owner() {
    let folder = Folder::new();
    for wanted in [0o600, 0o660, 0o666, 0o777] {
        let group = fs::metadata(folder.path()).unwrap().gid().to_string();
        let options = UnixSocketOptions::new(folder.socket())
            .with_mode(wanted)
            .with_group(Some(&group));
        let socket = UnixSocket::open(&options).unwrap();
        assert_eq!(mode(&folder.socket()), wanted);
        assert_eq!(fs::metadata(folder.socket()).unwrap().gid().to_string(), group);
        UnixStream::connect(folder.socket()).unwrap();
        drop(socket);
        assert!(!folder.socket().exists());
    }
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing else is left either"
    );
}

#[test]
fn a_living_program_is_left_alone_and_a_dead_ones_file_is_replaced() {
    let folder = Folder::new();
    let options = UnixSocketOptions::new(folder.socket());
    // A listener that goes and leaves its file, as a killed process does.
    drop(UnixListener::bind(folder.socket()).unwrap());
    assert!(folder.socket().exists());
    let first = UnixSocket::open(&options).unwrap();
    let error = UnixSocket::open(&options).unwrap_err();
    assert!(matches!(error, UnixSocketError::InUse { .. }));
    assert!(error.to_string().contains("another program answers there"), "{error}");
    UnixStream::connect(folder.socket()).unwrap();
    drop(first);
    UnixSocket::open(&options).unwrap();
}

#[test]
fn what_is_no_socket_is_not_touched() {
    let folder = Folder::new();
    let options = UnixSocketOptions::new(folder.socket());
    fs::write(folder.socket(), "precious").unwrap();
    let error = UnixSocket::open(&options).unwrap_err();
    assert!(
        matches!(error, UnixSocketError::NoSocket { what: "file", .. }),
        "{error}"
    );
    assert_eq!(fs::read_to_string(folder.socket()).unwrap(), "precious");
    fs::remove_file(folder.socket()).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.socket()).unwrap();
    let error = UnixSocket::open(&options).unwrap_err();
    assert!(
        matches!(
            error,
            UnixSocketError::NoSocket {
                what: "symbolic link",
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(folder.socket()).unwrap();
    fs::create_dir(folder.socket()).unwrap();
    let error = UnixSocket::open(&options).unwrap_err();
    assert!(
        matches!(error, UnixSocketError::NoSocket { what: "folder", .. }),
        "{error}"
    );
}

#[test]
fn what_cannot_be_made_is_refused_with_the_mend() {
    let folder = Folder::new();
    let error = UnixSocket::open(&UnixSocketOptions::new(folder.path().join("no/admin.sock"))).unwrap_err();
    assert!(error.to_string().contains("RuntimeDirectory=lbd"), "{error}");
    let long = folder.path().join("x".repeat(100));
    let error = UnixSocket::open(&UnixSocketOptions::new(long)).unwrap_err();
    assert!(error.to_string().contains("at most 90"), "{error}");
    let group = UnixSocketOptions::new(folder.socket()).with_group(Some("no such group"));
    let error = UnixSocket::open(&group).unwrap_err();
    assert!(error.to_string().contains("/etc/group"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let longest = folder.path().join("y".repeat(90 - folder.path().as_os_str().len() - 1));
    UnixSocket::open(&UnixSocketOptions::new(&longest)).unwrap();
}

#[test]
fn a_reload_changes_the_mode_in_place() {
    let folder = Folder::new();
    let options = UnixSocketOptions::new(folder.socket());
    let mut socket = UnixSocket::open(&options).unwrap();
    let number = fs::metadata(folder.socket()).unwrap().ino();
    assert!(socket.adapt(&options.clone().with_mode(0o660)).unwrap());
    assert_eq!(mode(&folder.socket()), 0o660);
    assert_eq!(
        fs::metadata(folder.socket()).unwrap().ino(),
        number,
        "clients are not cut"
    );
    assert!(
        !socket
            .adapt(&UnixSocketOptions::new(folder.path().join("other")))
            .unwrap()
    );
    assert!(
        socket
            .adapt(&options.clone().with_group(Some("no such group")))
            .is_err()
    );
    assert_eq!(mode(&folder.socket()), 0o660);
}

#[test]
fn of_two_programs_that_start_at_once_one_gets_the_place() {
    let folder = Folder::new();
    let options = UnixSocketOptions::new(folder.socket());
    for _ in 0..4 {
        drop(UnixListener::bind(folder.socket()));
        let barrier = std::sync::Barrier::new(4);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        UnixSocket::open(&options)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(opened.iter().filter(|socket| socket.is_ok()).count(), 1, "{opened:?}");
        UnixStream::connect(folder.socket()).unwrap();
    }
}

#[test]
fn a_change_that_is_refused_half_way_changes_nothing() {
    use std::os::unix::process::CommandExt;
    const NAME: &str = "a_change_that_is_refused_half_way_changes_nothing";
    const NOBODY: u32 = 65_534;
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        // To root nothing is refused.
        let mut again = std::process::Command::new(std::env::current_exe().unwrap());
        let output = again.args(["--exact", NAME]).uid(NOBODY).gid(NOBODY).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
        return;
    }
    let folder = Folder::new();
    let options = UnixSocketOptions::new(folder.socket()).with_mode(0o666);
    let mut socket = UnixSocket::open(&options).unwrap();
    // Root's group, which is not ours to give.
    let wanted = options.clone().with_mode(0o600).with_group(Some("0"));
    let error = socket.adapt(&wanted).unwrap_err();
    assert!(error.to_string().starts_with("cannot change "), "{error}");
    assert_eq!(mode(&folder.socket()), 0o666);
    assert_eq!(socket.options(), &options);
}

#[test]
fn without_a_group_again_it_has_the_one_that_its_folder_passes_on() {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return; // others may give files to no group but their own
    }
    let folder = Folder::new();
    std::os::unix::fs::chown(folder.path(), None, Some(1)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o2755)).unwrap();
    let group = || fs::metadata(folder.socket()).unwrap().gid();
    let options = UnixSocketOptions::new(folder.socket());
    let of_two = options.clone().with_group(Some("2"));
    for first in [&options, &of_two] {
        let mut socket = UnixSocket::open(first).unwrap();
        assert!(socket.adapt(&of_two).unwrap());
        assert_eq!(group(), 2);
        assert!(socket.adapt(&options).unwrap());
        assert_eq!(group(), 1);
    }
}

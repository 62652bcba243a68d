//! The socket's file: who may use it, when it is replaced, when it goes.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use lb_admin::{Socket, SocketError, SocketOptions};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::Ordering;
use support::{Folder, Server};

fn mode(path: &std::path::Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_file_has_its_mode_and_group_and_goes_with_its_owner() {
    let folder = Folder::new();
    for wanted in [0o600, 0o660, 0o666, 0o777] {
        let group = fs::metadata(folder.path()).unwrap().gid().to_string();
        let options = SocketOptions::new(folder.socket())
            .with_mode(wanted)
            .with_group(Some(&group));
        let socket = Socket::open(&options).unwrap();
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
    let options = SocketOptions::new(folder.socket());
    // A listener that goes and leaves its file, as a killed process does.
    drop(UnixListener::bind(folder.socket()).unwrap());
    assert!(folder.socket().exists());
    let first = Socket::open(&options).unwrap();
    let error = Socket::open(&options).unwrap_err();
    assert!(matches!(error, SocketError::InUse { .. }));
    assert!(error.to_string().contains("another program answers there"), "{error}");
    UnixStream::connect(folder.socket()).unwrap();
    drop(first);
    Socket::open(&options).unwrap();
}

#[test]
fn a_stopping_program_gives_its_place_away_and_does_not_take_the_new_file_with_it() {
    let server = Server::start();
    let path = server.folder.socket();
    let options = SocketOptions::new(&path);
    assert!(Socket::open(&options).is_err());
    server.control.stopping.store(true, Ordering::SeqCst);
    let old = fs::metadata(&path).unwrap().ino();
    let second = Socket::open(&options).unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), old);
    // A third replaces the file by force: the second leaves it when it goes.
    fs::remove_file(&path).unwrap();
    let third = UnixListener::bind(&path).unwrap();
    drop(second);
    assert!(path.exists());
    drop(third);
}

#[test]
fn what_is_no_socket_is_not_touched() {
    let folder = Folder::new();
    let options = SocketOptions::new(folder.socket());
    fs::write(folder.socket(), "precious").unwrap();
    let error = Socket::open(&options).unwrap_err();
    assert!(matches!(error, SocketError::NoSocket { what: "file", .. }), "{error}");
    assert_eq!(fs::read_to_string(folder.socket()).unwrap(), "precious");
    fs::remove_file(folder.socket()).unwrap();
    std::os::unix::fs::symlink("/dev/null", folder.socket()).unwrap();
    let error = Socket::open(&options).unwrap_err();
    assert!(
        matches!(
            error,
            SocketError::NoSocket {
                what: "symbolic link",
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(folder.socket()).unwrap();
    fs::create_dir(folder.socket()).unwrap();
    let error = Socket::open(&options).unwrap_err();
    assert!(matches!(error, SocketError::NoSocket { what: "folder", .. }), "{error}");
}

#[test]
fn what_cannot_be_made_is_refused_with_the_mend() {
    let folder = Folder::new();
    let error = Socket::open(&SocketOptions::new(folder.path().join("no/admin.sock"))).unwrap_err();
    assert!(error.to_string().contains("RuntimeDirectory=lbd"), "{error}");
    let long = folder.path().join("x".repeat(100));
    let error = Socket::open(&SocketOptions::new(long)).unwrap_err();
    assert!(error.to_string().contains("at most 90"), "{error}");
    let group = SocketOptions::new(folder.socket()).with_group(Some("no such group"));
    let error = Socket::open(&group).unwrap_err();
    assert!(error.to_string().contains("/etc/group"), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let longest = folder.path().join("y".repeat(90 - folder.path().as_os_str().len() - 1));
    Socket::open(&SocketOptions::new(&longest)).unwrap();
}

#[test]
fn a_reload_changes_the_mode_in_place() {
    let folder = Folder::new();
    let options = SocketOptions::new(folder.socket());
    let mut socket = Socket::open(&options).unwrap();
    let number = fs::metadata(folder.socket()).unwrap().ino();
    assert!(socket.adapt(&options.clone().with_mode(0o660)).unwrap());
    assert_eq!(mode(&folder.socket()), 0o660);
    assert_eq!(
        fs::metadata(folder.socket()).unwrap().ino(),
        number,
        "clients are not cut"
    );
    assert!(!socket.adapt(&SocketOptions::new(folder.path().join("other"))).unwrap());
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
    let options = SocketOptions::new(folder.socket());
    for _ in 0..4 {
        drop(UnixListener::bind(folder.socket()));
        let barrier = std::sync::Barrier::new(4);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        Socket::open(&options)
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(opened.iter().filter(|socket| socket.is_ok()).count(), 1, "{opened:?}");
        UnixStream::connect(folder.socket()).unwrap();
    }
}

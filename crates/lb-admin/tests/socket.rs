//! The socket's place, when another program has it.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use lb_net::UnixSocketOptions;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::sync::atomic::Ordering;
use support::Server;

#[test]
fn a_stopping_program_gives_its_place_away_and_does_not_take_the_new_file_with_it() {
    let server = Server::start();
    let path = server.folder.socket();
    let options = UnixSocketOptions::new(&path);
    assert!(lb_admin::open(&options).is_err());
    server.control.stopping.store(true, Ordering::SeqCst);
    let old = fs::metadata(&path).unwrap().ino();
    let second = lb_admin::open(&options).unwrap();
    assert_ne!(fs::metadata(&path).unwrap().ino(), old);
    // A third replaces the file by force: the second leaves it when it goes.
    fs::remove_file(&path).unwrap();
    let third = UnixListener::bind(&path).unwrap();
    drop(second);
    assert!(path.exists());
    drop(third);
}

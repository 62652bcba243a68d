//! A process without descriptors gets no pipe, and gets one again later. Alone in its process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // a failure of the surroundings is a failure of the test

use lb_net::Splice;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[test]
fn without_descriptors_there_is_no_pipe() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let few = Rlimit {
        current: Some(64),
        maximum,
    };
    setrlimit(Resource::Nofile, few).unwrap();
    let mut pipes = Vec::new();
    let error = loop {
        match Splice::new() {
            Ok(pipe) => pipes.push(pipe),
            Err(error) => break error,
        }
        assert!(pipes.len() < 64, "64 descriptors are 32 pipes at most");
    };
    assert_eq!(
        error.raw_os_error(),
        Some(rustix::io::Errno::MFILE.raw_os_error()),
        "{error}"
    );
    pipes.pop();
    assert!(Splice::new().unwrap().is_empty());
}

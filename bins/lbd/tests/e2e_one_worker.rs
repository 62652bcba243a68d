//! With one worker the control loop is on its thread: tables that take long to make, and a folder that another program has
//! locked, keep no request waiting all the same.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::fmt::Write;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use support::{Backend, Client, Config, Folder, Lbd, address, answer, now};

/// A program with one worker before so many backends with the longest table, all of them one server, and its admin socket.
struct Setup {
    lbd: Lbd,
    _server: Backend,
    folder: Folder,
    listener: SocketAddr,
    port: u16,
}

impl Setup {
    fn start() -> Self {
        let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, address().port()));
        let server = Backend::start_at(everywhere, |conn| conn.serve(&|_| answer(200, "", b"ok")));
        let (listener, folder) = (address(), Folder::new());
        let socket = folder.path().join("admin.sock");
        let lbd = Lbd::start(&config(listener, everywhere.port(), &socket, LONGEST));
        Self {
            lbd,
            _server: server,
            folder,
            listener,
            port: everywhere.port(),
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("admin.sock")
    }
}

fn config(listener: SocketAddr, port: u16, socket: &Path, table: u32) -> String {
    let mut text = format!(
        "version = 1\nworkers = 1\n[admin]\nsocket = \"{}\"\n[[listeners]]\nname = \"web\"\naddress = \"{listener}\"\n\
         pool = \"main\"\n[[pools]]\nname = \"main\"\nalgorithm = \"maglev\"\ntable_size = {table}\nbackends = [\n",
        socket.display()
    );
    for number in 0..BACKENDS {
        let (high, low) = (number / 250, number % 250 + 1);
        writeln!(
            text,
            "{{ name = \"b{number}\", address = \"127.1.{high}.{low}:{port}\" }},"
        )
        .unwrap();
    }
    text + "]\n"
}

/// How long `change` takes, and the longest answer while it does.
fn beside(listener: SocketAddr, change: impl FnOnce()) -> (Duration, Duration) {
    let (over, begun) = (AtomicBool::new(false), AtomicBool::new(false));
    thread::scope(|scope| {
        let answers = scope.spawn(|| {
            let mut client = Client::connect(listener);
            let mut longest = Duration::ZERO;
            for number in 1.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // No connection takes more requests than its listener allows.
                if number % 500 == 0 {
                    client = Client::connect(listener);
                }
                let asked = now();
                assert_eq!(client.get("/").text(), "ok");
                longest = longest.max(now() - asked);
                begun.store(true, Ordering::Relaxed);
            }
            longest
        });
        support::until("a first answer", || begun.load(Ordering::Relaxed).then_some(()));
        let start = now();
        change();
        let took = now() - start;
        over.store(true, Ordering::Relaxed);
        (took, answers.join().unwrap())
    })
}

#[test]
fn an_order_that_makes_the_longest_table_anew_holds_up_no_answer() {
    let setup = Setup::start();
    let (took, longest) = beside(setup.listener, || {
        let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
            .args(["backend", "drain", "main/b7", "--json", "--socket"])
            .arg(setup.socket())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        // Shown by the standings, not by what was ordered.
        let said = said.replace(' ', "");
        assert!(
            said.contains("\"takes\":\"known\""),
            "the order is in force when it is answered: {said}"
        );
    });
    assert!(longest * 4 < took, "{longest:?} of the {took:?} that the order took");
    setup.lbd.stop();
}

#[test]
fn a_reload_that_makes_the_longest_table_anew_holds_up_no_answer() {
    let setup = Setup::start();
    let text = config(setup.listener, setup.port, &setup.socket(), SHORTER);
    let (took, longest) = beside(setup.listener, || setup.lbd.reload(&text));
    assert!(longest * 4 < took, "{longest:?} of the {took:?} that the reload took");
    setup.lbd.stop();
}

#[test]
fn a_reload_that_waits_for_the_lock_of_a_folder_holds_up_no_answer() {
    let backend = Backend::saying("ok");
    let (listener, folder) = (address(), Folder::new());
    let config = Config::http(listener, &[backend.address()]).top("workers = 1");
    let lbd = Lbd::start(&config.text());
    // As another program does that makes a socket there; after 0.2 s it is no longer waited for.
    let held = File::open(folder.path()).unwrap();
    held.lock().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let rest = format!(
        "[[listeners]]\nname = \"unix\"\naddress = \"unix:{}\"\npool = \"main\"\n[admin]\nsocket = \"{}\"\n",
        path("web.sock"),
        path("admin.sock")
    );
    let text = config.rest(&rest).text();
    let (took, longest) = beside(listener, || lbd.reload(&text));
    assert!(took > Duration::from_millis(200), "{took:?}: nobody waited");
    assert!(longest * 4 < took, "{longest:?} of the {took:?} that the reload took");
    drop(held);
    lbd.stop();
}

const BACKENDS: u32 = 1_000;
/// The longest table that a configuration may ask for, and another of nearly that length: primes.
const LONGEST: u32 = 4_194_319;
const SHORTER: u32 = 4_194_301;

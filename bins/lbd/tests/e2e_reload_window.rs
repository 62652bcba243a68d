//! Between the moment at which a new file is read and the one at which its tables are made: the former configuration is in
//! force, whole, whatever comes meanwhile.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use rustix::process::Signal;
use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use support::{Backend, Client, Folder, Lbd, address, answer, until};

/// A program before a pool with the longest table, of which one weight is ordered: what a reload builds from the file is
/// not what is to be in force, so that all of it is made once more, on a thread, for long enough.
struct Setup {
    lbd: Lbd,
    /// Two servers that say the same; the first answers `/held` when the gate is opened.
    servers: [Backend; 2],
    gate: mpsc::Sender<()>,
    folder: Folder,
    listener: SocketAddr,
}

impl Setup {
    fn start() -> Self {
        let (gate, opened) = mpsc::channel();
        let opened = Mutex::new(opened);
        let first = Backend::start_at(everywhere(), move |conn| {
            conn.serve(&|request| {
                if request.head.target() == "/held" {
                    let _ = opened.lock().unwrap().recv();
                }
                answer(200, "", b"ok")
            });
        });
        let second = Backend::start_at(everywhere(), |conn| conn.serve(&|_| answer(200, "", b"ok")));
        let (listener, folder) = (address(), Folder::new());
        let text = config(listener, first.address(), &folder.path().join("admin.sock"), "");
        let setup = Self {
            lbd: Lbd::start(&text),
            servers: [first, second],
            gate,
            folder,
            listener,
        };
        let output = lbd(&["backend", "weight", "main/b7", "9"], &setup.path("admin.sock"));
        assert!(output.status.success(), "{output:?}");
        setup
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Another file: all backends elsewhere, another admin socket and one more listener.
    fn other(&self) -> String {
        let more = format!(
            "[[listeners]]\nname = \"unix\"\naddress = \"unix:{}\"\npool = \"main\"\n",
            self.path("web.sock").display()
        );
        config(
            self.listener,
            self.servers[1].address(),
            &self.path("other.sock"),
            &more,
        )
    }

    /// Begins a reload; returns when its tables are being made.
    fn begin_reload(&self) {
        self.lbd.write(&self.other());
        self.lbd.signal(Signal::HUP);
        until("the new file is read", || {
            (self.lbd.stderr().matches("admin socket").count() == 2).then_some(())
        });
    }

    /// A request that is not answered until the gate is opened.
    fn hold(&self) -> Client {
        let before = self.servers[0].requests();
        let mut held = Client::connect(self.listener);
        held.send("GET /held HTTP/1.1\r\nHost: test.example\r\n\r\n");
        until("it is there", || (self.servers[0].requests() > before).then_some(()));
        held
    }
}

fn config(listener: SocketAddr, server: SocketAddr, admin: &Path, more: &str) -> String {
    let mut text = format!(
        "version = 1\nworkers = 2\n[admin]\nsocket = \"{}\"\n[[listeners]]\nname = \"web\"\naddress = \"{listener}\"\n\
         pool = \"main\"\n{more}[[pools]]\nname = \"main\"\nalgorithm = \"maglev\"\ntable_size = {LONGEST}\nbackends = [\n",
        admin.display()
    );
    for number in 0..BACKENDS {
        let (high, low, port) = (number / 250, number % 250 + 1, server.port());
        writeln!(
            text,
            "{{ name = \"b{number}\", address = \"127.1.{high}.{low}:{port}\" }},"
        )
        .unwrap();
    }
    text + "]\n"
}

fn everywhere() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::UNSPECIFIED, address().port()))
}

fn lbd(arguments: &[&str], socket: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
    command.args(arguments).arg("--socket").arg(socket).output().unwrap()
}

#[test]
fn a_second_reload_close_behind_the_first_does_not_find_our_own_new_socket_in_its_way() {
    let setup = Setup::start();
    setup.begin_reload();
    setup.lbd.signal(Signal::HUP);
    let said = until("both files are in force", || {
        let said = setup.lbd.stderr();
        assert!(!said.contains("refused"), "{said}");
        said.contains("configuration 3 is in force").then_some(said)
    });
    assert!(said.contains("configuration 2 is in force"), "{said}");
    setup.lbd.stop();
}

#[test]
fn the_former_backends_serve_until_the_new_tables_are_made() {
    let setup = Setup::start();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let answers = scope.spawn(|| {
            let mut bad = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let mut client = Client::connect(setup.listener);
                for _ in 0..20 {
                    bad.extend(Some(client.get("/").status()).filter(|status| *status != 200));
                }
            }
            bad
        });
        setup.begin_reload();
        until("the new file is in force", || {
            setup.lbd.stderr().contains("configuration 2 is in force").then_some(())
        });
        over.store(true, Ordering::Relaxed);
        assert_eq!(answers.join().unwrap(), [0; 0], "not served");
    });
    setup.lbd.stop();
}

#[test]
fn a_program_that_is_stopped_meanwhile_shows_and_drains_what_was_in_force() {
    let setup = Setup::start();
    let mut held = setup.hold();
    setup.begin_reload();
    setup.lbd.signal(Signal::TERM);
    until("it drains", || setup.lbd.stderr().contains("draining").then_some(()));
    let output = lbd(&["status"], &setup.path("other.sock"));
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), setup.lbd.stderr());
    assert!(output.status.success(), "{output:?}");
    let [old, new] = setup
        .servers
        .each_ref()
        .map(|server| format!(":{}", server.address().port()));
    assert!(said.contains(&old) && !said.contains(&new), "{said}\n{errors}");
    assert!(
        errors.contains("configuration 2 does not come into force any more"),
        "{errors}"
    );
    setup.gate.send(()).unwrap();
    assert_eq!(held.response().status(), 200);
    drop(held);
    let mut lbd = setup.lbd;
    assert_eq!(lbd.wait().code(), Some(0));
    assert!(!lbd.stderr().contains("configuration 2 is in force"));
}

#[test]
fn an_order_whose_tables_are_being_made_when_the_program_is_stopped_hears_just_that() {
    let setup = Setup::start();
    let mut held = setup.hold();
    thread::scope(|scope| {
        let order = scope.spawn(|| lbd(&["backend", "weight", "main/b7", "11"], &setup.path("admin.sock")));
        until("the order is noted", || {
            setup.lbd.stderr().contains("weight 11 by order").then_some(())
        });
        setup.lbd.signal(Signal::TERM);
        let output = order.join().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("the program is stopping"), "{output:?}");
    });
    setup.gate.send(()).unwrap();
    assert_eq!(held.response().status(), 200);
    drop(held);
    let mut lbd = setup.lbd;
    assert_eq!(lbd.wait().code(), Some(0));
}

const BACKENDS: u32 = 1_000;
/// The longest table that a configuration may ask for.
const LONGEST: u32 = 4_194_319;

//! Steady load by keep-alive clients of our own, each request judged.

use super::Client;
use super::message::Message;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Clients that send GET after GET until they are told to stop.
#[derive(Debug)]
pub(crate) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    good: AtomicU64,
    bad: Mutex<Vec<String>>,
}

impl Load {
    /// `clients` threads; each uses a connection for `per_connection` requests.
    pub(crate) fn start(address: SocketAddr, clients: usize, per_connection: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (0..clients).map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                while !shared.stop.load(Ordering::Relaxed) {
                    connection(address, per_connection, &shared);
                }
            })
        });
        Self {
            clients: threads.collect(),
            shared,
        }
    }

    /// Requests answered with 200 so far.
    pub(crate) fn good(&self) -> u64 {
        self.shared.good.load(Ordering::Relaxed)
    }

    /// Stops; gives the number of good requests and a line for each bad one.
    pub(crate) fn stop(self) -> (u64, Vec<String>) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
        let bad = std::mem::take(&mut *self.shared.bad.lock().unwrap());
        (self.shared.good.load(Ordering::Relaxed), bad)
    }
}

/// Ends early only where the server says so with `Connection: close`.
fn connection(address: SocketAddr, requests: u32, shared: &Shared) {
    let mut client = Client::connect(address);
    for number in 1..=requests {
        let last = number == requests || shared.stop.load(Ordering::Relaxed);
        let close = if last { "Connection: close\r\n" } else { "" };
        let sent = client.try_send(format!("GET /load HTTP/1.1\r\nHost: test.example\r\n{close}\r\n"));
        let response = client.response_to("GET");
        match response {
            Ok(response) if response.status() == 200 => {
                shared.good.fetch_add(1, Ordering::Relaxed);
                if last
                    || response
                        .get("connection")
                        .is_some_and(|value| value.eq_ignore_ascii_case("close"))
                {
                    return;
                }
            }
            other => {
                let what = other.map(|response| format!("{} {:?}", response.head.line, response.head.fields));
                shared.bad.lock().unwrap().push(format!(
                    "request {number} of its connection: sent {sent:?}, got {what:?}"
                ));
                return;
            }
        }
    }
}

/// `count` sequential GETs over fresh connections of ten requests each; how often each body came.
pub(crate) fn get_all(address: SocketAddr, count: usize) -> BTreeMap<String, usize> {
    let mut bodies = BTreeMap::new();
    let mut client = Client::connect(address);
    for number in 0..count {
        if number % 10 == 9 {
            client = Client::connect(address);
        }
        let response: Message = client.get("/");
        assert_eq!(response.status(), 200, "{response:?}");
        *bodies.entry(response.text()).or_default() += 1;
    }
    bodies
}

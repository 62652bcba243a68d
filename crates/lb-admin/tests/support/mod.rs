//! A program with two pools, and raw bytes to and from its socket.
#![allow(dead_code, clippy::unwrap_used, reason = "shared by several test programs")]

use lb_admin::state::{Backend, BackendCounts, Pool, Probe, Process, Seen, Share, State, Why};
use lb_admin::{Control, ControlError, Order, Pending, ServerOptions, UnixSocketOptions, Which, Wish, serve};
use lb_health::Cause;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a test waits for what should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder of its own; removed at the end.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("lb-admin-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Pool `app` with `a` (up) and `b` (down), pool `static` with `a`.
#[derive(Debug)]
pub(crate) struct Fake {
    state: Mutex<State>,
    pub(crate) stopping: AtomicBool,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(state()),
            stopping: AtomicBool::new(false),
        }
    }

    /// With so many backends in pool `static`.
    pub(crate) fn with_backends(count: usize) -> Self {
        let fake = Self::new();
        let one = fake.state.lock().unwrap().pools[0].backends[0].clone();
        let many = (0..count).map(|number| Backend {
            pool: "static".to_owned(),
            name: format!("b{number}"),
            ..one.clone()
        });
        fake.state.lock().unwrap().pools[1].backends = many.collect();
        fake
    }
}

impl Control for Fake {
    fn state(&self, which: Which) -> Pending<'_, State> {
        let mut state = self.state.lock().unwrap().clone();
        state.process.stopping = self.stopping.load(Ordering::SeqCst);
        let names: Vec<String> = state.pools.iter().map(|pool| pool.name.clone()).collect();
        let wanted = match &which {
            Which::All => return Box::pin(async { Ok(state) }),
            Which::Process => String::new(),
            Which::Pool(pool) | Which::Backend { pool, .. } => pool.clone(),
        };
        state.pools.retain(|pool| pool.name == wanted);
        if let Which::Backend { backend, .. } = &which
            && let Some(pool) = state.pools.first_mut()
        {
            pool.backends.retain(|known| known.name == *backend);
        }
        Box::pin(async move {
            if state.pools.is_empty() && which != Which::Process {
                return Err(ControlError::unknown_pool(&wanted, names.iter().map(String::as_str)));
            }
            Ok(state)
        })
    }

    fn order(&self, orders: Vec<Order>) -> Pending<'_, Vec<Backend>> {
        let mut state = self.state.lock().unwrap();
        let mut seen = Vec::new();
        for order in &orders {
            let Some(pool) = state.pools.iter_mut().find(|pool| pool.name == order.pool) else {
                let error = ControlError::unknown_pool(&order.pool, ["app", "static"].into_iter());
                return Box::pin(async { Err(error) });
            };
            let Some(backend) = pool.backends.iter_mut().find(|backend| backend.name == order.backend) else {
                let known = ["a", "b"].into_iter();
                let error = ControlError::unknown_backend(&order.pool, &order.backend, known, std::iter::empty());
                return Box::pin(async { Err(error) });
            };
            match order.admin {
                Wish::Keep => {}
                Wish::Forget => backend.admin = "ready".to_owned(),
                Wish::Set(admin) => backend.admin = admin.as_str().to_owned(),
            }
            match order.weight {
                Wish::Keep => {}
                Wish::Forget => backend.weight.ordered = None,
                Wish::Set(weight) => backend.weight.ordered = Some(weight.get()),
            }
            seen.push(backend.clone());
        }
        Box::pin(async { Ok(seen) })
    }
}

pub(crate) fn state() -> State {
    let at = |second: u32| format!("2026-11-21T10:00:{second:02}.000Z");
    let refused = Why::from(Cause::Refused);
    let a = Backend {
        pool: "app".into(),
        name: "a".into(),
        id: "00000000000000aa".into(),
        address: "10.0.0.1:80".into(),
        state: "up".into(),
        takes: "everybody".into(),
        since: at(0),
        since_seconds: 11_520.0,
        admin: "ready".into(),
        weight: Share {
            configured: 3,
            ramp_percent: 100,
            effective: 3.0,
            share_percent: 100.0,
            ..Share::default()
        },
        in_flight: 14,
        ..Backend::default()
    };
    let seen = |second, ok: bool| Seen {
        at: at(second),
        seconds_ago: f64::from(30 - second),
        ok,
        cause: (!ok).then(|| refused.clone()),
    };
    let b = Backend {
        name: "b".into(),
        address: "10.0.0.2:80".into(),
        state: "down".into(),
        takes: "nobody".into(),
        since_seconds: 4.0,
        cause: Some(refused.clone()),
        weight: Share {
            configured: 1,
            ordered: Some(5),
            ramp_percent: 100,
            ..Share::default()
        },
        in_flight: 0,
        max_connections: Some(200),
        failures: 2,
        counts: BackendCounts {
            requests: 9,
            responses: [("2xx".to_owned(), 7)].into(),
            failures: [("connect_refused".to_owned(), 2)].into(),
            ..BackendCounts::default()
        },
        probe: Some(Probe {
            address: Some("10.0.0.2:81".into()),
            elsewhere: true,
            next: Some(at(33)),
            next_seconds: Some(3.0),
            took_seconds: Some(0.000_42),
            detection_seconds: Some(17.5),
            last: Some(seen(26, false)),
            results: vec![seen(26, false), seen(21, false), seen(16, true)],
            ..Probe::default()
        }),
        ..a.clone()
    };
    let pool = |name: &str, backends: Vec<Backend>| Pool {
        name: name.into(),
        algorithm: "weighted_round_robin".into(),
        up: 1,
        taking: 1,
        total: backends.len(),
        exact_shares: true,
        backends,
        ..Pool::default()
    };
    State {
        process: Process {
            version: "0.1.0".into(),
            pid: 7,
            workers: 2,
            config: Some("/etc/lbd.toml".into()),
            serial: 4,
            started_seconds: 11_520.0,
            loaded_seconds: 725.0,
            ..Process::default()
        },
        pools: vec![pool("app", vec![a, b]), pool("static", Vec::new())],
        ..State::default()
    }
}

/// A server on a thread of its own, until the process ends.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) folder: Folder,
    pub(crate) control: Arc<Fake>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(Fake::new(), ServerOptions::default())
    }

    pub(crate) fn with(fake: Fake, options: ServerOptions) -> Self {
        let (folder, control) = (Folder::new(), Arc::new(fake));
        let socket = lb_admin::open(&UnixSocketOptions::new(folder.socket())).unwrap();
        let shared: Arc<dyn Control> = Arc::<Fake>::clone(&control);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async { serve(socket.listener().unwrap(), shared, options).await });
        });
        Self { folder, control }
    }

    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.socket()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Sends these bytes and gives status, head and body of the one answer.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        // Whoever refuses early may not read it all.
        let _ = stream.write_all(bytes);
        answer(&mut stream)
    }

    pub(crate) fn ask(&self, method: &str, target: &str, body: &str) -> Answer {
        let length = body.len();
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        self.raw(format!("{head}{body}").as_bytes())
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `kind` and `mend` of an error.
    pub(crate) fn error(&self) -> (u16, String, String) {
        let value = self.json();
        let text = |key: &str| value["error"][key].as_str().unwrap().to_owned();
        assert!(!text("message").is_empty());
        (self.status, text("kind"), text("mend"))
    }
}

/// Everything until the other side closes.
pub(crate) fn answer(stream: &mut UnixStream) -> Answer {
    let mut bytes = Vec::new();
    let ended = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {ended:?} {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer {
        status,
        head: head.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

//! A network in memory, for tests only: real workers run over it under a seed and a virtual clock.
//!
//! A [`Network`] stands in for the kernels of both sides, for the wire between them and for the runtime's knowledge of
//! sockets. While it is [entered](Network::enter) on a thread, [`Opening`](crate::Opening) and
//! [`Listener`](crate::Listener) of that thread make simulated sockets, [`clock`](crate::clock) reads the runtime's
//! paused clock, and the descriptor limit is the network's. What happens is a pure function of the seed and of what the
//! tasks do. No other program than a test turns this on.
//!
//! A simulated TCP connection behaves as one of Linux: bytes that nobody reads fill a window; closing with bytes unread,
//! or being sent some after closing, resets; a reset overtakes what has not left the sender, and what is here can still be read.
//! What is known of a socket (its readiness) is told apart from what it has, may be told later and may be told for nothing.
//!
//! ```
//! use lb_net::sim::{Network, Weather};
//! use lb_net::{Address, Opening};
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//!
//! # fn main() -> std::io::Result<()> {
//! let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
//! runtime.block_on(async {
//!     let network = Network::new(7, Weather::of(7));
//!     let _entered = network.enter();
//!     let address: Address = "192.0.2.1:80".parse().expect("an address");
//!     let backend = network.listen(address);
//!     let mut opening = Opening::start(address)?;
//!     let stream = std::future::poll_fn(|cx| opening.poll(cx));
//!     let (stream, accepted) = tokio::join!(stream, backend.accept());
//!     let (mut stream, (mut end, _)) = (stream?, accepted?);
//!     stream.write_all(b"hello").await?;
//!     drop(stream);
//!     let mut said = String::new();
//!     end.read_to_string(&mut said).await?;
//!     assert_eq!(said, "hello");
//!     Ok(())
//! })
//! # }
//! ```

mod calls;
mod end;
mod handshake;
mod kernel;
mod listener;
mod socket;
mod trace;
mod weather;

pub use end::End;
pub use handshake::Answer;
pub use listener::Listener;
pub use weather::Weather;

use kernel::Kernel;
use lb_types::{Address, Time};
use std::cell::RefCell;
use std::future::{Future as _, poll_fn};
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep, sleep_until};

/// A simulated network. A handle: copies are the same network.
#[derive(Debug, Clone)]
pub struct Network(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    kernel: Mutex<Kernel>,
    /// The runtime's clock when the network was entered first.
    began: OnceLock<Instant>,
    /// What a simulated socket shows to whoever asks for a descriptor.
    nothing: OwnedFd,
}

/// The network is this thread's until this is dropped. Drop it last: what opens a connection afterwards opens a real one.
#[derive(Debug)]
#[must_use]
pub struct Entered {
    before: Option<Network>,
    driver: JoinHandle<()>,
    /// It ends on the thread that it began on.
    stays: PhantomData<Rc<()>>,
}

impl Network {
    /// A network whose every choice follows from `seed`.
    ///
    /// # Panics
    /// When the machine has no `/dev/null`.
    #[must_use]
    pub fn new(seed: u64, weather: Weather) -> Self {
        let nothing = std::fs::File::open("/dev/null").expect("every Unix has /dev/null");
        Self(Arc::new(Inner {
            kernel: Mutex::new(Kernel::new(seed, weather, BEGIN)),
            began: OnceLock::new(),
            nothing: nothing.into(),
        }))
    }

    /// Makes it this thread's network. Call it inside a current-thread runtime whose time is paused.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn enter(&self) -> Entered {
        self.0.began.get_or_init(Instant::now);
        let driver = tokio::spawn(drive(self.clone()));
        Entered {
            before: CURRENT.replace(Some(self.clone())),
            driver,
            stays: PhantomData,
        }
    }

    /// Listens on the far side: a backend.
    #[must_use]
    pub fn listen(&self, address: Address) -> Listener {
        Listener::far(self, address)
    }

    /// Connects from the far side: a client. Dropped before it is ready, the connection is given up.
    ///
    /// # Errors
    /// Refused, or nobody answers for two minutes.
    pub async fn connect(&self, from: SocketAddr, to: Address) -> io::Result<End> {
        let id = self.with(|kernel, now| kernel.connect(Some(from), to, now))?;
        let end = End::new(self, id);
        poll_fn(|cx| end.poll_write_ready(cx)).await?;
        match end.take_error()? {
            Some(error) => Err(error),
            None => Ok(end),
        }
    }

    /// From now on the weather is this one; connections keep their latency and window.
    pub fn set_weather(&self, weather: Weather) {
        self.with(|kernel, _| kernel.weather = weather);
    }

    /// The descriptors that the proxy's side uses.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        self.with(|kernel, _| kernel.descriptors_used())
    }

    /// Sockets that exist, of both sides, those included that only say their end.
    #[must_use]
    pub fn sockets(&self) -> usize {
        self.with(|kernel, _| kernel.sockets.len())
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Time {
        let inside = tokio::runtime::Handle::try_current().is_ok();
        match self.0.began.get() {
            Some(began) if inside => BEGIN + began.elapsed(),
            _ => self.lock().now,
        }
    }

    /// Keeps the trace in words from now on.
    pub fn record(&self) {
        self.with(|kernel, _| kernel.trace.record());
    }

    /// Adds a line to the trace: what the test itself does, and what it sees.
    pub fn note(&self, what: &str) {
        self.with(|kernel, now| kernel.trace.add(now, what, 0, 0));
    }

    /// All that happened, as one number: two runs that differ differ here.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.with(|kernel, _| kernel.trace.digest())
    }

    /// What happened since [`record`](Self::record): seconds, socket, what, and how many bytes or which errno.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.with(|kernel, _| kernel.trace.lines())
    }

    /// A number below `bound` by the network's seed.
    #[must_use]
    pub fn draw(&self, bound: u64) -> u64 {
        self.with(|kernel, _| kernel.rng.below(bound))
    }

    fn with<R>(&self, f: impl FnOnce(&mut Kernel, Time) -> R) -> R {
        let now = self.now();
        let mut kernel = self.lock();
        kernel.run(now);
        f(&mut kernel, now)
    }

    fn lock(&self) -> MutexGuard<'_, Kernel> {
        // A test that panicked inside has failed; the others see what it left.
        self.0.kernel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets things happen and tells the runtime; when there is more to do.
    fn turn(&self) -> Option<Time> {
        let (wakers, next) = self.with(|kernel, _| kernel.tell());
        for waker in wakers {
            waker.wake();
        }
        next
    }

    fn moment(&self, at: Time) -> Instant {
        let began = self.0.began.get().copied().unwrap_or_else(Instant::now);
        // Nothing is planned for later than a timer can wait: 30 years.
        let since = at.since(BEGIN).min(Duration::from_secs(1 << 30));
        began.checked_add(since).unwrap_or(began)
    }

    pub(crate) fn instant(&self, at: Time) -> std::time::Instant {
        self.moment(at).into_std()
    }

    /// A connection from the proxy.
    pub(crate) fn open(&self, to: Address) -> io::Result<End> {
        let id = self.with(|kernel, now| kernel.connect(None, to, now))?;
        Ok(End::new(self, id))
    }

    pub(crate) fn lowest_free(&self) -> Option<u64> {
        self.with(|kernel, _| kernel.lowest_free())
    }

    pub(crate) fn descriptor_limit(&self) -> u64 {
        self.with(|kernel, _| kernel.weather.descriptors)
    }

    pub(crate) fn nothing(&self) -> &OwnedFd {
        &self.0.nothing
    }

    pub(crate) fn nothing_cloned(&self) -> io::Result<OwnedFd> {
        self.0.nothing.as_fd().try_clone_to_owned()
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.driver.abort();
        CURRENT.set(self.before.take());
    }
}

/// This thread's network.
pub(crate) fn current() -> Option<Network> {
    CURRENT.with_borrow(Clone::clone)
}

/// Is a network this thread's?
#[must_use]
pub fn is_entered() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

thread_local! {
    static CURRENT: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// Tells the tidings when they are due, for as long as the network is entered.
async fn drive(network: Network) {
    let mut sleep = Box::pin(sleep_until(network.moment(BEGIN)));
    poll_fn(|cx| poll_drive(&network, sleep.as_mut(), cx)).await;
}

fn poll_drive(network: &Network, mut sleep: std::pin::Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
    loop {
        network.lock().driver = Some(cx.waker().clone());
        let Some(next) = network.turn() else {
            return Poll::Pending;
        };
        sleep.as_mut().reset(network.moment(next));
        if sleep.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
    }
}

/// The virtual time at which a network begins.
const BEGIN: Time = Time::from_nanos(1_000_000_000);

#[cfg(test)]
mod tests;

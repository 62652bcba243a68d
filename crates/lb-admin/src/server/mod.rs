//! The accepting side: who may be inside at once, for how long, and with how much.

mod body;
mod routes;

use crate::Control;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

/// How much a client of the admin API may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Connections at once. One more ends the one that has been silent for longest.
    pub connections: usize,
    /// How long a request head may take, and how long a connection may be silent before one.
    pub head_timeout: Duration,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// How long a connection may last.
    pub connection_timeout: Duration,
    /// The size of a request head, in bytes; at least 8 KiB.
    pub head_bytes: usize,
    /// The size of a request body, in bytes.
    pub body_bytes: usize,
    /// Orders in one request.
    pub orders: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections: 64,
            head_timeout: Duration::from_secs(5),
            body_timeout: Duration::from_secs(5),
            connection_timeout: Duration::from_secs(60),
            head_bytes: 16 * 1024,
            body_bytes: 256 * 1024,
            orders: 1_000,
        }
    }
}

/// Answers on `listener` for ever; dropping the future closes every connection. Sleeps while nobody is there.
///
/// # Panics
/// Outside a tokio runtime with I/O and time.
pub async fn serve(listener: UnixListener, control: Arc<dyn Control>, options: ServerOptions) {
    let router = routes::router(control, options);
    let mut inside = Inside::default();
    let mut is_deaf = false;
    loop {
        tokio::select! {
            accepted = listener.accept(), if inside.has_room(options.connections) => match accepted {
                Ok((stream, _)) => {
                    is_deaf = false;
                    inside.enter(stream, router.clone(), options);
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_deaf, true) {
                        tracing::warn!(%error, "the admin socket accepts nobody for a moment");
                    }
                    tokio::time::sleep(AFTER_ACCEPT_ERROR).await;
                }
            },
            Some(ended) = inside.tasks.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => error.id(),
                };
                inside.open.retain(|conn| conn.task.id() != id);
            }
        }
    }
}

/// The connections that are open.
#[derive(Debug, Default)]
struct Inside {
    tasks: JoinSet<()>,
    /// In the order of their coming.
    open: VecDeque<Conn>,
}

#[derive(Debug)]
struct Conn {
    task: AbortHandle,
    /// Has a whole request come whose answer is being made?
    busy: Arc<AtomicBool>,
}

impl Inside {
    /// Is there room, or somebody who only waits and can make room?
    fn has_room(&self, most: usize) -> bool {
        self.open.len() < most || self.open.iter().any(Conn::is_idle)
    }

    fn enter(&mut self, stream: UnixStream, router: axum::Router, options: ServerOptions) {
        if self.open.len() >= options.connections
            && let Some(at) = self.open.iter().position(Conn::is_idle)
            && let Some(oldest) = self.open.remove(at)
        {
            tracing::debug!("the admin socket is full: the connection that was silent for longest ends");
            oldest.task.abort();
        }
        let busy = Arc::new(AtomicBool::new(false));
        let task = self.tasks.spawn(converse(stream, router, Arc::clone(&busy), options));
        self.open.push_back(Conn { task, busy });
    }
}

impl Conn {
    fn is_idle(&self) -> bool {
        !self.busy.load(Ordering::Relaxed)
    }
}

/// One connection from its first request to its last.
async fn converse(stream: UnixStream, router: axum::Router, busy: Arc<AtomicBool>, options: ServerOptions) {
    let service = tower_service(router, busy);
    let conversation = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(options.head_timeout)
        .max_buf_size(options.head_bytes.max(LEAST_HEAD_BYTES))
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(options.connection_timeout, conversation).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "an admin connection ended early"),
        Err(_) => tracing::debug!("an admin connection lasted too long"),
    }
}

/// The router, with a mark from the moment a request is whole until its answer is made.
fn tower_service(
    router: axum::Router,
    busy: Arc<AtomicBool>,
) -> impl hyper::service::HttpService<Incoming, ResBody = axum::body::Body, Error = Infallible, Future: Send> {
    let router = TowerToHyperService::new(router);
    hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
        use hyper::service::Service;
        let mark = Mark(Arc::clone(&busy));
        let request = request.map(|body| Awaited::new(body, &busy));
        let answer = router.call(request);
        async move {
            let answer = answer.await;
            drop(mark);
            answer
        }
    })
}

/// A body that marks its connection busy once all of it has come: one that drips is as silent as none.
#[derive(Debug)]
struct Awaited {
    body: Incoming,
    busy: Arc<AtomicBool>,
}

impl Awaited {
    fn new(body: Incoming, busy: &Arc<AtomicBool>) -> Self {
        let busy = Arc::clone(busy);
        let this = Self { body, busy };
        this.look(false);
        this
    }

    fn look(&self, has_ended: bool) {
        if has_ended || self.body.is_end_stream() {
            self.busy.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for Awaited {
    type Data = <Incoming as Body>::Data;
    type Error = <Incoming as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Poll::Ready(frame) = &polled {
            self.look(frame.is_none());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Not busy any more when it goes.
#[derive(Debug)]
struct Mark(Arc<AtomicBool>);

impl Drop for Mark {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Descriptors may be short: a loop would only burn time.
const AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(100);
/// hyper takes no less.
const LEAST_HEAD_BYTES: usize = 8 * 1024;

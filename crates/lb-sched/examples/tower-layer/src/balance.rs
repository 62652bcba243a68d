//! A layer that sends each request to the backend that lb-sched picks, over whatever client is below it.

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::http::uri::{Authority, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Error;
use lb_sched::{Algorithm, Ask, Cursor, InFlight, Limit, Load, Member, Scheduler, Usable};
use lb_types::{BackendId, Slot, Time, Weight};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tower::{Layer, Service};

/// The backends behind one name. Cloning shares them.
#[derive(Clone)]
pub struct BalanceLayer(Arc<Pool>);

struct Pool {
    authorities: Vec<Authority>,
    scheduler: Box<dyn Scheduler>,
    cursor: Cursor,
    loads: Vec<Arc<Load>>,
    limits: Vec<Limit>,
    started: Instant,
}

impl BalanceLayer {
    pub fn new(backends: &[(String, u16)]) -> Result<Self, Box<dyn std::error::Error>> {
        let (mut members, mut authorities) = (Vec::new(), Vec::new());
        for ((authority, weight), slot) in backends.iter().zip(0..) {
            authorities.push(authority.parse()?);
            members.push(Member {
                slot: Slot(slot),
                id: BackendId::of("app", authority),
                weight: Weight::new(*weight)?,
            });
        }
        Ok(Self(Arc::new(Pool {
            authorities,
            scheduler: Algorithm::TwoChoices.build(&members)?,
            cursor: Cursor::new(),
            loads: backends.iter().map(|_| Arc::default()).collect(),
            limits: vec![Limit::new(100); backends.len()],
            started: Instant::now(),
        })))
    }

    pub fn in_flight(&self) -> u32 {
        self.0.loads.iter().map(|load| load.in_flight()).sum()
    }
}

impl Pool {
    fn now(&self) -> Time {
        Time::from_nanos(self.started.elapsed().as_nanos() as u64)
    }

    /// Everybody but those that failed three times in a row, the last time less than ten seconds ago.
    fn usable(&self) -> Usable {
        let mut usable = Usable::all(self.loads.len());
        for (load, slot) in self.loads.iter().zip(0..) {
            let lately = |failed| self.now().since(failed) < Duration::from_secs(10);
            if load.failures() >= 3 && load.last_failure().is_some_and(lately) {
                usable.remove(Slot(slot));
            }
        }
        usable
    }

    /// A backend, and a place at it that is given back when it is dropped.
    fn pick(&self, usable: &Usable) -> Option<(Slot, InFlight)> {
        loop {
            let slot = self.scheduler.pick(&Ask {
                hash: None,
                entropy: RandomState::new().build_hasher().finish(),
                cursor: &self.cursor,
                usable,
                loads: &self.loads,
                limits: &self.limits,
                now: self.now(),
            })?;
            if let Some(place) = InFlight::take(&self.loads[slot.index()], self.limits[slot.index()]) {
                return Some((slot, place));
            } // another thread took the last place: ask again
        }
    }
}

impl<S> Layer<S> for BalanceLayer {
    type Service = Balance<S>;

    fn layer(&self, client: S) -> Balance<S> {
        let pool = self.0.clone();
        Balance { pool, client }
    }
}

#[derive(Clone)]
pub struct Balance<S> {
    pool: Arc<Pool>,
    client: S,
}

impl<S, B> Service<Request<B>> for Balance<S>
where
    S: Service<Request<B>, Response = Response<Incoming>, Error = Error> + Clone + Send + 'static,
    S::Future: Send,
    B: Clone + Send + 'static,
{
    type Response = Response<Held>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.client.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { pool, mut client } = self.clone();
        std::mem::swap(&mut client, &mut self.client); // the one that said it is ready
        Box::pin(async move {
            let mut untried = pool.usable();
            while let Some((slot, place)) = pool.pick(&untried) {
                let mut request = request.clone();
                let mut parts = std::mem::take(request.uri_mut()).into_parts();
                parts.scheme = Some(Scheme::HTTP);
                parts.authority = Some(pool.authorities[slot.index()].clone());
                *request.uri_mut() = Uri::from_parts(parts)?;
                match client.call(request).await {
                    Ok(response) => {
                        place.load().succeeded();
                        return Ok(response.map(|body| Held { body, place }));
                    }
                    // nothing was sent, so another may have it
                    Err(error) if error.is_connect() => {
                        place.load().failed(pool.now());
                        untried.remove(slot);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err("no backend is left".into())
        })
    }
}

/// A response's body. The request has ended when nobody reads it any more.
pub struct Held {
    body: Incoming,
    #[expect(dead_code, reason = "its drop counts")]
    place: InFlight,
}

impl Body for Held {
    type Data = <Incoming as Body>::Data;
    type Error = <Incoming as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! A hyper service that leads a browser back to the same backend by a signed cookie.
//!
//! Requests and responses keep hyper's own headers: lb-types implements `Fields` and `FieldsMut` for them (feature
//! `http`). The same works in axum, whose `HeaderMap` is this one. Three backends stand for servers elsewhere; the
//! program asks as a browser would, and ends.

use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{COOKIE, SET_COOKIE};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lb_persist::{CookieInsert, CookieInsertOptions, Facts, Recall, Reply, Strategy, token};
use lb_types::{BackendId, Now, Wall};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;
use tokio::net::{TcpListener, TcpStream};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BACKENDS: [&str; 3] = ["a", "b", "c"];

/// A pool: who its backends are, how clients are recognised, whose turn it is.
struct Pool {
    ids: Vec<BackendId>,
    cookie: CookieInsert,
    turn: AtomicUsize,
}

impl Pool {
    fn new() -> Outcome<Self> {
        let ids: Vec<BackendId> = BACKENDS.iter().map(|name| BackendId::of("app", name)).collect();
        let options = CookieInsertOptions::for_pool("app");
        // The same secret on every replica. Name and key are those that lbd makes of this secret and pool: it understands
        // these cookies too.
        let key = token::key(b"correct horse battery staple", "app", &options.name);
        Ok(Self {
            cookie: CookieInsert::new(options, &key, &ids)?,
            ids,
            turn: AtomicUsize::new(0),
        })
    }

    /// One request: recall, choose, forward, learn.
    fn serve(&self, client: SocketAddr, mut request: Request<Incoming>) -> Outcome<Response<Full<Bytes>>> {
        let now = now();
        let facts = Facts {
            fields: Some(request.headers()),
            ..Facts::new(client.ip())
        };
        let recall = self.cookie.recall(&facts, now);
        let chosen = match recall {
            Recall::Backend { id, .. } => id, // a real proxy asks first whether it is up
            _ => self.ids[self.turn.fetch_add(1, Ordering::Relaxed) % self.ids.len()],
        };
        // the backend does not see our cookie
        self.cookie.prepare(&recall, request.headers_mut())?;
        let mut response = forward(&request, self.name(chosen));
        self.cookie
            .learn(&recall, chosen, Reply::Head(response.headers_mut()), now)?;
        Ok(response)
    }

    fn name(&self, id: BackendId) -> &'static str {
        let place = self.ids.iter().position(|known| *known == id);
        place.map_or("nobody", |place| BACKENDS[place])
    }
}

/// Stands for a connection to the backend: says who it is, and which cookies came through.
fn forward(request: &Request<Incoming>, backend: &str) -> Response<Full<Bytes>> {
    let cookies = request
        .headers()
        .get(COOKIE)
        .map_or("none", |value| value.to_str().unwrap_or("?"));
    Response::new(Full::from(format!("{backend}, cookies: {cookies}")))
}

/// The one place that reads the date. Nothing here waits, so the monotonic clock stands still.
fn now() -> Now {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        wall: Wall::from_millis(since.as_millis() as u64),
        ..Now::default()
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let pool = Arc::new(Pool::new()?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, client)) = listener.accept().await {
            let pool = Arc::clone(&pool);
            let service = service_fn(move |request| {
                let answer = pool.serve(client, request);
                async move { answer }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });

    let (first, cookie) = ask(address, None).await?;
    let cookie = cookie.ok_or("a new client gets a cookie")?;
    println!("a new client:      {first}; {cookie}");
    for _ in 0..5 {
        let (again, renewed) = ask(address, Some(&format!("theme=dark; {cookie}"))).await?;
        assert_eq!(
            again,
            first.replace("none", "theme=dark"),
            "the same backend, which sees only its own cookie"
        );
        assert_eq!(renewed, None, "the client has the right cookie");
    }
    println!("five times more:   {first}");
    let forged = format!("{}x", &cookie[..cookie.len() - 1]);
    let (other, new) = ask(address, Some(&forged)).await?;
    println!("with a forged one: {other}");
    assert!(new.is_some(), "whoever forges a cookie is a new client");
    Ok(())
}

/// Asks as a browser would: the answer, and `name=value` of the cookie that it sets.
async fn ask(address: SocketAddr, cookie: Option<&str>) -> Outcome<(String, Option<String>)> {
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    let mut request = Request::get("/").header("host", "app.example");
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, cookie);
    }
    let response = sender.send_request(request.body(Empty::<Bytes>::new())?).await?;
    let set = response.headers().get(SET_COOKIE).and_then(|value| value.to_str().ok());
    let set = set.and_then(|line| line.split(';').next()).map(str::to_owned);
    let body = response.into_body().collect().await?.to_bytes();
    Ok((String::from_utf8_lossy(&body).into_owned(), set))
}

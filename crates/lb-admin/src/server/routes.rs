//! Paths, methods, and what each of them does.

use super::ServerOptions;
use super::body::{Failure, json, read, written};
use crate::control::{Control, Order, Which, Wish};
use crate::state::State as Seen;
use crate::wire::{self, Backends};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post, put};
use lb_types::nearest;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What every handler shares.
#[derive(Clone)]
struct Desk {
    control: Arc<dyn Control>,
    options: ServerOptions,
}

type Answer = Result<Response, Failure>;

/// Path, methods, what it is.
const PATHS: &[(&str, &str, &str)] = &[
    ("/v1", "GET", "this list"),
    ("/v1/status", "GET", "everything; ?pool=NAME for one pool"),
    ("/v1/process", "GET", "the program that answers"),
    ("/v1/pools/{pool}", "GET", "one pool and its backends"),
    ("/v1/pools/{pool}/backends/{backend}", "GET", "one backend"),
    (
        "/v1/pools/{pool}/backends/{backend}/admin",
        "PUT, DELETE",
        "{\"admin\": \"ready\" | \"drain\" | \"maintenance\" | \"up\" | null}",
    ),
    (
        "/v1/pools/{pool}/backends/{backend}/weight",
        "PUT, DELETE",
        "{\"weight\": 0 to 256 | null}",
    ),
    (
        "/v1/orders",
        "POST",
        "{\"orders\": [{\"pool\", \"backend\", \"admin\"?, \"weight\"?}, ..]}: all of them or none",
    ),
];

pub(super) fn router(control: Arc<dyn Control>, options: ServerOptions) -> Router {
    let backend = "/v1/pools/{pool}/backends/{backend}";
    Router::new()
        .route("/v1", get(index))
        .route("/v1/status", get(status))
        .route("/v1/process", get(process))
        .route("/v1/pools/{pool}", get(pool))
        .route(backend, get(one_backend))
        .route(&format!("{backend}/admin"), put(put_admin).delete(forget_admin))
        .route(&format!("{backend}/weight"), put(put_weight).delete(forget_weight))
        .route("/v1/orders", post(orders))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Desk { control, options })
}

#[derive(Debug, Serialize)]
struct Index {
    paths: Vec<IndexPath>,
}

#[derive(Debug, Serialize)]
struct IndexPath {
    path: &'static str,
    methods: &'static str,
    about: &'static str,
}

async fn index() -> Response {
    let paths = PATHS
        .iter()
        .map(|&(path, methods, about)| IndexPath { path, methods, about });
    let paths = paths.collect();
    json(StatusCode::OK, &Index { paths })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusQuery {
    pool: Option<String>,
}

async fn status(State(desk): State<Desk>, which: Result<Query<StatusQuery>, QueryRejection>) -> Answer {
    let Query(which) = which.map_err(|error| {
        Failure::new(
            StatusCode::BAD_REQUEST,
            "bad_query",
            format!("the query is not understood: {}", error.body_text()),
            "this path takes ?pool=NAME or nothing",
        )
    })?;
    let which = which.pool.map_or(Which::All, Which::Pool);
    let state = desk.control.state(which).await?;
    whole(state, serde_json::to_vec).await
}

async fn process(State(desk): State<Desk>) -> Answer {
    let state = desk.control.state(Which::Process).await?;
    Ok(json(StatusCode::OK, &state.process))
}

async fn pool(State(desk): State<Desk>, path: Result<Path<String>, PathRejection>) -> Answer {
    let Path(name) = path.map_err(bad_path)?;
    let state = desk.control.state(Which::Pool(name)).await?;
    whole(state, |state| serde_json::to_vec(&state.pools.first())).await
}

async fn one_backend(State(desk): State<Desk>, path: BackendPath) -> Answer {
    let Path((pool, backend)) = path.map_err(bad_path)?;
    let state = desk.control.state(Which::Backend { pool, backend }).await?;
    let found = state.pools.first().and_then(|pool| pool.backends.first());
    Ok(json(StatusCode::OK, &found))
}

async fn put_admin(State(desk): State<Desk>, path: BackendPath, body: Body) -> Answer {
    let order = order_for(path)?;
    let admin = wire::admin_body(&read(body, desk.options).await?)?;
    one(&desk, order.with_admin(admin)).await
}

async fn forget_admin(State(desk): State<Desk>, path: BackendPath) -> Answer {
    one(&desk, order_for(path)?.with_admin(Wish::Forget)).await
}

async fn put_weight(State(desk): State<Desk>, path: BackendPath, body: Body) -> Answer {
    let order = order_for(path)?;
    let weight = wire::weight_body(&read(body, desk.options).await?)?;
    one(&desk, order.with_weight(weight)).await
}

async fn forget_weight(State(desk): State<Desk>, path: BackendPath) -> Answer {
    one(&desk, order_for(path)?.with_weight(Wish::Forget)).await
}

async fn orders(State(desk): State<Desk>, body: Body) -> Answer {
    let orders = wire::orders(&read(body, desk.options).await?, desk.options.orders)?;
    let backends = desk.control.order(orders).await?;
    Ok(json(StatusCode::OK, &Backends { backends }))
}

/// Carries out one order and shows the backend afterwards.
async fn one(desk: &Desk, order: Order) -> Answer {
    let backends = desk.control.order(vec![order]).await?;
    Ok(json(StatusCode::OK, &backends.first()))
}

type BackendPath = Result<Path<(String, String)>, PathRejection>;

fn order_for(path: BackendPath) -> Result<Order, Failure> {
    let Path((pool, backend)) = path.map_err(bad_path)?;
    Ok(Order::new(&pool, &backend))
}

/// A state as JSON. A large one is written on a thread of its own: this one may carry traffic.
async fn whole(state: Seen, write: fn(&Seen) -> serde_json::Result<Vec<u8>>) -> Answer {
    let write = move |state: &Seen| {
        // Our values have text keys and finite numbers only: that cannot fail.
        let mut bytes = write(state).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    };
    if state.backends() <= BACKENDS_AT_ONCE {
        return Ok(written(StatusCode::OK, write(&state)));
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let work = move || {
        // Nobody waits for it when the client has gone.
        let _ = tell.send(write(&state));
    };
    let thread = std::thread::Builder::new().name("admin".to_owned()).spawn(work);
    let bytes = match thread {
        Ok(_) => told.await.ok(),
        Err(_) => None,
    };
    bytes.map(|bytes| written(StatusCode::OK, bytes)).ok_or_else(|| {
        Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no_thread",
            "no thread to write so large an answer".to_owned(),
            "ask for one pool, or raise the limit of processes and threads",
        )
    })
}

async fn unknown_path(uri: Uri) -> Failure {
    let path = uri.path();
    let message = format!("there is no path {:?}", path.chars().take(SHOWN).collect::<String>());
    let known: Vec<&str> = PATHS.iter().map(|(path, ..)| *path).collect();
    let other_version = path
        .strip_prefix("/v")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && path != "/v1"
        && !path.starts_with("/v1/");
    let near = nearest(
        path,
        known
            .iter()
            .copied()
            .filter(|path| !path.contains('{') && !other_version),
    );
    let mend = match near {
        Some(near) => format!("did you mean {near:?}?"),
        None if other_version => "this program speaks version 1: paths begin with /v1/".to_owned(),
        None => format!("paths: {}", known.join(", ")),
    };
    let mut failure = Failure::new(StatusCode::NOT_FOUND, "unknown_path", message, &mend);
    failure.text.near = near.map(str::to_owned);
    failure
}

async fn wrong_method(method: Method, uri: Uri) -> Failure {
    Failure::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "wrong_method",
        format!(
            "{:?} does not take {}",
            uri.path().chars().take(SHOWN).collect::<String>(),
            method.as_str().chars().take(SHOWN).collect::<String>()
        ),
        "the field Allow says what it takes",
    )
}

fn bad_path(error: PathRejection) -> Failure {
    Failure::new(
        StatusCode::BAD_REQUEST,
        "bad_path",
        format!("the path is not understood: {}", error.body_text()),
        "names are UTF-8, written with percent signs where a path cannot hold them",
    )
}

/// More are written on a thread of their own: a backend is about 2 KB and 5 microseconds.
const BACKENDS_AT_ONCE: usize = 200;
/// So much of a wrong path is repeated.
const SHOWN: usize = 200;

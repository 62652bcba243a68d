//! A `tower` layer over hyper's client: lb-sched picks the backend of each request.
//!
//! Two choices over three backends of weights 3, 2 and 1. It starts the backends itself, sends six hundred requests and
//! finds the shares of the weights; then one backend dies, and no request fails.

mod balance;

use balance::BalanceLayer;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::error::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::{ServiceBuilder, ServiceExt};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let (a, _a) = backend("a").await?;
    let (b, task_b) = backend("b").await?;
    let (c, _c) = backend("c").await?;
    let layer = BalanceLayer::new(&[(a, 3), (b, 2), (c, 1)]).map_err(|error| error.to_string())?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = ServiceBuilder::new().layer(layer.clone()).service(client);

    let ask = async |count| {
        let mut answers = [0_i32; 3];
        for _ in 0..count {
            let request = Request::get("http://app.example/").body(Empty::<Bytes>::new())?;
            let answer = client.clone().oneshot(request).await?.collect().await?.to_bytes();
            answers[usize::from(answer[0] - b'a')] += 1;
        }
        Outcome::Ok(answers)
    };
    let answers = ask(600).await?;
    println!("600 requests by weights 3:2:1: {answers:?}");
    for (count, want) in answers.into_iter().zip([300, 200, 100]) {
        // chosen at random: six standard deviations of the widest of the three
        assert!((count - want).abs() < 74, "{answers:?}");
    }

    task_b.abort(); // its socket closes: whoever connects from now on is refused
    assert!(task_b.await.is_err_and(|error| error.is_cancelled()));
    let answers = ask(100).await?;
    println!("100 more without the second:   {answers:?}");
    assert!(answers[0] > 0 && answers[1] == 0 && answers[2] > 0);
    assert_eq!(layer.in_flight(), 0, "every request has ended");
    Ok(())
}

/// A backend that answers with its name.
async fn backend(name: &'static str) -> Outcome<(String, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer =
                service_fn(move |_| async move { Ok::<_, hyper::Error>(Response::new(Full::new(Bytes::from(name)))) });
            // a connection per request: none is left when the backend dies
            let mut http = http1::Builder::new();
            tokio::spawn(http.keep_alive(false).serve_connection(TokioIo::new(stream), answer));
        }
    });
    Ok((address, task))
}

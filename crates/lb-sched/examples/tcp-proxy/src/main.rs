//! A TCP proxy: tokio moves the bytes, lb-sched picks the backend.
//!
//! Least connections over three backends of weights 3, 2 and 1. It starts the backends itself, holds sixty connections
//! through the proxy and finds 30, 20 and 10 of them where they belong; then one backend dies, and nobody notices.

mod pool;

use pool::Pool;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let (a, _a) = backend(b'a').await?;
    let (b, task_b) = backend(b'b').await?;
    let (c, _c) = backend(b'c').await?;
    let pool = Arc::new(Pool::new(&[(a, 3), (b, 2), (c, 1)])?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = listener.local_addr()?;
    tokio::spawn(serve(listener, pool.clone()));

    let (mut held, greeted) = hold(proxy, 60).await?;
    println!("60 connections by weights 3:2:1: {greeted:?}");
    assert_eq!(greeted, [30, 20, 10]);
    assert_eq!(pool.in_flight(), [30, 20, 10]);

    task_b.abort(); // its socket closes: whoever connects from now on is refused
    assert!(task_b.await.is_err_and(|error| error.is_cancelled()));
    let (more, greeted) = hold(proxy, 40).await?;
    println!("40 more without the second:      {greeted:?}");
    assert_eq!(greeted, [30, 0, 10]);
    assert_eq!(pool.failures(), [0, 3, 0]); // three clients waited for a second try, the others did not

    held.extend(more);
    drop(held);
    while pool.in_flight() != [0, 0, 0] {
        tokio::task::yield_now().await; // the proxy sees the ends of its connections one by one
    }
    println!("all connections have ended:      {:?}", pool.in_flight());
    Ok(())
}

/// The proxy: one task per connection.
async fn serve(listener: TcpListener, pool: Arc<Pool>) {
    while let Ok((client, _)) = listener.accept().await {
        let pool = pool.clone();
        tokio::spawn(async move {
            if let Err(error) = forward(client, &pool).await {
                eprintln!("a connection ended early: {error}");
            }
        });
    }
}

/// One connection: try backends until one answers, each at most once.
async fn forward(mut client: TcpStream, pool: &Pool) -> Outcome<()> {
    let mut untried = pool.usable();
    while let Some(place) = pool.pick(&untried) {
        match TcpStream::connect(place.address).await {
            Ok(mut backend) => {
                place.in_flight.load().succeeded();
                copy_bidirectional(&mut client, &mut backend).await?;
                return Ok(());
            }
            Err(error) => {
                eprintln!("{}: {error}; trying another", place.address);
                place.in_flight.load().failed(pool.now());
                untried.remove(place.slot);
            }
        }
    } // `place` is dropped here, however the connection ended: the backend's count goes down
    Err("no backend is left".into())
}

/// A backend that greets with one letter and waits for the end.
async fn backend(letter: u8) -> Outcome<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(&[letter]).await?;
                stream.read_to_end(&mut Vec::new()).await
            });
        }
    });
    Ok((address, task))
}

/// Opens connections and keeps them: who greeted how often?
async fn hold(proxy: SocketAddr, count: usize) -> Outcome<(Vec<TcpStream>, [u32; 3])> {
    let (mut held, mut greeted) = (Vec::new(), [0; 3]);
    for _ in 0..count {
        let mut stream = TcpStream::connect(proxy).await?;
        greeted[usize::from(stream.read_u8().await? - b'a')] += 1;
        held.push(stream);
    }
    Ok((held, greeted))
}

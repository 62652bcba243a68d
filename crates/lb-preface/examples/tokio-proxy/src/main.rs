//! A TCP proxy on tokio that sends TLS connections where their server name says, unopened.
//!
//! `tokio-proxy 0.0.0.0:443 10.0.0.0/8 a.example=10.1.0.1:443 b.example=10.1.0.2:443` believes PROXY headers of
//! `10.0.0.0/8` and tells the upstreams who the client is in PROXY headers of version 2. Without arguments it checks
//! itself: two upstreams, clients behind a balancer, without one and pretending to be behind one; then it ends.

mod proxy;

use lb_preface::{Alert, fatal_record, proxy as header};
use proxy::{Proxy, read_until};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (listen, trusted, routes) = match arguments.as_slice() {
        [] => return check().await,
        [listen, trusted, routes @ ..] if !routes.is_empty() => (listen, trusted, routes),
        _ => return Err("usage: tokio-proxy LISTEN TRUSTED[,TRUSTED..] NAME=UPSTREAM..".into()),
    };
    let mut proxy = Proxy {
        trusted: Vec::new(),
        routes: Default::default(),
    };
    for range in trusted.split(',').filter(|range| !range.is_empty()) {
        proxy
            .trusted
            .push(range.parse().map_err(|error| format!("{range}: {error}"))?);
    }
    for route in routes {
        let (name, upstream) = route
            .split_once('=')
            .ok_or_else(|| format!("{route}: not NAME=UPSTREAM"))?;
        let upstream = upstream.parse().map_err(|error| format!("{route}: {error}"))?;
        proxy.routes.insert(name.to_ascii_lowercase(), upstream);
    }
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("{listen}: {error}"))?;
    Arc::new(proxy).serve(listener).await;
    Ok(())
}

async fn check() -> Outcome<()> {
    let proxy = Proxy {
        trusted: vec!["127.0.0.2".parse()?],
        routes: [
            ("a.example".to_owned(), upstream("a").await?),
            ("b.example".to_owned(), upstream("b").await?),
        ]
        .into(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(Arc::new(proxy).serve(listener));
    let (balancer, client) = (Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST);
    let header = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

    // Behind the balancer: the upstream is told of the client, and gets the hello as it was.
    let hello = hello_for("a.example")?;
    let (_, answer) = ask(balancer, address, &[header, hello.as_slice()].concat()).await?;
    expect(
        &answer,
        "a was told: 192.0.2.1:56324 to 198.51.100.2:443 for a.example\n",
        &hello,
    );

    // The balancer's own connection: version 2, LOCAL, no addresses.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    let (own, answer) = ask(balancer, address, &[local, hello.as_slice()].concat()).await?;
    expect(
        &answer,
        &format!("a was told: {own} to {address} for a.example\n"),
        &hello,
    );

    // Nobody in between, and the other name; letter case does not count.
    let hello = hello_for("B.example")?;
    let (own, answer) = ask(client, address, &hello).await?;
    expect(
        &answer,
        &format!("b was told: {own} to {address} for b.example\n"),
        &hello,
    );

    // A name that nobody has: an alert.
    let (_, answer) = ask(client, address, &hello_for("c.example")?).await?;
    assert_eq!(answer, fatal_record(Alert::UnrecognizedName));

    // A header from whom it is not believed, and none from whom it must come: closed without a word.
    let (_, answer) = ask(client, address, header).await?;
    assert_eq!(answer, b"");
    let (_, answer) = ask(balancer, address, b"GET / HTTP/1.1\r\n\r\n").await?;
    assert_eq!(answer, b"");
    println!("all as it should be");
    Ok(())
}

fn expect(answer: &[u8], line: &str, hello: &[u8]) {
    let (told, rest) = answer.split_at_checked(line.len()).unwrap_or((answer, b""));
    print!("{}", String::from_utf8_lossy(told));
    assert_eq!(String::from_utf8_lossy(told), line);
    assert!(rest == hello, "the upstream got other bytes than the client sent");
}

/// An upstream that says what it was told, and sends back what else it gets.
async fn upstream(name: &'static str) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Err(error) = say_what_it_was_told(name, stream).await {
                eprintln!("{name}: {error}");
            }
        }
    });
    Ok(address)
}

async fn say_what_it_was_told(name: &str, mut stream: TcpStream) -> Outcome<()> {
    let mut bytes = Vec::new();
    let (told, len) = read_until(&mut stream, &mut bytes, |bytes| {
        let step = header::parse(bytes, header::Limits::default())?;
        Ok::<_, header::Error>(step.map(|header| {
            let (addresses, facts) = (header.addresses(), header.facts());
            assert!(facts.is_checked);
            let name = facts.authority.unwrap_or_default().escape_ascii();
            format!(
                "{} to {} for {name}",
                addresses.source().unwrap(),
                addresses.destination().unwrap()
            )
        }))
    })
    .await?;
    stream.read_to_end(&mut bytes).await?;
    stream
        .write_all(format!("{name} was told: {told}\n").as_bytes())
        .await?;
    stream.write_all(&bytes[len..]).await?;
    Ok(())
}

/// Sends `bytes` from an address of this machine and reads what comes until the end; also answers from which port.
async fn ask(from: Ipv4Addr, proxy: SocketAddr, bytes: &[u8]) -> Outcome<(SocketAddr, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let mut stream = socket.connect(proxy).await?;
    stream.write_all(bytes).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok((stream.local_addr()?, answer))
}

/// The first bytes of a TLS client that asks for `name`.
fn hello_for(name: &'static str) -> Outcome<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let mut bytes = Vec::new();
    ClientConnection::new(Arc::new(config), name.try_into()?)?.write_tls(&mut bytes)?;
    Ok(bytes)
}

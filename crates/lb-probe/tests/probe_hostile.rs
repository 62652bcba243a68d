//! Services that answer wrongly, slowly, endlessly or not at all: every probe ends, with the right cause.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::Cause;
use lb_probe::{
    Agent, AgentError, AgentNews, AgentOptions, AgentState, AgentWord, Agents, Asked, ExchangeOptions, Fallback,
    HttpOptions, Kind, LineError, Probe, ProbeError, ProbeOptions, ProxyHeader, Step, UdpOptions,
};
use lb_types::BackendId;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// A service that treats each connection so.
async fn service<F: Future<Output = ()> + Send + 'static>(treat: fn(TcpStream) -> F) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(treat(stream));
        }
    });
    address
}

fn kinds() -> Vec<Kind> {
    let expect = Kind::Exchange(ExchangeOptions {
        steps: vec![Step::Expect(b"never".to_vec())],
        ..ExchangeOptions::default()
    });
    let body = Kind::Http(HttpOptions {
        body: Some("never".to_owned()),
        ..HttpOptions::default()
    });
    let user = Some("lbd".to_owned());
    vec![
        expect,
        body,
        Kind::Redis,
        Kind::Memcached,
        Kind::Smtp,
        Kind::Mysql { user: None },
        Kind::Mysql { user: user.clone() },
        Kind::Postgres { user: None },
        Kind::Postgres { user },
    ]
}

async fn run(address: SocketAddr, kind: Kind, timeout: Duration) -> Result<(), Cause> {
    let options = ProbeOptions {
        kind,
        timeout,
        ..ProbeOptions::default()
    };
    Probe::new(address, options).unwrap().run().await
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_endless_greeting_ends_at_a_limit_of_bytes() {
    // without line ends and with them; 0xff begins no message of any of these protocols
    for treat in [endless::<b'x'>, endless_lines] {
        let address = treat().await;
        for kind in kinds() {
            let result = run(address, kind.clone(), LONG).await;
            assert!(
                matches!(result, Err(Cause::Reply | Cause::Protocol(_))),
                "{kind:?}: {result:?}"
            );
        }
    }
}

type Made = std::pin::Pin<Box<dyn Future<Output = SocketAddr>>>;

fn endless<const BYTE: u8>() -> Made {
    Box::pin(service(|mut stream| async move {
        while stream.write_all(&[BYTE; 4_096]).await.is_ok() {}
    }))
}

fn endless_lines() -> Made {
    Box::pin(service(|mut stream| async move {
        while stream.write_all(b"220-more\r\n").await.is_ok() {}
    }))
}

#[tokio::test]
async fn a_page_of_a_gigabyte_is_read_to_its_limit_only() {
    let address = service(|mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
            .await;
        while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
    })
    .await;
    let body = |text: &str, body_bytes| {
        Kind::Http(HttpOptions {
            body: Some(text.to_owned()),
            body_bytes,
            ..HttpOptions::default()
        })
    };
    assert_eq!(run(address, body("y", 1 << 20), LONG).await, Err(Cause::Body));
    assert_eq!(run(address, body("xxxx", 4), LONG).await, Ok(()));
    assert_eq!(run(address, body("xxxx", 3), LONG).await, Err(Cause::Body));
}

#[tokio::test]
async fn silence_ends_with_the_timeout_and_a_reset_at_once() {
    let silent = service(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let resetting = service(|mut stream| async move {
        let _ = stream.write_all(b"\x0a").await;
        let _ = stream.set_zero_linger();
    })
    .await;
    let closing = service(|_| async {}).await;
    for kind in kinds() {
        let short = Duration::from_millis(200);
        assert_eq!(run(silent, kind.clone(), short).await, Err(Cause::Silent), "{kind:?}");
        let reset = run(resetting, kind.clone(), LONG).await;
        assert!(
            matches!(reset, Err(Cause::Reset | Cause::Reply | Cause::Protocol(_))),
            "{kind:?}: {reset:?}"
        );
        let closed = run(closing, kind.clone(), LONG).await;
        assert!(
            matches!(closed, Err(Cause::Closed | Cause::Reset)),
            "{kind:?}: {closed:?}"
        );
    }
}

#[tokio::test]
async fn bytes_one_by_one_are_understood_and_dripping_does_not_outlast_the_timeout() {
    let dripping = service(|mut stream| async move {
        let _ = stream.set_nodelay(true);
        for byte in b"+PONG\r\n" {
            let _ = stream.write_all(&[*byte]).await;
            tokio::task::yield_now().await;
        }
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    assert_eq!(run(dripping, Kind::Redis, LONG).await, Ok(()));
    let for_ever = service(|mut stream| async move {
        while stream.write_all(b"+").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let short = Duration::from_millis(60);
    assert_eq!(run(for_ever, Kind::Redis, short).await, Err(Cause::Silent));
}

#[tokio::test]
async fn s_health_02_slow_wrong_reply_and_wrong_redirect_are_distinct_results() {
    let slow = service(|mut stream| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let _ = stream.write_all(b"+PONG\r\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let options = ProbeOptions {
        kind: Kind::Redis,
        timeout: LONG,
        slow: Some(Duration::from_millis(20)),
        ..ProbeOptions::default()
    };
    assert_eq!(Probe::new(slow, options).unwrap().run().await, Err(Cause::Slow));
    let page = service(|mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")
            .await;
    })
    .await;
    let location = |location: &str| {
        Kind::Http(HttpOptions {
            location: Some(location.to_owned()),
            ..HttpOptions::default()
        })
    };
    assert_eq!(run(page, location("/login"), LONG).await, Ok(()));
    assert_eq!(run(page, location("/lo*"), LONG).await, Ok(()));
    assert_eq!(run(page, location("/home"), LONG).await, Err(Cause::Redirect));
    assert_eq!(run(page, Kind::Redis, LONG).await, Err(Cause::Reply));
}

#[tokio::test]
async fn a_datagram_is_answered_wrongly_not_at_all_or_refused() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let udp = |expect: Option<&str>, silence_is_good| {
        Kind::Udp(UdpOptions {
            send: b"ping".to_vec(),
            expect: expect.map(|text| text.as_bytes().to_vec()),
            silence_is_good,
        })
    };
    let short = Duration::from_millis(50);
    assert_eq!(run(address, udp(None, false), short).await, Err(Cause::Timeout));
    assert_eq!(run(address, udp(Some("x"), true), short).await, Ok(()));
    let echo = tokio::spawn(async move {
        let mut bytes = [0; 64];
        // the two datagrams that nobody answered yet, and three more
        for _ in 0..5 {
            let (len, from) = socket.recv_from(&mut bytes).await.unwrap();
            let _ = socket.send_to(&bytes[..len], from).await;
        }
    });
    assert_eq!(run(address, udp(None, false), LONG).await, Ok(()));
    assert_eq!(run(address, udp(Some("in"), false), LONG).await, Ok(()));
    assert_eq!(run(address, udp(Some("pong"), true), LONG).await, Err(Cause::Reply));
    echo.await.unwrap();
    assert_eq!(run(address, udp(None, true), LONG).await, Err(Cause::Refused));
}

#[tokio::test]
async fn a_proxy_header_goes_first() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (header, beginning) in [
        (ProxyHeader::V1, &b"PROXY TCP4 127.0.0.1 127.0.0.1 "[..]),
        (ProxyHeader::V2, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"),
        (ProxyHeader::V2Local, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0PING\r\n"),
    ] {
        let options = |kind| ProbeOptions {
            kind,
            timeout: LONG,
            proxy_header: Some(header),
            ..ProbeOptions::default()
        };
        let probe = Probe::new(address, options(Kind::Redis)).unwrap();
        let running = tokio::spawn(async move { probe.run().await });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"PING\r\n") {
            read.push(stream.read_u8().await.unwrap());
        }
        assert!(read.starts_with(beginning), "{}", read.escape_ascii());
        stream.write_all(b"+PONG\r\n").await.unwrap();
        assert_eq!(running.await.unwrap(), Ok(()));
        for kind in [Kind::HalfOpen(Fallback::Connect), Kind::Udp(UdpOptions::default())] {
            assert_eq!(Probe::new(address, options(kind)), Err(ProbeError::ProxyHeader));
        }
    }
}

#[tokio::test]
async fn an_agents_line_is_bounded_and_must_end() {
    async fn ask(address: SocketAddr) -> Result<AgentWord, AgentError> {
        let options = AgentOptions {
            port: address.port(),
            interval: LONG,
            send: b"who\n".to_vec(),
            ..AgentOptions::default()
        };
        let line = Agent::new(address, options).unwrap().ask().await?;
        Ok(line.word.unwrap())
    }
    let good = service(|mut stream| async move {
        let _ = stream.write_all(b"down #x\r\nup\r\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    assert_eq!(ask(good).await, Ok(AgentWord::Down));
    let cut = service(|mut stream| async move {
        let _ = stream.read(&mut [0; 64]).await;
        let _ = stream.write_all(b"up 10").await;
    })
    .await;
    assert_eq!(ask(cut).await, Err(AgentError::Line(LineError::NoEnd)));
    assert_eq!(
        ask(endless::<b' '>().await).await,
        Err(AgentError::Line(LineError::TooLong))
    );
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(ask(gone).await, Err(AgentError::Unreached(Cause::Refused)));
}

#[tokio::test]
async fn what_an_agent_said_is_told_again_after_a_reload_and_taken_back_when_it_goes() {
    let address = service(|mut stream| async move {
        let _ = stream.write_all(b"drain 50%\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let options = AgentOptions {
        port: address.port(),
        interval: Duration::from_millis(10),
        ..AgentOptions::default()
    };
    let backend = BackendId::from_u64(7);
    let asked = Asked {
        backend,
        name: "main/a".to_owned(),
        agent: Agent::new(address, options).unwrap(),
    };
    let mut agents = Agents::new(1);
    agents.replace(vec![asked.clone()]);
    let said = agents.next().await;
    assert_eq!((said.backend, said.state.weight_percent), (backend, 50));
    agents.replace(vec![asked]);
    let again = agents.next().await;
    assert_eq!((again.state, again.news), (said.state, AgentNews::Again));
    agents.replace(Vec::new());
    let left = agents.next().await;
    assert_eq!((left.backend, left.state), (backend, lb_probe::AgentState::default()));
    assert_eq!(agents.state(backend), None);
}

#[tokio::test]
async fn reloads_that_come_faster_than_questions_put_none_off() {
    let address = service(|mut stream| async move {
        let _ = stream.write_all(b"75%\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let options = AgentOptions {
        port: address.port(),
        interval: Duration::from_secs(1),
        ..AgentOptions::default()
    };
    let list: Vec<Asked> = (1..=8)
        .map(|id| Asked {
            backend: BackendId::from_u64(id),
            name: format!("main/{id}"),
            agent: Agent::new(address, options.clone()).unwrap(),
        })
        .collect();
    let mut agents = Agents::new(1);
    let mut said = std::collections::BTreeSet::new();
    let all = async {
        while said.len() < 8 {
            agents.replace(list.clone());
            // a reload every 20 ms, each question has its place within a second
            let until = tokio::time::Instant::now() + Duration::from_millis(20);
            while let Ok(event) = tokio::time::timeout_at(until, agents.next()).await {
                assert_eq!(event.state.weight_percent, 75);
                said.insert(event.backend);
            }
        }
    };
    tokio::time::timeout(LONG, all).await.expect("all are asked");
}

#[tokio::test]
async fn a_change_that_nobody_has_heard_yet_outlives_a_reload() {
    let address = service(|mut stream| async move {
        let _ = stream.write_all(b"drain\n").await;
        let _ = stream.read(&mut [0; 64]).await;
    })
    .await;
    let agent = |port| {
        let options = AgentOptions {
            port,
            interval: Duration::from_millis(10),
            ..AgentOptions::default()
        };
        let (backend, name) = (BackendId::from_u64(7), "main/a".to_owned());
        let agent = Agent::new(address, options).unwrap();
        Asked { backend, name, agent }
    };
    let mut agents = Agents::new(1);
    agents.replace(vec![agent(address.port())]);
    assert_eq!(agents.next().await.state.admin, lb_health::Admin::Drain);
    // the agent moves: nothing is left of the drain, and two reloads later that is still told
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    agents.replace(vec![agent(gone.port())]);
    agents.replace(vec![agent(gone.port())]);
    let event = agents.next().await;
    assert_eq!((event.news, event.state), (AgentNews::Said, AgentState::default()));
}

#[tokio::test]
async fn an_agent_that_cannot_be_reached_is_told_once_and_so_is_its_return() {
    let place = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = place.local_addr().unwrap();
    drop(place);
    let options = AgentOptions {
        port: address.port(),
        interval: Duration::from_millis(10),
        ..AgentOptions::default()
    };
    let (backend, name) = (BackendId::from_u64(7), "main/a".to_owned());
    let agent = Agent::new(address, options).unwrap();
    let mut agents = Agents::new(1);
    agents.replace(vec![Asked { backend, name, agent }]);
    let event = agents.next().await;
    let fault = AgentError::Unreached(Cause::Refused);
    assert_eq!((event.backend, event.news), (backend, AgentNews::Silent(fault)));
    assert_eq!(agents.fault(backend), Some(fault));
    let more = tokio::time::timeout(Duration::from_millis(100), agents.next()).await;
    assert!(more.is_err(), "the same fault is no news: {more:?}");
    let place = TcpListener::bind(address).await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = place.accept().await {
            let _ = stream.write_all(b"up ready\n").await;
        }
    });
    let event = tokio::time::timeout(LONG, agents.next()).await.unwrap();
    assert_eq!((event.news, event.state), (AgentNews::Back, AgentState::default()));
    assert_eq!(agents.fault(backend), None);
}

//! Probes over TLS against a server of our own.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod tls;

use lb_health::{Cause, Status};
use lb_net::{Handshake, Stream};
use lb_probe::{HttpOptions, Kind, Probe, ProbeOptions, Prober, Watched};
use lb_tls::{Engine, SetClock, Site, Version, Versions};
use lb_types::{BackendId, Time, Wall};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tls::{Made, NAME, NOW};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Answers one request on each connection, and says of each whether its session was resumed.
async fn server(site: Arc<Site>) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let carrier: Stream = listener.accept().await.unwrap().0.into();
            let mut handshake = Handshake::server(carrier, Arc::clone(site.config()), Some(NAME), &[]).unwrap();
            // the probe may refuse the certificate
            let Ok(mut stream) = poll_fn(|cx| handshake.poll(cx)).await else {
                continue;
            };
            let _ = tell.send(stream.tls().unwrap().facts().resumed);
            let mut request = Vec::new();
            // the probe may go away before it asks
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await;
            let _ = stream.shutdown().await;
        }
    });
    (address, told)
}

#[tokio::test]
async fn a_session_that_is_resumed_is_verified_by_the_clock_of_now() {
    for version in [Version::Tls12, Version::Tls13] {
        let clock = SetClock::at(Wall::from_secs(NOW));
        let engine = Engine::aws_lc(clock.clone());
        let made = Made::new();
        let site = made.site(Versions::new(version, version).unwrap(), &engine);
        let (address, mut resumed) = server(site).await;
        let tls = made.trusted(&engine);
        let options = ProbeOptions {
            kind: Kind::Http(HttpOptions::default()),
            timeout: Duration::from_secs(60),
            ..ProbeOptions::default()
        };
        let probe = Probe::new(address, options).unwrap().with_tls(Some(tls));
        for (seconds, is_resumed, found) in [
            (NOW, false, Ok(())),
            (NOW, true, Ok(())),
            (NOW + 1, true, Err(Cause::Handshake("expired"))),
            // What was refused is not taken up again: the backend may have a new certificate.
            (NOW, false, Ok(())),
            (NOW, true, Ok(())),
        ] {
            clock.set(Wall::from_secs(seconds));
            assert_eq!(probe.run().await, found, "{version:?} {seconds}");
            assert_eq!(resumed.recv().await, Some(is_resumed), "{version:?} {seconds}");
        }
    }
}

#[tokio::test]
async fn a_probe_tells_how_long_the_certificate_is_good_and_stays_good_until_it_is_not() {
    let clock = SetClock::at(Wall::from_secs(NOW - 5 * DAY));
    let engine = Engine::aws_lc(clock.clone());
    let made = Made::new();
    let (address, mut resumed) = server(made.site(Versions::default(), &engine)).await;
    let handshake = Probe::new(address, ProbeOptions::default()).unwrap();
    let over_tls = handshake.clone().with_tls(Some(made.trusted(&engine)));
    let mut prober = Prober::new(1, Time::ZERO);
    let id = BackendId::from_u64(1);
    prober.replace(vec![Watched::new(id, "web/a", over_tls.clone())]);
    assert_eq!(prober.next().await.change.to, Status::Up);
    let seen = prober.view(id).unwrap().certificate.unwrap();
    assert_eq!((seen.days_left(), seen.step()), (5, Some(7)));
    // another probe, one without TLS: nothing is shown of what it does not see
    prober.replace(vec![Watched::new(id, "web/a", handshake.clone())]);
    assert_eq!(prober.view(id).unwrap().certificate, None);
    drop(prober);

    let mut days = Vec::new();
    for seconds in [NOW - 40 * DAY, NOW - DAY, NOW] {
        clock.set(Wall::from_secs(seconds));
        let answer = over_tls.ask().await;
        assert_eq!(answer.result, Ok(()));
        days.push(answer.certificate.unwrap().days_left());
    }
    assert_eq!(days, [40, 1, 0]);
    clock.set(Wall::from_secs(NOW + 1));
    let answer = over_tls.ask().await;
    assert_eq!(answer.result, Err(Cause::Handshake("expired")));
    clock.set(Wall::from_secs(NOW));
    for tls in [made.pinned(&engine), made.unverified(&engine)] {
        let answer = handshake.clone().with_tls(Some(tls)).ask().await;
        assert_eq!((answer.result, answer.certificate), (Ok(()), None), "no date is asked");
    }
    resumed.close();
}

const DAY: u64 = 86_400;

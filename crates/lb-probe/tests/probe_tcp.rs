//! TCP probes against real sockets.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::Cause;
use lb_probe::{Probe, ProbeError, ProbeOptions};
use std::io::Read as _;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn closed_port() -> SocketAddr {
    listener().1
}

fn tcp(address: SocketAddr) -> Probe {
    // long: a busy machine must not make a refusal a timeout
    Probe::new(
        address,
        ProbeOptions {
            timeout: Duration::from_secs(60),
            ..ProbeOptions::default()
        },
    )
    .unwrap()
}

/// A listener whose queue is full: the kernel drops further SYNs, as a firewall does.
fn full() -> (socket2::Socket, SocketAddr, Vec<TcpStream>) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into())
        .unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let waiting = (0..8)
        .map(|_| {
            let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            // in progress is what a full queue looks like
            let _ = client.connect(&address.into());
            client.into()
        })
        .collect();
    (socket, address, waiting)
}

#[tokio::test]
async fn s_health_01_a_handshake_is_enough_and_nothing_is_sent() {
    let (listener, address) = listener();
    assert_eq!(tcp(address).run().await, Ok(()));
    let (mut seen, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    assert_eq!(
        seen.read_to_end(&mut bytes).unwrap(),
        0,
        "an orderly close without a byte"
    );
}

#[tokio::test]
async fn s_health_02_a_closed_port_is_refused() {
    assert_eq!(tcp(closed_port()).run().await, Err(Cause::Refused));
}

#[tokio::test(start_paused = true)]
async fn s_health_02_a_port_that_does_not_answer_times_out() {
    let (_listener, address, _waiting) = full();
    let begun = tokio::time::Instant::now();
    assert_eq!(
        Probe::new(address, ProbeOptions::default()).unwrap().run().await,
        Err(Cause::Timeout)
    );
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(2) && took < Duration::from_millis(2_100),
        "{took:?}"
    );
}

#[tokio::test]
async fn s_health_02_an_address_without_a_route_is_unreachable() {
    // Linux makes no TCP connection to a broadcast or multicast address: ENETUNREACH
    for address in ["255.255.255.255:80", "224.0.0.1:80"] {
        assert_eq!(
            tcp(address.parse().unwrap()).run().await,
            Err(Cause::Unreachable),
            "{address}"
        );
    }
}

#[tokio::test]
async fn s_health_05_the_source_address_can_be_chosen_and_is_shown() {
    let (listener, address) = listener();
    let source: IpAddr = "127.0.0.2".parse().unwrap();
    let options = ProbeOptions {
        source: Some(source),
        timeout: Duration::from_secs(60),
        ..ProbeOptions::default()
    };
    let probe = Probe::new(address, options).unwrap();
    assert_eq!(probe.source(), Some(source));
    assert_eq!(probe.run().await, Ok(()));
    assert_eq!(listener.accept().unwrap().1.ip(), source);
}

#[tokio::test]
async fn a_source_address_that_is_not_ours_is_our_fault() {
    let (_listener, address) = listener();
    // TEST-NET-2, RFC 5737
    let source = Some("198.51.100.1".parse().unwrap());
    let probe = Probe::new(
        address,
        ProbeOptions {
            source,
            ..ProbeOptions::default()
        },
    )
    .unwrap();
    assert_eq!(probe.run().await, Err(Cause::Local));
}

#[tokio::test]
async fn s_health_06_the_port_is_the_backends_unless_another_one_is_given() {
    let (up, backend) = listener();
    let same = tcp(backend);
    assert_eq!(
        (same.address(), same.backend(), same.is_elsewhere()),
        (backend.into(), backend.into(), false)
    );

    let (_other, port) = listener();
    drop(up); // the service is gone, its health port still answers
    let options = ProbeOptions {
        port: Some(port.port()),
        timeout: Duration::from_secs(60),
        ..ProbeOptions::default()
    };
    let probe = Probe::new(backend, options.clone()).unwrap();
    assert_eq!(
        (probe.address(), probe.backend(), probe.is_elsewhere()),
        (port.into(), backend.into(), true)
    );
    assert_eq!(probe.run().await, Ok(()));
    assert_eq!(same.run().await, Err(Cause::Refused));

    let address = Some("127.0.0.3".parse().unwrap());
    let probe = Probe::new(backend, ProbeOptions { address, ..options }).unwrap();
    assert_eq!(
        probe.address(),
        SocketAddr::new("127.0.0.3".parse().unwrap(), port.port()).into()
    );
}

#[test]
fn s_health_08_timeout_port_and_source_are_checked() {
    let backend: SocketAddr = "10.1.1.2:80".parse().unwrap();
    let error = |options: ProbeOptions| Probe::new(backend, options).unwrap_err().to_string();
    let base = ProbeOptions::default;
    assert_eq!(base().timeout, Duration::from_secs(2));
    let timeout = |timeout| ProbeOptions { timeout, ..base() };
    assert_eq!(
        error(timeout(Duration::from_micros(999))),
        "timeout is 999µs, outside 1ms to 300s"
    );
    assert_eq!(
        error(timeout(Duration::from_millis(300_001))),
        "timeout is 300.001s, outside 1ms to 300s"
    );
    for good in [1, 300_000] {
        assert!(Probe::new(backend, timeout(Duration::from_millis(good))).is_ok());
    }
    assert_eq!(
        error(ProbeOptions {
            port: Some(0),
            ..base()
        }),
        "port 0 cannot be probed"
    );
    assert_eq!(
        Probe::new("10.1.1.2:0".parse::<SocketAddr>().unwrap(), base()),
        Err(ProbeError::Port)
    );
    assert_eq!(
        error(ProbeOptions {
            source: Some("::1".parse().unwrap()),
            ..base()
        }),
        "source ::1 and probed address 10.1.1.2 are not of one family"
    );
}

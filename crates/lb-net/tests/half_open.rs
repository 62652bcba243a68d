//! Half-open probes of real listeners, which must never see them. Skipped where raw sockets are not permitted.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // helpers of tests are tests

use lb_net::{Origin, connect_and_reset, half_open, half_open_is_permitted};
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};

fn permitted() -> bool {
    match half_open_is_permitted() {
        Ok(()) => true,
        Err(error) => {
            assert!(
                std::env::var_os("LBD_REQUIRE_PEERS").is_none(),
                "raw sockets are needed: {error}"
            );
            eprintln!("skipped: no raw sockets: {error}");
            false
        }
    }
}

fn listeners() -> Vec<TcpListener> {
    ["127.0.0.1:0", "[::1]:0"]
        .iter()
        .filter_map(|address| TcpListener::bind(address).ok())
        .collect()
}

/// Asserts that the next connection that `listener` accepts is the one made here: nobody came before.
fn saw_nobody(listener: &TcpListener) {
    let mine = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(listener.accept().unwrap().1, mine.local_addr().unwrap());
}

#[tokio::test]
async fn s_health_01_a_listening_port_answers_and_its_program_sees_no_connection() {
    if !permitted() {
        return;
    }
    for listener in listeners() {
        let address = listener.local_addr().unwrap();
        for _ in 0..20 {
            half_open(address, Origin::default()).await.unwrap();
        }
        saw_nobody(&listener);
    }
}

#[tokio::test]
async fn s_health_02_a_closed_port_is_refused() {
    if !permitted() {
        return;
    }
    for listener in listeners() {
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = half_open(address, Origin::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{address}");
    }
}

#[tokio::test]
async fn s_health_05_source_and_interface_are_obeyed() {
    if !permitted() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let origin = Origin {
        source: Some("127.0.0.9".parse().unwrap()),
        interface: Some("lo"),
    };
    half_open(address, origin).await.unwrap();
    let nowhere = Origin {
        source: None,
        interface: Some("no-such-if0"),
    };
    let error = half_open(address, nowhere).await.unwrap_err();
    assert_eq!(error.raw_os_error(), Some(19), "ENODEV: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_port_behind_a_full_queue_never_answers() {
    if !permitted() {
        return;
    }
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into())
        .unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _waiting: Vec<socket2::Socket> = (0..8)
        .map(|_| {
            let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            let _in_progress = client.connect(&address.into());
            client
        })
        .collect();
    let limit = std::time::Duration::from_secs(10);
    let ended = tokio::time::timeout(limit, half_open(address, Origin::default())).await;
    assert!(ended.is_err(), "{ended:?}");
}

#[tokio::test]
async fn s_health_01_without_raw_sockets_the_connection_is_reset_before_it_is_accepted() {
    for listener in listeners() {
        let address = listener.local_addr().unwrap();
        connect_and_reset(address, Origin::default()).await.unwrap();
        drop(listener);
        let error = connect_and_reset(address, Origin::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{address}");
    }
}

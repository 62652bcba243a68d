use super::*;
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Waker;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

fn configs(version: &'static SupportedProtocolVersion) -> (Arc<ServerConfig>, Arc<ClientConfig>) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let made = rcgen::generate_simple_self_signed(["site.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![b"http/1.1".to_vec()];
    (Arc::new(server), Arc::new(client))
}

async fn sockets() -> (Stream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0.into(), client.into())
}

/// The server's and the client's end.
async fn pair(version: &'static SupportedProtocolVersion) -> (Stream, Stream) {
    let (server, client) = configs(version);
    let (near, far) = sockets().await;
    let mut near = Handshake::server(near, server, Some("site.example"), &[]).unwrap();
    let mut far = Handshake::client(far, client, ServerName::try_from("site.example").unwrap()).unwrap();
    let (near, far) = tokio::join!(poll_fn(|cx| near.poll(cx)), poll_fn(|cx| far.poll(cx)));
    (near.unwrap(), far.unwrap())
}

async fn read_exactly(stream: &mut Stream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).await.unwrap();
    bytes
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n % 251) as u8).collect()
}

#[tokio::test]
async fn both_sides_agree_and_say_on_what() {
    for (version, name) in VERSIONS.into_iter().zip(["TLSv1.2", "TLSv1.3"]) {
        let (near, far) = pair(version).await;
        for stream in [&near, &far] {
            let facts = stream.tls().unwrap().facts();
            assert_eq!(facts.version, name);
            assert!(facts.cipher.starts_with("TLS_"), "{facts:?}");
            assert_eq!(facts.alpn.as_deref(), Some(&b"http/1.1"[..]));
            assert!(!facts.resumed && facts.group.is_some());
            assert!(stream.plain().is_none(), "its bytes are not the payload");
        }
        assert_eq!(near.tls().unwrap().facts().server_name.as_deref(), Some("site.example"));
        let shown = |certificates: Option<&[_]>| certificates.map(<[_]>::len);
        assert_eq!(far.tls().unwrap().with_peer_certificates(shown), Some(1));
        assert_eq!(near.tls().unwrap().with_peer_certificates(shown), None);
    }
}

#[tokio::test]
async fn a_million_bytes_arrive_whole_in_both_directions_whatever_the_pieces() {
    for version in VERSIONS {
        for (write, read) in [(1, 1), (100, 70_000), (16_384, 5_000), (70_000, 16_385), (300_000, 3)] {
            let (mut near, mut far) = pair(version).await;
            let payload = pattern(if write == 1 { 3_000 } else { 400_000 });
            for _ in 0..2 {
                let sent = payload.clone();
                let writer = async {
                    for piece in sent.chunks(write) {
                        near.write_all(piece).await.unwrap();
                    }
                    near.flush().await.unwrap();
                };
                let reader = async {
                    let mut got = Vec::new();
                    let mut piece = vec![0; read];
                    while got.len() < payload.len() {
                        let len = far.read(&mut piece).await.unwrap();
                        assert!(len > 0);
                        got.extend_from_slice(&piece[..len]);
                    }
                    got
                };
                let ((), got) = tokio::join!(writer, reader);
                assert!(got == payload, "{write} {read}");
                std::mem::swap(&mut near, &mut far);
            }
        }
    }
}

#[tokio::test]
async fn several_slices_go_into_few_records() {
    let (mut near, mut far) = pair(&rustls::version::TLS13).await;
    let body = pattern(30_000);
    let slices = [
        IoSlice::new(b"head"),
        IoSlice::new(&[]),
        IoSlice::new(&body),
        IoSlice::new(b"\r\n"),
    ];
    let sent = poll_fn(|cx| near.poll_send_vectored(cx, &slices)).await.unwrap();
    assert_eq!(sent, 30_006);
    let got = read_exactly(&mut far, sent).await;
    assert_eq!((&got[..4], &got[30_004..]), (&b"head"[..], &b"\r\n"[..]));
    assert!(got[4..30_004] == body);
}

#[test]
fn pieces_give_every_byte_once_and_join_the_short_ones() {
    let long = pattern(20_000);
    let slices = [&b"ab"[..], b"", b"c", &long, b"d"].map(IoSlice::new);
    let mut gather = vec![0; 16_384];
    let mut pieces = Pieces::new(&slices);
    let mut got = Vec::new();
    let mut lengths = Vec::new();
    while let Some(piece) = pieces.next(65_536, &mut gather) {
        lengths.push(piece.len());
        got.extend_from_slice(piece);
    }
    // One full record with both short ones in front, and the rest with the last one behind it.
    assert_eq!(lengths, [16_384, 3_620]);
    assert_eq!(got, [&b"abc"[..], &long, b"d"].concat());
    assert!(Pieces::new(&[]).next(10, &mut gather).is_none());
}

#[tokio::test]
async fn an_end_with_close_notify_is_clean_and_one_without_is_cut() {
    for version in VERSIONS {
        for cut in [false, true] {
            let (mut near, mut far) = pair(version).await;
            near.write_all(b"last").await.unwrap();
            if cut {
                let Stream::Tls(tls) = &near else { panic!("not TLS") };
                tls.cut();
            }
            near.close_write();
            assert_eq!(read_exactly(&mut far, 4).await, b"last");
            let mut nothing = [0; 9];
            assert_eq!(far.read(&mut nothing).await.unwrap(), 0);
            let ended = if cut { Ended::Cut } else { Ended::Clean };
            assert_eq!(far.ended(), ended, "{version:?}");
            // The other direction goes on.
            far.write_all(b"answer").await.unwrap();
            assert_eq!(read_exactly(&mut near, 6).await, b"answer");
            assert_eq!(near.ended(), Ended::Open);
            drop(far);
            assert_eq!(near.read(&mut nothing).await.unwrap(), 0);
            assert_eq!(near.ended(), Ended::Clean, "who drops it says the end");
        }
    }
}

#[tokio::test]
async fn a_reset_is_no_end() {
    let (near, mut far) = pair(&rustls::version::TLS13).await;
    near.reset();
    assert!(far.read(&mut [0; 9]).await.is_err());
}

#[tokio::test]
async fn a_ticket_behind_the_handshake_leaves_the_connection_silent() {
    let (server, client) = configs(&rustls::version::TLS13);
    let (near, far) = sockets().await;
    let mut near = Handshake::server(near, server, None, &[]).unwrap();
    let mut far = Handshake::client(far, client, ServerName::try_from("site.example").unwrap()).unwrap();
    // The client is done before the server has its last word, and the tickets come with that.
    let (near, far) = tokio::join!(poll_fn(|cx| near.poll(cx)), poll_fn(|cx| far.poll(cx)));
    let (mut near, far) = (near.unwrap(), far.unwrap());
    assert!(near.is_flushed(), "they have been sent");
    let Stream::Tls(tls) = &far else { panic!("not TLS") };
    tls.carrier().arrived().await.unwrap();
    assert!(far.has_arrived(), "the socket has something");
    assert!(!far.has_unread() && far.is_silent() && !far.speaks_first());
    near.write_all(b"x").await.unwrap();
    far.arrived().await.unwrap();
    assert!(far.has_unread() && !far.is_silent());
    assert_eq!(far.ended(), Ended::Open);
    assert!(far.speaks_first(), "payload is something");
}

#[tokio::test]
async fn what_the_socket_does_not_take_waits_and_goes_on() {
    let (mut near, mut far) = pair(&rustls::version::TLS13).await;
    let payload = pattern(100_000);
    let mut sent = 0;
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(len) = near.poll_send(&mut cx, &payload) {
        sent += len.unwrap();
        assert!(sent < 100_000_000, "nobody reads it");
    }
    assert!(!near.is_flushed());
    assert!(near.try_send(b"more").is_none());
    let reader = read_exactly(&mut far, sent);
    let (got, flushed) = tokio::join!(reader, near.flush());
    flushed.unwrap();
    assert!(near.is_flushed());
    // Each write takes four records of the same payload.
    assert!(
        got.iter()
            .zip((0..65_536).cycle())
            .all(|(byte, n)| usize::from(*byte) == n % 251)
    );
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_server_is_told_of_and_says_so() {
    let (server, _) = configs(&rustls::version::TLS13);
    let (_, client) = configs(&rustls::version::TLS13);
    let (near, far) = sockets().await;
    let mut near = Handshake::server(near, server, None, &[]).unwrap();
    let mut far = Handshake::client(far, client, ServerName::try_from("site.example").unwrap()).unwrap();
    let (near, far) = tokio::join!(poll_fn(|cx| near.poll(cx)), poll_fn(|cx| far.poll(cx)));
    let fault = far.unwrap_err().fault;
    assert!(
        matches!(&fault, TlsFault::Protocol(rustls::Error::InvalidCertificate(_))),
        "{fault:?}"
    );
    let fault = near.unwrap_err().fault;
    assert!(
        matches!(&fault, TlsFault::Protocol(rustls::Error::AlertReceived(_))),
        "{fault:?}"
    );
}

#[tokio::test]
async fn a_peer_that_speaks_something_else_or_leaves_is_a_fault_and_no_panic() {
    let (server, client) = configs(&rustls::version::TLS13);
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[22, 3, 1, 255, 255], b""] {
        let (near, mut far) = sockets().await;
        far.write_all(bytes).await.unwrap();
        far.close_write();
        let mut near = Handshake::server(near, Arc::clone(&server), None, &[]).unwrap();
        let refused = poll_fn(|cx| near.poll(cx)).await.unwrap_err();
        let is_ended = matches!(refused.fault, TlsFault::Ended);
        assert_eq!(is_ended, bytes.is_empty(), "{:?}", refused.fault);
        let again = poll_fn(|cx| near.poll(cx)).await.unwrap_err();
        assert!(matches!(again.fault, TlsFault::Ended));
        // Whoever lingers reads what the socket has, and waits when it has nothing.
        let stream = refused.stream.unwrap();
        let read = poll_fn(|cx| {
            loop {
                ready!(stream.poll_arrived(cx)).unwrap();
                if let Some(read) = stream.try_recv(&mut [0; 64]) {
                    return Poll::Ready(read.unwrap());
                }
            }
        });
        let read = tokio::time::timeout(std::time::Duration::from_secs(10), read).await;
        assert_eq!(read.expect("its end comes"), 0);
    }
    let (mut near, far) = sockets().await;
    near.write_all(b"HTTP/1.1 400 No\r\n\r\n").await.unwrap();
    let mut far = Handshake::client(far, client, ServerName::try_from("site.example").unwrap()).unwrap();
    let refused = poll_fn(|cx| far.poll(cx)).await.unwrap_err();
    assert!(matches!(refused.fault, TlsFault::Protocol(_)), "{:?}", refused.fault);
}

#[test]
fn an_idle_one_fits_a_size_of_the_allocator() {
    // Of which 1,096 are rustls's; the next size up is 1,536.
    assert!(size_of::<TlsStream>() <= 1280, "{}", size_of::<TlsStream>());
}

#[tokio::test]
async fn an_idle_one_keeps_no_buffer() {
    let (mut near, mut far) = pair(&rustls::version::TLS13).await;
    for _ in 0..3 {
        far.write_all(&pattern(40_000)).await.unwrap();
        read_exactly(&mut near, 40_000).await;
        near.write_all(&pattern(40_000)).await.unwrap();
        read_exactly(&mut far, 40_000).await;
    }
    for stream in [&near, &far] {
        let said = format!("{:?}", stream.tls().unwrap());
        assert!(said.contains("unfinished: 0, plain: 0, output: 0"), "{said}");
    }
}

//! Probes that begin in clear and go over to TLS, against a server that says what each test wants.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

mod tls;

use lb_health::Cause;
use lb_net::{Handshake, Stream};
use lb_probe::{HttpOptions, Kind, Probe, ProbeError, ProbeOptions};
use lb_tls::{Engine, SetClock, UpstreamTls, Versions};
use lb_types::Wall;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tls::{Made, NAME, NOW};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What the server does next.
#[derive(Debug, Clone)]
enum Act {
    Say(Vec<u8>),
    /// So many bytes, whatever they are.
    Hear(usize),
    /// From here on it speaks TLS.
    Shake,
    /// It says nothing more.
    Close,
}

use Act::{Close, Hear, Shake};

fn say(bytes: &[u8]) -> Act {
    Act::Say(bytes.to_vec())
}

struct Backend {
    address: SocketAddr,
    made: Made,
    engine: Engine,
    /// Whether all acts were played, and what was heard behind them.
    played: JoinHandle<(bool, Vec<u8>)>,
}

impl Backend {
    /// Plays the acts for one connection.
    async fn playing(acts: Vec<Act>) -> Self {
        let engine = Engine::aws_lc(SetClock::at(Wall::from_secs(NOW)));
        let made = Made::new();
        let site = made.site(Versions::default(), &engine);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let played = tokio::spawn(async move {
            let mut stream: Stream = listener.accept().await.unwrap().0.into();
            for act in acts {
                let is_good = match act {
                    Act::Say(bytes) => stream.write_all(&bytes).await.is_ok(),
                    Hear(len) => stream.read_exact(&mut vec![0; len]).await.is_ok(),
                    Close => stream.shutdown().await.is_ok(),
                    Shake => {
                        let config = Arc::clone(site.config());
                        let mut handshake = Handshake::server(stream, config, Some(NAME), &[]).unwrap();
                        match poll_fn(|cx| handshake.poll(cx)).await {
                            Ok(over) => stream = over,
                            Err(_) => return (false, Vec::new()),
                        }
                        true
                    }
                };
                if !is_good {
                    return (false, Vec::new());
                }
            }
            let mut rest = Vec::new();
            // the probe may reset instead of closing
            let _ = stream.read_to_end(&mut rest).await;
            (true, rest)
        });
        Self {
            address,
            made,
            engine,
            played,
        }
    }

    async fn ask(&self, kind: Kind, tls: Option<Arc<UpstreamTls>>) -> Result<(), Cause> {
        let options = ProbeOptions {
            kind,
            timeout: Duration::from_secs(60),
            starttls: true,
            ..ProbeOptions::default()
        };
        Probe::new(self.address, options).unwrap().with_tls(tls).run().await
    }

    /// What the probe came to, whether all was played, and what was heard behind that.
    async fn probed(self, kind: Kind) -> (Result<(), Cause>, bool, Vec<u8>) {
        let result = self.ask(kind, Some(self.made.trusted(&self.engine))).await;
        let (all, rest) = self.played.await.unwrap();
        (result, all, rest)
    }
}

fn mysql(user: Option<&str>) -> Kind {
    Kind::Mysql {
        user: user.map(str::to_owned),
    }
}

fn postgres(user: Option<&str>) -> Kind {
    Kind::Postgres {
        user: user.map(str::to_owned),
    }
}

/// A greeting of MySQL whose server can do this.
fn greeting(capabilities: u16) -> Vec<u8> {
    let payload = [
        b"\x0a8.0\0\x01\0\0\0abcdefgh\0",
        &capabilities.to_le_bytes()[..],
        b"more",
    ]
    .concat();
    [&[u8::try_from(payload.len()).unwrap(), 0, 0, 0], &payload[..]].concat()
}

const SSL: u16 = 0x800;
const HELLO: usize = b"EHLO localhost\r\n".len();
const STARTTLS: usize = b"STARTTLS\r\n".len();
const OFFER: &[u8] = b"250-mx\r\n250-SIZE 1000\r\n250 STARTTLS\r\n";
/// SSLRequest of MySQL, with the four bytes in front of it.
const SSL_REQUEST: usize = 36;

/// An SMTP server up to its answer to STARTTLS.
fn smtp(answer: &[u8]) -> Vec<Act> {
    vec![say(b"220 mx\r\n"), Hear(HELLO), say(OFFER), Hear(STARTTLS), say(answer)]
}

#[tokio::test]
async fn each_service_is_asked_in_clear_and_answers_over_tls() {
    let ok = b"\x07\0\0\x03\0\0\0\x02\0\0\0";
    for (kind, acts, goodbye) in [
        (
            Kind::Smtp,
            [
                smtp(b"220 go\r\n"),
                vec![Shake, Hear(HELLO), say(b"250-mx\r\n250 HELP\r\n")],
            ]
            .concat(),
            &b"QUIT\r\n"[..],
        ),
        (mysql(None), vec![say(&greeting(SSL)), Hear(SSL_REQUEST), Shake], b""),
        (
            mysql(Some("lbd")),
            vec![say(&greeting(SSL)), Hear(SSL_REQUEST), Shake, Hear(4 + 59), say(ok)],
            b"\x01\0\0\0\x01",
        ),
        (postgres(None), vec![Hear(8), say(b"S"), Shake], b""),
        (
            postgres(Some("lbd")),
            vec![Hear(8), say(b"S"), Shake, Hear(45), say(b"R\0\0\0\x08\0\0\0\0")],
            b"X\0\0\0\x04",
        ),
    ] {
        let backend = Backend::playing(acts).await;
        let found = backend.probed(kind.clone()).await;
        assert_eq!(found, (Ok(()), true, goodbye.to_vec()), "{kind:?}");
    }
}

#[tokio::test]
async fn bytes_in_clear_behind_the_consent_are_never_taken_as_protected() {
    for (kind, acts) in [
        (Kind::Smtp, smtp(b"220 go\r\n250 mx\r\n")),
        (Kind::Smtp, smtp(b"220 go\r\n\0")),
        (postgres(Some("lbd")), vec![Hear(8), say(b"SR\0\0\0\x08\0\0\0\0")]),
        (postgres(None), vec![Hear(8), say(b"SS")]),
        (
            mysql(Some("lbd")),
            vec![say(&[greeting(SSL), b"\x07\0\0\x03\0\0\0\x02\0\0\0".to_vec()].concat())],
        ),
    ] {
        let backend = Backend::playing(acts).await;
        let (result, all, rest) = backend.probed(kind.clone()).await;
        assert_eq!((result, all), (Err(Cause::StarttlsEarly), true), "{kind:?}");
        // of MySQL the request was sent already; nobody began a handshake
        assert!(
            !rest.windows(2).any(|bytes| bytes == [0x16, 0x03]),
            "{kind:?}: {rest:?}"
        );
    }
    // later, when the handshake has begun: it is no TLS
    let late = [smtp(b"220 go\r\n"), vec![Hear(5), say(b"250 mx\r\n250 mx\r\n")]].concat();
    let (result, ..) = Backend::playing(late).await.probed(Kind::Smtp).await;
    assert_eq!(result, Err(Cause::Handshake("not_tls")));
}

#[tokio::test]
async fn who_says_no_is_told_nothing_more_in_clear() {
    for (kind, acts, cause) in [
        (
            Kind::Smtp,
            vec![say(b"220 mx\r\n"), Hear(HELLO), say(b"250-mx\r\n250 SIZE 1000\r\n")],
            Cause::StarttlsMissing,
        ),
        (
            Kind::Smtp,
            smtp(b"454 TLS not available due to temporary reason\r\n"),
            Cause::StarttlsRefused,
        ),
        (postgres(Some("lbd")), vec![Hear(8), say(b"N")], Cause::StarttlsMissing),
        (mysql(Some("lbd")), vec![say(&greeting(!SSL))], Cause::StarttlsMissing),
    ] {
        let backend = Backend::playing(acts).await;
        let found = backend.probed(kind.clone()).await;
        assert_eq!(found, (Err(cause), true, Vec::new()), "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_anywhere_is_no_good_one() {
    let whole = [b"220 mx\r\n", OFFER, b"220 go\r\n"].concat();
    for len in 0..=whole.len() {
        let backend = Backend::playing(vec![say(whole.get(..len).unwrap()), Close]).await;
        let (result, ..) = backend.probed(Kind::Smtp).await;
        assert_eq!(result, Err(Cause::Closed), "{len}");
    }
}

#[tokio::test]
async fn the_certificate_is_verified_in_the_middle_too() {
    let acts = [smtp(b"220 go\r\n"), vec![Shake]].concat();
    let backend = Backend::playing(acts).await;
    let others = Made::new().trusted(&backend.engine);
    let result = backend.ask(Kind::Smtp, Some(others)).await;
    // the other root has the same name and another key
    assert_eq!(result, Err(Cause::Handshake("bad_signature")));
}

#[tokio::test]
async fn without_tls_to_speak_nothing_goes_on_in_clear() {
    let backend = Backend::playing(smtp(b"220 go\r\n")).await;
    assert_eq!(backend.ask(Kind::Smtp, None).await, Err(Cause::Local));
    assert_eq!(backend.played.await.unwrap(), (true, Vec::new()));
}

#[test]
fn only_services_that_can_be_asked_take_it() {
    let address: SocketAddr = "192.0.2.1:80".parse().unwrap();
    let made = |kind| {
        let options = ProbeOptions {
            kind,
            starttls: true,
            ..ProbeOptions::default()
        };
        Probe::new(address, options).err()
    };
    for kind in [
        Kind::Tcp,
        Kind::Redis,
        Kind::Memcached,
        Kind::Http(HttpOptions::default()),
    ] {
        assert_eq!(made(kind), Some(ProbeError::Starttls));
    }
    for kind in [Kind::Smtp, mysql(None), postgres(None)] {
        assert_eq!(made(kind), None);
    }
}

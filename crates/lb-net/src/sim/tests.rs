mod as_linux;

use super::*;
use crate::{Opening, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

/// Runs it under a paused clock, inside `network`.
fn inside<R>(network: &Network, test: impl Future<Output = R>) -> R {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let _entered = network.enter();
        test.await
    })
}

fn address() -> Address {
    "192.0.2.1:80".parse().unwrap()
}

#[test]
fn bytes_cross_whole_in_any_weather_and_the_end_follows_them() {
    for seed in 0..200 {
        let network = Network::new(seed, Weather::of(seed));
        inside(&network, async {
            let backend = network.listen(address());
            let mut opening = loop {
                match Opening::start(address()) {
                    Ok(opening) => break opening,
                    Err(error) => assert!(crate::is_shortage(&error), "seed {seed}: {error}"),
                }
            };
            let (ours, theirs) = tokio::join!(poll_fn(|cx| opening.poll(cx)), backend.accept());
            let (mut ours, mut theirs) = (ours.unwrap(), theirs.unwrap().0);
            let said: Vec<u8> = (0..3_000_u32).map(|n| (n % 251) as u8).collect();
            let (mut got, mut back) = (Vec::new(), Vec::new());
            let send = async {
                ours.write_all(&said).await.unwrap();
                ours.close_write();
                ours.read_to_end(&mut back).await.unwrap();
            };
            let reply = async {
                theirs.read_to_end(&mut got).await.unwrap();
                theirs.write_all(&got).await.unwrap();
                theirs.close_write();
            };
            let both = async { tokio::join!(send, reply) };
            timeout(Duration::from_secs(86_400), both)
                .await
                .unwrap_or_else(|_| panic!("seed {seed} stands still"));
            assert_eq!(back, said, "seed {seed}");
        });
    }
}

/// Both ends of a connection from the proxy to a backend.
async fn pair(network: &Network) -> (Stream, End) {
    let backend = network.listen(address());
    let mut opening = Opening::start(address()).unwrap();
    let (ours, theirs) = tokio::join!(poll_fn(|cx| opening.poll(cx)), backend.accept());
    (ours.unwrap(), theirs.unwrap().0)
}

fn client() -> SocketAddr {
    "198.51.100.7:5000".parse().unwrap()
}

fn latency(millis: u64) -> Weather {
    let mut weather = Weather::calm();
    weather.latency = Duration::from_millis(millis)..=Duration::from_millis(millis);
    weather
}

fn errno(error: &io::Error) -> Option<i32> {
    error.raw_os_error()
}

/// Some traffic with all that may happen to it; what it left.
fn run(seed: u64) -> (u64, Vec<String>) {
    let network = Network::new(seed, Weather::of(seed));
    network.record();
    inside(&network, async {
        for n in 0..20_u8 {
            let backend = network.listen(address());
            let Ok(mut opening) = Opening::start(address()) else {
                continue;
            };
            let (ours, theirs) = tokio::join!(poll_fn(|cx| opening.poll(cx)), backend.accept());
            let (mut ours, (mut theirs, _)) = (ours.unwrap(), theirs.unwrap());
            let talk = async {
                ours.write_all(&vec![n; 200 * usize::from(n)]).await.unwrap();
                if n % 3 == 0 { ours.reset() } else { drop(ours) }
            };
            let hear = async {
                let mut room = vec![0; 100];
                while theirs.read(&mut room).await.is_ok_and(|read| read > 0) {}
            };
            tokio::join!(talk, hear);
            network.note("next");
        }
    });
    (network.digest(), network.trace())
}

#[test]
fn one_seed_is_one_run_and_another_seed_another() {
    let seeds = 0..50;
    let mut digests = std::collections::BTreeSet::new();
    for seed in seeds.clone() {
        let (first, again) = (run(seed), run(seed));
        assert!(first.1.len() > 100);
        assert_eq!(first, again, "seed {seed}");
        digests.insert(first.0);
    }
    assert_eq!(digests.len(), seeds.count());
}

#[test]
fn the_clock_is_the_networks_inside_and_the_systems_outside() {
    let before = crate::clock::monotonic();
    let network = Network::new(1, Weather::calm());
    inside(&network, async {
        let clock = crate::clock::Clock::new();
        let began = clock.now();
        assert_eq!(began.wall.as_secs(), 1_767_225_601, "2026-01-01T00:00:01Z");
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let now = clock.now();
        assert_eq!(now.mono.since(began.mono), Duration::from_secs(3_600));
        assert_eq!(now.wall.since(began.wall), Duration::from_secs(3_600));
        let later = crate::clock::instant(now.mono + Duration::from_secs(5));
        let wait = later.duration_since(Instant::now().into_std());
        assert_eq!(wait, Duration::from_secs(5));
    });
    assert!(!is_entered());
    assert!(
        crate::clock::monotonic().since(before) < Duration::from_secs(60),
        "real"
    );
    assert!(crate::descriptor_limit().is_none_or(|limit| limit > 64));
}

#[test]
fn bytes_take_their_time_and_a_full_window_waits_for_the_word_of_its_reader() {
    let mut weather = latency(10);
    weather.window = 100..=100;
    let network = Network::new(1, weather);
    inside(&network, async {
        let (mut ours, mut theirs) = pair(&network).await;
        let began = network.now();
        ours.write_all(&[7; 100]).await.unwrap();
        assert_eq!(network.now(), began, "a send does not wait for the receiver");
        assert_eq!(theirs.unread(), 0);
        let late = timeout(Duration::from_secs(60), ours.write_all(&[8])).await;
        assert!(late.is_err(), "nobody reads");
        assert_eq!(theirs.unread(), 100);
        theirs.read_exact(&mut [0; 100]).await.unwrap();
        let read = network.now();
        ours.write_all(&[8]).await.unwrap();
        assert_eq!(network.now().since(read), Duration::from_millis(10));
        theirs.read_exact(&mut [0]).await.unwrap();
        assert_eq!(network.now().since(read), Duration::from_millis(20));
    });
}

#[test]
fn a_reset_may_overtake_what_was_sent_before_it() {
    let got = |permille| {
        let mut weather = latency(10);
        weather.overtaking_permille = permille;
        weather.piece = 1..=1;
        let network = Network::new(5, weather);
        inside(&network, async {
            let (mut ours, mut theirs) = pair(&network).await;
            ours.write_all(&[1; 64]).await.unwrap();
            ours.reset();
            let mut got = Vec::new();
            let error = theirs.read_to_end(&mut got).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert!(theirs.was_reset() && !theirs.was_ended());
            got.len()
        })
    };
    assert_eq!(got(0), 64);
    assert!(got(1_000) < 64);
}

#[test]
fn what_had_not_left_the_sender_is_lost_when_its_receiver_sends_after_the_close() {
    let mut weather = latency(10);
    weather.overtaking_permille = 1_000;
    weather.piece = 1..=1;
    let mut fewest = 64;
    for seed in 0..20 {
        let network = Network::new(seed, weather.clone());
        inside(&network, async {
            let (mut ours, mut theirs) = pair(&network).await;
            theirs.write_all(b"upload").await.unwrap();
            ours.write_all(&[1; 64]).await.unwrap();
            drop(ours); // before the upload has come
            let mut got = Vec::new();
            let _ = theirs.read_to_end(&mut got).await;
            fewest = fewest.min(got.len());
        });
    }
    assert!(fewest < 64);
}

#[test]
fn readiness_may_be_for_nothing_and_may_be_late_but_what_is_there_is_told() {
    let mut weather = latency(1);
    weather.false_alarm_permille = 1_000;
    weather.late_notice_permille = 1_000;
    let (mut alarms, mut lags) = (0, 0);
    for seed in 0..20 {
        let network = Network::new(seed, weather.clone());
        inside(&network, async {
            let (ours, mut theirs) = pair(&network).await;
            ours.arrived().await.unwrap();
            alarms += u32::from(ours.try_recv(&mut [0; 4]).is_none());
            theirs.write_all(b"here").await.unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            lags += u32::from(ours.has_unread() && !ours.has_arrived());
            while ours.try_recv(&mut [0; 8]).is_none() {
                ours.arrived().await.unwrap();
            }
        });
    }
    assert!(alarms > 0 && lags > 0, "{alarms} {lags}");
}

#[test]
fn without_descriptors_nobody_is_accepted_and_nothing_is_connected() {
    let mut weather = Weather::calm();
    weather.descriptors = 10;
    let network = Network::new(1, weather);
    inside(&network, async {
        assert_eq!(crate::descriptor_limit(), Some(10));
        let listener = crate::Listener::bind(&crate::ListenerOptions::new(address())).unwrap(); // number 8
        let _first = network.connect(client(), address()).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.peer, client());
        assert_eq!(std::os::fd::AsRawFd::as_raw_fd(&accepted.stream), 9);
        let _second = network.connect(client(), address()).await.unwrap();
        assert_eq!(errno(&listener.accept().await.unwrap_err()), Some(24), "EMFILE");
        assert_eq!(errno(&Opening::start(address()).unwrap_err()), Some(24));
        assert_eq!(crate::lowest_free(&accepted.stream), None);
        drop(accepted);
        assert_eq!(crate::lowest_free(network.nothing()), Some(9));
        listener.accept().await.unwrap();
        assert_eq!(network.descriptors(), 1, "only the listener's own is left");
    });
    let mut weather = Weather::calm();
    weather.port_shortage_permille = 1_000;
    let network = Network::new(1, weather);
    inside(&network, async {
        assert_eq!(
            errno(&Opening::start(address()).unwrap_err()),
            Some(99),
            "EADDRNOTAVAIL"
        );
        assert_eq!(network.descriptors(), 0);
    });
}

#[test]
fn a_listener_refuses_or_says_nothing_or_is_late_when_told_to() {
    let network = Network::new(1, latency(10));
    inside(&network, async {
        let listener = network.listen(address());
        let began = network.now();
        listener.answer(Answer::After(Duration::from_secs(1)));
        network.connect(client(), address()).await.unwrap();
        assert_eq!(network.now().since(began), Duration::from_millis(1_020));
        listener.answer(Answer::Refuse);
        let refused = network.connect(client(), address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        listener.answer(Answer::Nothing);
        let began = network.now();
        let nobody = network.connect(client(), address()).await.unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::TimedOut);
        assert_eq!(network.now().since(began).as_secs(), 127, "tcp_syn_retries is 6");
        listener.answer(Answer::Accept);
        listener.set_backlog(1);
        let kept = network.listen("192.0.2.1:81".parse().unwrap());
        kept.set_backlog(1);
        let _first = network.connect(client(), kept.address()).await.unwrap();
        let second = network.connect(client(), kept.address());
        assert!(
            timeout(Duration::from_secs(1), second).await.is_err(),
            "the queue is full"
        );
        kept.accept().await.unwrap();
        network.connect(client(), kept.address()).await.unwrap();
        drop(kept);
        let gone = network.connect(client(), "192.0.2.1:81".parse().unwrap()).await;
        assert_eq!(gone.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_handshake_that_has_begun_ends_behind_a_listener_that_begins_none() {
    for begins_none in [true, false] {
        let network = Network::new(1, latency(10));
        inside(&network, async {
            let listener = crate::Listener::bind(&crate::ListenerOptions::new(address())).unwrap();
            let mut connecting = Box::pin(network.connect(client(), address()));
            let waited = timeout(Duration::from_millis(15), connecting.as_mut()).await;
            assert!(waited.is_err(), "the SYN is here, its answer is under way");
            if begins_none {
                listener.begin_no_handshake().unwrap();
                connecting.await.unwrap();
                listener.accept().await.unwrap();
                let late = network.connect(client(), address());
                assert!(
                    timeout(Duration::from_millis(500), late).await.is_err(),
                    "not refused either"
                );
            } else {
                drop(listener);
                let mut end = connecting.await.unwrap();
                let error = end.read(&mut [0]).await.unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            }
        });
    }
}

#[test]
fn nothing_is_left_of_connections_that_ended() {
    for seed in 0..100 {
        let mut weather = Weather::of(seed);
        weather.descriptors = 1024;
        let network = Network::new(seed, weather);
        inside(&network, async {
            let backend = network.listen(address());
            for n in 0..10 {
                let Ok(mut opening) = Opening::start(address()) else {
                    continue;
                };
                if n % 3 == 0 {
                    drop(opening);
                    continue;
                }
                let ours = poll_fn(|cx| opening.poll(cx)).await.unwrap();
                if n % 3 == 1 {
                    ours.reset();
                } else {
                    let _ = ours.try_send(b"x");
                }
            }
            while let Ok(Ok((end, _))) = timeout(Duration::from_secs(10), backend.accept()).await {
                drop(end);
            }
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!((network.sockets(), network.descriptors()), (0, 0), "seed {seed}");
        });
    }
}

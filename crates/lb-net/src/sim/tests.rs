use super::*;
use crate::Opening;
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

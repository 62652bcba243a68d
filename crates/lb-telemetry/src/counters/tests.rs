use super::*;
use crate::End;
use std::thread;

fn address(port: u16) -> Address {
    Address::Ip(([192, 0, 2, 1], port).into())
}

/// One request through this listener to this backend of this pool, and its end.
fn serve(listener: &ListenerCounters, pool: &PoolCounters, backend: &BackendCounters) {
    listener.connection_opened();
    listener.handshake(true);
    listener.request();
    backend.request();
    pool.connect();
    backend.connect();
    backend.response(200);
    listener.moved(10, 20);
    pool.moved(30, 40);
    backend.moved(30, 40);
    pool.response(200);
    pool.ended(End::Done);
    listener.response(200);
    listener.ended(End::Done);
    listener.connection_closed();
}

#[test]
fn the_sum_counts_each_thing_once_whatever_the_parts_say_of_it() {
    let counters = Counters::new();
    let listeners = [1, 2].map(|port| counters.listener(address(port)));
    let pools = ["a", "b"].map(|name| counters.pool(name));
    let backend = counters.backend(BackendId::of("a", "1"));
    for listener in &listeners {
        for pool in &pools {
            serve(listener, pool, &backend);
        }
    }
    listeners[0].request();
    listeners[0].response(404);
    listeners[0].ended(End::NoRoute);
    let sum = counters.snapshot();
    assert_eq!((sum.opened, sum.closed, sum.requests), (4, 4, 5));
    assert_eq!((sum.handshakes, sum.resumed), (4, 4));
    assert_eq!(sum.responses, [0, 0, 4, 0, 1, 0]);
    assert_eq!((sum.client_in, sum.client_out), (40, 80));
    assert_eq!(
        (sum.upstream_in, sum.upstream_out, sum.upstream_connects),
        (120, 160, 4)
    );
    assert_eq!((sum.ended(End::Done), sum.ended(End::NoRoute)), (4, 1));
    let [first, second] = [1, 2].map(|port| counters.read_listener(address(port)));
    assert_eq!((first.requests, second.requests), (3, 2));
    assert_eq!((first.ends.sum(), second.ends.sum()), (3, 2));
    let pool = counters.read_pool("a");
    assert_eq!((pool.ends.sum(), pool.responses[2], pool.upstream_out), (2, 2, 80));
    let backend = counters.read_backend(BackendId::of("a", "1"));
    assert_eq!((backend.requests, backend.upstream_in), (4, 120));
    assert_eq!(counters.read_listener(address(3)), ListenerCounts::default());
    assert_eq!(counters.read_pool("c"), PoolCounts::default());
    assert_eq!(counters.read_backend(BackendId::of("a", "2")), BackendCounts::default());
}

#[test]
fn who_asks_again_gets_the_same_as_long_as_somebody_keeps_it() {
    let counters = Counters::new();
    let (kept, pool) = (counters.listener(address(1)), counters.pool("a"));
    let backend = counters.backend(BackendId::of("a", "1"));
    serve(&kept, &pool, &backend);
    counters.forget_unkept();
    let again = (counters.listener(address(1)), counters.pool("a"));
    assert!(Arc::ptr_eq(&kept, &again.0) && Arc::ptr_eq(&pool, &again.1));
    assert!(Arc::ptr_eq(&backend, &counters.backend(BackendId::of("a", "1"))));
    assert_eq!(counters.read_listener(address(1)).requests, 1);
}

#[test]
fn what_nobody_keeps_any_more_is_forgotten_and_stays_in_the_sum() {
    let counters = Counters::new();
    let (listener, pool) = (counters.listener(address(1)), counters.pool("a"));
    let backend = counters.backend(BackendId::of("a", "1"));
    serve(&listener, &pool, &backend);
    let before = counters.snapshot();
    drop((pool, backend));
    counters.forget_unkept();
    assert_eq!(counters.snapshot(), before);
    assert_eq!(counters.read_listener(address(1)).requests, 1, "a connection keeps it");
    assert_eq!(counters.read_pool("a"), PoolCounts::default());
    assert_eq!(counters.read_backend(BackendId::of("a", "1")), BackendCounts::default());
    listener.request();
    drop(listener);
    counters.forget_unkept();
    counters.forget_unkept();
    assert_eq!(counters.read_listener(address(1)), ListenerCounts::default());
    let after = counters.snapshot();
    assert_eq!((after.requests, after.opened, after.ended(End::Done)), (2, 1, 1));
    serve(
        &counters.listener(address(1)),
        &counters.pool("a"),
        &counters.backend(BackendId::of("a", "1")),
    );
    assert_eq!(counters.read_listener(address(1)).requests, 1, "it begins anew");
    assert_eq!(
        (counters.snapshot().requests, counters.snapshot().upstream_connects),
        (3, 2)
    );
}

#[test]
fn workers_count_without_loss_while_another_thread_reads_and_parts_come_and_go() {
    let all: Vec<Arc<Counters>> = (0..4).map(|_| Arc::new(Counters::new())).collect();
    let writers: Vec<_> = all
        .iter()
        .map(Arc::clone)
        .map(|counters| {
            thread::spawn(move || {
                for round in 0..500 {
                    let listener = counters.listener(address(round % 3));
                    let pool = counters.pool(if round % 2 == 0 { "a" } else { "b" });
                    let backend = counters.backend(BackendId::of("a", "1"));
                    counters.forget_unkept();
                    for _ in 0..100 {
                        serve(&listener, &pool, &backend);
                    }
                }
            })
        })
        .collect();
    let mut last = Snapshot::default();
    while writers.iter().any(|writer| !writer.is_finished()) {
        let sum: Snapshot = all.iter().map(|counters| counters.snapshot()).sum();
        assert!(sum.requests >= last.requests && sum.ended(End::Done) >= last.ended(End::Done));
        assert!(sum.opened >= sum.closed && sum.upstream_in >= last.upstream_in);
        last = sum;
    }
    for writer in writers {
        writer.join().unwrap();
    }
    let sum: Snapshot = all.iter().map(|counters| counters.snapshot()).sum();
    assert_eq!(
        (sum.requests, sum.active(), sum.upstream_connects),
        (200_000, 0, 200_000)
    );
    assert_eq!((sum.ended(End::Done), sum.upstream_out), (200_000, 8_000_000));
}

#[test]
fn two_workers_share_no_cache_line() {
    fn check<T>() {
        assert_eq!((align_of::<T>(), size_of::<T>() % 128), (128, 0));
    }
    check::<ListenerCounters>();
    check::<PoolCounters>();
    check::<BackendCounters>();
}

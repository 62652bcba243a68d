//! What one request costs in the crates below the sockets: `cargo bench -p lb-benches`.

use criterion::{Criterion, criterion_group, criterion_main};
use lb_balance::Tried;
use lb_benches::{Stickiness, proxy, strategies};
use lb_http::h1::{Conn, Framing, Role, Step};
use lb_http::{Head, forward};
use lb_persist::Facts;
use lb_types::{BackendId, Now, Time};
use std::hint::black_box;
use std::net::IpAddr;
use std::sync::Arc;

const BROWSER: &[u8] = b"GET /1k HTTP/1.1\r\nHost: bench.local\r\nConnection: keep-alive\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.7\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://bench.local/shop/catalogue?page=3&sort=price\r\nUpgrade-Insecure-Requests: 1\r\n\
    Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nCache-Control: max-age=0\r\n\
    Cookie: sid=0123456789abcdef0123456789abcdef; theme=dark; consent=a1b2c3d4\r\n\r\n";

fn codec(c: &mut Criterion) {
    let limits = Arc::default();
    let mut conn = Conn::new(Role::Server, Arc::clone(&limits));
    let mut head = Head::with_capacity(4096, 64);
    c.bench_function("codec/read a browser's head", |b| {
        b.iter(|| {
            conn = Conn::new(Role::Server, Arc::clone(&limits));
            match conn.read_head(black_box(BROWSER), &mut head) {
                Ok(Step::Ready(message)) => message.len,
                other => unreachable!("{other:?}"),
            }
        });
    });
    let mut out = Vec::with_capacity(4096);
    c.bench_function("codec/write it", |b| {
        b.iter(|| {
            out.clear();
            let mut conn = Conn::new(Role::Client, Arc::clone(&limits));
            conn.write_head(black_box(&head), Framing::Empty, &mut out)
        });
    });
    let how = forward::Forward {
        peer: IpAddr::from([127, 0, 0, 1]),
        trusted: false,
        proto: "http",
        port: 80,
        keep_upgrade: false,
    };
    c.bench_function("codec/read, edit for forwarding, write", |b| {
        b.iter(|| {
            let mut conn = Conn::new(Role::Server, Arc::clone(&limits));
            let _ = conn.read_head(black_box(BROWSER), &mut head);
            let _ = forward::request(&mut head, &how);
            out.clear();
            let mut conn = Conn::new(Role::Client, Arc::clone(&limits));
            conn.write_head(&head, Framing::Empty, &mut out)
        });
    });
}

fn pick(c: &mut Criterion) {
    for count in [2_u16, 100] {
        let backends: Vec<_> = (0..count).map(|i| ([127, 0, 0, 1], 9000 + i).into()).collect();
        let Ok((snapshot, ..)) = proxy(([127, 0, 0, 1], 0).into(), &backends, Stickiness::None) else {
            return;
        };
        let mut picker = lb_balance::Picker::new(Arc::clone(&snapshot.pools[0].pool), 1);
        let tried = Tried::new();
        c.bench_function(&format!("pick/weighted round robin, {count} backends"), |b| {
            b.iter(|| drop(picker.pick(lb_balance::Hint::Any, black_box(&tried), Time::ZERO)));
        });
    }
}

fn recall(c: &mut Criterion) {
    let ids: Vec<BackendId> = (0..10).map(BackendId::from_u64).collect();
    let mut conn = Conn::new(Role::Server, Arc::default());
    let mut head = Head::with_capacity(4096, 64);
    let _ = conn.read_head(BROWSER, &mut head);
    for stickiness in [Stickiness::Cookie, Stickiness::ClientIp] {
        let Ok(strategies) = strategies(stickiness, &ids) else {
            return;
        };
        let facts = Facts {
            fields: Some(&head),
            ..Facts::new(IpAddr::from([127, 0, 0, 1]))
        };
        c.bench_function(&format!("recall/{stickiness:?}"), |b| {
            b.iter(|| strategies[0].recall(black_box(&facts), Now::default()));
        });
    }
}

criterion_group!(benches, codec, pick, recall);
criterion_main!(benches);

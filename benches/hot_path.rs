//! What one request costs in the crates below the sockets: `cargo bench -p lb-benches`.

use criterion::{Criterion, criterion_group, criterion_main};
use lb_benches::Stickiness;
use lb_benches::pieces::{Codec, Pick, Remembered, Routing};

fn codec(c: &mut Criterion) {
    let mut codec = Codec::default();
    c.bench_function("codec/read a browser's head", |b| b.iter(|| codec.read()));
    c.bench_function("codec/write it", |b| b.iter(|| codec.write()));
    c.bench_function("codec/read, edit for forwarding, write", |b| b.iter(|| codec.pass_on()));
}

fn pick(c: &mut Criterion) {
    for count in [2, 100] {
        let Ok(mut pick) = Pick::new(count) else { return };
        c.bench_function(&format!("pick/weighted round robin, {count} backends"), |b| {
            b.iter(|| pick.run());
        });
    }
}

fn route(c: &mut Criterion) {
    let Ok(routing) = Routing::new() else { return };
    let plain = b"/shop/catalogue/winter/coats.html?page=3&sort=price";
    c.bench_function("route/a plain path", |b| b.iter(|| routing.run(plain, 4)));
    let escaped = "/static/Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln.pdf".as_bytes();
    c.bench_function("route/an escaped path", |b| b.iter(|| routing.run(escaped, 1)));
}

fn recall(c: &mut Criterion) {
    for stickiness in [Stickiness::Cookie, Stickiness::ClientIp] {
        let Ok(client) = Remembered::new(stickiness) else {
            return;
        };
        c.bench_function(&format!("recall/{stickiness:?}"), |b| b.iter(|| client.run()));
    }
}

criterion_group!(benches, codec, pick, route, recall);
criterion_main!(benches);

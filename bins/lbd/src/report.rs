//! What SIGUSR1 prints: pools, backends and sums, one thing a line.

use lb_probe::View;
use lb_proxy::Snapshot;
use lb_telemetry::Snapshot as Sums;
use lb_types::BackendId;
use std::collections::HashMap;
use std::fmt::Write;

/// The state as text.
pub(crate) fn state(snapshot: &Snapshot, views: &[View], sums: &Sums) -> String {
    let views: HashMap<BackendId, &View> = views.iter().map(|view| (view.backend, view)).collect();
    let mut text = String::new();
    let mut seen = Vec::new();
    for entry in &snapshot.pools {
        let pool = &entry.pool;
        if seen.contains(&pool.name()) {
            continue;
        }
        seen.push(pool.name());
        for backend in pool.backends() {
            let _ = write!(
                text,
                "state pool={} backend={} address={} weight={} in_flight={}",
                pool.name(),
                backend.name,
                backend.address,
                backend.weight.get(),
                backend.load().in_flight()
            );
            match views.get(&backend.id) {
                Some(view) => {
                    let _ = writeln!(text, " status={:?}", view.status);
                }
                None => text.push_str(" status=Unchecked\n"),
            }
        }
    }
    for listener in &snapshot.listeners {
        let _ = writeln!(
            text,
            "state listener={} address={} connections={} limited={}",
            listener.options.name,
            listener.options.address,
            listener.connections.open(),
            listener.connections.limited()
        );
    }
    let _ = writeln!(
        text,
        "state total connections={} active={} requests={} upstream_connects={} upstream_reuses={} stale_reuses={} retries={}",
        sums.opened,
        sums.active(),
        sums.requests,
        sums.upstream_connects,
        sums.upstream_reuses,
        sums.stale_reuses,
        sums.retries
    );
    for (end, count) in sums.ends().filter(|(_, count)| *count > 0) {
        let _ = writeln!(text, "state end={} count={count}", end.as_str());
    }
    text
}

//! Whole pools under a virtual clock, judged by their traffic once a second; backends fall ill and heal by a seed.
//!
//! After every second: never more than the largest share is out, the last one that takes clients stays, every
//! verdict can be read from the requests of the window, and who was taken out stays out as long as the rules
//! say. When all have healed, all come back.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::{Admin, Cause, Machine, Member, PassiveOptions, Report, Rules, RulesOptions, Status, Traffic, judge};
use lb_types::{BackendId, Rng, Time};
use std::collections::VecDeque;
use std::time::Duration;

const SEEDS: u64 = 200;
const SECONDS: u64 = 300;
const SECOND: Duration = Duration::from_secs(1);

#[test]
fn pools_of_ill_backends_keep_their_share_with_probes_and_without() {
    let mut verdicts = [0_u32; 3];
    for seed in 0..SEEDS {
        simulate(seed, &mut verdicts);
    }
    // the simulation is worth something only when all of it happens
    assert!(verdicts.iter().all(|count| *count > 100), "{verdicts:?}");
}

struct Backend {
    machine: Machine,
    /// Of a hundred requests so many fail.
    failing: u64,
    millis: u64,
    /// Refuses its probes.
    refusing: bool,
    /// Has no weight: only known clients come.
    weightless: bool,
    row: u32,
    /// What was seen in the last ten seconds of service: good, failed, mean milliseconds of the good ones.
    seen: VecDeque<(u64, u64, u64)>,
    out_since: Option<Time>,
}

fn simulate(seed: u64, verdicts: &mut [u32; 3]) {
    let mut rng = Rng::new(seed);
    let rules = rules(&mut rng);
    let percent = usize::from(rules.options().passive.max_ejected_percent);
    let mut now = Time::from_nanos(rng.below(1 << 40));
    let count = 1 + rng.below(12) as usize;
    let mut pool: Vec<Backend> = (0..count as u64)
        .map(|id| Backend {
            machine: Machine::new(rules.clone(), seed ^ id, now),
            failing: 0,
            millis: 20,
            refusing: false,
            weightless: false,
            row: 0,
            seen: VecDeque::new(),
            out_since: None,
        })
        .collect();
    for second in 0..SECONDS {
        let context = format!("seed {seed} second {second} {rules:?}");
        for backend in &mut pool {
            change(backend, &mut rng, now);
        }
        let mut members: Vec<Member> = (0..)
            .zip(&mut pool)
            .map(|(id, backend)| serve(backend, id, &mut rng, now))
            .collect();
        let took = |pool: &[Backend]| {
            pool.iter()
                .filter(|backend| backend.machine.status().takes_new() && !backend.weightless)
                .count()
        };
        let taking = took(&pool);
        judge(&rules, &mut members);
        let out: Vec<(usize, Cause)> = members
            .iter()
            .filter_map(|member| Some((member.backend().as_u64() as usize, member.verdict()?)))
            .collect();
        for (place, cause) in &out {
            assert!(
                is_justified(*cause, *place, &pool, &rules),
                "{cause} of {place}: {context}"
            );
        }
        for (place, cause) in out {
            let backend = &mut pool[place];
            verdicts[match cause {
                Cause::Traffic(_) => 0,
                Cause::SuccessRate(_) => 1,
                _ => 2,
            }] += 1;
            backend.machine.report(Report::Eject(cause), now);
            assert_eq!(backend.machine.status(), Status::Down(cause), "{context}");
            backend.out_since = Some(now);
            backend.seen.clear();
        }
        // who serves its time out takes room, whatever its probes find meanwhile
        let is_out = |backend: &&Backend| {
            let is_judged = matches!(backend.machine.status(), Status::Down(cause) if cause.is_passive());
            is_judged || backend.machine.out_until().is_some()
        };
        let out = pool.iter().filter(is_out).count();
        assert!(out * 100 <= percent * count, "{out} of {count} are out: {context}");
        if percent < 100 && taking > 0 {
            assert!(took(&pool) > 0, "nobody is left: {context}");
        }
        now = now.after(SECOND);
        for backend in &mut pool {
            pass(backend, &rules, now, &context);
        }
    }
    heal(&mut pool, &rules, now, seed);
}

fn rules(rng: &mut Rng) -> Rules {
    Rules::new(RulesOptions {
        probing: rng.below(2) == 0,
        interval: Duration::from_millis(500 + rng.below(10_000)),
        rise: 1 + rng.below(3) as u16,
        max_failures: (rng.below(2) == 0).then(|| 5 + rng.below(20) as u16),
        passive: PassiveOptions {
            success_rate_percent: (rng.below(2) == 0).then(|| 50 + rng.below(50) as u8),
            latency_factor: (rng.below(2) == 0).then(|| 2 + rng.below(5) as u16),
            min_requests: 1 + rng.below(100) as u32,
            window: Duration::from_secs(10),
            eject_for: Some(Duration::from_millis(500 + rng.below(20_000))),
            eject_at_most: Duration::from_secs(30),
            max_ejected_percent: [0, 10, 50, 99, 100][rng.below(5) as usize],
            ..PassiveOptions::default()
        },
        ..RulesOptions::default()
    })
    .unwrap()
}

/// Now and then a backend falls ill, heals, or gets an order.
fn change(backend: &mut Backend, rng: &mut Rng, now: Time) {
    match rng.below(60) {
        0 => backend.failing = rng.below(101),
        1 => backend.millis = 20 * (1 + rng.below(10)),
        2 | 3 => (backend.failing, backend.millis, backend.refusing) = (0, 20, false),
        4 => order(backend, Admin::ALL[rng.below(4) as usize], now),
        5..=9 => order(backend, Admin::Ready, now),
        10 => backend.refusing = true,
        11 => backend.weightless = !backend.weightless,
        _ => {}
    }
}

fn order(backend: &mut Backend, admin: Admin, now: Time) {
    let was = backend.machine.admin();
    backend.machine.set_admin(admin, now);
    if admin == Admin::Maintenance || was == Admin::Maintenance {
        backend.out_since = None;
        backend.seen.clear();
    }
}

/// A second of requests, and what the workers tell of it.
fn serve(backend: &mut Backend, id: u64, rng: &mut Rng, now: Time) -> Member {
    let takes = backend.machine.status().takes_new();
    let requests = if takes { rng.below(40) } else { 0 };
    let mut failed = 0;
    for _ in 0..requests {
        if rng.below(100) < backend.failing {
            failed += 1;
            backend.row += 1;
        } else {
            backend.row = 0;
        }
    }
    let ok = requests - failed;
    let hears = !matches!(backend.machine.admin(), Admin::Up | Admin::Maintenance)
        && !matches!(backend.machine.status(), Status::Down(_));
    if hears {
        backend.seen.push_back((ok, failed, backend.millis));
    } else {
        // no time stands still: what is in the window grows old
        backend.seen.push_back((0, 0, 0));
    }
    while backend.seen.len() > 10 {
        backend.seen.pop_front();
    }
    let traffic = Traffic {
        row: backend.row,
        ok: ok as u32,
        failed: failed as u32,
        time: Duration::from_millis(ok * backend.millis),
        is_weightless: backend.weightless,
    };
    backend.machine.saw(traffic, now);
    backend.machine.member(BackendId::from_u64(id), now)
}

/// Can the verdict be read from what was seen?
fn is_justified(cause: Cause, place: usize, pool: &[Backend], rules: &Rules) -> bool {
    let passive = &rules.options().passive;
    let of = |backend: &Backend| {
        let (ok, failed) = backend
            .seen
            .iter()
            .fold((0, 0), |sum, seen| (sum.0 + seen.0, sum.1 + seen.1));
        let mut means: Vec<u64> = backend
            .seen
            .iter()
            .filter(|seen| seen.0 > 0)
            .map(|seen| seen.2)
            .collect();
        means.sort_unstable();
        let usual = means.len().checked_sub(1).map(|last| means[last / 2]);
        (ok, failed, usual)
    };
    let enough = |backend: &&Backend| {
        let (ok, failed, _) = of(backend);
        ok + failed >= u64::from(passive.min_requests)
    };
    let (ok, failed, usual) = of(&pool[place]);
    match cause {
        Cause::Traffic(row) => {
            u32::from(row) <= pool[place].row && row >= rules.options().max_failures.map_or(u16::MAX, |_| 1)
        }
        Cause::SuccessRate(percent) => {
            percent < passive.success_rate_percent.unwrap()
                && u64::from(percent) == ok * 100 / (ok + failed)
                && enough(&&pool[place])
        }
        Cause::Outlier(times) => {
            let mut all: Vec<u64> = pool.iter().filter(enough).filter_map(|backend| of(backend).2).collect();
            all.sort_unstable();
            let middle = all[(all.len() - 1) / 2];
            times >= passive.latency_factor.unwrap() && u64::from(times) == usual.unwrap() / middle
        }
        _ => false,
    }
}

/// Time passes up to `now`: probes are made and times out end.
fn pass(backend: &mut Backend, rules: &Rules, now: Time, context: &str) {
    while let Some(next) = backend.machine.poll_timeout().filter(|at| *at <= now) {
        let before = backend.machine.status();
        let was_out = backend.machine.out_until().is_some();
        backend.machine.handle_timeout(next);
        if was_out && backend.machine.out_until().is_none() {
            backend.seen.clear();
        }
        if backend.machine.probe_due(next) {
            // probes see nothing of what is wrong with the answers
            let is_refused = backend.refusing && backend.machine.admin() != Admin::Up;
            let result = if is_refused { Err(Cause::Refused) } else { Ok(()) };
            backend.machine.report(Report::Probe(result), next);
            if before.is_usable() && !backend.machine.status().is_usable() {
                backend.seen.clear();
            }
        }
        let (from, to) = (before.is_usable(), backend.machine.status().is_usable());
        if !from && to && backend.machine.admin() != Admin::Up {
            if let Some(since) = backend.out_since.take() {
                assert!(next.since(since) >= rules.eject_for(), "back too early: {context}");
            }
            backend.seen.clear();
        }
    }
    if let Some(next) = backend.machine.poll_timeout() {
        assert!(next > now, "the plan is past: {context}");
    }
}

/// When all is well again all come back, within the longest time out and the probes after it.
fn heal(pool: &mut [Backend], rules: &Rules, mut now: Time, seed: u64) {
    let options = rules.options();
    let longest = options.passive.eject_at_most + rules.recovery(Duration::ZERO);
    let end = now.after(longest + SECOND);
    for backend in pool.iter_mut() {
        backend.refusing = false;
        backend.machine.set_admin(Admin::Ready, now);
    }
    while now < end {
        now = now.after(SECOND);
        for backend in pool.iter_mut() {
            pass(backend, rules, now, &format!("seed {seed}, healing"));
        }
    }
    for backend in pool {
        assert!(
            backend.machine.status().takes_new(),
            "seed {seed}: {:?}",
            backend.machine
        );
    }
}

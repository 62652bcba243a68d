use super::{Board, Part, Row, Scenario};
use lb_sched::{Algorithm, BuildError};

pub(super) const TITLES: [(u8, &str); 5] = [
    (1, "a new small site on identical servers"),
    (2, "a third server joins two that hold 50 connections each"),
    (3, "a static site on four servers of different strength"),
    (4, "one of twelve servers reboots from overload"),
    (5, "long connections, and the strongest server is the busiest"),
];

pub(super) fn run(number: u8) -> Result<Option<Scenario>, BuildError> {
    let parts = match number {
        1 => identical()?,
        2 => joined()?,
        3 => different()?,
        4 => weak()?,
        5 => busiest()?,
        _ => return Ok(None),
    };
    let title = TITLES.iter().find(|(n, _)| *n == number).map_or("", |(_, title)| title);
    let (situation, advice) = match number {
        1 => (
            "Three identical servers, requests of similar cost.",
            "Equal weights and weighted round robin: it costs nothing, keeps no state, and counts differ by one at most.",
        ),
        2 => (
            "Two servers of weight 10 hold 50 TCP connections each. A third one of weight 10 joins.",
            "Weighted least connections: it counts what is open, so the new server is filled first. Weighted round robin \
             only looks at turns: the old ones go on growing, and the difference stays for as long as the connections do.",
        ),
        3 => (
            "Four servers of strength 6:3:2:1 serve small files over short connections.",
            "Weights 60, 30, 20 and 10 and weighted round robin: weights are reduced by their greatest common divisor, \
             so each 12 requests are shared exactly.",
        ),
        4 => (
            "Twelve servers hold long connections. One is weaker, reboots from overload, and there is no budget.",
            "Lower its weight to half, and weighted least connections: it then holds half of what the others hold.",
        ),
        _ => (
            "Three servers of strength 4:2:1 hold 8, 2 and 1 long connections: the strongest is the busiest.",
            "Weighted least connections, and a lower weight for the busy one until it has recovered: the others then \
             take most of what comes.",
        ),
    };
    Ok(Some(Scenario {
        number,
        title,
        situation,
        advice,
        parts,
    }))
}

fn identical() -> Result<Vec<Part>, BuildError> {
    let part = part(
        Algorithm::WeightedRoundRobin,
        "requests",
        &[1, 1, 1],
        &[0, 0, 0],
        &[10_000],
    )?;
    Ok(vec![part.saying("10,000 requests, equal weights", |part| {
        let counts = part.last();
        let apart = counts.iter().max().unwrap_or(&0) - counts.iter().min().unwrap_or(&0);
        format!("counts differ by {apart}")
    })])
}

fn joined() -> Result<Vec<Part>, BuildError> {
    let (weights, held) = ([10, 10, 10], [50, 50, 0]);
    let least = part(Algorithm::WeightedLeastConn, "connections", &weights, &held, &[50, 56])?;
    let turns = part(Algorithm::WeightedRoundRobin, "connections", &weights, &held, &[50])?;
    let to_new = Board::new(Algorithm::WeightedLeastConn, &weights, &held)?.place(50);
    let all_new = to_new.iter().filter(|place| **place == 2).count();
    Ok(vec![
        least.saying("weighted least connections fills the new server", |_| {
            format!("{all_new} of the next 50 connections go to the new server")
        }),
        turns.saying("weighted round robin beside it", |_| {
            "the old servers go on growing, although the new one is nearly idle".to_owned()
        }),
    ])
}

fn different() -> Result<Vec<Part>, BuildError> {
    let weights = [60, 30, 20, 10];
    let part = part(
        Algorithm::WeightedRoundRobin,
        "requests",
        &weights,
        &[0; 4],
        &[12, 24, 120],
    )?;
    let order = Board::new(Algorithm::WeightedRoundRobin, &weights, &[0; 4])?.place(120);
    let exact = order.chunks(12).filter(|window| share(window) == [6, 3, 2, 1]).count();
    Ok(vec![part.saying("120 requests, weights 60, 30, 20, 10", |_| {
        format!("{exact} of 10 windows of 12 requests are shared 6, 3, 2, 1")
    })])
}

fn weak() -> Result<Vec<Part>, BuildError> {
    let mut weights = [10; 12];
    weights[11] = 5;
    let part = part(Algorithm::WeightedLeastConn, "connections", &weights, &[0; 12], &[1150])?;
    Ok(vec![part.saying(
        "1,150 held connections, the weak server has weight 5",
        |part| {
            let counts = part.last();
            let strong = counts.iter().filter(|count| **count == 100).count();
            let weak = counts.last().copied().unwrap_or(0);
            format!("{strong} servers hold 100 each, the weak one {weak}")
        },
    )])
}

fn busiest() -> Result<Vec<Part>, BuildError> {
    let held = [8, 2, 1];
    let usual = part(Algorithm::WeightedLeastConn, "connections", &[4, 2, 1], &held, &[10])?;
    let lowered = part(Algorithm::WeightedLeastConn, "connections", &[2, 2, 1], &held, &[9])?;
    let to_busy = |part: &Part| part.last().first().copied().unwrap_or(0).saturating_sub(8);
    Ok(vec![
        usual.saying("10 more connections with the weights of their strength", |part| {
            format!("{} of 10 still go to the busy server", to_busy(part))
        }),
        lowered.saying("9 more connections with the busy server lowered to 2", |part| {
            format!("{} of 9 go to the busy server", to_busy(part))
        }),
    ])
}

fn part(
    algorithm: Algorithm,
    unit: &'static str,
    weights: &[u16],
    held: &[u32],
    moments: &[usize],
) -> Result<Part, BuildError> {
    let mut board = Board::new(algorithm, weights, held)?;
    let mut rows = vec![Row {
        picks: 0,
        counts: held.to_vec(),
    }];
    let mut made = 0;
    for moment in moments {
        made += board.place(moment - made).len();
        rows.push(Row {
            picks: made,
            counts: board.counts.clone(),
        });
    }
    Ok(Part {
        title: String::new(),
        algorithm,
        weights: weights.to_vec(),
        unit,
        rows,
        remark: String::new(),
    })
}

impl Part {
    fn saying(mut self, title: &str, remark: impl FnOnce(&Self) -> String) -> Self {
        self.title = title.to_owned();
        self.remark = remark(&self);
        self
    }

    fn last(&self) -> &[u32] {
        self.rows.last().map_or(&[], |row| &row.counts)
    }
}

/// How often each of four was picked.
fn share(order: &[usize]) -> [usize; 4] {
    std::array::from_fn(|place| order.iter().filter(|picked| **picked == place).count())
}

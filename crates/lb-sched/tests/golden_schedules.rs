//! The numbers of docs/REQUIREMENTS.md, sections 1 and 16.

mod table;

use lb_sched::{Algorithm, Cursor, Cycle, Limit};
use lb_types::Slot;
use table::{Table, letter, members};

fn cycle(weights: &[u16]) -> String {
    Cycle::weighted(&members(weights))
        .turns()
        .iter()
        .copied()
        .map(letter)
        .collect()
}

#[test]
fn v_01_smooth_cycle_of_6_3_2_1() {
    assert_eq!(cycle(&[6, 3, 2, 1]), "ABACABDAACBA");
    assert_eq!(cycle(&[60, 30, 20, 10]), "ABACABDAACBA");
    assert_eq!(
        Table::new(Algorithm::WeightedRoundRobin, &[60, 30, 20, 10]).letters(24),
        "ABACABDAACBA".repeat(2)
    );
}

#[test]
fn v_02_smooth_cycle_of_4_2_1() {
    assert_eq!(cycle(&[4, 2, 1]), "ABACABA");
}

#[test]
fn smooth_orders_of_other_hands() {
    // the reference formula of smooth weighted round robin in another language; the first is in nginx's commit note
    for (weights, order) in [
        (&[5, 1, 1][..], "AABACAA"),
        (&[1, 1, 1], "ABC"),
        (&[4, 3, 2], "ABCABACBA"),
        (&[3, 1], "AABA"),
        (&[10, 1, 1, 1], "AAABAACAADAAA"),
        (&[1, 2, 3, 4], "DCBDACDBCD"),
        (&[7, 3], "ABAAABAABA"),
        (&[2, 2, 1], "ABCAB"),
    ] {
        assert_eq!(cycle(weights), order, "{weights:?}");
    }
    assert_eq!(cycle(&[100, 1]), format!("{}B{}", "A".repeat(50), "A".repeat(50)));
}

#[test]
fn v_03_least_conn_from_zero_gives_exact_shares() {
    let table = Table::new(Algorithm::WeightedLeastConn, &[4, 2, 1]);
    table.begin(7);
    assert_eq!(table.counts(), [4, 2, 1]);
    table.begin(7);
    assert_eq!(table.counts(), [8, 4, 2]);
}

#[test]
fn v_12_weighted_round_robin_floods_everybody_where_least_conn_helps_the_new_one() {
    let table = Table::new(Algorithm::WeightedRoundRobin, &[10, 10, 10]).begun(&[50, 50, 0]);
    table.begin(50);
    assert_eq!(table.counts(), [67, 67, 16]);
    let table = Table::new(Algorithm::WeightedLeastConn, &[10, 10, 10]).begun(&[50, 50, 0]);
    table.begin(50);
    assert_eq!(table.counts(), [50, 50, 50]);
}

#[test]
fn s_sched_01_round_robin_goes_from_one_to_the_next() {
    let table = Table::new(Algorithm::RoundRobin, &[1, 9, 3, 1, 1]);
    assert_eq!(table.letters(12), "ABCDEABCDEAB");
}

#[test]
fn s_sched_01_the_counter_wraps_without_overflow() {
    let mut table = Table::new(Algorithm::RoundRobin, &[1; 5]);
    table.cursor = Cursor::at(u64::MAX - 1);
    // 2^64 - 2 and 2^64 - 1 leave 4 and 0 when divided by five; then it starts again
    assert_eq!(table.letters(5), "EAABC");
    assert_eq!(table.cursor.peek(), 3);
}

#[test]
fn s_sched_02_shares_are_exact_over_whole_cycles() {
    let table = Table::new(Algorithm::WeightedRoundRobin, &[6, 4, 10]);
    assert_eq!(table.shares(10 * 7), [21, 14, 35], "seven cycles of 3:2:5");
    let equal = Table::new(Algorithm::WeightedRoundRobin, &[7, 7, 7]);
    assert_eq!(equal.shares(30), [10, 10, 10]);
}

#[test]
fn s_sched_03_the_heaviest_goes_first() {
    assert!(cycle(&[1, 2, 5, 3]).starts_with('C'));
    let table = Table::new(Algorithm::WeightedRoundRobin, &[1, 2, 5, 3]);
    for _ in 0..5 {
        assert_eq!(table.pick(), Some(Slot(2)), "first of each cycle of 11");
        table.cursor.skip(10);
    }
}

#[test]
fn s_sched_04_round_robin_keeps_no_state_per_backend() {
    // Same cursor, other counts: the same picks, so no count is needed to pick. Neither does a
    // pick change a count.
    for algorithm in [Algorithm::RoundRobin, Algorithm::WeightedRoundRobin] {
        let idle = Table::new(algorithm, &[3, 1, 2]);
        let busy = Table::new(algorithm, &[3, 1, 2]).begun(&[9, 0, 1_000]);
        assert_eq!(idle.letters(60), busy.letters(60));
        assert_eq!(busy.counts(), [9, 0, 1_000]);
        assert_eq!(busy.cursor.peek(), 60, "one step each");
    }
}

#[test]
fn s_sched_05_the_least_for_its_weight_is_picked() {
    // 6/4 = 1.5, 3/2 = 1.5, 1/1 = 1, 5/4 = 1.25
    let table = Table::new(Algorithm::WeightedLeastConn, &[4, 2, 1, 4]).begun(&[6, 3, 1, 5]);
    assert_eq!(table.pick(), Some(Slot(2)));
    // 1/3 and 85/256: a quotient of 0.3333 and of 0.3320
    let close = Table::new(Algorithm::WeightedLeastConn, &[3, 256]).begun(&[1, 85]);
    assert_eq!(close.pick(), Some(Slot(1)));
    assert_eq!(close.cursor.peek(), 0, "no tie, no step");
}

#[test]
fn s_sched_06_ties_go_by_weighted_round_robin() {
    let weights = [6, 3, 2, 1];
    let idle = Table::new(Algorithm::WeightedLeastConn, &weights);
    assert_eq!(idle.letters(24), "ABACABDAACBA".repeat(2), "no count ever differs");
    // Two of four are tied: their turns of the cycle, alternating 3:1, the others' left out.
    let half = Table::new(Algorithm::WeightedLeastConn, &weights).begun(&[6, 0, 2, 0]);
    assert_eq!(half.letters(8), "BBDBBBDB");
}

#[test]
fn s_sched_08_only_requests_in_flight_count() {
    let table = Table::new(Algorithm::WeightedLeastConn, &[1, 1]).begun(&[3, 1]);
    // three requests of slot 0 end; their connections may be kept, they count no more
    (0..3).for_each(|_| table.loads[0].finish());
    assert_eq!(table.pick(), Some(Slot(0)));
}

#[test]
fn s_sched_sc1_three_equal_servers_get_equal_counts() {
    let table = Table::new(Algorithm::WeightedRoundRobin, &[1, 1, 1]);
    assert_eq!(table.shares(10_000), [3_334, 3_333, 3_333]);
}

#[test]
fn s_sched_sc2_least_conn_fills_the_new_server_first() {
    let table = Table::new(Algorithm::WeightedLeastConn, &[10, 10, 10]).begun(&[50, 50, 0]);
    for _ in 0..50 {
        let slot = table.pick().unwrap();
        assert_eq!(slot, Slot(2));
        assert!(table.loads[2].try_begin(Limit::NONE));
    }
    table.begin(6);
    assert_eq!(table.counts(), [52, 52, 52]);
}

#[test]
fn s_sched_sc3_every_window_of_twelve_has_6_3_2_1() {
    let table = Table::new(Algorithm::WeightedRoundRobin, &[60, 30, 20, 10]);
    for _ in 0..10 {
        assert_eq!(table.shares(12), [6, 3, 2, 1]);
    }
    assert_eq!(
        Table::new(Algorithm::WeightedRoundRobin, &[60, 30, 20, 10]).shares(120),
        [60, 30, 20, 10]
    );
}

#[test]
fn s_sched_sc4_the_weak_server_holds_half() {
    let mut weights = vec![10; 11];
    weights.push(5);
    let table = Table::new(Algorithm::WeightedLeastConn, &weights);
    table.begin(1_150);
    let mut want = vec![100; 11];
    want.push(50);
    assert_eq!(table.counts(), want);
}

#[test]
fn s_sched_sc5_lowering_the_busy_server_moves_connections_away() {
    let table = Table::new(Algorithm::WeightedLeastConn, &[4, 2, 1]).begun(&[8, 2, 1]);
    table.begin(10);
    assert_eq!(table.counts(), [12, 6, 3]);
    let table = Table::new(Algorithm::WeightedLeastConn, &[2, 2, 1]).begun(&[8, 2, 1]);
    table.begin(9);
    assert_eq!(table.counts(), [8, 8, 4]);
}

#[test]
fn v_04_the_numbers_of_scenarios_two_and_five() {
    let joined = Table::new(Algorithm::WeightedLeastConn, &[10, 10, 10]).begun(&[50, 50, 0]);
    joined.begin(50);
    assert_eq!(joined.counts(), [50, 50, 50]);
    joined.begin(6);
    assert_eq!(joined.counts(), [52, 52, 52]);
    for (weights, more, want) in [([4, 2, 1], 10, [12, 6, 3]), ([2, 2, 1], 9, [8, 8, 4])] {
        let table = Table::new(Algorithm::WeightedLeastConn, &weights).begun(&[8, 2, 1]);
        table.begin(more);
        assert_eq!(table.counts(), want);
    }
}

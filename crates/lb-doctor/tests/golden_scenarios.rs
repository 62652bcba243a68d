//! The five scenarios print what the requirements say, word for word; the counts stand in the rows S-SCHED-SC1 to SC5
//! of docs/REQUIREMENTS.md, the rest was worked out by hand.

use lb_doctor::Scenario;

fn assert_prints(number: u8, want: &str) {
    let scenario = Scenario::run(number).expect("it can be built").expect("there are five");
    assert_eq!(scenario.to_string(), want);
}

#[test]
fn s_sched_13_scenario_1_shares_10_000_requests_equally() {
    assert_prints(
        1,
        "\
Scenario 1: a new small site on identical servers

Three identical servers, requests of similar cost.
Equal weights and weighted round robin: it costs nothing, keeps no state, and counts differ by one
at most.

10,000 requests, equal weights (weighted_round_robin, w=[1,1,1])
  picks  requests
      0  c=[0,0,0]
  10000  c=[3334,3333,3333]
  counts differ by 1

",
    );
}

#[test]
fn s_sched_13_scenario_2_fills_the_new_server_and_v_12_shows_round_robin_beside_it() {
    assert_prints(
        2,
        "\
Scenario 2: a third server joins two that hold 50 connections each

Two servers of weight 10 hold 50 TCP connections each. A third one of weight 10 joins.
Weighted least connections: it counts what is open, so the new server is filled first. Weighted
round robin only looks at turns: the old ones go on growing, and the difference stays for as long as
the connections do.

weighted least connections fills the new server (least_conn, w=[10,10,10])
  picks  connections
      0  c=[50,50,0]
     50  c=[50,50,50]
     56  c=[52,52,52]
  50 of the next 50 connections go to the new server

weighted round robin beside it (weighted_round_robin, w=[10,10,10])
  picks  connections
      0  c=[50,50,0]
     50  c=[67,67,16]
  the old servers go on growing, although the new one is nearly idle

",
    );
}

#[test]
fn s_sched_13_scenario_3_shares_every_twelve_requests_exactly() {
    assert_prints(
        3,
        "\
Scenario 3: a static site on four servers of different strength

Four servers of strength 6:3:2:1 serve small files over short connections.
Weights 60, 30, 20 and 10 and weighted round robin: weights are reduced by their greatest common
divisor, so each 12 requests are shared exactly.

120 requests, weights 60, 30, 20, 10 (weighted_round_robin, w=[60,30,20,10])
  picks  requests
      0  c=[0,0,0,0]
     12  c=[6,3,2,1]
     24  c=[12,6,4,2]
    120  c=[60,30,20,10]
  10 of 10 windows of 12 requests are shared 6, 3, 2, 1

",
    );
}

#[test]
fn s_sched_13_scenario_4_spares_the_weak_server() {
    assert_prints(
        4,
        "\
Scenario 4: one of twelve servers reboots from overload

Twelve servers hold long connections. One is weaker, reboots from overload, and there is no budget.
Lower its weight to half, and weighted least connections: it then holds half of what the others
hold.

1,150 held connections, the weak server has weight 5 (least_conn, w=[10,10,10,10,10,10,10,10,10,10,10,5])
  picks  connections
      0  c=[0,0,0,0,0,0,0,0,0,0,0,0]
   1150  c=[100,100,100,100,100,100,100,100,100,100,100,50]
  11 servers hold 100 each, the weak one 50

",
    );
}

#[test]
fn s_sched_13_scenario_5_spares_the_busy_server() {
    assert_prints(
        5,
        "\
Scenario 5: long connections, and the strongest server is the busiest

Three servers of strength 4:2:1 hold 8, 2 and 1 long connections: the strongest is the busiest.
Weighted least connections, and a lower weight for the busy one until it has recovered: the others
then take most of what comes.

10 more connections with the weights of their strength (least_conn, w=[4,2,1])
  picks  connections
      0  c=[8,2,1]
     10  c=[12,6,3]
  4 of 10 still go to the busy server

9 more connections with the busy server lowered to 2 (least_conn, w=[2,2,1])
  picks  connections
      0  c=[8,2,1]
      9  c=[8,8,4]
  0 of 9 go to the busy server

",
    );
}

#[test]
fn there_are_five_and_no_more() {
    assert_eq!(Scenario::list().map(|(number, _)| number), [1, 2, 3, 4, 5]);
    for number in [0, 6, 255] {
        assert_eq!(Scenario::run(number), Ok(None));
    }
}

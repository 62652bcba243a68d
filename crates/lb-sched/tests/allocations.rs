//! A pick allocates nothing, whoever is asked and whatever it finds.

#![allow(clippy::unwrap_used)] // tests and their helpers

mod table;

use allocation_counter::measure;
use lb_sched::{Limit, Usable};
use lb_types::{Rng, Time};
use std::time::Duration;
use table::{Table, recipes};

#[test]
fn a_pick_and_its_end_allocate_nothing() {
    let weights: Vec<u16> = (0..70).map(|n| n % 9).collect();
    for recipe in recipes() {
        for mut table in [Table::new(recipe, &weights), Table::tiered(recipe, &weights, 20, 50)] {
            table.limits = vec![Limit::new(3); 70];
            let nobody = Usable::none(70);
            let mut rng = Rng::new(4);
            let counted = measure(|| {
                // until all are full, and on
                for step in 0..400 {
                    let mut ask = table.ask(rng.next_u64());
                    ask.hash = (step % 2 == 0).then(|| rng.next_u64());
                    if let Some(slot) = table.scheduler.pick(&ask) {
                        assert!(table.loads[slot.index()].try_begin(Limit::new(3)));
                    }
                    ask.usable = &nobody;
                    assert_eq!(table.scheduler.pick(&ask), None);
                }
                for load in &table.loads {
                    load.observe(Duration::from_millis(3), Time::from_nanos(7));
                    load.tally(true);
                    (0..load.in_flight()).for_each(|_| load.finish());
                }
            });
            assert_eq!(counted.count_total, 0, "{recipe:?}");
        }
    }
}

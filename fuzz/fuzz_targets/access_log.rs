//! Access logs of strangers: no panic, no hang, and as many records as lines that were read. The first byte chooses the
//! format.
#![no_main]

use lb_doctor::log::{Format, Log, Replay, ReplayOptions, Survey};
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fuzz_target!(|data: &[u8]| {
    let Some((first, input)) = data.split_first() else {
        return;
    };
    let format = Format::ALL.get(usize::from(*first)).cloned();
    let Ok(mut log) = Log::new(Cursor::new(input), format) else {
        return;
    };
    let records: Vec<_> = log.by_ref().collect();
    assert_eq!(records.len() as u64, log.good());
    assert!(log.first_bad().len() as u64 <= log.bad());
    assert!(
        records
            .iter()
            .filter_map(|r| r.backend)
            .all(|number| usize::from(number) < log.backends().len())
    );
    assert_eq!(Survey::of(records.iter().copied()).requests, records.len() as u64);
    let requests: Vec<_> = Replay::new(records.iter().copied(), ReplayOptions::default()).collect();
    assert_eq!(requests.len(), records.len());
    assert!(requests.iter().map(|r| r.at).is_sorted());
});

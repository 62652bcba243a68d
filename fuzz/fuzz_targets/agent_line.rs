//! Lines of agents: no panic, bounded texts without control characters, and words in any letter case mean the same.
#![no_main]

use lb_probe::AgentLine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(line) = AgentLine::parse(data) else { return };
    for text in [Some(&line.note), line.unknown.as_ref()].into_iter().flatten() {
        // 200 bytes, of which each may become a replacement character of three
        assert!(text.len() <= 600 && !text.chars().any(char::is_control));
    }
    assert!(line.weight_percent.is_none_or(|percent| percent <= 25_600));
    let upper = AgentLine::parse(&data.to_ascii_uppercase()).expect("the same line");
    assert_eq!((upper.admin, upper.word), (line.admin, line.word));
    assert_eq!(
        (upper.weight_percent, upper.max_connections),
        (line.weight_percent, line.max_connections)
    );
});

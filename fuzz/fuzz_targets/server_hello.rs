//! Answers from hostile servers: no panic, and the same answer for any split.
#![no_main]

use lb_preface::Step;
use lb_preface::server_hello::{self, Answer, Limits};
use libfuzzer_sys::fuzz_target;

// The first byte says where the rest is cut.
fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = data.split_first() else { return };
    let limits = Limits::default();
    let whole = server_hello::peek(input, limits);
    let begun = &input[..input.len().min(usize::from(*cut))];
    match server_hello::peek(begun, limits) {
        Ok(Step::NeedMore) => {}
        answer => assert_eq!(answer, whole),
    }
    match whole {
        Ok(Step::Done { value, len }) => {
            assert!(len <= input.len() && !value.to_string().is_empty());
            if let Answer::Hello(hello) = value {
                assert!(hello.session_id().len() <= 32);
                assert!(hello.lasting_session_id().is_none_or(|id| id == hello.session_id()));
            }
        }
        Ok(Step::NeedMore) => {}
        Err(error) => assert!(error.to_string().is_ascii()),
    }
});

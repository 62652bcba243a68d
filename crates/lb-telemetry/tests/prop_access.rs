//! Laws of access-log lines: one line, its own columns, nothing lost that is text.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_telemetry::{Access, Format, Wall};
use proptest::collection::vec;
use proptest::prelude::*;

fn wild() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..40), any::<String>().prop_map(String::into_bytes)]
}

/// The columns of a text line: brackets and quotes hold a column together, a backslash takes one byte along.
fn columns(line: &str) -> Vec<String> {
    let mut columns = vec![String::new()];
    let mut chars = line.chars();
    let mut inside = None;
    while let Some(c) = chars.next() {
        match (inside, c) {
            (_, '\\') => {
                let column = columns.last_mut().unwrap();
                column.push(c);
                column.extend(chars.next());
                continue;
            }
            (None, ' ') => {
                columns.push(String::new());
                continue;
            }
            (None, '"') => inside = Some('"'),
            (None, '[') => inside = Some(']'),
            (Some(end), _) if c == end => inside = None,
            _ => {}
        }
        columns.last_mut().unwrap().push(c);
    }
    assert_eq!(inside, None, "{line}");
    columns
}

/// What a JSON line makes of bytes: what is no text, and what breaks lines, is replaced.
fn harmless(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| {
            if matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn a_text_line_is_one_printable_line_of_ten_columns(
        method in wild(), target in wild(), agent in wild(), referer in wild(), xff in wild(),
        millis: u64, status in 0_u16..1000, bytes: u64,
    ) {
        let mut access = Access::new([192, 0, 2, 1].into(), Wall::from_millis(millis));
        access.method = &method;
        access.target = &target;
        access.version = "HTTP/1.1";
        access.referer = Some(&referer);
        access.user_agent = Some(&agent);
        access.x_forwarded_for = Some(&xff);
        access.status = status;
        access.bytes = bytes;
        let mut out = Vec::new();
        Format::CombinedXff.write(&access, &mut out);
        prop_assert_eq!(out.pop(), Some(b'\n'));
        prop_assert!(out.iter().all(|b| (0x20..0x7f).contains(b)));
        let line = String::from_utf8(out).unwrap();
        // %h %l %u %t %r %>s %b Referer User-Agent X-Forwarded-For
        prop_assert_eq!(columns(&line).len(), 10, "{}", line);
    }

    #[test]
    fn a_user_cannot_open_a_column(user in vec(any::<u8>().prop_filter("bracket", |b| *b != b'['), 1..20)) {
        let mut access = Access::new([192, 0, 2, 1].into(), Wall::from_millis(0));
        access.user = Some(&user);
        let mut out = Vec::new();
        Format::Common.write(&access, &mut out);
        out.pop();
        prop_assert_eq!(columns(std::str::from_utf8(&out).unwrap()).len(), 7);
    }

    #[test]
    fn a_json_line_is_one_object_and_keeps_all_harmless_text(
        target in "[ -~]{0,30}|\\PC{0,30}", agent in wild(), host in wild(), millis in 0_u64..4_102_444_800_000,
    ) {
        let mut access = Access::new([192, 0, 2, 1].into(), Wall::from_millis(millis));
        access.target = target.as_bytes();
        access.user_agent = Some(&agent);
        access.host = Some(&host);
        let mut out = Vec::new();
        Format::Json.write(&access, &mut out);
        prop_assert_eq!(out.pop(), Some(b'\n'));
        let text = std::str::from_utf8(&out).unwrap();
        prop_assert_eq!(text.lines().count(), 1);
        let breaks_lines = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        prop_assert!(!text.contains(breaks_lines));
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let read = value.get("target").and_then(|v| v.as_str()).unwrap_or("");
        prop_assert_eq!(read, harmless(target.as_bytes()));
        let agent_read = value.get("user_agent").and_then(|v| v.as_str()).unwrap_or("");
        prop_assert_eq!(agent_read, harmless(&agent));
    }
}

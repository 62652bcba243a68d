//! Where durations come from, and what is none.
use super::*;
use std::io::Cursor;
use std::time::Duration;

const COMBINED: &str = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/8.5.0""#;

fn format(text: &str) -> Format {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn micros(format: &Format, line: &str) -> Option<u128> {
    let entry = format.read(line).unwrap_or_else(|why| panic!("{why}: {line}"));
    assert_eq!(entry.duration.is_some(), entry.source.is_some(), "{line}");
    entry.duration.map(|took| took.as_micros())
}

#[test]
fn a_number_that_does_not_say_what_it_counts_is_no_duration_and_is_asked_for() {
    for (behind, example) in [
        // Apache: combinedio; %D; %T; vhost and %D
        (" 3071 3362", "3071"),
        (" 52000", "52000"),
        (" 0", "0"),
        (" example.com 52000", "52000"),
        // nginx: "$gzip_ratio", the example in its own documentation; $request_length; $connection_requests
        (r#" "-" "3.25""#, "3.25"),
        (r#" "-" 3.25"#, "3.25"),
        (" 871 12", "871"),
        // rt as Apache's %D
        (" rt=52000", "52000"),
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!((entry.duration, entry.source), (None, None), "{line}");
        assert_eq!(entry.unclear, Some(example), "{line}");
        let mut log = Log::new(Cursor::new(format!("{line}\n")), None).unwrap();
        assert_eq!(log.by_ref().count(), 1);
        let reading = log.reading().join(" ");
        assert!(reading.contains("Durations: none."), "{reading}");
        assert!(
            reading.contains(&format!("{example:?}")) && reading.contains("say so: --format"),
            "{reading}"
        );
    }
    // nothing to ask for
    for behind in [
        "",
        r#" "203.0.113.9""#,
        r#" "203.0.113.9:4711""#,
        " -",
        r#" "-""#,
        " TLSv1.3 ECDHE-RSA-AES128-GCM-SHA256",
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(
            (entry.duration, entry.unclear, entry.backend),
            (None, None, None),
            "{line}"
        );
    }
}

#[test]
fn a_duration_that_says_so_is_taken_and_named() {
    for (behind, took, source) in [
        (" rt=0.251 urt=\"0.250\"", 250_000, "named urt"),
        (" rt=0.25", 250_000, "named rt"),
        (" 0.250", 250_000, "three digits"),
        (" 0.251 0.250", 250_000, "second of two"),
        // the second is longer than the first, so it is not the backend's part of it
        (" 0.250 0.251", 250_000, "the one number"),
        (
            " 87 0.300 [default-web-80] [] 10.0.0.1:80, 10.0.0.2:80 612, 612 0.040, 0.250 502, 200 4d7f",
            250_000,
            "ingress-nginx",
        ),
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(micros(&Format::Clf, &line), Some(took), "{line}");
        assert!(
            entry.source.is_some_and(|text| text.contains(source)),
            "{line}: {:?}",
            entry.source
        );
    }
    let mut log = Log::new(Cursor::new(format!("{COMBINED} rt=0.100\n{COMBINED}\n")), None).unwrap();
    assert_eq!(log.by_ref().count(), 2);
    assert!(
        log.reading()
            .contains(&"Durations: the value named rt or request_time, in seconds; 1 of 2 lines has one.".to_owned()),
        "{:?}",
        log.reading()
    );
}

#[test]
fn a_format_given_as_the_program_has_it_says_what_each_number_is() {
    let apache = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "c""#;
    for (text, behind, took) in [
        ("combined %D", " 52000", Some(52_000)),
        ("combined %T", " 3", Some(3_000_000)),
        ("combined %{ms}T", " 52", Some(52_000)),
        ("combined %{us}T", " 52", Some(52)),
        ("combinedio %D", " 3071 3362 52000", Some(52_000)),
        ("combinedio %I", " 3071 3362 52000", None),
        (r#"combined "%{X-Forwarded-For}i" %D"#, r#" "a "b" c" 7"#, Some(7)),
        (
            r#"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D"#,
            " 9",
            Some(9),
        ),
        ("combined $request_time", " 0.052", Some(52_000)),
        (
            r#"combined "$gzip_ratio" $request_time $upstream_response_time"#,
            r#" "3.25" 0.300 0.040, 0.250"#,
            Some(250_000),
        ),
        (
            "combined $request_time $upstream_response_time",
            " 0.300 -",
            Some(300_000),
        ),
    ] {
        let line = format!("{apache}{behind}");
        assert_eq!(micros(&format(text), &line), took, "{text}: {line}");
    }
    // all of it in variables, the backend and the pool too; nginx's time is that of the end
    let own = format(r#"$msec|${remote_addr}|$status|$request_time|$upstream_addr|$proxy_host|"$request""#);
    let entry = own
        .read(r#"1795255200.250|2001:db8::7|502|0.250|10.0.0.1:80, 10.0.0.2:80|app|"GET /"x" HTTP/1.1""#)
        .unwrap();
    assert_eq!((entry.unix_nanos, entry.status), (1_795_255_200_000_000_000, Some(502)));
    assert_eq!(
        (entry.client.as_deref(), entry.backend.as_deref(), entry.pool.as_deref()),
        (Some("2001:db8::7"), Some("10.0.0.2:80"), Some("app"))
    );
    assert_eq!(own.read("nothing of the kind"), Err("it is not as the format says"));
    // Apache's is that of the beginning
    let entry = format("combined %D")
        .read(&format!("{COMBINED} 52000"))
        .map(|entry| entry.unix_nanos);
    assert_eq!(entry, Ok(1_795_255_200_000_000_000));
}

#[test]
fn a_format_that_cannot_be_read_says_why() {
    for (text, why) in [
        ("combined %", "ends with a %"),
        ("%h %{ms", "without its }"),
        ("${remote_addr $time_local", "without its }"),
        ("$request_time$status $time_local", "nothing between them"),
        ("$remote_addr $request_time", "has no time"),
        ("%h %{%d/%b/%Y}t", "which is not read"),
        ("combined $", "without a name"),
        ("json elapsed:minutes", "KEY:UNIT"),
        ("json elapsed", "KEY:UNIT"),
        ("combinedd", "names no log format"),
    ] {
        let error = text.parse::<Format>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    assert!("%h".repeat(3000).parse::<Format>().is_err());
}

#[test]
fn brackets_and_quotes_inside_fields_do_not_move_the_columns() {
    for (line, client) in [
        (
            r#"[2001:db8::7] - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "2001:db8::7",
        ),
        (
            r#"[2001:db8::7]:443 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "2001:db8::7",
        ),
        (
            r#"fe80::1%eth0 - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "fe80::1",
        ),
        (
            r#"203.0.113.7 - frank[1] [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "203.0.113.7",
        ),
        (
            r#"203.0.113.7 - [a: b/c] [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "203.0.113.7",
        ),
        (
            r#"host[7].example - - [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "host[7].example",
        ),
        (
            r#"203.0.113.7 - "fr ank" [21/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "203.0.113.7",
        ),
        (
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /"a" b HTTP/1.1" 200 1 "-" "c" rt=0.007"#,
            "203.0.113.7",
        ),
        (
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /[01/Jan/2020:00:00:00 +0000] HTTP/1.1" 200 1 "-" "an "odd"one" rt=0.007"#,
            "203.0.113.7",
        ),
        (
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /\" 500 HTTP/1.1" 200 1 "-" "c \" d" rt=0.007"#,
            "203.0.113.7",
        ),
    ] {
        for format in [Format::Clf, format(r#"combined rt=$request_time"#)] {
            let entry = format
                .read(line)
                .unwrap_or_else(|why| panic!("{format}: {why}: {line}"));
            assert_eq!(entry.client.as_deref(), Some(client), "{format}: {line}");
            assert_eq!(entry.duration, Some(Duration::from_millis(7)), "{format}: {line}");
            assert_eq!(entry.status, Some(200), "{format}: {line}");
            assert_eq!(entry.unix_nanos, 1_795_255_199_993_000_000, "{format}: {line}");
        }
    }
    let haproxy = r#"haproxy[14389]: [2001:db8::7]:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1""#;
    assert_eq!(
        Format::Haproxy.read(haproxy).unwrap().client.as_deref(),
        Some("2001:db8::7")
    );
}

#[test]
fn json_durations_need_a_unit_in_their_name_or_a_program_that_is_known() {
    for (members, took, source) in [
        (r#""total_us":42000"#, Some(42_000), "total_us"),
        (r#""duration_ms":42"#, Some(42_000), "duration_ms"),
        (r#""request_time":"0.042""#, Some(42_000), "request_time"),
        (
            r#""request_time":"0.050","upstream_response_time":"0.001, 0.042""#,
            Some(42_000),
            "upstream_response_time",
        ),
        (r#""duration":"42ms""#, Some(42_000), "its unit"),
        (r#""request":{"method":"GET"},"duration":0.042"#, Some(42_000), "Caddy"),
        (r#""duration":42,"response_flags":"-""#, Some(42_000), "Envoy"),
        (r#""Duration":42000000,"ServiceName":"a""#, Some(42_000), "Traefik"),
        (r#""duration":42"#, None, "duration"),
        (r#""duration":0.042"#, None, "duration"),
        (r#""request_time":42"#, None, "request_time"),
        (r#""elapsed":42"#, None, "elapsed"),
        (r#""status":200"#, None, ""),
    ] {
        let line = format!(r#"{{"ts":1795255200.5,"method":"GET",{members}}}"#);
        let entry = Format::Json.read(&line).unwrap();
        assert_eq!(micros(&Format::Json, &line), took, "{line}");
        let said = if took.is_some() { entry.source } else { entry.unclear };
        assert!(said.unwrap_or_default().contains(source), "{line}: {said:?}");
    }
    let rule = format("json elapsed:ms");
    assert_eq!(micros(&rule, r#"{"ts":1.5,"elapsed":42,"total_us":7}"#), Some(42_000));
    assert_eq!(micros(&rule, r#"{"ts":1.5,"status":200,"total_us":7}"#), None);
}

proptest::proptest! {
    #[test]
    fn any_format_and_any_line_are_read_or_refused(layout: String, line: String) {
        if let Ok(format) = layout.parse::<Format>() {
            let _ = format.read(&line);
        }
        if let Ok(format) = format!("combined {layout}%D").parse::<Format>() {
            let _ = format.read(&line);
            let _ = format.read(COMBINED);
        }
    }
}

//! Access-log lines, byte for byte.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_telemetry::{Access, End, Format, Wall};
use std::time::Duration;

fn line(format: Format, access: &Access<'_>) -> String {
    let mut out = Vec::new();
    format.write(access, &mut out);
    String::from_utf8(out).unwrap()
}

/// The request of Apache's log documentation (<https://httpd.apache.org/docs/2.4/logs.html>), in UTC.
fn frank() -> Access<'static> {
    let mut access = Access::new("127.0.0.1".parse().unwrap(), Wall::from_millis(971_186_136_007));
    access.user = Some(b"frank");
    access.method = b"GET";
    access.target = b"/apache_pb.gif";
    access.version = "HTTP/1.0";
    access.status = 200;
    access.bytes = 2326;
    access.referer = Some(b"http://www.example.com/start.html");
    access.user_agent = Some(b"Mozilla/4.08 [en] (Win98; I ;Nav)");
    access
}

#[test]
fn s_xff_13_common_line() {
    assert_eq!(
        line(Format::Common, &frank()),
        "127.0.0.1 - frank [10/Oct/2000:13:55:36 +0000] \"GET /apache_pb.gif HTTP/1.0\" 200 2326\n"
    );
}

#[test]
fn s_xff_13_combined_line() {
    assert_eq!(
        line(Format::Combined, &frank()),
        "127.0.0.1 - frank [10/Oct/2000:13:55:36 +0000] \"GET /apache_pb.gif HTTP/1.0\" 200 2326 \
         \"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\"\n"
    );
}

#[test]
fn s_xff_13_combined_line_with_forwarded_for_is_the_order_of_the_apache_snippet() {
    // %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" "%{X-Forwarded-For}i"
    let mut access = frank();
    access.client = "100.97.136.231".parse().unwrap();
    access.x_forwarded_for = Some(b"182.92.253.20");
    assert_eq!(
        line(Format::CombinedXff, &access),
        "100.97.136.231 - frank [10/Oct/2000:13:55:36 +0000] \"GET /apache_pb.gif HTTP/1.0\" 200 2326 \
         \"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\" \"182.92.253.20\"\n"
    );
    access.x_forwarded_for = None;
    assert!(line(Format::CombinedXff, &access).ends_with("(Win98; I ;Nav)\" \"-\"\n"));
}

#[test]
fn the_default_line_has_times_pool_and_backend_by_name_behind_the_combined_one() {
    assert_eq!(Format::default(), Format::CombinedTimed);
    let mut access = frank();
    access.phases.total = Duration::from_micros(1_042_113);
    let begin = "127.0.0.1 - frank [10/Oct/2000:13:55:36 +0000] \"GET /apache_pb.gif HTTP/1.0\" 200 2326 \
                 \"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\" \"-\"";
    assert_eq!(line(Format::CombinedTimed, &access), format!("{begin} rt=1.042113\n"));
    access.phases.connect = Some(Duration::from_micros(56));
    access.phases.first_byte = Some(Duration::from_micros(789));
    access.pool = "app";
    access.backend = "a \"b\"\n";
    access.why = "retried";
    access.retries = 1;
    access.end = End::UpstreamTruncated;
    access.detail = "a detail";
    assert_eq!(
        line(Format::CombinedTimed, &access),
        format!(
            "{begin} rt=1.042113 uct=0.000056 uht=0.000789 pool=\"app\" backend=\"a \\\"b\\\"\\n\" why=\"retried\" \
             end=\"upstream_truncated\" detail=\"a detail\" retries=1\n"
        )
    );
}

#[test]
fn s_xff_13_json_line() {
    let mut access = frank();
    access.version = "HTTP/1.1";
    access.user = None;
    access.request_bytes = 5;
    access.host = Some(b"www.example.com");
    access.user_agent = Some(b"say \"hi\" \\ bye");
    access.x_forwarded_for = Some(b"182.92.253.20");
    access.listener = "web";
    access.pool = "app";
    access.backend = "b1";
    access.why = "sticky";
    access.persist = "hit";
    access.retries = 1;
    access.phases.total = Duration::from_micros(1_234);
    access.phases.connect = Some(Duration::from_micros(56));
    access.phases.first_byte = Some(Duration::from_micros(789));
    assert_eq!(
        line(Format::Json, &access),
        concat!(
            r#"{"time":"2000-10-10T13:55:36.007Z","client":"127.0.0.1","method":"GET","host":"www.example.com","#,
            r#""target":"/apache_pb.gif","version":"HTTP/1.1","status":200,"bytes":2326,"request_bytes":5,"#,
            r#""referer":"http://www.example.com/start.html","user_agent":"say \"hi\" \\ bye","#,
            r#""x_forwarded_for":"182.92.253.20","listener":"web","pool":"app","backend":"b1","why":"sticky","#,
            r#""persist":"hit","end":"done","reused":false,"retries":1,"#,
            r#""total_us":1234,"connect_us":56,"first_byte_us":789}"#,
            "\n"
        )
    );
}

#[test]
fn a_request_that_was_never_read_has_dashes_and_its_reason() {
    let mut access = Access::new("::1".parse().unwrap(), Wall::from_millis(0));
    access.end = End::BadRequest;
    access.status = 400;
    assert_eq!(
        line(Format::CombinedXff, &access),
        "::1 - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 - \"-\" \"-\" \"-\"\n"
    );
    assert_eq!(
        line(Format::Json, &access),
        concat!(
            r#"{"time":"1970-01-01T00:00:00.000Z","client":"::1","status":400,"bytes":0,"request_bytes":0,"#,
            r#""end":"bad_request","error":"http_request_error","total_us":0}"#,
            "\n"
        )
    );
}

#[test]
fn a_client_that_went_away_before_any_response_has_no_status() {
    let mut access = frank();
    access.status = 0;
    access.bytes = 0;
    access.end = End::ClientReset;
    assert!(line(Format::Common, &access).ends_with("\"GET /apache_pb.gif HTTP/1.0\" - -\n"));
    assert!(!line(Format::Json, &access).contains("status"));
}

#[test]
fn a_mapped_address_is_written_as_ipv4() {
    let access = Access::new("::ffff:192.0.2.1".parse().unwrap(), Wall::from_millis(0));
    assert!(line(Format::Common, &access).starts_with("192.0.2.1 - - "));
}

#[test]
fn an_attack_on_the_log_stays_in_its_column() {
    let mut access = frank();
    access.user = Some(b"x [01/Jan/1970:00:00:00 +0000]");
    access.target = b"/\" 200 1\n6.6.6.6 - - [";
    access.user_agent = Some(b"\x1b[2J\" \"");
    assert_eq!(
        line(Format::CombinedXff, &access),
        concat!(
            r#"127.0.0.1 - x\x20[01/Jan/1970:00:00:00\x20+0000] [10/Oct/2000:13:55:36 +0000] "#,
            r#""GET /\" 200 1\n6.6.6.6 - - [ HTTP/1.0" 200 2326 "#,
            r#""http://www.example.com/start.html" "\x1b[2J\" \"" "-""#,
            "\n"
        )
    );
    let json = line(Format::Json, &access);
    assert!(json.contains(r#""target":"/\" 200 1\n6.6.6.6 - - [""#), "{json}");
    assert!(json.contains(r#""user_agent":"\u001b[2J\" \"""#), "{json}");
}

#[test]
fn a_short_line_shows_what_is_worth_a_look() {
    let mut access = frank();
    access.backend = "green";
    access.why = "scheduled";
    access.phases.total = Duration::from_micros(449);
    assert_eq!(
        line(Format::Short, &access),
        "13:55:36 GET /apache_pb.gif -> 200 green 0.44 ms\n"
    );
    access.why = "persisted";
    access.phases.total = Duration::from_millis(1_250);
    assert_eq!(
        line(Format::Short, &access),
        "13:55:36 GET /apache_pb.gif -> 200 green (persisted) 1250.00 ms\n"
    );
    access.why = "retried";
    access.retries = 1;
    access.end = End::UpstreamTruncated;
    assert_eq!(
        line(Format::Short, &access),
        "13:55:36 GET /apache_pb.gif -> 200 green (retried, upstream_truncated) 1250.00 ms\n"
    );
    access.why = "replaced";
    assert!(line(Format::Short, &access).contains(" green (replaced, 1 retry, upstream_truncated) "));
    access.retries = 2;
    assert!(line(Format::Short, &access).contains(" green (replaced, 2 retries, upstream_truncated) "));
}

#[test]
fn a_short_line_leaves_out_what_is_not_known() {
    let mut access = frank();
    access.status = 503;
    access.end = End::NoBackend;
    assert_eq!(
        line(Format::Short, &access),
        "13:55:36 GET /apache_pb.gif -> 503 (no_backend) 0.00 ms\n"
    );
    let mut tunnel = Access::new("192.0.2.7".parse().unwrap(), Wall::from_millis(0));
    tunnel.backend = "a";
    tunnel.end = End::TunnelDone;
    assert_eq!(line(Format::Short, &tunnel), "00:00:00 192.0.2.7 -> a 0.00 ms\n");
}

#[test]
fn a_short_line_stays_one_short_line() {
    let long = [b'a'; 100];
    let mut access = frank();
    access.target = &long;
    let cut = "a".repeat(60);
    assert_eq!(
        line(Format::Short, &access),
        format!("13:55:36 GET {cut}.. -> 200 0.00 ms\n")
    );
    access.target = b"/\x1b[2J -> 200\n";
    assert_eq!(
        line(Format::Short, &access),
        "13:55:36 GET /\\x1b[2J\\x20->\\x20200\\n -> 200 0.00 ms\n"
    );
}

#[test]
fn the_detail_of_an_end_stands_in_json_and_behind_the_default_format() {
    let mut access = frank();
    access.end = End::UpstreamProtocol;
    access.detail = "Transfer-Encoding and Content-Length in one message";
    let ended = " \"upstream_protocol: Transfer-Encoding and Content-Length in one message\"\n";
    let xff = line(Format::CombinedXff, &access);
    assert!(xff.ends_with(ended), "{xff}");
    let json = line(Format::Json, &access);
    assert!(
        json.contains(",\"detail\":\"Transfer-Encoding and Content-Length in one message\""),
        "{json}"
    );
    let short = line(Format::Short, &access);
    assert!(short.contains("upstream_protocol: Transfer-Encoding and"), "{short}");
    // These two are Apache's, byte for byte.
    for format in [Format::Common, Format::Combined] {
        assert!(!line(format, &access).contains("upstream_protocol"));
    }
    access.detail = "";
    for format in Format::ALL {
        assert!(!line(format, &access).contains("detail"));
    }
}

#[test]
fn a_request_without_a_known_version_has_none_in_its_line() {
    let mut access = frank();
    access.version = "";
    assert!(line(Format::Common, &access).contains(" \"GET /apache_pb.gif\" "));
}

use super::*;
use lb_types::Time;
use std::io::Cursor;
use std::time::Duration;

const fn millis(millis: u64) -> Option<Duration> {
    Some(Duration::from_millis(millis))
}

fn read<'a>(format: &Format, line: &'a str) -> Entry<'a> {
    format.read(line).unwrap_or_else(|why| panic!("{why}: {line}"))
}

// Lines of the programs' own documentation, or written by hand after it.

#[test]
fn combined_lines_of_apache_are_read() {
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)""#;
    let entry = read(&Format::Clf, line);
    assert_eq!(entry.unix_nanos, 971_211_336_000_000_000);
    assert!(entry.whole_seconds);
    assert_eq!(entry.client.as_deref(), Some("127.0.0.1"));
    assert_eq!((entry.status, entry.duration, entry.backend), (Some(200), None, None));
    // %D behind it may be a number of bytes just as well
    let with_micros = format!("{line} 52000");
    let entry = read(&Format::Clf, &with_micros);
    assert_eq!((entry.duration, entry.unclear), (None, Some("52000")));
    let entry = read(&"combined %D".parse().unwrap(), &with_micros);
    assert_eq!(
        (entry.duration, entry.unix_nanos),
        (millis(52), 971_211_336_000_000_000)
    );
    // common, virtual host before, IPv6, escaped quotes
    let common = r#"www.example.com:80 2001:db8::7 - - [10/Oct/2000:13:55:36 -0700] "GET /\"a b\" HTTP/1.0" 404 -"#;
    let entry = read(&Format::Clf, common);
    assert_eq!(
        (entry.client.as_deref(), entry.status),
        (Some("2001:db8::7"), Some(404))
    );
}

#[test]
fn nginx_lines_are_read_with_and_without_times() {
    let combined = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/8.5.0""#;
    assert_eq!(read(&Format::Clf, combined).duration, None);
    for behind in [
        " 0.250",
        " 0.251 0.250",
        r#" rt=0.251 uct="0.001" uht="0.249" urt="0.250""#,
        r#" "10.1.2.3" 0.251 0.250"#,
        r#" request_time=0.251 upstream_response_time=0.250"#,
    ] {
        let line = format!("{combined}{behind}");
        assert_eq!(read(&Format::Clf, &line).duration, millis(250), "{line}");
    }
    // the time is that of the end
    let line = format!("{combined} 0.250");
    assert_eq!(read(&Format::Clf, &line).unix_nanos, 1_795_255_199_750_000_000);
    // the one of ingress-nginx, with a second attempt
    let ingress =
        format!("{combined} 87 0.300 [default-web-80] [] 10.0.0.1:80, 10.0.0.2:80 612, 612 0.040, 0.250 502, 200 4d7f");
    let entry = read(&Format::Clf, &ingress);
    assert_eq!(
        (entry.backend.as_deref(), entry.duration),
        (Some("10.0.0.2:80"), millis(250))
    );
    let named = format!(r#"{combined} upstream="10.0.0.1:80, 10.0.0.2:80" urt="0.001, 0.250""#);
    let entry = read(&Format::Clf, &named);
    assert_eq!(
        (entry.backend.as_deref(), entry.duration),
        (Some("10.0.0.2:80"), millis(250))
    );
}

#[test]
fn a_user_agent_that_looks_like_a_time_is_none() {
    let line = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "0.5" "10.0.0.9:80""#;
    let entry = read(&Format::Clf, line);
    assert_eq!((entry.duration, entry.backend), (None, None));
}

#[test]
fn our_own_lines_are_read_as_they_are_written() {
    let mut access = lb_telemetry::Access::new(
        "192.0.2.9".parse().unwrap(),
        lb_telemetry::Wall::from_millis(1_795_255_200_250),
    );
    access.method = b"GET";
    access.target = b"/a\"b";
    access.version = "HTTP/1.1";
    access.status = 503;
    access.pool = "app";
    access.backend = "web1";
    access.why = "persisted";
    access.phases.total = Duration::from_millis(42);
    let mut line = Vec::new();
    lb_telemetry::Format::Json.write(&access, &mut line);
    let line = String::from_utf8(line).unwrap();
    let entry = read(&Format::Json, line.trim_end());
    assert_eq!(entry.unix_nanos, 1_795_255_200_250_000_000);
    assert_eq!(entry.duration, millis(42));
    assert_eq!(
        (entry.backend.as_deref(), entry.pool.as_deref()),
        (Some("web1"), Some("app"))
    );
    assert_eq!(
        (entry.client.as_deref(), entry.status, entry.persisted),
        (Some("192.0.2.9"), Some(503), true)
    );
    let mut line = Vec::new();
    lb_telemetry::Format::CombinedXff.write(&access, &mut line);
    let line = String::from_utf8(line).unwrap();
    assert_eq!(read(&Format::Clf, line.trim_end()).status, Some(503));
    // the default: all that advice needs
    let mut line = Vec::new();
    lb_telemetry::Format::default().write(&access, &mut line);
    let line = String::from_utf8(line).unwrap();
    let entry = read(&Format::Clf, line.trim_end());
    assert_eq!(
        (entry.unix_nanos, entry.duration),
        (1_795_255_200_000_000_000, millis(42)),
        "{line}"
    );
    assert_eq!(
        (entry.backend.as_deref(), entry.pool.as_deref(), entry.persisted),
        (Some("web1"), Some("app"), true)
    );
}

#[test]
fn json_of_other_programs_is_read() {
    let nginx = r#"{"time_iso8601":"2026-11-21T10:00:00+00:00","remote_addr":"203.0.113.7","status":"200","request_time":"0.251","upstream_response_time":"0.001, 0.250","upstream_addr":"10.0.0.1:80, 10.0.0.2:80"}"#;
    let entry = read(&Format::Json, nginx);
    assert_eq!(
        (entry.duration, entry.backend.as_deref(), entry.status),
        (millis(250), Some("10.0.0.2:80"), Some(200))
    );
    let caddy = r#"{"level":"info","ts":1795255200.5,"request":{"remote_ip":"203.0.113.7","method":"GET"},"duration":0.25,"status":200}"#;
    let entry = read(&Format::Json, caddy);
    assert_eq!(
        (entry.duration, entry.client.as_deref()),
        (millis(250), Some("203.0.113.7"))
    );
    assert_eq!(entry.unix_nanos, 1_795_255_200_250_000_000);
    let traefik = r#"{"ClientHost":"203.0.113.7","DownstreamStatus":200,"Duration":251000000,"OriginDuration":250000000,"ServiceAddr":"10.0.0.2:80","ServiceName":"web@docker","StartUTC":"2026-11-21T10:00:00.5Z"}"#;
    let entry = read(&Format::Json, traefik);
    assert_eq!(
        (entry.duration, entry.pool.as_deref()),
        (millis(250), Some("web@docker"))
    );
}

#[test]
fn haproxy_lines_are_read() {
    // section 8.2.3 of HAProxy's configuration manual
    let http = r#"Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#;
    let entry = read(&Format::Haproxy, http);
    assert_eq!(
        (entry.pool.as_deref(), entry.backend.as_deref()),
        (Some("static"), Some("srv1"))
    );
    assert_eq!((entry.client.as_deref(), entry.status), (Some("10.0.1.2"), Some(200)));
    // 109 in all, 10 of which the client took to send its request
    assert_eq!(entry.duration, millis(99));
    assert_eq!(entry.unix_nanos, 1_233_922_454_665_000_000);
    // section 8.2.2
    let tcp = "Feb  6 12:12:56 localhost haproxy[14387]: 10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0";
    assert_eq!(read(&Format::Haproxy, tcp).duration, millis(5007));
    // nobody served it
    let nobody = r#"10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in http-in/<NOSRV> -1/-1/-1/-1/+50 503 0 - - SC-- 0/0/0/0/0 0/0 "GET / HTTP/1.1""#;
    let entry = read(&Format::Haproxy, nobody);
    assert_eq!((entry.duration, entry.backend, entry.status), (None, None, Some(503)));
}

#[test]
fn aws_lines_are_read() {
    // the example in Amazon's documentation of the access log
    let alb = r#"http 2018-07-02T22:23:00.186641Z app/my-loadbalancer/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.46.0" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "Root=1-58337262-36d228ad5d99923122bbe354" "-" "-" 0 2018-07-02T22:22:48.364000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-""#;
    let entry = read(&Format::Alb, alb);
    assert_eq!(
        (entry.client.as_deref(), entry.backend.as_deref()),
        (Some("192.168.131.39"), Some("10.0.0.1:80"))
    );
    assert_eq!(
        (entry.pool.as_deref(), entry.duration, entry.status),
        (Some("my-targets"), millis(1), Some(200))
    );
    assert_eq!(entry.unix_nanos, 1_530_570_180_185_641_000);
    // nobody could be reached
    let refused = r#"https 2018-07-02T22:23:00.186641Z app/x/1 192.168.131.39:2817 - -1 -1 -1 503 - 0 337 "GET https://a/ HTTP/1.1" "curl/7.46.0" - - - "-" "-" "-" 0 2018-07-02T22:22:48Z "waf" "-" "-""#;
    let entry = read(&Format::Alb, refused);
    assert_eq!((entry.backend, entry.duration, entry.status), (None, None, Some(503)));
    let classic = r#"2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -"#;
    assert_eq!(read(&Format::Alb, classic).duration, Some(Duration::from_micros(1048)));
}

#[test]
fn each_format_is_found_and_none_takes_anothers_lines() {
    let lines = [
        (
            Format::Clf,
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/8.5.0""#,
        ),
        (
            Format::Json,
            r#"{"time":"2026-11-21T10:00:00.000Z","client":"192.0.2.9","status":200}"#,
        ),
        (
            Format::Haproxy,
            r#"10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1""#,
        ),
        (
            Format::Alb,
            r#"2015-05-13T23:39:43.945958Z lb 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET / HTTP/1.1""#,
        ),
    ];
    for (format, line) in lines {
        assert_eq!(Format::detect(["", "noise", line].into_iter()), Some(format.clone()));
        for other in Format::ALL.into_iter().filter(|other| *other != format) {
            assert!(other.read(line).is_err(), "{other:?} reads {line}");
        }
    }
    assert_eq!(Format::detect(["noise"].into_iter()), None);
}

fn line(second: u32, took: &str) -> String {
    format!("203.0.113.7 - - [21/Nov/2026:10:00:{second:02} +0000] \"GET /a HTTP/1.1\" 200 612 \"-\" \"c\" {took}\n")
}

#[test]
fn bad_lines_are_counted_and_the_first_ones_named() {
    let long = "x".repeat(70_000);
    let mut text = format!("{}\n# a comment\nnoise\n{}{long}\n", line(0, "0.100"), line(1, "0.100"));
    text.push_str(&"noise\n".repeat(10));
    text.push_str(line(2, "0.100").trim_end());
    let mut log = Log::new(Cursor::new(text), None).unwrap();
    assert!(log.was_detected() && *log.format() == Format::Clf);
    assert_eq!(log.by_ref().count(), 3, "also the last line, which has no line break");
    assert_eq!((log.good(), log.bad()), (3, 12));
    let numbers: Vec<u64> = log.first_bad().iter().map(|bad| bad.line).collect();
    assert_eq!(numbers, [4, 6, 7, 8, 9]);
    assert_eq!(log.first_bad()[1].why, "longer than 64 KiB");
}

#[test]
fn what_is_no_log_is_refused_with_the_reason() {
    let error = |bytes: &[u8]| {
        Log::new(Cursor::new(bytes.to_vec()), None)
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error(b""), "is empty");
    assert_eq!(error(b"\n\n"), "is empty");
    assert!(error(b"\x1f\x8b\x08").starts_with("is compressed"));
    assert!(error(b"hello\nworld\n").contains("it begins with \"hello\""));
    assert!(error(&[0xff; 1000]).contains("no format"));
}

#[test]
fn names_beyond_the_bound_are_not_told_apart() {
    let lines: String = (0..1100)
        .map(|n| format!("{{\"ts\":{n}.5,\"status\":200,\"backend\":\"b{n}\"}}\n"))
        .collect();
    let mut log = Log::new(Cursor::new(lines), Some(Format::Json)).unwrap();
    let named = log.by_ref().filter(|record| record.backend.is_some()).count();
    assert_eq!((named, log.backends().len()), (1000, 1000));
}

#[test]
fn a_replay_comes_in_order_at_the_speed_that_was_asked_for() {
    // the second one began first: 10:00:05 - 3 s, the others at 4 s and 9 s
    let text = [line(4, "0.000"), line(5, "3.000"), line(9, "0.000")]
        .concat()
        .replace(" +0000", ".000 +0000");
    let options = ReplayOptions {
        speedup: 2.0,
        ..ReplayOptions::default()
    };
    let log = Log::new(Cursor::new(text), None).unwrap();
    let requests: Vec<_> = Replay::new(log, options).collect();
    let millis: Vec<u128> = requests.iter().map(|r| r.at.since(Time::ZERO).as_millis()).collect();
    assert_eq!(millis, [0, 1000, 3500]);
    assert_eq!(requests[0].work, Duration::from_secs(3));
}

#[test]
fn times_to_the_second_are_spread_over_their_second() {
    let text: String = (0..10)
        .flat_map(|second| (0..100).map(move |_| line(second, "-")))
        .collect();
    let log = Log::new(Cursor::new(text), None).unwrap();
    let requests: Vec<_> = Replay::new(log, ReplayOptions::default()).collect();
    assert_eq!(requests.len(), 1000);
    assert!(requests.iter().map(|r| r.at).is_sorted());
    let mut distinct: Vec<_> = requests.iter().map(|r| r.at).collect();
    distinct.dedup();
    assert!(distinct.len() > 990);
}

#[test]
fn a_log_comes_no_more_than_a_million_times_as_fast_and_without_work_as_it_came() {
    let survey = |took: &str| Survey::of(Log::new(Cursor::new(line(0, took) + &line(50, took)), None).unwrap());
    let mean = Duration::from_millis(20);
    // 20 ms in 50 s; 70 % of one backend is 35 s
    let some = survey("0.010");
    assert!((some.speedup(some.work(mean), 1.0) - 1750.0).abs() < 1e-6);
    assert_eq!(Survey::pace(0.02, 1750.0), "They come 1,750 times as fast as they did.");
    let (most, least) = (some.speedup(1e-9, 1e6), some.speedup(1e9, 1e-9));
    assert_eq!((most, least), (1e6, 1e-6));
    assert_eq!(
        Survey::pace(1e-9, most),
        "They come 1,000,000 times as fast as they did, and faster is not simulated."
    );
    assert_eq!(
        Survey::pace(1e9, least),
        "They come 0.000001 times as fast as they did."
    );
    let none = survey("0.000");
    let work = none.work(mean);
    assert_eq!((work, none.speedup(work, 4.0)), (0.0, 1.0));
    assert!(Survey::pace(work, 1.0).starts_with("All durations are 0"));
}

proptest::proptest! {
    #[test]
    fn any_line_is_read_or_refused(text: String, format in 0..4_usize) {
        let _ = Format::ALL[format].read(&text);
    }

    #[test]
    fn any_bytes_give_as_many_records_as_good_lines(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..500), format in 0..4_usize) {
        if let Ok(mut log) = Log::new(Cursor::new(bytes), Some(Format::ALL[format].clone())) {
            let records = log.by_ref().count() as u64;
            proptest::prop_assert_eq!(records, log.good());
        }
    }
}

//! Lines of programs and people who never heard of lbd.
use super::*;
use std::io::Cursor;

const COMBINED: &str = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/8.5.0""#;

fn micros(entry: &Entry<'_>) -> Option<u128> {
    entry.duration.map(|took| took.as_micros())
}

/// All of a log: its records and what is said of it.
fn all(text: &str, format: Option<Format>) -> (Vec<Record>, String) {
    let mut log = Log::new(Cursor::new(text.to_owned()), format).unwrap_or_else(|error| panic!("{error}: {text}"));
    let records = log.by_ref().collect();
    (records, log.reading().join(" "))
}

/// What stands between `--format '` and the next quote.
fn suggested(said: &str) -> Option<&str> {
    said.split_once("--format '")?.1.split('\'').next()
}

#[test]
fn more_than_two_unnamed_times_are_asked_for() {
    for behind in [
        " 0.050 0.001 0.049",
        " 0.050 0.001 0.030 0.049",
        r#" "-" 0.050 0.001 0.030 0.049"#,
        r#" "0.050" "0.001" "0.049""#,
        " 0.050 - -",
        " [0.050] [0.001] [0.049]",
        " 0.050 0.001 0.001, 0.049",
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(entry.duration, None, "{line}");
        assert!(entry.unclear.is_some(), "{line}");
    }
    // the one without a backend says as little as the others
    let text =
        format!("{COMBINED} 0.050 0.001 0.049\n{COMBINED} 0.002\n").repeat(3) + COMBINED + " 0.050 0.001 0.049\n";
    let (records, said) = all(&text, None);
    assert_eq!(records.len(), 7);
    assert!(records.iter().all(|record| record.duration.is_none()), "{said}");
    assert!(said.contains("Durations: none."), "{said}");
    let format = suggested(&said).unwrap();
    assert_eq!(
        format,
        "combined $request_time $upstream_connect_time $upstream_response_time"
    );
    let (records, said) = all(&text.replace(" 0.002\n", " 0.002 - -\n"), Some(format.parse().unwrap()));
    assert_eq!(records.len(), 7, "{said}");
    let took = |place: usize| records[place].duration.unwrap().as_millis();
    assert_eq!((took(0), took(1)), (49, 2));
}

#[test]
fn what_a_message_suggests_reads_the_line_that_it_is_said_of() {
    let vhost = format!("www.example.com:80 {COMBINED}");
    for (line, took) in [
        (format!("{COMBINED} 52000"), 52_000),
        (format!("{vhost} 52000"), 52_000),
        (format!("{COMBINED} 52000 balancer://app http://10.0.0.1:80"), 52_000),
        (format!("{COMBINED} rt=52000"), 52_000),
        (format!("{COMBINED} D=52000 x=\"y z\""), 52_000),
        (format!("{COMBINED} took_all=52ms"), 52_000),
        (format!("{COMBINED} uct=0.001 mine=\"0.052\""), 52_000),
        (format!("{COMBINED} length=612 52000 ms=7"), 52_000),
        (format!("{COMBINED} \"-\" \"3.25\""), 3_250_000),
        (format!("{COMBINED} \"-\" 0.050 0.000 0.026 0.049"), 49_000),
        (format!("{vhost} 0.050 0.001 0.049 TLSv1.3 -"), 49_000),
        (
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 52000"#.to_owned(),
            52_000,
        ),
    ] {
        let (_, said) = all(&line, None);
        let format: Format = suggested(&said)
            .unwrap_or_else(|| panic!("{line}: {said}"))
            .parse()
            .unwrap();
        let entry = format
            .read(&line)
            .unwrap_or_else(|why| panic!("{format}: {why}: {line}"));
        assert_eq!(micros(&entry), Some(took), "{format}: {line}");
        assert_eq!(entry.client.as_deref(), Some("203.0.113.7"), "{format}: {line}");
    }
}

#[test]
fn named_durations_are_read_as_people_write_them_or_asked_for() {
    for (behind, took) in [
        (" rt=0.091, uct=0.001, urt=0.090, us=10.0.0.1:80", 90_000),
        (" rt=0.091; uct=0.001; urt=0.090", 90_000),
        (" rt:0.091 urt:0.090", 90_000),
        (" rt:0.091, urt:0.090", 90_000),
        (" rt: 0.091 uct: 0.001 urt: 0.090", 90_000),
        (" rt=91ms", 91_000),
        (" request_time=0.050s", 50_000),
        (" [rt=0.091]", 91_000),
        (" time_us=91396", 91_396),
        (" duration_ms=91", 91_000),
        (" latency=91.5ms", 91_500),
        (r#" urt="0.001, 0.090" rt=0.100"#, 90_000),
        (" urt=0.001, 0.090 rt=0.100", 90_000),
        (" 0.100 0.001, 0.017 : 0.090", 90_000),
        (" : 0.100 : 0.090 :", 90_000),
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(micros(&entry), Some(took), "{line}");
        assert!(entry.source.is_some(), "{line}");
    }
    for (behind, example) in [
        (" D=91396", "91396"),
        (" rt=91", "91"),
        (" T=3", "3"),
        (" latency=0.05", "0.05"),
        (" duration:91", "91"),
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!((micros(&entry), entry.unclear), (None, Some(example)), "{line}");
    }
}

#[test]
fn what_clients_write_is_no_backend_and_no_time() {
    for (behind, took) in [
        (r#" "-" "192.0.2.250:8080" 0.050"#, Some(50_000)),
        (r#" "-" "192.0.2.250:8080" rt=0.050"#, Some(50_000)),
        (r#" rt=0.050 ua="1.2.3.4:80""#, Some(50_000)),
        (r#" rt=0.050 host="1.2.3.4:80" addr=1.2.3.4:80"#, Some(50_000)),
        (r#" "1.2.3.4:80" rt=0.050"#, Some(50_000)),
        (r#" "-" "unix:/run/x.sock""#, None),
        (r#" "1.2.3.4:80, 5.6.7.8:90" "[::1]:80""#, None),
        (r#" "7.777" "8.888" 0.050 0.040"#, Some(40_000)),
    ] {
        let line = format!("{COMBINED}{behind}");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(entry.backend, None, "{line}");
        assert_eq!(micros(&entry), took, "{line}");
    }
    for behind in [
        r#" rt=0.050 upstream="10.0.0.1:80, 10.0.0.2:80""#,
        " rt=0.050 upstream_addr=10.0.0.2:80",
        r#" "1.2.3.4:80" 0.050 0.040 10.0.0.2:80"#,
        " upstream_addr:10.0.0.2:80 rt:0.05",
        r#" "-" "h:80" sn="h" rt=0.050 ua="10.0.0.2:80" us="200" ut="0.049" ul="612" cs=-"#,
    ] {
        let line = format!("{COMBINED}{behind}");
        assert_eq!(
            Format::Clf.read(&line).unwrap().backend.as_deref(),
            Some("10.0.0.2:80"),
            "{line}"
        );
    }
    // two of them, of which one may be a Host that a client made up
    let line = format!("{COMBINED} 1.2.3.4:80 0.050 10.0.0.2:80");
    assert_eq!(Format::Clf.read(&line).unwrap().backend, None);
}

#[test]
fn json_that_tells_of_no_request_is_left_out_and_counted() {
    let access = r#"{"level":"info","ts":1795255200.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.7","method":"GET","headers":{"Status":["x"]}},"duration":0.25,"status":200}"#;
    let others = [
        r#"{"level":"info","ts":1795255200.5,"logger":"http","msg":"enabling automatic TLS","domains":["a"]}"#,
        r#"{"level":"error","ts":1795255200.5,"logger":"http.log.error","msg":"dial tcp","request":{"method":"GET"},"duration":0.001,"status":502}"#,
        r#"{"level":"debug","ts":1795255200.5,"logger":"http.handlers.reverse_proxy","msg":"upstream roundtrip","duration":0.2,"request":{"method":"GET"},"status":200}"#,
        r#"{"level":"info","ts":1795255200.5,"logger":"admin.api","msg":"received request","method":"POST","uri":"/load"}"#,
        r#"{"time":1,"x":2}"#,
        r#"{"level":"info","msg":"Configuration loaded","time":"2026-11-21T10:00:00Z"}"#,
        r#"{"ts":1.5,"status":"ok","check":{"status":200},"duration":0.1}"#,
    ];
    for line in others {
        assert!(Format::Json.read(line).is_err(), "{line}");
    }
    let (records, said) = all(&format!("{access}\n{}\n", others.join("\n")).repeat(2), None);
    assert_eq!(records.len(), 2);
    assert!(
        said.contains("14 lines could not be read") && said.contains("no request"),
        "{said}"
    );
    for line in [
        r#"{"ts":1.5,"status":200}"#,
        r#"{"ts":1.5,"status":"200"}"#,
        r#"{"ts":1.5,"method":"GET"}"#,
        r#"{"ts":1.5,"request":"GET / HTTP/1.1"}"#,
        r#"{"time":"2026-11-21T10:00:00.000Z","client":"192.0.2.9","end":"tunnel_done","total_us":7}"#,
    ] {
        assert!(Format::Json.read(line).is_ok(), "{line}");
    }
    // a duration with its unit, wherever it stands
    let google = r#"{"httpRequest":{"requestMethod":"GET","status":503,"remoteIp":"203.0.113.7","latency":"0.05s"},"timestamp":"2026-11-21T10:00:00.5Z"}"#;
    let entry = Format::Json.read(google).unwrap();
    assert_eq!((micros(&entry), entry.status), (Some(50_000), Some(503)));
    assert_eq!(entry.client.as_deref(), Some("203.0.113.7"));
    let nested =
        r#"{"ts":1795255200.5,"status":200,"timing":{"latency":"0.05s"},"request":{"headers":{"duration_ms":"7"}}}"#;
    assert_eq!(micros(&Format::Json.read(nested).unwrap()), Some(50_000));
}

#[test]
fn a_directive_is_taken_as_it_was_cut_out_of_the_configuration() {
    let line = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "c" 52000"#;
    for text in [
        r#"LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D" timed"#,
        r#"  logformat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D"  "#,
        r#""%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D" timed"#,
        r#""%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D""#,
        r#"CustomLog "|/bin/rotatelogs /var/log/%Y.log" "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %D" env=!x"#,
        "LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b \\\"%{Referer}i\\\" \\\n\\\"%{User-Agent}i\\\" %D\" timed",
        "combined %D",
        "combined\n%D",
    ] {
        let format: Format = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let entry = format.read(line).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(micros(&entry), Some(52_000), "{text}");
    }
    let line = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "c" rt=0.052"#;
    for text in [
        "log_format main '$remote_addr - $remote_user [$time_local] \"$request\" '\n    '$status $body_bytes_sent \"$http_referer\" '\n    '\"$http_user_agent\" rt=$request_time';",
        "log_format  main  escape=default '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" rt=$request_time';",
        "'$remote_addr - $remote_user [$time_local] ' '\"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" rt=$request_time'",
        "log_format main \"$remote_addr - $remote_user [$time_local] \\\"$request\\\" $status $body_bytes_sent \" \"\\\"$http_referer\\\" \\\"$http_user_agent\\\" rt=$request_time\";",
    ] {
        let format: Format = text.parse().unwrap_or_else(|error| panic!("{error}"));
        let entry = format.read(line).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(micros(&entry), Some(52_000), "{text}");
    }
    // fields in quotes are no pieces
    let quoted: Format = r#""$remote_addr" "$time_local" "$status" "$request_time""#.parse().unwrap();
    let entry = quoted
        .read(r#""203.0.113.7" "21/Nov/2026:10:00:00 +0000" "200" "0.052""#)
        .unwrap();
    assert_eq!(micros(&entry), Some(52_000));
    let json: Format = r#"log_format j escape=json '{"t":"$time_iso8601","st":$status,"took":$request_time}';"#
        .parse()
        .unwrap();
    let entry = json
        .read(r#"{"t":"2026-11-21T10:00:00+00:00","st":200,"took":0.052}"#)
        .unwrap();
    assert_eq!(micros(&entry), Some(52_000));
    for (text, why) in [
        ("log-format \"%ci:%cp [%tr] %ft %b/%s\"", "of HAProxy"),
        ("[%START_TIME%] %RESPONSE_CODE%", "of Envoy"),
        ("LogFormat %", "ends with a %"),
        ("log_format main $", "without a name"),
    ] {
        let error = text.parse::<Format>().unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn traefiks_and_haproxys_own_text_formats_are_known() {
    let line = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl" 7 "web@file" "http://10.0.0.1:80" 91ms"#;
    let entry = Format::Clf.read(line).unwrap();
    assert_eq!(
        (micros(&entry), entry.unix_nanos),
        (Some(91_000), 1_795_255_200_000_000_000)
    );
    assert_eq!(
        (entry.backend.as_deref(), entry.pool.as_deref()),
        (Some("10.0.0.1:80"), Some("web@file"))
    );
    assert!(entry.source.unwrap().contains("Traefik"));
    let none = line.replace("\"web@file\" \"http://10.0.0.1:80\"", "\"-\" \"-\"");
    let entry = Format::Clf.read(&none).unwrap();
    assert_eq!((micros(&entry), entry.backend, entry.pool), (Some(91_000), None, None));
    for flags in ["----", "\"----\""] {
        let line = format!(
            r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 612 "" "" 40000 123 "fe" "be" "srv1" 3 4 1 32 +91 {flags} 1 1 0 0 0 0 0 "" "" "" """#
        );
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(
            (micros(&entry), entry.unix_nanos),
            (Some(84_000), 1_795_255_200_000_000_000)
        );
        assert_eq!(
            (entry.backend.as_deref(), entry.pool.as_deref()),
            (Some("srv1"), Some("be"))
        );
        assert!(entry.source.unwrap().contains("HAProxy"));
    }
    let refused = r#"203.0.113.7 - - [21/Nov/2026:10:00:00 +0000] "<BADREQ>" 400 0 "" "" 40000 123 "fe" "fe" "<NOSRV>" -1 -1 -1 -1 32 PR-- 1 1 0 0 0 0 0 "" """#;
    let entry = Format::Clf.read(refused).unwrap();
    assert_eq!((micros(&entry), entry.backend, entry.unclear), (None, None, None));
}

#[test]
fn an_unknown_log_is_told_what_is_read() {
    let error = Log::new(Cursor::new("hello\n"), None).unwrap_err().to_string();
    for program in ["Apache", "nginx", "Caddy", "Traefik", "Envoy", "HAProxy", "ALB", "lbd"] {
        assert!(error.contains(program), "{program}: {error}");
    }
    for format in Format::ALL {
        assert!(error.contains(format.programs()), "{error}");
    }
}

#[test]
fn the_last_element_of_the_chain_in_our_own_line_is_read() {
    for (chain, client) in [
        ("198.51.100.9", Some("198.51.100.9")),
        ("6.6.6.6, 198.51.100.9", Some("198.51.100.9")),
        ("6.6.6.6,2001:db8::7", Some("2001:db8::7")),
        ("6.6.6.6, [2001:db8::7]:4711", Some("2001:db8::7")),
        ("198.51.100.9:4711", Some("198.51.100.9")),
        ("unknown", None),
        ("-", None),
        ("", None),
    ] {
        let line = format!("{COMBINED} \"{chain}\" rt=0.050000 pool=app backend=web1 why=scheduled");
        let entry = Format::Clf.read(&line).unwrap();
        assert_eq!(entry.forwarded.as_deref(), client, "{line}");
        assert_eq!(entry.client.as_deref(), Some("203.0.113.7"));
        // somebody else's third field may be anything
        let line = format!("{COMBINED} \"{chain}\" rt=0.050");
        assert_eq!(Format::Clf.read(&line).unwrap().forwarded, None);
    }
}

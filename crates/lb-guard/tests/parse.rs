//! Texts of lists: what is read, and what is said of the rest.
#![allow(clippy::unwrap_used)] // helpers of tests

use lb_guard::{Access, BadLine, Cidr, List, ListError, ListLimits, Reason, Source, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn read(text: &str) -> Result<Vec<String>, ListError> {
    let ranges = parse(text.as_bytes(), &ListLimits::default())?;
    Ok(ranges.iter().map(Cidr::to_string).collect())
}

fn bad(text: &str) -> Vec<BadLine> {
    match read(text).unwrap_err() {
        ListError::Lines(bad) => bad.lines,
        other => panic!("{other}"),
    }
}

#[test]
fn s_mtls_11_a_file_has_one_entry_a_line_with_remarks() {
    let text = "\u{feff}# office\r\n10.0.0.0/8\r\n\r\n  192.0.2.1 # a host\n\t2001:db8::/32;SBL1\n;\n; x\n::1";
    assert_eq!(
        read(text).unwrap(),
        ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32", "::1/128"]
    );
    assert_eq!(read("").unwrap(), [""; 0]);
    assert_eq!(read("\r\n \n").unwrap(), [""; 0]);
}

#[test]
fn files_of_others_are_read_as_they_are() {
    // the first lines of Spamhaus' DROP list, and an ACL file of HAProxy
    let drop = "; Spamhaus DROP List\n; Last-Modified: Thu, 1 Jan 1970 00:00:00 GMT\n1.10.16.0/20 ; SBL256894\n";
    assert_eq!(read(drop).unwrap(), ["1.10.16.0/20"]);
    assert_eq!(
        read("# internal\n127.0.0.1\n10.0.0.0/8\n").unwrap(),
        ["127.0.0.1/32", "10.0.0.0/8"]
    );
}

#[test]
fn a_range_is_split_into_the_prefixes_it_takes() {
    for (text, want) in [
        ("192.0.2.0-192.0.2.255", &["192.0.2.0/24"][..]),
        ("192.0.2.7 - 192.0.2.7", &["192.0.2.7/32"]),
        (
            "192.0.2.1-192.0.2.10",
            &[
                "192.0.2.1/32",
                "192.0.2.2/31",
                "192.0.2.4/30",
                "192.0.2.8/31",
                "192.0.2.10/32",
            ],
        ),
        ("0.0.0.0-255.255.255.255", &["0.0.0.0/0"]),
        ("255.255.255.254-255.255.255.255", &["255.255.255.254/31"]),
        ("::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", &["::/0"]),
        ("2001:db8::1-2001:db8::2", &["2001:db8::1/128", "2001:db8::2/128"]),
        ("::ffff:10.0.0.0-10.0.0.1", &["10.0.0.0/31"]),
    ] {
        assert_eq!(read(text).unwrap(), want, "{text}");
    }
    // the widest there are: all but the first and the last address
    assert_eq!(read("0.0.0.1-255.255.255.254").unwrap().len(), 62);
    let wide = read("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").unwrap();
    assert_eq!(wide.len(), 254);
}

#[test]
fn a_bad_line_says_what_to_write() {
    for (text, want) in [
        ("10.1.0.0/8", "the address has bits beyond its prefix; use 10.0.0.0/8"),
        (
            "2001:db8::1/64",
            "the address has bits beyond its prefix; use 2001:db8::/64",
        ),
        ("10.0.0.0/255.0.0.0", "a netmask; use 10.0.0.0/8"),
        ("10.1.0.0/255.0.0.0", "a netmask; use 10.0.0.0/8"),
        (
            "10.0.0.0/0.255.0.0",
            "the prefix length after the slash is not a number",
        ),
        ("10.0.0.0/", "the prefix length after the slash is not a number"),
        ("10.0.0.0/33", "prefix length 33 is longer than the address (32 bits)"),
        (
            "192.0.2.9-192.0.2.1",
            "the range ends before it begins; use 192.0.2.1-192.0.2.9",
        ),
        (
            "192.0.2.9-::1",
            "the range begins and ends in different address families",
        ),
        (
            "192.0.2.1-5",
            "not an IPv4 or IPv6 address; names are not looked up here",
        ),
        (
            "example.net",
            "not an IPv4 or IPv6 address; names are not looked up here",
        ),
        ("my-host", "not an IPv4 or IPv6 address; names are not looked up here"),
        ("010.0.0.1", "not an IPv4 or IPv6 address; names are not looked up here"),
        (
            "fe80::1%eth0",
            "not an IPv4 or IPv6 address; names are not looked up here",
        ),
        ("all", "use 0.0.0.0/0 and ::/0 for all addresses"),
        (
            "allow 10.0.0.0/8;",
            "write the address alone; which list it is in is said where the file is named",
        ),
        (
            "deny all;",
            "write the address alone; which list it is in is said where the file is named",
        ),
        (
            "10.0.0.1 10.0.0.2",
            "more than one entry; write one a line, and a remark after #",
        ),
    ] {
        let lines = bad(&format!("# list\n10.0.0.1\n{text}\r\n"));
        assert_eq!(lines.len(), 1, "{text}");
        assert_eq!((lines[0].number, lines[0].text.as_str()), (3, text));
        assert_eq!(lines[0].reason.to_string(), want, "{text}");
    }
}

#[test]
fn all_bad_lines_are_told_at_once_up_to_a_limit() {
    let mut limits = ListLimits::default();
    let error = parse(b"x\n10.0.0.1\n10.1.0.0/8\ny\n", &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 `x`: not an IPv4 or IPv6 address; names are not looked up here; \
         line 3 `10.1.0.0/8`: the address has bits beyond its prefix; use 10.0.0.0/8; \
         line 4 `y`: not an IPv4 or IPv6 address; names are not looked up here"
    );
    limits.bad_lines = 1;
    let error = parse(b"x\n10.0.0.1\n10.1.0.0/8\ny\n", &limits).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 `x`: not an IPv4 or IPv6 address; names are not looked up here; and 2 more"
    );
    limits.bad_lines = 0;
    assert_eq!(parse(b"x\ny", &limits).unwrap_err().to_string(), "2 bad lines");
}

#[test]
fn each_limit_holds_from_both_sides() {
    let mut limits = ListLimits::default();
    limits.entries = 5;
    assert_eq!(parse(b"::1\n::1-::4\n\n", &limits).unwrap().len(), 4);
    assert_eq!(parse(b"::1\n::2\n::1-::4", &limits).unwrap().len(), 5);
    assert_eq!(
        parse(b"::1\n::2\n::3\n::1-::4\nx", &limits),
        Err(ListError::Entries { line: 4, limit: 5 })
    );

    limits = ListLimits::default();
    limits.line_bytes = 9;
    assert!(parse(b"127.0.0.1\n127.0.0.1", &limits).is_ok());
    let error = parse(b"127.0.0.1\n127.0.0.1 ", &limits).unwrap_err();
    assert_eq!(error.to_string(), "line 2 `127.0.0.1`: the line has more than 9 bytes");

    limits = ListLimits::default();
    limits.file_bytes = 9;
    assert!(parse(b"127.0.0.1", &limits).is_ok());
    assert_eq!(
        parse(b"127.0.0.1\n", &limits),
        Err(ListError::FileBytes { bytes: 10, limit: 9 })
    );
}

#[test]
fn hostile_bytes_are_shown_short_and_escaped() {
    let lines = bad(&format!("\u{1b}[2J\u{7f}\u{e4}\n{}\n", "9".repeat(70)));
    assert_eq!(lines[0].text, "\\x1b[2J\\x7f\\xc3\\xa4");
    assert_eq!(lines[1].text, format!("{}..", "9".repeat(60)));
    assert_eq!(lines[1].reason, Reason::Address);
    assert_eq!(
        parse(b"\xff\xfe1\0", &ListLimits::default()).unwrap_err().to_string(),
        "the list is UTF-16; save it as UTF-8 or ASCII"
    );
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<[u8; 4]>().prop_map(|a| IpAddr::from(a).to_string().into_bytes()),
        (any::<u32>(), 0..=32_u8).prop_map(|(bits, prefix)| {
            let range = Cidr::new(Ipv4Addr::from_bits(bits).into(), prefix).unwrap();
            format!(" {range} # {bits}").into_bytes()
        }),
        (any::<u128>(), 0..=128_u8).prop_map(|(bits, prefix)| {
            let range = Cidr::new(Ipv6Addr::from_bits(bits).into(), prefix).unwrap();
            format!("{range}\r").into_bytes()
        }),
        (any::<u32>(), any::<u32>()).prop_map(|(a, b)| {
            let (a, b) = (Ipv4Addr::from_bits(a.min(b)), Ipv4Addr::from_bits(a.max(b)));
            format!("{a}-{b}").into_bytes()
        }),
        "[0-9a-f:./; #-]{0,20}".prop_map(String::into_bytes),
        vec(any::<u8>().prop_filter("a line", |byte| *byte != b'\n'), 0..12),
    ]
}

proptest! {
    #[test]
    fn a_list_cut_between_lines_gives_the_same_ranges_and_errors(lines in vec(line(), 0..12), cut in 0..12_usize) {
        let mut limits = ListLimits::default();
        limits.bad_lines = 100;
        // no mark of a byte order, which counts only at the beginning
        let whole = [b"#\n".to_vec(), lines.join(&b'\n')].concat();
        let cut = cut.min(lines.len());
        let parts = [&lines[..cut], &lines[cut..]].map(|part| [b"#\n".to_vec(), part.join(&b'\n')].concat());
        let [one, two] = parts.map(|part| parse(&part, &limits));
        let told = |result: &Result<Vec<Cidr>, ListError>| match result {
            Ok(_) => Vec::new(),
            Err(ListError::Lines(bad)) => bad.lines.iter().map(|line| (line.text.clone(), line.reason)).collect(),
            Err(other) => panic!("{other}"),
        };
        let all = parse(&whole, &limits);
        prop_assert_eq!(told(&all), [told(&one), told(&two)].concat());
        if let Ok(ranges) = all {
            prop_assert_eq!(ranges, [one.unwrap(), two.unwrap()].concat());
        }
    }

    #[test]
    fn what_is_read_is_read_again_from_its_text(lines in vec(line(), 0..12)) {
        if let Ok(ranges) = parse(&lines.join(&b'\n'), &ListLimits::default()) {
            let text: Vec<String> = ranges.iter().map(Cidr::to_string).collect();
            prop_assert_eq!(parse(text.join("\r\n").as_bytes(), &ListLimits::default()), Ok(ranges));
        }
    }

    #[test]
    fn a_range_holds_its_addresses_and_no_neighbour(a: u32, b: u32, near in 0..400_u32) {
        for (low, high) in [(a.min(b), a.max(b)), (a, a.saturating_add(near))] {
            let text = format!("{}-{}", Ipv4Addr::from_bits(low), Ipv4Addr::from_bits(high));
            let ranges = parse(text.as_bytes(), &ListLimits::default()).unwrap();
            prop_assert!(ranges.len() <= 62);
            let size = |range: &Cidr| 1_u64 << (32 - range.prefix());
            prop_assert_eq!(ranges.iter().map(size).sum::<u64>(), u64::from(high - low) + 1);
            let mut builder = Access::builder();
            builder.add(List::Allow, Source(0), ranges).unwrap();
            let access = builder.build().unwrap().access;
            let held = |bits| access.check(Ipv4Addr::from_bits(bits).into()).allowed;
            prop_assert!(held(low) && held(high) && held(low / 2 + high / 2 + (low & high & 1)));
            prop_assert!(low == 0 || !held(low - 1));
            prop_assert!(high == u32::MAX || !held(high + 1));
        }
    }

    #[test]
    fn any_bytes_are_read_or_told_in_one_printable_line(bytes in vec(any::<u8>(), 0..300)) {
        if let Err(error) = parse(&bytes, &ListLimits::default()) {
            let text = error.to_string();
            prop_assert!(text.bytes().all(|byte| (b' '..0x7f).contains(&byte)), "{}", text);
        }
    }
}

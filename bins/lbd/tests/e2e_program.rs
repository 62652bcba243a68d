//! The program as it is typed: commands, exit codes, what is printed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use support::{Backend, Config, Folder, Lbd, address, get_all};

#[test]
fn two_addresses_are_enough_to_balance_and_the_same_is_printed_as_a_file() {
    let backends = ["light", "heavy"].map(Backend::saying);
    let listener = address();
    let arguments = [
        "run",
        "--listen",
        &listener.to_string(),
        "--to",
        &backends[0].address().to_string(),
        "--to",
        &format!("{}*3", backends[1].address()),
    ];
    let lbd = Lbd::start_with(&arguments, &[listener]);
    let shares = [("heavy", 9), ("light", 3)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(get_all(listener, 12), shares.into());
    let printed = lbd.stdout();
    lbd.stop();

    // The printed file does the same.
    let folder = Folder::new();
    let path = folder.write("lbd.toml", &printed).display().to_string();
    let (code, said, errors) = run(&["check", "--config", &path]);
    assert_eq!(code, Some(0), "{said}{errors}\n{printed}");
    let lbd = Lbd::start_with(&["run", "--config", &path], &[listener]);
    assert_eq!(
        get_all(listener, 12),
        [("heavy", 9), ("light", 3)]
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
    lbd.stop();
}

#[test]
fn a_file_in_another_encoding_is_named_and_the_command_given_for_it_mends_it() {
    let text = format!("# caf\u{e9}\n{}", Config::http(address(), &[address()]).text());
    let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
    let marked = format!("\u{feff}{text}");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let folder = Folder::new();
    for (name, bytes, what) in [
        (
            "le.toml",
            utf16(&marked, u16::to_le_bytes),
            "the file is UTF-16, not UTF-8",
        ),
        (
            "big one's.toml",
            utf16(&marked, u16::to_be_bytes),
            "the file is UTF-16, not UTF-8",
        ),
        (
            "bare",
            utf16(&text, u16::to_le_bytes),
            "looks like UTF-16LE without a mark",
        ),
        (
            "bare.be",
            utf16(&text, u16::to_be_bytes),
            "looks like UTF-16BE without a mark",
        ),
        ("old.toml", latin, "not UTF-8: byte 0xe9 in line 1"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let (code, said, errors) = run(&["check", &path.display().to_string()]);
        assert_eq!(code, Some(3), "{said}{errors}");
        let all = format!("{said}{errors}");
        assert!(all.contains(what), "{name}: {all}");
        let Some(_) = support::peer("iconv") else { continue };
        let command = all.split('`').nth(1).unwrap();
        let mended = command.rsplit_once("> ").unwrap().1;
        let output = support::run(Command::new("sh").args(["-c", command]));
        assert!(output.success, "{command}: {}", output.errors);
        let check = format!("{} check {mended}", env!("CARGO_BIN_EXE_lbd"));
        let output = support::run(Command::new("sh").args(["-c", &check]));
        assert!(output.success, "{check}: {}{}", output.text, output.errors);
    }
    // The mark alone is no fault: Notepad's "UTF-8 with BOM".
    let path = folder.write("marked.toml", &marked).display().to_string();
    let (code, said, errors) = run(&["check", &path]);
    assert_eq!(code, Some(0), "{said}{errors}");
}

#[test]
fn exit_codes_are_the_documented_ones() {
    let folder = Folder::new();
    let (listener, backend) = (address(), address());
    let good = Config::http(listener, &[backend]).text();
    let file = |name: &str, text: &str| folder.write(name, text).display().to_string();
    let good_file = file("good.toml", &good);
    let bad_file = file(
        "bad.toml",
        &good
            .replace("address = ", "adress = ")
            .replace("version = 1", "version = 1\nworkerz = 2"),
    );
    let absent = folder.path().join("absent.toml").display().to_string();

    assert_eq!(run(&["version"]).0, Some(0));
    assert_eq!(run(&["check", "--config", &good_file]).0, Some(0));
    assert_eq!(run(&["check", &good_file]).0, Some(0));
    for usage in [
        &["run"][..],
        &["fly"],
        &["check"],
        &[],
        &["run", "--listen", "127.0.0.1:1"],
    ] {
        let (code, said, errors) = run(usage);
        assert_eq!(code, Some(2), "{usage:?}: {said}{errors}");
    }
    for wrong in [
        &["check", "--config", &bad_file][..],
        &["check", &bad_file],
        &["run", &bad_file],
        &["run", "--config", &bad_file],
        &["check", "--config", &absent],
    ] {
        let (code, said, errors) = run(wrong);
        assert_eq!(code, Some(3), "{wrong:?}: {said}{errors}");
    }
    let (_, _, errors) = run(&["check", "--config", &bad_file]);
    for word in ["adress", "address", "workerz", "workers", "bad.toml"] {
        assert!(errors.contains(word), "{word} is not mentioned:\n{errors}");
    }
    // Somebody else listens there.
    let _stranger = TcpListener::bind(listener).unwrap();
    let (code, said, errors) = run(&["run", "--config", &good_file]);
    assert_eq!(code, Some(1), "{said}{errors}");
    assert!(errors.contains(&listener.to_string()), "{errors}");
}

#[test]
fn version_and_help_say_what_there_is() {
    let (_, said, _) = run(&["version"]);
    assert_eq!(said.trim(), concat!("lbd ", env!("CARGO_PKG_VERSION")));
    let (code, said, _) = run(&["--help"]);
    assert_eq!(code, Some(0));
    for word in ["lbd demo", "lbd run --listen", "lbd check lbd.toml", "Exit codes"] {
        assert!(said.contains(word), "{word} is not in the help:\n{said}");
    }
}

#[test]
fn lines_of_the_program_begin_with_the_time_when_it_is_wanted() {
    let backend = Backend::saying("hello");
    let listener = address();
    let config = |wanted: bool| {
        Config::http(listener, &[backend.address()])
            .top(&format!("log = {{ event_time = {wanted} }}"))
            .text()
    };
    let lbd = Lbd::start(&config(true));
    let said = lbd.stderr();
    let is_timed = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap_or_default();
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        shape == "0000-00-00T00:00:00.000Z" && rest.starts_with("lbd: ")
    };
    assert!(said.lines().any(|line| line.contains("listening on")), "{said}");
    assert!(said.lines().all(is_timed), "{said}");
    lbd.reload(&config(false));
    let last = lbd.stderr();
    assert!(
        last.lines().last().unwrap().starts_with("lbd: configuration "),
        "{last}"
    );
    lbd.stop();
}

/// Runs lbd to its end: code, standard output, standard error.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_lbd"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

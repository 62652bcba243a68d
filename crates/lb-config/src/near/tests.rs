use super::foreign::ForeignValue;
use super::*;
use crate::schema::Value;
use crate::{Nowhere, parse, resolve};
use std::collections::BTreeSet;
use toml::{Table, Value as Toml};

#[test]
fn slips_of_the_finger_are_understood_and_other_words_are_not() {
    let known = ["address", "name", "pool", "routes", "keep_alive"];
    let near = |word| nearest(word, known.iter().copied());
    assert_eq!(near("adress"), Some("address"));
    assert_eq!(near("addres"), Some("address"));
    assert_eq!(near("Keep-Alive"), Some("keep_alive"));
    assert_eq!(near("route"), Some("routes"));
    assert_eq!(near("poool"), Some("pool"));
    assert_eq!(near("colour"), None);
    assert_eq!(near("x"), None);
    assert_eq!(near(&"a".repeat(100_000)), None);
}

fn section(path: &str) -> &'static Section {
    SECTIONS.iter().find(|section| section.path == path).unwrap()
}

#[test]
fn every_foreign_key_is_no_key_of_ours_and_stands_once() {
    let mut seen = BTreeSet::new();
    for foreign in KEYS {
        assert!(!foreign.why.is_empty() && !foreign.why.ends_with('.'), "{foreign:?}");
        for path in foreign.at {
            for word in foreign.words() {
                assert_eq!(word, plain(word), "{foreign:?}");
                assert!(section(path).key(word).is_none(), "{word} is a key of `{path}`");
                assert!(seen.insert((*path, word)), "{word} twice in `{path}`");
            }
        }
    }
    for (other, ours) in SYNONYMS {
        assert_eq!(*other, plain(other));
        assert!(
            SECTIONS.iter().any(|section| section.key(ours).is_some()),
            "{other}: {ours}"
        );
        // somewhere the synonym is the mend
        let reached = SECTIONS.iter().any(|section| {
            section.key(other).is_none()
                && foreign_key(other, section).is_none()
                && synonym(other, section) == Some(ours)
        });
        assert!(reached, "{other}, {ours}: another row hides it everywhere");
    }
}

#[test]
fn every_foreign_value_is_no_value_of_ours_and_its_mend_is_one() {
    let mut seen = BTreeSet::new();
    for value in VALUES {
        let ForeignValue {
            of: (path, key),
            ours,
            why,
            ..
        } = value;
        let allowed = match section(path).key(key).unwrap().value {
            Value::Word(words) | Value::WordOrTable(words) => words,
            other => panic!("{other:?}"),
        };
        for word in value.words() {
            assert!(!allowed.contains(&word), "{value:?}");
            assert!(seen.insert((*path, *key, word)), "{word} twice");
            assert_eq!(word, plain(word), "{value:?}");
        }
        assert!(ours.is_empty() || allowed.contains(ours), "{value:?}");
        assert!(!(ours.is_empty() && why.is_empty()), "{value:?}");
    }
}

/// A file whose only oddity is `written`, in the table at `path`.
fn file(path: &str, written: &Table) -> String {
    let mut root: Table = "version = 1
[[listeners]]
name = \"web\"
address = \"127.0.0.1:8080\"
pool = \"app\"
[[pools]]
name = \"app\"
backends = [\"10.0.0.1:80\"]
"
    .parse()
    .unwrap();
    let mut steps: Vec<&str> = path.split('.').filter(|step| !step.is_empty()).collect();
    let mut table = &mut root;
    if path == "listeners.routes" {
        table["listeners"][0]
            .as_table_mut()
            .unwrap()
            .insert("routes".into(), Toml::Array(vec![Toml::Table(Table::new())]));
        table = table["listeners"][0]["routes"][0].as_table_mut().unwrap();
        steps.clear();
    }
    for step in steps {
        let needs = match path {
            "pools.backends" if step == "backends" => Some(Toml::Array(vec![Toml::Table(Table::new())])),
            _ => None,
        };
        if let Some(value) = needs {
            table.insert(step.into(), value);
        }
        let inner = table.entry(step).or_insert_with(|| Toml::Table(Table::new()));
        table = match inner {
            Toml::Array(list) => list[0].as_table_mut().unwrap(),
            inner => inner.as_table_mut().unwrap(),
        };
    }
    match path {
        "listeners.routes" => {
            table.insert("path".into(), "/x".into());
            if !written.contains_key("respond") {
                table.insert("pool".into(), "app".into());
            }
        }
        "pools.backends" => {
            table.insert("address".into(), "10.0.0.1:80".into());
        }
        "pools.persistence" => {
            table.insert("kind".into(), "client_ip".into());
        }
        "pools.health" => {
            table.insert("kind".into(), "http".into());
        }
        _ => {}
    }
    table.extend(written.clone());
    toml::to_string(&root).unwrap()
}

#[test]
fn every_mend_of_a_foreign_key_can_be_written_where_the_key_stood() {
    for foreign in KEYS.iter().filter(|foreign| !foreign.write.is_empty()) {
        if let Some(header) = foreign.write.strip_prefix('[') {
            let path = header.trim_matches(['[', ']']);
            assert!(SECTIONS.iter().any(|section| section.path == path), "{foreign:?}");
            continue;
        }
        let written: Table = format!("a = {{ {} }}", foreign.write).parse::<Table>().unwrap()["a"]
            .as_table()
            .unwrap()
            .clone();
        for path in foreign.at {
            let text = file(path, &written);
            if let Err(problems) = resolve(&parse("lbd.toml", &text), &Nowhere) {
                panic!("`{path}`: {}\n{text}\n{problems}", foreign.write);
            }
        }
    }
}

#[test]
fn every_foreign_word_gets_its_mend_in_the_report_of_a_file() {
    for foreign in KEYS {
        for (path, word) in foreign
            .at
            .iter()
            .flat_map(|path| foreign.words().map(move |word| (path, word)))
        {
            let mut written = Table::new();
            written.insert(word.into(), true.into());
            let problems = resolve(&parse("lbd.toml", &file(path, &written)), &Nowhere).unwrap_err();
            let problem = problems
                .iter()
                .find(|problem| problem.message.contains(&format!("`{word}`")))
                .unwrap();
            assert_eq!(problem.kind, Kind::UnknownKey, "{problems}");
            assert!(problem.help[0].ends_with(foreign.why), "{problems}");
        }
    }
}

#[test]
fn words_that_people_bring_along_get_the_right_mend() {
    let help = |path: &str, key: &str| unknown_key(key, 0..0, section(path)).help.join("\n");
    for (path, key, start) in [
        ("", "upstream", "write [[pools]]"),
        ("", "upstreams", "write [[pools]]"),
        ("", "backend", "write [[pools]]"),
        ("", "frontend", "write [[listeners]]"),
        ("", "server", "write [[listeners]]"),
        ("", "pool", "did you mean `pools`?"),
        ("", "listener", "did you mean `listeners`?"),
        ("listeners", "certificates", "write [listeners.tls]"),
        ("listeners", "port", "write address = "),
        ("listeners", "upstream", "did you mean `pool`?"),
        ("listeners", "adress", "did you mean `address`?"),
        ("pools", "servers", "did you mean `backends`?"),
        ("pools", "balance", "did you mean `algorithm`?"),
        ("pools", "sticky", "did you mean `persistence`?"),
        ("pools.backends", "port", "write address = "),
        ("pools.backends", "maxconn", "did you mean `max_connections`?"),
        ("pools.health", "inter", "did you mean `interval`?"),
        ("pools.health", "uri", "did you mean `path`?"),
        ("timeouts", "server", "did you mean `response`?"),
        ("timeouts", "http-request", "did you mean `head`?"),
    ] {
        assert!(help(path, key).starts_with(start), "{path} {key}: {}", help(path, key));
    }
    let word = |(path, key), word: &str| {
        let Some(Value::Word(words) | Value::WordOrTable(words)) = section(path).key(key).map(|key| key.value) else {
            panic!("{path} {key}");
        };
        unknown_word(path, key, word, 0..0, words).help.join("\n")
    };
    for (of, other, help) in [
        (
            ("pools.persistence", "kind"),
            "cookie",
            "did you mean \"cookie_insert\"?",
        ),
        (("pools.persistence", "kind"), "ip_hash", "did you mean \"client_ip\"?"),
        (("pools.persistence", "kind"), "source", "did you mean \"client_ip\"?"),
        (("pools.hash", "kind"), "ip_hash", "did you mean \"source\"?"),
        (("pools", "algorithm"), "leastconn", "did you mean \"least_conn\"?"),
        (
            ("pools.health", "kind"),
            "https",
            "did you mean \"http\"? Write `tls` as well: without it probes speak TLS when the pool does",
        ),
        (("listeners", "protocol"), "udp", "there is no UDP yet"),
    ] {
        assert_eq!(word(of, other), help);
    }
}

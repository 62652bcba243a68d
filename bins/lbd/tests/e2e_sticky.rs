//! Stickiness as a browser and as an address see it: nginx as the backends, curl as the clients.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use support::{Config, Folder, Lbd, Nginx, address, curl, peer};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[test]
fn a_cookie_jar_leads_a_thousand_requests_to_one_backend() {
    let (Some(nginx), Some(curl)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let nginx = Nginx::start(&nginx, &NAMES);
    let listener = address();
    let config = Config::http(listener, nginx.addresses()).pool("persistence = { kind = \"cookie_insert\" }");
    let lbd = Lbd::start(&config.text());
    let folder = Folder::new();
    let mut chosen = BTreeSet::new();
    for client in 0..NAMES.len() {
        let jar = folder.path().join(format!("jar-{client}")).display().to_string();
        // Four processes, four connections: only the jar links them.
        let mut answers = Vec::new();
        for part in 0..4 {
            let url = format!("http://{listener}/{part}/[1-250]");
            answers.extend(lines(&curl, &["--cookie", &jar, "--cookie-jar", &jar, &url]));
        }
        assert_eq!(answers.len(), 1_000);
        let distinct: BTreeSet<_> = answers.into_iter().collect();
        assert_eq!(distinct.len(), 1, "client {client} was led to {distinct:?}");
        chosen.extend(distinct);
    }
    // New clients are balanced: four of them in turn, four backends of equal weight.
    assert_eq!(chosen.len(), NAMES.len(), "{chosen:?}");
    lbd.stop();
}

#[test]
fn the_cookie_names_no_address_and_a_forged_one_is_not_followed() {
    let (Some(nginx), Some(curl)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let nginx = Nginx::start(&nginx, &NAMES);
    let listener = address();
    let config =
        Config::http(listener, nginx.addresses()).pool("persistence = { kind = \"cookie_insert\", name = \"SRV\" }");
    let lbd = Lbd::start(&config.text());
    let url = format!("http://{listener}/");
    let head = lines(&curl, &["--include", &url]).join("\n");
    let cookie = head
        .lines()
        .find_map(|line| {
            line.strip_prefix("Set-Cookie: SRV=")
                .or(line.strip_prefix("set-cookie: SRV="))
        })
        .unwrap();
    let value = cookie.split(';').next().unwrap();
    for address in nginx.addresses() {
        assert!(!value.contains(&address.port().to_string()), "{value}");
    }
    // A token with one character changed is no token: the client is balanced and gets a new cookie.
    let last = value.chars().last().unwrap();
    let forged = format!("{}{}", &value[..value.len() - 1], if last == 'A' { 'B' } else { 'A' });
    let answers: BTreeSet<String> = (0..4)
        .flat_map(|_| lines(&curl, &["--cookie", &format!("SRV={forged}"), &url]))
        .collect();
    assert_eq!(answers.len(), NAMES.len(), "a forged cookie was followed: {answers:?}");
    lbd.stop();
}

#[test]
fn clients_of_one_24_network_share_a_backend_and_networks_are_balanced() {
    let (Some(nginx), Some(curl)) = (peer("nginx"), peer("curl")) else {
        return;
    };
    let nginx = Nginx::start(&nginx, &NAMES);
    let listener = address();
    let config =
        Config::http(listener, nginx.addresses()).pool("persistence = { kind = \"client_ip\", netmask_v4 = 24 }");
    let lbd = Lbd::start(&config.text());
    let url = format!("http://{listener}/[1-5]");
    let mut chosen = Vec::new();
    for network in 0..8 {
        let mut answers = BTreeSet::new();
        for host in [1, 2, 77, 200, 254] {
            let source = format!("127.0.{network}.{host}");
            answers.extend(lines(&curl, &["--interface", &source, &url]));
        }
        assert_eq!(answers.len(), 1, "network 127.0.{network}.0/24 was led to {answers:?}");
        chosen.extend(answers);
    }
    // Eight new clients over four backends of equal weight: two each.
    chosen.sort();
    assert_eq!(chosen, ["a", "a", "b", "b", "c", "c", "d", "d"]);
    lbd.stop();
}

fn lines(program: &Path, arguments: &[&str]) -> Vec<String> {
    let output = curl(program, arguments);
    assert!(output.success, "curl: {}", output.errors);
    output.text.lines().map(|line| line.trim_end().to_owned()).collect()
}

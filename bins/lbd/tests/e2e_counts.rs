//! The counts of listeners, pools and backends in `lbd status --json`, against its totals.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use support::{Backend, Client, Config, Folder, Lbd, address, until};

fn status(socket: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lbd"));
    let output = command.args(["status", "--json", "--socket"]).arg(socket).output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

/// The sum of one number of the `counts` of all of these.
fn sum(all: &Value, key: &str) -> u64 {
    let each = all.as_array().unwrap().iter();
    each.map(|one| one["counts"][key].as_u64().unwrap()).sum()
}

#[test]
fn the_counts_of_listeners_and_pools_make_the_totals_and_outlive_a_reload() {
    for workers in [1, 2] {
        let (web, raw, folder) = (address(), address(), Folder::new());
        let socket = folder.path().join("admin.sock");
        let (good, other) = (Backend::saying("good"), Backend::saying("other"));
        let dead = address();
        let config = |retries: u32| {
            Config::http(web, &[dead, good.address()])
                .names(&["dead", "good"])
                .top(&format!("workers = {workers}"))
                .pool(&format!("retries = {{ attempts = {retries} }}"))
                .rest(&format!(
                    "[[listeners]]\nname = \"raw\"\naddress = \"{raw}\"\nprotocol = \"tcp\"\npool = \"raw\"\n\
                     [[pools]]\nname = \"raw\"\nbackends = [{{ name = \"other\", address = \"{}\" }}]\n\
                     [admin]\nsocket = \"{}\"\n",
                    other.address(),
                    socket.display()
                ))
                .text()
        };
        let lbd = Lbd::start(&config(2));
        for _ in 0..3 {
            let mut client = Client::connect(web);
            assert_eq!(client.get("/").text(), "good");
            assert_eq!(client.exchange("GET / HTTP/1.1\r\n\r\n").status(), 400);
        }
        let mut tunnel = Client::connect(raw);
        assert_eq!(tunnel.get("/").text(), "other");
        drop(tunnel);
        let quiet = || {
            let status = status(&socket);
            (status["totals"]["active"] == 0).then_some(status)
        };
        let before = until("all are gone", quiet);
        lbd.reload(&config(1));
        assert_eq!(Client::connect(web).get("/").text(), "good");
        let after = until("all are gone", quiet);

        let of_clients = ["connections", "requests", "client_bytes_in", "client_bytes_out"];
        let of_backends = [
            "upstream_bytes_in",
            "upstream_bytes_out",
            "upstream_connects",
            "retries",
        ];
        for (parts, keys) in [("listeners", of_clients), ("pools", of_backends)] {
            for key in keys {
                let counted = sum(&after[parts], key);
                assert_eq!(after["totals"][key], counted, "{key}: {after:#}");
                assert!(counted >= sum(&before[parts], key), "{key}: {before:#}");
            }
        }
        let (listeners, pools) = (&after["listeners"], &after["pools"]);
        assert_eq!(listeners[0]["counts"]["ends"], json!({ "done": 4, "bad_request": 3 }));
        assert_eq!(listeners[1]["counts"]["ends"], json!({ "tunnel_done": 1 }));
        assert_eq!(
            after["totals"]["ends"],
            json!({ "done": 4, "bad_request": 3, "tunnel_done": 1 })
        );
        assert_eq!(pools[0]["counts"]["ends"], json!({ "done": 4 }));
        assert_eq!(pools[1]["counts"]["ends"], json!({ "tunnel_done": 1 }));
        let [dead, good] = [0, 1].map(|slot| &pools[0]["backends"][slot]["counts"]);
        assert_eq!((&good["requests"], &good["responses"]["2xx"]), (&json!(4), &json!(4)));
        assert_eq!(dead["requests"], pools[0]["counts"]["retries"]);
        assert_eq!(dead["failures"], json!({ "connect_refused": dead["requests"] }));
        assert_eq!(pools[1]["backends"][0]["counts"]["requests"], 1);
        lbd.stop();
    }
}

//! wrk on one side, nginx on the other, lbd between: no error and no answer but 2xx.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

mod support;

use std::process::Command;
use support::{Config, Lbd, Nginx, address, peer, raise_descriptor_limit, run};

#[test]
fn wrk_sees_no_error_with_64_and_with_1000_connections() {
    let (Some(nginx), Some(wrk)) = (peer("nginx"), peer("wrk")) else {
        return;
    };
    raise_descriptor_limit();
    let nginx = Nginx::start(&nginx, &["a", "b"]);
    let listener = address();
    let lbd = Lbd::start(&Config::http(listener, nginx.addresses()).text());
    for connections in [64, 1_000] {
        let mut command = Command::new(&wrk);
        // A busy machine answers late; late is not wrong.
        command.args([
            "--threads",
            "2",
            "--duration",
            "15s",
            "--timeout",
            "15s",
            "--connections",
        ]);
        let output = run(command.arg(connections.to_string()).arg(format!("http://{listener}/")));
        println!("{connections} connections:\n{}", output.text);
        assert!(output.success, "wrk: {}", output.errors);
        for complaint in ["Socket errors", "Non-2xx"] {
            assert!(
                !output.text.contains(complaint),
                "{connections} connections:\n{}",
                output.text
            );
        }
        let rate = output
            .text
            .lines()
            .find_map(|line| line.strip_prefix("Requests/sec:"))
            .expect("a rate");
        assert!(rate.trim().parse::<f64>().unwrap() > 0.0, "{}", output.text);
    }
    lbd.stop();
}

//! `lbd cert scan` as it is typed, against `openssl s_server` and scripted servers.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

#[path = "cert/made.rs"]
#[allow(dead_code, reason = "shared with the other tests of certificates")]
mod made;
#[path = "cert_scan/openssl.rs"]
mod openssl;
#[path = "cert_scan/report.rs"]
mod report;
#[path = "cert/run.rs"]
#[allow(dead_code, reason = "shared with the other tests of certificates")]
mod run;
#[path = "cert_scan/script.rs"]
mod script;
#[path = "cert_scan/starttls.rs"]
mod starttls;
mod support;
#[path = "cert_scan/trouble.rs"]
mod trouble;

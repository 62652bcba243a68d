//! `lbd cert` as it is typed: what each sub-command prints, its exit codes, and the files it leaves.
//!
//! Certificates and keys are made when the tests run, so expected outputs write `<sha256>` where a fingerprint stands.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests are tests")]

#[path = "cert/bench.rs"]
mod bench;
#[path = "cert/bundle.rs"]
mod bundle;
#[path = "cert/commands.rs"]
mod commands;
#[path = "cert/convert.rs"]
mod convert;
#[path = "cert/damage.rs"]
mod damage;
#[path = "cert/doctor.rs"]
mod doctor;
#[path = "cert/folder.rs"]
mod folder;
#[path = "cert/inspect.rs"]
mod inspect;
#[path = "cert/keys.rs"]
mod keys;
#[path = "cert/locked.rs"]
mod locked;
#[path = "cert/made.rs"]
mod made;
#[path = "cert/matching.rs"]
mod matching;
#[path = "cert/openssl.rs"]
mod openssl;
#[path = "cert/run.rs"]
mod run;
#[path = "cert/streams.rs"]
mod streams;
#[path = "cert/usage.rs"]
mod usage;
#[path = "cert/verify.rs"]
mod verify;
#[path = "cert/written.rs"]
mod written;

//! What the end-to-end tests share: the program, its peers, scripted clients and backends, and waiting for conditions.
//!
//! Each test file takes what it needs, so unused parts are no warning here.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "shared by several test programs"
)]

mod authority;
mod backend;
mod client;
mod config;
mod files;
mod load;
mod message;
mod netns;
mod pattern;
mod peers;
mod ports;
mod program;
mod records;
mod secure;
mod wait;

pub(crate) use authority::{Authority, Leaf};
pub(crate) use backend::{Backend, Conn};
pub(crate) use client::Client;
pub(crate) use config::{ALGORITHMS, Config};
pub(crate) use files::Folder;
pub(crate) use load::{Load, get_all};
pub(crate) use message::{Broken, Head, Message, Reader, answer, chunked};
pub(crate) use netns::Namespace;
pub(crate) use pattern::Pattern;
pub(crate) use peers::{Nginx, Output, Running, curl, peer, run};
pub(crate) use ports::{address, is_listening, is_read, raise_descriptor_limit};
pub(crate) use program::{Lbd, State};
pub(crate) use records::Records;
pub(crate) use secure::{Secure, Wanted, secure_backend, server_config};
pub(crate) use wait::{PATIENCE, elapsed, now, until, until_still};

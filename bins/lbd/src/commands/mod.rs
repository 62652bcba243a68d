//! One file per sub-command.

pub(crate) mod admin;
pub(crate) mod advise;
pub(crate) mod cert;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod explain;
pub(crate) mod run;
pub(crate) mod simulate;
pub(crate) mod tls;

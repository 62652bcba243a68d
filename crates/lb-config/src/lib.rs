//! lbd configuration: TOML text to checked plan to running snapshot, every problem at once with its place.
mod build;
mod changes;
mod environment;
mod field;
mod grammar;
mod near;
mod one_liner;
mod plan;
mod probe;
mod problem;
mod reader;
mod resolve;
pub mod schema;
mod secret;
mod syntax;
mod write;

pub use build::build;
pub use changes::Changes;
pub use environment::{Environment, Nowhere, System};
pub use grammar::StatusRange;
pub use plan::*;
pub use probe::probe;
pub use problem::{Kind, Problem, Problems, Severity, Span};
pub use resolve::{Resolved, load, resolve};
pub use secret::Secret;
pub use syntax::{Raw, parse};

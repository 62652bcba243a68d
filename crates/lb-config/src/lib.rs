//! lbd configuration: TOML text to checked plan to running snapshot, every problem at once with its place.

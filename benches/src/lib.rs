//! Benchmarks of lbd; see README.md.

//! Persistence tables shared by threads.

//! Sockets for a thread-per-core proxy: listeners, connections in progress, the one clock.

//! Load-balancing algorithms as plain functions over a table: no I/O, no clock, no randomness inside.

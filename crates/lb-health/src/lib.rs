//! Decides whether a backend is up: rise and fall, slow start, passive reports; no socket and no clock.

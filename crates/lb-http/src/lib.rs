//! What an HTTP message means: a strict HTTP/1.1 codec for proxies, forwarding rules, upgrades; no I/O.

//! What comes before the first request: PROXY protocol headers, TLS hellos, and which protocol a client speaks.

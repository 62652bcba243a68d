//! rustls configurations for a load balancer: identities by name, client certificates, shared tickets, verifiers that explain themselves.

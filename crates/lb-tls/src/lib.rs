//! rustls configurations for a load balancer: identities by name, client certificates, shared tickets, verifiers that
//! explain themselves.
//!
//! For programs that serve TLS for many names, or speak it with many backends, and want the file that somebody gave them
//! to work or to be told what is wrong with it. It makes `Arc<rustls::ServerConfig>` and `Arc<rustls::ClientConfig>`; it
//! opens no file or connection, reads no clock and drives no handshake: that is for whoever drives rustls.
//!
//! ```
//! # #[cfg(feature = "aws-lc-rs")] {
//! use lb_tls::{Engine, File, LoadOptions, ServerOptions, SiteOptions, Sites};
//! use std::sync::Arc;
//!
//! # let key = rcgen::KeyPair::generate()?;
//! # let made = rcgen::CertificateParams::new(["*.example.org".to_owned()])?.self_signed(&key)?;
//! # let heap = format!("{}{}", key.serialize_pem(), made.pem());
//! let engine = Engine::aws_lc(Arc::new(rustls::time_provider::DefaultTimeProvider));
//!
//! // Certificates, issuers and keys, in any order and any number of files.
//! let file = File { label: "site.pem", bytes: heap.as_bytes(), password: None };
//! let loaded = lb_tls::load([file], &LoadOptions::default(), &engine)?;
//! for note in &loaded.notes {
//!     eprintln!("{}: {note}; {}", note.severity().as_str(), note.mend());
//! }
//!
//! // A listener with one site; more by name in `sites`.
//! let mut options = ServerOptions::new("web", SiteOptions::new("default", loaded.identities));
//! options.strict_sni = true;
//! let sites = Sites::build(options, &engine)?;
//!
//! // The server name that the hello asks for, whoever looked into it.
//! let site = sites.find(Some("www.example.org"))?;
//! let mut connection = rustls::ServerConnection::new(Arc::clone(site.config()))?;
//!
//! // .. the handshake; then, before anything goes to a backend:
//! # let handshake = rustls::HandshakeKind::Full;
//! let verdict = site.judge(connection.peer_certificates(), handshake);
//! assert_eq!(verdict.word(), "none");
//!
//! // Nobody is called so: the driver sends the alert that rustls would not.
//! assert!(sites.find(Some("unknown.example")).is_err());
//! assert_eq!(lb_tls::UnknownName::ALERT[6], 112);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What to call
//!
//! | to | call |
//! | --- | --- |
//! | make identities of files | [`load`] |
//! | make a listener, choose its site by name, answer 421 | [`Sites::build`], [`Sites::find`], [`Sites::answers`] |
//! | ask for client certificates | [`ClientAuth::new`], then [`Site::judge`] after each handshake, [`Site::explain`] after a failed one |
//! | share tickets between processes | [`tickets`]: `TicketSecret`, in [`ServerOptions`] |
//! | speak TLS with a backend | [`UpstreamTls::build`], [`upstream::UpstreamRefusal::of`] after a failed handshake |
//! | say why a handshake failed | [`HandshakeFault::of`] |
//! | list what is offered and what is refused | [`suites`] |
//!
//! # What rustls does not do, and this does
//!
//! - It does not verify client certificates again when a session is resumed. Tickets are bound to the rule about clients
//!   (authorities, lists, policy), so that a change of it makes all of them worthless in every process; and
//!   [`Site::judge`] verifies what was resumed, so that an expired certificate does not live on.
//! - It does not know names that are nobody's: without a certificate it says `access_denied`. [`UnknownName::ALERT`].
//! - It calls keys that it cannot check "bad signature", and a certificate that is its own root "CA used as end entity".
//!   Refusals here have the true reason and the mend.
//!
//! Of a client's groups for key agreement rustls takes the first that is known, so the client decides whether a
//! post-quantum one is used. 0-RTT, certificate compression and renegotiation are left out.
//!
//! # Limits
//!
//! Files: those of lb-cert. Names: 253 bytes, wildcards for one label. A ticket holds at most 8 KiB, lives at most 7 days
//! (12 hours by default), and at most 8 are sent after a handshake. 20,480 sessions of a listener are kept for clients
//! without tickets. A client's path has at most 6 intermediate certificates, and what its verification may cost is
//! lb-cert's `Budget`. Names of authorities are sent to clients while they fit 16,000 bytes. Each is an error or a stated
//! answer, never a panic.
//!
//! # Features
//!
//! - `aws-lc-rs` (default): the cryptography (`Engine::aws_lc`), and tickets. Without it, [`Engine::new`] takes another
//!   provider, and sessions are kept in the cache.
//! - `pkcs12`, `pkcs7`, `encrypted-keys`: what is read besides PEM and DER, as in lb-cert.
//! - `native-roots`: the roots of the operating system, for backends.

pub mod client_auth;
mod engine;
mod expiry;
mod fault;
pub mod identity;
mod names;
pub mod server;
pub mod suites;
pub mod tickets;
pub mod upstream;

pub use client_auth::{ClientAuth, ClientVerdict};
pub use engine::{Engine, EngineError, SetClock, Version, Versions};
pub use expiry::Expiry;
pub use fault::{HandshakeFault, alert_name};
pub use identity::{File, Identities, Identity, KeyKind, LoadError, LoadOptions, Loaded, Note, load};
pub use lb_cert::bundle::UnreadableCertificate;
pub use lb_cert::{self, CrlError, Crypto, Finding, Password, Place, Profile, ReadError, Roots, Severity};
pub use lb_types::Wall;
pub use names::NameError;
pub use rustls::time_provider::TimeProvider;
pub use server::{BuildError, ServerOptions, Site, SiteNote, SiteOptions, Sites, UnknownName};
pub use upstream::{UpstreamOptions, UpstreamTls};

//! Probes over TLS against a server of our own.

#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_health::Cause;
use lb_net::{Handshake, Stream};
use lb_probe::{HttpOptions, Kind, Probe, ProbeOptions};
use lb_tls::client_auth::Authorities;
use lb_tls::upstream::Trust;
use lb_tls::{
    Engine, File, LoadOptions, ServerOptions, SetClock, Site, SiteOptions, Sites, UpstreamOptions, UpstreamTls,
    Version, Versions,
};
use lb_types::Wall;
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const NAME: &str = "backend.example";

/// 2026-11-21 00:00:00 UTC, the last second of the certificate.
const NOW: u64 = 1_795_219_200;

/// A certificate that is its own root, and its key.
fn made() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([NAME.to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::ExplicitNoCa;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2026, 11, 21);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn file(text: &str) -> File<'_> {
    File {
        label: "made.pem",
        bytes: text.as_bytes(),
        password: None,
    }
}

/// Answers one request on each connection, and says of each whether its session was resumed.
async fn server(site: Arc<Site>) -> (SocketAddr, tokio::sync::mpsc::UnboundedReceiver<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let carrier: Stream = listener.accept().await.unwrap().0.into();
            let mut handshake = Handshake::server(carrier, Arc::clone(site.config()), Some(NAME), &[]).unwrap();
            let mut stream = poll_fn(|cx| handshake.poll(cx)).await.unwrap();
            tell.send(stream.tls().unwrap().facts().resumed).unwrap();
            let mut request = Vec::new();
            // the probe may go away before it asks
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { break };
                request.push(byte);
            }
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .await;
            let _ = stream.shutdown().await;
        }
    });
    (address, told)
}

#[tokio::test]
async fn a_session_that_is_resumed_is_verified_by_the_clock_of_now() {
    for version in [Version::Tls12, Version::Tls13] {
        let clock = SetClock::at(Wall::from_secs(NOW));
        let engine = Engine::aws_lc(clock.clone());
        let (certificate, key) = made();
        let both = format!("{certificate}{key}");
        let loaded = lb_tls::load([file(&both)], &LoadOptions::default(), &engine).unwrap();
        let mut site = SiteOptions::new("backend", loaded.identities);
        site.versions = Versions::new(version, version).unwrap();
        let sites = Sites::build(ServerOptions::new("backend", site), &engine).unwrap();
        let (address, mut resumed) = server(Arc::clone(sites.default_site())).await;

        let roots = Authorities::read([file(&certificate)], &engine).unwrap();
        let options = UpstreamOptions::new(NAME, Trust::Authorities(Arc::new(roots)));
        let tls = Arc::new(UpstreamTls::build(options, &engine).unwrap());
        let options = ProbeOptions {
            kind: Kind::Http(HttpOptions::default()),
            timeout: Duration::from_secs(60),
            ..ProbeOptions::default()
        };
        let probe = Probe::new(address, options).unwrap().with_tls(Some(tls));
        for (seconds, is_resumed, found) in [
            (NOW, false, Ok(())),
            (NOW, true, Ok(())),
            (NOW + 1, true, Err(Cause::Handshake("expired"))),
            // What was refused is not taken up again: the backend may have a new certificate.
            (NOW, false, Ok(())),
            (NOW, true, Ok(())),
        ] {
            clock.set(Wall::from_secs(seconds));
            assert_eq!(probe.run().await, found, "{version:?} {seconds}");
            assert_eq!(resumed.recv().await, Some(is_resumed), "{version:?} {seconds}");
        }
    }
}

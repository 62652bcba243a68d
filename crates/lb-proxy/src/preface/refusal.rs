use super::HeaderFacts;
use crate::core::Core;
use crate::options::Service;
use crate::view::{ListenerHandle, ListenerView};
use lb_net::Stream;
use lb_preface::{Alert, fatal_record};
use lb_telemetry::{Access, End, TlsAccess};
use lb_tls::client_auth::{ClientReason, ClientRefusal};
use lb_types::Now;
use std::net::SocketAddr;

/// Why a client does not come in, and what it is told.
#[derive(Debug)]
pub(super) struct Refusal {
    end: End,
    detail: &'static str,
    /// Instead of `detail`, when that cannot say it all.
    told: String,
    io: Option<Stream>,
    /// In the clear.
    words: Words,
    status: u16,
}

#[derive(Debug)]
enum Words {
    None,
    Alert(Alert),
    Text(&'static [u8]),
}

impl Refusal {
    const fn new(end: End, detail: &'static str, io: Option<Stream>, words: Words) -> Self {
        Self {
            end,
            detail,
            told: String::new(),
            io,
            words,
            status: 0,
        }
    }

    /// Nobody would understand a word.
    pub(super) const fn silent(end: End, detail: &'static str) -> Self {
        Self::new(end, detail, None, Words::None)
    }

    pub(super) const fn alert(io: Stream, end: End, alert: Alert, detail: &'static str) -> Self {
        Self::new(end, detail, Some(io), Words::Alert(alert))
    }

    /// It speaks HTTP where TLS is spoken: it is told so in HTTP.
    pub(super) const fn plain_http(io: Stream) -> Self {
        let mut refusal = Self::new(End::PlainOnTls, "", Some(io), Words::Text(PLAIN_HTTP));
        refusal.status = 400;
        refusal
    }

    /// The handshake is over, where alerts are rustls's: it ends without a word, so that nobody takes that for an answer.
    pub(super) fn over_tls(io: Stream, end: End) -> Self {
        io.cut();
        Self::new(end, "", Some(io), Words::None)
    }

    /// The handshake has said what there was to say.
    pub(super) const fn after(io: Option<Stream>, end: End) -> Self {
        Self::new(end, "", io, Words::None)
    }

    pub(super) fn told(mut self, told: String) -> Self {
        self.told = told;
        self
    }

    /// Says it, as far as the socket takes it at once; the connection, if somebody is to linger.
    pub(super) fn say(self) -> Option<Stream> {
        let io = self.io?;
        // A new connection takes some bytes; if not, nobody reads.
        match self.words {
            Words::None => {}
            Words::Alert(alert) => drop(io.try_send(&fatal_record(alert))),
            Words::Text(text) => drop(io.try_send(text)),
        }
        io.close_write();
        io.drain();
        Some(io)
    }

    pub(super) fn record(
        &self,
        client: SocketAddr,
        (server_name, facts): (Option<&str>, Option<&HeaderFacts>),
        started: Now,
        listener: &ListenerHandle,
        view: &ListenerView,
        core: &Core,
    ) {
        listener.counters.ended(self.end);
        let is_logged = match &view.options().service {
            Service::Http(http) => http.access_log,
            Service::Tcp(tcp) => tcp.access_log,
            Service::Passthrough(passthrough) => passthrough.access_log,
        };
        // Who comes and goes without a word is a probe of the port.
        if !is_logged || self.end == End::ClientClosed {
            return;
        }
        let mut log = core.log.borrow_mut();
        let Some(log) = &mut *log else { return };
        let mut access = Access::new(client.ip().to_canonical(), started.wall);
        access.status = self.status;
        access.listener = &view.options().name;
        access.end = self.end;
        access.detail = if self.told.is_empty() { self.detail } else { &self.told };
        access.tls = server_name.map(|sni| TlsAccess {
            sni,
            ..TlsAccess::default()
        });
        access.header = facts.map(HeaderFacts::access);
        access.phases.total = core.now().mono.since(started.mono);
        log.write(&access);
    }
}

/// How a refused client certificate is counted.
pub(super) fn end_of(refusal: &ClientRefusal) -> End {
    match refusal.reason() {
        ClientReason::NoCertificate => End::ClientCertMissing,
        ClientReason::Expired => End::ClientCertExpired,
        ClientReason::NotYetValid => End::ClientCertNotYetValid,
        ClientReason::UnknownAuthority => End::ClientCertUntrusted,
        ClientReason::BadSignature | ClientReason::NoProof => End::ClientCertSignature,
        ClientReason::Revoked | ClientReason::CrlExpired | ClientReason::CrlMissing | ClientReason::CrlUnusable => {
            End::ClientCertRevoked
        }
        ClientReason::WrongPurpose => End::ClientCertPurpose,
        _ => End::ClientCertRefused,
    }
}

/// Browsers show it to a person who typed the port.
const PLAIN_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 82\r\nConnection: close\r\n\r\nThis port speaks HTTPS, and the request came as plain HTTP: use https:// for it.\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_plain_http_is_as_long_as_it_says() {
        let text = std::str::from_utf8(PLAIN_HTTP).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}

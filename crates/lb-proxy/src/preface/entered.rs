use super::HeaderFacts;
use crate::buffer::Buffer;
use crate::options::HttpsOptions;
use crate::view::ListenerView;
use base64ct::{Base64, Encoding};
use lb_guard::Pass;
use lb_net::{Stream, TlsFacts};
use lb_telemetry::TlsAccess;
use lb_tls::client_auth::ClientCertificate;
use lb_tls::{ClientVerdict, Site, Sites};
use rustls::pki_types::CertificateDer;
use std::borrow::Cow;
use std::cell::RefCell;
use std::hint::cold_path;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

/// A connection whose service begins.
#[derive(Debug)]
pub(crate) struct Entered {
    pub(crate) io: Stream,
    /// What was read already and belongs to the service.
    pub(crate) early: Buffer,
    pub(crate) client: SocketAddr,
    /// Where the client connected to, when a PROXY header says so.
    pub(crate) proxied_to: Option<SocketAddr>,
    /// What else the header says.
    pub(crate) header: Option<Rc<HeaderFacts>>,
    /// Its part of what its client may have, held until its end.
    pub(crate) pass: Option<Pass>,
    pub(crate) tls: Option<Rc<TlsPeer>>,
    /// Where a connection goes whose TLS is passed through: in the view that it was chosen from.
    pub(crate) pool: Option<(Rc<ListenerView>, usize)>,
}

impl Entered {
    /// One in front of which nothing came.
    pub(crate) fn plain(io: Stream, client: SocketAddr) -> Self {
        Self {
            io,
            early: Buffer::empty(),
            client,
            proxied_to: None,
            header: None,
            pass: None,
            tls: None,
            pool: None,
        }
    }
}

/// What is known of a client by its TLS.
#[derive(Debug)]
pub(crate) struct TlsPeer {
    pub(crate) facts: TlsFacts,
    /// The site that it belongs to; another of the same kind after a reload.
    site: RefCell<Arc<Site>>,
    pub(crate) verdict: ClientVerdict,
    fingerprint: String,
    /// [`VERIFY`]'s value.
    verify: Cow<'static, str>,
    /// Fields that tell backends who the client is.
    lines: Vec<(&'static str, String)>,
}

/// Fields in which backends are told of the client's certificate, by us alone, and what a CGI program takes for them, which
/// cannot tell `-` from `_`. Other spellings of `X-Forwarded-*` have gone before: lb-http drops them from everybody.
pub(crate) const CLIENT_LINES: [&str; 15] = [
    "Client-Cert",
    "Client_Cert",
    "Client-Cert-Chain",
    "Client-Cert_Chain",
    "Client_Cert-Chain",
    "Client_Cert_Chain",
    "X-Forwarded-Client-Cert",
    "X-SSL-Client-Verify",
    "X-SSL-Client_Verify",
    "X-SSL_Client-Verify",
    "X-SSL_Client_Verify",
    "X_SSL-Client-Verify",
    "X_SSL-Client_Verify",
    "X_SSL_Client-Verify",
    "X_SSL_Client_Verify",
];
/// RFC 9440, section 2.
const CERT: &str = "Client-Cert";
const CHAIN: &str = "Client-Cert-Chain";
/// As Envoy writes it.
const XFCC: &str = "X-Forwarded-Client-Cert";
/// With the words of nginx's `$ssl_client_verify`, which backends know.
pub(crate) const VERIFY: &str = "X-SSL-Client-Verify";

impl TlsPeer {
    pub(super) fn new(facts: TlsFacts, site: Arc<Site>, verdict: ClientVerdict) -> Self {
        let fingerprint = shown(&verdict)
            .map(|certificate| hex(&certificate.fingerprint))
            .unwrap_or_default();
        let verify = match &verdict {
            ClientVerdict::Ok(_) => "SUCCESS".into(),
            ClientVerdict::Failed { refusal, .. } => format!("FAILED:{}", refusal.reason().word()).into(),
            _ => "NONE".into(),
        };
        Self {
            facts,
            site: RefCell::new(site),
            verdict,
            fingerprint,
            verify,
            lines: Vec::new(),
        }
    }

    /// Makes the fields; `own`: the bytes of the certificate, which only a good one is told with. What the client sent beside
    /// it is no part of the path that was verified, and is not passed on.
    pub(super) fn write_lines(&mut self, own: Option<&CertificateDer<'_>>, https: HttpsOptions) {
        let (ClientVerdict::Ok(of), Some(own)) = (&self.verdict, own) else {
            return;
        };
        if https.client_cert {
            self.lines.push((CERT, byte_sequence(own)));
            if !of.chain.is_empty() {
                let chain: Vec<String> = of.chain.iter().map(|issuer| byte_sequence(issuer)).collect();
                self.lines.push((CHAIN, chain.join(", ")));
            }
        }
        if https.xfcc {
            let subject = of.subject.replace('\\', "\\\\").replace('"', "\\\"");
            self.lines
                .push((XFCC, format!("Hash={};Subject=\"{subject}\"", self.fingerprint)));
        }
    }

    /// Drops what nobody asks for any more, for as long as the connection lives.
    pub(super) fn forget_chain(&mut self) {
        if let ClientVerdict::Ok(of) = &mut self.verdict {
            of.chain = Vec::new();
        }
    }

    /// May requests for this host come over the connection? After a reload it may have to be verified anew, once.
    pub(crate) fn may_ask(&self, sites: &Sites, authority: &str, io: &Stream) -> bool {
        let mut site = self.site.borrow_mut();
        if sites.answers(&site, authority) {
            return true;
        }
        cold_path();
        let adopted = io.tls().and_then(|tls| {
            tls.with_peer_certificates(|shown| sites.adopt(&site, authority, &self.verdict, shown).map(Arc::clone))
        });
        match adopted {
            Some(adopted) => {
                *site = adopted;
                true
            }
            None => false,
        }
    }

    /// Was a session from before taken up?
    pub(super) fn is_resumed(&self) -> bool {
        self.facts.resumed
    }

    /// What backends are told of the certificate, by the options of now.
    pub(crate) fn client_lines(&self, https: HttpsOptions) -> impl Iterator<Item = (&'static str, &str)> {
        let is_told = move |name: &str| match name {
            XFCC => https.xfcc,
            _ => https.client_cert,
        };
        let lines = self.lines.iter().filter(move |(name, _)| is_told(name));
        lines.map(|(name, value)| (*name, value.as_str()))
    }

    /// What came of it, as backends are told.
    pub(crate) fn client_verify(&self) -> &str {
        &self.verify
    }

    /// For the log line.
    pub(crate) fn access(&self) -> TlsAccess<'_> {
        let subject = shown(&self.verdict).map_or("", |certificate| &certificate.subject);
        TlsAccess {
            version: self.facts.version,
            cipher: self.facts.cipher,
            group: self.facts.group.unwrap_or_default(),
            sni: self.facts.server_name.as_deref().unwrap_or_default(),
            alpn: self.facts.alpn.as_deref().unwrap_or_default(),
            resumed: self.facts.resumed,
            verified: if self.site.borrow().asks_clients() {
                self.verdict.word()
            } else {
                ""
            },
            client_subject: subject,
            client_fingerprint: &self.fingerprint,
        }
    }
}

fn shown(verdict: &ClientVerdict) -> Option<&ClientCertificate> {
    match verdict {
        ClientVerdict::Ok(certificate) => Some(certificate),
        ClientVerdict::Failed { certificate, .. } => certificate.as_deref(),
        _ => None,
    }
}

/// RFC 8941, section 3.3.5.
fn byte_sequence(bytes: &[u8]) -> String {
    format!(":{}:", Base64::encode_string(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // A String takes all that is written to it.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

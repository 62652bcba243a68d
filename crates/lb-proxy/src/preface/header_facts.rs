//! What a PROXY header says of a client beside the addresses.

use lb_preface::proxy::Facts;
use lb_telemetry::HeaderAccess;
use std::rc::Rc;

/// Kept for as long as the connection lives; made only for those of whom something is said.
#[derive(Debug, Default)]
pub(crate) struct HeaderFacts {
    authority: Vec<u8>,
    alpn: Vec<u8>,
    unique_id: String,
    tls_version: Vec<u8>,
    client_verified: &'static str,
    client_name: Vec<u8>,
    endpoint: String,
}

impl HeaderFacts {
    /// `None`: nothing is said.
    #[cold]
    pub(super) fn of(facts: &Facts<'_>) -> Option<Rc<Self>> {
        let cut = |value: &'_ [u8]| value.get(..MOST).unwrap_or(value).to_vec();
        let own = |value: Option<&[u8]>| cut(value.unwrap_or_default());
        let ssl = facts.ssl.unwrap_or_default();
        let endpoint = match (facts.aws_vpc_endpoint, facts.azure_link_id, facts.google_psc_connection) {
            (Some(name), ..) => String::from_utf8_lossy(&cut(name)).into_owned(),
            (None, Some(number), _) => number.to_string(),
            (None, None, Some(number)) => number.to_string(),
            (None, None, None) => String::new(),
        };
        let said = Self {
            authority: own(facts.authority),
            alpn: own(facts.alpn),
            unique_id: super::entered::hex(facts.unique_id.unwrap_or_default()),
            tls_version: own(ssl.version),
            client_verified: match facts.ssl {
                None => "",
                Some(ssl) if ssl.is_verified() => "ok",
                Some(ssl) if ssl.has_certificate() => "failed",
                Some(_) => "none",
            },
            client_name: own(ssl.common_name),
            endpoint,
        };
        let is_empty = facts.ssl.is_none()
            && said.authority.is_empty()
            && said.alpn.is_empty()
            && said.unique_id.is_empty()
            && said.endpoint.is_empty();
        (!is_empty).then(|| Rc::new(said))
    }

    /// For the log line.
    pub(crate) fn access(&self) -> HeaderAccess<'_> {
        HeaderAccess {
            authority: &self.authority,
            alpn: &self.alpn,
            unique_id: &self.unique_id,
            tls_version: &self.tls_version,
            client_verified: self.client_verified,
            client_name: &self.client_name,
            endpoint: &self.endpoint,
        }
    }
}

/// As many bytes are kept of a value: a host name has 253.
const MOST: usize = 256;

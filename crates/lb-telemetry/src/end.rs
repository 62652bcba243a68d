mod table;

/// Why a request or a connection ended.
///
/// Every request ends with exactly one of these. The same value gives the access log its
/// `end` token, the response its status and its `Proxy-Status` error (RFC 9209), the metrics
/// their label and the operator a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum End {
    /// The exchange was completed.
    Done,
    /// The client closed its connection in order, with nothing under way.
    ClientClosed,
    /// The client went away (reset or closed) before its exchange was complete.
    ClientReset,
    /// The client did not send its whole request in time: 408.
    ClientTimeout,
    /// The kept-alive connection was idle for too long.
    ClientIdle,
    /// The request breaks the protocol: 400.
    BadRequest,
    /// The request's head is longer than the limit: 431.
    HeadTooLarge,
    /// The request's target is longer than the limit: 414.
    TargetTooLong,
    /// The request's body is longer than the limit: 413.
    BodyTooLarge,
    /// The request has a body of unknown length where a length is needed: 411.
    LengthRequired,
    /// The request expects something other than `100-continue`: 417.
    ExpectationFailed,
    /// The transfer coding or method is not known here: 501.
    NotImplemented,
    /// The major HTTP version is not spoken here: 505.
    VersionUnsupported,
    /// The method is not allowed here: 405.
    MethodRefused,
    /// A rule refused the client or the request: 403.
    Denied,
    /// No route matches host and path: 404.
    NoRoute,
    /// The route itself answered or redirected.
    Respond,
    /// The listener or process has as many connections as it may have: 503.
    ConnectionLimit,
    /// No backend of the pool is up: 503.
    NoBackend,
    /// Every backend of the pool that is up is at its limit: 503.
    BackendsBusy,
    /// The backend refused the connection: 502.
    ConnectRefused,
    /// The connection to the backend was not made in time: 504.
    ConnectTimeout,
    /// The connection to the backend could not be made (unreachable, ..): 502.
    ConnectFailed,
    /// No descriptor, memory or local port was left here for a connection to the backend: 503.
    LocalShortage,
    /// The backend reset the connection before its response began: 502.
    UpstreamReset,
    /// The backend closed the connection before its response began: 502.
    UpstreamClosed,
    /// The backend did not answer in time: 504.
    UpstreamTimeout,
    /// What the backend sent is no valid HTTP response: 502.
    UpstreamProtocol,
    /// The backend's response head is longer than the limit: 502.
    UpstreamHeadTooLarge,
    /// The backend's answer to an Upgrade or CONNECT was not valid: 502.
    UpgradeFailed,
    /// The response ended, or stopped coming, before it was complete. The status was sent already.
    UpstreamTruncated,
    /// The response stopped coming for longer than we wait for it, and we cut it. The status was sent already.
    ResponseTimeout,
    /// The client took nothing of the response for longer than we wait for it, or takes it too slowly.
    WriteTimeout,
    /// The request took longer than one may take in all: 504.
    RequestTimeout,
    /// The tunnel (TCP, CONNECT, WebSocket) was closed in order by both sides.
    TunnelDone,
    /// The tunnel was idle in both directions for too long.
    TunnelIdle,
    /// One side reset the tunnel; the other got what it had said before, and the reset or an end.
    TunnelReset,
    /// The connection had its last allowed request.
    MaxRequests,
    /// The kept-alive connection was closed because its descriptor was needed for others.
    MadeRoom,
    /// Closed because the process drains.
    Drain,
    /// Cut off because the drain deadline passed.
    DrainDeadline,
    /// The request is for a host that its TLS connection was not made for: 421.
    Misdirected,
    /// The client speaks plain HTTP on a port that speaks TLS: 400.
    PlainOnTls,
    /// The client did not finish its TLS handshake, or its PROXY header, in time.
    HandshakeTimeout,
    /// The PROXY header in front of the connection is missing or wrong.
    ProxyHeader,
    /// The client asked by TLS for a server name that is not served here.
    UnknownName,
    /// The TLS handshake with the client failed.
    ClientTls,
    /// The client showed no certificate where one is required.
    ClientCertMissing,
    /// The client's certificate has expired.
    ClientCertExpired,
    /// The client's certificate is not valid yet.
    ClientCertNotYetValid,
    /// The client's certificate comes from no authority that is trusted here.
    ClientCertUntrusted,
    /// A signature of the client's certificate does not hold.
    ClientCertSignature,
    /// The client's certificate was revoked.
    ClientCertRevoked,
    /// The client's certificate is for another purpose.
    ClientCertPurpose,
    /// The client's certificate was refused by another rule.
    ClientCertRefused,
    /// The TLS handshake with the backend failed: 502.
    UpstreamTls,
    /// The backend's certificate is not trusted: 502.
    UpstreamUntrusted,
    /// The backend's certificate is for another name: 502.
    UpstreamWrongName,
    /// The backend's certificate has expired, or is not valid yet: 502.
    UpstreamExpired,
    /// A fault of this program: 500.
    Internal,
}

impl End {
    /// Every end, in the order of [`End::index`].
    pub const ALL: [Self; 60] = [
        Self::Done,
        Self::ClientClosed,
        Self::ClientReset,
        Self::ClientTimeout,
        Self::ClientIdle,
        Self::BadRequest,
        Self::HeadTooLarge,
        Self::TargetTooLong,
        Self::BodyTooLarge,
        Self::LengthRequired,
        Self::ExpectationFailed,
        Self::NotImplemented,
        Self::VersionUnsupported,
        Self::MethodRefused,
        Self::Denied,
        Self::NoRoute,
        Self::Respond,
        Self::ConnectionLimit,
        Self::NoBackend,
        Self::BackendsBusy,
        Self::ConnectRefused,
        Self::ConnectTimeout,
        Self::ConnectFailed,
        Self::LocalShortage,
        Self::UpstreamReset,
        Self::UpstreamClosed,
        Self::UpstreamTimeout,
        Self::UpstreamProtocol,
        Self::UpstreamHeadTooLarge,
        Self::UpgradeFailed,
        Self::UpstreamTruncated,
        Self::ResponseTimeout,
        Self::WriteTimeout,
        Self::RequestTimeout,
        Self::TunnelDone,
        Self::TunnelIdle,
        Self::TunnelReset,
        Self::MaxRequests,
        Self::MadeRoom,
        Self::Drain,
        Self::DrainDeadline,
        Self::Misdirected,
        Self::PlainOnTls,
        Self::HandshakeTimeout,
        Self::ProxyHeader,
        Self::UnknownName,
        Self::ClientTls,
        Self::ClientCertMissing,
        Self::ClientCertExpired,
        Self::ClientCertNotYetValid,
        Self::ClientCertUntrusted,
        Self::ClientCertSignature,
        Self::ClientCertRevoked,
        Self::ClientCertPurpose,
        Self::ClientCertRefused,
        Self::UpstreamTls,
        Self::UpstreamUntrusted,
        Self::UpstreamWrongName,
        Self::UpstreamExpired,
        Self::Internal,
    ];

    /// Position in [`End::ALL`], for tables of counters. May change between versions: never
    /// stored outside the process.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The word for logs and metric labels, in snake case. Stable between versions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.row().token
    }

    /// The status the client gets when nothing was sent to it yet; `None` when this end never
    /// makes a response of its own.
    #[must_use]
    pub const fn status(self) -> Option<u16> {
        match self.row().status {
            0 => None,
            status => Some(status),
        }
    }

    /// The error type of the `Proxy-Status` field; `None` when there is nothing to report.
    ///
    /// RFC 9209, section 2.3. Where that section recommends another status (500 for
    /// `destination_not_found`), ours is the one RFC 9110 gives the fault.
    #[must_use]
    pub const fn proxy_status(self) -> Option<&'static str> {
        let token = self.row().proxy;
        if token.is_empty() { None } else { Some(token) }
    }

    /// Whose doing it was.
    #[must_use]
    pub const fn side(self) -> Side {
        self.row().side
    }

    /// One English sentence for the operator: what happened and where to look.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        self.row().explain
    }
}

/// Whose doing an end was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Nobody's: an ordinary end.
    Nobody,
    /// The client's.
    Client,
    /// The backend's, or the pool's.
    Upstream,
    /// The load balancer's, by its rules or by a fault.
    Balancer,
}

impl Side {
    /// The word for logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Client => "client",
            Self::Upstream => "upstream",
            Self::Balancer => "balancer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_holds_every_end_once_at_its_index() {
        for (i, end) in End::ALL.iter().enumerate() {
            assert_eq!(end.index(), i, "{end:?}");
        }
        assert_eq!(
            End::Internal.index(),
            End::ALL.len() - 1,
            "the last variant is the last of ALL"
        );
        let tokens: BTreeSet<_> = End::ALL.iter().map(|end| end.as_str()).collect();
        assert_eq!(tokens.len(), End::ALL.len());
    }

    #[test]
    fn tokens_are_snake_case_and_explanations_are_one_line() {
        for end in End::ALL {
            assert!(
                end.as_str().bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
                "{end:?}"
            );
            assert!(end.explain().len() > 15 && !end.explain().ends_with('.'), "{end:?}");
            assert!(end.explain().bytes().all(|b| (0x20..0x7f).contains(&b)), "{end:?}");
        }
    }

    #[test]
    fn each_fault_has_its_code_and_its_proxy_status_token() {
        // status by RFC 9110 section 15, token by RFC 9209 section 2.3
        let table = [
            (End::ClientTimeout, 408, "http_request_error"),
            (End::BadRequest, 400, "http_request_error"),
            (End::LengthRequired, 411, "http_request_error"),
            (End::BodyTooLarge, 413, "http_request_error"),
            (End::TargetTooLong, 414, "http_request_error"),
            (End::ExpectationFailed, 417, "http_request_error"),
            (End::HeadTooLarge, 431, "http_request_error"),
            (End::MethodRefused, 405, "http_request_denied"),
            (End::Denied, 403, "http_request_denied"),
            (End::NoRoute, 404, "destination_not_found"),
            (End::Internal, 500, "proxy_internal_error"),
            (End::NotImplemented, 501, "http_request_error"),
            (End::ConnectRefused, 502, "connection_refused"),
            (End::ConnectFailed, 502, "destination_unavailable"),
            (End::UpstreamReset, 502, "connection_terminated"),
            (End::UpstreamClosed, 502, "connection_terminated"),
            (End::UpstreamProtocol, 502, "http_protocol_error"),
            (End::UpstreamHeadTooLarge, 502, "http_response_header_section_size"),
            (End::UpgradeFailed, 502, "http_upgrade_failed"),
            (End::LocalShortage, 503, "proxy_internal_error"),
            (End::NoBackend, 503, "destination_unavailable"),
            (End::BackendsBusy, 503, "connection_limit_reached"),
            (End::ConnectionLimit, 503, "connection_limit_reached"),
            (End::ConnectTimeout, 504, "connection_timeout"),
            (End::UpstreamTimeout, 504, "http_response_timeout"),
            (End::RequestTimeout, 504, "http_response_timeout"),
            (End::VersionUnsupported, 505, "http_request_error"),
            (End::Misdirected, 421, "http_request_denied"),
            (End::PlainOnTls, 400, "http_request_error"),
            (End::UpstreamTls, 502, "tls_protocol_error"),
            (End::UpstreamUntrusted, 502, "tls_certificate_error"),
            (End::UpstreamWrongName, 502, "tls_certificate_error"),
            (End::UpstreamExpired, 502, "tls_certificate_error"),
        ];
        for (end, status, token) in table {
            assert_eq!(end.status(), Some(status), "{end:?}");
            assert_eq!(end.proxy_status(), Some(token), "{end:?}");
        }
        let with_status = End::ALL.iter().filter(|end| end.status().is_some()).count();
        assert_eq!(with_status, table.len(), "every end that answers stands in the table");
    }

    #[test]
    fn every_error_token_is_registered() {
        // the types of RFC 9209 section 2.3 that a reverse proxy can report
        let registered = [
            "destination_not_found",
            "destination_unavailable",
            "connection_refused",
            "connection_terminated",
            "connection_timeout",
            "connection_limit_reached",
            "http_request_error",
            "http_request_denied",
            "http_response_incomplete",
            "http_response_header_section_size",
            "http_response_timeout",
            "http_upgrade_failed",
            "http_protocol_error",
            "tls_protocol_error",
            "tls_certificate_error",
            "proxy_internal_error",
        ];
        for end in End::ALL {
            if let Some(token) = end.proxy_status() {
                assert!(registered.contains(&token), "{end:?} {token}");
            }
        }
    }

    #[test]
    fn the_side_follows_the_status() {
        for end in End::ALL {
            match end.status() {
                Some(404) | None => {}
                // the limit is ours, whoever used the time up
                Some(504) if end == End::RequestTimeout => assert_eq!(end.side(), Side::Balancer),
                Some(400..=499 | 501 | 505) => assert_eq!(end.side(), Side::Client, "{end:?}"),
                Some(502 | 504) => assert_eq!(end.side(), Side::Upstream, "{end:?}"),
                Some(_) => assert_ne!(end.side(), Side::Client, "{end:?}"),
            }
        }
    }
}

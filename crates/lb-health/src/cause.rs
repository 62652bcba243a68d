use core::fmt;

/// Why a probe failed, or a backend is down.
///
/// Made so that each value asks for another repair; [`Cause::mend`] says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The port answered with a reset: nothing listens there.
    Refused,
    /// No answer to the connection attempt in time.
    Timeout,
    /// The network said that there is no way to the address.
    Unreachable,
    /// Connected, but no whole answer in time.
    Silent,
    /// Connected, then reset.
    Reset,
    /// Connected, then closed before a whole answer.
    Closed,
    /// An HTTP status outside the expected ones.
    Status(u16),
    /// The expected text is not in the body.
    Body,
    /// A redirect, but not to the expected place.
    Redirect,
    /// The answer breaks a rule of HTTP/1: this one.
    Protocol(&'static str),
    /// The answer is TLS, and was expected in clear.
    Tls,
    /// The TLS handshake with the service failed, or its certificate was refused: this is why, in a word.
    Handshake(&'static str),
    /// The service does not offer to go over to TLS (STARTTLS), and was to be asked for it.
    StarttlsMissing,
    /// The service offers to go over to TLS, and refused it when it was asked.
    StarttlsRefused,
    /// Bytes in clear stood behind the service's consent to TLS: anybody on the way can have put them there.
    StarttlsEarly,
    /// The answer is not what was expected: other bytes, an error of the service's own protocol, too many bytes.
    Reply,
    /// A right answer, but later than the time above which the probe counts a backend as slow.
    Slow,
    /// The backend's own agent says that it is down.
    Agent,
    /// Real requests failed, this many in a row.
    Traffic(u16),
    /// Of the real requests in the window only this many of a hundred succeeded.
    SuccessRate(u8),
    /// Real requests took this many times as long as at the middle of the pool.
    Outlier(u16),
    /// Another error of the socket, with the number of the operating system.
    Socket(i32),
    /// The probe could not be made for a reason of this machine, such as no free descriptor or port.
    /// Says nothing about the backend and never counts against it.
    Local,
}

impl Cause {
    /// The word for logs and metric labels, without numbers. Stable between versions.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::Reset => "reset",
            Self::Closed => "closed",
            Self::Status(_) => "status",
            Self::Body => "body",
            Self::Redirect => "redirect",
            Self::Protocol(_) => "protocol",
            Self::Tls => "tls",
            Self::Handshake(_) => "handshake",
            Self::StarttlsMissing => "starttls_missing",
            Self::StarttlsRefused => "starttls_refused",
            Self::StarttlsEarly => "starttls_early",
            Self::Reply => "reply",
            Self::Slow => "slow",
            Self::Agent => "agent",
            Self::Traffic(_) => "traffic",
            Self::SuccessRate(_) => "success_rate",
            Self::Outlier(_) => "outlier",
            Self::Socket(_) => "socket",
            Self::Local => "local",
        }
    }

    /// Does it say something about the backend? [`Cause::Local`] does not.
    #[must_use]
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Local)
    }

    /// Is it the word of real requests, not of a probe? Of such judgements a pool bears only so many at once
    /// ([`PassiveOptions::max_ejected_percent`](crate::PassiveOptions::max_ejected_percent)).
    #[must_use]
    pub const fn is_passive(self) -> bool {
        matches!(self, Self::Traffic(_) | Self::SuccessRate(_) | Self::Outlier(_))
    }

    /// What to look at first, in one line.
    #[must_use]
    pub fn mend(self) -> &'static str {
        match self {
            Self::Refused => "start the service, or correct the port: nothing listens on that address and port",
            Self::Timeout => "is the machine up, and does its firewall let this load balancer in?",
            Self::Unreachable => "correct the address or the route: the network knows no way to it",
            Self::Silent => "the service is connected but slow: look at its load, or allow a longer timeout",
            Self::Reset => {
                "the service cuts the connection: look at its log, its access rules, and whether it wants TLS"
            }
            Self::Closed => "the service hangs up early: look at its log, and whether it wants TLS",
            Self::Status(300..=399) => "the check path redirects: check the page it leads to, or accept 3xx",
            Self::Status(400) => {
                "the service does not like the request: give the probe the host it expects, as `host` of `health` (it sends the \
                 backend's address otherwise)"
            }
            Self::Status(401 | 403) => "the check path is protected: allow it, or choose another path",
            Self::Status(404) => "the check path does not exist there: correct the path, or `host` of `health`",
            Self::Status(405) => "the service does not take the method: choose another `method`, or another path",
            Self::Status(421) => "the service does not know the host: say the one it expects, as `host` of `health`",
            Self::Status(500..=599) => "the service has a fault of its own: look at its log",
            Self::Status(_) => {
                "the service answers with another status than expected: correct the path, or the expected range"
            }
            Self::Body => "the answer lacks the expected text: look at the page, or correct the text",
            Self::Redirect => "the check path leads somewhere else than expected: correct the path or the location",
            Self::Protocol(rule) if !TOLERABLE.iter().any(|known| rule.contains(known)) => {
                "is it the right port? if it is, mend the service: no setting reads such an answer"
            }
            Self::Protocol(_) => {
                "is it the right port? if it is, mend the service, or let the pool read what old ones send: parsing = \"tolerant\", if that is not set already"
            }
            Self::Tls => "the port speaks TLS: give the service's port for HTTP in clear, or the pool a table `tls`",
            Self::Handshake("untrusted" | "self_signed_leaf") => {
                "its certificate is not trusted: name its authority in `roots` of the pool's `tls`, or its key in `pins`"
            }
            Self::Handshake("wrong_name" | "cn_only") => {
                "its certificate is for another name: set `server_name` in the pool's `tls`, or have it issued for this one"
            }
            Self::Handshake("expired") => "its certificate has expired: renew it there; is the clock right here?",
            Self::Handshake("not_tls") => "the port does not speak TLS: correct the port, or leave `tls` away",
            Self::Handshake(_) => {
                "does the port speak TLS 1.2 or 1.3? the service's log says what it did not like, and `openssl s_client` shows it"
            }
            Self::StarttlsMissing => {
                "give the service a certificate and let it offer TLS, or leave `starttls` of `health` away; is it the right port?"
            }
            Self::StarttlsRefused => {
                "the service offers TLS and cannot speak it now: look at its log, and at its certificate and key"
            }
            Self::StarttlsEarly => {
                "somebody on the way puts bytes into the conversation, or the service speaks too early: compare it with a probe                  from beside it, and look for a newer version of the service"
            }
            Self::Reply => {
                "the service answers, but not as expected: is it the right port, and is it ready? look at its log"
            }
            Self::Slow => "the service works but is slow: look at its load, or allow a longer `slow`",
            Self::Agent => "the agent beside the service took it out: only the agent's word `up` brings it back",
            Self::Traffic(_) => "requests to it failed: look at the access log's end reasons for this backend",
            Self::SuccessRate(_) => {
                "too many requests to it fail, fewer at the others: look at its log and what it depends on"
            }
            Self::Outlier(_) => "it answers far slower than the others: look at its load, or give it less weight",
            Self::Socket(NO_SOCKET) => "start the service, or correct the path: no socket is there",
            Self::Socket(KEPT_OUT) => {
                "let this load balancer write to the socket: look at its mode and owner, and those of its folder"
            }
            Self::Socket(_) => "look up the error number in the operating system's list",
            Self::Local => "the load balancer lacks descriptors or ports: raise its limits",
        }
    }
}

/// What `parsing = "tolerant"` may read, in the words of lb-http.
const TOLERABLE: [&str; 6] = [
    "Transfer-Encoding in an HTTP/1.0 message",
    "line feed without carriage return",
    "white space between field name and colon",
    "folded line",
    "Content-Length is given more than once",
    "Transfer-Encoding and Content-Length in one message",
];

// What only connecting to a Unix domain socket comes to: ENOENT and EACCES of connect(2).
const NO_SOCKET: i32 = 2;
const KEPT_OUT: i32 = 13;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Timeout => f.write_str("no answer to the connection attempt in time"),
            Self::Unreachable => f.write_str("no route to the address"),
            Self::Silent => f.write_str("connected, but no whole answer in time"),
            Self::Reset => f.write_str("connection reset"),
            Self::Closed => f.write_str("connection closed before a whole answer"),
            Self::Status(code) => write!(f, "unexpected status {code}"),
            Self::Body => f.write_str("expected text not in the body"),
            Self::Redirect => f.write_str("redirected somewhere else than expected"),
            Self::Protocol(rule) => write!(f, "the answer is no valid HTTP/1: {rule}"),
            Self::Tls => f.write_str("the answer is TLS, not HTTP in clear"),
            Self::Handshake(why) => write!(f, "the TLS handshake failed: {why}"),
            Self::StarttlsMissing => f.write_str("it does not offer STARTTLS"),
            Self::StarttlsRefused => f.write_str("it refused STARTTLS"),
            Self::StarttlsEarly => f.write_str("bytes in clear behind its consent to STARTTLS"),
            Self::Reply => f.write_str("the answer is not the expected one"),
            Self::Slow => f.write_str("a right answer, but too slow"),
            Self::Agent => f.write_str("its agent says that it is down"),
            Self::Traffic(1) => f.write_str("a request failed"),
            Self::Traffic(count) => write!(f, "{count} requests in a row failed"),
            Self::SuccessRate(percent) => write!(f, "only {percent} % of its requests succeeded"),
            Self::Outlier(times) => write!(f, "{times} times as slow as the middle of the pool"),
            Self::Socket(NO_SOCKET) => f.write_str("no socket is at its path"),
            Self::Socket(KEPT_OUT) => f.write_str("not allowed to connect to its socket"),
            Self::Socket(number) => write!(f, "socket error {number}"),
            Self::Local => f.write_str("the probe could not be made here"),
        }
    }
}

impl core::error::Error for Cause {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn s_health_02_refused_timeout_and_unreachable_read_and_mend_differently() {
        let all = [
            Cause::Refused,
            Cause::Timeout,
            Cause::Unreachable,
            Cause::Silent,
            Cause::Reset,
            Cause::Closed,
            Cause::Status(503),
            Cause::Body,
            Cause::Redirect,
            Cause::Protocol("malformed status line"),
            Cause::Tls,
            Cause::Handshake("untrusted"),
            Cause::StarttlsMissing,
            Cause::StarttlsRefused,
            Cause::StarttlsEarly,
            Cause::Reply,
            Cause::Slow,
            Cause::Agent,
        ];
        for (i, a) in all.iter().enumerate() {
            for b in all.iter().skip(i + 1) {
                assert_ne!(a.to_string(), b.to_string());
                assert_ne!(a.as_str(), b.as_str());
                assert_ne!(a.mend(), b.mend());
            }
        }
    }

    #[test]
    fn the_number_is_in_the_text_and_chooses_the_repair() {
        assert_eq!(Cause::Status(404).to_string(), "unexpected status 404");
        assert_eq!(Cause::Traffic(5).to_string(), "5 requests in a row failed");
        for code in [400, 404, 421] {
            assert!(Cause::Status(code).mend().contains("`host` of `health`"));
        }
        assert!(Cause::Status(405).mend().contains("`method`"));
        for (rule, is_tolerable) in [
            ("line feed without carriage return", true),
            ("white space between field name and colon", true),
            ("folded line: a field line begins with white space", true),
            ("Transfer-Encoding in an HTTP/1.0 message", true),
            ("malformed field name", false),
            ("Content-Length is given more than once", true),
            ("Transfer-Encoding and Content-Length in one message", true),
            ("malformed status line", false),
            ("head exceeds the limit of bytes", false),
            ("control character in a field value", false),
            ("101 without a matching upgrade request", false),
        ] {
            assert_eq!(
                Cause::Protocol(rule).mend().contains("tolerant"),
                is_tolerable,
                "{rule}"
            );
        }
        assert!(Cause::Status(302).mend().contains("redirect"));
        assert_ne!(Cause::Status(503).mend(), Cause::Status(204).mend());
    }

    #[test]
    fn only_a_fault_of_this_machine_does_not_count() {
        assert!(!Cause::Local.counts());
        assert!(Cause::Refused.counts() && Cause::Socket(5).counts() && Cause::Traffic(1).counts());
    }
}

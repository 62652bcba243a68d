//! Why a server could not be asked: what happened, where, and what to do.

use super::args::Starttls;
use super::shown::Line;
use lb_tls::{HandshakeFault, alert_name};
use rustls::AlertDescription;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    /// The name cannot be looked up.
    #[error("{host}: the name is not found: {source}")]
    Name { host: String, source: io::Error },
    /// The look-up takes longer than there is time.
    #[error("{host}: the look-up of the name was not answered within {}", time(.timeout))]
    NameTimeout { host: String, timeout: Duration },
    /// The look-up gave nothing.
    #[error("{host}: the name has no address")]
    NoAddress { host: String },
    /// No address could be connected to.
    #[error("{}", unreachable(.tried))]
    Unreachable { tried: Vec<(SocketAddr, io::Error)> },
    /// Time ran out.
    #[error("{address}: connected, but within {} came no {stage}", time(.timeout))]
    Silent {
        address: SocketAddr,
        stage: Stage,
        timeout: Duration,
    },
    /// The server closed.
    #[error("{address}: the server closed the connection where the {stage} was to come")]
    Closed { address: SocketAddr, stage: Stage },
    /// The connection broke.
    #[error("{address}: the connection broke where the {stage} was to come: {source}")]
    Broken {
        address: SocketAddr,
        stage: Stage,
        source: io::Error,
    },
    /// More than is read.
    #[error("{address}: the server sent {most} bytes, and the {stage} was still to come")]
    TooMuch {
        address: SocketAddr,
        stage: Stage,
        most: usize,
    },
    /// A line without an end.
    #[error("{address}: the {stage} has a line of more than {most} bytes: {line}")]
    LongLine {
        address: SocketAddr,
        stage: Stage,
        most: usize,
        line: Line,
    },
    /// Lines without an end.
    #[error("{address}: the server sent {most} lines, and the {stage} still has no end")]
    ManyLines {
        address: SocketAddr,
        stage: Stage,
        most: usize,
    },
    /// Another protocol than the one that was named.
    #[error("{address}: the {stage} is not of {protocol}: {line}")]
    Unlike {
        address: SocketAddr,
        protocol: Starttls,
        stage: Stage,
        line: Line,
    },
    /// The server says that it has no STARTTLS.
    #[error("{address}: the server does not offer TLS: the {stage} does not name it")]
    NotOffered { address: SocketAddr, stage: Stage },
    /// The server says no.
    #[error("{address}: the server says no; the {stage}: {line}")]
    Refused {
        address: SocketAddr,
        stage: Stage,
        line: Line,
    },
    /// The first bytes are not TLS.
    #[error("{address}: no TLS there: the first bytes look like {looks}: {line}")]
    NotTls {
        address: SocketAddr,
        looks: &'static str,
        /// What would make it TLS, if that is known.
        mend: Option<&'static str>,
        line: Line,
    },
    /// The server sent an alert instead of its certificates.
    #[error("{address}: the server ends the handshake with the alert {}", alert_name(*.alert))]
    Alert {
        address: SocketAddr,
        alert: AlertDescription,
        server: String,
    },
    /// What the server sent cannot be gone on with.
    #[error("{address}: the handshake fails: {source}")]
    Handshake { address: SocketAddr, source: rustls::Error },
    /// More certificates than are taken.
    #[error("{address}: the server sent {number} certificates; {most} are taken at most")]
    ManyCertificates {
        address: SocketAddr,
        number: usize,
        most: usize,
    },
}

impl ScanError {
    /// What it means and what to do.
    pub(super) fn mend(&self) -> String {
        match self {
            Self::Name { .. } | Self::NoAddress { .. } => {
                "look at the spelling; for a server without a DNS record, --connect ADDRESS:PORT says where it is".to_owned()
            }
            Self::NameTimeout { .. } => "look at the resolver of this machine, or use --connect ADDRESS:PORT".to_owned(),
            Self::Unreachable { tried } => {
                if tried.iter().any(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused) {
                    "start the server, or name the port on which it listens".to_owned()
                } else {
                    "look at the route and the firewalls between, or allow more time with --timeout".to_owned()
                }
            }
            Self::Silent {
                stage: Stage::Greeting(_),
                ..
            } => "a port that begins with TLS (465, 993, 995) says nothing before: leave --starttls out there".to_owned(),
            Self::Silent { .. } => {
                "look whether the server speaks TLS on this port, whether it is overloaded, and what lies between; \
                 --timeout allows more time"
                    .to_owned()
            }
            Self::Closed { .. } | Self::Broken { .. } => {
                "the server, or a firewall between, gives up without a word: look into its log; some do so without a \
                 name (--sni), some on ports where they do not speak TLS"
                    .to_owned()
            }
            Self::TooMuch { .. } | Self::LongLine { .. } | Self::ManyLines { .. } => {
                "look whether this is the port of the server that is meant".to_owned()
            }
            Self::Unlike { .. } => "look at the port and at the protocol that --starttls names".to_owned(),
            Self::NotOffered { .. } | Self::Refused { .. } => {
                "switch TLS on in the server's configuration; a port that begins with TLS is asked without --starttls"
                    .to_owned()
            }
            Self::NotTls { mend, .. } => mend
                .unwrap_or("name the port on which the server speaks TLS; --starttls asks for it where a protocol begins in plain text")
                .to_owned(),
            Self::Alert { alert, server, .. } => meaning(*alert, server),
            Self::Handshake { source, .. } => match HandshakeFault::of(source) {
                HandshakeFault::NoCommonVersion => "the server speaks neither TLS 1.2 nor 1.3: update it".to_owned(),
                HandshakeFault::NoCommonSuite => {
                    "the server chose a suite that is refused here: lbd tls suites says why".to_owned()
                }
                fault => fault.mend().to_owned(),
            },
            Self::ManyCertificates { .. } => {
                "the server sends its store of roots instead of its chain: lbd cert bundle makes one of the files".to_owned()
            }
        }
    }
}

/// What was to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The first words of a server that speaks first.
    Greeting(Starttls),
    /// The answer to a command.
    Answer(&'static str),
    /// The first bytes of TLS.
    Hello,
    /// The certificates and what belongs to them.
    Certificates,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting(protocol) => write!(f, "greeting of {protocol}"),
            Self::Answer(command) => write!(f, "answer to {command}"),
            Self::Hello => f.write_str("answer to the TLS hello"),
            Self::Certificates => f.write_str("end of the handshake"),
        }
    }
}

/// What an alert tells a client (RFC 9846, section 6.2).
pub(super) fn meaning(alert: AlertDescription, server: &str) -> String {
    let text = match alert {
        AlertDescription::ProtocolVersion => {
            "the server speaks neither TLS 1.2 nor 1.3: update it (lbd tls suites says why older ones are refused)"
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "nothing that both have (lbd tls suites lists what was offered), no certificate for this name (--sni), or \
             a client certificate is demanded: the server's log says which"
        }
        AlertDescription::UnrecognisedName => {
            return format!(
                "the server has no host of the name {server}: name another with --sni, or add the certificate there"
            );
        }
        AlertDescription::InternalError => {
            "the server's own fault, often that it has no certificate for this name: look into its log, try --sni"
        }
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::AccessDenied => {
            "the server does not let everybody in: it demands a client certificate, or knows no such name"
        }
        AlertDescription::NoApplicationProtocol => {
            "the server speaks none of the protocols that were offered: name the right one with --alpn"
        }
        AlertDescription::DecodeError | AlertDescription::IllegalParameter | AlertDescription::UnexpectedMessage => {
            "the server's TLS cannot read this hello: update it"
        }
        AlertDescription::CloseNotify | AlertDescription::UserCanceled => {
            "the server gave up in good order: look into its log"
        }
        _ => "look into the server's log",
    };
    text.to_owned()
}

fn time(timeout: &Duration) -> String {
    format!("{timeout:?}")
}

fn unreachable(tried: &[(SocketAddr, io::Error)]) -> String {
    let each: Vec<String> = tried
        .iter()
        .map(|(address, error)| match error.kind() {
            io::ErrorKind::ConnectionRefused => format!("{address}: refused, nothing listens there"),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => format!("{address}: no answer in time"),
            _ => format!("{address}: {error}"),
        })
        .collect();
    format!("cannot connect: {}", each.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alert_has_a_meaning_for_who_looks_at_a_server() {
        for (alert, word) in [
            (AlertDescription::ProtocolVersion, "neither TLS 1.2 nor 1.3"),
            (AlertDescription::HandshakeFailure, "lbd tls suites"),
            (AlertDescription::UnrecognisedName, "www.example.com"),
            (AlertDescription::InternalError, "--sni"),
            (AlertDescription::CertificateRequired, "client certificate"),
            (AlertDescription::NoApplicationProtocol, "--alpn"),
            (AlertDescription::DecodeError, "update"),
            (AlertDescription::CloseNotify, "log"),
            (AlertDescription::Unknown(200), "log"),
        ] {
            let text = meaning(alert, "www.example.com");
            assert!(text.contains(word), "{alert:?}: {text}");
        }
    }
}

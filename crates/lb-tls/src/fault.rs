//! Why a handshake or a connection failed: stable words for counters and logs, each with its mend.

use crate::client_auth::ClientReason;
use crate::upstream::{UpstreamReason, UpstreamRefusal};
use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};
use std::fmt;

/// Why a TLS connection failed, as far as rustls's error tells (S-TLS-03).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandshakeFault {
    /// No version in common: the other side is too old, or the configuration too new.
    NoCommonVersion,
    /// No cipher suite in common that the certificate's key can serve.
    NoCommonSuite,
    /// No group for key agreement in common.
    NoCommonGroup,
    /// No signature in common that the certificate's key can make.
    NoCommonSignature,
    /// The client does not say which signatures it takes (RFC 5246 section 7.4.1.4.1): it is older than TLS 1.2, or of
    /// 1.2 and means SHA-1.
    NoSignatures,
    /// None of the protocols that were offered (ALPN) is spoken.
    NoCommonProtocol,
    /// The server name is nobody's (see [`UnknownName`](crate::UnknownName)), or the hello came to a site that it does
    /// not ask for.
    UnknownName,
    /// The client's certificate was refused.
    ClientCertificate(ClientReason),
    /// The backend's certificate was refused.
    BackendCertificate(UpstreamReason),
    /// The other side gave up, with this alert.
    PeerAlert(AlertDescription),
    /// What was sent is not TLS.
    NotTls,
    /// A record longer than TLS allows.
    Oversized,
    /// A message that cannot be read.
    Malformed,
    /// A message that has no place there.
    Unexpected,
    /// A message that breaks a rule of TLS.
    Misbehaved,
    /// A message or record that cannot be decrypted: it was changed, or the keys are not the same.
    Undecryptable,
    /// The other side lacks something else that is required.
    Incompatible,
    /// The fault is on this side.
    Own,
}

impl HandshakeFault {
    /// What an error of rustls means, on either side.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        match error {
            Error::PeerIncompatible(why) => Self::of_incompatible(why),
            Error::InvalidCertificate(inner) => match UpstreamRefusal::of(error) {
                Some(refusal) => Self::BackendCertificate(refusal.reason()),
                None => Self::ClientCertificate(ClientReason::of_error(inner)),
            },
            Error::NoCertificatesPresented => Self::ClientCertificate(ClientReason::NoCertificate),
            Error::AlertReceived(alert) => Self::PeerAlert(*alert),
            Error::NoApplicationProtocol => Self::NoCommonProtocol,
            Error::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => {
                Self::NotTls
            }
            Error::InvalidMessage(InvalidMessage::MessageTooLarge) | Error::PeerSentOversizedRecord => Self::Oversized,
            Error::InvalidMessage(_) | Error::InvalidEncryptedClientHello(_) => Self::Malformed,
            Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => Self::Unexpected,
            Error::PeerMisbehaved(_) => Self::Misbehaved,
            Error::DecryptError => Self::Undecryptable,
            // What rustls 0.23 says when no certificate was given out.
            Error::General(text) if text == "no server certificate chain resolved" => Self::UnknownName,
            _ => Self::Own,
        }
    }

    fn of_incompatible(why: &PeerIncompatible) -> Self {
        match why {
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::Tls13RequiredForQuic => Self::NoCommonVersion,
            PeerIncompatible::NoCipherSuitesInCommon => Self::NoCommonSuite,
            PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::KeyShareExtensionRequired => Self::NoCommonGroup,
            PeerIncompatible::SignatureAlgorithmsExtensionRequired => Self::NoSignatures,
            PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => Self::NoCommonSignature,
            _ => Self::Incompatible,
        }
    }

    /// The word, which does not change between versions; of an alert or certificate the kind alone.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoCommonVersion => "no_common_version",
            Self::NoCommonSuite => "no_common_suite",
            Self::NoCommonGroup => "no_common_group",
            Self::NoCommonSignature => "no_common_signature",
            Self::NoSignatures => "no_signature_algorithms",
            Self::NoCommonProtocol => "no_application_protocol",
            Self::UnknownName => "unknown_name",
            Self::ClientCertificate(_) => "client_certificate",
            Self::BackendCertificate(_) => "backend_certificate",
            Self::PeerAlert(_) => "peer_alert",
            Self::NotTls => "not_tls",
            Self::Oversized => "oversized_record",
            Self::Malformed => "decode_error",
            Self::Unexpected => "unexpected_message",
            Self::Misbehaved => "peer_misbehaved",
            Self::Undecryptable => "decrypt_error",
            Self::Incompatible => "incompatible",
            Self::Own => "internal",
        }
    }

    /// What belongs to the word: the reason of a certificate, the name of an alert.
    #[must_use]
    pub fn detail(self) -> Option<&'static str> {
        match self {
            Self::ClientCertificate(reason) => Some(reason.word()),
            Self::BackendCertificate(reason) => Some(reason.word()),
            Self::PeerAlert(alert) => Some(alert_name(alert)),
            _ => None,
        }
    }

    /// What to do about it, in a sentence; it reads for the side that answers and for the side that asks.
    #[must_use]
    pub fn mend(self) -> &'static str {
        match self {
            Self::NoCommonVersion => "update the other side to TLS 1.2 or 1.3, or lower min_version if it is above 1.2",
            Self::NoCommonSuite => {
                "the other side has none of the suites of `lbd tls suites` for the kind of key of the certificate: update it, or \
                 add an RSA certificate beside an ECDSA one"
            }
            Self::NoCommonGroup => "let the other side offer X25519 or P-256",
            Self::NoCommonSignature => {
                "add a certificate with another kind of key (ECDSA P-256, RSA), or update the other side"
            }
            Self::NoSignatures => {
                "update the other side: it is older than TLS 1.2, or takes signatures with SHA-1 alone, which are not made"
            }
            Self::NoCommonProtocol => "add the protocol to those of the site, or let the client offer http/1.1",
            Self::UnknownName => {
                "add a site or a certificate with this name, or correct the DNS record that leads here"
            }
            Self::ClientCertificate(reason) => reason.mend(),
            Self::BackendCertificate(_) => "the refusal says what mends it",
            Self::PeerAlert(alert) => alert_mend(alert),
            Self::NotTls => "the other side does not speak TLS on this port: use https there, or a plain port here",
            Self::Oversized | Self::Malformed | Self::Unexpected | Self::Misbehaved => {
                "the other side's TLS is faulty, or it is a scanner; if it is a program that you need, update it"
            }
            Self::Undecryptable => {
                "something between changes what is sent; if it happens again and again, update the other side"
            }
            Self::Incompatible => "update the other side's TLS",
            Self::Own => {
                "look at the clock and the random numbers of this machine; else this is a fault to be reported"
            }
        }
    }
}

impl fmt::Display for HandshakeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self.detail() {
            Some(detail) => write!(f, ":{detail}"),
            None => Ok(()),
        }
    }
}

/// The registered name of an alert (RFC 9846, section 6): `unknown_ca`.
#[must_use]
pub const fn alert_name(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "close_notify",
        AlertDescription::UnexpectedMessage => "unexpected_message",
        AlertDescription::BadRecordMac => "bad_record_mac",
        AlertDescription::DecryptionFailed => "decryption_failed",
        AlertDescription::RecordOverflow => "record_overflow",
        AlertDescription::DecompressionFailure => "decompression_failure",
        AlertDescription::HandshakeFailure => "handshake_failure",
        AlertDescription::NoCertificate => "no_certificate",
        AlertDescription::BadCertificate => "bad_certificate",
        AlertDescription::UnsupportedCertificate => "unsupported_certificate",
        AlertDescription::CertificateRevoked => "certificate_revoked",
        AlertDescription::CertificateExpired => "certificate_expired",
        AlertDescription::CertificateUnknown => "certificate_unknown",
        AlertDescription::IllegalParameter => "illegal_parameter",
        AlertDescription::UnknownCA => "unknown_ca",
        AlertDescription::AccessDenied => "access_denied",
        AlertDescription::DecodeError => "decode_error",
        AlertDescription::DecryptError => "decrypt_error",
        AlertDescription::ExportRestriction => "export_restriction",
        AlertDescription::ProtocolVersion => "protocol_version",
        AlertDescription::InsufficientSecurity => "insufficient_security",
        AlertDescription::InternalError => "internal_error",
        AlertDescription::InappropriateFallback => "inappropriate_fallback",
        AlertDescription::UserCanceled => "user_canceled",
        AlertDescription::NoRenegotiation => "no_renegotiation",
        AlertDescription::MissingExtension => "missing_extension",
        AlertDescription::UnsupportedExtension => "unsupported_extension",
        AlertDescription::UnrecognisedName => "unrecognized_name",
        AlertDescription::BadCertificateStatusResponse => "bad_certificate_status_response",
        AlertDescription::UnknownPSKIdentity => "unknown_psk_identity",
        AlertDescription::CertificateRequired => "certificate_required",
        AlertDescription::NoApplicationProtocol => "no_application_protocol",
        _ => "unknown_alert",
    }
}

fn alert_mend(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::UnknownCA => {
            "the other side does not trust our certificate: send its intermediate certificates, or install its root there"
        }
        AlertDescription::CertificateExpired => "renew our certificate, or look at the clock of the other side",
        AlertDescription::CertificateRevoked => "our certificate was revoked: have a new one issued",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => {
            "the other side refuses our certificate: compare its name, issuer and purpose with what it expects"
        }
        AlertDescription::CertificateRequired => "the other side wants a client certificate: give one",
        AlertDescription::UnrecognisedName => "the other side has no such host: set server_name",
        AlertDescription::ProtocolVersion => "the other side speaks none of our versions: update it",
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "no suite, group or signature in common, or a client certificate is missing: look into the other side's log"
        }
        AlertDescription::NoApplicationProtocol => "the other side speaks none of our protocols (ALPN)",
        _ => "look into the other side's log",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::{CertificateError, PeerMisbehaved};

    #[test]
    fn s_tls_03_every_error_has_a_word_and_a_mend() {
        for (error, shown) in [
            (PeerIncompatible::Tls12NotOffered.into(), "no_common_version"),
            (PeerIncompatible::Tls12NotOfferedOrEnabled.into(), "no_common_version"),
            (PeerIncompatible::NoCipherSuitesInCommon.into(), "no_common_suite"),
            (PeerIncompatible::NoKxGroupsInCommon.into(), "no_common_group"),
            (
                PeerIncompatible::NoSignatureSchemesInCommon.into(),
                "no_common_signature",
            ),
            (
                PeerIncompatible::SignatureAlgorithmsExtensionRequired.into(),
                "no_signature_algorithms",
            ),
            (PeerIncompatible::NullCompressionRequired.into(), "incompatible"),
            (Error::NoApplicationProtocol, "no_application_protocol"),
            (Error::NoCertificatesPresented, "client_certificate:no_certificate"),
            (CertificateError::Revoked.into(), "client_certificate:revoked"),
            (
                Error::AlertReceived(AlertDescription::UnknownCA),
                "peer_alert:unknown_ca",
            ),
            (
                Error::AlertReceived(AlertDescription::Unknown(200)),
                "peer_alert:unknown_alert",
            ),
            (InvalidMessage::InvalidContentType.into(), "not_tls"),
            (InvalidMessage::MessageTooShort.into(), "decode_error"),
            (PeerMisbehaved::IncorrectBinder.into(), "peer_misbehaved"),
            (Error::PeerSentOversizedRecord, "oversized_record"),
            (Error::DecryptError, "decrypt_error"),
            (Error::FailedToGetCurrentTime, "internal"),
        ] {
            let fault = HandshakeFault::of(&error);
            assert_eq!(fault.to_string(), shown, "{error}");
            assert!(fault.mend().len() > 15, "{shown}");
        }
    }
}

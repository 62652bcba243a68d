use core::fmt;

/// What one side of TLS tells the other before it closes. RFC 8446, section 6; the numbers are IANA's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alert {
    /// 10: a message that has no place here.
    UnexpectedMessage,
    /// 22: a record longer than any may be.
    RecordOverflow,
    /// 40: no parameters that both sides accept.
    HandshakeFailure,
    /// 47: a field that is wrong, or at odds with another.
    IllegalParameter,
    /// 49: who is known is not let in.
    AccessDenied,
    /// 50: a message that cannot be read.
    DecodeError,
    /// 70: no version that both sides speak.
    ProtocolVersion,
    /// 80: a fault of one's own.
    InternalError,
    /// 112: no server of that name.
    UnrecognizedName,
    /// 120: no protocol of ALPN that both sides speak.
    NoApplicationProtocol,
}

impl Alert {
    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::UnexpectedMessage => 10,
            Self::RecordOverflow => 22,
            Self::HandshakeFailure => 40,
            Self::IllegalParameter => 47,
            Self::AccessDenied => 49,
            Self::DecodeError => 50,
            Self::ProtocolVersion => 70,
            Self::InternalError => 80,
            Self::UnrecognizedName => 112,
            Self::NoApplicationProtocol => 120,
        }
    }

    /// The name that RFCs give a number; `None` for a number without one. RFC 8446, section 6, and RFC 5246, section
    /// 7.2, for those that TLS 1.3 no longer has.
    #[must_use]
    pub const fn name_of(number: u8) -> Option<&'static str> {
        Some(match number {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            41 => "no_certificate",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            60 => "export_restriction",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            111 => "certificate_unobtainable",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            114 => "bad_certificate_hash_value",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            121 => "ech_required",
            _ => return None,
        })
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::name_of(self.number()).unwrap_or("unknown"))
    }
}

/// The record that says it, as the last thing before a connection is closed.
///
/// Only where nothing is encrypted yet: in place of a server's hello. Its version is 3.3, which every client reads before
/// a version is chosen. RFC 8446, sections 5.1 and 6.2.
#[must_use]
pub const fn fatal_record(alert: Alert) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, alert.number()]
}

//! What is odd about a source that was read all the same.

use std::fmt;

use crate::count::{agreed, counted};
use crate::{Oddity, Place};

/// Something worth knowing about a source that was read all the same: style, or something left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub place: Place,
    /// What.
    pub kind: NoteKind,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.kind)
    }
}

/// What a [`Note`] says. `Display` is one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoteKind {
    /// The file begins with a byte order mark.
    ByteOrderMark,
    /// The file is UTF-16, as some Windows editors write it.
    Utf16,
    /// Lines end with CR LF, as on Windows.
    CrLf,
    /// Lines end with a lone CR.
    LoneCr,
    /// Lines of a block end with blanks.
    TrailingBlanks {
        /// How many lines.
        lines: u32,
    },
    /// Lines of a block begin with blanks.
    LeadingBlanks {
        /// How many lines.
        lines: u32,
    },
    /// The last line has no line end.
    NoFinalNewline,
    /// Lines of a block have not 64 columns (the last may have fewer).
    Columns {
        /// The first such line.
        line: u32,
        /// Its columns.
        columns: usize,
        /// How many such lines the block has.
        lines: u32,
    },
    /// An empty line inside a block.
    BlankInside,
    /// An empty line between two blocks.
    BlankBetween,
    /// Text outside the blocks, which was left out.
    Text {
        /// How many lines.
        lines: u32,
    },
    /// The source is base64 without BEGIN and END lines.
    NoArmour,
    /// Lines were not written as PEM, and it was certain what was meant.
    Mended {
        /// What was mended.
        what: &'static str,
    },
    /// A block that is neither certificate, key nor revocation list, and was left out.
    Skipped {
        /// What it is: `certificate request`.
        what: &'static str,
    },
    /// The label is an old or uncommon one for what the block holds.
    OldLabel {
        /// The label as it stands.
        label: Box<str>,
    },
    /// The label is that of another form of key than the block holds.
    OtherLabel {
        /// The label as it stands.
        label: Box<str>,
        /// What the block holds.
        found: &'static str,
    },
    /// openssl's trust settings behind a certificate (`TRUSTED CERTIFICATE`), which were left out.
    TrustSettings,
    /// The same certificate stood earlier.
    Duplicate {
        /// Number of the block where it stood first.
        first: u32,
    },
    /// A key of an algorithm with which no TLS server signs.
    UnusableKey {
        /// Its algorithm.
        algorithm: Box<str>,
    },
    /// A key with which other TLS servers sign, but not those by rustls.
    UnservedKey {
        /// Its algorithm.
        algorithm: Box<str>,
    },
    /// A key that is written in another way than most are; it was read as what it means.
    KeyForm(Oddity),
    /// A PKCS#12 without integrity check: nobody notices a change of its unencrypted parts.
    NoMac,
    /// A PKCS#7 bundle, which never holds a private key.
    NoKeyInPkcs7,
    /// A private key in a Java key store, which only Java decrypts.
    KeyNotRead {
        /// Its name in the store.
        alias: Box<str>,
        /// `JKS`, `JCEKS`.
        format: &'static str,
        /// The command that exports the store.
        command: Box<str>,
    },
    /// A Java key store whose integrity check the passwords given for other sources do not fit.
    StoreUnproven {
        /// `JKS`, `JCEKS`.
        format: &'static str,
    },
    /// Among several sources, one that holds nothing of use and was left out.
    NotRead {
        /// Why.
        why: Box<str>,
    },
}

impl NoteKind {
    /// Why it matters and how to mend it.
    pub fn explain(&self) -> &'static str {
        match self {
            Self::ByteOrderMark | Self::Utf16 => {
                "Many servers look for `-----BEGIN` at the first byte and find nothing. Save the file as plain ASCII, \
                 without byte order mark; `lbd cert convert` writes it so."
            }
            Self::CrLf | Self::LoneCr | Self::TrailingBlanks { .. } | Self::LeadingBlanks { .. } => {
                "The usual form has lines that end with LF alone and no blanks at their ends. We read it; other \
                 programs may not. `lbd cert convert` writes the usual form."
            }
            Self::NoFinalNewline => {
                "When files are joined with `cat`, the next BEGIN would stick to this END. End the file with a newline."
            }
            Self::Columns { .. } => {
                "The usual form has 64 columns in every line but the last. We read any length; strict readers refuse \
                 it. `lbd cert convert` writes 64 columns."
            }
            Self::BlankInside | Self::BlankBetween => {
                "The usual form has no empty lines inside a block or between blocks. We read it; strict readers \
                 refuse it. `lbd cert convert` writes none."
            }
            Self::Text { .. } => "Text around the blocks (explanations, bag attributes) is ignored. It does no harm.",
            Self::NoArmour => {
                "The BEGIN and END lines are missing, so other programs will not recognise the file. `lbd cert \
                 convert` writes them."
            }
            Self::Mended { .. } => {
                "PEM is a BEGIN line, lines of base64 and an END line, each on its own. We read it as it was meant; other \
                 programs refuse the file or find nothing in it. `lbd cert convert` writes the usual form."
            }
            Self::KeyNotRead { .. } => {
                "JKS and JCEKS encrypt private keys in Java's own way, which no library that this program trusts has. The \
                 certificates are in the clear and were read."
            }
            Self::StoreUnproven { .. } => {
                "Its certificates are not encrypted and were read; whether they are those that were put into it was not \
                 checked."
            }
            Self::Skipped { .. } | Self::NotRead { .. } => "Nothing that a TLS server loads; it was left out.",
            Self::OldLabel { .. } => "The label is one of old. `lbd cert convert` writes today's.",
            Self::OtherLabel { .. } => {
                "We and openssl look at the content; other programs trust the label and refuse the key. `lbd cert \
                 convert` writes the right label."
            }
            Self::TrustSettings => {
                "openssl stores trust settings behind the certificate (`-trustout` of openssl x509). They mean nothing \
                 to other programs and were left out."
            }
            Self::Duplicate { .. } => "It is needed once. `lbd cert bundle` leaves out the second.",
            Self::UnusableKey { .. } => {
                "No TLS server signs with such a key: RSA, P-256, P-384, P-521 and Ed25519 are used."
            }
            Self::UnservedKey { .. } => {
                "Servers by OpenSSL sign with such a key, those by rustls do not, and browsers take RSA, P-256 and P-384 \
                 only. It is converted and compared like any other."
            }
            Self::KeyForm(Oddity::ScalarOctets { .. }) => {
                "RFC 5915 wants as many octets as the order of the curve has. GnuTLS writes a signed number, old programs \
                 leave zeros out; openssl reads both, rustls and Go refuse them. `lbd cert convert` writes the right \
                 length."
            }
            Self::KeyForm(Oddity::ExplicitCurve { .. }) => {
                "The numbers are those of the named curve, and RFC 5480 wants the name. openssl reads both, rustls, Go and \
                 browsers read names only. `lbd cert convert` writes the name into the key; a certificate with the \
                 numbers has to be issued again."
            }
            Self::NoMac => {
                "Without integrity check, damage and manipulation are only noticed where they break the structure."
            }
            Self::NoKeyInPkcs7 => {
                "PKCS#7 (.p7b) holds certificates only. The private key is where the certificate request was made; \
                 on Windows export a .pfx with the key instead."
            }
        }
    }
}

impl fmt::Display for NoteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByteOrderMark => f.write_str("begins with a byte order mark"),
            Self::Utf16 => f.write_str("is UTF-16 text"),
            Self::CrLf => f.write_str("lines end with CR LF"),
            Self::LoneCr => f.write_str("lines end with a lone CR"),
            Self::TrailingBlanks { lines: 1 } => f.write_str("a line ends with blanks"),
            Self::TrailingBlanks { lines } => write!(f, "{lines} lines end with blanks"),
            Self::LeadingBlanks { lines: 1 } => f.write_str("a line begins with blanks"),
            Self::LeadingBlanks { lines } => write!(f, "{lines} lines begin with blanks"),
            Self::NoFinalNewline => f.write_str("the last line has no line end"),
            Self::Columns {
                line,
                columns,
                lines: 1,
            } => write!(f, "line {line} has {}, not 64", counted(*columns, "columns")),
            Self::Columns { line, columns, lines } => {
                let more = lines.saturating_sub(1);
                write!(
                    f,
                    "line {line} has {}, not 64, as {} {more} more",
                    counted(*columns, "columns"),
                    agreed(more, "has", "have")
                )
            }
            Self::BlankInside => f.write_str("an empty line inside the block"),
            Self::BlankBetween => f.write_str("an empty line before the block"),
            Self::Text { lines: 1 } => f.write_str("a line of text outside the blocks was ignored"),
            Self::Text { lines } => write!(f, "{lines} lines of text outside the blocks were ignored"),
            Self::NoArmour => f.write_str("base64 without BEGIN and END lines"),
            Self::Mended { what } => write!(f, "mended while reading: {what}"),
            Self::Skipped { what } => write!(f, "{what}: left out"),
            Self::OldLabel { label } => write!(f, "the label is {label:?}"),
            Self::OtherLabel { label, found } => write!(f, "the label is {label:?}, the content {found}"),
            Self::TrustSettings => f.write_str("openssl's trust settings behind the certificate were left out"),
            Self::Duplicate { first } => write!(f, "the same stood already in block {first}"),
            Self::UnusableKey { algorithm } => write!(f, "a key for {algorithm}, with which no TLS server signs"),
            Self::UnservedKey { algorithm } => {
                write!(
                    f,
                    "a key for {algorithm}, with which OpenSSL serves TLS and rustls does not"
                )
            }
            Self::KeyForm(Oddity::ScalarOctets { octets, wanted }) => {
                write!(
                    f,
                    "the private number has {} instead of {wanted}",
                    counted(*octets, "octets")
                )
            }
            Self::KeyForm(Oddity::ExplicitCurve { curve }) => {
                write!(f, "the curve is given by its numbers, which are those of {curve}")
            }
            Self::NoMac => f.write_str("PKCS#12 without integrity check"),
            Self::KeyNotRead { alias, format, command } => write!(
                f,
                "the private key {alias:?} in this {format} was not read; export it with `{command}`"
            ),
            Self::StoreUnproven { format } => write!(
                f,
                "the password is not that of this {format}, so its integrity was not checked"
            ),
            Self::NotRead { why } => write!(f, "left out: {why}"),
            Self::NoKeyInPkcs7 => f.write_str("PKCS#7 holds certificates only, never the private key"),
        }
    }
}

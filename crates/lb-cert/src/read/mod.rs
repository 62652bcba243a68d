//! Reading: whatever people have, recognised by content and never by file name.

mod armour;
mod base64;
#[cfg(feature = "encrypted-keys")]
mod ber;
mod block;
mod contents;
#[cfg(feature = "encrypted-keys")]
mod conversion;
#[cfg(feature = "encrypted-keys")]
mod encryption;
mod error;
mod explain;
mod foreign;
mod java;
#[cfg(feature = "encrypted-keys")]
mod legacy;
mod line;
mod mend;
mod note;
mod open;
mod options;
mod pem;
#[cfg(feature = "encrypted-keys")]
mod pkcs8;
mod shape;
mod structure;
mod text;

#[cfg(feature = "pkcs12")]
pub(crate) mod pkcs12;
#[cfg(feature = "pkcs7")]
mod pkcs7;

pub use contents::{Contents, Format};
pub use error::{BlockReport, Problem, ReadError, ReadErrorKind};
pub use foreign::{ForeignFormat, SshAlgorithm};
pub use note::{Note, NoteKind};
pub use options::{Limits, Password, ReadOptions};

use std::sync::Arc;

use crate::Place;

/// What is said of DER that is none of what is known.
const UNKNOWN_DER: &str = "DER of an unknown kind";

/// Reads all certificates, keys and revocation lists out of `bytes`; `source` names them in places and messages.
///
/// PEM in any order with text around it, base64 without armour, DER, PKCS#7, PKCS#12, JKS and JCEKS are told apart by
/// content; formats of other programs are refused by their name, with the command that converts them ([`ForeignFormat`]).
/// What is read is whole: a damaged part anywhere refuses the source, so that nobody serves half a chain.
/// Certificates are checked for structure, not for validity: see [`Verifier`](crate#verifying).
///
/// Never touches a file or the network. Time is linear in the input, but for passwords: each one tried costs a key
/// derivation, bounded by [`Limits::iterations`].
///
/// # Errors
///
/// [`ReadError`]: the place, what was found there and, with [`ReadError::explain`], the mend.
pub fn read(source: &str, bytes: &[u8], options: &ReadOptions<'_>) -> Result<Contents, ReadError> {
    let source: Arc<str> = source.into();
    let whole = Place::whole(&source);
    let refuse = |problem| {
        Err(ReadError {
            place: whole.clone(),
            problem,
        })
    };
    if bytes.is_empty() {
        return refuse(Problem::Empty);
    }
    if bytes.len() > options.limits.bytes {
        return refuse(Problem::Limit {
            what: "bytes",
            limit: options.limits.bytes as u64,
        });
    }
    let mut contents = Contents::new(Format::Der);
    if shape::begins_as_der(bytes) {
        block::read_der(&mut contents, bytes, &whole, options)?;
    } else if let Some(kind) = java::Kind::of(bytes) {
        java::read(&mut contents, kind, bytes, &whole, options)?;
    } else if let Some(format) = foreign::binary(bytes) {
        return refuse(Problem::Foreign { format });
    } else {
        let text = text::plain(bytes, &whole, &mut contents.notes)?;
        let outcome = mend::read(&mut contents, &text, &source, options);
        outcome.map_err(|error| match foreign::text(&text.bytes) {
            // Damage in what is meant to be a block is the better reason.
            Some(format) if error.problem.is_of_text() || format.has_such_armour(&error.problem) => ReadError {
                place: whole.clone(),
                problem: Problem::Foreign { format },
            },
            _ => error,
        })?;
        if let Some(format) = foreign::beside(&text.bytes) {
            return refuse(Problem::Foreign { format });
        }
    }
    contents.note_duplicates();
    Ok(contents)
}

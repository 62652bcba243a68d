//! The HTTP/1.1 codec: bytes to [`Head`](crate::Head) and body parts, and back. RFC 9112.
//!
//! [`Conn`] is one connection, both directions. It owns no buffer and no socket: reading
//! functions look at the bytes that have arrived and say how many the caller may drop, writing
//! functions append to a `Vec`. The answer never depends on how the bytes were cut.
//!
//! # What is refused
//!
//! Whatever two readers could take for two things. On top of the RFC's own errors:
//!
//! | input | answer |
//! | --- | --- |
//! | a line that ends in a bare LF; a bare CR; NUL or a control anywhere; a folded line | 400 |
//! | more than one `Content-Length`, equal values included; a list value; anything but digits; above 2^63-1 | 400 |
//! | `Transfer-Encoding` with `Content-Length`, or in HTTP/1.0 | 400 |
//! | `Transfer-Encoding` that is a sound list of other codings | 501 |
//! | any other value than one `chunked` (in any case) | 400 |
//! | `Content_Length` and other spellings that CGI-like backends cannot tell from a framing field | 400 |
//! | `Connection` that names `Host`, `Content-Length` or `Transfer-Encoding` | 400 |
//! | `Host` missing (1.1), twice, empty (but with `*`), with user information, percent-escapes, sub-delimiters or a bad port, or another one than the absolute target | 400 |
//! | a target with a fragment, a byte outside RFC 3986 (see [`Error::TargetByte`]), a broken escape or `%00` in the path | 400 |
//! | `CONNECT`, a method above 32 bytes | 501 |
//! | `TRACE` (it would show the backend's view of forwarded fields) | 405 |
//! | a well-formed version that is neither 1.0 nor 1.1, the HTTP/2 preface included | 505 |
//! | `Expect` other than `100-continue` | 417 |
//! | more than two empty lines before a request | 400 |
//!
//! # What is accepted though it is not quite right
//!
//! A status line without the space before an empty reason; white space around `;` and `=` in
//! chunk extensions (RFC 9112, section 7.1.1 asks for it); in targets the characters `[ ] | ^`
//! and, in the query only, ``{ } \ ` ``, because browsers send them unescaped; 204 and 205
//! responses that claim a body: they are read as having none and their connection is not used again; in responses,
//! blanks at the end of a chunk line. More when it is asked for: [`Parsing`], [`QueryCharacters`].

mod chunked;
mod conn;
mod error;
mod framing;
mod limits;
mod options;
mod pass;
mod read;
mod request;
mod response;
mod rule;
mod scan;
mod state;
mod target;
mod tolerant;
mod trailer;
mod write;

pub use conn::{Conn, Message, Next, Part, Role, Step};
pub use error::Error;
pub use framing::Framing;
pub use limits::{Limits, QueryCharacters};
pub use tolerant::Parsing;

pub(crate) use write::{decimal, digits};

//! Authentication that belongs to a connection and not to a request. RFC 4559, sections 4 to 6.
//!
//! After `NTLM` or `Negotiate` a backend takes whatever comes next over the same connection for the client that
//! has proved itself there. A proxy that lends such a connection to another client lends the name of the first.

use crate::Head;
use crate::head::name::{Name, is_token_byte};
use memchr::memchr_iter;

/// Does this request or response speak of authentication that belongs to its connection? Then the connection to the
/// backend is this client's alone from now on.
///
/// A request does with such a scheme in `Authorization` or `Proxy-Authorization`; a response with one anywhere in
/// `WWW-Authenticate` or `Proxy-Authenticate`, in whatever letters, on whichever line. Readers of these fields are
/// lenient in many ways, and a connection that is kept for one client in vain costs little: in a response the name
/// of a scheme counts wherever it stands as a word, also in quotes.
///
/// Ask before [`forward`](crate::forward) removes the `Proxy-` fields. Without these fields it costs one comparison.
#[must_use]
#[inline]
pub fn is_of_connection(head: &Head) -> bool {
    head.has_any(CREDENTIALS | CHALLENGES) && speaks(head)
}

#[inline(never)]
fn speaks(head: &Head) -> bool {
    let challenges = [Name::WwwAuthenticate, Name::ProxyAuthenticate];
    let credentials = [Name::Authorization, Name::ProxyAuthorization];
    challenges
        .into_iter()
        .flat_map(|name| head.values(name))
        .any(names_scheme)
        || credentials
            .into_iter()
            .flat_map(|name| head.values(name))
            .any(uses_scheme)
}

/// Is a scheme named as a word anywhere?
fn names_scheme(value: &[u8]) -> bool {
    value.split(|byte| !is_token_byte(*byte)).any(is_scheme)
}

/// Does the value, or what stands behind a comma in it, begin with a scheme? Long tokens of other schemes are not
/// looked at letter by letter: they come with every request.
fn uses_scheme(value: &[u8]) -> bool {
    let starts = memchr_iter(b',', value).map(|comma| comma.saturating_add(1));
    core::iter::once(0)
        .chain(starts)
        .filter_map(|start| value.get(start..))
        .any(|part| {
            let part = part.trim_ascii_start();
            let word = part.split(|byte| !is_token_byte(*byte)).next();
            word.is_some_and(is_scheme)
        })
}

fn is_scheme(word: &[u8]) -> bool {
    SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Schemes whose proof holds for the connection: RFC 4559; `Nego2`, `Kerberos` and `CredSSP` are of the same family
/// (Windows, WinRM).
const SCHEMES: [&[u8]; 5] = [b"NTLM", b"Negotiate", b"Nego2", b"Kerberos", b"CredSSP"];
const CREDENTIALS: u64 = Name::Authorization.bit() | Name::ProxyAuthorization.bit();
const CHALLENGES: u64 = Name::WwwAuthenticate.bit() | Name::ProxyAuthenticate.bit();

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::FieldsMut;

    fn response(fields: &[(&str, &str)]) -> bool {
        let mut head = Head::with_capacity(256, 8);
        head.start_response(401).unwrap();
        for (name, value) in fields {
            head.append(name, value.as_bytes()).unwrap();
        }
        is_of_connection(&head)
    }

    fn request(fields: &[(&str, &str)]) -> bool {
        let mut head = Head::with_capacity(256, 8);
        head.start_request(b"GET", b"/").unwrap();
        for (name, value) in fields {
            head.append(name, value.as_bytes()).unwrap();
        }
        is_of_connection(&head)
    }

    #[test]
    fn a_challenge_counts_in_any_place_on_any_line_in_any_letters() {
        for value in [
            "NTLM",
            "ntlm",
            "Negotiate",
            "NEGOTIATE oYG2MIGzoAMKAQA=",
            "Basic realm=\"a\", NTLM",
            "Basic realm=\"a, b\",Negotiate",
            ",, Digest realm=\"x\", nonce=\"y\" ,\tNeGoTiAtE",
            "Negotiate,NTLM",
            "NTLM TlRMTVNTUAACAAAA, Basic realm=\"x\"",
            "Nego2",
            "Kerberos",
        ] {
            assert!(response(&[("WWW-Authenticate", value)]), "{value}");
            assert!(response(&[("proxy-authenticate", value)]), "{value}");
            assert!(
                response(&[("WWW-Authenticate", "Basic realm=\"a\""), ("www-AUTHENTICATE", value)]),
                "{value}"
            );
        }
        // nobody is harmed by a connection of one's own
        assert!(response(&[("WWW-Authenticate", "Basic realm=\"NTLM\"")]));
    }

    #[test]
    fn other_schemes_and_words_that_hold_a_name_do_not_count() {
        for value in [
            "",
            "Basic realm=\"a\"",
            "NTLMx",
            "xNTLM",
            "X-Negotiate",
            "Negotiated realm=\"a\"",
            "Bearer realm=\"renegotiate\"",
            "Digest realm=\"NTLMv2\", nonce=\"TlRMTVNTUA==\"",
        ] {
            assert!(!response(&[("WWW-Authenticate", value)]), "{value}");
            assert!(!request(&[("Authorization", value)]), "{value}");
        }
        assert!(!response(&[("Server", "NTLM"), ("X-WWW-Authenticate", "NTLM")]));
        assert!(!request(&[("X-Authorization", "NTLM abc"), ("Cookie", "NTLM")]));
    }

    #[test]
    fn credentials_count_by_their_scheme() {
        for value in [
            "NTLM TlRMTVNTUAAB",
            "negotiate YIIF",
            ", Negotiate x",
            "Basic eA==, NTLM x",
            "NTLM",
        ] {
            assert!(request(&[("Authorization", value)]), "{value}");
            assert!(request(&[("Proxy-Authorization", value)]), "{value}");
            assert!(
                request(&[("Authorization", "Basic eA=="), ("authorization", value)]),
                "{value}"
            );
        }
        let long = format!("Bearer {}", "NTLM.".repeat(10_000));
        assert!(!request(&[("Authorization", &long)]));
    }
}

use super::{Dialogue, Turn};
use lb_health::Cause;
use std::sync::Arc;

/// The client's side of a PostgreSQL connection, as far as a probe needs it.
///
/// Source: PostgreSQL documentation, "Frontend/Backend Protocol", sections "Message Flow" and "Message Formats".
#[derive(Debug)]
pub(crate) struct Postgres {
    user: Option<Arc<str>>,
    starttls: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Begin,
    /// It was asked whether it speaks TLS.
    TlsAsked,
    Secured,
    /// The user began to log in.
    Entering,
}

impl Postgres {
    pub(crate) fn new(user: Option<Arc<str>>, starttls: bool) -> Self {
        Self {
            user,
            starttls,
            state: State::Begin,
        }
    }
}

impl Dialogue for Postgres {
    fn turn(&mut self, input: &mut Vec<u8>) -> Result<Turn, Cause> {
        match (self.state, &self.user) {
            (State::Begin, Some(user)) if !self.starttls => {
                self.state = State::Entering;
                Ok(Turn::Send(startup(user)))
            }
            (State::Begin, _) => {
                self.state = State::TlsAsked;
                Ok(Turn::Send(SSL_REQUEST.to_vec()))
            }
            (State::TlsAsked, _) => match input.first() {
                None => Ok(Turn::Read),
                Some(b'S' | b'N') if !self.starttls => Ok(Turn::Done(b"")),
                Some(b'S') => {
                    input.remove(0);
                    self.state = State::Secured;
                    Ok(Turn::Tls)
                }
                Some(b'N') => Err(Cause::StarttlsMissing),
                Some(_) => Err(Cause::Reply),
            },
            (State::Secured, Some(user)) => {
                self.state = State::Entering;
                Ok(Turn::Send(startup(user)))
            }
            (State::Secured, None) => Ok(Turn::Done(b"")),
            (State::Entering, _) => judge(input),
        }
    }
}

/// What the server says to the user who begins to log in.
fn judge(input: &[u8]) -> Result<Turn, Cause> {
    match input.first() {
        None => Ok(Turn::Read),
        Some(kind @ (b'R' | b'E')) => match body(input)? {
            None => Ok(Turn::Read),
            Some(body) if *kind == b'E' => judge_error(body),
            // zero: no password is asked for, and the session has begun
            Some([0, 0, 0, 0]) => Ok(Turn::Done(TERMINATE)),
            Some(_) => Ok(Turn::Done(b"")),
        },
        Some(_) => Err(Cause::Reply),
    }
}

/// What follows kind and length of the message that `input` begins with; `None`: not all there yet.
fn body(input: &[u8]) -> Result<Option<&[u8]>, Cause> {
    let Some((&[_, a, b, c, d], rest)) = input.split_first_chunk::<5>() else {
        return Ok(None);
    };
    // the length counts itself
    let len = u32::from_be_bytes([a, b, c, d]).checked_sub(4).ok_or(Cause::Reply)?;
    if len > MESSAGE_MOST {
        return Err(Cause::Reply);
    }
    Ok(rest.get(..usize::try_from(len).unwrap_or(usize::MAX)))
}

/// An error about the user or his database comes from a server that works; others do not.
fn judge_error(body: &[u8]) -> Result<Turn, Cause> {
    let code = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"C"));
    match code {
        // invalid authorization, and database that does not exist: Appendix A, "PostgreSQL Error Codes"
        Some([b'2', b'8', ..] | [b'3', b'D', ..]) => Ok(Turn::Done(b"")),
        _ => Err(Cause::Reply),
    }
}

/// StartupMessage of protocol 3.0.
fn startup(user: &str) -> Vec<u8> {
    let parameters = [b"user\0", user.as_bytes(), b"\0application_name\0lbd-probe\0\0"].concat();
    // names have at most 63 bytes
    let len = u32::try_from(parameters.len().saturating_add(8)).unwrap_or(u32::MAX);
    [&len.to_be_bytes()[..], &[0, 3, 0, 0], &parameters].concat()
}

/// Length 8, code 80877103.
const SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
const TERMINATE: &[u8] = &[b'X', 0, 0, 0, 4];
/// More than any error message.
const MESSAGE_MOST: u32 = 16_384;

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAKEN, run_in_pieces};
    use super::*;

    fn run(user: Option<&str>, input: &[u8]) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        run_in_pieces(|| Postgres::new(user.map(Arc::from), false), input)
    }

    fn error(code: &str) -> Vec<u8> {
        let body = [b"SFATAL\0C", code.as_bytes(), b"\0Mtext\0\0"].concat();
        let len = u32::try_from(body.len().saturating_add(4)).unwrap();
        [&b"E"[..], &len.to_be_bytes(), &body].concat()
    }

    #[test]
    fn a_word_about_tls_is_enough_without_a_user() {
        for word in [&b"S"[..], b"N"] {
            let (sent, result) = run(None, word);
            // 80877103 = 1234 * 65536 + 5679
            assert_eq!(sent, [&8_u32.to_be_bytes()[..], &80_877_103_u32.to_be_bytes()].concat());
            assert_eq!(result, Ok(&b""[..]));
        }
        assert_eq!(run(None, &error("53300")).1, Err(Cause::Reply));
        assert_eq!(run(None, b"HTTP/1.1 400").1, Err(Cause::Reply));
        assert_eq!(run(None, b"").1, Err(Cause::Closed));
    }

    #[test]
    fn what_is_said_of_the_user_is_good_and_what_is_said_of_the_server_counts() {
        let (sent, result) = run(Some("lbd"), b"R\0\0\0\x0c\0\0\0\x05salt");
        assert_eq!(sent, b"\0\0\0\x2d\0\x03\0\0user\0lbd\0application_name\0lbd-probe\0\0");
        assert_eq!(result, Ok(&b""[..]));
        assert_eq!(
            run(Some("lbd"), b"R\0\0\0\x08\0\0\0\0").1,
            Ok(&b"X\0\0\0\x04"[..]),
            "a session is ended"
        );
        for (code, result) in [
            ("28P01", Ok(&b""[..])),
            ("28000", Ok(b"")),
            ("3D000", Ok(b"")),
            ("57P03", Err(Cause::Reply)),
            ("53300", Err(Cause::Reply)),
            ("XX000", Err(Cause::Reply)),
        ] {
            assert_eq!(run(Some("lbd"), &error(code)).1, result, "{code}");
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused() {
        assert_eq!(run(Some("lbd"), b"R\0\0\0\x03").1, Err(Cause::Reply));
        assert_eq!(run(Some("lbd"), b"E\0\0\x40\x05").1, Err(Cause::Reply), "16385 bytes");
        assert_eq!(
            run(Some("lbd"), b"E\0\0\x40\x04").1,
            Err(Cause::Closed),
            "16384 bytes may come"
        );
    }
    #[test]
    fn tls_is_asked_for_first_and_the_user_comes_over_it() {
        let over_tls =
            |user: Option<&str>, input: &[u8]| run_in_pieces(|| Postgres::new(user.map(Arc::from), true), input);
        let asked = b"\0\0\0\x08\x04\xd2\x16\x2f";
        assert_eq!(over_tls(None, b"S"), ([&asked[..], SHAKEN].concat(), Ok(&b""[..])));
        let (sent, result) = over_tls(Some("lbd"), b"SR\0\0\0\x0c\0\0\0\x05salt");
        assert_eq!(result, Ok(&b""[..]));
        let startup = b"\0\0\0\x2d\0\x03\0\0user\0lbd\0application_name\0lbd-probe\0\0";
        assert_eq!(sent, [&asked[..], SHAKEN, startup].concat());
        for (answer, cause) in [
            (&b"N"[..], Cause::StarttlsMissing),
            (&error("0A000"), Cause::Reply),
            (b"HTTP/1.1 400", Cause::Reply),
            (b"", Cause::Closed),
        ] {
            let (sent, result) = over_tls(Some("lbd"), answer);
            assert_eq!(
                (sent.as_slice(), result),
                (&asked[..], Err(cause)),
                "{}",
                answer.escape_ascii()
            );
        }
        assert_eq!(over_tls(Some("lbd"), b"SN").1, Err(Cause::Reply), "no login");
    }
}

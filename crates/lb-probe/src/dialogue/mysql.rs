use super::{Dialogue, Turn};
use lb_health::Cause;
use std::sync::Arc;

/// The client's side of a MySQL connection, as far as a probe needs it.
///
/// Source: MySQL Internals, "Connection Phase": a packet is a length of three bytes, a number, and the payload.
#[derive(Debug)]
pub(crate) struct Mysql {
    user: Option<Arc<str>>,
    starttls: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    /// The server was told that TLS follows; it says nothing to that. The number of the next packet.
    TlsAsked(u8),
    Secured(u8),
    LoggedIn,
    /// The server asked for another way to log in, once.
    Switched,
}

impl Mysql {
    pub(crate) fn new(user: Option<Arc<str>>, starttls: bool) -> Self {
        Self {
            user,
            starttls,
            state: State::Greeting,
        }
    }

    /// What follows the greeting, in clear or over TLS.
    fn log_in(&mut self, number: u8) -> Turn {
        match &self.user {
            None => Turn::Done(b""),
            Some(user) => {
                self.state = State::LoggedIn;
                Turn::Send(packet(number, &login(user, self.starttls)))
            }
        }
    }
}

impl Dialogue for Mysql {
    fn turn(&mut self, input: &mut Vec<u8>) -> Result<Turn, Cause> {
        match self.state {
            State::TlsAsked(number) => {
                self.state = State::Secured(number);
                return Ok(Turn::Tls);
            }
            State::Secured(number) => return Ok(self.log_in(number)),
            State::Greeting | State::LoggedIn | State::Switched => {}
        }
        let Some((number, payload)) = take_packet(input)? else {
            return Ok(Turn::Read);
        };
        let reply = number.wrapping_add(1);
        match (self.state, payload.first()) {
            (State::Greeting, Some(&PROTOCOL_10)) if self.starttls => {
                let capabilities = capabilities(&payload).ok_or(Cause::Reply)?;
                if capabilities & SSL == 0 {
                    return Err(Cause::StarttlsMissing);
                }
                self.state = State::TlsAsked(reply.wrapping_add(1));
                Ok(Turn::Send(packet(reply, &login_head(true))))
            }
            (State::Greeting, Some(&PROTOCOL_10)) => Ok(self.log_in(reply)),
            (State::LoggedIn | State::Switched, Some(&OK)) => Ok(Turn::Done(QUIT)),
            // another plugin: an empty password looks the same in all of them
            (State::LoggedIn, Some(&SWITCH)) => {
                self.state = State::Switched;
                Ok(Turn::Send(packet(reply, &[])))
            }
            _ => Err(Cause::Reply),
        }
    }
}

/// The lower half of what the server of this greeting can: it stands behind the version and its zero, the number of the
/// connection, eight bytes for the password's proof, and a zero.
fn capabilities(greeting: &[u8]) -> Option<u32> {
    let zero = greeting.iter().position(|byte| *byte == 0)?;
    let behind = greeting.get(zero.saturating_add(1 + 4 + 8 + 1)..)?;
    behind.first_chunk().map(|half| u32::from(u16::from_le_bytes(*half)))
}

/// A whole packet, taken out of `input`.
fn take_packet(input: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>, Cause> {
    let Some(&[low, middle, high, number]) = input.first_chunk::<4>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_le_bytes([low, middle]));
    if high != 0 || len > PACKET_MOST {
        return Err(Cause::Reply);
    }
    let end = len.saturating_add(4);
    if input.len() < end {
        return Ok(None);
    }
    let payload = input.drain(..end).skip(4).collect();
    Ok(Some((number, payload)))
}

fn packet(number: u8, payload: &[u8]) -> Vec<u8> {
    // what is sent here has far less than 64 KiB
    let len = u16::try_from(payload.len()).unwrap_or(u16::MAX).to_le_bytes();
    [&len[..], &[0, number], payload].concat()
}

/// HandshakeResponse41 with an empty password.
fn login(user: &str, over_tls: bool) -> Vec<u8> {
    let mut payload = login_head(over_tls);
    payload.extend(user.as_bytes());
    payload.extend([0, 0]); // end of the name; length of the password's proof
    payload.extend(b"mysql_native_password\0");
    payload
}

/// What a login begins with. Alone, and with `SSL` in it, it is SSLRequest: TLS follows.
fn login_head(over_tls: bool) -> Vec<u8> {
    let mut payload = Vec::new();
    let tls = if over_tls { SSL } else { 0 };
    payload.extend((LONG_PASSWORD | PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH | tls).to_le_bytes());
    payload.extend((1_u32 << 24).to_le_bytes()); // largest packet
    payload.push(UTF8);
    payload.extend([0; 23]);
    payload
}

/// Greetings have about 100 bytes, errors at most 512 of text.
const PACKET_MOST: usize = 4_096;
const PROTOCOL_10: u8 = 10;
const OK: u8 = 0;
const SWITCH: u8 = 0xfe;
/// COM_QUIT, the first packet of a command.
const QUIT: &[u8] = &[1, 0, 0, 0, 1];
const LONG_PASSWORD: u32 = 1;
const PROTOCOL_41: u32 = 0x200;
const SSL: u32 = 0x800;
const SECURE_CONNECTION: u32 = 0x8000;
const PLUGIN_AUTH: u32 = 0x8_0000;
/// utf8_general_ci.
const UTF8: u8 = 33;

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAKEN, run_in_pieces};
    use super::*;

    fn run(user: Option<&str>, input: &[u8]) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        run_in_pieces(|| Mysql::new(user.map(Arc::from), false), input)
    }

    const GREETING: &[u8] = b"\x0a\0\0\0\x0a5.5.5-10.";

    #[test]
    fn a_greeting_is_enough_without_a_user() {
        assert_eq!(run(None, GREETING), (Vec::new(), Ok(&b""[..])));
        // error 1129, "Host is blocked", and 1040, "Too many connections", come instead of a greeting
        assert_eq!(
            run(None, b"\x07\0\0\0\xff\x69\x04Host"),
            (Vec::new(), Err(Cause::Reply))
        );
        assert_eq!(run(None, b"\x01\0\0\0\x09").1, Err(Cause::Reply));
        assert_eq!(run(None, b"\0\0\0\0").1, Err(Cause::Reply));
        assert_eq!(run(None, b"\x0a\0\0\0\x0a5.5").1, Err(Cause::Closed));
        assert_eq!(run(None, b"SSH-2.0-OpenSSH_9.2p1\r\n").1, Err(Cause::Reply));
    }

    #[test]
    fn a_user_is_logged_in_and_out_again() {
        let (sent, result) = run(Some("lbd"), &[GREETING, b"\x07\0\0\x02\0\0\0\x02\0\0\0"].concat());
        assert_eq!(result, Ok(&b"\x01\0\0\0\x01"[..]));
        // 4 + 4 + 1 + 23 bytes, the name, two zeros, the plugin and its zero
        assert_eq!(sent.get(..4), Some(&[32 + 3 + 2 + 22, 0, 0, 1][..]));
        assert!(sent.ends_with(b"lbd\0\0mysql_native_password\0"));
        let denied = [GREETING, b"\x05\0\0\x02\xff\x15\x04no"].concat();
        assert_eq!(run(Some("lbd"), &denied).1, Err(Cause::Reply));
    }

    #[test]
    fn another_way_to_log_in_is_followed_once() {
        let switch = b"\x05\0\0\x02\xfeabc\0";
        let good = [GREETING, switch, b"\x01\0\0\x04\0"].concat();
        let (sent, result) = run(Some("lbd"), &good);
        assert!(result.is_ok() && sent.ends_with(&[0, 0, 0, 3]));
        let again = [GREETING, switch, b"\x05\0\0\x04\xfeabc\0"].concat();
        assert_eq!(run(Some("lbd"), &again).1, Err(Cause::Reply));
    }

    #[test]
    fn a_packet_has_a_largest_size() {
        let packet = |len: u16| [&len.to_le_bytes()[..], &[0, 0, 10], &vec![1; usize::from(len)]].concat();
        assert!(run(None, &packet(4_096)).1.is_ok());
        assert_eq!(run(None, &packet(4_097)).1, Err(Cause::Reply));
        assert_eq!(run(None, &[0, 0, 1, 0]).1, Err(Cause::Reply));
    }
    /// A greeting of a server that can do this.
    fn greeting(capabilities: u16) -> Vec<u8> {
        let mut payload = b"\x0a5.5.5-10.11\0".to_vec();
        payload.extend([1, 0, 0, 0]); // number of the connection
        payload.extend(b"abcdefgh\0");
        payload.extend(capabilities.to_le_bytes());
        payload.extend(b"more");
        packet(0, &payload)
    }

    fn run_over_tls(user: Option<&str>, input: &[u8]) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        run_in_pieces(|| Mysql::new(user.map(Arc::from), true), input)
    }

    /// A request for TLS: 32 bytes, the first after the greeting. Capabilities 0x00088a01.
    const SSL_REQUEST: &[u8] = &[
        32, 0, 0, 1, 0x01, 0x8a, 0x08, 0, 0, 0, 0, 1, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0,
    ];

    #[test]
    fn tls_follows_the_greeting_and_the_login_comes_over_it() {
        let (sent, result) = run_over_tls(None, &greeting(0xf7ff | 0x800));
        assert_eq!((sent, result), ([SSL_REQUEST, SHAKEN].concat(), Ok(&b""[..])));
        let accepted = [greeting(0x800), b"\x07\0\0\x03\0\0\0\x02\0\0\0".to_vec()].concat();
        let (sent, result) = run_over_tls(Some("lbd"), &accepted);
        assert_eq!(result, Ok(&b"\x01\0\0\0\x01"[..]));
        let login = sent.strip_prefix([SSL_REQUEST, SHAKEN].concat().as_slice()).unwrap();
        // the third packet; the same 32 bytes once more, then the name
        assert_eq!(login.get(..4), Some(&[32 + 3 + 2 + 22, 0, 0, 2][..]));
        assert_eq!(login.get(4..36), SSL_REQUEST.get(4..36));
        assert!(login.ends_with(b"lbd\0\0mysql_native_password\0"));
    }

    #[test]
    fn a_server_without_tls_is_not_told_the_user() {
        let (sent, result) = run_over_tls(Some("lbd"), &greeting(0xf7ff));
        assert_eq!((sent, result), (Vec::new(), Err(Cause::StarttlsMissing)));
        // an error instead of a greeting, and greetings that end too early
        assert_eq!(run_over_tls(None, b"\x07\0\0\0\xff\x69\x04Host").1, Err(Cause::Reply));
        assert_eq!(run_over_tls(None, GREETING).1, Err(Cause::Reply));
        let whole = greeting(0x800);
        for len in 0..whole.len() {
            let cut = whole.get(..len).unwrap();
            assert_eq!(run_over_tls(None, cut), (Vec::new(), Err(Cause::Closed)), "{len}");
        }
        let payload = whole.get(4..).unwrap();
        // 13 bytes of version, 4, 8, 1 and 2 make 28: the flags are there or they are not
        for len in 1..payload.len() {
            let short = packet(0, payload.get(..len).unwrap());
            assert_eq!(run_over_tls(None, &short).1.is_ok(), len >= 28, "{len}");
        }
    }
}

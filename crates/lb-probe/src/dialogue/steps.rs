use super::{Dialogue, Turn};
use crate::Step;
use lb_health::Cause;
use std::sync::Arc;

/// One step, of a user or of a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Send(Vec<u8>),
    /// These bytes, sooner or later.
    Bytes(Vec<u8>),
    /// A line that begins with one of these.
    Line(&'static [&'static str]),
    /// A reply of SMTP with this code, of one line or several: RFC 5321, section 4.2.1.
    Code(&'static str),
    /// The same with 250, with STARTTLS in one of its lines: RFC 3207, section 4.
    Offer,
    /// The answer to STARTTLS, 220; then TLS begins.
    Tls,
    /// The last step: a farewell.
    Goodbye(&'static [u8]),
}

impl From<Step> for Wanted {
    fn from(step: Step) -> Self {
        match step {
            Step::Send(bytes) => Self::Send(bytes),
            Step::Expect(bytes) => Self::Bytes(bytes),
        }
    }
}

/// Steps taken one after the other.
#[derive(Debug)]
pub(crate) struct Steps {
    steps: Arc<[Wanted]>,
    at: usize,
    /// So many bytes of the input were searched already.
    searched: usize,
    heard: bool,
    /// STARTTLS stood in the reply that is being read.
    offered: bool,
}

impl Steps {
    pub(crate) fn new(steps: Arc<[Wanted]>) -> Self {
        Self {
            steps,
            at: 0,
            searched: 0,
            heard: false,
            offered: false,
        }
    }

    /// `PING` of redis. The protocol's errors begin with a minus sign.
    pub(crate) fn redis() -> Arc<[Wanted]> {
        Arc::new([Wanted::Send(b"PING\r\n".to_vec()), Wanted::Line(&["+PONG", "-NOAUTH"])])
    }

    /// `version` of memcached's text protocol.
    pub(crate) fn memcached() -> Arc<[Wanted]> {
        Arc::new([
            Wanted::Send(b"version\r\n".to_vec()),
            Wanted::Line(&["VERSION "]),
            Wanted::Goodbye(b"quit\r\n"),
        ])
    }

    /// Greeting, EHLO, QUIT: RFC 5321, sections 3.1 and 4.1.1.
    pub(crate) fn smtp() -> Arc<[Wanted]> {
        Arc::new([
            Wanted::Code("220"),
            Wanted::Send(b"EHLO localhost\r\n".to_vec()),
            Wanted::Code("250"),
            Wanted::Goodbye(b"QUIT\r\n"),
        ])
    }

    /// Greeting, EHLO, STARTTLS, and over TLS EHLO and QUIT: RFC 3207, sections 4 and 4.2. What the server said of itself
    /// before is forgotten.
    pub(crate) fn smtp_starttls() -> Arc<[Wanted]> {
        let hello = || Wanted::Send(b"EHLO localhost\r\n".to_vec());
        Arc::new([
            Wanted::Code("220"),
            hello(),
            Wanted::Offer,
            Wanted::Send(b"STARTTLS\r\n".to_vec()),
            Wanted::Tls,
            hello(),
            Wanted::Code("250"),
            Wanted::Goodbye(b"QUIT\r\n"),
        ])
    }

    fn next(&mut self) {
        self.at = self.at.saturating_add(1);
        self.searched = 0;
        self.heard = false;
        self.offered = false;
    }
}

impl Dialogue for Steps {
    fn turn(&mut self, input: &mut Vec<u8>) -> Result<Turn, Cause> {
        let steps = Arc::clone(&self.steps);
        loop {
            self.heard |= !input.is_empty();
            match steps.get(self.at) {
                None => return Ok(Turn::Done(b"")),
                Some(Wanted::Goodbye(bytes)) => return Ok(Turn::Done(bytes)),
                Some(Wanted::Send(bytes)) => {
                    self.next();
                    return Ok(Turn::Send(bytes.clone()));
                }
                Some(Wanted::Bytes(bytes)) => {
                    // they may have begun in what was searched before
                    let from = self.searched.saturating_sub(bytes.len());
                    let unsearched = input.get(from..).unwrap_or_default();
                    let found = unsearched.windows(bytes.len().max(1)).position(|part| part == bytes);
                    let Some(place) = found else {
                        self.searched = input.len();
                        return Ok(Turn::Read);
                    };
                    let end = from.saturating_add(place).saturating_add(bytes.len());
                    input.drain(..end.min(input.len()));
                    self.next();
                }
                Some(wanted) => {
                    let Some(line) = take_line(input)? else {
                        return Ok(Turn::Read);
                    };
                    match wanted {
                        Wanted::Line(beginnings)
                            if !beginnings.iter().any(|text| line.starts_with(text.as_bytes())) =>
                        {
                            return Err(Cause::Reply);
                        }
                        Wanted::Code(code) if ends_reply(code, &line)? => self.next(),
                        Wanted::Offer => {
                            let is_last = ends_reply("250", &line)?;
                            let word = line.get(4..).unwrap_or_default();
                            self.offered |= word.trim_ascii().eq_ignore_ascii_case(b"STARTTLS");
                            match (is_last, self.offered) {
                                (true, true) => self.next(),
                                (true, false) => return Err(Cause::StarttlsMissing),
                                (false, _) => {}
                            }
                        }
                        Wanted::Tls if matches!(line.first(), Some(b'4' | b'5')) => {
                            return Err(Cause::StarttlsRefused);
                        }
                        Wanted::Tls if ends_reply("220", &line)? => {
                            self.next();
                            return Ok(Turn::Tls);
                        }
                        Wanted::Code(_) | Wanted::Tls => {} // another line follows
                        _ => self.next(),
                    }
                }
            }
        }
    }

    fn late(&self, _input: &[u8]) -> Cause {
        // something came, and it was not what was waited for
        if self.waits_for_bytes() && self.heard {
            Cause::Reply
        } else {
            Cause::Silent
        }
    }

    fn cut(&self, _input: &[u8]) -> Cause {
        if self.waits_for_bytes() && self.heard {
            Cause::Reply
        } else {
            Cause::Closed
        }
    }
}

impl Steps {
    fn waits_for_bytes(&self) -> bool {
        matches!(self.steps.get(self.at), Some(Wanted::Bytes(_)))
    }
}

/// Is this line of a reply with `code` its last one?
fn ends_reply(code: &str, line: &[u8]) -> Result<bool, Cause> {
    match line.strip_prefix(code.as_bytes()) {
        Some([b'-', ..]) => Ok(false),
        Some([] | [b' ', ..]) => Ok(true),
        None | Some(_) => Err(Cause::Reply),
    }
}

/// A whole line without its end, taken out of `input`.
fn take_line(input: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Cause> {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
        return if input.len() > LINE_MOST {
            Err(Cause::Reply)
        } else {
            Ok(None)
        };
    };
    let mut line: Vec<u8> = input.drain(..=end).collect();
    line.pop();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

/// Twice what SMTP allows (RFC 5321, section 4.5.3.1.5); redis and memcached answer with less.
const LINE_MOST: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAKEN, run_in_pieces};
    use super::*;

    fn steps(steps: &Arc<[Wanted]>, input: &[u8]) -> (Vec<u8>, Result<&'static [u8], Cause>) {
        run_in_pieces(|| Steps::new(Arc::clone(steps)), input)
    }

    #[test]
    fn redis_says_pong_or_asks_for_a_password() {
        for (reply, result) in [
            (&b"+PONG\r\n"[..], Ok(&b""[..])),
            (b"-NOAUTH Authentication required.\r\n", Ok(b"")),
            (
                b"-LOADING Redis is loading the dataset in memory\r\n",
                Err(Cause::Reply),
            ),
            (b"-ERR unknown command 'PING'\r\n", Err(Cause::Reply)),
            (b"HTTP/1.1 400 Bad Request\r\n", Err(Cause::Reply)),
            (b"\r\n", Err(Cause::Reply)),
            (b"+PON", Err(Cause::Closed)),
            (b"", Err(Cause::Closed)),
        ] {
            assert_eq!(
                steps(&Steps::redis(), reply),
                (b"PING\r\n".to_vec(), result),
                "{}",
                reply.escape_ascii()
            );
        }
    }

    #[test]
    fn memcached_tells_its_version_and_is_left_politely() {
        let (sent, result) = steps(&Steps::memcached(), b"VERSION 1.6.18\r\n");
        assert_eq!((sent, result), (b"version\r\n".to_vec(), Ok(&b"quit\r\n"[..])));
        assert_eq!(
            steps(&Steps::memcached(), b"SERVER_ERROR out of memory\r\n").1,
            Err(Cause::Reply)
        );
    }

    #[test]
    fn smtp_greets_in_one_line_or_several() {
        let hello = b"EHLO localhost\r\n".to_vec();
        for good in [
            &b"220 mx.example.com ESMTP\r\n250 hello\r\n"[..],
            b"220-mx\r\n220-no spam\r\n220 go\r\n250-mx\r\n250-SIZE\r\n250 HELP\r\n",
            b"220\r\n250\r\n",
            b"220 bare\n250 line feeds\n",
        ] {
            assert_eq!(steps(&Steps::smtp(), good), (hello.clone(), Ok(&b"QUIT\r\n"[..])));
        }
        assert_eq!(
            steps(&Steps::smtp(), b"421 too busy\r\n"),
            (Vec::new(), Err(Cause::Reply))
        );
        assert_eq!(steps(&Steps::smtp(), b"2200 x\r\n").1, Err(Cause::Reply));
        assert_eq!(
            steps(&Steps::smtp(), b"220 x\r\n502 no\r\n"),
            (hello, Err(Cause::Reply))
        );
    }

    #[test]
    fn smtp_goes_over_to_tls_and_greets_again() {
        let steps = |input: &[u8]| steps(&Steps::smtp_starttls(), input);
        let hello = &b"EHLO localhost\r\n"[..];
        let asked = [hello, b"STARTTLS\r\n"].concat();
        let whole = [&asked[..], SHAKEN, hello].concat();
        for good in [
            &b"220 mx\r\n250-mx\r\n250-SIZE 1\r\n250-STARTTLS\r\n250 HELP\r\n220 go\r\n250 mx\r\n"[..],
            b"220 mx\n250-mx\n250 starttls \n220\n250\n",
            b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220-ready\r\n220 go\r\n250-mx\r\n250 HELP\r\n",
        ] {
            assert_eq!(
                steps(good),
                (whole.clone(), Ok(&b"QUIT\r\n"[..])),
                "{}",
                good.escape_ascii()
            );
        }
        let good = b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n220 go\r\n250 mx\r\n";
        for len in 0..good.len() {
            assert_eq!(steps(good.get(..len).unwrap()).1, Err(Cause::Closed), "{len}");
        }
        for (without, cause) in [
            (&b"220 mx\r\n250-mx\r\n250 HELP\r\n"[..], Cause::StarttlsMissing),
            (b"220 mx\r\n250-mx\r\n250 XSTARTTLS\r\n", Cause::StarttlsMissing),
            (b"220 mx\r\n250-mx\r\n250-STARTTLS\r\n500 no\r\n", Cause::Reply),
            (b"220 mx\r\n502 no\r\n", Cause::Reply),
        ] {
            assert_eq!(
                steps(without),
                (hello.to_vec(), Err(cause)),
                "{}",
                without.escape_ascii()
            );
        }
        for (answer, cause) in [
            (
                &b"454 TLS not available due to temporary reason\r\n"[..],
                Cause::StarttlsRefused,
            ),
            (b"501 Syntax error\r\n", Cause::StarttlsRefused),
            (b"250 go\r\n", Cause::Reply),
            (b"2200 go\r\n", Cause::Reply),
            (b"\r\n", Cause::Reply),
            (b"220-go\r\n", Cause::Closed),
        ] {
            let input = [b"220 mx\r\n250-mx\r\n250 STARTTLS\r\n", answer].concat();
            assert_eq!(steps(&input), (asked.clone(), Err(cause)), "{}", answer.escape_ascii());
        }
    }

    #[test]
    fn bytes_are_found_over_any_split_and_in_their_order() {
        let want: Arc<[Wanted]> = Arc::new([
            Wanted::Bytes(b"aab".to_vec()),
            Wanted::Send(b"x".to_vec()),
            Wanted::Bytes(b"c".to_vec()),
        ]);
        assert_eq!(steps(&want, b"aaaabc"), (b"x".to_vec(), Ok(&b""[..])));
        assert_eq!(steps(&want, b"caab"), (b"x".to_vec(), Err(Cause::Closed)));
        assert_eq!(steps(&want, b"aaa"), (Vec::new(), Err(Cause::Reply)));
        assert_eq!(steps(&want, b""), (Vec::new(), Err(Cause::Closed)));
    }

    #[test]
    fn a_line_without_an_end_is_refused_at_its_limit() {
        let line = |len| vec![b'+'; len];
        assert_eq!(steps(&Steps::redis(), &line(1_024)).1, Err(Cause::Closed));
        assert_eq!(steps(&Steps::redis(), &line(1_025)).1, Err(Cause::Reply));
    }

    #[test]
    fn late_is_wrong_only_when_something_else_was_said() {
        let mut dialogue = Steps::new(Arc::new([Wanted::Bytes(b"yes".to_vec())]));
        assert_eq!(dialogue.turn(&mut Vec::new()), Ok(Turn::Read));
        assert_eq!(dialogue.late(b""), Cause::Silent);
        assert_eq!(dialogue.turn(&mut b"no".to_vec()), Ok(Turn::Read));
        assert_eq!(dialogue.late(b"no"), Cause::Reply);
    }
}

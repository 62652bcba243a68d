use super::chunked::Chunked;
use super::conn::{Conn, Message, Part, Role, Step};
use super::error::Error;
use super::framing::{Framing, announced, length};
use super::limits::{EMPTY_LINES_MAX, FIELDS_MAX, METHOD_MAX, QueryCharacters};
use super::options::Options;
use super::request::{
    check_host, check_request_line, field_fault, head_fault, not_http, parse_request, parse_with_any_query,
    skip_empty_lines, translate, whole_request,
};
use super::response::{check_status_line, parse_response, whole_response};
use super::scan::{Bounds, Scan};
use super::state::Reading;
use super::target::{Form, must_be_encoded};
use super::tolerant::{self, Parsing};
use super::trailer;
use crate::head::name::Name;
use crate::{Head, Kind, Version, upgrade};
use core::hint::cold_path;

impl Conn {
    /// Reads a start line and its fields into `head`.
    ///
    /// A server gets requests with the target in origin form (or `*`) and, where the version
    /// asks for it, exactly one sound `Host`. A client gets interim responses too; after them it
    /// calls again. However often this is called, the work grows with the bytes and not with the calls; nothing is
    /// allocated when `head` is large enough.
    ///
    /// # Errors
    /// Any [`Error`]; those in front of the empty line are found without waiting for it.
    pub fn read_head(&mut self, input: &[u8], head: &mut Head) -> Result<Step<Message>, Error> {
        if self.reading != Reading::Head || (self.role == Role::Server && self.has_request) {
            cold_path();
            return Err(Error::OutOfTurn("read_head inside a message"));
        }
        let result = match self.role {
            Role::Server => self.read_request(input, head),
            Role::Client if self.has_request => self.read_response(input, head),
            Role::Client => {
                cold_path();
                head.clear();
                if input.is_empty() {
                    return Ok(Step::NeedMore);
                }
                Err(Error::Unsolicited)
            }
        };
        result.map_err(|error| {
            cold_path();
            self.fail(error)
        })
    }

    /// How many bytes at the front of `input` are empty lines before a request (RFC 9112, section 2.2): old clients send
    /// one behind a request body. The caller drops them, and has nothing in hand then; they count against the two that
    /// may stand there, however they came. 0 inside a message, and for a client.
    pub fn skip_empty_lines(&mut self, input: &[u8]) -> usize {
        if self.role == Role::Client || self.reading != Reading::Head || self.has_request || self.scan.is_under_way() {
            return 0;
        }
        let (left, _) = input.as_chunks();
        let room = EMPTY_LINES_MAX.saturating_sub(usize::from(self.empty_lines));
        let lines = left.iter().take(room).take_while(|pair| *pair == b"\r\n").count();
        self.empty_lines = self.empty_lines.saturating_add(lines as u8);
        lines.saturating_mul(2)
    }

    /// Reads a piece of the body. Payload is not copied: the answer says where it stands.
    ///
    /// # Errors
    /// [`Error`] for malformed chunks and bodies above the limit; [`Error::OutOfTurn`] before a head.
    pub fn read_body(&mut self, input: &[u8]) -> Result<Part, Error> {
        match self.reading {
            Reading::Length => {
                let len = usize::try_from(self.read_left).map_or(input.len(), |left| left.min(input.len()));
                if len == 0 {
                    return Ok(Part::NeedMore { skip: 0 });
                }
                self.read_left = self.read_left.saturating_sub(len as u64);
                if self.read_left == 0 {
                    self.reading = Reading::Done;
                }
                Ok(Part::Data { skip: 0, len })
            }
            Reading::Chunked => {
                let part = match self.chunked.read(input, self.role, &self.limits, &mut self.read_total) {
                    Ok(part) => part,
                    Err(error) => return Err(self.fail(error)),
                };
                if matches!(part, Part::Trailers { .. }) {
                    self.reading = Reading::Trailers;
                }
                Ok(part)
            }
            Reading::UntilClose if input.is_empty() => Ok(Part::NeedMore { skip: 0 }),
            Reading::UntilClose => {
                let room = self
                    .limits
                    .body_bytes
                    .map_or(u64::MAX, |limit| limit.saturating_sub(self.read_total));
                let len = usize::try_from(room).map_or(input.len(), |room| room.min(input.len()));
                if len == 0 {
                    return Err(self.fail(Error::BodyTooLarge { limit: self.read_total }));
                }
                self.read_total = self.read_total.saturating_add(len as u64);
                Ok(Part::Data { skip: 0, len })
            }
            Reading::Trailers => Ok(Part::Trailers { skip: 0 }),
            Reading::Done => Ok(Part::End { skip: 0 }),
            Reading::Head | Reading::Tunnel | Reading::Failed => Err(Error::OutOfTurn("read_body outside a body")),
        }
    }

    /// Reads the trailer section into `trailers`, without the fields that must not stand there
    /// (RFC 9110, section 6.5.1). The answer says how many bytes it took; the message is then complete.
    ///
    /// # Errors
    /// [`Error`] for malformed lines and sections above the limits; [`Error::OutOfTurn`] unless
    /// [`Part::Trailers`] came before.
    pub fn read_trailers(&mut self, input: &[u8], trailers: &mut Head) -> Result<Step<usize>, Error> {
        if self.reading != Reading::Trailers {
            return Err(Error::OutOfTurn("read_trailers before the last chunk"));
        }
        self.read_trailer_section(input, trailers)
            .map_err(|error| self.fail(error))
    }

    /// The other side has closed its direction.
    ///
    /// # Errors
    /// [`Error::Truncated`] when a message was under way that does not end this way, or when a
    /// response is due.
    pub fn read_eof(&mut self) -> Result<(), Error> {
        self.ended = true;
        let response_is_due = self.role == Role::Client && self.has_request;
        match self.reading {
            Reading::Head if self.scan.is_under_way() || response_is_due => Err(self.fail(Error::Truncated)),
            Reading::Length | Reading::Chunked | Reading::Trailers => Err(self.fail(Error::Truncated)),
            Reading::UntilClose => {
                self.reading = Reading::Done;
                Ok(())
            }
            Reading::Head | Reading::Done | Reading::Tunnel | Reading::Failed => Ok(()),
        }
    }

    fn read_request(&mut self, input: &[u8], head: &mut Head) -> Result<Step<Message>, Error> {
        // Most heads arrive in one piece and are in order.
        let whole = if self.scan.is_under_way() {
            None
        } else {
            whole_request(input, head, &self.limits)
        };
        let (end, form) = match whole {
            Some(found) => found,
            None => {
                cold_path();
                match self.scan_request(input, head)? {
                    Some(found) => found,
                    None => return Ok(Step::NeedMore),
                }
            }
        };
        self.to_head = head.is_head_method();
        check_host(head, form)?;
        if self.limits.query_characters == QueryCharacters::Encode {
            cold_path();
            self.encode_query(head)?;
        }
        if head.has(Name::FramingAlias) {
            cold_path();
            return Err(Error::FramingAlias);
        }
        let options = Options::read(head)?;
        if options.names_framing {
            cold_path();
            return Err(Error::ConnectionOption);
        }
        let framing = announced(head)?.unwrap_or(Framing::Empty);
        self.check_length(framing)?;
        if head.has(Name::Expect) {
            cold_path();
            let is_met = |v: &[u8]| v.eq_ignore_ascii_case(b"100-continue");
            if head.version() == Version::Http11 && !head.values(Name::Expect).all(is_met) {
                return Err(Error::Expectation);
            }
        }
        self.keep_alive = options.keeps(head.version());
        self.offered_upgrade = upgrade::wanted(head).is_some();
        self.has_request = true;
        Ok(Step::Ready(self.begin_body(head.version(), end, framing)))
    }

    #[inline(never)]
    fn encode_query(&self, head: &mut Head) -> Result<(), Error> {
        let limit = self.limits.target_bytes;
        match head.encode_query(must_be_encoded) {
            Ok(()) if head.target().len() <= limit => Ok(()),
            _ => Err(Error::TargetTooLong { limit }),
        }
    }

    /// Looks for the end of the head, line by line, and refuses it for its first mistake whether or not
    /// the rest has arrived. Says where the head ends in `input`.
    #[inline(never)]
    fn scan_request(&mut self, input: &[u8], head: &mut Head) -> Result<Option<(usize, Form)>, Error> {
        head.clear();
        let Some(start) = skip_empty_lines(input, usize::from(self.empty_lines))? else {
            return Ok(None);
        };
        // A refused HEAD request is answered without a body too.
        self.to_head = input.get(start..).is_some_and(|rest| rest.starts_with(b"HEAD "));
        let target_bytes = self.limits.target_bytes;
        let bounds = Bounds {
            bytes: self.limits.head_bytes,
            first_line: target_bytes
                .saturating_add(METHOD_MAX)
                .saturating_add(b"  HTTP/1.1".len()),
            lines: self.limits.fields.min(FIELDS_MAX).saturating_add(1),
            bare_lf: false,
            too_large: Error::HeadTooLarge {
                limit: self.limits.head_bytes,
            },
            first_too_long: Error::TargetTooLong { limit: target_bytes },
            too_many: Error::TooManyFields {
                limit: self.limits.fields.min(FIELDS_MAX),
            },
        };
        let Some(end) = self.scan.run(input, start, &bounds, check_request_line)? else {
            return Ok(None);
        };
        let raw = input.get(start..end).unwrap_or_default();
        let query = self.limits.query_characters;
        let (len, form) = match parse_request(raw, head, query) {
            // The tokeniser wants UTF-8.
            Err(Error::RequestLine) if query != QueryCharacters::Strict => parse_with_any_query(raw, head, query),
            parsed => parsed,
        }
        .map_err(|error| named(error, raw))?;
        if len != raw.len() {
            return Err(Error::RequestLine);
        }
        if head.target().len() > target_bytes {
            return Err(Error::TargetTooLong { limit: target_bytes });
        }
        Ok(Some((end, form)))
    }

    fn read_response(&mut self, input: &[u8], head: &mut Head) -> Result<Step<Message>, Error> {
        // Other protocols and older versions are found by their first bytes.
        if let Some(wrong) = input.iter().zip(b"HTTP/1.").position(|(a, b)| a != b) {
            cold_path();
            head.clear();
            return match wrong {
                0 => not_http(input).map_or(Ok(Step::NeedMore), Err),
                _ => Err(Error::StatusLine),
            };
        }
        let whole = if self.scan.is_under_way() {
            None
        } else {
            whole_response(input, head, &self.limits)
        };
        let end = match whole {
            Some(end) => end,
            None => {
                cold_path();
                match self.scan_response(input, head)? {
                    Some(end) => end,
                    None => return Ok(Step::NeedMore),
                }
            }
        };
        if head.status() < 200 {
            cold_path();
            return self.accept_interim(head, end).map(Step::Ready);
        }
        let announced = match announced(head) {
            Ok(announced) => announced,
            Err(error) => {
                cold_path();
                self.announced_all_the_same(head, error)?
            }
        };
        self.keep_alive &= Options::read(head)?.keeps(head.version());
        let framing = match (head.status(), announced) {
            (204 | 205, None | Some(Framing::Length(0))) => Framing::Empty,
            // Nobody can say where such a body ends: it has none, and what follows is not read.
            (204 | 205, Some(_)) => {
                self.keep_alive = false;
                Framing::Empty
            }
            (304, _) => Framing::Empty,
            _ if self.to_head => Framing::Empty,
            (_, Some(framing)) => framing,
            (_, None) => {
                self.keep_alive = false;
                Framing::UntilClose
            }
        };
        self.check_length(framing)?;
        Ok(Step::Ready(self.begin_body(head.version(), end, framing)))
    }

    /// The framing of a response that breaks the rules, when such ones are read.
    #[inline(never)]
    fn announced_all_the_same(&mut self, head: &mut Head, error: Error) -> Result<Option<Framing>, Error> {
        if self.limits.parsing != Parsing::Tolerant {
            return Err(error);
        }
        let (framing, is_last) = tolerant::announced(head)?;
        self.keep_alive &= !is_last;
        Ok(framing)
    }

    /// As [`scan_request`](Self::scan_request), for a response.
    #[inline(never)]
    fn scan_response(&mut self, input: &[u8], head: &mut Head) -> Result<Option<usize>, Error> {
        head.clear();
        let bounds = Bounds {
            bytes: self.limits.head_bytes,
            first_line: self.limits.head_bytes,
            lines: self.limits.fields.min(FIELDS_MAX).saturating_add(1),
            bare_lf: self.limits.parsing == Parsing::Tolerant,
            too_large: Error::HeadTooLarge {
                limit: self.limits.head_bytes,
            },
            first_too_long: Error::HeadTooLarge {
                limit: self.limits.head_bytes,
            },
            too_many: Error::TooManyFields {
                limit: self.limits.fields.min(FIELDS_MAX),
            },
        };
        let Some(end) = self.scan.run(input, 0, &bounds, check_status_line)? else {
            return Ok(None);
        };
        let raw = input.get(..end).unwrap_or_default();
        match parse_response(raw, head) {
            Ok(len) if len == end => Ok(Some(end)),
            Ok(_) => Err(Error::StatusLine),
            Err(_) if self.limits.parsing == Parsing::Tolerant => {
                let mended = tolerant::mend(raw, true)?;
                match parse_response(&mended, head) {
                    Ok(len) if len == mended.len() => Ok(Some(end)),
                    Ok(_) => Err(Error::StatusLine),
                    Err(error) => Err(named(error, &mended)),
                }
            }
            Err(error) => Err(named(error, raw)),
        }
    }

    /// 1xx: the final response is still to come, but for 101.
    #[inline(never)]
    fn accept_interim(&mut self, head: &Head, end: usize) -> Result<Message, Error> {
        let says_empty = !head.has(Name::TransferEncoding)
            && !head.is_repeated(Name::ContentLength)
            && head.known(Name::ContentLength).is_none_or(|v| length(v) == Ok(0));
        if !says_empty {
            return Err(Error::InterimBody);
        }
        if head.status() == 101 {
            if !self.offered_upgrade || head.version() == Version::Http10 || !head.has(Name::Upgrade) {
                return Err(Error::UnexpectedSwitch);
            }
            return Ok(self.begin_body(head.version(), end, Framing::Tunnel));
        }
        let limit = self.limits.interim;
        if self.interim >= limit {
            return Err(Error::TooManyInterim { limit });
        }
        self.interim = self.interim.saturating_add(1);
        self.scan = Scan::default();
        Ok(Message {
            len: end,
            framing: Framing::Empty,
        })
    }

    fn read_trailer_section(&mut self, input: &[u8], trailers: &mut Head) -> Result<Step<usize>, Error> {
        let limit = self.limits.trailer_bytes;
        let fields = self.limits.trailer_fields.min(FIELDS_MAX);
        let is_mended = self.role == Role::Client && self.limits.parsing == Parsing::Tolerant;
        let bounds = Bounds {
            bytes: limit,
            first_line: limit,
            lines: fields,
            bare_lf: is_mended,
            too_large: Error::TrailersTooLarge { limit },
            first_too_long: Error::TrailersTooLarge { limit },
            too_many: Error::TooManyTrailers { limit: fields },
        };
        let Some(end) = self.scan.run(input, 0, &bounds, |_| Ok(()))? else {
            return Ok(Step::NeedMore);
        };
        let mut raw = input.get(..end).unwrap_or_default();
        let mended;
        if is_mended {
            mended = tolerant::mend(raw, false)?;
            raw = &mended;
        }
        let mut table = [httparse::EMPTY_HEADER; FIELDS_MAX];
        match httparse::parse_headers(raw, &mut table) {
            Ok(httparse::Status::Complete((len, fields))) if len == raw.len() => {
                if !trailers.load(Kind::Trailers, Version::Http11, raw, 0, fields) {
                    return Err(field_fault(raw));
                }
            }
            Ok(_) | Err(httparse::Error::HeaderName) => return Err(field_fault(raw)),
            Err(error) => return Err(translate(error)),
        }
        trailers.retain(trailer::is_allowed);
        self.reading = Reading::Done;
        self.scan = Scan::default();
        Ok(Step::Ready(end))
    }

    #[inline]
    fn check_length(&self, framing: Framing) -> Result<(), Error> {
        match (framing, self.limits.body_bytes) {
            (Framing::Length(length), Some(limit)) if length > limit => {
                cold_path();
                Err(Error::BodyTooLarge { limit })
            }
            _ => Ok(()),
        }
    }

    fn begin_body(&mut self, version: Version, len: usize, framing: Framing) -> Message {
        self.peer_version = version;
        self.scan = Scan::default();
        self.reading = Reading::after_head(framing);
        self.read_total = 0;
        self.read_left = if let Framing::Length(length) = framing {
            length
        } else {
            0
        };
        self.chunked = Chunked::new();
        Message { len, framing }
    }
}

/// The error with the very rule, where the tokeniser has one word for several.
#[cold]
fn named(error: Error, raw: &[u8]) -> Error {
    if error == Error::FieldName {
        head_fault(raw)
    } else {
        error
    }
}

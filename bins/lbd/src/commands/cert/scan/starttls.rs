//! How protocols that begin in plain text are asked for TLS.

use super::args::Starttls;
use super::error::{ScanError, Stage};
use super::shown::{Line, contains};
use super::wire::Wire;

/// Speaks until the server is ready for the TLS hello. `host` is whom XMPP asks for.
pub(super) fn speak(wire: &mut Wire, protocol: Starttls, host: &str) -> Result<(), ScanError> {
    let mut talk = Talk { wire, protocol };
    match protocol {
        Starttls::Smtp => talk.smtp(),
        Starttls::Imap => talk.imap(),
        Starttls::Pop3 => talk.pop3(),
        Starttls::Ftp => talk.ftp(),
        Starttls::Ldap => talk.ldap(),
        Starttls::Postgres => talk.postgres(),
        Starttls::Mysql => talk.mysql(),
        Starttls::Xmpp => talk.xmpp(host),
    }
}

struct Talk<'a> {
    wire: &'a mut Wire,
    protocol: Starttls,
}

impl Talk<'_> {
    /// RFC 3207, section 4; the lines are those of RFC 5321, section 4.2.1.
    fn smtp(&mut self) -> Result<(), ScanError> {
        self.reply(self.greeting(), b"220")?;
        let ehlo = Stage::Answer("EHLO");
        self.wire.send(b"EHLO lbd\r\n", ehlo)?;
        let offers = self.reply(ehlo, b"250")?;
        if !offers.iter().any(|offer| offer.eq_ignore_ascii_case(b"STARTTLS")) {
            return Err(self.not_offered(ehlo));
        }
        let starttls = Stage::Answer("STARTTLS");
        self.wire.send(b"STARTTLS\r\n", starttls)?;
        self.reply(starttls, b"220").map(drop)
    }

    /// RFC 4217, section 4.
    fn ftp(&mut self) -> Result<(), ScanError> {
        self.reply(self.greeting(), b"220")?;
        let auth = Stage::Answer("AUTH TLS");
        self.wire.send(b"AUTH TLS\r\n", auth)?;
        self.reply(auth, b"234").map(drop)
    }

    /// The lines of an answer in numbers, without these; the last has a space behind its number. FTP's lines between the
    /// first and the last may have none (RFC 959, section 4.2).
    fn reply(&mut self, stage: Stage, wanted: &[u8]) -> Result<Vec<Vec<u8>>, ScanError> {
        let mut lines = Vec::new();
        let mut code: Option<Vec<u8>> = None;
        loop {
            let line = self.wire.line(b'\n', stage)?;
            let number = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit));
            let (Some(number), mark) = (number, line.get(3).copied().unwrap_or(b' ')) else {
                if code.is_some() && self.protocol == Starttls::Ftp {
                    continue;
                }
                return Err(self.unlike(stage, &line));
            };
            let code = code.get_or_insert_with(|| number.to_vec());
            if mark == b'-' || (self.protocol == Starttls::Ftp && code.as_slice() != number) {
                lines.push(line.get(4..).unwrap_or_default().to_vec());
            } else if mark != b' ' {
                return Err(self.unlike(stage, &line));
            } else if number == wanted {
                lines.push(line.get(4..).unwrap_or_default().to_vec());
                return Ok(lines);
            } else {
                return Err(self.refused(stage, &line));
            }
        }
    }

    /// RFC 9051, sections 6.2.1 and 7.1.
    fn imap(&mut self) -> Result<(), ScanError> {
        let greeting = self.greeting();
        let line = self.wire.line(b'\n', greeting)?;
        match () {
            () if begins(&line, b"* OK") => {}
            () if begins(&line, b"* BYE") || begins(&line, b"* PREAUTH") => return Err(self.refused(greeting, &line)),
            () => return Err(self.unlike(greeting, &line)),
        }
        let starttls = Stage::Answer("STARTTLS");
        self.wire.send(b"a1 STARTTLS\r\n", starttls)?;
        loop {
            let line = self.wire.line(b'\n', starttls)?;
            match () {
                () if begins(&line, b"a1 OK") => return Ok(()),
                () if begins(&line, b"* ") && !begins(&line, b"* BYE") => {}
                () if begins(&line, b"a1 ") || begins(&line, b"* ") => return Err(self.refused(starttls, &line)),
                () => return Err(self.unlike(starttls, &line)),
            }
        }
    }

    /// RFC 2595, section 4.
    fn pop3(&mut self) -> Result<(), ScanError> {
        self.status(self.greeting())?;
        let stls = Stage::Answer("STLS");
        self.wire.send(b"STLS\r\n", stls)?;
        self.status(stls)
    }

    fn status(&mut self, stage: Stage) -> Result<(), ScanError> {
        let line = self.wire.line(b'\n', stage)?;
        match () {
            () if begins(&line, b"+OK") => Ok(()),
            () if begins(&line, b"-ERR") => Err(self.refused(stage, &line)),
            () => Err(self.unlike(stage, &line)),
        }
    }

    /// The extended operation of RFC 4511, section 4.14: message 1, and the name of the operation.
    fn ldap(&mut self) -> Result<(), ScanError> {
        let stage = Stage::Answer("StartTLS");
        let mut request = vec![0x30, 29, 0x02, 1, 1, 0x77, 24, 0x80, 22];
        request.extend(b"1.3.6.1.4.1.1466.20037");
        self.wire.send(&request, stage)?;
        let head = self.wire.exactly(2, stage)?;
        let [0x30, length] = *head.as_slice() else {
            return Err(self.unlike(stage, &head));
        };
        // Lengths above 127 have as many bytes as the first says; two go to 65,535, which is more than is read.
        let length = match length {
            0..=0x7f => usize::from(length),
            0x81 | 0x82 | 0x84 => {
                let bytes = self.wire.exactly(usize::from(length & 0x7f), stage)?;
                bytes.iter().fold(0, |sum: usize, byte| sum << 8 | usize::from(*byte))
            }
            _ => return Err(self.unlike(stage, &head)),
        };
        let body = self.wire.exactly(length, stage)?;
        // Message 1, an extended response of any length, and first its result, an ENUMERATED of one byte.
        let response = body.strip_prefix(&[0x02, 1, 1, 0x78]);
        let response = response.and_then(|rest| match rest {
            [0..=0x7f, rest @ ..] | [0x81, _, rest @ ..] | [0x82, _, _, rest @ ..] | [0x84, _, _, _, _, rest @ ..] => {
                Some(rest)
            }
            _ => None,
        });
        match response {
            Some([0x0a, 1, 0, ..]) => Ok(()),
            Some([0x0a, 1, _, ..]) => Err(self.refused(stage, &body)),
            _ => Err(self.unlike(stage, &body)),
        }
    }

    /// "SSL Session Encryption" of PostgreSQL's protocol: a length, 1234 and 5679; then one byte.
    fn postgres(&mut self) -> Result<(), ScanError> {
        let stage = Stage::Answer("SSLRequest");
        self.wire.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], stage)?;
        match self.wire.exactly(1, stage)?.as_slice() {
            b"S" => Ok(()),
            answer @ (b"N" | b"E") => Err(self.refused(stage, answer)),
            answer => Err(self.unlike(stage, answer)),
        }
    }

    /// "Protocol::HandshakeV10" and "Protocol::SSLRequest" of MySQL's protocol.
    fn mysql(&mut self) -> Result<(), ScanError> {
        let stage = self.greeting();
        let head = self.wire.exactly(4, stage)?;
        let [low, middle, high, 0] = *head.as_slice() else {
            return Err(self.unlike(stage, &head));
        };
        let length = u32::from_le_bytes([low, middle, high, 0]);
        let body = self
            .wire
            .exactly(usize::try_from(length).unwrap_or(usize::MAX), stage)?;
        let rest = match body.as_slice() {
            [10, rest @ ..] => rest,
            // An error packet: a number of two bytes, then words.
            [0xff, _, _, words @ ..] => return Err(self.refused(stage, words)),
            _ => return Err(self.unlike(stage, &body)),
        };
        // The version ends with a zero; a thread's number, eight bytes of a scramble and a zero follow.
        let end = rest.iter().position(|byte| *byte == 0);
        let flags = end.and_then(|end| rest.get(end.checked_add(14)?..end.checked_add(16)?));
        let Some(&[low, high]) = flags else {
            return Err(self.unlike(stage, &body));
        };
        if u16::from_le_bytes([low, high]) & CLIENT_SSL == 0 {
            return Err(self.not_offered(stage));
        }
        let mut request = vec![32, 0, 0, 1];
        request.extend(u32::from(CLIENT_SSL | CLIENT_PROTOCOL_41 | CLIENT_SECURE_CONNECTION).to_le_bytes());
        request.extend((1_u32 << 24).to_le_bytes());
        request.push(UTF8);
        request.extend([0; 23]);
        self.wire.send(&request, Stage::Answer("SSLRequest"))
    }

    /// RFC 6120, sections 4.3.2 and 5.4.
    fn xmpp(&mut self, host: &str) -> Result<(), ScanError> {
        let stage = Stage::Answer("<stream:stream>");
        // The host has letters, digits, dots and colons only.
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        self.wire.send(open.as_bytes(), stage)?;
        let mut is_offered = false;
        let mut is_stream = false;
        loop {
            let tag = self.wire.line(b'>', stage)?;
            is_stream |= contains(&tag, b"<stream:stream");
            is_offered |= contains(&tag, b"<starttls");
            match () {
                () if contains(&tag, b"</stream:features") || contains(&tag, b"<stream:features/") => break,
                () if contains(&tag, b"<stream:error") => {
                    // What is wrong is the name of the next tag.
                    let error = self.wire.line(b'>', stage)?;
                    return Err(self.refused(stage, &error));
                }
                () if !is_stream && !contains(&tag, b"<?xml") => return Err(self.unlike(stage, &tag)),
                () => {}
            }
        }
        if !is_offered {
            return Err(self.not_offered(stage));
        }
        let stage = Stage::Answer("<starttls>");
        self.wire
            .send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", stage)?;
        let tag = self.wire.line(b'>', stage)?;
        if contains(&tag, b"<proceed") {
            // A server may close the element by a second tag.
            if !tag.ends_with(b"/") {
                return self.wire.line(b'>', stage).map(drop);
            }
            return Ok(());
        }
        Err(self.refused(stage, &tag))
    }

    const fn greeting(&self) -> Stage {
        Stage::Greeting(self.protocol)
    }

    fn unlike(&self, stage: Stage, line: &[u8]) -> ScanError {
        ScanError::Unlike {
            address: self.wire.address(),
            protocol: self.protocol,
            stage,
            line: Line::new(line),
        }
    }

    fn refused(&self, stage: Stage, line: &[u8]) -> ScanError {
        ScanError::Refused {
            address: self.wire.address(),
            stage,
            line: Line::new(line),
        }
    }

    fn not_offered(&self, stage: Stage) -> ScanError {
        ScanError::NotOffered {
            address: self.wire.address(),
            stage,
        }
    }
}

/// Words are the same in small and in capital letters.
fn begins(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word))
}

/// Capabilities of MySQL's protocol, each a bit.
const CLIENT_PROTOCOL_41: u16 = 0x0200;
const CLIENT_SSL: u16 = 0x0800;
const CLIENT_SECURE_CONNECTION: u16 = 0x8000;
/// A character set of MySQL: utf8_general_ci.
const UTF8: u8 = 33;

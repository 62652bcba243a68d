//! A connection of TLS whose records are written by hand once its handshake is done: any message, at any time.

use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, Iv, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::{Connection, ConnectionTrafficSecrets, ContentType, ProtocolVersion, SupportedCipherSuite};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// One connection; what is read of it is its payload.
pub(crate) struct Records {
    pub(crate) socket: TcpStream,
    encrypter: Box<dyn MessageEncrypter>,
    decrypter: Box<dyn MessageDecrypter>,
    sent: u64,
    received: u64,
    plain: Vec<u8>,
}

impl Records {
    /// Does the handshake; its configuration gives out the keys.
    pub(crate) fn over(conn: impl Into<Connection>, mut socket: TcpStream) -> io::Result<Self> {
        let mut conn = conn.into();
        let say = |conn: &mut Connection, socket: &mut TcpStream| {
            while conn.wants_write() {
                conn.write_tls(socket)?;
            }
            io::Result::Ok(())
        };
        // Record by record, so that nothing of what follows is in rustls's hands.
        while conn.is_handshaking() {
            say(&mut conn, &mut socket)?;
            let (head, body) = record(&mut socket)?;
            conn.read_tls(&mut [&head[..], &body].concat().as_slice())?;
            conn.process_new_packets().map_err(io::Error::other)?;
        }
        say(&mut conn, &mut socket)?;
        let suite = conn.negotiated_cipher_suite().unwrap();
        let secrets = conn.dangerous_extract_secrets().map_err(io::Error::other)?;
        let ((sent, ours), (received, theirs)) = (secrets.tx, secrets.rx);
        let ((key, iv), (their_key, their_iv)) = (parts(ours), parts(theirs));
        let (mut encrypter, decrypter) = match suite {
            SupportedCipherSuite::Tls13(suite) => (
                suite.aead_alg.encrypter(key, iv),
                suite.aead_alg.decrypter(their_key, their_iv),
            ),
            // RFC 5288, section 3: four bytes come from the handshake, the others go with each record.
            SupportedCipherSuite::Tls12(suite) => (
                suite.aead_alg.encrypter(key, &iv.as_ref()[..4], &[0; 8]),
                suite.aead_alg.decrypter(their_key, &their_iv.as_ref()[..4]),
            ),
        };
        if sent > 0 {
            // AWS-LC takes the first record for number 0, and wants those behind it in order.
            let _ = encrypter.encrypt(plain(ContentType::Alert, &[]), 0);
        }
        Ok(Self {
            socket,
            encrypter,
            decrypter,
            sent,
            received,
            plain: Vec::new(),
        })
    }

    /// Sends one record of this type.
    pub(crate) fn send(&mut self, typ: ContentType, payload: &[u8]) -> io::Result<()> {
        let record = self.encrypter.encrypt(plain(typ, payload), self.sent);
        let record = record.map_err(io::Error::other)?;
        self.sent += 1;
        self.socket.write_all(&record.encode())
    }

    /// Sends a session ticket. RFC 8446, section 4.6.1: lifetime, `age_add`, nonce, ticket, extensions.
    pub(crate) fn send_ticket(&mut self, number: u8) -> io::Result<()> {
        let ticket = [number; 64];
        let body = [&[0, 0, 14, 16, 1, 2, 3, 4, 1, number, 0, 64][..], &ticket, &[0, 0]].concat();
        let length = u8::try_from(body.len()).unwrap();
        self.send(ContentType::Handshake, &[&[4, 0, 0, length][..], &body].concat())
    }

    /// The next record, decrypted.
    pub(crate) fn receive(&mut self) -> io::Result<(ContentType, Vec<u8>)> {
        let (head, mut body) = record(&mut self.socket)?;
        let opaque = InboundOpaqueMessage::new(ContentType::from(head[0]), ProtocolVersion::TLSv1_2, &mut body);
        let message = self
            .decrypter
            .decrypt(opaque, self.received)
            .map_err(io::Error::other)?;
        self.received += 1;
        Ok((message.typ, message.payload.to_vec()))
    }
}

impl Read for Records {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.plain.is_empty() {
            match self.receive()? {
                (ContentType::ApplicationData, payload) => self.plain = payload,
                (ContentType::Alert, _) => return Ok(0),
                _ => {}
            }
        }
        let len = self.plain.len().min(into.len());
        into[..len].copy_from_slice(&self.plain[..len]);
        self.plain.drain(..len);
        Ok(len)
    }
}

const fn plain(typ: ContentType, payload: &[u8]) -> OutboundPlainMessage<'_> {
    OutboundPlainMessage {
        typ,
        version: ProtocolVersion::TLSv1_2,
        payload: OutboundChunks::Single(payload),
    }
}

fn record(socket: &mut TcpStream) -> io::Result<([u8; 5], Vec<u8>)> {
    let mut head = [0; 5];
    socket.read_exact(&mut head)?;
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    socket.read_exact(&mut body)?;
    Ok((head, body))
}

fn parts(secrets: ConnectionTrafficSecrets) -> (AeadKey, Iv) {
    match secrets {
        ConnectionTrafficSecrets::Aes128Gcm { key, iv } | ConnectionTrafficSecrets::Aes256Gcm { key, iv } => (key, iv),
        _ => panic!("not one of the suites that lbd likes most"),
    }
}

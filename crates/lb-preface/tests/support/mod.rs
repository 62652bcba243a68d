//! Captured and made up bytes, and the question that every parser here is asked: does the split matter?
#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its part

use lb_preface::Step;
use std::fmt::Debug;

/// The files of `corpus` whose name begins so, with their names.
pub(crate) fn corpus(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.extension().is_some_and(|end| end == "hex") && name.starts_with(prefix) {
            let text = std::fs::read_to_string(&path).expect("a file");
            found.push((name, hex(&text)));
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no file begins with {prefix}");
    found
}

pub(crate) fn captured(name: &str) -> Vec<u8> {
    corpus(name)
        .into_iter()
        .find_map(|(found, bytes)| (found == name).then_some(bytes))
        .unwrap_or_else(|| panic!("no file {name}.hex"))
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).expect("hexadecimal"))
        .collect()
}

/// What comes out when the bytes arrive one after the other, which is what comes out for any other split, as each end
/// of a part is asked about here: never an answer that more bytes change.
pub(crate) fn byte_by_byte<'a, T: Debug + PartialEq, E: Debug + PartialEq>(
    input: &'a [u8],
    parse: impl Fn(&'a [u8]) -> Result<Option<(T, usize)>, E>,
) {
    let whole = parse(input);
    let mut decided = false;
    for end in 0..=input.len() {
        match parse(&input[..end]) {
            Ok(None) => assert!(!decided, "undecided again at {end}: {}", input.escape_ascii()),
            other => {
                if let Ok(Some((_, len))) = &other {
                    assert!(decided || *len == end, "{len} bytes at {end}: {}", input.escape_ascii());
                }
                decided = true;
                assert_eq!(other, whole, "at {end}: {}", input.escape_ascii());
            }
        }
    }
    assert_eq!(decided, !matches!(whole, Ok(None)));
}

pub(crate) fn open<T>(step: Step<T>) -> Option<(T, usize)> {
    match step {
        Step::Done { value, len } => Some((value, len)),
        Step::NeedMore => None,
    }
}

/// A handshake message in records of these lengths; the last takes what is left.
pub(crate) fn records(message: &[u8], lengths: &[usize]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), message);
    let mut lengths = lengths.iter();
    while !rest.is_empty() {
        let len = lengths.next().copied().unwrap_or(rest.len()).clamp(1, rest.len());
        let (part, behind) = rest.split_at(len);
        out.extend([22, 3, 1]);
        out.extend((part.len() as u16).to_be_bytes());
        out.extend(part);
        rest = behind;
    }
    out
}

/// The message in a client hello or server hello that is one record.
pub(crate) fn message(record: &[u8]) -> &[u8] {
    &record[5..]
}

/// A client hello, built part by part.
#[derive(Clone)]
pub(crate) struct Hello {
    pub(crate) legacy_version: u16,
    pub(crate) session_id: Vec<u8>,
    pub(crate) cipher_suites: Vec<u16>,
    pub(crate) compression: Vec<u8>,
    pub(crate) extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    pub(crate) fn new() -> Self {
        Self {
            legacy_version: 0x0303,
            session_id: vec![7; 32],
            cipher_suites: vec![0x1301, 0x1302, 0xc02b],
            compression: vec![0],
            extensions: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        self.extensions.push((kind, value.to_vec()));
        self
    }

    pub(crate) fn named(self, name: &[u8]) -> Self {
        let mut value = Vec::new();
        value.extend((name.len() as u16 + 3).to_be_bytes());
        value.push(0);
        value.extend((name.len() as u16).to_be_bytes());
        value.extend(name);
        self.with(0, &value)
    }

    pub(crate) fn alpn(self, names: &[&[u8]]) -> Self {
        let list: Vec<u8> = names
            .iter()
            .flat_map(|name| std::iter::once(name.len() as u8).chain(name.iter().copied()))
            .collect();
        let mut value = (list.len() as u16).to_be_bytes().to_vec();
        value.extend(list);
        self.with(16, &value)
    }

    pub(crate) fn numbers(self, kind: u16, numbers: &[u16]) -> Self {
        let list = numbers.iter().flat_map(|number| number.to_be_bytes());
        let mut value = (numbers.len() as u16 * 2).to_be_bytes().to_vec();
        value.extend(list);
        self.with(kind, &value)
    }

    pub(crate) fn versions(self, numbers: &[u16]) -> Self {
        let mut value = vec![numbers.len() as u8 * 2];
        value.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        self.with(43, &value)
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let mut body = self.legacy_version.to_be_bytes().to_vec();
        body.extend([9; 32]);
        body.push(self.session_id.len() as u8);
        body.extend(&self.session_id);
        body.extend((self.cipher_suites.len() as u16 * 2).to_be_bytes());
        body.extend(self.cipher_suites.iter().flat_map(|suite| suite.to_be_bytes()));
        body.push(self.compression.len() as u8);
        body.extend(&self.compression);
        if !self.extensions.is_empty() {
            let mut all = Vec::new();
            for (kind, value) in &self.extensions {
                all.extend(kind.to_be_bytes());
                all.extend((value.len() as u16).to_be_bytes());
                all.extend(value);
            }
            body.extend((all.len() as u16).to_be_bytes());
            body.extend(all);
        }
        framed(1, &body)
    }

    pub(crate) fn record(&self) -> Vec<u8> {
        records(&self.message(), &[])
    }

    /// The shape of a browser's hello of our day: GREASE, sixteen suites, a hybrid key share of 1,216 bytes, ALPS, and
    /// the GREASE of an encrypted hello; some 1,800 bytes.
    pub(crate) fn browser() -> Self {
        let mut shares = vec![0x0a, 0x0a, 0, 1, 0, 0x11, 0xec, 0x04, 0xc0];
        shares.extend(vec![5; 1216]);
        shares.extend([0, 0x1d, 0, 32]);
        shares.extend([6; 32]);
        let mut key_share = (shares.len() as u16).to_be_bytes().to_vec();
        key_share.extend(shares);
        let mut encrypted = vec![0, 0, 1, 0, 1, 42, 0, 32];
        encrypted.extend([8; 32]);
        encrypted.extend([0, 176]);
        encrypted.extend([9; 176]);
        let mut hello = Self::new();
        hello.cipher_suites = vec![
            0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d,
            0x2f, 0x35,
        ];
        hello
            .with(0x4a4a, &[])
            .named(b"www.example.test")
            .with(23, &[])
            .with(0xff01, &[0])
            .numbers(10, &[0x0a0a, 0x11ec, 0x1d, 0x17, 0x18])
            .with(11, &[1, 0])
            .with(35, &[])
            .alpn(&[b"h2", b"http/1.1"])
            .with(5, &[1, 0, 0, 0, 0])
            .numbers(13, &[0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601])
            .with(18, &[])
            .with(51, &key_share)
            .with(45, &[1, 1])
            .versions(&[0x5a5a, 0x0304, 0x0303])
            .with(27, &[2, 0, 2])
            .with(17613, b"\x00\x03\x02h2")
            .with(0xfe0d, &encrypted)
            .with(0x6a6a, &[0])
            .with(21, &[0; 100])
    }
}

/// A handshake message.
pub(crate) fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = (body.len() as u32).to_be_bytes();
    let mut out = vec![kind, a, b, c];
    out.extend(body);
    out
}

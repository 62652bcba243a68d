//! Hellos from hostile clients: no panic, the same answer for any split over packets and over records.
#![no_main]

use lb_preface::Step;
use lb_preface::client_hello::{self, Limits, ServerName};
use libfuzzer_sys::fuzz_target;

// The first byte says where the rest is cut, and how long records are when they are cut anew.
fuzz_target!(|data: &[u8]| {
    let Some((cut, input)) = data.split_first() else { return };
    let limits = Limits::default();
    let whole = client_hello::peek(input, limits);
    let begun = &input[..input.len().min(usize::from(*cut).saturating_mul(4))];
    match client_hello::peek(begun, limits) {
        Ok(Step::NeedMore) => {}
        answer => assert_eq!(answer, whole),
    }
    let (hello, len) = match &whole {
        Ok(Step::Done { value, len }) => (value, *len),
        Ok(Step::NeedMore) => return,
        Err(error) => return assert!(error.to_string().is_ascii()),
    };
    assert!(len <= input.len());
    let text = format!("{hello:?} {}", hello.versions());
    assert!(!text.contains('\u{1b}'), "names cannot move a terminal's cursor");
    if let ServerName::Host(name) = hello.server_name() {
        assert!(!name.is_empty() && name.len() <= 253 && name.is_ascii());
    }
    let numbers = hello.cipher_suites().count() + hello.groups().count() + hello.signature_schemes().count();
    assert!(numbers + hello.certificate_signature_schemes().count() <= len);
    assert!(hello.alpn().all(|name| !name.is_empty()) && hello.session_id().len() <= 32);
    let _ = (hello.session_ticket(), hello.compression_methods(), hello.has_psk());

    let mut message = Vec::new();
    let mut rest = &input[..len];
    while let [_, _, _, a, b, behind @ ..] = rest {
        let (part, after) = behind.split_at(behind.len().min(usize::from(u16::from_be_bytes([*a, *b]))));
        message.extend_from_slice(part);
        rest = after;
    }
    let mut split = Vec::new();
    for part in message.chunks(usize::from(*cut).saturating_mul(16).max(17)) {
        split.extend_from_slice(&[22, 3, 1]);
        split.extend_from_slice(&(part.len() as u16).to_be_bytes());
        split.extend_from_slice(part);
    }
    let again = client_hello::peek(&split, limits).map(Step::done);
    assert_eq!(again.ok().flatten().as_ref(), Some(hello));
});

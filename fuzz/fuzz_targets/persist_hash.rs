//! What a request is placed by: any target, host and cookie line have the hash that the documentation says, and no
//! other part of the request changes it.
#![no_main]

use lb_persist::{ClientIp, Facts, HashBy};
use lb_types::Fields;
use libfuzzer_sys::fuzz_target;

struct Lines<'a> {
    host: &'a [u8],
    cookie: &'a [u8],
}

impl Fields for Lines<'_> {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        match (name.to_ascii_lowercase().as_str(), index) {
            ("host", 0) => Some(self.host),
            ("cookie", 0) => Some(self.cookie),
            _ => None,
        }
    }
}

fuzz_target!(|input: (&[u8], &[u8], &[u8])| {
    let (target, host, cookie) = input;
    let client = [192, 0, 2, 1].into();
    let hash = |by: &HashBy, target: &[u8], host: &[u8], cookie: &[u8]| {
        let fields = Lines { host, cookie };
        by.hash(&Facts {
            target: Some(target),
            fields: Some(&fields),
            ..Facts::new(client)
        })
    };
    let url = HashBy::Url { query: false };
    let path = target.split(|b| *b == b'?').next().unwrap_or_default();
    if target.starts_with(b"/") {
        let alone = hash(&url, path, &host.to_ascii_uppercase(), b"");
        assert_eq!(
            hash(&url, target, host, cookie),
            alone,
            "query, case and cookies do not count"
        );
    }
    assert!(hash(&HashBy::Url { query: true }, target, host, cookie).is_some());
    let parameter = HashBy::Parameter("id".into());
    let wanted = [b"/?id=".as_slice(), target].concat();
    let value = target.split(|b| b"&#".contains(b)).next().unwrap_or_default();
    assert_eq!(hash(&parameter, &wanted, host, cookie).is_some(), !value.is_empty());
    assert_eq!(hash(&parameter, path, host, cookie), None, "not in the path");
    let sid = HashBy::Cookie("sid".into());
    assert_eq!(hash(&sid, target, host, cookie), hash(&sid, b"/", b"", cookie));
    assert_eq!(hash(&HashBy::Header("X".into()), target, host, cookie), None);
    let source = HashBy::Source(ClientIp::default());
    assert_eq!(hash(&source, target, host, cookie), source.hash(&Facts::new(client)));
});

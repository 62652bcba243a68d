//! A request costs no allocation.
#![allow(clippy::unwrap_used)] // tests and their helpers

mod support;

use std::hint::black_box;
use std::time::Duration;

use allocation_counter::measure;
use lb_persist::token::Tokens;
use lb_persist::{
    ClientIp, CookieInsert, CookieInsertOptions, Facts, HashBy, Key, Recall, Reply, Strategy, Table, TableOptions,
};
use lb_types::{BackendId, Fields, FieldsMut, InvalidField};
use support::at;

/// One `Cookie` line; takes edits without keeping them.
struct Request(Vec<u8>);

impl Fields for Request {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        (name.eq_ignore_ascii_case("cookie") && index == 0).then_some(&*self.0)
    }
}

impl FieldsMut for Request {
    fn append(&mut self, _: &str, value: &[u8]) -> Result<(), InvalidField> {
        black_box(value);
        Ok(())
    }

    fn replace(&mut self, _: &str, _: usize, value: &[u8]) -> Result<(), InvalidField> {
        black_box(value);
        Ok(())
    }

    fn remove(&mut self, _: &str, _: usize) -> bool {
        false
    }
}

#[test]
fn a_request_with_our_cookie_allocates_nothing_up_to_lines_of_4_kib() {
    let key = [5; 16];
    let (a, b) = (BackendId::of("web", "a"), BackendId::of("web", "b"));
    for max_age in [None, Some(Duration::from_secs(3600))] {
        let mut options = CookieInsertOptions::default();
        options.max_age = max_age;
        let strategy = CookieInsert::new(options, &key, &[a, b]).unwrap();
        for (len, want) in [(110, 0), (512, 0), (513, 0), (4096, 0), (4097, 1)] {
            let token = Tokens::new(&key, &[]).issue(a, max_age.map(|_| at(1000).wall));
            let mut line = [b"LBD=", token.as_bytes(), b"; other="].concat();
            line.resize(len, b'x');
            let mut request = Request(line);
            let counted = measure(|| {
                let facts = Facts {
                    fields: Some(&request),
                    ..Facts::new([127, 0, 0, 1].into())
                };
                let recall = strategy.recall(&facts, at(1000));
                assert_eq!(recall, Recall::Backend { id: a, renew: false });
                strategy.prepare(&recall, &mut request).unwrap();
                // both the fresh cookie that stays and the new one that is set
                strategy.learn(&recall, a, Reply::Head(&mut request), at(1000)).unwrap();
                strategy.learn(&recall, b, Reply::Head(&mut request), at(1000)).unwrap();
            });
            assert_eq!(counted.count_total, want, "{len} bytes");
        }
    }
}

#[test]
fn a_known_key_allocates_nothing() {
    let mut table = Table::new(TableOptions::default());
    let (key, a) = (Key::Client([127, 0, 0, 1].into()), BackendId::of("web", "a"));
    table.remember(key, a, at(0).mono);
    let counted = measure(|| {
        for secs in 0..100 {
            assert_eq!(table.lookup(&key, at(secs).mono), Some(a));
            assert_eq!(table.claim(key, None, a, at(secs).mono), a);
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn a_hash_allocates_nothing() {
    let request = Request(b"sid=7; other=8".to_vec());
    let facts = Facts {
        target: Some(b"http://Static.Example.com:8080/basket?id=7"),
        fields: Some(&request),
        ..Facts::new([127, 0, 0, 1].into())
    };
    for by in [
        HashBy::Source(ClientIp::default()),
        HashBy::Url { query: false },
        HashBy::Parameter("id".into()),
        HashBy::Cookie("sid".into()),
    ] {
        let counted = measure(|| {
            assert!(matches!(by.recall(&facts, at(0)), Recall::Hash(_)));
        });
        assert_eq!(counted.count_total, 0, "{by:?}");
    }
}

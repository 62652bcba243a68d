//! The roots that Debian ships: real certificates, all of which are right.

mod debian;

use lb_cert::{Certificate, KeyKind};

#[test]
fn debians_roots_all_parse() {
    for der in debian::roots() {
        let root = Certificate::parse(der).expect("a root of Debian");
        assert_eq!(root.malformed(), [], "{}", root.subject());
        assert!(root.is_self_issued(), "{}", root.subject());
        assert!(root.not_before() < root.not_after());
        assert_ne!(root.key().kind, KeyKind::Malformed, "{}", root.subject());
        assert!(root.key().bits >= 256, "{}", root.key());
        assert!(!root.label().contains("unreadable"));
    }
}

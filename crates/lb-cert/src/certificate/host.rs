//! The form of host names.

/// Preferred name syntax: RFC 1034, section 3.5, and RFC 1123, section 2.1. An IPv4 address is none.
pub(crate) fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let numeric = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    host.len() <= 253 && host.split('.').all(label) && !host.rsplit('.').next().is_some_and(numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_have_the_preferred_syntax() {
        for good in ["example.com", "xn--nxasmq6b.com", "a", "1.example", "localhost"] {
            assert!(is_host(good), "{good}");
        }
        let long = format!("{}.example", "a".repeat(64));
        let bad = [
            "", ".", "a.", ".a", "a..b", "a_b.c", "-a.b", "a-.b", "10.0.0.1", " ", "a b", &long,
        ];
        for bad in bad {
            assert!(!is_host(bad), "{bad}");
        }
        let label = "a".repeat(61);
        let longest = format!("{label}.{label}.{label}.{label}.abcde");
        assert_eq!(longest.len(), 253);
        assert!(is_host(&longest));
        assert!(!is_host(&format!("{longest}f")));
    }
}

use core::net::IpAddr;

/// Is a cookie of `domain` sent to `host`? Equal, or `host` ends with a dot and `domain`.
///
/// RFC 6265, section 5.1.3: tail match at a dot; an address matches only itself. Both without
/// port; letter case does not count.
#[must_use]
pub fn domain_match(host: &str, domain: &str) -> bool {
    if host.eq_ignore_ascii_case(domain) {
        return true;
    }
    let Some(at) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    let (Some(head), Some(tail)) = (host.as_bytes().get(..at), host.as_bytes().get(at..)) else {
        return false;
    };
    !domain.is_empty()
        && head.last() == Some(&b'.')
        && tail.eq_ignore_ascii_case(domain.as_bytes())
        && !is_address(host)
}

/// Is a cookie of `cookie_path` sent with a request for `path`? RFC 6265, section 5.1.4: `/foo`
/// matches `/foo` and `/foo/x`, not `/foobar`.
#[must_use]
pub fn path_match(path: &str, cookie_path: &str) -> bool {
    match path.strip_prefix(cookie_path) {
        Some("") => true,
        Some(rest) => cookie_path.ends_with('/') || rest.starts_with('/'),
        None => false,
    }
}

/// The path of a cookie that names none: the request's path (without query) up to its last `/`.
/// RFC 6265, section 5.1.4.
#[must_use]
pub fn default_path(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) if folder.starts_with('/') => folder,
        _ => "/",
    }
}

pub(crate) fn is_address(host: &str) -> bool {
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .is_ok()
}

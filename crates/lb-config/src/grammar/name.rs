use super::{Wrong, odd};
use std::path::PathBuf;

/// Names of listeners, pools and backends: they stand in logs, metrics and commands, so they are one word.
pub(crate) fn check_name(text: &str) -> Result<(), Wrong> {
    if text.is_empty() {
        return Err(Wrong::new("a name has at least one character"));
    }
    if text.len() > NAME_BYTES {
        return Err(Wrong::new(format!(
            "a name has at most {NAME_BYTES} characters, this has {}",
            text.chars().count()
        )));
    }
    match text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "._-:[]%".contains(*c)))
    {
        None => Ok(()),
        Some(c) if !c.is_ascii() => Err(Wrong::new(format!("{} may not stand in a name", odd::describe(c)))
            .help("names are made of letters a to z, digits, `.`, `_`, `-` and `:`")),
        Some(c) => Err(Wrong::new(format!("{c:?} may not stand in a name"))
            .help("names are made of letters, digits, `.`, `_`, `-` and `:`")),
    }
}

/// The name of a header field or of a cookie: a token (RFC 9110, section 5.6.2).
pub(crate) fn check_token(text: &str) -> Result<(), Wrong> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        None => Ok(()),
        Some(':') => Err(Wrong::new("the colon is not part of the name").help("write the name alone: \"X-User\"")),
        Some(c) => Err(Wrong::new(format!("{c:?} may not stand in such a name"))),
    }
}

/// A DNS name: RFC 1123, section 2.1, with `_` as well, which internal names use.
pub(crate) fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !text.is_empty() && text.len() <= 253 && text.split('.').all(label)
}

/// The absolute path of a file or a folder.
pub(crate) fn absolute_path(text: &str) -> Result<PathBuf, Wrong> {
    if text.contains("-----BEGIN") {
        return Err(
            Wrong::new("this is what a file holds, not where it is").help("write it into a file, and here its path")
        );
    }
    if text.contains('\0') {
        return Err(Wrong::new("a path has no NUL in it"));
    }
    if !text.starts_with('/') {
        let wrong = Wrong::new("expected a path that begins with `/`");
        return Err(match text.split_once("://") {
            Some(("file", path)) if path.starts_with('/') => wrong.help(format!("write \"{path}\"")),
            Some(_) => wrong.help("files are read from this machine"),
            None => wrong,
        });
    }
    Ok(PathBuf::from(text))
}

/// A host of a route: a name, `*.` and a name, or an IP address. Gives it in lower case.
pub(crate) fn check_host_pattern(text: &str) -> Result<String, Wrong> {
    if let Some((_, rest)) = text.split_once("://") {
        let rest = rest.split('/').next().unwrap_or(rest);
        return Err(Wrong::new("a host has no scheme").help(format!("write \"{rest}\"")));
    }
    let lower = text.to_ascii_lowercase();
    if let Ok(address) = lower
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>()
    {
        return Ok(if address.is_ipv6() {
            format!("[{address}]")
        } else {
            address.to_string()
        });
    }
    if let Some((host, port)) = lower.rsplit_once(':')
        && !port.is_empty()
        && port.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(Wrong::new("ports are not compared").help(format!("write \"{host}\"")));
    }
    // The final dot of an absolute name: requests are compared without theirs.
    let lower = match lower.strip_suffix('.') {
        Some(host) if is_host_name(host.strip_prefix("*.").unwrap_or(host)) => host.to_owned(),
        _ => lower,
    };
    if lower == "*" {
        return Err(Wrong::new("`*` alone is not a host").help("leave `host` out to match every host"));
    }
    let name = lower.strip_prefix("*.").unwrap_or(&lower);
    if name.contains('*') {
        return Err(Wrong::new("`*` may only be the whole first label").help("for example \"*.example.com\""));
    }
    if let Some(parent) = name.strip_prefix('.').filter(|name| is_host_name(name)) {
        return Err(Wrong::new("this is not a host name").help(format!("did you mean \"*.{parent}\"?")));
    }
    if let Some((host, _)) = name.split_once('/') {
        return Err(Wrong::new("a host has no path").help(format!("write host = \"{host}\" and the path under `path`")));
    }
    match super::address::name(name) {
        Ok(()) if is_host_name(name) => Ok(lower),
        Ok(()) => Err(Wrong::new("this is not a host name")),
        Err(wrong) => Err(strange_host(name).unwrap_or(Wrong {
            // What is said of addresses has a port.
            help: wrong
                .help
                .filter(|help| !help.contains(":80"))
                .or(Some(HOST_EXAMPLES.into())),
            ..wrong
        })),
    }
}

/// Several hosts, a regular expression, an address with its interface.
fn strange_host(text: &str) -> Option<Wrong> {
    let parts: Vec<&str> = text
        .split(|c: char| matches!(c, ',' | ';') || c.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let is_pattern = |part: &&&str| is_host_name(part.strip_prefix("*.").unwrap_or(part));
    let hosts: Vec<&&str> = parts.iter().filter(is_pattern).collect();
    if hosts.len() == parts.len() && hosts.len() > 1 {
        let quoted: Vec<String> = hosts.iter().map(|host| format!("\"{host}\"")).collect();
        return Some(Wrong::new("these are several hosts").help(format!("write hosts = [{}]", quoted.join(", "))));
    }
    if let ([_], [host]) = (parts.as_slice(), hosts.as_slice()) {
        return Some(Wrong::new("only the host belongs here").help(format!("write \"{host}\"")));
    }
    let inner = text.trim_start_matches('[').split(']').next().unwrap_or(text);
    if let Some((address, _)) = inner.split_once('%')
        && address.parse::<std::net::Ipv6Addr>().is_ok()
    {
        return Some(Wrong::new("requests name no interface").help(format!("write \"[{address}]\"")));
    }
    text.contains(['~', '^', '$', '\\', '(', '|', '+', '?'])
        .then(|| Wrong::new("a host is compared as it stands, it is not a regular expression").help(HOST_EXAMPLES))
}

const HOST_EXAMPLES: &str = "write the host, \"www.example.com\" for example, or \"*.example.com\" for all below it";

/// A path prefix of a route, or the path of a probe.
pub(crate) fn check_path(text: &str) -> Result<(), Wrong> {
    if !text.starts_with('/') {
        return Err(Wrong::new("a path begins with `/`").help(format!("write \"/{text}\"")));
    }
    if text.len() > PATH_BYTES {
        return Err(Wrong::new(format!("a path has at most {PATH_BYTES} bytes")));
    }
    match text
        .chars()
        .find(|c| !c.is_ascii_graphic() || matches!(c, '#' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        None => Ok(()),
        Some('#') => Err(Wrong::new("`#` and what follows is never sent")),
        Some(c) => {
            Err(Wrong::new(format!("{c:?} cannot stand in a path")).help("write it percent-encoded, as it is sent"))
        }
    }
}

/// Enough for any sensible word; logs and metrics stay readable.
const NAME_BYTES: usize = 128;
/// Half of the default limit of a request target.
const PATH_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_word() {
        assert!(check_name("web-1.a_b").is_ok());
        assert!(check_name("10.0.0.1:80").is_ok());
        assert!(check_name("[::1]:80").is_ok());
        assert!(check_name("[fe80::1%eth0]:80").is_ok());
        assert!(check_name(&"a".repeat(128)).is_ok());
        for name in ["", "a b", "a/b", "ä", &"a".repeat(129)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }

    #[test]
    fn host_patterns_are_names_with_at_most_one_star() {
        for (text, out) in [
            ("Example.COM", "example.com"),
            ("*.example.com", "*.example.com"),
            ("example.com.", "example.com"),
            ("*.example.com.", "*.example.com"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]", "[::1]"),
            ("::1", "[::1]"),
        ] {
            assert_eq!(check_host_pattern(text).as_deref(), Ok(out));
        }
        let help = |text: &str| check_host_pattern(text).unwrap_err().help.unwrap_or_default();
        assert_eq!(help("example.com:80"), "write \"example.com\"");
        assert_eq!(help("https://example.com/x"), "write \"example.com\"");
        assert_eq!(help(".example.com"), "did you mean \"*.example.com\"?");
        assert_eq!(
            help("bücher.example"),
            "the DNS has this name as \"xn--bcher-kva.example\""
        );
        for text in ["", "*", "a.*.com", "*a.com", "a..b", "a b", "-a.com", "example.com/x"] {
            assert!(check_host_pattern(text).is_err(), "{text}");
        }
    }

    #[test]
    fn paths_begin_with_a_slash_and_are_sent_as_written() {
        for text in ["/", "/api", "/a%20b", "/a?b=c", "/~x/"] {
            assert!(check_path(text).is_ok(), "{text}");
        }
        for text in ["", "api", "/a b", "/ä", "/a\r\nX: y", "/a#b"] {
            assert!(check_path(text).is_err(), "{text}");
        }
    }
}

//! What is written as `HOST:PORT`.

use lb_tls::NameError;
use std::fmt;
use std::net::IpAddr;

/// A host and a port; the host is a name in ASCII, in small letters and without a dot at the end, or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Target {
    /// Reads `www.example.com:443`, `192.0.2.1:443` or `[2001:db8::1]:443`.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if let Some((scheme, rest)) = text.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            let port = if scheme == "https" && !host.contains(':') {
                ":443"
            } else {
                ""
            };
            return Err(format!("an address of a page is no server: write {host}{port}"));
        }
        let wrong = || format!("write HOST:PORT, as in {text}:443");
        if text.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
            return Err(format!("write the address in brackets, with a port: [{text}]:443"));
        }
        let (host, port) = text
            .rsplit_once(':')
            .filter(|_| !text.ends_with(']'))
            .ok_or_else(wrong)?;
        let port: u16 = match port.parse() {
            Ok(0) | Err(_) => return Err(format!("{port:?} is no port: write a number from 1 to 65535")),
            Ok(port) => port,
        };
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let host = match bare {
            Some(bare) => match bare.parse::<IpAddr>() {
                Ok(address) if address.is_ipv6() => address.to_string(),
                _ => return Err(format!("{bare} is no IPv6 address, so it stands without brackets")),
            },
            None => name(host)?,
        };
        Ok(Self { host, port })
    }

    /// The address, if the host is one.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address() {
            Some(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A host name in small letters, without the dot at the end of an absolute one; or an address as it is usually written.
pub(crate) fn name(text: &str) -> Result<String, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    if !text.is_ascii() {
        return Err(format!(
            "{text}: write the name as DNS has it, with labels that begin with xn--, as idn2 prints it"
        ));
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err(NameError::Form { name: text.to_owned() }.to_string());
    }
    Ok(name)
}

/// A word of ALPN (RFC 7301, section 3.1).
pub(crate) fn protocol(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > 255 {
        return Err("a protocol has 1 to 255 bytes, as in h2".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_name_or_an_address_with_a_port() {
        for (text, host, port, shown) in [
            ("www.example.com:443", "www.example.com", 443, "www.example.com:443"),
            ("WWW.Example.com.:1", "www.example.com", 1, "www.example.com:1"),
            ("192.0.2.1:65535", "192.0.2.1", 65_535, "192.0.2.1:65535"),
            ("[2001:DB8::1]:443", "2001:db8::1", 443, "[2001:db8::1]:443"),
            ("a_b:25", "a_b", 25, "a_b:25"),
        ] {
            let target = Target::read(text).unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
            assert_eq!(target.to_string(), shown);
        }
    }

    #[test]
    fn a_wrong_target_says_what_to_write() {
        for (text, mend) in [
            ("www.example.com", "www.example.com:443"),
            ("2001:db8::1", "[2001:db8::1]:443"),
            ("[2001:db8::1]", "[2001:db8::1]:443"),
            ("https://www.example.com/x", "write www.example.com:443"),
            ("https://www.example.com:8443/", "write www.example.com:8443"),
            ("a:0", "1 to 65535"),
            ("a:65536", "1 to 65535"),
            ("a:", "1 to 65535"),
            ("[a]:1", "without brackets"),
            ("[192.0.2.1]:1", "without brackets"),
            (":443", "no host name"),
            ("a b:443", "no host name"),
            ("a..b:443", "no host name"),
            ("münchen.example:443", "xn--"),
        ] {
            let error = Target::read(text).unwrap_err();
            assert!(error.contains(mend), "{text}: {error}");
        }
        assert!(name(&"a".repeat(63)).is_ok());
        assert!(name(&"a".repeat(64)).is_err());
        let long = ["a"; 127].join(".");
        assert_eq!(long.len(), 253);
        assert!(name(&long).is_ok());
        assert!(name(&format!("{long}.a")).is_err());
    }
}

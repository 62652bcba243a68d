use core::time::Duration;

use lb_types::Wall;

use super::request::{split_once, unquote};
use super::{date, matching};

/// A `Set-Cookie` field: written with [`write`](Self::write), read with [`parse`](Self::parse).
///
/// RFC 6265, section 4.1; `SameSite`, `Partitioned` and the name prefixes as in
/// draft-ietf-httpbis-rfc6265bis and draft-cutler-httpbis-partitioned-cookies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetCookie<'a> {
    /// The name: a token.
    pub name: &'a [u8],
    /// The value.
    pub value: &'a [u8],
    /// Sent to this domain and all below it; `None`: only to the host that set it.
    pub domain: Option<&'a [u8]>,
    /// Sent for this path and all below it; `None`: for the folder of the request that set it.
    pub path: Option<&'a [u8]>,
    /// Kept so many seconds. `None` and no `expires`: until the browser ends.
    pub max_age: Option<u64>,
    /// Kept until then; `max_age` is stronger.
    pub expires: Option<Wall>,
    /// Sent over TLS only.
    pub secure: bool,
    /// Hidden from scripts.
    pub http_only: bool,
    /// Sent with requests that other sites cause?
    pub same_site: Option<SameSite>,
    /// Kept apart for each site that embeds this one (CHIPS).
    pub partitioned: bool,
}

/// Is a cookie sent with requests that other sites cause?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    Strict,
    /// When the user follows a link here.
    Lax,
    /// Always; needs `Secure`.
    None,
}

impl SameSite {
    const fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Strict => b"Strict",
            Self::Lax => b"Lax",
            Self::None => b"None",
        }
    }
}

/// Why a cookie must not be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieError {
    /// The name is empty.
    #[error("the cookie name is empty")]
    EmptyName,
    /// A character that is no token character. RFC 6265, section 4.1.1.
    #[error("byte 0x{byte:02x} at {offset} must not stand in a cookie name")]
    Name {
        /// The first offending byte.
        byte: u8,
        /// Where it stands in the name.
        offset: usize,
    },
    /// A character that is no cookie-octet. RFC 6265, section 4.1.1.
    #[error("byte 0x{byte:02x} at {offset} must not stand in a cookie value")]
    Value {
        /// The first offending byte.
        byte: u8,
        /// Where it stands in the value.
        offset: usize,
    },
    /// Not labels of letters, digits and hyphens with dots between, or an address.
    #[error("cookie domain `{domain}` is not a host name; leave it out for an address")]
    Domain {
        /// What was given.
        domain: String,
    },
    /// Does not begin with `/`, or has a `;` or a control character.
    #[error("cookie path `{path}` must begin with / and have neither ; nor control characters")]
    Path {
        /// What was given.
        path: String,
    },
    /// Browsers drop a cookie with this prefix unless the rule is kept.
    #[error("a cookie name that begins with __Host- needs `Secure`, path / and no domain")]
    HostPrefix,
    /// Browsers drop a cookie with this prefix unless the rule is kept.
    #[error("a cookie name that begins with __Secure- needs `Secure`")]
    SecurePrefix,
    /// Browsers drop a cookie with `SameSite=None` that is not `Secure`.
    #[error("`SameSite=None` needs `Secure`")]
    SameSiteNone,
    /// Browsers drop a cookie with `Partitioned` that is not `Secure`.
    #[error("`Partitioned` needs `Secure`")]
    Partitioned,
    /// Zero would delete the cookie; browsers keep none longer than 400 days.
    #[error("cookie lifetime {given:?} is not between 1 second and {longest:?}")]
    MaxAge {
        /// What was given.
        given: Duration,
        /// 400 days.
        longest: Duration,
    },
    /// The line is longer than the limit.
    #[error("the Set-Cookie line takes {bytes} bytes, more than {limit}")]
    TooLong {
        /// What it takes.
        bytes: usize,
        /// [`SetCookie::LONGEST`].
        limit: usize,
    },
}

impl<'a> SetCookie<'a> {
    /// The most bytes a line of ours takes.
    pub const LONGEST: usize = 1024;

    /// Writes the field value into `out` and returns its length. No allocation.
    ///
    /// Both `Max-Age` and `Expires` are written when both are given: old clients know only the
    /// second. The caller has checked name and value, see [`check`](Self::check).
    ///
    /// # Errors
    /// [`CookieError::TooLong`] when `out` is too short.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, CookieError> {
        let limit = out.len();
        let mut line = Line { out, len: 0 };
        line.put(&[self.name, b"=", self.value]);
        if let Some(seconds) = self.max_age {
            line.put(&[b"; Max-Age="]);
            line.number(seconds);
        }
        if let Some(wall) = self.expires {
            line.put(&[b"; Expires=", &date::format(wall)]);
        }
        if let Some(domain) = self.domain {
            line.put(&[b"; Domain=", domain]);
        }
        if let Some(path) = self.path {
            line.put(&[b"; Path=", path]);
        }
        if self.http_only {
            line.put(&[b"; HttpOnly"]);
        }
        if self.secure {
            line.put(&[b"; Secure"]);
        }
        if let Some(same_site) = self.same_site {
            line.put(&[b"; SameSite=", same_site.as_bytes()]);
        }
        if self.partitioned {
            line.put(&[b"; Partitioned"]);
        }
        if line.len > limit {
            Err(CookieError::TooLong { bytes: line.len, limit })
        } else {
            Ok(line.len)
        }
    }

    /// May this be sent to browsers, and will they keep it?
    ///
    /// # Errors
    /// [`CookieError`]: the first rule that is broken.
    pub fn check(&self) -> Result<(), CookieError> {
        if self.name.is_empty() {
            return Err(CookieError::EmptyName);
        }
        if let Some((offset, byte)) = find(self.name, |byte| !is_token(byte)) {
            return Err(CookieError::Name { byte, offset });
        }
        if let Some((offset, byte)) = find(self.value, |byte| !is_cookie_octet(byte)) {
            return Err(CookieError::Value { byte, offset });
        }
        if let Some(domain) = self.domain.filter(|domain| !is_host_name(domain)) {
            return Err(CookieError::Domain {
                domain: String::from_utf8_lossy(domain).into_owned(),
            });
        }
        if let Some(path) = self.path.filter(|path| !is_path(path)) {
            return Err(CookieError::Path {
                path: String::from_utf8_lossy(path).into_owned(),
            });
        }
        if let Some(seconds) = self
            .max_age
            .filter(|seconds| !(1..=LONGEST_LIFE.as_secs()).contains(seconds))
        {
            return Err(CookieError::MaxAge {
                given: Duration::from_secs(seconds),
                longest: LONGEST_LIFE,
            });
        }
        let at_root = self.domain.is_none() && self.path == Some(b"/");
        if begins_with(self.name, b"__Host-") && !(self.secure && at_root) {
            return Err(CookieError::HostPrefix);
        }
        if begins_with(self.name, b"__Secure-") && !self.secure {
            return Err(CookieError::SecurePrefix);
        }
        if self.same_site == Some(SameSite::None) && !self.secure {
            return Err(CookieError::SameSiteNone);
        }
        if self.partitioned && !self.secure {
            return Err(CookieError::Partitioned);
        }
        let bytes = match self.write(&mut [0; Self::LONGEST]) {
            Ok(_) => return Ok(()),
            Err(CookieError::TooLong { bytes, .. }) => bytes,
            Err(other) => return Err(other),
        };
        Err(CookieError::TooLong {
            bytes,
            limit: Self::LONGEST,
        })
    }

    /// Reads a field value as browsers do: what they do not understand is passed over, the last
    /// of equal attributes counts, a leading dot of the domain goes. RFC 6265, section 5.2.
    ///
    /// `None` without `=` in the first part or with an empty name.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let (pair, mut rest) = split_once(line, b';');
        let (name, value) = split_once(pair, b'=');
        let (name, value) = (name.trim_ascii(), unquote(value?.trim_ascii()));
        if name.is_empty() {
            return None;
        }
        let mut cookie = Self {
            name,
            value,
            ..Self::default()
        };
        while let Some(text) = rest {
            let (attribute, after) = split_once(text, b';');
            rest = after;
            let (key, value) = split_once(attribute, b'=');
            cookie.attribute(key.trim_ascii(), value.unwrap_or_default().trim_ascii());
        }
        Some(cookie)
    }

    fn attribute(&mut self, key: &[u8], value: &'a [u8]) {
        let is = |name: &[u8]| key.eq_ignore_ascii_case(name);
        if is(b"expires") {
            self.expires = date::parse(value).or(self.expires);
        } else if is(b"max-age") {
            self.max_age = read_max_age(value).or(self.max_age);
        } else if is(b"domain") {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            self.domain = if domain.is_empty() { self.domain } else { Some(domain) };
        } else if is(b"path") {
            self.path = Some(value).filter(|path| path.starts_with(b"/"));
        } else if is(b"secure") {
            self.secure = true;
        } else if is(b"httponly") {
            self.http_only = true;
        } else if is(b"partitioned") {
            self.partitioned = true;
        } else if is(b"samesite") {
            let all = [SameSite::Strict, SameSite::Lax, SameSite::None];
            self.same_site = all
                .into_iter()
                .find(|known| value.eq_ignore_ascii_case(known.as_bytes()));
        }
    }
}

/// Section 5.2.2: digits with an optional minus. Negative is over at once, too large is for ever.
fn read_max_age(value: &[u8]) -> Option<u64> {
    let (negative, digits) = match value {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |sum: u64, byte: &u8| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(byte.saturating_sub(b'0')))
    };
    Some(if negative { 0 } else { digits.iter().fold(0, add) })
}

/// Fills `out` from its start and counts on when it is full.
struct Line<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl Line<'_> {
    fn put(&mut self, parts: &[&[u8]]) {
        for part in parts {
            let end = self.len.saturating_add(part.len());
            if let Some(place) = self.out.get_mut(self.len..end) {
                place.copy_from_slice(part);
            }
            self.len = end;
        }
    }

    fn number(&mut self, number: u64) {
        let mut digits = [b'0'; 20];
        let mut rest = number;
        let mut used = 0_usize;
        for digit in digits.iter_mut().rev() {
            *digit = b'0'.wrapping_add((rest % 10) as u8);
            rest /= 10;
            used = used.saturating_add(1);
            if rest == 0 {
                break;
            }
        }
        self.put(&[digits.get(digits.len().saturating_sub(used)..).unwrap_or_default()]);
    }
}

fn find(bytes: &[u8], wrong: impl Fn(u8) -> bool) -> Option<(usize, u8)> {
    bytes.iter().copied().enumerate().find(|(_, byte)| wrong(*byte))
}

/// RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// RFC 6265, section 4.1.1: no controls, space, quote, comma, semicolon, backslash.
const fn is_cookie_octet(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

fn is_host_name(domain: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
            && label
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    domain.len() <= 253
        && domain.split(|byte| *byte == b'.').all(is_label)
        && core::str::from_utf8(domain).is_ok_and(|name| !matching::is_address(name))
}

fn is_path(path: &[u8]) -> bool {
    path.starts_with(b"/") && path.iter().all(|byte| matches!(byte, 0x20..=0x3a | 0x3c..=0x7e)) && !path.ends_with(b" ")
}

fn begins_with(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Browsers cut longer lifetimes to this: draft-ietf-httpbis-rfc6265bis, section 5.5.
const LONGEST_LIFE: Duration = Duration::from_secs(400 * 86_400);

use lb_types::Wall;

use super::{SetCookie, default_path, domain_match, path_match};

/// What a client does with cookies: stores them, and sends those that match. RFC 6265, sections
/// 5.3 and 5.4.
///
/// For tests, simulations and explanations, not for the way of a request: it allocates and
/// searches all it has. Holds 300 cookies; then the oldest goes. Knows no public suffixes.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    /// In order of creation.
    cookies: Vec<Stored>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Stored {
    name: Vec<u8>,
    value: Vec<u8>,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Wall>,
}

impl Jar {
    /// An empty jar.
    #[must_use]
    pub const fn new() -> Self {
        Self { cookies: Vec::new() }
    }

    /// Stores what `host` answered to a request for `path`: the value of one `Set-Cookie` line.
    /// Says whether it was accepted; a cookie that is over deletes the one it names.
    pub fn store(&mut self, host: &str, path: &str, set_cookie: &[u8], now: Wall) -> bool {
        let Some(cookie) = SetCookie::parse(set_cookie) else {
            return false;
        };
        let domain = cookie
            .domain
            .map(|domain| String::from_utf8_lossy(domain).to_ascii_lowercase());
        if domain.as_ref().is_some_and(|domain| !domain_match(host, domain)) {
            return false;
        }
        let expires = match cookie.max_age {
            Some(seconds) => Some(Wall::from_secs(now.as_secs().saturating_add(seconds))),
            None => cookie.expires,
        };
        let stored = Stored {
            name: cookie.name.to_vec(),
            value: cookie.value.to_vec(),
            host_only: domain.is_none(),
            domain: domain.unwrap_or_else(|| host.to_ascii_lowercase()),
            path: cookie.path.map_or_else(
                || default_path(path).into(),
                |p| String::from_utf8_lossy(p).into_owned(),
            ),
            secure: cookie.secure,
            expires,
        };
        let is_same = |old: &Stored| old.name == stored.name && old.domain == stored.domain && old.path == stored.path;
        let place = self.cookies.iter().position(is_same);
        let over = stored.expires.is_some_and(|expires| expires <= now);
        match (place.and_then(|at| self.cookies.get_mut(at)), over) {
            (Some(old), false) => *old = stored, // keeps its place in the order of creation
            (Some(_), true) => self.cookies.retain(|old| !is_same(old)),
            (None, true) => {}
            (None, false) => {
                if self.cookies.len() >= MOST_COOKIES {
                    self.cookies.remove(0);
                }
                self.cookies.push(stored);
            }
        }
        true
    }

    /// The `Cookie` line of a request for `path` of `host`: longer paths first, then older
    /// cookies first. `None` when nothing matches.
    #[must_use]
    pub fn cookie(&self, host: &str, path: &str, over_tls: bool, now: Wall) -> Option<Vec<u8>> {
        let is_sent = |cookie: &&Stored| {
            let at_host = if cookie.host_only {
                host.eq_ignore_ascii_case(&cookie.domain)
            } else {
                domain_match(host, &cookie.domain)
            };
            at_host
                && path_match(path, &cookie.path)
                && (over_tls || !cookie.secure)
                && cookie.expires.is_none_or(|expires| now < expires)
        };
        let mut sent: Vec<&Stored> = self.cookies.iter().filter(is_sent).collect();
        sent.sort_by_key(|cookie| core::cmp::Reverse(cookie.path.len())); // stable: age stays second
        let pairs: Vec<Vec<u8>> = sent
            .iter()
            .map(|cookie| [&*cookie.name, b"=", &*cookie.value].concat())
            .collect();
        (!pairs.is_empty()).then(|| pairs.join(&b"; "[..]))
    }

    /// Forgets everything, as when the browser ends or its user cleans up.
    pub fn clear(&mut self) {
        self.cookies.clear();
    }

    /// Forgets the cookies without expiry, as when the browser ends.
    pub fn end_session(&mut self) {
        self.cookies.retain(|cookie| cookie.expires.is_some());
    }
}

/// Browsers hold at least so many: RFC 6265, section 6.1 asks for 3000; tests need few.
const MOST_COOKIES: usize = 300;

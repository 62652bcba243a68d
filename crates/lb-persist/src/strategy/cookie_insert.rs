use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use lb_types::{BackendId, FieldsMut, InvalidField, Now, Wall, hash64};

use super::{Facts, Learn, Recall, Reply, Strategy};
use crate::cookie::{CookieError, SameSite, SetCookie, Stripped, mentions, strip, values};
use crate::token::{Tokens, Verified};

/// A cookie of our own names the backend.
///
/// The first reply sets it; later requests carry it, so nothing is stored here, and replicas
/// with the same key agree. The backend sees none of it: the cookie is taken out of the request,
/// and set on the way back. The value is a [token](crate::token): it cannot be forged and shows
/// no address.
///
/// With a lifetime the token is dated, so a cookie that is older counts as none even if the
/// client keeps it. A token of a backend that is not in the pool counts as none.
///
/// Cost per request: one pass over the `Cookie` lines to find, one to hide, `O(log backends)`.
/// No allocation, unless a `Cookie` line is longer than 4 KiB.
#[derive(Debug)]
pub struct CookieInsert {
    options: CookieInsertOptions,
    tokens: Tokens,
    written: Written,
    conflicts: AtomicU64,
}

/// The field that each backend's clients get, by backend. Without a lifetime it never changes, so it is
/// written once; empty with one.
struct Written(Box<[(BackendId, Box<[u8]>)]>);

/// Name, attributes and habits of the cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CookieInsertOptions {
    /// Default [`NAME`](CookieInsertOptions::NAME), for a site with one pool; where several pools share a host, each
    /// needs a name of its own: [`for_pool`](CookieInsertOptions::for_pool), which is what `lbd` does for every pool. The prefixes `__Host-` and `__Secure-` are held to their rules.
    pub name: String,
    /// Sent to this domain and all below it. Default `None`: only to the host that was asked.
    pub domain: Option<String>,
    /// Sent for this path and all below it. Default `/`; always written.
    pub path: String,
    /// Sent over TLS only. Default false; set it where clients come over TLS.
    pub secure: bool,
    /// Hidden from scripts. Default true.
    pub http_only: bool,
    /// Default `None`: not written, and browsers take `Lax`.
    pub same_site: Option<SameSite>,
    /// Kept apart for each embedding site. Default false.
    pub partitioned: bool,
    /// How long the client keeps it, in whole seconds, at most 400 days. Default `None`: until
    /// the browser ends.
    pub max_age: Option<Duration>,
    /// When to write it again. Default [`Refresh::WhenHalfExpired`].
    pub refresh: Refresh,
    /// Leaves our cookie in the request. Default false.
    pub forward_to_backend: bool,
    /// Adds `Cache-Control: private` to a reply that sets the cookie, unless the reply already
    /// says `private` or `no-store`: a shared cache must not hand one client's cookie to others.
    /// Default true.
    pub mark_private: bool,
}

/// When a client that already has the right cookie gets it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Refresh {
    /// With every reply.
    Always,
    /// Never: the lifetime runs from the first reply.
    WhenMissing,
    /// When half of its lifetime is over: the lifetime slides, for few bytes. Without a lifetime
    /// this is the same as `WhenMissing`.
    #[default]
    WhenHalfExpired,
}

impl Default for CookieInsertOptions {
    fn default() -> Self {
        Self {
            name: Self::NAME.into(),
            domain: None,
            path: "/".into(),
            secure: false,
            http_only: true,
            same_site: None,
            partitioned: false,
            max_age: None,
            refresh: Refresh::default(),
            forward_to_backend: false,
            mark_private: true,
        }
    }
}

impl CookieInsertOptions {
    /// The name where nothing tells pools apart, and the beginning of [the name of a pool](Self::default_name).
    pub const NAME: &'static str = "LBD";

    /// The defaults for one pool among others: its cookie has [a name of its own](Self::default_name).
    #[must_use]
    pub fn for_pool(pool: &str) -> Self {
        Self {
            name: Self::default_name(pool),
            ..Self::default()
        }
    }

    /// The name of a pool's cookie: [`NAME`](Self::NAME), a hyphen and eight hexadecimal digits that follow from the pool's name. The same
    /// on every machine and in every version.
    #[must_use]
    pub fn default_name(pool: &str) -> String {
        format!("{}-{:08x}", Self::NAME, hash64(NAME_SEED, pool.as_bytes()) >> 32)
    }

    /// The profile `ksyun`: a cookie called `SERVERID` that lives as long as the listener says.
    #[must_use]
    pub fn ksyun(timeout: Duration) -> Self {
        Self {
            name: "SERVERID".into(),
            max_age: Some(timeout),
            ..Self::default()
        }
    }

    /// The field that sets the cookie to `value`.
    fn set_cookie<'a>(&'a self, value: &'a [u8], now: Wall) -> SetCookie<'a> {
        let max_age = self.max_age.map(|age| age.as_secs());
        SetCookie {
            name: self.name.as_bytes(),
            value,
            domain: self.domain.as_ref().map(String::as_bytes),
            path: Some(self.path.as_bytes()),
            max_age,
            expires: max_age.map(|seconds| Wall::from_secs(now.as_secs().saturating_add(seconds))),
            secure: self.secure,
            http_only: self.http_only,
            same_site: self.same_site,
            partitioned: self.partitioned,
        }
    }
}

/// Why the options cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CookieInsertError {
    /// The cookie would not be kept by browsers.
    #[error(transparent)]
    Cookie(#[from] CookieError),
}

impl CookieInsert {
    /// The strategy for a pool of `backends`. Allocates; done once per snapshot.
    ///
    /// `key` is sixteen secret random bytes, the same on every replica; [`token::key`](crate::token::key) makes them from
    /// a secret of any length.
    ///
    /// # Errors
    /// [`CookieInsertError`] when browsers would not keep the cookie.
    pub fn new(
        options: CookieInsertOptions,
        key: &[u8; 16],
        backends: &[BackendId],
    ) -> Result<Self, CookieInsertError> {
        let tokens = Tokens::new(key, backends);
        let longest = tokens.issue(BackendId::from_u64(0), options.max_age.map(|_| Wall::from_secs(0)));
        options.set_cookie(longest.as_bytes(), Wall::from_secs(0)).check()?;
        let written = match options.max_age {
            None => Written::new(&options, &tokens, backends),
            Some(_) => Written(Box::default()),
        };
        Ok(Self {
            options,
            tokens,
            written,
            conflicts: AtomicU64::new(0),
        })
    }

    /// The options in force.
    #[must_use]
    pub const fn options(&self) -> &CookieInsertOptions {
        &self.options
    }

    /// How many requests carried several cookies with our name and different values: somebody sets
    /// the same name for a domain and for a host below it, or for several paths.
    #[must_use]
    pub fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    /// Puts the cookie into a reply.
    fn set(&self, response: &mut dyn FieldsMut, line: &[u8]) -> Result<Learn, InvalidField> {
        // First the warning to caches: if there is no room for both, no cookie goes out.
        if self.options.mark_private && !is_private(response) {
            response.append(CACHE_CONTROL, b"private")?;
        }
        response.append(SET_COOKIE, line)?;
        Ok(Learn::Nothing)
    }

    /// Does a valid token still count, and is it due for renewal?
    fn judge(&self, token: Verified, now: Wall) -> Recall {
        let Some(life) = self.options.max_age.map(|age| age.as_secs()) else {
            // A dated token from before the lifetime was taken out of the options.
            let other_form = token.issued.is_some();
            return Recall::Backend {
                id: token.backend,
                renew: self.renew(other_form),
            };
        };
        let Some(issued) = token.issued else {
            return Recall::Backend {
                id: token.backend,
                renew: self.renew(true),
            };
        };
        if now.as_secs().saturating_sub(issued.as_secs()) >= life {
            return Recall::Nothing;
        }
        // A date far ahead of our clock is as good a reason to write a new one as one far behind.
        let half_over = now.as_secs().abs_diff(issued.as_secs()).saturating_mul(2) >= life;
        Recall::Backend {
            id: token.backend,
            renew: self.renew(half_over),
        }
    }

    const fn renew(&self, due: bool) -> bool {
        match self.options.refresh {
            Refresh::Always => true,
            Refresh::WhenMissing => false,
            Refresh::WhenHalfExpired => due,
        }
    }
}

impl Strategy for CookieInsert {
    /// [`Recall::Backend`] for the first valid cookie with our name, of at most 16 looked at: a client
    /// may send several, of the domain and of the host (RFC 6265, section 5.4). If none of them is
    /// valid, [`Recall::Stale`].
    fn recall(&self, facts: &Facts<'_>, now: Now) -> Recall {
        let Some(fields) = facts.fields else {
            return Recall::Nothing;
        };
        let name = self.options.name.as_bytes();
        let lines = (0..).map_while(|index| fields.nth(COOKIE, index));
        let ours = lines
            .filter(|line| mentions(line, name))
            .flat_map(|line| values(line, name))
            .take(MOST_TRIES);
        let (mut answer, mut first, mut conflict) = (Recall::Nothing, None, false);
        for value in ours {
            conflict |= *first.get_or_insert(value) != value;
            if answer == Recall::Nothing
                && let Some(token) = self.tokens.verify(value)
            {
                answer = self.judge(token, now.wall);
            }
        }
        if conflict {
            self.conflicts.fetch_add(1, Ordering::Relaxed);
        }
        if answer == Recall::Nothing && first.is_some() {
            return Recall::Stale;
        }
        answer
    }

    fn prepare(&self, recall: &Recall, request: &mut dyn FieldsMut) -> Result<(), InvalidField> {
        if self.options.forward_to_backend || *recall == Recall::Nothing {
            return Ok(());
        }
        let name = self.options.name.as_bytes();
        let mut index = 0;
        while let Some(line) = request.nth(COOKIE, index) {
            let kept = if line.len() <= SMALL_LINE {
                hide::<SMALL_LINE>(request, index, name)?
            } else {
                hide_long(request, index, name)?
            };
            index = index.saturating_add(usize::from(kept));
        }
        Ok(())
    }

    /// Adds a `Set-Cookie` line, unless the request already named `chosen` with a fresh cookie.
    /// Lines of the backend stay as they are.
    fn learn(&self, recall: &Recall, chosen: BackendId, reply: Reply<'_>, now: Now) -> Result<Learn, InvalidField> {
        let Reply::Head(response) = reply else {
            return Ok(Learn::Nothing);
        };
        if *recall
            == (Recall::Backend {
                id: chosen,
                renew: false,
            })
        {
            return Ok(Learn::Nothing);
        }
        if let Some(line) = self.written.of(chosen) {
            return self.set(response, line);
        }
        let token = self.tokens.issue(chosen, self.options.max_age.map(|_| now.wall));
        let mut line = [0; SetCookie::LONGEST];
        let len = self.options.set_cookie(token.as_bytes(), now.wall).write(&mut line);
        let line = len.ok().and_then(|len| line.get(..len)).ok_or(InvalidField::Full)?; // fits: `new` tried
        self.set(response, line)
    }
}

impl Written {
    fn new(options: &CookieInsertOptions, tokens: &Tokens, backends: &[BackendId]) -> Self {
        let mut line = [0; SetCookie::LONGEST];
        let mut lines: Vec<(BackendId, Box<[u8]>)> = backends
            .iter()
            .filter_map(|id| {
                let token = tokens.issue(*id, None);
                let len = options
                    .set_cookie(token.as_bytes(), Wall::from_secs(0))
                    .write(&mut line);
                Some((*id, line.get(..len.ok()?)?.into()))
            })
            .collect();
        lines.sort_unstable_by_key(|(id, _)| *id);
        Self(lines.into())
    }

    fn of(&self, backend: BackendId) -> Option<&[u8]> {
        let at = self.0.binary_search_by_key(&backend, |(id, _)| *id).ok()?;
        self.0.get(at).map(|(_, line)| &**line)
    }
}

impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({} lines)", self.0.len()) // tokens are nobody's to read
    }
}

/// Writes a stripped line back; false when the line went.
fn apply(request: &mut dyn FieldsMut, index: usize, stripped: Stripped, out: &[u8]) -> Result<bool, InvalidField> {
    match stripped {
        Stripped::Unchanged => Ok(true),
        Stripped::Empty => Ok(!request.remove(COOKIE, index)),
        Stripped::Shorter(len) => {
            request.replace(COOKIE, index, out.get(..len).unwrap_or_default())?;
            Ok(true)
        }
    }
}

/// Strips a line of at most `LONGEST` bytes on the stack; false when the line went.
#[inline(never)]
fn hide<const LONGEST: usize>(request: &mut dyn FieldsMut, index: usize, name: &[u8]) -> Result<bool, InvalidField> {
    let Some(line) = request.nth(COOKIE, index) else {
        return Ok(false);
    };
    let mut out = [0; LONGEST];
    let stripped = strip(line, name, &mut out);
    apply(request, index, stripped, &out)
}

/// The same for a line that needs more stack than most, or none.
#[inline(never)]
fn hide_long(request: &mut dyn FieldsMut, index: usize, name: &[u8]) -> Result<bool, InvalidField> {
    let Some(line) = request.nth(COOKIE, index) else {
        return Ok(false);
    };
    if line.len() <= LARGE_LINE {
        return hide::<LARGE_LINE>(request, index, name);
    }
    let mut heap = vec![0; line.len()];
    let stripped = strip(line, name, &mut heap);
    apply(request, index, stripped, &heap)
}

/// Does the reply already forbid shared caches to store it? RFC 9111, sections 5.2.2.5 and 5.2.2.7.
/// `private="..."` covers single fields only and does not count.
fn is_private(response: &dyn FieldsMut) -> bool {
    let mut lines = (0..).map_while(|index| response.nth(CACHE_CONTROL, index));
    lines.any(|line| {
        let mut quoted = false;
        line.split(|byte| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        })
        .map(<[u8]>::trim_ascii)
        .any(|directive| directive.eq_ignore_ascii_case(b"private") || directive.eq_ignore_ascii_case(b"no-store"))
    })
}

/// Of the hash that makes names of cookies; fixed for ever, or clients would lose their backend.
const NAME_SEED: u64 = 0x6c62_2d63_6f6f_6b69;
const COOKIE: &str = "Cookie";
const SET_COOKIE: &str = "Set-Cookie";
const CACHE_CONTROL: &str = "Cache-Control";

/// How many cookies with our name are looked at: honest clients send one or two, and each costs
/// a tag.
const MOST_TRIES: usize = 16;

/// Lines are rewritten on the stack up to these lengths: most, and nearly all.
const SMALL_LINE: usize = 512;
const LARGE_LINE: usize = 4096;

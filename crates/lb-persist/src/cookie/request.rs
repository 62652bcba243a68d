/// The name-value pairs of a `Cookie` field, in order. No allocation.
///
/// RFC 6265, section 4.2.1, read as servers read it: pairs end at `;`, spaces and tabs around
/// names and values do not count, one pair of double quotes around a value is taken off. What has no `=` is passed over.
#[must_use]
pub const fn pairs(line: &[u8]) -> Pairs<'_> {
    Pairs { rest: Some(line) }
}

/// Iterator of [`pairs`].
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(line) = self.rest {
            let (crumb, rest) = split_once(line, b';');
            self.rest = rest;
            if let (name, Some(value)) = split_once(crumb, b'=') {
                return Some((name.trim_ascii(), unquote(value.trim_ascii())));
            }
        }
        None
    }
}

/// The values of the cookies called `name` in a `Cookie` field, in order: [`pairs`] for one name,
/// and faster. Names are compared with regard to case. No allocation.
pub fn values<'a>(line: &'a [u8], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(line);
    core::iter::from_fn(move || {
        while let Some(line) = rest {
            let (crumb, after) = split_once(line, b';');
            rest = after;
            if let Some(value) = value_if_called(crumb, name) {
                return Some(unquote(value.trim_ascii()));
            }
        }
        None
    })
}

/// What [`strip`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stripped {
    /// The line has no such cookie.
    Unchanged,
    /// The line had no other cookie: the field should go.
    Empty,
    /// This many bytes of `out` are the new line.
    Shorter(usize),
}

/// Writes `line` without the cookies called `name` into `out`, which must be as long as `line`.
///
/// Order and bytes of the other cookies stay exactly as they are; of each removed cookie one
/// separator goes too. `O(len)`, no allocation. Names are compared with regard to case.
#[must_use]
pub fn strip(line: &[u8], name: &[u8], out: &mut [u8]) -> Stripped {
    let mut found = false;
    let mut out_len = 0_usize;
    let mut rest = Some(line);
    while let Some(line) = rest {
        let (crumb, after) = split_once(line, b';');
        rest = after;
        if value_if_called(crumb, name).is_some() {
            found = true;
            continue;
        }
        // The first crumb that stays starts the line: no separator, no space before it.
        let (separator, crumb): (&[u8], _) = if out_len == 0 {
            (b"", crumb.trim_ascii_start())
        } else {
            (b";", crumb)
        };
        if out_len == 0 && crumb.is_empty() {
            continue;
        }
        for part in [separator, crumb] {
            let end = out_len.saturating_add(part.len());
            if let Some(place) = out.get_mut(out_len..end) {
                place.copy_from_slice(part);
                out_len = end;
            }
        }
    }
    if !found {
        return Stripped::Unchanged;
    }
    match out.get(..out_len).map(<[u8]>::trim_ascii_end) {
        None | Some([]) => Stripped::Empty,
        Some(kept) => Stripped::Shorter(kept.len()),
    }
}

/// Does `name` stand anywhere in `line`? If not, the line has no cookie of this name: a cheap question
/// in front of the dear ones.
pub(crate) fn mentions(line: &[u8], name: &[u8]) -> bool {
    let Some((first, behind)) = name.split_first() else {
        return true;
    };
    let mut rest = line;
    while let (_, Some(after)) = split_once(rest, *first) {
        if after.starts_with(behind) {
            return true;
        }
        rest = after;
    }
    false
}

/// The value of `crumb` if its name is `name`.
fn value_if_called<'a>(crumb: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = crumb.trim_ascii_start().strip_prefix(name)?;
    rest.trim_ascii_start().strip_prefix(b"=")
}

pub(super) fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// The bytes before and after the first `byte`.
pub(super) fn split_once(bytes: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match find(bytes, byte).and_then(|at| bytes.split_at_checked(at)) {
        Some((before, [_, after @ ..])) => (before, Some(after)),
        _ => (bytes, None),
    }
}

/// Where `byte` stands first: eight bytes at a time, since this is the loop over every `Cookie`
/// line.
fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        // Equal bytes become zero. Subtracting one from each byte sets the high bit of a zero byte;
        // a borrow can also set it in bytes after the first zero, never before it.
        let zeros = u64::from_le_bytes(*word) ^ (ONES.wrapping_mul(u64::from(byte)));
        let hits = zeros.wrapping_sub(ONES) & !zeros & (ONES << 7);
        if hits != 0 {
            return Some(index.wrapping_mul(8).wrapping_add((hits.trailing_zeros() / 8) as usize));
        }
    }
    let before = words.len().wrapping_mul(8);
    rest.iter().position(|b| *b == byte).map(|at| before.wrapping_add(at))
}

const ONES: u64 = 0x0101_0101_0101_0101;

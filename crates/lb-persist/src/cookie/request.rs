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
        if is_called(crumb, name) {
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

fn is_called(crumb: &[u8], name: &[u8]) -> bool {
    match split_once(crumb, b'=') {
        (found, Some(_)) => found.trim_ascii() == name,
        (_, None) => false,
    }
}

pub(super) fn unquote(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

/// The bytes before and after the first `byte`.
pub(super) fn split_once(bytes: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match bytes
        .iter()
        .position(|b| *b == byte)
        .and_then(|at| bytes.split_at_checked(at))
    {
        Some((before, [_, after @ ..])) => (before, Some(after)),
        _ => (bytes, None),
    }
}

use super::name::{Name, is_token};
use super::{Field, Head, Span};
use core::hint::cold_path;
use core::ops::Range;
use lb_types::{Fields, FieldsMut, InvalidField};

impl Fields for Head {
    /// One bit test for a known name that is absent; else a walk over the index.
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.place(name.as_bytes(), index)
            .and_then(|at| self.index.get(at))
            .map(|f| self.value_of(f))
    }
}

impl FieldsMut for Head {
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        let id = Name::of(name.as_bytes());
        if !is_token(name.as_bytes()) {
            return Err(InvalidField::Name);
        }
        check_value(value)?;
        self.append_parts(id, name, &[value])
    }

    fn replace(&mut self, name: &str, index: usize, value: &[u8]) -> Result<(), InvalidField> {
        check_value(value)?;
        match self.place(name.as_bytes(), index) {
            Some(at) => self.rewrite(at, &[value]),
            None => Ok(()),
        }
    }

    fn remove(&mut self, name: &str, index: usize) -> bool {
        let Some(at) = self.place(name.as_bytes(), index) else {
            return false;
        };
        let Some(field) = self.index.get_mut(at) else {
            return false;
        };
        field.live = false;
        let id = field.name;
        if !self.index.iter().any(|f| f.live && f.name == id) {
            self.present &= !id.bit();
        }
        true
    }
}

impl Head {
    /// Adds a line whose value is given in pieces, with a name whose number is known. The caller answers
    /// for their bytes.
    #[inline(never)]
    pub(crate) fn append_parts(&mut self, id: Name, name: &str, parts: &[&[u8]]) -> Result<(), InvalidField> {
        debug_assert_eq!(Name::of(name.as_bytes()), id);
        if self.index.len() >= FIELDS_MAX {
            return Err(InvalidField::Full);
        }
        let value_len: usize = parts.iter().map(|p| p.len()).sum();
        self.reserve_line(name.len(), value_len)?;
        let name_at = self.arena.len() as u32;
        self.arena.extend_from_slice(name.as_bytes());
        let value_at = self.put_value(parts);
        self.push(Field {
            name_at,
            value_at,
            value_len: value_len as u32,
            name_len: name.len() as u32,
            name: id,
            live: true,
            whole: true,
        });
        Ok(())
    }

    /// Adds lines of known names, given as they are written: name, colon, space, value, CRLF. `parts`: number,
    /// length of the name, length of the value, for each. The caller answers for their bytes.
    pub(crate) fn append_lines(&mut self, lines: &[u8], parts: &[(Name, u32, u32)]) -> Result<(), InvalidField> {
        if self.index.len().wrapping_add(parts.len()) > FIELDS_MAX {
            cold_path();
            return Err(InvalidField::Full);
        }
        self.reserve_line(0, lines.len())?;
        let mut name_at = self.arena.len() as u32;
        self.arena.extend_from_slice(lines);
        for &(name, name_len, value_len) in parts {
            let value_at = name_at.wrapping_add(name_len).wrapping_add(2);
            self.push(Field {
                name_at,
                value_at,
                value_len,
                name_len,
                name,
                live: true,
                whole: true,
            });
            name_at = value_at.wrapping_add(value_len).wrapping_add(2);
        }
        debug_assert_eq!(name_at as usize, self.arena.len());
        Ok(())
    }

    /// Makes one line of all lines of a known name that holds a list: their members in order, empty ones left out, and one
    /// more, given in pieces. It stands where the first of them stood.
    pub(crate) fn join_and_extend(&mut self, name: Name, member: &[&[u8]]) -> Result<(), InvalidField> {
        let (mut first, mut value) = (None, 0_usize);
        for (at, field) in self.index.iter().enumerate().filter(|(_, f)| f.live && f.name == name) {
            first = first.or(Some((at, *field)));
            value = value.saturating_add(field.value_len as usize).saturating_add(1);
        }
        let Some((at, field)) = first else {
            return Ok(());
        };
        // A member of one byte and its comma may become three bytes.
        let added = member.iter().map(|p| p.len()).fold(2, usize::saturating_add);
        let longest = value.saturating_mul(2).saturating_add(added);
        self.reserve_line(field.name_len as usize, longest)?;
        let name_at = self.copy_name(&field);
        self.arena.extend_from_slice(b": ");
        let value_at = self.arena.len() as u32;
        for line in at..self.index.len() {
            let Some(other) = self.index.get_mut(line).filter(|f| f.live && f.name == name) else {
                continue;
            };
            other.live = line == at;
            let (start, len) = (other.value_at as usize, other.value_len as usize);
            self.copy_members(start..start.saturating_add(len));
        }
        for part in member {
            self.arena.extend_from_slice(part);
        }
        let value_len = (self.arena.len() as u32).wrapping_sub(value_at);
        self.arena.extend_from_slice(b"\r\n");
        if let Some(f) = self.index.get_mut(at) {
            *f = Field {
                name_at,
                value_at,
                value_len,
                whole: true,
                ..field
            };
        }
        self.repeated &= !name.bit();
        Ok(())
    }

    /// Copies the members of a list, a comma and a space behind each, to the end of the arena.
    fn copy_members(&mut self, list: Range<usize>) {
        let mut start = list.start;
        while start < list.end {
            let rest = self.arena.get(start..list.end).unwrap_or_default();
            let len = member_len(rest);
            let text = rest.get(..len).unwrap_or_default();
            let blanks = text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            let member = crate::list::trim(text).len();
            if member > 0 {
                let at = start.saturating_add(blanks);
                self.arena.extend_from_within(at..at.saturating_add(member));
                self.arena.extend_from_slice(b", ");
            }
            start = start.saturating_add(len).saturating_add(1);
        }
    }

    /// Turns an absolute target into origin form, and makes its authority the value of `Host`.
    /// The ranges are places in the target.
    pub(crate) fn make_origin_form(&mut self, authority: Range<usize>, rest: Range<usize>) -> Result<(), InvalidField> {
        let base = self.target.at as usize;
        let whole = base.saturating_add(rest.start)..base.saturating_add(rest.end);
        let value = base.saturating_add(authority.start)..base.saturating_add(authority.end);
        self.line_end = 0;
        match self.arena.get(whole.clone()).and_then(|r| r.first()) {
            Some(b'/') => {
                self.target = Span {
                    at: whole.start as u32,
                    len: whole.len() as u32,
                }
            }
            None if self.method() == b"OPTIONS" => self.target = self.store(b"*"),
            None => self.target = self.store(b"/"),
            Some(_) => {
                self.target = self.store(b"/");
                self.arena.extend_from_within(whole);
                self.target.len = self.target.len.saturating_add(rest.len() as u32);
            }
        }
        if let Some(host) = self.index.iter_mut().find(|f| f.live && f.name == Name::Host) {
            host.value_at = value.start as u32;
            host.value_len = value.len() as u32;
            host.whole = false;
            return Ok(());
        }
        self.append("Host", b"")?;
        let at = self.arena.len().saturating_sub(2);
        self.arena.truncate(at);
        self.arena.extend_from_within(value.clone());
        self.arena.extend_from_slice(b"\r\n");
        if let Some(host) = self.index.last_mut() {
            host.value_len = value.len() as u32;
        }
        Ok(())
    }

    /// Writes the bytes of the query that `must` names as `%` and two hexadecimal digits.
    pub(crate) fn encode_query(&mut self, must: impl Fn(u8) -> bool) -> Result<(), InvalidField> {
        let target = self.target();
        let query = memchr::memchr(b'?', target).unwrap_or(target.len());
        let odd = target.iter().skip(query).filter(|byte| must(**byte)).count();
        if odd == 0 {
            return Ok(());
        }
        let from = self.target.at as usize;
        let end = from.saturating_add(self.target.len as usize);
        self.reserve_line(0, end.saturating_sub(from).saturating_add(odd.saturating_mul(2)))?;
        let at = self.arena.len();
        let split = from.saturating_add(query);
        self.arena.extend_from_within(from..split);
        for place in split..end {
            let byte = self.arena.get(place).copied().unwrap_or_default();
            if must(byte) {
                let digit = |n: u8| b"0123456789ABCDEF".get(usize::from(n & 15)).copied().unwrap_or(b'0');
                self.arena.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte)]);
            } else {
                self.arena.push(byte);
            }
        }
        self.line_end = 0;
        self.target = Span {
            at: at as u32,
            len: self.arena.len().wrapping_sub(at) as u32,
        };
        Ok(())
    }

    /// Takes the target's bytes from `raw`, the head as it was loaded, in which each stands where it stands here.
    pub(crate) fn put_back_target(&mut self, raw: &[u8]) {
        let at = self.target.at as usize;
        let place = at..at.saturating_add(self.target.len as usize);
        if let (Some(to), Some(from)) = (self.arena.get_mut(place.clone()), raw.get(place)) {
            to.copy_from_slice(from);
        }
    }

    /// Removes every field whose name `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl Fn(&[u8]) -> bool) {
        let Self { arena, index, .. } = self;
        for field in index.iter_mut() {
            let at = field.name_at as usize;
            let name = arena
                .get(at..at.wrapping_add(field.name_len as usize))
                .unwrap_or_default();
            field.live &= keep(name);
        }
        self.recount();
    }

    /// Removes every field whose known name is in `mask`.
    pub(crate) fn remove_known(&mut self, mask: u64) {
        if !self.has_any(mask) {
            return;
        }
        for field in self.index.iter_mut().filter(|f| f.name.bit() & mask != 0) {
            field.live = false;
        }
        self.present &= !mask;
        self.repeated &= !mask;
    }

    /// Removes every field that is named by a member of one of the `Connection` values, except
    /// those for which `keep` says true.
    pub(crate) fn remove_nominated(&mut self, keep: impl Fn(&[u8]) -> bool) {
        let mut any = false;
        let Self { arena, index, .. } = self;
        let text = |at: u32, len: u32| {
            let at = at as usize;
            arena.get(at..at.wrapping_add(len as usize)).unwrap_or_default()
        };
        for connection in 0..index.len() {
            let Some(field) = index.get(connection).copied() else {
                continue;
            };
            if field.name != Name::Connection || !field.live {
                continue;
            }
            for member in crate::list::members(text(field.value_at, field.value_len)) {
                if is_option(member) || keep(member) {
                    continue;
                }
                for other in index.iter_mut().filter(|f| f.name_len as usize == member.len()) {
                    if text(other.name_at, other.name_len).eq_ignore_ascii_case(member) {
                        other.live = false;
                        any = true;
                    }
                }
            }
        }
        if any {
            self.recount();
        }
    }

    fn recount(&mut self) {
        self.present = self
            .index
            .iter()
            .filter(|f| f.live)
            .fold(0, |mask, f| mask | f.name.bit());
    }

    fn place(&self, name: &[u8], index: usize) -> Option<usize> {
        let id = Name::of(name);
        if !self.has(id) {
            return None;
        }
        let first = self.first_of(id);
        let fits = |f: &Field| f.live && f.name == id && (!id.is_vague() || self.name_of(f).eq_ignore_ascii_case(name));
        let fields = self.index.get(first..)?;
        if !id.is_vague() && !self.is_repeated(id) && index > 0 {
            return None;
        }
        fields
            .iter()
            .enumerate()
            .filter(|(_, f)| fits(f))
            .nth(index)
            .map(|(at, _)| first.wrapping_add(at))
    }

    fn rewrite(&mut self, at: usize, parts: &[&[u8]]) -> Result<(), InvalidField> {
        let Some(field) = self.index.get(at).copied() else {
            return Ok(());
        };
        let value_len: usize = parts.iter().map(|p| p.len()).sum();
        self.reserve_line(field.name_len as usize, value_len)?;
        let name_at = self.copy_name(&field);
        let value_at = self.put_value(parts);
        if let Some(f) = self.index.get_mut(at) {
            *f = Field {
                name_at,
                value_at,
                value_len: value_len as u32,
                whole: true,
                ..field
            };
        }
        Ok(())
    }

    fn copy_name(&mut self, field: &Field) -> u32 {
        let at = self.arena.len() as u32;
        let from = field.name_at as usize;
        self.arena
            .extend_from_within(from..from.wrapping_add(field.name_len as usize));
        at
    }

    /// Writes `: value CRLF` behind a name and says where the value begins.
    fn put_value(&mut self, parts: &[&[u8]]) -> u32 {
        self.arena.extend_from_slice(b": ");
        let at = self.arena.len() as u32;
        for part in parts {
            self.arena.extend_from_slice(part);
        }
        self.arena.extend_from_slice(b"\r\n");
        at
    }

    fn reserve_line(&self, name: usize, value: usize) -> Result<(), InvalidField> {
        let total = self
            .arena
            .len()
            .saturating_add(name)
            .saturating_add(value)
            .saturating_add(4);
        if total > ARENA_MAX {
            Err(InvalidField::Full)
        } else {
            Ok(())
        }
    }
}

/// Up to the comma that ends the first member of a list; one in a quoted string ends none.
fn member_len(list: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let comma = list.iter().position(|byte| {
        let ends = *byte == b',' && !quoted;
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        ends
    });
    comma.unwrap_or(list.len())
}

/// Options that name no field, or whose fields are dropped by their own rule.
fn is_option(member: &[u8]) -> bool {
    const OPTIONS: [&[u8]; 5] = [b"close", b"keep-alive", b"upgrade", b"te", b"connection"];
    OPTIONS.iter().any(|o| member.eq_ignore_ascii_case(o))
}

/// RFC 9110, section 5.5: no control but HTAB, no white space at the ends.
fn check_value(value: &[u8]) -> Result<(), InvalidField> {
    let bad = |b: u8| (b < b' ' && b != b'\t') || b == 0x7f;
    let at_end = |b: Option<&u8>| b.is_some_and(|b| *b == b' ' || *b == b'\t');
    let control = if may_have_control(value) {
        value.iter().position(|b| bad(*b))
    } else {
        None
    };
    let offset = match control {
        Some(offset) => offset,
        None if at_end(value.first()) => 0,
        None if at_end(value.last()) => value.len().saturating_sub(1),
        None => return Ok(()),
    };
    Err(InvalidField::Value {
        byte: value.get(offset).copied().unwrap_or_default(),
        offset,
    })
}

/// Is there a byte below space or DEL? Eight bytes at a time; may say yes for bytes above ASCII.
fn may_have_control(value: &[u8]) -> bool {
    let word = |bytes: &[u8; 8]| {
        let word = u64::from_ne_bytes(*bytes);
        // Subtracting one too many from a byte borrows from the next and sets its high bit.
        let below = word.wrapping_sub(ONES.wrapping_mul(u64::from(b' ')));
        let del = (word ^ ONES.wrapping_mul(0x7f)).wrapping_sub(ONES);
        (below | del) & (ONES << 7) != 0
    };
    match value.last_chunk() {
        Some(last) => word(last) || value.as_chunks().0.iter().any(word),
        None => value.iter().any(|b| *b < b' ' || *b >= 0x7f),
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Twice the largest number of lines a message may arrive with: nobody edits in more.
const FIELDS_MAX: usize = 512;
/// 16 MiB: far above any head limit, far below the 4 GiB that offsets could address.
pub(crate) const ARENA_MAX: usize = 1 << 24;

use crate::hello::is_grease;
use crate::reader::Reader;
use core::fmt;

/// Numbers of two bytes: cipher suites, groups or signature schemes. GREASE is passed over.
#[derive(Clone, Copy)]
pub struct Numbers<'a> {
    reader: Reader<'a>,
}

/// Names of protocols. GREASE is passed over.
#[derive(Clone, Copy)]
pub struct Protocols<'a> {
    reader: Reader<'a>,
}

impl<'a> Numbers<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
        }
    }
}

impl<'a> Protocols<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self {
            reader: Reader::new(bytes),
        }
    }
}

impl Iterator for Numbers<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        loop {
            let number = self.reader.u16()?;
            if !is_grease(number) {
                return Some(number);
            }
        }
    }
}

impl<'a> Iterator for Protocols<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let name = self.reader.take8()?;
            if !name.try_into().map(u16::from_be_bytes).is_ok_and(is_grease) {
                return Some(name);
            }
        }
    }
}

impl fmt::Debug for Numbers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

impl fmt::Debug for Protocols<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for name in *self {
            list.entry(&format_args!("{}", name.escape_ascii()));
        }
        list.finish()
    }
}

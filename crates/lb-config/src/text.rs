//! Bytes of a file to text: UTF-8, and the right name for what is not.

use std::io;
use std::path::Path;

/// A file that is no UTF-8 text, and what it seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotUtf8 {
    /// It begins with the mark of UTF-16, or of UTF-32: editors of Windows call that "Unicode".
    #[error("the file is {name}, not UTF-8")]
    Marked {
        /// What `iconv` calls it.
        name: &'static str,
    },
    /// Each other byte is zero, without a mark in front.
    #[error("the file looks like {name} without a mark, not UTF-8")]
    Unmarked {
        /// What `iconv` calls it.
        name: &'static str,
    },
    /// Anything else: in most cases one byte for each letter.
    #[error("the file is not UTF-8: byte 0x{byte:02x} in line {line}")]
    Byte {
        /// The first byte that is none of UTF-8.
        byte: u8,
        /// Where it stands, from 1.
        line: usize,
    },
}

impl NotUtf8 {
    /// The text of a file, or what the file is instead.
    ///
    /// # Errors
    /// It is no UTF-8, or UTF-16 that happens to be valid UTF-8 with zero bytes.
    pub(crate) fn check(bytes: Vec<u8>) -> Result<String, Self> {
        match bytes.as_slice() {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Err(Self::Marked { name: "UTF-32" }),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(Self::Marked { name: "UTF-16" }),
            [1..=0xff, 0, 1..=0xff, 0, ..] => return Err(Self::Unmarked { name: "UTF-16LE" }),
            [0, 1..=0xff, 0, 1..=0xff, ..] => return Err(Self::Unmarked { name: "UTF-16BE" }),
            _ => {}
        }
        String::from_utf8(bytes).map_err(|error| {
            let (good, bad) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
            Self::Byte {
                byte: bad.first().copied().unwrap_or_default(),
                line: good.iter().filter(|b| **b == b'\n').count().saturating_add(1),
            }
        })
    }

    /// The command that makes UTF-8 of it.
    pub(crate) fn mend(self, path: &Path) -> String {
        let convert = |name: &str| {
            let (file, new) = (quoted(&path.display().to_string()), path.with_extension("utf8.toml"));
            format!(
                "`iconv -f {name} -t UTF-8 {file} > {}`",
                quoted(&new.display().to_string())
            )
        };
        match self {
            Self::Marked { name } | Self::Unmarked { name } => {
                format!("save it as UTF-8 in the editor, or: {}", convert(name))
            }
            Self::Byte { .. } => format!(
                "save it as UTF-8 in the editor, or, if it is of Windows (Latin-1): {}",
                convert("WINDOWS-1252")
            ),
        }
    }
}

impl From<NotUtf8> for io::Error {
    fn from(error: NotUtf8) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@%:,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        let dashed = if word.starts_with('-') { "./" } else { "" };
        format!("'{dashed}{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_is_called_by_its_name() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        let check = |bytes: &[u8]| NotUtf8::check(bytes.to_vec());
        let marked = |name| Err(NotUtf8::Marked { name });
        assert_eq!(check(&utf16("\u{feff}version", u16::to_le_bytes)), marked("UTF-16"));
        assert_eq!(check(&utf16("\u{feff}version", u16::to_be_bytes)), marked("UTF-16"));
        assert_eq!(check(b"\xff\xfe\0\0v\0\0\0"), marked("UTF-32"));
        assert_eq!(check(b"\0\0\xfe\xff\0\0\0v"), marked("UTF-32"));
        let bare = |name| Err(NotUtf8::Unmarked { name });
        assert_eq!(check(&utf16("version", u16::to_le_bytes)), bare("UTF-16LE"));
        assert_eq!(check(&utf16("version", u16::to_be_bytes)), bare("UTF-16BE"));
        let byte = Err(NotUtf8::Byte { byte: 0xe9, line: 2 });
        assert_eq!(check(b"# one\n# caf\xe9\n"), byte);
        for text in ["", "v", "\u{feff}version = 1", "# caf\u{e9}", "a\0b"] {
            assert_eq!(check(text.as_bytes()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn the_command_is_for_the_file_whatever_its_name() {
        let mend = |path: &str| NotUtf8::Marked { name: "UTF-16" }.mend(Path::new(path));
        assert!(mend("/etc/lbd.toml").ends_with("`iconv -f UTF-16 -t UTF-8 /etc/lbd.toml > /etc/lbd.utf8.toml`"));
        assert!(mend("my file's.toml").ends_with("'my file'\\''s.toml' > 'my file'\\''s.utf8.toml'`"));
        assert!(mend("-x.toml").ends_with("'./-x.toml' > './-x.utf8.toml'`"));
    }
}

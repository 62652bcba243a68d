//! Passwords from a file, the environment or a terminal; never shown.

use super::Failure;
use super::args::{OutPassword, Passwords};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;

/// A password file may have this many bytes.
const LIMIT: u64 = 64 * 1024;

/// The passwords that were given with the command, in their order.
pub(super) fn given(passwords: &Passwords) -> Result<Vec<Vec<u8>>, Failure> {
    if !passwords.password.is_empty() {
        eprintln!(
            "lbd: warning: a password on the command line can be seen by other users of this machine and stays in the \
             history of the shell; use --password-file or --password-env"
        );
    }
    let arguments = passwords
        .password
        .iter()
        .map(|argument| Ok(argument.0.clone().into_bytes()));
    let files = passwords.password_file.iter().map(|path| of_file(path));
    let variables = passwords.password_env.iter().map(|name| of_variable(name));
    arguments.chain(files).chain(variables).collect()
}

/// The password for a file to be written: given, or asked for twice.
pub(super) fn for_output(out: &OutPassword) -> Result<String, Failure> {
    if let Some(password) = named(out.out_password_file.as_deref(), out.out_password_env.as_deref())? {
        return String::from_utf8(password).map_err(|_| {
            Failure::Usage(
                "the password of the file to write is not UTF-8; other programs would not find the same".to_owned(),
            )
        });
    }
    let missing = || {
        Failure::Usage(
            "a PKCS#12 file needs a password: give --out-password-file or --out-password-env, or run it in a terminal \
             to be asked"
                .to_owned(),
        )
    };
    let first = ask("Password of the file to write: ")?.ok_or_else(missing)?;
    let second = ask("The same again: ")?.ok_or_else(missing)?;
    if first == second {
        Ok(first)
    } else {
        Err(Failure::Usage(
            "the two passwords differ; nothing was written".to_owned(),
        ))
    }
}

/// Asks on the terminal, without echo. `None` when there is no terminal.
pub(super) fn ask(question: &str) -> Result<Option<String>, Failure> {
    if !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        return Ok(None);
    };
    let failed = |error: std::io::Error| Failure::Running(format!("cannot ask for the password: {error}"));
    let _silence = Silence::begin(&terminal).map_err(failed)?;
    (&terminal).write_all(question.as_bytes()).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(&terminal).read_line(&mut line).map_err(failed)?;
    // The line end that was typed was not shown either.
    (&terminal).write_all(b"\n").map_err(failed)?;
    Ok(Some(without_line_end(&line).to_owned()))
}

fn named(file: Option<&Path>, variable: Option<&str>) -> Result<Option<Vec<u8>>, Failure> {
    match (file, variable) {
        (Some(path), _) => of_file(path).map(Some),
        (None, Some(name)) => of_variable(name).map(Some),
        (None, None) => Ok(None),
    }
}

/// The first line: bytes, because a file may be of a time before UTF-8.
fn of_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot =
        |what: std::io::Error| Failure::Running(format!("cannot read the password file {}: {what}", path.display()));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(LIMIT).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(first_line(&bytes))
}

fn of_variable(name: &str) -> Result<Vec<u8>, Failure> {
    match std::env::var_os(name) {
        Some(password) => Ok(password.into_encoded_bytes()),
        None => Err(Failure::Usage(format!(
            "there is no environment variable {name}, which --password-env names"
        ))),
    }
}

/// Without line end and byte order mark; Windows' editors and shells also write UTF-16.
fn first_line(bytes: &[u8]) -> Vec<u8> {
    let units = |from: fn([u8; 2]) -> u16, rest: &[u8]| {
        let (pairs, _) = rest.as_chunks::<2>();
        String::from_utf16_lossy(&pairs.iter().map(|pair| from(*pair)).collect::<Vec<u16>>()).into_bytes()
    };
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest.to_vec(),
        [0xFF, 0xFE, rest @ ..] => units(u16::from_le_bytes, rest),
        [0xFE, 0xFF, rest @ ..] => units(u16::from_be_bytes, rest),
        rest => rest.to_vec(),
    };
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line).to_vec()
}

/// Only the line end goes: a password may end in spaces.
fn without_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// No echo until dropped.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn begin(terminal: &'a File) -> std::io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Flush, &silent)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_line_end_is_taken_off() {
        for (line, password) in [
            ("a b \r\n", "a b "),
            ("x\n", "x"),
            ("y", "y"),
            ("\n", ""),
            ("", ""),
            ("z\r", "z"),
        ] {
            assert_eq!(without_line_end(line), password);
            // What stands in a file is one more line or none.
            if line != "z\r" {
                assert_eq!(first_line(line.as_bytes()), password.as_bytes());
            }
        }
    }

    #[test]
    fn a_password_file_is_read_as_its_byte_order_mark_says() {
        for (file, password) in [
            (&b"\xEF\xBB\xBFp\xC3\xA4ss\r\n"[..], &b"p\xC3\xA4ss"[..]),
            (b"\xFF\xFEp\0\xE4\0\r\0\n\0", b"p\xC3\xA4"),
            (b"\xFE\xFF\0p\0\xE4", b"p\xC3\xA4"),
            (b"p\xE4ss\nsecond line\n", b"p\xE4ss"),
        ] {
            assert_eq!(first_line(file), password);
        }
    }
}

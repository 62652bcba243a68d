//! Passwords from a file, the environment or a terminal; never shown.

use super::Failure;
use super::args::{OutPassword, Passwords};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;

/// A password file may have this many bytes.
const LIMIT: u64 = 64 * 1024;

/// The password that was given with the command, if any.
pub(super) fn given(passwords: &Passwords) -> Result<Option<String>, Failure> {
    if let Some(argument) = &passwords.password {
        eprintln!(
            "lbd: warning: a password on the command line can be seen by other users of this machine and stays in the \
             history of the shell; use --password-file or --password-env"
        );
        return Ok(Some(argument.0.clone()));
    }
    named(passwords.password_file.as_deref(), passwords.password_env.as_deref())
}

/// The password for a file to be written: given, or asked for twice.
pub(super) fn for_output(out: &OutPassword) -> Result<String, Failure> {
    if let Some(password) = named(out.out_password_file.as_deref(), out.out_password_env.as_deref())? {
        return Ok(password);
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

fn named(file: Option<&Path>, variable: Option<&str>) -> Result<Option<String>, Failure> {
    if let Some(path) = file {
        let cannot = |what: &dyn std::fmt::Display| {
            Failure::Running(format!("cannot read the password file {}: {what}", path.display()))
        };
        let mut line = String::new();
        let file = File::open(path).map_err(|error| cannot(&error))?;
        BufReader::new(std::io::Read::take(file, LIMIT))
            .read_line(&mut line)
            .map_err(|error| cannot(&error))?;
        return Ok(Some(without_line_end(line.trim_start_matches('\u{feff}')).to_owned()));
    }
    if let Some(name) = variable {
        return match std::env::var(name) {
            Ok(password) => Ok(Some(password)),
            Err(std::env::VarError::NotPresent) => Err(Failure::Usage(format!(
                "there is no environment variable {name}, which --password-env names"
            ))),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Failure::Usage(format!("the environment variable {name} is not UTF-8")))
            }
        };
    }
    Ok(None)
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
        }
    }
}

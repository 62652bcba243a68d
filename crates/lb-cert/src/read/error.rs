//! Why a source was refused.

use std::fmt;

use thiserror::Error;

use super::ForeignFormat;
use crate::count::{agreed, counted};
use crate::{Command, KeyError, Place};

/// Why a source was refused: where, and what was found there.
///
/// `Display` is one line: `chain.pem, block 2 (line 23): the END line is missing`. [`explain`](ReadError::explain)
/// says what it means and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What was found.
    pub problem: Problem,
}

impl ReadError {
    /// The paragraph: what it means and the mend.
    pub fn explain(&self) -> String {
        super::explain::explain(&self.problem, &self.place)
    }

    /// What the caller can do about it, in one word.
    pub fn kind(&self) -> ReadErrorKind {
        self.problem.kind()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.problem {
            Problem::Key(error) => Some(error),
            _ => None,
        }
    }
}

/// What was found where something else was expected.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    // The source as a whole.
    /// Nothing at all.
    #[error("the file is empty")]
    Empty,
    /// Neither PEM, nor DER, nor anything known.
    #[error("no certificate, key or revocation list of a known format: {found}")]
    Unrecognised {
        /// What it looks like.
        found: &'static str,
    },
    /// Whole blocks, but none that is of use.
    #[error("holds no certificate, key or revocation list, only: {found}")]
    NothingOfUse {
        /// What it holds.
        found: String,
    },
    /// A limit of [`Limits`](crate::Limits) was passed.
    #[error("more than {}", counted(*limit, what))]
    Limit {
        /// Of what: `bytes`, `blocks`.
        what: &'static str,
        /// The limit.
        limit: u64,
    },

    // The armour of PEM.
    /// A BEGIN or END line that is not written as it must be.
    #[error("column {column}: {what}: {found:?}")]
    Armour {
        /// What is wrong with it.
        what: &'static str,
        /// The column, from 1.
        column: usize,
        /// The line, cut to 80 characters.
        found: String,
    },
    /// A block was not closed before the end of the file.
    #[error("the block {label:?} has no END line before the end of the file")]
    NoEnd {
        /// The label of its BEGIN line.
        label: String,
    },
    /// A block was not closed before the next one began.
    #[error("the block {label:?} of line {begun} has no END line before the next BEGIN")]
    BeginInside {
        /// The label of the block that is open.
        label: String,
        /// Its line.
        begun: u32,
    },
    /// An END line without a BEGIN line.
    #[error("an END line for {label:?} without its BEGIN line")]
    NoBegin {
        /// Its label.
        label: String,
    },
    /// BEGIN and END name different things.
    #[error("the block begins as {begin:?} and ends as {end:?}")]
    LabelMismatch {
        /// Label of the BEGIN line.
        begin: String,
        /// Label of the END line.
        end: String,
    },
    /// Base64 outside any block, as it stays behind when armour lines are cut away.
    #[error("{} outside any block: BEGIN and END lines are missing", counted(*lines, "lines of base64"))]
    StrayBase64 {
        /// How many lines.
        lines: u32,
    },
    /// A block without content.
    #[error("the block {label:?} is empty")]
    EmptyBlock {
        /// Its label.
        label: String,
    },
    /// A character that is not base64.
    #[error("column {column}: {found} is not base64; {report}")]
    Character {
        /// The character.
        found: String,
        /// The column, from 1.
        column: usize,
        /// What else is odd about the block.
        report: BlockReport,
    },
    /// A padding character before the end.
    #[error("column {column}: padding (=) before the end of the block; {report}")]
    PaddingInside {
        /// The column, from 1.
        column: usize,
        /// What else is odd about the block.
        report: BlockReport,
    },
    /// A number of characters that no base64 text has.
    #[error("{}, {} over a multiple of four: characters are missing; {report}", counted(*characters, "base64 characters"), characters % 4)]
    Length {
        /// How many characters, padding included.
        characters: usize,
        /// What else is odd about the block.
        report: BlockReport,
    },
    /// Base64 that the decoder refuses for another reason.
    #[error("the base64 is damaged: {what}; {report}")]
    Base64 {
        /// What the decoder says.
        what: String,
        /// What else is odd about the block.
        report: BlockReport,
    },
    /// A label that says nothing to us.
    #[error("unknown label {label:?}")]
    UnknownLabel {
        /// The label.
        label: String,
    },
    /// The content is not what the label says.
    #[error("the label says {label:?}, the content is {found}")]
    WrongLabel {
        /// The label.
        label: String,
        /// What the content is.
        found: &'static str,
    },

    // The structure inside.
    /// The content ends before its structure does.
    #[error("{what} is cut off: its length says {}, {present} {} there", counted(*promised, "bytes"), agreed(*present, "is", "are"))]
    Truncated {
        /// What it is.
        what: &'static str,
        /// Bytes that the header promises.
        promised: u64,
        /// Bytes that are there.
        present: usize,
    },
    /// Something follows the structure.
    #[error("{} {} behind {what}, which ends at byte {end}", counted(*extra, "bytes"), agreed(*extra, "stands", "stand"))]
    Trailing {
        /// What it is.
        what: &'static str,
        /// Where it ends.
        end: usize,
        /// How many bytes follow.
        extra: usize,
    },
    /// The structure contradicts itself.
    #[error("{what} is broken at its byte {offset}: {why}")]
    Broken {
        /// What it is.
        what: &'static str,
        /// Where, counted from the beginning of its DER.
        offset: usize,
        /// What the parser says.
        why: String,
    },
    /// A private key is refused.
    #[error("{0}")]
    Key(KeyError),

    // Passwords and schemes.
    /// Encrypted, and no password was given.
    #[error("{what} is encrypted and no password was given")]
    PasswordNeeded {
        /// What: `the private key`, `the PKCS#12`.
        what: &'static str,
    },
    /// Encrypted, and no given password fits.
    #[error("none of the passwords tried ({tried}) opens {what}, or it is damaged")]
    WrongPassword {
        /// What.
        what: &'static str,
        /// How many were tried.
        tried: usize,
    },
    /// No given password fits the integrity check of a Java key store. Its certificates are not encrypted: without any
    /// password they are read unchecked.
    #[error("none of the passwords tried ({tried}) fits the integrity check of the Java key store, or it was changed")]
    Unproven {
        /// How many were tried.
        tried: usize,
    },
    /// The password is known to be right, and the content is not what it was when it was written.
    #[error("{what} is damaged: {why}")]
    Changed {
        /// What.
        what: &'static str,
        /// How that is known.
        why: &'static str,
    },
    /// Key derivations that cost more than [`Limits`](crate::Limits) allow: nothing was derived.
    #[error("{what}: {needed}, more than the limit of {limit}")]
    Cost {
        /// Of what: `iterations of a key derivation`.
        what: &'static str,
        /// What is asked for.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// Key derivations that each are allowed, but cost more than [`Limits`](crate::Limits) allow for so many together:
    /// nothing of what stood behind was derived.
    #[error(
        "{} of together {}, more than the limit of {limit} for so many",
        counted(*derivations, "key derivations"),
        counted(*needed, "iterations")
    )]
    TotalCost {
        /// How many.
        derivations: u32,
        /// What they cost together.
        needed: u64,
        /// What so many may cost.
        limit: u64,
    },
    /// A scheme that no library of ours has, but another program.
    #[error("{what} uses {scheme}, which is not supported")]
    Scheme {
        /// What.
        what: &'static str,
        /// The scheme.
        scheme: String,
        /// The command that converts; `None` where none does without a secret that is not in the file.
        command: Option<Command>,
    },
    /// A format of another program, which is recognised and not read.
    #[error("this is {}, which is not read here", format.name())]
    Foreign {
        /// The format.
        format: ForeignFormat,
    },
    /// A scheme that no program known to us has.
    #[error("{what} uses {scheme}, which is not known")]
    UnknownScheme {
        /// What.
        what: &'static str,
        /// The scheme.
        scheme: String,
    },
    /// The format is known, but its feature was not compiled in.
    #[error("{format} needs the feature {feature:?} of lb-cert")]
    Feature {
        /// The format.
        format: &'static str,
        /// The feature.
        feature: &'static str,
    },
}

impl Problem {
    /// What the caller can do about it, in one word.
    pub fn kind(&self) -> ReadErrorKind {
        match self {
            Self::Unrecognised { .. } | Self::NothingOfUse { .. } => ReadErrorKind::NothingOfUse,
            Self::Limit { .. } | Self::Cost { .. } | Self::TotalCost { .. } => ReadErrorKind::Limit,
            Self::PasswordNeeded { .. } | Self::Key(KeyError::Encrypted) => ReadErrorKind::PasswordNeeded,
            Self::WrongPassword { .. } | Self::Unproven { .. } => ReadErrorKind::WrongPassword,
            Self::Foreign { format } if !format.is_convertible() => ReadErrorKind::NothingOfUse,
            Self::Foreign { .. }
            | Self::Scheme { .. }
            | Self::UnknownScheme { .. }
            | Self::Feature { .. }
            | Self::Key(KeyError::NoCurve | KeyError::MultiPrime) => ReadErrorKind::Unsupported,
            Self::Empty
            | Self::Armour { .. }
            | Self::NoEnd { .. }
            | Self::BeginInside { .. }
            | Self::NoBegin { .. }
            | Self::LabelMismatch { .. }
            | Self::StrayBase64 { .. }
            | Self::EmptyBlock { .. }
            | Self::Character { .. }
            | Self::PaddingInside { .. }
            | Self::Length { .. }
            | Self::Base64 { .. }
            | Self::UnknownLabel { .. }
            | Self::WrongLabel { .. }
            | Self::Truncated { .. }
            | Self::Trailing { .. }
            | Self::Broken { .. }
            | Self::Changed { .. }
            | Self::Key(_) => ReadErrorKind::Damaged,
        }
    }
}

impl Problem {
    /// The same of base64 that has no BEGIN and END lines, for which other commands work.
    pub(super) fn without_armour(self) -> Self {
        match self {
            Self::Scheme { what, scheme, command } => Self::Scheme {
                what,
                scheme,
                command: command.map(Command::without_armour),
            },
            other => other,
        }
    }

    /// Of what was found in a text as a whole, not of the inside of a block.
    pub(super) fn is_of_text(&self) -> bool {
        matches!(
            self,
            Self::Unrecognised { .. } | Self::NothingOfUse { .. } | Self::StrayBase64 { .. }
        )
    }
}

/// What a caller can do about a [`ReadError`]: fetch the file again, give another password, convert it, raise a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The bytes were changed, cut or never right: the file must come anew from where it was made.
    Damaged,
    /// Encrypted, and no password was given.
    PasswordNeeded,
    /// Encrypted, and no password that was given opens it. Never said of a PKCS#12 whose integrity check proves the
    /// password: what does not open then is damaged.
    WrongPassword,
    /// Whole as far as is known, but in a form or encryption that is not read here; another program converts it.
    Unsupported,
    /// Larger or dearer than [`Limits`](crate::Limits) allow.
    Limit,
    /// Read, or not of any known format, and there is no certificate, key or revocation list in it.
    NothingOfUse,
}

/// What is odd about the lines of a damaged block, for the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockReport {
    /// Lines between BEGIN and END.
    pub lines: u32,
    /// Lines, but for the last, that have not 64 columns.
    pub uneven: u32,
    /// Fewest columns of a line that is not the last.
    pub shortest: usize,
    /// Most columns of a line.
    pub longest: usize,
    /// Characters that are not base64, in the whole block.
    pub illegal: usize,
}

impl fmt::Display for BlockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the block has {} of {} to {}",
            counted(self.lines, "lines"),
            self.shortest,
            counted(self.longest, "columns")
        )?;
        if self.uneven > 0 {
            write!(f, " ({} {} not 64)", self.uneven, agreed(self.uneven, "has", "have"))?;
        }
        if self.illegal > 0 {
            write!(f, " and {}", counted(self.illegal, "illegal characters"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_problem_says_what_the_caller_can_do() {
        let what = "the PKCS#12";
        for (problem, kind) in [
            (Problem::Empty, ReadErrorKind::Damaged),
            (Problem::Key(KeyError::PublicPart), ReadErrorKind::Damaged),
            (Problem::Key(KeyError::Encrypted), ReadErrorKind::PasswordNeeded),
            (Problem::Key(KeyError::MultiPrime), ReadErrorKind::Unsupported),
            (Problem::PasswordNeeded { what }, ReadErrorKind::PasswordNeeded),
            (Problem::WrongPassword { what, tried: 1 }, ReadErrorKind::WrongPassword),
            (Problem::Limit { what, limit: 1 }, ReadErrorKind::Limit),
            (Problem::Unrecognised { found: "text" }, ReadErrorKind::NothingOfUse),
        ] {
            assert_eq!(problem.kind(), kind, "{problem}");
        }
    }
}

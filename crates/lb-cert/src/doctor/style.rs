//! What reading found odd.

use crate::{Finding, Note, NoteKind, Severity};

pub(super) fn findings(notes: &[Note]) -> Vec<Finding> {
    // A repeated certificate is a finding of the chain, with both places.
    let is_mine = |note: &&Note| !matches!(note.kind, NoteKind::Duplicate { .. });
    notes.iter().filter(is_mine).map(finding).collect()
}

fn finding(note: &Note) -> Finding {
    if let NoteKind::KeyNotRead { command, .. } = &note.kind {
        return Finding {
            severity: Severity::Warning,
            id: "key-not-read",
            place: Some(note.place.clone()),
            what: note.kind.to_string(),
            why: note.kind.explain(),
            mend: format!("Export the store with `{command}` and give that file."),
        };
    }
    let (id, severity, mend) = match note.kind {
        NoteKind::ByteOrderMark | NoteKind::Utf16 => ("file-encoding", Severity::Warning, REWRITE),
        NoteKind::CrLf | NoteKind::LoneCr => ("line-ends", Severity::Note, REWRITE),
        NoteKind::TrailingBlanks { .. } | NoteKind::LeadingBlanks { .. } => ("blanks", Severity::Note, REWRITE),
        NoteKind::NoFinalNewline => ("no-final-line-end", Severity::Note, REWRITE),
        NoteKind::Columns { .. } => ("columns", Severity::Note, REWRITE),
        NoteKind::BlankInside => ("blank-line", Severity::Warning, REWRITE),
        NoteKind::BlankBetween => ("blank-line", Severity::Note, REWRITE),
        NoteKind::NoArmour => ("no-armour", Severity::Warning, REWRITE),
        NoteKind::Mended { .. } => ("mended-lines", Severity::Warning, REWRITE),
        NoteKind::OldLabel { .. } => ("old-label", Severity::Note, REWRITE),
        NoteKind::UnusableKey { .. } => (
            "unusable-key",
            Severity::Error,
            "Make a key that servers use and have a certificate issued for it.",
        ),
        NoteKind::UnservedKey { .. } => (
            "unusable-key",
            Severity::Warning,
            "For a server by rustls make a P-256 key and have a certificate issued for it.",
        ),
        NoteKind::KeyForm(_) => (
            "key-form",
            Severity::Warning,
            "Write the key anew: `lbd cert convert` writes the form that all programs read.",
        ),
        NoteKind::NoMac => (
            "no-integrity-check",
            Severity::Warning,
            "Export the file again with an integrity check, which is every program's default.",
        ),
        NoteKind::StoreUnproven { .. } => (
            "no-integrity-check",
            Severity::Note,
            "Give its password too: `--password-file` may be repeated.",
        ),
        NoteKind::NoKeyInPkcs7 => (
            "no-key-in-pkcs7",
            Severity::Note,
            "Give the key as a second file; a .p7b is complete without one.",
        ),
        _ => ("left-out", Severity::Note, "Nothing has to be done."),
    };
    Finding {
        severity,
        id,
        place: Some(note.place.clone()),
        what: note.kind.to_string(),
        why: note.kind.explain(),
        mend: mend.to_owned(),
    }
}

const REWRITE: &str = "Write the file anew: the mended bundle has 64 columns, LF and nothing between the blocks.";

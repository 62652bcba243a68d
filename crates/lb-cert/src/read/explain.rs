//! The paragraph behind each refusal, with its mend.

use super::Limits;
use super::error::Problem;
use super::shape::Shape;
use crate::count::counted;
use crate::{Command, Place};

pub(super) fn explain(problem: &Problem, place: &Place) -> String {
    let source = &place.source;
    match problem {
        Problem::Empty => format!("There is nothing in {source}. Perhaps the disk was full when it was written, or the download failed. Fetch the file again."),
        Problem::Unrecognised { found } => {
            let look = if *found == super::UNKNOWN_DER && place.line.is_none() {
                let command = Command::SHOW_STRUCTURE.fill(place);
                format!(" `{command}` shows its structure.")
            } else {
                String::new()
            };
            format!(
                "{source} was looked at for PEM (BEGIN and END lines), base64 without them, DER, PKCS#7, PKCS#12, JKS and the \
                 formats of other programs; it is none of these ({found}).{look} Export it again as PEM."
            )
        }
        Problem::NothingOfUse { found } => format!(
            "{source} is whole, but what it holds ({found}) is nothing a server loads. A certificate request goes to the \
             certificate authority, which answers with the certificate; a public key or parameters stand inside the \
             certificate and the key already."
        ),
        Problem::Limit { what, limit } => format!(
            "Reading stopped at the limit of {}, so that nobody can keep the machine busy with a file. If the \
             file is rightly that large, split it; a program that uses lb-cert itself can raise the limit (`Limits`).",
            counted(*limit, what)
        ),
        Problem::Cost { what, needed, .. } if what.contains("scrypt") => format!(
            "{WORK} If the file comes from somebody you trust, allow it with `--max-scrypt-work {needed}` \
             (`Limits::scrypt_work`); it may take {} MiB of memory.",
            needed.div_ceil(8192)
        ),
        Problem::Cost { what, needed, .. } if what.ends_with("derivations") => format!(
            "{WORK} If the file comes from somebody you trust, allow it with `--max-derivations {needed}` \
             (`Limits::derivations`), or export its certificates and keys into several files."
        ),
        Problem::Cost { needed, .. } => iterations(*needed),
        Problem::TotalCost { derivations, needed, .. } => iterations(Limits::iterations_for(*derivations, *needed)),
        Problem::Armour { .. } => "A block begins with a line `-----BEGIN CERTIFICATE-----` and ends with a line `-----END \
             CERTIFICATE-----`: exactly five minus signs on both sides, capital letters, one space, nothing else in the \
             line. Word processors and web pages replace or swallow the signs. Correct the line, or copy the block again \
             from the original."
            .into(),
        Problem::NoEnd { label } => format!(
            "The file stops inside the block. Add `-----END {label}-----` if only that line was lost; if base64 was lost \
             too, fetch the file again."
        ),
        Problem::BeginInside { label, .. } => format!(
            "Between the two BEGIN lines an `-----END {label}-----` is missing. Often the file before ended without a \
             newline when files were joined, or a line was cut. Add the line, or join the original files again."
        ),
        Problem::NoBegin { label } => format!(
            "The block lost its first line. Add `-----BEGIN {label}-----` above its base64 if nothing else was lost, or copy \
             the block again from the original."
        ),
        Problem::LabelMismatch { begin, end } => format!(
            "BEGIN and END lines must name the same thing. Either one of them was edited, or the end of a {begin:?} and the \
             beginning of a {end:?} were lost between them. Copy both blocks again from the original."
        ),
        Problem::StrayBase64 { .. } => "It looks like a certificate or key whose BEGIN and END lines were cut away. Put \
             `-----BEGIN CERTIFICATE-----` above and `-----END CERTIFICATE-----` below, or remove these lines if they are \
             not needed."
            .into(),
        Problem::EmptyBlock { label } => {
            format!("The lines of base64 are missing. Remove the block, or copy the {label:?} again from the original.")
        }
        Problem::Character { .. } | Problem::PaddingInside { .. } | Problem::Length { .. } | Problem::Base64 { .. } => "Base64 \
             consists of A to Z, a to z, 0 to 9, + and /, with = only at the very end, usually in lines of 64 columns. This \
             block was changed on its way: extracted from a document, printed and read again, cut, or edited. Lost \
             characters cannot be guessed: copy the block again from the original."
            .into(),
        Problem::UnknownLabel { label } => format!(
            "A block of the kind {label:?} is not known here. Labels with a meaning are CERTIFICATE, PRIVATE KEY, RSA PRIVATE \
             KEY, EC PRIVATE KEY, ENCRYPTED PRIVATE KEY, PKCS7, CMS and X509 CRL. Remove the block or correct its label."
        ),
        Problem::WrongLabel { label, found } => {
            let mend = match (place.line, right_label(found)) {
                (Some(_), Some(right)) => {
                    let command = Command::RELABEL.fill_with(place, &[("LABEL", label), ("RIGHT", right)]);
                    format!("`{command}` corrects the label")
                }
                _ => "Correct the label on both lines".to_owned(),
            };
            format!(
                "The BEGIN and END lines promise {label:?}, but the base64 between them is {found}. Other programs would \
                 refuse it. {mend}, or copy the right block."
            )
        }
        Problem::Truncated { .. } => "The beginning is right, the end is missing: a download or copy broke off, or a file was \
             copied in text mode. Fetch the file again, in binary mode."
            .into(),
        Problem::Trailing { .. } => "Behind the end of the structure there is more. Perhaps two DER files were joined, which \
             DER does not allow (PEM does), or a tool appended something. Cut the file at the end of the structure, or \
             convert each part to PEM and join those."
            .into(),
        Problem::Broken { what, .. } => format!(
            "The outer shape is that of {what}, but inside lengths or values contradict each other: bytes were changed. It \
             cannot be repaired; fetch it again from where it was made."
        ),
        Problem::Key(error) => error.explain().into(),
        Problem::PasswordNeeded { .. } => format!(
            "Give the password by prompt, file or environment variable. `{}` writes a copy without one.",
            Command::UNLOCK.fill(place)
        ),
        Problem::WrongPassword { .. } => "The password does not open it, or the content was changed: the two cannot be told \
             apart. Check capitals, the keyboard layout and a line end in the password file; then try the same password \
             with openssl."
            .into(),
        Problem::Unproven { .. } => "The digest at the end of the store is made of its password and its content: one of them is \
             not as it was. Check the password; without any, the certificates, which are not encrypted, are read and not \
             checked."
            .into(),
        Problem::Scheme { scheme, command: None, .. } => format!(
            "No library that this program trusts has {scheme}, and no command that needs no secret converts it. Export it \
             again as PEM with the program that made it."
        ),
        Problem::Foreign { format } => format.advise(place),
        Problem::Changed { .. } => "The password is right; another one would not help, unless the file was made with two of \
             them (`-twopass` of openssl pkcs12): then give both. Else bytes were changed on the way from where it was made: \
             fetch the file again from there, in binary mode."
            .into(),
        Problem::Scheme { command: Some(command), .. } => format!(
            "No library of this program implements it. Convert once with the program that does: `{}`.",
            command.fill(place)
        ),
        Problem::UnknownScheme { .. } => "Which program opens it, but the one that wrote it, is not known here. Export it \
             again from there, with the encryption that everything reads: PBES2 with AES-256-CBC and PBKDF2."
            .into(),
        Problem::Feature { feature, .. } => format!("This program was built without it. Build lb-cert with `--features {feature}`."),
    }
}

/// What the label of a block must be, by the name of what it holds.
fn right_label(found: &str) -> Option<&'static str> {
    const SHAPES: [(Shape, &str); 8] = [
        (Shape::Certificate, "CERTIFICATE"),
        (Shape::Crl, "X509 CRL"),
        (Shape::Pkcs7, "PKCS7"),
        (Shape::Pkcs12, "PKCS12"),
        (Shape::Pkcs8, "PRIVATE KEY"),
        (Shape::EncryptedPkcs8, "ENCRYPTED PRIVATE KEY"),
        (Shape::Pkcs1, "RSA PRIVATE KEY"),
        (Shape::Sec1, "EC PRIVATE KEY"),
    ];
    SHAPES
        .iter()
        .find(|(shape, _)| shape.name() == found)
        .map(|(_, label)| *label)
}

/// The option that allows so many iterations of one key derivation, and so what all may cost together.
fn iterations(option: u64) -> String {
    if option > u64::from(u32::MAX / 2) {
        return format!("{WORK} No program writes so many: bytes were changed, or somebody means harm.");
    }
    format!(
        "{WORK} If the file comes from somebody you trust, allow it with `--max-iterations {option}` \
         (`Limits::iterations`); a million take about a second or less."
    )
}

const WORK: &str =
    "A file can order any amount of work, so there is a limit, which is checked before the work is done.";

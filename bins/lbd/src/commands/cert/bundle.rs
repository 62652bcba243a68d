//! `lbd cert bundle`: any heap of files to one right bundle and key.

use super::args::Bundle;
use super::output::{self, Draft};
use super::{Failure, convert, input, roots};
use lb_cert::bundle::{End, Reason};
use lb_cert::{AwsLc, Certificate, KeyMatch, MendOptions, Mended, NoteKind, Roots, write};
use std::fmt::Write;
use std::path::PathBuf;

pub(super) fn run(bundle: &Bundle) -> Result<(), Failure> {
    let mut input = input::read_with_folders(&bundle.files, &bundle.passwords)?;
    input::say_unproven(&input);
    // It may be what the bundle needs.
    if let Some(failure) = input.unread.take() {
        return Err(failure);
    }
    for note in input
        .notes
        .iter()
        .filter(|note| matches!(note.kind, NoteKind::NotRead { .. } | NoteKind::KeyNotRead { .. }))
    {
        eprintln!("lbd: note: {note}");
    }
    let sets = roots::wanted(&bundle.roots, &input.certificates)?;
    let trusted: Vec<&Roots> = sets.iter().map(|(_, roots)| roots).collect();
    let mut options = MendOptions::new(super::time(bundle.at));
    options.keep_root = bundle.keep_root;
    options.roots = &trusted;
    let mended = lb_cert::mend(input.certificates, input.keys, options, &AwsLc);
    if mended.chain.is_empty() {
        return Err(Failure::Refused(
            "no certificate was given\n  mend: add the file with the server's certificate".to_owned(),
        ));
    }
    refuse_mismatch(&mended)?;
    let chain = write::certificates(mended.sent().map(|found| found.value.der()));
    let key = mended
        .key
        .as_ref()
        .map(|key| convert::key_pem(key, bundle.key_format))
        .transpose()?;
    let is_out = output::is_standard(&bundle.out);
    let is_folder = bundle.out.as_os_str().as_encoded_bytes().ends_with(b"/") || output::is_folder(&bundle.out);
    let written = if is_folder && !is_out {
        std::fs::create_dir_all(&bundle.out)
            .map_err(|error| Failure::Running(format!("cannot make the folder {}: {error}", bundle.out.display())))?;
        let (chain_path, key_path) = (bundle.out.join("fullchain.pem"), bundle.out.join("key.pem"));
        let mut drafts = vec![Draft {
            path: &chain_path,
            content: chain.as_bytes(),
            is_secret: false,
        }];
        if let Some(key) = &key {
            drafts.push(Draft {
                path: &key_path,
                content: key.as_bytes(),
                is_secret: true,
            });
        }
        output::write(&drafts, bundle.force)?;
        drafts.iter().map(|draft| draft.path.to_path_buf()).collect()
    } else {
        let content = format!("{chain}{}", key.as_deref().unwrap_or_default());
        let draft = Draft {
            path: &bundle.out,
            content: content.as_bytes(),
            is_secret: key.is_some(),
        };
        output::write(&[draft], bundle.force)?;
        if is_out { Vec::new() } else { vec![bundle.out.clone()] }
    };
    output::say(&told(&mended, &trusted, &written), is_out)
}

pub(super) fn refuse_mismatch(mended: &Mended) -> Result<(), Failure> {
    let (KeyMatch::Mismatch { certificate, key: own }, Some(leaf), Some(key)) =
        (&mended.pairing, mended.chain.first(), &mended.key)
    else {
        return Ok(());
    };
    Err(Failure::Refused(format!(
        "{}: the key does not belong to the certificate {} ({})\n  certificate's public key: SHA-256 {}\n  key's \
         public half: SHA-256 {}\n  mend: look for the key that was there when the certificate was requested; nothing \
         was written",
        key.place,
        leaf.value.label(),
        leaf.place,
        super::matching::shown(certificate.as_ref()),
        super::matching::shown(own.as_ref())
    )))
}

fn told(mended: &Mended, trusted: &[&Roots], written: &[PathBuf]) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for (index, found) in mended.chain.iter().enumerate() {
        let _ = writeln!(text, "{} {} ({})", index + 1, found.value.label(), found.place);
    }
    for (index, found) in mended.further.iter().enumerate() {
        let number = mended.chain.len() + index + 1;
        let (label, issuer) = (found.value.label(), found.value.issuer());
        let _ = writeln!(
            text,
            "{number} {label} ({}): behind the chain, for clients that know only {issuer}",
            found.place
        );
    }
    if let Some(key) = &mended.key {
        let _ = writeln!(text, "key {} ({})", key.value.algorithm(), key.place);
    }
    for left in &mended.left_out {
        let reason = match &left.reason {
            Reason::Duplicate(first) => format!("the same as {first}"),
            Reason::Root => "a root, which clients have".to_owned(),
            Reason::Alternative(other) => format!("the same name and key as {other}, another issuer or date"),
            Reason::OtherLeaf => "for another server".to_owned(),
            _ => "not on the way to a root".to_owned(),
        };
        let certificate = &left.certificate;
        let _ = writeln!(
            text,
            "left out {} ({}): {reason}",
            certificate.value.label(),
            certificate.place
        );
    }
    for key in &mended.spare_keys {
        let _ = writeln!(text, "left out a key for {} ({})", key.value.algorithm(), key.place);
    }
    let is_trusted = |last: &Certificate| {
        let mut roots = trusted.iter().flat_map(|set| set.iter());
        roots.any(|root| last.is_issued_by(root) || last == root)
    };
    if let End::Open(issuer) = &mended.end
        && !mended.sent().any(|found| is_trusted(&found.value))
    {
        let _ = write!(
            text,
            "the last one was issued by {}, which was not given; ",
            issuer.name
        );
        let _ = match issuer.addresses.first() {
            Some(address) => writeln!(text, "unless clients know it as a root, add what is at {address}"),
            None => writeln!(text, "unless clients know it as a root, add it"),
        };
    }
    for path in written {
        let _ = writeln!(text, "written: {}", path.display());
    }
    text
}

//! A PKCS#12 under another password. `p12-keystore` writes passwords of Unicode's basic plane only, because of the one place
//! where PKCS#12 spells them in UTF-16: the file is written under a stand-in, and then each encryption and the integrity
//! check are made anew in their places, with the same salts, vectors and lengths.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::open::encrypted;
use super::structure::Container;
use crate::Command;
use crate::read::Password;

/// The same file with `to` in place of `from`; `None` when it is not one that `p12-keystore` wrote under `from`.
pub(crate) fn relocked(file: &[u8], from: &Password, to: &Password) -> Option<Vec<u8>> {
    let container = Container::read(file, DEPTH, Command::PKCS12_BINARY).ok()?;
    let mut relocked = file.to_vec();
    for part in encrypted(&container) {
        replace(&mut relocked, &part.data, &part.scheme.relock(from, to, &part.data)?)?;
    }
    let inside = Container::read(&relocked, DEPTH, Command::PKCS12_BINARY).ok()?;
    let mac = inside.mac?;
    let proof = mac.made_with(to, &inside.content)?;
    replace(&mut relocked, mac.expected(), &proof)?;
    Some(relocked)
}

/// Encrypted octets and digests look like nothing else in a file, so the first place is theirs.
fn replace(file: &mut [u8], old: &[u8], new: &[u8]) -> Option<()> {
    let at = memchr::memmem::find(file, old)?;
    let place = file.get_mut(at..at.checked_add(new.len())?)?;
    (old.len() == new.len()).then(|| place.copy_from_slice(new))
}

/// What `p12-keystore` writes nests less deeply.
const DEPTH: u32 = 32;

//! Text of any kind: no panic, every refusal has a place and a mend, and what was read is read again from what we write.
#![no_main]

use lb_cert::{KeyFormat, Password, ReadOptions, read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let words = [Password::from("tiger")];
    let mut options = ReadOptions::with_passwords(&words);
    // Hostile iterations are refused before any work; these keep one run short.
    options.limits.iterations = 100;
    options.limits.scrypt_work = 1024;
    let contents = match read("fuzz", data, &options) {
        Ok(contents) => contents,
        Err(error) => {
            assert!(!error.to_string().contains('\n'), "{error}");
            assert!(!error.explain().is_empty());
            return;
        }
    };
    let mut text = write::certificates(contents.certificates.iter().map(|found| &found.value));
    for key in &contents.keys {
        text.push_str(&write::key(&key.value, KeyFormat::Pkcs8).expect("every key has this form"));
    }
    for crl in &contents.crls {
        text.push_str(&write::revocation_list(&crl.value));
    }
    let again = read("again", text.as_bytes(), &ReadOptions::default()).expect("we wrote it");
    let ders = |contents: &lb_cert::Contents| -> Vec<Vec<u8>> {
        contents.certificates.iter().map(|found| found.value.to_vec()).collect()
    };
    assert_eq!(ders(&again), ders(&contents));
    assert_eq!(again.keys.len(), contents.keys.len());
    assert_eq!(again.crls.len(), contents.crls.len());
});

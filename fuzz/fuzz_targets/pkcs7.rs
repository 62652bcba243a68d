//! PKCS#7 in DER or BER: no panic, and what was read is in the bundle that we write.
#![no_main]

use lb_cert::{Format, ReadOptions, read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(contents) = read("fuzz", data, &ReadOptions::default()) else {
        return;
    };
    if contents.format != Format::Pkcs7 || contents.certificates.is_empty() {
        return;
    }
    let written = write::pkcs7(contents.certificates.iter().map(|found| &found.value));
    let again = read("again", &written, &ReadOptions::default()).expect("we wrote it");
    let ders: Vec<_> = again.certificates.iter().map(|found| &found.value).collect();
    assert_eq!(
        ders,
        contents
            .certificates
            .iter()
            .map(|found| &found.value)
            .collect::<Vec<_>>()
    );
});

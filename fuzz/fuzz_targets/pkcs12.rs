//! PKCS#12, encrypted or not: no panic, and no file may order more work than the limits allow.
#![no_main]

use lb_cert::{Password, ReadOptions, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let words = [Password::from("tiger")];
    let mut options = ReadOptions::with_passwords(&words);
    options.limits.iterations = 100;
    options.limits.scrypt_work = 1024;
    if let Err(error) = read("fuzz", data, &options) {
        assert!(
            !error.to_string().contains('\n') && !error.explain().contains("tiger"),
            "{error}"
        );
    }
});

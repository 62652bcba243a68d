//! CRLs from strangers: no panic, and what is found was in the bytes.
#![no_main]

use lb_cert::{CertificateRevocationListDer, Crl};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(read) = Crl::parse(CertificateRevocationListDer::from(data.to_vec())) else {
        return;
    };
    let _ = format!("{read:?} {:?} {:?}", read.unsupported(), read.next_update());
    // an entry has at least a header, a serial number and a date
    assert!(read.len() <= data.len() / 8);
    for serial in data.windows(3).take(64) {
        let _ = read.find(serial);
    }
});

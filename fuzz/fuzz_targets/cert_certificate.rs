//! Certificates from strangers: no panic, and every accessor and description works on what is read.
#![no_main]

use lb_cert::{Certificate, CertificateDer};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(read) = Certificate::parse(CertificateDer::from(data.to_vec())) else {
        return;
    };
    assert_eq!(read.der().as_ref(), data, "all bytes are the certificate's");
    let text = format!("{read:?} {} {} {:?}", read.label(), read.key(), read.names());
    assert!(!text.contains('\u{1b}'), "names cannot move a terminal's cursor");
    assert!(read.signed().len() < data.len() && read.spki_raw().len() < data.len());
    let _ = (
        read.signature_algorithm(),
        read.extended_key_usage(),
        read.ca_issuers(),
        read.crl_urls(),
    );
    let _ = (
        read.is_self_issued(),
        read.is_issued_by(&read),
        read.key_usage().map(|usage| usage.names().count()),
    );
    assert!(read.extensions().count() <= lb_cert::MOST_EXTENSIONS);
});

//! What openssl writes, we read.
//!
//! Skipped, and says so, when there is no openssl; with `LBD_REQUIRE_PEERS=1` that is a failure.

mod openssl;

use lb_cert::{Format, KeyAlgorithm, ReadOptions, read};
use openssl::Shop;

#[test]
fn s_pem_06_a_chain_with_text_and_a_key_is_read() {
    let Some(shop) = Shop::open() else { return };
    shop.run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=a -days 9",
    );
    let text = format!("Install this:\n\n{}\n{}", shop.text("c.pem"), shop.text("k.pem"));
    let contents = read("both.pem", text.as_bytes(), &ReadOptions::default()).expect("it is whole");
    assert_eq!(contents.format, Format::Pem);
    assert_eq!((contents.certificates.len(), contents.keys.len()), (1, 1));
    assert_eq!(*contents.keys[0].value.algorithm(), KeyAlgorithm::EcP256);
    assert_eq!(contents.certificates[0].place.to_string(), "both.pem, block 1 (line 3)");
}

//! What a head takes from its editors.

use lb_http::Head;
use lb_types::{FieldsMut, InvalidField};

#[test]
fn a_name_that_is_no_token_is_refused_however_much_it_resembles_a_known_one() {
    // CR and hyphen differ in the bit in which upper and lower case differ, as do some digits and controls.
    let names = [
        "Content\rLength",
        "content-length\r",
        "X\rReal\rIP",
        "http\u{12}-settings",
        "Te ",
        "",
        "a b",
        "a:",
    ];
    let mut head = Head::with_capacity(64, 4);
    head.start_response(200).unwrap();
    for name in names {
        assert_eq!(head.append(name, b"1"), Err(InvalidField::Name), "{name:?}");
    }
    for name in ["Content-Length", "X-REAL-ip", "HTTP2-Settings", "te", "^_`|~"] {
        assert_eq!(head.append(name, b"1"), Ok(()), "{name:?}");
    }
}

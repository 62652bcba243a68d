//! What the other side says about how long it keeps an unused connection.

use crate::head::name::Name;
use crate::{Head, list};

/// The smallest `timeout` of the `Keep-Alive` fields, in seconds: so long a backend keeps a connection that nobody uses.
/// Node and Apache say it in each response. RFC 2068, section 19.7.1.1. Costs one test of a bit without the field.
#[must_use]
pub fn timeout(head: &Head) -> Option<u16> {
    if !head.has(Name::KeepAlive) {
        return None;
    }
    let seconds = |member: &[u8]| {
        let at = member.iter().position(|b| *b == b'=')?;
        let (name, value) = member.split_at_checked(at)?;
        if !list::trim(name).eq_ignore_ascii_case(b"timeout") {
            return None;
        }
        let digits = list::trim(value.get(1..)?);
        // More than 18 hours are as good as for ever.
        let count = |n: u16, digit: &u8| n.saturating_mul(10).saturating_add(u16::from(digit & 15));
        (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then(|| digits.iter().fold(0, count))
    };
    head.values(Name::KeepAlive)
        .flat_map(list::members)
        .filter_map(seconds)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lb_types::FieldsMut as _;

    #[test]
    fn the_timeout_is_read_wherever_it_stands() {
        let said = |values: &[&str]| {
            let mut head = Head::with_capacity(64, 4);
            head.start_response(200).unwrap();
            for value in values {
                head.append("Keep-Alive", value.as_bytes()).unwrap();
            }
            timeout(&head)
        };
        assert_eq!(said(&[]), None);
        assert_eq!(said(&["timeout=5"]), Some(5)); // Node
        assert_eq!(said(&["timeout=15, max=100"]), Some(15)); // Apache
        assert_eq!(said(&["max=5, Timeout = 7"]), Some(7));
        assert_eq!(said(&["timeout=9", "timeout=8"]), Some(8));
        assert_eq!(said(&["timeout=0"]), Some(0));
        assert_eq!(said(&["timeout=99999999"]), Some(u16::MAX));
        for nothing in [
            "timeout",
            "timeout=",
            "timeout=x",
            "timeout=-1",
            "timeout=1.5",
            "max=3",
            "5",
            "xtimeout=3",
        ] {
            assert_eq!(said(&[nothing]), None, "{nothing}");
        }
    }
}

//! How a name with other letters than ASCII is written in the DNS.

/// `bücher.example` as `xn--bcher-kva.example`, for a hint. `None` when that takes more than an encoding: letters that a
/// full IDNA library would map first.
///
/// RFC 3492, section 6.3; IDNA, RFC 5891, section 4.4.
pub(super) fn to_ascii(host: &str) -> Option<String> {
    let labels: Option<Vec<String>> = host.split('.').map(label).collect();
    labels.map(|labels| labels.join("."))
}

fn label(text: &str) -> Option<String> {
    let lower: Vec<char> = text.to_lowercase().chars().collect();
    if lower.iter().all(char::is_ascii) {
        return Some(lower.into_iter().collect());
    }
    // Marks that join a letter, wide forms and the like are mapped before they are encoded: not here.
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-' || (c.is_alphabetic() && !is_mapped(*c));
    if lower.len() > 59 || !lower.iter().all(is_plain) {
        return None;
    }
    encode(&lower).map(|code| format!("xn--{code}"))
}

/// Letters that IDNA writes as others.
fn is_mapped(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0xaa | 0xba | 0x17f | 0xfb00..=0xffff | 0x2000..=0x2fff)
}

fn encode(input: &[char]) -> Option<String> {
    let mut out: String = input.iter().filter(|c| c.is_ascii()).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut handled) = (128_u32, 0_u32, 72_u32, basic);
    while usize::try_from(handled).ok()? < input.len() {
        let next = input.iter().map(|c| u32::from(*c)).filter(|c| *c >= n).min()?;
        delta = delta.checked_add(next.checked_sub(n)?.checked_mul(handled.checked_add(1)?)?)?;
        n = next;
        for c in input.iter().map(|c| u32::from(*c)) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c == n {
                variable_length(delta, bias, &mut out)?;
                bias = adapt(delta, handled.checked_add(1)?, handled == basic)?;
                delta = 0;
                handled = handled.checked_add(1)?;
            }
        }
        delta = delta.checked_add(1)?;
        n = n.checked_add(1)?;
    }
    Some(out)
}

fn variable_length(delta: u32, bias: u32, out: &mut String) -> Option<()> {
    let mut q = delta;
    let mut k = BASE;
    loop {
        let t = k.saturating_sub(bias).clamp(1, 26);
        if q < t {
            out.push(digit(q)?);
            return Some(());
        }
        let span = BASE.checked_sub(t)?;
        let rest = q.checked_sub(t)?;
        out.push(digit(t.checked_add(rest.checked_rem(span)?)?)?);
        q = rest.checked_div(span)?;
        k = k.checked_add(BASE)?;
    }
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, points: u32, is_first: bool) -> Option<u32> {
    let mut delta = delta.checked_div(if is_first { 700 } else { 2 })?;
    delta = delta.checked_add(delta.checked_div(points)?)?;
    let mut k = 0_u32;
    while delta > 455 {
        delta = delta.checked_div(35)?;
        k = k.checked_add(BASE)?;
    }
    k.checked_add(delta.checked_mul(36)?.checked_div(delta.checked_add(38)?)?)
}

fn digit(value: u32) -> Option<char> {
    "abcdefghijklmnopqrstuvwxyz0123456789"
        .chars()
        .nth(usize::try_from(value).ok()?)
}

/// RFC 3492, section 5.
const BASE: u32 = 36;

#[cfg(test)]
mod tests {
    use super::*;

    /// Right values: Python's `encodings.idna`, and RFC 3492, section 7.1 (B and C).
    #[test]
    fn names_with_other_letters_are_written_as_the_dns_has_them() {
        for (host, ascii) in [
            ("bücher.example", "xn--bcher-kva.example"),
            ("Bücher.Example", "xn--bcher-kva.example"),
            ("münchen.de", "xn--mnchen-3ya.de"),
            ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
            ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
            ("他們爲什麽不說中文", "xn--ihqwctvzc91f659drss3x8bo0yb"),
            ("app.internal", "app.internal"),
        ] {
            assert_eq!(to_ascii(host).as_deref(), Some(ascii));
        }
        // u and a joined mark, a wide letter: first of all another letter
        assert_eq!(to_ascii("bu\u{308}cher"), None);
        assert_eq!(to_ascii("ａpp"), None);
    }
}

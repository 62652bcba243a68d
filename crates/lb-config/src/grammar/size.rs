use super::Wrong;

/// `512B`, `16KiB`, `8MiB`, `1GiB`: a whole number of bytes in powers of 1024.
pub(crate) fn size(text: &str) -> Result<u64, Wrong> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Wrong::new("this is not a size").help(EXAMPLES));
    }
    let Some(&(_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(guess(number, unit));
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(bytes))
        .ok_or_else(|| Wrong::new("this number is too large"))
}

/// The shortest way to write a size. Reads back exactly.
pub(crate) fn show_size(bytes: u64) -> String {
    let (unit, size) = UNITS
        .iter()
        .filter(|_| bytes > 0)
        .find(|(_, size)| bytes.checked_rem(*size) == Some(0))
        .unwrap_or(&("B", 1));
    format!("{}{unit}", bytes.checked_div(*size).unwrap_or(bytes))
}

fn guess(number: &str, unit: &str) -> Wrong {
    let unit = unit.trim().to_ascii_lowercase();
    let meant = match unit.as_str() {
        "" => return Wrong::new("the unit is missing").help(format!("write \"{number}B\" or \"{number}KiB\"")),
        "b" | "byte" | "bytes" => "B",
        "k" | "kb" | "kib" => "KiB",
        "m" | "mb" | "mib" => "MiB",
        "g" | "gb" | "gib" => "GiB",
        "t" | "tb" | "tib" => "TiB",
        _ if unit.starts_with(['.', ',']) => return Wrong::new("a size is a whole number").help(EXAMPLES),
        _ => return Wrong::new("this is not a size").help(EXAMPLES),
    };
    Wrong::new("this is not a size").help(format!("did you mean \"{number}{meant}\"?"))
}

const EXAMPLES: &str = "write a whole number and a unit: \"512B\", \"16KiB\", \"8MiB\", \"1GiB\"";

const UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024() {
        for (text, bytes) in [
            ("0B", 0),
            ("512B", 512),
            ("16KiB", 16_384),
            ("8MiB", 8_388_608),
            ("1GiB", 1_073_741_824),
            ("1TiB", 1_099_511_627_776),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
            assert_eq!(show_size(bytes), text);
        }
        assert_eq!(show_size(1025), "1025B");
    }

    #[test]
    fn what_was_meant_is_offered() {
        let help = |text: &str| size(text).unwrap_err().help.unwrap_or_default();
        assert_eq!(help("16kb"), "did you mean \"16KiB\"?");
        assert_eq!(help("10 MB"), "did you mean \"10MiB\"?");
        assert_eq!(help("100"), "write \"100B\" or \"100KiB\"");
        for text in [
            "",
            "KiB",
            "-1B",
            "1.5MiB",
            "1 parsec",
            "99999999999999999999B",
            "99999999999TiB",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}

//! Names of fields by which a proxy speaks of its client: some backend believes each of them.

use super::name::{Name, folds_to};

/// What a name that has no number of its own says of the client, if anything. [`may_claim`] was asked before.
#[cold]
#[inline(never)]
pub(super) fn classify(name: &[u8]) -> Name {
    if let Some((start, rest)) = name.split_at_checked(FORWARDED.len())
        && folds_to(start, FORWARDED)
        && rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric())
    {
        // `X-Forwarded-For` itself has a number: what comes here in other letters than these is another spelling of something.
        let is_proper = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        return if name.iter().all(is_proper) {
            Name::ForwardedOther
        } else {
            Name::ForwardedAlias
        };
    }
    if is_claim(name) { Name::Claim } else { Name::Other }
}

/// Is it one of the names beside `X-Forwarded-*`? Compared as a CGI backend does it.
pub(crate) fn is_claim(name: &[u8]) -> bool {
    let begins = |text: &&[u8]| name.get(..text.len()).is_some_and(|start| folds_to(start, text));
    CLAIMS.iter().any(|claim| folds_to(name, claim)) || CLAIM_PREFIXES.iter().any(begins)
}

/// May [`classify`] find something? By the first two characters and the length: this runs for every field whose name is
/// not known.
#[inline]
pub(super) fn may_claim(name: &[u8]) -> bool {
    let [first, second, ..] = name else { return false };
    let lengths = LENGTHS.get(key(*first, *second)).copied().unwrap_or_default();
    lengths >> (name.len() & 63) & 1 != 0 || name.len() > 63
}

const FORWARDED: &[u8] = b"x-forwarded";

/// Beside `Forwarded`, `X-Real-IP` and `X-Forwarded-*`, which are always treated so. In lower case.
const CLAIMS: [&[u8]; 39] = [
    // who asks
    b"true-client-ip",
    b"client-ip",
    b"x-client-ip",
    b"x-cluster-client-ip",
    b"x-originating-ip",
    b"x-remote-ip",
    b"x-remote-addr",
    b"x-proxyuser-ip",
    b"x-real-port",
    b"x-forward-for",
    b"x-azure-clientip",
    b"x-azure-socketip",
    b"x-envoy-external-address",
    b"x-envoy-internal",
    b"x-appengine-user-ip",
    b"x-custom-ip-authorization",
    b"proxy-client-ip",
    b"cf-connecting-ip",
    b"cf-connecting-ipv6",
    b"cf-pseudo-ipv4",
    b"fastly-client-ip",
    b"remote-user",
    b"x-remote-user",
    b"client-cert",
    b"client-cert-chain",
    b"x-client-cert",
    // what is asked, and how
    b"x-original-url",
    b"x-original-uri",
    b"x-original-host",
    b"x-rewrite-url",
    b"x-override-url",
    b"x-host",
    b"x-http-host-override",
    b"x-http-method-override",
    b"x-http-method",
    b"x-method-override",
    // over what
    b"front-end-https",
    b"x-url-scheme",
    b"x-scheme",
];

const CLAIM_PREFIXES: [&[u8]; 3] = [b"ssl-client-", b"x-ssl-client-", b"wl-proxy-"];

/// Two characters as a place in [`LENGTHS`]. What is neither letter nor digit counts as one and the same.
const fn key(first: u8, second: u8) -> usize {
    const fn folded(byte: u8) -> u8 {
        if byte.is_ascii_alphanumeric() { byte | 0x20 } else { 0 }
    }
    (folded(first).wrapping_mul(3).wrapping_add(folded(second)) & 63) as usize
}

/// By the first two characters: a bit for each length of a name to look for.
static LENGTHS: [u64; 64] = lengths();

#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // computed by the compiler
const fn lengths() -> [u64; 64] {
    let mut table = [0; 64];
    let mut index = 0;
    while index < CLAIMS.len() {
        let name = CLAIMS[index];
        table[key(name[0], name[1])] |= 1 << name.len();
        index += 1;
    }
    index = 0;
    while index < CLAIM_PREFIXES.len() {
        let start = CLAIM_PREFIXES[index];
        table[key(start[0], start[1])] |= u64::MAX << start.len();
        index += 1;
    }
    table[key(FORWARDED[0], FORWARDED[1])] |= u64::MAX << FORWARDED.len();
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_with_any_separator() {
        for claim in CLAIMS {
            for name in spellings(claim) {
                assert_eq!(Name::of(&name), Name::Claim, "{}", name.escape_ascii());
            }
            assert_eq!(claim, claim.to_ascii_lowercase());
        }
        for start in CLAIM_PREFIXES {
            for mut name in spellings(start) {
                name.extend_from_slice(b"Verify");
                assert_eq!(Name::of(&name), Name::Claim, "{}", name.escape_ascii());
            }
        }
    }

    fn spellings(name: &[u8]) -> [Vec<u8>; 4] {
        let with = |byte| name.iter().map(move |b| if *b == b'-' { byte } else { *b }).collect();
        [name.to_vec(), name.to_ascii_uppercase(), with(b'_'), with(b'.')]
    }

    #[test]
    fn whatever_begins_with_x_forwarded_is_found() {
        for name in [
            "X-Forwarded",
            "X-Forwarded-Prefix",
            "x-forwarded-client-cert",
            "X-FORWARDED-",
            "X-Forwarded-For-",
        ] {
            assert_eq!(Name::of(name.as_bytes()), Name::ForwardedOther, "{name}");
        }
        let long = format!("X-Forwarded-{}", "a".repeat(200));
        assert_eq!(Name::of(long.as_bytes()), Name::ForwardedOther);
        for name in [
            "X_Forwarded",
            "x.forwarded-for",
            "X-Forwarded_For",
            "X_FORWARDED_PREFIX",
            "X-Forwarded-A_B",
        ] {
            assert_eq!(Name::of(name.as_bytes()), Name::ForwardedAlias, "{name}");
        }
        for name in [
            "X-Forwardedfor",
            "X-Forwarde",
            "XX-Forwarded-For",
            "X-Forward",
            "Y-Forwarded-For",
        ] {
            assert_eq!(Name::of(name.as_bytes()), Name::Other, "{name}");
        }
    }

    #[test]
    fn the_names_of_browsers_are_not_looked_for() {
        let names = "Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-Ch-Ua Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Priority \
            Upgrade-Insecure-Requests DNT Pragma If-None-Match If-Modified-Since Range";
        for name in names.split_ascii_whitespace() {
            assert!(!may_claim(name.as_bytes()), "{name}");
        }
    }
}

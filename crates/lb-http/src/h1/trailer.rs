use crate::head::claim::is_claim;
use crate::head::name::folds_to;

/// May a trailer field of this name be passed on? RFC 9110, section 6.5.1: not those that say
/// where a message ends, where it goes, who sends it or how to treat it; a receiver that
/// merges trailers into the head would act on them after all checks were made.
///
/// Names are compared like a CGI backend does it, so `Content_Length` is caught too.
pub(super) fn is_allowed(name: &[u8]) -> bool {
    let is = |text: &&[u8]| folds_to(name, text);
    let begins = |text: &&[u8]| name.get(..text.len()).is_some_and(|start| folds_to(start, text));
    !FORBIDDEN.iter().any(is) && !FORBIDDEN_PREFIXES.iter().any(begins) && !is_claim(name)
}

const FORBIDDEN: [&[u8]; 36] = [
    // where it ends, how it travels
    b"transfer-encoding",
    b"te",
    b"trailer",
    b"connection",
    b"keep-alive",
    b"upgrade",
    b"http2-settings",
    // where it goes
    b"host",
    b"forwarded",
    b"x-real-ip",
    b"x-forwarded",
    b"via",
    // who sends it
    b"authorization",
    b"www-authenticate",
    b"authentication-info",
    b"proxy",
    b"cookie",
    b"set-cookie",
    b"set-cookie2",
    b"origin",
    b"referer",
    // how to treat it
    b"cache-control",
    b"pragma",
    b"expect",
    b"max-forwards",
    b"range",
    b"age",
    b"date",
    b"expires",
    b"location",
    b"refresh",
    b"retry-after",
    b"vary",
    b"warning",
    b"allow",
    b"strict-transport-security",
];

const FORBIDDEN_PREFIXES: [&[u8]; 6] = [
    b"content-",
    b"proxy-",
    b"if-",
    b"x-forwarded-",
    b"access-control-",
    b"sec-",
];

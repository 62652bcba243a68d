//! Paths that are hard to read, and where lbd sends them.

use lb_balance::route::{Action, Prefix, Query, Route, Routes};
use lb_types::Rng;

/// One path, and the place to which each of the tables sends it; `None`: refused.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) target: String,
    pub(crate) sent: [Option<usize>; 3],
}

impl Case {
    /// Does a backend that finds it under the route with this letter serve what another rule is for?
    pub(crate) fn is_leak(&self, letter: u8) -> bool {
        let place = LETTERS.iter().position(|known| *known == letter);
        let Some(place) = place else { return false }; // the backend refused
        self.sent
            .iter()
            .zip(TABLES)
            .any(|(sent, table)| sent.is_some_and(|sent| sent != table[place]))
    }
}

/// Different paths, the same for the same seed.
pub(crate) fn cases(seed: u64, count: usize) -> Vec<Case> {
    let mut rng = Rng::new(seed);
    let tables = TABLES.map(routes);
    let mut known = std::collections::HashSet::new();
    let mut cases = Vec::with_capacity(count);
    while cases.len() < count {
        let target = path(&mut rng);
        if !known.insert(target.clone()) {
            continue;
        }
        let sent = [0, 1, 2].map(|table: usize| {
            let query = Query {
                host: Some(b"h"),
                path: target.as_bytes(),
            };
            match tables[table].find(&query) {
                Some(Action::Forward(place)) => Some(*place),
                Some(Action::Refuse(_)) => None,
                other => panic!("{target}: {other:?}"),
            }
        });
        cases.push(Case { target, sent });
    }
    cases
}

/// Segments and what stands between them: mostly ordinary, so that a path has one or two surprises and not ten.
fn path(rng: &mut Rng) -> String {
    let mut path = String::new();
    for _ in 0..=rng.below(5) {
        path.push_str(choose(rng, 3, &["/"], SEPARATORS));
        path.push_str(choose(rng, 2, PLAIN, HARD));
    }
    if rng.below(3) == 0 {
        path.push_str(choose(rng, 3, &["/"], SEPARATORS));
        path.push_str(choose(
            rng,
            4,
            &["admin/secret", "public/secret/x", "admin", "public/x"],
            HARD,
        ));
    }
    if rng.below(8) == 0 {
        path.push_str(choose(rng, 2, &["/", "?x=/../admin"], ENDS));
    }
    if path.starts_with('/') {
        path
    } else {
        format!("/{path}")
    }
}

/// `usual` in so many of so many and one cases.
fn choose<'a>(rng: &mut Rng, usually: u64, usual: &[&'a str], odd: &[&'a str]) -> &'a str {
    let from = if rng.below(usually + 1) < usually { usual } else { odd };
    from[rng.below(from.len() as u64) as usize]
}

/// Root, `/public`, `/admin` and `/public/secret`.
const LETTERS: [u8; 4] = *b"RPAS";
/// To which place each of them goes: all apart; one forbidden; one allowed, but for a part of it.
const TABLES: [[usize; 4]; 3] = [[0, 1, 2, 3], [0, 0, 1, 0], [1, 0, 1, 1]];

fn routes(table: [usize; 4]) -> Routes {
    let routes = ["/", "/public", "/admin", "/public/secret"].into_iter().zip(table);
    let routes = routes.map(|(path, place)| Route {
        hosts: Vec::new(),
        path: Prefix::new(path).unwrap(),
        action: Action::Forward(place),
    });
    Routes::new(routes.collect()).unwrap()
}

const PLAIN: &[&str] = &[
    "a",
    "x.html",
    "admin",
    "public",
    "secret",
    "public/secret",
    "admin/secret",
    "..",
    "..",
    "b",
];
const SEPARATORS: &[&str] = &[
    "//",
    "///",
    "/./",
    "/../",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    ";/",
    ";a=b/",
    "/;/",
    "/;x/",
    "/.;/",
    "/..;/",
    "/..;a/",
    "%2f..%2f",
    "/%2e/",
    "/%2e%2e/",
    "/.%2e/",
    "%252f",
    "%255c",
    "/%252e%252e/",
    ";%2f",
    "%3b/",
    "%3f/",
    "%23/",
    "?/",
    "/%09/",
    "%0a/",
    "/%20/",
    "%5c..%5c",
    "//h:80/",
    "//u@h/",
    "%2f%2f",
];
const HARD: &[&str] = &[
    ".",
    "%2e",
    "%2E%2E",
    ".%2e",
    "%2e.",
    "...",
    "..;",
    ".;",
    "..;x=y",
    "%2e%2e;",
    "%252e%252e",
    "%25%32%65.",
    "..%09",
    ".%0a.",
    "..%3b",
    "..%2f",
    "..%5c",
    "%c0%ae%c0%ae",
    "%c0%af",
    "%e0%80%af",
    "%61dmin",
    "adm%69n",
    "%61%64%6d%69%6e",
    "p%75blic",
    "%70ublic",
    "%2561dmin",
    "adm%2569n",
    "%25%36%31dmin",
    "admin;x",
    "admin;",
    "admin%3b",
    "admin%20",
    "admin%3fx",
    "admin%23",
    "admin%09",
    "admin%0a",
    "admin%2f",
    "admin%5cx",
    "public%2fsecret",
    "public%2fx",
    "public%5csecret",
    "public;x",
    "public;/secret",
    "secret;x",
    "s%65cret",
    "secre%74",
    "ADMIN",
    "%41dmin",
    "Public",
    "@scope%2fname",
    "caf%C3%A9",
    "%E2%82%AC",
    "a%20b",
    "a%2520b",
    "100%25",
    "C%23",
    "a%3db",
    "~x",
    "%7ex",
    ":80",
    "http:",
    "a..b",
    "..a",
    "a..",
    ".a",
    "%2ea",
    "a%2e",
    "a%2e%2e",
    ";",
    ";a",
    "%3b",
    "%3bx",
    "=",
    "&",
    "a,b",
    "(a)",
    "[a]",
    "a|b",
    "^",
    "!",
    "$",
    "'",
    "*",
    "+",
    "%2b",
    "%25",
    "%2525",
    "%25252e",
    "x%25u002e",
];
const ENDS: &[&str] = &[
    "/.", "/..", "//", ";", ";/", "/;x", "%2f", "%5c", "%3f", "%23", "/%2e", "/%2e%2e", "%20", "%09", "?/../", "/..;",
];

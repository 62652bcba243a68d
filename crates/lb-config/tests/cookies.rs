//! Two sticky pools behind one listener: each keeps its clients.
#![allow(clippy::unwrap_used)] // helpers of tests are tests

use lb_config::{Kind, Nowhere, Persistence, Plan, Problems};

fn resolve(routes: &str, pools: &[(&str, &str)]) -> Result<Plan, Problems> {
    let mut text =
        format!("version = 1\n[[listeners]]\nname = \"web\"\naddress = \"127.0.0.1:1\"\npool = \"a\"\n{routes}\n");
    for ((name, cookie), number) in pools.iter().zip(1..) {
        text += &format!(
            "[[pools]]\nname = \"{name}\"\nbackends = [\"10.0.0.{number}:80\"]\n\
             persistence = {{ kind = \"cookie_insert\", secret = \"0123456789abcdef0123456789abcdef\"{cookie} }}\n"
        );
    }
    lb_config::resolve(&lb_config::parse("t", &text), &Nowhere).map(|resolved| resolved.plan)
}

fn cookie_name(plan: &Plan, index: usize) -> String {
    match &plan.pools[index].persistence[..] {
        [Persistence::CookieInsert(cookie)] => cookie.name.clone(),
        other => panic!("{other:?}"),
    }
}

const BY_PATH: &str = "routes = [{ path = \"/b\", pool = \"b\" }]";
const BY_HOST: &str = "routes = [{ host = \"a.example\", pool = \"a\" }, { host = \"b.example\", pool = \"b\" }]";

#[test]
fn the_default_name_tells_pools_apart_and_is_the_same_everywhere() {
    let plan = resolve(BY_PATH, &[("a", ""), ("b", "")]).unwrap();
    let names = [0, 1].map(|index| cookie_name(&plan, index));
    assert_eq!(names, ["a", "b"].map(lb_persist::CookieInsertOptions::default_name));
    assert_ne!(names[0], names[1]);
    // A fixed hash, because replicas and later versions must agree; values by another SipHash-2-4 than ours.
    assert_eq!(
        ["a", "app"].map(lb_persist::CookieInsertOptions::default_name),
        ["LBD-2a7ea079", "LBD-d42a777e"]
    );
    // What is the default is not written again.
    assert!(!plan.to_toml().contains(&names[0]));
}

#[test]
fn one_name_domain_and_path_for_two_pools_behind_one_listener_is_an_error_that_names_both() {
    let same = ", name = \"SRV\"";
    let error = resolve(BY_PATH, &[("a", same), ("b", same)]).unwrap_err();
    let problem = error.iter().next().unwrap();
    assert_eq!(problem.kind, Kind::ConflictingPersistence);
    assert_eq!(
        problem.message,
        "pools \"a\" and \"b\" set the same cookie \"SRV\" behind listener \"web\""
    );
    let text = error.to_string();
    assert!(text.contains("leave `name` out"), "{text}");
    let clash = |routes, a: &str, b: &str| resolve(routes, &[("a", a), ("b", b)]).is_err();
    // by path on the same host
    assert!(clash(
        "routes = [{ host = \"x.example\", path = \"/b\", pool = \"b\" }]",
        same,
        same
    ));
    assert!(clash(
        "routes = [{ host = \"*.example\", path = \"/b\", pool = \"b\" }, { host = \"x.example\", path = \"/a\", pool = \"a\" }]",
        same,
        same
    ));
    // a domain that holds both hosts
    let wide = ", name = \"SRV\", domain = \"example.org\"";
    let hosts = "routes = [{ host = \"a.example.org\", pool = \"a\" }, { host = \"b.example.org\", pool = \"b\" }]";
    assert!(clash(hosts, wide, wide));
    // who guesses the other's default
    let other = format!(", name = \"{}\"", lb_persist::CookieInsertOptions::default_name("a"));
    assert!(clash(BY_PATH, "", &other));
}

#[test]
fn cookies_that_browsers_keep_apart_are_no_error() {
    let same = ", name = \"SRV\"";
    let fine = |routes, a: &str, b: &str| resolve(routes, &[("a", a), ("b", b)]).unwrap();
    fine(BY_PATH, same, "");
    fine(BY_PATH, same, ", name = \"srv\"");
    fine(BY_PATH, same, ", name = \"SRV\", path = \"/b\"");
    fine(BY_PATH, same, ", name = \"SRV\", domain = \"example.org\"");
    // each host has its own
    fine(BY_HOST, same, same);
    fine("routes = [{ host = \"b.example\", pool = \"b\" }]", same, same);
}

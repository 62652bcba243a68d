//! The HTML page needs nothing but itself, is well formed, and carries its data.

use lb_doctor::report::{Setting, is_page};
use lb_doctor::simulate::{Contender, Options, Traffic, backends, compare};
use std::time::Duration;

/// A page of `weights`, with a backend whose name tries to break out.
fn page(weights: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut list = backends(weights)?;
    list[0].name = "<script>alert('x')</script>\"&".to_owned();
    let mut traffic = Traffic::new(100.0);
    traffic.span = Duration::from_secs(5);
    let all = Contender::all(&list);
    let mut result = compare(
        &all,
        &list,
        &Options::default(),
        traffic.requests(1),
        Some(traffic.span),
    )?;
    Ok(result.html(&Setting::new("</script><b>")))
}

fn pages() -> [String; 3] {
    ["1", "3,2,1", "1*40"].map(|weights| page(weights).expect("a page"))
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    for page in pages() {
        assert!(is_page(page.as_bytes()));
        for forbidden in [
            "http://",
            "https://",
            "src=",
            "href=",
            "url(",
            "@import",
            "<script>",
            "<link",
            "<iframe",
            " onload",
            "javascript:",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert!(page.contains("default-src 'none'"));
        assert_eq!(page.matches("<script").count(), 1, "the data, which does not run");
        assert!(page.contains("<script type=\"application/json\" id=\"data\">"));
    }
}

#[test]
fn every_element_that_is_opened_is_closed_in_order() {
    for page in pages() {
        let (head, rest) = page.split_once("<style>").expect("a style");
        let (_, rest) = rest.split_once("</style>").expect("its end");
        let (body, data) = rest.split_once("<script").expect("data");
        let (_, tail) = data.split_once("</script>").expect("its end");
        let mut open: Vec<&str> = Vec::new();
        for part in [head, body, tail].iter().flat_map(|text| text.split('<').skip(1)) {
            let (tag, _) = part
                .split_once('>')
                .unwrap_or_else(|| panic!("a tag without end: {part}"));
            let name = tag.split([' ', '/']).find(|word| !word.is_empty()).unwrap_or_default();
            if tag.starts_with('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !(tag.starts_with('!') || tag.ends_with('/') || name == "meta") {
                open.push(name);
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        }
        assert_eq!(open, [""; 0]);
    }
}

#[test]
fn no_figure_is_not_a_number() {
    for page in pages() {
        for nonsense in ["NaN", "inf,", "inf\"", "-inf"] {
            assert!(!page.contains(nonsense), "{nonsense}");
        }
    }
}

#[test]
fn the_data_inside_is_the_json_of_the_comparison() {
    let page = page("3,2,1").expect("a page");
    let (_, data) = page.split_once("id=\"data\">").expect("data");
    let (data, _) = data.split_once("</script>").expect("its end");
    let data: serde_json::Value = serde_json::from_str(data).expect("JSON");
    let algorithms = data["algorithms"].as_array().expect("a list");
    assert_eq!(algorithms.len(), 9);
    for algorithm in algorithms {
        let name = algorithm["algorithm"].as_str().expect("a name");
        assert!(page.contains(&format!("<h3>{name} ")), "a panel for {name}");
        assert_eq!(algorithm["requests"], data["requests"]);
        assert_eq!(algorithm["backends"].as_array().map(Vec::len), Some(3));
    }
    assert_eq!(data["traffic"], "</script><b>");
}

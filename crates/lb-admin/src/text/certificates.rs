use super::TableOptions;
use super::column::{self, Column, Paint};
use crate::state::Certificate;

/// The certificates as a table for people, the one that ends first on top.
#[must_use]
pub fn certificates(list: &[Certificate], options: TableOptions) -> String {
    if list.is_empty() {
        return "no listener speaks TLS\n".to_owned();
    }
    let mut sorted: Vec<&Certificate> = list.iter().collect();
    sorted.sort_by_key(|one| one.days_left);
    let mut days = Column::right("days");
    let mut chain = Column::right("chain");
    let [mut names, mut key, mut users, mut file] = ["names", "key", "used by", "file"].map(Column::left);
    for one in &sorted {
        let paint = match one.days_left {
            ..0 => Paint::Bad,
            0..=14 => Paint::Care,
            _ => Paint::None,
        };
        days.paint(one.days_left, paint);
        names.push(shortened(&one.names));
        key.push(&one.key);
        chain.push(one.chain);
        users.push(one.used_by.join(", "));
        file.push(&one.file);
    }
    let columns = [days, names, key, chain, users, file];
    let mut out = String::new();
    column::row(&columns, None, "", options.color, &mut out);
    for row in 0..sorted.len() {
        column::row(&columns, Some(row), "", options.color, &mut out);
    }
    out
}

/// The first few.
fn shortened(names: &[String]) -> String {
    match names {
        [] => "(none)".to_owned(),
        [first, second, third, rest @ ..] if !rest.is_empty() => {
            format!("{first}, {second}, {third} and {} more", rest.len())
        }
        few => few.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_to_end_is_on_top() {
        let one = |name: &str, days_left| Certificate {
            names: vec![name.to_owned()],
            key: "ECDSA P-256".to_owned(),
            days_left,
            chain: 2,
            file: format!("/etc/{name}.pem"),
            used_by: vec!["web".to_owned()],
            ..Certificate::default()
        };
        let text = certificates(&[one("a", 90), one("b", -3)], TableOptions::default());
        assert_eq!(
            text,
            "days  names  key          chain  used by  file\n\
             \x20 -3  b      ECDSA P-256      2  web      /etc/b.pem\n\
             \x20 90  a      ECDSA P-256      2  web      /etc/a.pem\n"
        );
        assert_eq!(certificates(&[], TableOptions::default()), "no listener speaks TLS\n");
        let many = ["a", "b", "c", "d", "e"].map(str::to_owned);
        assert_eq!(shortened(&many), "a, b, c and 2 more");
    }
}

use super::args::{Backend, BackendOrder, Backends};
use super::{ask, table_options};
use crate::USAGE;
use lb_admin::{Order, Wish};
use lb_health::Admin;
use lb_types::Weight;
use std::collections::HashSet;
use std::process::ExitCode;

/// `lbd backend`.
pub(crate) fn run(backend: &Backend) -> ExitCode {
    match orders(&backend.order) {
        Ok((orders, backends)) => ask(
            &backends.reach,
            async |client| client.order(&orders).await,
            |seen| {
                if backends.json {
                    lb_admin::text::json(&seen)
                } else {
                    lb_admin::text::backends(&seen, table_options())
                }
            },
        ),
        Err(wrong) => {
            eprintln!("lbd: {}\n  = help: {}", wrong.message, wrong.help);
            ExitCode::from(USAGE)
        }
    }
}

/// What is wrong with the arguments.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    message: String,
    help: String,
}

fn orders(order: &BackendOrder) -> Result<(Vec<Order>, &Backends), Wrong> {
    let admin = |admin| move |order: Order| order.with_admin(Wish::Set(admin));
    match order {
        BackendOrder::Drain(backends) => all(backends, admin(Admin::Drain)),
        BackendOrder::Ready(backends) => all(backends, admin(Admin::Ready)),
        BackendOrder::Maintain(backends) => all(backends, admin(Admin::Maintenance)),
        BackendOrder::Up(backends) => all(backends, admin(Admin::Up)),
        BackendOrder::Reset(backends) => all(backends, |order| {
            order.with_admin(Wish::Forget).with_weight(Wish::Forget)
        }),
        BackendOrder::Weight(weight) => {
            // Both orders are known from elsewhere: the number is what has no slash.
            let backends = &weight.backends;
            let mut names: Vec<&str> = backends.backends.iter().map(String::as_str).collect();
            let mut number = weight.weight.as_str();
            if number.contains('/')
                && let Some(last) = names.pop_if(|last| !last.contains('/'))
            {
                names.insert(0, number);
                number = last;
            }
            let weight = parse_weight(number)?;
            let set = |name: &str| Ok(split(name)?.with_weight(Wish::Set(weight)));
            Ok((once(names).map(set).collect::<Result<_, Wrong>>()?, backends))
        }
    }
}

fn all(backends: &Backends, wish: impl Fn(Order) -> Order) -> Result<(Vec<Order>, &Backends), Wrong> {
    let names = backends.backends.iter().map(String::as_str);
    let orders = once(names).map(|name| Ok(wish(split(name)?)));
    Ok((orders.collect::<Result<_, Wrong>>()?, backends))
}

/// A backend that is named twice gets its order once.
fn once<'a>(names: impl IntoIterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = HashSet::new();
    names.into_iter().filter(move |name| seen.insert(*name))
}

/// `POOL/BACKEND`: no name has a slash.
fn split(name: &str) -> Result<Order, Wrong> {
    match name.split_once('/') {
        Some((pool, backend)) if !pool.is_empty() && !backend.is_empty() && !backend.contains('/') => {
            Ok(Order::new(pool, backend))
        }
        _ => Err(Wrong {
            message: format!("{name:?} names no backend"),
            help: "a backend is named POOL/BACKEND, such as app/10.0.0.1:80; `lbd status` lists them".to_owned(),
        }),
    }
}

fn parse_weight(text: &str) -> Result<Weight, Wrong> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse::<u64>().ok().filter(|_| digits);
    number
        .and_then(|number| Weight::try_from(number).ok())
        .ok_or_else(|| Wrong {
            message: format!("the weight is {text:?}"),
            help: "a whole number from 0 (known clients only) to 256, such as: lbd backend weight 50 app/10.0.0.1:80"
                .to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Arguments, Command};
    use clap::Parser;

    fn parsed(line: &str) -> Result<Vec<Order>, Wrong> {
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}"));
        let Command::Backend(backend) = arguments.command else {
            panic!("{line}")
        };
        Ok(orders(&backend.order)?.0)
    }

    #[test]
    fn each_word_is_its_order() {
        let order = |admin| vec![Order::new("app", "a").with_admin(Wish::Set(admin))];
        for (word, admin) in [
            ("drain", Admin::Drain),
            ("ready", Admin::Ready),
            ("maintain", Admin::Maintenance),
            ("maint", Admin::Maintenance),
            ("up", Admin::Up),
        ] {
            assert_eq!(parsed(&format!("lbd backend {word} app/a")), Ok(order(admin)));
        }
        let both = [Order::new("app", "a"), Order::new("b", "[::1]:80")]
            .map(|order| order.with_admin(Wish::Forget).with_weight(Wish::Forget));
        assert_eq!(parsed("lbd backend reset app/a b/[::1]:80").unwrap(), both);
        assert_eq!(parsed("lbd backend reset app/a b/[::1]:80 app/a").unwrap(), both);
    }

    #[test]
    fn a_weight_stands_before_or_behind_its_backends() {
        let weight = |backend| Order::new("app", backend).with_weight(Wish::Set(Weight::new(50).unwrap()));
        assert_eq!(parsed("lbd backend weight 50 app/a").unwrap(), [weight("a")]);
        assert_eq!(parsed("lbd backend weight app/a 50").unwrap(), [weight("a")]);
        assert_eq!(parsed("lbd backend weight app/a app/a 50").unwrap(), [weight("a")]);
        assert_eq!(
            parsed("lbd backend weight 50 app/a app/b").unwrap(),
            [weight("a"), weight("b")]
        );
        let both = parsed("lbd backend weight app/a app/b 50 --socket /x").unwrap();
        assert_eq!(both, [weight("a"), weight("b")]);
    }

    #[test]
    fn what_is_wrong_is_said_with_an_example() {
        for (line, message) in [
            ("lbd backend weight 257 app/a", "the weight is \"257\""),
            ("lbd backend weight +5 app/a", "the weight is \"+5\""),
            ("lbd backend weight app/a app/b", "the weight is \"app/a\""),
            ("lbd backend drain a", "\"a\" names no backend"),
            ("lbd backend drain /a", "\"/a\" names no backend"),
            ("lbd backend drain a/b/c", "\"a/b/c\" names no backend"),
        ] {
            let wrong = parsed(line).unwrap_err();
            assert_eq!(wrong.message, message);
            assert!(wrong.help.contains("app/10.0.0.1:80"), "{line}");
        }
    }
}

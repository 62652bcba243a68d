//! Plans that no file gives, and what is wrong with them.
#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod common;

use common::Fake;
use lb_config::{Action, BuildError, BuildErrors, Persistence, Plan, Service, build, lb_balance, parse, resolve};
use std::error::Error;

/// One listener with one route, and two pools: of a `ring` with a cookie, and by address.
fn plan() -> Plan {
    let text = r#"
        version = 1
        [[listeners]]
        name = "web"
        address = "127.0.0.1:8080"
        pool = "app"
        [[listeners.routes]]
        host = "api.example"
        path = "/v2"
        pool = "api"
        [[listeners]]
        name = "raw"
        address = "127.0.0.1:9000"
        protocol = "tcp"
        pool = "api"
        [[pools]]
        name = "app"
        algorithm = "ring"
        hash = "source"
        bounded_load_percent = 125
        backends = ["10.0.0.1:80", "10.0.0.2:80"]
        persistence = { kind = "cookie_insert" }
        [[pools]]
        name = "api"
        backends = ["10.0.0.3:80"]
        persistence = { kind = "client_ip" }
    "#;
    resolve(&parse("lbd.toml", text), &Fake).unwrap().plan
}

/// What is wrong with the plan after `change`.
fn wrong(change: impl FnOnce(&mut Plan)) -> BuildErrors {
    let mut plan = plan();
    change(&mut plan);
    build(&plan, None).unwrap_err()
}

/// The only thing that is wrong, and the text with its reasons and its mend.
fn only(change: impl FnOnce(&mut Plan)) -> (BuildError, String) {
    let errors = wrong(change);
    let list: Vec<_> = errors.iter().cloned().collect();
    let [error] = <[_; 1]>::try_from(list).unwrap();
    (error, errors.to_string())
}

fn change_http(plan: &mut Plan, change: impl FnOnce(&mut lb_config::Http)) {
    match &mut plan.listeners[0].service {
        Service::Http(http) => change(http),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_error_names_the_pool_the_value_the_reason_and_the_mend() {
    let (error, text) = only(|plan| plan.pools[0].scheduling.bounded_load_percent = Some(100));
    assert!(matches!(&error, BuildError::BoundedLoad { pool, percent: 100, .. } if pool == "app"));
    assert_eq!(
        text,
        format!(
            "pool \"app\" cannot bound loads at 100 percent of the mean: {}\n  \
             = help: give `bounded_load_percent` a number from 101 to 1000, or leave it out",
            error.source().unwrap()
        )
    );
    let (error, text) = only(|plan| {
        if let Some(Persistence::ClientIp(client)) = plan.pools[1].persistence.first_mut() {
            client.netmask_v6 = 129;
        }
    });
    assert!(matches!(&error, BuildError::ClientIp { pool, netmask_v4: 32, netmask_v6: 129, .. } if pool == "api"));
    assert!(text.contains("129 is longer than the address (128 bits)"), "{text}");
    let (error, text) = only(|plan| {
        if let Some(Persistence::CookieInsert(cookie)) = plan.pools[0].persistence.first_mut() {
            cookie.name = "a b".to_owned();
        }
    });
    assert!(matches!(&error, BuildError::CookieInsert { pool, cookie, .. } if pool == "app" && cookie == "a b"));
    assert!(error.source().is_some() && text.contains("`name`"), "{text}");
}

#[test]
fn what_makes_no_pool_is_said_by_the_pool_itself() {
    let (error, text) = only(|plan| {
        let again = plan.pools[0].backends[0].clone();
        plan.pools[0].backends.push(again);
    });
    let BuildError::Pool {
        pool,
        backends: 3,
        source,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(pool, "app");
    assert!(matches!(source, lb_balance::BuildError::BackendTwice { .. }));
    assert!(text.contains("10.0.0.1:80"), "{text}");
    let (error, _) = only(|plan| plan.pools[0].algorithm = lb_config::Algorithm::RoundRobin);
    assert!(matches!(
        error,
        BuildError::Pool {
            source: lb_balance::BuildError::Schedule(_),
            ..
        }
    ));
    let three = |plan: &mut Plan| {
        let way = plan.pools[0].persistence[0].clone();
        plan.pools[0].persistence.extend([way.clone(), way]);
    };
    assert!(only(three).1.contains("at most 3 strategies, not 4"));
}

#[test]
fn routes_name_their_listener_and_what_was_written() {
    let (error, _) = only(|plan| change_http(plan, |http| http.routes[0].hosts = vec!["a b".to_owned()]));
    assert!(matches!(&error, BuildError::Host { listener, host, .. } if listener == "web" && host == "a b"));
    let (error, text) = only(|plan| change_http(plan, |http| http.routes[0].path = "v2".to_owned()));
    assert!(matches!(&error, BuildError::Path { listener, path, .. } if listener == "web" && path == "v2"));
    assert!(text.contains("a path begins with a slash"), "{text}");
    let (error, _) = only(|plan| {
        change_http(plan, |http| {
            let again = http.routes[0].clone();
            http.routes.push(again);
        });
    });
    assert!(matches!(&error, BuildError::Routes { listener, .. } if listener == "web"));
}

#[test]
fn a_pool_that_is_not_there_is_not_another_one() {
    // A position beyond the list was taken for that of the next pool that came along.
    let (error, text) = only(|plan| {
        change_http(plan, |http| match &mut http.routes[0].action {
            Action::Forward(forward) => forward.pool = 2,
            other => panic!("{other:?}"),
        });
    });
    assert!(
        matches!(error, BuildError::NoSuchPool { pool: 2, pools: 2, .. }),
        "{error:?}"
    );
    assert!(
        text.starts_with("listener \"web\" sends to pool number 2, but there are 2\n"),
        "{text}"
    );
    let (error, _) = only(|plan| match &mut plan.listeners[1].service {
        Service::Tcp(tcp) => tcp.forward.pool = usize::MAX,
        other => panic!("{other:?}"),
    });
    assert!(matches!(&error, BuildError::NoSuchPool { listener, .. } if listener == "raw"));
}

#[test]
fn each_pool_and_each_listener_is_looked_at() {
    let errors = wrong(|plan| {
        plan.pools[0].scheduling.bounded_load_percent = Some(7);
        plan.pools[1].backends[0].name = "b".to_owned();
        let again = plan.pools[1].backends[0].clone();
        plan.pools[1].backends.push(again);
        change_http(plan, |http| http.routes[0].path = "/..".to_owned());
    });
    let list: Vec<_> = errors.iter().collect();
    assert!(
        matches!(
            list[..],
            [
                BuildError::BoundedLoad { .. },
                BuildError::Pool { .. },
                BuildError::Path { .. }
            ]
        ),
        "{errors}"
    );
    assert_eq!(errors.to_string().matches("= help: ").count(), 3);
}

use super::backend::{self, ReadBackend};
use super::{Context, health, persistence, proxy_out, spread, tls, whole};
use crate::field::Field;
use crate::grammar::check_name;
use crate::plan::{Check, Limits, Pool, Retries};
use crate::reader::Reader;
use crate::schema::{POOL_LIMITS, POOL_TIMEOUTS, RETRIES};
use crate::scope::Scope;
use crate::usual;
use crate::{Kind, Problem, Span};
use lb_balance::FailOpen;
use lb_http::h1::Parsing;
use lb_types::Address;
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

/// All pools of the file.
pub(crate) struct Pools {
    pub(crate) list: Vec<ReadPool>,
    by_name: HashMap<String, usize>,
    /// Could a pool that is not found be one that could not be read?
    some_unread: bool,
    referred: RefCell<BTreeSet<String>>,
}

/// A pool, and where things about it stand.
pub(crate) struct ReadPool {
    pub(crate) plan: Pool,
    pub(crate) timeouts: Scope,
    pub(crate) name_span: Span,
    pub(crate) name_is_good: bool,
    pub(crate) persistence_span: Option<Span>,
    pub(crate) hash_span: Option<Span>,
    pub(crate) backend_spans: Vec<Span>,
    /// Has it `tls`, or a key that nobody knows and that may have been meant to be it?
    pub(crate) may_mean_tls: bool,
}

impl Pools {
    pub(super) fn read(context: &Context<'_>, readers: &Field<Vec<Reader<'_>>>) -> Self {
        let none = Vec::new();
        let readers_list = readers.as_ref().map_or(&none, |(list, _)| list);
        let list: Vec<ReadPool> = readers_list.iter().map(|reader| read(context, reader)).collect();
        let mut by_name: HashMap<String, usize> = HashMap::new();
        for (index, (pool, reader)) in list
            .iter()
            .zip(readers_list)
            .enumerate()
            .filter(|(_, (pool, _))| pool.name_is_good)
        {
            match by_name.get(&pool.plan.name).and_then(|first| list.get(*first)) {
                Some(first) => reader.push(
                    Problem::error(
                        Kind::DuplicateName,
                        format!("two pools are named \"{}\"", pool.plan.name),
                    )
                    .at(pool.name_span.clone(), "the same name again")
                    .see(first.name_span.clone(), "first here"),
                ),
                None => {
                    by_name.insert(pool.plan.name.clone(), index);
                }
            }
        }
        let some_unread = matches!(readers, Field::Broken) || list.iter().any(|pool| !pool.name_is_good);
        Self {
            list,
            by_name,
            some_unread,
            referred: RefCell::default(),
        }
    }

    /// The pool that the key `pool` names. Reports a name nobody has.
    pub(crate) fn find(&self, reader: &Reader<'_>) -> Field<usize> {
        reader.text("pool").and_then(|name, span| {
            self.referred.borrow_mut().insert(name.clone());
            let found = self.by_name.get(&name).copied();
            if found.is_none() && !self.some_unread {
                reader.push(self.unknown(&name, span.clone()));
            }
            found
        })
    }

    /// Did anybody name this pool?
    pub(crate) fn referred(&self, name: &str) -> bool {
        self.referred.borrow().contains(name)
    }

    fn unknown(&self, name: &str, span: Span) -> Problem {
        let problem = Problem::error(Kind::UnknownPool, format!("there is no pool \"{name}\"")).at(span, "not defined");
        let named = self.list.iter().filter(|pool| pool.name_is_good);
        if let Some(meant) = lb_types::nearest(name, named.map(|pool| pool.plan.name.as_str())) {
            self.referred.borrow_mut().insert(meant.to_owned());
            return problem.help(format!("did you mean \"{meant}\"?"));
        }
        let known: Vec<_> = self
            .list
            .iter()
            .take(10)
            .map(|pool| format!("\"{}\"", pool.plan.name))
            .collect();
        problem.help(match known.as_slice() {
            [] => format!("define it: [[pools]] with name = \"{name}\""),
            [one] => format!("the only pool is {one}"),
            _ => format!("pools: {}", known.join(", ")),
        })
    }
}

fn read(context: &Context<'_>, reader: &Reader<'_>) -> ReadPool {
    let name = reader.parsed("name", Kind::BadName, |name| check_name(name).map(|()| name.to_owned()));
    reader.require("name", &name, "name = \"app\"");
    let name_span = name.span().cloned().unwrap_or_else(|| reader.span());
    let name_is_good = name.as_ref().is_some();
    let (algorithm, scheduling) = spread::read(reader);
    let backends = backend::read_all(context, reader);
    if let Some((list, span)) = backends.as_ref() {
        spread::report(reader, algorithm, &scheduling, context.zone.as_deref(), list);
        backend::report_nobody(reader, span, list);
    }
    let backends: Vec<ReadBackend> = backends.value().unwrap_or_default();
    let tls = tls::read_pool(context, reader, &backends);
    let proxy_protocol = proxy_out::read(reader);
    let timeouts = Scope::read(reader.table("timeouts", &POOL_TIMEOUTS));
    let limits = context.limits.then(&Scope::read(reader.table("limits", &POOL_LIMITS)));
    let (persistence, persistence_span) = persistence::read_all(context, reader);
    let backend_plans: Vec<_> = backends.iter().map(|backend| backend.plan.clone()).collect();
    let parsing = match reader.word("parsing").value() {
        Some("tolerant") => Parsing::Tolerant,
        _ => Parsing::Strict,
    };
    let mut health = health::read(context, reader, &backend_plans);
    if let (Some(health), Some(out)) = (&mut health, proxy_protocol) {
        health::inherit_proxy_protocol(health, out.version);
    }
    // What traffic could read, a probe must not refuse.
    if let Some(Check::Http(check)) = health.as_mut().map(|health| &mut health.check) {
        check.parsing = parsing;
    }
    spread::report_idle_health(reader, algorithm);
    let plan = Pool {
        name: name.value().unwrap_or_default(),
        algorithm,
        scheduling,
        persistence,
        health,
        fail_open: fail_open(reader),
        max_idle_connections: backend::max_idle(reader),
        parsing,
        keep_alive: context.timeouts.then(&timeouts).duration("upstream_keep_alive"),
        // Of a response only the head is bounded; limits of requests stay with the listener.
        limits: Limits {
            head_bytes: limits.count("head_bytes"),
            fields: limits.count("fields"),
            ..Scope::default().limits()
        },
        retries: retries(reader),
        tls: tls.map(Box::new),
        proxy_protocol,
        transparent: transparent(reader, &backends),
        backends: backend_plans,
    };
    ReadPool {
        plan,
        timeouts,
        name_span,
        name_is_good,
        persistence_span,
        hash_span: reader.raw_span("hash"),
        may_mean_tls: reader.has("tls") || reader.has_unknown(),
        backend_spans: backends.into_iter().map(|backend| backend.span).collect(),
    }
}

fn transparent(reader: &Reader<'_>, backends: &[ReadBackend]) -> bool {
    let Field::Is(true, span) = reader.boolean("transparent") else {
        return false;
    };
    let unix = backends
        .iter()
        .find(|backend| matches!(backend.plan.address, Address::Unix(_)));
    if let Some(unix) = unix {
        reader.push(
            Problem::error(
                Kind::NotApplicable,
                "`transparent` means nothing to a backend behind a Unix domain socket",
            )
            .at(span, "connections over a socket in the file system have no addresses")
            .see(unix.span.clone(), "this backend")
            .help("say who the client is by proxy_protocol = \"v2\", or put this backend into a pool of its own"),
        );
    }
    true
}

fn fail_open(reader: &Reader<'_>) -> FailOpen {
    let word = reader.word("fail_open");
    let percent = reader.integer("fail_open_percent");
    if let (Some((_, first)), Some((_, second))) = (word.as_ref(), percent.as_ref()) {
        reader.push(
            Problem::error(
                Kind::ConflictingKeys,
                "`fail_open` and `fail_open_percent` are both set",
            )
            .at(second.clone(), "only one of them can be obeyed")
            .see(first.clone(), "the other one"),
        );
    }
    match (
        percent.value().and_then(|percent| u8::try_from(percent).ok()),
        word.value(),
    ) {
        (Some(percent), _) => FailOpen::Below { percent },
        (None, Some("when_all_down")) => FailOpen::WhenAllDown,
        (None, _) => FailOpen::Never,
    }
}

fn retries(reader: &Reader<'_>) -> Retries {
    let small = |name| u8::try_from(usual::number(&RETRIES, name)).unwrap_or(0);
    let (attempts, budget) = (small("attempts"), small("budget_percent"));
    match reader.table("retries", &RETRIES).value() {
        None => Retries {
            attempts,
            budget_percent: budget,
        },
        Some(reader) => Retries {
            attempts: whole(reader.integer("attempts"), attempts),
            budget_percent: whole(reader.integer("budget_percent"), budget),
        },
    }
}

use crate::plan::{self, Action, CookieInsert, Forward, Listener, Persistence, Plan, UpstreamTimeouts};
use crate::{Kind, Problem, Problems};
use lb_balance::route::{self, Host, Prefix, Routes};
use lb_balance::{Backend, Pool, Spread, Standing};
use lb_http::forward::Statements;
use lb_http::h1;
use lb_persist::{ClientIp, ClientIpOptions, CookieInsertOptions, Strategy, WhenFull};
use lb_proxy::{HttpOptions, ListenerEntry, ListenerOptions, PoolEntry, PoolOptions, Service, Snapshot, TcpOptions};
use lb_sched::BoundedLoad;
use lb_store::{Tables, TablesOptions};
use lb_types::{BackendId, Slot};
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

/// Makes the snapshot that a plan describes.
///
/// Of `previous` is kept, by [`BackendId`] and by the pool's name: what backends are doing right now, the place in the
/// round, who is up, and the tables of known clients; by address: the number of a listener's connections. A pool that
/// is reached with two sets of timeouts stands in the snapshot twice and is one pool all the same.
///
/// Starts nothing, opens nothing and changes nothing that `previous` uses: who finds afterwards that a socket cannot be
/// opened drops what was built.
///
/// # Errors
/// [`Kind::Refused`] for each part that the data plane does not take. A resolved plan has none.
pub fn build(plan: &Plan, previous: Option<&Snapshot>) -> Result<Built, Problems> {
    let mut problems = Vec::new();
    let pools: Vec<Option<Made>> = plan
        .pools
        .iter()
        .map(|pool| {
            keep(
                make_pool(pool, plan.zone.as_deref(), previous),
                &pool.name,
                &mut problems,
            )
        })
        .collect();
    let mut entries = Entries {
        plan,
        pools: &pools,
        places: HashMap::new(),
        list: Vec::new(),
    };
    let mut listeners = Vec::new();
    for listener in &plan.listeners {
        let options = make_listener(plan, listener, &mut entries);
        if let Some(options) = keep(options, &listener.name, &mut problems) {
            let same = previous.and_then(|snapshot| {
                snapshot
                    .listeners
                    .iter()
                    .find(|entry| entry.options.address == listener.address)
            });
            let connections = same.map_or_else(Arc::default, |entry| Arc::clone(&entry.connections));
            listeners.push(Arc::new(ListenerEntry { options, connections }));
        }
    }
    for index in 0..plan.pools.len() {
        entries.find_any(index);
    }
    let pools_made = entries.list;
    if !problems.is_empty() {
        return Err(Problems::without_text("configuration", problems));
    }
    let serial = previous.map_or(1, |snapshot| snapshot.serial.saturating_add(1));
    Ok(Built {
        snapshot: Snapshot {
            serial,
            listeners,
            pools: pools_made,
        },
        tables: pools
            .into_iter()
            .flatten()
            .flat_map(|made| made.tables)
            .flatten()
            .collect(),
    })
}

/// A snapshot that nothing uses yet.
#[derive(Debug)]
#[must_use]
pub struct Built {
    snapshot: Snapshot,
    /// With the limits that they will have.
    tables: Vec<(Arc<Tables>, TablesOptions)>,
}

impl Built {
    /// What it will be.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// For use from now on: tables that are kept get their new limits.
    #[must_use]
    pub fn commit(self) -> Arc<Snapshot> {
        for (table, options) in self.tables {
            table.set_options(options);
        }
        Arc::new(self.snapshot)
    }
}

/// The part, or a problem that says what was refused.
fn keep<T>(part: Result<T, String>, name: &str, problems: &mut Vec<Problem>) -> Option<T> {
    part.map_err(|reason| problems.push(Problem::error(Kind::Refused, format!("{name}: {reason}"))))
        .ok()
}

/// A pool and its tables, without the timeouts of those who use it.
struct Made {
    pool: Arc<Pool>,
    tables: [Option<(Arc<Tables>, TablesOptions)>; 2],
}

fn make_pool(pool: &plan::Pool, zone: Option<&str>, previous: Option<&Snapshot>) -> Result<Made, String> {
    let old = previous.and_then(|snapshot| snapshot.pools.iter().find(|entry| entry.pool.name() == pool.name));
    let standings_before = old.map(|entry| entry.pool.standings()).unwrap_or_default();
    let mut backends = Vec::new();
    let mut standings = Vec::new();
    for (backend, slot) in pool.backends.iter().zip((0..).map(Slot)) {
        let new = Backend::new(
            &pool.name,
            &backend.name,
            backend.address,
            backend.weight,
            backend.max_connections,
        )
        .with_priority(backend.priority)
        .with_local(zone.is_none() || backend.zone.as_deref() == zone);
        let known = old.and_then(|entry| {
            let slot = entry.pool.find(new.id)?;
            let backend = entry.pool.backends().get(slot.index())?;
            Some((backend, slot))
        });
        // Who moved to another address is another server: nothing is known of it, neither its health nor its load, which
        // holds the failures that would be held against it.
        let same = known.filter(|(before, _)| before.address == backend.address);
        let was_up = same.and_then(|(_, slot)| standings_before.iter().find(|standing| standing.slot == slot));
        standings.push(Standing {
            slot,
            weight: backend.weight_now(),
            up: was_up.is_none_or(|standing| standing.up),
        });
        backends.push(Arc::new(match same {
            Some((before, _)) => new
                .with_load(Arc::clone(before.load()))
                .with_contact(Arc::clone(before.contact())),
            None => new,
        }));
    }
    let ids: Vec<BackendId> = backends.iter().map(|backend| backend.id).collect();
    let mut strategies: Vec<Box<dyn Strategy>> = Vec::new();
    let mut tables = [None, None];
    for (index, way) in pool.persistence.iter().enumerate() {
        match way {
            Persistence::CookieInsert(cookie) => {
                strategies.push(Box::new(cookie_insert(pool, cookie, &ids)?));
            }
            Persistence::ClientIp(client) => {
                strategies.push(Box::new(client_ip(client)?));
                let mut options = TablesOptions::new(client.capacity, client.timeout);
                options.when_full = if client.evict_oldest {
                    WhenFull::EvictOldest
                } else {
                    WhenFull::Refuse
                };
                let kept = old
                    .and_then(|entry| entry.tables.iter().flatten().next())
                    .map(Arc::clone);
                let table = kept.unwrap_or_else(|| Arc::new(Tables::new(options)));
                if let Some(place) = tables.get_mut(index) {
                    *place = Some((table, options));
                }
            }
        }
    }
    if let Some(by) = &pool.scheduling.hash {
        strategies.push(Box::new(by.clone()));
    }
    let old = old.map(|entry| &*entry.pool);
    let spread = spread(pool, zone)?;
    let pool =
        Pool::new(&pool.name, backends, strategies, spread, &standings, old).map_err(|error| error.to_string())?;
    Ok(Made {
        pool: Arc::new(pool),
        tables,
    })
}

/// How requests are spread. Where no backend has a zone, zones do not count.
fn spread(pool: &plan::Pool, zone: Option<&str>) -> Result<Spread, String> {
    let scheduling = &pool.scheduling;
    let mut recipe = pool.recipe();
    if let Some(percent) = scheduling.bounded_load_percent {
        recipe = recipe.with_bounded_load(BoundedLoad::percent(percent).map_err(|error| error.to_string())?);
    }
    let mut spread = Spread::from(recipe);
    spread.latency_decay = scheduling.ewma_decay;
    if let Some(health) = &pool.health {
        let rules = &health.rules;
        let passive = &rules.options().passive;
        let by_window = passive.latency_factor.is_some() || passive.success_rate_percent.is_some();
        // without probes only a success says that a backend is up
        spread.observe.outcomes = by_window || (rules.is_passive() && !rules.options().probing);
    }
    spread.groups.join_below_percent = scheduling.backup_below_percent;
    if zone.is_some() && pool.backends.iter().any(|backend| backend.zone.is_some()) {
        spread.groups.local_above_percent = Some(scheduling.other_zones_below_percent);
    }
    Ok(spread)
}

fn client_ip(client: &plan::ClientIp) -> Result<ClientIp, String> {
    let mut options = ClientIpOptions::default();
    options.prefix_v4 = client.netmask_v4;
    options.prefix_v6 = client.netmask_v6;
    ClientIp::new(options).map_err(|error| error.to_string())
}

fn cookie_insert(
    pool: &plan::Pool,
    cookie: &CookieInsert,
    backends: &[BackendId],
) -> Result<lb_persist::CookieInsert, String> {
    let mut options = CookieInsertOptions::default();
    options.name = cookie.name.clone();
    options.domain = cookie.domain.clone();
    options.path = cookie.path.clone();
    options.secure = cookie.secure;
    options.http_only = cookie.http_only;
    options.same_site = cookie.same_site;
    options.partitioned = cookie.partitioned;
    options.max_age = cookie.max_age;
    options.refresh = cookie.refresh;
    options.forward_to_backend = cookie.forward_to_backend;
    options.mark_private = cookie.mark_private;
    let secret = cookie.secret.as_ref().unwrap_or_else(|| secret_of_this_process());
    lb_persist::CookieInsert::new(options, &secret.key(&pool.name, &cookie.name), backends)
        .map_err(|error| error.to_string())
}

/// Signs cookies of pools without a secret: stays the same over reloads, ends with the process.
fn secret_of_this_process() -> &'static crate::Secret {
    static SECRET: OnceLock<crate::Secret> = OnceLock::new();
    SECRET.get_or_init(crate::Secret::random)
}

/// The pools of the snapshot, one for each pool and set of timeouts that somebody uses.
struct Entries<'a> {
    plan: &'a Plan,
    pools: &'a [Option<Made>],
    places: HashMap<(usize, UpstreamTimeouts), usize>,
    list: Vec<Arc<PoolEntry>>,
}

impl Entries<'_> {
    /// The place of the pool with these timeouts. A pool that was refused has a place as well: nobody will see it.
    fn find(&mut self, forward: &Forward) -> usize {
        if let Some(place) = self.places.get(&(forward.pool, forward.timeouts)) {
            return *place;
        }
        let place = self.list.len();
        let (Some(planned), Some(Some(made))) = (self.plan.pools.get(forward.pool), self.pools.get(forward.pool))
        else {
            return place;
        };
        let [first, second] = &made.tables;
        let table = |table: &Option<(Arc<Tables>, TablesOptions)>| table.as_ref().map(|(table, _)| Arc::clone(table));
        self.list.push(Arc::new(PoolEntry {
            pool: Arc::clone(&made.pool),
            tables: [table(first), table(second)],
            options: pool_options(planned, forward.timeouts),
        }));
        self.places.insert((forward.pool, forward.timeouts), place);
        place
    }

    /// Gives a pool that nobody uses a place too: its state is kept until somebody does.
    fn find_any(&mut self, pool: usize) {
        if !self.places.keys().any(|(known, _)| *known == pool) {
            self.find(&Forward {
                pool,
                timeouts: UpstreamTimeouts::default(),
            });
        }
    }
}

fn pool_options(pool: &plan::Pool, timeouts: UpstreamTimeouts) -> PoolOptions {
    PoolOptions {
        connect_timeout: timeouts.connect,
        response_timeout: timeouts.response,
        idle_timeout: pool.keep_alive,
        max_idle: pool.max_idle_connections,
        retries: pool.retries.attempts,
        retry_percent: pool.retries.budget_percent,
        server_errors_fail: pool
            .health
            .as_ref()
            .is_some_and(|health| health.server_errors && health.rules.is_passive()),
        limits: Arc::new(h1::Limits {
            parsing: pool.parsing,
            ..codec_limits(&pool.limits)
        }),
    }
}

fn codec_limits(limits: &plan::Limits) -> h1::Limits {
    h1::Limits {
        head_bytes: limits.head_bytes,
        fields: limits.fields,
        target_bytes: limits.target_bytes,
        body_bytes: limits.body_bytes,
        ..h1::Limits::default()
    }
}

fn make_listener(plan: &Plan, listener: &Listener, entries: &mut Entries<'_>) -> Result<ListenerOptions, String> {
    let access_log = listener.access_log && plan.log.access != plan::AccessLog::Off;
    let service = match &listener.service {
        plan::Service::Tcp(tcp) => Service::Tcp(TcpOptions {
            pool: entries.find(&tcp.forward),
            idle_timeout: tcp.idle,
            access_log,
        }),
        plan::Service::Http(http) => Service::Http(HttpOptions {
            routes: routes(http, entries)?,
            limits: Arc::new(h1::Limits {
                query_characters: http.query_characters,
                ..codec_limits(&http.limits)
            }),
            keep_alive: http.timeouts.keep_alive,
            keep_alive_requests: http.keep_alive_requests,
            head_timeout: http.timeouts.head,
            body_timeout: http.timeouts.body,
            write_timeout: http.timeouts.write,
            request_timeout: http.timeouts.request,
            min_body_rate: http.min_body_rate,
            continue_timeout: http.timeouts.expect_continue,
            tunnel_timeout: http.timeouts.tunnel,
            trusted_proxies: http.trusted_proxies.clone(),
            statements: statements(http.forwarded),
            abort_on_half_close: http.abort_on_half_close,
            access_log,
            log_probes: http.log_probes,
        }),
    };
    Ok(ListenerOptions {
        name: listener.name.clone(),
        address: listener.address,
        backlog: listener.backlog,
        max_connections: listener.max_connections,
        service,
    })
}

fn statements(forwarded: plan::Forwarded) -> Statements {
    let mut statements = Statements::default();
    (statements.address, statements.proto, statements.port) = (forwarded.address, forwarded.proto, forwarded.port);
    statements.drop_claims = forwarded.drop_claims;
    statements
}

fn routes(http: &plan::Http, entries: &mut Entries<'_>) -> Result<Routes, String> {
    let mut routes = Vec::new();
    for planned in &http.routes {
        let hosts: Result<Vec<Host>, _> = planned.hosts.iter().map(|host| host.parse::<Host>()).collect();
        routes.push(route::Route {
            hosts: hosts.map_err(|error| error.to_string())?,
            path: Prefix::new(&planned.path).map_err(|error| error.to_string())?,
            action: match &planned.action {
                Action::Forward(forward) => route::Action::Forward(entries.find(forward)),
                Action::Respond(status) => route::Action::Respond { status: *status },
                Action::Redirect { status, to } => route::Action::Redirect {
                    status: *status,
                    location: to.clone(),
                },
            },
        });
    }
    if let Some(forward) = &http.forward {
        routes.push(route::Route {
            hosts: vec![Host::Any],
            path: Prefix::new("/").map_err(|error| error.to_string())?,
            action: route::Action::Forward(entries.find(forward)),
        });
    }
    Routes::new(routes).map_err(|error| error.to_string())
}

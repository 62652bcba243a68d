//! From the table of the file to what it means. Reads everything, reports everything, stops at nothing.

mod admin;
mod answer;
mod backend;
mod cookies;
mod files;
mod hash;
mod health;
mod http;
mod listener;
mod loops;
mod opening;
mod overlap;
mod passthrough;
mod persistence;
mod pool;
mod proxy_out;
mod ranges;
mod report;
mod route;
mod spread;
mod tls;

use crate::environment::Environment;
use crate::field::Field;
use crate::grammar::check_name;
use crate::plan::{AccessLog, Log, Made, Plan};
use crate::problem::Sink;
pub(crate) use crate::reader::explain;
use crate::reader::{Reader, shown};
use crate::schema::{ADMIN, LIMITS, LISTENERS, LOG, POOLS, ROOT, TIMEOUTS, VERSION};
use crate::scope::Scope;
use crate::syntax::{Raw, parse};
use crate::usual;
use crate::{Kind, NotUtf8, Problem, Problems, Severity, Span};
pub use admin::load_admin;
use lb_telemetry::Format;
use lb_tls::client_auth::{Authorities, RevocationLists};
use lb_tls::{Engine, Loaded};
use pool::Pools;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeTable;

/// A configuration that can be used.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// What it means.
    pub plan: Plan,
    /// What is probably not meant so.
    pub warnings: Problems,
    /// The file as it was read.
    pub text: Arc<str>,
}

/// What all parts of the file share while it is resolved.
pub(crate) struct Context<'a> {
    pub(crate) environment: &'a dyn Environment,
    pub(crate) limits: Scope,
    pub(crate) timeouts: Scope,
    /// Where this process runs.
    pub(crate) zone: Option<String>,
    /// The other files that are read.
    files: RefCell<BTreeSet<PathBuf>>,
    /// Certificates that were loaded, by what they were made from: several listeners may show the same.
    loaded: RefCell<HashMap<[u8; 32], Made<Loaded>>>,
    /// Authorities and lists of what was revoked, in the same way: one copy, however many ask them.
    authorities: RefCell<HashMap<[u8; 32], Made<Authorities>>>,
    lists: RefCell<HashMap<[u8; 32], Made<RevocationLists>>>,
    /// The authorities of the machine.
    system_roots: OnceCell<Option<Made<Authorities>>>,
    engine: OnceCell<Engine>,
}

/// Finds the meaning of a text: resolves names, fills defaults in, checks every value and every pair of values that
/// can contradict each other. Looks host names up and reads secret files through `environment`; writes nothing.
///
/// # Errors
/// All problems of the file at once, syntax errors and warnings included, in the order of the file.
pub fn resolve(raw: &Raw, environment: &dyn Environment) -> Result<Resolved, Problems> {
    let sink = Sink::default();
    let table = raw.table();
    let plan = version_is_ours(&table, &sink).then(|| read(&table, environment, &sink));
    let found = sink.into_list().into_iter().filter(|problem| raw.believes(problem));
    let all: Vec<Problem> = raw.errors.iter().cloned().chain(found).collect();
    let broken = all.iter().any(|problem| problem.severity == Severity::Error);
    let problems = Problems::new(&raw.file, &raw.text, all);
    match plan {
        Some(plan) if !broken => Ok(Resolved {
            plan,
            warnings: problems,
            text: Arc::from(raw.text.as_str()),
        }),
        _ => Err(problems),
    }
}

/// Reads a configuration file and finds its meaning: [`parse`] and [`resolve`] in one.
///
/// # Errors
/// All problems at once, also when the file cannot be read.
pub fn load(path: &Path, environment: &dyn Environment) -> Result<Resolved, Problems> {
    let name = path.display().to_string();
    let text = text_of(path, &name, environment)?;
    resolve(&parse(&name, &text), environment)
}

fn text_of(path: &Path, name: &str, environment: &dyn Environment) -> Result<String, Problems> {
    environment.read(path).map_err(|error| {
        let problem = match error.kind() {
            io::ErrorKind::InvalidData => match error.get_ref().and_then(|inner| inner.downcast_ref::<NotUtf8>()) {
                Some(what) => Problem::error(Kind::UnreadableFile, what.to_string()).help(what.mend(path)),
                None => Problem::error(Kind::UnreadableFile, "the file is not UTF-8").help("save it as UTF-8"),
            },
            _ => Problem::error(Kind::UnreadableFile, format!("the file cannot be read: {error}")),
        };
        Problems::without_text(name, vec![problem])
    })
}

/// Says whether the rest can be judged. A file of another version is not: every key may mean something else there.
fn version_is_ours(table: &DeTable<'_>, sink: &Sink) -> bool {
    let Some(value) = table.get("version") else {
        let problem = Problem::error(Kind::MissingVersion, "`version` is missing")
            .at(0..0, "the file must say for which format it is written")
            .help(format!("write version = {VERSION} at the top of the file"));
        sink.push(problem);
        return true;
    };
    let text = shown(value.get_ref());
    match value.get_ref() {
        toml::de::DeValue::Integer(_) if text == VERSION.to_string() => true,
        toml::de::DeValue::Integer(_) => {
            let newer = text.parse::<u64>().is_ok_and(|version| version > VERSION);
            let problem = Problem::error(
                Kind::UnsupportedVersion,
                format!("version {text} of the format is not supported"),
            )
            .at(value.span(), format!("this program reads version {VERSION}"));
            sink.push(if newer {
                problem.help("the file is for a newer lbd: use that one, or write the file again for version 1")
            } else {
                problem.help(format!("write version = {VERSION}"))
            });
            false
        }
        _ => {
            let problem = Problem::error(Kind::WrongType, "`version` must be a number without quotes")
                .at(value.span(), "expected a whole number")
                .help(format!("write version = {VERSION}"));
            sink.push(problem);
            true
        }
    }
}

fn read(table: &DeTable<'_>, environment: &dyn Environment, sink: &Sink) -> Plan {
    let root = Reader::new(table, 0..0, &ROOT, sink);
    let context = Context {
        environment,
        limits: Scope::read(root.table("limits", &LIMITS)),
        timeouts: Scope::read(root.table("timeouts", &TIMEOUTS)),
        zone: root
            .parsed("zone", Kind::BadName, |zone| check_name(zone).map(|()| zone.to_owned()))
            .value(),
        files: RefCell::default(),
        loaded: RefCell::default(),
        authorities: RefCell::default(),
        lists: RefCell::default(),
        system_roots: OnceCell::new(),
        engine: OnceCell::new(),
    };
    let pool_readers = root.tables("pools", &POOLS);
    let pools = Pools::read(&context, &pool_readers);
    let listener_readers = root.tables("listeners", &LISTENERS);
    let admin = admin::read(root.table("admin", &ADMIN), environment);
    let listeners = listener::read_all(&context, &root, &listener_readers, &pools, admin.as_ref());
    let plan = Plan {
        workers: whole(root.integer("workers"), 0),
        zone: context.zone.clone(),
        drain_timeout: root
            .duration("drain_timeout")
            .value()
            .unwrap_or_else(|| usual::duration(&ROOT, "drain_timeout")),
        log: read_log(root.table("log", &LOG)),
        admin: admin.map(|(admin, _)| admin),
        listeners: listeners.iter().map(|(listener, _)| listener.clone()).collect(),
        pools: pools.list.iter().map(|pool| pool.plan.clone()).collect(),
        files: context.into_files(),
    };
    report::unused(&plan, &pools, sink);
    report::cookies_over_tcp(&plan, &listeners, &pools, sink);
    report::hash_over_tcp(&plan, &listeners, &pools, sink);
    cookies::report(&plan, &listeners, &pools, sink);
    report::mixed_log(&plan, &listeners, sink);
    report::plain_https(&plan, &pools, sink);
    loops::report(&plan, &pools, sink);
    plan
}

fn read_log(table: Field<Reader<'_>>) -> Log {
    let Some(reader) = table.value() else {
        return Log {
            access: AccessLog::Off,
            format: Format::CombinedTimed,
            event_time: false,
        };
    };
    let access = reader
        .text("access")
        .and_then(|text, span| access_log(&reader, &text, span));
    let format = reader.word("format").value();
    let format = Format::ALL.into_iter().find(|known| Some(known.as_str()) == format);
    Log {
        access: access.value().unwrap_or(AccessLog::Off),
        format: format.unwrap_or(Format::CombinedTimed),
        event_time: reader.boolean("event_time").value().unwrap_or(false),
    }
}

fn access_log(reader: &Reader<'_>, text: &str, span: &Span) -> Option<AccessLog> {
    match text {
        "off" => Some(AccessLog::Off),
        "stdout" => Some(AccessLog::Stdout),
        "stderr" => Some(AccessLog::Stderr),
        _ if text.starts_with('/') && !text.ends_with('/') && !text.contains('\0') => {
            Some(AccessLog::File(PathBuf::from(text)))
        }
        _ => {
            let problem = Problem::error(Kind::UnknownValue, format!("`access` is {text:?}, which is not known")).at(
                span.clone(),
                "expected \"off\", \"stdout\", \"stderr\" or the absolute path of a file",
            );
            let meant = lb_types::nearest(text, ["off", "stdout", "stderr"]);
            reader.push(match meant {
                Some(meant) => problem.help(format!("did you mean \"{meant}\"?")),
                None if text.ends_with('/') => problem.help("a path names a file, not a folder"),
                None if text.contains(['/', '.']) => problem.help(format!(
                    "write the whole path: \"/var/log/{}\"",
                    text.trim_start_matches("./")
                )),
                None => problem,
            });
            None
        }
    }
}

/// A number that the schema's range has made small enough for its type.
pub(crate) fn whole<T: TryFrom<u64>>(field: Field<u64>, default: T) -> T {
    field
        .value()
        .and_then(|value| T::try_from(value).ok())
        .unwrap_or(default)
}

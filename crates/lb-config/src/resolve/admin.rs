use super::text_of;
use crate::environment::{Environment, Nowhere, System};
use crate::field::Field;
use crate::grammar::Wrong;
use crate::plan::AdminSocket;
use crate::problem::Sink;
use crate::reader::Reader;
use crate::schema::ADMIN;
use crate::syntax::parse;
use crate::{Kind, Problem, Problems, Span};
use std::path::{Path, PathBuf};
use toml::de::DeValue;

/// The admin socket that a file configures, and nothing else of it: no name is looked up, no secret is read. For those
/// who want to reach the program that runs with the file.
///
/// # Errors
/// When the file cannot be read, or what it says of the socket is wrong.
pub fn load_admin(path: &Path) -> Result<Option<AdminSocket>, Problems> {
    let name = path.display().to_string();
    let raw = parse(&name, &text_of(path, &name, &System)?);
    let (sink, table) = (Sink::default(), raw.table());
    let admin = match table.get("admin").map(|value| (value.get_ref(), value.span())) {
        Some((DeValue::Table(table), span)) => {
            let reader = Reader::new(table, span.clone(), &ADMIN, &sink);
            read(Field::Is(reader, span), &Nowhere).map(|(admin, _)| admin)
        }
        _ => None,
    };
    let problems = Problems::new(&raw.file, &raw.text, sink.into_list());
    if problems.errors() > 0 {
        Err(problems)
    } else {
        Ok(admin)
    }
}

/// The admin socket and the place of its path, or of the section that does not say it; `None`: the file has no section.
pub(super) fn read(table: Field<Reader<'_>>, environment: &dyn Environment) -> Option<(AdminSocket, Span)> {
    let reader = table.value()?;
    let socket = reader.parsed("socket", Kind::BadPath, check_path);
    let mode = reader.parsed("mode", Kind::BadText, parse_mode);
    if let Some((mode, span)) = mode.as_ref() {
        report_everybody(&reader, *mode, span);
    }
    let group = reader.parsed("group", Kind::BadName, check_group);
    if let Some((group, span)) = group.as_ref() {
        report_unknown_group(&reader, group, span, environment);
    }
    let default = |name| ADMIN.key(name).map_or("", |key| key.default.trim_matches('"'));
    let place = socket.span().cloned().unwrap_or_else(|| reader.span());
    let admin = AdminSocket {
        socket: socket.value().unwrap_or_else(|| PathBuf::from(default("socket"))),
        mode: mode.value().or_else(|| parse_mode(default("mode")).ok()).unwrap_or(0),
        group: group.value(),
    };
    Some((admin, place))
}

fn check_path(text: &str) -> Result<PathBuf, Wrong> {
    if !text.starts_with('/') {
        return Err(Wrong::new("expected a path that begins with `/`"));
    }
    if text.ends_with('/') || text.contains('\0') {
        return Err(Wrong::new("a path names a file, not a folder"));
    }
    if text.len() > LONGEST_SOCKET {
        return Err(Wrong::new(format!(
            "a socket's path has at most {LONGEST_SOCKET} bytes, this has {}",
            text.len()
        )));
    }
    Ok(PathBuf::from(text))
}

/// Three octal digits, as chmod takes them, with or without zeros before them.
pub(super) fn parse_mode(text: &str) -> Result<u32, Wrong> {
    let digits = text.trim_start_matches("0o");
    let mode = u32::from_str_radix(digits, 8)
        .ok()
        .filter(|mode| (3..=4).contains(&digits.len()) && *mode <= 0o777)
        .ok_or_else(|| Wrong::new("expected three octal digits, as chmod takes them").help(MODES))?;
    if mode & 0o600 != 0o600 {
        return Err(Wrong::new("its owner needs to read and write").help(MODES));
    }
    Ok(mode)
}

fn report_everybody(reader: &Reader<'_>, mode: u32, span: &Span) {
    if mode & 0o002 != 0 {
        let problem = Problem::warning(
            Kind::TrustsEverybody,
            "the admin socket is open to everybody on this machine",
        )
        .at(span.clone(), "whoever may write to it may take every backend out")
        .help("mode = \"0660\" with `group` lets a group in");
        reader.push(problem);
    }
}

pub(super) fn check_group(text: &str) -> Result<String, Wrong> {
    if text.contains([':', ' ', '\n', '\0']) {
        return Err(Wrong::new("expected the name or the number of a group"));
    }
    Ok(text.to_owned())
}

/// Groups that come from elsewhere (LDAP) are not in the file: they must be given by number.
pub(super) fn report_unknown_group(reader: &Reader<'_>, group: &str, span: &Span, environment: &dyn Environment) {
    if group.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    // Without the file it shows when the socket is made.
    let Ok(text) = environment.read(Path::new("/etc/group")) else {
        return;
    };
    let known: Vec<&str> = text.lines().filter_map(|line| line.split(':').next()).collect();
    if known.contains(&group) {
        return;
    }
    let problem = Problem::error(Kind::UnknownValue, format!("there is no group {group:?}"))
        .at(span.clone(), "not in /etc/group");
    reader.push(match lb_types::nearest(group, known.iter().copied()) {
        Some(meant) => problem.help(format!("did you mean \"{meant}\"?")),
        None => problem.help("a group that stands elsewhere (LDAP) is given by its number"),
    });
}

const MODES: &str = "\"0600\" for its owner alone, \"0660\" for a group as well";
/// lb-admin's own limit: unix(7) has 107, and the socket is made under another name beside its place.
pub(super) const LONGEST_SOCKET: usize = 90;

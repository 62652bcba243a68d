//! From a plan back to text. What has its default value is left out.

mod health;
mod listener;
mod pool;
mod tls;

use crate::grammar::show_duration;
use crate::plan::{AccessLog, AdminSocket, Log, Plan};
use crate::schema::{ADMIN, LOG, ROOT, Section};
use std::fmt::{Display, Write};
use std::path::PathBuf;
use std::time::Duration;

impl Plan {
    /// The configuration file that means this plan. What has its default value is left out; everything else is said
    /// where it is narrowest: at the listener, the route or the pool. Reads back as the same plan, if host names still
    /// have the same addresses.
    ///
    /// A secret that did not come from a file is written in clear: mind who may read the text.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut out = Text(String::from("version = 1\n"));
        out.set_unless(&ROOT, "workers", self.workers);
        if let Some(zone) = &self.zone {
            out.text("zone", zone);
        }
        out.duration_unless(&ROOT, "drain_timeout", self.drain_timeout);
        log(&mut out, &self.log);
        if let Some(admin) = &self.admin {
            admin_text(&mut out, admin);
        }
        for listener in &self.listeners {
            listener::text(&mut out, self, listener);
        }
        for pool in &self.pools {
            pool::pool_text(&mut out, pool);
        }
        out.0
    }
}

/// TOML in the making.
struct Text(String);

impl Text {
    fn header(&mut self, header: &str) {
        self.0.push('\n');
        self.0.push_str(header);
        self.0.push('\n');
    }

    fn line(&mut self, key: &str, value: impl Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{key} = {value}");
    }

    fn plain(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.line(key, quoted(value));
    }

    fn set_unless(&mut self, section: &'static Section, key: &'static str, value: impl Display) {
        if let Some(value) = unless(section, key, value.to_string()) {
            self.line(key, value);
        }
    }

    fn text_unless(&mut self, section: &'static Section, key: &'static str, value: &str) {
        self.set_unless(section, key, quoted(value));
    }

    fn duration_unless(&mut self, section: &'static Section, key: &'static str, value: Duration) {
        self.text_unless(section, key, &show_duration(value));
    }

    /// A list of texts; nothing when there are none.
    fn list<T: AsRef<str>>(&mut self, key: &str, texts: &[T]) {
        if !texts.is_empty() {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text.as_ref())).collect();
            self.line(key, format_args!("[{}]", texts.join(", ")));
        }
    }

    /// The paths of files, one of them alone without brackets; nothing when there are none.
    fn paths(&mut self, key: &str, paths: &[PathBuf]) {
        let paths: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        match paths.as_slice() {
            [path] => self.text(key, path),
            paths => self.list(key, paths),
        }
    }

    /// A table of the pairs that differ from what holds anyway; nothing when all agree.
    fn table(&mut self, key: &str, pairs: &[(&str, String, String)]) {
        let differing: Vec<String> = pairs
            .iter()
            .filter(|(_, value, usual)| value != usual)
            .map(|(name, value, _)| format!("{name} = {value}"))
            .collect();
        if !differing.is_empty() {
            self.line(key, format_args!("{{ {} }}", differing.join(", ")));
        }
    }
}

fn unless(section: &'static Section, key: &str, value: String) -> Option<String> {
    let default = section.key(key).map_or("", |key| key.default);
    (default != value).then_some(value)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn seconds(duration: Duration) -> String {
    quoted(&show_duration(duration))
}

fn log(out: &mut Text, log: &Log) {
    let access = match &log.access {
        AccessLog::Off => "off".to_owned(),
        AccessLog::Stdout => "stdout".to_owned(),
        AccessLog::Stderr => "stderr".to_owned(),
        AccessLog::File(path) => path.display().to_string(),
    };
    let lines = [
        ("access", unless(&LOG, "access", quoted(&access))),
        ("format", unless(&LOG, "format", quoted(log.format.as_str()))),
        ("event_time", unless(&LOG, "event_time", log.event_time.to_string())),
    ];
    if lines.iter().any(|(_, value)| value.is_some()) {
        out.header("[log]");
    }
    for (key, value) in lines {
        if let Some(value) = value {
            out.line(key, value);
        }
    }
}

fn admin_text(out: &mut Text, admin: &AdminSocket) {
    out.header("[admin]");
    out.text_unless(&ADMIN, "socket", &admin.socket.display().to_string());
    out.text_unless(&ADMIN, "mode", &format!("{:04o}", admin.mode));
    if let Some(group) = &admin.group {
        out.text("group", group);
    }
}

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::layout::Layout;
use super::{alb, clf, haproxy, json};
use crate::spec::SpecError;
use lb_types::nearest;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What one line of an access log says, as far as balancing is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// When the request came (or went to the backend, where the log tells), in nanoseconds since 1970, UTC.
    pub unix_nanos: u64,
    /// Is the time known to the second only?
    pub whole_seconds: bool,
    /// Who sent it: an address without port.
    pub client: Option<Cow<'a, str>>,
    /// How long the backend took; the whole request where the log does not tell them apart.
    pub duration: Option<Duration>,
    /// Who served it.
    pub backend: Option<Cow<'a, str>>,
    /// The pool, the proxy's backend section, the target group.
    pub pool: Option<Cow<'a, str>>,
    /// The status sent to the client.
    pub status: Option<u16>,
    /// Did the balancer know the client, and send it where it was before?
    pub persisted: bool,
    /// By what the duration is known to be one, in words.
    pub source: Option<&'static str>,
    /// A number that may be a duration; its line does not say so, and it was not taken for one.
    pub unclear: Option<&'a str>,
    /// Whom the proxy in front says that it sent it for: the last element of X-Forwarded-For in lbd's own format.
    pub forwarded: Option<Cow<'a, str>>,
    /// Is the duration known by its digits alone, in a line that has no other times?
    pub(super) is_unnamed: bool,
    /// Were there more unnamed times than can be told apart?
    pub(super) is_crowded: bool,
}

/// What a line looks like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// `combined`: Apache's common and combined formats and nginx's. What stands behind is a duration only if it says so:
    /// by its name (`rt=0.123 urt="0.120"`, as lbd's own), by nginx's three digits behind the point, or as
    /// ingress-nginx's whole format. Any other number is left alone.
    Clf,
    /// `json`: one object a line: lbd's own, nginx's variables, Caddy's, Traefik's.
    Json,
    /// `json KEY:UNIT`: the same, with durations under a key of any name.
    JsonKey(json::Rule),
    /// `haproxy`: `option httplog` and `option tcplog`, with or without what syslog puts before.
    Haproxy,
    /// `alb`: Amazon's application load balancer, and the classic one.
    Alb,
    /// A format as nginx's `log_format` or Apache's `LogFormat` has it: `combined %D`, `$remote_addr [$time_local] $request_time`.
    Layout(Layout),
}

impl Format {
    /// Those that a log is tried for.
    pub const ALL: [Self; 4] = [Self::Json, Self::Haproxy, Self::Alb, Self::Clf];

    /// Reads one line, without its line break.
    ///
    /// # Errors
    /// What is missing or cannot be read, in a few words.
    pub fn read<'a>(&self, line: &'a str) -> Result<Entry<'a>, &'static str> {
        match self {
            Self::Clf => clf::read(line),
            Self::Json => json::read(line, None),
            Self::JsonKey(rule) => json::read(line, Some(rule)),
            Self::Haproxy => haproxy::read(line),
            Self::Alb => alb::read(line),
            Self::Layout(layout) => layout.read(line),
        }
    }

    /// The programs whose lines it reads.
    pub(super) const fn programs(&self) -> &'static str {
        match self {
            Self::Json | Self::JsonKey(_) => "JSON of lbd, nginx, Caddy, Traefik, Envoy and Google Cloud",
            Self::Haproxy => "HAProxy's httplog and tcplog",
            Self::Alb => "AWS ALB and classic ELB",
            Self::Clf => {
                "common and combined with what stands behind (Apache, nginx, lbd, ingress-nginx, Traefik, HAProxy's httplog clf)"
            }
            Self::Layout(_) => "a format that is given",
        }
    }

    /// What is read without `--format`, by its readers.
    pub(super) fn known() -> String {
        Self::ALL.each_ref().map(Self::programs).join("; ")
    }

    /// The format that reads most of these lines; `None` when none reads any.
    #[must_use]
    pub fn detect<'a>(lines: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let good = |format: &Self| lines.clone().filter(|line| format.read(line).is_ok()).count();
        let counts = Self::ALL.map(|format| (good(&format), format));
        // of equals the first, which is the stricter one
        let best = counts.iter().rev().max_by_key(|(count, _)| *count)?;
        (best.0 > 0).then(|| best.1.clone())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clf => f.write_str("common or combined log format (Apache, nginx)"),
            Self::Json => f.write_str("JSON lines"),
            Self::JsonKey(rule) => write!(f, "JSON lines with durations as {rule}"),
            Self::Haproxy => f.write_str("HAProxy's log format"),
            Self::Alb => f.write_str("AWS load balancer"),
            Self::Layout(layout) => write!(f, "lines of the format `{layout}`"),
        }
    }
}

impl FromStr for Format {
    type Err = SpecError;

    /// `combined` (or `clf`, `common`, `combinedio`, `nginx`, `apache`), `json`, `json KEY:UNIT`, `haproxy`, `alb` (or `elb`), or a
    /// format with `$variables` or `%directives`.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        match text.trim() {
            "clf" | "combined" | "common" | "combinedio" | "nginx" | "apache" | "combined_xff" | "combined_timed" => {
                Ok(Self::Clf)
            }
            "json" => Ok(Self::Json),
            "haproxy" | "httplog" | "tcplog" => Ok(Self::Haproxy),
            "alb" | "elb" | "aws" => Ok(Self::Alb),
            text if text.contains(['$', '%']) => {
                let whole = super::paste::unwrapped(text)?;
                Layout::parse(&whole).map(Self::Layout)
            }
            text => match text.strip_prefix("json ") {
                Some(rule) => rule.trim().parse().map(Self::JsonKey),
                None => Err(unknown(text)),
            },
        }
    }
}

fn unknown(text: &str) -> SpecError {
    const KNOWN: &str = "auto, combined (also nginx, apache), json, `json KEY:UNIT`, haproxy, alb, and formats as in nginx's log_format or \
                         Apache's LogFormat, such as 'combined $request_time' or 'combined %D'";
    let mend = match nearest(text, ["auto", "combined", "nginx", "apache", "json", "haproxy", "alb"]) {
        Some(meant) => format!("did you mean {meant}? Known are {KNOWN}"),
        None => format!("known are {KNOWN}"),
    };
    SpecError::new(text, "names no log format", mend)
}

/// Seconds with a fraction, as nginx and AWS write them. At most a year; negative ones (AWS: -1) are none.
pub(super) fn seconds(text: &str) -> Option<Duration> {
    let number = crate::spec::decimal(text)?;
    (number <= 31_622_400.0).then(|| Duration::from_secs_f64(number))
}

/// An address with the port cut off: `10.0.0.1:80`, `[::1]:80`, or as it is.
pub(super) fn without_port(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(address, _)| address);
    }
    match text.rsplit_once(':') {
        // more than one colon: an IPv6 address without port
        Some((address, port)) if !address.contains(':') && port.bytes().all(|b| b.is_ascii_digit()) => address,
        // HAProxy writes the port of an IPv6 address without brackets; the last of eight groups and more
        Some((address, _)) if address.split(':').count() >= 8 => address,
        _ => text,
    }
}

/// Of a list with one value for each attempt, the last.
pub(super) fn last(list: &str) -> Option<&str> {
    list.rsplit([',', ' ']).find(|part| !part.is_empty()).and_then(known)
}

/// `-` and nothing are nothing.
pub(super) fn known(text: &str) -> Option<&str> {
    (!matches!(text, "" | "-")).then_some(text)
}

/// Does it look like where a request was sent: `10.0.0.1:80`, `[::1]:80`, `unix:/run/app.sock`?
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok() || text.starts_with("unix:")
}

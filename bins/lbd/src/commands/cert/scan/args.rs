//! The command line of `lbd cert scan`.

use super::target::Target;
use crate::commands::cert::args::At;
use clap::{Args, ValueEnum};
use std::fmt;
use std::time::Duration;

#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// The server: www.example.com:443 or 192.0.2.1:443; an IPv6 address stands in brackets
    #[arg(value_name = "HOST:PORT", value_parser = Target::read)]
    pub(crate) target: Target,
    /// Ask for this name instead of HOST, and check the certificate for it; for an address no name is sent
    #[arg(long, value_name = "NAME", value_parser = super::target::name)]
    pub(crate) sni: Option<String>,
    /// Connect here instead, as in a test of a server that has no DNS record yet
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = Target::read)]
    pub(crate) connect: Option<Target>,
    /// The server begins in plain text: ask it for TLS in the words of this protocol
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    pub(crate) starttls: Option<Starttls>,
    /// Offer this protocol (ALPN); may be repeated [default: h2, http/1.1; none with --starttls]
    #[arg(long, value_name = "WORD", value_parser = super::target::protocol)]
    pub(crate) alpn: Vec<String>,
    /// For how long it may take, from the look-up of the name to the last certificate: at most 10m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    pub(crate) timeout: Duration,
    /// A further name (or IP address) that clients will ask for; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// What simulated clients trust: a file of roots, or `system`; each is a client of its own. Without any: the
    /// system's roots, and never what the server sends
    #[arg(long, value_name = "FILE|system")]
    pub(crate) roots: Vec<String>,
    /// Print the mended chain after the report
    #[arg(long, conflicts_with = "json")]
    pub(crate) print: bool,
    /// Warnings count as errors
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: At,
}

impl Scan {
    /// The name to ask for and to check: `--sni`, or the host, which may be an address.
    pub(crate) fn server(&self) -> &str {
        self.sni.as_deref().unwrap_or(&self.target.host)
    }

    /// What is offered by ALPN.
    pub(crate) fn protocols(&self) -> Vec<Vec<u8>> {
        let usual: &[&str] = if self.starttls.is_some() {
            &[]
        } else {
            &["h2", "http/1.1"]
        };
        if self.alpn.is_empty() {
            usual.iter().map(|word| word.as_bytes().to_vec()).collect()
        } else {
            self.alpn.iter().map(|word| word.as_bytes().to_vec()).collect()
        }
    }
}

/// A protocol that begins in plain text and goes on in TLS when it is asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Starttls {
    /// Mail between servers and from programs: ports 25 and 587 (RFC 3207)
    Smtp,
    /// Reading mail: port 143 (RFC 9051, section 6.2.1)
    Imap,
    /// Fetching mail: port 110 (RFC 2595, section 4)
    Pop3,
    /// Files: port 21 (RFC 4217)
    Ftp,
    /// Directories: port 389 (RFC 4511, section 4.14)
    Ldap,
    /// PostgreSQL: port 5432
    Postgres,
    /// MySQL and MariaDB: port 3306
    Mysql,
    /// Chat clients: port 5222 (RFC 6120, section 5)
    Xmpp,
}

impl Starttls {
    /// The word on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ftp => "ftp",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Xmpp => "xmpp",
        }
    }
}

impl fmt::Display for Starttls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Ftp => "FTP",
            Self::Ldap => "LDAP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Xmpp => "XMPP",
        })
    }
}

fn timeout(text: &str) -> Result<Duration, String> {
    let timeout = lb_doctor::spec::duration(text).map_err(|error| error.to_string())?;
    if timeout < Duration::from_millis(1) || timeout > LONGEST {
        return Err(format!("{text} is not between 1ms and 10m"));
    }
    Ok(timeout)
}

/// Nobody looks on for longer.
const LONGEST: Duration = Duration::from_secs(600);

pub(crate) const SCAN_HELP: &str = "\
Examples:
  lbd cert scan www.example.com:443
  lbd cert scan www.example.com:443 --connect 192.0.2.1:8443
  lbd cert scan 192.0.2.1:443 --sni www.example.com --roots our-ca.pem
  lbd cert scan mail.example.com:25 --starttls smtp
  lbd cert scan www.example.com:443 --json --strict

The report is that of lbd cert doctor, about the certificates as the server sends them, in their order.
At most 1 MiB is read and 100 certificates are taken. Nothing but this one connection is made.

Exit codes: 0 no errors (warnings may be there; --strict counts them), 1 the server cannot be asked (name not found,
refused, silent, no TLS there, an alert), or a file cannot be read, 2 wrong usage, 3 what it sent is damaged,
4 errors found";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_between_a_millisecond_and_ten_minutes() {
        assert_eq!(timeout("1ms"), Ok(Duration::from_millis(1)));
        assert_eq!(timeout("10m"), Ok(Duration::from_secs(600)));
        for wrong in ["0s", "0.5ms", "601s", "10", "soon", ""] {
            assert!(timeout(wrong).is_err(), "{wrong}");
        }
    }
}

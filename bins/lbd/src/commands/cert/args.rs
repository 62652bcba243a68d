//! The command line of `lbd cert`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Look at certificates, check, mend and convert them
#[derive(Debug, Args)]
#[command(after_help = CERT_HELP)]
pub(crate) struct Cert {
    #[command(subcommand)]
    pub(crate) command: CertCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CertCommand {
    /// Show what is in a file: the tree of the chain, names, keys, validity, fingerprints
    #[command(after_help = INSPECT_HELP)]
    Inspect(Inspect),
    /// Check a chain as a client (or a server that asks for certificates) would
    #[command(after_help = VERIFY_HELP)]
    Verify(Verify),
    /// Say everything that is wrong, why it matters and how to mend it; mend it on request
    #[command(after_help = DOCTOR_HELP)]
    Doctor(Doctor),
    /// Connect to a server, and tell of the certificates that it sends what `doctor` tells of files
    #[command(after_help = super::scan::args::SCAN_HELP)]
    Scan(Box<super::scan::args::Scan>),
    /// Convert between PEM, DER, PKCS#7 and PKCS#12
    #[command(after_help = CONVERT_HELP)]
    Convert(Convert),
    /// Make one right bundle and its key out of any heap of files
    #[command(after_help = BUNDLE_HELP)]
    Bundle(Bundle),
    /// Say whether a key belongs to a certificate
    #[command(after_help = MATCH_HELP)]
    Match(Match),
    /// List the rules that chains are checked against, with what each profile makes of them
    #[command(after_help = RULES_HELP)]
    Rules(Rules),
    /// Answer the test cases of x509-limbo: JSON on standard input, results on standard output
    #[command(after_help = LIMBO_HELP, hide = true)]
    LimboHarness(LimboHarness),
}

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// Only rules whose name begins so, as in `aki` or `crl.`
    #[arg(value_name = "PREFIX")]
    pub(crate) prefix: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LimboHarness {
    /// Which rules: strict is RFC 5280 and the CA/Browser Forum to the letter
    #[arg(long, value_name = "PROFILE", default_value = "strict")]
    pub(crate) profile: String,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// Certificates, keys, bundles in any format, or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The chain as it is installed or sent, leaf first; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The name (or IP address) that the client asked for
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Whom to trust: a file of root certificates, or `system`; may be repeated
    #[arg(long, value_name = "FILE|system", default_value = "system")]
    pub(crate) roots: Vec<String>,
    /// A revocation list; may be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) crl: Vec<PathBuf>,
    /// What to do when a revocation list is out of date
    #[arg(long, value_enum, default_value_t = CrlPolicy::FailClosed, requires = "crl")]
    pub(crate) crl_policy: CrlPolicy,
    /// Refuse a certificate whose issuer's list is not among those given
    #[arg(long, requires = "crl")]
    pub(crate) crl_all: bool,
    /// What the certificate is for
    #[arg(long, value_enum, default_value_t = PurposeName::Server)]
    pub(crate) purpose: PurposeName,
    /// Which rules beside paths and signatures: what connections need, everything, or little
    #[arg(long, value_name = "PROFILE", default_value = "connection")]
    pub(crate) profile: String,
    /// Only warn when this rule is broken (`lbd cert rules` lists them); may be repeated
    #[arg(long, value_name = "RULE")]
    pub(crate) warn: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// What is installed: certificates, keys, bundles in any format, or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A name (or IP address) that clients will ask for; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Vec<String>,
    /// What simulated clients trust: a file of roots, or `system`; each is a client of its own. Without any: the
    /// system's roots, and those among the files
    #[arg(long, value_name = "FILE|system")]
    pub(crate) roots: Vec<String>,
    /// Write the mended bundle here; `-` is standard output, and the report goes to standard error
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Print the mended bundle (certificates only) after the report
    #[arg(long, conflicts_with = "json")]
    pub(crate) print: bool,
    /// Write over an existing file
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Warnings count as errors
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Convert {
    /// The files to read, in any format (recognised by content), joined into one; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The format to write: pem (chain and key), der (one certificate or one key), p7b (chain), p12 (chain and key)
    #[arg(long, value_enum, default_value_t = Target::Pem)]
    pub(crate) to: Target,
    /// The file to write; `-`, as without it, is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Write over an existing file
    #[arg(long)]
    pub(crate) force: bool,
    /// How the key is written in PEM and DER
    #[arg(long, value_enum, default_value_t = KeyForm::Pkcs8)]
    pub(crate) key_format: KeyForm,
    /// Write only certificates
    #[arg(long, conflicts_with = "only_key")]
    pub(crate) no_key: bool,
    /// Write only the key
    #[arg(long)]
    pub(crate) only_key: bool,
    /// Convert even what looks damaged: wrong signatures, a key that is not the certificate's
    #[arg(long)]
    pub(crate) unchecked: bool,
    /// Leave out roots, as servers do
    #[arg(long)]
    pub(crate) drop_root: bool,
    /// Whom clients trust, so that of cross-signed certificates the right one stands first: a file of roots, or
    /// `system`; may be repeated, the first counts most. Without any: the system's roots, and those in the file
    #[arg(long, value_name = "FILE|system")]
    pub(crate) roots: Vec<String>,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
    #[command(flatten)]
    pub(crate) out_password: OutPassword,
}

#[derive(Debug, Args)]
pub(crate) struct Bundle {
    /// Any heap of certificates, keys and bundles in any format, or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// A folder, existing or written with a slash at the end, for fullchain.pem and key.pem; or a file for both; `-`
    /// is standard output, and what was done is said on standard error
    #[arg(long, value_name = "DIR|FILE")]
    pub(crate) out: PathBuf,
    /// Write over existing files
    #[arg(long)]
    pub(crate) force: bool,
    /// Keep the root at the end of the chain
    #[arg(long)]
    pub(crate) keep_root: bool,
    /// Whom clients trust, so that the chain leads to these roots: a file of roots, or `system`; may be repeated, the
    /// first counts most. Without any: the system's roots, and those among the files
    #[arg(long, value_name = "FILE|system")]
    pub(crate) roots: Vec<String>,
    /// How the key is written
    #[arg(long, value_enum, default_value_t = KeyForm::Pkcs8)]
    pub(crate) key_format: KeyForm,
    #[command(flatten)]
    pub(crate) at: At,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Args)]
pub(crate) struct Match {
    /// The certificate; of a chain, the leaf
    #[arg(value_name = "CERT")]
    pub(crate) certificate: PathBuf,
    /// The private key
    #[arg(value_name = "KEY")]
    pub(crate) key: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) passwords: Passwords,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct At {
    /// The time to judge by, instead of now: 2026-11-21 (midnight, UTC) or 2026-11-21T06:55:00Z
    #[arg(long, value_name = "DATE", value_parser = lb_cert::date::parse)]
    pub(crate) at: Option<i64>,
}

/// Where the password of an encrypted input comes from. Without any, a terminal is asked.
#[derive(Debug, Default, Args)]
pub(crate) struct Passwords {
    /// The first line of this file is the password of encrypted input; may be repeated, and each password is tried on
    /// each file
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Vec<PathBuf>,
    /// The environment variable that holds the password; may be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "password_file")]
    pub(crate) password_env: Vec<String>,
    /// The password itself; may be repeated. Other users of this machine can see it: prefer a file or the environment
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["password_file", "password_env"])]
    pub(crate) password: Vec<Argument>,
    /// Allow a file so many iterations of one key derivation; in all ten times as many, and for each derivation above
    /// ten a tenth of it more (default: 10,000,000)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_iterations: Option<u32>,
    /// Allow a file so many key derivations: one for each encrypted part and key, one for an integrity check (default: 1,000)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_derivations: Option<u32>,
    /// Allow a file so much work of one scrypt derivation, N * r * p (default: 2,097,152, which takes 256 MiB)
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_scrypt_work: Option<u64>,
}

impl Passwords {
    /// The limits of reading, with those of key derivations as they were given.
    pub(crate) fn limits(&self) -> lb_cert::Limits {
        let mut limits = lb_cert::Limits::default();
        if let Some(most) = self.max_iterations {
            limits.iterations = most;
        }
        limits.derivations = self.max_derivations.unwrap_or(limits.derivations);
        limits.scrypt_work = self.max_scrypt_work.unwrap_or(limits.scrypt_work);
        limits
    }
}

/// Where the password of a PKCS#12 file to be written comes from. Without any, a terminal is asked.
#[derive(Debug, Default, Args)]
pub(crate) struct OutPassword {
    /// The first line of this file is the password of the PKCS#12 file to write
    #[arg(long, value_name = "FILE")]
    pub(crate) out_password_file: Option<PathBuf>,
    /// The environment variable that holds the password of the PKCS#12 file to write
    #[arg(long, value_name = "NAME", conflicts_with = "out_password_file")]
    pub(crate) out_password_env: Option<String>,
}

/// A password on the command line, kept out of `Debug`.
#[derive(Clone)]
pub(crate) struct Argument(pub(crate) String);

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Argument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(a password)")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PurposeName {
    /// To prove a server to its clients
    Server,
    /// To prove a client to its server
    Client,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrlPolicy {
    /// Refuse the certificates of its issuer
    FailClosed,
    /// Use it all the same, and warn
    FailOpen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// Text, as nginx, HAProxy and lbd read it
    Pem,
    /// One certificate or one key in binary
    Der,
    /// PKCS#7: certificates only (Windows, Tomcat)
    P7b,
    /// PKCS#12, also called PFX: certificates and key under a password
    P12,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyForm {
    /// BEGIN PRIVATE KEY
    Pkcs8,
    /// BEGIN RSA PRIVATE KEY; only for RSA
    Pkcs1,
    /// BEGIN EC PRIVATE KEY; only for elliptic curves
    Sec1,
    /// PKCS#1 for RSA, SEC1 for elliptic curves
    Traditional,
}

const CERT_HELP: &str = "\
Examples:
  lbd cert inspect fullchain.pem
  lbd cert doctor fullchain.pem privkey.pem --name www.example.com
  lbd cert verify fullchain.pem --name www.example.com --roots system
  lbd cert convert server.pfx --to pem --out server.pem --password-file secret.txt
  lbd cert bundle *.crt *.key --out /etc/lbd/example/
  lbd cert match server.crt server.key
  lbd cert scan www.example.com:443
  lbd cert rules aki

Every format is recognised by its content: PEM, DER, PKCS#7 (.p7b), PKCS#12 (.pfx, .p12), encrypted keys.
Nothing is ever fetched from the network; scan alone connects, to the server that it is told.

Exit codes: 0 done and good, 1 failure while running (a file cannot be read or written, or exists already),
2 wrong usage, 3 the input is damaged, 4 the answer is no (refused, mismatch, errors found, nothing of use),
5 a password is missing or wrong, 6 the input is in a form that is not read here or beyond a limit";

const INSPECT_HELP: &str = "\
Examples:
  lbd cert inspect fullchain.pem
  lbd cert inspect server.pfx --password-env PFX_PASSWORD --json
  openssl s_client -connect example.com:443 -showcerts </dev/null | lbd cert inspect -

Exit codes: 0 done, 1 a file cannot be read, 2 wrong usage, 3 damaged, 4 nothing of use,
5 a password is missing or wrong, 6 not a form that is read here";

const VERIFY_HELP: &str = "\
Examples:
  lbd cert verify fullchain.pem --name www.example.com
  lbd cert verify client.pem --purpose client --roots our-ca.pem --crl our-ca.crl
  lbd cert verify fullchain.pem --name www.example.com --at 2027-01-01

Exit codes: 0 accepted, 1 a file cannot be read, 2 wrong usage, 3 damaged, 4 refused,
5 a password is missing or wrong, 6 not a form that is read here";

const DOCTOR_HELP: &str = "\
Examples:
  lbd cert doctor fullchain.pem privkey.pem
  lbd cert doctor *.crt *.key --name www.example.com --roots system --roots old-phone-roots.pem
  lbd cert doctor heap.pem --out mended.pem
  lbd cert doctor /etc/ssl/example/

Exit codes: 0 no errors (warnings may be there; --strict counts them), 1 a file cannot be read or written,
2 wrong usage, 3 damaged, 4 errors found, 5 a password is missing or wrong, 6 not a form that is read here";

const CONVERT_HELP: &str = "\
Examples:
  lbd cert convert server.pfx --to pem --out server.pem --password-file secret.txt
  lbd cert convert certificate.cer
  lbd cert convert server.crt intermediate.crt server.key --to p12 --out server.p12
  lbd cert convert chain.p7b --to pem --out chain.pem
  lbd cert convert server.pem --to p12 --out server.p12 --out-password-env P12_PASSWORD
  lbd cert convert old.key --key-format pkcs1 --out new.key

PEM gets the whole chain, leaf first, and then the key, unencrypted. A file that holds a key is made with mode 0600;
a terminal is not shown one.
An existing file is left alone without --force; on failure nothing is written.

Exit codes: 0 done, 1 the input cannot be read, the output exists or cannot be written, 2 wrong usage,
3 damaged, 4 it holds nothing that this format can carry, or its key and certificate do not belong together,
5 a password is missing or wrong, 6 not a form that is read here";

const BUNDLE_HELP: &str = "\
Examples:
  lbd cert bundle server.crt intermediate.crt root.crt server.key --out /etc/lbd/example/
  lbd cert bundle server.pfx --password-file secret.txt --out bundle.pem
  lbd cert bundle downloads/ --out example/ --keep-root
  lbd cert bundle leaf.pem cross-a.pem cross-b.pem --roots our-root.pem --out bundle.pem

Leaf first, then its issuers in order up to the roots that are trusted; a cross-signed certificate that only other
roots need follows behind; duplicates, roots and what does not belong are left out and named.

Exit codes: 0 done, 1 a file cannot be read, exists or cannot be written, 2 wrong usage,
3 damaged, 4 there is no certificate, or the key does not belong to it, 5 a password is missing or wrong,
6 not a form that is read here";

const MATCH_HELP: &str = "\
Examples:
  lbd cert match server.crt server.key
  lbd cert match server.pfx server.key --password-file secret.txt

Exit codes: 0 they belong together, 1 a file cannot be read, 2 wrong usage, 3 damaged, 4 they do not belong together,
5 a password is missing or wrong, 6 not a form that is read here";

const RULES_HELP: &str = "\
Examples:
  lbd cert rules
  lbd cert rules crl. --json

A level is `refuse`, `warn`, `off`, or `always` for what makes a chain valid at all.
`--profile PROFILE` of `lbd cert verify` chooses a profile, `--warn RULE` softens a rule.
Exit codes: 0 done, 2 wrong usage, 4 no rule begins so";

const LIMBO_HELP: &str = "\
Example:
  lbd cert limbo-harness < limbo.json > results.json

Every case is answered with SUCCESS or FAILURE by its certificates alone.
Exit codes: 0 done, 1 standard input cannot be read, 2 wrong usage, 3 it holds no x509-limbo document";

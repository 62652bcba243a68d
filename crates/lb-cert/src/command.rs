//! The commands that messages print, all in one table: a test of the program runs each on a file that it is printed for,
//! and fails for one that it has not run.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::Place;
use std::fmt;

/// A command for a shell that a message prints. There are no others than those in [`ALL`](Self::ALL).
///
/// `Display` shows the template; [`fill`](Self::fill) puts in the names of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Command(&'static str);

impl Command {
    /// As it stands before it is filled: `FILE` is the source, `LINE` the line where its block begins, `LABEL` and `RIGHT`
    /// the label that a block has and the one that it must have, `CHAIN` a file that only the reader knows.
    #[must_use]
    pub const fn template(self) -> &'static str {
        self.0
    }

    /// For the source of a place, quoted where it must be, so that it can be run as it stands. A result is never written
    /// over its source.
    ///
    /// ```
    /// let place = lb_cert::Place::whole(&"my key.pem".into());
    /// assert_eq!(lb_cert::Command::RESTRICT.fill(&place), "chmod 600 'my key.pem'");
    /// ```
    #[must_use]
    pub fn fill(self, place: &Place) -> String {
        self.fill_with(place, &[])
    }

    /// The same with words of its own besides.
    pub(crate) fn fill_with(self, place: &Place, words: &[(&str, &str)]) -> String {
        let source: &str = &place.source;
        let is_own = source.rsplit('/').next().is_some_and(|own| own.starts_with("out."));
        let (line, name) = (place.line.unwrap_or(1).to_string(), quoted(source));
        let mut words = words.to_vec();
        words.extend([("LINE", line.as_str()), ("FILE", name.as_str())]);
        if is_own {
            // A word of its own: Python writes to `stdout`.
            words.push((" out.", " new."));
        }
        replaced(self.0, &words)
    }
}

impl Command {
    /// Whether it opens an encrypted PKCS#8 key.
    #[cfg(feature = "encrypted-keys")]
    pub(crate) fn is_for_pkcs8(self) -> bool {
        matches!(self, Self::PKCS8_BINARY | Self::PKCS8_BARE | Self::PKCS8_ARMOURED)
    }

    /// What openssl is told of base64 without BEGIN and END lines, which it does not read.
    pub(crate) fn without_armour(self) -> Self {
        match self {
            Self::PKCS8_ARMOURED => Self::PKCS8_BARE,
            Self::PKCS8_BY_BOTAN => Self::PKCS8_BARE_BY_BOTAN,
            Self::DATA_ARMOURED => Self::DATA_BARE,
            Self::ENVELOPE_ARMOURED => Self::ENVELOPE_BARE,
            Self::DIGEST_ARMOURED => Self::DIGEST_BARE,
            other => other,
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// All words in one pass, so that nothing is replaced within what was put in.
fn replaced(template: &str, words: &[(&str, &str)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while !rest.is_empty() {
        let found = words
            .iter()
            .find_map(|(word, value)| rest.strip_prefix(word).map(|after| (*value, after)));
        if let Some((value, after)) = found {
            text.push_str(value);
            rest = after;
        } else {
            let mut letters = rest.chars();
            text.extend(letters.next());
            rest = letters.as_str();
        }
    }
    text
}

/// A file name as one word of a shell, which no program takes for an option. What was piped in has no name.
fn quoted(source: &str) -> String {
    if source == "standard input" {
        return "FILE".to_owned();
    }
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_./+,:@%=-".contains(letter);
    let dot = if source.starts_with('-') { "./" } else { "" };
    if !source.is_empty() && source.chars().all(is_plain) {
        format!("{dot}{source}")
    } else {
        format!("'{dot}{}'", source.replace('\'', "'\\''"))
    }
}

/// The table as constants and as a list: written apart, the list could lack one, and that one would never be run.
macro_rules! commands {
    ($($(#[$about:meta])* $visible:vis $name:ident = $template:expr;)*) => {
        impl Command {
            $($(#[$about])* $visible const $name: Self = Self($template);)*

            /// Every command that a message can print.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

commands! {
    /// Takes a key file from all but its owner.
    pub RESTRICT = "chmod 600 FILE";
    /// A copy without password.
    pub(crate) UNLOCK = "lbd cert convert FILE --out out.pem";
    pub(crate) LIST_RULES = "lbd cert rules";
    pub(crate) TRY_ROOTS = "lbd cert doctor CHAIN --roots FILE";
    pub(crate) NEW_KEY = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out new.key";
    pub(crate) SHOW_STRUCTURE = "openssl asn1parse -inform DER -i -in FILE";
    pub(crate) RELABEL = "sed 'LINE,/-----END/s,LABEL-----,RIGHT-----,' FILE > out.pem";

    // What openssl decrypts and no library of ours.
    pub(crate) PKCS8_BINARY = "openssl pkcs8 -provider legacy -provider default -inform DER -in FILE -out out.pem";
    pub(crate) PKCS8_BARE = "base64 -di FILE > out.der && \
        openssl pkcs8 -provider legacy -provider default -inform DER -in out.der -out out.pem";
    pub(crate) PKCS8_ARMOURED = "openssl pkcs8 -provider legacy -provider default -in FILE -out out.pem";
    // What botan encrypts in its own way, in any spelling.
    pub(crate) PKCS8_BY_BOTAN = "botan pkcs8 --pass-in=- FILE > out.pem";
    pub(crate) PKCS8_BARE_BY_BOTAN = "base64 -di FILE > out.der && botan pkcs8 --pass-in=- out.der > out.pem";
    pub(crate) PKCS12_BINARY = "openssl pkcs12 -legacy -in FILE -nodes -out out.pem";
    // openssl reads its binary form only.
    pub(crate) PKCS12_TEXT = "sed -n 'LINE,/-----END/p' FILE | grep -v ^- | base64 -di > out.p12 && \
        openssl pkcs12 -legacy -in out.p12 -nodes -out out.pem";
    pub(crate) LEGACY_RSA = "openssl rsa -provider legacy -provider default -in FILE -out out.pem";
    pub(crate) LEGACY_EC = "openssl ec -provider legacy -provider default -in FILE -out out.pem";
    pub(crate) LEGACY_OTHER = "openssl pkey -provider legacy -provider default -in FILE -out out.pem";

    // Other kinds of CMS.
    pub(crate) DATA_BINARY = "openssl cms -data_out -inform DER -in FILE -out out.bin";
    pub(crate) DATA_BARE = "base64 -di FILE > out.der && openssl cms -data_out -inform DER -in out.der -out out.bin";
    pub(crate) DATA_ARMOURED = "openssl cms -data_out -inform PEM -in FILE -out out.bin";
    pub(crate) ENVELOPE_BINARY = "openssl cms -decrypt -inform DER -in FILE -inkey recipient.key -out out.bin";
    pub(crate) ENVELOPE_BARE = "base64 -di FILE > out.der && \
        openssl cms -decrypt -inform DER -in out.der -inkey recipient.key -out out.bin";
    pub(crate) ENVELOPE_ARMOURED = "openssl cms -decrypt -inform PEM -in FILE -inkey recipient.key -out out.bin";
    pub(crate) DIGEST_BINARY = "openssl cms -digest_verify -inform DER -in FILE -out out.bin";
    pub(crate) DIGEST_BARE = "base64 -di FILE > out.der && \
        openssl cms -digest_verify -inform DER -in out.der -out out.bin";
    pub(crate) DIGEST_ARMOURED = "openssl cms -digest_verify -inform PEM -in FILE -out out.bin";

    // Key stores of Java.
    pub(crate) JKS = "keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12 -srcstoretype JKS";
    pub(crate) JCEKS =
        "keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12 -srcstoretype JCEKS";
    pub(crate) BKS = "keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12 -srcstoretype BKS \
        -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath /usr/share/java/bcprov.jar";
    pub(crate) UBER = "keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12 -srcstoretype UBER \
        -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath /usr/share/java/bcprov.jar";
    pub(crate) BCFKS = "keytool -importkeystore -srckeystore FILE -destkeystore out.p12 -deststoretype PKCS12 -srcstoretype \
        BCFKS -providerclass org.bouncycastle.jce.provider.BouncyCastleProvider -providerpath /usr/share/java/bcprov.jar";

    // Keys of OpenSSH, PuTTY and Microsoft. ssh-keygen changes a file in place, so it gets a copy.
    pub(crate) SSH_TO_PKCS8 = "install -m 600 FILE out.key && ssh-keygen -p -m PKCS8 -N '' -f out.key";
    pub(crate) SSH_BLOCK_TO_PKCS8 = "(umask 077; sed -n 'LINE,/-----END/p' FILE > out.key) && \
        ssh-keygen -p -m PKCS8 -N '' -f out.key";
    pub(crate) SSH_UNLOCK = "install -m 600 FILE out.key && ssh-keygen -p -N '' -f out.key";
    pub(crate) SSH_BLOCK_UNLOCK = "(umask 077; sed -n 'LINE,/-----END/p' FILE > out.key) && \
        ssh-keygen -p -N '' -f out.key";
    pub(crate) SSH_BY_PYTHON = "python3 -c 'import sys; from cryptography.hazmat.primitives.serialization import *; key = \
        load_ssh_private_key(open(sys.argv[1], \"rb\").read(), None); \
        sys.stdout.buffer.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))' FILE > out.pem";
    pub(crate) SSH_COPY_BY_PYTHON = "python3 -c 'import sys; from cryptography.hazmat.primitives.serialization import *; key = \
        load_ssh_private_key(open(sys.argv[1], \"rb\").read(), None); \
        sys.stdout.buffer.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))' out.key > out.pem";
    pub(crate) SSH_COM = "(umask 077; ssh-keygen -i -f FILE > out.pem)";
    pub(crate) PUTTY = "puttygen FILE -O private-openssh --new-passphrase /dev/null -o out.key";
    pub(crate) PVK = "openssl rsa -inform PVK -in FILE -out out.pem";
    pub(crate) PVK_DSA = "openssl dsa -inform PVK -in FILE -out out.pem";
    // RC4, which openssl keeps apart since version 3.
    pub(crate) PVK_LOCKED = "openssl rsa -provider legacy -provider default -inform PVK -in FILE -out out.pem";
    pub(crate) PVK_DSA_LOCKED = "openssl dsa -provider legacy -provider default -inform PVK -in FILE -out out.pem";
    pub(crate) KEY_BLOB = "openssl rsa -inform MSBLOB -in FILE -out out.pem";
    pub(crate) KEY_BLOB_DSA = "openssl dsa -inform MSBLOB -in FILE -out out.pem";

    // PEM and keys within other text. In Turkish a range from A to Z of grep lacks letters.
    pub(crate) JSON_STRINGS = "jq -r '.. | strings | if contains(\"-----BEGIN \") then . else gsub(\"\\\\s\"; \"\") | \
        try @base64d catch \"\" end | select(contains(\"-----BEGIN \"))' FILE > out.pem";
    pub(crate) JSON_WEB_KEY = "node -e 'const key = JSON.parse(require(\"fs\").readFileSync(process.argv[1])); \
        process.stdout.write(require(\"crypto\").createPrivateKey({ key, format: \"jwk\" }).export({ type: \"pkcs8\", \
        format: \"pem\" }))' FILE > out.pem";
    pub(crate) BASE64_VALUES = "LC_ALL=C grep -oE 'LS0tLS1CRUdJTi[A-Za-z0-9+/=]+' FILE | base64 -d > out.pem";
    pub(crate) BASE64_OF_PEM = "base64 -di FILE > out.pem";
    pub(crate) BASE64_OF_STORE = "base64 -di FILE > out.bin";
    pub(crate) SIGNED_MAIL = "openssl smime -pk7out -in FILE -out out.p7b";
    pub(crate) MAIL = "munpack FILE";
    pub(crate) XML = "tr -d ' \\t\\r\\n' < FILE | sed 's/&#43;/+/g; s,&#47;,/,g; s/&#61;/=/g; s/&#x*[0-9A-Fa-f]*;//g; \
        s/<!.CDATA.//g; s/]]>//g; s/<!--[^>]*-->//g' | LC_ALL=C grep -oE 'X509Certificate[^<>]*>[A-Za-z0-9+/=]+<' | sed \
        's,X509Certificate[^<>]*>\\(.*\\)<,-----BEGIN CERTIFICATE-----\\n\\1\\n-----END CERTIFICATE-----,' > out.pem";
    // Plain PEM, then each run of base64 decoded: a word of a line, and lines behind it that are nothing but base64. Of all
    // that only blocks are kept.
    pub(crate) MIXED_PEM = concat!(
        "(umask 077; export LC_ALL=C; { cat FILE; awk '{ only = $0 ~ /^[ \\t\\r\"]*[A-Za-z0-9+\\/]+=*[ \\t\\r\",]*$/; ",
        "gsub(/[^A-Za-z0-9+\\/=]+/, \" \"); ",
        "while (match($0, /=[A-Za-z0-9+\\/]/)) $0 = substr($0, 1, RSTART - 1) \" \" substr($0, RSTART + 1); ",
        "n = split($0, word, \" \"); if (only && n == 1) { run = run word[1]; next } print run; ",
        "for (i = 1; i < n; i++) print word[i]; run = n > 0 && length(word[n]) > 15 ? word[n] : \"\" } ",
        "END { print run }' FILE | awk 'length($0) > 60' | ",
        "while read -r run; do echo \"$run\" | base64 -di 2> /dev/null; echo; done; } | ",
        "sed -n '/-----BEGIN /,/-----END /s/^[ \\t]*//p' > out.pem)",
    );

    // Whether a key belongs to a certificate, where nobody here can tell: the same form of the point on both sides.
    pub(crate) COMPARE_UNKNOWN = "openssl pkey -in FILE -pubout -outform DER | openssl sha256";
    pub(crate) COMPARE = "lbd cert convert FILE --only-key | openssl pkey -pubout -outform DER | openssl sha256";
    pub(crate) COMPARE_COMPRESSED = "lbd cert convert FILE --only-key | \
        openssl pkey -pubout -outform DER -ec_conv_form compressed | openssl sha256";
    pub(crate) COMPARE_HYBRID = "lbd cert convert FILE --only-key | \
        openssl pkey -pubout -outform DER -ec_conv_form hybrid | openssl sha256";
    pub(crate) COMPARE_UNCOMPRESSED = "lbd cert convert FILE --only-key | \
        openssl pkey -pubout -outform DER -ec_conv_form uncompressed | openssl sha256";

    // Packed and encrypted files.
    pub(crate) GZIP = "gzip -dc FILE > out.bin";
    pub(crate) BZIP2 = "bzip2 -dc FILE > out.bin";
    pub(crate) XZ = "xz -dc FILE > out.bin";
    pub(crate) ZSTD = "zstd -dc FILE > out.bin";
    pub(crate) ZIP = "unzip -d unpacked FILE";
    // tar takes a name with a colon for another machine's.
    pub(crate) TAR = "mkdir unpacked && tar -C unpacked -xf - < FILE";
    pub(crate) SEVEN_ZIP = "7z x -ounpacked FILE";
    pub(crate) ANSIBLE_VAULT = "ansible-vault view FILE > out.bin";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &'static str, place: &Place) -> String {
        Command(template).fill(place)
    }

    #[test]
    fn a_name_is_one_word_and_no_option() {
        for (name, word) in [
            ("a.p12", "a.p12"),
            ("/etc/ssl/b c.jks", "'/etc/ssl/b c.jks'"),
            ("it's.pem", "'it'\\''s.pem'"),
            ("-x.pem", "./-x.pem"),
            ("- $(x).pem", "'./- $(x).pem'"),
            ("a`b`.pem", "'a`b`.pem'"),
            ("größe.pem", "'größe.pem'"),
            ("LINE FILE out.", "'LINE FILE out.'"),
            ("standard input", "FILE"),
        ] {
            assert_eq!(filled("cat FILE", &Place::whole(&name.into())), format!("cat {word}"));
        }
    }

    #[test]
    fn no_result_is_written_over_its_source() {
        let filled = |source: &str| Command::BASE64_OF_PEM.fill(&Place::whole(&source.into()));
        assert_eq!(filled("a/out.pem"), "base64 -di a/out.pem > new.pem");
        assert_eq!(filled("a.pem"), "base64 -di a.pem > out.pem");
    }

    #[test]
    fn a_command_knows_its_line_and_its_words() {
        let place = Place {
            block: 2,
            line: Some(9),
            ..Place::whole(&"a".into())
        };
        assert_eq!(
            filled("sed -n 'LINE,/-----END/p' FILE", &place),
            "sed -n '9,/-----END/p' a"
        );
        let words = [("LABEL", "A FILE"), ("RIGHT", "LABEL")];
        assert_eq!(
            Command::RELABEL.fill_with(&place, &words),
            "sed '9,/-----END/s,A FILE-----,LABEL-----,' a > out.pem"
        );
    }

    #[test]
    fn what_python_writes_to_is_no_result() {
        let filled = Command::SSH_BY_PYTHON.fill(&Place::whole(&"out.key".into()));
        assert!(
            filled.contains("sys.stdout.buffer") && filled.ends_with(" out.key > new.pem"),
            "{filled}"
        );
    }

    #[test]
    fn no_two_commands_are_the_same() {
        let mut templates: Vec<_> = Command::ALL.iter().map(|command| command.template()).collect();
        templates.sort_unstable();
        templates.dedup();
        assert_eq!(templates.len(), Command::ALL.len());
    }
}

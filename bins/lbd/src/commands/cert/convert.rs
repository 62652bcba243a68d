//! `lbd cert convert`: one format to another, all or nothing.

use super::args::{Convert, KeyForm, Target};
use super::input::{self, Input};
use super::output::{self, Draft};
use super::{Failure, password};
use lb_cert::inspect::has_readable_names;
use lb_cert::{
    AwsLc, Certificate, CertificateDer, Found, KeyAlgorithm, KeyFormat, KeyKind, KeyMatch, MendOptions, Password,
    PrivateKey, write,
};
use std::path::Path;

pub(super) fn run(convert: &Convert) -> Result<(), Failure> {
    let goes_out = convert.out.as_deref().is_none_or(output::is_standard);
    if matches!(convert.to, Target::Der | Target::P7b | Target::P12) && goes_out && output::is_terminal() {
        return Err(Failure::Usage(
            "this format is binary and would only confuse a terminal; name a file with --out".to_owned(),
        ));
    }
    let input = input::read(&convert.files, &convert.passwords)?;
    input::say_unproven(&input);
    if !convert.no_key
        && let Some(failure) = input::key_not_read(&input)
    {
        return Err(failure);
    }
    let names: Vec<String> = convert.files.iter().map(|file| input::name(file)).collect();
    let name = names.join(", ");
    let has_pkcs7 = input
        .files
        .iter()
        .any(|file| file.format == lb_cert::Format::Pkcs7.to_string());
    let holds = Holding::from(input, convert, &name)?;
    if convert.only_key && holds.keys.is_empty() {
        let reason = if has_pkcs7 {
            ": PKCS#7 never does; the key is where the certificate was requested"
        } else {
            ""
        };
        return Err(Failure::Refused(format!("{name} holds no private key{reason}")));
    }
    if has_pkcs7 && holds.keys.is_empty() {
        eprintln!("lbd: note: {name} is PKCS#7, which holds certificates and never a private key");
    }
    let (content, is_secret) = holds.written(convert, &name)?;
    let draft = Draft {
        path: convert.out.as_deref().unwrap_or(Path::new(output::STANDARD)),
        content: &content,
        is_secret,
    };
    output::write(&[draft], convert.force)
}

/// What is to be written: certificates in order, and keys.
struct Holding {
    certificates: Vec<Found<Certificate>>,
    keys: Vec<Found<PrivateKey>>,
    crls: Vec<Found<lb_cert::CertificateRevocationListDer<'static>>>,
}

impl Holding {
    /// Leaf first, then its issuers, then what does not belong to them: a conversion loses nothing but repetitions.
    fn from(input: Input, convert: &Convert, name: &str) -> Result<Self, Failure> {
        let count = input.certificates.len();
        if !convert.unchecked {
            input
                .keys
                .iter()
                .try_for_each(|key| check_key(key, &input.certificates))?;
            input.certificates.iter().try_for_each(check_certificate)?;
        }
        let sets = super::roots::wanted(&convert.roots, &input.certificates)?;
        let trusted: Vec<&lb_cert::Roots> = sets.iter().map(|(_, roots)| roots).collect();
        let mut options = MendOptions::new(super::time(super::args::At { at: None }));
        options.keep_root = !convert.drop_root;
        options.roots = &trusted;
        let mended = lb_cert::mend(input.certificates, input.keys, options, &AwsLc);
        if let Some(broken) = mended.broken.first().filter(|_| !convert.unchecked) {
            let what = if broken.certificate == broken.issuer {
                format!(
                    "{} is to be signed by its own key, which did not make its signature",
                    broken.subject
                )
            } else if broken.is_name {
                format!(
                    "{} asks for the key of {} ({}), but names another issuer",
                    broken.subject, broken.issuer_subject, broken.issuer
                )
            } else {
                format!(
                    "the key of {} ({}) did not make the signature of {}, which names it as its issuer",
                    broken.issuer_subject, broken.issuer, broken.subject
                )
            };
            return Err(Failure::Input(format!(
                "{}: {what}: one of them was changed\n  mend: get them again from whoever issued them; --unchecked \
                 converts them as they are",
                broken.certificate
            )));
        }
        if let (KeyMatch::Mismatch { certificate, key: own }, Some(leaf), Some(key)) =
            (&mended.pairing, mended.chain.first(), &mended.key)
            && !(convert.no_key || convert.only_key || convert.unchecked)
        {
            let shown = |digest: &Option<[u8; 32]>| super::matching::shown(digest.as_ref());
            return Err(Failure::Refused(format!(
                "{}: the key does not belong to the certificate {} ({})\n  certificate's public key: SHA-256 {}\n  \
                 key's public half: SHA-256 {}\n  mend: look for the right key; --no-key or --only-key converts one \
                 of the two",
                key.place,
                leaf.value.label(),
                leaf.place,
                shown(certificate),
                shown(own)
            )));
        }
        let mut certificates = mended.chain;
        let mut rest = Vec::new();
        let mut repeated = 0;
        for left in mended.left_out {
            match left.reason {
                lb_cert::bundle::Reason::Duplicate(_) => repeated += 1,
                lb_cert::bundle::Reason::Root => {}
                _ if convert.drop_root && left.certificate.value.is_self_signed(&AwsLc) => {}
                _ => rest.push(left.certificate),
            }
        }
        if repeated > 0 {
            eprintln!(
                "lbd: note: {name}: {} left out",
                super::count(repeated, "repeated certificate")
            );
        }
        if !rest.is_empty() && count > rest.len() {
            let names: Vec<String> = rest.iter().map(|found| found.value.label()).collect();
            eprintln!(
                "lbd: note: {name}: written behind the chain, because they are not part of it: {}",
                names.join(", ")
            );
        }
        certificates.extend(mended.further);
        certificates.append(&mut rest);
        let mut keys: Vec<Found<PrivateKey>> = mended.key.into_iter().collect();
        keys.extend(mended.spare_keys);
        Ok(Self {
            certificates: if convert.only_key { Vec::new() } else { certificates },
            keys: if convert.no_key { Vec::new() } else { keys },
            crls: if convert.only_key { Vec::new() } else { input.crls },
        })
    }

    fn ders<'a>(&'a self) -> impl Iterator<Item = &'a CertificateDer<'a>> {
        self.certificates
            .iter()
            .map(|found| -> &'a CertificateDer<'a> { found.value.der() })
    }

    /// The bytes, and whether they hold a key.
    fn written(&self, convert: &Convert, name: &str) -> Result<(Vec<u8>, bool), Failure> {
        match convert.to {
            Target::Pem => self.pem(convert),
            Target::Der => self.der(convert, name),
            Target::P7b => self.pkcs7(name),
            Target::P12 => self.pkcs12(convert, name),
        }
    }

    fn pem(&self, convert: &Convert) -> Result<(Vec<u8>, bool), Failure> {
        let mut text = write::certificates(self.ders());
        for key in &self.keys {
            text.push_str(&key_pem(key, convert.key_format)?);
        }
        for crl in &self.crls {
            text.push_str(&write::revocation_list(&crl.value));
        }
        Ok((text.into_bytes(), !self.keys.is_empty()))
    }

    fn der(&self, convert: &Convert, name: &str) -> Result<(Vec<u8>, bool), Failure> {
        match (self.certificates.as_slice(), self.keys.as_slice(), self.crls.as_slice()) {
            ([certificate], [], []) => Ok((certificate.value.der().to_vec(), false)),
            ([], [key], []) => Ok((key_der(key, convert.key_format)?, true)),
            ([], [], [crl]) => Ok((crl.value.to_vec(), false)),
            (certificates, keys, crls) => Err(Failure::Refused(format!(
                "DER holds one thing, and {name} holds {}, {} and {}\n  mend: {}",
                super::count(certificates.len(), "certificate"),
                super::count(keys.len(), "key"),
                super::count(crls.len(), "revocation list"),
                self.smaller()
            ))),
        }
    }

    /// What can be written of all this when DER cannot: only what works.
    fn smaller(&self) -> String {
        let (certificates, keys, crls) = (self.certificates.len(), self.keys.len(), self.crls.len());
        let one_of_them = match (certificates == 1 && crls == 0 && keys > 0, keys == 1) {
            (true, true) => Some("write one of them with --no-key or --only-key"),
            (true, false) => Some("write the certificate with --no-key"),
            (false, true) => Some("write the key with --only-key"),
            (false, false) => None,
        };
        let chain = (certificates > 0).then_some(if certificates == 1 {
            "the certificate with --to p7b"
        } else {
            "the certificates with --to p7b"
        });
        let all = if certificates > 0 && keys <= 1 && crls == 0 {
            "all with --to p12"
        } else {
            "all with --to pem"
        };
        let ways: Vec<&str> = one_of_them.into_iter().chain(chain).chain([all]).collect();
        let first = if one_of_them.is_some() { "" } else { "write " };
        format!("{first}{}", ways.join(", or "))
    }

    fn pkcs7(&self, name: &str) -> Result<(Vec<u8>, bool), Failure> {
        if self.certificates.is_empty() {
            return Err(Failure::Refused(format!(
                "{name} holds no certificate, and PKCS#7 carries nothing else"
            )));
        }
        if !self.keys.is_empty() {
            eprintln!("lbd: note: PKCS#7 cannot hold a private key; the key of {name} is not in what is written");
        }
        Ok((write::pkcs7(self.ders()), false))
    }

    fn pkcs12(&self, convert: &Convert, name: &str) -> Result<(Vec<u8>, bool), Failure> {
        if self.certificates.is_empty() {
            return Err(Failure::Refused(format!(
                "{name} holds no certificate, and a PKCS#12 file is for a certificate and its key\n  mend: give the \
                 certificate's file too"
            )));
        }
        let key = match self.keys.as_slice() {
            [] => None,
            [key] => Some(&key.value),
            [..] => {
                return Err(Failure::Refused(format!(
                    "{name} holds {}; a PKCS#12 file is written with one\n  mend: write all with --to pem, or the \
                     certificates with --no-key",
                    super::count(self.keys.len(), "key")
                )));
            }
        };
        let password = Password::new(password::for_output(&convert.out_password)?);
        let content = write::pkcs12(self.ders(), key, &password)
            .map_err(|error| Failure::Refused(format!("{name}: {error}\n  mend: {}", error.explain())))?;
        Ok((content, key.is_some()))
    }
}

/// A key whose numbers do not fit together is damaged, whatever its structure looks like. Of some kinds only the
/// structure can be looked at, of an unknown kind not even that.
fn check_key(key: &Found<PrivateKey>, certificates: &[Found<Certificate>]) -> Result<(), Failure> {
    let can_be_computed = match key.value.algorithm() {
        KeyAlgorithm::Rsa { bits } | KeyAlgorithm::RsaPss { bits } => (2048..=8192).contains(bits),
        // What it says of its public half is what a certificate says, too.
        KeyAlgorithm::Unknown(_) if is_stated(&key.value, certificates) => false,
        KeyAlgorithm::Unknown(name) => {
            let text = format!(
                "{}: a key of a kind that is not known here ({name}): whether it is whole cannot be told\n  \
                 mend: --unchecked converts it as it is; with its certificate in the same file the two are compared",
                key.place
            );
            // Beside a certificate of another kind one of the two was changed.
            return Err(if certificates.is_empty() {
                Failure::Unsupported(text)
            } else {
                Failure::Input(text)
            });
        }
        algorithm => algorithm.is_usable(),
    };
    if can_be_computed && lb_cert::bundle::public_key(&key.value, &AwsLc).is_none() {
        return Err(Failure::Input(format!(
            "{}: the numbers of the key ({}) do not fit together: it is damaged\n  mend: copy it again from where it \
             was made",
            key.place,
            key.value.algorithm()
        )));
    }
    Ok(())
}

fn is_stated(key: &PrivateKey, certificates: &[Found<Certificate>]) -> bool {
    certificates
        .iter()
        .any(|found| matches!(lb_cert::match_key(&found.value, key, &AwsLc), KeyMatch::Match { .. }))
}

/// What a certificate must keep to, whoever issued it.
fn check_certificate(found: &Found<Certificate>) -> Result<(), Failure> {
    let certificate = &found.value;
    let what = if let Some(malformed) = certificate.malformed().first() {
        format!("the extension {} cannot be read: {}", malformed.oid, malformed.what)
    } else if !has_readable_names(certificate) {
        "its names cannot be read".to_owned()
    } else if certificate.signature_algorithm_raw() != certificate.signed_signature_algorithm_raw() {
        "it names two different signature algorithms".to_owned()
    } else if certificate.key().kind == KeyKind::Malformed {
        "its public key cannot be read".to_owned()
    } else {
        return match &certificate.key().kind {
            KeyKind::Other(_) | KeyKind::UnknownCurve(_) => Err(Failure::Input(format!(
                "{}: the public key of the certificate {} is of a kind that is not known here ({}): whether it is \
                 whole cannot be told\n  mend: --unchecked converts it as it is",
                found.place,
                certificate.label(),
                certificate.key()
            ))),
            _ => Ok(()),
        };
    };
    Err(Failure::Input(format!(
        "{}: the certificate {} is damaged: {what}\n  mend: get it again from whoever issued it; --unchecked converts \
         it as it is",
        found.place,
        certificate.label()
    )))
}

/// The form for this key: "traditional" is another one for each algorithm.
pub(super) fn form(key: &PrivateKey, form: KeyForm) -> KeyFormat {
    match (form, key.algorithm()) {
        (KeyForm::Pkcs1, _) | (KeyForm::Traditional, KeyAlgorithm::Rsa { .. }) => KeyFormat::Pkcs1,
        (KeyForm::Sec1, _)
        | (
            KeyForm::Traditional,
            KeyAlgorithm::EcP256 | KeyAlgorithm::EcP384 | KeyAlgorithm::EcP521 | KeyAlgorithm::OtherCurve(_),
        ) => KeyFormat::Sec1,
        _ => KeyFormat::Pkcs8,
    }
}

pub(super) fn key_pem(key: &Found<PrivateKey>, wanted: KeyForm) -> Result<String, Failure> {
    write::key(&key.value, form(&key.value, wanted))
        .map_err(|error| Failure::Refused(format!("{}: {error}\n  mend: {}", key.place, error.explain())))
}

fn key_der(key: &Found<PrivateKey>, wanted: KeyForm) -> Result<Vec<u8>, Failure> {
    // Asking for PEM first refuses a form that this key does not have.
    key_pem(key, wanted)?;
    Ok(match form(&key.value, wanted) {
        KeyFormat::Pkcs8 => key.value.to_pkcs8().secret_pkcs8_der().to_vec(),
        _ => key
            .value
            .to_traditional()
            .map_or_else(Vec::new, |key| key.secret_der().to_vec()),
    })
}

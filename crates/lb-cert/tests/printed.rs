//! The commands that refusals print, run on the very file: text with PEM in several spellings, and what openssl, botan,
//! puttygen and others encrypt in their own ways.
#![cfg(all(feature = "pkcs12", feature = "encrypted-keys", feature = "aws-lc-rs"))]

mod openssl;

use lb_cert::{AwsLc, Contents, Password, ReadError, ReadErrorKind, ReadOptions, read};
use openssl::Shop;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const WORD: &str = "tiger";
const LEGACY: &str = "-provider legacy -provider default";

fn attempt(name: &str, bytes: &[u8]) -> Result<Contents, ReadError> {
    let words = [Password::new(WORD)];
    read(name, bytes, &ReadOptions::with_passwords(&words).crypto(&AwsLc))
}

/// Certificates and keys.
fn held(contents: &Contents) -> (usize, usize) {
    (contents.certificates.len(), contents.keys.len())
}

/// The commands in backquotes that begin with a program, not with one of our own.
fn commands(said: &str) -> Vec<String> {
    let parts = said.split('`').skip(1).step_by(2);
    parts
        .filter(|part| part.contains(' ') && !part.starts_with("lbd "))
        .map(str::to_owned)
        .collect()
}

fn is_there(program: &str) -> bool {
    ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .any(|folder| Path::new(folder).join(program).exists())
}

/// Runs a command in the folder, whatever it asks answered with the password.
fn run(shop: &Shop, command: &str) {
    if command.contains("botan ") {
        return run_on_a_terminal(shop, command);
    }
    let mut shell = Command::new("setsid");
    shell.args(["-w", "sh", "-c", command]).current_dir(shop.folder());
    shell.env_remove("DISPLAY").env_remove("SSH_ASKPASS");
    let piped = shell
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().expect("a shell");
    let times = if command.starts_with("puttygen") { 1 } else { 4 };
    let mut input = child.stdin.take().expect("a pipe");
    let _ = input.write_all(format!("{WORD}\n").repeat(times).as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&said));
}

/// The same for botan, which asks on a terminal only.
fn run_on_a_terminal(shop: &Shop, command: &str) {
    let mut script = Command::new("script");
    script.args(["-qefc", command, "/dev/null"]).current_dir(shop.folder());
    let mut child = script
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script");
    let (mut input, mut output) = (
        child.stdin.take().expect("a pipe"),
        child.stdout.take().expect("a pipe"),
    );
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while output.read(&mut byte).unwrap_or(0) > 0 {
        seen.push(byte[0]);
        if seen.ends_with(b": ") && seen.starts_with(b"Password for ") {
            let _ = input.write_all(format!("{WORD}\n").as_bytes());
        }
    }
    assert!(
        child.wait().expect("it ends").success(),
        "{command}: {}",
        String::from_utf8_lossy(&seen)
    );
}

/// Refused as another program's, and the command that is printed gives certificates and keys.
fn converts(shop: &Shop, name: &str, bytes: &[u8], wanted: (usize, usize)) {
    let _ = fs::remove_file(shop.path("out.pem"));
    let _ = fs::remove_file(shop.path("out.key"));
    shop.write(name, bytes);
    let error = match attempt(name, bytes) {
        Err(error) => error,
        Ok(contents) => panic!("{name}: read, {:?}, {:?}", held(&contents), contents.notes),
    };
    assert_eq!(error.kind(), ReadErrorKind::Unsupported, "{error}");
    let said = error.explain();
    let commands = commands(&said);
    assert!(!commands.is_empty(), "{name}: {said}");
    commands.iter().for_each(|command| run(shop, command));
    let out = if shop.path("out.pem").exists() {
        "out.pem"
    } else {
        "out.key"
    };
    let made = attempt(out, &shop.bytes(out)).unwrap_or_else(|error| panic!("{name}: {commands:?}: {error}"));
    assert_eq!(held(&made), wanted, "{name}: {commands:?}: {}", shop.text(out));
}

/// A certificate and a key in PEM.
fn pair(shop: &Shop) -> [String; 2] {
    shop.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out k.pem");
    shop.run("req -x509 -key k.pem -subj /CN=a.example -days 9 -out c.pem");
    [shop.text("c.pem"), shop.text("k.pem")]
}

fn base64(shop: &Shop, text: &str) -> String {
    shop.write("plain", text);
    String::from_utf8(shop.run("base64 -A -in plain"))
        .expect("ASCII")
        .trim()
        .to_owned()
}

#[test]
fn pem_in_base64_beside_plain_pem_is_never_lost_without_a_word() {
    let Some(shop) = Shop::open() else { return };
    let [certificate, key] = pair(&shop);
    let escaped = |text: &str| text.replace('\n', "\\n");
    let encoded = base64(&shop, &certificate);
    let commented = base64(&shop, &format!("# mine\n{certificate}"));
    let folded = |text: &str, indent: &str| {
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(76)
            .map(|line| std::str::from_utf8(line).expect("ASCII"))
            .collect();
        lines.join(&format!("\n{indent}"))
    };
    let indented = |text: &str| text.trim_end().replace('\n', "\n    ");
    let mut cases = vec![
        (
            "both.json",
            format!("{{\"c\":\"{}\",\"ca\":\"{encoded}\"}}", escaped(&key)),
        ),
        ("commented.json", format!("{{\"c\": \"{commented}\"}}")),
        (
            "commented2.json",
            format!("{{\"c\": \"{}\"}}", base64(&shop, &format!("#2\n{certificate}"))),
        ),
        (
            "both.yaml",
            format!(
                "data:\n  tls.crt: {encoded}\nstringData:\n  tls.key: |\n    {}\n",
                indented(&key)
            ),
        ),
        (
            "commented.yaml",
            format!("data:\n  tls.crt: {commented}\n  tls.key: {}\n", base64(&shop, &key)),
        ),
        (
            "lines.yaml",
            format!(
                "data:\n  tls.crt: |\n    {}\n  tls.key: {}\n",
                folded(&encoded, "    "),
                base64(&shop, &key)
            ),
        ),
        (
            "folded.yaml",
            format!(
                "data:\n  tls.crt: >-\n    {}\n  tls.key: >-\n    {}\n",
                folded(&encoded, "    "),
                folded(&base64(&shop, &key), "    ")
            ),
        ),
        (
            "plain.yaml",
            format!(
                "data:\n  tls.crt: {}\n  tls.key: {}\n",
                folded(&encoded, "    "),
                folded(&base64(&shop, &key), "    ")
            ),
        ),
        ("both.env", format!("CERT={encoded}\nKEY=\"{}\"\n", base64(&shop, &key))),
        ("beside.pem", format!("{key}CERT={encoded}\n")),
    ];
    if !is_there("jq") {
        println!("skipped: JSON: there is no jq");
        cases.retain(|(name, _)| !name.ends_with(".json"));
    }
    for (name, text) in cases {
        let wanted = if text.contains("-----BEGIN PRIV") || text.contains(&base64(&shop, &key)[..60]) {
            1
        } else {
            0
        };
        converts(&shop, name, text.as_bytes(), (1, wanted));
    }
}

#[test]
fn certificates_in_xml_come_out_however_it_is_written() {
    let Some(shop) = Shop::open() else { return };
    let [certificate, _] = pair(&shop);
    let body: Vec<&str> = certificate.lines().filter(|line| !line.starts_with('-')).collect();
    for (name, text) in [
        (
            "plain.xml",
            format!("<a><X509Certificate>{}</X509Certificate></a>", body.join("\n")),
        ),
        (
            "cr.xml",
            format!(
                "<a><ds:X509Certificate>\n{}&#13;\n</ds:X509Certificate></a>",
                body.join("&#13;\n")
            ),
        ),
        (
            "hex.xml",
            format!(
                "<a><ds:X509Certificate>\n{}&#xD;\n</ds:X509Certificate></a>",
                body.join("&#xd;\n")
            ),
        ),
        (
            "space.xml",
            format!(
                "<a><X509Certificate xmlns=\"http://www.w3.org/2000/09/xmldsig#\">{}</X509Certificate></a>",
                body.concat()
            ),
        ),
        (
            "cdata.xml",
            format!(
                "<a><X509Certificate><![CDATA[{}]]></X509Certificate></a>",
                body.join("\n")
            ),
        ),
        (
            "signs.xml",
            format!(
                "<a><X509Certificate>{}</X509Certificate></a>",
                body.concat().replace('+', "&#43;").replace('=', "&#61;")
            ),
        ),
    ] {
        converts(&shop, name, text.as_bytes(), (1, 0));
    }
}

#[test]
fn an_archive_whose_name_has_a_colon_is_no_other_machine() {
    let Some(shop) = Shop::open() else { return };
    pair(&shop);
    run(&shop, "tar -cf made.tar c.pem k.pem && mv made.tar a:b.tar");
    let error = attempt("a:b.tar", &shop.bytes("a:b.tar")).expect_err("an archive");
    commands(&error.explain())
        .iter()
        .for_each(|command| run(&shop, command));
    assert!(shop.path("unpacked/c.pem").exists());
}

#[test]
fn what_openssl_encrypts_and_we_do_not_open_is_converted_by_what_is_printed() {
    let Some(shop) = Shop::open() else { return };
    pair(&shop);
    for cipher in [
        "aes-256-cfb",
        "aes-128-ofb",
        "aes-192-ecb",
        "aria-256-ctr",
        "camellia-128-ofb",
        "sm4-cbc",
        "sm4-ctr",
        "seed-ofb",
        "bf-cbc",
        "cast5-cbc",
        "des-ofb",
        "des-ede",
        "rc4",
    ] {
        shop.run(&format!(
            "pkcs8 {LEGACY} -topk8 -in k.pem -v2 {cipher} -passout pass:{WORD} -out locked.pem"
        ));
        converts(&shop, "locked.pem", &shop.bytes("locked.pem"), (0, 1));
    }
    shop.run("ec -in k.pem -out ec.pem");
    for cipher in [
        "aes-256-ctr",
        "aes-128-cfb8",
        "aria-192-ofb",
        "camellia-256-cfb1",
        "sm4-cfb",
        "seed-cfb",
        "bf-ofb",
        "cast5-cfb",
        "des-ede3-cfb",
        "des-cfb",
        "rc2-ofb",
        "desx",
        "chacha20",
    ] {
        shop.run(&format!(
            "ec {LEGACY} -in ec.pem -{cipher} -passout pass:{WORD} -out locked.pem"
        ));
        converts(&shop, "locked.pem", &shop.bytes("locked.pem"), (0, 1));
    }
    for options in [
        "-macalg blake2b512",
        "-macalg blake2s256",
        "-macalg md4",
        "-macalg whirlpool",
        "-macalg ripemd160",
        "-keypbe aes-256-cfb -certpbe aes-256-cfb",
        "-keypbe sm4-cbc -certpbe camellia-192-ofb",
    ] {
        shop.run(&format!(
            "pkcs12 -export {LEGACY} -inkey k.pem -in c.pem {options} -passout pass:{WORD} -out locked.p12"
        ));
        converts(&shop, "locked.p12", &shop.bytes("locked.p12"), (1, 1));
    }
}

#[test]
fn what_only_botan_opens_names_botan() {
    let Some(shop) = Shop::open() else { return };
    if !is_there("botan") || !is_there("script") {
        println!("skipped: there is no botan, or no script");
        return;
    }
    pair(&shop);
    for scheme in [
        "Serpent/CBC",
        "Twofish/GCM",
        "AES-256/SIV",
        "Camellia-256/GCM",
        "SM4/GCM",
    ] {
        for form in ["", "--der-out"] {
            let command = format!(
                "botan pkcs8 {form} --pass-out={WORD} '--pbe=PBES2({scheme},SHA-256)' --pbe-millis=10 k.pem > b.pem"
            );
            run_quietly(&shop, &command);
            converts(&shop, "b.pem", &shop.bytes("b.pem"), (0, 1));
        }
    }
    let der = shop.bytes("b.pem");
    shop.write("plain", &der);
    let bare = shop.run("base64 -in plain");
    converts(&shop, "bare.txt", &bare, (0, 1));
}

fn run_quietly(shop: &Shop, command: &str) {
    let status = Command::new("sh")
        .args(["-c", command])
        .current_dir(shop.folder())
        .status();
    assert!(status.expect("a shell").success(), "{command}");
}

#[test]
fn an_old_key_with_rc2_of_64_bits_is_read() {
    let Some(shop) = Shop::open() else { return };
    pair(&shop);
    for cipher in ["rc2-64-cbc", "rc2-40-cbc", "rc2", "des", "des-ede-cbc", "des3"] {
        shop.run(&format!(
            "ec {LEGACY} -in k.pem -{cipher} -passout pass:{WORD} -out locked.pem"
        ));
        let made = attempt("locked.pem", &shop.bytes("locked.pem")).unwrap_or_else(|error| panic!("{cipher}: {error}"));
        assert_eq!(held(&made), (0, 1), "{cipher}");
    }
}

#[test]
fn keys_of_microsoft_and_ssh_com_are_converted_by_what_is_printed() {
    let Some(shop) = Shop::open() else { return };
    shop.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem");
    shop.run("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -pkeyopt dsa_paramgen_q_bits:160 -out dsa.txt");
    shop.run("genpkey -paramfile dsa.txt -out dsa.pem");
    for kind in ["rsa", "dsa"] {
        for pvk in ["-pvk-none", "-pvk-weak", "-pvk-strong"] {
            shop.run(&format!(
                "{kind} {LEGACY} -in {kind}.pem -outform PVK {pvk} -passout pass:{WORD} -out key.pvk"
            ));
            converts(&shop, "key.pvk", &shop.bytes("key.pvk"), (0, 1));
        }
        shop.run(&format!("{kind} -in {kind}.pem -outform MSBLOB -out key.blob"));
        converts(&shop, "key.blob", &shop.bytes("key.blob"), (0, 1));
        shop.run(&format!(
            "{kind} -in {kind}.pem -pubout -outform MSBLOB -out public.blob"
        ));
        let error = attempt("public.blob", &shop.bytes("public.blob")).expect_err("no use");
        assert_eq!(error.kind(), ReadErrorKind::NothingOfUse, "{error}");
        assert!(error.to_string().contains("a public key of Microsoft"), "{error}");
    }
    if !is_there("puttygen") || !is_there("ssh-keygen") {
        println!("skipped: there is no puttygen, or no ssh-keygen");
        return;
    }
    shop.write("word", WORD);
    run_quietly(&shop, "ssh-keygen -q -t rsa -b 2048 -N '' -f ssh.key");
    for phrase in ["/dev/null", "word"] {
        run_quietly(
            &shop,
            &format!("puttygen ssh.key -O private-sshcom --new-passphrase {phrase} -o com.key"),
        );
        converts(&shop, "com.key", &shop.bytes("com.key"), (0, 1));
    }
    let error = attempt("com.key", &shop.bytes("com.key")).expect_err("ssh.com's");
    assert!(
        error.to_string().contains("a private key of ssh.com (RSA, encrypted)"),
        "{error}"
    );
}

#[test]
fn lines_with_numbers_or_names_before_them_are_read_with_a_note() {
    let Some(shop) = Shop::open() else { return };
    let [certificate, key] = pair(&shop);
    shop.write("both.pem", format!("{certificate}{key}"));
    for command in [
        "awk '{ print NR\": \"$0 }' both.pem",
        "cat -n both.pem",
        "nl -ba -s. both.pem",
        "grep -n '' both.pem",
        "grep -Hn '' both.pem",
        "grep -H '' both.pem",
        "sed 's/^/web-1  | /' both.pem",
    ] {
        run_quietly(&shop, &format!("{command} > numbered.txt"));
        let made =
            attempt("numbered.txt", &shop.bytes("numbered.txt")).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert_eq!(held(&made), (1, 1), "{command}");
        assert!(
            made.notes
                .iter()
                .any(|note| note.to_string().contains("before each line")),
            "{command}: {:?}",
            made.notes
        );
    }
    // Numbers with a gap are no certainty, and the diagnosis is not that there is nothing.
    run_quietly(&shop, "awk 'NR != 3 { print NR\": \"$0 }' both.pem > numbered.txt");
    let error = attempt("numbered.txt", &shop.bytes("numbered.txt")).expect_err("a line is lost");
    assert!(error.to_string().contains("':' is not base64"), "{error}");
}

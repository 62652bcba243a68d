use super::{Text, quoted};
use crate::plan::{Certificates, ClientAuth, PoolTls, ProxyOut, ProxyVersion, ServerTls, Site, TrustedRoots};
use crate::schema::{POOL_TLS, TLS};
use lb_tls::Versions;

pub(super) fn server_text(out: &mut Text, tls: &ServerTls) {
    out.header("[listeners.tls]");
    certificates_text(out, &tls.default.certificates, &Certificates::default());
    out.set_unless(&TLS, "strict_sni", tls.strict_sni);
    versions_text(out, tls.default.versions, Versions::default());
    out.set_unless(&TLS, "server_order", tls.server_order);
    if let Some(path) = &tls.ticket_secret_file {
        out.text("ticket_secret_file", &path.display().to_string());
    }
    out.duration_unless(&TLS, "ticket_lifetime", tls.ticket_lifetime);
    out.set_unless(&TLS, "session_cache", tls.session_cache);
    client_auth_text(out, &tls.default.client_auth, &ClientAuth::default());
    for site in &tls.sites {
        site_text(out, site, &tls.default);
    }
}

fn site_text(out: &mut Text, site: &Site, outer: &Site) {
    out.header("[[listeners.tls.sites]]");
    out.list("names", &site.names);
    certificates_text(out, &site.certificates, &outer.certificates);
    versions_text(out, site.versions, outer.versions);
    client_auth_text(out, &site.client_auth, &outer.client_auth);
}

fn certificates_text(out: &mut Text, certificates: &Certificates, outer: &Certificates) {
    if certificates.paths != outer.paths {
        out.paths("certificates", &certificates.paths);
    }
    if let Some(path) = certificates
        .password_file
        .as_ref()
        .filter(|_| certificates.password_file != outer.password_file)
    {
        out.text("password_file", &path.display().to_string());
    }
}

fn versions_text(out: &mut Text, versions: Versions, outer: Versions) {
    for (name, version, outer) in [
        ("min_version", versions.min(), outer.min()),
        ("max_version", versions.max(), outer.max()),
    ] {
        if version != outer {
            out.text(name, &version.to_string());
        }
    }
}

fn client_auth_text(out: &mut Text, auth: &ClientAuth, outer: &ClientAuth) {
    if auth.mode != outer.mode {
        out.text("client_auth", auth.mode.word());
    }
    for (name, paths, outer) in [
        ("authorities", &auth.authorities, &outer.authorities),
        ("crl", &auth.crl, &outer.crl),
    ] {
        if paths != outer {
            out.paths(name, paths);
        }
    }
    for (name, accepts, outer) in [
        ("expired_crl", auth.accepts_expired_crl, outer.accepts_expired_crl),
        ("missing_crl", auth.accepts_missing_crl, outer.accepts_missing_crl),
    ] {
        if accepts != outer {
            out.text(name, if accepts { "accept" } else { "refuse" });
        }
    }
    if auth.depth != outer.depth {
        out.line("depth", auth.depth);
    }
}

pub(super) fn pool_text(out: &mut Text, tls: &PoolTls) {
    out.header("[pools.tls]");
    match &tls.roots {
        TrustedRoots::Files(paths) => out.paths("roots", paths),
        // Pins alone would do without.
        TrustedRoots::System if !tls.pins.is_empty() => out.text("roots", "system"),
        TrustedRoots::System | TrustedRoots::None => {}
    }
    if let Some(name) = &tls.server_name {
        out.text("server_name", name);
    }
    out.set_unless(&POOL_TLS, "sni", tls.sni);
    let pins: Vec<String> = tls.pins.iter().map(ToString::to_string).collect();
    out.list("pins", &pins);
    if !tls.verify {
        out.text("verify", "none");
    }
    certificates_text(out, &tls.certificates, &Certificates::default());
    versions_text(out, tls.versions, Versions::default());
}

pub(super) fn proxy_text(out: &mut Text, proxy: &ProxyOut) {
    let version = match proxy.version {
        ProxyVersion::V1 => "v1",
        ProxyVersion::V2 => "v2",
    };
    let tlvs = [
        ("authority", proxy.authority),
        ("unique_id", proxy.unique_id),
        ("ssl", proxy.ssl),
        ("alpn", proxy.alpn),
    ];
    let tlvs: Vec<String> = tlvs
        .iter()
        .filter(|(_, said)| *said)
        .map(|(name, _)| quoted(name))
        .collect();
    if !proxy.crc && tlvs.is_empty() {
        out.text("proxy_protocol", version);
        return;
    }
    let mut pairs = vec![format!("version = {}", quoted(version))];
    if proxy.crc {
        pairs.push("crc = true".to_owned());
    }
    if !tlvs.is_empty() {
        pairs.push(format!("tlvs = [{}]", tlvs.join(", ")));
    }
    out.line("proxy_protocol", format_args!("{{ {} }}", pairs.join(", ")));
}

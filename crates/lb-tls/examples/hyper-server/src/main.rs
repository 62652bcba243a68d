//! An HTTPS server of hyper with several sites: lb-tls makes their configurations, lb-preface sees which one is wanted.
//!
//! `hyper-server 0.0.0.0:443 www.pem members.pem,clients-ca.pem` serves a site for each argument, the first also for
//! names that nobody has. A file has the certificate, its issuers and its key, in any order; behind the comma are the
//! authorities of clients, who may then show a certificate. Each answer says what is known of the client. Without
//! arguments it makes two sites, checks itself as clients see it, and ends.

mod check;
mod server;

use lb_tls::client_auth::{Authorities, ClientAuthMode, ClientAuthOptions};
use lb_tls::{ClientAuth, Engine, File, LoadOptions, ServerOptions, SiteOptions, Sites};
use rustls::time_provider::DefaultTimeProvider;
use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let engine = Engine::aws_lc(Arc::new(DefaultTimeProvider));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (listen, files) = match arguments.as_slice() {
        [] => return check::run(&engine).await,
        [listen, files @ ..] if !files.is_empty() => (listen, files),
        _ => return Err("usage: hyper-server LISTEN SITE.pem[,AUTHORITIES-OF-CLIENTS.pem]..".into()),
    };
    let read = |path: &str| std::fs::read(path).map_err(|error| format!("{path}: {error}"));
    let mut all = Vec::new();
    for argument in files {
        let (label, clients) = argument.split_once(',').unzip();
        let label = label.unwrap_or(argument);
        all.push(site(
            label,
            &read(label)?,
            clients.map(read).transpose()?.as_deref(),
            &engine,
        )?);
    }
    let sites = sites(all, &engine)?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("{listen}: {error}"))?;
    server::serve(listener, Arc::new(sites)).await;
    Ok(())
}

/// A site of a file, for the names in its certificates.
fn site(label: &str, pem: &[u8], clients: Option<&[u8]>, engine: &Engine) -> Outcome<SiteOptions> {
    let file = |bytes| File {
        label,
        bytes,
        password: None,
    };
    let loaded = lb_tls::load([file(pem)], &LoadOptions::default(), engine)?;
    for note in &loaded.notes {
        eprintln!("{}: {note}; {}", note.severity().as_str(), note.mend());
    }
    let mut site = SiteOptions::new(label, loaded.identities);
    if let Some(clients) = clients {
        let authorities = Arc::new(Authorities::read([file(clients)], engine)?);
        let options = ClientAuthOptions::new(ClientAuthMode::Optional, authorities);
        site.client_auth = ClientAuth::new(options, engine);
    }
    Ok(site)
}

/// The first is the default: names that nobody has are not refused (`strict_sni`).
fn sites(mut all: Vec<SiteOptions>, engine: &Engine) -> Outcome<Sites> {
    let mut options = ServerOptions::new("https", all.remove(0));
    options.sites = all;
    options.strict_sni = false;
    let sites = Sites::build(options, engine)?;
    for note in sites.notes() {
        eprintln!("{note}");
    }
    Ok(sites)
}

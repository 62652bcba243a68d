//! The server: hello, site, handshake, verdict; then hyper.

use crate::Outcome;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HOST;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lb_preface::client_hello::{self, Limits};
use lb_preface::{Step, fatal_record};
use lb_tls::client_auth::ClientAuthMode;
use lb_tls::{ClientVerdict, HandshakeFault, Site, Sites, UnknownName};
use rustls::{HandshakeKind, ProtocolVersion};
use std::io::{self, Cursor};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// One task per connection.
pub async fn serve(listener: TcpListener, sites: Arc<Sites>) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                eprintln!("no connection was accepted: {error}"); // no descriptor is free, mostly
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let sites = Arc::clone(&sites);
        tokio::spawn(async move {
            if let Err(error) = connection(stream, &sites).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn connection(stream: TcpStream, sites: &Sites) -> Outcome<()> {
    let (stream, client) = timeout(PATIENCE, handshake(stream, sites)).await??;
    let answer = service_fn(|request| {
        let response = answer(&request, &client, sites);
        async { Ok::<_, hyper::Error>(response) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()); // for hyper's own limit on slow heads
    Ok(http.serve_connection(TokioIo::new(stream), answer).await?)
}

/// What is known of a client when its handshake is over.
struct Client {
    site: Arc<Site>,
    version: Option<ProtocolVersion>,
    server_name: Option<String>,
    verdict: ClientVerdict,
}

async fn handshake(mut stream: TcpStream, sites: &Sites) -> Outcome<(impl AsyncRead + AsyncWrite + Unpin, Client)> {
    let mut bytes = Vec::with_capacity(4096);
    let server_name = loop {
        let step = client_hello::peek(&bytes, Limits::default());
        match step.map(|step| step.map(|hello| hello.server_name().host().map(str::to_owned))) {
            Ok(Step::Done { value, .. }) => break value,
            Ok(Step::NeedMore) if stream.read_buf(&mut bytes).await? > 0 => {}
            Ok(Step::NeedMore) => return Err("it ended before its hello did".into()),
            Err(error) => {
                // Who speaks TLS is told so in TLS.
                if let Some(alert) = error.alert() {
                    stream.write_all(&fatal_record(alert)).await?;
                }
                return Err(error.into());
            }
        }
    };
    let site = match sites.find(server_name.as_deref()) {
        Ok(site) => Arc::clone(site),
        Err(error) => {
            stream.write_all(&UnknownName::ALERT).await?; // rustls would say access_denied
            return Err(error.into());
        }
    };

    // rustls reads the hello once more, and then on from the connection.
    let (read, write) = stream.into_split();
    let stream = tokio::io::join(Cursor::new(bytes).chain(read), write);
    let accepted = TlsAcceptor::from(Arc::clone(site.config())).accept(stream).await;
    let stream = accepted.map_err(|error| explained(&site, &error))?;
    let (_, connection) = stream.get_ref();
    let kind = connection.handshake_kind().unwrap_or(HandshakeKind::Full);
    let verdict = site.judge(connection.peer_certificates(), kind);
    if let (ClientAuthMode::Required, Some(refusal)) = (site.client_auth().mode(), verdict.refusal()) {
        return Err(refusal.to_string().into()); // a resumed session whose certificate is not good any more
    }
    let version = connection.protocol_version();
    let client = Client {
        site,
        version,
        server_name,
        verdict,
    };
    Ok((stream, client))
}

/// The true reason, and what mends it.
fn explained(site: &Site, error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        None => error.to_string(),
        Some(inner) => match site.explain(inner) {
            Some(refusal) => format!("{refusal}; {}", refusal.reason().mend()),
            None => format!("{inner}; {}", HandshakeFault::of(inner).mend()),
        },
    }
}

fn answer(request: &Request<Incoming>, client: &Client, sites: &Sites) -> Response<Full<Bytes>> {
    let host = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str()).or(host);
    let (status, text) = if sites.answers(&client.site, authority.unwrap_or_default()) {
        let who = match &client.verdict {
            ClientVerdict::Ok(certificate) => format!(" ({})", certificate.subject),
            ClientVerdict::Failed { refusal, .. } => format!(" ({})", refusal.reason().word()),
            _ => String::new(),
        };
        let version = client.version.and_then(|version| version.as_str()).unwrap_or("?");
        let (site, name) = (client.site.label(), client.server_name.as_deref().unwrap_or("nothing"));
        let verified = client.verdict.word();
        (
            StatusCode::OK,
            format!("{site}: {version}, asked for {name}, client {verified}{who}\n"),
        )
    } else {
        // The other site asks other things of its clients, and this one was not asked them.
        (
            StatusCode::MISDIRECTED_REQUEST,
            "connect anew for this name\n".to_owned(),
        )
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
}

/// For hello and handshake together.
const PATIENCE: Duration = Duration::from_secs(10);

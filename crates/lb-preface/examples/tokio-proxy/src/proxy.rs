//! The proxy: what a connection begins with says where it goes. lb-preface reads it, tokio moves the bytes.

use crate::Outcome;
use lb_preface::proxy::{Addresses, Outgoing, Tlv, Transport, write_v2};
use lb_preface::{Alert, Step, client_hello, fatal_record, proxy};
use lb_types::Cidr;
use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// Whom it believes, and where it sends whom.
pub struct Proxy {
    /// Who sends PROXY headers. They must, and nobody else may: a header is never guessed at.
    pub trusted: Vec<Cidr>,
    /// Upstreams by server name, in lower case.
    pub routes: HashMap<String, SocketAddr>,
}

impl Proxy {
    /// One task per connection.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        loop {
            let (client, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    eprintln!("no connection was accepted: {error}"); // no descriptor is free, mostly
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let this = Arc::clone(&self);
            tokio::spawn(async move {
                if let Err(error) = this.forward(client, peer).await {
                    eprintln!("{peer}: {error}");
                }
            });
        }
    }

    async fn forward(&self, mut client: TcpStream, peer: SocketAddr) -> Outcome<()> {
        // The parsers bound the bytes, this bounds the time.
        let mut upstream = timeout(PATIENCE, self.open(&mut client, peer)).await??;
        copy_bidirectional(&mut client, &mut upstream).await?;
        Ok(())
    }

    /// Reads what comes first, connects to the upstream that it asks for, and passes it on.
    async fn open(&self, client: &mut TcpStream, peer: SocketAddr) -> Outcome<TcpStream> {
        let mut bytes = Vec::with_capacity(4096);
        let (mut source, mut destination) = (peer, client.local_addr()?);
        if self.trusted.iter().any(|range| range.contains(peer.ip())) {
            let (said, len) = read_until(client, &mut bytes, |bytes| {
                let step = proxy::parse(bytes, proxy::Limits::default())?;
                Ok::<_, proxy::Error>(
                    step.map(|header| header.addresses().source().zip(header.addresses().destination())),
                )
            })
            .await?;
            // Without addresses (LOCAL, UNKNOWN) those of the connection hold.
            (source, destination) = said.unwrap_or((source, destination));
            bytes.drain(..len);
        }
        let hello = read_until(client, &mut bytes, |bytes| {
            let step = client_hello::peek(bytes, client_hello::Limits::default())?;
            Ok::<_, client_hello::Error>(step.map(|hello| hello.server_name().host().map(str::to_ascii_lowercase)))
        });
        let name = match hello.await {
            Ok((name, _)) => name.unwrap_or_default(),
            Err(error) => {
                // Who speaks TLS is told so in TLS.
                if let Some(alert) = error.downcast_ref().and_then(client_hello::Error::alert) {
                    client.write_all(&fatal_record(alert)).await?;
                }
                return Err(error);
            }
        };
        let Some(address) = self.routes.get(&name) else {
            client.write_all(&fatal_record(Alert::UnrecognizedName)).await?;
            return Err(format!("no upstream has the name {name:?}").into());
        };

        let mut header = Vec::new();
        let outgoing = Outgoing {
            addresses: Addresses::Ip { source, destination },
            transport: Transport::Stream,
            tlvs: &[Tlv::Authority(name.as_bytes())],
            checksum: true,
        };
        write_v2(&outgoing, &mut header)?;
        let mut upstream = TcpStream::connect(address).await?;
        upstream.write_all(&header).await?;
        upstream.write_all(&bytes).await?; // the hello, and whatever came with it
        Ok(upstream)
    }
}

/// Reads until `look` has found what it looks for. All that was read is in `bytes`; also answers how much of it was needed.
pub async fn read_until<T, E: Error + Send + Sync + 'static>(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
    look: impl Fn(&[u8]) -> Result<Step<T>, E>,
) -> Outcome<(T, usize)> {
    loop {
        match look(bytes)? {
            Step::Done { value, len } => return Ok((value, len)),
            Step::NeedMore if stream.read_buf(bytes).await? > 0 => {}
            Step::NeedMore => return Err(format!("it ended after {} bytes, before all was said", bytes.len()).into()),
        }
    }
}

/// For header, hello and the way to the upstream together.
const PATIENCE: Duration = Duration::from_secs(5);

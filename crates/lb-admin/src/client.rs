use crate::control::Order;
use crate::state::{Backend, State};
use crate::wire::{self, Backends, ErrorBody};
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::UnixStream;

/// Asks a running program over its admin socket. One connection for each question.
#[derive(Debug, Clone)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// A client of the program that listens at `socket`.
    #[must_use]
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            patience: PATIENCE,
        }
    }

    /// The same, waiting so long for a whole answer (10 s without this).
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Everything there is to see; of one pool only, if it is named.
    ///
    /// # Errors
    /// [`ClientError`].
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn state(&self, pool: Option<&str>) -> Result<State, ClientError> {
        let mut target = String::from("/v1/status");
        if let Some(pool) = pool {
            target.push_str("?pool=");
            target.push_str(&escaped(pool));
        }
        self.ask(Method::GET, &target, Vec::new()).await
    }

    /// Has all of these orders carried out, or none. When it returns they are in force; the backends are shown as they
    /// are then.
    ///
    /// # Errors
    /// [`ClientError`].
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn order(&self, orders: &[Order]) -> Result<Vec<Backend>, ClientError> {
        let body = wire::write_orders(orders);
        let answer: Backends = self.ask(Method::POST, "/v1/orders", body).await?;
        Ok(answer.backends)
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, target: &str, body: Vec<u8>) -> Result<T, ClientError> {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header(header::HOST, "lbd")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .map_err(|error| self.broken(error))?;
        let (status, bytes) = match tokio::time::timeout(self.patience, self.exchange(request)).await {
            Ok(answer) => answer?,
            Err(_) => {
                return Err(ClientError::Slow {
                    socket: self.socket.clone(),
                    patience: self.patience,
                });
            }
        };
        if status == 200 {
            return serde_json::from_slice(&bytes).map_err(|error| self.broken(error));
        }
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(ErrorBody { error }) => Err(ClientError::Refused {
                status,
                kind: error.kind,
                message: error.message,
                mend: error.mend,
            }),
            Err(_) => Err(self.broken(format_args!("status {status}"))),
        }
    }

    async fn exchange(&self, request: Request<Body>) -> Result<(u16, Vec<u8>), ClientError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(|error| self.unreachable(error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(error))?;
        let answer = async {
            let answer: Response<_> = sender.send_request(request).await.map_err(|error| self.broken(error))?;
            let status = answer.status().as_u16();
            let body = axum::body::to_bytes(Body::new(answer.into_body()), LONGEST_ANSWER);
            let bytes = body.await.map_err(|error| self.broken(error))?;
            Ok((status, bytes.to_vec()))
        };
        let drive = async {
            // What goes wrong here, the answer says as well.
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            answer = answer => answer,
            () = drive => Err(self.broken("the connection ended")),
        }
    }

    fn unreachable(&self, error: io::Error) -> ClientError {
        let socket = self.socket.clone();
        match error.kind() {
            io::ErrorKind::NotFound => ClientError::NoSocket { socket },
            io::ErrorKind::ConnectionRefused => ClientError::Dead { socket },
            io::ErrorKind::PermissionDenied => ClientError::Denied { socket },
            _ => ClientError::Io { socket, error },
        }
    }

    fn broken(&self, what: impl ToString) -> ClientError {
        ClientError::Broken {
            socket: self.socket.clone(),
            what: what.to_string(),
        }
    }

    /// The socket that is asked.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// Why there is no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no such file.
    #[error("there is no socket {}: is lbd running, and does its configuration have an [admin] section with this path?", socket.display())]
    NoSocket {
        /// The file.
        socket: PathBuf,
    },
    /// Nobody listens any more.
    #[error("nobody answers at {}: the program that made it has ended", socket.display())]
    Dead {
        /// The file.
        socket: PathBuf,
    },
    /// We may not use it.
    #[error("no permission to use {}: run this as the user of lbd, or widen `mode` or `group` in its [admin] section", socket.display())]
    Denied {
        /// The file.
        socket: PathBuf,
    },
    /// The system refuses.
    #[error("cannot use {}: {error}", socket.display())]
    Io {
        /// The file.
        socket: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The answer did not come in time.
    #[error("no whole answer from {} within {patience:?}", socket.display())]
    Slow {
        /// The file.
        socket: PathBuf,
        /// How long we waited.
        patience: Duration,
    },
    /// The answer is none.
    #[error("{} does not answer as lbd does: {what}", socket.display())]
    Broken {
        /// The file.
        socket: PathBuf,
        /// What was wrong.
        what: String,
    },
    /// The program said no.
    #[error("{message}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// One word for programs.
        kind: String,
        /// Why.
        message: String,
        /// What to do about it.
        mend: String,
    },
}

/// A value of a query, RFC 3986, section 2.1: everything but unreserved bytes with percent signs.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

const PATIENCE: Duration = Duration::from_secs(10);
/// Ten thousand backends are about 20 MB.
const LONGEST_ANSWER: usize = 256 << 20;

use super::options::Request;
use crate::io_cause::cause;
use lb_health::Cause;
use lb_http::Head;
use lb_http::h1::{Conn, Error, Part, Step};
use lb_net::Stream;
use lb_types::Fields as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Sends the request and judges the answer. Reads no further than it must: to the end of the
/// final head, or until the text was found.
pub(crate) async fn exchange(stream: Stream, request: &Request) -> Result<(), Cause> {
    // cannot fail for a checked request; if it does, the backend is not to blame
    let (conn, bytes) = request.write().ok_or(Cause::Local)?;
    let mut answer = Answer {
        stream,
        conn,
        input: Vec::new(),
        location: None,
    };
    let sent = answer.stream.write_all(&bytes).await;
    // a backend may refuse early and close: its answer tells more than our failure to write
    if let Err(error) = sent
        && cause(&error) != Cause::Reset
    {
        return Err(cause(&error));
    }
    let status = answer.status().await?;
    if !request.expects(status) {
        return Err(Cause::Status(status));
    }
    if !request.leads_to(answer.location.as_deref()) {
        return Err(Cause::Redirect);
    }
    match request.text() {
        Some(text) => answer.find(text, request.body_bytes()).await,
        None => Ok(()),
    }
}

struct Answer {
    stream: Stream,
    conn: Conn,
    /// Bytes that arrived and were not taken yet.
    input: Vec<u8>,
    /// Where the final head leads.
    location: Option<Vec<u8>>,
}

impl Answer {
    /// The status of the final head.
    async fn status(&mut self) -> Result<u16, Cause> {
        let mut head = Head::with_capacity(1_024, 32);
        loop {
            match self.conn.read_head(&self.input, &mut head).map_err(broken)? {
                Step::Ready(message) => {
                    self.take(message.len);
                    if head.status() >= 200 {
                        self.location = head.first("location").map(<[u8]>::to_vec);
                        return Ok(head.status());
                    }
                }
                Step::NeedMore => {
                    if self.fill().await? == 0 {
                        return Err(Cause::Closed);
                    }
                }
            }
        }
    }

    /// Looks for `text` in the first `most` bytes of the body.
    async fn find(&mut self, text: &[u8], most: usize) -> Result<(), Cause> {
        let mut body: Vec<u8> = Vec::new();
        while body.len() < most {
            match self.conn.read_body(&self.input).map_err(broken)? {
                Part::Data { skip, len } => {
                    // the text may have begun in the part before
                    let from = body.len().saturating_sub(text.len());
                    let payload = self.input.iter().skip(skip).take(len);
                    body.extend(payload.take(most.saturating_sub(body.len())));
                    self.take(skip.saturating_add(len));
                    if body
                        .get(from..)
                        .is_some_and(|new| new.windows(text.len()).any(|window| window == text))
                    {
                        return Ok(());
                    }
                }
                Part::NeedMore { skip } => {
                    self.take(skip);
                    if self.fill().await? == 0 {
                        // the end of a body without a length, or of one that is cut
                        return Err(if self.conn.read_eof().is_ok() {
                            Cause::Body
                        } else {
                            Cause::Closed
                        });
                    }
                }
                Part::Trailers { .. } | Part::End { .. } => return Err(Cause::Body),
            }
        }
        Err(Cause::Body)
    }

    /// Reads what has arrived; 0 is the end.
    async fn fill(&mut self) -> Result<usize, Cause> {
        let mut bytes = [0; 4_096];
        let len = self.stream.read(&mut bytes).await.map_err(|error| cause(&error))?;
        self.input.extend(bytes.iter().take(len));
        Ok(len)
    }

    fn take(&mut self, len: usize) {
        self.input.drain(..len.min(self.input.len()));
    }
}

/// An answer that breaks the rules of HTTP/1.
fn broken(error: Error) -> Cause {
    match error {
        Error::Tls => Cause::Tls,
        error => Cause::Protocol(error.rule()),
    }
}

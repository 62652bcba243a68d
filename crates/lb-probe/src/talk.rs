use crate::connect::Security;
use crate::dialogue::{Dialogue, Turn};
use crate::io_cause::cause;
use lb_health::Cause;
use lb_net::Stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout_at};

/// Holds a conversation: the dialogue decides, this reads and writes. Reads at most `read_bytes` in all.
/// `tls` is for dialogues that ask for it in the middle.
pub(crate) async fn talk(
    mut stream: Stream,
    mut dialogue: Box<dyn Dialogue>,
    read_bytes: usize,
    mut tls: Option<&mut Security<'_>>,
    deadline: Instant,
) -> Result<(), Cause> {
    let mut input = Vec::new();
    let mut left = read_bytes;
    let mut chunk = [0; 4_096];
    loop {
        match dialogue.turn(&mut input)? {
            Turn::Send(bytes) => {
                let sent = timeout_at(deadline, stream.write_all(&bytes)).await;
                // a service may answer and hang up before it has read all: its answer tells more than our failure
                if let Err(error) = sent.map_err(|_| Cause::Silent)?
                    && cause(&error) != Cause::Reset
                {
                    return Err(cause(&error));
                }
            }
            // RFC 3207, section 6, and CVE-2011-0411: what stands here was not protected, and must not be taken as if it were
            Turn::Tls if !input.is_empty() => return Err(Cause::StarttlsEarly),
            Turn::Tls => {
                // whoever made the probe gave it no TLS: nothing goes on in clear
                let tls = tls.take().ok_or(Cause::Local)?;
                stream = tls.begin(stream, deadline).await?;
            }
            Turn::Done(goodbye) => {
                // a courtesy: whether it arrives changes nothing
                let _ = stream.try_send(goodbye);
                return Ok(());
            }
            Turn::Read if left == 0 => return Err(Cause::Reply),
            Turn::Read => {
                let room = chunk.len().min(left);
                let read = timeout_at(deadline, stream.read(chunk.get_mut(..room).unwrap_or_default())).await;
                let len = read
                    .map_err(|_| dialogue.late(&input))?
                    .map_err(|error| cause(&error))?;
                if len == 0 {
                    return Err(dialogue.cut(&input));
                }
                left = left.saturating_sub(len);
                input.extend(chunk.iter().take(len));
            }
        }
    }
}

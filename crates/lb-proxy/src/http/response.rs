//! The head of a response: read from the backend, edited, and put on the way to the client.

use super::answer;
use super::client::Client;
use super::exchange::{Exchange, Stop};
use super::pipe::Fill;
use crate::core::Core;
use lb_http::h1::{self, Framing, Message, Step};
use lb_http::{Head, Version, auth, forward, keep_alive};
use lb_persist::Learn;
use lb_telemetry::End;
use lb_types::Fields;
use std::hint::cold_path;

impl Exchange {
    /// Reads the response's head; interim ones on the way. Nobody needs it once it was passed on, so one
    /// head serves all exchanges of a worker, and stays in the cache.
    pub(super) fn read_response(&mut self, client: &mut Client, core: &Core) -> Result<Fill, Stop> {
        let mut head = core.take_head();
        let fill = self.read_response_into(&mut head, client, core);
        core.give_head(head);
        fill
    }

    fn read_response_into(&mut self, head: &mut Head, client: &mut Client, core: &Core) -> Result<Fill, Stop> {
        while !self.reply.is_empty() {
            let Some(up_conn) = &mut self.up_conn else {
                return Err(Stop::Internal);
            };
            let message = match up_conn.read_head(self.reply.filled(), head) {
                Ok(Step::Ready(message)) => message,
                Ok(Step::NeedMore) => {
                    cold_path();
                    return Ok(Fill::NeedMore);
                }
                Err(error) => {
                    cold_path();
                    self.detail = error.rule();
                    return Err(Stop::Upstream(end_of(&error)));
                }
            };
            self.reply.consume(message.len);
            if (100..200).contains(&head.status()) && head.status() != 101 {
                cold_path();
                self.pass_interim(head, client)?;
                continue;
            }
            self.pass_head(head, message, client, core)?;
            return self.fill_down(client);
        }
        Ok(Fill::NeedMore)
    }

    /// A 1xx response: passed on to clients that know such responses.
    #[inline(never)]
    fn pass_interim(&mut self, head: &mut Head, client: &mut Client) -> Result<(), Stop> {
        self.facts.bound |= auth::is_of_connection(head);
        let is_continue = head.status() == 100;
        if is_continue {
            self.facts.expecting = false;
        }
        let wanted = !is_continue || (!self.facts.continued && self.request.expects_continue());
        if wanted && answer::takes_interim(self.request.version()) {
            forward::response(head, false);
            self.facts.forwarded = true;
            client
                .conn
                .write_head(head, Framing::Empty, &mut self.down.out)
                .map_err(|_| Stop::Internal)?;
        }
        Ok(())
    }

    /// The final head: edited and put on the way to the client.
    fn pass_head(&mut self, head: &mut Head, message: Message, client: &mut Client, core: &Core) -> Result<(), Stop> {
        if message.framing == Framing::Tunnel && !self.may_switch(head) {
            self.detail = h1::Error::UnexpectedSwitch.rule();
            return Err(Stop::Upstream(End::UpgradeFailed));
        }
        let now = core.now();
        self.facts.answered = true;
        self.facts.expecting = false;
        self.facts.first_byte = Some(now.mono);
        self.facts.status = head.status();
        self.facts.switching = message.framing == Framing::Tunnel;
        self.facts.phantom = self.announces_phantom(head);
        self.facts.keeps_for = keep_alive::timeout(head);
        if !self.up.is_done() {
            cold_path();
            // The response overtook the request. Both go on, but neither connection is used
            // again: nobody can say where the rest of the request would end.
            self.facts.early = true;
            client.conn.close_after();
        }
        if core.is_draining() || client.place.is_closed() {
            client.conn.close_after();
        }
        if self.facts.bound || auth::is_of_connection(head) {
            cold_path();
            self.bind(message.framing, client);
        }
        forward::response(head, self.facts.switching);
        if let (Some(pool), Some(recalled), Some(ticket)) = (&self.pool, &self.recalled, &mut self.ticket) {
            ticket.answered(now.mono);
            let chosen = ticket.backend().id;
            // No room for a cookie: the response is still good, only not sticky.
            let learned = pool.picker.borrow().learn(recalled, chosen, head, now);
            for (table, learn) in pool.entry.tables.iter().zip(learned.into_iter().flatten()) {
                if let (Some(table), Learn::Remember(key)) = (table, learn) {
                    table.remember(key, chosen, now.mono);
                }
            }
        }
        let framing = match message.framing {
            // So that the client can tell a whole response from a cut one, and stays connected.
            Framing::UntilClose if self.request.version() == Version::Http11 => Framing::Chunked,
            framing => framing,
        };
        self.facts.until_close =
            self.request.version() == Version::Http10 && matches!(framing, Framing::UntilClose | Framing::Chunked);
        self.facts.sent_before = if self.down.is_untouched() {
            self.down.sent()
        } else {
            u64::MAX
        };
        client
            .conn
            .write_head(head, framing, &mut self.down.out)
            .map_err(|_| Stop::Internal)?;
        self.facts.forwarded = true;
        Ok(())
    }

    /// A 101 is good only for the protocol that was asked for, and only after the whole request.
    #[inline(never)]
    fn may_switch(&self, response: &Head) -> bool {
        let whole = self.up.is_done() && self.up.is_flushed();
        let same = match (self.request.first("upgrade"), response.first("upgrade")) {
            (Some(asked), Some(given)) => asked.eq_ignore_ascii_case(given),
            _ => false,
        };
        whole && same
    }

    /// Does the response to `HEAD`, or a 304, tell the length of a body that it must not have?
    /// A backend that sends it all the same may do so after its connection was put away, and the
    /// next request would get it for its answer: the connection is looked at before it is used again.
    fn announces_phantom(&self, response: &Head) -> bool {
        if !self.request.is_head_method() && response.status() != 304 {
            return false;
        }
        cold_path();
        response.first("transfer-encoding").is_some() || response.first("content-length").is_some_and(|v| v != b"0")
    }
}

fn end_of(error: &h1::Error) -> End {
    match error {
        h1::Error::HeadTooLarge { .. } | h1::Error::TooManyFields { .. } => End::UpstreamHeadTooLarge,
        h1::Error::UnexpectedSwitch => End::UpgradeFailed,
        _ => End::UpstreamProtocol,
    }
}

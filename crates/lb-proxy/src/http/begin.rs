//! From the first byte of a request to the backend that gets it.

use super::answer;
use super::client::Came;
use super::connection::Client;
use super::exchange::{Exchange, Expect, Progress, Sequel, Stop};
use super::patience::Wait;
use crate::core::Core;
use crate::course::{self, OwnAnswer};
use crate::options::{HttpOptions, HttpsOptions};
use crate::preface;
use crate::view::ListenerView;
use lb_balance::route::Query;
use lb_http::h1::Framing;
use lb_http::{auth, forward, upgrade};
use lb_net::Stream;
use lb_persist::Facts;
use lb_telemetry::End;
use lb_types::{Fields, FieldsMut, InvalidField, Wall};
use std::hint::cold_path;
use std::rc::Rc;
use std::task::{Context, Poll};

impl Exchange {
    /// Reads until the head is complete.
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Progress {
        let Poll::Ready(came) = client.side.poll_head(cx, &mut self.request, core) else {
            return Ok(Poll::Pending);
        };
        let came = came.map_err(|error| {
            if !self.has_begun() {
                self.trace.started = core.now();
            }
            Stop::Request(error)
        })?;
        match came {
            Came::Request(framing) => {
                self.framing = framing;
                self.begin(client, core)?;
                Ok(Poll::Ready(None))
            }
            Came::Part => {
                cold_path();
                // Part of an empty line begins nothing: the connection is idle still.
                if !client.side.has_no_request() {
                    if !self.has_begun() {
                        self.trace.started = core.now();
                    }
                    self.wait_for(Wait::Head, false, client, core);
                }
                Ok(Poll::Pending)
            }
            Came::Nothing => Ok(Poll::Ready(Some(Sequel::Again))),
            Came::Closed => Ok(Poll::Ready(Some(Sequel::Close))),
            Came::Broke => Err(Stop::Client(End::ClientReset)),
        }
    }

    /// Is it known when its first byte came?
    pub(super) fn has_begun(&self) -> bool {
        self.trace.started.wall != Wall::default()
    }

    /// The head is here: which pool, which bytes, which backend.
    fn begin(&mut self, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let now = core.now();
        if !self.has_begun() {
            self.trace.started = now;
        }
        self.patience.start_over();
        client.requests = client.requests.saturating_add(1);
        let view = client.peer.listener.view();
        view.counters.request();
        self.view = Some(Rc::clone(&view));
        let Some(http) = view.http() else {
            return Err(Stop::Internal);
        };
        client.side.note_wish();
        if client.requests >= http.keep_alive_requests || core.is_draining() || client.peer.listener.is_closed() {
            client.side.close_after();
        }
        if (client.peer.tls.is_some() || http.https.redirect)
            && let Some((status, end, location)) = self.wrong_door(&view, http, client)
        {
            cold_path();
            if end == End::Misdirected {
                // It is right on a connection of its own.
                client.side.close_after();
            }
            answer::respond(self, client, status, end, location.as_deref(), core);
            return Ok(());
        }
        let is_trusted = http.trusts(client.peer.address());
        let address = if is_trusted {
            cold_path();
            forward::client_address(&self.request, client.peer.address(), &http.trusted_proxies)
        } else {
            client.peer.address()
        };
        let index = match course::route(http, &self.request, address, client.peer.tls.as_deref()) {
            Ok(index) => index,
            Err(OwnAnswer {
                status,
                end,
                detail,
                location,
            }) => {
                cold_path();
                self.course.detail = detail;
                answer::respond(self, client, status, end, location, core);
                return Ok(());
            }
        };
        let asked = view.pool(index).ok_or(Stop::Internal)?;
        if auth::is_of_connection(&self.request) {
            cold_path();
            self.trace.bound = true;
        }
        if self.request.authority().is_none() {
            cold_path();
            if let Err(error) = self.add_host(client.side.stream()) {
                self.refuse_fields(error, client, core);
                return Ok(());
            }
        }
        let bound = client.bonds.pool(asked);
        let pool = bound.as_ref().unwrap_or(asked);
        let facts = Facts {
            target: Some(self.request.target()),
            fields: Some(&self.request),
            ..Facts::new(address)
        };
        self.course.begin(pool, &facts, now);
        if let Err(error) = self.edit(http, is_trusted, client) {
            cold_path();
            self.refuse_fields(error, client, core);
            return Ok(());
        }
        if !client.bonds.is_empty()
            && let Some(bond) = client.bonds.take(pool)
        {
            cold_path();
            return self.resume(bond, asked, client, core);
        }
        self.choose(None, client, core)
    }

    /// What is answered to a request that came in on the wrong way: without TLS, or over that of another site.
    fn wrong_door(
        &self,
        view: &ListenerView,
        http: &HttpOptions,
        client: &Client,
    ) -> Option<(u16, End, Option<String>)> {
        let authority = self.request.authority().unwrap_or_default();
        if let Some(tls) = &client.peer.tls {
            let sites = &view.options().preface.tls.as_ref()?.sites;
            let authority = std::str::from_utf8(authority).unwrap_or_default();
            let is_right = tls.may_ask(sites, authority, client.side.stream());
            return (!is_right).then_some((421, End::Misdirected, None));
        }
        // A proxy in front that is believed may have ended TLS.
        let said = self.request.first("x-forwarded-proto");
        if !http.https.redirect
            || (http.trusts(client.peer.address()) && said.is_some_and(|said| said.eq_ignore_ascii_case(b"https")))
        {
            return None;
        }
        cold_path();
        // What is served here without TLS has a route: ACME's challenges, of whom some authorities ask nothing else.
        let query = Query {
            host: self.request.authority(),
            path: self.request.path(),
        };
        if http.routes.find(&query).is_some() {
            return None;
        }
        // Without a host nobody knows where to.
        let host = std::str::from_utf8(host_of(authority))
            .ok()
            .filter(|host| !host.is_empty());
        let target = std::str::from_utf8(self.request.target()).ok().and_then(path_of);
        Some(match host {
            Some(host) => (
                308,
                End::Respond,
                Some(format!("https://{host}{}", target.unwrap_or("/"))),
            ),
            None => (400, End::BadRequest, None),
        })
    }

    /// What we must add does not go in.
    #[cold]
    fn refuse_fields(&mut self, error: InvalidField, client: &mut Client, core: &Core) {
        let (status, end) = match error {
            InvalidField::Full => (431, End::HeadTooLarge),
            _ => (400, End::BadRequest),
        };
        self.course.detail = "no room or no valid value for the fields that are added";
        answer::respond(self, client, status, end, None, core);
    }

    /// What must the backend see? Nothing of the request is written before.
    fn edit(&mut self, http: &HttpOptions, is_trusted: bool, client: &Client) -> Result<(), InvalidField> {
        let how = forward::Forward {
            sender: &client.peer.sender,
            trusted: is_trusted,
            statements: http.statements,
            keep_upgrade: self.framing == Framing::Empty && upgrade::wanted(&self.request).is_some(),
            keep_expect: self.framing != Framing::Empty,
        };
        if how.keep_expect
            && answer::takes_interim(self.request.version())
            && self.request.expects_continue()
            && !client.side.has_input()
        {
            self.expect = Expect::Waits;
        }
        self.course.prepare(&mut self.request)?;
        forward::request(&mut self.request, &how)?;
        if http.https.tells_of_clients() {
            cold_path();
            self.identify(http.https, client)?;
        }
        Ok(())
    }

    /// Says who the client is by its certificate, and that alone: what the client says of it itself goes.
    #[inline(never)]
    fn identify(&mut self, https: HttpsOptions, client: &Client) -> Result<(), InvalidField> {
        for name in preface::CLIENT_LINES {
            while self.request.remove(name, 0) {}
        }
        let Some(tls) = &client.peer.tls else { return Ok(()) };
        if https.client_verify {
            self.request.append(preface::VERIFY, tls.client_verify().as_bytes())?;
        }
        for (name, value) in tls.client_lines(https) {
            self.request.append(name, value.as_bytes())?;
        }
        Ok(())
    }

    /// HTTP/1.0 without `Host`: many backends refuse an empty one, which is what they would get.
    #[inline(never)]
    fn add_host(&mut self, client: &Stream) -> Result<(), InvalidField> {
        // over a Unix domain socket somebody of this machine asks
        let text = client
            .local_socket()
            .map_or_else(|| "localhost".to_owned(), |local| local.to_string());
        let host = text.strip_suffix(":80").unwrap_or(&text);
        self.request.append("Host", host.as_bytes())
    }

    /// While the backend works: is the client still there?
    pub(super) fn watch_client(&mut self, cx: &mut Context<'_>, client: &mut Client, core: &Core) -> Result<(), Stop> {
        let Poll::Ready(ended) = client.side.poll_watch(cx, core) else {
            return Ok(());
        };
        cold_path();
        let http = self.view.as_ref().and_then(|view| view.http());
        // A request that is incomplete shows when its bytes are used up.
        if ended.is_err() || http.is_some_and(|http| http.abort_on_half_close) {
            return Err(Stop::Client(End::ClientReset));
        }
        Ok(())
    }
}

/// A target without scheme and host, if it has a path.
fn path_of(target: &str) -> Option<&str> {
    match target.split_once("://") {
        Some((_, rest)) if !target.starts_with('/') => rest.find('/').and_then(|at| rest.get(at..)),
        _ => Some(target).filter(|target| target.starts_with('/')),
    }
}

/// Without its port.
fn host_of(authority: &[u8]) -> &[u8] {
    match authority.iter().rposition(|b| matches!(b, b':' | b']')) {
        Some(colon) if authority.get(colon) == Some(&b':') => authority.get(..colon).unwrap_or_default(),
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_keeps_the_path_whatever_the_form_of_the_target() {
        for (target, path) in [
            ("/a?b", Some("/a?b")),
            ("/a?u=http://x/y", Some("/a?u=http://x/y")),
            ("http://host/a?b", Some("/a?b")),
            ("http://host", None),
            ("*", None),
        ] {
            assert_eq!(path_of(target), path, "{target}");
        }
        assert_eq!(host_of(b"site.example:8080"), b"site.example");
        assert_eq!(host_of(b"[::1]:80"), b"[::1]");
        assert_eq!(host_of(b"[::1]"), b"[::1]");
    }
}

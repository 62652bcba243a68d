mod client_ip;
mod cookie_insert;
mod hash_by;

use core::fmt;
use core::net::IpAddr;

use lb_types::{BackendId, Fields, FieldsMut, InvalidField, Now};

use crate::{Key, KeyShape};

pub use client_ip::{ClientIp, ClientIpOptions, NetmaskError};
pub use cookie_insert::{CookieInsert, CookieInsertError, CookieInsertOptions, Refresh};
pub use hash_by::HashBy;

/// A way to recognise a returning client. Shared by all threads; holds no state of clients.
///
/// For one request the caller uses, in this order, [`recall`](Self::recall),
/// [`prepare`](Self::prepare) and, when the reply is there, [`learn`](Self::learn).
pub trait Strategy: Send + Sync {
    /// What does the request say?
    fn recall(&self, facts: &Facts<'_>, now: Now) -> Recall;

    /// What its keys are made from; `None`, unless it is overridden: it has no keys and needs no table. A strategy that
    /// ever answers [`Recall::Lookup`] or [`Learn::Remember`] says it, or nobody keeps a table for it.
    ///
    /// Whoever replaces a strategy may hand its table to one with an equal shape, and to no other.
    fn key_shape(&self) -> Option<KeyShape> {
        None
    }

    /// Edits the request before it is forwarded: hides our cookie from the backend. Happens once
    /// per request; a retry sends the same bytes again. `recall` is what [`recall`](Self::recall) said
    /// of this request.
    ///
    /// # Errors
    /// [`InvalidField`] when the edited field cannot stand in the message.
    fn prepare(&self, recall: &Recall, request: &mut dyn FieldsMut) -> Result<(), InvalidField> {
        let _ = (recall, request);
        Ok(())
    }

    /// Edits the reply so that the client returns to `chosen`, or says which key to remember.
    ///
    /// # Errors
    /// [`InvalidField`] when the reply has no room for the field. The reply is still good: the
    /// client is served, only without stickiness.
    fn learn(&self, recall: &Recall, chosen: BackendId, reply: Reply<'_>, now: Now) -> Result<Learn, InvalidField> {
        let _ = (recall, chosen, reply, now);
        Ok(Learn::Nothing)
    }
}

/// What is known of a request or connection when its backend is chosen.
///
/// Built as `Facts { fields: Some(&head), ..Facts::new(client) }`.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The address of the client; behind trusted proxies, the one they name.
    pub client: IpAddr,
    /// The server name of the TLS hello.
    pub server_name: Option<&'a str>,
    /// The session id of the TLS hello.
    pub tls_session: Option<&'a [u8]>,
    /// The target of the HTTP request, as it was sent.
    pub target: Option<&'a [u8]>,
    /// The first bytes of a connection, or the first datagram of a flow.
    pub payload: Option<&'a [u8]>,
    /// The fields of the HTTP request.
    pub fields: Option<&'a dyn Fields>,
}

impl Facts<'_> {
    /// All that is known of a connection before its first byte.
    #[must_use]
    pub const fn new(client: IpAddr) -> Self {
        Self {
            client,
            server_name: None,
            tls_session: None,
            target: None,
            payload: None,
            fields: None,
        }
    }
}

impl fmt::Debug for Facts<'_> {
    /// Shows which facts there are; of the values only those that are no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("client", &self.client)
            .field("server_name", &self.server_name)
            .field("tls_session", &self.tls_session.is_some())
            .field("target_bytes", &self.target.map(<[u8]>::len))
            .field("payload_bytes", &self.payload.map(<[u8]>::len))
            .field("fields", &self.fields.is_some())
            .finish()
    }
}

/// What a request says about its backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recall {
    /// Nothing: the scheduler decides.
    Nothing,
    /// It carries something of ours that names no backend of the pool (any more): a forged, an old or
    /// a foreign cookie. The scheduler decides.
    Stale,
    /// It names a backend of the pool. Whether that backend is usable is for others to say.
    Backend {
        /// Which one.
        id: BackendId,
        /// What names it (a cookie) should be written again even if the backend stays.
        renew: bool,
    },
    /// It has a key: look it up in the pool's table, and claim it for the backend that is chosen.
    Lookup(Key),
    /// It has a value to hash backends by.
    Hash(u64),
}

/// What came back, for [`Strategy::learn`] to read or edit.
#[non_exhaustive]
pub enum Reply<'a> {
    /// The fields of the response, before they are sent to the client.
    Head(&'a mut dyn FieldsMut),
    /// The session id that the server chose in its TLS hello.
    TlsSession(&'a [u8]),
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head(_) => "Head(..)",
            Self::TlsSession(_) => "TlsSession(..)",
        })
    }
}

/// What is left to do after [`Strategy::learn`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Learn {
    /// Nothing.
    Nothing,
    /// Store this key for the chosen backend.
    Remember(Key),
}

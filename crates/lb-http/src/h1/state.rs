//! All states of a connection, and every way from one to another.

use super::framing::Framing;

/// Where reading stands in the current exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Before or inside a head.
    Head,
    /// In a body of known length.
    Length,
    /// In a chunked body.
    Chunked,
    /// Behind the last chunk.
    Trailers,
    /// In a body that ends with the connection.
    UntilClose,
    /// The message is complete.
    Done,
    /// The connection is no longer HTTP.
    Tunnel,
    /// The remote side broke the protocol; nothing more is read.
    Failed,
}

/// Where writing stands in the current exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// No final head yet (interim responses may have gone out).
    Head,
    /// In a body of known length.
    Length,
    /// In a chunked body.
    Chunked,
    /// In a body that ends with the connection.
    UntilClose,
    /// The message is complete.
    Done,
    /// The connection is no longer HTTP.
    Tunnel,
}

impl Reading {
    /// After a head that announces `framing`.
    pub(super) const fn after_head(framing: Framing) -> Self {
        match framing {
            Framing::Empty | Framing::Length(0) => Self::Done,
            Framing::Length(_) => Self::Length,
            Framing::Chunked => Self::Chunked,
            Framing::UntilClose => Self::UntilClose,
            Framing::Tunnel => Self::Tunnel,
        }
    }
}

impl Writing {
    /// After a head that announces `framing`.
    pub(super) const fn after_head(framing: Framing) -> Self {
        match framing {
            Framing::Empty | Framing::Length(0) => Self::Done,
            Framing::Length(_) => Self::Length,
            Framing::Chunked => Self::Chunked,
            Framing::UntilClose => Self::UntilClose,
            Framing::Tunnel => Self::Tunnel,
        }
    }
}

/// What the connection is good for after the current exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// The exchange is under way.
    Busy,
    /// Both messages are complete: [`start_next`](super::Conn::start_next), then the next exchange.
    Reuse,
    /// Nothing more can be exchanged: close.
    Close,
    /// A 101 went through: relay bytes both ways.
    Switch,
}

/// The table. `closing`: somebody said that this exchange is the last, or the input ended.
///
/// A server that has answered before the request was complete is busy until it has read the rest,
/// unless it is closing. A client whose response is complete first must close: the backend
/// would take what is left of the request for whatever it likes.
pub(super) const fn next(is_server: bool, reading: Reading, writing: Writing, closing: bool) -> Next {
    match (is_server, reading, writing) {
        (true, _, Writing::Tunnel) | (false, Reading::Tunnel, _) => Next::Switch,
        (true, Reading::Done, Writing::Done) | (false, Reading::Done, Writing::Done) => {
            if closing {
                Next::Close
            } else {
                Next::Reuse
            }
        }
        (true, _, Writing::Done) if closing => Next::Close,
        (false, Reading::Done | Reading::Failed, _) => Next::Close,
        _ => Next::Busy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: [Reading; 8] = [
        Reading::Head,
        Reading::Length,
        Reading::Chunked,
        Reading::Trailers,
        Reading::UntilClose,
        Reading::Done,
        Reading::Tunnel,
        Reading::Failed,
    ];
    const WRITING: [Writing; 6] = [
        Writing::Head,
        Writing::Length,
        Writing::Chunked,
        Writing::UntilClose,
        Writing::Done,
        Writing::Tunnel,
    ];

    #[test]
    fn a_server_follows_the_table() {
        // Rows: Reading; columns: Writing. B busy, R reuse, C close, S switch.
        let open = [
            "BBBBBS", "BBBBBS", "BBBBBS", "BBBBBS", "BBBBBS", "BBBBRS", "BBBBBS", "BBBBBS",
        ];
        let closing = [
            "BBBBCS", "BBBBCS", "BBBBCS", "BBBBCS", "BBBBCS", "BBBBCS", "BBBBCS", "BBBBCS",
        ];
        check(true, false, open);
        check(true, true, closing);
    }

    #[test]
    fn a_client_follows_the_table() {
        let open = [
            "BBBBBB", "BBBBBB", "BBBBBB", "BBBBBB", "BBBBBB", "CCCCRC", "SSSSSS", "CCCCCC",
        ];
        let closing = [
            "BBBBBB", "BBBBBB", "BBBBBB", "BBBBBB", "BBBBBB", "CCCCCC", "SSSSSS", "CCCCCC",
        ];
        check(false, false, open);
        check(false, true, closing);
    }

    fn check(is_server: bool, closing: bool, table: [&str; 8]) {
        for (reading, row) in READING.into_iter().zip(table) {
            for (writing, want) in WRITING.into_iter().zip(row.chars()) {
                let want = match want {
                    'B' => Next::Busy,
                    'R' => Next::Reuse,
                    'C' => Next::Close,
                    _ => Next::Switch,
                };
                let got = next(is_server, reading, writing, closing);
                assert_eq!(
                    got, want,
                    "server {is_server}, closing {closing}, {reading:?}, {writing:?}"
                );
            }
        }
    }

    #[test]
    fn a_head_leads_to_the_body_it_announces() {
        for (framing, reading, writing) in [
            (Framing::Empty, Reading::Done, Writing::Done),
            (Framing::Length(0), Reading::Done, Writing::Done),
            (Framing::Length(1), Reading::Length, Writing::Length),
            (Framing::Chunked, Reading::Chunked, Writing::Chunked),
            (Framing::UntilClose, Reading::UntilClose, Writing::UntilClose),
            (Framing::Tunnel, Reading::Tunnel, Writing::Tunnel),
        ] {
            assert_eq!(Reading::after_head(framing), reading);
            assert_eq!(Writing::after_head(framing), writing);
        }
    }
}

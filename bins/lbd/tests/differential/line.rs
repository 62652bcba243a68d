//! The two ends of the chain: a client that sends and judges, a backend that writes down what arrives.

use crate::hostile::Reaches;
use crate::request::{Case, Expected, is_compared};
use crate::support::{Backend, Broken, Client, Message, answer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// When the request behind a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    AfterTheAnswer,
    InTheSameBytes,
}

/// A client's side of the chain.
pub(crate) struct Line<'a> {
    pub(crate) listener: SocketAddr,
    pub(crate) client: Client,
    pub(crate) recorder: &'a Recorder,
    pub(crate) marks: u32,
}

impl Line<'_> {
    /// Everything expected arrives, alone and unchanged, and the marker behind it.
    pub(crate) fn check(&mut self, case: &Case, when: Marker) {
        self.recorder.clear();
        let (marker, mark) = self.marker();
        let mut bytes = case.bytes.clone();
        if when == Marker::InTheSameBytes {
            bytes.extend_from_slice(&marker);
        }
        self.client.send(&bytes);
        for expected in &case.expected {
            let response = self.client.response_to(&expected.method);
            let response = response.unwrap_or_else(|broken| panic!("{when:?}: {broken:?}\n{case}"));
            assert_eq!(response.status(), 200, "{when:?}: {response:?}\n{case}");
            assert_eq!(
                response.text(),
                expected.answer(),
                "{when:?}: the answer to another request\n{case}"
            );
        }
        if case.closes {
            assert!(self.client.is_closed(), "the connection ends\n{case}");
            self.client = Client::connect(self.listener);
        }
        if when == Marker::AfterTheAnswer {
            self.client.send(&marker);
        }
        assert_eq!(self.client.response().text(), format!("GET {mark}"), "{when:?}\n{case}");
        let mut expected = case.expected.clone();
        expected.push(marked(&mark));
        assert_eq!(self.recorder.messages(), expected, "{when:?}\n{case}");
        assert_eq!(
            self.recorder.heads(),
            expected.len(),
            "{when:?}: half a message\n{case}"
        );
    }

    /// Refused by lbd itself; nothing arrives before or behind the marker on a new connection.
    pub(crate) fn check_refused(&mut self, sent: &[u8], reaches: Reaches) {
        let shown = String::from_utf8_lossy(sent);
        self.recorder.clear();
        let mut client = Client::connect(self.listener);
        client.send(sent);
        let response = client.response_to("GET");
        let response = response.unwrap_or_else(|broken| panic!("{broken:?}\n{shown}"));
        assert!(response.status() >= 400, "{response:?}\n{shown}");
        let by_lbd = response
            .get("proxy-status")
            .is_some_and(|text| text.starts_with("lbd;"));
        assert!(by_lbd, "the peer had to refuse it: {response:?}\n{shown}");
        assert!(
            matches!(client.head(), Err(Broken::Closed | Broken::Io(_))),
            "the connection ends after the refusal\n{shown}"
        );
        let (marker, mark) = self.marker();
        self.client = Client::connect(self.listener);
        assert_eq!(self.client.exchange(marker).text(), format!("GET {mark}"), "{shown}");
        assert_eq!(self.recorder.messages(), [marked(&mark)], "{shown}");
        if reaches == Reaches::Nobody {
            assert_eq!(self.recorder.heads(), 1, "{shown}");
        }
    }

    fn marker(&mut self) -> (Vec<u8>, String) {
        self.marks += 1;
        let target = format!("/marker/{}", self.marks);
        let bytes = format!("GET {target} HTTP/1.1\r\nHost: test.example\r\nX-T: mark\r\n\r\n");
        (bytes.into_bytes(), target)
    }
}

fn marked(target: &str) -> Expected {
    Expected {
        method: "GET".to_owned(),
        target: target.to_owned(),
        fields: vec![("x-t".to_owned(), "mark".to_owned())],
        body: Vec::new(),
    }
}

/// A backend that writes down each message and answers with its method and target.
pub(crate) struct Recorder {
    pub(crate) backend: Backend,
    log: Arc<Mutex<Log>>,
}

#[derive(Debug, Default)]
struct Log {
    heads: usize,
    messages: Vec<Expected>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        let backend = Backend::start(move |mut conn| {
            while let Ok(head) = conn.head() {
                shared.lock().unwrap().heads += 1;
                let Ok(message) = conn.body(&head) else { return };
                let message = seen(message);
                let text = message.answer();
                shared.lock().unwrap().messages.push(message);
                if !conn.send(answer(200, "", text.as_bytes())) {
                    return;
                }
            }
        });
        Self { backend, log }
    }

    pub(crate) fn clear(&self) {
        *self.log.lock().unwrap() = Log::default();
    }

    pub(crate) fn heads(&self) -> usize {
        self.log.lock().unwrap().heads
    }

    pub(crate) fn messages(&self) -> Vec<Expected> {
        self.log.lock().unwrap().messages.clone()
    }
}

/// What is compared of a message; the whole first line must be method, target and version.
fn seen(message: Message) -> Expected {
    let words: Vec<&str> = message.head.line.split(' ').collect();
    assert!(
        matches!(words[..], [_, _, "HTTP/1.1"]),
        "request line {:?}",
        message.head.line
    );
    let framing = message.head.all("content-length").len() + message.head.all("transfer-encoding").len();
    assert!(framing <= 1, "one body, one length: {message:?}");
    Expected {
        method: words[0].to_owned(),
        target: words[1].to_owned(),
        fields: message
            .head
            .fields
            .into_iter()
            .filter(|(name, _)| is_compared(name))
            .collect(),
        body: message.body,
    }
}

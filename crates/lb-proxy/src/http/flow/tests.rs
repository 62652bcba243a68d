use super::*;
use crate::buffer::Buffer;
use crate::http::client::ClientSide;
use crate::http::upstream::UpstreamSide;
use crate::options::HttpOptions;
use lb_http::h1::Framing;
use lb_net::Stream;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::sync::Arc;

async fn pair() -> (Stream, std::net::TcpStream) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().await.unwrap().0.into(), other)
}

/// A client that sends a body of this length, a backend to which its head was sent, and both of their other ends.
struct Upload {
    flow: Flow,
    client: ClientSide,
    upstream: UpstreamSide,
    source: std::net::TcpStream,
    reader: std::net::TcpStream,
}

impl Upload {
    async fn new(length: u64, core: &Core) -> Self {
        let (io, mut source) = pair().await;
        let (backend, mut reader) = pair().await;
        let http = HttpOptions::for_tests();
        let mut client = ClientSide::h1(io, &http, Buffer::empty(), core);
        let text = format!("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        source.write_all(text.as_bytes()).unwrap();
        let mut head = Head::with_capacity(256, 8);
        let came = loop {
            client.stream().arrived().await.unwrap();
            match poll_fn(|cx| client.poll_head(cx, &mut head, core)).await.unwrap() {
                crate::http::client::Came::Request(framing) => break framing,
                _ => tokio::task::yield_now().await,
            }
        };
        assert_eq!(came, Framing::Length(length));
        let mut upstream = UpstreamSide::new();
        upstream.open(backend);
        upstream.write_head(&head, came, &Arc::default(), core).unwrap();
        upstream.set_replay(crate::http::out::Replay::FromOut);
        let mut flow = Flow::new();
        poll_fn(|cx| flow.poll_flush(cx, &mut client, &mut upstream))
            .await
            .unwrap();
        let sent = upstream.sent() as usize;
        reader.read_exact(&mut vec![0; sent]).unwrap();
        assert!(upstream.can_replay(), "a head can be sent again");
        Self {
            flow,
            client,
            upstream,
            source,
            reader,
        }
    }

    async fn splice(&mut self, core: &Core) -> Bulk {
        let (flow, client, upstream) = (&mut self.flow, &mut self.client, &mut self.upstream);
        poll_fn(|cx| flow.poll_splice(cx, client, upstream, core))
            .await
            .unwrap()
    }

    async fn flush(&mut self) {
        let (flow, client, upstream) = (&mut self.flow, &mut self.client, &mut self.upstream);
        poll_fn(|cx| flow.poll_flush(cx, client, upstream)).await.unwrap();
    }

    fn is_flushed(&self) -> bool {
        self.flow.is_flushed(&self.upstream)
    }
}

#[tokio::test]
async fn what_is_left_of_a_body_decides_whether_it_is_copied() {
    let core = Core::new(Arc::default());
    for (length, is_moved) in [(BULK - 1, false), (BULK, true)] {
        let mut upload = Upload::new(length, &core).await;
        upload.source.write_all(&[b'x'; 1000]).unwrap();
        let came = upload.splice(&core).await;
        assert_eq!(matches!(came, Bulk::Moved), is_moved, "{came:?}");
        assert_eq!(upload.flow.is_bulk, is_moved);
        assert_eq!(upload.flow.payload(), if is_moved { 1000 } else { 0 });
    }
}

#[tokio::test]
async fn what_goes_by_is_counted_by_both_sides_and_not_flushed_before_it_left() {
    let core = Core::new(Arc::default());
    let mut upload = Upload::new(BULK, &core).await;
    let head = upload.upstream.sent();
    let body: Vec<u8> = (0..BULK).map(|i| (i % 251) as u8).collect();
    let (first, rest) = body.split_at(1000);
    upload.source.write_all(first).unwrap();
    assert!(matches!(upload.splice(&core).await, Bulk::Moved));
    assert_eq!(upload.client.bulk().unwrap().1, BULK - 1000);
    assert_eq!(upload.upstream.room(), Some(BULK - 1000));
    assert_eq!(
        (upload.flow.payload(), upload.upstream.sent(), upload.is_flushed()),
        (1000, head, false)
    );
    assert!(!upload.upstream.can_replay(), "what went by cannot be sent again");
    upload.flow.give_empty(&core);
    assert!(!upload.is_flushed(), "a pipe with bytes inside is kept");
    upload.flush().await;
    assert_eq!(
        (upload.flow.payload(), upload.upstream.sent(), upload.is_flushed()),
        (1000, head + 1000, true)
    );
    upload.flow.give_empty(&core);
    assert!(upload.flow.splice.is_none(), "an empty one goes back");
    // The rest goes the same way although less than the threshold is left, and what follows
    // the body stays.
    upload.source.write_all(rest).unwrap();
    upload.source.write_all(b"next").unwrap();
    while !upload.client.reading_done() {
        assert!(matches!(upload.splice(&core).await, Bulk::Moved));
        upload.flush().await;
    }
    assert_eq!(upload.upstream.room(), None, "the message is written");
    assert_eq!((upload.flow.payload(), upload.upstream.sent()), (BULK, head + BULK));
    let mut got = vec![0; body.len()];
    upload.reader.read_exact(&mut got).unwrap();
    assert!(got == body, "the body differs");
    let mut next = [0; 16];
    let io = upload.client.stream();
    io.arrived().await.unwrap();
    assert_eq!(io.try_recv(&mut next).unwrap().unwrap(), 4);
}

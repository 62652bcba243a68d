//! What a proxy on tokio costs at least, on one thread.
//!
//! - `bare-tokio l4 LISTEN UP[,UP..]` copies bytes, one upstream connection for each of the client's.
//! - `bare-tokio l7 LISTEN UP[,UP..]` parses both heads with httparse, keeps upstream connections, drops
//!   hop-by-hop fields and adds X-Forwarded-For; bodies with Content-Length only.
//!
//! It has no timers, no limits and no log and does not notice a client that leaves: to measure against, not to use.
use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

async fn write_all(s: &TcpStream, mut b: &[u8]) -> io::Result<()> {
    while !b.is_empty() {
        match s.try_write(b) {
            Ok(n) => b = &b[n..],
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => s.writable().await?,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// `poll_read`, not `readable` and `try_read`: only it takes note of a short read, so that the next wait does not
/// begin with a recv that finds nothing.
async fn read_some(s: &mut TcpStream, b: &mut [u8]) -> io::Result<usize> {
    s.read(b).await
}

async fn l4(mut c: TcpStream, up: SocketAddr) -> io::Result<()> {
    let mut u = TcpStream::connect(up).await?;
    u.set_nodelay(true)?;
    let mut buf = vec![0u8; 65536];
    loop {
        // one task, both directions, one shared buffer
        let (n, from_c) = poll_fn(|cx| {
            for (s, from_c) in [(&mut c, true), (&mut u, false)] {
                let mut rb = ReadBuf::new(&mut buf);
                if let Poll::Ready(r) = Pin::new(s).poll_read(cx, &mut rb) {
                    return Poll::Ready(r.map(|_| (rb.filled().len(), from_c)));
                }
            }
            Poll::Pending
        })
        .await?;
        if n == 0 {
            return Ok(());
        }
        write_all(if from_c { &u } else { &c }, &buf[..n]).await?;
    }
}

struct Pool {
    ups: Vec<SocketAddr>,
    idle: Vec<Vec<TcpStream>>,
    rr: usize,
}

const HOP: [&str; 4] = ["connection", "keep-alive", "proxy-connection", "te"];

async fn l7(mut c: TcpStream, peer: SocketAddr, pool: Rc<RefCell<Pool>>) -> io::Result<()> {
    let bad = || io::Error::from(io::ErrorKind::InvalidData);
    let mut cb = vec![0u8; 16384];
    let mut ub = vec![0u8; 65536];
    let mut out: Vec<u8> = Vec::with_capacity(16384);
    let mut have = 0;
    let ip = peer.ip().to_string();
    loop {
        let n = read_some(&mut c, &mut cb[have..]).await?;
        if n == 0 {
            return Ok(());
        }
        have += n;
        let mut close = false;
        let used = {
            let mut hs = [httparse::EMPTY_HEADER; 64];
            let mut rq = httparse::Request::new(&mut hs);
            let used = match rq.parse(&cb[..have]).map_err(|_| bad())? {
                httparse::Status::Complete(n) => n,
                httparse::Status::Partial => continue,
            };
            out.clear();
            out.extend_from_slice(rq.method.unwrap().as_bytes());
            out.push(b' ');
            out.extend_from_slice(rq.path.unwrap().as_bytes());
            out.extend_from_slice(b" HTTP/1.1\r\n");
            for h in rq.headers.iter() {
                if HOP.iter().any(|x| h.name.eq_ignore_ascii_case(x)) {
                    close |= h.value.eq_ignore_ascii_case(b"close");
                    continue;
                }
                out.extend_from_slice(h.name.as_bytes());
                out.extend_from_slice(b": ");
                out.extend_from_slice(h.value);
                out.extend_from_slice(b"\r\n");
            }
            write!(out, "X-Forwarded-For: {ip}\r\n\r\n")?;
            used
        };
        cb.copy_within(used..have, 0);
        have -= used;

        let (idx, reused, addr) = {
            let mut p = pool.borrow_mut();
            p.rr = (p.rr + 1) % p.ups.len();
            let i = p.rr;
            (i, p.idle[i].pop(), p.ups[i])
        };
        let mut u = match reused {
            Some(s) => s,
            None => {
                let s = TcpStream::connect(addr).await?;
                s.set_nodelay(true)?;
                s
            }
        };
        write_all(&u, &out).await?;
        let mut uh = 0;
        let (hl, clen) = loop {
            let n = read_some(&mut u, &mut ub[uh..]).await?;
            if n == 0 {
                return Err(bad());
            }
            uh += n;
            let mut hs = [httparse::EMPTY_HEADER; 64];
            let mut rs = httparse::Response::new(&mut hs);
            if let httparse::Status::Complete(n) = rs.parse(&ub[..uh]).map_err(|_| bad())? {
                out.clear();
                write!(out, "HTTP/1.1 {} ", rs.code.unwrap())?;
                out.extend_from_slice(rs.reason.unwrap_or("").as_bytes());
                out.extend_from_slice(b"\r\n");
                let mut cl = None;
                for h in rs.headers.iter() {
                    if HOP.iter().any(|x| h.name.eq_ignore_ascii_case(x)) {
                        continue;
                    }
                    if h.name.eq_ignore_ascii_case("content-length") {
                        cl = std::str::from_utf8(h.value).ok().and_then(|s| s.parse::<usize>().ok());
                    }
                    out.extend_from_slice(h.name.as_bytes());
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(h.value);
                    out.extend_from_slice(b"\r\n");
                }
                if close {
                    out.extend_from_slice(b"Connection: close\r\n");
                }
                out.extend_from_slice(b"\r\n");
                break (n, cl.ok_or_else(bad)?);
            }
        };
        let mut left = clen.checked_sub(uh - hl).ok_or_else(bad)?;
        out.extend_from_slice(&ub[hl..uh]); // small bodies leave with the head in one send
        write_all(&c, &out).await?;
        while left > 0 {
            let n = read_some(&mut u, &mut ub).await?;
            if n == 0 || n > left {
                return Err(bad());
            }
            left -= n;
            write_all(&c, &ub[..n]).await?;
        }
        pool.borrow_mut().idle[idx].push(u);
        if close {
            return Ok(());
        }
    }
}

fn main() {
    let a: Vec<String> = std::env::args().collect();
    let ups: Vec<SocketAddr> = a[3].split(',').map(|s| s.parse().unwrap()).collect();
    let rt = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    let set = tokio::task::LocalSet::new();
    set.block_on(&rt, async move {
        let s = tokio::net::TcpSocket::new_v4().unwrap();
        s.set_reuseaddr(true).unwrap();
        s.bind(a[2].parse().unwrap()).unwrap();
        let l: TcpListener = s.listen(4096).unwrap();
        let pool = Rc::new(RefCell::new(Pool {
            idle: ups.iter().map(|_| vec![]).collect(),
            ups: ups.clone(),
            rr: 0,
        }));
        let mut rr = 0;
        loop {
            let Ok((c, peer)) = l.accept().await else { continue };
            let _ = c.set_nodelay(true);
            rr += 1;
            let up = ups[rr % ups.len()];
            if a[1] == "l4" {
                tokio::task::spawn_local(async move {
                    let _ = l4(c, up).await;
                });
            } else {
                let pool = pool.clone();
                tokio::task::spawn_local(async move {
                    let _ = l7(c, peer, pool).await;
                });
            }
        }
    });
}

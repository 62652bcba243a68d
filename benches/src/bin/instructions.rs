//! Runs one piece of a request so many times, for a tool that counts instructions.
//!
//! `instructions PIECE COUNT`; without arguments it lists the pieces. `benches/instructions.sh` runs it.
#![allow(clippy::print_stdout, reason = "a program")]

use lb_benches::Stickiness;
use lb_benches::pieces::{Codec, Pick, Remembered, Routing};
use lb_benches::scheduling::Picks;
use lb_sched::Algorithm;
use lb_types::Rng;
use std::env;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [piece, count] = arguments.as_slice() else {
        println!("{}", PIECES.join("\n"));
        for algorithm in Algorithm::ALL {
            println!("schedule-{algorithm}-64");
        }
        return Ok(());
    };
    let count: u32 = count.parse()?;
    let mut run: Box<dyn FnMut()> = match piece.as_str() {
        "read" => {
            let mut codec = Codec::default();
            Box::new(move || codec.read())
        }
        "write" => {
            let mut codec = Codec::default();
            Box::new(move || codec.write())
        }
        "read-forward-write" => {
            let mut codec = Codec::default();
            Box::new(move || codec.pass_on())
        }
        "pick-2" => pick(2)?,
        "pick-100" => pick(100)?,
        "route-short" => route(b"/a/b?x", 4)?,
        "route-plain" => route(b"/shop/catalogue/winter/coats.html?page=3&sort=price", 4)?,
        "route-escaped" => route(b"/static/Gr%C3%BC%C3%9Fe%20aus%20K%C3%B6ln.pdf", 1)?,
        "recall-cookie" => recall(Stickiness::Cookie)?,
        "recall-client-ip" => recall(Stickiness::ClientIp)?,
        other => schedule(other).ok_or_else(|| format!("no piece {other}; there are: {}", PIECES.join(", ")))?,
    };
    for _ in 0..count {
        run();
    }
    Ok(())
}

const PIECES: [&str; 10] = [
    "read",
    "write",
    "read-forward-write",
    "pick-2",
    "pick-100",
    "route-short",
    "route-plain",
    "route-escaped",
    "recall-cookie",
    "recall-client-ip",
];

/// `schedule-ALGORITHM-BACKENDS`, with any number of backends.
fn schedule(piece: &str) -> Option<Box<dyn FnMut()>> {
    let (word, backends) = piece.strip_prefix("schedule-")?.rsplit_once('-')?;
    let picks = Picks::new(word.parse::<Algorithm>().ok()?, backends.parse().ok()?).ok()?;
    let mut rng = Rng::new(1);
    Some(Box::new(move || _ = picks.pick(&mut rng)))
}

fn pick(count: u16) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
    let mut pick = Pick::new(count)?;
    Ok(Box::new(move || pick.run()))
}

fn route(path: &'static [u8], pool: usize) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
    let routing = Routing::new()?;
    Ok(Box::new(move || routing.run(path, pool)))
}

fn recall(stickiness: Stickiness) -> Result<Box<dyn FnMut()>, Box<dyn Error>> {
    let client = Remembered::new(stickiness)?;
    Ok(Box::new(move || client.run()))
}

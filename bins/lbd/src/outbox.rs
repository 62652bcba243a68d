//! Lines on their way to standard error, where perhaps nobody reads.
//!
//! A pipe that nobody reads is full after 64 KiB, and a write to it waits for ever; with one worker the thread that
//! waits would be the one that carries traffic. So a line is written at once only where that cannot wait, else by a
//! thread, which lives as long as it has something to write: a process of one thread is cheaper.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Texts that wait to be written, in their order.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    written: Condvar,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    /// A thread is there that writes.
    is_written: bool,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                bytes: 0,
                dropped: 0,
                is_written: false,
            }),
            written: Condvar::new(),
        }
    }

    /// Writes a text, now or later, or drops and counts it: never waits for whoever reads. `alone`: nobody else writes
    /// to `out`.
    pub(crate) fn send<W: Write + AsFd + Send + 'static>(&'static self, text: String, mut out: W, alone: bool) {
        let mut state = self.locked();
        if !state.is_written && state.waiting.is_empty() && alone && text.len() <= AT_ONCE && has_room(&out) {
            // Nobody may be there, and the disk may be full.
            let _ = out.write_all(text.as_bytes());
            return;
        }
        if state.waiting.is_empty() || state.bytes.saturating_add(text.len()) <= MOST_BYTES {
            state.bytes = state.bytes.saturating_add(text.len());
            state.waiting.push_back(text);
        } else {
            state.dropped += 1;
        }
        if !state.is_written {
            let thread = std::thread::Builder::new().name("notes".to_owned());
            // Without a thread the lines wait for the next one.
            state.is_written = thread.spawn(move || self.write(out)).is_ok();
        }
    }

    /// Writes what waits, until nothing does.
    fn write(&self, mut out: impl Write) {
        let mut state = self.locked();
        while let Some(text) = state.waiting.pop_front() {
            state.bytes = state.bytes.saturating_sub(text.len());
            drop(state);
            let _ = out.write_all(text.as_bytes());
            state = self.locked();
            let dropped = std::mem::take(&mut state.dropped);
            if dropped > 0 {
                let line = format!("lbd: {dropped} notes were dropped here: standard error was not read\n");
                // At the place where they are missing: behind all that waited before.
                state.bytes = state.bytes.saturating_add(line.len());
                state.waiting.push_back(line);
            }
        }
        state.is_written = false;
        drop(state);
        self.written.notify_all();
    }

    /// Waits until everything was written, but no longer than this.
    pub(crate) fn finish(&self, patience: Duration) {
        let state = self.locked();
        let waits = |state: &mut State| state.is_written;
        drop(self.written.wait_timeout_while(state, patience, waits));
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Whoever panicked with it left whole lines behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Can so much be written without waiting? A pipe says so when it has room for `PIPE_BUF` bytes.
fn has_room(out: &impl AsFd) -> bool {
    let mut asked = [PollFd::new(out, PollFlags::OUT)];
    let now = Timespec::default();
    let answered = poll(&mut asked, Some(&now));
    let [asked] = asked;
    // Of an end that is closed a write says so at once.
    answered.is_ok_and(|count| count > 0) && !asked.revents().is_empty()
}

/// `PIPE_BUF` of Linux.
const AT_ONCE: usize = 4096;
/// Texts that wait while nobody reads; one is taken however long it is.
const MOST_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::OwnedFd;

    fn pipe() -> (File, OwnedFd) {
        let (read, write) = rustix::pipe::pipe().unwrap();
        (File::from(read), write)
    }

    fn send(outbox: &'static Outbox, text: &str, to: &OwnedFd) {
        outbox.send(text.to_owned(), File::from(to.try_clone().unwrap()), true);
    }

    /// Writes until there is room for nothing; says how many bytes that took.
    fn fill(pipe: &OwnedFd) -> usize {
        let flags = fcntl_getfl(pipe).unwrap();
        fcntl_setfl(pipe, flags | OFlags::NONBLOCK).unwrap();
        let mut filled = 0;
        while let Ok(len) = rustix::io::write(pipe, b"f") {
            filled += len;
        }
        fcntl_setfl(pipe, flags).unwrap();
        filled
    }

    #[test]
    fn a_line_that_can_be_written_is_written_at_once_and_without_a_thread() {
        static OUTBOX: Outbox = Outbox::new();
        let (mut reader, writer) = pipe();
        send(&OUTBOX, "lbd: hello\n", &writer);
        assert!(!OUTBOX.locked().is_written);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "lbd: hello\n");
    }

    #[test]
    fn where_nobody_reads_lines_wait_in_their_order_and_what_is_too_much_is_dropped_and_counted() {
        static OUTBOX: Outbox = Outbox::new();
        let (mut reader, writer) = pipe();
        let line = |n: usize| format!("{n:06} {}\n", "x".repeat(92));
        let filled = fill(&writer);
        send(&OUTBOX, &line(0), &writer);
        // The thread has it in its hands, and no room for it: what it took later would make room for others.
        while OUTBOX.locked().bytes > 0 {
            std::thread::yield_now();
        }
        for n in 1..5_000 {
            send(&OUTBOX, &line(n), &writer);
        }
        OUTBOX.finish(Duration::ZERO); // waits for nobody
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        let text = text.split_off(filled);
        let (kept, said) = text.split_at(text.find("lbd: ").unwrap());
        let kept: Vec<&str> = kept.lines().collect();
        for (n, kept) in kept.iter().enumerate() {
            assert_eq!(*kept, line(n).trim_end(), "the first ones are kept, in order");
        }
        // Beside that one 256 KiB wait, in lines of 100 bytes.
        assert_eq!(kept.len(), 1 + 2_621);
        let dropped = 5_000 - kept.len();
        assert_eq!(
            said,
            format!("lbd: {dropped} notes were dropped here: standard error was not read\n")
        );
        OUTBOX.finish(Duration::from_secs(10));
        assert!(!OUTBOX.locked().is_written, "the thread ended");
    }

    #[test]
    fn one_long_text_is_taken_whole_and_a_closed_end_holds_nobody_up() {
        static OUTBOX: Outbox = Outbox::new();
        let (mut reader, writer) = pipe();
        let long = "y".repeat(1_000_000);
        send(&OUTBOX, &long, &writer);
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text.len(), long.len());
        OUTBOX.finish(Duration::from_secs(10));
        let (reader, writer) = pipe();
        drop(reader);
        send(&OUTBOX, "nobody\n", &writer);
        send(&OUTBOX, &long, &writer);
        OUTBOX.finish(Duration::from_secs(10));
        assert!(!OUTBOX.locked().is_written);
    }
}

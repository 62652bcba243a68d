use super::name::is_token;
use super::{Head, Kind, check_target};
use core::ops::Range;

impl Head {
    /// Can the request line be written without becoming two? True for all that was read.
    pub(crate) fn is_writable(&self) -> bool {
        self.line_end != 0 || (is_token(self.method()) && check_target(self.target()).is_ok())
    }

    /// Writes the start line of a message of HTTP/1.1 and all fields whose names are not in
    /// `skip`. Pieces that stand in the arena as they must be written are copied in one go.
    pub(crate) fn write(&self, skip: u64, out: &mut Vec<u8>) {
        let mut run = 0..self.line_end;
        if run.is_empty() {
            self.write_start_line(out);
        }
        for field in self.index.iter().filter(|f| f.live && f.name.bit() & skip == 0) {
            let end = field.value_at.wrapping_add(field.value_len).wrapping_add(2);
            if field.whole {
                if run.end != field.name_at {
                    self.write_run(&run, out);
                    run.start = field.name_at;
                }
                run.end = end;
            } else {
                self.write_run(&run, out);
                run = 0..0;
                out.extend_from_slice(self.name_of(field));
                out.extend_from_slice(b": ");
                out.extend_from_slice(self.value_of(field));
                out.extend_from_slice(b"\r\n");
            }
        }
        self.write_run(&run, out);
    }

    fn write_start_line(&self, out: &mut Vec<u8>) {
        match self.kind {
            Kind::Request => {
                out.extend_from_slice(self.method());
                out.push(b' ');
                out.extend_from_slice(self.target());
                out.extend_from_slice(b" HTTP/1.1\r\n");
            }
            Kind::Response => {
                out.extend_from_slice(b"HTTP/1.1 ");
                crate::h1::decimal(u64::from(self.status), out);
                out.push(b' ');
                out.extend_from_slice(self.reason());
                out.extend_from_slice(b"\r\n");
            }
            Kind::Empty | Kind::Trailers => {}
        }
    }

    fn write_run(&self, run: &Range<u32>, out: &mut Vec<u8>) {
        if let Some(bytes) = self.arena.get(run.start as usize..run.end as usize) {
            out.extend_from_slice(bytes);
        }
    }
}

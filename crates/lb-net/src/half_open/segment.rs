#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::net::{IpAddr, SocketAddr};

/// The SYN of one probe, and what an answer to it looks like. No I/O.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) sequence: u32,
}

/// What the other side said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// SYN-ACK.
    Accepted,
    /// RST.
    Refused,
}

impl Segment {
    /// The TCP header with the option for the largest segment: RFC 9293, section 3.1.
    pub(super) fn syn(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(24);
        bytes.extend(self.local.port().to_be_bytes());
        bytes.extend(self.remote.port().to_be_bytes());
        bytes.extend(self.sequence.to_be_bytes());
        bytes.extend([0; 4]); // acknowledges nothing
        bytes.extend([6 << 4, SYN]); // six words of header
        bytes.extend(u16::MAX.to_be_bytes()); // window
        bytes.extend([0; 4]); // checksum, urgent pointer
        bytes.extend([2, 4]); // maximum segment size
        bytes.extend(if self.local.is_ipv4() { 1_460_u16 } else { 1_440 }.to_be_bytes());
        let sum = checksum(self.local.ip(), self.remote.ip(), &bytes);
        if let Some(place) = bytes.get_mut(CHECKSUM..CHECKSUM.saturating_add(2)) {
            place.copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }

    /// What `packet` says about our SYN; `None`: nothing. Of IPv4 the packet begins with the IP header, of IPv6 with
    /// the TCP header, as raw sockets have it.
    pub(super) fn judge(&self, packet: &[u8]) -> Option<Answer> {
        let header = if self.local.is_ipv4() {
            let words = packet.first()? & 0x0f;
            packet.get(usize::from(words).saturating_mul(4)..)?
        } else {
            packet
        };
        let (from, rest) = header.split_first_chunk::<2>()?;
        let (to, rest) = rest.split_first_chunk::<2>()?;
        let (_sequence, rest) = rest.split_first_chunk::<4>()?;
        let (acknowledged, rest) = rest.split_first_chunk::<4>()?;
        let flags = rest.get(1)? & (SYN | ACK | RST);
        let is_ours = u16::from_be_bytes(*from) == self.remote.port()
            && u16::from_be_bytes(*to) == self.local.port()
            && u32::from_be_bytes(*acknowledged) == self.sequence.wrapping_add(1);
        match flags {
            _ if !is_ours => None,
            flags if flags == SYN | ACK => Some(Answer::Accepted),
            flags if flags == RST | ACK => Some(Answer::Refused),
            _ => None,
        }
    }
}

/// The Internet checksum over pseudo header and segment: RFC 9293, section 3.1; RFC 8200, section 8.1.
fn checksum(from: IpAddr, to: IpAddr, segment: &[u8]) -> u16 {
    let mut pseudo = Vec::with_capacity(40);
    for address in [from, to] {
        match address {
            IpAddr::V4(v4) => pseudo.extend(v4.octets()),
            IpAddr::V6(v6) => pseudo.extend(v6.octets()),
        }
    }
    pseudo.extend([0, PROTOCOL_TCP]);
    pseudo.extend(u16::try_from(segment.len()).unwrap_or(u16::MAX).to_be_bytes());
    let mut sum: u32 = 0;
    for pair in pseudo.chunks(2).chain(segment.chunks(2)) {
        let word = match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        };
        sum = sum.saturating_add(u32::from(word));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff).saturating_add(sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
/// Where the checksum stands in the header.
const CHECKSUM: usize = 16;
const PROTOCOL_TCP: u8 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    fn segment() -> Segment {
        Segment {
            local: "192.0.2.1:40000".parse().unwrap(),
            remote: "192.0.2.2:80".parse().unwrap(),
            sequence: 0x0102_0304,
        }
    }

    /// An IPv4 header of `words` words, then ports, numbers and flags.
    fn packet(words: u8, from: u16, to: u16, acknowledged: u32, flags: u8) -> Vec<u8> {
        let mut bytes = vec![0x40 | words];
        bytes.resize(usize::from(words) * 4, 0);
        bytes.extend(from.to_be_bytes());
        bytes.extend(to.to_be_bytes());
        bytes.extend([9; 4]);
        bytes.extend(acknowledged.to_be_bytes());
        bytes.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_syn_is_a_header_of_six_words_with_a_right_checksum() {
        let bytes = segment().syn();
        // by hand: the words of pseudo header (192.0.2.1, 192.0.2.2, 6, 24) and segment (40000 = 0x9c40, 80 = 0x0050)
        let sum: u32 = [
            0xc000, 0x0201, 0xc000, 0x0202, 0x0006, 0x0018, 0x9c40, 0x0050, 0x0102, 0x0304, 0x6002, 0xffff, 0x0204,
            0x05b4,
        ]
        .iter()
        .sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        let expected = !(u16::try_from(folded).unwrap());
        assert_eq!(bytes.len(), 24);
        assert_eq!(bytes.get(12..14), Some(&[0x60, 0x02][..]));
        assert_eq!(bytes.get(16..18), Some(&expected.to_be_bytes()[..]));
    }

    #[test]
    fn only_the_answer_to_this_syn_counts() {
        let ours = segment();
        let next = 0x0102_0305;
        for words in [5, 15] {
            assert_eq!(
                ours.judge(&packet(words, 80, 40_000, next, 0x12)),
                Some(Answer::Accepted)
            );
            assert_eq!(
                ours.judge(&packet(words, 80, 40_000, next, 0x14)),
                Some(Answer::Refused)
            );
        }
        for (from, to, acknowledged, flags) in [
            (81, 40_000, next, 0x12),
            (80, 40_001, next, 0x12),
            (80, 40_000, next - 1, 0x12),
            (80, 40_000, next + 1, 0x14),
            (80, 40_000, next, 0x10),
            (80, 40_000, next, 0x02),
            (80, 40_000, next, 0x04),
        ] {
            assert_eq!(ours.judge(&packet(5, from, to, acknowledged, flags)), None);
        }
    }

    #[test]
    fn a_packet_that_is_cut_anywhere_says_nothing() {
        let whole = packet(5, 80, 40_000, 0x0102_0305, 0x12);
        for len in 0..34 {
            assert_eq!(segment().judge(whole.get(..len).unwrap()), None, "{len}");
        }
        let lying = packet(15, 80, 40_000, 0x0102_0305, 0x12);
        assert_eq!(segment().judge(lying.get(..40).unwrap()), None);
    }
}

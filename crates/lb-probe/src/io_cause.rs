use lb_health::Cause;
use lb_net::is_shortage;
use std::io;

/// The cause that a socket error means, while connecting or after.
///
/// Distinct where the repair is: nothing listens, nobody answers, no way there, our own fault.
pub(crate) fn cause(error: &io::Error) -> Cause {
    use io::ErrorKind as K;
    match error.kind() {
        K::ConnectionRefused => Cause::Refused,
        K::TimedOut => Cause::Timeout,
        K::HostUnreachable | K::NetworkUnreachable => Cause::Unreachable,
        K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe => Cause::Reset,
        K::UnexpectedEof => Cause::Closed,
        _ if is_shortage(error) => Cause::Local,
        _ => Cause::Socket(error.raw_os_error().unwrap_or(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_health_02_refused_timeout_and_unreachable_are_distinct_results() {
        // errno(3): ECONNREFUSED 111, ETIMEDOUT 110, EHOSTUNREACH 113, ENETUNREACH 101
        let of = |number| cause(&io::Error::from_raw_os_error(number));
        assert_eq!(of(111), Cause::Refused);
        assert_eq!(of(110), Cause::Timeout);
        assert_eq!(of(113), Cause::Unreachable);
        assert_eq!(of(101), Cause::Unreachable);
    }

    #[test]
    fn what_is_short_here_is_not_the_backends_fault() {
        // errno(3): EMFILE 24, ENFILE 23, ENOMEM 12, ENOBUFS 105, EADDRNOTAVAIL 99, EADDRINUSE 98
        for number in [24, 23, 12, 105, 99, 98] {
            assert_eq!(cause(&io::Error::from_raw_os_error(number)), Cause::Local, "{number}");
        }
    }

    #[test]
    fn other_errors_keep_their_number() {
        // errno(3): ECONNRESET 104, EPIPE 32, EACCES 13
        let of = |number| cause(&io::Error::from_raw_os_error(number));
        assert_eq!(
            (of(104), of(32), of(13)),
            (Cause::Reset, Cause::Reset, Cause::Socket(13))
        );
        assert_eq!(cause(&io::Error::other("x")), Cause::Socket(0));
    }
}

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::fd::{AsFd, AsRawFd};

/// How many descriptors this process may have open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescriptorLimit {
    /// The limit that was in force before. `None`: none.
    pub before: Option<u64>,
    /// The limit in force now. `None`: none.
    pub now: Option<u64>,
}

/// How many descriptors this process may have open now. `None`: as many as the system has.
#[must_use]
pub fn descriptor_limit() -> Option<u64> {
    #[cfg(feature = "sim")]
    if let Some(network) = crate::sim::current() {
        return Some(network.descriptor_limit());
    }
    getrlimit(Resource::Nofile).current
}

/// The number that the next descriptor of this process would have; `None`: there is none left. Two system calls: it
/// makes a copy of `any` and closes it.
#[must_use]
pub fn lowest_free(any: impl AsFd) -> Option<u64> {
    #[cfg(feature = "sim")]
    if let Some(network) = crate::sim::current() {
        return network.lowest_free();
    }
    let copy = fcntl_dupfd_cloexec(any, 0).ok()?;
    u64::try_from(copy.as_raw_fd()).ok()
}

/// Raises the soft descriptor limit to the hard one. A proxy needs two descriptors per
/// connection; most systems start programs with 1,024.
#[must_use]
pub fn raise_descriptor_limit() -> DescriptorLimit {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    )
    .is_ok();
    DescriptorLimit {
        before: current,
        now: if raised { maximum } else { current },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_the_next_ones() {
        // Other tests of this program open and close too, so the number is only bounded.
        let file = std::fs::File::open("/dev/null").unwrap();
        let free = lowest_free(&file).unwrap();
        assert!(descriptor_limit().is_none_or(|limit| free < limit));
        assert!(free != u64::try_from(file.as_raw_fd()).unwrap());
    }

    #[test]
    fn the_limit_only_rises() {
        let limit = raise_descriptor_limit();
        assert!(limit.now.is_none() || limit.now >= limit.before);
        assert_eq!(raise_descriptor_limit().before, limit.now);
    }
}

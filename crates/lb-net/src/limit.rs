use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors this process may have open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DescriptorLimit {
    /// The limit that was in force before. `None`: none.
    pub before: Option<u64>,
    /// The limit in force now. `None`: none.
    pub now: Option<u64>,
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
    fn the_limit_only_rises() {
        let limit = raise_descriptor_limit();
        assert!(limit.now.is_none() || limit.now >= limit.before);
        assert_eq!(raise_descriptor_limit().before, limit.now);
    }
}

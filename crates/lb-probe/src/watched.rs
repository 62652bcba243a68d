use crate::Probe;
use lb_health::Rules;
use lb_types::{Address, BackendId};

/// One backend to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched {
    /// Which backend.
    pub backend: BackendId,
    /// Its name for logs, such as `pool/backend`.
    pub name: String,
    /// Where its traffic goes: another address is another machine. `None`: the id alone says who it is.
    pub address: Option<Address>,
    /// How to probe it; `None`: not at all, only traffic judges.
    pub probe: Option<Probe>,
    /// How to judge it.
    pub rules: Rules,
}

impl Watched {
    /// A backend that is probed, judged by the default rules.
    #[must_use]
    pub fn new(backend: BackendId, name: &str, probe: Probe) -> Self {
        Self {
            backend,
            name: name.to_owned(),
            address: Some(probe.backend()),
            probe: Some(probe),
            rules: Rules::default(),
        }
    }

    /// A backend that is not probed: only traffic judges, once the rules say how.
    #[must_use]
    pub fn without_probe(backend: BackendId, name: &str) -> Self {
        Self {
            backend,
            name: name.to_owned(),
            address: None,
            probe: None,
            rules: Rules::default(),
        }
    }

    /// The same, with its traffic at `address`. One that is probed has the address that its probe was made for.
    #[must_use]
    pub fn with_address(mut self, address: impl Into<Address>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// The same, judged by `rules`.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }
}

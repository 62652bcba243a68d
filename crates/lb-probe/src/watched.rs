use crate::Probe;
use lb_health::Rules;
use lb_types::BackendId;

/// One backend to be watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Watched {
    /// Which backend.
    pub backend: BackendId,
    /// Its name for logs, such as `pool/backend`.
    pub name: String,
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
            probe: None,
            rules: Rules::default(),
        }
    }

    /// The same, judged by `rules`.
    #[must_use]
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }
}

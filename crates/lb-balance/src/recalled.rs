use crate::Hint;
use lb_persist::{Key, Recall};
use lb_types::BackendId;

/// What the strategies of a pool read from one request: the main one's answer and the fallback's.
#[derive(Debug, Clone, Copy)]
pub struct Recalled {
    recalls: [Recall; 2],
}

impl Recalled {
    /// Nothing is known of the client.
    pub const NOTHING: Self = Self {
        recalls: [Recall::Nothing, Recall::Nothing],
    };

    pub(crate) const fn new(main: Recall, fallback: Recall) -> Self {
        Self {
            recalls: [main, fallback],
        }
    }

    /// The answer of a strategy, by its position in the pool.
    pub(crate) fn of(&self, strategy: usize) -> &Recall {
        self.recalls.get(strategy).unwrap_or(&Recall::Nothing)
    }

    /// What can be said without a table: the backend or hash that the main strategy names, else
    /// the fallback's. [`resolve`](Self::resolve) asks the tables too.
    #[must_use]
    pub fn hint(&self) -> Hint {
        self.resolve(|_, _| None)
    }

    /// The keys to look up, each with the position of its strategy.
    pub fn lookups(&self) -> impl Iterator<Item = (usize, &Key)> {
        self.recalls
            .iter()
            .enumerate()
            .filter_map(|(strategy, recall)| match recall {
                Recall::Lookup(key) => Some((strategy, key)),
                _ => None,
            })
    }

    /// The first answer that leads to a backend: main before fallback, asking `lookup` (strategy,
    /// key) for keys. The fallback is asked only if the main strategy leads nowhere.
    pub fn resolve(&self, mut lookup: impl FnMut(usize, &Key) -> Option<BackendId>) -> Hint {
        let hint = |(strategy, recall): (usize, &Recall)| match recall {
            Recall::Backend { id, .. } => Some(Hint::Prefer(*id)),
            Recall::Hash(hash) => Some(Hint::Hash(*hash)),
            Recall::Lookup(key) => lookup(strategy, key).map(Hint::Prefer),
            _ => None,
        };
        self.recalls.iter().enumerate().find_map(hint).unwrap_or(Hint::Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(last: u8) -> Key {
        Key::Client([192, 0, 2, last].into())
    }

    fn backend(id: u64) -> Recall {
        Recall::Backend {
            id: BackendId::from_u64(id),
            renew: false,
        }
    }

    #[test]
    fn the_main_strategy_comes_first() {
        let prefer = |id| Hint::Prefer(BackendId::from_u64(id));
        assert_eq!(Recalled::NOTHING.hint(), Hint::Any);
        assert_eq!(Recalled::new(backend(1), backend(2)).hint(), prefer(1));
        assert_eq!(Recalled::new(Recall::Nothing, backend(2)).hint(), prefer(2));
        assert_eq!(Recalled::new(Recall::Hash(7), backend(2)).hint(), Hint::Hash(7));
        assert_eq!(Recalled::new(Recall::Lookup(key(1)), backend(2)).hint(), prefer(2));
    }

    #[test]
    fn a_table_entry_of_the_main_strategy_beats_the_fallback() {
        let recalled = Recalled::new(Recall::Lookup(key(1)), backend(2));
        let found = |_, asked: &Key| (*asked == key(1)).then_some(BackendId::from_u64(9));
        assert_eq!(recalled.resolve(found), Hint::Prefer(BackendId::from_u64(9)));
        assert_eq!(recalled.resolve(|_, _| None), Hint::Prefer(BackendId::from_u64(2)));
        let both = Recalled::new(Recall::Lookup(key(1)), Recall::Lookup(key(2)));
        assert_eq!(both.lookups().collect::<Vec<_>>(), [(0, &key(1)), (1, &key(2))]);
    }
}

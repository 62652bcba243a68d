use crate::{Hint, Pool};
use lb_persist::{Key, Recall};
use lb_types::BackendId;

/// What the strategies of a pool read from one request, in the order of the strategies.
#[derive(Debug, Clone, Copy)]
pub struct Recalled {
    recalls: [Recall; Pool::STRATEGIES],
}

impl Recalled {
    /// Nothing is known of the client.
    pub const NOTHING: Self = Self {
        recalls: [Recall::Nothing; Pool::STRATEGIES],
    };

    /// Of these answers, one for each strategy of the pool.
    pub(crate) fn of_all(answers: impl Iterator<Item = Recall>) -> Self {
        let mut recalled = Self::NOTHING;
        for (place, answer) in recalled.recalls.iter_mut().zip(answers) {
            *place = answer;
        }
        recalled
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
    /// key) for keys. The fallback is asked only if the main strategy leads nowhere. A hash behind an
    /// answer that names a backend says where the request goes if that backend cannot serve it.
    pub fn resolve(&self, mut lookup: impl FnMut(usize, &Key) -> Option<BackendId>) -> Hint {
        let mut answers = self.recalls.iter().enumerate();
        while let Some((strategy, recall)) = answers.next() {
            let backend = match recall {
                Recall::Backend { id, .. } => Some(*id),
                Recall::Hash(hash) => return Hint::Hash(*hash),
                Recall::Lookup(key) => lookup(strategy, key),
                _ => None,
            };
            let hash = |(_, later): (usize, &Recall)| match later {
                Recall::Hash(hash) => Some(*hash),
                _ => None,
            };
            if let Some(id) = backend {
                return answers
                    .find_map(hash)
                    .map_or(Hint::Prefer(id), |hash| Hint::PreferElse(id, hash));
            }
        }
        Hint::Any
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

    fn recalled(answers: &[Recall]) -> Recalled {
        Recalled::of_all(answers.iter().copied())
    }

    #[test]
    fn the_main_strategy_comes_first() {
        let prefer = |id| Hint::Prefer(BackendId::from_u64(id));
        let hint = |answers: &[Recall]| recalled(answers).hint();
        assert_eq!(Recalled::NOTHING.hint(), Hint::Any);
        assert_eq!(hint(&[backend(1), backend(2)]), prefer(1));
        assert_eq!(hint(&[Recall::Nothing, backend(2)]), prefer(2));
        assert_eq!(hint(&[Recall::Stale, backend(2)]), prefer(2));
        assert_eq!(hint(&[Recall::Hash(7), backend(2)]), Hint::Hash(7));
        assert_eq!(hint(&[Recall::Lookup(key(1)), backend(2)]), prefer(2));
    }

    #[test]
    fn a_hash_is_what_is_left_when_the_known_backend_cannot_serve() {
        let else_7 = |id| Hint::PreferElse(BackendId::from_u64(id), 7);
        let hash = Recall::Hash(7);
        assert_eq!(recalled(&[backend(1), hash]).hint(), else_7(1));
        assert_eq!(recalled(&[backend(1), Recall::Lookup(key(1)), hash]).hint(), else_7(1));
        assert_eq!(
            recalled(&[Recall::Stale, Recall::Lookup(key(1)), hash]).hint(),
            Hint::Hash(7)
        );
        let found = |_, _: &Key| Some(BackendId::from_u64(9));
        assert_eq!(
            recalled(&[Recall::Nothing, Recall::Lookup(key(1)), hash]).resolve(found),
            else_7(9)
        );
    }

    #[test]
    fn a_table_entry_of_the_main_strategy_beats_the_fallback() {
        let main = recalled(&[Recall::Lookup(key(1)), backend(2)]);
        let found = |_, asked: &Key| (*asked == key(1)).then_some(BackendId::from_u64(9));
        assert_eq!(main.resolve(found), Hint::Prefer(BackendId::from_u64(9)));
        assert_eq!(main.resolve(|_, _| None), Hint::Prefer(BackendId::from_u64(2)));
        let both = recalled(&[Recall::Lookup(key(1)), Recall::Lookup(key(2))]);
        assert_eq!(both.lookups().collect::<Vec<_>>(), [(0, &key(1)), (1, &key(2))]);
    }
}

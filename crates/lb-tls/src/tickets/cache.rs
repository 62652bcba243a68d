//! Sessions by ID, for TLS 1.2 clients that take no tickets.

use crate::Engine;
use rustls::server::StoresServerSessions;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A bounded cache of TLS 1.2 sessions of one site. What is full gives up the session that was longest not asked for
/// (by the clock algorithm: about that one).
///
/// Memory: some 300 bytes a session, more with client certificates; it grows as it is used. A session is good for
/// `lifetime`, however often it is resumed.
pub struct SessionCache {
    shards: Box<[Mutex<Shard>]>,
    /// Of one shard.
    capacity: usize,
    lifetime: u64,
    engine: Engine,
}

#[derive(Default)]
struct Shard {
    by_id: HashMap<Box<[u8]>, usize>,
    entries: Vec<Entry>,
    hand: usize,
}

struct Entry {
    id: Box<[u8]>,
    session: Vec<u8>,
    made: u64,
    was_used: bool,
}

impl SessionCache {
    /// At most so many sessions (rounded up to a multiple of 16), each good for `lifetime`; 0 keeps none.
    #[must_use]
    pub fn new(sessions: usize, lifetime: Duration, engine: &Engine) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            capacity: sessions.div_ceil(SHARDS),
            lifetime: lifetime.as_secs(),
            engine: engine.clone(),
        }
    }

    /// How many sessions there are now.
    #[must_use]
    pub fn len(&self) -> usize {
        let length = |shard: &Mutex<Shard>| shard.lock().unwrap_or_else(PoisonError::into_inner).entries.len();
        self.shards.iter().map(length).sum()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// IDs are random; the last byte decides. rustls asks with whatever the client sent.
    fn shard(&self, id: &[u8]) -> Option<&Mutex<Shard>> {
        let last = id.last()?;
        self.shards.get(usize::from(*last) % SHARDS)
    }

    fn now(&self) -> Option<u64> {
        self.engine.now().map(lb_types::Wall::as_secs)
    }

    fn find(&self, id: &[u8], and_forget: bool) -> Option<Vec<u8>> {
        let now = self.now()?;
        let mut shard = self.shard(id)?.lock().unwrap_or_else(PoisonError::into_inner);
        let index = *shard.by_id.get(id)?;
        let entry = shard.entries.get_mut(index)?;
        let is_good = now.saturating_sub(entry.made) <= self.lifetime;
        if and_forget || !is_good {
            return shard.remove(index).filter(|_| is_good);
        }
        entry.was_used = true;
        Some(entry.session.clone())
    }
}

impl Shard {
    fn remove(&mut self, index: usize) -> Option<Vec<u8>> {
        if index >= self.entries.len() {
            return None;
        }
        let entry = self.entries.swap_remove(index);
        self.by_id.remove(&entry.id);
        if let Some(moved) = self.entries.get(index)
            && let Some(place) = self.by_id.get_mut(&moved.id)
        {
            *place = index;
        }
        Some(entry.session)
    }

    /// Goes round and takes the first that nobody asked for since the hand was there last.
    fn evict(&mut self) {
        loop {
            if self.hand >= self.entries.len() {
                self.hand = 0;
            }
            match self.entries.get_mut(self.hand) {
                Some(entry) if entry.was_used => entry.was_used = false,
                Some(_) => {
                    self.remove(self.hand);
                    return;
                }
                None => return,
            }
            self.hand = self.hand.saturating_add(1);
        }
    }
}

impl StoresServerSessions for SessionCache {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        let (Some(now), Some(shard)) = (self.now(), self.shard(&key)) else {
            return false;
        };
        if self.capacity == 0 || key.len() > MOST_ID || value.len() > MOST_BYTES {
            return false;
        }
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = shard.by_id.get(key.as_slice()).copied() {
            shard.remove(index);
        }
        while shard.entries.len() >= self.capacity {
            shard.evict();
        }
        let id: Box<[u8]> = key.into();
        let index = shard.entries.len();
        shard.by_id.insert(id.clone(), index);
        shard.entries.push(Entry {
            id,
            session: value,
            made: now,
            was_used: false,
        });
        true
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.find(key, false)
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.find(key, true)
    }

    fn can_cache(&self) -> bool {
        self.capacity > 0
    }
}

impl fmt::Debug for SessionCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionCache")
            .field("sessions", &self.len())
            .field("capacity", &self.capacity.saturating_mul(SHARDS))
            .finish_non_exhaustive()
    }
}

/// So many workers seldom wait for each other.
const SHARDS: usize = 16;
/// RFC 5246, section 7.4.1.2.
const MOST_ID: usize = 32;
/// A session with client certificates above this is not kept.
const MOST_BYTES: usize = 8_192;

#[cfg(all(test, feature = "aws-lc-rs"))]
mod tests {
    use super::*;
    use crate::SetClock;
    use lb_types::Wall;
    use std::sync::Arc;

    fn cache(sessions: usize) -> (SessionCache, Arc<SetClock>) {
        let clock = SetClock::at(Wall::from_secs(1_000_000));
        let cache = SessionCache::new(sessions, Duration::from_secs(100), &Engine::aws_lc(clock.clone()));
        (cache, clock)
    }

    /// All of one shard.
    fn id(number: u8) -> Vec<u8> {
        vec![number, 0]
    }

    #[test]
    fn a_full_cache_gives_up_a_session_that_nobody_asked_for() {
        // Three in each of 16 shards.
        let (cache, _) = cache(48);
        for number in 1..=3 {
            assert!(cache.put(id(number), vec![number]));
        }
        assert_eq!(cache.get(&id(1)), Some(vec![1]));
        assert!(cache.put(id(4), vec![4]));
        assert_eq!((cache.len(), cache.get(&id(2))), (3, None));
        for kept in [1, 3, 4] {
            assert_eq!(cache.get(&id(kept)), Some(vec![kept]), "{kept}");
        }
        // All were asked for: one goes all the same.
        assert!(cache.put(id(5), vec![5]));
        assert_eq!(cache.len(), 3);
        assert_eq!(cache.get(&id(5)), Some(vec![5]));
    }

    #[test]
    fn a_session_is_taken_once_and_overwritten_as_a_whole() {
        let (cache, _) = cache(16);
        assert!(cache.put(id(1), vec![1]) && cache.put(id(1), vec![2]));
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.take(&id(1)), Some(vec![2]));
        assert_eq!((cache.take(&id(1)), cache.is_empty()), (None, true));
    }

    #[test]
    fn a_session_ends_with_its_lifetime() {
        let (cache, clock) = cache(16);
        assert!(cache.put(id(1), vec![1]));
        clock.set(Wall::from_secs(1_000_100));
        assert!(cache.get(&id(1)).is_some());
        clock.set(Wall::from_secs(1_000_101));
        assert_eq!((cache.get(&id(1)), cache.is_empty()), (None, true));
    }

    #[test]
    fn limits_hold_from_both_sides_and_strange_ids_do_no_harm() {
        let (cache, _) = cache(16);
        assert!(cache.put(vec![1; 32], vec![0; MOST_BYTES]));
        assert!(!cache.put(vec![1; 33], vec![1]));
        assert!(!cache.put(vec![2; 32], vec![0; MOST_BYTES + 1]));
        assert!(!cache.put(Vec::new(), vec![1]));
        assert_eq!(cache.get(&[]), None);
        assert_eq!(cache.get(&[1; 300]), None);
        let (none, _) = super::tests::cache(0);
        assert!(!none.can_cache() && !none.put(id(1), vec![1]));
    }

    #[test]
    fn many_threads_at_once_stay_within_the_bound() {
        let (cache, _) = cache(64);
        std::thread::scope(|scope| {
            for thread in 0..4_u8 {
                let cache = &cache;
                scope.spawn(move || {
                    for number in 0..2_000_u16 {
                        let [high, low] = number.to_be_bytes();
                        cache.put(vec![thread, high, low], vec![low]);
                        let found = cache.get(&[thread, high, low]);
                        assert!(found.is_none_or(|found| found == [low]));
                    }
                });
            }
        });
        assert_eq!(cache.len(), 64);
    }
}

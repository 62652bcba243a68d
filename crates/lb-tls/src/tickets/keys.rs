//! The keys of the present, and the tickets that they make.

use super::TicketSecret;
use crate::Engine;
use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};
use rustls::server::ProducesTickets;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Makes and opens the session tickets of one site.
///
/// A ticket is: the name of its key (16 bytes), a random nonce (12), then by AES-256-GCM the second in which it was made
/// (8) and what rustls keeps, and the tag (16). The keys of this, the previous and the next period are known, so clocks
/// may differ by a period; a ticket is good for exactly its lifetime. What has no known name costs no decryption.
///
/// The nonces are random: with 2^32 tickets under one key, two are equal with a probability of 2^-32 (NIST SP 800-38D,
/// section 8.3, allows that many). That is 99,000 tickets a second for the 12 hours of a period.
pub struct Tickets {
    secret: Arc<TicketSecret>,
    binding: [u8; 32],
    lifetime: u32,
    keys: RwLock<Arc<Keys>>,
    engine: Engine,
}

/// The keys of three periods, the middle one being now.
struct Keys {
    period: u64,
    keys: [Option<Key>; 3],
}

struct Key {
    key: LessSafeKey,
    name: [u8; 16],
}

impl Tickets {
    /// The longest lifetime that a ticket may have (RFC 9846, section 4.6.1).
    pub const MOST: Duration = Duration::from_secs(604_800);

    /// Tickets of a site with this binding that are good for `lifetime`, which is also the period of a key: at least a
    /// second, at most [`MOST`](Self::MOST).
    #[must_use]
    pub fn new(secret: Arc<TicketSecret>, binding: [u8; 32], lifetime: Duration, engine: &Engine) -> Self {
        let lifetime = lifetime.clamp(Duration::from_secs(1), Self::MOST).as_secs();
        let keys = Keys {
            period: u64::MAX,
            keys: [None, None, None],
        };
        Self {
            secret,
            binding,
            lifetime: u32::try_from(lifetime).unwrap_or(u32::MAX),
            keys: RwLock::new(Arc::new(keys)),
            engine: engine.clone(),
        }
    }

    /// The keys of now; made anew when a period begins.
    fn keys(&self, now: u64) -> Arc<Keys> {
        let period = now.checked_div(u64::from(self.lifetime)).unwrap_or(0);
        let known = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        if known.period == period {
            return known;
        }
        let key = |period: Option<u64>| {
            let (key, name) = self.secret.key(&self.binding, period?).ok()?;
            Some(Key { key, name })
        };
        let made = Arc::new(Keys {
            period,
            keys: [
                key(period.checked_sub(1)),
                key(Some(period)),
                key(period.checked_add(1)),
            ],
        });
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&made);
        made
    }

    fn now(&self) -> Option<u64> {
        self.engine.now().map(lb_types::Wall::as_secs)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > MOST_BYTES {
            return None;
        }
        let now = self.now()?;
        let keys = self.keys(now);
        let [_, Some(Key { key, name }), _] = &keys.keys else {
            return None;
        };
        let mut nonce = [0; 12];
        self.engine.provider().secure_random.fill(&mut nonce).ok()?;
        let mut ticket = Vec::with_capacity(plain.len().saturating_add(OVERHEAD));
        ticket.extend_from_slice(name);
        ticket.extend_from_slice(&nonce);
        ticket.extend_from_slice(&now.to_be_bytes());
        ticket.extend_from_slice(plain);
        let sealed = ticket.get_mut(HEAD..)?;
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(name), sealed).ok()?;
        ticket.extend_from_slice(tag.as_ref());
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > MOST_BYTES.saturating_add(OVERHEAD) {
            return None;
        }
        let (name, rest) = ticket.split_first_chunk::<16>()?;
        let (nonce, sealed) = rest.split_first_chunk::<12>()?;
        let now = self.now()?;
        let keys = self.keys(now);
        let Key { key, name } = keys.keys.iter().flatten().find(|key| key.name == *name)?;
        let mut plain = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = key.open_in_place(nonce, Aad::from(name), &mut plain).ok()?;
        let (made, session) = opened.split_first_chunk::<8>()?;
        let age = now.saturating_sub(u64::from_be_bytes(*made));
        (age <= u64::from(self.lifetime)).then(|| session.to_vec())
    }
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// Sessions above this get no ticket. A session holds the client's certificates; the next hello carries the ticket, and
/// must stay below the 16 KiB that are read of a hello.
const MOST_BYTES: usize = 8_192;

/// Name and nonce.
const HEAD: usize = 16 + 12;
/// All that a ticket has besides the session.
const OVERHEAD: usize = HEAD + 8 + 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SetClock;
    use lb_types::Wall;

    const NOW: u64 = 1_795_219_200;
    const HOURS_12: Duration = Duration::from_secs(43_200);

    fn tickets(secret: &[u8], binding: u8, now: u64) -> (Tickets, Arc<SetClock>) {
        let clock = SetClock::at(Wall::from_secs(now));
        let engine = Engine::aws_lc(clock.clone());
        let secret = Arc::new(TicketSecret::from_bytes(secret).expect("a secret"));
        (Tickets::new(secret, [binding; 32], HOURS_12, &engine), clock)
    }

    const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn s_tls_13_two_processes_with_one_secret_open_each_others_tickets() {
        let (one, _) = tickets(SECRET, 1, NOW);
        // Its clock is almost a period behind.
        let (other, _) = tickets(SECRET, 1, NOW - 43_199);
        for (from, to) in [(&one, &other), (&other, &one), (&one, &one)] {
            let ticket = from.encrypt(b"session").expect("a ticket");
            assert_eq!(to.decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        }
    }

    #[test]
    fn a_ticket_of_another_secret_or_binding_does_not_open() {
        let (one, _) = tickets(SECRET, 1, NOW);
        let ticket = one.encrypt(b"session").expect("a ticket");
        assert_eq!(tickets(SECRET, 2, NOW).0.decrypt(&ticket), None);
        assert_eq!(
            tickets(b"0123456789abcdef0123456789abcdeF", 1, NOW).0.decrypt(&ticket),
            None
        );
    }

    #[test]
    fn a_ticket_is_good_for_its_lifetime_and_no_second_longer() {
        for start in [NOW, NOW + 1, NOW + 21_600, NOW + 43_199] {
            let (tickets, clock) = tickets(SECRET, 1, start);
            let ticket = tickets.encrypt(b"session").expect("a ticket");
            clock.set(Wall::from_secs(start + 43_200));
            assert!(tickets.decrypt(&ticket).is_some(), "{start}");
            clock.set(Wall::from_secs(start + 43_201));
            assert_eq!(tickets.decrypt(&ticket), None, "{start}");
        }
    }

    #[test]
    fn a_ticket_that_was_changed_or_cut_anywhere_does_not_open() {
        let (tickets, _) = tickets(SECRET, 1, NOW);
        let ticket = tickets.encrypt(b"session").expect("a ticket");
        for cut in 0..ticket.len() {
            assert_eq!(tickets.decrypt(&ticket[..cut]), None, "{cut}");
            let mut changed = ticket.clone();
            changed[cut] ^= 1;
            assert_eq!(tickets.decrypt(&changed), None, "{cut}");
        }
    }

    #[test]
    fn a_session_above_the_limit_gets_no_ticket() {
        let (tickets, _) = tickets(SECRET, 1, NOW);
        let most = tickets.encrypt(&vec![7; MOST_BYTES]).expect("at the limit");
        assert_eq!(tickets.decrypt(&most).map(|plain| plain.len()), Some(MOST_BYTES));
        assert_eq!(tickets.encrypt(&vec![7; MOST_BYTES + 1]), None);
        assert_eq!(tickets.decrypt(&vec![7; MOST_BYTES + OVERHEAD + 1]), None);
    }

    #[test]
    fn what_is_no_secret_is_refused_and_none_is_printed() {
        assert_eq!(
            TicketSecret::from_bytes(&[1; 31]).err(),
            Some(super::super::TicketError::TooShort { found: 31 })
        );
        assert_eq!(
            TicketSecret::from_bytes(&[1; 64]).err(),
            Some(super::super::TicketError::Monotonous)
        );
        let (tickets, _) = tickets(SECRET, 1, NOW);
        let _ = tickets.encrypt(b"");
        assert!(!format!("{tickets:?} {:?}", tickets.secret).contains("0123"));
    }

    #[test]
    fn the_periods_before_the_first_and_after_the_last_do_no_harm() {
        for now in [0, 1, u64::MAX / 1_000] {
            let (tickets, _) = tickets(SECRET, 1, now);
            let ticket = tickets.encrypt(b"session").expect("a ticket");
            assert!(tickets.decrypt(&ticket).is_some(), "{now}");
        }
    }
}

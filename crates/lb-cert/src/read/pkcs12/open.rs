//! The passwords are tried on the integrity check and on each encrypted part; the answers tell damage from a wrong password.

use super::WHAT;
use super::structure::{Bag, Container, Encrypted, Part, bags};
use crate::read::encryption::Budget;
use crate::read::encryption::mac::Mac;
use crate::read::pkcs8;
use crate::read::{Password, Problem, ReadOptions, ber};
use crate::{Command, KeyError, PrivateKey};

/// One thing that was in the container, open.
pub(super) enum Item {
    Certificate(Vec<u8>),
    Crl(Vec<u8>),
    Key(PrivateKey),
    Skipped(&'static str),
}

pub(super) struct Opener<'a> {
    options: &'a ReadOptions<'a>,
    command: Command,
    budget: &'a mut Budget,
    /// The most likely one first: the given ones and an empty one, which is always tried, until one is known to be right.
    passwords: Vec<Password>,
    proof: Option<Proof>,
}

/// How the first password is known to be right.
#[derive(Clone, Copy)]
enum Proof {
    Mac,
    Part,
}

impl<'a> Opener<'a> {
    pub(super) fn new(options: &'a ReadOptions<'a>, command: Command, budget: &'a mut Budget) -> Self {
        let mut passwords = options.passwords.to_vec();
        passwords.push(Password::from(""));
        Self {
            options,
            command,
            budget,
            passwords,
            proof: None,
        }
    }

    pub(super) fn open(&mut self, container: Container) -> Result<Vec<Item>, Problem> {
        // All that shows costs before any work is done.
        let parts = encrypted(&container).map(|part| part.scheme.cost());
        let costs = container.mac.iter().map(Mac::cost).chain(parts);
        self.budget.spend(costs, &self.options.limits)?;
        if let Some(mac) = &container.mac {
            let right = |password: &Password| mac.proves(password, &container.content);
            match self.passwords.iter().position(right) {
                Some(index) => self.prefer(index, Proof::Mac),
                None => return Err(self.unproven(&container)),
            }
        }
        let mut items = Vec::new();
        for part in container.parts {
            match part {
                Part::Clear(bags) => self.items(bags, false, &mut items)?,
                Part::Encrypted(part) => {
                    let depth = self.options.limits.depth;
                    let plain = self.decrypt(&part, is_sequence)?;
                    self.items(bags(&plain, depth, self.command)?, true, &mut items)?;
                }
            }
        }
        Ok(items)
    }

    /// Whether it was not the empty one that is always tried.
    pub(super) fn took_a_password(&self) -> bool {
        let first = self.passwords.first().filter(|_| self.proof.is_some());
        first.is_some_and(|password| self.options.passwords.contains(password))
    }

    /// Keys with an encryption of their own are opened; inside an encrypted part their cost shows only now.
    fn items(&mut self, bags: Vec<Bag>, is_hidden: bool, items: &mut Vec<Item>) -> Result<(), Problem> {
        if is_hidden {
            let costs = bags.iter().filter_map(|bag| match bag {
                Bag::Shrouded(part) => Some(part.scheme.cost()),
                _ => None,
            });
            self.budget.spend(costs, &self.options.limits)?;
        }
        let key = |opened: Result<PrivateKey, KeyError>| opened.map(Item::Key).map_err(Problem::Key);
        for bag in bags {
            items.push(match bag {
                Bag::Certificate(der) => Item::Certificate(der),
                Bag::Crl(der) => Item::Crl(der),
                Bag::Skipped(what) => Item::Skipped(what),
                Bag::Key(der) => key(PrivateKey::from_der(&der))?,
                Bag::Shrouded(part) => key(self.decrypt(&part, pkcs8::opened)?)?,
            });
        }
        Ok(())
    }

    fn decrypt<T>(&mut self, part: &Encrypted, accept: impl Fn(&[u8]) -> Option<T>) -> Result<T, Problem> {
        let opened = self.passwords.iter().enumerate().find_map(|(index, password)| {
            let opened = part.scheme.open(password, true, &part.data, &accept)?;
            Some((index, opened))
        });
        match (opened, self.proof) {
            (Some((index, opened)), proof) => {
                self.prefer(index, proof.unwrap_or(Proof::Part));
                Ok(opened)
            }
            (None, Some(Proof::Mac)) => Err(Problem::Changed {
                what: WHAT,
                why: "the integrity check proves the password, but a part inside does not open with it",
            }),
            (None, Some(Proof::Part)) => Err(Problem::Changed {
                what: WHAT,
                why: "the password opens one part, but not another",
            }),
            (None, None) => Err(self.wrong_password()),
        }
    }

    /// No password fits the integrity check: when one opens a part all the same, the content was changed.
    fn unproven(&self, container: &Container) -> Problem {
        let opens = |part: &Encrypted| {
            self.passwords.iter().any(|password| {
                part.scheme
                    .open(password, true, &part.data, |plain| is_sequence(plain).map(drop))
                    .is_some()
            })
        };
        if encrypted(container).take(PARTS_TRIED).any(opens) {
            return Problem::Changed {
                what: WHAT,
                why: "the password opens it, but its integrity check does not fit",
            };
        }
        self.wrong_password()
    }

    fn wrong_password(&self) -> Problem {
        if self.options.passwords.is_empty() {
            return Problem::PasswordNeeded { what: WHAT };
        }
        Problem::WrongPassword {
            what: WHAT,
            tried: self.options.passwords.len(),
        }
    }

    fn prefer(&mut self, index: usize, proof: Proof) {
        self.proof = Some(proof);
        if index < self.passwords.len() {
            self.passwords.swap(0, index);
        }
    }
}

/// What is encrypted and shows.
pub(super) fn encrypted(container: &Container) -> impl Iterator<Item = &Encrypted> {
    container.parts.iter().flat_map(|part| {
        let (part, bags): (Option<&Encrypted>, &[Bag]) = match part {
            Part::Encrypted(part) => (Some(part), &[]),
            Part::Clear(bags) => (None, bags),
        };
        let keys = bags.iter().filter_map(|bag| match bag {
            Bag::Shrouded(key) => Some(key),
            _ => None,
        });
        part.into_iter().chain(keys)
    })
}

/// Whether decrypted bytes are one sequence from end to end, which no wrong password makes.
fn is_sequence(plain: &[u8]) -> Option<der::zeroize::Zeroizing<Vec<u8>>> {
    ber::sequence_of_whole(plain).map(|_| der::zeroize::Zeroizing::new(plain.to_vec()))
}

/// So many parts tell whether the password is right: more would only cost.
const PARTS_TRIED: usize = 3;

//! Pools and messages to try pickers on.
#![allow(dead_code)] // each test file uses its own part
#![allow(clippy::unwrap_used)] // a helper of tests

use lb_balance::{Backend, Hint, Picker, Pool, Standing, Tried};
use lb_persist::{Facts, Strategy};
use lb_sched::Algorithm;
use lb_types::{BackendId, Fields, FieldsMut, InvalidField, Now, Slot, Time, Wall, Weight};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const POOL: &str = "web";

/// Backends `a`, `b`, .. with these weights and limits.
pub(crate) fn backends(entries: &[(u16, Option<u32>)]) -> Vec<Arc<Backend>> {
    let backend = |((weight, limit), letter): (&(u16, Option<u32>), u8)| {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 9_000 + u16::from(letter)));
        let name = char::from(letter).to_string();
        Arc::new(Backend::new(
            POOL,
            &name,
            address,
            Weight::new(*weight).unwrap(),
            *limit,
        ))
    };
    entries.iter().zip(b'a'..).map(backend).collect()
}

pub(crate) fn id(letter: char) -> BackendId {
    BackendId::of(POOL, &letter.to_string())
}

/// All up, with their configured weights.
pub(crate) fn all_up(backends: &[Arc<Backend>]) -> Vec<Standing> {
    let standing = |(backend, slot): (&Arc<Backend>, u32)| Standing {
        slot: Slot(slot),
        weight: backend.weight,
        up: true,
    };
    backends.iter().zip(0..).map(standing).collect()
}

pub(crate) fn standing(slot: u32, weight: u16, up: bool) -> Standing {
    Standing {
        slot: Slot(slot),
        weight: Weight::new(weight).unwrap(),
        up,
    }
}

pub(crate) fn pool_of(
    backends: Vec<Arc<Backend>>,
    algorithm: Algorithm,
    strategies: Vec<Box<dyn Strategy>>,
) -> Arc<Pool> {
    let standings = all_up(&backends);
    Arc::new(Pool::new(POOL, backends, strategies, algorithm, &standings, None).unwrap())
}

/// A pool without limits and strategies.
pub(crate) fn pool(algorithm: Algorithm, weights: &[u16]) -> Arc<Pool> {
    let entries: Vec<_> = weights.iter().map(|weight| (*weight, None)).collect();
    pool_of(backends(&entries), algorithm, Vec::new())
}

/// Whom the next `count` requests get, each finished before the next.
pub(crate) fn names(picker: &mut Picker, hint: Hint, count: usize) -> String {
    let name = |_| {
        picker
            .pick(hint, &Tried::new(), Time::ZERO)
            .unwrap()
            .backend()
            .name
            .clone()
    };
    (0..count).map(name).collect()
}

pub(crate) fn counts(pool: &Pool) -> Vec<u32> {
    pool.backends()
        .iter()
        .map(|backend| backend.load().in_flight())
        .collect()
}

pub(crate) fn now(secs: u64) -> Now {
    Now {
        mono: Time::ZERO.after(Duration::from_secs(secs)),
        wall: Wall::from_secs(1_700_000_000 + secs),
    }
}

pub(crate) fn facts<'a>(fields: &'a Message) -> Facts<'a> {
    Facts {
        fields: Some(fields),
        ..Facts::new([192, 0, 2, 7].into())
    }
}

/// A head as a list of lines.
#[derive(Debug, Default, Clone)]
pub(crate) struct Message(pub(crate) Vec<(String, Vec<u8>)>);

impl Message {
    /// A request that carries the cookie that this response sets.
    pub(crate) fn with_cookie_of(response: &Self) -> Self {
        let set = String::from_utf8(response.first("set-cookie").unwrap().to_vec()).unwrap();
        let pair = set.split(';').next().unwrap();
        Self(vec![("Cookie".to_owned(), pair.as_bytes().to_vec())])
    }

    fn at(&self, name: &str, index: usize) -> Option<usize> {
        let lines = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, (n, _))| n.eq_ignore_ascii_case(name));
        lines.map(|(at, _)| at).nth(index)
    }
}

impl Fields for Message {
    fn nth(&self, name: &str, index: usize) -> Option<&[u8]> {
        self.at(name, index).map(|at| self.0[at].1.as_slice())
    }
}

impl FieldsMut for Message {
    fn append(&mut self, name: &str, value: &[u8]) -> Result<(), InvalidField> {
        self.0.push((name.to_owned(), value.to_vec()));
        Ok(())
    }

    fn replace(&mut self, name: &str, index: usize, value: &[u8]) -> Result<(), InvalidField> {
        if let Some(at) = self.at(name, index) {
            self.0[at].1 = value.to_vec();
        }
        Ok(())
    }

    fn remove(&mut self, name: &str, index: usize) -> bool {
        let at = self.at(name, index);
        at.map(|at| self.0.remove(at)).is_some()
    }
}

use alloc::boxed::Box;
use alloc::vec::Vec;

/// The order in which a member wants the entries of a table: `offset`, `offset + skip`, ..
#[derive(Debug, Clone, Copy)]
pub(super) struct Permutation {
    /// Below the length.
    pub(super) offset: u32,
    /// 1 to length - 1.
    pub(super) skip: u32,
    /// Above 0.
    pub(super) weight: u32,
}

/// The table: for each entry, the position of the member that has it. `len` is a prime, and
/// there are no more members than entries. Empty without members.
///
/// The paper's procedure: in each round every member takes the first entry of its order that is
/// free. Here a member of half the weight takes part in every second round, from the first on.
pub(super) fn populate(members: &[Permutation], len: u32) -> Box<[u32]> {
    let Some(heaviest) = members.iter().map(|m| m.weight).max() else {
        return Box::default();
    };
    let mut takers: Vec<Taker> = members
        .iter()
        .map(|m| Taker {
            at: m.offset,
            skip: m.skip,
            weight: m.weight,
            credit: heaviest,
        })
        .collect();
    let mut entries = alloc::vec![0_u32; len as usize].into_boxed_slice();
    // one bit an entry: 1,000,000 of them fit the second-level cache, 4 MB of entries do not
    let mut taken = alloc::vec![0_u64; (len as usize).div_ceil(64)];
    let mut left = len;
    loop {
        for (taker, member) in takers.iter_mut().zip(0_u32..) {
            if taker.credit < heaviest {
                taker.credit += taker.weight;
                continue;
            }
            taker.credit = taker.credit + taker.weight - heaviest;
            let at = taker.take(&mut taken, len);
            if let Some(entry) = entries.get_mut(at) {
                *entry = member;
            }
            left -= 1;
            if left == 0 {
                return entries;
            }
        }
    }
}

struct Taker {
    /// The next entry of its order.
    at: u32,
    skip: u32,
    weight: u32,
    /// It takes an entry in a round that it begins with at least the heaviest weight.
    credit: u32,
}

impl Taker {
    /// The first free entry of its order, which it takes. There is one.
    fn take(&mut self, taken: &mut [u64], len: u32) -> usize {
        loop {
            let at = self.at as usize;
            self.at += self.skip;
            if self.at >= len {
                self.at -= len;
            }
            if let Some(word) = taken.get_mut(at / 64) {
                let bit = 1 << (at % 64);
                if *word & bit == 0 {
                    *word |= bit;
                    return at;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(orders: &[(u32, u32, u32)], len: u32) -> Vec<u32> {
        let order = |&(offset, skip, weight): &(u32, u32, u32)| Permutation { offset, skip, weight };
        let members: Vec<Permutation> = orders.iter().map(order).collect();
        populate(&members, len).into_vec()
    }

    #[test]
    fn the_table_of_the_paper() {
        // NSDI 2016, table 1: before and after the removal of B1
        assert_eq!(of(&[(3, 4, 1), (0, 2, 1), (3, 1, 1)], 7), [1, 0, 1, 0, 2, 2, 0]);
        assert_eq!(of(&[(3, 4, 1), (3, 1, 1)], 7), [0, 0, 0, 0, 1, 1, 1]);
        assert_eq!(of(&[(3, 4, 9), (0, 2, 9), (3, 1, 9)], 7), [1, 0, 1, 0, 2, 2, 0]);
    }

    #[test]
    fn weights_are_shares_and_nobody_is_left_out() {
        // turns: A takes part in each round, B in the first, third and fifth: A B A A B A A
        let table = of(&[(0, 1, 2), (6, 6, 1)], 7);
        assert_eq!(table.iter().filter(|m| **m == 1).count(), 2);
        let table = of(&[(0, 1, 256), (0, 1, 256), (0, 1, 1)], 5);
        assert_eq!(table, [0, 1, 2, 0, 1]);
        assert_eq!(of(&[], 7), [0; 0]);
    }
}

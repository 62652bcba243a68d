use crate::placement::{follow, hash_of, spread};
use crate::{Ask, Member, Placement, Scheduler, Seat};
use alloc::boxed::Box;
use alloc::vec::Vec;
use lb_types::{BackendId, Slot, hash64};

/// Consistent hashing on a ring (Karger and others, 1997): each backend stands at many points of a
/// circle, a hash goes to the next point. `O(1)` a pick.
///
/// When a backend goes, only its hashes move; when one comes, only those it gets. Shares are by
/// weight, within about 8 % for 160 points (one standard deviation).
///
/// A backend has [`POINTS`](Self::POINTS) points for each unit of weight. They follow from
/// its [`BackendId`] alone, so neither order nor neighbours matter. When all together would be more than
/// [`MAX_POINTS`](Self::MAX_POINTS), points per weight are halved until they fit; nobody has less than one.
///
/// 12 to 16 bytes a point. Building costs `O(points * log points)`.
#[derive(Debug, Clone)]
pub struct Ring {
    seats: Box<[Seat]>,
    /// Ascending; with `owners`, position by position.
    points: Box<[u64]>,
    /// Positions in `seats`.
    owners: Box<[u32]>,
    /// For the upper bits of a hash, the first point that is not before them.
    starts: Box<[u32]>,
    shift: u32,
    /// Is a hash a place on the circle as it stands?
    plain: bool,
}

impl Ring {
    /// Points per unit of weight: 160, as in libketama and nginx.
    pub const POINTS: u32 = 160;
    /// Points of a whole ring: 2^20, 16 MiB.
    pub const MAX_POINTS: usize = 1 << 20;

    /// A ring of these members. Members of weight 0 are left out.
    #[must_use]
    pub fn new(members: &[Member]) -> Self {
        Self::with_unit(members, 1)
    }

    /// A ring on which a member of weight `unit` has [`POINTS`](Self::POINTS) points, others in
    /// proportion. For pools that multiply all weights to express fractions (slow start): with the
    /// factor as unit, the points stay where they are. A unit of 0 is as 1.
    #[must_use]
    pub fn with_unit(members: &[Member], unit: u16) -> Self {
        let taking = || members.iter().filter(|m| m.weight.get() > 0);
        let unit = u64::from(unit.max(1));
        let weight = |m: &Member| u64::from(m.weight.get());
        let mut halvings = 0;
        let count = |m: &Member, halvings: u32| ((weight(m) * u64::from(Self::POINTS) / unit) >> halvings).max(1);
        while halvings < 32 && taking().map(|m| count(m, halvings)).sum::<u64>() > Self::MAX_POINTS as u64 {
            halvings += 1;
        }
        let mut points = Vec::new();
        for (member, seat) in taking().zip(0_u32..) {
            points.extend((0..count(member, halvings)).map(|n| (point(member.id, n), seat)));
        }
        Self::of(taking().map(Seat::of).collect(), points, false)
    }

    /// The points in their order on the circle. Of a ring made by `ketama` the upper half of each is libketama's.
    pub fn points(&self) -> impl Iterator<Item = (u64, Slot)> + '_ {
        let points = self.points.iter().zip(&self.owners);
        points.filter_map(|(at, owner)| Some((*at, self.seats.get(*owner as usize)?.slot)))
    }

    /// `plain`: a hash is a place on the circle as it stands, in its lower 32 bits.
    pub(crate) fn of(seats: Box<[Seat]>, mut points: Vec<(u64, u32)>, plain: bool) -> Self {
        points.sort_unstable();
        // about one point for each start, so that a pick looks at one or two points
        let bits = points.len().next_power_of_two().trailing_zeros().clamp(1, 32);
        let shift = u64::BITS - bits;
        let starts = (0..1_u64 << bits)
            .map(|start| points.partition_point(|(at, _)| *at < start << shift) as u32)
            .collect();
        Self {
            seats,
            points: points.iter().map(|(at, _)| *at).collect(),
            owners: points.iter().map(|(_, seat)| *seat).collect(),
            starts,
            shift,
            plain,
        }
    }

    /// Where the circle is entered: the position of the first point at or after `at`.
    fn enter(&self, at: u64) -> usize {
        let start = self
            .starts
            .get((at >> self.shift) as usize)
            .map_or(0, |start| *start as usize);
        let after = self.points.get(start..).unwrap_or_default();
        start + after.iter().take_while(|point| **point < at).count()
    }
}

impl Placement for Ring {
    fn place(&self, hash: u64, accepts: impl FnMut(&Seat) -> bool) -> Option<Slot> {
        let at = if self.plain { hash << 32 } else { spread(hash) };
        follow(&self.seats, &self.owners, self.enter(at), at, accepts)
    }

    fn seats(&self) -> &[Seat] {
        &self.seats
    }
}

impl Scheduler for Ring {
    fn pick(&self, ask: &Ask<'_>) -> Option<Slot> {
        self.place(hash_of(ask), |seat| ask.accepts(seat.slot))
    }
}

fn point(id: BackendId, number: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&id.as_u64().to_le_bytes());
    bytes[8..].copy_from_slice(&number.to_le_bytes());
    hash64(SEED, &bytes)
}

/// Fixed for ever: where a client goes follows from it.
const SEED: u64 = 0x6c62_642d_7269_6e67; // "lbd-ring"

//! What lies near a point: for suggesting that a report may be of something reported before.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::Hash;

use crate::coordinates::{EARTH_RADIUS, Wgs84, distance_metres};

/// How wide a cell is, in metres. A search for duplicates goes some tens of metres.
const CELL: f64 = 100.0;

/// A cube of space, by its corner in cells. Space has no poles and no date line to go around, and the straight way between
/// two points is never longer than the way on the ground.
type Cell = [i64; 3];

/// Points by key, kept in memory, to be asked which are near.
///
/// Keep one for each type of request: what is near and of the same type may be the same thing. It only suggests; whether it is,
/// a person says.
///
/// It holds open points, which are personal: keep it no longer than the reports are open, and remove what is erased. `Debug`
/// prints how many there are.
#[derive(Clone)]
pub struct NearIndex<K> {
    points: HashMap<K, Wgs84>,
    cells: HashMap<Cell, BTreeSet<K>>,
}

impl<K: Clone + Ord + Hash> NearIndex<K> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            points: HashMap::new(),
            cells: HashMap::new(),
        }
    }

    /// Adds a point, or moves the one with this key. Returns where it was.
    pub fn insert(&mut self, key: K, point: Wgs84) -> Option<Wgs84> {
        let before = self.remove(&key);
        self.cells.entry(cell(point)).or_default().insert(key.clone());
        self.points.insert(key, point);
        before
    }

    /// Takes a point out. Returns where it was.
    pub fn remove(&mut self, key: &K) -> Option<Wgs84> {
        let point = self.points.remove(key)?;
        let at = cell(point);
        if let Some(keys) = self.cells.get_mut(&at) {
            keys.remove(key);
            if keys.is_empty() {
                self.cells.remove(&at);
            }
        }
        Some(point)
    }

    /// How many points there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The keys at most so many metres from a point (by [`distance_metres`]), each with its distance: the nearest first, by
    /// key where they are equally far. None are within less than 0 metres, or within what is not a number.
    #[must_use]
    pub fn near(&self, point: Wgs84, metres: f64) -> Vec<(K, f64)> {
        let mut found: Vec<(K, f64)> = self
            .candidates(point, metres)
            .filter_map(|key| {
                let away = distance_metres(point, *self.points.get(key)?);
                (away <= metres).then(|| (key.clone(), away))
            })
            .collect();
        found.sort_by(|(key, away), (other, further)| away.total_cmp(further).then_with(|| key.cmp(other)));
        found
    }

    /// All keys in cells that a search may reach, and others.
    fn candidates(&self, point: Wgs84, metres: f64) -> Box<dyn Iterator<Item = &K> + '_> {
        let centre = space(point);
        // A millimetre more than asked for: rounding must not lose what is right at the limit.
        let reach = metres.max(0.0) + 0.001;
        let low = centre.map(|at| whole((at - reach) / CELL));
        let high = centre.map(|at| whole((at + reach) / CELL));
        let across = |axis: usize| high[axis].saturating_sub(low[axis]).saturating_add(1);
        let cells = across(0).saturating_mul(across(1)).saturating_mul(across(2));
        if cells >= self.cells.len() as i64 {
            return Box::new(self.points.keys());
        }
        let cells = (low[0]..=high[0])
            .flat_map(move |x| (low[1]..=high[1]).flat_map(move |y| (low[2]..=high[2]).map(move |z| [x, y, z])));
        Box::new(cells.filter_map(|cell| self.cells.get(&cell)).flatten())
    }
}

impl<K: Clone + Ord + Hash> Default for NearIndex<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> fmt::Debug for NearIndex<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NearIndex({} points)", self.points.len())
    }
}

/// Where a point is in space, in metres from the middle of a round Earth.
fn space(point: Wgs84) -> [f64; 3] {
    let (latitude, longitude) = (point.latitude().to_radians(), point.longitude().to_radians());
    let from_axis = EARTH_RADIUS * latitude.cos();
    [
        from_axis * longitude.cos(),
        from_axis * longitude.sin(),
        EARTH_RADIUS * latitude.sin(),
    ]
}

fn cell(point: Wgs84) -> Cell {
    space(point).map(|at| whole(at / CELL))
}

/// The whole number below; the ends of the range for what is beyond them.
fn whole(number: f64) -> i64 {
    number.floor() as i64
}

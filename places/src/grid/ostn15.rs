//! The shifts from ETRS89 to OSGB36: OSTN15, each fifth kilometre.
//!
//! `data/thin.py` made the table and says how it is laid out. The licence of Ordnance Survey's data stands beside it.

static TABLE: &[u8; COLUMNS * ROWS * NODE] = include_bytes!("../../data/ostn15-5km.bin");

const COLUMNS: usize = 141;
const ROWS: usize = 251;
/// Bytes of a node.
const NODE: usize = 4;
/// Metres between nodes.
const STEP: f64 = 5_000.0;

/// What is to be added to an easting and a northing of ETRS89, in metres, to get those of OSGB36.
///
/// Between nodes it goes straight (bilinear interpolation, as OSTN15 does). Outside the table it is that of the nearest edge.
pub(super) fn shift((easting, northing): (f64, f64)) -> (f64, f64) {
    let (column, t) = cell(easting, COLUMNS);
    let (row, u) = cell(northing, ROWS);
    let mix = |a: (f64, f64), b: (f64, f64), part: f64| (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part);
    let south = mix(node(column, row), node(column + 1, row), t);
    let north = mix(node(column, row + 1), node(column + 1, row + 1), t);
    mix(south, north, u)
}

/// The node at or before a coordinate, and how far it is on the way to the next, 0 to 1.
fn cell(metres: f64, nodes: usize) -> (usize, f64) {
    let last = nodes - 1;
    let steps = (metres / STEP).max(0.0).min(last as f64);
    let before = (steps as usize).min(last - 1);
    (before, steps - before as f64)
}

/// The shift at a node, in metres.
fn node(column: usize, row: usize) -> (f64, f64) {
    let at = (row * COLUMNS + column) * NODE;
    let millimetres = |at: usize| f64::from(u16::from_be_bytes([TABLE[at], TABLE[at + 1]]));
    (
        (millimetres(at) + 80_000.0) / 1_000.0,
        (millimetres(at + 2) - 90_000.0) / 1_000.0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first line of OSTN15's own file.
    #[test]
    fn a_node_has_ostn15_s_own_shift() {
        assert_eq!(shift((0.0, 0.0)), (90.750, -82.020));
    }

    /// The user guide v1.3, annexe A: the shift at Caister Water Tower, (102.801, -78.236).
    #[test]
    fn between_nodes_it_is_near_ostn15() {
        let (east, north) = shift((651_307.003, 313_255.686));
        assert!((east - 102.801).hypot(north + 78.236) < 0.05, "{east} {north}");
    }

    #[test]
    fn outside_the_table_it_is_the_edge_s() {
        assert_eq!(shift((-500.0, -500.0)), shift((0.0, 0.0)));
        assert_eq!(shift((800_000.0, 2_000_000.0)), shift((700_000.0, 1_250_000.0)));
        let (east, north) = shift((f64::NAN, f64::INFINITY));
        assert!(east.is_finite() && north.is_finite());
    }
}

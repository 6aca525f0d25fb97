//! Grid references: a square of the National Grid, as people write it.

use std::fmt;
use std::str::FromStr;

use super::NationalGrid;
use crate::coordinates::CoordinateError;

/// Letters of the squares, A to Z without I, from the north-west, five to a row.
const LETTERS: &[u8; 25] = b"ABCDEFGHJKLMNOPQRSTUVWXYZ";

/// A square of the National Grid, 1 m to 10 km wide, such as `TQ 30098 80123` (Ordnance Survey, "A guide to coordinate
/// systems in Great Britain", section 7).
///
/// Two letters name a square of 100 km, the first half of the digits how far east in it the square begins, the other half how
/// far north: 10 digits are a square of 1 m, 8 of 10 m, 6 of 100 m, 4 of 1 km, 2 of 10 km.
///
/// Guarantees: the whole square is on the grid; `Debug` prints nothing of it, `Display` does.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct GridReference {
    /// Of the south-west corner, in metres.
    easting: u32,
    northing: u32,
    /// In each half, 1 to 5.
    digits: u32,
}

impl GridReference {
    /// The square of the given size in metres (1, 10, 100, 1 000 or 10 000) that a point is in. It is cut off, not rounded,
    /// as is the custom.
    ///
    /// Gives nothing for another size.
    #[must_use]
    pub fn of(point: NationalGrid, size_metres: u32) -> Option<Self> {
        let digits = (1..=5).find(|digits| size(*digits) == size_metres)?;
        let corner = |metres: f64| metres as u32 / size_metres * size_metres;
        Some(Self {
            easting: corner(point.easting()),
            northing: corner(point.northing()),
            digits,
        })
    }

    /// Reads `TQ 30098 80123`, `TQ3009880123` or `tq 300 801`.
    ///
    /// # Errors
    /// [`CoordinateError::GridReference`]: not of that form, or a square that is not on the grid.
    pub fn new(text: &str) -> Result<Self, CoordinateError> {
        parse(text).ok_or(CoordinateError::GridReference)
    }

    /// The south-west corner.
    #[must_use]
    pub fn south_west(self) -> NationalGrid {
        self.at(0.0)
    }

    /// The middle.
    #[must_use]
    pub fn centre(self) -> NationalGrid {
        self.at(f64::from(self.size_metres()) / 2.0)
    }

    /// How wide and how high it is, in metres.
    #[must_use]
    pub const fn size_metres(self) -> u32 {
        size(self.digits)
    }

    fn at(self, inward: f64) -> NationalGrid {
        NationalGrid {
            easting: f64::from(self.easting) + inward,
            northing: f64::from(self.northing) + inward,
        }
    }
}

const fn size(digits: u32) -> u32 {
    10_u32.pow(5 - digits)
}

fn parse(text: &str) -> Option<GridReference> {
    let text = text.trim();
    let (letters, rest) = text.split_at_checked(2)?;
    let (east_of_letters, north_of_letters) = corner(letters)?;
    let halves: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (east, north) = match halves.as_slice() {
        [both] if both.len().is_multiple_of(2) => both.split_at_checked(both.len() / 2)?,
        [east, north] if east.len() == north.len() => (*east, *north),
        _ => return None,
    };
    let digits = u32::try_from(east.len())
        .ok()
        .filter(|digits| (1..=5).contains(digits))?;
    let metres = |half: &str| {
        let plain = half.bytes().all(|b| b.is_ascii_digit());
        plain
            .then(|| half.parse::<u32>().ok())
            .flatten()
            .map(|steps| steps * size(digits))
    };
    let (easting, northing) = (east_of_letters + metres(east)?, north_of_letters + metres(north)?);
    // The letters reach beyond the grid. Its ends are at multiples of every size, so a square is on it or off it.
    NationalGrid::new(f64::from(easting), f64::from(northing)).ok()?;
    Some(GridReference {
        easting,
        northing,
        digits,
    })
}

/// The south-west corner of the square of 100 km that two letters name, in metres. The first letter names one of 500 km,
/// counted from 1 000 km west and 500 km south of the origin.
fn corner(letters: &str) -> Option<(u32, u32)> {
    let mut places = letters.bytes().map(|letter| {
        let letter = letter.to_ascii_uppercase();
        let place = LETTERS.iter().position(|known| *known == letter)?;
        let place = u32::try_from(place).ok()?;
        Some((place % 5, 4 - place / 5))
    });
    let (large, small) = (places.next()??, places.next()??);
    let east = (large.0 * 5 + small.0).checked_sub(10)?;
    let north = (large.1 * 5 + small.1).checked_sub(5)?;
    Some((east * 100_000, north * 100_000))
}

/// The two letters of the square of 100 km that a corner is in.
fn letters(easting: u32, northing: u32) -> [char; 2] {
    let (east, north) = (easting / 100_000 + 10, northing / 100_000 + 5);
    let letter = |east: u32, north: u32| char::from(LETTERS[((4 - north % 5) * 5 + east % 5) as usize]);
    [letter(east / 5, north / 5), letter(east, north)]
}

impl fmt::Display for GridReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [large, small] = letters(self.easting, self.northing);
        let half = |metres: u32| metres % 100_000 / size(self.digits);
        let width = self.digits as usize;
        write!(
            f,
            "{large}{small} {:0width$} {:0width$}",
            half(self.easting),
            half(self.northing)
        )
    }
}

impl fmt::Debug for GridReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GridReference(..)")
    }
}

impl FromStr for GridReference {
    type Err = CoordinateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner_and_size(text: &str) -> (f64, f64, u32) {
        let square = GridReference::new(text).unwrap();
        let corner = square.south_west();
        (corner.easting(), corner.northing(), square.size_metres())
    }

    #[test]
    fn a_reference_is_a_square() {
        assert_eq!(corner_and_size("TQ 30098 80123"), (530_098.0, 180_123.0, 1));
        assert_eq!(corner_and_size("TQ3009880123"), (530_098.0, 180_123.0, 1));
        assert_eq!(corner_and_size(" tq 300 801 "), (530_000.0, 180_100.0, 100));
        assert_eq!(corner_and_size("TQ 38"), (530_000.0, 180_000.0, 10_000));
        let centre = GridReference::new("TQ 30 80").unwrap().centre();
        assert_eq!((centre.easting(), centre.northing()), (530_500.0, 180_500.0));
    }

    /// Corners of the grid, and Ben Nevis (NN 166 712).
    #[test]
    fn letters_name_the_squares() {
        assert_eq!(corner_and_size("SV 00"), (0.0, 0.0, 10_000));
        assert_eq!(corner_and_size("NN 166 712"), (216_600.0, 771_200.0, 100));
        assert_eq!(corner_and_size("HU 396 753"), (439_600.0, 1_175_300.0, 100));
        assert_eq!(corner_and_size("TV 59 98"), (559_000.0, 98_000.0, 1_000));
        assert_eq!(corner_and_size("TG 51409 13177"), (651_409.0, 313_177.0, 1));
        assert_eq!(corner_and_size("JL 04"), (500_000.0, 1_240_000.0, 10_000));
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        for wrong in [
            "",
            "T",
            "TQ",
            "TQ 3",
            "TQ 300 80",
            "TQ 30 8012",
            "TI 30 80",
            "T1 30 80",
            "TQ 300980 801230",
            "TQ30 80 1",
            "TQ +3 +8",
            "AA 00 00",
            "ZZ 00 00",
            "JL 05",
            "SU٣٣",
            "éé 10 10",
            "TQ 3٣ 8٣",
        ] {
            let error = GridReference::new(wrong).unwrap_err();
            assert_eq!(error, CoordinateError::GridReference, "{wrong}");
        }
    }

    #[test]
    fn a_point_is_in_its_square_and_cut_off() {
        let point = NationalGrid::new(530_098.9, 180_123.99).unwrap();
        for (size, text) in [
            (1, "TQ 30098 80123"),
            (10, "TQ 3009 8012"),
            (100, "TQ 300 801"),
            (1_000, "TQ 30 80"),
            (10_000, "TQ 3 8"),
        ] {
            assert_eq!(GridReference::of(point, size).unwrap().to_string(), text);
        }
        let corner = NationalGrid::new(400_007.0, 100_000.0).unwrap();
        assert_eq!(GridReference::of(corner, 1).unwrap().to_string(), "SU 00007 00000");
        assert!(GridReference::of(point, 5).is_none() && GridReference::of(point, 100_000).is_none());
        assert_eq!(
            format!("{:?}", GridReference::of(point, 1).unwrap()),
            "GridReference(..)"
        );
    }
}

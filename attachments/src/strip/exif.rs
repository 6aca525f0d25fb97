//! How a photo is turned (Exif 3.0, CIPA DC-008, section 4.6; TIFF 6.0 section 2).

use std::num::NonZeroU8;

/// What an Exif begins with in JPEG; in WebP some writers put it too.
pub(super) const EXIF_PREFIX: &[u8] = b"Exif\0\0";

/// The tag `Orientation`.
const ORIENTATION_TAG: u16 = 0x0112;

/// TIFF's type for a number of two bytes.
const SHORT_TYPE: u16 = 3;

/// A directory entry: tag, type, count, value.
const ENTRY_BYTES: usize = 12;

/// The length of [`Orientation::as_tiff`].
const MINIMAL_BYTES: usize = 26;

/// A turned photo: 2 to 8, as Exif numbers them. An upright one (1) needs no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Orientation(NonZeroU8);

impl Orientation {
    /// Reads it out of an Exif, with or without [`EXIF_PREFIX`]; `None` where it is upright or not said.
    pub(super) fn of_exif(exif: &[u8]) -> Option<Self> {
        let tiff = Tiff::of(exif.strip_prefix(EXIF_PREFIX).unwrap_or(exif))?;
        let directory = usize::try_from(tiff.number(4, 4)?).ok()?;
        let count = usize::try_from(tiff.number(directory, 2)?).ok()?;
        let first = directory.checked_add(2)?;
        (0..count)
            .map_while(|index| first.checked_add(index * ENTRY_BYTES))
            .find_map(|entry| {
                let is_orientation = tiff.number(entry, 2)? == u32::from(ORIENTATION_TAG)
                    && tiff.number(entry + 2, 2)? == u32::from(SHORT_TYPE)
                    && tiff.number(entry + 4, 4)? == 1;
                let value = u8::try_from(tiff.number(entry + 8, 2)?).ok()?;
                (is_orientation && (2..=8).contains(&value))
                    .then(|| NonZeroU8::new(value).map(Self))
                    .flatten()
            })
    }

    /// An Exif that says this alone, without [`EXIF_PREFIX`].
    pub(super) fn as_tiff(self) -> [u8; MINIMAL_BYTES] {
        let [tag_high, tag_low] = ORIENTATION_TAG.to_be_bytes();
        let [type_high, type_low] = SHORT_TYPE.to_be_bytes();
        let value = self.0.get();
        [
            b'M', b'M', 0, 42, 0, 0, 0, 8, // big-endian, the directory at byte 8
            0, 1, tag_high, tag_low, type_high, type_low, 0, 0, 0, 1, 0, value, 0, 0, // one entry
            0, 0, 0, 0, // no other directory
        ]
    }
}

/// Reads numbers at places, in one of the two byte orders.
struct Tiff<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl<'a> Tiff<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let big_endian = match bytes.get(..4)? {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        Some(Self { bytes, big_endian })
    }

    /// The number of `length` (at most 4) bytes at `place`.
    fn number(&self, place: usize, length: usize) -> Option<u32> {
        let bytes = self.bytes.get(place..place.checked_add(length)?)?;
        let add = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
        Some(if self.big_endian {
            bytes.iter().fold(0, add)
        } else {
            bytes.iter().rev().fold(0, add)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for value in 2..=8 {
            let orientation = Orientation(NonZeroU8::new(value).unwrap());
            assert_eq!(Orientation::of_exif(&orientation.as_tiff()), Some(orientation));
            let prefixed = [EXIF_PREFIX, &orientation.as_tiff()].concat();
            assert_eq!(Orientation::of_exif(&prefixed), Some(orientation));
        }
    }

    #[test]
    fn it_is_found_among_other_entries_in_either_byte_order() {
        let little = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0abc\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        assert_eq!(
            Orientation::of_exif(little),
            Orientation(NonZeroU8::new(6).unwrap()).into()
        );
    }

    #[test]
    fn upright_and_senseless_values_say_nothing() {
        let turned = Orientation(NonZeroU8::new(3).unwrap()).as_tiff();
        for value in [0, 1, 9, 255] {
            let mut other = turned;
            other[19] = value;
            assert_eq!(Orientation::of_exif(&other), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, big_endian: bool) {
            Orientation::of_exif(&bytes);
            let header: &[u8] = if big_endian { b"MM\0*" } else { b"II*\0" };
            Orientation::of_exif(&[header, &bytes].concat());
        }
    }
}

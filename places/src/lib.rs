//! Where things are.
//!
//! The crate is pure: it parses text that it is given, reads no file, no clock and no network.
//!
//! - [`Wgs84`] and [`NationalGrid`] are points, checked as they are made, and convert into each other to some centimetres.
//!   [`GridReference`] is a square such as `TQ 30098 80123`.
//!
//! **A point of a report is personal.** No type that holds one prints it in `Debug`, none can be serialised, and no error
//! carries one. What is in clear is the area only.
//!
//! Contains Ordnance Survey's OSTN15, thinned: see `data/OSTN15-LICENCE.txt`.

pub mod codes;
pub mod coordinates;
pub mod grid;

pub use codes::{AreaCode, CodeError, TextDigest, Usrn, VersionName};
pub use coordinates::{CoordinateError, Wgs84, distance_metres};
pub use grid::{GridReference, NationalGrid};

//! Where things are: coordinates, the areas of a council that hold them, and what lies near.
//!
//! The crate is pure: it parses text that it is given, reads no file, no clock and no network.
//!
//! - [`Wgs84`] and [`NationalGrid`] are points, checked as they are made, and convert into each other to some centimetres.
//!   [`GridReference`] is a square such as `TQ 30098 80123`.
//! - [`Boundaries`] are the areas of one GeoJSON file, with a [`BoundaryVersion`] that proves which file it was.
//! - [`CouncilArea`] says in which ward and statistical area a point is, as a [`Located`] that may stand in an event for ever,
//!   or that it is [`OutsideArea`].
//! - [`NearIndex`] finds what was reported near a point.
//!
//! **A point of a report is personal.** No type that holds one prints it in `Debug`, none can be serialised, and no error
//! carries one. What is in clear is the area only.
//!
//! Contains Ordnance Survey's OSTN15, thinned: see `data/OSTN15-LICENCE.txt`.

pub mod boundaries;
pub mod coordinates;
pub mod council_area;
pub mod grid;
pub mod near;

pub use boundaries::{Area, Boundaries, BoundaryError, BoundaryVersion, PropertyNames};
pub use coordinates::{CoordinateError, Wgs84, distance_metres};
pub use council_area::{AreaOf, CouncilArea, Located, OutsideArea};
pub use grid::{GridReference, NationalGrid};
pub use near::NearIndex;

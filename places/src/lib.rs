//! Where things are: coordinates, the areas of a council that hold them, and what lies near.
//!
//! The crate is pure: it parses text that it is given, reads no file, no clock and no network.
//!
//! - [`Wgs84`] and [`NationalGrid`] are points, checked as they are made, and convert into each other to some centimetres.
//!   [`GridReference`] is a square such as `TQ 30098 80123`.
//!   [`Wgs84::of_place`] is the point that a report gives.
//! - [`Boundaries`] are the areas of one GeoJSON file, with a [`BoundaryVersion`](schemas::located::BoundaryVersion) that proves
//!   which file it was.
//! - [`CouncilArea`] says in which ward and statistical area a point is, as a [`Located`](schemas::located::Located) that may
//!   stand in an event for ever, or that it is [`OutsideArea`].
//! - [`Cell`] is for finding what was reported near a point.
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
pub mod reported;

pub use boundaries::{Area, Boundaries, BoundaryError, PropertyNames};
pub use coordinates::{CoordinateError, Wgs84, distance_metres};
pub use council_area::{CouncilArea, OutsideArea};
pub use grid::{GridReference, NationalGrid};
pub use near::{Cell, SEARCH_AT_MOST};

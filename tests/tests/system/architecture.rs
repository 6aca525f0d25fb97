//! The edges between the crates.

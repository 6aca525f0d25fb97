//! What a team would otherwise pick, each doing the same work: load a random case, decide, append one event, durably.

pub mod stock;

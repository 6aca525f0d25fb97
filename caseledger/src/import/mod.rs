//! `caseledger import`: cases from another system, through the bus, with their original times.

pub mod mapping;
pub mod row;
mod run;

pub use run::{Import, ROWS_IN_FLIGHT, RowFate, Summary, import};

//! The read models: the history for the services, reporting for the analysts.
//!
//! A [`Projection`] turns events into rows. [`run`] keeps one up to date: it reads the log in position order and writes each
//! batch's rows and the new position in one transaction, so every event counts exactly once, however often a process dies
//! or how many run.
//!
//! Rows belong to a generation, and readers see the live one. [`rebuild`] builds another from the beginning beside it and
//! switches; [`verify`] builds one and compares. Neither stops the readers or the writers.
//!
//! Nothing here opens a sealed value, and an open personal value in an event stops a projection. The rules of the domain
//! are not repeated here: rows hold what the events say.
//!
//! ```text
//! log ──> run ──> Projection::apply ──> history.case_rows … ──> history.cases …        history::case_by_reference …
//!                                  └──> reporting.request_rows ──> reporting.requests  reporting::counts
//! ```

mod catch_up;
mod checkpoint;
mod columns;
mod error;
mod event;
pub mod history;
mod migrate;
mod projection;
mod rebuild;
pub mod reporting;
mod run;
mod status;
mod verify;

pub use catch_up::{BATCH_EVENTS, catch_up};
pub use checkpoint::{Applied, Checkpoint};
pub use error::ProjectionError;
pub use event::Event;
pub use migrate::migrate;
pub use projection::{Generation, Projection, TableDigest, projections};
pub use rebuild::{Rebuilt, rebuild};
pub use run::{heard, run};
pub use status::{Status, position, status};
pub use verify::{Comparison, Verification, verify};

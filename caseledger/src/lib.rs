//! The `caseledger` command: every service, and what people call by hand.
//!
//! [`cli`] says what can be called, [`calls`] does it. [`services`] builds each service from its settings, the same for `serve`
//! and for [`dev`], which runs all of them in one process on [`servers`] of its own. [`import`] brings cases from another system
//! through the bus. [`audit`] makes and verifies checkpoints of the log.

pub mod audit;
pub mod calls;
pub mod cli;
pub mod database;
pub mod dev;
pub mod import;
pub mod logging;
pub mod operation;
pub mod outcome;
pub mod passwords;
pub mod print;
pub mod registers;
pub mod servers;
pub mod services;
pub mod settings;

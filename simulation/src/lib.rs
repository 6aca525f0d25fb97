//! The services as they are, behind models of the log and the bus that lose, delay, double, reorder and crash.
//!
//! A run has a seed, and everything in it follows from that: what is sent, what fails and when, how long each thing takes. One thread
//! runs it, time is simulated, and so thousands of runs go by in a minute; each repeats exactly ([`World`] keeps a hash of its steps).
//!
//! What runs for real: the command-service (calls, queries, durable commands, lanes, group commit, the cache and what brings it up to other
//! copies' appends, intake, refusals, the vault's sealing, the domain), the relay, and a subscription with a small view. Two
//! command-services and two relays compete. What is modelled is behind the seams [`Ledger`](event_store::Ledger),
//! [`Leases`](event_store::Leases), [`KeyStore`](vault::KeyStore) and [`Bus`](::bus::Bus). A suite in `tests/conformance.rs` asks the
//! models and the real servers the same questions, so that the models don't lie.
//!
//! What is left out, because it lives in tables beside the log: the timekeeper, contractors' feeds, the files of cases, the projections'
//! own tables, and the notifier. The system tests have them, on real servers.
//!
//! [`run()`] makes one run and says what does not hold. `tests/reproduction.rs` keeps each failure that was found as a case of its own.

mod bus;
mod checker;
mod council;
mod fault;
mod keys;
mod leases;
mod ledger;
mod process;
mod run;
mod sender;
mod signal;
mod storm;
mod view;
mod witness;
mod world;

pub use crate::bus::{ModelBus, ModelClient, ModelNats};
pub use council::{NoRegistry, Registry};
pub use fault::Fault;
pub use keys::ModelKeyStore;
pub use leases::ModelLeases;
pub use ledger::{ModelLedger, ModelLog};
pub use process::Process;
pub use run::{Outcome, run};
pub use view::{Rows, View};
pub use witness::{Asked, Broken, Invariant, Sent, Witness};
pub use world::{Figures, Weather, World};

//! The rules, given events, when a command comes, then events or a rejection.

mod customer;
mod closing;
mod fixtures;
mod invariants;
mod opening;
mod progress;
mod rejections;

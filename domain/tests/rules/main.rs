//! The rules, given events, when a command comes, then events or a rejection.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share stands outside test functions"
)]

mod appointments;
mod attachments;
mod clocks_of_a_case;
mod closing;
mod correction;
mod customer;
mod decision;
mod duplicates;
mod enforcement;
mod entitlements;
mod fixtures;
mod handling;
mod held_places;
mod information;
mod invariants;
mod jobs;
mod opening;
mod payments;
mod person;
mod progress;
mod rejections;
mod rounds;
mod timekeeping;

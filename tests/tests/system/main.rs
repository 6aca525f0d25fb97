//! The tests of the whole system: one binary, a module per topic.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod appointments;
mod architecture;
mod attachments;
mod audit;
mod bad_input;
mod clients;
mod encrypted;
mod enforcement;
mod entitlements;
mod erasure;
mod event_store;
mod following;
mod foreign_servers;
mod handling;
mod harness;
mod import;
mod information;
mod jobs;
mod keys;
mod limits;
mod notifier;
mod office;
mod operation;
mod parked;
mod payments;
mod people;
mod perimeter;
mod places;
mod projections;
mod python_client;
mod races;
mod refusals;
mod relay;
mod rounds;
mod servers;
mod tenth_service;
mod timekeeper;
mod vault;
mod walk;

//! Who is measured: Caseledger, in parts and as a whole, and what a team would otherwise pick.

mod bare;
mod disintegrate;
mod fill;
pub mod ours;
mod python;
pub mod stock;
mod store;

use std::sync::Arc;

use async_trait::async_trait;
use system_tests::TestPostgres;

use crate::load::{Command, Load, Measured};

pub use ours::{Ids, Ours};

/// The cases that everybody wants at the same time.
pub const HOT_CASES: usize = 50;

/// The connections of a stock contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Ten: what `postgres_es::default_postgress_pool` takes.
    Usual,
    /// 64: as many as clients.
    Large,
}

/// One of those who are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contender {
    /// Stock `cqrs-es` with `postgres-es`.
    Stock(Pool),
    /// The same with one view that is kept up to date.
    StockView,
    /// The same without it, on fifty cases that everybody wants.
    StockHot,
    /// `disintegrate` with `disintegrate-postgres`.
    Disintegrate,
    /// Python `eventsourcing`.
    Python,
    /// PostgreSQL alone: a row and a commit for each event.
    BareRows,
    /// PostgreSQL alone: one writer, as many rows by one statement and commit as there are clients elsewhere.
    BareArrays,
    /// Our store alone: events as they are, recorded with their commands' results; nothing is decided or sealed.
    Store,
    /// Our command-service alone, called in this process: commands are read, checked, sealed, decided and recorded with their
    /// results.
    Service,
    /// The same on fifty cases that everybody wants.
    ServiceHot,
    /// Two command-services on one database, both with all cases.
    TwoServices,
    /// One command-service with the relay and the projections running, until they have caught up.
    Running,
    /// The whole way over NATS: called, decided, committed, answered.
    Called,
    /// Durable commands over NATS, until their result is heard.
    Durable,
}

impl Contender {
    /// Everybody.
    pub const ALL: [Self; 15] = [
        Self::Stock(Pool::Usual),
        Self::StockHot,
        Self::Stock(Pool::Large),
        Self::StockView,
        Self::Disintegrate,
        Self::Python,
        Self::BareRows,
        Self::BareArrays,
        Self::Store,
        Self::Service,
        Self::ServiceHot,
        Self::TwoServices,
        Self::Running,
        Self::Called,
        Self::Durable,
    ];

    /// Its name, by which it can be chosen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock(Pool::Usual) => "stock",
            Self::Stock(Pool::Large) => "stock-pool-64",
            Self::StockView => "stock-view",
            Self::StockHot => "stock-hot",
            Self::Disintegrate => "disintegrate",
            Self::Python => "python-eventsourcing",
            Self::BareRows => "bare-rows",
            Self::BareArrays => "bare-arrays",
            Self::Store => "store",
            Self::Service => "service",
            Self::ServiceHot => "service-hot",
            Self::TwoServices => "two-services",
            Self::Running => "running",
            Self::Called => "called",
            Self::Durable => "durable",
        }
    }

    /// Whether it is measured only where it is named, and in `bench growth`.
    #[must_use]
    pub const fn only_by_name(self) -> bool {
        matches!(self, Self::TwoServices)
    }

    /// The cases that its commands speak to, of those that it has.
    #[must_use]
    pub fn cases(self, all: usize) -> usize {
        match self {
            Self::StockHot | Self::ServiceHot => HOT_CASES.min(all),
            _ => all,
        }
    }

    /// Whether the two differ only in the cases that are wanted, so that what is set up for the one does for the other.
    #[must_use]
    pub fn is_set_up_as(self, other: Self) -> bool {
        let set_up = |contender| match contender {
            Self::StockHot => Self::Stock(Pool::Usual),
            Self::ServiceHot => Self::Service,
            itself => itself,
        };
        set_up(self) == set_up(other)
    }

    /// Sets it up on a PostgreSQL of its own, with so many cases and their prior events.
    ///
    /// # Errors
    /// A sentence on what failed.
    pub async fn set_up(self, postgres: &Arc<TestPostgres>, cases: usize) -> Result<Box<dyn Ready>, String> {
        Ok(match self {
            Self::Stock(Pool::Usual) | Self::StockHot => Box::new(stock::Stock::set_up(postgres, cases, 10).await?),
            Self::Stock(Pool::Large) => Box::new(stock::Stock::set_up(postgres, cases, 64).await?),
            Self::StockView => Box::new(stock::Stock::with_view(postgres, cases, 10).await?),
            Self::Disintegrate => Box::new(disintegrate::Disintegrate::set_up(postgres, cases).await?),
            Self::Python => Box::new(python::Python::set_up(postgres, cases).await?),
            Self::BareRows => Box::new(bare::Bare::set_up(postgres, cases, bare::Inserting::Rows).await?),
            Self::BareArrays => Box::new(bare::Bare::set_up(postgres, cases, bare::Inserting::Arrays).await?),
            Self::Store => Box::new(store::Store::set_up(postgres, cases).await?),
            Self::TwoServices => Box::new(Ours::set_up(postgres, cases).await?.and_another()?),
            Self::Service | Self::ServiceHot => Box::new(Ours::set_up(postgres, cases).await?),
            Self::Running => Box::new(Ours::set_up(postgres, cases).await?.running().await?),
            Self::Called => Box::new(Ours::over_nats(postgres, cases, ours::Way::Called).await?),
            Self::Durable => Box::new(Ours::over_nats(postgres, cases, ours::Way::Durable).await?),
        })
    }
}

/// A contender that is ready to be measured.
#[async_trait]
pub trait Ready: Send + Sync {
    /// What handles one command.
    fn command(&self) -> Command;

    /// Whether something follows its log, whose work counts too.
    fn has_followers(&self) -> bool {
        false
    }

    /// Waits until what follows its log has caught up.
    async fn caught_up(&self) -> Result<(), String> {
        Ok(())
    }

    /// Measures itself, where it has clients of its own.
    async fn measure(&mut self, _: Load) -> Option<Result<Measured, String>> {
        None
    }

    /// Lets go of its connections.
    async fn close(self: Box<Self>);
}

//! What each call does.

mod attachment;
mod audit;
mod bus;
mod case;
mod catalogue;
mod client;
mod clock;
mod customer;
mod entitlement;
mod import;
mod in_words;
mod key;
mod opening;
mod operator;
mod parked;
mod projection;
mod schema;
mod send;
mod serve;
mod statement;

use crate::cli::{Call, Cli};
use crate::dev;
use crate::logging;
use crate::outcome::Failure;

/// Does what was called.
///
/// # Errors
/// [`Failure`]: how it ended.
pub async fn run(cli: Cli) -> Result<(), Failure> {
    let json = cli.json;
    match cli.call {
        Call::Dev(_) => {}
        Call::Serve(_) => logging::start(logging::to_standard_error(), logging::OF_SERVICES),
        _ => logging::start(logging::to_standard_error(), logging::OF_CALLS),
    }
    match cli.call {
        Call::Dev(call) => dev::run(call).await,
        Call::Serve(call) => serve::run(&call).await,
        Call::Migrate => operator::migrate().await,
        Call::Send(call) => send::run(&call, json).await,
        Call::Import(call) => import::run(&call, json).await,
        Call::Case(call) => case::run(&call, json).await,
        Call::Attachment(call) => attachment::run(&call, json).await,
        Call::Customer(call) => customer::run(&call, json).await,
        Call::Entitlement(call) => entitlement::run(&call, json).await,
        Call::Catalogue(call) => catalogue::run(&call, json),
        Call::Clock(call) => clock::run(&call),
        Call::Client(call) => client::run(&call, json).await,
        Call::Projection(call) => projection::run(&call, json).await,
        Call::Bus(call) => bus::run(&call, json).await,
        Call::Audit(call) => audit::run(&call, json).await,
        Call::Key(call) => key::run(&call, json).await,
        Call::Schema(call) => schema::run(&call, json),
    }
}

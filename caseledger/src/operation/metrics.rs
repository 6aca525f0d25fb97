//! The metrics: their names, what they mean, and the collector of this process.

use std::sync::OnceLock;

use command_service::measured as commands;
use event_store::measured as log;
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use notifier::measured as notices;

use crate::outcome::Failure;

/// Whether the log answered just now.
pub(super) const POSTGRES_UP: &str = "caseledger_postgres_up";
/// Connections of a service's pool.
pub(super) const POSTGRES_CONNECTIONS: &str = "caseledger_postgres_connections";
/// Whether a NATS user has its connection.
pub(super) const NATS_CONNECTED: &str = "caseledger_nats_connected";
/// How often a connection to NATS was made.
pub(super) const NATS_CONNECTS: &str = "caseledger_nats_connects_total";
/// The position of the log's last event.
pub(super) const LOG_POSITION: &str = "caseledger_log_position";
/// The position of the event stream's last event.
pub(super) const RELAY_POSITION: &str = "caseledger_relay_position";
/// How many events the event stream is behind the log.
pub(super) const RELAY_LAG: &str = "caseledger_relay_lag_events";
/// How far whoever follows the log is.
pub(super) const SUBSCRIPTION_POSITION: &str = "caseledger_subscription_position";
/// How many events they are behind it.
pub(super) const SUBSCRIPTION_LAG: &str = "caseledger_subscription_lag_events";
/// Dead letters that JetStream holds.
pub(super) const DEADLETTERS: &str = "caseledger_deadletters";
/// Durable commands that JetStream holds.
pub(super) const COMMANDS_BACKLOG: &str = "caseledger_commands_backlog";
/// Deliveries that wait.
pub(super) const DELIVERIES_WAITING: &str = "caseledger_deliveries_waiting";

/// Upper bounds of what takes time, in seconds: from half a millisecond to half a minute.
const SECONDS: [f64; 16] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0,
];

/// Upper bounds of batches, in commands: up to the most that one append has.
const BATCHES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// Collects from now on what this process counts. A second call gives the same collector.
pub(super) fn collect() -> Result<PrometheusHandle, Failure> {
    static COLLECTOR: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(collector) = COLLECTOR.get() {
        return Ok(collector.clone());
    }
    let full = |name: &str| Matcher::Full(name.to_owned());
    let collector = PrometheusBuilder::new()
        .set_buckets_for_metric(full(commands::COMMAND_SECONDS), &SECONDS)
        .and_then(|builder| builder.set_buckets_for_metric(full(log::APPEND_SECONDS), &SECONDS))
        .and_then(|builder| builder.set_buckets_for_metric(full(log::APPEND_BATCH_COMMANDS), &BATCHES))
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(Failure::down)?;
    describe();
    Ok(COLLECTOR.get_or_init(|| collector).clone())
}

/// Says what each metric means, as `/metrics` tells it.
fn describe() {
    describe_counter!(
        commands::COMMANDS,
        "Commands answered, by service, command, mode (call, durable) and outcome (accepted, rejected, unavailable, failed)."
    );
    describe_histogram!(
        commands::COMMAND_SECONDS,
        Unit::Seconds,
        "From when a command was taken from the bus until it was answered, in seconds."
    );
    describe_gauge!(
        commands::COMMANDS_IN_HAND,
        "Commands taken from the bus and not answered yet: in their lanes, being decided, or on their way to the log."
    );
    describe_gauge!(
        commands::QUERIES_IN_HAND,
        "Queries and replays taken from the bus and not answered yet."
    );
    describe_counter!(
        commands::COMMAND_RETRIES,
        "Chains of commands decided anew, by reason: lost, unavailable, systemic, failed."
    );
    describe_counter!(
        commands::PARKED,
        "Messages put among the dead letters by this process, by consumer."
    );
    describe_counter!(
        commands::RELAY_EVENTS,
        "Events that this relay published and JetStream acknowledged."
    );
    describe_gauge!(commands::LEASE_HELD, "Whether this process holds the lease: 1 or 0.");
    describe_gauge!(
        log::APPEND_CALLS_WAITING,
        "Calls that the appender has not answered yet: in its queue or on their way to the log."
    );
    describe_histogram!(log::APPEND_BATCH_COMMANDS, "Commands in one append.");
    describe_histogram!(
        log::APPEND_SECONDS,
        Unit::Seconds,
        "How long one append took, with its commit, in seconds."
    );
    describe_counter!(
        log::APPENDS,
        "Appends by outcome: recorded, unavailable, unknown, broken, unrecordable."
    );
    describe_counter!(
        log::SUBSCRIPTION_EVENTS,
        "Events applied by whoever follows the log in this process."
    );
    describe_counter!(
        log::SUBSCRIPTION_FAULTS,
        "Batches of events that could not be applied, by outcome: retry, or stop where somebody has to mend something."
    );
    describe_counter!(
        notices::NOTIFICATIONS,
        "Attempts to tell somebody, by result: postponed, or the state that the delivery came to."
    );
    describe_survey();
}

fn describe_survey() {
    describe_gauge!(POSTGRES_UP, "Whether the log answered when this was collected: 1 or 0.");
    describe_gauge!(
        POSTGRES_CONNECTIONS,
        "Connections of the service's pool, by state: idle, in_use."
    );
    describe_gauge!(NATS_CONNECTED, "Whether the NATS user has its connection: 1 or 0.");
    describe_counter!(
        NATS_CONNECTS,
        "How often a connection to NATS was made since the start."
    );
    describe_gauge!(LOG_POSITION, "The position of the last event of the log.");
    describe_gauge!(
        RELAY_POSITION,
        "The position of the last event that the event stream holds."
    );
    describe_gauge!(
        RELAY_LAG,
        "How many events of the log the event stream does not hold yet."
    );
    describe_gauge!(
        SUBSCRIPTION_POSITION,
        "The position of the last event that the follower of the log has applied."
    );
    describe_gauge!(
        SUBSCRIPTION_LAG,
        "How many events of the log the follower has not applied yet."
    );
    describe_gauge!(
        DEADLETTERS,
        "Dead letters that JetStream holds, by the consumer that put them there."
    );
    describe_gauge!(
        COMMANDS_BACKLOG,
        "Durable commands that JetStream holds: not handled yet."
    );
    describe_gauge!(
        DELIVERIES_WAITING,
        "Deliveries that wait to be sent, or to be recorded on their cases."
    );
}

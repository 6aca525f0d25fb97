//! What is asked for at the moment when metrics are collected: how far everything is, and what waits.
//!
//! What can't be found out at that moment is not a number (`NaN`): an old figure would look like a new one.

use bus::{Bus, ServiceUser};
use event_store::{Feeds, Ledger, Timetable};
use futures::future::join_all;
use metrics::gauge;
use notifier::Follower;
use schemas::Position;
use schemas::subjects::{ALL_DEADLETTERS, COMMANDS_STREAM, DEADLETTERS_STREAM};
use sqlx::PgPool;

use super::metrics::{
    COMMANDS_BACKLOG, DEADLETTERS, DELIVERIES_WAITING, LOG_POSITION, NATS_CONNECTED, NATS_CONNECTS,
    POSTGRES_CONNECTIONS, POSTGRES_UP, RELAY_LAG, RELAY_POSITION, SUBSCRIPTION_LAG, SUBSCRIPTION_POSITION,
};
use super::{ANSWER_WITHIN, Observed, RunsOn, Told};
use crate::cli::Service;

/// Asks, for every service of this process.
pub(super) async fn take(told: &Told) {
    join_all(told.services.iter().map(of_service)).await;
}

async fn of_service(observed: &Observed) {
    let Some(parts) = observed.parts() else { return };
    let service = observed.service.name();
    connections(observed, &parts, service);
    let head = within(async { parts.ledger.head().await.ok().map(|head| head.position) }).await;
    gauge!(POSTGRES_UP, "service" => service).set(if head.is_some() { 1.0 } else { 0.0 });
    gauge!(LOG_POSITION).set(number(head.map(|head| head.0)));
    match observed.service {
        Service::CommandService => of_command_service(&parts, head).await,
        Service::Relay => of_relay(&parts, head).await,
        Service::Projections => {}
        Service::Notifier => {
            let waiting = within(async { notifier::measured::waiting(&parts.pool).await.ok() }).await;
            for (step, count) in [
                ("send", waiting.map(|waiting| waiting.to_send)),
                ("record", waiting.map(|waiting| waiting.to_record)),
            ] {
                gauge!(DELIVERIES_WAITING, "to" => step).set(number(count));
            }
        }
    }
}

fn connections(observed: &Observed, parts: &RunsOn, service: &'static str) {
    let state = parts.bus.state().borrow().clone();
    for user in parts.bus.users() {
        let connected = if state.down.contains(&user) { 0.0 } else { 1.0 };
        gauge!(NATS_CONNECTED, "service" => service, "user" => user.as_str()).set(connected);
    }
    if let Some(client) = observed.client() {
        let connected = if client.is_connected() { 1.0 } else { 0.0 };
        gauge!(NATS_CONNECTED, "service" => service, "user" => client.name().to_string()).set(connected);
    }
    metrics::counter!(NATS_CONNECTS, "service" => service).absolute(state.connects);
    let (all, idle) = (
        parts.pool.size(),
        u32::try_from(parts.pool.num_idle()).unwrap_or(u32::MAX),
    );
    gauge!(POSTGRES_CONNECTIONS, "service" => service, "state" => "idle").set(f64::from(idle));
    gauge!(POSTGRES_CONNECTIONS, "service" => service, "state" => "in_use").set(f64::from(all.saturating_sub(idle)));
}

/// What only the command-service may look at: the timetable, the contractors' feeds, the dead letters and the queue of commands.
async fn of_command_service(parts: &RunsOn, head: Option<Position>) {
    let (timetable, feeds) = (Timetable::new(parts.pool.clone()), Feeds::new(parts.pool.clone()));
    let puller = ServiceUser::Puller;
    let (timekeeper, feeds, letters, backlog) = tokio::join!(
        within(async { timetable.head().await.ok().map(|head| head.position) }),
        within(async { feeds.head().await.ok().map(|head| head.position) }),
        within(async {
            parts
                .bus
                .holds(puller, DEADLETTERS_STREAM, Some(ALL_DEADLETTERS))
                .await
                .ok()
        }),
        within(async { parts.bus.holds(puller, COMMANDS_STREAM, None).await.ok() }),
    );
    stands("timekeeper", timekeeper, head);
    stands("feeds", feeds, head);
    match letters {
        Some(letters) => {
            gauge!(DEADLETTERS, "consumer" => command_service::CONSUMER).set(0.0);
            for (subject, count) in letters.by_subject {
                // The last part of the subject: one of our own consumers, as only our services publish there.
                let consumer = subject.rsplit('.').next().unwrap_or_default().to_owned();
                gauge!(DEADLETTERS, "consumer" => consumer).set(number(i64::try_from(count).ok()));
            }
        }
        None => gauge!(DEADLETTERS, "consumer" => command_service::CONSUMER).set(f64::NAN),
    }
    let backlog = backlog.and_then(|holds| i64::try_from(holds.messages).ok());
    gauge!(COMMANDS_BACKLOG).set(number(backlog));
}

/// How far the event stream is, and whoever follows the log: the relay may look, and it goes on where one of those has stopped.
async fn of_relay(parts: &RunsOn, head: Option<Position>) {
    let end = async {
        let end = parts.bus.last_event().await.ok()?;
        Some(end.last.map_or(Position::START, |last| last.position))
    };
    let projections = projections::projections(uuid::Uuid::new_v4);
    let follow = join_all(
        projections
            .iter()
            .map(|projection| within(async { projections::position(projection.as_ref(), &parts.pool).await.ok() })),
    );
    let (end, positions, notifier) = tokio::join!(within(end), follow, within(position_of_notifier(&parts.pool)));
    gauge!(RELAY_POSITION).set(number(end.map(|end| end.0)));
    gauge!(RELAY_LAG).set(lag(end, head));
    for (projection, position) in projections.iter().zip(positions) {
        stands(projection.name(), position, head);
    }
    stands("notifier", notifier, head);
}

async fn position_of_notifier(pool: &PgPool) -> Option<Position> {
    let mut connection = pool.acquire().await.ok()?;
    Follower::position(&mut connection).await.ok()
}

fn stands(subscription: &'static str, position: Option<Position>, head: Option<Position>) {
    gauge!(SUBSCRIPTION_POSITION, "subscription" => subscription).set(number(position.map(|position| position.0)));
    gauge!(SUBSCRIPTION_LAG, "subscription" => subscription).set(lag(position, head));
}

/// How far behind the log; what has moved on since the log was asked is not ahead of it.
fn lag(position: Option<Position>, head: Option<Position>) -> f64 {
    number(position.zip(head).map(|(position, head)| (head.0 - position.0).max(0)))
}

/// A number as a metric has it, exact up to 2^53; not a number where it is not known.
#[allow(clippy::cast_precision_loss)]
fn number(count: Option<i64>) -> f64 {
    count.map_or(f64::NAN, |count| count as f64)
}

/// The answer, if there is one in time.
async fn within<T>(question: impl Future<Output = Option<T>>) -> Option<T> {
    tokio::time::timeout(ANSWER_WITHIN, question).await.ok().flatten()
}

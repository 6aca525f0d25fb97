//! What the checker sees when something is not as it must be. Each begins with a run in which all is well.

use std::sync::Arc;

use bytes::Bytes;
use schemas::Position;
use schemas::result::{CommandResult, CommandStatus};

use super::*;
use crate::council::Registry;
use crate::run::live;
use crate::world::{Weather, World};

/// What is found at a council that has come to rest in fair weather, after `tamper`.
fn found(tamper: impl FnOnce(&Council)) -> Vec<Invariant> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let services = tokio::task::LocalSet::new();
    services.block_on(&runtime, async {
        let world = Arc::new(World::new(5, Weather::Fair, false));
        let council = Council::new(world, Registry::new().unwrap());
        live(&council).await;
        tamper(&council);
        check(&council);
        let mut found: Vec<_> = council
            .nats
            .witness
            .findings()
            .iter()
            .map(|broken| broken.invariant)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    })
}

/// The answers of the witness, altered and given once more.
fn told_otherwise(council: &Council, alter: impl Fn(&mut Accepted)) {
    let asked = council.nats.witness.asked();
    let (number, mut result) = asked
        .iter()
        .enumerate()
        .find_map(|(number, asked)| Some((number, asked.answers.first()?.1.clone())))
        .unwrap();
    if let CommandStatus::Accepted(accepted) = &mut result.status {
        alter(accepted);
    }
    council.nats.witness.answered(&council.world, number, &result);
}

#[test]
fn nothing_is_found_where_all_is_well() {
    assert_eq!(found(|_| ()), []);
}

#[test]
fn an_event_that_is_gone_is_missed_by_its_command_and_by_all_who_follow() {
    let found = found(|council| drop(council.log.tables().events.remove(4)));
    for missed in [
        Invariant::AnsweredIsRecorded,
        Invariant::OneOrder,
        Invariant::ViewsEqualRebuild,
        Invariant::StreamHoldsTheLog,
    ] {
        assert!(found.contains(&missed), "{missed:?} in {found:?}");
    }
}

#[test]
fn a_result_that_is_gone_is_missed() {
    let found = found(|council| drop(council.log.tables().receipts.pop_first()));
    assert!(found.contains(&Invariant::AnsweredIsRecorded), "{found:?}");
    assert!(
        found.contains(&Invariant::UnansweredAtMostOnce),
        "its events are nobody's: {found:?}"
    );
}

#[test]
fn another_answer_than_the_first_is_found() {
    let elsewhere = found(|council| told_otherwise(council, |accepted| accepted.position = Position(1_000)));
    assert_eq!(elsewhere, [Invariant::AnsweredIsRecorded]);
}

#[test]
fn an_event_that_was_altered_is_found_by_view_and_stream() {
    let found = found(|council| {
        if let Some(event) = council.log.tables().events.get_mut(2) {
            event.payload.insert(1, ' ');
        }
    });
    assert_eq!(found, [Invariant::ViewsEqualRebuild, Invariant::StreamHoldsTheLog]);
}

#[test]
fn a_stream_that_lost_an_event_is_found() {
    assert_eq!(
        found(|council| council.nats.lose_event(3)),
        [Invariant::StreamHoldsTheLog]
    );
}

#[test]
fn who_was_answered_first_and_stands_later_is_found() {
    // As if what was sent last had been sent after everything was answered, and recorded before.
    let found = found(|council| {
        let witness = &council.nats.witness;
        let asked = witness.asked();
        let first = asked
            .iter()
            .position(|asked| asked.answers.iter().any(|(_, result)| accepted(result).is_some()));
        let number = first.unwrap();
        let late = Asked {
            sent_at: council.world.elapsed(),
            ..asked[number].clone()
        };
        witness.sending(late);
    });
    assert_eq!(found, [Invariant::OneOrder]);
}

#[test]
fn who_was_never_answered_and_what_was_not_put_aside_are_found() {
    let unanswered = |sent| {
        move |council: &Council| {
            let witness = &council.nats.witness;
            let asked = Asked {
                id: schemas::CommandId(council.world.uuid()),
                body: Bytes::from_static(b"{}"),
                sent,
                answers: Vec::new(),
                ..witness.asked()[0].clone()
            };
            witness.sending(asked);
        }
    };
    assert_eq!(found(unanswered(Sent::Call)), [Invariant::Recovers]);
    assert_eq!(
        found(unanswered(Sent::Unreadable)),
        [Invariant::RefusedIsFindable, Invariant::Recovers]
    );
}

#[test]
fn what_is_told_before_it_is_recorded_is_found_at_once() {
    let found = found(|council| {
        let result = CommandResult {
            command_id: schemas::CommandId(council.world.uuid()),
            status: CommandStatus::Accepted(Accepted {
                aggregate_id: schemas::AggregateId(council.world.uuid()),
                reference: None,
                version: schemas::Version(1),
                position: Position(1),
                events: Vec::new(),
            }),
        };
        let body = serde_json::to_vec(&result).unwrap();
        council.nats.witness.told(&council.world, "somebody", &body);
    });
    assert_eq!(found, [Invariant::AnsweredIsRecorded]);
}

#[test]
fn a_key_of_somebody_erased_is_found() {
    let found = found(|council| {
        let mut tables = council.log.tables();
        let person = tables.keys.keys.values().find_map(|row| row.key.person).unwrap();
        tables.keys.erased.insert(person);
    });
    assert_eq!(found, [Invariant::ErasedStaysErased]);
}

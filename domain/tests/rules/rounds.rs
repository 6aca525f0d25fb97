//! Rounds: what is told of them, and what a report of a missed collection meets there.

use catalogue::Contractor;
use domain::{AggregateState, DecisionContext, Rejection, decide};
use schemas::ClientName;
use schemas::command::{Command, RoundStatus};
use schemas::event::{CaseEvent, CollectionLookedUp, EventRecord, ExceptionFound, RoundEvent};
use serde_json::{Value, json};

use crate::fixtures::*;

const NOW: &str = "2026-05-05T11:00:00Z";

fn partner() -> &'static Contractor {
    CATALOGUE
        .contractor(&ClientName::new("street-partner").unwrap())
        .unwrap()
}

fn facts() -> DecisionContext {
    DecisionContext {
        contractor: Some(partner().name.clone()),
        rounds: partner().rounds.clone(),
        ..DecisionContext::at(at(NOW))
    }
}

fn told(name: &str, put_in: Value) -> Command {
    let mut data = json!({
        "round": "TUE-3", "day": "2026-05-05", "actor": { "kind": "contractor", "id": "street-partner" }, "channel": "crew",
    });
    for (key, value) in put_in.as_object().unwrap() {
        data[key] = value.clone();
    }
    command(name, data)
}

/// The round after what was told of it.
fn tells(state: &mut Option<AggregateState>, command: &Command) -> Result<Vec<EventRecord>, Rejection> {
    let events = decide(state.as_ref(), command, &facts())?;
    for event in &events {
        let state = state.get_or_insert_with(|| AggregateState::before(event));
        state.apply(event.clone(), at(NOW));
    }
    Ok(events)
}

#[test]
fn what_is_told_of_a_round_is_recorded_once() {
    let mut round = None;
    let scheduled = told(
        "RecordScheduledCollections",
        json!({ "collections": { "refuse": 812, "food": 790 } }),
    );
    assert_eq!(tells(&mut round, &scheduled).unwrap().len(), 1);
    assert_eq!(tells(&mut round, &scheduled).unwrap(), [], "it is known");
    for (status, news) in [("under_way", 1), ("under_way", 0), ("finished", 1)] {
        let status = told("RecordRoundStatus", json!({ "status": status }));
        assert_eq!(tells(&mut round, &status).unwrap().len(), news);
    }
    let exception = told(
        "RecordCollectionException",
        json!({ "uprn": "100021421234", "what": "refuse", "code": "NOT-OUT" }),
    );
    let events = tells(&mut round, &exception).unwrap();
    let [EventRecord::Round(RoundEvent::CollectionExceptionRecorded(recorded))] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(recorded.points_to.as_ref().unwrap().as_str(), "not-presented");
    assert!(recorded.uprn.as_sealed().is_some());
    let Some(AggregateState::Round(round)) = round else {
        unreachable!()
    };
    assert_eq!(round.status(), Some(RoundStatus::Finished));
    assert_eq!(round.exceptions_of(&recorded.what).count(), 1);
}

#[test]
fn only_its_contractor_tells_of_a_round_in_codes_that_are_known_of_days_that_have_come() {
    let unknown = told(
        "RecordCollectionException",
        json!({ "uprn": "100021421234", "what": "refuse", "code": "DOG" }),
    );
    assert_eq!(
        tells(&mut None, &unknown),
        Err(Rejection::UnknownContractorCode { code: "DOG".into() })
    );
    for (name, put_in) in [
        ("RecordRoundStatus", json!({ "status": "finished" })),
        (
            "RecordCollectionException",
            json!({ "uprn": "100021421234", "what": "refuse", "code": "NOT-OUT" }),
        ),
    ] {
        let mut to_come = put_in.clone();
        to_come["day"] = json!("2026-05-06");
        assert_eq!(
            tells(&mut None, &told(name, to_come)),
            Err(Rejection::RoundToCome),
            "{name}"
        );
        let mut by_resident = put_in.clone();
        by_resident["actor"] = json!({ "kind": "resident" });
        assert_eq!(
            tells(&mut None, &told(name, by_resident)),
            Err(Rejection::ActorNotAllowed),
            "{name}"
        );
        let without = DecisionContext {
            rounds: None,
            ..facts()
        };
        assert_eq!(
            decide(None, &told(name, put_in), &without),
            Err(Rejection::NoRounds),
            "{name}"
        );
    }
    let next_week = told(
        "RecordScheduledCollections",
        json!({ "day": "2026-05-12", "collections": { "refuse": 812 } }),
    );
    assert_eq!(
        tells(&mut None, &next_week).unwrap().len(),
        1,
        "a schedule is known before its day"
    );
}

fn found(status: Option<RoundStatus>, exception: bool) -> CollectionLookedUp {
    CollectionLookedUp {
        contractor: partner().name.clone(),
        round: "TUE-3".parse().unwrap(),
        day: "2026-05-05".parse().unwrap(),
        what: "refuse".parse().unwrap(),
        status,
        exception: exception.then(|| ExceptionFound {
            code: "NOT-OUT".parse().unwrap(),
            meaning: "not put out when the crew came".into(),
            points_to: Some("not-presented".parse().unwrap()),
        }),
    }
}

#[test]
fn a_report_that_the_round_speaks_against_reaches_an_officer_and_no_crew() {
    for (status, exception, reaches_the_crew) in [
        (None, false, true),
        (Some(RoundStatus::Finished), false, true),
        (Some(RoundStatus::BrokenOff), false, true),
        (Some(RoundStatus::NotStarted), false, false),
        (Some(RoundStatus::UnderWay), false, false),
        (Some(RoundStatus::Finished), true, false),
    ] {
        let mut life = contracted_life("missed-bin");
        life.facts.collection = Some(found(status, exception));
        let data = json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse", "round": "TUE-3", "scheduled_day": "2026-05-05" } });
        let events = life.does(NOW, "SubmitRequest", data);
        let names: Vec<_> = events.iter().map(CaseEvent::name).collect();
        let last = if reaches_the_crew {
            "JobRaised"
        } else {
            "RequestAssigned"
        };
        assert_eq!(
            names,
            ["RequestSubmitted", "CollectionLookedUp", last],
            "{status:?} {exception}"
        );
        let team = if reaches_the_crew {
            "waste-crews"
        } else {
            "waste-client"
        };
        assert_eq!(life.case().team().unwrap().as_str(), team);
        // The officer decides: the crew goes after all.
        if !reaches_the_crew {
            let raise = by_officer(json!({ "reason": "The neighbours saw it out." }));
            assert_eq!(life.does(NOW, "RaiseJob", raise)[0].name(), "JobRaised");
        }
    }
}

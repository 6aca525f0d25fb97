//! Where something is: the areas told in clear, and what it may repeat.

use schemas::event::{CaseEvent, PossibleDuplicate};
use schemas::located::Located;
use schemas::{CaseId, Reference};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fixtures::*;

const NOW: &str = "2026-05-20T09:00:00Z";

fn found(number: u128) -> PossibleDuplicate {
    PossibleDuplicate {
        case_id: CaseId(Uuid::from_u128(number)),
        reference: Reference::of_number("WAS", 7).unwrap(),
    }
}

fn located() -> Located {
    let boundaries = json!({ "version": "2025-05", "sha256": "a".repeat(64) });
    serde_json::from_value(json!({ "ward": { "code": "E05999005", "boundaries": boundaries } })).unwrap()
}

fn report(with_place: bool) -> Value {
    let mut data = json!({ "request_type": "obstruction", "customer_id": CUSTOMER, "description": "A hedge." });
    if with_place {
        data["place"] = json!({ "description": "Mill Lane" });
    }
    data
}

fn suggested(events: &[CaseEvent]) -> Vec<u128> {
    let suggestions = events.iter().filter_map(|event| match event {
        CaseEvent::DuplicatesSuggested(event) => Some(event.cases.iter().map(|found| found.case_id.0.as_u128())),
        _ => None,
    });
    suggestions.flatten().collect()
}

#[test]
fn what_may_be_repeated_is_suggested_once_and_five_at_most() {
    let mut life = life("obstruction");
    life.facts.possible_duplicates = (1..=7).map(found).collect();
    let opened = life.does(NOW, "SubmitRequest", report(true));
    assert_eq!(suggested(&opened), [1, 2, 3, 4, 5]);
    assert_eq!(life.case().possible_duplicates().count(), 5);
    let update = |place: &str| json!({ "place": { "description": place } });
    assert_eq!(
        suggested(&life.does(NOW, "UpdateRequest", update("Mill Lane 2"))),
        [6, 7]
    );
    assert_eq!(suggested(&life.does(NOW, "UpdateRequest", update("Mill Lane 3"))), []);
}

#[test]
fn a_linked_case_is_not_suggested() {
    let mut life = life("obstruction");
    life.does(NOW, "SubmitRequest", report(true));
    let other = CaseId(Uuid::from_u128(1));
    life.facts.other_case = Some(std::sync::Arc::new(another_case()));
    life.facts.other_case_id = Some(other);
    let link = by_officer(json!({ "relation": "duplicate_of", "case_id": other }));
    life.does(NOW, "LinkCase", link);
    life.facts.possible_duplicates = vec![found(1), found(2)];
    let update = json!({ "place": { "description": "Mill Lane" } });
    assert_eq!(suggested(&life.does(NOW, "UpdateRequest", update)), [2]);
}

#[test]
fn the_areas_stand_beside_a_place_and_never_alone() {
    let mut life = life("obstruction");
    life.facts.located = Some(located());
    life.facts.possible_duplicates = vec![found(1)];
    let opened = life.does(NOW, "SubmitRequest", report(false));
    assert!(matches!(&opened[0], CaseEvent::RequestSubmitted(event) if event.located.is_none()));
    assert_eq!(suggested(&opened), []);
    let words = life.does(NOW, "UpdateRequest", json!({ "description": "A tree." }));
    assert!(matches!(&words[0], CaseEvent::RequestUpdated(event) if event.located.is_none()));
    let place = life.does(NOW, "UpdateRequest", json!({ "place": { "description": "Mill Lane" } }));
    assert!(matches!(&place[0], CaseEvent::RequestUpdated(event) if event.located == Some(located())));
}

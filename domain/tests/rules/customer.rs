//! A customer.

use cqrs_es::test::TestFramework;
use domain::{CommandInContext, Customer, Rejection, Timeline};
use schemas::event::{ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent, CustomerRegistered};
use schemas::{QuestionId, event};
use serde_json::{Value, json};

use crate::fixtures::{command, context, sealed};

fn run(given: Vec<CustomerEvent>, name: &str, data: Value) -> Result<Vec<CustomerEvent>, Rejection> {
    let command = CommandInContext {
        command: command(name, data),
        context: context(),
        timeline: Timeline::default(),
    };
    TestFramework::<Customer>::with(())
        .given(given)
        .when(command)
        .inspect_result()
}

fn registered() -> CustomerEvent {
    CustomerRegistered {
        title: None,
        name: sealed(),
        address: None,
        phone: None,
        email: Some(sealed()),
        reason: None,
    }
    .into()
}

fn consent() -> CustomerEvent {
    ConsentRecorded {
        purpose: QuestionId::new("surveys").unwrap(),
        wording: sealed(),
        reason: None,
    }
    .into()
}

fn withdrawn() -> CustomerEvent {
    ConsentWithdrawn {
        purpose: QuestionId::new("surveys").unwrap(),
        reason: None,
    }
    .into()
}

#[test]
fn a_customer_is_registered_once() {
    let data = json!({ "name": "Ada Lovelace", "email": "ada@example.org" });
    assert_eq!(run(vec![], "RegisterCustomer", data.clone()), Ok(vec![registered()]));
    assert_eq!(
        run(vec![registered()], "RegisterCustomer", data),
        Err(Rejection::AlreadyExists)
    );
    assert_eq!(
        run(vec![], "UpdateContactDetails", json!({ "email": null })),
        Err(Rejection::UnknownCustomer)
    );
}

#[test]
fn contact_details_change_where_given_and_go_where_null() {
    let update = |data| run(vec![registered()], "UpdateContactDetails", data);
    let changed: event::CustomerEvent = ContactDetailsUpdated {
        email: Some(Some(sealed())),
        ..Default::default()
    }
    .into();
    assert_eq!(update(json!({ "email": "new@example.org" })), Ok(vec![changed]));
    let removed: event::CustomerEvent = ContactDetailsUpdated {
        email: Some(None),
        ..Default::default()
    }
    .into();
    assert_eq!(update(json!({ "email": null })), Ok(vec![removed.clone()]));
    assert_eq!(update(json!({ "phone": null })), Ok(vec![]), "there is none to remove");
    assert_eq!(
        run(
            vec![registered(), removed],
            "UpdateContactDetails",
            json!({ "email": null })
        ),
        Ok(vec![])
    );
    assert_eq!(update(json!({})), Err(Rejection::NothingGiven));
}

#[test]
fn each_consent_is_recorded_with_its_wording() {
    let record = |given| {
        let data = json!({ "purpose": "surveys", "wording": "May we ask you?" });
        run(given, "RecordConsent", data)
    };
    assert_eq!(record(vec![registered()]), Ok(vec![consent()]));
    assert_eq!(record(vec![registered(), consent()]), Ok(vec![consent()]));
    assert_eq!(record(vec![registered(), consent(), withdrawn()]), Ok(vec![consent()]));
}

#[test]
fn who_says_no_more_is_heard_and_twice_is_once() {
    let withdraw = |given| run(given, "WithdrawConsent", json!({ "purpose": "surveys" }));
    assert_eq!(withdraw(vec![registered(), consent()]), Ok(vec![withdrawn()]));
    assert_eq!(withdraw(vec![registered(), consent(), withdrawn()]), Ok(vec![]));
    assert_eq!(
        withdraw(vec![registered()]),
        Ok(vec![withdrawn()]),
        "though no consent is on record"
    );
}

#[test]
fn what_is_said_beside_it_is_kept() {
    let reason = json!({ "name": "Ada King", "reason": "I have married." });
    let event = run(vec![registered()], "UpdateContactDetails", reason).unwrap();
    let expected: event::CustomerEvent = ContactDetailsUpdated {
        name: Some(sealed()),
        reason: Some(sealed()),
        ..Default::default()
    }
    .into();
    assert_eq!(event, vec![expected]);
}

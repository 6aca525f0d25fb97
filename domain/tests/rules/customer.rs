//! A customer.

use cqrs_es::test::TestFramework;
use domain::{CommandInContext, Customer, Rejection, Timeline};
use schemas::event::{ConsentRecorded, ConsentWithdrawn, ContactDetailsUpdated, CustomerEvent, CustomerRegistered};
use schemas::text::Text;
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
    }
    .into()
}

fn consent(wording: &str) -> CustomerEvent {
    ConsentRecorded {
        purpose: QuestionId::new("surveys").unwrap(),
        wording: Text::new(wording).unwrap(),
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
fn a_consent_stands_for_its_wording() {
    let record = |given, wording: &str| {
        run(
            given,
            "RecordConsent",
            json!({ "purpose": "surveys", "wording": wording }),
        )
    };
    assert_eq!(
        record(vec![registered()], "May we ask you?"),
        Ok(vec![consent("May we ask you?")])
    );
    assert_eq!(
        record(vec![registered(), consent("May we ask you?")], "May we ask you?"),
        Ok(vec![])
    );
    assert_eq!(
        record(vec![registered(), consent("May we ask you?")], "May we ring you?"),
        Ok(vec![consent("May we ring you?")])
    );
    assert_eq!(
        record(vec![registered(), consent("A"), withdrawn()], "A"),
        Ok(vec![consent("A")])
    );
}

#[test]
fn a_consent_that_was_given_is_withdrawn_and_twice_is_once() {
    let withdraw = |given| run(given, "WithdrawConsent", json!({ "purpose": "surveys" }));
    assert_eq!(withdraw(vec![registered(), consent("A")]), Ok(vec![withdrawn()]));
    assert_eq!(withdraw(vec![registered(), consent("A"), withdrawn()]), Ok(vec![]));
    assert_eq!(withdraw(vec![registered()]), Err(Rejection::ConsentNeverGiven));
}

//! What a case costs, over the bus: waited for, taken once however often a provider says so, given back.

use schemas::query::{CaseAnswer, CaseQuery, PaymentSummary};
use schemas::result::{Accepted, CommandStatus};
use schemas::{AggregateId, CaseId};
use serde_json::{Value, json};
use system_tests::council::{example, rejected};

use crate::office::Office;

async fn garden_waste(office: &Office) -> Accepted {
    let customer = office.registers(json!({})).await;
    let submit = json!({
        "request_type": "garden-waste", "customer_id": customer, "answers": { "bins": 1 },
        "actor": { "kind": "resident" }, "channel": "online",
    });
    office
        .council
        .accept(&office.website, "SubmitRequest", None, submit)
        .await
}

async fn payment(office: &Office, case: AggregateId) -> PaymentSummary {
    let answer = office.website.case(&CaseQuery::Id(CaseId(case.uuid()))).await.unwrap();
    let CaseAnswer::Found { case } = answer else {
        panic!("{answer:?}")
    };
    case.payments.into_iter().next().unwrap()
}

fn paid(put_in: Value) -> Value {
    let mut data = example("RecordPayment", json!({ "provider_ref": "hu20sqlact" }));
    data.as_object_mut()
        .unwrap()
        .extend(put_in.as_object().unwrap().clone());
    data
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_waits_for_its_payment_which_is_taken_once_and_given_back_in_part() {
    let office = Office::open().await;
    let _services = [
        office.council.serve("command-service"),
        office.council.serve("command-service"),
    ];
    office.council.answering().await;
    let provider = office.council.client("payments").await;
    let case = garden_waste(&office).await;
    let id = case.aggregate_id;
    let due = payment(&office, id).await;
    assert_eq!((due.outstanding.get(), due.waits), (5500, true));

    let wrong = office
        .council
        .call(&provider, "RecordPayment", Some(id), paid(json!({ "pence": 550 })))
        .await;
    let problem = rejected(wrong);
    assert_eq!(
        (problem.code(), problem.errors[0].pointer.as_str()),
        ("wrong_amount", "/pence")
    );
    let card = office
        .council
        .call(
            &provider,
            "RecordPayment",
            Some(id),
            paid(json!({ "provider_ref": "4111111111111111" })),
        )
        .await;
    assert_eq!(rejected(card).errors[0].pointer, "/provider_ref");

    // The provider says so ten times at once, each time under another id: it is taken once.
    let said = (0..10).map(|_| {
        office
            .council
            .call(&provider, "RecordPayment", Some(id), paid(json!({})))
    });
    let results = futures::future::join_all(said).await;
    let taken = results
        .iter()
        .filter(|result| matches!(result.status, CommandStatus::Accepted(_)));
    assert_eq!(taken.count(), 1, "{results:?}");
    // Nor does it pay for another case.
    let another = garden_waste(&office).await;
    let again = office
        .council
        .call(&provider, "RecordPayment", Some(another.aggregate_id), paid(json!({})))
        .await;
    let problem = rejected(again);
    assert_eq!(
        (problem.code(), problem.errors[0].pointer.as_str()),
        ("provider_ref_taken", "/provider_ref")
    );

    let refund = example("DecideRefund", json!({ "pence": 2750 }));
    office
        .council
        .accept(&office.contact_centre, "DecideRefund", Some(id), refund)
        .await;
    let refund = example("RecordRefund", json!({ "pence": 2750 }));
    office
        .council
        .accept(&provider, "RecordRefund", Some(id), refund.clone())
        .await;
    let twice = office.council.call(&provider, "RecordRefund", Some(id), refund).await;
    assert_eq!(rejected(twice).code(), "refund_not_decided");
    let payment = payment(&office, id).await;
    assert_eq!(
        (payment.paid.get(), payment.refunded.get(), payment.refund_owed.get()),
        (5500, 2750, 0)
    );

    let log: Vec<String> =
        sqlx::query_scalar("SELECT event_type FROM ledger.events WHERE aggregate_id = $1::text ORDER BY sequence")
            .bind(id.to_string())
            .fetch_all(&office.owner)
            .await
            .unwrap();
    assert_eq!(
        log,
        [
            "RequestSubmitted",
            "PaymentDue",
            "PaymentReceived",
            "JobRaised",
            "RefundDecided",
            "PaymentRefunded"
        ]
    );
}

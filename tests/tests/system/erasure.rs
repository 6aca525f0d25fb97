//! A person whose data was erased: nothing personal is recorded of them again, and their open cases can still end.

use serde_json::json;
use system_tests::Council;
use system_tests::council::{example, rejected};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_open_case_of_an_erased_person_can_be_handed_on_and_closed() {
    let council = Council::new().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let (website, contact_centre) = (council.client("website").await, council.client("contact-centre").await);
    let register = example("RegisterCustomer", json!({}));
    let customer = council
        .accept(&website, "RegisterCustomer", None, register)
        .await
        .aggregate_id;
    let submit = example("SubmitRequest", json!({ "customer_id": customer }));
    let case = council.accept(&website, "SubmitRequest", None, submit).await;
    let id = Some(case.aggregate_id);

    sqlx::query("SELECT vault.erase($1::uuid, 'objection')")
        .bind(customer.to_string())
        .execute(&council.database.superuser().await)
        .await
        .unwrap();

    let update = example("UpdateRequest", json!({}));
    let problem = rejected(council.call(&website, "UpdateRequest", id, update).await);
    assert_eq!(problem.code(), "person_erased");
    let with_reasons = example("CloseRequest", json!({}));
    let problem = rejected(council.call(&contact_centre, "CloseRequest", id, with_reasons).await);
    assert_eq!(problem.code(), "person_erased");
    let officer = json!({ "kind": "officer", "id": "j.okafor", "assurance": "signed_in" });
    let assign = json!({ "team": "waste-client", "actor": officer, "channel": "phone" });
    council.accept(&contact_centre, "AssignRequest", id, assign).await;
    let close = json!({ "outcome": "not-presented", "actor": officer, "channel": "phone" });
    council.accept(&contact_centre, "CloseRequest", id, close).await;
}

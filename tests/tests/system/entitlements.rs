//! Entitlements over the bus: granted by a case, told to its holder before and after their end, renewed late, and two at one property
//! noticed.

use schemas::query::{EntitlementAnswer, EntitlementQuery, EntitlementStage, EntitlementSummary};
use schemas::result::CommandStatus;
use schemas::{AggregateId, EntitlementId, Position};
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, example, rejected};
use system_tests::eventually;
use time::OffsetDateTime;

use crate::office::Office;

/// The day so many days from today.
fn day(from_today: i64) -> String {
    let at = OffsetDateTime::now_utc() + time::Duration::days(from_today);
    catalogue::london::day_of(at).to_string()
}

fn by(officer: &str, mut data: Value) -> Value {
    (data["actor"], data["channel"]) = (json!({ "kind": "officer", "id": officer }), json!("phone"));
    data
}

impl Office {
    /// A subscription that was asked for on a day, before it cost anything, and began.
    async fn subscribes(&self, customer: AggregateId, received_on: &str) -> AggregateId {
        let submit = json!({
            "request_type": "garden-waste", "customer_id": customer, "answers": { "bins": 2 }, "received_on": received_on,
        });
        let case = self.opens(submit).await;
        let close = by(
            "j.okafor",
            json!({ "outcome": "active", "reason": "The bins are there." }),
        );
        self.council
            .accept(&self.contact_centre, "CloseRequest", Some(case), close)
            .await;
        case
    }

    /// A badge that was applied for on a day, and approved.
    async fn approves_badge(&self, customer: AggregateId, received_on: &str) -> AggregateId {
        let submit = json!({
            "request_type": "blue-badge", "customer_id": customer, "received_on": received_on,
            "answers": { "application": "new", "route": "walking", "birth_date": "1950-01-02" },
        });
        let case = self.opens(submit).await;
        let close = by(
            "s.lindqvist",
            json!({ "outcome": "approved", "reasons": "You qualify.", "rule": "si-2000-682:4(2)(f)" }),
        );
        self.council
            .accept(&self.contact_centre, "CloseRequest", Some(case), close)
            .await;
        case
    }

    async fn pays(&self, case: AggregateId, pence: u32) {
        let provider = self.council.client("payments").await;
        let paid = example("RecordPayment", json!({ "pence": pence, "provider_ref": case }));
        self.council.accept(&provider, "RecordPayment", Some(case), paid).await;
    }

    /// Grants what a case grants, from a day on.
    async fn grants(&self, case: AggregateId, put_in: Value) -> AggregateId {
        let mut grant = by("j.okafor", json!({ "case_id": case }));
        grant
            .as_object_mut()
            .unwrap()
            .extend(put_in.as_object().unwrap().clone());
        let granted = self
            .council
            .accept(&self.contact_centre, "GrantEntitlement", None, grant)
            .await;
        granted.aggregate_id
    }

    async fn entitlement(&self, id: AggregateId) -> EntitlementSummary {
        let query = EntitlementQuery {
            id: EntitlementId(id.uuid()),
        };
        match self.contact_centre.entitlement(&query).await.unwrap() {
            EntitlementAnswer::Found { entitlement } => *entitlement,
            other => panic!("{other:?}"),
        }
    }

    async fn position_of(&self, stream: AggregateId, name: &str) -> Position {
        self.waits_for(stream, name).await;
        let position: i64 = sqlx::query_scalar(
            "SELECT position FROM ledger.events WHERE aggregate_id = $1::text AND event_type = $2 ORDER BY position LIMIT 1",
        )
        .bind(stream.to_string())
        .bind(name)
        .fetch_one(&self.owner)
        .await
        .unwrap();
        Position(position)
    }

    /// Waits until `caseledger entitlement …` prints this.
    async fn tells(&self, arguments: &[&str], words: &str) -> String {
        eventually(&format!("{arguments:?} prints {words}"), PATIENCE, || async {
            let shown = self.council.run(arguments, "").await;
            let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
            shown.contains(words).then_some(shown)
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_renewed_late_was_reminded_of_expired_and_has_a_gap() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let holder = office.registers(json!({})).await;

    // One whose term ends in some weeks: its holder is told that it can be renewed.
    let case = office.approves_badge(holder, &day(-1_000)).await;
    let soon = office
        .grants(
            case,
            json!({ "starts_on": day(-1_000), "ends_on": day(20), "number": "K4T9Z2" }),
        )
        .await;
    let due = office.position_of(soon, "EntitlementRenewalDue").await;
    let email = office.email(due, "renewal_due").await;
    assert!(
        email.contains("can do that from now on") && email.contains("apply for its renewal"),
        "{email}"
    );
    // How that ended is recorded on the case that granted it.
    let sent = office.waits_for(case, "NotificationSent").await;
    assert!(sent["about_position"].is_i64());

    // One that ended before anybody renewed it.
    let case = office.approves_badge(holder, &day(-1_100)).await;
    let badge = office
        .grants(case, json!({ "starts_on": day(-1_100), "number": "K4T9Z3" }))
        .await;
    let expired = office.position_of(badge, "EntitlementExpired").await;
    assert!(office.email(expired, "entitlement_expired").await.contains("has ended"));
    let names: Vec<String> = office.log(badge).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["EntitlementGranted", "EntitlementExpired"],
        "nobody is reminded of what is over"
    );
    let before = office.entitlement(badge).await;
    assert_eq!(before.stage, EntitlementStage::Expired);

    let renewal = office.approves_badge(holder, &day(-2)).await;
    let renew = || by("s.lindqvist", json!({ "case_id": renewal, "number": "L1B2C3" }));
    assert_eq!(
        office.refuses(Some(badge), "RenewEntitlement", renew()).await,
        "payment_outstanding"
    );
    office.pays(renewal, 1_000).await;
    office
        .council
        .accept(&office.contact_centre, "RenewEntitlement", Some(badge), renew())
        .await;
    assert_eq!(
        office.refuses(Some(badge), "RenewEntitlement", renew()).await,
        "renewal_too_early"
    );
    let (_, renewed) = office.log(badge).await.pop().unwrap();
    assert_eq!(renewed["starts_on"], day(0));
    assert_eq!(
        renewed["lapsed_from"].as_str().unwrap(),
        before.ends_on.0.next_day().unwrap().to_string()
    );
    assert!(renewed["number"]["sealed"].is_string());
    let after = office.entitlement(badge).await;
    assert_eq!(
        (after.stage, after.renewed, after.case_id.uuid()),
        (EntitlementStage::Granted, 1, renewal.uuid())
    );

    // Officers find it, and read the number where they say why; analysts count it, and read nothing personal.
    let list = ["entitlement", "list", "--customer", &holder.to_string()];
    office.tells(&list, "granted").await;
    let show = [
        "entitlement",
        "show",
        &badge.to_string(),
        "--officer",
        "s.lindqvist",
        "--reason",
        "They asked.",
    ];
    let shown = office.tells(&show, "L1B2C3").await;
    assert!(shown.contains("blue-badge"), "{shown}");
    assert!(
        office
            .tells(&["entitlement", "show", &badge.to_string()], "blue-badge")
            .await
            .contains("[sealed]")
    );
    let counted: (String, i32, i32) = eventually("reporting counts the late renewal", PATIENCE, || async {
        sqlx::query_as("SELECT entitlement, renewed, renewed_late FROM reporting.entitlements WHERE renewed = 1")
            .fetch_optional(&office.owner)
            .await
            .unwrap()
    })
    .await;
    assert_eq!(counted, ("blue-badge".to_owned(), 1, 1));
    for projection in ["history", "reporting"] {
        let verified = office.council.run(&["projection", "verify", projection], "").await;
        assert!(
            verified.status.success(),
            "{}",
            String::from_utf8_lossy(&verified.stdout)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_s_second_subscription_is_noticed_and_a_case_grants_once() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let _second = office.council.serve("command-service");
    let ada = office.registers(json!({})).await;
    let bob = office.registers(json!({ "email": "bob@example.org" })).await;
    let received_on = day(-3);
    let case = office.subscribes(ada, &received_on).await;
    office.pays(case, 5_500).await;

    // Sixteen at once, over two command-services: one case grants one entitlement.
    let grant = || {
        by(
            "j.okafor",
            json!({ "case_id": case, "starts_on": received_on, "property": "100021421234", "quantity": 2 }),
        )
    };
    let calls = (0..16).map(|_| {
        office
            .council
            .call(&office.contact_centre, "GrantEntitlement", None, grant())
    });
    let results = futures::future::join_all(calls).await;
    let accepted: Vec<_> = results
        .iter()
        .filter_map(|result| match &result.status {
            CommandStatus::Accepted(accepted) => Some(accepted.aggregate_id),
            CommandStatus::Rejected { problem } => {
                assert_eq!(
                    (problem.code(), problem.errors[0].pointer.as_str()),
                    ("case_granted_before", "/case_id")
                );
                None
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let [first] = accepted[..] else { panic!("{accepted:?}") };

    let other_case = office.subscribes(bob, &received_on).await;
    office.pays(other_case, 5_500).await;
    let second = office
        .grants(other_case, json!({ "starts_on": day(0), "property": "100021421234" }))
        .await;
    let others = async |id: AggregateId| office.entitlement(id).await.others_at_property.map(u16::from);
    assert_eq!((others(second).await, others(first).await), (Some(1), None));
    // Which it is, an officer looks up.
    let show = [
        "entitlement",
        "show",
        &second.to_string(),
        "--officer",
        "j.okafor",
        "--reason",
        "Two at one house.",
    ];
    office.tells(&show, &first.to_string()).await;
    // Moved next door, where nobody has one; the first, moved there, meets it.
    office
        .does(second, "ChangeEntitlement", json!({ "property": "0021421235" }))
        .await;
    assert_eq!(others(second).await, None);
    office
        .does(first, "ChangeEntitlement", json!({ "property": "21421235" }))
        .await;
    assert_eq!(others(first).await, Some(1));

    // Nobody else's client learns of it, and who holds it can give it up.
    let highways = office.council.client("highways-app").await;
    let asked = highways
        .entitlement(&EntitlementQuery {
            id: EntitlementId(first.uuid()),
        })
        .await
        .unwrap();
    assert!(matches!(asked, EntitlementAnswer::Rejected { problem } if problem.code() == "unknown_entitlement"));
    let missing = by("j.okafor", json!({ "case_id": other_case, "starts_on": day(0) }));
    assert_eq!(
        office.refuses(None, "GrantEntitlement", missing).await,
        "property_required"
    );
    let give_up = json!({ "why": "given_up", "actor": { "kind": "resident", "id": ada }, "channel": "online" });
    office
        .council
        .accept(&office.contact_centre, "EndEntitlement", Some(first), give_up.clone())
        .await;
    let over = rejected(
        office
            .council
            .call(&office.contact_centre, "EndEntitlement", Some(first), give_up)
            .await,
    );
    assert_eq!(over.code(), "entitlement_over");
    assert_eq!(office.entitlement(first).await.stage, EntitlementStage::Ended);

    // What was granted by mistake is ended as that, and granted anew by the same case; only in its place, and once.
    let replacing = |replaced: AggregateId| {
        by(
            "j.okafor",
            json!({ "case_id": other_case, "starts_on": day(0), "property": "7", "replaces": replaced }),
        )
    };
    assert_eq!(
        office.refuses(None, "GrantEntitlement", replacing(second)).await,
        "replaces_nothing"
    );
    let mistake = json!({ "why": "granted_by_mistake", "reason": "The wrong day.", "ended_on": day(0) });
    office.does(second, "EndEntitlement", mistake).await;
    let grant = office
        .council
        .accept(&office.contact_centre, "GrantEntitlement", None, replacing(second))
        .await;
    assert_eq!(
        office.refuses(None, "GrantEntitlement", replacing(second)).await,
        "case_granted_before"
    );
    let second = grant.aggregate_id;

    // Nothing is renewed for somebody who died.
    let renewal = office.subscribes(bob, &received_on).await;
    office.pays(renewal, 5_500).await;
    office.does(bob, "RecordDeath", json!({ "died_on": day(-1) })).await;
    let renew = by("j.okafor", json!({ "case_id": renewal }));
    assert_eq!(
        office.refuses(Some(second), "RenewEntitlement", renew).await,
        "customer_died"
    );
}

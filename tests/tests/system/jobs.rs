//! Contractors: what their feed brings, in the order of the log and for them alone, and what becomes of what they report.

use std::time::Duration;

use async_nats::jetstream;
use event_store::{Feeds, Ledger, PgLedger};
use futures::StreamExt;
use schemas::AggregateId;
use schemas::feed::{JobContent, JobMessage, SealedContent};
use schemas::result::Accepted;
use serde_json::{Value, json};
use system_tests::council::{PATIENCE, accepted, example, rejected};
use system_tests::{Council, eventually};

use crate::office::Office;

/// How long nothing more has to come before the feed counts as read.
const NOTHING_MORE: Duration = Duration::from_millis(1500);

/// A message of the feed, as the contractor reads it.
pub struct Told {
    pub name: String,
    pub data: JobMessage,
    pub content: Option<JobContent>,
}

impl Told {
    fn read(message: &[u8], key: &str) -> Self {
        let event: Value = serde_json::from_slice(message).unwrap();
        let data: JobMessage = serde_json::from_value(event["data"].clone()).unwrap();
        let id = serde_json::from_value(event["id"].clone()).unwrap();
        let open = |sealed: &SealedContent| vault::open_as_contractor(key, id, sealed).unwrap();
        Self {
            name: event["type"].as_str().unwrap().split('.').nth(2).unwrap().to_owned(),
            content: data.content.as_ref().map(open),
            data,
        }
    }
}

/// The contractor at work: its own connection, its own consumer, its own key.
pub struct Partner<'c> {
    council: &'c Council,
    bus: bus::BusClient,
    raw: async_nats::Client,
}

impl<'c> Partner<'c> {
    pub async fn of(council: &'c Council) -> Self {
        Self {
            council,
            bus: council.client("street-partner").await,
            raw: council.raw("street-partner").await,
        }
    }

    /// What waits in its feed, acknowledged as it is read, until this many came.
    pub async fn reads(&self, many: usize) -> Vec<Told> {
        let mut all = Vec::new();
        let pulled = tokio::time::timeout(PATIENCE, async {
            while all.len() < many {
                for message in self.pull(many - all.len()).await {
                    all.push(Told::read(&message, self.council.contractor_key()));
                }
            }
        });
        pulled
            .await
            .unwrap_or_else(|_| panic!("the feed did not bring as many messages as {many}"));
        all
    }

    /// Whether nothing waits in its feed.
    async fn has_read_all(&self) -> bool {
        tokio::time::timeout(NOTHING_MORE, async { while self.pull(1).await.is_empty() {} })
            .await
            .is_err()
    }

    /// One pull, as any NATS client makes it.
    async fn pull(&self, at_most: usize) -> Vec<Vec<u8>> {
        let inbox = self.raw.new_inbox();
        let mut answers = self.raw.subscribe(inbox.clone()).await.unwrap();
        let next = "$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_FEEDS.street-partner";
        let request = json!({ "batch": at_most, "expires": 300_000_000 }).to_string();
        self.raw.publish_with_reply(next, inbox, request.into()).await.unwrap();
        let mut messages = Vec::new();
        while let Some(message) = answers.next().await {
            if message.status.is_some() {
                break;
            }
            if let Some(reply) = message.reply {
                self.raw.publish(reply, "+ACK".into()).await.unwrap();
            }
            messages.push(message.payload.to_vec());
            if messages.len() == at_most {
                break;
            }
        }
        self.raw.flush().await.unwrap();
        messages
    }

    /// Reports on an attempt at the first job of a case.
    async fn reports(
        &self,
        case: AggregateId,
        name: &str,
        attempt: u32,
        put_in: Value,
    ) -> schemas::result::CommandResult {
        let mut data = example(name, json!({ "job": { "number": 1, "attempt": attempt } }));
        data.as_object_mut()
            .unwrap()
            .extend(put_in.as_object().unwrap().clone());
        self.council.call(&self.bus, name, Some(case), data).await
    }
}

async fn missed_bin(office: &Office) -> Accepted {
    let customer = office.registers(json!({})).await;
    let submit = example("SubmitRequest", json!({ "customer_id": customer }));
    office
        .council
        .accept(&office.website, "SubmitRequest", None, submit)
        .await
}

async fn reopens(office: &Office, case: &Accepted, reason: &str) {
    let reopen = example("ReopenRequest", json!({ "reason": reason }));
    office
        .council
        .accept(&office.website, "ReopenRequest", Some(case.aggregate_id), reopen)
        .await;
}

fn names(told: &[Told]) -> Vec<(&str, i64, u32)> {
    let of = |told: &Told| (told.data.sequence, told.data.job.attempt);
    told.iter()
        .map(|told| (told.name.as_str(), of(told).0, of(told).1))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bin_is_reopened_twice_while_the_contractor_is_away_and_nothing_is_lost_or_mistaken() {
    let office = Office::open().await;
    let _services = office.council.serve_all().await;
    let partner = Partner::of(&office.council).await;
    let case = missed_bin(&office).await;
    let id = case.aggregate_id;

    let told = partner.reads(1).await;
    assert_eq!(names(&told), [("JobRaised", 1, 1)]);
    let content = told[0].content.as_ref().unwrap();
    let place = serde_json::to_value(content.place.as_ref().unwrap()).unwrap();
    assert_eq!(place["postcode"], "NM4 7QP");
    assert_eq!(
        content.answers.keys().map(|key| key.as_str()).collect::<Vec<_>>(),
        ["bin_type", "scheduled_day", "whole_street"]
    );
    assert!(
        content.description.is_none() && content.contact.is_none(),
        "the catalogue allows no more"
    );

    let done = accepted(partner.reports(id, "ReportJobDone", 1, json!({})).await);
    assert_eq!(done.events.len(), 3, "reported, accepted, closed");
    // The contractor goes away. Twice it is not fetched after all.
    reopens(&office, &case, "Still full.").await;
    let late = rejected(partner.reports(id, "ReportJobDone", 1, json!({})).await);
    assert_eq!(
        (late.code(), late.errors[0].pointer.as_str()),
        ("job_reopened_since", "/job/attempt")
    );
    let told = partner.reads(1).await;
    assert_eq!(names(&told), [("JobReopened", 2, 2)]);
    accepted(partner.reports(id, "ReportJobDone", 2, json!({})).await);
    reopens(&office, &case, "Nobody was here.").await;
    let told = partner.reads(1).await;
    assert_eq!(names(&told), [("JobReopened", 3, 3)]);
    accepted(partner.reports(id, "ReportJobDone", 3, json!({})).await);
    assert!(partner.has_read_all().await);

    let log: Vec<String> = sqlx::query_scalar(
        "SELECT event_type FROM ledger.events WHERE aggregate_id = $1::text AND event_type LIKE ANY ('{Request%,Job%}') ORDER BY sequence",
    )
    .bind(id.to_string())
    .fetch_all(&office.owner)
    .await
    .unwrap();
    let round = ["JobReportedDone", "JobAccepted", "RequestClosed"];
    let again = ["RequestReopened", "JobReopened"];
    let expected = [
        &["RequestSubmitted", "JobRaised"][..],
        &round,
        &again,
        &round,
        &again,
        &round,
    ]
    .concat();
    assert_eq!(log, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_nats_lost_is_filled_again_with_the_same_places_and_reads_nothing_of_the_erased() {
    let office = Office::open().await;
    let _services = [
        office.council.serve("command-service"),
        office.council.serve("command-service"),
    ];
    office.council.answering().await;
    let partner = Partner::of(&office.council).await;
    let kept = missed_bin(&office).await;
    let customer = office.registers(json!({ "email": "gone@example.org" })).await;
    let submit = example("SubmitRequest", json!({ "customer_id": customer }));
    office
        .council
        .accept(&office.website, "SubmitRequest", None, submit)
        .await;
    let before = partner.reads(2).await;
    let erased: i64 = sqlx::query_scalar("SELECT vault.erase($1, 'objection')")
        .bind(customer.uuid())
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert!(erased > 0);

    let steward = office.council.steward().await;
    let stream = jetstream::new(steward).get_stream("CASELEDGER_FEEDS").await.unwrap();
    stream.purge().await.unwrap();
    let cancel = json!({ "actor": { "kind": "resident" }, "channel": "online" });
    office
        .council
        .accept(&office.website, "CancelRequest", Some(kept.aggregate_id), cancel)
        .await;
    let again = eventually("the feed is filled again", PATIENCE, || async {
        let info = stream.get_info().await.unwrap();
        (info.state.messages == 3).then_some(())
    });
    again.await;
    let told = partner.reads(3).await;
    assert_eq!(names(&told)[..2], names(&before)[..]);
    assert_eq!(names(&told)[2], ("JobCancelled", 3, 1));
    assert!(told[0].content.as_ref().unwrap().place.is_some());
    // Keys that another process may still hold are forgotten within a bound: by then what was erased is a gap.
    let second = told[1].content.as_ref().unwrap();
    assert!(second.erased || second.place.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_code_is_told_to_them_and_put_aside_and_records_nothing() {
    let office = Office::open().await;
    let _services = [office.council.serve("command-service")];
    office.council.answering().await;
    let partner = Partner::of(&office.council).await;
    let case = missed_bin(&office).await;
    let refused = rejected(
        partner
            .reports(case.aggregate_id, "ReportJobDone", 1, json!({ "code": "COL-2" }))
            .await,
    );
    assert_eq!(
        (refused.code(), refused.errors[0].pointer.as_str()),
        ("unknown_code", "/code")
    );
    let data = example(
        "ReportJobFailed",
        json!({ "code": "DOG", "job": { "number": 1, "attempt": 1 } }),
    );
    let durable = office
        .council
        .command_of("ReportJobFailed", Some(case.aggregate_id), data);
    let refused = rejected(partner.bus.send(&durable).await.unwrap());
    assert_eq!(refused.code(), "unknown_code");

    let letters = jetstream::new(office.council.steward().await)
        .get_stream("CASELEDGER_DEADLETTERS")
        .await
        .unwrap();
    eventually("both were put aside", PATIENCE, || async {
        (letters.get_info().await.unwrap().state.messages == 2).then_some(())
    })
    .await;
    let letter = letters
        .get_last_raw_message_by_subject("caseledger.deadletter.command-service")
        .await
        .unwrap();
    let letter: Value = serde_json::from_slice(&letter.payload).unwrap();
    assert!(
        letter["reason"].as_str().unwrap().contains("code map") && letter["sealed_body"].is_string(),
        "{letter}"
    );
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM ledger.events WHERE aggregate_id = $1::text")
        .bind(case.aggregate_id.to_string())
        .fetch_one(&office.owner)
        .await
        .unwrap();
    assert_eq!(events, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contractor_sees_its_feed_and_nothing_else() {
    let office = Office::open().await;
    // What NATS would refuse it anyway has to be kept from it by the accounts alone.
    office.council.with_accounts_alone().await;
    let _services = [office.council.serve("command-service"), office.council.serve("relay")];
    office.council.answering().await;
    let partner = Partner::of(&office.council).await;
    let mut overheard = partner.raw.subscribe("caseledger.>").await.unwrap();
    let mut foreign = office
        .council
        .raw("website")
        .await
        .subscribe("caseledger.feed.>")
        .await
        .unwrap();
    partner.raw.flush().await.unwrap();
    let case = missed_bin(&office).await;
    partner.reads(1).await;
    let first = tokio::time::timeout(PATIENCE, overheard.next()).await.unwrap().unwrap();
    assert_eq!(first.subject.as_str(), "caseledger.feed.street-partner.JobRaised");
    assert!(
        tokio::time::timeout(NOTHING_MORE, overheard.next()).await.is_err(),
        "it hears no events"
    );
    assert!(
        tokio::time::timeout(NOTHING_MORE, foreign.next()).await.is_err(),
        "nobody hears its feed"
    );
    // Neither the case nor what others may do to it is theirs.
    let asked = partner
        .bus
        .case(&schemas::query::CaseQuery::Id(schemas::CaseId(
            case.aggregate_id.uuid(),
        )))
        .await
        .unwrap();
    assert!(
        matches!(asked, schemas::query::CaseAnswer::Rejected { .. }),
        "{asked:?}"
    );
    let close =
        json!({ "outcome": "collected", "actor": { "kind": "contractor", "id": "street-partner" }, "channel": "crew" });
    let closing = office
        .council
        .call(&partner.bus, "CloseRequest", Some(case.aggregate_id), close.clone())
        .await;
    assert_eq!(rejected(closing).code(), "command_not_allowed");
    let by_phone = office
        .council
        .call(&office.contact_centre, "CloseRequest", Some(case.aggregate_id), close)
        .await;
    assert_eq!(rejected(by_phone).code(), "report_the_job");
    // A crew that rings says for whom.
    let data = example(
        "ReportJobDone",
        json!({ "actor": { "kind": "contractor", "id": "tree-surgeons" }, "channel": "phone" }),
    );
    let another = office
        .council
        .call(&office.contact_centre, "ReportJobDone", Some(case.aggregate_id), data)
        .await;
    assert_eq!(rejected(another).code(), "not_their_job");
    let data = example("ReportJobDone", json!({ "channel": "phone" }));
    office
        .council
        .accept(&office.contact_centre, "ReportJobDone", Some(case.aggregate_id), data)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_follow_from_the_log_alone() {
    let office = Office::open().await;
    let mut service = office.council.serve("command-service");
    office.council.answering().await;
    for _ in 0..3 {
        missed_bin(&office).await;
    }
    let pool = sqlx::PgPool::connect(office.council.database_url("command-service"))
        .await
        .unwrap();
    let (feeds, ledger) = (Feeds::new(pool.clone()), PgLedger::new(pool));
    let contractor = schemas::ClientName::new("street-partner").unwrap();
    let read = || async {
        let told = feeds
            .after(&contractor, 0, time::OffsetDateTime::UNIX_EPOCH, 100)
            .await
            .unwrap();
        told.into_iter()
            .map(|told| (told.place, told.position))
            .collect::<Vec<_>>()
    };
    let caught_up = || async {
        let head = feeds.head().await.unwrap();
        (head.position == ledger.head().await.unwrap().position).then_some(())
    };
    eventually("the places are given", PATIENCE, caught_up).await;
    let before = read().await;
    assert_eq!(before.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 2, 3]);
    // The message that the feed ends with is found whatever its age; of what follows, only what is young enough.
    let hour_ahead = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
    let told = feeds.after(&contractor, 1, hour_ahead, 100).await.unwrap();
    assert_eq!(told.iter().map(|told| told.place).collect::<Vec<_>>(), [2]);
    service.kill();
    sqlx::raw_sql("TRUNCATE ledger.feeds; UPDATE ledger.feeds_head SET position = 0")
        .execute(&office.owner)
        .await
        .unwrap();
    let _again = office.council.serve("command-service");
    eventually("the places are given again", PATIENCE, caught_up).await;
    assert_eq!(read().await, before);
}

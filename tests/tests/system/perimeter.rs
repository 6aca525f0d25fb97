//! What a client must not be able to do on the bus, each thing tried from outside with a client's own password.
//!
//! Two walls stand one behind the other: the permissions of its user, by which NATS refuses aloud what it tries, and its account, across
//! whose border nothing else comes. The second is tried without the first.

use std::time::Duration;

use async_nats::Request;
use futures::StreamExt;
use serde_json::{Value, json};
use system_tests::Council;
use system_tests::council::{PATIENCE, example, obstruction, rejected};

/// How long an answer that must not come is waited for.
const NO_ANSWER: Duration = Duration::from_millis(500);

/// The messages that each stream holds.
async fn held(council: &Council) -> Vec<u64> {
    let jetstream = async_nats::jetstream::new(council.steward().await);
    let mut held = Vec::new();
    for stream in ["CASELEDGER_COMMANDS", "CASELEDGER_EVENTS", "CASELEDGER_RESULTS"] {
        held.push(
            jetstream
                .get_stream(stream)
                .await
                .unwrap()
                .cached_info()
                .state
                .last_sequence,
        );
    }
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_name_reaches_nobody() {
    let council = Council::new().await;
    council.with_accounts_alone().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let onlooker = council.raw("onlooker").await;
    for subject in [
        "caseledger.call.website.SubmitRequest",
        "caseledger.query.website.Result",
        "caseledger.replay.website",
    ] {
        let asked = onlooker
            .send_request(subject, Request::new().payload("{}".into()).timeout(Some(NO_ANSWER)))
            .await;
        assert!(asked.is_err(), "{subject} was answered");
    }
    for subject in [
        "caseledger.command.website.SubmitRequest",
        "caseledger.event.waste.case.RequestSubmitted",
        "caseledger.result.website.x",
    ] {
        onlooker.publish(subject, "{}".into()).await.unwrap();
    }
    for subject in [
        "$JS.API.STREAM.PURGE.CASELEDGER_EVENTS",
        "$JS.API.STREAM.DELETE.CASELEDGER_COMMANDS",
    ] {
        let asked = onlooker
            .send_request(subject, Request::new().payload("{}".into()).timeout(Some(NO_ANSWER)))
            .await;
        let refused = asked.is_err() || String::from_utf8_lossy(&asked.unwrap().payload).contains("error");
        assert!(refused, "{subject} was done");
    }
    onlooker.flush().await.unwrap();
    assert_eq!(held(&council).await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_at_the_bus_is_in_the_log_of_nats() {
    let council = Council::new().await;
    let onlooker = council.raw("onlooker").await;
    let published = [
        "caseledger.call.website.SubmitRequest",
        "caseledger.command.website.SubmitRequest",
        "caseledger.query.website.Result",
        "caseledger.replay.website",
        "caseledger.event.waste.case.RequestSubmitted",
        "caseledger.result.website.x",
        "caseledger.feed.street-partner.x",
        "caseledger.deadletter.command-service",
        "_INBOX.another.answer",
        "_R_.answer",
        "$JS.API.STREAM.PURGE.CASELEDGER_EVENTS",
        "$JS.API.STREAM.DELETE.CASELEDGER_COMMANDS",
        "$JS.API.STREAM.UPDATE.CASELEDGER_EVENTS",
        "$JS.API.STREAM.MSG.GET.CASELEDGER_EVENTS",
        "$JS.API.STREAM.MSG.DELETE.CASELEDGER_EVENTS",
        "$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_EVENTS.website",
        "$JS.API.CONSUMER.CREATE.CASELEDGER_EVENTS.mine",
        "$JS.API.CONSUMER.DELETE.CASELEDGER_COMMANDS.command-service",
        "$JS.ACK.CASELEDGER_EVENTS.website.1.1.1.1.0",
        "$JS.ACK.CASELEDGER_COMMANDS.command-service.1.1.1.1.0",
        "$SYS.REQ.SERVER.PING",
    ];
    for subject in published {
        onlooker.publish(subject, "{}".into()).await.unwrap();
    }
    let listened = [
        ">",
        "caseledger.>",
        "caseledger.call.>",
        "caseledger.command.website.>",
        "caseledger.query.>",
        "caseledger.result.website.>",
        "caseledger.result.*.*",
        "caseledger.feed.street-partner.>",
        "caseledger.deadletter.>",
        "_INBOX_relay.>",
        "_R_.>",
        "$JS.API.>",
        "$JS.ACK.>",
        "$SYS.>",
    ];
    for subject in listened {
        // That NATS refuses it shows in its log, and to the connection as a whole.
        drop(onlooker.subscribe(subject).await.unwrap());
    }
    onlooker.flush().await.unwrap();
    let published = published.map(|subject| format!("Publish Violation - Subject \"{subject}\""));
    let listened = listened.map(|subject| format!("Subscription Violation - Subject \"{subject}\""));
    for tried in published.into_iter().chain(listened) {
        let what = format!("NATS logs who tried: {tried}");
        system_tests::eventually(&what, PATIENCE, || async {
            let log = council.nats.log();
            log.lines()
                .any(|line| line.contains("user:onlooker") && line.contains(&tried))
        })
        .await;
    }
    assert_eq!(held(&council).await, [0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_attempt_to_speak_for_others_is_in_the_log_of_the_service() {
    let council = Council::new().await;
    let service = council.serve("command-service");
    council.answering().await;
    let app = council.client("highways-app").await;
    let submit = |data: Value| council.command_of("SubmitRequest", None, data);
    let mut as_officer = obstruction("Deep");
    as_officer["actor"] = json!({ "kind": "officer", "id": "j.okafor", "assurance": "signed_in" });
    let mut as_contractor = obstruction("Deep");
    as_contractor["actor"] = json!({ "kind": "contractor", "id": "street-partner", "assurance": "signed_in" });
    let mut of_nobody = obstruction("Deep");
    of_nobody["actor"] = json!({ "kind": "officer", "id": "n.obody", "assurance": "signed_in" });
    let waste = example("SubmitRequest", json!({ "customer_id": null }));
    let tried = [
        (submit(as_officer), "officer_not_allowed"),
        (submit(as_contractor), "actor_not_allowed"),
        (submit(of_nobody), "unknown_officer"),
        (submit(waste), "service_not_allowed"),
        (
            council.command_of("RegisterCustomer", None, example("RegisterCustomer", json!({}))),
            "command_not_allowed",
        ),
    ];
    for (command, code) in tried {
        let told = rejected(app.call_until_known(&command).await.unwrap());
        assert_eq!(told.code(), code, "{told:?}");
        let line = service.line(&command.id.to_string(), PATIENCE).await;
        assert!(
            line.contains("no right") && line.contains("highways-app") && line.contains(code),
            "{line}"
        );
        // Durably it is refused alike.
        assert_eq!(rejected(app.send(&command).await.unwrap()).code(), code);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_lands_nowhere_but_with_its_caller() {
    let council = Council::new().await;
    council.with_accounts_alone().await;
    let _service = council.serve("command-service");
    council.answering().await;
    let (website, onlooker) = (council.raw("website").await, council.raw("onlooker").await);
    let mut overheard = onlooker.subscribe(">").await.unwrap();
    onlooker.flush().await.unwrap();
    let before = held(&council).await;
    // A call, a durable command and a pull whose answer is to land in the event stream, the command stream or another's calls.
    for reply in [
        "caseledger.event.waste.case.RequestSubmitted",
        "caseledger.command.contact-centre.SubmitRequest",
        "caseledger.call.contact-centre.SubmitRequest",
    ] {
        for subject in [
            "caseledger.call.website.SubmitRequest",
            "caseledger.command.website.SubmitRequest",
            "$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_EVENTS.website",
        ] {
            website.publish_with_reply(subject, reply, "{}".into()).await.unwrap();
        }
    }
    website.flush().await.unwrap();
    // The three durable commands arrive as what they are; nothing else is stored. A call that is answered after them shows that
    // all were looked at.
    council.answering().await;
    let stored = system_tests::eventually("the commands are stored", PATIENCE, || async {
        let now = held(&council).await;
        (now[0] == before[0] + 3).then_some(now)
    })
    .await;
    assert_eq!(stored[1], before[1], "nothing was written into the event stream");
    assert!(
        tokio::time::timeout(NO_ANSWER, overheard.next()).await.is_err(),
        "another client overheard something"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_waits_is_delivered_to_nobody_but_its_client() {
    let council = Council::new().await;
    council.with_accounts_alone().await;
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let (website, onlooker) = (council.raw("website").await, council.raw("onlooker").await);
    let sender = council.client("website").await;
    council
        .accept(
            &sender,
            "SubmitRequest",
            None,
            system_tests::council::obstruction("Deep"),
        )
        .await;
    let waiting = "$JS.API.CONSUMER.INFO.CASELEDGER_EVENTS.website";
    let waits = || async {
        let answer = website.request(waiting, "".into()).await.unwrap();
        let info: Value = serde_json::from_slice(&answer.payload).unwrap();
        info["num_pending"] == 1
    };
    system_tests::eventually("the event waits for the website", PATIENCE, waits).await;

    let mut overheard = onlooker.subscribe(">").await.unwrap();
    onlooker.flush().await.unwrap();
    let before = held(&council).await;
    let next = "$JS.API.CONSUMER.MSG.NEXT.CASELEDGER_EVENTS.website";
    let reply = "caseledger.event.waste.case.RequestSubmitted";
    let mut landed = website.subscribe(reply).await.unwrap();
    website.publish_with_reply(next, reply, "".into()).await.unwrap();
    // It comes back into the client's own account, under a name that means nothing to anybody else.
    let event = tokio::time::timeout(PATIENCE, landed.next()).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&event.payload).contains("RequestSubmitted"));
    council.answering().await;
    assert_eq!(held(&council).await, before, "nothing was written into a stream");
    assert!(
        tokio::time::timeout(NO_ANSWER, overheard.next()).await.is_err(),
        "another client overheard something"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_and_events_are_heard_by_those_who_may() {
    let council = Council::new().await;
    council.with_accounts_alone().await;
    let _services = [council.serve("command-service"), council.serve("relay")];
    council.answering().await;
    let (website, onlooker) = (council.raw("website").await, council.raw("onlooker").await);
    let mut own = website.subscribe("caseledger.result.website.>").await.unwrap();
    let mut foreign = onlooker.subscribe("caseledger.result.website.>").await.unwrap();
    let mut events = onlooker.subscribe("caseledger.event.>").await.unwrap();
    website.flush().await.unwrap();
    onlooker.flush().await.unwrap();
    let sender = council.client("website").await;
    sender
        .send(&council.command_of("SubmitRequest", None, system_tests::council::obstruction("Deep")))
        .await
        .unwrap();
    let missed = serde_json::json!({ "request_type": "missed-bin", "answers": { "bin_type": "refuse" }, "actor": { "kind": "resident", "assurance": "none" }, "channel": "app" });
    sender
        .send(&council.command_of("SubmitRequest", None, missed))
        .await
        .unwrap();
    assert!(tokio::time::timeout(PATIENCE, own.next()).await.unwrap().is_some());
    // The pothole came before: the first event that it hears is the bin's.
    let heard = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap();
    let event: Value = serde_json::from_slice(&heard.payload).unwrap();
    assert_eq!(event["service"], "waste");
    assert!(
        tokio::time::timeout(NO_ANSWER, foreign.next()).await.is_err(),
        "another's result was heard"
    );
}

//! The bus: requests and answers, durable commands, the event stream and those who follow it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;
use bus::{Bus, BusClient, BusError, DeadLetter, Delivery, EventMessage, Generation, NatsBus, Outgoing, StreamEnd};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use schemas::envelope::CommandEnvelope;
use schemas::moment::Instant;
use schemas::result::{CommandResult, CommandStatus};
use schemas::{ClientName, CommandId, Position, ServiceName};
use simulation::{ModelBus, ModelClient, ModelLog, ModelNats, Process, Weather, World};
use system_tests::Council;
use time::OffsetDateTime;
use uuid::Uuid;

/// How long what comes may take on a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// How long it is waited for what must not come.
const A_WHILE: Duration = Duration::from_millis(300);

/// A bus as two processes reach it, and a client of it: a model, or nats-server.
struct Wire {
    buses: [Arc<dyn Bus>; 2],
    client: Client,
    kind: Kind,
}

enum Client {
    Model(ModelClient),
    Real(Box<BusClient>, async_nats::Client),
}

enum Kind {
    Model(ModelNats),
    Real(Box<Council>),
}

fn model() -> Wire {
    let world = Arc::new(World::new(0, Weather::Fair, false));
    let nats = ModelNats::new(world, ModelLog::default());
    let bus = |name: &str| Arc::new(ModelBus::new(nats.clone(), Arc::new(Process::new(name)))) as Arc<dyn Bus>;
    Wire {
        buses: [bus("one"), bus("two")],
        client: Client::Model(ModelClient::new(nats.clone(), website())),
        kind: Kind::Model(nats),
    }
}

async fn real() -> Wire {
    let council = Council::new().await;
    let mut buses = Vec::new();
    for _ in 0..2 {
        let bus = NatsBus::connect(&council.nats.url(), &council.service_passwords)
            .await
            .unwrap();
        let mut state = bus.state();
        state.wait_for(bus::ConnectionState::is_up).await.unwrap();
        buses.push(Arc::new(bus) as Arc<dyn Bus>);
    }
    let client = Client::Real(Box::new(council.client("website").await), council.raw("website").await);
    Wire {
        buses: buses.try_into().unwrap_or_else(|_| unreachable!()),
        client,
        kind: Kind::Real(Box::new(council)),
    }
}

macro_rules! of_both {
    ($($question:ident),* $(,)?) => {
        mod of_the_model {
            $(#[tokio::test(start_paused = true)]
            async fn $question() {
                super::$question(&super::model()).await;
            })*
        }
        mod of_nats {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $question() {
                super::$question(&super::real().await).await;
            })*
        }
    };
}

of_both!(
    an_event_is_stored_only_behind_the_one_that_is_named,
    the_acknowledgement_of_one_event_speaks_for_those_before_it,
    a_stream_that_was_emptied_goes_on_counting_and_one_that_lost_its_last_event_says_so,
    what_was_sent_for_the_stream_before_it_was_emptied_fits_nowhere,
    who_follows_hears_of_events,
    durable_commands_come_in_order_until_they_are_acknowledged,
    a_later_taker_has_the_commands_and_an_earlier_one_none,
    a_request_is_answered_by_one_of_those_who_take_it,
    results_and_letters_are_held,
);

fn website() -> ClientName {
    ClientName::new("website").unwrap()
}

fn event(position: i64) -> (String, Bytes) {
    let service = if position % 2 == 1 { "waste" } else { "highways" };
    let subject = format!("caseledger.event.{service}.case.RequestUpdated");
    (subject, Bytes::from(format!("{{\"position\":\"{position}\"}}")))
}

/// Publishes these positions, without waiting in between. What became of each.
async fn publish(bus: &dyn Bus, positions: &[(i64, u64)]) -> Vec<Result<u64, BusError>> {
    let mut on_their_way = Vec::new();
    for (position, expected) in positions {
        let (subject, body) = event(*position);
        on_their_way.push(bus.publish_event(subject, body, *expected).await.unwrap());
    }
    let mut became = Vec::new();
    for acknowledged in on_their_way {
        became.push(acknowledged.await.map(|ack| ack.sequence));
    }
    became
}

fn at_end(end: &StreamEnd) -> (u64, u64, Option<i64>) {
    (
        end.sequence,
        end.messages,
        end.last.as_ref().map(|last| last.position.0),
    )
}

async fn an_event_is_stored_only_behind_the_one_that_is_named(wire: &Wire) {
    let bus = wire.buses[0].as_ref();
    assert_eq!(at_end(&bus.last_event().await.unwrap()), (0, 0, None));
    assert_eq!(publish(bus, &[(1, 0), (2, 1), (3, 2)]).await, [Ok(1), Ok(2), Ok(3)]);
    let wrong = |expected| Err(BusError::WrongLastSequence { expected });
    // The second of these would have a place if the first had been stored.
    assert_eq!(
        publish(wire.buses[1].as_ref(), &[(4, 2), (5, 4), (4, 3)]).await,
        [wrong(2), wrong(4), Ok(4)]
    );
    assert_eq!(at_end(&bus.last_event().await.unwrap()), (4, 4, Some(4)));
    let held = bus.event_at_sequence(2).await.unwrap().unwrap();
    assert_eq!(
        (held.sequence, held.position, (held.subject, held.body)),
        (2, Position(2), event(2))
    );
    assert!(bus.event_at_sequence(5).await.unwrap().is_none());
}

/// Sends these positions without asking, then publishes the last. What became of that one.
async fn send(bus: &dyn Bus, unasked: &[(i64, u64)], last: (i64, u64)) -> Result<u64, BusError> {
    for (position, expected) in unasked {
        let (subject, body) = event(*position);
        bus.send_event(subject, body, *expected).await.unwrap();
    }
    publish(bus, &[last]).await.remove(0)
}

async fn the_acknowledgement_of_one_event_speaks_for_those_before_it(wire: &Wire) {
    let (bus, another) = (wire.buses[0].as_ref(), wire.buses[1].as_ref());
    assert_eq!(send(bus, &[(1, 0), (2, 1), (3, 2)], (4, 3)).await, Ok(4));
    for sequence in 1..=4 {
        let held = bus.event_at_sequence(sequence).await.unwrap().unwrap();
        assert_eq!(held.position.0, i64::try_from(sequence).unwrap());
    }
    // The first does not fit, and so none does.
    let refused = send(another, &[(5, 3), (6, 5), (7, 6)], (8, 7)).await;
    assert_eq!(refused, Err(BusError::WrongLastSequence { expected: 7 }));
    assert_eq!(at_end(&bus.last_event().await.unwrap()), (4, 4, Some(4)));
}

/// The last sequence of a stream that was emptied just now.
async fn emptied_at(bus: &dyn Bus) -> u64 {
    let end = bus.last_event().await.unwrap();
    assert_eq!((end.messages, end.last), (0, None));
    end.sequence
}

async fn what_was_sent_for_the_stream_before_it_was_emptied_fits_nowhere(wire: &Wire) {
    let (bus, late) = (wire.buses[0].as_ref(), wire.buses[1].as_ref());
    publish(bus, &[(1, 0), (2, 1), (3, 2)]).await;
    // A relay that stood still in the middle of what it published: each of these would be the next of some stream of three.
    let late_ones = [(3, 2), (4, 3), (5, 4), (6, 5), (7, 6)];
    let refused: Vec<_> = late_ones
        .map(|(_, expected)| Err(BusError::WrongLastSequence { expected }))
        .into();
    let mut emptied = Vec::new();
    for _ in 0..2 {
        assert_eq!(bus.purge_events().await.unwrap(), 3);
        assert_eq!(publish(late, &late_ones).await, refused, "while it is empty");
        let last = emptied_at(bus).await;
        emptied.push(last);
        assert_eq!(
            publish(bus, &[(1, last), (2, last + 1), (3, last + 2)]).await,
            [Ok(last + 1), Ok(last + 2), Ok(last + 3)]
        );
        assert_eq!(publish(late, &late_ones).await, refused, "when it is filled again");
        assert_eq!(at_end(&bus.last_event().await.unwrap()), (last + 3, 3, Some(3)));
    }
    assert!(emptied[1] > emptied[0] + 500, "{emptied:?}");
    // One that holds nothing can be emptied, too: its numbers run ahead all the same.
    bus.purge_events().await.unwrap();
    let empty = emptied_at(bus).await;
    assert_eq!(bus.purge_events().await.unwrap(), 0);
    assert!(emptied_at(bus).await > empty + 500);
}

async fn a_stream_that_was_emptied_goes_on_counting_and_one_that_lost_its_last_event_says_so(wire: &Wire) {
    let bus = wire.buses[0].as_ref();
    publish(bus, &[(1, 0), (2, 1), (3, 2)]).await;
    assert_eq!(bus.purge_events().await.unwrap(), 3);
    let last = 2 + emptied_at(bus).await;
    assert_eq!(
        publish(bus, &[(1, 0), (1, last - 2), (2, last - 1)]).await[1..],
        [Ok(last - 1), Ok(last)]
    );
    match &wire.kind {
        Kind::Model(nats) => nats.lose_event(1),
        Kind::Real(council) => {
            let steward = jetstream::new(council.steward().await);
            let stream = steward.get_stream(schemas::subjects::EVENTS_STREAM).await.unwrap();
            assert!(stream.delete_message(last).await.unwrap());
        }
    }
    assert_eq!(at_end(&bus.last_event().await.unwrap()), (last, 1, None));
    assert!(bus.event_at_sequence(last).await.unwrap().is_none());
    assert_eq!(
        publish(bus, &[(2, last - 1), (2, last)]).await,
        [Err(BusError::WrongLastSequence { expected: last - 1 }), Ok(last + 1)]
    );
}

/// The next that comes.
async fn next<T>(stream: &mut (impl Stream<Item = T> + Unpin)) -> T {
    tokio::time::timeout(SOON, stream.next()).await.unwrap().unwrap()
}

/// That nothing comes.
async fn nothing<T>(stream: &mut (impl Stream<Item = T> + Unpin)) {
    assert!(tokio::time::timeout(A_WHILE, stream.next()).await.is_err());
}

async fn who_follows_hears_of_events(wire: &Wire) {
    let (one, two) = (wire.buses[0].as_ref(), wire.buses[1].as_ref());
    let mut all = one.follow_events(None).await.unwrap();
    let highways = ServiceName::new("highways").unwrap();
    let mut some = two.follow_events(Some(&highways)).await.unwrap();
    // That nats-server has taken a subscription is seen by what it passes on.
    let mut known = 0;
    let mut position = 0;
    while known < 2 {
        position += 2;
        publish(two, &[(position, u64::try_from(position).unwrap() / 2 - 1)]).await;
        let heard = |stream: &mut bus::Events| {
            let next = stream.next();
            futures::FutureExt::now_or_never(next).is_some()
        };
        tokio::time::sleep(Duration::from_millis(20)).await;
        known = usize::from(heard(&mut all)) + usize::from(heard(&mut some));
    }
    let last = wire.buses[0].last_event().await.unwrap().sequence;
    assert_eq!(
        publish(two, &[(101, last), (102, last + 1)]).await,
        [Ok(last + 1), Ok(last + 2)]
    );
    let message = |position| {
        let (subject, body) = event(position);
        EventMessage { subject, body }
    };
    let until = |wanted: EventMessage| move |heard: &EventMessage| std::future::ready(*heard != wanted);
    let mut all = all.skip_while(until(message(101)));
    assert_eq!(next(&mut all).await.body, message(101).body);
    assert_eq!(next(&mut all).await.body, message(102).body);
    let mut some = some.skip_while(until(message(102)));
    assert_eq!(next(&mut some).await.subject, message(102).subject);
    nothing(&mut some).await;
}

fn outgoing(number: u64) -> Outgoing {
    Outgoing::new(
        CommandId(Uuid::from_u128(u128::from(number))),
        "SubmitRequest",
        None,
        Instant::new(OffsetDateTime::UNIX_EPOCH),
        format!("{{\"number\":{number}}}"),
    )
}

/// A command as a client writes it.
fn written(command: &Outgoing) -> Bytes {
    let envelope = CommandEnvelope {
        id: command.id,
        command_type: "caseledger.SubmitRequest.v1".to_owned(),
        name: command.name.clone(),
        source: "/clients/website".to_owned(),
        subject: None,
        time: Some(command.time),
        correlation_id: None,
        causation_id: None,
        traceparent: None,
        data: command.data.clone(),
    };
    Bytes::from(envelope.write().unwrap())
}

impl Client {
    /// Has NATS hold a durable command.
    async fn store(&self, number: u64) {
        let command = outgoing(number);
        match self {
            Self::Model(client) => {
                let body = client.message(&command).unwrap();
                assert!(client.store("SubmitRequest", body).await);
            }
            Self::Real(_, raw) => {
                let body = written(&command);
                let subject = schemas::subjects::command(&website(), "SubmitRequest");
                let mut headers = async_nats::HeaderMap::new();
                headers.insert("Content-Type", schemas::envelope::STRUCTURED);
                let request = async_nats::Request::new().payload(body).headers(headers);
                let ack = raw.send_request(subject, request).await.unwrap();
                assert!(!String::from_utf8_lossy(&ack.payload).contains("error"), "{ack:?}");
            }
        }
    }

    async fn call(&self, number: u64) -> Option<CommandResult> {
        let command = outgoing(number);
        match self {
            Self::Model(client) => {
                let body = client.message(&command).unwrap();
                let answer = client.call("SubmitRequest", body).await?;
                serde_json::from_slice(&answer).ok()
            }
            Self::Real(client, _) => client.call(&command).await.ok(),
        }
    }
}

fn number_of(delivery: &Delivery) -> u64 {
    let text = String::from_utf8_lossy(&delivery.body).into_owned();
    let number = text.split("\"number\":").nth(1).unwrap();
    number.trim_end_matches('}').parse().unwrap()
}

async fn durable_commands_come_in_order_until_they_are_acknowledged(wire: &Wire) {
    let (one, two) = (wire.buses[0].as_ref(), wire.buses[1].as_ref());
    for number in 1..=3 {
        wire.client.store(number).await;
    }
    let mut taken = one.take_commands(Generation(1)).await.unwrap();
    let mut delivered = Vec::new();
    for number in 1..=3 {
        let delivery = next(&mut taken).await.unwrap();
        assert_eq!(
            (number_of(&delivery), delivery.stream_sequence, delivery.delivered_count),
            (number, number, 1)
        );
        assert_eq!(delivery.subject, "caseledger.command.website.SubmitRequest");
        assert_eq!(
            delivery.headers.get("content-type"),
            Some(schemas::envelope::STRUCTURED)
        );
        delivered.push(delivery);
    }
    one.ack(&delivered[1]).await.unwrap();
    wire.client.store(4).await;
    assert_eq!(number_of(&next(&mut taken).await.unwrap()), 4);
    nothing(&mut taken).await;
    // What was not acknowledged comes again, in the order sent.
    let mut taken = two.take_commands(Generation(2)).await.unwrap();
    for number in [1, 3, 4] {
        let delivery = next(&mut taken).await.unwrap();
        assert_eq!(number_of(&delivery), number);
        two.ack(&delivery).await.unwrap();
    }
    nothing(&mut taken).await;
}

async fn a_later_taker_has_the_commands_and_an_earlier_one_none(wire: &Wire) {
    let (one, two) = (wire.buses[0].as_ref(), wire.buses[1].as_ref());
    let mut early = one.take_commands(Generation(1)).await.unwrap();
    wire.client.store(1).await;
    let first = next(&mut early).await.unwrap();
    let mut late = two.take_commands(Generation(2)).await.unwrap();
    assert!(matches!(
        one.take_commands(Generation(1)).await,
        Err(BusError::Superseded)
    ));
    // An acknowledgement of what an earlier taker was given does nothing.
    one.ack(&first).await.unwrap();
    let again = next(&mut late).await.unwrap();
    assert_eq!(number_of(&again), 1);
    assert!(next(&mut early).await.is_err(), "it is told that it has them no more");
    assert!(
        tokio::time::timeout(SOON, early.next()).await.unwrap().is_none(),
        "and that is the last"
    );
    two.ack(&again).await.unwrap();
    wire.client.store(2).await;
    assert_eq!(number_of(&next(&mut late).await.unwrap()), 2);
}

async fn a_request_is_answered_by_one_of_those_who_take_it(wire: &Wire) {
    const CALLS: u64 = 12;
    let result = |command_id| CommandResult {
        command_id,
        status: CommandStatus::Unavailable,
    };
    let answering = wire.buses.iter().map(|bus| async move {
        let mut requests = bus.calls().await.unwrap();
        let mut answered = 0;
        while let Some(request) = requests.next().await {
            answered += 1;
            let read = |name: &str| request.headers.get(name);
            let envelope = CommandEnvelope::read(read, &request.body).unwrap();
            let body = serde_json::to_vec(&result(envelope.id)).unwrap();
            bus.reply(&request.reply.unwrap(), body.into()).await.unwrap();
        }
        answered
    });
    let asking = async {
        for number in 1..=CALLS {
            // Until those who answer are there, nobody is.
            let until = tokio::time::Instant::now() + SOON;
            let answer = loop {
                if let Some(answer) = wire.client.call(number).await {
                    break answer;
                }
                assert!(tokio::time::Instant::now() < until);
                tokio::task::yield_now().await;
            };
            assert_eq!(answer, result(outgoing(number).id));
        }
    };
    tokio::select! {
        _ = futures::future::join_all(answering) => unreachable!("requests end with the process"),
        () = asking => {}
    }
}

async fn results_and_letters_are_held(wire: &Wire) {
    let bus = wire.buses[0].as_ref();
    let id = outgoing(1).id;
    bus.publish_result(&website(), id, Bytes::from_static(b"{}"))
        .await
        .unwrap();
    let letter = DeadLetter {
        reason: "not JSON".into(),
        digest: bus::digest(b"abc"),
        sealed_body: None,
        subject: "caseledger.command.website.SubmitRequest".into(),
        stream_sequence: Some(1),
    };
    bus.dead_letter("command-service", letter).await.unwrap();
    let contractor = ClientName::new("contractor").unwrap();
    assert_eq!(bus.last_of_feed(&contractor).await.unwrap(), None);
    for body in ["1", "2"] {
        bus.publish_to_feed(&contractor, "Job", Bytes::from(body))
            .await
            .unwrap();
    }
    assert_eq!(bus.last_of_feed(&contractor).await.unwrap(), Some(Bytes::from("2")));
}

//! The bus as an AsyncAPI 3.0 document: every channel, who sends on it, and what its messages look like.
//!
//! It is written from the side of Caseledger: it receives commands and sends events.

use serde_json::{Map, Value, json};

use super::event_names;
use crate::command::CommandBody;
use crate::envelope::{REPEATED_TRUE, STRUCTURED};
use crate::feed;
use crate::subjects;

/// The whole document.
pub(super) fn document() -> Value {
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Caseledger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Case management for a council, on NATS with JetStream. Other services send commands and follow events. \
                Each client connects to an account of its own: the subject says who sent a message, and inboxes are private. \
                It may publish and subscribe to the subjects below that bear its name, to `caseledger.event.>` (it hears what it may read) and to \
                `_INBOX.>`, where NATS clients wait for answers unless they are told otherwise; the rest is refused and logged.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "defaultContentType": STRUCTURED,
        "servers": {
            "council": {
                "host": "{host}:{port}",
                "protocol": "nats",
                "description": "The council's NATS server, 2.11 or newer.",
                "variables": {
                    "host": { "description": "Its host name.", "default": "localhost" },
                    "port": { "description": "Its port.", "default": "4222" },
                },
                "security": [{ "type": "userPassword", "description": "The client's own name and password." }],
            },
        },
        "channels": channels(),
        "operations": operations(),
        "components": { "messages": messages(), "schemas": envelopes() },
    })
}

/// The messages of a contractor's feed, under names that no event has.
fn feed_names() -> [String; 4] {
    feed::MESSAGES.map(|name| format!("Feed{name}"))
}

fn object(entries: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::Object(entries.into_iter().collect::<Map<_, _>>())
}

/// References to messages of the components, by name.
fn message_refs<'n>(names: impl IntoIterator<Item = &'n str>) -> Value {
    object(names.into_iter().map(|name| {
        (
            name.to_owned(),
            json!({ "$ref": format!("#/components/messages/{name}") }),
        )
    }))
}

fn client() -> Value {
    json!({ "description": "The sender's own name on the bus: no other reaches the services.", "examples": ["website", "contact-centre"] })
}

fn stream(name: &str, retention: &str, max_age: Option<&str>) -> Value {
    let mut stream = json!({ "name": name, "retention": retention, "storage": "file" });
    if let Some(max_age) = max_age {
        stream["max_age"] = json!(max_age);
    }
    stream
}

fn channels() -> Value {
    let commands = || message_refs(CommandBody::NAMES.iter().copied().chain(["BinaryCommand"]));
    let command = || json!({ "description": "The command's name, the same as in the message's `type`.", "enum": CommandBody::NAMES });
    let events: Vec<&str> = event_names().map(|(_, name)| name).collect();
    json!({
        "call": {
            "address": "caseledger.call.{client}.{command}",
            "title": "Call a command",
            "description": "Request and reply: the reply is the result. A reply that does not come means that it is not known \
                whether the command was recorded: repeat it with the same id, and with the header `Caseledger-Repeated: true`. Then a \
                rejection is recorded, and no earlier copy that is still on its way can be accepted later. Without the header a \
                rejected call leaves no record: what it was rejected for can be mended, and the command sent again under the same id.",
            "parameters": { "client": client(), "command": command() },
            "messages": commands(),
        },
        "command": {
            "address": "caseledger.command.{client}.{command}",
            "title": "Send a command durably",
            "description": "Publish as a request: the answer is JetStream's acknowledgement, and means that NATS holds the command. Only \
                the result means that it is recorded: repeat the command with the same id until the result comes.",
            "parameters": { "client": client(), "command": command() },
            "messages": commands(),
            "x-stream": stream(subjects::COMMANDS_STREAM, "workqueue", None),
        },
        "result": {
            "address": "caseledger.result.{client}.{command_id}",
            "title": "Results of durable commands",
            "description": "A client subscribes to its own. What came while it was not connected it asks for with the query Result. The latest \
                200,000 are kept, for seven days at most.",
            "parameters": { "client": client(), "command_id": { "description": "The id of the command." } },
            "messages": message_refs(["CommandResult"]),
            "x-stream": stream(subjects::RESULTS_STREAM, "limits", Some("7 days")),
        },
        "queryCase": {
            "address": "caseledger.query.{client}.Case",
            "title": "Ask for a case",
            "description": "Request and reply. Answered where the client may read the events of the case's service.",
            "parameters": { "client": client() },
            "messages": message_refs(["CaseQuery"]),
        },
        "queryResult": {
            "address": "caseledger.query.{client}.Result",
            "title": "Ask for the result of a command",
            "description": "Request and reply. Answered with the recorded result, or with `unavailable` where none is recorded: then \
                repeat the command with the same id. A rejected call leaves no record unless it was marked as repeated; a rejected \
                durable command does.",
            "parameters": { "client": client() },
            "messages": message_refs(["ResultQuery"]),
        },
        "queryEntitlement": {
            "address": "caseledger.query.{client}.Entitlement",
            "title": "Ask for an entitlement",
            "description": "Request and reply. Answered where the client may read the events of the entitlement's service.",
            "parameters": { "client": client() },
            "messages": message_refs(["EntitlementQuery"]),
        },
        "querySlots": {
            "address": "caseledger.query.{client}.Slots",
            "title": "Ask which slots have places left",
            "description": "Request and reply. Answered where the client may open cases of the request type's service, or read its events.                 That a slot has a place left is true of the moment: BookAppointment takes it, or says that it is gone.",
            "parameters": { "client": client() },
            "messages": message_refs(["SlotsQuery"]),
        },
        "event": {
            "address": "caseledger.event.{service}.{aggregate}.{event}",
            "title": "Events",
            "description": "Every event, in the order of `position`. A client subscribes to those of its services, or, to miss none while \
                it is away, pulls from its durable consumer on the stream, which bears the client's name. Within the log `position` counts up \
                by one, within a service `serviceposition` does: who sees a number twice ignores it, who misses one asks for a replay.",
            "parameters": {
                "service": { "description": "The service that the case belongs to; `customer-services` for customers.", "examples": ["waste"] },
                "aggregate": { "description": "What it happened to.", "enum": ["customer", "case", "round", "entitlement"] },
                "event": { "description": "The event's name.", "enum": events },
            },
            "messages": message_refs(events.iter().copied()),
            "x-stream": stream(subjects::EVENTS_STREAM, "limits", None),
        },
        "replay": {
            "address": "caseledger.replay.{client}",
            "title": "Read events from a position on",
            "description": "Request and reply, one page at a time, with the same rights as a subscription.",
            "parameters": { "client": client() },
            "messages": message_refs(["ReplayRequest"]),
        },
        "feed": {
            "address": "caseledger.feed.{client}.{message}",
            "title": "A contractor's jobs",
            "description": "What one contractor has to do, in the order of the log. `data.sequence` counts up by one from 1: drop what you have \
                seen. What is personal is sealed for the key that the contractor's client entry names.",
            "parameters": { "client": client(), "message": { "description": "The message's name.", "enum": feed::MESSAGES } },
            "messages": message_refs(feed_names().iter().map(String::as_str)),
            "x-stream": stream(subjects::FEEDS_STREAM, "limits", Some("90 days")),
        },
        "deadletter": {
            "address": "caseledger.deadletter.{consumer}",
            "title": "Dead letters",
            "description": "What could not be read or handled, for the people who run the services: no client sees it. A rejected command is a \
                result, not a dead letter.",
            "parameters": { "consumer": { "description": "Who could not handle it." } },
            "messages": message_refs(["DeadLetter"]),
            "x-stream": stream(subjects::DEADLETTERS_STREAM, "limits", Some("30 days")),
        },
        "reply": {
            "address": null,
            "title": "Replies",
            "description": "The sender's inbox, which NATS puts into the request.",
            "messages": message_refs(["CommandResult", "CaseAnswer", "EntitlementAnswer", "SlotsAnswer", "ReplayAnswer"]),
        },
    })
}

/// What Caseledger does on one channel, with its reply where there is one.
fn operation(action: &str, channel: &str, summary: &str, reply: Option<&str>) -> Value {
    let mut operation =
        json!({ "action": action, "channel": { "$ref": format!("#/channels/{channel}") }, "summary": summary });
    if let Some(reply) = reply {
        operation["reply"] = json!({
            "channel": { "$ref": "#/channels/reply" },
            "messages": [{ "$ref": format!("#/channels/reply/messages/{reply}") }],
        });
    }
    operation
}

fn operations() -> Value {
    json!({
        "answerCall": operation("receive", "call", "Decide a command and answer with its result.", Some("CommandResult")),
        "takeCommand": operation("receive", "command", "Take a durable command, in the order that its client sent them to one case.", None),
        "publishResult": operation("send", "result", "Publish the result of a durable command, once it is recorded.", None),
        "answerCase": operation("receive", "queryCase", "Answer with a case.", Some("CaseAnswer")),
        "answerEntitlement": operation("receive", "queryEntitlement", "Answer with the entitlement as it stands.", Some("EntitlementAnswer")),
        "answerSlots": operation("receive", "querySlots", "Answer with the slots that have places left.", Some("SlotsAnswer")),
        "answerResult": operation("receive", "queryResult", "Answer with a command's result.", Some("CommandResult")),
        "publishEvent": operation("send", "event", "Publish every recorded event.", None),
        "answerReplay": operation("receive", "replay", "Answer with a page of events.", Some("ReplayAnswer")),
        "publishFeed": operation("send", "feed", "Publish what a contractor has to do.", None),
        "publishDeadLetter": operation("send", "deadletter", "Put away what could not be read or handled.", None),
    })
}

/// A structured CloudEvent of this type, with this data.
fn structured(envelope: &str, kind: &str, path: &str, title: &str) -> Value {
    json!({
        "name": kind,
        "title": title,
        "contentType": STRUCTURED,
        "headers": { "$ref": "#/components/schemas/StructuredHeaders" },
        "payload": {
            "allOf": [
                { "$ref": format!("#/components/schemas/{envelope}") },
                { "type": "object", "properties": { "type": { "const": kind }, "data": { "$ref": path } } },
            ],
        },
    })
}

/// A message whose body is plain JSON.
fn plain(title: &str, path: &str) -> Value {
    json!({ "name": title, "title": title, "contentType": "application/json", "payload": { "$ref": path } })
}

fn messages() -> Value {
    let commands = CommandBody::NAMES.iter().map(|name| {
        let path = format!("./commands/{name}.v1.json");
        (
            (*name).to_owned(),
            structured("CommandEnvelope", &format!("caseledger.{name}.v1"), &path, name),
        )
    });
    let events = event_names().map(|(aggregate, name)| {
        let path = format!("./events/{name}.v1.json");
        (
            name.to_owned(),
            structured(
                "EventEnvelope",
                &format!("caseledger.{aggregate}.{name}.v1"),
                &path,
                name,
            ),
        )
    });
    let jobs = feed::MESSAGES.iter().map(|name| {
        let kind = format!("caseledger.feed.{name}.v1");
        let path = "./feed/JobMessage.v1.json";
        (format!("Feed{name}"), structured("FeedEnvelope", &kind, path, name))
    });
    let data: Vec<Value> = CommandBody::NAMES
        .iter()
        .map(|name| json!({ "$ref": format!("./commands/{name}.v1.json") }))
        .collect();
    let others = [
        (
            "BinaryCommand",
            json!({
                "name": "BinaryCommand",
                "title": "Any command, in binary mode",
                "summary": "The attributes are headers, the body is the data. It means the same as the structured message.",
                "contentType": "application/json",
                "headers": { "$ref": "#/components/schemas/BinaryHeaders" },
                "payload": { "anyOf": data },
            }),
        ),
        ("CommandResult", plain("CommandResult", "./result.json")),
        ("CaseQuery", plain("CaseQuery", "./queries/Case.v1.json")),
        ("CaseAnswer", plain("CaseAnswer", "./queries/CaseAnswer.v1.json")),
        ("ResultQuery", plain("ResultQuery", "./queries/Result.v1.json")),
        (
            "EntitlementQuery",
            plain("EntitlementQuery", "./queries/Entitlement.v1.json"),
        ),
        (
            "EntitlementAnswer",
            plain("EntitlementAnswer", "./queries/EntitlementAnswer.v1.json"),
        ),
        ("SlotsQuery", plain("SlotsQuery", "./queries/Slots.v1.json")),
        ("SlotsAnswer", plain("SlotsAnswer", "./queries/SlotsAnswer.v1.json")),
        ("ReplayRequest", plain("ReplayRequest", "./queries/Replay.v1.json")),
        ("ReplayAnswer", plain("ReplayAnswer", "./queries/ReplayAnswer.v1.json")),
        (
            "DeadLetter",
            json!({
                "name": "DeadLetter",
                "title": "DeadLetter",
                "summary": "Why a message was put away, a digest of its body, and the body, sealed.",
                "contentType": "application/json",
                "payload": { "type": "object" },
            }),
        ),
    ];
    object(
        commands
            .chain(events)
            .chain(jobs)
            .chain(others.map(|(name, message)| (name.to_owned(), message))),
    )
}

fn envelopes() -> Value {
    json!({
        "StructuredHeaders": {
            "type": "object",
            "description": "NATS headers of a structured message. A command may come without; then it is taken as structured.",
            "properties": { "Content-Type": { "type": "string", "const": STRUCTURED }, "Caseledger-Repeated": repeated() },
        },
        "CommandEnvelope": command_envelope(),
        "BinaryHeaders": binary_headers(),
        "EventEnvelope": event_envelope(),
        "FeedEnvelope": feed_envelope(),
    })
}

fn repeated() -> Value {
    json!({ "type": "string", "const": REPEATED_TRUE, "description": "On a call that its sender has sent before, unanswered: a rejection is recorded. It says nothing elsewhere." })
}

const TRACEPARENT: &str = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$";
const COUNT: &str = "^[1-9][0-9]*$";

/// The attributes that a command's envelope has in both modes: those it must have, then those it may have.
fn command_attributes() -> [(&'static str, Value); 10] {
    [
        ("specversion", json!({ "type": "string", "const": "1.0" })),
        (
            "id",
            json!({ "type": "string", "format": "uuid", "description": "The command's id, made by the sender and kept until the result is there. With \
                the client's name it is the idempotency key: the same id with the same type, subject and data gives the same result again." }),
        ),
        (
            "type",
            json!({ "type": "string", "pattern": "^caseledger\\.[A-Za-z0-9]+\\.v1$", "description": "`caseledger.<Command>.v1`." }),
        ),
        (
            "source",
            json!({ "type": "string", "description": "The sender, `/clients/<client>`. Who it was is told by the subject, not by this.", "examples": ["/clients/website"] }),
        ),
        (
            "subject",
            json!({ "type": "string", "format": "uuid", "description": "The id of the case or customer that the command is for. Absent where it makes a new one." }),
        ),
        (
            "time",
            json!({ "type": "string", "format": "date-time", "description": "When the sender made the command." }),
        ),
        (
            "dataschema",
            json!({ "type": "string", "format": "uri", "description": "The `$id` of the data's schema." }),
        ),
        (
            "correlationid",
            json!({ "type": "string", "minLength": 1, "maxLength": 100, "description": "What the command belongs to; otherwise its own id." }),
        ),
        (
            "causationid",
            json!({ "type": "string", "minLength": 1, "maxLength": 100, "description": "What caused the command; otherwise its own id." }),
        ),
        (
            "traceparent",
            json!({ "type": "string", "pattern": TRACEPARENT, "description": "W3C Trace Context." }),
        ),
    ]
}

fn command_envelope() -> Value {
    let mut properties = Map::from_iter(command_attributes().map(|(name, schema)| (name.to_owned(), schema)));
    properties.insert(
        "datacontenttype".to_owned(),
        json!({ "type": "string", "const": "application/json" }),
    );
    properties.insert("data".to_owned(), json!({ "type": "object" }));
    json!({
        "type": "object",
        "description": "A command: a CloudEvents 1.0 event in JSON, of at most 262144 bytes.",
        "properties": properties,
        "required": ["specversion", "id", "type", "source", "data"],
    })
}

fn binary_headers() -> Value {
    let mut properties = Map::from_iter(command_attributes().map(|(name, schema)| (format!("ce-{name}"), schema)));
    properties.insert("Caseledger-Repeated".to_owned(), repeated());
    json!({
        "type": "object",
        "description": "NATS headers of a command in binary mode.",
        "properties": properties,
        "required": ["ce-specversion", "ce-id", "ce-type", "ce-source"],
    })
}

fn feed_envelope() -> Value {
    json!({
        "type": "object",
        "description": "A message of a contractor's feed: a CloudEvents 1.0 event in JSON.",
        "properties": {
            "specversion": { "type": "string", "const": "1.0" },
            "id": { "type": "string", "format": "uuid", "description": "The id of the event that it follows from; what is sealed is bound to it." },
            "type": { "type": "string", "description": "`caseledger.feed.<Message>.v1`." },
            "source": { "type": "string", "const": "/caseledger" },
            "subject": { "type": "string", "format": "uuid", "description": "The case's id." },
            "time": { "type": "string", "format": "date-time", "description": "When the event was recorded." },
            "datacontenttype": { "type": "string", "const": "application/json" },
            "dataschema": { "type": "string", "format": "uri", "description": "The `$id` of the data's schema." },
            "data": { "type": "object" },
        },
        "required": ["specversion", "id", "type", "source", "subject", "time", "datacontenttype", "dataschema", "data"],
    })
}

fn event_envelope() -> Value {
    let position = |description: &str| json!({ "type": "string", "pattern": COUNT, "description": description });
    json!({
        "type": "object",
        "description": "An event: a CloudEvents 1.0 event in JSON.",
        "properties": {
            "specversion": { "type": "string", "const": "1.0" },
            "id": { "type": "string", "format": "uuid", "description": "The event's id (UUIDv7)." },
            "type": { "type": "string", "description": "`caseledger.<aggregate>.<Event>.v<version>`." },
            "source": { "type": "string", "const": "/caseledger" },
            "subject": { "type": "string", "format": "uuid", "description": "The id of the case or customer that it happened to." },
            "time": { "type": "string", "format": "date-time", "description": "When it was recorded." },
            "datacontenttype": { "type": "string", "const": "application/json" },
            "dataschema": { "type": "string", "format": "uri", "description": "The `$id` of the data's schema." },
            "position": position("Its place in the log, from 1, without gaps."),
            "service": { "type": "string", "description": "The service that it belongs to." },
            "serviceposition": position("Its place among its service's events, from 1, without gaps."),
            "streamsequence": position("Its place among the events of its case or customer, from 1, without gaps."),
            "commandid": { "type": "string", "format": "uuid", "description": "The command that brought it about." },
            "occurredat": { "type": "string", "format": "date-time", "description": "When it happened." },
            "correlationid": { "type": "string", "description": "What the command belonged to." },
            "causationid": { "type": "string", "description": "What caused the command, or the command." },
            "traceparent": { "type": "string", "pattern": TRACEPARENT, "description": "W3C Trace Context, where the command had one." },
            "metadata": {
                "type": "string",
                "contentMediaType": "application/json",
                "description": "The stored metadata, to the byte: a flat object of strings that says who acted, for whom, over which channel.",
            },
            "data": { "type": "object", "description": "The stored payload, to the byte." },
        },
        "required": [
            "specversion", "id", "type", "source", "subject", "time", "datacontenttype", "dataschema", "position", "service", "serviceposition",
            "streamsequence", "commandid", "occurredat", "correlationid", "causationid", "metadata", "data",
        ],
    })
}

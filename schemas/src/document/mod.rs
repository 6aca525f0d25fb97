//! The written contract: the files under `schemas/` that people and programs without Rust read, made from the types.
//!
//! [`documents`] gives every file of this crate's types whole; a test compares them with what is in the repository. The
//! catalogue's comes from its own crate, by [`document_of`]. The descriptions are the types' doc comments, so those are
//! written for outsiders.

mod asyncapi;
mod yaml;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::command::{AggregateKind, Circumstances, CommandBody};
use crate::envelope::SCHEMAS_URL;
use crate::event::{CaseEvent, CustomerEvent, EntitlementEvent, RoundEvent};
use crate::feed::{JobContent, JobMessage};
use crate::query::{
    CaseAnswer, CaseQuery, EntitlementAnswer, EntitlementQuery, ReplayAnswer, ReplayRequest, ResultQuery, SlotsAnswer,
    SlotsQuery,
};
use crate::result::CommandResult;

/// JSON Schema's version, as `$schema` names it.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// One file of the written contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Where it stands, relative to the folder `schemas/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// Every file that is made from the types. The same types give the same bytes.
#[must_use]
pub fn documents() -> Vec<Document> {
    let commands = CommandBody::NAMES.iter().filter_map(|name| command(name));
    let events = event_names().filter_map(|(aggregate, name)| event(aggregate, name));
    let replies = [
        message::<CommandResult>("result.json", "CommandResult", Contract::Written),
        message::<ResultQuery>("queries/Result.v1.json", "Result", Contract::Read),
        message::<CaseQuery>("queries/Case.v1.json", "Case", Contract::Read),
        message::<CaseAnswer>("queries/CaseAnswer.v1.json", "CaseAnswer", Contract::Written),
        message::<EntitlementQuery>("queries/Entitlement.v1.json", "Entitlement", Contract::Read),
        message::<EntitlementAnswer>(
            "queries/EntitlementAnswer.v1.json",
            "EntitlementAnswer",
            Contract::Written,
        ),
        message::<SlotsQuery>("queries/Slots.v1.json", "Slots", Contract::Read),
        message::<SlotsAnswer>("queries/SlotsAnswer.v1.json", "SlotsAnswer", Contract::Written),
        message::<ReplayRequest>("queries/Replay.v1.json", "Replay", Contract::Read),
        message::<ReplayAnswer>("queries/ReplayAnswer.v1.json", "ReplayAnswer", Contract::Written),
        message::<JobMessage>("feed/JobMessage.v1.json", "JobMessage", Contract::Written),
        message::<JobContent>("feed/JobContent.v1.json", "JobContent", Contract::Written),
    ];
    let bus = Document {
        path: "asyncapi.yaml".to_owned(),
        text: yaml::write(&asyncapi::document()),
    };
    commands.chain(events).chain(replies).chain([bus]).collect()
}

/// Every event, with its aggregate's name.
fn event_names() -> impl Iterator<Item = (&'static str, &'static str)> {
    let customer = CustomerEvent::NAMES
        .iter()
        .map(|name| (CustomerEvent::AGGREGATE, *name));
    let case = CaseEvent::NAMES.iter().map(|name| (CaseEvent::AGGREGATE, *name));
    let round = RoundEvent::NAMES.iter().map(|name| (RoundEvent::AGGREGATE, *name));
    let entitlement = EntitlementEvent::NAMES
        .iter()
        .map(|name| (EntitlementEvent::AGGREGATE, *name));
    customer.chain(case).chain(round).chain(entitlement)
}

/// Which side of a message a schema describes.
#[derive(Clone, Copy)]
enum Contract {
    /// What we read: a sender may leave out what has a default, and personal values are open.
    Read,
    /// What we write: personal values are sealed.
    Written,
}

impl Contract {
    /// Each file stands by itself: what a field is made of is written where the field is.
    fn generator(self) -> SchemaGenerator {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        match self {
            Self::Read => settings.for_deserialize(),
            Self::Written => settings.for_serialize(),
        }
        .into_generator()
    }
}

/// A command's own fields and its circumstances, as the one object that a sender writes.
fn command(name: &str) -> Option<Document> {
    let mut generator = Contract::Read.generator();
    let mut own = CommandBody::schema_of(name, &mut generator)?;
    let common = Circumstances::json_schema(&mut generator);
    for keyword in ["properties", "required"] {
        merge(&mut own, &common, keyword);
    }
    let address = match (CommandBody::creates_of(name)?, CommandBody::aggregate_of(name)?) {
        (true, AggregateKind::Customer) => "It makes a new customer: the envelope has no `subject`.",
        (true, AggregateKind::Case) => "It makes a new case: the envelope has no `subject`.",
        (false, AggregateKind::Customer) => "The envelope's `subject` is the customer's id.",
        (false, AggregateKind::Case) => "The envelope's `subject` is the case's id.",
        (true, AggregateKind::Entitlement) => "It makes a new entitlement: the envelope has no `subject`.",
        (false, AggregateKind::Entitlement) => "The envelope's `subject` is the entitlement's id.",
        (_, AggregateKind::Round) => "The envelope has no `subject`: contractor, round and day say which stream it is.",
    };
    describe(
        &mut own,
        &format!("The data of a command of type `caseledger.{name}.v1`. {address}"),
    );
    Some(file(&format!("commands/{name}.v1.json"), name, own))
}

/// An event's payload. Other members may be added to a version: who reads it ignores what it does not know.
fn event(aggregate: &str, name: &str) -> Option<Document> {
    let mut generator = Contract::Written.generator();
    let own = match aggregate {
        CustomerEvent::AGGREGATE => CustomerEvent::schema_of(name, &mut generator),
        RoundEvent::AGGREGATE => RoundEvent::schema_of(name, &mut generator),
        EntitlementEvent::AGGREGATE => EntitlementEvent::schema_of(name, &mut generator),
        _ => CaseEvent::schema_of(name, &mut generator),
    }?;
    let mut schema = Schema::from(Map::from_iter([
        ("type".to_owned(), json!("object")),
        (
            "properties".to_owned(),
            json!({ "event": { "description": "The event's name.", "const": name } }),
        ),
        ("required".to_owned(), json!(["event"])),
    ]));
    for keyword in ["properties", "required"] {
        merge(&mut schema, &own, keyword);
    }
    if let Some(description) = own.get("description") {
        schema.insert("description".to_owned(), description.clone());
    }
    let about = "Personal values are sealed. A reader ignores members that it does not know.";
    describe(
        &mut schema,
        &format!("The data of an event of type `caseledger.{aggregate}.{name}.v1`. {about}"),
    );
    Some(file(&format!("events/{name}.v1.json"), name, schema))
}

/// The schema of something that is read as a `T` of another crate and belongs to the written contract too, such as a service's
/// file of the catalogue. `path` is relative to the folder `schemas/`; `about` stands after the type's own description.
#[must_use]
pub fn document_of<T: JsonSchema>(path: &str, title: &str, about: &str) -> Document {
    let mut schema = T::json_schema(&mut Contract::Read.generator());
    describe(&mut schema, about);
    file(path, title, schema)
}

fn message<T: JsonSchema>(path: &str, title: &str, contract: Contract) -> Document {
    file(path, title, T::json_schema(&mut contract.generator()))
}

/// Adds the members or items of `from`'s keyword to those of `into`'s.
fn merge(into: &mut Schema, from: &Schema, keyword: &str) {
    match (into.get_mut(keyword), from.get(keyword)) {
        (Some(Value::Object(into)), Some(Value::Object(from))) => into.extend(from.clone()),
        (Some(Value::Array(into)), Some(Value::Array(from))) => {
            let new: Vec<Value> = from.iter().filter(|item| !into.contains(item)).cloned().collect();
            into.extend(new);
        }
        (None, Some(from)) => {
            into.insert(keyword.to_owned(), from.clone());
        }
        _ => {}
    }
}

/// Puts a sentence after the type's own description.
fn describe(schema: &mut Schema, sentence: &str) {
    let own = schema
        .get("description")
        .and_then(Value::as_str)
        .map(|own| format!("{own}\n\n"));
    schema.insert(
        "description".to_owned(),
        json!(format!("{}{sentence}", own.unwrap_or_default())),
    );
}

/// Writes a schema as a file, its head first.
fn file(path: &str, title: &str, mut schema: Schema) -> Document {
    RecursiveTransform(tidy).transform(&mut schema);
    let mut head = Map::new();
    head.insert("$schema".to_owned(), json!(DIALECT));
    head.insert("$id".to_owned(), json!(format!("{SCHEMAS_URL}/{path}")));
    head.insert("title".to_owned(), json!(title));
    let body = schema.to_value();
    let order = ["description", "type", "properties", "required", "additionalProperties"];
    for key in order {
        if let Some(value) = body.get(key) {
            head.insert(key.to_owned(), value.clone());
        }
    }
    if let Value::Object(body) = body {
        head.extend(
            body.into_iter()
                .filter(|(key, _)| !order.contains(&key.as_str()) && key != "title" && key != "$schema"),
        );
    }
    Document {
        path: path.to_owned(),
        text: format!("{:#}\n", Value::Object(head)),
    }
}

/// Makes a schema read as one written by hand.
fn tidy(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = unwrap_lines(description);
    }
    // "Absent is the same as null": untrue where null removes, and noise elsewhere.
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
    words_as_enum(schema);
}

/// Joins the lines of each paragraph: where a doc comment breaks its lines is our affair.
fn unwrap_lines(text: &str) -> String {
    text.split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// schemars writes documented words as a `oneOf` of constants; most readers look for an `enum`.
fn words_as_enum(schema: &mut Schema) {
    let Some(Value::Array(choices)) = schema.get("oneOf") else {
        return;
    };
    let word = |choice: &Value| {
        Some((
            choice.get("const")?.as_str()?.to_owned(),
            choice.get("description")?.clone(),
        ))
    };
    let Some(words) = choices.iter().map(word).collect::<Option<Vec<_>>>() else {
        return;
    };
    schema.remove("oneOf");
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), words.iter().map(|(word, _)| json!(word)).collect());
    schema.insert(
        "x-enum-descriptions".to_owned(),
        Value::Object(words.into_iter().collect()),
    );
}

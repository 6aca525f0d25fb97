//! One row of another system's export, as the commands that bring it in.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use schemas::command::Channel;
use schemas::moment::{Day, Instant};
use schemas::{AggregateId, ClientName, CommandId};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::mapping::{Ended, Mapping, MappingError};

/// A command on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCommand {
    /// Its name.
    pub name: &'static str,
    /// Its id: the same each time the row is read.
    pub id: CommandId,
    /// The case, for a command to one.
    pub subject: Option<AggregateId>,
    /// Its data.
    pub data: Value,
}

/// A row, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRow {
    /// Its id in the other system.
    pub id: String,
    /// The commands, in order.
    pub commands: Vec<PlannedCommand>,
    /// What was changed so that it could be taken, one sentence each.
    pub adjustments: Vec<String>,
}

/// Reads rows by a mapping.
pub struct RowReader {
    mapping: Mapping,
    zone: TimeZone,
    columns: HashMap<String, usize>,
    client: ClientName,
}

/// A point in time as the source wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SourceTime {
    at: Instant,
    day: Day,
}

impl RowReader {
    /// A reader of rows with these headings, sending as this client.
    ///
    /// # Errors
    /// [`MappingError::TimeZone`] and [`MappingError::Column`].
    pub fn new(mapping: Mapping, headings: &csv::StringRecord, client: ClientName) -> Result<Self, MappingError> {
        let zone = TimeZone::get(&mapping.source.time_zone)
            .map_err(|_| MappingError::TimeZone(mapping.source.time_zone.clone()))?;
        let columns: HashMap<String, usize> = headings
            .iter()
            .enumerate()
            .map(|(place, name)| (name.trim_start_matches('\u{feff}').to_owned(), place))
            .collect();
        if let Some(missing) = mapping.columns().into_iter().find(|name| !columns.contains_key(*name)) {
            return Err(MappingError::Column(missing.to_owned()));
        }
        Ok(Self {
            mapping,
            zone,
            columns,
            client,
        })
    }

    /// The row's id in the other system.
    pub fn id<'r>(&self, record: &'r csv::StringRecord) -> &'r str {
        self.cell(record, &self.mapping.source.id)
    }

    /// The commands that bring a row in.
    ///
    /// # Errors
    /// What can't be taken, as a sentence for the report. It names the column and, where that is a code, the value.
    pub fn plan(&self, record: &csv::StringRecord) -> Result<PlannedRow, String> {
        let id = self.id(record);
        if id.is_empty() {
            return Err(format!("column {} is empty", self.mapping.source.id));
        }
        let mut adjustments = Vec::new();
        let submission = &self.mapping.submission;
        let created = self.time(record, &submission.created)?;
        let submit = self.submit(record, id, created, &mut adjustments)?;
        let case = AggregateId::of_command(&self.client, submit.id);
        let mut commands = vec![submit];
        commands.extend(self.end(record, id, case, created, &mut adjustments)?);
        Ok(PlannedRow {
            id: id.to_owned(),
            commands,
            adjustments,
        })
    }

    fn submit(
        &self,
        record: &csv::StringRecord,
        id: &str,
        created: SourceTime,
        adjustments: &mut Vec<String>,
    ) -> Result<PlannedCommand, String> {
        let submission = &self.mapping.submission;
        let channel_name = self.cell(record, &submission.channel.column);
        let channel = *self.coded(record, &submission.channel)?;
        let mut data = json!({
            "request_type": self.coded(record, &submission.request_type)?,
            "actor": self.actor(channel),
            "channel": channel,
            "channel_detail": channel_name,
            "occurred_at": created.at,
            "received_on": created.day,
            "external_ref": { "system": self.mapping.source.system, "id": id },
        });
        if let Some(column) = &submission.description {
            insert(&mut data, "description", self.cell(record, column));
        }
        let place = self.place(record, adjustments);
        if !place.is_empty() {
            data["place"] = Value::Object(place);
        }
        Ok(PlannedCommand {
            name: "SubmitRequest",
            id: self.command_id(id, "submit"),
            subject: None,
            data,
        })
    }

    /// Who reported it, as far as the channel tells: a crew is the contractor's, everybody else a resident whom nobody knows.
    fn actor(&self, channel: Channel) -> Value {
        match channel {
            Channel::Crew => json!({ "kind": "contractor", "id": self.client }),
            Channel::OfficerFound | Channel::System => json!({ "kind": "system", "id": self.client }),
            _ => json!({ "kind": "resident", "assurance": "none" }),
        }
    }

    fn place(&self, record: &csv::StringRecord, adjustments: &mut Vec<String>) -> Map<String, Value> {
        let columns = &self.mapping.submission.place;
        let cell = |column: &Option<String>| column.as_ref().map_or("", |column| self.cell(record, column));
        let mut place = Map::new();
        for (field, column) in [("description", &columns.description), ("postcode", &columns.postcode)] {
            if !cell(column).is_empty() {
                place.insert(field.to_owned(), cell(column).into());
            }
        }
        let point = (cell(&columns.latitude), cell(&columns.longitude));
        match (point.0.parse::<f64>(), point.1.parse::<f64>()) {
            (Ok(latitude), Ok(longitude)) if latitude.is_finite() && longitude.is_finite() => {
                place.insert("latitude".to_owned(), latitude.into());
                place.insert("longitude".to_owned(), longitude.into());
            }
            _ if point == ("", "") => {}
            _ => adjustments.push("left out the position: it is no pair of numbers".to_owned()),
        }
        place
    }

    fn end(
        &self,
        record: &csv::StringRecord,
        id: &str,
        case: AggregateId,
        created: SourceTime,
        adjustments: &mut Vec<String>,
    ) -> Result<Option<PlannedCommand>, String> {
        let ended = self.coded(record, &self.mapping.ending.status)?;
        if *ended == Ended::Open {
            return Ok(None);
        }
        let mut at = self.time(record, &self.mapping.ending.at)?;
        if at.at < created.at {
            adjustments.push(format!(
                "ended before it was made: taken as ended when made (ended at {}, made at {})",
                at.at, created.at
            ));
            at = created;
        }
        let mut data = json!({
            "actor": { "kind": "system", "id": self.client },
            "channel": "system",
            "occurred_at": at.at,
        });
        let name = match ended {
            Ended::Closed(outcome) => {
                data["outcome"] = json!(outcome);
                data["decided_by"] = json!({ "kind": "not_recorded" });
                "CloseRequest"
            }
            Ended::Cancelled | Ended::Open => "CancelRequest",
        };
        Ok(Some(PlannedCommand {
            name,
            id: self.command_id(id, "end"),
            subject: Some(case),
            data,
        }))
    }

    /// The same id for the same row each time, so that a second import of it does nothing.
    fn command_id(&self, id: &str, step: &str) -> CommandId {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, b"caseledger.import");
        CommandId(Uuid::new_v5(
            &namespace,
            format!("{}/{id}/{step}", self.mapping.source.system).as_bytes(),
        ))
    }

    fn cell<'r>(&self, record: &'r csv::StringRecord, column: &str) -> &'r str {
        self.columns
            .get(column)
            .and_then(|place| record.get(*place))
            .unwrap_or_default()
            .trim()
    }

    fn coded<'m, T>(&self, record: &csv::StringRecord, coded: &'m super::mapping::Coded<T>) -> Result<&'m T, String> {
        let value = self.cell(record, &coded.column);
        let unknown = || format!("column {}: the mapping has no value for {value:?}", coded.column);
        coded.values.get(value).ok_or_else(unknown)
    }

    fn time(&self, record: &csv::StringRecord, column: &str) -> Result<SourceTime, String> {
        let text = self.cell(record, column);
        let parse = |format: &String| jiff::civil::DateTime::strptime(format, text).ok();
        let unreadable = || format!("column {column}: {text:?} is no time of the mapping's forms");
        let local = self
            .mapping
            .source
            .time_formats
            .iter()
            .find_map(parse)
            .ok_or_else(unreadable)?;
        let zoned = local.to_zoned_datetime(self.zone.clone()).map_err(|_| unreadable())?;
        let at =
            OffsetDateTime::from_unix_timestamp_nanos(zoned.timestamp().as_nanosecond()).map_err(|_| unreadable())?;
        let day = local.date().to_string().parse().map_err(|_| unreadable())?;
        Ok(SourceTime {
            at: Instant::new(at),
            day,
        })
    }
}

fn insert(data: &mut Value, field: &str, text: &str) {
    if !text.is_empty() {
        data[field] = text.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"
        [source]
        system = "elsewhere"
        id = "Id"
        time_zone = "America/Los_Angeles"
        time_formats = ["%m/%d/%Y %I:%M:%S %p", "%Y-%m-%d"]
        [submission]
        created = "Created"
        request_type = { column = "Type", values = { "Bulky Items" = "bulky-item" } }
        channel = { column = "Source", values = { "Call" = "phone", "Driver" = "crew" } }
        place = { description = "Address", latitude = "Lat", longitude = "Lon" }
        [ending]
        at = "Closed"
        status = { column = "Status", values = { "Open" = "open", "Cancelled" = "cancelled", "Closed" = { closed = "collected" } } }
    "#;

    fn plan(cells: [&str; 9]) -> Result<PlannedRow, String> {
        let headings = csv::StringRecord::from(vec![
            "Id", "Created", "Type", "Source", "Address", "Lat", "Lon", "Status", "Closed",
        ]);
        let client = ClientName::new("import").unwrap();
        let reader = RowReader::new(toml::from_str(MAPPING).unwrap(), &headings, client).unwrap();
        reader.plan(&csv::StringRecord::from(cells.to_vec()))
    }

    #[test]
    fn a_row_becomes_a_submission_and_an_ending_with_its_own_times() {
        let row = plan([
            "7",
            "01/01/2018 12:00:09 AM",
            "Bulky Items",
            "Call",
            "1 High St",
            "34.0",
            "-118.2",
            "Closed",
            "01/06/2018 10:18:29 AM",
        ]);
        let row = row.unwrap();
        let [submit, close] = row.commands.as_slice() else {
            panic!("{row:?}")
        };
        assert_eq!(submit.data["occurred_at"], "2018-01-01T08:00:09Z");
        assert_eq!(
            submit.data["received_on"], "2018-01-01",
            "the source's day, not London's"
        );
        assert_eq!(submit.data["place"]["longitude"], -118.2);
        assert_eq!(
            (close.name, &close.data["outcome"]),
            ("CloseRequest", &json!("collected"))
        );
        assert_eq!(close.data["decided_by"], json!({ "kind": "not_recorded" }));
        assert_eq!(
            close.subject,
            Some(AggregateId::of_command(&ClientName::new("import").unwrap(), submit.id))
        );
        assert!(row.adjustments.is_empty());
    }

    #[test]
    fn a_row_that_ended_before_it_began_is_adjusted_and_says_so() {
        let row = plan([
            "7",
            "2018-01-02",
            "Bulky Items",
            "Driver",
            "",
            "x",
            "",
            "Cancelled",
            "2018-01-01",
        ])
        .unwrap();
        assert_eq!(row.commands[1].data["occurred_at"], row.commands[0].data["occurred_at"]);
        assert_eq!(row.adjustments.len(), 2, "{:?}", row.adjustments);
        assert_eq!(row.commands[0].data["actor"]["kind"], "contractor");
        assert_eq!(row.commands[0].data.get("place"), None);
    }

    #[test]
    fn what_the_mapping_does_not_know_is_not_guessed() {
        let row = |kind, created, status| plan(["7", created, kind, "Call", "", "", "", status, ""]);
        assert!(
            row("Dragons", "2018-01-02", "Open")
                .unwrap_err()
                .contains("column Type")
        );
        assert!(
            row("Bulky Items", "Tuesday", "Open")
                .unwrap_err()
                .contains("column Created")
        );
        assert!(
            row("Bulky Items", "2018-01-02", "Lost")
                .unwrap_err()
                .contains("column Status")
        );
        assert!(
            row("Bulky Items", "2018-01-02", "Closed")
                .unwrap_err()
                .contains("column Closed")
        );
        assert_eq!(row("Bulky Items", "2018-01-02", "Open").unwrap().commands.len(), 1);
    }

    #[test]
    fn a_row_has_the_same_command_ids_each_time() {
        let row = || {
            plan([
                "7",
                "2018-01-02",
                "Bulky Items",
                "Call",
                "",
                "",
                "",
                "Cancelled",
                "2018-01-03",
            ])
            .unwrap()
        };
        assert_eq!(row(), row());
    }
}

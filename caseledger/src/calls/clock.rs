//! `caseledger clock`.

use std::io::BufRead;
use std::path::Path;

use domain::clock::{self, Answer, ClockEvent, ClockName, ClockRules, When};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::cli::Clock as Call;
use crate::outcome::Failure;
use crate::print;
use crate::registers;

/// Works out clocks.
pub fn run(call: &Call) -> Result<(), Failure> {
    match call {
        Call::Due { holidays, clocks } => due(holidays.as_deref(), clocks.as_deref()),
    }
}

/// The id alone, to the letter: a number may be longer than numbers here.
#[derive(Deserialize)]
struct Identified<'l> {
    #[serde(borrow)]
    id: Option<&'l RawValue>,
}

#[derive(Serialize)]
struct Answered {
    id: Option<Box<RawValue>>,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Serialize)]
struct Unanswered {
    id: Option<Box<RawValue>>,
    error: String,
}

fn due(holidays: Option<&Path>, clocks: Option<&Path>) -> Result<(), Failure> {
    let files = registers::clock_files(holidays, clocks)?;
    let rules = ClockRules {
        policies: &files.policies,
        holidays: &files.holidays,
    };
    let mut all_answered = true;
    for line in std::io::stdin().lock().split(b'\n') {
        let line = line.map_err(|error| Failure::Usage(format!("standard input can't be read: {error}")))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match answer(rules, &line) {
            Ok(answered) => print::json(&answered),
            Err(unanswered) => {
                all_answered = false;
                print::json(&unanswered);
            }
        }
    }
    if all_answered { Ok(()) } else { Err(Failure::No) }
}

fn answer(rules: ClockRules<'_>, line: &[u8]) -> Result<Answered, Unanswered> {
    let asked: Map<String, Value> = serde_json::from_slice(line).map_err(|error| Unanswered {
        id: None,
        error: format!("the line is no JSON object: {error}"),
    })?;
    let identified = serde_json::from_slice::<Identified<'_>>(line).ok();
    let id = identified.and_then(|identified| identified.id).map(ToOwned::to_owned);
    match work_out(rules, &asked) {
        Ok(answer) => Ok(Answered { id, answer }),
        Err(error) => Err(Unanswered { id, error }),
    }
}

fn work_out(rules: ClockRules<'_>, asked: &Map<String, Value>) -> Result<Answer, String> {
    let clock: ClockName = member(asked, "clock")?;
    let started: When = member(asked, "started_on")?;
    let mut events = Vec::new();
    match asked.get("events") {
        None | Some(Value::Null) => {}
        Some(Value::Array(told)) => {
            for (index, event) in told.iter().enumerate() {
                events.push(ClockEvent::deserialize(event).map_err(|error| format!("events[{index}]: {error}"))?);
            }
        }
        Some(_) => return Err("events: expected an array".to_owned()),
    }
    clock::due(rules, clock, started, &events).map_err(|error| error.to_string())
}

fn member<'a, T: Deserialize<'a>>(asked: &'a Map<String, Value>, name: &str) -> Result<T, String> {
    let value = asked.get(name).ok_or_else(|| format!("{name}: it is missing"))?;
    T::deserialize(value).map_err(|error| {
        let error = error.to_string();
        // Some errors name the member themselves.
        if error.starts_with(name) {
            error
        } else {
            format!("{name}: {error}")
        }
    })
}

#[cfg(test)]
mod tests {
    use catalogue::calendar::BankHolidays;
    use catalogue::clocks::ClockPolicies;

    use super::*;

    fn answered(line: &str) -> Value {
        let (policies, holidays) = (ClockPolicies::built_in().unwrap(), BankHolidays::built_in().unwrap());
        let rules = ClockRules {
            policies: &policies,
            holidays: &holidays,
        };
        match answer(rules, line.as_bytes()) {
            Ok(answered) => serde_json::to_value(answered).unwrap(),
            Err(unanswered) => serde_json::to_value(unanswered).unwrap(),
        }
    }

    #[test]
    fn a_line_is_answered_with_its_id() {
        let answer = answered(r#"{"id": "a", "clock": "foi", "started_on": "2026-04-01", "events": []}"#);
        assert_eq!((&answer["id"], &answer["due"]), (&"a".into(), &"2026-05-01".into()));
        assert!(answer["explanation"].as_array().unwrap().len() > 2, "{answer}");
        let long = r#"{"id": 12345678901234567890123, "clock": "death", "started_on": "2026-04-01"}"#;
        let (policies, holidays) = (ClockPolicies::built_in().unwrap(), BankHolidays::built_in().unwrap());
        let rules = ClockRules {
            policies: &policies,
            holidays: &holidays,
        };
        let to_the_letter = super::answer(rules, long.as_bytes())
            .ok()
            .map(|answered| serde_json::to_string(&answered).unwrap());
        let to_the_letter = to_the_letter.unwrap();
        assert!(
            to_the_letter.starts_with(r#"{"id":12345678901234567890123,"#),
            "{to_the_letter}"
        );
        let answer = answered(r#"{"id": 7, "clock": "death", "started_on": "2026-04-01"}"#);
        assert_eq!((&answer["id"], &answer["due"]), (&7.into(), &"SUSPENDED".into()));
    }

    #[test]
    fn a_line_that_can_t_be_answered_says_what_is_wrong() {
        for (line, wrong) in [
            ("[1", "the line is no JSON object"),
            (r#"{"id": "a", "started_on": "2026-04-01"}"#, "clock: it is missing"),
            (
                r#"{"id": "a", "clock": "foe", "started_on": "2026-04-01"}"#,
                "clock: there is no clock foe",
            ),
            (r#"{"id": "a", "clock": "foi"}"#, "started_on: it is missing"),
            (
                r#"{"id": "a", "clock": "foi", "started_on": "2026-02-30"}"#,
                "started_on: expected a day that exists",
            ),
            (
                r#"{"id": "a", "clock": "foi", "started_on": "2026-04-01", "events": {}}"#,
                "events: expected an array",
            ),
            (
                r#"{"id": "a", "clock": "foi", "started_on": "2026-04-01", "events": [{"type": "gone", "on": "2026-04-02"}]}"#,
                "events[0]: unknown variant `gone`",
            ),
            (
                r#"{"id": "a", "clock": "foi", "started_on": "2028-12-20"}"#,
                "bring the file of bank holidays up to date",
            ),
        ] {
            let answer = answered(line);
            assert!(answer["error"].as_str().unwrap().contains(wrong), "{answer}");
            assert!(answer.get("due").is_none());
        }
    }
}

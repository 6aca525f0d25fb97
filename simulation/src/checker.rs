//! The check at the end of a run: everything that was asked and answered, against what the log, the streams and the view hold.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use event_store::{Receipt, ReceiptStatus, StoredEvent};
use schemas::result::{Accepted, CommandResult, CommandStatus};
use schemas::{ClientName, CommandId};

use crate::council::Council;
use crate::view::Rows;
use crate::witness::{Asked, Invariant, Sent};

type Receipts = BTreeMap<(ClientName, CommandId), Receipt>;

/// The place of a command in its group, its answer, and when it was sent and answered.
type InGroup<'a> = (u64, &'a Accepted, [Duration; 2]);

/// Checks a run that has come to rest; each finding goes to the witness.
pub(crate) fn check(council: &Council) {
    let checker = Checker {
        asked: council.nats.witness.asked(),
        events: council.log.events(),
        receipts: council.log.tables().receipts.clone(),
        council,
    };
    checker.answers();
    checker.receipts();
    checker.order_of_answers();
    checker.order_of_groups();
    checker.stale_refusals();
    checker.whole();
    checker.view();
    checker.stream();
    checker.refusals();
    checker.erased();
}

/// Whether the stream and the view are at the end of the log.
pub(crate) fn is_caught_up(council: &Council) -> bool {
    let head = council.log.tables().head().position.0;
    let stream = i64::try_from(council.nats.event_stream().len());
    stream == Ok(head) && council.view.read().position == head
}

struct Checker<'c> {
    council: &'c Council,
    asked: Vec<Asked>,
    events: Vec<StoredEvent>,
    receipts: Receipts,
}

impl Checker<'_> {
    fn broken(&self, invariant: Invariant, what: String) {
        self.council.nats.witness.broken(&self.council.world, invariant, what);
    }

    fn receipt(&self, asked: &Asked) -> Option<&Receipt> {
        self.receipts.get(&(asked.client.clone(), asked.id))
    }

    /// Each answer says what is recorded, and each sender has one.
    fn answers(&self) {
        for asked in &self.asked {
            let (name, id, client) = (&asked.name, asked.id, &asked.client);
            if asked.answers.is_empty() {
                let what = format!("{name} {id} of {client} was never answered");
                self.broken(Invariant::Recovers, what);
            }
            for (_, result) in &asked.answers {
                if let Some(what) = self.contradiction(asked, result) {
                    let what = format!("{name} {id} of {client}: {what}");
                    self.broken(Invariant::AnsweredIsRecorded, what);
                }
            }
            let mut accepted = asked.answers.iter().filter_map(|(_, result)| accepted(result));
            if let Some(first) = accepted.next()
                && let Some(other) = accepted.find(|other| *other != first)
            {
                let what = format!(
                    "{name} {id} of {client} was answered as position {}, and again as {}",
                    first.position, other.position
                );
                self.broken(Invariant::AnsweredIsRecorded, what);
            }
        }
    }

    /// What an answer says that is not so.
    fn contradiction(&self, asked: &Asked, result: &CommandResult) -> Option<String> {
        if result.command_id != asked.id {
            return Some(format!("was answered as {}", result.command_id));
        }
        let receipt = self.receipt(asked);
        match &result.status {
            CommandStatus::Unavailable => Some("was answered as unavailable for good".to_owned()),
            CommandStatus::Rejected { problem } if asked.sent == Sent::Reused => {
                (problem.code() != "id_reused").then(|| format!("with other content was refused as {}", problem.code()))
            }
            CommandStatus::Accepted(_) if asked.sent == Sent::Reused => {
                Some("with other content was accepted".to_owned())
            }
            CommandStatus::Accepted(answer) => {
                let Some(receipt) = receipt else {
                    return Some(format!(
                        "was accepted at position {}, and is not recorded",
                        answer.position
                    ));
                };
                let same = receipt.status == ReceiptStatus::Accepted
                    && receipt.position == answer.position
                    && receipt.version == answer.version
                    && receipt.aggregate_id == answer.aggregate_id
                    && receipt.reference == answer.reference
                    && receipt.event_ids == answer.events;
                (!same).then(|| {
                    format!(
                        "was accepted at position {}, and is recorded otherwise",
                        answer.position
                    )
                })
            }
            CommandStatus::Rejected { problem } => {
                let durable = matches!(asked.sent, Sent::Durable | Sent::InOrder(..));
                let recorded = receipt.map(|receipt| &receipt.status);
                match recorded {
                    Some(ReceiptStatus::Rejected { problem: text }) => {
                        let same =
                            serde_json::from_str(text).is_ok_and(|recorded: schemas::Problem| recorded == *problem);
                        (!same).then(|| "was refused otherwise than is recorded".to_owned())
                    }
                    None if durable => Some(format!("was refused as {}, and that is not recorded", problem.code())),
                    Some(ReceiptStatus::Accepted) => Some("was refused, and is recorded as accepted".to_owned()),
                    None => None,
                }
            }
        }
    }

    /// Each receipt has its events, all of them, once, and each event its receipt.
    fn receipts(&self) {
        let mut claimed = BTreeSet::new();
        for receipt in self.receipts.values() {
            let last = usize::try_from(receipt.position.0).unwrap_or(0);
            let first = last.saturating_sub(receipt.event_ids.len());
            let own = self.events.get(first..last).unwrap_or_default();
            let ids: Vec<_> = own.iter().map(|event| event.event_id).collect();
            let theirs = |event: &StoredEvent| event.command_id == receipt.command_id && event.client == receipt.client;
            if ids != receipt.event_ids || !own.iter().all(theirs) {
                let what = format!(
                    "{} is recorded at position {last} without its events",
                    receipt.command_id
                );
                self.broken(Invariant::AnsweredIsRecorded, what);
            }
            claimed.extend(ids);
        }
        for event in self.events.iter().filter(|event| !claimed.contains(&event.event_id)) {
            let what = format!("position {} belongs to no recorded command", event.position);
            self.broken(Invariant::UnansweredAtMostOnce, what);
        }
        let mut seen = BTreeSet::new();
        for event in self.events.iter().filter(|event| !seen.insert(event.event_id)) {
            let what = format!("the event at position {} is in the log twice", event.position);
            self.broken(Invariant::UnansweredAtMostOnce, what);
        }
    }

    /// What was answered before another was sent comes before it.
    fn order_of_answers(&self) {
        let recorded = |asked: &Asked| {
            let answer = asked.answers.first()?;
            let accepted = accepted(&answer.1)?;
            (!accepted.events.is_empty()).then_some((answer.0, accepted.position, asked.sent_at, asked.id))
        };
        let commands: Vec<_> = self.asked.iter().filter_map(recorded).collect();
        for (answered_at, earlier, _, one) in &commands {
            for (_, later, sent_at, other) in &commands {
                if answered_at < sent_at && earlier >= later {
                    let what = format!(
                        "{one} was answered at position {earlier} before {other} was sent, which is at position {later}"
                    );
                    self.broken(Invariant::OneOrder, what);
                }
            }
        }
    }

    /// Durable commands of one client to one case are handled in the order sent, unless NATS lost them meanwhile.
    fn order_of_groups(&self) {
        let mut groups: BTreeMap<u64, Vec<InGroup<'_>>> = BTreeMap::new();
        for asked in &self.asked {
            if let (Sent::InOrder(group, nth), Some((at, result))) = (asked.sent, asked.answers.first())
                && let Some(answer) = accepted(result)
            {
                let sent = (nth, answer, [asked.sent_at, *at]);
                groups.entry(group).or_default().push(sent);
            }
        }
        for (group, mut sent) in groups {
            sent.sort_by_key(|(nth, ..)| *nth);
            let from = sent.iter().map(|(.., [from, _])| *from).min().unwrap_or_default();
            let to = sent.iter().map(|(.., [_, to])| *to).max().unwrap_or_default();
            let held = !self.council.nats.witness.were_commands_wiped(from, to);
            if held && !sent.is_sorted_by_key(|(_, answer, _)| answer.position) {
                let positions: Vec<_> = sent.iter().map(|(_, answer, _)| answer.position.0).collect();
                let what =
                    format!("durable commands of group {group} were sent in order and recorded as {positions:?}");
                self.broken(Invariant::OneOrder, what);
            }
        }
    }

    /// Nobody is refused because a case is closed, or is not, unless it was so at some moment between question and answer.
    fn stale_refusals(&self) {
        for asked in &self.asked {
            let Some((answered_at, result)) = asked.answers.first() else {
                continue;
            };
            let code = match &result.status {
                CommandStatus::Rejected { problem } => problem.code(),
                _ => continue,
            };
            let (Some(case), Some(closed)) = (asked.subject, closed_by(code)) else {
                continue;
            };
            let turns = self.events.iter().filter(|event| event.aggregate_id == case);
            let turns = turns.filter_map(|event| match event.event_type.as_str() {
                "RequestClosed" => Some((event.recorded_at, true)),
                "RequestReopened" => Some((event.recorded_at, false)),
                _ => None,
            });
            let (from, to) = (
                self.council.world.at(asked.sent_at),
                self.council.world.at(*answered_at),
            );
            let (mut before, mut was) = (false, false);
            for (at, turned) in turns {
                match at {
                    at if at <= from => before = turned,
                    at if at <= to => was |= turned == closed,
                    _ => {}
                }
            }
            if before != closed && !was {
                let what = format!(
                    "{} {} was refused as {code}, and the case did not stand so since it was sent",
                    asked.name, asked.id
                );
                self.broken(Invariant::OneOrder, what);
            }
        }
    }

    /// No position, service position or sequence is missing, and time does not run back.
    fn whole(&self) {
        let mut streams = BTreeMap::new();
        let mut services = BTreeMap::new();
        for (event, position) in self.events.iter().zip(1..) {
            let sequence = streams.entry(event.aggregate_id).or_insert(0);
            *sequence += 1;
            let of_service = services.entry(event.service.clone()).or_insert(0);
            *of_service += 1;
            let whole = event.position.0 == position
                && event.sequence.0 == *sequence
                && event.service_position.0 == *of_service;
            if !whole {
                self.broken(
                    Invariant::OneOrder,
                    format!("a hole before position {}", event.position),
                );
            }
        }
        if !self.events.is_sorted_by_key(|event| event.recorded_at) {
            self.broken(Invariant::OneOrder, "time runs back along the log".to_owned());
        }
    }

    fn view(&self) {
        let (view, rebuilt) = (self.council.view.read(), Rows::of(&self.events));
        if view != rebuilt {
            let differs = |stream: &&_| view.streams.get(*stream) != rebuilt.streams.get(*stream);
            let streams: Vec<_> = rebuilt.streams.keys().filter(differs).collect();
            let what = format!(
                "the view at position {} is not its rebuild at {}: streams {streams:?}",
                view.position, rebuilt.position
            );
            self.broken(Invariant::ViewsEqualRebuild, what);
        }
    }

    fn stream(&self) {
        let held = self.council.nats.event_stream();
        let bodies: Vec<_> = held.into_iter().map(|(_, message)| message.body).collect();
        let published = |event| command_service::published(event).map(|published| published.body);
        let log: Result<Vec<_>, _> = self.events.iter().map(published).collect();
        let Ok(log) = log else {
            return self.broken(Invariant::StreamHoldsTheLog, "the log can't be published".to_owned());
        };
        if bodies != log {
            let same = bodies
                .iter()
                .zip(&log)
                .take_while(|(held, logged)| held == logged)
                .count();
            let what = format!(
                "the event stream holds {} events, the log {}; they differ after position {same}",
                bodies.len(),
                log.len()
            );
            self.broken(Invariant::StreamHoldsTheLog, what);
        }
    }

    /// What could not be read was answered so, and put aside where it was durable.
    fn refusals(&self) {
        let letters: BTreeSet<_> = self
            .council
            .nats
            .dead_letters()
            .into_iter()
            .map(|letter| letter.digest)
            .collect();
        for asked in &self.asked {
            let unreadable = matches!(asked.sent, Sent::Unreadable | Sent::UnreadableCall);
            let refused = |result: &CommandResult| matches!(result.status, CommandStatus::Rejected { .. });
            if unreadable && !asked.answers.iter().all(|(_, result)| refused(result)) {
                let what = format!("{} can't be read, and was not refused", asked.id);
                self.broken(Invariant::RefusedIsFindable, what);
            }
            if asked.sent == Sent::Unreadable && !letters.contains(&bus::digest(&asked.body)) {
                let what = format!("{} can't be read, and is not among the dead letters", asked.id);
                self.broken(Invariant::RefusedIsFindable, what);
            }
        }
    }

    fn erased(&self) {
        let tables = self.council.log.tables();
        let keys = &tables.keys;
        let left = (keys.keys.values())
            .filter(|row| {
                let erased = |person: &schemas::CustomerId| keys.erased.contains(person);
                row.owner.as_ref().is_some_and(erased) || row.key.person.as_ref().is_some_and(erased)
            })
            .count();
        drop(tables);
        if left > 0 {
            let what = format!("{left} keys of erased people are there");
            self.broken(Invariant::ErasedStaysErased, what);
        }
    }
}

/// Whether a case is closed that refuses with this code.
fn closed_by(code: &str) -> Option<bool> {
    match code {
        "case_closed" | "already_closed" => Some(true),
        "not_closed" => Some(false),
        _ => None,
    }
}

fn accepted(result: &CommandResult) -> Option<&Accepted> {
    match &result.status {
        CommandStatus::Accepted(accepted) => Some(accepted),
        _ => None,
    }
}

#[cfg(test)]
mod tests;

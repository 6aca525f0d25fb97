//! The explanation, sentence by sentence.

use catalogue::calendar::Counted;
use catalogue::london::day_in_words;
use schemas::moment::Day;

use super::{Answer, Due};

/// What has been told so far.
#[derive(Debug, Default)]
pub(super) struct Story(Vec<String>);

impl Story {
    pub(super) fn tell(&mut self, sentence: impl Into<String>) {
        self.0.push(sentence.into());
    }

    /// Tells which working day is the first, and which bank holidays lie between it and the last.
    pub(super) fn tell_count(&mut self, counted: &Counted) {
        let first = day_in_words(counted.first);
        let holidays: Vec<String> = counted
            .holidays
            .iter()
            .map(|(day, name)| format!("{} ({name})", day_in_words(*day)))
            .collect();
        self.tell(match &holidays[..] {
            [] => format!("Day 1 is {first}; weekends do not count, and no bank holiday lies on the way."),
            [one] => format!("Day 1 is {first}; weekends do not count, nor does {one}, a bank holiday."),
            [others @ .., last] => format!(
                "Day 1 is {first}; weekends do not count, nor do {} and {last}, which are bank holidays.",
                others.join(", ")
            ),
        });
    }

    /// Tells of something that happened too late, or out of place, to have an effect.
    pub(super) fn tell_of_no_effect(&mut self, what: &str, on: Day, why: &str) {
        self.tell(format!("{what} on {} changes nothing: {why}.", day_in_words(on)));
    }

    pub(super) fn ends(mut self, due: Due, sentence: impl Into<String>) -> Answer {
        self.tell(sentence);
        Answer {
            due,
            explanation: self.0,
        }
    }
}

//! Answers to a request type's own questions: are they what was asked for, and what protection do they need?

use schemas::moment::Day;
use schemas::personal::{AnswerValue, Answers};
use schemas::{Answer, Category, FieldError, RoundName};

use crate::question::{Question, QuestionKind, Sensitivity};
use crate::service::RequestType;

impl RequestType {
    /// What is wrong with these answers; nothing, where the list is empty. `complete` asks for every required one too, as the
    /// opening of a case does. A sealed answer counts as given; its form was checked before it was sealed.
    ///
    /// Pointers are `/answers/<question>`; no fault quotes an answer.
    #[must_use]
    pub fn check_answers(&self, answers: &Answers, complete: bool) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (id, answer) in answers {
            let fault = match (self.question(id), answer) {
                (None, _) => Some(("unknown_question", "this request type has no such question".to_owned())),
                (Some(_), Answer::Sealed(_)) => None,
                (Some(question), Answer::Given(value, _) | Answer::Open(value)) => question.fault(value),
            };
            faults.extend(fault.map(|(code, message)| FieldError::new(format!("/answers/{id}"), code, message)));
        }
        if complete {
            let missing = self
                .questions
                .iter()
                .filter(|question| question.required && !answers.contains_key(&question.id));
            faults.extend(missing.map(|question| {
                FieldError::new(
                    format!("/answers/{}", question.id),
                    "missing_answer",
                    format!("answer the question: {}", question.label),
                )
            }));
        }
        faults
    }

    /// Marks answers as the catalogue says: opens those to `open` questions, gives the others their category. An answer to an
    /// unknown question, which [`Self::check_answers`] refuses, gets the stricter category.
    pub fn mark_answers(&self, answers: &mut Answers) {
        for (id, answer) in answers {
            let sensitivity = self
                .question(id)
                .map_or(Sensitivity::SpecialCategory, |question| question.sensitivity);
            if let Answer::Given(value, category) = answer {
                match sensitivity {
                    Sensitivity::Open => *answer = Answer::Open(value.clone()),
                    Sensitivity::Personal => *category = Category::Personal,
                    Sensitivity::SpecialCategory => *category = Category::SpecialCategory,
                }
            }
        }
    }
}

type Fault = (&'static str, String);

impl Question {
    fn fault(&self, value: &AnswerValue) -> Option<Fault> {
        let wrong_type = |expected: &str| Some(("wrong_type", format!("expected {expected}")));
        match (self.kind, value) {
            (QuestionKind::Flag, AnswerValue::Flag(_))
            | (QuestionKind::Number, AnswerValue::Number(_))
            | (QuestionKind::Text, AnswerValue::Text(_)) => None,
            (QuestionKind::Date, AnswerValue::Text(text)) => text.as_str().parse::<Day>().err().map(|_| {
                (
                    "invalid_value",
                    "expected a day that exists, written YYYY-MM-DD".to_owned(),
                )
            }),
            (QuestionKind::Code, AnswerValue::Text(text)) => RoundName::new(text.as_str()).err().map(|_| {
                (
                    "invalid_value",
                    format!("expected a code, which matches {}", RoundName::PATTERN),
                )
            }),
            (QuestionKind::Choice, AnswerValue::Text(text)) => self.not_a_choice(std::iter::once(text.as_str())),
            (QuestionKind::Choices, AnswerValue::Choices(chosen)) if chosen.is_empty() => {
                Some(("not_a_choice", self.expected_choices()))
            }
            (QuestionKind::Choices, AnswerValue::Choices(chosen)) => {
                self.not_a_choice(chosen.iter().map(|line| line.as_str()))
            }
            (QuestionKind::Flag, _) => wrong_type("true or false"),
            (QuestionKind::Number, _) => wrong_type("a whole number"),
            (QuestionKind::Text, _) => wrong_type("text"),
            (QuestionKind::Date, _) => wrong_type("a day, written YYYY-MM-DD"),
            (QuestionKind::Code, _) => wrong_type("a code"),
            (QuestionKind::Choice, _) => wrong_type("one of the choices, as text"),
            (QuestionKind::Choices, _) => wrong_type("a list of choices"),
        }
    }

    fn not_a_choice<'a>(&self, mut chosen: impl Iterator<Item = &'a str>) -> Option<Fault> {
        let all_known = chosen.all(|value| self.choices.iter().any(|choice| choice.value == value));
        (!all_known).then(|| ("not_a_choice", self.expected_choices()))
    }

    fn expected_choices(&self) -> String {
        let values: Vec<&str> = self.choices.iter().map(|choice| choice.value.as_str()).collect();
        format!("expected one of {}", values.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use schemas::{QuestionId, RequestTypeCode};
    use serde_json::json;

    use super::*;
    use crate::Catalogue;

    fn faults(code: &str, answers: serde_json::Value, complete: bool) -> Vec<(String, String)> {
        let catalogue = Catalogue::built_in().unwrap();
        let request_type = catalogue.request_type(&RequestTypeCode::new(code).unwrap()).unwrap();
        let answers: Answers = serde_json::from_value(answers).unwrap();
        request_type
            .check_answers(&answers, complete)
            .into_iter()
            .map(|fault| (fault.pointer, fault.code))
            .collect()
    }

    #[test]
    fn good_answers_have_no_faults() {
        let answers = json!({ "bin_type": "refuse", "scheduled_day": "2026-03-02", "whole_street": true });
        assert_eq!(faults("missed-bin", answers, true), []);
    }

    #[test]
    fn every_fault_names_its_question() {
        for (answers, complete, id, code) in [
            (json!({}), true, "bin_type", "missing_answer"),
            (json!({ "colour": "red" }), false, "colour", "unknown_question"),
            (json!({ "bin_type": 3 }), false, "bin_type", "wrong_type"),
            (json!({ "bin_type": "coal" }), false, "bin_type", "not_a_choice"),
            (json!({ "whole_street": "yes" }), false, "whole_street", "wrong_type"),
            (
                json!({ "scheduled_day": "2026-02-30" }),
                false,
                "scheduled_day",
                "invalid_value",
            ),
        ] {
            assert_eq!(
                faults("missed-bin", answers, complete),
                [(format!("/answers/{id}"), code.to_owned())]
            );
        }
        assert_eq!(
            faults("missed-bin", json!({}), false),
            [],
            "a correction need not repeat what is required"
        );
    }

    #[test]
    fn a_list_of_choices_holds_choices_only() {
        assert_eq!(faults("bulky-item", json!({ "items": ["sofa", "table"] }), false), []);
        for wrong in [json!({ "items": [] }), json!({ "items": ["sofa", "elephant"] })] {
            assert_eq!(
                faults("bulky-item", wrong, false),
                [("/answers/items".to_owned(), "not_a_choice".to_owned())]
            );
        }
    }

    #[test]
    fn no_fault_quotes_an_answer() {
        let catalogue = Catalogue::built_in().unwrap();
        let request_type = catalogue
            .request_type(&RequestTypeCode::new("missed-bin").unwrap())
            .unwrap();
        let answers: Answers = serde_json::from_value(json!({ "bin_type": "Ada Lovelace" })).unwrap();
        assert!(!format!("{:?}", request_type.check_answers(&answers, true)).contains("Ada"));
    }

    #[test]
    fn answers_are_opened_or_given_their_category() {
        let catalogue = Catalogue::built_in().unwrap();
        let request_type = catalogue
            .request_type(&RequestTypeCode::new("blue-badge").unwrap())
            .unwrap();
        let mut answers: Answers = serde_json::from_value(
            json!({ "application": "new", "route": "walking", "vehicle_registration": "AB12 CDE" }),
        )
        .unwrap();
        request_type.mark_answers(&mut answers);
        let of = |id: &str| &answers[&QuestionId::new(id).unwrap()];
        assert!(matches!(of("application"), Answer::Open(_)));
        assert!(matches!(of("route"), Answer::Given(_, Category::SpecialCategory)));
        assert!(matches!(
            of("vehicle_registration"),
            Answer::Given(_, Category::Personal)
        ));
    }
}

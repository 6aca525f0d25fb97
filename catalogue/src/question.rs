//! What a request type asks.

use schemars::JsonSchema;
use schemas::QuestionId;
use serde::Deserialize;

/// One of a request type's own questions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id in `answers`.
    pub id: QuestionId,
    /// As people read it.
    pub label: String,
    /// What an answer looks like.
    pub kind: QuestionKind,
    /// What can be chosen; there exactly where the kind is a choice.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// Whether a case can't be opened without it.
    #[serde(default)]
    pub required: bool,
    /// What protection an answer needs.
    pub sensitivity: Sensitivity,
    /// What follows where it is not answered; there exactly where it is not required.
    #[serde(default)]
    #[schemars(with = "String")]
    pub when_absent: Option<String>,
}

impl Question {
    /// Whether this word can be its answer: `true` or `false` of a flag, one of the values of a choice.
    pub(crate) fn can_be(&self, word: &str) -> bool {
        match self.kind {
            QuestionKind::Flag => matches!(word, "true" | "false"),
            QuestionKind::Choice => self.choices.iter().any(|choice| choice.value == word),
            QuestionKind::Number
            | QuestionKind::Text
            | QuestionKind::Date
            | QuestionKind::Code
            | QuestionKind::Choices => false,
        }
    }
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// Yes or no.
    Flag,
    /// A whole number.
    Number,
    /// Words. Never `open`: anything may stand in them.
    Text,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A code that somebody gave out, such as a round's: letters, digits and `_ -`, so that it can be open.
    Code,
    /// One of the choices.
    Choice,
    /// One or more of the choices.
    Choices,
}

/// One thing to choose.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What the answer holds.
    pub value: String,
    /// As people read it.
    pub label: String,
}

/// What protection an answer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// None: it says nothing about a person, and reports may count it.
    Open,
    /// Sealed.
    Personal,
    /// Sealed under the key for special category data.
    SpecialCategory,
}

//! Refusals, as data: RFC 9457 problem details with a list of what is wrong and where.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldError {
    /// Where, as a JSON pointer (RFC 6901) into the command's data; empty for the whole.
    pub pointer: String,
    /// What, as a stable code.
    pub code: String,
    /// What, as a sentence that does not quote personal values.
    pub message: String,
}

impl FieldError {
    /// A fault at `pointer`.
    pub fn new(pointer: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            code: code.into(),
            message: message.into(),
        }
    }
}

/// The most faults that a refusal lists: a person mends a few at a time, and a result must fit into a message.
pub const FAULTS_MAX: usize = 50;

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The message can't be read as a command.
    Malformed,
    /// A field is missing, unknown, of the wrong type or form.
    Invalid,
    /// The sender may not do this.
    Forbidden,
    /// What it speaks of does not exist, or the sender may not know of it.
    NotFound,
    /// The rules do not allow it as things stand.
    NotAllowed,
    /// Another command took its place: an id used again with other content, a version that moved on.
    Conflict,
    /// The body is larger than allowed.
    TooLarge,
}

impl ProblemKind {
    const fn parts(self) -> (&'static str, &'static str, u16) {
        match self {
            Self::Malformed => ("malformed", "The message could not be read", 400),
            Self::Invalid => ("invalid", "The command is not valid", 422),
            Self::Forbidden => ("forbidden", "The sender may not do this", 403),
            Self::NotFound => ("not-found", "There is no such thing", 404),
            Self::NotAllowed => ("not-allowed", "The rules do not allow this", 409),
            Self::Conflict => ("conflict", "The command conflicts with another", 409),
            Self::TooLarge => ("too-large", "The message is too large", 413),
        }
    }
}

/// Why a command was rejected (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// `urn:caseledger:problem:<kind>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status that fits it.
    pub status: u16,
    /// One sentence on this case.
    pub detail: String,
    /// Each thing that is wrong.
    #[serde(default)]
    pub errors: Vec<FieldError>,
}

impl Problem {
    /// A refusal of this kind, for these faults: the first [`FAULTS_MAX`] of them. The first fault's sentence is the detail.
    #[must_use]
    pub fn new(kind: ProblemKind, mut errors: Vec<FieldError>) -> Self {
        errors.truncate(FAULTS_MAX);
        let (slug, title, status) = kind.parts();
        let detail = errors.first().map_or_else(|| title.to_owned(), FieldError::sentence);
        Self {
            kind: format!("urn:caseledger:problem:{slug}"),
            title: title.to_owned(),
            status,
            detail,
            errors,
        }
    }

    /// A refusal for one fault.
    pub fn one(
        kind: ProblemKind,
        pointer: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(kind, vec![FieldError::new(pointer, code, message)])
    }

    /// Whether it is of this kind.
    #[must_use]
    pub fn is(&self, kind: ProblemKind) -> bool {
        self.kind.strip_prefix("urn:caseledger:problem:") == Some(kind.parts().0)
    }

    /// The code of the first fault.
    #[must_use]
    pub fn code(&self) -> &str {
        self.errors.first().map_or("", |error| &error.code)
    }
}

impl FieldError {
    fn sentence(&self) -> String {
        if self.pointer.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.pointer, self.message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_lists_no_more_faults_than_fit_into_an_answer() {
        let fault =
            |number: usize| FieldError::new(format!("/answers/q{number}"), "unknown_question", "no such question");
        let problem = Problem::new(ProblemKind::Invalid, (0..29_000).map(fault).collect());
        assert_eq!(problem.errors.len(), FAULTS_MAX);
        assert_eq!(problem.errors[0].pointer, "/answers/q0");
    }
}

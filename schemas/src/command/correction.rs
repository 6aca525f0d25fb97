//! Commands that mend a mistake in the open: what was wrong and what is right both stay in the history.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{case::seal_answers, seals};
use crate::ids::{CustomerId, RequestTypeCode, Version};
use crate::personal::{Answers, OpenField, SealFieldError, SealFields};
use crate::sealed::Sealed;

/// Makes an open case one of another type of the same service: it was taken down as the wrong one. Its clocks are worked out
/// anew from the day that it was received. The reason is required.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["request_type", "reason"]))]
pub struct ChangeType {
    /// The right type.
    pub request_type: RequestTypeCode,
    /// Answers to its questions, by question. They take the place of those to the other type's.
    #[serde(default)]
    pub answers: Answers,
}

/// Makes a case that of another customer: it was taken down under the wrong one. An officer does. The reason is required.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["customer_id", "reason"]))]
pub struct MoveToCustomer {
    /// Whose case it is.
    pub customer_id: CustomerId,
}

/// Strikes out an entry that should not have been made: a note on the wrong case, a closing by mistake. The case then stands as if
/// it had never been made, its clocks too; the history shows both. The reason is required; where the person was told of the entry (that
/// the case was closed, cancelled or reopened), they are told that it was wrong, in these words.
///
/// What ended a case or took it up again can be struck out while it is the last to have done so. What a case was opened with,
/// what it was changed to, and what was told to somebody can't: correct those by the next command.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["entry", "reason"]))]
pub struct CorrectEntry {
    /// The entry, by its number in the case's history (its event's `streamsequence`).
    pub entry: Version,
}

impl SealFields for ChangeType {
    /// As for `SubmitRequest`.
    fn seal_fields<E>(
        &mut self,
        seal: &mut dyn FnMut(OpenField<'_>) -> Result<Sealed, E>,
    ) -> Result<(), SealFieldError<E>> {
        seal_answers(&mut self.answers, seal)
    }
}
seals!(MoveToCustomer:);
seals!(CorrectEntry:);

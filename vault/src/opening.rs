//! Recording who opens what, and why.

use schemas::{AggregateId, OfficerId};
use time::OffsetDateTime;

use crate::error::VaultError;
use crate::store::Opening;
use crate::vault::Vault;

/// How many characters a reason has at most.
pub const LONGEST_REASON_CHARS: usize = 500;

impl Vault {
    /// Records in `vault.openings`, for good, that an officer is about to open what is sealed in a stream.
    ///
    /// Call it before anything is opened, and open nothing where it fails: so no opening is without its record. There may be
    /// a record without an opening, where the reader failed in between. A service that opens to do its work, as the notifier
    /// does to write to a person, does not call it.
    ///
    /// - `reason`: the ground in the officer's words, one line of 1 to [`LONGEST_REASON_CHARS`] characters. It stands in
    ///   clear and outlives an erasure, so it says the ground and nothing about the person.
    /// - `fields`: how many sealed values are about to be opened
    /// - `at`: the time, by the caller's clock; the database notes its own beside it
    ///
    /// # Errors
    /// [`VaultError::Reason`]: ask the officer again. [`VaultError::Unavailable`]: try again.
    /// [`VaultError::Statement`]: stop.
    pub async fn record_opening(
        &self,
        officer: &OfficerId,
        reason: &str,
        stream: AggregateId,
        fields: usize,
        at: OffsetDateTime,
    ) -> Result<(), VaultError> {
        let reason = one_line(reason).ok_or(VaultError::Reason)?;
        let opening = Opening {
            officer,
            reason,
            stream,
            fields,
            at,
        };
        self.store.record_opening(opening).await
    }
}

/// The reason without blanks around it; none where it is not one line of the right length.
fn one_line(reason: &str) -> Option<&str> {
    let reason = reason.trim();
    let length = reason.chars().count();
    ((1..=LONGEST_REASON_CHARS).contains(&length) && !reason.chars().any(char::is_control)).then_some(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_line_of_a_bounded_length() {
        assert_eq!(
            one_line("  called back about the bin \n"),
            Some("called back about the bin")
        );
        assert_eq!(one_line(&"ü".repeat(500)), Some("ü".repeat(500).as_str()));
        for wrong in ["", " \t ", "two\nlines", "a\u{1b}[2Jb", &"x".repeat(501)] {
            assert_eq!(one_line(wrong), None, "{wrong:?}");
        }
    }
}

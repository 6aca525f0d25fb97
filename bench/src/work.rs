//! The work that everybody does: 10,000 cases with five events each; a command loads a random case, decides, and appends one
//! event of about 300 bytes, durably.

use uuid::Uuid;

/// The cases, where not another number is asked for.
pub const CASES: usize = 10_000;

/// The events that each case has before anything is measured.
pub const PRIOR_EVENTS: usize = 5;

/// The id of a case.
#[must_use]
pub fn case_id(number: usize) -> Uuid {
    // Spread over the index as random ids are, and the same in each run.
    Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_le_bytes())
}

/// What a resident adds to a case.
#[must_use]
pub fn description(number: usize) -> String {
    format!(
        "Case {number}: the hole by the bus stop has grown since last week, and a cyclist fell there this morning. Please look \
         at it before the school term begins; the lollipop lady has put a cone into it, but the wind moves that about."
    )
}

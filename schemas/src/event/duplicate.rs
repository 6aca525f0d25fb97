//! What may have been reported before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::CaseId;
use crate::reference::Reference;

/// A case that another may repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PossibleDuplicate {
    /// Its id.
    pub case_id: CaseId,
    /// What people quote.
    pub reference: Reference,
}

/// Open cases of the same type were found near where this one is. It only suggests: nothing is merged and nothing waits. An officer who
/// sees that it is one links the cases and gives each person their own answer. How far apart they are is not told: distances from
/// several cases would give a sealed place away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DuplicatesSuggested {
    /// The cases, the nearest first; five at most.
    #[schemars(length(min = 1, max = 5))]
    pub cases: Vec<PossibleDuplicate>,
}

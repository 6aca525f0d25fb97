//! What may have been reported before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::command::words;
use crate::ids::CaseId;
use crate::reference::Reference;

words!(
    /// By what two cases were found to be perhaps about the same thing.
    DuplicateFoundBy {
        /// Their places are not further from each other than the catalogue says for the type.
        Near = "near",
        /// They are about the same property.
        SameProperty = "same_property",
    }
);

/// A case that another may repeat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PossibleDuplicate {
    /// Its id.
    pub case_id: CaseId,
    /// What people quote.
    pub reference: Reference,
    /// By what it was found.
    pub found_by: DuplicateFoundBy,
}

/// Open cases of the same type were found where this one is. It only suggests: nothing is merged and nothing waits. An officer who sees
/// that it is one links the cases and gives each person their own answer. How far apart they are is not told: distances from
/// several cases would give a sealed place away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DuplicatesSuggested {
    /// The cases: those of the same property first, then the nearest; five at most.
    #[schemars(length(min = 1, max = 5))]
    pub cases: Vec<PossibleDuplicate>,
}

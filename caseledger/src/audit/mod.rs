//! An auditor's work on the log: checkpoints, verification, exports and proofs. What is true of them is said in the crate `audit`;
//! here are the database, the files and the keys.

pub mod exporting;
pub mod keeping;
pub mod key_file;
pub mod tile_store;
pub mod verifying;
pub mod witness;

/// The file with the key that signs checkpoints.
pub const KEY_SETTING: &str = "CASELEDGER_AUDIT_KEY_FILE";

/// The public key that checkpoints are verified with, where it is not the signing key's own.
pub const PUBLIC_KEY_SETTING: &str = "CASELEDGER_AUDIT_PUBLIC_KEY";

/// The folder of the last checkpoint and of the tree's tiles.
pub const TILES_SETTING: &str = "CASELEDGER_AUDIT_TILES";

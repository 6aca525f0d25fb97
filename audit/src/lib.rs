//! The evidence: what makes a change to the log, by whomever, one that an auditor finds.
//!
//! Each row of the log is a leaf ([`row`]) of a Merkle tree in position order ([`tree`]); the tree's root and size are signed
//! ([`checkpoint`], [`note`]) and kept elsewhere. From then on whoever holds that and the public key can tell whether the log still
//! begins with what it had ([`evidence`]), and that an event is in it without having the others ([`proof`]). [`tiles`] keep the
//! tree itself, so that a position can be named; [`walk`] finds what contradicts itself; [`export`] carries rows and evidence to
//! where there is no database.
//!
//! It performs no I/O, reads no clock and knows no randomness. docs/audit.md says the same to auditors.

pub mod checkpoint;
pub mod evidence;
pub mod export;
pub mod finding;
pub mod note;
pub mod proof;
pub mod row;
pub mod tiles;
pub mod tree;
pub mod walk;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use evidence::Comparison;
pub use finding::{Finding, Findings, Kind, MOST_FINDINGS};
pub use note::{KeyError, KeyName, NoteError, SigningKey, VerifierKey};
pub use proof::{Plan, extends, includes};
pub use row::{HeadRow, Microseconds, NoLeaf, ReceiptRow, Row};
pub use tiles::{TILE_WIDTH, Tile, TileWriter};
pub use tree::{Frontier, Hash, Node};
pub use walk::Walk;

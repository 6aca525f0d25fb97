//! The Merkle tree of RFC 6962, section 2.1, with SHA-256.
//!
//! A tree of N leaves is made of perfect subtrees, one for each bit of N. [`Frontier`] keeps their roots and nothing else, so
//! that a log of any length is walked in the memory of a few dozen hashes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, or of all that is below a node. Written in base64, as checkpoints have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Reads what [`fmt::Display`] wrote.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_base64(&text).ok_or_else(|| serde::de::Error::custom("expected a hash of 32 bytes in base64"))
    }
}

/// The hash of a leaf: SHA-256 of a zero byte and the leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash of a node: SHA-256 of a one byte, the left hash and the right one.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let sum = Sha256::new()
        .chain_update([1])
        .chain_update(left.0)
        .chain_update(right.0);
    Hash(sum.finalize().into())
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// A perfect subtree: that of the 2^`level` leaves from `index` · 2^`level` on, leaves counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// How high it is; 0 is a leaf.
    pub level: u32,
    /// Its place among those of its level, from 0.
    pub index: u64,
}

/// The right edge of a growing tree.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    /// The roots of the perfect subtrees, the largest first.
    peaks: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, by its hash. Every node that is complete with it is told to `complete`, from the leaf up.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Node, &Hash)) {
        let (mut level, mut hash) = (0, leaf);
        complete(
            Node {
                level,
                index: self.size,
            },
            &hash,
        );
        while self.size >> level & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            level += 1;
            complete(
                Node {
                    level,
                    index: self.size >> level,
                },
                &hash,
            );
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// Adds the perfect subtree of the next 2^`level` leaves, by its root. What was added before is as large, or larger.
    pub(crate) fn join(&mut self, level: u32, root: Hash) {
        let (mut at, mut hash) = (level, root);
        while self.size >> at & 1 == 1
            && let Some(left) = self.peaks.pop()
        {
            hash = node_hash(&left, &hash);
            at += 1;
        }
        self.peaks.push(hash);
        self.size += 1 << level;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        folded(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// The root of the perfect subtrees that a tree is made of, the largest first.
pub(crate) fn folded(peaks: &[Hash]) -> Option<Hash> {
    let (last, before) = peaks.split_last()?;
    Some(before.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

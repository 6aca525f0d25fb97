//! Proofs: that a leaf is in a tree, and that one tree is the beginning of another (RFC 6962, sections 2.1.1 and 2.1.2; they are
//! checked as RFC 9162, sections 2.1.3.2 and 2.1.4.2, says).

use crate::tree::{Hash, Node, empty_root, folded, node_hash};

/// Which hashes make up a proof. It is known before the log is read, so that one walk can keep just those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// For each hash of the proof, the perfect subtrees that it is folded from, from left to right.
    parts: Vec<Vec<Node>>,
}

impl Plan {
    /// The proof that the leaf `index` (from 0) is in the tree of the first `size` leaves; none where it can't be.
    #[must_use]
    pub fn of_inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let (mut from, mut to, mut parts) = (0, size, Vec::new());
        while to - from > 1 {
            let middle = from + split(to - from);
            if index < middle {
                parts.push(perfect(middle, to));
                to = middle;
            } else {
                parts.push(perfect(from, middle));
                from = middle;
            }
        }
        parts.reverse();
        Some(Self { parts })
    }

    /// The proof that the tree of the first `earlier` leaves is the beginning of that of the first `later`; none where it can't
    /// be. From an empty tree on, and to the same tree, there is nothing to prove.
    #[must_use]
    pub fn of_consistency(earlier: u64, later: u64) -> Option<Self> {
        if earlier > later {
            return None;
        }
        let (mut from, mut to, mut parts) = (0, later, Vec::new());
        if earlier == 0 {
            return Some(Self { parts });
        }
        while earlier < to {
            let middle = from + split(to - from);
            if earlier <= middle {
                parts.push(perfect(middle, to));
                to = middle;
            } else {
                parts.push(perfect(from, middle));
                from = middle;
            }
        }
        if from > 0 {
            parts.push(perfect(from, to));
        }
        parts.reverse();
        Some(Self { parts })
    }

    /// Every node that it needs.
    pub fn nodes(&self) -> impl Iterator<Item = Node> {
        self.parts.iter().flatten().copied()
    }

    /// The proof, out of the hashes of its nodes; none where one of them is not known.
    #[must_use]
    pub fn fill(&self, known: impl Fn(Node) -> Option<Hash>) -> Option<Vec<Hash>> {
        let part = |nodes: &Vec<Node>| folded(&nodes.iter().map(|node| known(*node)).collect::<Option<Vec<_>>>()?);
        self.parts.iter().map(part).collect()
    }
}

/// Where a tree of more than one leaf parts: the largest power of two below its size.
const fn split(size: u64) -> u64 {
    1 << (63 - (size - 1).leading_zeros())
}

/// The perfect subtrees of the leaves from `from` up to `to`, where `from` is where such a tree may begin.
fn perfect(mut from: u64, to: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    while from < to {
        let level = 63 - (to - from).leading_zeros();
        nodes.push(Node {
            level,
            index: from >> level,
        });
        from += 1 << level;
    }
    nodes
}

/// Whether `proof` shows that the leaf `index` (from 0), by its hash, is in the tree of `size` leaves with this root.
#[must_use]
pub fn includes(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for beside in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(beside, &hash);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `earlier` leaves is the beginning of that of `later`; each with its root.
#[must_use]
pub fn extends(earlier: (u64, &Hash), later: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((size, root), (later_size, later_root)) = (earlier, later);
    if size == 0 || size >= later_size {
        let same = if size == 0 {
            *root == empty_root()
        } else {
            size == later_size && root == later_root
        };
        return same && proof.is_empty();
    }
    let mut beside = proof.iter();
    // A perfect tree is itself the first hash: the proof leaves it out.
    let first = if size.is_power_of_two() {
        Some(root)
    } else {
        beside.next()
    };
    let Some(first) = first else { return false };
    let (mut place, mut last) = (size - 1, later_size - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let (mut of_earlier, mut of_later) = (*first, *first);
    for hash in beside {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            of_earlier = node_hash(hash, &of_earlier);
            of_later = node_hash(hash, &of_later);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            of_later = node_hash(&of_later, hash);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && of_earlier == *root && of_later == *later_root
}

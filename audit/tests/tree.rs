//! The tree and its proofs, against known trees and against a tree that is built the long way.

// Not only the tests themselves but what they share may fail the test.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;

use audit::tree::{empty_root, leaf_hash, node_hash};
use audit::{
    Checkpoint, Comparison, Frontier, Hash, Kind, Node, Plan, TILE_WIDTH, Tile, TileWriter, extends, includes,
};
use proptest::prelude::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digits).collect()
}

fn hash(hex: &str) -> Hash {
    Hash(bytes(hex).try_into().unwrap())
}

/// The leaves and roots that implementations of Certificate Transparency test themselves with (google/certificate-transparency,
/// `merkletree/merkle_tree_test.cc`; transparency-dev/merkle, `testonly`).
const LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// A tree with every node of it, built as it grows.
#[derive(Default)]
struct Whole {
    frontier: Frontier,
    nodes: HashMap<Node, Hash>,
    roots: Vec<Hash>,
}

impl Whole {
    fn of(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self {
            roots: vec![empty_root()],
            ..Self::default()
        };
        for leaf in leaves {
            tree.frontier.push(leaf, |node, hash| {
                assert_eq!(tree.nodes.insert(node, *hash), None, "{node:?} is complete once");
            });
            tree.roots.push(tree.frontier.root());
        }
        tree
    }

    fn prove(&self, plan: &Plan) -> Vec<Hash> {
        plan.fill(|node| self.nodes.get(&node).copied()).unwrap()
    }
}

fn known() -> Whole {
    Whole::of(LEAVES.map(|leaf| leaf_hash(&bytes(leaf))))
}

/// MTH of RFC 6962, section 2.1, to the letter.
fn by_the_book(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let middle = leaves.len().next_power_of_two() / 2;
            node_hash(&by_the_book(&leaves[..middle]), &by_the_book(&leaves[middle..]))
        }
    }
}

#[test]
fn known_trees_have_their_roots() {
    assert_eq!(known().roots, ROOTS.map(hash));
}

#[test]
fn known_proofs_come_out() {
    let tree = known();
    let inclusion = |leaf: u64, size| tree.prove(&Plan::of_inclusion(leaf - 1, size).unwrap());
    assert_eq!(inclusion(1, 1), []);
    assert_eq!(
        inclusion(1, 8),
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ]
        .map(hash)
    );
    assert_eq!(
        inclusion(3, 3),
        [hash("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")]
    );
    let consistency = |earlier, later| tree.prove(&Plan::of_consistency(earlier, later).unwrap());
    assert_eq!(consistency(1, 1), []);
    assert_eq!(
        consistency(6, 8),
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ]
        .map(hash)
    );
    assert_eq!(Plan::of_inclusion(8, 8), None);
    assert_eq!(Plan::of_consistency(9, 8), None);
}

fn leaves(most: usize) -> impl Strategy<Value = Vec<Hash>> {
    prop::collection::vec(any::<[u8; 4]>().prop_map(|leaf| leaf_hash(&leaf)), 1..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_growing_tree_has_the_roots_of_the_book(leaves in leaves(80)) {
        let tree = Whole::of(leaves.clone());
        for (size, root) in tree.roots.iter().enumerate() {
            prop_assert_eq!(*root, by_the_book(&leaves[..size]));
        }
    }

    #[test]
    fn every_leaf_is_proven_and_no_other(leaves in leaves(70), bit in 0_usize..256) {
        let tree = Whole::of(leaves.clone());
        let size = leaves.len() as u64;
        let root = tree.roots[leaves.len()];
        for (index, leaf) in (0..size).zip(&leaves) {
            let proof = tree.prove(&Plan::of_inclusion(index, size).unwrap());
            prop_assert!(includes(&root, size, index, leaf, &proof));
            let mut other = *leaf;
            other.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!includes(&root, size, index, &other, &proof), "another leaf");
            prop_assert!(!includes(&other, size, index, leaf, &proof), "another root");
            prop_assert!(!includes(&root, size, size, leaf, &proof), "past the end");
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at].0[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!includes(&root, size, index, leaf, &wrong), "another proof");
            }
            let deeper = size.next_power_of_two() * 2 + 1;
            prop_assert!(!includes(&root, deeper, index, leaf, &proof), "a deeper tree");
            let longer = [proof.as_slice(), &[root]].concat();
            prop_assert!(!includes(&root, size, index, leaf, &longer), "a longer proof");
        }
    }

    #[test]
    fn every_beginning_is_proven_and_no_other(leaves in leaves(60), bit in 0_usize..256) {
        let tree = Whole::of(leaves.clone());
        let later = leaves.len() as u64;
        let root = &tree.roots[leaves.len()];
        for (earlier, earlier_root) in (0..=later).zip(&tree.roots) {
            let proof = tree.prove(&Plan::of_consistency(earlier, later).unwrap());
            prop_assert!(extends((earlier, earlier_root), (later, root), &proof), "{} of {}", earlier, later);
            let mut other = *earlier_root;
            other.0[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!extends((earlier, &other), (later, root), &proof), "another beginning");
            for at in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[at].0[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!extends((earlier, earlier_root), (later, root), &wrong), "another proof");
            }
            if earlier > 0 && earlier < later {
                let mut other = *root;
                other.0[bit / 8] ^= 1 << (bit % 8);
                prop_assert!(!extends((earlier, earlier_root), (later, &other), &proof), "another end");
            }
        }
        prop_assert!(!extends((later + 1, root), (later, root), &[]));
    }
}

#[test]
fn a_tile_has_the_path_of_the_specification() {
    let path = |level, index, width| Tile { level, index, width }.to_string();
    assert_eq!(path(0, 0, 256), "tile/0/000");
    assert_eq!(path(0, 1_234_067, 256), "tile/0/x001/x234/067");
    assert_eq!(path(3, 999, 7), "tile/3/999.p/7");
    assert_eq!(path(1, 1_000, 255), "tile/1/x001/000.p/255");
}

#[test]
fn tiles_hold_the_tree_and_are_taken_on_anywhere() {
    let leaves: Vec<Hash> = (0_u32..70_000).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
    let mut kept: HashMap<Tile, Vec<Hash>> = HashMap::new();
    let mut writer = TileWriter::default();
    for stop in [1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 69_999, 70_000] {
        let from = writer.frontier().size() as usize;
        for leaf in &leaves[from..stop] {
            let keep = |tile: Tile, hashes: &[Hash]| {
                assert_eq!(tile.width, TILE_WIDTH);
                assert_eq!(kept.insert(tile, hashes.to_vec()), None, "{tile} is whole once");
                Ok::<_, ()>(())
            };
            writer.push(*leaf, keep).unwrap();
        }
        kept.extend(writer.partial().map(|(tile, hashes)| (tile, hashes.to_vec())));
        let mut frontier = Frontier::default();
        leaves[..stop].iter().for_each(|leaf| frontier.push(*leaf, |_, _| {}));
        assert_eq!(*writer.frontier(), frontier, "{stop}");

        // Whoever begins with the files alone has the same.
        let size = stop as u64;
        let again = TileWriter::take_on(size, |tile| kept.get(&tile).cloned().ok_or(tile)).unwrap();
        assert_eq!(*again.frontier(), frontier, "{stop}");
        writer = again;
        for tile in Tile::all(size) {
            assert_eq!(kept[&tile].len() as u64, tile.width, "{tile}");
        }
    }
    let of_leaves: Vec<Hash> = Tile::all(70_000)
        .filter(|tile| tile.level == 0)
        .flat_map(|tile| kept[&tile].clone())
        .collect();
    assert_eq!(of_leaves, leaves);
    assert_eq!(
        Tile::all(70_000).last(),
        Some(Tile {
            level: 2,
            index: 0,
            width: 1
        })
    );
}

fn checkpoint(size: usize, root: Hash) -> Checkpoint {
    Checkpoint {
        origin: "council.example/log".parse().unwrap(),
        size: size as u64,
        root,
    }
}

#[test]
fn a_change_is_found_between_the_checkpoints_around_it() {
    let leaves: Vec<Hash> = (0_u8..20).map(|leaf| leaf_hash(&[leaf])).collect();
    let tree = Whole::of(leaves.clone());
    let kept: Vec<Checkpoint> = [0, 5, 12, 20].map(|size| checkpoint(size, tree.roots[size])).into();
    let compare = |leaves: &[Hash]| {
        let mut comparison = Comparison::new(kept.clone());
        leaves.iter().for_each(|leaf| comparison.leaf(*leaf));
        comparison.end()
    };
    assert!(compare(&leaves).is_empty());
    let longer = [leaves.as_slice(), &leaves[..3]].concat();
    assert!(compare(&longer).is_empty(), "a log that went on");

    let mut altered = leaves.clone();
    altered[8] = leaf_hash(b"another");
    let found = compare(&altered);
    let places: Vec<_> = found.iter().map(|finding| (finding.kind, finding.place())).collect();
    assert_eq!(
        places,
        [
            (Kind::Checkpoint, "6 to 12".to_owned()),
            (Kind::Checkpoint, "6 to 20".to_owned())
        ]
    );

    let found = compare(&leaves[..11]);
    let places: Vec<_> = found.iter().map(|finding| (finding.kind, finding.place())).collect();
    assert_eq!(
        places,
        [(Kind::CutOff, "12".to_owned()), (Kind::CutOff, "12 to 20".to_owned())]
    );
}

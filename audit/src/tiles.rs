//! The tree in files (C2SP `tlog-tiles`): 256 hashes a tile, so that each position's leaf can be looked up, and a log be
//! taken on where the last checkpoint left it. Entry bundles are left out: the log itself has the rows, and some are larger than
//! a bundle can hold.

use std::fmt;

use crate::tree::{Frontier, Hash, Node};

/// How many hashes a whole tile holds.
pub const TILE_WIDTH: u64 = 256;

/// One tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tile {
    /// 0 holds hashes of leaves; each level above one hash for each whole tile below it.
    pub level: u32,
    /// Its place among those of its level, from 0.
    pub index: u64,
    /// How many hashes it holds, 1 to 256.
    pub width: u64,
}

/// How many hashes each level of tiles has, for a tree of `size` leaves.
fn levels(size: u64) -> impl Iterator<Item = (u32, u64)> {
    (0..u64::BITS / 8)
        .map(move |level| (level, size >> (8 * level)))
        .take_while(|(_, hashes)| *hashes > 0)
}

/// Its path: `tile/<level>/<index>`, the index in groups of three digits, all but the last after an `x`, and `.p/<width>` where it
/// is not whole.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut index = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1_000);
            rest /= 1_000;
        }
        write!(f, "tile/{}/{index}", self.level)?;
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)
        } else {
            Ok(())
        }
    }
}

impl Tile {
    /// Every tile of a tree of `size` leaves, level by level.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        levels(size).flat_map(|(level, hashes)| {
            (0..hashes.div_ceil(TILE_WIDTH)).map(move |index| Self {
                level,
                index,
                width: (hashes - index * TILE_WIDTH).min(TILE_WIDTH),
            })
        })
    }

    /// Its hashes, out of its bytes; none where they are not so many.
    #[must_use]
    pub fn hashes(&self, bytes: &[u8]) -> Option<Vec<Hash>> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        let whole = rest.is_empty() && chunks.len() as u64 == self.width;
        whole.then(|| chunks.iter().map(|chunk| Hash(*chunk)).collect())
    }
}

/// A tree that grows, and the tiles that it is written to.
#[derive(Clone, Debug, Default)]
pub struct TileWriter {
    frontier: Frontier,
    /// The tile of each level that is being filled.
    filling: Vec<Vec<Hash>>,
}

impl TileWriter {
    /// Takes a tree on where its tiles leave it: `read` gives the hashes of the tile that a level ends with, where that is not whole.
    ///
    /// # Errors
    /// That of `read`.
    pub fn take_on<E>(size: u64, mut read: impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut filling = Vec::new();
        for (level, hashes) in levels(size) {
            let (index, width) = (hashes / TILE_WIDTH, hashes % TILE_WIDTH);
            filling.push(if width > 0 {
                read(Tile { level, index, width })?
            } else {
                Vec::new()
            });
        }
        let mut frontier = Frontier::default();
        // The highest level is the leftmost: its hashes are roots of the largest perfect subtrees.
        for ((level, _), hashes) in levels(size).zip(&filling).collect::<Vec<_>>().into_iter().rev() {
            hashes.iter().for_each(|hash| frontier.join(8 * level, *hash));
        }
        Ok(Self { frontier, filling })
    }

    /// The tree so far.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Adds a leaf, by its hash; a tile that is whole with it is told to `whole`.
    ///
    /// # Errors
    /// That of `whole`.
    pub fn push<E>(&mut self, leaf: Hash, mut whole: impl FnMut(Tile, &[Hash]) -> Result<(), E>) -> Result<(), E> {
        let filling = &mut self.filling;
        let mut full = Vec::new();
        self.frontier.push(leaf, |node: Node, hash| {
            if !node.level.is_multiple_of(8) {
                return;
            }
            let level = node.level as usize / 8;
            if filling.len() == level {
                filling.push(Vec::new());
            }
            filling[level].push(*hash);
            if filling[level].len() as u64 == TILE_WIDTH {
                let tile = Tile {
                    level: level as u32,
                    index: node.index / TILE_WIDTH,
                    width: TILE_WIDTH,
                };
                full.push((tile, std::mem::take(&mut filling[level])));
            }
        });
        full.iter().try_for_each(|(tile, hashes)| whole(*tile, hashes))
    }

    /// The tiles that are not whole yet.
    pub fn partial(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let size = self.frontier.size();
        self.filling
            .iter()
            .zip(0_u32..)
            .filter(|(hashes, _)| !hashes.is_empty())
            .map(move |(hashes, level)| {
                let index = (size >> (8 * level)) / TILE_WIDTH;
                (
                    Tile {
                        level,
                        index,
                        width: hashes.len() as u64,
                    },
                    hashes.as_slice(),
                )
            })
    }
}

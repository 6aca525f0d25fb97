//! Copies of the log that were kept elsewhere, read beside it: leaves in tiles, rows in an export, messages in the event stream. Where a
//! copy and the log differ, the position is known.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use audit::export::Line;
use audit::{Finding, Findings, Frontier, Hash, Kind, Row, TILE_WIDTH, Tile};
use bus::{Bus, NatsBus};
use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use schemas::Position;
use schemas::envelope::PublishedEvent;

use super::tile_store::{TileError, TileStore};
use crate::outcome::Failure;

/// How many messages of the event stream are asked for at once.
const ASKED_AT_ONCE: usize = 64;

/// What is known of a position.
#[derive(Clone, Debug)]
pub enum Copy {
    /// Its leaf.
    Leaf(Hash),
    /// Its row.
    Row(Box<Row>),
    /// It is there in a form of which no row can be made.
    Unreadable,
}

/// Copies by position, each once.
pub type Copies = BoxStream<'static, Result<(Position, Copy), Failure>>;

/// One keeper of copies.
pub struct Witness {
    name: &'static str,
    copies: Copies,
    next: Option<(Position, Copy)>,
    compared: u64,
    findings: Findings,
}

impl Witness {
    /// Called this in what is found.
    #[must_use]
    pub fn new(name: &'static str, copies: Copies) -> Self {
        Self {
            name,
            copies,
            next: None,
            compared: 0,
            findings: Findings::default(),
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The next row of the log.
    ///
    /// # Errors
    /// [`Failure`]: the copies can't be read.
    pub async fn row(&mut self, row: &Row, leaf: &Hash) -> Result<(), Failure> {
        loop {
            if self.next.is_none() {
                self.next = self.copies.try_next().await?;
            }
            match self.next.take() {
                None => return Ok(()),
                Some(later) if later.0 > row.position => {
                    self.next = Some(later);
                    return Ok(());
                }
                // The log has a hole here: the walk says so.
                Some((position, _)) if position < row.position => {}
                Some((_, copy)) => self.compare(row, leaf, &copy),
            }
        }
    }

    fn compare(&mut self, row: &Row, leaf: &Hash, copy: &Copy) {
        self.compared += 1;
        let name = self.name;
        let detail = match copy {
            Copy::Leaf(known) if known == leaf => return,
            Copy::Leaf(_) => format!("its leaf is another than in {name}"),
            Copy::Row(known) if known.event_id == row.event_id => match row.differing(known).as_slice() {
                [] => return,
                columns => format!("{} differs from {name}", columns.join(", ")),
            },
            Copy::Row(known) => format!("it is event {}, in {name} it is {}", row.event_id, known.event_id),
            Copy::Unreadable => format!("no row can be made of what {name} has"),
        };
        self.findings.add(Finding::at(Kind::Altered, row.position, detail));
    }

    /// The log ends after this position. Gives how many positions were compared, and what was found.
    ///
    /// # Errors
    /// [`Failure`]: the copies can't be read.
    pub async fn end(mut self, last: Position) -> Result<(u64, Findings), Failure> {
        let mut left = None;
        while let Some((position, _)) = match self.next.take() {
            Some(next) => Some(next),
            None => self.copies.try_next().await?,
        } {
            if position > last {
                left = Some(left.map_or((position, position), |(first, _)| (first, position)));
            }
        }
        if let Some((from, through)) = left {
            let detail = format!("{} has it, the log ends at {last}", self.name);
            self.findings.add(Finding::between(Kind::CutOff, from, through, detail));
        }
        Ok((self.compared, self.findings))
    }
}

/// The leaves of a tree in tiles, from the first on.
struct Leaves {
    store: TileStore,
    size: u64,
    next: u64,
    tile: std::vec::IntoIter<Hash>,
}

impl Leaves {
    fn of(folder: &Path, size: u64) -> Result<Self, TileError> {
        let store = TileStore::to_read(folder)?;
        Ok(Self {
            store,
            size,
            next: 0,
            tile: Vec::new().into_iter(),
        })
    }

    fn next(&mut self) -> Result<Option<Hash>, TileError> {
        if self.next == self.size {
            return Ok(None);
        }
        if self.next.is_multiple_of(TILE_WIDTH) {
            let width = (self.size - self.next).min(TILE_WIDTH);
            let tile = Tile {
                level: 0,
                index: self.next / TILE_WIDTH,
                width,
            };
            self.tile = self.store.read(tile)?.into_iter();
        }
        self.next += 1;
        Ok(self.tile.next())
    }
}

/// The root over the leaves in tiles, which has to be that of the checkpoint beside them.
///
/// # Errors
/// [`TileError`].
pub fn root_of_tiles(folder: &Path, size: u64) -> Result<Hash, TileError> {
    let (mut leaves, mut tree) = (Leaves::of(folder, size)?, Frontier::default());
    while let Some(leaf) = leaves.next()? {
        tree.push(leaf, |_, _| {});
    }
    Ok(tree.root())
}

/// The leaves of the first `size` events, out of tiles.
///
/// # Errors
/// [`TileError`].
pub fn of_tiles(folder: &Path, size: u64) -> Result<Witness, TileError> {
    let leaves = Leaves::of(folder, size)?;
    let copies = stream::try_unfold(leaves, async |mut leaves| {
        let leaf = leaves.next().map_err(Failure::usage)?;
        let position = Position(i64::try_from(leaves.next).unwrap_or(i64::MAX));
        Ok(leaf.map(|leaf| ((position, Copy::Leaf(leaf)), leaves)))
    });
    Ok(Witness::new("the tiles", copies.boxed()))
}

/// The lines of an export.
///
/// # Errors
/// [`Failure::Usage`]: it can't be read.
pub fn lines_of(file: &Path) -> Result<impl Iterator<Item = Result<String, Failure>> + Send + use<>, Failure> {
    let path: PathBuf = file.to_owned();
    let unreadable = move |error| Failure::Usage(format!("{}: {error}", path.display()));
    let open = File::open(file).map_err(unreadable.clone())?;
    Ok(BufReader::new(open).lines().map(move |line| line.map_err(&unreadable)))
}

/// The rows of an export. Lines that are none are passed over: [`audit::export::ExportCheck`] says what is wrong with it.
///
/// # Errors
/// [`Failure::Usage`]: it can't be read.
pub fn of_export(file: &Path) -> Result<Witness, Failure> {
    let mut last = Position::START;
    let rows = lines_of(file)?.filter_map(move |line| {
        let line = match line {
            Ok(line) => serde_json::from_str::<Line>(&line).ok()?,
            Err(failure) => return Some(Err(failure)),
        };
        let row = line.event.filter(|row| row.position > last)?;
        last = row.position;
        Some(Ok((row.position, Copy::Row(Box::new(row)))))
    });
    Ok(Witness::new("the export", stream::iter(rows).boxed()))
}

/// The messages of the event stream, as far as it holds any.
///
/// # Errors
/// [`Failure::Down`]: it can't be read.
pub async fn of_event_stream(bus: Arc<NatsBus>) -> Result<Witness, Failure> {
    let end = bus.last_event().await.map_err(Failure::down)?;
    let Some(last) = end.last else {
        return Ok(Witness::new("the event stream", stream::empty().boxed()));
    };
    // Sequence and position run side by side, at whatever offset.
    let offset = i128::from(end.sequence) - i128::from(last.position.0);
    let copies = stream::iter(1..=last.position.0).map(move |position| {
        let (bus, sequence) = (Arc::clone(&bus), u64::try_from(i128::from(position) + offset).ok());
        async move {
            let Some(sequence) = sequence else { return Ok(None) };
            let message = bus.event_at_sequence(sequence).await.map_err(Failure::down)?;
            Ok(message.map(|message| {
                let heard = serde_json::from_slice::<PublishedEvent>(&message.body).ok();
                let row = heard.and_then(|heard| Row::of_published(&heard).ok());
                let copy = row.map_or(Copy::Unreadable, |row| Copy::Row(Box::new(row)));
                (Position(position), copy)
            }))
        }
    });
    let copies = copies
        .buffered(ASKED_AT_ONCE)
        .try_filter_map(|copy| std::future::ready(Ok(copy)));
    Ok(Witness::new("the event stream", copies.boxed()))
}

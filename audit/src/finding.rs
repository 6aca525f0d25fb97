//! What is wrong with a log, and where.

use std::fmt;

use schemas::Position;
use serde::Serialize;

/// The most findings that are kept. Whoever altered more than that is found all the same.
pub const MOST_FINDINGS: usize = 1_000;

/// What kind of wrong it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A position that the log should have is not there.
    Missing,
    /// A position is there twice.
    Repeated,
    /// The places among the events of a service have a hole, or stand in another order.
    ServiceOrder,
    /// The places in a stream have a hole, or stand in another order, or the stream is of two kinds.
    StreamOrder,
    /// It was recorded before the event that it follows.
    TimeRunsBack,
    /// The client is another than its metadata says.
    Client,
    /// A command's recorded result and its events do not agree, or one of them is missing.
    Receipt,
    /// The row that says where the log ends says something else.
    Head,
    /// It is another than what was kept elsewhere: an export, tiles, the event stream.
    Altered,
    /// It was kept elsewhere, and the log ends before it.
    CutOff,
    /// The log, up to a checkpoint's size, is not what the checkpoint says.
    Checkpoint,
    /// What was to be compared with is itself not what was signed.
    Evidence,
}

impl Kind {
    /// In words.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Repeated => "repeated",
            Self::ServiceOrder => "order in its service",
            Self::StreamOrder => "order in its stream",
            Self::TimeRunsBack => "time runs back",
            Self::Client => "client",
            Self::Receipt => "receipt",
            Self::Head => "head",
            Self::Altered => "altered",
            Self::CutOff => "cut off",
            Self::Checkpoint => "checkpoint",
            Self::Evidence => "evidence",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What kind.
    pub kind: Kind,
    /// The first position that it is about; none where it is about none.
    pub position: Option<Position>,
    /// The last one.
    pub through: Option<Position>,
    /// In a sentence; of the first position, where it is about several. It quotes ids, numbers and names of columns, no texts.
    pub detail: String,
}

impl Finding {
    /// About one position.
    pub fn at(kind: Kind, position: Position, detail: impl Into<String>) -> Self {
        Self::between(kind, position, position, detail)
    }

    /// About all positions from one through another.
    pub fn between(kind: Kind, position: Position, through: Position, detail: impl Into<String>) -> Self {
        Self {
            kind,
            position: Some(position),
            through: Some(through),
            detail: detail.into(),
        }
    }

    /// About no position.
    pub fn of(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            position: None,
            through: None,
            detail: detail.into(),
        }
    }

    /// Where it is, in words; empty where it is about no position.
    #[must_use]
    pub fn place(&self) -> String {
        match (self.position, self.through) {
            (Some(from), Some(through)) if from != through => format!("{from} to {through}"),
            (Some(position), _) => position.to_string(),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place().as_str() {
            "" => write!(f, "{}: {}", self.kind.in_words(), self.detail),
            place => write!(f, "position {place}: {}: {}", self.kind.in_words(), self.detail),
        }
    }
}

/// Findings as they come in; those of one kind at positions that follow each other are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    kept: Vec<Finding>,
    more: u64,
}

impl Findings {
    /// Adds one.
    pub fn add(&mut self, finding: Finding) {
        let joins = |last: &&mut Finding| {
            last.kind == finding.kind
                && last.kind == Kind::Altered
                && last
                    .through
                    .zip(finding.position)
                    .is_some_and(|(through, next)| through.next() == next)
        };
        if let Some(last) = self.kept.last_mut().filter(joins) {
            last.through = finding.through;
        } else if self.kept.len() < MOST_FINDINGS {
            self.kept.push(finding);
        } else {
            self.more += 1;
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many there are beside those that were kept.
    #[must_use]
    pub const fn more(&self) -> u64 {
        self.more
    }

    /// Those that were kept.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.kept.iter()
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Self) {
        other.kept.into_iter().for_each(|finding| self.add(finding));
        self.more += other.more;
    }
}

//! Where a projection is: the statements that read and move its checkpoint, in whichever schema it lies.

use event_store::StoredEvent;
use schemas::{EventId, Position};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::ProjectionError;
use crate::projection::{Generation, Projection};

/// How far one generation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which set of rows.
    pub generation: Generation,
    /// The last event applied; none before the first.
    pub last: Option<Applied>,
    /// How many of the events applied left nothing in the rows.
    pub traceless: i64,
}

/// The last event applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Where in the log it stands.
    pub position: Position,
    /// Its id: where the log has another one there, it is another log.
    pub event_id: EventId,
    /// When it was recorded.
    pub recorded_at: OffsetDateTime,
}

impl Checkpoint {
    pub(crate) fn position(&self) -> Position {
        self.last.map_or(Position::START, |last| last.position)
    }
}

impl From<&StoredEvent> for Applied {
    fn from(event: &StoredEvent) -> Self {
        Self {
            position: event.position,
            event_id: event.event_id,
            recorded_at: event.recorded_at,
        }
    }
}

/// Which of a projection's two checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Track {
    /// The generation that readers see. Its checkpoint is always there.
    Live,
    /// This generation, which is being built beside it. Its checkpoint is gone when another took its place.
    Rebuild(Generation),
}

type Columns = (i64, i64, Option<Uuid>, Option<OffsetDateTime>, i64);

fn checkpoint((generation, position, event_id, recorded_at, traceless): Columns) -> Checkpoint {
    let applied = |(event_id, recorded_at)| Applied {
        position: Position(position),
        event_id: EventId(event_id),
        recorded_at,
    };
    Checkpoint {
        generation: Generation(generation),
        last: event_id.zip(recorded_at).map(applied),
        traceless,
    }
}

/// Puts the projection's schema into a statement. The schema is one of our own names.
fn within(projection: &dyn Projection, statement: &str) -> String {
    statement.replace("{schema}", projection.schema())
}

impl Track {
    /// Reads the checkpoint as it is now.
    pub(crate) async fn read(
        self,
        executor: impl PgExecutor<'_>,
        projection: &dyn Projection,
    ) -> Result<Checkpoint, ProjectionError> {
        let statement = match self {
            Self::Live => include_str!("../sql/checkpoint/read_live.sql"),
            Self::Rebuild(_) => include_str!("../sql/checkpoint/read_rebuild.sql"),
        };
        self.fetch(executor, projection, statement).await
    }

    /// Reads the checkpoint and keeps everybody else from moving it until the transaction ends.
    pub(crate) async fn lock(
        self,
        transaction: &mut PgConnection,
        projection: &dyn Projection,
    ) -> Result<Checkpoint, ProjectionError> {
        let statement = match self {
            Self::Live => include_str!("../sql/checkpoint/lock_live.sql"),
            Self::Rebuild(_) => include_str!("../sql/checkpoint/lock_rebuild.sql"),
        };
        self.fetch(transaction, projection, statement).await
    }

    async fn fetch(
        self,
        executor: impl PgExecutor<'_>,
        projection: &dyn Projection,
        statement: &str,
    ) -> Result<Checkpoint, ProjectionError> {
        let statement = within(projection, statement);
        let found = sqlx::query_as(&statement)
            .bind(projection.name())
            .fetch_optional(executor)
            .await?
            .map(checkpoint);
        match (self, found) {
            (Self::Live, Some(found)) => Ok(found),
            (Self::Live, None) => Err(ProjectionError::Statement(sqlx::Error::RowNotFound)),
            (Self::Rebuild(ours), Some(found)) if found.generation == ours => Ok(found),
            (Self::Rebuild(_), _) => Err(ProjectionError::Superseded {
                projection: projection.name(),
            }),
        }
    }

    /// Moves a locked checkpoint.
    pub(crate) async fn advance(
        self,
        transaction: &mut PgConnection,
        projection: &dyn Projection,
        to: Applied,
        traceless: i64,
    ) -> Result<(), ProjectionError> {
        let statement = match self {
            Self::Live => include_str!("../sql/checkpoint/advance_live.sql"),
            Self::Rebuild(_) => include_str!("../sql/checkpoint/advance_rebuild.sql"),
        };
        sqlx::query(&within(projection, statement))
            .bind(projection.name())
            .bind(to.position.0)
            .bind(to.event_id.0)
            .bind(to.recorded_at)
            .bind(traceless)
            .execute(transaction)
            .await?;
        Ok(())
    }
}

/// The generation being built, if any.
pub(crate) async fn rebuilding(
    executor: impl PgExecutor<'_>,
    projection: &dyn Projection,
) -> Result<Option<Checkpoint>, ProjectionError> {
    let statement = within(projection, include_str!("../sql/checkpoint/read_rebuild.sql"));
    Ok(sqlx::query_as(&statement)
        .bind(projection.name())
        .fetch_optional(executor)
        .await?
        .map(checkpoint))
}

/// Begins a generation that nobody has used, in place of any that is being built.
pub(crate) async fn begin_rebuild(
    executor: impl PgExecutor<'_>,
    projection: &dyn Projection,
) -> Result<Generation, ProjectionError> {
    let statement = within(projection, include_str!("../sql/checkpoint/begin_rebuild.sql"));
    let generation = sqlx::query_scalar(&statement)
        .bind(projection.name())
        .fetch_one(executor)
        .await?;
    Ok(Generation(generation))
}

/// Makes the locked generation that was built the live one.
pub(crate) async fn switch(transaction: &mut PgConnection, projection: &dyn Projection) -> Result<(), ProjectionError> {
    let statement = within(projection, include_str!("../sql/checkpoint/switch_to_rebuild.sql"));
    sqlx::query(&statement)
        .bind(projection.name())
        .execute(transaction)
        .await?;
    Ok(())
}

/// Gives up a generation that was being built.
pub(crate) async fn end_rebuild(
    executor: impl PgExecutor<'_>,
    projection: &dyn Projection,
    generation: Generation,
) -> Result<(), ProjectionError> {
    let statement = within(projection, include_str!("../sql/checkpoint/end_rebuild.sql"));
    sqlx::query(&statement)
        .bind(projection.name())
        .bind(generation.0)
        .execute(executor)
        .await?;
    Ok(())
}

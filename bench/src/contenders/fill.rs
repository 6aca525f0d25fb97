//! A log that has grown, filled by SQL: what would take hours through the command-service takes minutes.

use sqlx::PgPool;

use super::Ours;
use super::ours::case_of;

/// The rows of one statement: what it returns to itself must not go to disk.
const AT_ONCE: usize = 200_000;

/// Updates in the name of one that there is, in streams of five that nobody asks for.
const OTHER_STREAMS: &str = "
    WITH head AS (SELECT position FROM ledger.head),
         template AS (SELECT * FROM ledger.events WHERE event_type = 'RequestUpdated' LIMIT 1),
         added AS (
            INSERT INTO ledger.events
            SELECT template.aggregate_type, md5('another ' || number / 5)::uuid::text, 1 + number % 5, template.event_type,
                   template.event_version, template.payload, template.metadata, head.position + 1 + number - $1,
                   template.service, head.position + 1 + number - $1, gen_random_uuid(), gen_random_uuid(),
                   template.client, template.recorded_at, template.occurred_at
            FROM head, template, generate_series($1::bigint, $2::bigint - 1) AS number
            RETURNING client, command_id, aggregate_id, sequence, position, event_id, recorded_at
         ),
         recorded AS (
            INSERT INTO ledger.commands
            SELECT client, command_id, sha256(uuid_send(command_id)), 'accepted', aggregate_id,
                   -- As of real cases, only what opened one is in the index of references.
                   'BEN-' || (position - sequence + 1), sequence, position, ARRAY[event_id], NULL, NULL, NULL, recorded_at
            FROM added WHERE $3
            -- Random ids in their order: a page of their index is read once for several of them.
            ORDER BY command_id
         )
    UPDATE ledger.head SET position = position + (SELECT count(*) FROM added)";

/// Updates of these streams, each stream longer by the numbers from one to the other.
const THESE_STREAMS: &str = "
    WITH head AS (SELECT position FROM ledger.head),
         template AS (SELECT * FROM ledger.events WHERE event_type = 'RequestUpdated' LIMIT 1),
         numbered AS (
            SELECT stream, wanted.sequence, row_number() OVER (ORDER BY wanted.sequence, nth) AS number
            FROM unnest($1::text[]) WITH ORDINALITY AS streams (stream, nth),
                 generate_series($2::bigint, $3::bigint) AS wanted (sequence)
         ),
         added AS (
            INSERT INTO ledger.events
            SELECT template.aggregate_type, stream, numbered.sequence, template.event_type, template.event_version,
                   template.payload, template.metadata, head.position + number, template.service, head.position + number,
                   gen_random_uuid(), gen_random_uuid(), template.client, template.recorded_at, template.occurred_at
            FROM head, template, numbered
            RETURNING 1
         )
    UPDATE ledger.head SET position = position + (SELECT count(*) FROM added)";

/// For filling only: a write-ahead log of what is new and not of whole pages, fewer checkpoints, and nobody who vacuums in
/// between.
const FOR_FILLING: [&str; 5] = [
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET max_wal_size = '8GB'",
    "ALTER SYSTEM SET work_mem = '128MB'",
    "ALTER SYSTEM SET autovacuum = off",
    "SELECT pg_reload_conf()",
];

/// As before, with everything on disk and counted.
const FOR_WORK: [&str; 4] = [
    "VACUUM ANALYZE ledger.events, ledger.commands",
    "ALTER SYSTEM RESET ALL",
    "SELECT pg_reload_conf()",
    // From here on whole pages are written again.
    "CHECKPOINT",
];

impl Ours {
    /// Adds events by SQL, as if so many updates had come to other cases, but for what is recorded of commands; a pool to read
    /// them with.
    ///
    /// # Errors
    /// What the database said.
    pub async fn with_events(&self, events: usize) -> Result<PgPool, String> {
        self.fill(events, false).await
    }

    /// The same with what is recorded of each command.
    ///
    /// # Errors
    /// What the database said.
    pub async fn with_commands(&self, events: usize) -> Result<(), String> {
        let pool = self.fill(events, true).await?;
        pool.close().await;
        Ok(())
    }

    async fn fill(&self, events: usize, with_commands: bool) -> Result<PgPool, String> {
        let superuser = self.council.database.superuser().await;
        all(&superuser, &FOR_FILLING).await?;
        for from in (0..events).step_by(AT_ONCE) {
            let to = (from + AT_ONCE).min(events);
            let add = sqlx::query(OTHER_STREAMS)
                .bind(from as i64)
                .bind(to as i64)
                .bind(with_commands);
            add.execute(&superuser).await.map_err(|error| error.to_string())?;
        }
        all(&superuser, &FOR_WORK).await?;
        Ok(superuser)
    }

    /// Has PostgreSQL write no more than it must, where it is not what is measured.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sparing_the_disk(&self) -> Result<(), String> {
        let superuser = self.council.database.superuser().await;
        all(&superuser, &FOR_FILLING).await?;
        superuser.close().await;
        Ok(())
    }

    /// Has everything written to disk, so that whoever is measured next begins as the one before did: the first change of a page after
    /// that is logged with the whole page.
    ///
    /// # Errors
    /// What the database said.
    pub async fn checkpoint(&self) -> Result<(), String> {
        let superuser = self.council.database.superuser().await;
        all(&superuser, &["CHECKPOINT"]).await?;
        superuser.close().await;
        Ok(())
    }

    /// Makes each of the first cases, which have one event, as long as this.
    ///
    /// # Errors
    /// What the database said.
    pub async fn with_long_streams(&self, cases: usize, events: usize) -> Result<(), String> {
        let ids: Result<Vec<String>, String> = (0..cases).map(|case| case_of(case).map(|id| id.to_string())).collect();
        let ids = ids?;
        let superuser = self.council.database.superuser().await;
        all(&superuser, &FOR_FILLING).await?;
        let many = (AT_ONCE / cases.max(1)).max(1);
        for from in (2..=events).step_by(many) {
            let to = (from + many - 1).min(events);
            let add = sqlx::query(THESE_STREAMS).bind(&ids).bind(from as i64).bind(to as i64);
            add.execute(&superuser).await.map_err(|error| error.to_string())?;
        }
        all(&superuser, &FOR_WORK).await?;
        superuser.close().await;
        Ok(())
    }
}

async fn all(pool: &PgPool, statements: &[&str]) -> Result<(), String> {
    for statement in statements {
        // One by one: most of them can't be part of a transaction.
        let done = sqlx::query(statement).execute(pool).await;
        done.map_err(|error| format!("{statement}: {error}"))?;
    }
    Ok(())
}

//! How does a commit become columns?
//!
//! A statement takes any number of rows as one array for each column. Everything that costs time and needs no
//! database happens here, before the transaction.

use integrations_core::Result;
use integrations_core::connection::ServiceId;
use integrations_core::model::{Change, Raw, Record};
use integrations_core::normalize::Quarantined;
use sqlx::PgConnection;

use super::failure::unwritable;
use crate::settled::{Settled, settle, times};

/// Rows per statement: a message to the server then stays far below its limit, whatever a commit holds.
const LARGEST_BATCH: usize = 1000;

/// What a commit does to the records of its stream: the deletions first, then the upserts.
pub(super) struct Page {
    pub(super) deleted: Vec<String>,
    pub(super) orphaned: Vec<String>,
    pub(super) batches: Vec<Batch>,
}

/// Records, ready to be written: one value for each of them in each column.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) ids: Vec<String>,
    kinds: Vec<&'static str>,
    parents: Vec<Option<String>>,
    titles: Vec<Option<String>>,
    starts_at: Vec<Option<i64>>,
    ends_at: Vec<Option<i64>>,
    recurring: Vec<bool>,
    modified_at: Vec<Option<i64>>,
    versions: Vec<Option<String>>,
    links: Vec<Option<String>>,
    services: Vec<Option<String>>,
    data: Vec<String>,
    raw: Vec<Raw>,
}

/// # Errors
/// [`ErrorKind::DataFormat`](integrations_core::ErrorKind::DataFormat) when an entity cannot be written as JSON.
pub(super) fn encode(changes: Vec<Change>, service: &ServiceId, operation: &'static str) -> Result<Page> {
    let Settled { deleted, orphaned, mut upserts } = settle(changes);
    // In the order of the index on the ids.
    upserts.sort_unstable_by(|one, other| one.id().cmp(other.id()));
    let mut batches = Vec::with_capacity(upserts.len().div_ceil(LARGEST_BATCH));
    let mut upserts = upserts.into_iter().peekable();
    while upserts.peek().is_some() {
        let mut batch = Batch::default();
        for record in upserts.by_ref().take(LARGEST_BATCH) {
            batch.push(record, service, operation)?;
        }
        batches.push(batch);
    }
    Ok(Page { deleted, orphaned, batches })
}

impl Batch {
    fn push(&mut self, record: Record, service: &ServiceId, operation: &'static str) -> Result<()> {
        let Record { entity, source, raw } = record;
        let (starts_at, ends_at) = times(&entity);
        self.kinds.push(entity.kind().as_str());
        self.parents.push(entity.parent_id().map(str::to_owned));
        self.titles.push(entity.title().map(without_zeros));
        self.starts_at.push(starts_at);
        self.ends_at.push(ends_at);
        self.recurring.push(entity.is_series());
        self.modified_at.push(source.modified_at.map(|time| time.timestamp_micros()));
        self.services.push((source.service != *service).then(|| source.service.as_str().to_owned()));
        self.data.push(serde_json::to_string(&entity).map_err(|_| unwritable("record", operation))?);
        self.ids.push(source.id);
        self.versions.push(source.version);
        self.links.push(source.link);
        self.raw.push(raw);
        Ok(())
    }

    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        stream: i64,
        generation: i64,
    ) -> Result<(), sqlx::Error> {
        let raw: Vec<&[u8]> = self.raw.iter().map(Raw::as_bytes).collect();
        sqlx::query(
            "INSERT INTO records (stream, generation, id, kind, parent, title, starts_at, ends_at, recurring, \
               modified_at, version, link, service, data, raw) \
             SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], \
               $8::bigint[], $9::boolean[], $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], \
               $15::bytea[]) \
             ON CONFLICT (stream, id) DO UPDATE SET generation = excluded.generation, kind = excluded.kind, \
               parent = excluded.parent, title = excluded.title, starts_at = excluded.starts_at, \
               ends_at = excluded.ends_at, recurring = excluded.recurring, modified_at = excluded.modified_at, \
               version = excluded.version, link = excluded.link, service = excluded.service, \
               data = excluded.data, raw = excluded.raw",
        )
        .bind(stream)
        .bind(generation)
        .bind(&self.ids)
        .bind(&self.kinds)
        .bind(&self.parents)
        .bind(&self.titles)
        .bind(&self.starts_at)
        .bind(&self.ends_at)
        .bind(&self.recurring)
        .bind(&self.modified_at)
        .bind(&self.versions)
        .bind(&self.links)
        .bind(&self.services)
        .bind(&self.data)
        .bind(raw)
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// Items that could not be read, ready to be written.
#[derive(Default)]
pub(super) struct Refused {
    ids: Vec<Option<String>>,
    stages: Vec<&'static str>,
    paths: Vec<String>,
    reasons: Vec<String>,
    raw: Vec<Raw>,
}

impl Refused {
    /// Of several with the same id, the last one stays: a statement may touch a row once.
    pub(super) fn new(items: Vec<Quarantined>) -> Self {
        let mut seen = std::collections::HashSet::new();
        let mut refused = Self::default();
        for item in items.into_iter().rev() {
            if item.id.as_ref().is_none_or(|id| seen.insert(id.clone())) {
                refused.ids.push(item.id);
                refused.stages.push(item.stage);
                refused.paths.push(without_zeros(&item.path));
                refused.reasons.push(without_zeros(&item.reason));
                refused.raw.push(item.raw);
            }
        }
        refused
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Keeps the items for the host to look at. Records that were read from them earlier stay as they are, and count
    /// as seen.
    pub(super) async fn write(
        &self,
        connection: &mut PgConnection,
        stream: i64,
        generation: i64,
        now: Option<i64>,
    ) -> Result<(), sqlx::Error> {
        let raw: Vec<&[u8]> = self.raw.iter().map(Raw::as_bytes).collect();
        // The items come last first, and the numbers follow the order in which they were met.
        sqlx::query(
            "INSERT INTO quarantine (stream, generation, seen_at, id, stage, path, reason, raw) \
             SELECT $1, $2, (SELECT now_micros($3)), id, stage, path, reason, raw \
             FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[]) WITH ORDINALITY \
               AS item (id, stage, path, reason, raw, place) \
             ORDER BY place DESC \
             ON CONFLICT (stream, id) WHERE id IS NOT NULL DO UPDATE SET \
               stage = excluded.stage, path = excluded.path, reason = excluded.reason, raw = excluded.raw, \
               seen_at = excluded.seen_at, generation = excluded.generation",
        )
        .bind(stream)
        .bind(generation)
        .bind(now)
        .bind(&self.ids)
        .bind(&self.stages)
        .bind(&self.paths)
        .bind(&self.reasons)
        .bind(raw)
        .execute(&mut *connection)
        .await?;
        sqlx::query("UPDATE records SET generation = $2 WHERE stream = $1 AND id = ANY($3)")
            .bind(stream)
            .bind(generation)
            .bind(&self.ids)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// PostgreSQL keeps no text with a zero byte, and what a user has typed must not stop a stream. What is changed here
/// stands unchanged in the JSON beside it.
fn without_zeros(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

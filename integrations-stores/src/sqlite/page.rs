//! How does a commit become rows?
//!
//! Everything that costs time and needs no database happens here, before the transaction: which change
//! of an id is the last one, and the JSON of each record.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use integrations_core::Result;
use integrations_core::connection::ServiceId;
use integrations_core::model::{Change, Entity, Raw, Record};
use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;

use super::failure::unwritable;

/// Rows per statement, largest first: each statement goes to SQLite's thread and back, and each size
/// is a statement that stays prepared.
const BATCHES: [usize; 3] = [64, 8, 1];

/// The columns that differ from row to row; the stream and the generation come last, once.
const COLUMNS: [&str; 13] = [
    "id",
    "kind",
    "parent",
    "title",
    "starts_at",
    "ends_at",
    "recurring",
    "modified_at",
    "version",
    "link",
    "service",
    "data",
    "raw",
];

static STATEMENTS: LazyLock<[String; BATCHES.len()]> = LazyLock::new(|| BATCHES.map(upsert_sql));

/// SQLite looks a parameter's name up in a list of all names, for each parameter, so only the two that
/// stand in every row have one. sqlx reads the number in `$N` as the place in the arguments, and gives
/// the parameters without a name the places from the first on.
fn upsert_sql(rows: usize) -> String {
    let columns = COLUMNS.join(", ");
    let (stream, generation) = (rows * COLUMNS.len() + 1, rows * COLUMNS.len() + 2);
    let row = format!("({}${stream}, ${generation})", "?, ".repeat(COLUMNS.len()));
    let values = vec![row; rows].join(", ");
    let updates = COLUMNS[1..]
        .iter()
        .chain(&["generation"])
        .map(|column| format!("{column} = excluded.{column}"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "INSERT INTO records ({columns}, stream, generation) VALUES {values} \
         ON CONFLICT (stream, id) DO UPDATE SET {updates}"
    )
}

/// What a commit does to the records of its stream: the deletions first, then the upserts.
pub(super) struct Page {
    /// The ids that are gone, with the records whose parent they are; some may come back in `upserts`.
    pub(super) deleted: Vec<String>,
    /// The ids in `batches`.
    pub(super) upserted: Vec<String>,
    pub(super) batches: Vec<Batch>,
}

/// The arguments of one statement, but for the stream and the generation.
pub(super) struct Batch {
    sql: &'static str,
    arguments: SqliteArguments,
}

impl Batch {
    /// The statement for the records of this stream and generation.
    pub(super) fn into_query(
        mut self,
        stream: i64,
        generation: i64,
    ) -> Result<(&'static str, SqliteArguments), sqlx::Error> {
        add(&mut self.arguments, stream)?;
        add(&mut self.arguments, generation)?;
        Ok((self.sql, self.arguments))
    }
}

/// Settles which change of an id is the last one.
///
/// In order, a deletion undoes the upserts before it, those of its children among them. So it is the
/// same to do all deletions first, and then those upserts that no later change has undone.
struct Settled {
    deleted: Vec<String>,
    upserts: Vec<Record>,
}

fn settle(changes: Vec<Change>) -> Settled {
    let mut upserts: Vec<Option<Box<Record>>> = Vec::with_capacity(changes.len());
    let mut places: HashMap<String, usize> = HashMap::with_capacity(changes.len());
    let mut children: HashMap<String, Vec<usize>> = HashMap::new();
    let mut seen = HashSet::new();
    let mut deleted = Vec::new();
    for change in changes {
        match change {
            Change::Upsert(record) => {
                let place = upserts.len();
                if let Some(parent) = record.entity.parent_id() {
                    children.entry(parent.to_owned()).or_default().push(place);
                }
                if let Some(before) = places.insert(record.id().to_owned(), place) {
                    upserts[before] = None;
                }
                upserts.push(Some(record));
            }
            Change::Delete { id } => {
                if let Some(place) = places.remove(&id) {
                    upserts[place] = None;
                }
                for place in children.remove(&id).unwrap_or_default() {
                    if let Some(child) = upserts[place].take() {
                        places.remove(child.id());
                        // It may be stored already, as the child of another parent.
                        if seen.insert(child.id().to_owned()) {
                            deleted.push(child.source.id);
                        }
                    }
                }
                if seen.insert(id.clone()) {
                    deleted.push(id);
                }
            }
        }
    }
    Settled { deleted, upserts: upserts.into_iter().flatten().map(|record| *record).collect() }
}

/// # Errors
/// [`ErrorKind::DataFormat`](integrations_core::ErrorKind::DataFormat) when an entity cannot be written
/// as JSON.
pub(super) fn encode(changes: Vec<Change>, service: &ServiceId, operation: &'static str) -> Result<Page> {
    let Settled { deleted, upserts } = settle(changes);
    let mut upserted = Vec::with_capacity(upserts.len());
    let mut batches = Vec::new();
    let mut rest = upserts.len();
    let mut records = upserts.into_iter();
    for (size, sql) in BATCHES.into_iter().zip(STATEMENTS.iter()) {
        while rest >= size {
            rest -= size;
            let mut arguments = SqliteArguments::default();
            arguments.reserve(size * COLUMNS.len() + 2, 0);
            for record in records.by_ref().take(size) {
                upserted.push(record.id().to_owned());
                let data =
                    serde_json::to_string(&record.entity).map_err(|_| unwritable("record", operation))?;
                push_row(&mut arguments, record, data, service)
                    .map_err(|error| super::failure::store_error(operation, error))?;
            }
            batches.push(Batch { sql: sql.as_str(), arguments });
        }
    }
    Ok(Page { deleted, upserted, batches })
}

fn push_row(
    arguments: &mut SqliteArguments,
    record: Record,
    data: String,
    service: &ServiceId,
) -> Result<(), sqlx::Error> {
    let Record { entity, source, raw } = record;
    let (starts_at, ends_at) = times(&entity);
    add(arguments, source.id)?;
    add(arguments, entity.kind().as_str())?;
    add(arguments, entity.parent_id().map(str::to_owned))?;
    add(arguments, entity.title().map(str::to_owned))?;
    add(arguments, starts_at)?;
    add(arguments, ends_at)?;
    add(arguments, entity.as_event().is_some_and(integrations_core::model::Event::is_series))?;
    add(arguments, source.modified_at.map(|time| time.timestamp_micros()))?;
    add(arguments, source.version)?;
    add(arguments, source.link.map(String::from))?;
    add(arguments, (source.service != *service).then(|| source.service.as_str().to_owned()))?;
    add(arguments, data)?;
    add_raw(arguments, &raw)
}

/// As text, so that a person and SQLite's JSON functions can read it; as the bytes where it is none.
pub(super) fn add_raw(arguments: &mut SqliteArguments, raw: &Raw) -> Result<(), sqlx::Error> {
    match std::str::from_utf8(raw.as_bytes()) {
        Ok(text) => add(arguments, text.to_owned()),
        Err(_) => add(arguments, raw.as_bytes().to_vec()),
    }
}

pub(super) fn add<'q, T>(arguments: &mut SqliteArguments, value: T) -> Result<(), sqlx::Error>
where
    T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    Arguments::add(arguments, value).map_err(sqlx::Error::Encode)
}

/// Start and end in microseconds; the start twice where there is no end.
fn times(entity: &Entity) -> (Option<i64>, Option<i64>) {
    let starts_at = entity.starts_at().map(|time| time.timestamp_micros());
    let ends_at = entity
        .as_event()
        .and_then(|event| event.end.as_ref())
        .map(|end| end.earliest_utc().timestamp_micros());
    (starts_at, ends_at.or(starts_at).filter(|_| starts_at.is_some()))
}

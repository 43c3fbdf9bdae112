//! How does a commit become rows?
//!
//! Everything that costs time and needs no database happens here, before the transaction: which change
//! of an id is the last one, and the JSON of each record.

use std::sync::LazyLock;

use integrations_core::Result;
use integrations_core::connection::ServiceId;
use integrations_core::model::{Change, Raw, Record};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, SqliteConnection};

use super::failure::unwritable;
use crate::settled::{Settled, settle, times};

/// Rows per statement, largest first: each statement goes to SQLite's thread and back, and each size
/// is a statement that stays prepared.
const BATCHES: [usize; 3] = [64, 8, 1];

/// The columns that differ from row to row; the stream and the generation come last, once.
const COLUMNS: [&str; 14] = [
    "key",
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
    let updates = COLUMNS[2..]
        .iter()
        .chain(&["generation"])
        .map(|column| format!("{column} = excluded.{column}"))
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "INSERT INTO records ({columns}, stream, generation) VALUES {values} \
         ON CONFLICT (key) DO UPDATE SET {updates}"
    )
}

/// What a commit does to the records of its stream: the deletions first, then the upserts.
pub(super) struct Page {
    /// The ids that are gone, with the records whose parent they are; some may come back in `rows`.
    pub(super) deleted: Vec<String>,
    /// The ids that are gone alone: with their parent, which this commit has deleted.
    pub(super) orphaned: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// A record, ready to be written.
pub(super) struct Row {
    pub(super) id: String,
    kind: &'static str,
    parent: Option<String>,
    title: Option<String>,
    starts_at: Option<i64>,
    ends_at: Option<i64>,
    recurring: bool,
    modified_at: Option<i64>,
    version: Option<String>,
    link: Option<String>,
    service: Option<String>,
    data: String,
    raw: Raw,
}

/// # Errors
/// [`ErrorKind::DataFormat`](integrations_core::ErrorKind::DataFormat) when an entity cannot be written
/// as JSON.
pub(super) fn encode(changes: Vec<Change>, service: &ServiceId, operation: &'static str) -> Result<Page> {
    let Settled { deleted, orphaned, upserts } = settle(changes);
    let rows =
        upserts.into_iter().map(|record| Row::new(record, service, operation)).collect::<Result<_>>()?;
    Ok(Page { deleted, orphaned, rows })
}

impl Row {
    fn new(record: Record, service: &ServiceId, operation: &'static str) -> Result<Self> {
        let Record { entity, source, raw } = record;
        let (starts_at, ends_at) = times(&entity);
        Ok(Self {
            id: source.id,
            kind: entity.kind().as_str(),
            parent: entity.parent_id().map(str::to_owned),
            title: entity.title().map(str::to_owned),
            starts_at,
            ends_at,
            recurring: entity.is_series(),
            modified_at: source.modified_at.map(|time| time.timestamp_micros()),
            version: source.version,
            link: source.link,
            service: (source.service != *service).then(|| source.service.as_str().to_owned()),
            data: serde_json::to_string(&entity).map_err(|_| unwritable("record", operation))?,
            raw,
        })
    }

    fn push(self, key: i64, arguments: &mut SqliteArguments) -> Result<(), sqlx::Error> {
        add(arguments, key)?;
        add(arguments, self.id)?;
        add(arguments, self.kind)?;
        add(arguments, self.parent)?;
        add(arguments, self.title)?;
        add(arguments, self.starts_at)?;
        add(arguments, self.ends_at)?;
        add(arguments, self.recurring)?;
        add(arguments, self.modified_at)?;
        add(arguments, self.version)?;
        add(arguments, self.link)?;
        add(arguments, self.service)?;
        add(arguments, self.data)?;
        add_raw(arguments, &self.raw)
    }
}

/// Writes rows, each under its key: a new one, or that of the record that it replaces.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    stream: i64,
    generation: i64,
    rows: Vec<(i64, Row)>,
) -> Result<(), sqlx::Error> {
    let mut rest = rows.len();
    let mut rows = rows.into_iter();
    for (size, sql) in BATCHES.into_iter().zip(STATEMENTS.iter()) {
        while rest >= size {
            rest -= size;
            let mut arguments = SqliteArguments::default();
            arguments.reserve(size * COLUMNS.len() + 2, 0);
            for (key, row) in rows.by_ref().take(size) {
                row.push(key, &mut arguments)?;
            }
            add(&mut arguments, stream)?;
            add(&mut arguments, generation)?;
            sqlx::query_with(sql.as_str(), arguments).execute(&mut *connection).await?;
        }
    }
    Ok(())
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

//! Which file is it, and how is it opened?

use std::path::Path;
use std::time::Duration;

use integrations_core::{Error, ErrorKind, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};

use super::Durability;
use super::failure::{BUSY, NOT_A_DATABASE, OrStore, primary_code, store_error};
use super::schema;

const OPERATION: &str = "sqlite.open";

/// Turning a new file to WAL fails at once, without waiting, while another process does the same.
const WAL_ATTEMPTS: usize = 100;

pub(super) struct Settings {
    pub(super) durability: Durability,
    pub(super) busy_timeout: Duration,
    pub(super) readers: u32,
}

pub(super) struct Opened {
    pub(super) name: String,
    pub(super) writer: SqliteConnection,
    pub(super) options: SqliteConnectOptions,
    pub(super) readers: SqlitePool,
    pub(super) reader_options: SqliteConnectOptions,
}

pub(super) async fn open(path: &Path, settings: &Settings) -> Result<Opened> {
    let name = check_path(path)?;
    let options = options(settings).filename(path).create_if_missing(true);
    let mut writer = options.connect().await.map_err(|error| describe(error, &name))?;
    schema::migrate(&mut writer, &name).await.map_err(|error| name_file(error, &name))?;
    turn_to_wal(&mut writer, &name).await?;
    let reader_options = options
        .clone()
        .create_if_missing(false)
        .pragma("cache_size", READER_CACHE)
        .pragma("query_only", "ON");
    let readers = SqlitePoolOptions::new()
        .max_connections(settings.readers.max(1))
        .acquire_timeout(settings.busy_timeout.max(Duration::from_secs(1)))
        .test_before_acquire(false)
        .connect_lazy_with(reader_options.clone());
    Ok(Opened { name, writer, options: options.create_if_missing(false), readers, reader_options })
}

pub(super) async fn in_memory(settings: &Settings) -> Result<SqliteConnection> {
    let options = options(settings).in_memory(true);
    let mut connection = options.connect().await.or_store(OPERATION)?;
    schema::migrate(&mut connection, "the database in memory").await?;
    Ok(connection)
}

/// None of these writes to the file: it is not known yet whose it is.
fn options(settings: &Settings) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .busy_timeout(settings.busy_timeout)
        .foreign_keys(true)
        .page_size(PAGE_SIZE)
        .synchronous(match settings.durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Process => SqliteSynchronous::Normal,
        })
        .pragma("cache_size", WRITER_CACHE)
        .pragma("mmap_size", "0")
        .pragma("wal_autocheckpoint", "4000")
        .pragma("journal_size_limit", "67108864")
        .statement_cache_capacity(64)
        .thread_name(|id| format!("integrations-sqlite-{id}"))
        .disable_statement_logging()
}

/// Several records fit in a page; in one of 4096 there is often room for one and a half.
const PAGE_SIZE: u32 = 8192;

/// What a connection may hold of the database, however large that is; in KiB, when negative. The writer
/// holds what a large commit changes, or the pages would be written to the log twice.
const WRITER_CACHE: &str = "-16000";
const READER_CACHE: &str = "-4000";

/// Never opens the file itself: closing a file drops all POSIX locks that the process has on it,
/// SQLite's among them (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
fn check_path(path: &Path) -> Result<String> {
    let refused = |message: String| {
        Err(Error::new(ErrorKind::Configuration, message).with_code("invalid_path").with_operation(OPERATION))
    };
    let Some(text) = path.to_str() else {
        return refused("the path of the database is not UTF-8, which SQLite needs".into());
    };
    if text.is_empty() || text == ":memory:" {
        return refused(
            "the path names no file; for a database in memory use `SqliteStore::in_memory`".into(),
        );
    }
    if text.starts_with("file:") || text.starts_with("sqlite:") {
        return refused("the database is given as a URL; give the path of a file, such as `app.db`".into());
    }
    let Some(name) = path.file_name() else {
        return refused("the path of the database names a directory; give the path of a file".into());
    };
    let name = name.to_string_lossy().into_owned();
    let cannot_open = |message: String| {
        Err(Error::new(ErrorKind::Store, message).with_code("cannot_open").with_operation(OPERATION))
    };
    if path.is_dir() {
        return cannot_open(format!("{name} is a directory; give the path of a file"));
    }
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    if directory.is_some_and(|directory| !directory.is_dir()) {
        return cannot_open(format!(
            "the directory that {name} should be in does not exist; create it, or give another path"
        ));
    }
    Ok(name)
}

async fn turn_to_wal(connection: &mut SqliteConnection, name: &str) -> Result<()> {
    for _ in 0..WAL_ATTEMPTS {
        let turned =
            sqlx::query_scalar::<_, String>("PRAGMA journal_mode = WAL").fetch_one(&mut *connection).await;
        match turned {
            Ok(mode) if mode.eq_ignore_ascii_case("wal") => return Ok(()),
            Ok(_) => {
                return Err(Error::new(
                    ErrorKind::Store,
                    format!("{name} lies where SQLite has no write-ahead log; put it on a local disk"),
                )
                .with_code("no_write_ahead_log")
                .with_operation(OPERATION));
            }
            Err(error) if primary_code(&error) == Some(BUSY) => {
                // This waits until the other one is done, which the pragma does not.
                sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK")
                    .execute(&mut *connection)
                    .await
                    .or_store(OPERATION)?;
            }
            Err(error) => return Err(describe(error, name)),
        }
    }
    Err(Error::new(
        ErrorKind::Store,
        format!("others keep {name} locked while it is to be opened; try again"),
    )
    .with_code("database_busy")
    .with_operation(OPERATION))
}

fn describe(error: sqlx::Error, name: &str) -> Error {
    if primary_code(&error) == Some(NOT_A_DATABASE) {
        not_a_database(name)
    } else {
        store_error(OPERATION, error)
    }
}

fn name_file(error: Error, name: &str) -> Error {
    if error.provider_code() == Some("not_a_database") { not_a_database(name) } else { error }
}

fn not_a_database(name: &str) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("{name} is not a SQLite database and was left as it is; give the path of another file"),
    )
    .with_code("not_a_database")
    .with_operation(OPERATION)
}

//! What do the tables look like, and how does an older file get there?
//!
//! Times are INTEGER microseconds since 1970 in UTC. Hosts may read the tables with their own SQL;
//! they write through the store alone.

use integrations_core::{Error, ErrorKind, Result};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::failure::OrStore;

/// Marks the file as ours (`INTG` in ASCII), so that no other application's database is touched.
const APPLICATION_ID: i64 = 0x494E_5447;

/// Each step leads from the version of its index to the next; a step is never changed, only added.
const STEPS: &[&str] = &[VERSION_1, VERSION_2, VERSION_3];

const VERSION_1: &str = "
CREATE TABLE connections (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    user       TEXT NOT NULL,
    service    TEXT NOT NULL,
    account_id TEXT NOT NULL,
    status     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX connections_owner ON connections (tenant, user);

-- The highest version that a deleted connection had: one that comes after it begins higher.
CREATE TABLE deleted_versions (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    highest INTEGER NOT NULL
);
INSERT INTO deleted_versions (one, highest) VALUES (1, 0);

CREATE TABLE refresh_guards (
    connection TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE streams (
    key        INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    stream     TEXT NOT NULL,
    tenant     TEXT NOT NULL,
    user       TEXT NOT NULL,
    service    TEXT NOT NULL,
    position   TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    fence      INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (connection, stream)
);
CREATE INDEX streams_owner ON streams (tenant, user);

-- ends_at is starts_at where the provider knows no end; both are NULL where an item has no time.
-- service is NULL where it is the stream's.
--
-- There are no constraints that a statement could fail on half-way: SQLite would keep a journal of each
-- statement to undo it, at a quarter of the time of a large commit. The commit is what is undone.
CREATE TABLE records (
    key         INTEGER PRIMARY KEY,
    stream      INTEGER NOT NULL ON CONFLICT ROLLBACK,
    id          TEXT NOT NULL ON CONFLICT ROLLBACK,
    generation  INTEGER,
    kind        TEXT,
    parent      TEXT,
    title       TEXT,
    starts_at   INTEGER,
    ends_at     INTEGER,
    recurring   INTEGER,
    modified_at INTEGER,
    version     TEXT,
    link        TEXT,
    service     TEXT,
    data        TEXT,
    raw         TEXT
);
-- By weeks of 2^39 microseconds, and within a week in the order of arrival: a page of events from all
-- over the years then touches a few places of the index, and not a thousand.
CREATE INDEX records_time ON records (stream, starts_at >> 39, key, starts_at, ends_at);
CREATE INDEX records_generation ON records (stream, generation);
CREATE INDEX records_parent ON records (stream, parent) WHERE parent IS NOT NULL;
CREATE INDEX records_series ON records (stream) WHERE recurring = 1;

-- Which record has an id: in exactly one of the two. See `names.rs`.
CREATE TABLE names (
    stream INTEGER NOT NULL,
    id     TEXT NOT NULL,
    key    INTEGER NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;
CREATE TABLE recent_names (
    stream INTEGER NOT NULL,
    id     TEXT NOT NULL,
    key    INTEGER NOT NULL,
    PRIMARY KEY (stream, id)
) WITHOUT ROWID;

CREATE TABLE quarantine (
    key        INTEGER PRIMARY KEY,
    stream     INTEGER NOT NULL REFERENCES streams (key),
    id         TEXT,
    stage      TEXT NOT NULL,
    path       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    raw        TEXT NOT NULL,
    seen_at    INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
CREATE INDEX quarantine_stream ON quarantine (stream);
CREATE UNIQUE INDEX quarantine_item ON quarantine (stream, id) WHERE id IS NOT NULL;

CREATE TABLE kv (
    key        TEXT PRIMARY KEY,
    value      BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX kv_expiry ON kv (expires_at);
";

const VERSION_2: &str = "
CREATE TABLE audit (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    action     TEXT NOT NULL,
    tenant     TEXT,
    user       TEXT,
    service    TEXT,
    connection TEXT,
    critical   INTEGER NOT NULL,
    body       TEXT NOT NULL
);
CREATE INDEX audit_time ON audit (at);
CREATE INDEX audit_connection ON audit (connection) WHERE connection IS NOT NULL;
CREATE INDEX audit_owner ON audit (tenant, user);
";

const VERSION_3: &str = "
-- Work to be done, and what became of it.
CREATE TABLE jobs (
    key         INTEGER PRIMARY KEY, -- the job's id; later jobs have higher ones
    kind        TEXT NOT NULL,
    tenant      TEXT NOT NULL,
    user        TEXT NOT NULL,
    name        TEXT,                -- the host's key, which makes twins; NULL for a job that has none
    twin        TEXT,                -- a digest of kind, tenant, user and name
    priority    INTEGER NOT NULL,    -- 0 comes first
    state       TEXT NOT NULL,       -- waiting, running, done, dead
    turn        INTEGER,             -- the place in the lane; while a job waits, NULL until its time has come
    due_at      INTEGER,             -- of what runs: when the lease runs out; NULL for what is finished
    failures    INTEGER NOT NULL,
    lost        INTEGER NOT NULL,
    fence       INTEGER,             -- of the last lease
    enqueued_at INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    worker      TEXT,
    progress    TEXT,                -- JSON
    failure     TEXT                 -- JSON
);
-- Each job is in one or two of these at a time. The first answers all that is asked about ready jobs by itself.
CREATE INDEX jobs_ready ON jobs (kind, priority, turn, key, due_at)
    WHERE state = 'waiting' AND turn IS NOT NULL;
CREATE INDEX jobs_delayed ON jobs (kind, priority, due_at) WHERE state = 'waiting' AND turn IS NULL;
CREATE INDEX jobs_running ON jobs (kind, due_at) WHERE state = 'running';
CREATE INDEX jobs_dead ON jobs (kind) WHERE state = 'dead';
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE UNIQUE INDEX jobs_twins ON jobs (twin) WHERE twin IS NOT NULL AND finished_at IS NULL;

-- Apart from the jobs, so that a heartbeat does not write them anew. An empty one has no row.
CREATE TABLE job_payloads (
    job     INTEGER PRIMARY KEY,
    payload BLOB NOT NULL
);

-- What a twin has asked for while a job runs.
CREATE TABLE job_agains (
    job      INTEGER PRIMARY KEY,
    priority INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    payload  BLOB NOT NULL
);

-- The jobs of a kind and priority: the turn that is served, which never goes back, and the highest that was given.
CREATE TABLE job_lanes (
    kind     TEXT NOT NULL,
    priority INTEGER NOT NULL,
    present  INTEGER NOT NULL,
    highest  INTEGER NOT NULL,
    PRIMARY KEY (kind, priority)
) WITHOUT ROWID;

-- The last turn of each user in a lane, unless it is past.
CREATE TABLE job_turns (
    kind     TEXT NOT NULL,
    priority INTEGER NOT NULL,
    tenant   TEXT NOT NULL,
    user     TEXT NOT NULL,
    turn     INTEGER NOT NULL,
    PRIMARY KEY (kind, priority, tenant, user)
) WITHOUT ROWID;
CREATE INDEX job_turns_order ON job_turns (kind, priority, turn);

CREATE TABLE job_kinds (
    kind         TEXT PRIMARY KEY,
    done_ever    INTEGER NOT NULL,
    retried_ever INTEGER NOT NULL,
    dead_ever    INTEGER NOT NULL
) WITHOUT ROWID;

-- The last key of a job, and the last fence of a lease.
CREATE TABLE job_counters (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    job   INTEGER NOT NULL,
    fence INTEGER NOT NULL
);
INSERT INTO job_counters (one, job, fence) VALUES (1, 0, 0);
";

/// Whose file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Nothing is in it yet.
    Empty,
    /// Ours, at the version that this crate knows.
    Current,
    /// Ours, at an older version.
    Older(usize),
}

/// Finds out whose file it is, without writing to it. To be called in a transaction.
///
/// # Errors
/// [`ErrorKind::Configuration`] with code `schema_too_new` or `foreign_database`.
async fn inspect(connection: &mut SqliteConnection, name: &str) -> Result<Found> {
    const OPERATION: &str = "sqlite.open";
    let number = async |sql: &'static str, connection: &mut SqliteConnection| {
        sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await.or_store(OPERATION)
    };
    let application = number("PRAGMA application_id", &mut *connection).await?;
    let version = number("PRAGMA user_version", &mut *connection).await?;
    if application == APPLICATION_ID {
        return match usize::try_from(version) {
            Ok(version) if version == STEPS.len() => Ok(Found::Current),
            Ok(version) if version < STEPS.len() => Ok(Found::Older(version)),
            _ => Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "{name} has schema version {version}, and this version of the crate knows {}; \
                     upgrade the crate, or give another file",
                    STEPS.len()
                ),
            )
            .with_code("schema_too_new")
            .with_operation(OPERATION)),
        };
    }
    let tables = number("SELECT count(*) FROM sqlite_schema", connection).await?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(Found::Empty);
    }
    Err(Error::new(
        ErrorKind::Configuration,
        format!("{name} is the database of another application; give a file of its own to the store"),
    )
    .with_code("foreign_database")
    .with_operation(OPERATION))
}

/// Brings the file to the version that this crate knows, whoever else tries at the same time.
///
/// # Errors
/// As [`inspect`], and [`ErrorKind::Store`].
pub(super) async fn migrate(connection: &mut SqliteConnection, name: &str) -> Result<()> {
    const OPERATION: &str = "sqlite.migrate";
    // In a transaction, so that all that is looked at is of the same moment: another process may be
    // migrating. After a failure the connection is closed, which rolls back as well.
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.or_store(OPERATION)?;
    let found = inspect(&mut *connection, name).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.or_store(OPERATION)?;
    if found == Found::Current {
        return Ok(());
    }
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *connection).await.or_store(OPERATION)?;
    apply_steps(&mut *connection, name).await?;
    sqlx::raw_sql("COMMIT").execute(connection).await.or_store(OPERATION)?;
    Ok(())
}

async fn apply_steps(connection: &mut SqliteConnection, name: &str) -> Result<()> {
    const OPERATION: &str = "sqlite.migrate";
    // Again, now that nobody else can write: another process may have been quicker.
    let done = match inspect(&mut *connection, name).await? {
        Found::Current => return Ok(()),
        Found::Empty => 0,
        Found::Older(version) => version,
    };
    for step in &STEPS[done..] {
        sqlx::raw_sql(*step).execute(&mut *connection).await.or_store(OPERATION)?;
    }
    let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", STEPS.len());
    sqlx::raw_sql(AssertSqlSafe(marks)).execute(connection).await.or_store(OPERATION)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use integrations_core::auth::{ConnectionFilter, TokenStore};
    use integrations_core::cache::KeyValueStore;
    use integrations_core::clock::Clock;
    use integrations_core::observe::{AuditAction, AuditEntry, AuditLog};
    use integrations_core::queue::{JobQuery, JobQueue, NewJob};
    use integrations_core::sync::{StreamState, SyncSink};
    use integrations_testkit::conformance::{clock, connection, stream};
    use sqlx::sqlite::SqliteConnectOptions;
    use sqlx::{ConnectOptions, Connection as _};
    use tokio::sync::Barrier;

    use super::*;
    use crate::SqliteStore;
    use crate::sqlite::{AuditQuery, RecordQuery};

    /// A file as an older version of this crate has left it, with rows in all tables that a host reads.
    async fn old_file(path: &Path, version: usize) {
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).page_size(8192);
        let mut connection = options.connect().await.unwrap();
        for step in &STEPS[..version] {
            sqlx::raw_sql(*step).execute(&mut connection).await.unwrap();
        }
        let body = serde_json::to_string(&self::connection("cn_1", "ada")).unwrap();
        sqlx::query(
            "INSERT INTO connections VALUES ('cn_1', 'default', 'ada', 'test', 'a', 'active', 7, ?, 0, 0)",
        )
        .bind(body)
        .execute(&mut connection)
        .await
        .unwrap();
        let rows = "INSERT INTO kv VALUES ('key', x'76', 9000000000000000); \
             INSERT INTO records (key, stream, id) VALUES (1, 1, 'record'); \
             INSERT INTO names VALUES (1, 'record', 1)";
        sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
        let position = serde_json::to_string(&StreamState::default().position).unwrap();
        let key = stream("cn_1", "primary");
        sqlx::query("INSERT INTO streams VALUES (1, ?, ?, 'default', 'ada', 'test', ?, 5, 3, 0)")
            .bind(key.connection.as_str())
            .bind(key.stream.as_str())
            .bind(position)
            .execute(&mut connection)
            .await
            .unwrap();
        if version >= 2 {
            let entry = AuditEntry::new(AuditAction::Connected, clock().now());
            sqlx::query("INSERT INTO audit (at, action, critical, body) VALUES (0, ?, 0, ?)")
                .bind(entry.action.as_str())
                .bind(serde_json::to_string(&entry).unwrap())
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let marks = format!(
            "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}; PRAGMA journal_mode = WAL"
        );
        sqlx::raw_sql(AssertSqlSafe(marks)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn check(store: &SqliteStore, version: usize) {
        let kept = TokenStore::get(store, &"cn_1".into()).await.unwrap().unwrap();
        assert_eq!(kept.version, 7);
        assert_eq!(KeyValueStore::get(store, "key").await.unwrap().as_deref(), Some(b"v".as_slice()));
        assert_eq!(store.load(&stream("cn_1", "primary")).await.unwrap().revision, 5);
        assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 1);
        assert_eq!(store.audit(&AuditQuery::new()).await.unwrap().len(), usize::from(version >= 2));
    }

    #[tokio::test]
    async fn an_older_file_keeps_its_rows_and_takes_what_is_new() {
        for version in 1..STEPS.len() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("app.db");
            old_file(&path, version).await;
            for opened in 0..2 {
                let store = SqliteStore::builder().clock(Arc::new(clock())).open(&path).await.unwrap();
                check(&store, version + opened).await;
                let entry = AuditEntry::new(AuditAction::Connected, clock().now());
                if version + opened == 1 {
                    store.append(&entry).await.unwrap();
                }
                store.enqueue(vec![NewJob::new("kind", "ada")]).await.unwrap();
                assert_eq!(store.find(&JobQuery::default()).await.unwrap().len(), opened + 1);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn an_older_file_that_many_open_at_once_gets_there_once() {
        const HANDLES: usize = 8;
        for version in 1..STEPS.len() {
            let directory = tempfile::tempdir().unwrap();
            let path = Arc::new(directory.path().join("app.db"));
            old_file(&path, version).await;
            let barrier = Arc::new(Barrier::new(HANDLES));
            let tasks: Vec<_> = (0..HANDLES)
                .map(|_| {
                    let (path, barrier) = (Arc::clone(&path), Arc::clone(&barrier));
                    tokio::spawn(async move {
                        barrier.wait().await;
                        let store = SqliteStore::builder().clock(Arc::new(clock())).open(&*path).await?;
                        check(&store, version).await;
                        store.enqueue(vec![NewJob::new("kind", "ada")]).await
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
            let store = SqliteStore::builder().clock(Arc::new(clock())).open(&*path).await.unwrap();
            assert_eq!(store.find(&JobQuery::default()).await.unwrap().len(), HANDLES);
            assert_eq!(TokenStore::list(&store, &ConnectionFilter::default()).await.unwrap().len(), 1);
            KeyValueStore::put(&store, "more", b"v", Duration::from_secs(1)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_newer_file_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        old_file(&path, STEPS.len()).await;
        let mut raw = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
        let newer = format!("PRAGMA user_version = {}", STEPS.len() + 1);
        sqlx::raw_sql(AssertSqlSafe(newer)).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Configuration, Some("schema_too_new")));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

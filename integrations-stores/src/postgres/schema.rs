//! What do the tables look like, and how does an older schema get there?
//!
//! Times are microseconds since 1970 in UTC. Hosts may read the tables with their own SQL; they write through the
//! store alone.

use integrations_core::{Error, ErrorKind, Result};
use sqlx::{AssertSqlSafe, PgConnection};

use super::PostgresStore;
use super::failure::OrStore;
use super::queue::schema::VERSION_2;

/// Each step leads from the version of its index to the next; a step is never changed, only added.
const STEPS: &[&str] = &[VERSION_1, VERSION_2];

/// Texts are compared byte by byte, whatever the language of the database.
const VERSION_1: &str = r#"
CREATE FUNCTION now_micros(given bigint) RETURNS bigint LANGUAGE sql VOLATILE AS
    'SELECT coalesce(given, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)';

CREATE TABLE connections (
    id         text COLLATE "C" PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL,
    "user"     text COLLATE "C" NOT NULL,
    service    text COLLATE "C" NOT NULL,
    account_id text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL,
    version    bigint NOT NULL,
    body       text NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);
CREATE INDEX connections_owner ON connections (tenant, "user");

-- No number is ever that of two versions: see `tokens.rs`.
CREATE SEQUENCE connection_versions;

CREATE TABLE refresh_guards (
    connection text COLLATE "C" PRIMARY KEY,
    holder     text NOT NULL,
    expires_at bigint NOT NULL
);

CREATE TABLE streams (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    connection text COLLATE "C" NOT NULL,
    stream     text COLLATE "C" NOT NULL,
    tenant     text COLLATE "C" NOT NULL,
    "user"     text COLLATE "C" NOT NULL,
    service    text COLLATE "C" NOT NULL,
    position   text NOT NULL,
    revision   bigint NOT NULL,
    fence      bigint NOT NULL,
    updated_at bigint NOT NULL,
    UNIQUE (connection, stream)
);
CREATE INDEX streams_owner ON streams (tenant, "user");

-- ends_at is starts_at where the provider knows no end; both are NULL where an item has no time.
-- service is NULL where it is the stream's. There is no foreign key to streams: whoever writes or deletes records
-- holds the lock of their stream's row, and the check would cost a look at it for each record. The key says which of two
-- came first; nobody looks for it.
CREATE TABLE records (
    key         bigint GENERATED ALWAYS AS IDENTITY,
    stream      bigint NOT NULL,
    id          text COLLATE "C" NOT NULL,
    generation  bigint NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    parent      text COLLATE "C",
    title       text,
    starts_at   bigint,
    ends_at     bigint,
    recurring   boolean NOT NULL,
    modified_at bigint,
    version     text,
    link        text,
    service     text COLLATE "C",
    data        text NOT NULL,
    raw         bytea NOT NULL,
    PRIMARY KEY (stream, id)
);
CREATE INDEX records_time ON records (stream, starts_at NULLS FIRST, ends_at NULLS FIRST, key);
CREATE INDEX records_generation ON records (stream, generation);
CREATE INDEX records_parent ON records (stream, parent) WHERE parent IS NOT NULL;
CREATE INDEX records_series ON records (stream) WHERE recurring;

CREATE TABLE quarantine (
    key        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream     bigint NOT NULL,
    id         text COLLATE "C",
    stage      text NOT NULL,
    path       text NOT NULL,
    reason     text NOT NULL,
    raw        bytea NOT NULL,
    seen_at    bigint NOT NULL,
    generation bigint NOT NULL
);
CREATE INDEX quarantine_stream ON quarantine (stream, seen_at);
CREATE UNIQUE INDEX quarantine_item ON quarantine (stream, id) WHERE id IS NOT NULL;

CREATE TABLE kv (
    key        text COLLATE "C" PRIMARY KEY,
    value      bytea NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX kv_expiry ON kv (expires_at);

-- The number of the last entry. Whoever adds one locks it, so that entries become visible in their order.
CREATE TABLE audit_last (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    key bigint NOT NULL
);
INSERT INTO audit_last (key) VALUES (0);
CREATE TABLE audit (
    key        bigint PRIMARY KEY,
    at         bigint NOT NULL,
    action     text COLLATE "C" NOT NULL,
    tenant     text COLLATE "C",
    "user"     text COLLATE "C",
    service    text COLLATE "C",
    connection text COLLATE "C",
    critical   boolean NOT NULL,
    body       text NOT NULL
);
CREATE INDEX audit_time ON audit (at);
CREATE INDEX audit_connection ON audit (connection) WHERE connection IS NOT NULL;
CREATE INDEX audit_owner ON audit (tenant, "user");
"#;

/// Marks the schema as ours, so that no other application's tables are touched.
const MARK: &str = "
CREATE TABLE integrations_version (one boolean PRIMARY KEY DEFAULT true CHECK (one), version bigint NOT NULL);
INSERT INTO integrations_version (version) VALUES (0);
";

/// Whose schema it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is no such schema.
    Missing,
    /// Nothing is in it yet.
    Empty,
    /// Ours, at the version that this crate knows.
    Current,
    /// Ours, at an older version.
    Older(usize),
}

/// Finds out whose schema it is, without writing to it.
///
/// # Errors
/// [`ErrorKind::Configuration`] with code `schema_too_new` or `foreign_schema`.
pub(super) async fn inspect(
    connection: &mut PgConnection,
    schema: &str,
    operation: &'static str,
) -> Result<Found> {
    let (exists, objects, marked): (bool, i64, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1), \
           (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1)), \
           EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace($1) \
             AND relname = 'integrations_version' AND relkind = 'r')",
    )
    .bind(schema)
    .fetch_one(&mut *connection)
    .await
    .or_store(operation)?;
    if !marked {
        return match (exists, objects) {
            (false, _) => Ok(Found::Missing),
            (true, 0) => Ok(Found::Empty),
            (true, _) => Err(configuration(
                format!(
                    "the schema {schema} holds the tables of another application; give a schema of its own to the store"
                ),
                "foreign_schema",
                operation,
            )),
        };
    }
    let version: i64 = sqlx::query_scalar("SELECT version FROM integrations_version")
        .fetch_one(connection)
        .await
        .or_store(operation)?;
    match usize::try_from(version) {
        Ok(version) if version == STEPS.len() => Ok(Found::Current),
        Ok(version) if version < STEPS.len() => Ok(Found::Older(version)),
        _ => Err(configuration(
            format!(
                "the schema {schema} has version {version}, and this version of the crate knows {}; upgrade the \
                 crate, or give another schema",
                STEPS.len()
            ),
            "schema_too_new",
            operation,
        )),
    }
}

/// Whether the tables are those that this crate knows.
///
/// # Errors
/// As [`inspect`], and with code `schema_missing` or `schema_outdated`.
pub(super) async fn check(
    connection: &mut PgConnection,
    schema: &str,
    operation: &'static str,
) -> Result<()> {
    match inspect(connection, schema, operation).await? {
        Found::Current => Ok(()),
        Found::Missing | Found::Empty => Err(configuration(
            format!(
                "the tables are not in the schema {schema} yet; call `migrate()` once before the store is used"
            ),
            "schema_missing",
            operation,
        )),
        Found::Older(version) => Err(configuration(
            format!(
                "the schema {schema} has version {version}, and this version of the crate needs {}; call `migrate()`",
                STEPS.len()
            ),
            "schema_outdated",
            operation,
        )),
    }
}

/// Brings the schema to the version that this crate knows, whoever else tries at the same time.
///
/// # Errors
/// As [`inspect`].
pub(super) async fn migrate(store: &PostgresStore) -> Result<()> {
    const OPERATION: &str = "postgres.migrate";
    let schema = store.inner.schema.clone();
    store
        .transaction_unchecked(OPERATION, move |connection| {
            let schema = schema.clone();
            Box::pin(async move { apply_steps(connection, &schema, OPERATION).await })
        })
        .await
}

async fn apply_steps(connection: &mut PgConnection, schema: &str, operation: &'static str) -> Result<()> {
    // One at a time: it waits for another's whole migration, however long that takes.
    sqlx::query("SELECT set_config('lock_timeout', '0', true)")
        .execute(&mut *connection)
        .await
        .or_store(operation)?;
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('integrations.' || $1, 0))")
        .bind(schema)
        .execute(&mut *connection)
        .await
        .or_store(operation)?;
    let found = inspect(&mut *connection, schema, operation).await?;
    let (make, done) = match found {
        Found::Current => return Ok(()),
        Found::Missing => (format!("CREATE SCHEMA {schema}; {MARK}"), 0),
        Found::Empty => (MARK.to_owned(), 0),
        Found::Older(version) => (String::new(), version),
    };
    let mark = format!("UPDATE integrations_version SET version = {}", STEPS.len());
    let script = format!("{make} {} {mark}", STEPS[done..].concat());
    sqlx::raw_sql(AssertSqlSafe(script)).execute(connection).await.or_store(operation)?;
    Ok(())
}

fn configuration(message: String, code: &'static str, operation: &'static str) -> Error {
    Error::new(ErrorKind::Configuration, message).with_code(code).with_operation(operation)
}

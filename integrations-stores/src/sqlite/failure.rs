//! What does a failure of SQLite mean to the host?

use integrations_core::{Error, ErrorKind, Result};

/// SQLite's primary result codes (<https://www.sqlite.org/rescode.html>) that a host can act on.
const FAILURES: &[(i32, &str, &str)] = &[
    (5, "database_busy", "another process has held the database's write lock for too long; try again"),
    (6, "database_busy", "another connection has held the database for too long; try again"),
    (
        8,
        "database_read_only",
        "the database cannot be written; check the rights on its file and its directory",
    ),
    (10, "disk_failed", "the disk failed to read or write the database; check the disk and the system's log"),
    (11, "database_corrupt", "the database file is damaged; restore it from a backup"),
    (13, "disk_full", "the disk is full, and nothing was written; free some space and try again"),
    (
        14,
        "cannot_open",
        "the database file cannot be opened; check that its directory exists and the rights on it",
    ),
    (NOT_A_DATABASE, "not_a_database", "the file is not a SQLite database; give the path of another file"),
];

pub(super) const BUSY: i32 = 5;
pub(super) const NOT_A_DATABASE: i32 = 26;

/// SQLite's primary result code, if the failure is SQLite's own.
pub(super) fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// SQLite's messages name tables and columns and never a value: all values are bound.
pub(super) fn store_error(operation: &'static str, error: sqlx::Error) -> Error {
    let known = primary_code(&error).and_then(|code| FAILURES.iter().find(|(known, ..)| *known == code));
    let described = match (known, &error) {
        (Some((_, code, message)), _) => Error::new(ErrorKind::Store, *message).with_code(*code),
        (None, sqlx::Error::PoolTimedOut) => Error::new(
            ErrorKind::Store,
            "all connections for reading have been in use for too long; read smaller pages, or try again",
        )
        .with_code("database_busy"),
        (None, _) => Error::new(ErrorKind::Store, "the database failed; the cause says more"),
    };
    described.with_operation(operation).with_source(error)
}

/// Names the operation that failed.
pub(super) trait OrStore<T> {
    fn or_store(self, operation: &'static str) -> Result<T>;
}

impl<T> OrStore<T> for Result<T, sqlx::Error> {
    fn or_store(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| store_error(operation, error))
    }
}

/// SQLite's integers have 63 bits and a sign.
pub(super) fn integer(number: u64, operation: &'static str) -> Result<i64> {
    i64::try_from(number).map_err(|_| {
        Error::new(ErrorKind::InvalidRequest, "a revision, fence or generation is larger than 2^63 - 1")
            .with_operation(operation)
    })
}

/// The other way; what is stored came through [`integer`].
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// A stored text that is not what this version of the crate has written.
pub(super) fn unreadable(what: &'static str, operation: &'static str, error: &serde_json::Error) -> Error {
    // The category alone: the error's own text may quote the value.
    let category = format!("{:?} error in stored JSON", error.classify());
    Error::new(
        ErrorKind::DataFormat,
        format!("a stored {what} cannot be read; was it written by a newer version of this crate?"),
    )
    .with_code("stored_json")
    .with_operation(operation)
    .with_source(category)
}

/// A model that cannot be written as JSON.
pub(super) fn unwritable(what: &'static str, operation: &'static str) -> Error {
    Error::new(ErrorKind::DataFormat, format!("a {what} cannot be written as JSON"))
        .with_code("stored_json")
        .with_operation(operation)
}

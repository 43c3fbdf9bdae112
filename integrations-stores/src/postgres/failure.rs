//! What does a failure of PostgreSQL mean to the host?

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use integrations_core::clock::{Clock, SystemClock};
use integrations_core::{Error, ErrorKind, Result};

use ErrorKind::{Configuration, InvalidRequest, Store};

/// SQLSTATE codes and classes (<https://www.postgresql.org/docs/current/errcodes-appendix.html>) that a host can
/// act on; a code stands before its class.
const FAILURES: &[(&str, ErrorKind, &str, &str)] = &[
    ("08", Store, "database_unreachable", UNREACHABLE),
    ("22021", InvalidRequest, "invalid_text", "PostgreSQL keeps no text with a zero byte; remove it"),
    (
        "25006",
        Store,
        "database_read_only",
        "the server takes no writes, as a standby does; give the address of the primary, or wait for the failover",
    ),
    (
        "25P03",
        Store,
        "transaction_timeout",
        "the server has ended a transaction in which nothing happened for too long; try again",
    ),
    (
        "28",
        Configuration,
        "access_denied",
        "the server refuses the user or its password; check both in the URL",
    ),
    ("3D000", Configuration, "database_missing", "there is no such database; create it, or correct the URL"),
    ("3F000", Configuration, "schema_missing", MISSING),
    ("40001", Store, TRANSACTION_CONFLICT, CONFLICT),
    ("40P01", Store, TRANSACTION_CONFLICT, CONFLICT),
    ("42501", Configuration, "privilege_missing", "the database user lacks a right on the schema; grant it"),
    ("42883", Configuration, "schema_missing", MISSING),
    ("42P01", Configuration, "schema_missing", MISSING),
    (
        "53100",
        Store,
        "disk_full",
        "the server's disk is full, and nothing was written; free some space and try again",
    ),
    ("53200", Store, "out_of_memory", "the server is out of memory; try again later"),
    (
        "53300",
        Store,
        "too_many_connections",
        "the server has no connection left; lower `max_connections` of the stores, or raise the server's",
    ),
    ("53", Store, "server_overloaded", "the server is short of a resource; try again later"),
    ("55P03", Store, "database_busy", "another transaction has held a lock for too long; try again"),
    (
        "57014",
        Store,
        "statement_cancelled",
        "the server has cancelled the statement; is its `statement_timeout` short?",
    ),
    ("57P", Store, "database_restarting", "the server shuts down or starts up; try again in a moment"),
    ("58", Store, "disk_failed", "the server failed to read or write its files; check its disk and its log"),
    ("XX001", Store, "database_corrupt", "the database is damaged; restore it from a backup"),
    ("XX002", Store, "database_corrupt", "an index of the database is damaged; REINDEX it"),
];

/// Two transactions were in each other's way, and this one was undone. It is tried again by itself.
pub(super) const TRANSACTION_CONFLICT: &str = "transaction_conflict";

const UNREACHABLE: &str = "the connection to the database could not be made or was lost; try again, and check the \
                           server and the network if it stays so";
const MISSING: &str = "the tables are not there; call `migrate()` once before the store is used";
const CONFLICT: &str = "other transactions were in the way each time; try again";

/// When a connection was last found to be of no more use, in microseconds of [`CLOCK`]; by any store of the process,
/// as one new connection too many does no harm.
static LAST_LOSS: AtomicU64 = AtomicU64::new(0);
pub(super) static CLOCK: LazyLock<SystemClock> = LazyLock::new(SystemClock::new);

/// Whether a connection was lost within the last `age`: then one of that age leads to the same place, or did.
pub(super) fn lost_within(age: Duration) -> bool {
    let last = Duration::from_micros(LAST_LOSS.load(Ordering::Relaxed));
    !last.is_zero() && CLOCK.monotonic() <= last.saturating_add(age)
}

/// Whether an error says that its connection is of no more use.
pub(super) fn says_loss(error: &Error) -> bool {
    let codes = ["database_unreachable", "database_read_only", "database_restarting", "transaction_timeout"];
    error.provider_code().is_some_and(|code| codes.contains(&code))
}

/// Whether the connection is gone, or leads to a server that is not the primary any more. Whatever ran on it may or may
/// not have happened.
pub(super) fn is_loss(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => {
            let state = error.code().unwrap_or_default();
            ["08", "25006", "25P03", "57P"].iter().any(|prefix| state.starts_with(prefix))
        }
        _ => false,
    }
}

pub(super) fn store_error(operation: &'static str, error: sqlx::Error) -> Error {
    if is_loss(&error) {
        let now = u64::try_from(CLOCK.monotonic().as_micros()).unwrap_or(u64::MAX);
        LAST_LOSS.fetch_max(now.max(1), Ordering::Relaxed);
    }
    let error = match error {
        sqlx::Error::Database(error) => {
            let state = error.code().unwrap_or_default();
            let known = FAILURES.iter().find(|(prefix, ..)| state.starts_with(prefix));
            let described = match known {
                Some((_, kind, code, message)) => Error::new(*kind, *message).with_code(*code),
                None => Error::new(Store, "the database failed; the cause says more"),
            };
            // Not the error itself: its details quote the values of rows.
            described.with_source(format!("SQLSTATE {state}: {}", error.message()))
        }
        error @ (sqlx::Error::Io(_) | sqlx::Error::Tls(_)) => {
            Error::new(Store, UNREACHABLE).with_code("database_unreachable").with_source(error)
        }
        error @ sqlx::Error::PoolTimedOut => Error::new(
            Store,
            "no connection became free in time: the server cannot be reached, or all are in use for too long; \
             try again, or raise `max_connections`",
        )
        .with_code("database_busy")
        .with_source(error),
        // Its text may quote a part of the URL.
        sqlx::Error::Configuration(_) => Error::new(
            Configuration,
            "the URL of the database cannot be read; give one like `postgres://user@host:5432/database`",
        )
        .with_code("invalid_url"),
        error => Error::new(Store, "the database failed; the cause says more").with_source(error),
    };
    error.with_operation(operation)
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

/// How long a statement may take. A server that has vanished with its machine says nothing, and nothing else would ever
/// tell: the family's statements take milliseconds, and wait for a lock for half of this at the most.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one may take that deletes millions of rows.
const LONGEST_ANSWER_TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Waits for the server's answer, and not for ever.
pub(super) trait Answered<T> {
    /// For a statement about a bounded number of rows.
    fn answered(self, operation: &'static str) -> impl Future<Output = Result<T>> + Send;

    /// For a statement about any number of rows.
    fn answered_at_last(self, operation: &'static str) -> impl Future<Output = Result<T>> + Send;
}

impl<T: Send, F: Future<Output = Result<T, sqlx::Error>> + Send> Answered<T> for F {
    async fn answered(self, operation: &'static str) -> Result<T> {
        within(ANSWER_TIMEOUT, self).await.or_store(operation)
    }

    async fn answered_at_last(self, operation: &'static str) -> Result<T> {
        within(LONGEST_ANSWER_TIMEOUT, self).await.or_store(operation)
    }
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let (mut answer, mut late) = (pin!(answer), CLOCK.sleep(limit));
    let first = poll_fn(|context| match answer.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => late.as_mut().poll(context).map(|()| None),
    });
    first.await.unwrap_or_else(|| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
}

/// PostgreSQL's integers have 63 bits and a sign.
pub(super) fn integer(number: u64, operation: &'static str) -> Result<i64> {
    i64::try_from(number).map_err(|_| {
        Error::new(InvalidRequest, "a revision, fence or generation is larger than 2^63 - 1")
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

#[cfg(test)]
mod tests {
    use sqlx::AssertSqlSafe;

    use super::*;
    use crate::postgres::PostgresStore;

    #[test]
    fn a_code_stands_before_its_class() {
        for (index, (one, ..)) in FAILURES.iter().enumerate() {
            assert!(
                FAILURES[..index].iter().all(|(before, ..)| !one.starts_with(before)),
                "{one} is never reached"
            );
        }
    }

    #[tokio::test]
    #[ignore = "needs postgres"]
    async fn each_state_of_the_server_has_its_code_and_says_what_to_do() {
        let url = std::env::var("POSTGRES_URL")
            .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
        // Nothing is made in it.
        let store =
            PostgresStore::builder().schema("test_failures").max_connections(1).connect(&url).await.unwrap();
        for (prefix, kind, code, message) in FAILURES {
            let raise =
                format!("DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '{prefix:0<5}'; END $$");
            let raised = sqlx::raw_sql(AssertSqlSafe(raise)).execute(store.pool()).await.or_store("test");
            let error = raised.unwrap_err();
            assert_eq!((error.kind(), error.provider_code()), (*kind, Some(*code)), "{prefix}");
            assert_eq!((error.message(), error.operation()), (*message, Some("test")));
            assert_eq!(says_loss(&error), ["08", "25006", "25P03", "57P"].contains(prefix), "{prefix}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_is_not_waited_for_without_end() {
        let silence = std::future::pending::<Result<(), sqlx::Error>>();
        for error in [
            silence.answered("test").await.unwrap_err(),
            std::future::pending::<Result<(), sqlx::Error>>().answered_at_last("test").await.unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.provider_code()), (Store, Some("database_unreachable")));
        }
        assert!(lost_within(Duration::MAX));
    }
}

//! What does a failure of Redis mean to the host?

use integrations_core::{Error, ErrorKind, Result};
use redis::{ErrorKind as Kind, RedisError, ServerErrorKind as Server};

/// What the server says first, and what that means.
const SAID: &[(&str, ErrorKind, &str, &str)] = &[
    (
        "OOM",
        ErrorKind::Store,
        "redis_out_of_memory",
        "the server has no memory left; give it more, or purge the history",
    ),
    (
        "NOAUTH",
        ErrorKind::Configuration,
        "redis_credentials",
        "the server wants credentials; put them into its URL",
    ),
    (
        "WRONGPASS",
        ErrorKind::Configuration,
        "redis_credentials",
        "the server refuses the credentials in its URL",
    ),
    (
        "NOPERM",
        ErrorKind::Configuration,
        "redis_credentials",
        "the user in the URL may not do this; give it the rights",
    ),
    (
        "MISCONF",
        ErrorKind::Store,
        "redis_disk_failed",
        "the server cannot write its file, and refuses writes; see its log",
    ),
    ("BUSY", ErrorKind::Store, "redis_busy", "another script keeps the server busy; try again"),
];

const UNREACHABLE: &str = "redis_unreachable";

/// What the server says may quote an argument: it is not kept, but for its first word.
pub(super) fn store_error(operation: &'static str, error: &RedisError) -> Error {
    let code = error.code().unwrap_or_default().to_owned();
    let said = SAID.iter().find(|(word, ..)| *word == code);
    let described = match (said, error.kind()) {
        (Some((_, kind, code, message)), _) => Error::new(*kind, *message).with_code(*code),
        (None, Kind::AuthenticationFailed) => {
            Error::new(ErrorKind::Configuration, "the server refuses the credentials in its URL")
                .with_code("redis_credentials")
        }
        (None, Kind::Server(Server::BusyLoading)) => {
            Error::new(ErrorKind::Store, "the server starts, and reads its file; try again").with_code("redis_loading")
        }
        (None, Kind::Server(Server::ReadOnly)) => Error::new(
            ErrorKind::Store,
            "the server is a replica and takes no writes; after a failover, see where its name leads",
        )
        .with_code("redis_read_only"),
        (
            None,
            Kind::Server(
                Server::Moved
                | Server::Ask
                | Server::TryAgain
                | Server::ClusterDown
                | Server::CrossSlot
                | Server::MasterDown,
            ),
        ) => Error::new(
            ErrorKind::Store,
            "a part of the cluster is away or moves; give the address of the node that has the prefix, and try again",
        )
        .with_code("redis_cluster"),
        (None, Kind::Io) => unreachable(),
        (None, _) if error.is_unrecoverable_error() || error.is_timeout() || error.is_connection_dropped() => {
            unreachable()
        }
        (None, _) => Error::new(ErrorKind::Store, "Redis failed; the cause says more").with_code("redis_failed"),
    };
    let cause = if code.is_empty() { format!("{:?}", error.kind()) } else { code };
    described.with_operation(operation).with_source(cause)
}

fn unreachable() -> Error {
    Error::new(ErrorKind::Store, "the server cannot be reached, or does not answer in time; try again")
        .with_code(UNREACHABLE)
}

/// Names the operation that failed.
pub(super) trait OrStore<T> {
    fn or_store(self, operation: &'static str) -> Result<T>;
}

impl<T> OrStore<T> for Result<T, RedisError> {
    fn or_store(self, operation: &'static str) -> Result<T> {
        self.map_err(|error| store_error(operation, &error))
    }
}

/// An answer that no script of this version gives.
pub(super) fn odd(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::DataFormat,
        "a stored job cannot be read; was it written by a newer version of this crate?",
    )
    .with_code("stored_job")
    .with_operation(operation)
}

//! What does a failure of NATS mean to the host?

use async_nats::ConnectErrorKind;
use integrations_core::{Error, ErrorKind};
use serde::Deserialize;

use ErrorKind::{Configuration, Store};

/// What JetStream answers when it refuses a request.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) code: u16,
    #[serde(default)]
    pub(super) err_code: u32,
    #[serde(default)]
    description: String,
}

/// `err_code`s of JetStream (<https://github.com/nats-io/nats-server/blob/main/server/errors.json>).
pub(super) const WRONG_LAST_SEQUENCE: u32 = 10071;
pub(super) const MESSAGE_NOT_FOUND: u32 = 10037;
pub(super) const STREAM_NOT_FOUND: u32 = 10059;
pub(super) const STREAM_NAME_IN_USE: u32 = 10058;
const DELETE_FAILED: u32 = 10057;
const SEQUENCE_NOT_FOUND: u32 = 10043;

const FAILURES: &[(u32, ErrorKind, &str, &str)] = &[
    (10002, Store, "storage_full", FULL),
    (10008, Store, "nats_no_leader", NO_LEADER),
    (10009, Store, "nats_no_leader", NO_LEADER),
    (10023, Store, "storage_full", FULL),
    (10028, Store, "storage_full", FULL),
    (10039, Configuration, "jetstream_disabled", DISABLED),
    (10047, Store, "storage_full", FULL),
    (10054, Store, "record_too_large", TOO_LARGE),
    (STREAM_NAME_IN_USE, Configuration, "foreign_stream", FOREIGN),
    (STREAM_NOT_FOUND, Configuration, "stream_missing", MISSING),
    (10065, Configuration, "foreign_stream", FOREIGN),
    (
        10074,
        Configuration,
        "too_few_servers",
        "the cluster has not as many servers as the streams are to have replicas; \
      set `replicas` lower",
    ),
    (10076, Configuration, "jetstream_disabled", DISABLED),
    (10077, Store, "storage_full", FULL),
];

const UNREACHABLE: &str = "the NATS server did not answer in time; what was asked for may or may not have happened: \
                           try again, and check the server and the network if it stays so";
const DISABLED: &str = "the NATS server, or this account on it, has no JetStream; start the server with `-js`, or \
                        enable JetStream for the account";
const MISSING: &str = "the streams are not there; call `migrate()` once before the queue is used";
const FOREIGN: &str =
    "the streams or subjects of this name belong to something else; give the queue another name";
const FULL: &str = "JetStream has no room left; raise its limits or free some space, and try again";
const NO_LEADER: &str = "the NATS cluster has no leader at the moment; try again";
pub(super) const TOO_LARGE: &str = "a job with what came while it runs is larger than the server's `max_payload`; raise that, \
                         or keep what is large elsewhere";

/// Whether there was nothing to delete.
pub(super) fn is_nothing_to_delete(refusal: &Refusal) -> bool {
    matches!(refusal.err_code, DELETE_FAILED | MESSAGE_NOT_FOUND | SEQUENCE_NOT_FOUND)
}

/// JetStream's descriptions name streams and limits, and never a value.
pub(super) fn refused(operation: &'static str, refusal: &Refusal) -> Error {
    let known = FAILURES.iter().find(|(code, ..)| *code == refusal.err_code);
    let described = match known {
        Some((_, kind, code, message)) => Error::new(*kind, *message).with_code(*code),
        None if refusal.code == 503 => Error::new(Store, NO_LEADER).with_code("nats_unavailable"),
        None => Error::new(Store, "JetStream has refused a request; the cause says more")
            .with_code("nats_refused"),
    };
    described.with_operation(operation).with_source(format!("{}: {}", refusal.err_code, refusal.description))
}

pub(super) fn unreachable(operation: &'static str) -> Error {
    Error::new(Store, UNREACHABLE).with_code("nats_unreachable").with_operation(operation)
}

pub(super) fn disabled(operation: &'static str) -> Error {
    Error::new(Configuration, DISABLED).with_code("jetstream_disabled").with_operation(operation)
}

pub(super) fn missing(operation: &'static str) -> Error {
    Error::new(Configuration, MISSING).with_code("stream_missing").with_operation(operation)
}

/// Nobody listens to the streams' subjects, and they were there.
pub(super) fn unavailable(operation: &'static str) -> Error {
    Error::new(
        Store,
        "the NATS server does not serve the streams at the moment; try again, and see whether they were deleted if \
         it stays so",
    )
    .with_code("nats_unavailable")
    .with_operation(operation)
}

pub(super) fn too_large(operation: &'static str) -> Error {
    Error::new(Store, TOO_LARGE).with_code("record_too_large").with_operation(operation)
}

/// Not the error itself: its text may quote a part of the URL.
pub(super) fn not_connected(kind: ConnectErrorKind) -> Error {
    use ConnectErrorKind as Kind;
    let error = match kind {
        Kind::ServerParse => invalid_url(),
        Kind::Authentication | Kind::AuthorizationViolation => Error::new(
            Configuration,
            "the NATS server refuses the user or its credentials; check both in the URL",
        )
        .with_code("access_denied"),
        Kind::Tls => Error::new(
            Store,
            "no TLS connection to the NATS server could be made; check its certificate and the host in the URL",
        )
        .with_code("nats_unreachable"),
        _ => Error::new(
            Store,
            "the NATS server cannot be reached; check its address, and whether it runs",
        )
        .with_code("nats_unreachable"),
    };
    error.with_operation("nats.connect").with_source(kind.to_string())
}

pub(super) fn invalid_url() -> Error {
    Error::new(Configuration, "the URL of the server cannot be read; give one like `nats://host:4222`")
        .with_code("invalid_url")
        .with_operation("nats.connect")
}

/// A stored message that is not what this version of the crate has written.
pub(super) fn unreadable(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::DataFormat,
        "a stored job cannot be read; was it written by a newer version of this crate?",
    )
    .with_code("stored_json")
    .with_operation(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_what_to_do_next() {
        let refusal = |err_code, code| Refusal { code, err_code, description: "stream not found".into() };
        let error = refused("queue.lease", &refusal(STREAM_NOT_FOUND, 404));
        assert_eq!((error.kind(), error.provider_code()), (Configuration, Some("stream_missing")));
        assert_eq!(refused("queue.lease", &refusal(1, 503)).provider_code(), Some("nats_unavailable"));
        assert_eq!(refused("queue.lease", &refusal(1, 400)).provider_code(), Some("nats_refused"));
    }

    #[test]
    fn the_table_names_each_code_once() {
        let codes: std::collections::BTreeSet<u32> = FAILURES.iter().map(|(code, ..)| *code).collect();
        assert_eq!(codes.len(), FAILURES.len());
    }
}

//! Which room reads a stream, and how is a position written?

use integrations_core::adapter::{Page, Pull};
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api::Api;
use super::{NOTIFICATIONS, notifications, repository};

/// One page of a stream.
pub(super) async fn read(api: Api<'_>, pull: Pull<'_>) -> Result<Page> {
    match pull.stream.as_str() {
        NOTIFICATIONS => notifications::read(api, pull).await,
        _ => repository::read(api, pull).await,
    }
}

/// One call that costs nothing of the hour's, and is refused with a token that is none any more.
pub(super) async fn check(api: Api<'_>) -> Result<()> {
    match api.get("rate-limit.get", api.url(&["rate_limit"])?, None).await {
        // An Enterprise Server may have no limits.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        outcome => outcome.map(drop),
    }
}

/// Writes a mark, or a place on the way.
pub(super) fn write(what: &impl Serialize) -> Result<Cursor> {
    let text = serde_json::to_string(what);
    text.map(Cursor::new).map_err(|_| Error::new(ErrorKind::DataFormat, "the position cannot be written"))
}

/// Reads what was written. What another version wrote, and this one cannot read, is a position that is lost.
pub(super) fn parse<T: DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    serde_json::from_str(cursor.as_str())
        .map_err(|_| lost("the position is none that this version has written"))
}

pub(super) fn lost(message: &'static str) -> Error {
    Error::new(ErrorKind::CursorExpired, message)
}

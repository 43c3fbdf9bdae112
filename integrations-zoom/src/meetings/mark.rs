//! How is written what is carried from one page to the next, and from one run to the next?

use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a mark, or a place on the way.
pub(super) fn write(what: &impl Serialize) -> Result<Cursor> {
    let text = serde_json::to_string(what);
    text.map(Cursor::new).map_err(|_| Error::new(ErrorKind::DataFormat, "the position cannot be written"))
}

/// Reads what was written. What another version wrote, and this one cannot read, is a position that is lost.
pub(super) fn read<T: DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    serde_json::from_str(cursor.as_str())
        .map_err(|_| lost("the position is none that this version has written"))
}

pub(super) fn lost(message: &'static str) -> Error {
    Error::new(ErrorKind::CursorExpired, message)
}

//! How does a listing begin, pause and go on?

use super::Google;
use super::errors;
use super::listing::Window;
use super::query::Query;
use super::tokens::{Cursor, Kind, shape};
use crate::random::hash_text;
use crate::server::Reply;

/// Parameters that may change from page to page.
const SHAPELESS: [&str; 4] = ["alt", "maxResults", "pageToken", "prettyPrint"];

/// One request for a page of a listing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) cursor: Cursor,
    /// Whether a page came before this one.
    pub(super) continued: bool,
    /// Whether the listing has an empty page with a successor in its middle.
    pub(super) empty_pages: bool,
}

impl Paging {
    /// Takes the listing up where its page token says, or at the beginning. Every page must be asked for
    /// with the parameters of the first one.
    pub(super) fn begin(
        google: &Google,
        query: &Query,
        kind: Kind,
        collection: &str,
        epoch: u64,
        next: u64,
    ) -> Result<Self, Reply> {
        let unchanging = query.iter().filter(|(name, _)| !SHAPELESS.contains(name));
        let first = Cursor {
            kind,
            collection: hash_text(collection),
            epoch,
            shape: shape(unchanging),
            next,
            upto: 0,
            window: Window::ALL,
            paused: false,
        };
        let (continued, empty_pages) = (query.get("pageToken").is_some(), google.empty_pages);
        let Some(token) = query.get("pageToken") else {
            return Ok(Self { cursor: first, continued, empty_pages });
        };
        let same = |cursor: &Cursor| {
            (cursor.kind, cursor.collection, cursor.epoch, cursor.shape)
                == (first.kind, first.collection, first.epoch, first.shape)
        };
        let cursor = google.codec.decode(token).filter(same);
        let cursor = cursor.ok_or_else(|| errors::argument("Invalid page token."))?;
        Ok(Self { cursor, continued, empty_pages })
    }

    /// Serves a page; returns where the listing goes on. The page in the middle stays empty, and even a
    /// short listing has it when empty pages are wanted.
    pub(super) fn serve(
        &self,
        at_end: Cursor,
        page: impl FnOnce(&Cursor) -> Option<Cursor>,
    ) -> Option<Cursor> {
        let pausing = self.empty_pages && !self.cursor.paused;
        if pausing && self.continued {
            return Some(Cursor { paused: true, ..self.cursor });
        }
        page(&self.cursor).or_else(|| pausing.then_some(at_end))
    }
}

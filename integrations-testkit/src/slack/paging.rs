//! How does a listing go on from page to page?
//!
//! Every item of a listing has a place that never changes, a position or a `ts`. A cursor names the place
//! of the next item, so a page costs what it serves, whatever came or went in between.

use super::Slack;
use super::cursor::{Cursor, shape};
use super::errors::refused;
use super::method::Row;
use super::query::Query;
use crate::oauth::Caller;
use crate::random::hash_text;
use crate::server::Reply;

/// Where a page begins, and how much it may hold.
pub(super) struct Listing {
    cursor: Cursor,
    /// `None`: whatever there is.
    pub(super) limit: Option<usize>,
    /// Whether a page went before.
    pub(super) continued: bool,
}

/// The items of a page, as the inside of a JSON array.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) items: Vec<u8>,
    pub(super) count: usize,
    pub(super) next: Option<String>,
}

impl Page {
    fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.count > 0 {
            self.items.push(b',');
        }
        self.count += 1;
        write(&mut self.items);
    }
}

impl Slack {
    /// The listing that a call begins, at the place `first`, or goes on with.
    pub(super) fn listing(
        &self,
        row: &Row,
        caller: &Caller,
        query: &Query,
        first: u64,
    ) -> Result<Listing, Reply> {
        let limit = query.limit(row.page)?.or((self.page_cap < usize::MAX).then_some(usize::MAX));
        let fresh = Cursor {
            listing: hash_text(row.name) ^ hash_text(&caller.user).rotate_left(32),
            epoch: self.cursor_epoch(),
            shape: shape(query.iter()),
            next: first,
            paused: false,
        };
        let limit = limit.map(|limit| limit.min(self.page_cap));
        let Some(text) = query.cursor() else {
            return Ok(Listing { cursor: fresh, limit, continued: false });
        };
        let cursor = self
            .codec
            .decode(text)
            .filter(|cursor| Cursor { next: fresh.next, paused: false, ..*cursor } == fresh)
            .ok_or_else(|| refused("invalid_cursor"))?;
        Ok(Listing { cursor, limit, continued: true })
    }

    /// Serves a page of the items that `due` has from a place on; `end` is behind every place.
    pub(super) fn page<T, I: Iterator<Item = (u64, T)>>(
        &self,
        listing: &Listing,
        end: u64,
        due: impl FnOnce(u64) -> I,
        mut write: impl FnMut(T, &mut Vec<u8>),
    ) -> Page {
        let mut page = Page::default();
        let cursor = &listing.cursor;
        let pausing = self.empty_pages && !cursor.paused;
        let next = if pausing && listing.continued {
            Some(Cursor { paused: true, ..*cursor })
        } else {
            let mut due = due(cursor.next);
            let limit = listing.limit.unwrap_or(usize::MAX);
            let next = loop {
                match due.next() {
                    None => break None,
                    Some((place, _)) if page.count == limit => break Some(place),
                    Some((_, item)) => page.push(|items| write(item, items)),
                }
            };
            // Even a short listing has its empty page when empty pages are wanted.
            next.or(pausing.then_some(end)).map(|next| Cursor { next, ..*cursor })
        };
        page.next = next.map(|next| self.codec.encode(&next));
        page
    }
}

/// An answer with one page of a listing under `name`, and the cursor that directories always have.
pub(super) fn directory(name: &str, page: Page, more: &str) -> Reply {
    let next = page.next.unwrap_or_default();
    let mut body = Vec::with_capacity(page.items.len() + 128);
    for part in [b"{\"ok\":true,\"".as_slice(), name.as_bytes(), b"\":[", &page.items, b"]", more.as_bytes()]
    {
        body.extend_from_slice(part);
    }
    for part in [",\"response_metadata\":{\"next_cursor\":\"", &next, "\"}}"] {
        body.extend_from_slice(part.as_bytes());
    }
    Reply::json(200, body)
}

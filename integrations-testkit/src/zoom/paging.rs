//! How does a listing go on from page to page?
//!
//! A token names the place of the next item, or how many came before it. The older `page_number` counts pages from the beginning.

use std::sync::atomic::Ordering;

use super::Zoom;
use super::access::Caller;
use super::choices::{ExpiredPages, PageTokens};
use super::cursor::{Cursor, Place, shape};
use super::errors::{invalid, no_page};
use super::operation::Asked;
use super::query::Query;
use crate::random::hash_text;
use crate::server::Reply;

/// Behind every item.
const END: Place = Place { at: i64::MAX, id: u64::MAX, number: i64::MAX };

/// A page of a listing.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    next: String,
    size: usize,
    total: usize,
    number: Option<usize>,
}

impl<T> Page<T> {
    /// The answer, with the items as JSON under `name`; `more` is what else stands in it.
    pub(super) fn answer(&self, name: &str, items: &[String], more: &str) -> Reply {
        let Self { next, size, total, number, .. } = self;
        let pages = total.div_ceil((*size).max(1));
        let number = number.map_or(String::new(), |number| format!(r#""page_number":{number},"#));
        let body = format!(
            r#"{{{more}"page_count":{pages},{number}"page_size":{size},"total_records":{total},"next_page_token":"{next}","{name}":[{}]}}"#,
            items.join(",")
        );
        Reply { items: items.len() as u64, ..Reply::json(200, body) }
    }
}

impl Zoom {
    /// The page of a listing that a call begins, or goes on with.
    pub(super) fn page<T>(
        &self,
        asked: &Asked,
        caller: &Caller,
        query: &Query,
        mut items: Vec<(Place, T)>,
    ) -> Result<Page<T>, Reply> {
        let now = self.now();
        let size = query.page_size()?;
        let held = size.min(self.settings.page_cap);
        let numbered = query.number("page_number")?;
        let fresh = Cursor {
            listing: hash_text(asked.row.name) ^ hash_text(&asked.named).rotate_left(21) ^ caller.key(),
            epoch: self.epoch.load(Ordering::Relaxed),
            shape: shape(query.iter()),
            next: Place { at: i64::MIN, id: 0, number: i64::MIN },
            paused: false,
            issued: now.timestamp(),
        };
        items.sort_by_key(|(place, _)| *place);
        let total = items.len();
        if let Some(number) = numbered {
            if query.get("next_page_token").is_some() {
                return Err(invalid("page_number", "not with next_page_token"));
            }
            let number = usize::try_from(number).unwrap_or(usize::MAX).max(1);
            let first = (number - 1).saturating_mul(held);
            let items: Vec<T> = items.into_iter().skip(first).take(held).map(|(_, item)| item).collect();
            // Whoever counts pages counts those of the size that he sees.
            return Ok(Page { items, next: String::new(), size: held, total, number: Some(number) });
        }
        let (cursor, continued) = match query.get("next_page_token") {
            None => (fresh, false),
            Some(text) => {
                let same = |cursor: &Cursor| (cursor.listing, cursor.shape) == (fresh.listing, fresh.shape);
                let cursor = self.codec.decode(text).filter(same).ok_or_else(no_page)?;
                let expired = cursor.epoch != fresh.epoch || cursor.has_expired(now);
                match self.settings.expired_pages {
                    _ if !expired => (Cursor { issued: fresh.issued, ..cursor }, true),
                    ExpiredPages::Refused => return Err(no_page()),
                    ExpiredPages::Empty => {
                        return Ok(Page {
                            items: Vec::new(),
                            next: String::new(),
                            size,
                            total,
                            number: None,
                        });
                    }
                    ExpiredPages::First => (fresh, false),
                }
            }
        };
        let pausing = self.settings.empty_pages && !cursor.paused;
        let mut page =
            Page { items: Vec::new(), next: String::new(), size, total, number: (!continued).then_some(1) };
        let next = if pausing && continued {
            Some(Cursor { paused: true, ..cursor })
        } else {
            let first = match self.settings.page_tokens {
                PageTokens::Place => items.partition_point(|(place, _)| *place < cursor.next),
                PageTokens::Count => usize::try_from(cursor.next.id).unwrap_or(usize::MAX),
            };
            let end = first.saturating_add(held);
            let next = items.get(end).map(|(place, _)| match self.settings.page_tokens {
                PageTokens::Place => *place,
                PageTokens::Count => Place { id: end as u64, ..fresh.next },
            });
            page.items.extend(items.into_iter().skip(first).take(held).map(|(_, item)| item));
            // Even a short listing has its empty page when empty pages are wanted.
            let next = next.or(pausing.then_some(END));
            next.map(|next| Cursor { next, ..cursor })
        };
        page.next = next.map(|next| self.codec.encode(&next)).unwrap_or_default();
        Ok(page)
    }
}

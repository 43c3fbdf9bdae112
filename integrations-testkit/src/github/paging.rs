//! How does a listing go on from page to page?
//!
//! By number: a page is so many items from the beginning, so what comes and goes in front of it shifts it.
//! The issues of a repository also go by cursor, behind a certain item, and that is what their links have:
//! GitHub refuses numbers there from the ten-thousandth item on. Links are absolute, name a repository by
//! its id, and keep the query.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use http::header::LINK;
use serde::Serialize;

use super::errors::{refused, unsupported};
use super::ids::pack;
use super::layer::Key;
use super::request::Request;
use crate::server::Reply;

/// Items are counted from here on by cursor only.
const MOST_BY_NUMBER: u64 = 10_000;
const CURSOR: &[u8] = b"cursor:v2:";

/// The items of a page, as the inside of a JSON array.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) body: Vec<u8>,
    pub(super) count: usize,
    /// How many there are on all pages, where that is known.
    pub(super) total: usize,
    /// Relation and query, in GitHub's order.
    links: Vec<(&'static str, String)>,
}

impl Page {
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if self.count > 0 {
            self.body.push(b',');
        }
        self.count += 1;
        write(&mut self.body);
    }

    /// The answer that is just the page.
    pub(super) fn reply(self, request: &Request<'_>, link_path: &str) -> Reply {
        self.wrapped(request, link_path, "[", "]")
    }

    /// The answer with the page between two texts.
    pub(super) fn wrapped(self, request: &Request<'_>, link_path: &str, before: &str, after: &str) -> Reply {
        let mut body = Vec::with_capacity(self.body.len() + before.len() + after.len());
        for part in [before.as_bytes(), &self.body, after.as_bytes()] {
            body.extend_from_slice(part);
        }
        let reply = Reply { items: self.count as u64, ..json(body) };
        if self.links.is_empty() {
            return reply;
        }
        let link = |(relation, query): &(&str, String)| {
            format!("<{}{link_path}?{query}>; rel=\"{relation}\"", request.api)
        };
        reply.header(LINK, &self.links.iter().map(link).collect::<Vec<_>>().join(", "))
    }
}

/// An answer of the API's.
pub(super) fn json(body: Vec<u8>) -> Reply {
    Reply::new(200, "application/json; charset=utf-8", body)
}

/// Appends something as JSON.
pub(super) fn write<T: Serialize>(item: &T, out: &mut Vec<u8>) {
    // Writing to memory does not fail, and no map has keys that are no text.
    let _ = serde_json::to_writer(out, item);
}

/// The query of a call with some parameters replaced; `per_page` says what it came to.
fn query_with(request: &Request<'_>, per_page: usize, replaced: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let per_page = per_page.to_string();
    for (name, value) in request.query.iter() {
        match name {
            "page" | "after" | "before" => {}
            "per_page" => drop(query.append_pair(name, &per_page)),
            _ => drop(query.append_pair(name, value)),
        }
    }
    for (name, value) in replaced {
        query.append_pair(name, value);
    }
    query.finish()
}

/// Serves the page of a listing that the query asks for by its number.
pub(super) fn numbered<T>(
    request: &Request<'_>,
    per_page: usize,
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(T, &mut Vec<u8>),
) -> Result<Page, Reply> {
    let number = request.query.page()?;
    let first = usize::try_from(number - 1).unwrap_or(usize::MAX).saturating_mul(per_page);
    let mut page = Page::default();
    for (place, item) in items.enumerate() {
        if place >= first && page.count < per_page {
            page.push(|out| write(item, out));
        }
        page.total += 1;
    }
    let last = u64::try_from(page.total.div_ceil(per_page)).unwrap_or(0).max(1);
    let mut link = |relation, number: u64| {
        let query = query_with(request, per_page, &[("page", &number.to_string())]);
        page.links.push((relation, query));
    };
    if number > 1 {
        link("prev", (number - 1).min(last));
    }
    if number < last {
        link("next", number + 1);
        link("last", last);
    }
    if number > 1 {
        link("first", 1);
    }
    Ok(page)
}

/// A place in a listing as text.
pub(super) fn cursor(key: Key) -> String {
    let mut bytes = CURSOR.to_vec();
    bytes.push(0x92);
    bytes.push(0xd3);
    bytes.extend_from_slice(&key.at.to_be_bytes());
    pack(&mut bytes, key.id);
    URL_SAFE.encode(bytes)
}

/// The place that a cursor names.
pub(super) fn place(text: &str) -> Option<Key> {
    let bytes = URL_SAFE.decode(text).ok()?;
    let rest = bytes.strip_prefix(CURSOR)?.strip_prefix(&[0x92, 0xd3])?;
    let (at, id) = rest.split_first_chunk()?;
    let id = match id.split_first()? {
        (0xce, number) => u64::from(u32::from_be_bytes(number.try_into().ok()?)),
        (0xcf, number) => u64::from_be_bytes(number.try_into().ok()?),
        _ => return None,
    };
    Some(Key { at: i64::from_be_bytes(*at), id })
}

/// The cursor of a link: of how many expiries it is, where there were any, and whether it leads behind the empty
/// page that a test asks for.
fn link_cursor(request: &Request<'_>, key: Key, paused: bool) -> String {
    let expiries = match request.github.expiries() {
        0 => String::new(),
        count => format!("~{count}"),
    };
    format!("{}{expiries}{}", cursor(key), if paused { "!" } else { "" })
}

/// The place that a link's cursor names, and whether it leads behind the empty page.
fn link_place(request: &Request<'_>, text: &str) -> Option<(Key, bool)> {
    let (text, paused) = text.strip_suffix('!').map_or((text, false), |text| (text, true));
    let (text, expiries) = text.split_once('~').unwrap_or((text, "0"));
    (expiries.parse() == Ok(request.github.expiries())).then_some(())?;
    Some((place(text)?, paused))
}

/// Whether a query names a place in a listing; in some listings `before` is a time.
pub(super) fn is_cursor(text: &str) -> bool {
    let text = text.strip_suffix('!').unwrap_or(text);
    place(text.split_once('~').map_or(text, |(text, _)| text)).is_some()
}

/// Serves the page of a listing behind a cursor, or before one. `items` has the keys in the listing's order
/// behind a place, or in the other order.
pub(super) fn cursored<'k, I: Iterator<Item = Key> + 'k>(
    request: &Request<'_>,
    per_page: usize,
    items: impl Fn(Option<Key>, bool) -> I,
    mut write: impl FnMut(Key, &mut Vec<u8>),
) -> Result<Page, Reply> {
    let named = |name: &str| match request.query.get(name) {
        None => Ok(None),
        Some(text) => link_place(request, text)
            .map(Some)
            .ok_or_else(|| refused(422, &format!("The {name} cursor is invalid."), request.row().docs)),
    };
    let (after, before) = (named("after")?, named("before")?);
    if after.is_some() && before.is_some() {
        return Err(unsupported("after and before together"));
    }
    if let Some((after, false)) = after.filter(|_| request.github.settings.empty_pages) {
        let mut page = Page::default();
        let (after, number) = (link_cursor(request, after, true), request.query.page()?.to_string());
        let query = query_with(request, per_page, &[("after", &after), ("page", &number)]);
        page.links.push(("next", query));
        return Ok(page);
    }
    let [after, before] = [after, before].map(|named| named.map(|(key, _)| key));
    let mut keys: Vec<Key> = items(after.or(before), before.is_some()).take(per_page + 1).collect();
    let more = keys.len() > per_page;
    keys.truncate(per_page);
    if before.is_some() {
        keys.reverse();
    }
    let mut page = Page::default();
    for &key in &keys {
        page.push(|out| write(key, out));
    }
    let number = request.query.page()?;
    let (earlier, later) = if before.is_some() { (more, true) } else { (after.is_some(), more) };
    if let (Some(&first), Some(&last)) = (keys.first(), keys.last()) {
        let mut link = |relation, name, key, number: u64| {
            let replaced = [(name, link_cursor(request, key, false)), ("page", number.to_string())];
            let replaced = replaced.each_ref().map(|(name, value)| (*name, value.as_str()));
            page.links.push((relation, query_with(request, per_page, &replaced)));
        };
        if earlier {
            link("prev", "before", first, number.saturating_sub(1).max(1));
        }
        if later {
            link("next", "after", last, number + 1);
        }
    }
    Ok(page)
}

/// Refuses a page that GitHub reaches by cursor only.
pub(super) fn check_number(request: &Request<'_>, per_page: usize) -> Result<(), Reply> {
    let reached = request.query.page()?.saturating_mul(per_page as u64);
    if reached < MOST_BY_NUMBER {
        return Ok(());
    }
    let message = "Pagination with the page parameter is not supported for large datasets, please use cursor \
                   based pagination (after/before)";
    Err(refused(422, message, request.row().docs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        for key in [Key { at: 1_772_355_600, id: 7 }, Key { at: -1, id: u64::MAX }] {
            let text = cursor(key);
            assert!(text.starts_with("Y3Vyc29yOnYyOpL"), "{text}");
            assert_eq!(place(&text), Some(key));
        }
        for wrong in ["", "x", "Y3Vyc29yOnYyOg==", "Y3Vyc29yOnYyOpLTAAAA"] {
            assert_eq!(place(wrong), None, "{wrong}");
        }
    }
}

//! How is a list of Graph's read page by page, and what has changed in it after that?
//!
//! A page names the next one, or the changes that will follow the last, by a whole address that holds all there
//! is to know: it is followed as it is, and only to where tokens may go. What is preferred is no part of it and
//! is said again with each page; the ids of one page would else be of another kind than those of the next.
//! A page that is larger than an answer may be is asked for again with half the items.

use std::fmt::Write as _;

use http::{HeaderName, HeaderValue};
use integrations_core::adapter::Next;
use integrations_core::http::{Request, Session};
use integrations_core::model::Raw;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result, json};
use serde::Deserialize;
use serde::de::IgnoredAny;
use url::Url;

use crate::config::GraphConfig;

pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Ids that stay when an item is moved.
pub(crate) const IMMUTABLE_IDS: &str = r#"IdType="ImmutableId""#;
/// How many items a page can have.
const MOST: u32 = 1000;
/// How large an item may be that fills a page by itself: more than Exchange takes.
const MAX_ITEM: usize = 4 * Request::MAX_BODY;

/// How the pages of a list are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pages<'a> {
    /// The operation, as [`classify`](crate::classify()) and the limits know it.
    pub operation: &'static str,
    /// What is preferred, beside the size of the pages.
    pub prefer: &'a [&'a str],
    /// How many items a page should have.
    pub size: u32,
}

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Listed {
    /// The items, those that are [`removed`] among them, in their order: the last word on one counts.
    pub items: Vec<Raw>,
    /// How to go on; `None` behind the last page of a list whose changes cannot be followed.
    pub link: Option<Link>,
    operation: &'static str,
}

/// The address by which a page says how to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Link {
    /// The next page. This one may be empty all the same.
    Next(Cursor),
    /// The changes since.
    Delta(Cursor),
}

impl Pages<'_> {
    /// The first page.
    ///
    /// # Errors
    /// Those of the call, [`ErrorKind::DataFormat`] for what is no page, and `foreign_host` for one that goes on
    /// where no token may go.
    pub(crate) async fn first(&self, config: &GraphConfig, session: &Session, url: Url) -> Result<Listed> {
        let mut size = self.size.clamp(1, MOST);
        loop {
            let prefer = prefer(self.prefer.iter().copied(), Some(size))?;
            let request = Request::get(self.operation, url.clone())
                .header(PREFER, prefer)
                .with_max_body(if size > 1 { Request::MAX_BODY } else { MAX_ITEM });
            match session.send(request).await {
                Ok(answer) => return self.read(config, &answer.body),
                Err(error) if size > 1 && error.provider_code() == Some("body_too_large") => size /= 2,
                Err(error) => return Err(error),
            }
        }
    }

    /// The page of a [`Link`].
    ///
    /// # Errors
    /// As [`first`](Self::first), and [`ErrorKind::CursorExpired`] for what is no link, or one that Graph does
    /// not take any more.
    pub(crate) async fn follow(
        &self,
        config: &GraphConfig,
        session: &Session,
        link: &Cursor,
    ) -> Result<Listed> {
        let url = Url::parse(link.as_str())
            .map_err(|_| Error::new(ErrorKind::CursorExpired, "the cursor is not one of Graph's"))?;
        self.first(config, session, url).await
    }

    fn read(&self, config: &GraphConfig, body: &bytes::Bytes) -> Result<Listed> {
        let Some((Links { next, delta, .. }, items)) = json::cut_items::<Links>(body, "value") else {
            return Err(json::unreadable::<Shape>(body, self.operation));
        };
        let link = match (next, delta) {
            (Some(next), _) => Some(Link::Next(self.allowed(config, next)?)),
            (None, Some(delta)) => Some(Link::Delta(self.allowed(config, delta)?)),
            (None, None) => None,
        };
        Ok(Listed { items, link, operation: self.operation })
    }

    /// A link that may be followed: refused here, it is not stored.
    pub(crate) fn allowed(&self, config: &GraphConfig, link: String) -> Result<Cursor> {
        let url = Url::parse(&link).map_err(|_| odd(self.operation, "the page goes on at no address"))?;
        config.origins().check(&url, self.operation)?;
        Ok(Cursor::new(link))
    }
}

impl Listed {
    /// The items, and how the engine goes on.
    ///
    /// # Errors
    /// [`ErrorKind::DataFormat`] for a page that is neither followed by another nor by changes: it may not be
    /// whole.
    pub(crate) fn of_round(self) -> Result<(Vec<Raw>, Next)> {
        let next = match self.link {
            Some(Link::Next(link)) => Next::Page(link),
            Some(Link::Delta(link)) => Next::Done(link),
            None => return Err(odd(self.operation, "the page does not say how to go on")),
        };
        Ok((self.items, next))
    }
}

fn odd(operation: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::DataFormat, message).with_operation(operation)
}

/// The `Prefer` header: preferences, and how many items a page should have.
///
/// # Errors
/// [`ErrorKind::Configuration`] for what no header can hold.
pub(crate) fn prefer<'a>(
    preferences: impl IntoIterator<Item = &'a str>,
    page_size: Option<u32>,
) -> Result<HeaderValue> {
    let mut all = preferences.into_iter().collect::<Vec<_>>().join(", ");
    if let Some(size) = page_size {
        // Writing to a string cannot fail.
        let _ = write!(all, "{}odata.maxpagesize={size}", if all.is_empty() { "" } else { ", " });
    }
    HeaderValue::from_str(&all)
        .map_err(|_| Error::new(ErrorKind::Configuration, "a preference cannot stand in a header"))
}

/// The rest of a page. The items are cut out before.
#[derive(Deserialize)]
struct Links {
    #[serde(default, rename = "value")]
    _items: [IgnoredAny; 0],
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "the shape is what matters")]
struct Shape {
    value: Vec<IgnoredAny>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    delta: Option<String>,
}

/// The id of an item that is not in the list any more; `None` for one that is there, or cannot be read. The reason
/// that is given with it is not to be relied on: `deleted` is said of what has only left the list, too.
pub(crate) fn removed(item: &Raw) -> Option<String> {
    #[derive(Deserialize)]
    struct Item {
        id: String,
        #[serde(rename = "@removed")]
        removed: Option<IgnoredAny>,
    }
    let Item { id, removed } = serde_json::from_slice(item.as_bytes()).ok()?;
    removed.map(|_| id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGES: Pages<'_> = Pages { operation: "messages.delta", prefer: &[], size: 10 };

    fn read(page: &str) -> Result<Listed> {
        let config = GraphConfig::builder().public_client("id").build().unwrap();
        PAGES.read(&config, &bytes::Bytes::copy_from_slice(page.as_bytes()))
    }

    #[test]
    fn a_link_is_kept_as_it_is_and_only_to_where_tokens_may_go() {
        let link =
            "https://graph.microsoft.com/v1.0/me/mailFolders('AQ==')/messages/delta?$skiptoken=a%2Bb'c";
        let page = format!(r#"{{"value":[{{"id":"1"}},7],"@odata.nextLink":"{link}"}}"#);
        let (items, next) = read(&page).unwrap().of_round().unwrap();
        assert_eq!((items.len(), next), (2, Next::Page(Cursor::new(link))));
        let page = format!(r#"{{"@odata.deltaLink":"{link}","value":[]}}"#);
        assert_eq!(read(&page).unwrap().of_round().unwrap().1, Next::Done(Cursor::new(link)));
        for link in ["https://graph.microsoft.com.evil.example/v1.0/x", "http://graph.microsoft.com/v1.0/x"] {
            let page = format!(r#"{{"value":[],"@odata.nextLink":"{link}"}}"#);
            assert_eq!(read(&page).unwrap_err().provider_code(), Some("foreign_host"), "{link}");
        }
    }

    #[test]
    fn what_is_no_page_is_refused() {
        for page in
            [r#"{"value":{}}"#, r#"{"value":[1"#, "<html>", r#"{"value":[],"@odata.nextLink":"/me"}"#, "[]"]
        {
            assert_eq!(read(page).unwrap_err().kind(), ErrorKind::DataFormat, "{page}");
        }
        let last = read(r#"{"value":[{}]}"#).unwrap();
        assert_eq!((last.items.len(), last.link.clone()), (1, None));
        assert_eq!(last.of_round().unwrap_err().kind(), ErrorKind::DataFormat);
    }

    #[test]
    fn what_is_removed_says_so() {
        let removed = |item: &str| removed(&Raw::new(item.to_owned()));
        let gone = Some("1".to_owned());
        assert_eq!(removed(r#"{"id":"1","@removed":{"reason":"changed"}}"#), gone);
        assert_eq!(removed(r#"{"@removed":{},"id":"1","x":"y"}"#), gone);
        assert_eq!(removed(r#"{"id":"1","@removed":"deleted"}"#), gone);
        assert_eq!(removed(r#"{"id":"1","@removed":null}"#), None);
        assert_eq!(removed(r#"{"id":"1","subject":"@removed"}"#), None);
        assert_eq!(removed(r#"{"@removed":{"reason":"deleted"}}"#), None);
    }

    #[test]
    fn preferences_stand_in_one_header() {
        let both = prefer([IMMUTABLE_IDS, r#"outlook.timezone="UTC""#], Some(50)).unwrap();
        assert_eq!(both, r#"IdType="ImmutableId", outlook.timezone="UTC", odata.maxpagesize=50"#);
        assert_eq!(prefer([], Some(1)).unwrap(), "odata.maxpagesize=1");
        assert_eq!(prefer(["a\nb"], None).unwrap_err().kind(), ErrorKind::Configuration);
    }
}

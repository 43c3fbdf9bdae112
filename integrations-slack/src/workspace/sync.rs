//! Which streams are there, and how is a page of one read?

use integrations_core::adapter::{Next, Page, Pull, PullFrom, Stream};
use integrations_core::http::Session;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result};

use super::api::{Api, Method};
use super::{CHANNELS, USERS, conversations, history};
use crate::config::{SlackConfig, scope};
use crate::limits::ENTRIES_PER_PAGE;

/// The people, the conversations, and each conversation that the connection is in.
pub(super) async fn list_streams(config: &SlackConfig, session: &Session) -> Result<Vec<Stream>> {
    let (conversations, granted) = conversations::streams(Api { config, session }).await?;
    let mut streams = Vec::with_capacity(conversations.len() + 2);
    if granted.has(scope::USERS_READ) {
        streams.push(Stream::new(USERS, "Users"));
    }
    if granted.lists_any() {
        streams.push(Stream::new(CHANNELS, "Channels"));
    }
    if streams.is_empty() {
        return Err(Error::new(
            ErrorKind::InsufficientPermissions,
            "the grant opens nothing that could be read",
        ));
    }
    streams.extend(conversations);
    Ok(streams)
}

/// One page of a stream.
pub(super) async fn read(config: &SlackConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let api = Api { config, session };
    match (pull.stream.as_str(), pull.from) {
        (USERS, PullFrom::Listing { page }) => users(api, page).await,
        (CHANNELS, PullFrom::Listing { page }) => conversations::page(api, page).await,
        (USERS | CHANNELS, PullFrom::Changes { .. }) => {
            Err(Error::new(ErrorKind::CursorExpired, "this stream has no changes to follow"))
        }
        _ => history::read(api, pull).await,
    }
}

/// A page of the people: members, guests and programs, and also those who were deactivated.
async fn users(api: Api<'_>, page: Option<&Cursor>) -> Result<Page> {
    let limit = ENTRIES_PER_PAGE.to_string();
    let cursor = page.map(Cursor::as_str);
    let parameters = [("limit", Some(&*limit)), ("include_locale", Some("true")), ("cursor", cursor)];
    let page = api.list(Method::USERS, &parameters).await?;
    let next = page.next.map_or(Next::Listed, |cursor| Next::Page(Cursor::new(cursor)));
    Ok(Page::new(page.items, next))
}

//! Which streams are there, and how is a page of one read?
//!
//! A listing and the changes that follow it are asked for with the same parameters (`singleEvents=false`,
//! no filter): Google ties a sync token to them.

use std::collections::HashSet;

use chrono::{SecondsFormat, TimeDelta};
use integrations_core::adapter::{Next, Page, Pull, PullFrom, Stream};
use integrations_core::http::{Request, Session, join};
use integrations_core::normalize::PageContext;
use integrations_core::sync::Cursor;
use integrations_core::{Error, ErrorKind, Result, json};

use super::wire::{CalendarEntry, CalendarList, Events};
use crate::config::GoogleConfig;
use crate::limits::{CALENDARS_PER_PAGE, EVENTS_PER_PAGE};

const LIST_CALENDARS: &str = "calendarList.list";
const LIST_EVENTS: &str = "events.list";

/// The calendars whose events the user may read, the primary one first.
pub(super) async fn list_calendars(config: &GoogleConfig, session: &Session) -> Result<Vec<Stream>> {
    let mut streams = Vec::new();
    let mut seen = HashSet::new();
    let mut page: Option<String> = None;
    loop {
        let mut url = join(&config.calendar_url, &["users", "me", "calendarList"])?;
        url.query_pairs_mut()
            .append_pair("maxResults", &CALENDARS_PER_PAGE.to_string())
            .append_pair("showHidden", "true")
            .append_pair("prettyPrint", "false");
        if let Some(page) = &page {
            url.query_pairs_mut().append_pair("pageToken", page);
        }
        let answer = session.send(Request::get(LIST_CALENDARS, url)).await?;
        let list: CalendarList = json::decode(&answer.body, LIST_CALENDARS)?;
        streams.extend(list.items.into_iter().filter_map(stream));
        match list.next_page_token {
            Some(next) if seen.insert(next.clone()) => page = Some(next),
            Some(_) => return Err(unreadable("the list of calendars has no end", LIST_CALENDARS)),
            None => break,
        }
    }
    streams.sort_by_key(|stream| !stream.primary);
    Ok(streams)
}

/// A calendar that is gone, or shows only when its owner is busy, is no stream.
fn stream(entry: CalendarEntry) -> Option<Stream> {
    if entry.deleted || entry.access_role.as_deref() == Some("freeBusyReader") {
        return None;
    }
    let title = entry.summary_override.or(entry.summary).unwrap_or_else(|| entry.id.clone());
    let mut stream = Stream::new(entry.id, title);
    stream.time_zone = entry.time_zone.and_then(|zone| zone.parse().ok());
    stream.primary = entry.primary;
    stream.access = entry.access_role;
    stream.color = entry.background_color;
    Some(stream)
}

/// One page of a calendar's events.
pub(super) async fn list_events(config: &GoogleConfig, session: &Session, pull: Pull<'_>) -> Result<Page> {
    let mut url = join(&config.calendar_url, &["calendars", pull.stream.as_str(), "events"])?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("maxResults", &pull.page_size.clamp(1, EVENTS_PER_PAGE).to_string());
        query.append_pair("singleEvents", "false");
        query.append_pair("prettyPrint", "false");
        let page = match pull.from {
            PullFrom::Listing { page } => {
                // The sync token that comes of it carries the window on. Google counts whole seconds.
                let until = pull.window.until.map(|until| until + TimeDelta::seconds(1));
                for (name, bound) in [("timeMin", pull.window.since), ("timeMax", until)] {
                    if let Some(bound) = bound {
                        query.append_pair(name, &bound.to_rfc3339_opts(SecondsFormat::Secs, true));
                    }
                }
                page
            }
            PullFrom::Changes { since, page } => {
                query.append_pair("syncToken", since.as_str());
                page
            }
        };
        if let Some(page) = page {
            query.append_pair("pageToken", page.as_str());
        }
    }
    let answer =
        session.send(Request::get(LIST_EVENTS, url)).await.map_err(|error| lost_page(error, &pull))?;
    let Some((page, items)) = json::cut_items::<Events>(&answer.body, "items") else {
        return Err(Events::unreadable(&answer.body, LIST_EVENTS));
    };
    let next = match (page.next_page_token, page.next_sync_token) {
        (Some(token), _) => Next::Page(Cursor::new(token)),
        (None, Some(token)) => Next::Done(Cursor::new(token)),
        (None, None) => {
            return Err(unreadable("the page has neither a next page nor a sync token", LIST_EVENTS));
        }
    };
    let mut context = PageContext::default();
    context.time_zone = page.time_zone.and_then(|zone| zone.parse().ok());
    context.default_reminders = page.default_reminders.into_iter().map(Into::into).collect();
    Ok(Page::new(items, next).with_context(context))
}

/// A page token that Google no longer takes is answered with 400, and means that the listing has to
/// begin again.
fn lost_page(error: Error, pull: &Pull<'_>) -> Error {
    let PullFrom::Listing { page: Some(_) } = pull.from else { return error };
    if error.status() != Some(400) || error.kind() != ErrorKind::InvalidRequest {
        return error;
    }
    Error::new(ErrorKind::CursorExpired, "Google does not take the page token any more")
        .with_operation(LIST_EVENTS)
        .with_status(400)
}

/// One cheap call.
pub(super) async fn check(config: &GoogleConfig, session: &Session) -> Result<()> {
    let mut url = join(&config.calendar_url, &["users", "me", "calendarList"])?;
    url.query_pairs_mut().append_pair("maxResults", "1");
    let answer = session.send(Request::get(LIST_CALENDARS, url)).await?;
    json::decode::<CalendarList>(&answer.body, LIST_CALENDARS).map(drop)
}

fn unreadable(message: &'static str, operation: &'static str) -> Error {
    Error::new(ErrorKind::DataFormat, message).with_operation(operation)
}

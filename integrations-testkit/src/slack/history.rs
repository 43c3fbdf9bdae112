//! What do the methods answer that read messages?

use super::Slack;
use super::access;
use super::errors::refused;
use super::method::Row;
use super::paging::{Listing, Page};
use super::query::Query;
use super::ts::Ts;
use crate::oauth::Caller;
use crate::server::Reply;

/// `conversations.history`: the newest first. Replies are not in it, unless they were broadcast.
pub(super) fn history(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let workspace = slack.workspace();
    let channel = access::readable(&workspace, caller, row, query.needed("channel")?)?;
    let (oldest, latest) = query.range()?;
    let metadata = query.flag("include_all_metadata")?;
    let listing = capped(slack, slack.listing(row, caller, query, latest)?);
    let due = |from| {
        let history = channel.timeline.history(Ts(from)).map(|ts| (ts.0, ts));
        history.take_while(move |&(place, _)| place >= oldest)
    };
    let page = slack.page(&listing, 0, due, |ts, items| channel.timeline.write(ts, metadata, items));
    let more = r#","pin_count":0,"channel_actions_ts":null,"channel_actions_count":0"#;
    Ok(answer(&page, query, more))
}

/// `conversations.replies`: a thread, its parent first and then the oldest first.
pub(super) fn replies(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let workspace = slack.workspace();
    let channel = access::readable(&workspace, caller, row, query.needed("channel")?)?;
    let timeline = &channel.timeline;
    let parent =
        Ts::parse(query.needed("ts")?).filter(|&ts| timeline.exists(ts) && !timeline.takes_no_replies(ts));
    let parent = parent.ok_or_else(|| refused("thread_not_found"))?;
    let (oldest, latest) = query.range()?;
    let metadata = query.flag("include_all_metadata")?;
    let mut listing = capped(slack, slack.listing(row, caller, query, oldest)?);
    let with_parent = !listing.continued || slack.parent_on_every_page;
    if with_parent {
        // The parent takes a place of the page; a further page has one reply at least, to get on.
        let least = usize::from(listing.continued);
        listing.limit = listing.limit.map(|limit| limit.saturating_sub(1).max(least));
    }
    let due = |from| {
        let replies = timeline.replies_from(parent, Ts(from)).map(|ts| (ts.0, ts));
        replies.take_while(move |&(place, _)| place <= latest)
    };
    let mut page = slack.page(&listing, u64::MAX, due, |ts, items| timeline.write(ts, metadata, items));
    if with_parent {
        let mut items = Vec::new();
        timeline.write(parent, metadata, &mut items);
        if page.count > 0 {
            items.push(b',');
        }
        items.append(&mut page.items);
        page.items = items;
        page.count += 1;
    }
    Ok(answer(&page, query, ""))
}

/// Where reading messages is restricted, no page has more than a few.
fn capped(slack: &Slack, mut listing: Listing) -> Listing {
    let most = slack.meter.tiers().map_or(usize::MAX, super::Tiers::messages);
    listing.limit = listing.limit.map(|limit| limit.min(most));
    listing
}

/// The answer with a page of messages; only where there is more does it have a cursor.
fn answer(page: &Page, query: &Query, more: &str) -> Reply {
    let mut body = Vec::with_capacity(page.items.len() + 256);
    let has_more: &[u8] = if page.next.is_some() { b"true" } else { b"false" };
    for part in [br#"{"ok":true,"messages":["#.as_slice(), &page.items, br#"],"has_more":"#, has_more] {
        body.extend_from_slice(part);
    }
    body.extend_from_slice(more.as_bytes());
    for name in ["oldest", "latest"] {
        if let Some(bound) = query.get(name) {
            for part in [",\"", name, "\":\"", bound, "\""] {
                body.extend_from_slice(part.as_bytes());
            }
        }
    }
    if let Some(next) = &page.next {
        for part in [r#","response_metadata":{"next_cursor":""#, next, "\"}"] {
            body.extend_from_slice(part.as_bytes());
        }
    }
    body.push(b'}');
    Reply { items: page.count as u64, ..Reply::json(200, body) }
}

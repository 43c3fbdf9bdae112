//! Which messages does `messages.list` show?

use serde_json::{Value, json};

use super::labels::Labels;
use super::mailbox::Mailbox;
use crate::google::Google;
use crate::google::errors;
use crate::google::listing::{SCAN_LIMIT, Window};
use crate::google::paging::Paging;
use crate::google::query::Query;
use crate::google::tokens::{Cursor, Kind};
use crate::server::Reply;

/// What Gmail often says when there is more than it has counted.
const MANY: usize = 201;

/// What a listing leaves out.
struct Filter {
    labels: Labels,
    hidden: Labels,
    /// Both in milliseconds; the first inclusive, the second exclusive.
    dates: Window,
}

impl Filter {
    fn of(mailbox: &Mailbox, query: &Query) -> Result<Self, Reply> {
        let mut labels = Labels::NONE;
        for id in query.all("labelIds") {
            let label = mailbox.labels.find(id);
            labels = labels.with(label.ok_or_else(|| errors::argument(&format!("Invalid label: {id}")))?);
        }
        let spam_and_trash = query.flag("includeSpamTrash")?;
        let hidden = if spam_and_trash { Labels::NONE } else { Labels::SPAM.with(Labels::TRASH) };
        Ok(Self { labels, hidden, dates: dates(query.get("q").unwrap_or_default())? })
    }
}

/// Reads a search that consists of `after:` and `before:` with seconds of the epoch.
fn dates(search: &str) -> Result<Window, Reply> {
    let mut dates = Window::ALL;
    for term in search.split_whitespace() {
        let (name, seconds) = term.split_once(':').unwrap_or_default();
        let seconds = seconds.bytes().all(|byte| byte.is_ascii_digit()).then(|| seconds.parse::<i64>().ok());
        match (name, seconds.flatten()) {
            ("after", Some(seconds)) => dates.min = dates.min.max(seconds.saturating_mul(1_000)),
            ("before", Some(seconds)) => dates.max = dates.max.min(seconds.saturating_mul(1_000)),
            _ => return Err(errors::unsupported("q")),
        }
    }
    Ok(dates)
}

impl Mailbox {
    /// Serves a page of positions; returns where the listing goes on, with a message behind it if the page
    /// is full.
    fn page(
        &self,
        cursor: &Cursor,
        filter: &Filter,
        limit: usize,
        positions: &mut Vec<u64>,
    ) -> Option<Cursor> {
        let at = |(date, position)| Cursor {
            next: position,
            window: Window { max: date, ..cursor.window },
            ..*cursor
        };
        let mut place = (cursor.window.max, cursor.next).min((filter.dates.max, 0));
        for (looked_at, (date, position)) in self.older(place).enumerate() {
            if date < filter.dates.min {
                return None;
            }
            let shown = self
                .live_labels(position)
                .is_some_and(|labels| labels.contains(filter.labels) && !labels.meets(filter.hidden));
            if looked_at >= SCAN_LIMIT || (shown && positions.len() == limit) {
                return Some(at(place));
            }
            if shown {
                positions.push(position);
            }
            place = (date, position);
        }
        None
    }
}

/// Answers `messages.list`, the newest first.
pub(super) fn list(google: &Google, query: &Query) -> Result<Reply, Reply> {
    let mailbox = google.gmail.mailbox();
    let limit = query.max_results(100, 500, google.page_cap)?;
    let filter = Filter::of(&mailbox, query)?;
    let paging = Paging::begin(google, query, Kind::Page, "users/me/messages", mailbox.page_epoch, u64::MAX)?;
    let mut positions = Vec::new();
    let at_end = Cursor { next: 0, window: Window { max: i64::MIN, ..Window::ALL }, ..paging.cursor };
    let next = paging.serve(at_end, |cursor| mailbox.page(cursor, &filter, limit, &mut positions));

    let mut body = json!({});
    if !positions.is_empty() {
        let short = |&position: &u64| {
            let thread = mailbox.id(mailbox.thread(position));
            json!({"id": mailbox.id(position), "threadId": thread})
        };
        body["messages"] = positions.iter().map(short).collect::<Value>();
    }
    if let Some(next) = next {
        body["nextPageToken"] = json!(google.codec.encode(&next));
    }
    let more = next.is_some() || paging.continued;
    body["resultSizeEstimate"] = json!(if more { MANY } else { positions.len() });
    Ok(Reply { items: positions.len() as u64, ..Reply::json(200, body.to_string()) })
}

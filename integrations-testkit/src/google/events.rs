//! What do `events.list` and `events.get` accept and answer?

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::Google;
use super::calendar::Calendar;
use super::conditional;
use super::errors;
use super::event::instant;
use super::listing::{Filter, Items, Window};
use super::paging::Paging;
use super::query::Query;
use super::tokens::{Cursor, Kind, shape};
use crate::random::hash_text;
use crate::server::{Call, Reply};

/// Filters that Google has and this fake does not; refused, so that no test relies on them.
const UNSUPPORTED: [&str; 5] =
    ["q", "iCalUID", "privateExtendedProperty", "sharedExtendedProperty", "eventTypes"];

/// Parameters that a sync token forbids.
const RESTRICTED: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// Parameters that may change from page to page.
const SHAPELESS: [&str; 6] = ["maxResults", "pageToken", "maxAttendees", "fields", "alt", "prettyPrint"];

/// Parameters of the full listing that the incremental one must repeat.
const SYNC_SHAPE: [&str; 2] = ["singleEvents", "showHiddenInvitations"];

const UPDATED_MIN_REACH: TimeDelta = TimeDelta::days(30);

/// A request that is in order.
struct Plan {
    cursor: Cursor,
    filter: Filter,
    limit: usize,
    sync_shape: u64,
}

pub(super) fn list(google: &Google, id: &str, query: &Query) -> Reply {
    let account = google.account();
    let Some(calendar) = account.calendar(id) else { return errors::envelope(404, None) };
    match plan(google, calendar, query) {
        Ok(plan) => answer(google, calendar, &plan, query.get("pageToken").is_some()),
        Err(refused) => refused,
    }
}

fn plan(google: &Google, calendar: &Calendar, query: &Query) -> Result<Plan, Reply> {
    let sync_token = query.get("syncToken");
    let explicit_hide = query.get("showDeleted") == Some("false");
    if sync_token.is_some() && (explicit_hide || RESTRICTED.iter().any(|name| query.get(name).is_some())) {
        return Err(errors::parameter(400, "syncTokenWithRequestRestrictions", None, "syncToken"));
    }
    if let Some(name) = UNSUPPORTED.iter().find(|name| query.get(name).is_some()) {
        return Err(errors::unsupported(name));
    }
    if query.flag("singleEvents")? {
        return Err(errors::unsupported("singleEvents"));
    }
    let by_update = match query.get("orderBy") {
        None => false,
        Some("updated") => true,
        Some("startTime") => {
            let message = "The requested ordering is not available for the particular query.";
            return Err(errors::parameter(400, "badRequest", Some(message), "orderBy"));
        }
        Some(_) => return Err(errors::parameter(400, "invalid", None, "orderBy")),
    };
    let limit = query.max_results(250, 2_500, google.page_cap)?;
    let show_deleted = query.flag("showDeleted")?;
    let window = Window {
        min: query.time("timeMin")?.unwrap_or(Window::ALL.min),
        max: query.time("timeMax")?.unwrap_or(Window::ALL.max),
    };
    if window.min >= window.max {
        return Err(errors::parameter(400, "timeRangeEmpty", None, "timeMax"));
    }
    let updated_min = query.time("updatedMin")?;
    let oldest = (google.clock.now() - UPDATED_MIN_REACH).timestamp_millis();
    if updated_min.is_some_and(|min| min < oldest) {
        return Err(errors::parameter(410, "updatedMinTooLongAgo", None, "updatedMin"));
    }

    let page_shape =
        shape(query.iter().filter(|&(name, value)| !SHAPELESS.contains(&name) && value != "false"));
    let sync_shape =
        shape(query.iter().filter(|&(name, value)| SYNC_SHAPE.contains(&name) && value != "false"));
    let fresh = Cursor {
        kind: if by_update { Kind::UpdatedPage } else { Kind::Page },
        collection: hash_text(&calendar.spec.id),
        epoch: calendar.page_epoch,
        shape: page_shape,
        next: 0,
        upto: calendar.version,
        window,
        paused: false,
    };
    let cursor = match (query.get("pageToken"), sync_token) {
        (Some(token), _) => page_cursor(google, token, &fresh)?,
        (None, Some(token)) => {
            let since = sync_cursor(google, calendar, token, &fresh, sync_shape)?;
            Cursor { kind: Kind::ChangesPage, next: since.upto + 1, window: since.window, ..fresh }
        }
        (None, None) => fresh,
    };
    let filter = Filter { window: cursor.window, updated_min, show_deleted };
    Ok(Plan { cursor, filter, limit, sync_shape })
}

fn page_cursor(google: &Google, token: &str, fresh: &Cursor) -> Result<Cursor, Reply> {
    let refused = |message| errors::parameter(400, "invalid", Some(message), "pageToken");
    let cursor = google
        .codec
        .decode(token)
        .filter(|cursor| cursor.kind != Kind::Sync && cursor.collection == fresh.collection)
        .ok_or_else(|| refused("Invalid page token value."))?;
    if cursor.epoch != fresh.epoch {
        return Err(match cursor.kind {
            Kind::ChangesPage => errors::parameter(410, "fullSyncRequired", None, "pageToken"),
            _ => refused("Invalid page token value."),
        });
    }
    if cursor.shape != fresh.shape {
        return Err(refused("The page token belongs to a request with other parameters."));
    }
    Ok(cursor)
}

fn sync_cursor(
    google: &Google,
    calendar: &Calendar,
    token: &str,
    fresh: &Cursor,
    sync_shape: u64,
) -> Result<Cursor, Reply> {
    let refused = |message| errors::parameter(400, "invalid", Some(message), "syncToken");
    let cursor = google
        .codec
        .decode(token)
        .filter(|cursor| cursor.kind == Kind::Sync && cursor.collection == fresh.collection)
        .ok_or_else(|| refused("Invalid sync token value."))?;
    if cursor.epoch != calendar.sync_epoch {
        return Err(errors::parameter(410, "fullSyncRequired", None, "syncToken"));
    }
    if cursor.shape != sync_shape {
        return Err(refused("The sync token belongs to a request with other parameters."));
    }
    Ok(cursor)
}

fn answer(google: &Google, calendar: &Calendar, plan: &Plan, continued: bool) -> Reply {
    let mut body = head(calendar);
    let mut items = Items::new(&mut body, plan.limit);
    let paging = Paging { cursor: plan.cursor, continued, empty_pages: google.empty_pages };
    let at_end = Cursor { next: calendar.behind(&plan.cursor), ..plan.cursor };
    let next = paging.serve(at_end, |cursor| calendar.page(cursor, &plan.filter, &mut items));
    let served = items.count;
    let (name, token) = if let Some(next) = next {
        ("nextPageToken", google.codec.encode(&next))
    } else {
        let sync = Cursor {
            kind: Kind::Sync,
            epoch: calendar.sync_epoch,
            shape: plan.sync_shape,
            next: 0,
            paused: false,
            ..plan.cursor
        };
        ("nextSyncToken", google.codec.encode(&sync))
    };
    for part in ["],\"", name, "\":\"", &token, "\"}"] {
        body.extend_from_slice(part.as_bytes());
    }
    Reply { items: served as u64, ..Reply::json(200, body) }
}

/// Everything before the items, ending in the open array.
fn head(calendar: &Calendar) -> Vec<u8> {
    let updated = DateTime::<Utc>::from_timestamp_millis(calendar.changed_at).unwrap_or_default();
    let mut head = json!({
        "kind": "calendar#events",
        "etag": format!("\"p{}\"", calendar.changed_at.saturating_mul(2_000).saturating_add_unsigned(calendar.version)),
        "summary": calendar.spec.summary,
        "updated": instant(updated),
        "timeZone": calendar.spec.time_zone,
        "accessRole": calendar.spec.access_role,
        "defaultReminders": [{"method": "popup", "minutes": 10}],
    });
    if let Some(description) = &calendar.spec.description {
        head["description"] = json!(description);
    }
    let mut text = head.to_string().into_bytes();
    text.pop();
    text.extend_from_slice(b",\"items\":[");
    text
}

pub(super) fn get(google: &Google, calendar: &str, event: &str, call: &Call) -> Reply {
    let account = google.account();
    let Some(text) = account.calendar(calendar).and_then(|calendar| calendar.text(event)) else {
        return errors::envelope(404, None);
    };
    conditional::answer(call, text)
}

//! What is answered about notifications and limits?

use chrono::{DateTime, TimeDelta};
use http::HeaderName;
use http::header::LAST_MODIFIED;
use serde_json::{Map, Value, json};

use crate::github::hub::Hub;
use crate::github::limits::{Resource, Standing};
use crate::github::notification::Notification;
use crate::github::paging::{json as answer, numbered};
use crate::github::put::patched;
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::github::view::Version;
use crate::server::Reply;

const POLL_INTERVAL: HeaderName = HeaderName::from_static("x-poll-interval");

/// A time as headers have it.
pub(in crate::github) fn http_date(seconds: i64) -> String {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What the listing has at a place.
enum Shown<'h> {
    Thread(&'h Repository, &'h Notification),
    Raw(&'h str),
}

/// `activity.listNotificationsForAuthenticatedUser`, the latest first. They are the first account's.
pub(super) fn notifications(request: &Request<'_>, hub: &Hub) -> Result<Reply, Reply> {
    let (github, query) = (request.github, &request.query);
    let (all, participating) = (query.flag("all")?, query.flag("participating")?);
    let (since, before) = (query.time("since")?, query.time("before")?);
    let per_page = request.per_page_of(50, 50);
    let within = |updated: i64| {
        since.is_none_or(|since| updated >= since) && before.is_none_or(|before| updated < before)
    };
    let threads = hub.notifications.iter().filter(|notification| {
        (all || notification.unread)
            && (!participating || notification.participates())
            && within(notification.updated)
    });
    let found = threads.filter_map(|notification| {
        let repository = hub.repository(notification.repository)?;
        let shown = Shown::Thread(repository, notification);
        request.caller.sees(hub, repository).then_some(((notification.updated, notification.id), shown))
    });
    let raw = hub.raw_notifications.iter().filter(|(updated, _)| within(*updated));
    let raw = raw.map(|(updated, text)| ((*updated, 0), Shown::Raw(text)));
    let own = request.caller.account == hub.accounts.first().copied();
    let mut shown: Vec<_> = found.chain(raw).filter(|_| own).collect();
    shown.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let view = request.view(hub);
    let page = numbered(request, per_page, shown.into_iter(), |(_, shown), out| match shown {
        Shown::Thread(repository, notification) => {
            patched(&view.show((repository, notification)), notification.patch.as_ref(), out);
        }
        Shown::Raw(text) => out.extend_from_slice(text.as_bytes()),
    })?;
    let interval = github.settings.poll_interval.as_secs();
    let length = TimeDelta::seconds(i64::try_from(interval).unwrap_or(i64::MAX / 1_000));
    // Who asks for what lies further back does not look for news.
    if query.page()? == 1 && before.is_none() {
        github.meter.polled(length, github.clock.now());
    }
    let reply = page.reply(request, "/notifications");
    Ok(reply.header(LAST_MODIFIED, &http_date(hub.news)).header(POLL_INTERVAL, &interval.to_string()))
}

/// `rateLimit.get`, which costs nothing.
pub(super) fn rate_limit(request: &Request<'_>) -> Reply {
    let github = request.github;
    let now = github.clock.now();
    let shown = |resource| {
        let standing: Standing = github.meter.standing(request.caller.payer(), resource, now);
        json!({
            "limit": standing.limit,
            "used": standing.used,
            "remaining": standing.remaining(),
            "reset": standing.reset,
        })
    };
    let resources = [Resource::Core, Resource::Search, Resource::GraphQl];
    let resources: Map<String, Value> =
        resources.into_iter().map(|resource| (resource.name().to_owned(), shown(resource))).collect();
    let mut body = json!({"resources": resources});
    if request.version() == Version::V2022 {
        body["rate"] = shown(Resource::Core);
    }
    answer(body.to_string().into_bytes())
}

//! The fake Google.

mod convergence;
mod described;
mod faults;
mod generated;
mod gmail;
mod listing;
mod mirror;
mod oauth;
mod tasks;

use std::sync::Arc;

use integrations_testkit::ManualClock;
use integrations_testkit::google::{CalendarSpec, FakeGoogle, FakeGoogleBuilder};
use reqwest::Response;
use serde_json::Value;

pub(crate) use crate::http;

pub(crate) const TOKEN: &str = "open-token";
pub(crate) const CALENDAR: &str = "ada@example.com";

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(clock: &ManualClock) -> FakeGoogleBuilder {
    FakeGoogle::builder().clock(Arc::new(clock.clone())).open_token(TOKEN)
}

/// A primary calendar in Berlin with so many generated events.
pub(crate) fn berlin(events: u64) -> CalendarSpec {
    CalendarSpec::new(CALENDAR).summary("Ada").time_zone("Europe/Berlin").primary().generated(events)
}

pub(crate) async fn get(fake: &FakeGoogle, path: &str, query: &[(&str, &str)]) -> Response {
    let url = format!("{}{path}", fake.url());
    http().get(url).bearer_auth(TOKEN).query(query).send().await.unwrap()
}

/// `events.list` of the primary calendar.
pub(crate) async fn list(fake: &FakeGoogle, query: &[(&str, &str)]) -> (u16, Value) {
    let answer = get(fake, "/calendar/v3/calendars/primary/events", query).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// All pages of a listing: the items and the sync token.
pub(crate) async fn drain(fake: &FakeGoogle, query: &[(&str, &str)]) -> (Vec<Value>, String) {
    let (mut items, mut page_token) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        if let Some(token) = &page_token {
            query.push(("pageToken", token));
        }
        let (status, mut page) = list(fake, &query).await;
        assert_eq!(status, 200, "{page}");
        let Value::Array(more) = page["items"].take() else { panic!("no items") };
        items.extend(more);
        match (page["nextPageToken"].as_str(), page["nextSyncToken"].as_str()) {
            (Some(token), None) => page_token = Some(token.to_owned()),
            (None, Some(token)) => return (items, token.to_owned()),
            both => panic!("not exactly one token: {both:?}"),
        }
    }
}

pub(crate) fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["id"].as_str()).collect()
}

pub(crate) fn reason(body: &Value) -> &str {
    body["error"]["errors"][0]["reason"].as_str().unwrap_or_default()
}

//! The fake Microsoft Graph.

mod attachments;
mod batch;
mod calendars;
mod convergence;
mod events;
mod examples;
mod faults;
mod folders;
mod generated;
mod messages;
mod oauth;
mod recurrence;
mod rounds;
mod series;
mod throttling;
mod zones;

use std::sync::Arc;

use integrations_testkit::ManualClock;
use integrations_testkit::msgraph::{CalendarSpec, FakeGraph, FakeGraphBuilder};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

pub(crate) use crate::http;

pub(crate) const TOKEN: &str = "open-token";
pub(crate) const IMMUTABLE: &str = r#"IdType="ImmutableId""#;
pub(crate) const START: &str = "2026-03-01T00:00:00Z";
pub(crate) const END: &str = "2026-04-01T00:00:00Z";

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(clock: &ManualClock) -> FakeGraphBuilder {
    FakeGraph::builder().clock(Arc::new(clock.clone())).open_token(TOKEN)
}

/// The account's own calendar, in Berlin, with so many generated events.
pub(crate) fn berlin(events: u64) -> CalendarSpec {
    CalendarSpec::new("Calendar").time_zone("W. Europe Standard Time").default_calendar().generated(events)
}

pub(crate) fn request(fake: &FakeGraph, path: &str) -> RequestBuilder {
    http().get(format!("{}{path}", fake.url())).bearer_auth(TOKEN)
}

pub(crate) async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")))
}

/// A GET with immutable ids.
pub(crate) async fn get(fake: &FakeGraph, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    read(request(fake, path).query(query).header("prefer", IMMUTABLE).send().await.unwrap()).await
}

/// Follows a link as it is, with immutable ids.
pub(crate) async fn follow(link: &str, prefer: &str) -> (u16, Value) {
    read(http().get(link).bearer_auth(TOKEN).header("prefer", prefer).send().await.unwrap()).await
}

pub(crate) fn code(body: &Value) -> &str {
    body["error"]["code"].as_str().unwrap_or_default()
}

pub(crate) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}")).to_owned()
}

pub(crate) fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["id"].as_str()).collect()
}

/// The rest of a round from an address on: the items of all pages, and the link at the end.
pub(crate) async fn drain(first: &str, prefer: &str) -> (Vec<Value>, String) {
    let (mut items, mut link) = (Vec::new(), first.to_owned());
    loop {
        let (status, mut page) = follow(&link, prefer).await;
        assert_eq!(status, 200, "{page}");
        let Value::Array(more) = page["value"].take() else { panic!("no items: {page}") };
        items.extend(more);
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(next), None) => next.clone_into(&mut link),
            (None, Some(end)) => return (items, end.to_owned()),
            both => panic!("not exactly one link: {both:?}"),
        }
    }
}

/// A full round over the window of the account's own calendar.
pub(crate) async fn month(fake: &FakeGraph, prefer: &str) -> (Vec<Value>, String) {
    let first = format!("{}/v1.0/me/calendarView/delta?startDateTime={START}&endDateTime={END}", fake.url());
    drain(&first, prefer).await
}

/// A full round over the messages of a folder.
pub(crate) async fn messages(fake: &FakeGraph, folder: &str, prefer: &str) -> (Vec<Value>, String) {
    drain(&format!("{}/v1.0/me/mailFolders/{folder}/messages/delta", fake.url()), prefer).await
}

/// A time in Berlin.
pub(crate) fn at(time: &str) -> Value {
    json!({"dateTime": time, "timeZone": "W. Europe Standard Time"})
}

/// A quarter of an hour at nine in Berlin, every Monday from 2 March 2026 on.
pub(crate) fn standup() -> Value {
    json!({
        "subject": "Standup",
        "start": at("2026-03-02T09:00:00"),
        "end": at("2026-03-02T09:15:00"),
        "recurrence": {
            "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
            "range": {"type": "noEnd", "startDate": "2026-03-02"},
        },
    })
}

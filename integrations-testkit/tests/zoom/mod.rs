//! The fake Zoom.

mod access;
mod convergence;
mod faults;
mod generated;
mod limits;
mod listing;
mod meetings;
mod oauth;
mod paging;
mod past;
mod recordings;
mod refusals;
mod shapes;

use std::sync::Arc;

use integrations_testkit::ManualClock;
use integrations_testkit::zoom::{FakeZoom, FakeZoomBuilder};
use reqwest::Response;
use serde_json::Value;

pub(crate) use crate::http;

pub(crate) const TOKEN: &str = "open-token";

/// The parameters of a call.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

/// A Sunday, four weeks before the clocks change in Berlin.
pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(clock: &ManualClock) -> FakeZoomBuilder {
    FakeZoom::builder().clock(Arc::new(clock.clone())).open_token(TOKEN)
}

pub(crate) async fn start() -> FakeZoom {
    builder(&clock()).start().await
}

pub(crate) async fn get(fake: &FakeZoom, path: &str, query: Query<'_>) -> Response {
    let url = format!("{}/v2{path}", fake.url());
    http().get(url).bearer_auth(TOKEN).query(query).send().await.unwrap()
}

/// A call that succeeds.
pub(crate) async fn ok(fake: &FakeZoom, path: &str, query: Query<'_>) -> Value {
    let answer = get(fake, path, query).await;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(status, 200, "{path} {query:?}: {body}");
    body
}

/// The status and the code of a call that fails.
pub(crate) async fn refused(fake: &FakeZoom, path: &str, query: Query<'_>) -> (u16, u64) {
    let answer = get(fake, path, query).await;
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert!(status >= 400, "{path} {query:?}: {body}");
    (status, body["code"].as_u64().unwrap())
}

/// The token of the next page.
pub(crate) fn next(page: &Value) -> Option<&str> {
    Some(page["next_page_token"].as_str().unwrap()).filter(|token| !token.is_empty())
}

/// All pages of a listing.
pub(crate) async fn pages(fake: &FakeZoom, path: &str, query: Query<'_>) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    loop {
        let mut query = query.to_vec();
        query.extend(pages.last().and_then(next).map(|token| ("next_page_token", token)));
        let page = ok(fake, path, &query).await;
        let ended = next(&page).is_none();
        pages.push(page);
        if ended {
            return pages;
        }
    }
}

/// The items of all pages of a listing, each page's in order.
pub(crate) async fn drain(fake: &FakeZoom, path: &str, field: &str, query: Query<'_>) -> Vec<Value> {
    let pages = pages(fake, path, query).await;
    pages.iter().flat_map(|page| page[field].as_array().unwrap().clone()).collect()
}

/// The rows of the first user's meetings of a type: number and start.
pub(crate) async fn rows(fake: &FakeZoom, listed: &str) -> Vec<(u64, String)> {
    let items = drain(fake, "/users/me/meetings", "meetings", &[("type", listed)]).await;
    let row = |item: &Value| {
        (item["id"].as_u64().unwrap(), item["start_time"].as_str().unwrap_or_default().to_owned())
    };
    items.iter().map(row).collect()
}

pub(crate) fn all<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().filter_map(|item| item[field].as_str()).collect()
}

/// A segment of a path, encoded once.
pub(crate) fn once(text: &str) -> String {
    percent_encoding(text)
}

/// The same, encoded twice.
pub(crate) fn twice(text: &str) -> String {
    percent_encoding(&percent_encoding(text))
}

fn percent_encoding(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(byte).collect()
}

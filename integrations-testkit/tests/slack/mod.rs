//! The fake Slack.

mod access;
mod convergence;
mod faults;
mod generated;
mod history;
mod listing;
mod oauth;
mod shapes;
mod threads;
mod tiers;

use std::sync::Arc;

use integrations_testkit::ManualClock;
use integrations_testkit::slack::{ChannelSpec, FakeSlack, FakeSlackBuilder};
use reqwest::Response;
use serde_json::Value;

pub(crate) use crate::http;

pub(crate) const TOKEN: &str = "open-token";
pub(crate) const CHANNEL: &str = "C0GENERAL";

/// The arguments of a call.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(clock: &ManualClock) -> FakeSlackBuilder {
    FakeSlack::builder().clock(Arc::new(clock.clone())).open_token(TOKEN)
}

pub(crate) fn general() -> ChannelSpec {
    ChannelSpec::public("general").id(CHANNEL)
}

/// A workspace with one empty channel.
pub(crate) async fn start() -> FakeSlack {
    builder(&clock()).channel(general()).start().await
}

pub(crate) async fn get(fake: &FakeSlack, method: &str, query: Query<'_>) -> Response {
    let url = format!("{}/api/{method}", fake.url());
    http().get(url).bearer_auth(TOKEN).query(query).send().await.unwrap()
}

/// A call of a method, whatever it says.
pub(crate) async fn call(fake: &FakeSlack, method: &str, query: Query<'_>) -> Value {
    let answer = get(fake, method, query).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// A call that succeeds.
pub(crate) async fn ok(fake: &FakeSlack, method: &str, query: Query<'_>) -> Value {
    let body = call(fake, method, query).await;
    assert_eq!(body["ok"], true, "{method} {query:?}: {body}");
    body
}

/// The code of a call that fails.
pub(crate) async fn refused(fake: &FakeSlack, method: &str, query: Query<'_>) -> String {
    let body = call(fake, method, query).await;
    assert_eq!(body["ok"], false, "{method} {query:?}: {body}");
    body["error"].as_str().unwrap().to_owned()
}

pub(crate) fn cursor(page: &Value) -> Option<&str> {
    page["response_metadata"]["next_cursor"].as_str().filter(|cursor| !cursor.is_empty())
}

/// All pages of a listing.
pub(crate) async fn pages(fake: &FakeSlack, method: &str, query: Query<'_>) -> Vec<Value> {
    let mut pages: Vec<Value> = Vec::new();
    loop {
        let mut query = query.to_vec();
        query.extend(pages.last().and_then(cursor).map(|cursor| ("cursor", cursor)));
        let page = ok(fake, method, &query).await;
        if let Some(more) = page.get("has_more") {
            assert_eq!(more.as_bool().unwrap(), cursor(&page).is_some(), "{page}");
        }
        let ended = cursor(&page).is_none();
        pages.push(page);
        if ended {
            return pages;
        }
    }
}

/// The items of all pages of a listing, each page's in order.
pub(crate) async fn drain(fake: &FakeSlack, method: &str, field: &str, query: Query<'_>) -> Vec<Value> {
    let pages = pages(fake, method, query).await;
    pages.iter().flat_map(|page| page[field].as_array().unwrap().clone()).collect()
}

/// A channel's history, all of it.
pub(crate) async fn history(fake: &FakeSlack, channel: &str, query: Query<'_>) -> Vec<Value> {
    let query = [&[("channel", channel)], query].concat();
    drain(fake, "conversations.history", "messages", &query).await
}

/// A thread without its parent, and the parent as the first page has it.
pub(crate) async fn thread(
    fake: &FakeSlack,
    channel: &str,
    ts: &str,
    query: Query<'_>,
) -> (Value, Vec<Value>) {
    let query = [&[("channel", channel), ("ts", ts)], query].concat();
    let all = drain(fake, "conversations.replies", "messages", &query).await;
    let replies = all.iter().skip(1).filter(|message| message["ts"] != ts).cloned().collect();
    (all[0].clone(), replies)
}

pub(crate) fn all<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().filter_map(|item| item[field].as_str()).collect()
}

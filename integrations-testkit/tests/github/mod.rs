//! The fake GitHub.

mod access;
mod conditional;
mod convergence;
mod faults;
mod generated;
mod graphql;
mod issues;
mod limits;
mod notifications;
mod oauth;
mod paging;
mod pulls;
mod refusals;
mod repositories;
mod shapes;
mod talk;

use std::sync::Arc;
use std::time::Duration;

use integrations_testkit::ManualClock;
use integrations_testkit::github::{FakeGitHub, FakeGitHubBuilder, RepoSpec};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

pub(crate) use crate::http;

pub(crate) const TOKEN: &str = "open-token";
pub(crate) const REPO: &str = "octo-org/hello";

/// The parameters of a call.
pub(crate) type Query<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(clock: &ManualClock) -> FakeGitHubBuilder {
    FakeGitHub::builder().clock(Arc::new(clock.clone())).open_token(TOKEN)
}

/// A GitHub with one empty repository.
pub(crate) async fn start(clock: &ManualClock) -> FakeGitHub {
    builder(clock).repository(RepoSpec::new(REPO)).start().await
}

pub(crate) fn later(clock: &ManualClock) {
    clock.advance(Duration::from_secs(1));
}

/// The path of something in the repository.
pub(crate) fn within(rest: &str) -> String {
    format!("/repos/{REPO}{rest}")
}

pub(crate) fn request(fake: &FakeGitHub, path: &str, token: &str) -> RequestBuilder {
    let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", fake.url()) };
    http().get(url).bearer_auth(token)
}

pub(crate) async fn get(fake: &FakeGitHub, path: &str, query: Query<'_>) -> Response {
    request(fake, path, TOKEN).query(query).send().await.unwrap()
}

/// A call, whatever it says.
pub(crate) async fn call(fake: &FakeGitHub, path: &str, query: Query<'_>) -> (u16, Value) {
    let answer = get(fake, path, query).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// A call that succeeds.
pub(crate) async fn ok(fake: &FakeGitHub, path: &str, query: Query<'_>) -> Value {
    let (status, body) = call(fake, path, query).await;
    assert_eq!(status, 200, "{path} {query:?}: {body}");
    body
}

/// The status and the message of a call that fails.
pub(crate) async fn refused(fake: &FakeGitHub, path: &str, query: Query<'_>) -> (u16, String) {
    let (status, body) = call(fake, path, query).await;
    assert_ne!(status, 200, "{path} {query:?}");
    assert!(
        body["documentation_url"].as_str().unwrap().starts_with("https://docs.github.com/rest"),
        "{body}"
    );
    (status, body["message"].as_str().unwrap().to_owned())
}

pub(crate) fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Where a link leads.
pub(crate) fn link(answer: &Response, relation: &str) -> Option<String> {
    let links = header(answer, "link")?;
    let wanted = format!("rel=\"{relation}\"");
    let found = links.split(", ").find(|link| link.ends_with(&wanted))?;
    Some(found.split(">; ").next().unwrap().trim_start_matches('<').to_owned())
}

/// The pages of a listing, by its links as they are.
pub(crate) async fn pages(fake: &FakeGitHub, path: &str, query: Query<'_>) -> Vec<Vec<Value>> {
    let (mut pages, mut answer) = (Vec::new(), get(fake, path, query).await);
    loop {
        assert_eq!(answer.status(), 200, "{path} {query:?}");
        let next = link(&answer, "next");
        let page: Value = answer.json().await.unwrap();
        pages.push(page.as_array().unwrap_or_else(|| panic!("{page}")).clone());
        match next {
            None => return pages,
            Some(next) => answer = get(fake, &next, &[]).await,
        }
    }
}

pub(crate) async fn drain(fake: &FakeGitHub, path: &str, query: Query<'_>) -> Vec<Value> {
    pages(fake, path, query).await.into_iter().flatten().collect()
}

pub(crate) fn numbers(items: &[Value]) -> Vec<u64> {
    items.iter().filter_map(|item| item["number"].as_u64()).collect()
}

pub(crate) fn ids(items: &[Value]) -> Vec<u64> {
    items.iter().filter_map(|item| item["id"].as_u64()).collect()
}

pub(crate) fn all<'a>(items: &'a [Value], field: &str) -> Vec<&'a str> {
    items.iter().filter_map(|item| item[field].as_str()).collect()
}

//! What a caller has already.

use reqwest::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use serde_json::json;

use super::*;

async fn with(fake: &FakeGitHub, path: &str, etag: &str) -> Response {
    request(fake, path, TOKEN).header(IF_NONE_MATCH, etag).send().await.unwrap()
}

async fn used(fake: &FakeGitHub) -> u64 {
    ok(fake, "/rate_limit", &[]).await["resources"]["core"]["used"].as_u64().unwrap()
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_costs_nothing() {
    let clock = clock();
    let fake = start(&clock).await;
    let issue = fake.open_issue(REPO, json!({}));
    fake.comment(REPO, issue, json!({"body": "a"}));
    let pull = fake.open_pull(REPO, json!({}));
    fake.review(REPO, pull, json!({}));
    fake.notify(REPO, issue, "mention");
    let sha = fake.head_sha(REPO, pull);
    let paths = [
        "/user".to_owned(),
        "/user/repos".to_owned(),
        "/notifications".to_owned(),
        within(""),
        within("/issues"),
        within("/issues/1"),
        within("/issues/comments"),
        within("/issues/1/comments"),
        within("/pulls"),
        within("/pulls/2"),
        within("/pulls/2/reviews"),
        within("/pulls/2/comments"),
        within("/pulls/comments"),
        within("/labels"),
        within("/milestones"),
        within(&format!("/commits/{sha}/check-runs")),
        within(&format!("/commits/{sha}/status")),
    ];
    for path in &paths {
        let first = get(&fake, path, &[]).await;
        let etag = header(&first, "etag").unwrap().to_owned();
        assert!(etag.starts_with("W/\"") && etag.len() == 68, "{path}: {etag}");
        let before = used(&fake).await;
        for known in [etag.clone(), etag.replace("W/", ""), format!("\"other\", {etag}")] {
            let again = with(&fake, path, &known).await;
            assert_eq!(
                (again.status().as_u16(), header(&again, "etag")),
                (304, Some(etag.as_str())),
                "{path}"
            );
            assert_eq!(header(&again, "x-ratelimit-used"), Some(before.to_string().as_str()));
            assert!(again.headers().contains_key("x-github-request-id"));
            assert_eq!(again.text().await.unwrap(), "");
        }
        assert_eq!(used(&fake).await, before, "{path}");
        assert_eq!(with(&fake, path, "\"other\"").await.status(), 200);
        assert_eq!(used(&fake).await, before + 1, "{path}");
    }
    let free = get(&fake, "/rate_limit", &[]).await;
    let before = used(&fake).await;
    let again = with(&fake, "/rate_limit", header(&free, "etag").unwrap()).await;
    assert_eq!((again.status().as_u16(), used(&fake).await), (304, before));
    assert_eq!((fake.not_modified("issues.get"), fake.not_modified("pulls.list")), (3, 3));
    assert_eq!(fake.count("issues.get"), 5);
    assert_eq!(fake.units_used(), 2 * paths.len() as u64);
}

#[tokio::test]
async fn a_tag_is_one_of_the_content_the_address_and_the_token() {
    let clock = clock();
    let fake = builder(&clock).open_token("other").repository(RepoSpec::new(REPO)).start().await;
    fake.open_issue(REPO, json!({}));
    let path = within("/issues");
    let etag = header(&get(&fake, &path, &[]).await, "etag").unwrap().to_owned();
    let changed = async |fake: &FakeGitHub| with(fake, &path, &etag).await.status() == 200;
    assert!(!changed(&fake).await);
    let elsewhere = with(&fake, &format!("{path}?state=open"), &etag).await;
    assert_eq!(elsewhere.status(), 200);
    let other = request(&fake, &path, "other").header(IF_NONE_MATCH, &etag).send().await.unwrap();
    assert_eq!(other.status(), 200);
    fake.react_to_issue(REPO, 1, "eyes");
    assert!(changed(&fake).await);
}

#[tokio::test]
async fn the_page_of_a_listing_keeps_its_links_without_a_body() {
    let clock = clock();
    let fake = start(&clock).await;
    for _ in 0..3 {
        fake.open_issue(REPO, json!({}));
    }
    let path = within("/issues?per_page=2");
    let first = get(&fake, &path, &[]).await;
    let again = with(&fake, &path, header(&first, "etag").unwrap()).await;
    assert_eq!((again.status().as_u16(), link(&again, "next")), (304, link(&first, "next")));
}

#[tokio::test]
async fn a_date_counts_only_without_a_tag() {
    let clock = clock();
    let fake = start(&clock).await;
    let date = "Sun, 01 Mar 2026 09:00:00 GMT";
    assert_eq!(header(&get(&fake, &within(""), &[]).await, "last-modified"), Some(date));
    let since = |date: &str| request(&fake, &within(""), TOKEN).header(IF_MODIFIED_SINCE, date);
    assert_eq!(since(date).send().await.unwrap().status(), 304);
    assert_eq!(since("Sun, 01 Mar 2026 08:59:59 GMT").send().await.unwrap().status(), 200);
    assert_eq!(since(date).header(IF_NONE_MATCH, "\"other\"").send().await.unwrap().status(), 200);
}

//! Comments on issues, and on lines.

use serde_json::json;

use super::*;

#[tokio::test]
async fn comments_are_listed_by_issue_and_by_repository() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_user(integrations_testkit::github::UserSpec::bot("helper"));
    let (issue, pull) = (fake.open_issue(REPO, json!({})), fake.open_pull(REPO, json!({})));
    let first = fake.comment(REPO, issue, json!({"body": "one"}));
    later(&clock);
    let second = fake.comment(REPO, pull, json!({"body": "two", "user": "helper[bot]", "app": "helper"}));
    later(&clock);
    let third = fake.comment(REPO, issue, json!({"body": "three"}));
    later(&clock);
    fake.edit_comment(REPO, first, "one!");

    let listed = async |path: &str, query: Query<'_>| ids(&drain(&fake, &within(path), query).await);
    assert_eq!(listed("/issues/1/comments", &[]).await, [first, third]);
    assert_eq!(listed("/issues/2/comments", &[]).await, [second]);
    assert_eq!(listed("/issues/1/comments", &[("since", "2026-03-01T09:00:03Z")]).await, [first]);
    let by_repository = "/issues/comments";
    assert_eq!(listed(by_repository, &[]).await, [first, second, third]);
    assert_eq!(
        listed(by_repository, &[("sort", "updated"), ("per_page", "1")]).await,
        [second, third, first]
    );
    assert_eq!(
        listed(by_repository, &[("sort", "updated"), ("direction", "desc")]).await,
        [first, third, second]
    );
    assert_eq!(
        listed(by_repository, &[("sort", "created"), ("since", "2026-03-01T09:00:02Z")]).await,
        [first, third]
    );
    assert_eq!(fake.comment_ids(REPO), [first, second, third]);

    let comments = ok(&fake, &within(by_repository), &[]).await;
    assert_eq!(fake.comment_object(REPO, first).as_ref(), Some(&comments[0]));
    assert_eq!(
        (&comments[0]["body"], &comments[0]["created_at"], &comments[0]["updated_at"]),
        (&json!("one!"), &json!("2026-03-01T09:00:00Z"), &json!("2026-03-01T09:00:03Z"))
    );
    assert_eq!(comments[0]["issue_url"], format!("{}{}", fake.url(), within("/issues/1")));
    assert_eq!(comments[1]["html_url"], format!("https://github.com/{REPO}/pull/2#issuecomment-{second}"));
    assert_eq!(
        (&comments[1]["user"]["type"], &comments[1]["user"]["login"]),
        (&json!("Bot"), &json!("helper[bot]"))
    );
    assert_eq!(comments[1]["performed_via_github_app"]["slug"], "helper");

    fake.delete_comment(REPO, first);
    fake.raw_comment(REPO, "{\"id\": -1}");
    assert_eq!(listed("/issues/1/comments", &[]).await, [third]);
    assert_eq!(fake.comment_object(REPO, first), None);
    let text = get(&fake, &within(by_repository), &[("since", "2026-03-01T09:00:03Z")]).await;
    assert_eq!(text.text().await.unwrap(), "[{\"id\": -1}]");
    fake.patch_comment(REPO, third, json!({"body": 7}));
    assert_eq!(fake.comment_object(REPO, third).unwrap()["body"], 7);
    assert_eq!(ok(&fake, &within("/issues/1"), &[]).await["comments"], 1);
    assert_eq!(refused(&fake, &within("/issues/9/comments"), &[]).await.0, 404);
}

#[tokio::test]
async fn bodies_come_in_the_forms_that_are_asked_for() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_issue(REPO, json!({"body": "a < b"}));
    fake.comment(REPO, 1, json!({"body": "a & b"}));
    let forms = async |accept: &str, path: &str| {
        let answer = request(&fake, &within(path), TOKEN).header("accept", accept).send().await.unwrap();
        let media = header(&answer, "x-github-media-type").unwrap().to_owned();
        let body: Value = answer.json().await.unwrap();
        let item = if body.is_array() { body[0].clone() } else { body };
        let form = |name: &str| item.get(name).map(|text| text.as_str().unwrap().to_owned());
        (media, form("body"), form("body_text"), form("body_html"))
    };
    let some = |text: &str| Some(text.to_owned());
    for path in ["/issues/1", "/issues"] {
        let (media, raw, text, html) = forms("application/vnd.github+json", path).await;
        assert_eq!((media.as_str(), raw, text, html), ("github.v3; format=json", some("a < b"), None, None));
        let (_, raw, text, html) = forms("application/vnd.github.full+json", path).await;
        assert_eq!((raw, text, html), (some("a < b"), some("a < b"), some("<p dir=\"auto\">a &lt; b</p>")));
    }
    let (_, raw, text, html) = forms("application/vnd.github.html+json", "/issues/1/comments").await;
    assert_eq!((raw, text, html), (None, None, some("<p dir=\"auto\">a &amp; b</p>")));
    let (_, raw, text, _) = forms("text/plain, application/vnd.github.text+json", "/issues/comments").await;
    assert_eq!((raw, text), (None, some("a & b")));
}

#[tokio::test]
async fn comments_on_lines_belong_to_pull_requests() {
    let clock = clock();
    let fake = start(&clock).await;
    let (one, two) = (fake.open_pull(REPO, json!({})), fake.open_pull(REPO, json!({})));
    later(&clock);
    let review = fake.review(REPO, one, json!({"state": "CHANGES_REQUESTED", "body": "see below"}));
    let first = fake.review_comment(
        REPO,
        one,
        json!({"body": "why?", "path": "src/lib.rs", "line": 7, "review": review}),
    );
    let other = fake.review_comment(REPO, two, json!({"body": "x"}));
    later(&clock);
    let answer = fake.review_comment(REPO, one, json!({"body": "because", "in_reply_to": first}));
    later(&clock);
    fake.edit_review_comment(REPO, first, "why not?");
    assert_eq!(fake.review_comment_ids(REPO), [first, other, answer]);

    let listed = async |path: &str, query: Query<'_>| ids(&drain(&fake, &within(path), query).await);
    assert_eq!(listed("/pulls/comments", &[("per_page", "2")]).await, [first, other, answer]);
    assert_eq!(
        listed("/pulls/comments", &[("sort", "updated"), ("direction", "desc")]).await,
        [first, answer, other]
    );
    assert_eq!(listed("/pulls/comments", &[("since", "2026-03-01T09:00:02Z")]).await, [first, answer]);
    assert_eq!(listed("/pulls/1/comments", &[]).await, [first, answer]);
    assert_eq!(listed("/pulls/1/comments", &[("sort", "updated")]).await, [answer, first]);
    assert_eq!(refused(&fake, &within("/pulls/9/comments"), &[]).await.0, 404);

    let comments = ok(&fake, &within("/pulls/1/comments"), &[]).await;
    assert_eq!(fake.review_comment_object(REPO, first).as_ref(), Some(&comments[0]));
    assert_eq!(
        (&comments[0]["body"], &comments[0]["line"], &comments[0]["path"]),
        (&json!("why not?"), &json!(7), &json!("src/lib.rs"))
    );
    assert_eq!(comments[0]["pull_request_review_id"], json!(review));
    assert_eq!((comments[0].get("in_reply_to_id"), &comments[1]["in_reply_to_id"]), (None, &json!(first)));
    assert_eq!(comments[0]["commit_id"], json!(fake.head_sha(REPO, one)));
    let pull = ok(&fake, &within("/pulls/1"), &[]).await;
    assert_eq!((&pull["review_comments"], &pull["comments"]), (&json!(2), &json!(0)));
    assert_eq!(pull["updated_at"], "2026-03-01T09:00:03Z");
    fake.delete_review_comment(REPO, first);
    assert_eq!(listed("/pulls/comments", &[]).await, [other, answer]);
    later(&clock);
    fake.raw_review_comment(REPO, "{\"line\": \"none\"}");
    let text = get(&fake, &within("/pulls/comments"), &[("since", "2026-03-01T09:00:04Z")]).await;
    assert_eq!(text.text().await.unwrap(), "[{\"line\": \"none\"}]");
    assert_eq!(fake.review_comment_ids(REPO), [other, answer]);
}

//! GitHub's own examples and answers, next to what the fake sends.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use super::*;

/// A file of the data, or `None` with a printed line where it is absent.
fn data(path: &str) -> Option<Value> {
    let found = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")).join(path);
    if !found.exists() {
        println!("skipped: ../shared/data/{path} is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap())
}

/// The answer of an example of GitHub's description.
fn example(name: &str) -> Option<Value> {
    let (tag, _) = name.split_once('.').unwrap();
    Some(data(&format!("github-rest-examples/{tag}/{name}.json"))?["response"].clone())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every field of the example is in what was sent, with the same type, but for those named.
fn has_all(sent: &Value, example: &Value, path: &str, but: &[&str]) {
    for (field, value) in example.as_object().into_iter().flatten() {
        if but.contains(&field.as_str()) {
            continue;
        }
        let path = format!("{path}.{field}");
        let found = sent.get(field).unwrap_or_else(|| panic!("{path} is missing in {sent}"));
        let same = kind(found) == kind(value) || [found, value].iter().any(|value| value.is_null());
        assert!(same, "{path}: {found} is not as {value}");
        match (found, value) {
            (Value::Object(_), Value::Object(_)) => has_all(found, value, &path, but),
            (Value::Array(found), Value::Array(value)) => {
                if let (Some(found), Some(value)) = (found.first(), value.first()) {
                    has_all(found, value, &path, but);
                }
            }
            _ => {}
        }
    }
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

/// A GitHub in which nothing is empty.
async fn full() -> FakeGitHub {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO)).start().await;
    fake.add_user(integrations_testkit::github::UserSpec::new("grace"));
    fake.add_milestone(REPO, "v1.0", Some("2026-04-01T07:00:00Z"));
    let fields = json!({"labels": ["bug"], "assignees": ["ada"], "milestone": 1, "app": "octoapp"});
    let issue = fake.open_issue(REPO, fields.clone());
    let comment = fake.comment(REPO, issue, json!({"body": "Me too", "app": "octoapp"}));
    fake.edit_comment(REPO, comment, "Me too!");
    let pull = fake.open_pull(REPO, fields);
    fake.request_review(REPO, pull, "grace");
    let review = fake.review(REPO, pull, json!({"state": "APPROVED"}));
    let first = fake.review_comment(REPO, pull, json!({"body": "a", "review": review}));
    fake.review_comment(REPO, pull, json!({"body": "b", "review": review, "in_reply_to": first}));
    let sha = fake.head_sha(REPO, pull);
    fake.check_run(REPO, &sha, json!({"conclusion": "success"}));
    fake.commit_status(REPO, &sha, json!({"state": "success"}));
    fake.notify(REPO, issue, "mention");
    fake
}

/// What only an older or another GitHub sends, or what the fake knows nothing of.
const BUT: &[&str] = &[
    "gravatar_id",
    "template_repository",
    "parent",
    "source",
    "license",
    "pinned_comment",
    "pin",
    "security_and_analysis",
    "custom_properties",
    "code_of_conduct",
    "requested_teams",
];

#[tokio::test]
async fn objects_have_the_fields_of_githubs_examples() {
    let fake = full().await;
    let sha = fake.head_sha(REPO, 2);
    let at = |body: &Value, pointer: &str| {
        body.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}: {body}")).clone()
    };
    for (path, pointer, name, of_example, but) in [
        (
            within("/issues?direction=asc&sort=updated"),
            "/0",
            "issues.list.200.default",
            "/0",
            ["repository", "pull_request"].as_slice(),
        ),
        (within("/issues/1"), "", "issues.update.200.default", "", &["pull_request"]),
        (within("/issues"), "/0", "issues.list.200.default", "/0", &["repository"]),
        (within("/issues/1/comments"), "/0", "issues.pin-comment.200.default", "", &[]),
        (within("/issues/comments"), "/0", "issues.pin-comment.200.default", "", &[]),
        (within("/labels"), "/0", "issues.list-labels-for-repo.200.default", "/0", &[]),
        (within("/milestones"), "/0", "issues.list-milestones.200.default", "/0", &[]),
        (
            within("/pulls"),
            "/0",
            "pulls.list.200.default",
            "/0",
            &[
                "name",
                "temp_clone_token",
                "subscribers_count",
                "network_count",
                "allow_rebase_merge",
                "allow_squash_merge",
                "allow_auto_merge",
                "delete_branch_on_merge",
                "allow_merge_commit",
            ],
        ),
        (within("/pulls/2/reviews"), "/0", "pulls.list-reviews.200.default", "/0", &[]),
        (
            within("/pulls/comments?sort=created&direction=desc"),
            "/0",
            "pulls.list-comments-for-review.200.default",
            "/0",
            &[],
        ),
        (
            within("/pulls/2/comments"),
            "/1",
            "pulls.create-review-comment.201.example-for-a-multi-line-comment",
            "",
            &[],
        ),
        (
            within(&format!("/commits/{sha}/check-runs")),
            "",
            "checks.list-for-ref.200.default",
            "",
            &["pull_requests", "owner", "permissions"],
        ),
        (within(""), "", "repos.get.200.default-response", "", &[]),
        (
            "/user".to_owned(),
            "",
            "users.get-authenticated.200.response-with-public-profile-information",
            "",
            &["plan"],
        ),
        (
            "/notifications".to_owned(),
            "/0",
            "activity.list-notifications-for-authenticated-user.200.default",
            "/0",
            &["git_url", "ssh_url"],
        ),
        ("/rate_limit".to_owned(), "/resources/core", "rate-limit.get.200.default", "/resources/core", &[]),
    ] {
        let Some(example) = example(name) else { return };
        let sent = at(&ok(&fake, &path, &[]).await, pointer);
        has_all(&sent, &at(&example, of_example), name, &[BUT, but].concat());
    }
}

#[tokio::test]
async fn an_issue_and_its_repository_have_the_fields_that_github_sent() {
    let Some(recorded) = data("github-recorded/paginate-issues/raw-fixture.json") else { return };
    let fake = full().await;
    let listed = recorded.as_array().unwrap().iter().find(|call| call["method"] == "get").unwrap();
    let sent = ok(&fake, &within("/issues/1"), &[]).await;
    has_all(&sent, &listed["response"][0], "issue", BUT);
    // What GitHub has added since.
    let mut known = keys(&listed["response"][0]);
    known.extend(["closed_by", "issue_dependencies_summary", "sub_issues_summary", "type"]);
    assert_eq!(keys(&sent).difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());

    let Some(recorded) = data("github-recorded/get-repository/raw-fixture.json") else { return };
    let call = &recorded[0];
    let sent = ok(&fake, &within(""), &[]).await;
    has_all(&sent, &call["response"], "repository", BUT);
    let mut known = keys(&call["response"]);
    known.insert("has_discussions");
    assert_eq!(keys(&sent).difference(&known).collect::<Vec<_>>(), Vec::<&&str>::new());
    let answer = get(&fake, &within(""), &[]).await;
    let names = call["rawHeaders"].as_array().unwrap().iter().step_by(2).map(|name| name.as_str().unwrap());
    for name in names.filter(|name| {
        ["ETag", "Last-Modified", "Date", "Content-Type", "Cache-Control", "Vary"].contains(name)
            || name.starts_with("X-RateLimit")
            || name.starts_with("X-GitHub")
            || name.ends_with("OAuth-Scopes")
    }) {
        assert!(answer.headers().contains_key(name), "{name}");
    }
}

#[tokio::test]
async fn links_and_redirects_are_as_github_sent_them() {
    let Some(recorded) = data("github-recorded/paginate-issues/raw-fixture.json") else { return };
    let clock = clock();
    let full_name = recorded[0]["response"]["full_name"].as_str().unwrap();
    let id = recorded[0]["response"]["id"].as_u64().unwrap();
    let repository = RepoSpec::new(full_name).id(id);
    let fake = builder(&clock).repository(repository).numbered_links(true).start().await;
    for _ in 0..13 {
        fake.open_issue(full_name, json!({}));
    }
    let calls = recorded.as_array().unwrap().iter().filter(|call| call["method"] == "get");
    let mut compared = 0;
    for call in calls {
        let headers = call["rawHeaders"].as_array().unwrap();
        let place = headers.iter().position(|name| name == "Link").unwrap();
        let expected = headers[place + 1].as_str().unwrap().replace("https://api.github.com", fake.url());
        let answer = get(&fake, call["path"].as_str().unwrap(), &[]).await;
        assert_eq!(header(&answer, "link"), Some(expected.as_str()));
        let numbers_sent = numbers(&answer.json::<Vec<Value>>().await.unwrap());
        assert_eq!(numbers_sent, numbers(call["response"].as_array().unwrap()));
        compared += 1;
    }
    assert_eq!(compared, 5);

    let Some(recorded) = data("github-recorded/rename-repository/raw-fixture.json") else { return };
    let call = recorded.as_array().unwrap().iter().find(|call| call["status"] == 301).unwrap();
    fake.rename_repository(full_name, "new-name");
    let (status, body) = self::call(&fake, &format!("/repos/{full_name}"), &[]).await;
    assert_eq!((status, &body["message"]), (301, &call["response"]["message"]));
    assert_eq!(keys(&body), keys(&call["response"]));
}

#[tokio::test]
async fn what_a_rust_peer_was_sent_has_no_more_fields() {
    let fake = full().await;
    let sha = fake.head_sha(REPO, 2);
    let Some(event) = data("peer-octocrab/issue_comment_created_webhook_event.json") else { return };
    has_all(&ok(&fake, &within("/issues/1"), &[]).await, &event["issue"], "issue", BUT);
    has_all(&ok(&fake, &within("/issues/comments"), &[]).await[0], &event["comment"], "comment", BUT);
    let Some(event) = data("peer-octocrab/pull_request_opened_webhook_event.json") else { return };
    has_all(
        &ok(&fake, &within("/pulls/2"), &[]).await,
        &event["pull_request"],
        "pull",
        &[
            BUT,
            &[
                "allow_squash_merge",
                "allow_merge_commit",
                "allow_rebase_merge",
                "allow_auto_merge",
                "delete_branch_on_merge",
                "allow_update_branch",
                "use_squash_pr_title_as_default",
                "squash_merge_commit_message",
                "squash_merge_commit_title",
                "merge_commit_message",
                "merge_commit_title",
            ],
        ]
        .concat(),
    );
    let Some(runs) = data("peer-octocrab/commit_check_runs.json") else { return };
    let sent = ok(&fake, &within(&format!("/commits/{sha}/check-runs")), &[]).await;
    has_all(&sent, &runs, "check runs", &["owner", "permissions"]);
    let Some(comments) = data("peer-octocrab/get_pull_request_review_comments.json") else { return };
    has_all(&ok(&fake, &within("/pulls/2/comments"), &[]).await[1], &comments[0], "review comment", BUT);
}

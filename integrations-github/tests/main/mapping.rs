//! Every field that GitHub has for an issue, a pull request, what is said of them and a notification, and where it
//! goes.

use integrations_core::model::Entity;
use serde_json::{Value, json};

use crate::items::normalise;

const REPOSITORY: &str = "https://api.github.com/repos/octo-org/engine";

fn upsert(wire: &Value) -> Value {
    let record = normalise(wire.to_string()).unwrap();
    // What a store keeps comes back as it was.
    let stored = serde_json::to_string(&record.entity).unwrap();
    assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
    json!({"entity": record.entity, "source": record.source})
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($wire:expr) => {
        insta::with_settings!({omit_expression => true}, { insta::assert_json_snapshot!(upsert(&$wire)) })
    };
}

fn user(login: &str, id: u64) -> Value {
    json!({
        "login": login, "id": id, "node_id": "U_1", "avatar_url": "https://avatars.githubusercontent.com/u/1", "gravatar_id": "",
        "url": format!("https://api.github.com/users/{login}"), "html_url": format!("https://github.com/{login}"),
        "type": if login.ends_with("[bot]") { "Bot" } else { "User" }, "user_view_type": "public", "site_admin": false,
    })
}

fn issue() -> Value {
    json!({
        "url": format!("{REPOSITORY}/issues/42"), "repository_url": REPOSITORY, "html_url": "https://github.com/octo-org/engine/issues/42",
        "labels_url": format!("{REPOSITORY}/issues/42/labels{{/name}}"), "comments_url": format!("{REPOSITORY}/issues/42/comments"),
        "id": 3_000_000_042_u64, "node_id": "I_kwDOA", "number": 42, "title": "Carry the one 📈", "body": "It is *lost*.\r\nSee #41.",
        "user": user("ada", 1), "state": "closed", "state_reason": "not_planned", "locked": true, "active_lock_reason": "too heated",
        "labels": [
            {"id": 9, "node_id": "LA_1", "url": format!("{REPOSITORY}/labels/bug"), "name": "bug", "color": "d73a4a", "default": true, "description": "Broken"},
            "plain", {"id": 10, "name": null, "color": null}, {"id": 11, "name": "odd", "color": "red"},
        ],
        "assignee": user("bob", 2), "assignees": [user("bob", 2), user("renovate[bot]", 3)],
        "milestone": {
            "url": format!("{REPOSITORY}/milestones/3"), "id": 77, "number": 3, "title": "1.0", "state": "open", "due_on": "2026-04-01T07:00:00Z",
            "creator": user("ada", 1), "open_issues": 4, "closed_issues": 8,
        },
        "type": {"id": 5, "node_id": "IT_1", "name": "Bug", "description": "An unexpected problem", "color": "red", "is_enabled": true},
        "comments": 3, "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-02-02T03:04:05Z", "closed_at": "2026-02-01T00:00:00Z",
        "closed_by": user("bob", 2), "author_association": "MEMBER", "performed_via_github_app": null,
        "reactions": {
            "url": format!("{REPOSITORY}/issues/42/reactions"), "total_count": 6, "+1": 3, "-1": 0, "laugh": 0, "hooray": 1, "confused": 0,
            "heart": 0, "rocket": 0, "eyes": 0, "salute": 2,
        },
        "sub_issues_summary": {"total": 0, "completed": 0, "percent_completed": 0}, "timeline_url": format!("{REPOSITORY}/issues/42/timeline"),
    })
}

/// A pull request, as a list of issues has it.
fn pull() -> Value {
    let mut wire = issue();
    wire["html_url"] = json!("https://github.com/octo-org/engine/pull/42");
    wire["draft"] = json!(true);
    wire["pull_request"] = json!({"url": format!("{REPOSITORY}/pulls/42"), "html_url": "https://github.com/octo-org/engine/pull/42", "merged_at": null});
    wire["state"] = json!("open");
    for field in ["state_reason", "closed_at", "closed_by", "milestone", "type"] {
        wire[field] = Value::Null;
    }
    wire
}

/// What GraphQL says of it.
fn graphql() -> Value {
    json!({
        "number": 42, "isDraft": false, "merged": true, "mergedAt": "2026-02-03T00:00:00Z", "mergeable": "UNKNOWN", "reviewDecision": "APPROVED",
        "mergedBy": {"__typename": "Bot", "login": "merge-queue", "databaseId": 31},
        "headRefName": "topic", "headRefOid": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "isCrossRepository": true,
        "headRepositoryOwner": {"login": "bob"}, "baseRefName": "main", "additions": 10, "deletions": 2, "changedFiles": 1,
        "commits": {"nodes": [{"commit": {"statusCheckRollup": {"state": "ERROR"}}}]},
        "reviewRequests": {"nodes": [
            {"requestedReviewer": {"__typename": "User", "login": "eve", "databaseId": 4}},
            {"requestedReviewer": {"__typename": "Team", "name": "Reviewers", "slug": "reviewers", "databaseId": 4}},
            {"requestedReviewer": {"__typename": "Bot", "login": "copilot"}},
            {"requestedReviewer": null}, null,
        ]},
    })
}

#[test]
fn an_issue_with_everything() {
    snapshot!(issue());
}

#[test]
fn an_issue_with_nothing_but_its_number_and_title() {
    snapshot!(json!({"number": 42, "title": "Carry the one"}));
}

#[test]
fn an_issue_whose_author_is_gone_and_all_else_is_null() {
    let mut wire = issue();
    for (name, value) in wire.as_object_mut().unwrap() {
        if !["number", "title", "html_url"].contains(&name.as_str()) {
            *value = Value::Null;
        }
    }
    snapshot!(wire);
}

#[test]
fn a_pull_request_in_a_list_of_issues() {
    snapshot!(pull());
}

#[test]
fn a_pull_request_with_what_graphql_says() {
    snapshot!(json!({"rest": pull(), "graphql": graphql()}));
}

#[test]
fn a_pull_request_by_itself_from_a_fork() {
    let mut wire = pull();
    let fields = wire.as_object_mut().unwrap();
    fields.retain(|name, _| !["pull_request", "repository_url", "reactions"].contains(&name.as_str()));
    wire["url"] = json!(format!("{REPOSITORY}/pulls/42"));
    wire["issue_url"] = json!(format!("{REPOSITORY}/issues/42"));
    wire["head"] = json!({"label": "bob:topic", "ref": "topic", "sha": "6dcb09b5", "user": user("bob", 2), "repo": {"id": 2, "full_name": "bob/engine"}});
    wire["base"] = json!({"label": "octo-org:main", "ref": "main", "sha": "f95f852b", "user": user("octo-org", 9), "repo": {"id": 1, "full_name": "octo-org/engine"}});
    wire["requested_reviewers"] = json!([user("eve", 4)]);
    wire["requested_teams"] = json!([{"id": 4, "name": "Reviewers", "slug": "reviewers"}]);
    for (name, value) in [
        ("merged", json!(false)),
        ("mergeable", json!(false)),
        ("mergeable_state", json!("dirty")),
        ("merged_by", Value::Null),
    ] {
        wire[name] = value;
    }
    for (name, value) in [
        ("comments", 3),
        ("review_comments", 5),
        ("commits", 2),
        ("additions", 10),
        ("deletions", 2),
        ("changed_files", 1),
    ] {
        wire[name] = json!(value);
    }
    snapshot!(wire);
}

#[test]
fn a_comment_with_everything() {
    snapshot!(json!({
        "url": format!("{REPOSITORY}/issues/comments/7"), "html_url": "https://github.com/octo-org/engine/issues/42#issuecomment-7",
        "issue_url": format!("{REPOSITORY}/issues/42"), "id": 7, "node_id": "IC_1", "user": user("dependabot[bot]", 3), "body": "Done.",
        "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-02-02T03:04:05Z", "author_association": "NONE",
        "reactions": {"url": format!("{REPOSITORY}/issues/comments/7/reactions"), "total_count": 1, "eyes": 1}, "performed_via_github_app": {"id": 1, "slug": "dependabot"},
    }));
}

#[test]
fn a_comment_on_a_place_in_a_change() {
    snapshot!(json!({
        "url": format!("{REPOSITORY}/pulls/comments/7"), "html_url": "https://github.com/octo-org/engine/pull/42#discussion_r7",
        "pull_request_url": format!("{REPOSITORY}/pulls/42"), "pull_request_review_id": null, "id": 7, "node_id": "PRRC_1", "in_reply_to_id": 6,
        "diff_hunk": "@@ -1 +1 @@", "path": "src/engine.rs", "position": null, "original_position": 4, "line": null, "original_line": 17, "start_line": 15,
        "side": "RIGHT", "subject_type": "line", "commit_id": "6dcb09b5", "original_commit_id": "9c48853f", "user": null, "body": "Which one?",
        "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-02-02T03:04:05Z", "author_association": "NONE",
        "reactions": {"total_count": 0, "+1": 0},
    }));
}

/// A review, as REST has it.
fn review(state: &str) -> Value {
    json!({
        "id": 80, "node_id": "PRR_1", "user": user("eve", 4), "body": "", "state": state, "commit_id": "6dcb09b5",
        "html_url": "https://github.com/octo-org/engine/pull/42#pullrequestreview-80", "pull_request_url": format!("{REPOSITORY}/pulls/42"),
        "author_association": "MEMBER", "submitted_at": "2026-01-02T03:04:05Z",
    })
}

#[test]
fn a_review() {
    snapshot!(review("CHANGES_REQUESTED"));
}

#[test]
fn a_review_by_graphql() {
    snapshot!(json!({
        "review": {
            "fullDatabaseId": "80", "databaseId": 80, "state": "DISMISSED", "body": "Not any more.", "submittedAt": "2026-01-02T03:04:05Z",
            "updatedAt": "2026-01-03T00:00:00Z", "url": "https://github.com/octo-org/engine/pull/42#pullrequestreview-80",
            "author": {"__typename": "User", "login": "eve", "databaseId": 4},
        },
        "number": 42, "repository_url": REPOSITORY,
    }));
}

#[test]
fn a_notification_with_everything() {
    snapshot!(json!({
        "id": "1", "unread": false, "reason": "review_requested", "updated_at": "2026-02-02T03:04:05Z", "last_read_at": "2026-02-03T00:00:00Z",
        "subject": {
            "title": "Carry the one", "url": format!("{REPOSITORY}/pulls/42"), "latest_comment_url": format!("{REPOSITORY}/issues/comments/7"), "type": "PullRequest",
        },
        "repository": {"id": 1, "name": "engine", "full_name": "octo-org/engine", "html_url": "https://github.com/octo-org/engine", "owner": user("octo-org", 9)},
        "url": "https://api.github.com/notifications/threads/1", "subscription_url": "https://api.github.com/notifications/threads/1/subscription",
    }));
}

#[test]
fn a_notification_leads_to_the_page_of_what_it_is_about() {
    for (subject, page) in [
        (json!(format!("{REPOSITORY}/issues/42")), json!("https://github.com/octo-org/engine/issues/42")),
        (json!(format!("{REPOSITORY}/pulls/42")), json!("https://github.com/octo-org/engine/pull/42")),
        (json!(format!("{REPOSITORY}/commits/6dcb09b5")), Value::Null),
        (json!("https://api.github.com/repos/octo-org/other/issues/42"), Value::Null),
        (json!(format!("{REPOSITORY}/releases/42")), Value::Null),
        (Value::Null, Value::Null),
    ] {
        let repository =
            json!({"full_name": "octo-org/engine", "html_url": "https://github.com/octo-org/engine"});
        let mut wire =
            json!({"id": "1", "reason": "mention", "subject": {"url": subject}, "repository": repository});
        assert_eq!(upsert(&wire)["source"]["link"], page, "{subject}");
        wire["repository"] = Value::Null;
        assert_eq!(upsert(&wire)["source"]["link"], Value::Null);
    }
}

#[test]
fn states_are_told_apart() {
    let state = |wire: &Value| upsert(wire)["entity"]["state"].clone();
    for (field, value, expected) in [
        ("state", json!("open"), "open"),
        ("state", json!("closed"), "closed"),
        ("state", json!("snoozed"), "snoozed"),
        ("merged_at", json!("2026-02-02T03:04:05Z"), "merged"),
        ("merged", json!(true), "merged"),
        ("pull_request", json!({"merged_at": "2026-02-02T03:04:05Z"}), "merged"),
        ("closed_at", json!("2026-02-02T03:04:05Z"), "closed"),
    ] {
        assert_eq!(state(&json!({"number": 1, "title": "x", field: value})), expected, "{field}");
    }
}

#[test]
fn words_that_reviews_and_checks_use_are_those_of_the_model() {
    for (word, expected) in [
        ("APPROVED", "approved"),
        ("approved", "approved"),
        ("COMMENTED", "commented"),
        ("changes_requested", "changes_requested"),
        ("DISMISSED", "dismissed"),
        ("PENDING", "pending"),
        ("SHRUGGED", "SHRUGGED"),
    ] {
        assert_eq!(upsert(&review(word))["entity"]["review"], expected, "{word}");
    }
    let with = |field: &str, value: Value| {
        let mut details = graphql();
        details[field] = value;
        upsert(&json!({"rest": pull(), "graphql": details}))["entity"]["pull"].clone()
    };
    for (word, expected) in [
        (json!("APPROVED"), json!("approved")),
        (json!("CHANGES_REQUESTED"), json!("changes_requested")),
        (json!("REVIEW_REQUIRED"), json!("pending")),
        (json!("ABSTAINED"), json!("ABSTAINED")),
        (Value::Null, Value::Null),
    ] {
        assert_eq!(with("reviewDecision", word.clone())["review"], expected, "{word}");
    }
    for (word, expected) in [
        (json!("SUCCESS"), json!("success")),
        (json!("FAILURE"), json!("failure")),
        (json!("ERROR"), json!("failure")),
        (json!("PENDING"), json!("pending")),
        (json!("EXPECTED"), json!("pending")),
        (json!("MIRED"), json!("MIRED")),
    ] {
        let commits = json!({"nodes": [{"commit": {"statusCheckRollup": {"state": word}}}]});
        assert_eq!(with("commits", commits)["checks"], expected);
    }
    for commits in
        [Value::Null, json!({"nodes": []}), json!({"nodes": [{"commit": {"statusCheckRollup": null}}]})]
    {
        assert_eq!(with("commits", commits)["checks"], Value::Null);
    }
    for (word, expected) in
        [("MERGEABLE", json!(true)), ("CONFLICTING", json!(false)), ("UNKNOWN", Value::Null)]
    {
        assert_eq!(with("mergeable", json!(word))["mergeable"], expected);
    }
    assert_eq!(with("isCrossRepository", json!(false))["source_branch"], "topic");
    assert_eq!(with("headRepositoryOwner", Value::Null)["source_branch"], "topic");
}

#[test]
fn what_graphql_does_not_know_takes_nothing_away() {
    let mut wire = pull();
    wire["head"] = json!({"label": "bob:topic", "ref": "topic", "sha": "6dcb09b5", "repo": null});
    wire["base"] = json!({"ref": "main"});
    wire["mergeable"] = json!(true);
    wire["requested_reviewers"] = json!([user("eve", 4)]);
    let details = graphql();
    let nothing: serde_json::Map<_, _> =
        details.as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
    let mut with = upsert(&json!({"rest": wire, "graphql": nothing}));
    let without = upsert(&wire);
    assert_eq!(with["entity"]["pull"]["source_branch"], "bob:topic");
    assert_eq!(with["entity"].take(), without["entity"]);
}

#[test]
fn each_is_the_same_record_wherever_it_is_shown() {
    let mut alone = pull();
    alone["url"] = json!(format!("{REPOSITORY}/pulls/42"));
    alone["id"] = json!(1);
    for wire in [pull(), alone.clone(), json!({"rest": alone, "graphql": graphql()})] {
        assert_eq!(upsert(&wire)["source"]["id"], "42");
    }
}

#[test]
fn the_project_is_named_by_whatever_names_it() {
    for wire in [
        json!({"repository": {"full_name": "a/b"}, "url": format!("{REPOSITORY}/issues/1")}),
        json!({"repository_url": "https://git.example.com/api/v3/repos/a/b"}),
        json!({"url": "http://127.0.0.1:80/repos/a/b/issues/1"}),
        json!({"html_url": "https://github.com/a/b/issues/1"}),
    ] {
        let mut wire = wire;
        (wire["number"], wire["title"]) = (json!(1), json!("x"));
        assert_eq!(upsert(&wire)["entity"]["project"], "a/b", "{wire}");
    }
}

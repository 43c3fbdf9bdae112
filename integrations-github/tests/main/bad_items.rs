//! An item that cannot be read harms itself alone, and says which one it is and where it is wrong.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::items::{normalise, run};

const REPOSITORY: &str = "https://api.github.com/repos/octo-org/engine";

/// One item of each shape, with the id of its record.
fn items() -> Vec<(&'static str, Value)> {
    let user = json!({"login": "ada", "id": 1, "type": "User", "email": null});
    let people = json!([{"login": "bob", "id": 2, "type": "Bot"}]);
    let reactions = json!({"url": "x", "total_count": 1, "+1": 1, "later": {}});
    let issue = json!({
        "url": format!("{REPOSITORY}/issues/42"), "repository_url": REPOSITORY, "html_url": "https://github.com/octo-org/engine/issues/42",
        "id": 1, "number": 42, "title": "Carry the one", "body": "s3cret", "user": user, "state": "closed", "state_reason": "completed",
        "locked": true, "active_lock_reason": "spam", "labels": [{"id": 9, "name": "bug", "color": "d73a4a"}, "plain"], "assignees": people,
        "milestone": {"number": 3, "title": "1.0", "state": "open", "due_on": "2026-04-01T07:00:00Z"}, "type": {"name": "Bug"}, "comments": 3,
        "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-02-02T03:04:05Z", "closed_at": "2026-02-01T00:00:00Z", "closed_by": user,
        "reactions": reactions, "pull_request": {"merged_at": null}, "draft": false, "repository": {"full_name": "octo-org/engine"},
    });
    let branch = json!({"label": "a:b", "ref": "b", "sha": "6dcb09b5", "repo": {"full_name": "a/c"}});
    let pull = json!({
        "url": format!("{REPOSITORY}/pulls/42"), "number": 42, "title": "Carry the one", "state": "open", "head": branch, "base": branch,
        "merged": false, "mergeable": true, "merged_by": user, "requested_reviewers": people, "requested_teams": [{"id": 1, "name": "n", "slug": "s"}],
        "additions": 1, "deletions": 1, "changed_files": 1,
    });
    let graphql = json!({
        "isDraft": false, "merged": true, "mergedAt": "2026-02-03T00:00:00Z", "mergedBy": {"__typename": "User", "login": "b", "databaseId": 1},
        "mergeable": "MERGEABLE", "reviewDecision": "APPROVED", "headRefName": "t", "headRefOid": "6d", "isCrossRepository": true,
        "headRepositoryOwner": {"login": "bob"}, "baseRefName": "main", "additions": 1, "deletions": 2, "changedFiles": 1,
        "commits": {"nodes": [{"commit": {"statusCheckRollup": {"state": "ERROR"}}}]},
        "reviewRequests": {"nodes": [{"requestedReviewer": {"__typename": "Team", "name": "n", "slug": "s", "databaseId": 4}}]},
    });
    let comment = json!({
        "url": format!("{REPOSITORY}/issues/comments/7"), "html_url": "https://github.com/octo-org/engine/issues/42#issuecomment-7",
        "issue_url": format!("{REPOSITORY}/issues/42"), "id": 7, "user": user, "body": "s3cret", "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-02-02T03:04:05Z", "reactions": reactions,
    });
    let review_comment = json!({
        "url": format!("{REPOSITORY}/pulls/comments/7"), "pull_request_url": format!("{REPOSITORY}/pulls/42"), "pull_request_review_id": 80, "id": 7,
        "in_reply_to_id": 6, "path": "src/engine.rs", "line": 1, "original_line": 17, "user": user, "body": "Which one?",
    });
    let review = json!({
        "id": 80, "user": user, "body": "", "state": "APPROVED", "pull_request_url": format!("{REPOSITORY}/pulls/42"), "submitted_at": "2026-01-02T03:04:05Z",
    });
    let told = json!({
        "fullDatabaseId": "80", "state": "DISMISSED", "body": "s3cret", "submittedAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-03T00:00:00Z",
        "url": "https://github.com/octo-org/engine/pull/42", "author": {"__typename": "User", "login": "eve", "databaseId": 4},
    });
    let notification = json!({
        "id": "1", "unread": false, "reason": "mention", "updated_at": "2026-02-02T03:04:05Z", "last_read_at": "2026-02-03T00:00:00Z",
        "subject": {"title": "x", "url": "y", "type": "Issue"}, "repository": {"full_name": "octo-org/engine"},
    });
    vec![
        ("42", issue.clone()),
        ("42", pull),
        ("42", json!({"rest": issue, "graphql": graphql})),
        ("comment:7", comment),
        ("review_comment:7", review_comment),
        ("review:80", review),
        ("review:80", json!({"review": told, "number": 42, "repository_url": REPOSITORY})),
        ("1", notification),
    ]
}

/// The paths of all values in a value, as JSON pointers.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    if !path.is_empty() {
        found.push(path.to_owned());
    }
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| paths(value, &format!("{path}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(at, value)| paths(value, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

/// Whether the path of an error leads to what was changed, to something around it, or into it.
fn leads_to(path: &str, changed: &str) -> bool {
    let pointer = path.trim_start_matches('$').replace(['.', '['], "/").replace(']', "");
    let within = |outer: &str, inner: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    within(&pointer, changed) || within(changed, &pointer)
}

#[test]
fn a_wrong_type_anywhere_is_quarantined_alone_with_its_id_and_path() {
    // What says which record it is: without it, the id may be another one, or none.
    const NAMING: &[&str] = &[
        "/id",
        "/number",
        "/url",
        "/title",
        "/subject",
        "/reason",
        "/review",
        "/rest",
        "/rest/number",
        "/rest/title",
        "/review/fullDatabaseId",
        "/issue_url",
        "/state",
        "/pull_request_url",
        "/submitted_at",
        "/path",
        "/pull_request_review_id",
        "/rest/url",
    ];
    let wrong = [
        json!("s3cret"),
        json!(7.5),
        json!(-1),
        json!(true),
        json!([]),
        json!({}),
        json!([7]),
        json!({"x": 1}),
    ];
    let (mut refused, mut taken) = (0, 0);
    for (id, item) in items() {
        assert_eq!(normalise(item.to_string()).unwrap().id(), id);
        let mut all = Vec::new();
        paths(&item, "", &mut all);
        for path in all {
            for value in &wrong {
                let mut bad = item.clone();
                *bad.pointer_mut(&path).unwrap() = value.clone();
                let naming = NAMING.contains(&path.as_str());
                match normalise(bad.to_string()) {
                    Ok(record) => {
                        taken += 1;
                        assert!(naming || record.id() == id, "{path} {value}: {}", record.id());
                    }
                    Err(bad) => {
                        refused += 1;
                        assert!(naming || bad.id.as_deref() == Some(id), "{path} {value}: {:?}", bad.id);
                        assert!(leads_to(&bad.path, &path), "{path} {value}: {}: {}", bad.path, bad.reason);
                        assert!(
                            !bad.reason.contains("s3cret") && !bad.path.contains("s3cret"),
                            "{}",
                            bad.reason
                        );
                    }
                }
            }
            // What is null is as good as not there.
            let mut without = item.clone();
            *without.pointer_mut(&path).unwrap() = Value::Null;
            let null = normalise(without.to_string());
            assert!(NAMING.contains(&path.as_str()) || null.is_ok(), "{path}: {null:?}");
        }
    }
    println!("{refused} refused, {taken} taken as they are");
    assert!(refused > 500, "{refused}");
}

#[test]
fn what_is_wrong_is_named() {
    for (item, id, reason) in [
        ("", None, "$: not JSON"),
        ("{", None, "$: not JSON"),
        ("null", None, "$: expected struct WireItem"),
        (
            "{}",
            None,
            "$: neither an issue, nor a pull request, nor a comment, nor a review, nor a notification",
        ),
        (
            r#"{"rest":{"id":1}}"#,
            None,
            "$.rest: neither an issue, nor a pull request, nor a comment, nor a review, nor a notification",
        ),
        (r#"{"number":"42","title":"x"}"#, Some("42"), "$.number: expected u64"),
        (
            r#"{"url":"https://api.github.com/repos/a/b/issues/42","title":"x"}"#,
            Some("42"),
            "$: neither an issue, nor a pull request, nor a comment, nor a review, nor a notification",
        ),
        (
            r#"{"number":42,"title":"x","created_at":"yesterday"}"#,
            Some("42"),
            "$.created_at: expected an RFC 3339 time",
        ),
        (
            r#"{"number":42,"title":"x","assignees":[{"id":[]}]}"#,
            Some("42"),
            "$.assignees[0].id: expected a number, or a text that is not empty",
        ),
        (
            r#"{"number":42,"title":"x","reactions":{"+1":"many"}}"#,
            Some("42"),
            "$.reactions.+1: expected u64",
        ),
        (r#"{"number":42,"number":43,"title":"x"}"#, Some("43"), "$: unexpected value"),
        (r#"{"issue_url":"https://api.github.com/repos/a/b/issues/42"}"#, None, "$: missing field `id`"),
        (
            r#"{"issue_url":"https://api.github.com/repos/a/b/issues/42","id":""}"#,
            None,
            "$.id: expected a number, or a text that is not empty",
        ),
        (
            r#"{"url":"https://api.github.com/repos/a/b/issues/comments/7","id":"","body":1}"#,
            Some("comment:7"),
            "$.id: expected a number, or a text that is not empty",
        ),
        (r#"{"review":{"state":"APPROVED"},"number":42}"#, None, "$.review: missing field `fullDatabaseId`"),
        (r#"{"subject":{},"reason":"mention"}"#, None, "$: missing field `id`"),
    ] {
        let bad = normalise(item).unwrap_err();
        assert_eq!(
            (bad.id.as_deref(), format!("{}: {}", bad.path, bad.reason).as_str()),
            (id, reason),
            "{item}"
        );
        assert_eq!(bad.stage, "map");
    }
    let bad = normalise(b"{\"number\":42,\"title\":\"\xff\"}".as_slice()).unwrap_err();
    assert_eq!((bad.path.as_str(), bad.reason.as_str()), ("$", "not UTF-8"));
}

#[test]
fn the_raw_item_is_the_bytes_that_came() {
    let text =
        "{ \"title\" : \"Caf\\u00e9\",\r\n\t\"number\":42 , \"later\":{\"a\":1,\"a\":2}, \"score\":1.0 }";
    let bytes = Bytes::from_static(text.as_bytes());
    let (_, done) = run(bytes.clone());
    let integrations_core::model::Change::Upsert(record) = &done.changes[0] else { panic!("{done:?}") };
    assert_eq!(record.raw.as_bytes(), text.as_bytes());
    assert_eq!(record.raw.as_bytes().as_ptr(), bytes.as_ptr(), "no copy was made");
    assert_eq!(record.entity.title(), Some("Café"));
    // So it is with one that is set aside.
    let text = "{ \"title\" : \"x\",  \"number\" : [ ] }";
    let bad = normalise(text).unwrap_err();
    assert_eq!(bad.raw.as_bytes(), text.as_bytes());
}

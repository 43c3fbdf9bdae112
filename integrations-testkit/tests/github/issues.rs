//! What happens to issues, and how it is listed.

use serde_json::json;

use super::*;

async fn listed(fake: &FakeGitHub, query: Query<'_>) -> Vec<u64> {
    numbers(&drain(fake, &within("/issues"), query).await)
}

#[tokio::test]
async fn an_issue_has_what_was_said_of_it() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_milestone(REPO, "v1.0", Some("2026-04-01T07:00:00Z"));
    let number = fake.open_issue(
        REPO,
        json!({
            "title": "Found a bug", "body": "It <b>crashes</b>", "labels": ["Bug", "new one"],
            "assignees": ["ada"], "milestone": 1, "app": "octoapp",
        }),
    );
    let issue = ok(&fake, &within(&format!("/issues/{number}")), &[]).await;
    assert_eq!(fake.issue(REPO, number).as_ref(), Some(&issue));
    assert_eq!(
        (&issue["number"], &issue["state"], &issue["title"]),
        (&json!(1), &json!("open"), &json!("Found a bug"))
    );
    assert_eq!((&issue["body"], &issue["comments"]), (&json!("It <b>crashes</b>"), &json!(0)));
    assert_eq!(all(issue["labels"].as_array().unwrap(), "name"), ["bug", "new one"]);
    assert_eq!((&issue["user"]["login"], &issue["user"]["id"]), (&json!("ada"), &json!(fake.user_id())));
    assert_eq!((&issue["assignee"], &issue["assignees"][0]), (&issue["user"], &issue["user"]));
    assert_eq!(
        (&issue["milestone"]["title"], &issue["milestone"]["due_on"]),
        (&json!("v1.0"), &json!("2026-04-01T07:00:00Z"))
    );
    assert_eq!(
        (&issue["milestone"]["open_issues"], &issue["milestone"]["closed_issues"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(issue["performed_via_github_app"]["slug"], "octoapp");
    assert_eq!(issue["created_at"], "2026-03-01T09:00:00Z");
    assert_eq!(issue["url"], format!("{}/repos/{REPO}/issues/1", fake.url()));
    assert_eq!(issue["html_url"], format!("https://github.com/{REPO}/issues/1"));
    assert!(issue["node_id"].as_str().unwrap().starts_with("I_kwDO") && issue.get("pull_request").is_none());
}

#[tokio::test]
async fn whatever_is_done_to_an_issue_is_an_update() {
    let clock = clock();
    let fake = start(&clock).await;
    let number = fake.open_issue(REPO, json!({"labels": ["bug"]}));
    let path = within(&format!("/issues/{number}"));
    let mut seconds = 0;
    let mut step = async |act: &dyn Fn()| {
        later(&clock);
        seconds += 1;
        act();
        let issue = ok(&fake, &path, &[]).await;
        assert_eq!(issue["updated_at"], format!("2026-03-01T09:00:{seconds:02}Z"), "{issue}");
        issue
    };
    let issue = step(&|| fake.edit_issue(REPO, number, json!({"title": "Other", "body": null}))).await;
    assert_eq!((&issue["title"], &issue["body"]), (&json!("Other"), &Value::Null));
    let issue = step(&|| fake.close_issue(REPO, number, Some("not_planned"))).await;
    assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("closed"), &json!("not_planned")));
    assert_eq!((&issue["closed_at"], &issue["closed_by"]["login"]), (&issue["updated_at"], &json!("ada")));
    let issue = step(&|| fake.reopen_issue(REPO, number)).await;
    assert_eq!((&issue["state"], &issue["state_reason"]), (&json!("open"), &json!("reopened")));
    assert_eq!((&issue["closed_at"], &issue["closed_by"]), (&Value::Null, &Value::Null));
    let issue = step(&|| fake.lock_issue(REPO, number, Some("too heated"))).await;
    assert_eq!((&issue["locked"], &issue["active_lock_reason"]), (&json!(true), &json!("too heated")));
    let issue = step(&|| fake.unlock_issue(REPO, number)).await;
    assert_eq!((&issue["locked"], &issue["active_lock_reason"]), (&json!(false), &Value::Null));
    let issue = step(&|| fake.edit_issue(REPO, number, json!({"labels": [], "assignees": ["ada"]}))).await;
    assert_eq!((&issue["labels"], &issue["assignee"]["login"]), (&json!([]), &json!("ada")));
    fake.add_milestone(REPO, "v1", None);
    let issue = step(&|| fake.edit_issue(REPO, number, json!({"milestone": 1, "assignees": []}))).await;
    assert_eq!((&issue["milestone"]["number"], &issue["assignee"]), (&json!(1), &Value::Null));
    step(&|| {
        fake.comment(REPO, number, json!({"body": "a"}));
    })
    .await;
    let comment = fake.comment_ids_of(REPO, number)[0];
    let issue = step(&|| fake.edit_comment(REPO, comment, "b")).await;
    assert_eq!(issue["comments"], 1);

    later(&clock);
    fake.delete_comment(REPO, comment);
    fake.react_to_issue(REPO, number, "heart");
    fake.rename_label(REPO, "bug", "defect");
    let same = ok(&fake, &path, &[]).await;
    assert_eq!((&same["updated_at"], &same["comments"]), (&issue["updated_at"], &json!(0)));
    assert_eq!((&same["reactions"]["heart"], &same["reactions"]["total_count"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_listing_has_issues_and_pull_requests_in_the_order_and_of_the_state_that_is_asked_for() {
    let clock = clock();
    let fake = start(&clock).await;
    for title in ["one", "two", "three"] {
        fake.open_issue(REPO, json!({"title": title}));
        later(&clock);
    }
    let pull = fake.open_pull(REPO, json!({"title": "four", "draft": true}));
    later(&clock);
    fake.close_issue(REPO, 2, None);
    later(&clock);
    fake.comment(REPO, 1, json!({"body": "a"}));
    for (query, expected) in [
        ([].as_slice(), [4, 3, 1].as_slice()),
        (&[("state", "open"), ("direction", "asc")], &[1, 3, 4]),
        (&[("state", "closed")], &[2]),
        (&[("state", "all")], &[4, 3, 2, 1]),
        (&[("state", "all"), ("sort", "updated")], &[1, 2, 4, 3]),
        (&[("state", "all"), ("sort", "updated"), ("direction", "asc")], &[3, 4, 2, 1]),
        (&[("state", "all"), ("sort", "comments")], &[1, 4, 3, 2]),
        (&[("state", "all"), ("sort", "comments"), ("direction", "asc")], &[2, 3, 4, 1]),
    ] {
        assert_eq!(listed(&fake, query).await, expected, "{query:?}");
        let small = [query, &[("per_page", "1")]].concat();
        assert_eq!(listed(&fake, &small).await, expected, "{query:?}");
    }
    let issues = ok(&fake, &within("/issues"), &[]).await;
    let (four, three) = (&issues[0], &issues[1]);
    assert_eq!(
        fake.issue(REPO, 3)
            .map(|mut issue| {
                issue.as_object_mut().unwrap().remove("closed_by");
                issue
            })
            .as_ref(),
        Some(three)
    );
    assert_eq!((&four["draft"], &four["pull_request"]["merged_at"]), (&json!(true), &Value::Null));
    assert!(three.get("draft").is_none() && three.get("pull_request").is_none());
    let of_pull = ok(&fake, &within(&format!("/pulls/{pull}")), &[]).await;
    assert_eq!(four["node_id"], of_pull["node_id"]);
    assert_ne!(four["id"], of_pull["id"], "as an issue it has another id");
    assert_eq!(four["html_url"], format!("https://github.com/{REPO}/pull/4"));
}

#[tokio::test]
async fn since_takes_what_was_updated_in_that_second_too() {
    let clock = clock();
    let fake = start(&clock).await;
    for _ in 0..4 {
        fake.open_issue(REPO, json!({}));
        later(&clock);
    }
    fake.open_issue(REPO, json!({}));
    fake.edit_issue(REPO, 1, json!({"title": "again"}));
    for sort in ["created", "updated", "comments"] {
        for direction in ["asc", "desc"] {
            for (since, mut expected) in [
                ("2026-03-01T09:00:02Z", vec![1, 3, 4, 5]),
                ("2026-03-01T09:00:03+00:00", vec![1, 4, 5]),
                ("2026-03-01T10:00:04+01:00", vec![1, 5]),
                ("2026-03-01T09:00:05Z", vec![]),
                ("1970-01-01T00:00:00Z", vec![1, 2, 3, 4, 5]),
            ] {
                let query = [("since", since), ("sort", sort), ("direction", direction), ("per_page", "2")];
                let mut found = listed(&fake, &query).await;
                found.sort_unstable();
                expected.sort_unstable();
                assert_eq!(found, expected, "{query:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_listing_can_be_narrowed() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_user(integrations_testkit::github::UserSpec::new("grace"));
    fake.add_milestone(REPO, "v1", None);
    fake.open_issue(REPO, json!({"labels": ["bug", "question"], "assignees": ["ada", "grace"]}));
    fake.open_issue(REPO, json!({"labels": ["bug"], "milestone": 1, "user": "grace"}));
    fake.open_pull(REPO, json!({"assignees": ["grace"], "milestone": 1}));
    for (query, expected) in [
        ([("labels", "bug")].as_slice(), [2, 1].as_slice()),
        (&[("labels", "BUG,question")], &[1]),
        (&[("labels", "bug,no such label")], &[]),
        (&[("assignee", "grace")], &[3, 1]),
        (&[("assignee", "*")], &[3, 1]),
        (&[("assignee", "none")], &[2]),
        (&[("assignee", "nobody")], &[]),
        (&[("creator", "grace")], &[2]),
        (&[("milestone", "1"), ("creator", "ada")], &[3]),
        (&[("milestone", "none")], &[1]),
        (&[("milestone", "*")], &[3, 2]),
        (&[("milestone", "7")], &[]),
    ] {
        assert_eq!(listed(&fake, query).await, expected, "{query:?}");
    }
    let (status, body) = call(&fake, &within("/issues"), &[("milestone", "v1")]).await;
    assert_eq!((status, &body["errors"][0]["field"]), (422, &json!("milestone")));
}

#[tokio::test]
async fn an_issue_that_was_deleted_or_moved_says_so_only_when_it_is_asked_for() {
    let clock = clock();
    let fake = builder(&clock)
        .repository(RepoSpec::new(REPO))
        .repository(RepoSpec::new("octo-org/other"))
        .repository(RepoSpec::new("octo-org/secret").private())
        .open_scopes(&["public_repo"])
        .start()
        .await;
    fake.add_milestone(REPO, "v1", None);
    fake.add_milestone("octo-org/other", "v0", None);
    fake.add_milestone("octo-org/other", "v1", None);
    let open = |fields: Value| fake.open_issue(REPO, fields);
    let (deleted, hidden) = (open(json!({})), open(json!({})));
    let moved = open(json!({"labels": ["bug", "only here"], "milestone": 1}));
    let comment = fake.comment(REPO, moved, json!({"body": "stays"}));
    fake.delete_issue(REPO, deleted);
    let new = fake.transfer_issue(REPO, moved, "octo-org/other");
    fake.transfer_issue(REPO, hidden, "octo-org/secret");
    assert_eq!(listed(&fake, &[("state", "all")]).await, Vec::<u64>::new());
    assert_eq!(fake.issue_numbers(REPO), Vec::<u64>::new());

    let of = |number: u64| within(&format!("/issues/{number}"));
    assert_eq!(refused(&fake, &of(deleted), &[]).await, (410, "This issue was deleted".to_owned()));
    assert_eq!(refused(&fake, &of(hidden), &[]).await, (404, "Not Found".to_owned()));
    assert_eq!(refused(&fake, &of(77), &[]).await, (404, "Not Found".to_owned()));
    assert_eq!(refused(&fake, &format!("{}/comments", of(deleted)), &[]).await.0, 410);
    let answer = get(&fake, &of(moved), &[]).await;
    let id = fake.repository_id("octo-org/other");
    let there = format!("{}/repositories/{id}/issues/{new}", fake.url());
    assert_eq!((answer.status().as_u16(), header(&answer, "location")), (301, Some(there.as_str())));
    assert_eq!(answer.json::<Value>().await.unwrap()["url"], there);
    let issue = ok(&fake, &there, &[]).await;
    assert_eq!(all(issue["labels"].as_array().unwrap(), "name"), ["bug"]);
    assert_eq!((&issue["milestone"]["number"], &issue["comments"]), (&json!(2), &json!(1)));
    let answer = get(&fake, &format!("{}/comments", of(moved)), &[("per_page", "5")]).await;
    let comments = ok(&fake, header(&answer, "location").unwrap(), &[]).await;
    assert_eq!((answer.status().as_u16(), ids(comments.as_array().unwrap())), (301, vec![comment]));
    assert_eq!(ok(&fake, &within("/issues/comments"), &[]).await, json!([]));

    fake.delete_issue("octo-org/other", new);
    assert_eq!(refused(&fake, &of(moved), &[]).await.0, 410, "what became of it there");
    assert_eq!(refused(&fake, &there, &[]).await.0, 410);
}

#[tokio::test]
async fn text_of_the_test_is_served_as_it_is_and_patches_are_shown() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_issue(REPO, json!({}));
    later(&clock);
    fake.raw_issue(REPO, r#"{"number": "not one", "huge": 1e400}"#);
    let text = get(
        &fake,
        &within("/issues"),
        &[("sort", "updated"), ("direction", "asc"), ("since", "2026-03-01T09:00:01Z")],
    )
    .await;
    assert_eq!(text.text().await.unwrap(), r#"[{"number": "not one", "huge": 1e400}]"#);
    let text = get(&fake, &within("/issues"), &[("since", "2026-03-01T09:00:02Z")]).await;
    assert_eq!(text.text().await.unwrap(), "[]");
    assert_eq!(fake.issue_numbers(REPO), [1]);
    fake.raw_pull(REPO, "{\"merged\": 2}");
    assert_eq!(get(&fake, &within("/pulls"), &[]).await.text().await.unwrap(), "[{\"merged\": 2}]");
    assert_eq!(fake.open_issue(REPO, json!({})), 4, "each has a place of its own");

    fake.patch_issue(REPO, 1, json!({"type": {"name": "Epic"}, "user": null, "labels": ["plain"]}));
    fake.patch_issue(REPO, 1, json!({"labels": ["plainer"]}));
    let issue = ok(&fake, &within("/issues/1"), &[]).await;
    assert_eq!((&issue["type"]["name"], &issue["labels"]), (&json!("Epic"), &json!(["plainer"])));
    assert!(issue.get("user").is_none() && issue["updated_at"] == "2026-03-01T09:00:00Z");
}

#[tokio::test]
async fn who_deletes_the_account_is_nobody() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_user(integrations_testkit::github::UserSpec::new("grace"));
    let number = fake.open_issue(REPO, json!({"user": "grace", "assignees": ["grace", "ada"]}));
    fake.rename_user("grace", "hopper");
    let issue = ok(&fake, &within("/issues/1"), &[]).await;
    assert_eq!(issue["user"]["login"], "hopper");
    fake.delete_user("hopper");
    let issue = fake.issue(REPO, number).unwrap();
    assert_eq!((&issue["user"], &issue["assignee"]["login"]), (&Value::Null, &json!("ada")));
    assert_eq!(issue["assignees"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn labels_and_milestones_are_listed() {
    let clock = clock();
    let fake = start(&clock).await;
    let labels = ok(&fake, &within("/labels"), &[]).await;
    assert_eq!((labels.as_array().unwrap().len(), &labels[0]["name"]), (9, &json!("bug")));
    assert_eq!((&labels[0]["default"], &labels[0]["color"]), (&json!(true), &json!("d73a4a")));
    fake.add_label(REPO, "area: größe/1", "00ff00");
    fake.delete_label(REPO, "wontfix");
    let labels = drain(&fake, &within("/labels"), &[("per_page", "4")]).await;
    assert_eq!(labels.len(), 9);
    assert!(
        labels[8]["url"].as_str().unwrap().ends_with("/labels/area%3A%20gr%C3%B6%C3%9Fe%2F1"),
        "{}",
        labels[8]
    );

    for (title, due) in
        [("never", None), ("late", Some("2026-06-01T07:00:00Z")), ("soon", Some("2026-04-01T07:00:00Z"))]
    {
        fake.add_milestone(REPO, title, due);
    }
    fake.open_issue(REPO, json!({"milestone": 2}));
    fake.open_issue(REPO, json!({"milestone": 3}));
    fake.close_issue(REPO, 2, None);
    let titles = async |query: Query<'_>| {
        let milestones = drain(&fake, &within("/milestones"), query).await;
        all(&milestones, "title").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(titles(&[]).await, ["soon", "late", "never"]);
    assert_eq!(titles(&[("direction", "desc"), ("per_page", "1")]).await, ["never", "late", "soon"]);
    assert_eq!(titles(&[("sort", "completeness")]).await, ["never", "late", "soon"]);
    fake.set_milestone_closed(REPO, 2, true);
    assert_eq!(titles(&[]).await, ["soon", "never"]);
    assert_eq!(titles(&[("state", "closed")]).await, ["late"]);
    let all_of_them = ok(&fake, &within("/milestones"), &[("state", "all")]).await;
    assert_eq!((&all_of_them[0]["open_issues"], &all_of_them[0]["closed_issues"]), (&json!(0), &json!(1)));
}

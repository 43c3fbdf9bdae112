//! What the user is told.

use reqwest::header::IF_MODIFIED_SINCE;
use serde_json::json;

use super::*;

async fn threads(fake: &FakeGitHub, query: Query<'_>) -> Vec<String> {
    let threads = drain(fake, "/notifications", query).await;
    all(&threads, "id").into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn threads_are_new_read_and_done() {
    let clock = clock();
    let fake = start(&clock).await;
    let (issue, pull) =
        (fake.open_issue(REPO, json!({"title": "Greetings"})), fake.open_pull(REPO, json!({})));
    let first = fake.notify(REPO, issue, "subscribed");
    later(&clock);
    let second = fake.notify(REPO, pull, "review_requested");
    assert_eq!(threads(&fake, &[]).await, [second.clone(), first.clone()]);
    assert_eq!(threads(&fake, &[("per_page", "1")]).await, [second.clone(), first.clone()]);
    assert_eq!(threads(&fake, &[("participating", "true")]).await, [second.as_str()]);
    assert_eq!(threads(&fake, &[("since", "2026-03-01T09:00:01Z")]).await, [second.as_str()]);
    assert_eq!(threads(&fake, &[("before", "2026-03-01T09:00:01Z")]).await, [first.as_str()]);

    let listed = ok(&fake, "/notifications", &[]).await;
    let (of_pull, of_issue) = (&listed[0], &listed[1]);
    assert_eq!(
        (&of_issue["reason"], &of_issue["unread"], &of_issue["last_read_at"]),
        (&json!("subscribed"), &json!(true), &Value::Null)
    );
    assert_eq!(
        (&of_issue["subject"]["title"], &of_issue["subject"]["type"]),
        (&json!("Greetings"), &json!("Issue"))
    );
    let url = format!("{}{}", fake.url(), within("/issues/1"));
    assert_eq!(
        (&of_issue["subject"]["url"], &of_issue["subject"]["latest_comment_url"]),
        (&json!(url), &json!(url))
    );
    assert_eq!(
        (&of_pull["subject"]["type"], &of_pull["subject"]["url"]),
        (&json!("PullRequest"), &json!(format!("{}{}", fake.url(), within("/pulls/2"))))
    );
    assert_eq!(of_issue["repository"]["full_name"], REPO);

    later(&clock);
    fake.read_notification(&first);
    assert_eq!(threads(&fake, &[]).await, [second.as_str()]);
    let everything = ok(&fake, "/notifications", &[("all", "true")]).await;
    assert_eq!(
        (&everything[1]["unread"], &everything[1]["last_read_at"]),
        (&json!(false), &json!("2026-03-01T09:00:02Z"))
    );
    let comment = fake.comment(REPO, issue, json!({"body": "@ada"}));
    assert_eq!(fake.notify(REPO, issue, "mention"), first, "one thread for each");
    let again = &ok(&fake, "/notifications", &[]).await[0];
    assert_eq!(
        (&again["id"], &again["reason"], &again["unread"]),
        (&json!(first), &json!("mention"), &json!(true))
    );
    assert!(
        again["subject"]["latest_comment_url"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/issues/comments/{comment}"))
    );
    fake.patch_notification(&first, json!({"subject": {"type": "Release"}}));
    assert_eq!(ok(&fake, "/notifications", &[]).await[0]["subject"]["type"], "Release");
    fake.finish_notification(&first);
    assert_eq!(threads(&fake, &[("all", "true")]).await, [second.as_str()]);
    assert_eq!(fake.notifications(), [second]);
    fake.raw_notification("{\"id\": 5}");
    let text = get(&fake, "/notifications", &[("per_page", "1")]).await.text().await.unwrap();
    assert_eq!(text, "[{\"id\": 5}]");
    fake.remove_repository(REPO);
    assert_eq!(fake.notifications(), Vec::<String>::new());
}

#[tokio::test]
async fn who_asks_since_the_last_news_is_told_of_news_only() {
    let clock = clock();
    let fake =
        builder(&clock).repository(RepoSpec::new(REPO)).poll_interval(Duration::from_secs(30)).start().await;
    let issue = fake.open_issue(REPO, json!({}));
    let ask = async |since: &str| {
        let request = request(&fake, "/notifications", TOKEN).header(IF_MODIFIED_SINCE, since);
        let answer = request.send().await.unwrap();
        assert_eq!(header(&answer, "x-poll-interval"), Some("30"));
        (answer.status().as_u16(), header(&answer, "last-modified").unwrap().to_owned())
    };
    let first = get(&fake, "/notifications", &[]).await;
    let date = header(&first, "last-modified").unwrap().to_owned();
    assert_eq!(date, "Sun, 01 Mar 2026 09:00:00 GMT");
    assert_eq!(ask(&date).await, (304, date.clone()));
    let thread = fake.notify(REPO, issue, "mention");
    let (status, date) = ask(&date).await;
    assert_eq!(
        (status, date.as_str()),
        (200, "Sun, 01 Mar 2026 09:00:01 GMT"),
        "news of the same second are later"
    );
    clock.advance(Duration::from_secs(60));
    fake.read_notification(&thread);
    assert_eq!(ask(&date).await, (304, date.clone()));
    fake.notify(REPO, issue, "comment");
    assert_eq!(ask(&date).await, (200, "Sun, 01 Mar 2026 09:01:00 GMT".to_owned()));
    assert_eq!(fake.not_modified("activity.listNotificationsForAuthenticatedUser"), 2);
    // Every call but the first, and the one a minute later, came within 30 s.
    assert_eq!(fake.early_polls(), 3);
    // Who asks for what lies further back does not look for news.
    ok(&fake, "/notifications", &[("all", "true"), ("before", "2026-03-01T09:00:30Z")]).await;
    assert_eq!(fake.early_polls(), 3);
}

#[tokio::test]
async fn they_are_the_first_accounts_and_need_a_scope() {
    let clock = clock();
    let fake = builder(&clock)
        .account("grace@example.com")
        .repository(RepoSpec::new(REPO))
        .repository(RepoSpec::new("octo-org/secret").private())
        .with_lasting_tokens()
        .open_scopes(&["notifications"])
        .start()
        .await;
    for name in [REPO, "octo-org/secret"] {
        let issue = fake.open_issue(name, json!({}));
        fake.notify(name, issue, "mention");
    }
    assert_eq!(threads(&fake, &[]).await.len(), 1, "what is private needs repo");
    fake.switch_account("grace@example.com");
    let hers = oauth::connect(&fake, "notifications").await.0;
    let none: Value = request(&fake, "/notifications", &hers).send().await.unwrap().json().await.unwrap();
    assert_eq!(none, json!([]));
    let token = oauth::connect(&fake, "public_repo").await.0;
    let refused = request(&fake, "/notifications", &token).send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), header(&refused, "x-accepted-oauth-scopes")),
        (403, Some("notifications, repo"))
    );
    assert_eq!(refused.json::<Value>().await.unwrap()["message"], "Missing the 'notifications' scope.");
}

#[tokio::test]
async fn a_page_holds_fifty_at_most() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO).generated(70)).start().await;
    for number in fake.issue_numbers(REPO) {
        fake.notify(REPO, number, "subscribed");
    }
    for query in [[].as_slice(), &[("per_page", "100")]] {
        let pages = pages(&fake, "/notifications", query).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 20]);
    }
}

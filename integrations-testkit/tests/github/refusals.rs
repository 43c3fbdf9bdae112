//! What GitHub refuses, and what only the fake does.

use serde_json::json;

use super::*;

#[tokio::test]
async fn what_the_fake_does_not_know_is_refused_and_never_ignored() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_pull(REPO, json!({}));
    for (path, name, value) in [
        (within("/issues"), "type", "Bug"),
        (within("/issues"), "mentioned", "ada"),
        (within("/issues/1"), "per_page", "1"),
        (within("/issues/1/comments"), "sort", "created"),
        (within("/pulls"), "since", "2026-03-01T09:00:00Z"),
        (within("/pulls/1/reviews"), "since", "2026-03-01T09:00:00Z"),
        (within(""), "page", "1"),
        ("/user/repos".to_owned(), "q", "x"),
        ("/notifications".to_owned(), "unread", "true"),
    ] {
        let expected = (422, format!("unsupported by the fake: {name}"));
        assert_eq!(refused(&fake, &path, &[(name, value)]).await, expected, "{path}");
    }
    for (path, name, value) in [
        ("/issues", "sort", "number"),
        ("/issues", "direction", "down"),
        ("/issues/comments", "sort", "id"),
        ("/pulls", "sort", "long-running"),
        ("/milestones", "sort", "title"),
        ("/issues", "page", "two"),
    ] {
        let expected = (422, format!("unsupported by the fake: {name}={value}"));
        assert_eq!(refused(&fake, &within(path), &[(name, value)]).await, expected);
    }
    let twice = refused(&fake, &within("/issues?state=all&state=open"), &[]).await;
    assert_eq!(twice, (422, "unsupported by the fake: state twice".to_owned()));
    let alone = refused(&fake, &within("/issues/comments"), &[("direction", "desc")]).await;
    assert_eq!(alone, (422, "unsupported by the fake: direction without sort".to_owned()));
    for method in [reqwest::Method::POST, reqwest::Method::PATCH, reqwest::Method::HEAD] {
        let url = format!("{}{}", fake.url(), within("/issues"));
        let answer =
            http().request(method, url).bearer_auth(TOKEN).json(&json!({"title": "x"})).send().await.unwrap();
        assert_eq!(answer.status(), 422);
    }
}

#[tokio::test]
async fn wrong_values_are_refused_with_what_is_wrong() {
    let clock = clock();
    let fake = start(&clock).await;
    for (path, field, value) in [
        ("/issues", "state", "opened"),
        ("/pulls", "state", "merged"),
        ("/milestones", "state", "done"),
        ("/issues", "since", "2024-13-45"),
        ("/issues", "since", "2026-03-01"),
        ("/issues/comments", "since", "yesterday"),
    ] {
        let (status, body) = call(&fake, &within(path), &[(field, value)]).await;
        assert_eq!(
            (status, &body["message"], &body["status"]),
            (422, &json!("Validation Failed"), &json!("422"))
        );
        let error = &body["errors"][0];
        assert_eq!(
            (&error["field"], &error["value"], &error["code"]),
            (&json!(field), &json!(value), &json!("invalid"))
        );
    }
}

#[tokio::test]
async fn who_is_nameless_or_speaks_another_language_is_turned_away() {
    let clock = clock();
    let fake = start(&clock).await;
    let nameless = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in [within("/issues"), "/user".to_owned(), "/app/installations/1".to_owned()] {
        let answer = nameless.get(format!("{}{path}", fake.url())).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert!(answer.text().await.unwrap().starts_with("Request forbidden by administrative rules."));
    }
    let with = |name: &'static str, value: &'static str| {
        request(&fake, &within("/issues"), TOKEN).header(name, value)
    };
    let answer = with("x-github-api-version", "v3").send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let message = answer.json::<Value>().await.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("\"v3\", is not a supported version"), "{message}");
    assert_eq!(with("accept", "text/html").send().await.unwrap().status(), 415);
    assert_eq!(with("accept", "application/json; charset=utf-8").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn paths_are_taken_as_they_are() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_issue(REPO, json!({}));
    for nothing in [
        within("/"),
        within("/issues/"),
        within("/issues/x"),
        within("/branches"),
        "/".to_owned(),
        "/repos/octo-org".to_owned(),
    ] {
        assert_eq!(refused(&fake, &nothing, &[]).await, (404, "Not Found".to_owned()), "{nothing}");
    }
    assert_eq!(fake.count("unknown"), 6);
    assert_eq!(ok(&fake, "/repos/octo%2Dorg/hello/issues/1", &[]).await["number"], 1);
    let (_, body) = call(&fake, &within("/issues/9"), &[]).await;
    assert_eq!(body["documentation_url"], "https://docs.github.com/rest/issues/issues#get-an-issue");
    assert_eq!(body["status"], "404");
}

#[tokio::test]
async fn the_api_of_github_enterprise_is_behind_a_prefix() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_issue(REPO, json!({}));
    fake.open_issue(REPO, json!({}));
    let base = format!("{}/api/v3", fake.url());
    let answer = get(&fake, &format!("{base}{}", within("/issues")), &[("per_page", "1")]).await;
    let id = fake.repository_id(REPO);
    assert!(link(&answer, "next").unwrap().starts_with(&format!("{base}/repositories/{id}/issues?")));
    let issues: Value = answer.json().await.unwrap();
    assert_eq!(issues[0]["repository_url"], format!("{base}/repos/{REPO}"));
    assert_eq!(drain(&fake, &format!("{base}{}", within("/issues")), &[("per_page", "1")]).await.len(), 2);
    assert_eq!(ok(&fake, &format!("{base}/user"), &[]).await["login"], "ada");
    fake.rename_repository(REPO, "world");
    let moved = get(&fake, &format!("{base}{}", within("")), &[]).await;
    assert_eq!(header(&moved, "location"), Some(format!("{base}/repositories/{id}").as_str()));
    assert_eq!(fake.count("issues.listForRepo"), 3);
    assert_eq!(get(&fake, "/api/v3/login/oauth/authorize", &[]).await.status(), 404);
}

//! Pull requests, their reviews and their checks.

use serde_json::json;

use super::*;

#[tokio::test]
async fn pull_requests_are_listed_by_state_branch_and_order() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_issue(REPO, json!({}));
    for head in ["a", "b", "c"] {
        fake.open_pull(REPO, json!({"head": head, "base": if head == "c" { "next" } else { "main" }}));
        later(&clock);
    }
    fake.merge_pull(REPO, 2);
    later(&clock);
    fake.comment(REPO, 3, json!({"body": "a"}));
    let listed = async |query: Query<'_>| numbers(&drain(&fake, &within("/pulls"), query).await);
    for (query, expected) in [
        ([].as_slice(), [4, 3].as_slice()),
        (&[("state", "closed")], &[2]),
        (&[("state", "all"), ("per_page", "1")], &[4, 3, 2]),
        (&[("state", "all"), ("sort", "created"), ("direction", "asc")], &[2, 3, 4]),
        (&[("state", "all"), ("sort", "updated")], &[4, 2, 3]),
        (&[("state", "all"), ("sort", "updated"), ("direction", "desc")], &[3, 2, 4]),
        (&[("state", "all"), ("sort", "popularity"), ("direction", "desc")], &[3, 4, 2]),
        (&[("head", "octo-org:b")], &[3]),
        (&[("head", "b")], &[]),
        (&[("base", "next"), ("state", "all")], &[4]),
    ] {
        assert_eq!(listed(query).await, expected, "{query:?}");
    }
    let (status, message) = refused(&fake, &within("/pulls"), &[("since", "2026-03-01T09:00:00Z")]).await;
    assert_eq!((status, message.as_str()), (422, "unsupported by the fake: since"));
    assert_eq!(refused(&fake, &within("/pulls/1"), &[]).await.0, 404, "an issue is no pull request");
}

#[tokio::test]
async fn a_pull_request_goes_its_way() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_user(integrations_testkit::github::UserSpec::new("grace"));
    let number =
        fake.open_pull(REPO, json!({"title": "Add", "head": "topic", "draft": true, "labels": ["bug"]}));
    let path = within("/pulls/1");
    let pull = ok(&fake, &path, &[]).await;
    assert_eq!(fake.pull(REPO, number).as_ref(), Some(&pull));
    assert_eq!(
        (&pull["draft"], &pull["merged"], &pull["state"]),
        (&json!(true), &json!(false), &json!("open"))
    );
    assert_eq!((&pull["head"]["label"], &pull["base"]["ref"]), (&json!("octo-org:topic"), &json!("main")));
    assert_eq!(pull["head"]["repo"]["full_name"], REPO);
    assert_eq!(pull["_links"]["self"]["href"], pull["url"]);
    later(&clock);
    fake.set_draft(REPO, number, false);
    fake.request_review(REPO, number, "grace");
    let sha = fake.push_to_pull(REPO, number);
    let pull = ok(&fake, &path, &[]).await;
    assert_eq!(
        (&pull["draft"], &pull["commits"], &pull["head"]["sha"]),
        (&json!(false), &json!(2), &json!(sha))
    );
    assert_eq!(all(pull["requested_reviewers"].as_array().unwrap(), "login"), ["grace"]);
    assert_eq!(pull["updated_at"], "2026-03-01T09:00:01Z");
    later(&clock);
    let review = fake.review(REPO, number, json!({"state": "APPROVED", "user": "grace"}));
    let said = fake.review(REPO, number, json!({"body": "nice"}));
    fake.merge_pull(REPO, number);
    let pull = ok(&fake, &path, &[]).await;
    assert_eq!(
        (&pull["merged"], &pull["merged_at"], &pull["merged_by"]["login"]),
        (&json!(true), &json!("2026-03-01T09:00:02Z"), &json!("ada"))
    );
    assert_eq!((&pull["requested_reviewers"], &pull["merge_commit_sha"].is_string()), (&json!([]), &true));
    let as_issue = ok(&fake, &within("/issues/1"), &[]).await;
    assert_eq!((&as_issue["state"], &as_issue["state_reason"]), (&json!("closed"), &Value::Null));
    assert_eq!(as_issue["pull_request"]["merged_at"], pull["merged_at"]);

    let reviews = ok(&fake, &within("/pulls/1/reviews"), &[]).await;
    assert_eq!(ids(reviews.as_array().unwrap()), [review, said]);
    assert_eq!(fake.review_ids(REPO, number), [review, said]);
    assert_eq!((&reviews[0]["state"], &reviews[0]["user"]["login"]), (&json!("APPROVED"), &json!("grace")));
    assert_eq!((&reviews[1]["state"], &reviews[1]["commit_id"]), (&json!("COMMENTED"), &json!(sha)));
    fake.dismiss_review(REPO, review);
    assert_eq!(ok(&fake, &within("/pulls/1/reviews"), &[("per_page", "1")]).await[0]["state"], "DISMISSED");
    assert_eq!(refused(&fake, &within("/pulls/2/reviews"), &[]).await.0, 404);
}

#[tokio::test]
async fn the_newer_version_of_the_api_has_fewer_fields() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.open_pull(REPO, json!({}));
    fake.merge_pull(REPO, 1);
    for (version, old) in [(None, true), (Some("2022-11-28"), true), (Some("2026-03-10"), false)] {
        let get = async |path: &str| {
            let request = request(&fake, path, TOKEN);
            let request = version
                .iter()
                .fold(request, |request, version| request.header("X-GitHub-Api-Version", *version));
            let answer = request.send().await.unwrap();
            assert_eq!(
                header(&answer, "x-github-api-version-selected"),
                Some(version.unwrap_or("2022-11-28"))
            );
            answer.json::<Value>().await.unwrap()
        };
        assert_eq!(get(&within("/pulls/1")).await.get("merge_commit_sha").is_some(), old);
        assert_eq!(get(&within("")).await.get("has_downloads").is_some(), old);
        assert_eq!(get("/rate_limit").await.get("rate").is_some(), old);
    }
}

#[tokio::test]
async fn what_machines_say_of_a_commit_is_the_latest_of_each() {
    let clock = clock();
    let fake = start(&clock).await;
    let number = fake.open_pull(REPO, json!({"head": "topic/one"}));
    let sha = fake.head_sha(REPO, number);
    let runs = async |query: Query<'_>| {
        let body = ok(&fake, &within(&format!("/commits/{sha}/check-runs")), query).await;
        let runs = body["check_runs"].as_array().unwrap().clone();
        (body["total_count"].as_u64().unwrap(), runs)
    };
    assert_eq!(runs(&[]).await, (0, vec![]));
    let first = fake.check_run(REPO, &sha, json!({"name": "build", "conclusion": "failure"}));
    let test = fake.check_run(REPO, &sha, json!({"name": "test"}));
    later(&clock);
    let again = fake.check_run(REPO, &sha, json!({"name": "build", "conclusion": "success"}));
    let (total, latest) = runs(&[]).await;
    assert_eq!((total, ids(&latest)), (2, vec![again, test]));
    assert_eq!((&latest[0]["status"], &latest[0]["conclusion"]), (&json!("completed"), &json!("success")));
    assert_eq!(
        (&latest[1]["status"], &latest[1]["conclusion"], &latest[1]["completed_at"]),
        (&json!("in_progress"), &Value::Null, &Value::Null)
    );
    assert_eq!(latest[0]["head_sha"], json!(sha));
    assert_eq!(ids(&runs(&[("filter", "all")]).await.1), [again, test, first]);
    assert_eq!(ids(&runs(&[("check_name", "build")]).await.1), [again]);
    assert_eq!(ids(&runs(&[("status", "in_progress")]).await.1), [test]);
    let (total, one) = runs(&[("per_page", "1"), ("page", "2")]).await;
    assert_eq!((total, ids(&one)), (2, vec![test]));
    fake.complete_check_run(REPO, &sha, test, "cancelled");
    assert_eq!(runs(&[("check_name", "test")]).await.1[0]["conclusion"], "cancelled");

    let status = async || ok(&fake, &within("/commits/topic%2Fone/status"), &[]).await;
    let none = status().await;
    assert_eq!(
        (&none["state"], &none["total_count"], &none["sha"]),
        (&json!("pending"), &json!(0), &json!(sha))
    );
    fake.commit_status(REPO, &sha, json!({"context": "ci", "state": "error"}));
    let other = fake.commit_status(REPO, &sha, json!({"context": "lint", "state": "success"}));
    assert_eq!(status().await["state"], "failure");
    let ci =
        fake.commit_status(REPO, &sha, json!({"context": "ci", "state": "success", "description": "Fine"}));
    let body = status().await;
    assert_eq!((&body["state"], &body["total_count"]), (&json!("success"), &json!(2)));
    assert_eq!(ids(body["statuses"].as_array().unwrap()), [ci, other]);
    fake.commit_status(REPO, &sha, json!({"context": "slow", "state": "pending"}));
    assert_eq!(status().await["state"], "pending");
    assert_eq!(
        ok(&fake, &within("/issues/1"), &[]).await["updated_at"],
        "2026-03-01T09:00:00Z",
        "that is no update"
    );

    let unknown = "0123456789012345678901234567890123456789";
    let (status, message) = refused(&fake, &within(&format!("/commits/{unknown}/status")), &[]).await;
    assert_eq!((status, message), (422, format!("No commit found for SHA: {unknown}")));
}

//! Repositories and issues that are made up on the way out.

use std::collections::{BTreeMap, HashMap, HashSet};

use integrations_testkit::github::InstallationSpec;
use serde_json::json;

use super::*;

async fn with_generated(issues: u64) -> FakeGitHub {
    builder(&clock()).repository(RepoSpec::new(REPO).generated(issues)).start().await
}

fn share(items: &[Value], test: impl Fn(&Value) -> bool) -> usize {
    items.iter().filter(|item| test(item)).count() * 100 / items.len()
}

fn text<'a>(item: &'a Value, field: &str) -> &'a str {
    item[field].as_str().unwrap_or_default()
}

/// As much of an issue as is needed to count it.
#[derive(serde::Deserialize)]
struct Light {
    number: u64,
    id: u64,
    updated_at: String,
}

#[tokio::test]
async fn ten_thousand_issues_come_once_each() {
    let fake = with_generated(10_000).await;
    let query = [("state", "all"), ("sort", "updated"), ("direction", "asc"), ("per_page", "100")];
    let (mut issues, mut answer) = (Vec::new(), get(&fake, &within("/issues"), &query).await);
    loop {
        let next = link(&answer, "next");
        issues.extend(answer.json::<Vec<Light>>().await.unwrap());
        let Some(next) = next else { break };
        answer = get(&fake, &next, &[]).await;
    }
    assert_eq!((issues.len(), fake.count("issues.listForRepo")), (10_000, 100));
    assert_eq!(issues.iter().map(|issue| issue.number).collect::<HashSet<_>>().len(), 10_000);
    assert_eq!(issues.iter().map(|issue| issue.id).collect::<HashSet<_>>().len(), 10_000);
    assert!(issues.is_sorted_by(|a, b| a.updated_at <= b.updated_at));
}

#[tokio::test]
async fn what_is_made_up_makes_sense() {
    let fake = with_generated(2_000).await;
    let query = [("state", "all"), ("sort", "updated"), ("direction", "asc"), ("per_page", "100")];
    let issues = drain(&fake, &within("/issues"), &query).await;
    let updated = all(&issues, "updated_at");
    assert!(updated.is_sorted() && *updated.last().unwrap() < "2026-03-01T09:00:00Z");
    assert!(!numbers(&issues).is_sorted(), "in another order than they were opened in");
    let mut together: BTreeMap<&str, usize> = BTreeMap::new();
    for &at in &updated {
        *together.entry(at).or_default() += 1;
    }
    assert!(together.values().any(|&count| count == 64) && together.values().any(|&count| count == 4));

    assert!((27..=33).contains(&share(&issues, |issue| issue.get("pull_request").is_some())));
    assert!((57..=63).contains(&share(&issues, |issue| issue["state"] == "closed")));
    assert!((60..=80).contains(&share(&issues, |issue| !issue["labels"].as_array().unwrap().is_empty())));
    assert!((25..=35).contains(&share(&issues, |issue| issue["milestone"].is_object())));
    assert!((10..=25).contains(&share(&issues, |issue| issue["body"].is_null())));
    for issue in &issues {
        let (created, updated) = (text(issue, "created_at"), text(issue, "updated_at"));
        assert!(created <= updated, "{issue}");
        assert_eq!(issue["state"] == "closed", issue["closed_at"].is_string());
        assert!(
            issue["closed_at"].is_null() || (created..=updated).contains(&text(issue, "closed_at")),
            "{issue}"
        );
        let reason = text(issue, "state_reason");
        let expected: &[&str] = match (issue.get("pull_request").is_some(), text(issue, "state")) {
            (true, _) => &[""],
            (false, "open") => &["", "reopened"],
            (false, _) => &["completed", "not_planned", "duplicate"],
        };
        assert!(expected.contains(&reason), "{issue}");
    }
    let by_number: HashMap<u64, &Value> =
        issues.iter().map(|issue| (issue["number"].as_u64().unwrap(), issue)).collect();
    let created =
        drain(&fake, &within("/issues"), &[("state", "all"), ("direction", "asc"), ("per_page", "100")])
            .await;
    assert_eq!(numbers(&created), (1..=2_000).collect::<Vec<_>>());
    assert!(all(&created, "created_at").is_sorted());
    assert!(created.iter().all(|issue| by_number[&issue["number"].as_u64().unwrap()] == issue));
    let open = ok(&fake, &within(""), &[]).await["open_issues_count"].as_u64().unwrap();
    assert_eq!(open, drain(&fake, &within("/issues"), &[("per_page", "100")]).await.len() as u64);
    let milestone = &ok(&fake, &within("/milestones"), &[]).await[0];
    let of_it = |state: &str| {
        issues
            .iter()
            .filter(|issue| issue["milestone"]["number"] == milestone["number"] && issue["state"] == state)
            .count()
    };
    assert_eq!(
        (&milestone["open_issues"], &milestone["closed_issues"]),
        (&json!(of_it("open")), &json!(of_it("closed")))
    );
}

#[tokio::test]
async fn every_way_to_ask_tells_the_same() {
    let fake = with_generated(200).await;
    let issues = drain(&fake, &within("/issues"), &[("state", "all"), ("per_page", "100")]).await;
    let comments = drain(&fake, &within("/issues/comments"), &[("per_page", "100")]).await;
    assert_eq!(ids(&comments), fake.comment_ids(REPO));
    assert!(all(&comments, "created_at").is_sorted() && ids(&comments).is_sorted());
    let edited = comments.iter().filter(|comment| comment["created_at"] != comment["updated_at"]).count();
    assert!(edited > 20, "{edited} of {}", comments.len());
    for issue in issues.iter().step_by(7) {
        let number = issue["number"].as_u64().unwrap();
        let mut one = ok(&fake, &within(&format!("/issues/{number}")), &[]).await;
        assert_eq!(one["closed_by"].is_object(), one["state"] == "closed");
        one.as_object_mut().unwrap().remove("closed_by");
        assert_eq!(&one, issue);
        let own = ok(&fake, &within(&format!("/issues/{number}/comments")), &[]).await;
        assert_eq!(issue["comments"], json!(own.as_array().unwrap().len()));
        let url = &issue["url"];
        assert!(
            own.as_array().unwrap().iter().eq(comments.iter().filter(|comment| &comment["issue_url"] == url))
        );
        assert!(
            own.as_array()
                .unwrap()
                .iter()
                .all(|comment| text(comment, "updated_at") <= text(issue, "updated_at"))
        );
    }
    let by_update = drain(
        &fake,
        &within("/issues/comments"),
        &[("sort", "updated"), ("direction", "desc"), ("per_page", "33")],
    )
    .await;
    let mut expected = comments.clone();
    expected.sort_by(|a, b| {
        let key = |comment: &Value| (text(comment, "updated_at").to_owned(), comment["id"].as_u64());
        key(b).cmp(&key(a))
    });
    assert_eq!(ids(&by_update), ids(&expected));

    let pulls =
        drain(&fake, &within("/pulls"), &[("state", "all"), ("sort", "updated"), ("direction", "desc")])
            .await;
    let as_issues: Vec<_> = issues.iter().filter(|issue| issue.get("pull_request").is_some()).collect();
    assert_eq!(pulls.len(), as_issues.len());
    let on_lines = drain(&fake, &within("/pulls/comments"), &[("per_page", "100")]).await;
    assert_eq!(ids(&on_lines), fake.review_comment_ids(REPO));
    let (mut reviewed, mut checked) = (0, 0);
    for pull in &pulls {
        let number = pull["number"].as_u64().unwrap();
        let issue = as_issues.iter().find(|issue| issue["number"] == pull["number"]).unwrap();
        for field in ["title", "state", "updated_at", "node_id", "user", "labels", "draft"] {
            assert_eq!(pull[field], issue[field]);
        }
        assert_eq!(pull["merged_at"], issue["pull_request"]["merged_at"]);
        let whole = ok(&fake, &within(&format!("/pulls/{number}")), &[]).await;
        let own: Vec<_> =
            on_lines.iter().filter(|comment| comment["pull_request_url"] == pull["url"]).collect();
        assert_eq!(whole["review_comments"], json!(own.len()));
        let reviews = ok(&fake, &within(&format!("/pulls/{number}/reviews")), &[]).await;
        let reviews = ids(reviews.as_array().unwrap());
        reviewed += reviews.len();
        assert!(
            own.iter().all(|comment| reviews.contains(&comment["pull_request_review_id"].as_u64().unwrap()))
        );
        let sha = fake.head_sha(REPO, number);
        let runs = ok(&fake, &within(&format!("/commits/{sha}/check-runs")), &[]).await;
        let runs = runs["check_runs"].as_array().unwrap();
        assert!(runs.iter().all(|run| run["status"] == "completed" || run["conclusion"].is_null()));
        checked += runs.len();
    }
    assert!(reviewed > 20 && checked > 50 && !on_lines.is_empty());
}

#[tokio::test]
async fn what_is_made_up_depends_on_the_seed_alone() {
    let fetch = async |seed: u64| {
        let fake = builder(&clock()).seed(seed).repository(RepoSpec::new(REPO).generated(50)).start().await;
        let text = get(&fake, &within("/issues"), &[("state", "all"), ("per_page", "100")])
            .await
            .text()
            .await
            .unwrap();
        text.replace(fake.url(), "")
    };
    let first = fetch(7).await;
    assert_eq!(first, fetch(7).await);
    assert_ne!(first, fetch(8).await);
}

#[tokio::test]
async fn what_was_made_up_can_be_touched() {
    let clock = clock();
    let fake = builder(&clock)
        .repository(RepoSpec::new(REPO).generated(130))
        .repository(RepoSpec::new("octo-org/other"))
        .start()
        .await;
    let issues = drain(&fake, &within("/issues"), &[("state", "all"), ("per_page", "100")]).await;
    let plain = |issue: &&Value| issue.get("pull_request").is_none() && issue["comments"] != 0;
    let picked: Vec<u64> =
        issues.iter().filter(plain).filter_map(|issue| issue["number"].as_u64()).take(4).collect();
    let [edited, deleted, moved, said] = picked[..] else { panic!() };
    let before = fake.comment_ids(REPO).len();
    fake.edit_issue(REPO, edited, json!({"title": "Mine", "state": "closed"}));
    let comments_of_deleted = fake.comment_ids_of(REPO, deleted).len();
    fake.delete_issue(REPO, deleted);
    let comments_of_moved = fake.comment_ids_of(REPO, moved);
    let new = fake.transfer_issue(REPO, moved, "octo-org/other");
    assert_eq!(fake.comment_ids_of("octo-org/other", new), comments_of_moved);
    let gone = fake.comment_ids_of(REPO, said)[0];
    fake.delete_comment(REPO, gone);
    let more = fake.comment(REPO, said, json!({"body": "new"}));
    let added = fake.open_issue(REPO, json!({}));

    let after =
        drain(&fake, &within("/issues"), &[("state", "all"), ("sort", "updated"), ("per_page", "100")]).await;
    assert_eq!(
        numbers(&after)[..3].iter().copied().collect::<HashSet<_>>(),
        HashSet::from([edited, said, added])
    );
    assert_eq!(after.len(), 129);
    assert!(!numbers(&after).contains(&deleted) && !numbers(&after).contains(&moved));
    assert_eq!(fake.issue(REPO, edited).unwrap()["title"], "Mine");
    assert_eq!(fake.issue(REPO, said).unwrap()["comments"], json!(fake.comment_ids_of(REPO, said).len()));
    let left = before - comments_of_deleted - comments_of_moved.len();
    let comments = fake.comment_ids(REPO);
    assert_eq!((comments.len(), comments.contains(&gone), comments.last()), (left, false, Some(&more)));

    let pull =
        issues.iter().find(|issue| issue.get("pull_request").is_some() && issue["state"] == "open").unwrap();
    let pull = pull["number"].as_u64().unwrap();
    let sha = fake.head_sha(REPO, pull);
    let runs = async || {
        ok(&fake, &within(&format!("/commits/{sha}/check-runs")), &[]).await["total_count"].as_u64().unwrap()
    };
    let made_up = runs().await;
    fake.check_run(REPO, &sha, json!({"name": "mine"}));
    assert_eq!(runs().await, made_up + 1);
    fake.merge_pull(REPO, pull);
    assert_eq!(fake.pull(REPO, pull).unwrap()["merged"], true);
}

#[tokio::test]
async fn two_hundred_repositories_are_of_all_sorts() {
    let clock = clock();
    let fake = builder(&clock)
        .installation(InstallationSpec::new(42, "octo-org").permission("issues", "read"))
        .generated_repositories(200, 10)
        .start()
        .await;
    let repositories = drain(&fake, "/user/repos", &[("per_page", "100")]).await;
    assert_eq!(fake.count("repos.listForAuthenticatedUser"), 2);
    assert_eq!(ids(&repositories).into_iter().collect::<HashSet<_>>().len(), 200);
    let count =
        |test: &dyn Fn(&Value) -> bool| repositories.iter().filter(|&repository| test(repository)).count();
    assert_eq!(count(&|repository| repository["private"] == true), 60);
    assert_eq!(count(&|repository| repository["archived"] == true), 20);
    assert_eq!(count(&|repository| repository["owner"]["login"] == "ada"), 20);
    let mut issues = HashSet::new();
    for repository in repositories.iter().step_by(20) {
        let listed =
            drain(&fake, &format!("/repos/{}/issues", text(repository, "full_name")), &[("state", "all")])
                .await;
        assert_eq!(listed.len(), 10);
        issues.extend(ids(&listed));
    }
    assert_eq!(issues.len(), 100, "no two issues have one id");
    let token = fake.installation_token(42);
    let installed: Value =
        request(&fake, "/installation/repositories", &token).send().await.unwrap().json().await.unwrap();
    assert_eq!(installed["total_count"], 180);
}

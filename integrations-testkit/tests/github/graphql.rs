//! GraphQL, as far as a sync asks for it.

use integrations_testkit::Fault;
use integrations_testkit::github::{InstallationSpec, UserSpec};
use serde_json::json;

use super::*;

async fn ask_with(fake: &FakeGitHub, token: &str, body: Value) -> (u16, Value, Option<u64>) {
    let request = http().post(format!("{}/graphql", fake.url())).bearer_auth(token).json(&body);
    let answer = request.send().await.unwrap();
    let remaining = header(&answer, "x-ratelimit-remaining").map(|text| text.parse().unwrap());
    assert!(answer.status() != 200 || header(&answer, "x-ratelimit-resource") == Some("graphql"));
    (answer.status().as_u16(), answer.json().await.unwrap(), remaining)
}

async fn ask(fake: &FakeGitHub, query: &str, variables: Value) -> Value {
    let (status, body, _) = ask_with(fake, TOKEN, json!({"query": query, "variables": variables})).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The data of a query that goes well.
async fn data(fake: &FakeGitHub, query: &str, variables: Value) -> Value {
    let body = ask(fake, query, variables).await;
    assert!(body.get("errors").is_none(), "{body}");
    body["data"].clone()
}

async fn error(fake: &FakeGitHub, query: &str) -> (Value, String) {
    let body = ask(fake, query, json!({})).await;
    let error = &body["errors"][0];
    (
        body.get("data").cloned().unwrap_or_default(),
        error["message"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned(),
    )
}

const SYNC: &str = r"
    query Sync($owner: String!, $name: String!, $first: Int!, $after: String, $since: DateTime) {
      repository(owner: $owner, name: $name) {
        nameWithOwner
        issues(first: $first, after: $after, filterBy: {since: $since}, orderBy: {field: UPDATED_AT, direction: ASC}) {
          totalCount
          pageInfo { hasNextPage endCursor }
          nodes { ...Common stateReason }
        }
      }
      rateLimit { cost remaining resetAt }
    }
    fragment Common on Issue {
      __typename id databaseId number title body state url locked createdAt updatedAt closedAt
      author { __typename login ... on User { databaseId } }
      labels(first: 20) { nodes { name color } }
      assignees(first: 10) { nodes { login } totalCount }
      milestone { title dueOn state }
      comments(first: 1) { totalCount }
    }
";

#[tokio::test]
async fn a_sync_of_issues_goes_page_by_page() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO).generated(130)).start().await;
    later(&clock);
    let plain = fake.issue_numbers(REPO).into_iter().find(|&number| fake.pull(REPO, number).is_none());
    fake.edit_issue(REPO, plain.unwrap(), json!({"title": "last"}));
    let (mut after, mut nodes, mut calls) = (Value::Null, Vec::new(), 0);
    let variables =
        |after: &Value| json!({"owner": "octo-org", "name": "hello", "first": 40, "after": after});
    let total = loop {
        let data = data(&fake, SYNC, variables(&after)).await;
        calls += 1;
        assert_eq!(
            (&data["rateLimit"]["cost"], &data["rateLimit"]["remaining"]),
            (&json!(1), &json!(5_000 - calls))
        );
        let issues = &data["repository"]["issues"];
        nodes.extend(issues["nodes"].as_array().unwrap().clone());
        if issues["pageInfo"]["hasNextPage"] == false {
            break issues["totalCount"].clone();
        }
        after = issues["pageInfo"]["endCursor"].clone();
    };
    let rest = drain(
        &fake,
        &within("/issues"),
        &[("state", "all"), ("sort", "updated"), ("direction", "asc"), ("per_page", "100")],
    )
    .await;
    let rest: Vec<_> = rest.iter().filter(|issue| issue.get("pull_request").is_none()).collect();
    assert_eq!((total, nodes.len()), (json!(rest.len()), rest.len()));
    for (node, issue) in nodes.iter().zip(rest) {
        for (ours, theirs) in [
            ("id", "node_id"),
            ("databaseId", "id"),
            ("number", "number"),
            ("title", "title"),
            ("url", "html_url"),
            ("createdAt", "created_at"),
            ("updatedAt", "updated_at"),
            ("closedAt", "closed_at"),
            ("locked", "locked"),
        ] {
            assert_eq!(node[ours], issue[theirs], "{ours}");
        }
        assert_eq!(node["state"], issue["state"].as_str().unwrap().to_uppercase());
        assert_eq!(
            node["stateReason"].as_str().map(str::to_lowercase),
            issue["state_reason"].as_str().map(str::to_owned)
        );
        assert_eq!(node["body"], issue["body"].as_str().unwrap_or_default());
        assert_eq!(node["comments"]["totalCount"], issue["comments"]);
        let names = |value: &Value, field: &str| {
            all(value.as_array().unwrap(), field).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(names(&node["labels"]["nodes"], "name"), names(&issue["labels"], "name"));
        assert_eq!(node["assignees"]["totalCount"], json!(issue["assignees"].as_array().unwrap().len()));
        assert_eq!(node["milestone"]["title"], issue["milestone"]["title"]);
        let login = issue["user"]["login"].as_str().unwrap();
        assert_eq!(node["author"]["login"], login.trim_end_matches("[bot]"));
        assert_eq!(node["author"].get("databaseId").is_some(), !login.ends_with("[bot]"));
    }
    let since = json!({"owner": "octo-org", "name": "hello", "first": 40, "since": "2026-03-01T09:00:01Z"});
    let changed = data(&fake, SYNC, since).await["repository"]["issues"].clone();
    assert_eq!((&changed["totalCount"], &changed["nodes"][0]["title"]), (&json!(1), &json!("last")));
    assert_eq!((fake.count("graphql"), fake.units_used()), (calls + 1, calls + 3), "REST took two");
}

#[tokio::test]
async fn a_pull_request_says_what_reviews_and_checks_say_together() {
    let clock = clock();
    let fake = start(&clock).await;
    for login in ["grace", "alan"] {
        fake.add_user(UserSpec::new(login));
    }
    let number = fake.open_pull(REPO, json!({"head": "topic", "draft": true}));
    let query = r#"{ repository(owner: "octo-org", name: "hello") { pullRequests(first: 5, states: [OPEN, MERGED], orderBy: {field: UPDATED_AT, direction: DESC}) {
        edges { cursor node {
            number state isDraft reviewDecision mergedAt headRefName headRefOid baseRefName
            statusCheckRollup { state }
            commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } }
            reviews(first: 10) { nodes { state author { login } submittedAt } }
            reviewRequests(first: 10) { nodes { requestedReviewer { ... on User { login } } } }
            mergedBy { login }
        } } } } }"#;
    let pull = async || {
        let data = data(&fake, query, json!({})).await;
        data["repository"]["pullRequests"]["edges"][0]["node"].clone()
    };
    let node = pull().await;
    assert_eq!(
        (&node["isDraft"], &node["reviewDecision"], &node["statusCheckRollup"]),
        (&json!(true), &Value::Null, &Value::Null)
    );
    fake.request_review(REPO, number, "grace");
    let node = pull().await;
    assert_eq!(node["reviewDecision"], "REVIEW_REQUIRED");
    assert_eq!(node["reviewRequests"]["nodes"][0]["requestedReviewer"]["login"], "grace");
    fake.review(REPO, number, json!({"state": "CHANGES_REQUESTED", "user": "grace"}));
    fake.review(REPO, number, json!({"state": "APPROVED", "user": "alan"}));
    assert_eq!(pull().await["reviewDecision"], "CHANGES_REQUESTED");
    fake.review(REPO, number, json!({"state": "COMMENTED", "user": "grace"}));
    assert_eq!(pull().await["reviewDecision"], "CHANGES_REQUESTED");
    let approval = fake.review(REPO, number, json!({"state": "APPROVED", "user": "grace"}));
    let node = pull().await;
    assert_eq!(
        (&node["reviewDecision"], node["reviews"]["nodes"].as_array().unwrap().len()),
        (&json!("APPROVED"), 4)
    );
    fake.dismiss_review(REPO, approval);
    assert_eq!(pull().await["reviewDecision"], "APPROVED", "alan's");

    let sha = fake.head_sha(REPO, number);
    let run = fake.check_run(REPO, &sha, json!({"name": "build"}));
    assert_eq!(pull().await["statusCheckRollup"]["state"], "PENDING");
    fake.complete_check_run(REPO, &sha, run, "success");
    let node = pull().await;
    assert_eq!(node["statusCheckRollup"]["state"], "SUCCESS");
    assert_eq!(
        node["commits"]["nodes"][0]["commit"],
        json!({"oid": sha, "statusCheckRollup": {"state": "SUCCESS"}})
    );
    fake.commit_status(REPO, &sha, json!({"state": "error"}));
    assert_eq!(pull().await["statusCheckRollup"]["state"], "FAILURE");
    fake.merge_pull(REPO, number);
    let node = pull().await;
    assert_eq!((&node["state"], &node["mergedBy"]["login"]), (&json!("MERGED"), &json!("ada")));
    let closed = r#"{ repository(owner: "octo-org", name: "hello") { pullRequests(last: 1, states: CLOSED) { totalCount } } }"#;
    assert_eq!(data(&fake, closed, json!({})).await["repository"]["pullRequests"]["totalCount"], 0);
    let one = r#"{ repository(owner: "octo-org", name: "hello") { p: pullRequest(number: 1) { title } i: issue(number: 1) { id } } viewer { login } }"#;
    let body = ask(&fake, one, json!({})).await;
    assert_eq!(
        (&body["data"]["repository"]["p"]["title"], &body["data"]["viewer"]["login"]),
        (&json!("Found a bug"), &json!("ada"))
    );
    assert_eq!(
        (&body["data"]["repository"]["i"], &body["errors"][0]["type"]),
        (&Value::Null, &json!("NOT_FOUND"))
    );
    assert_eq!(body["errors"][0]["path"], json!(["repository", "i"]));
}

#[tokio::test]
async fn pages_go_both_ways_and_do_not_shift() {
    let clock = clock();
    let fake = start(&clock).await;
    for _ in 0..7 {
        fake.open_issue(REPO, json!({}));
        later(&clock);
    }
    let page = async |arguments: &str| {
        let query = format!(
            "{{ repository(owner: \"octo-org\", name: \"hello\") {{ issues({arguments}) {{ nodes {{ number }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
        );
        let data = data(&fake, &query, json!({})).await;
        let issues = &data["repository"]["issues"];
        let info = issues["pageInfo"].clone();
        (
            numbers(issues["nodes"].as_array().unwrap()),
            info["hasPreviousPage"].as_bool().unwrap(),
            info["hasNextPage"].as_bool().unwrap(),
            info,
        )
    };
    let (first, before, behind, info) = page("first: 3").await;
    assert_eq!((first, before, behind), (vec![1, 2, 3], false, true));
    fake.delete_issue(REPO, 2);
    let after = info["endCursor"].as_str().unwrap();
    let (second, before, behind, info) = page(&format!("first: 3, after: \"{after}\"")).await;
    assert_eq!((second, before, behind), (vec![4, 5, 6], true, true));
    let start = info["startCursor"].as_str().unwrap();
    let (back, before, behind, _) = page(&format!("last: 1, before: \"{start}\"")).await;
    assert_eq!((back, before, behind), (vec![3], true, true));
    let (last, before, behind, _) = page("last: 2, orderBy: {field: CREATED_AT, direction: DESC}").await;
    assert_eq!((last, before, behind), (vec![3, 1], true, false));
}

#[tokio::test]
async fn what_is_wrong_with_a_query_is_said_with_status_200() {
    let clock = clock();
    let fake = start(&clock).await;
    let of = |inner: &str| format!("{{ repository(owner: \"octo-org\", name: \"hello\") {{ {inner} }} }}");
    for (query, expected) in [
        (of("stargazerCount"), "Field 'stargazerCount' doesn't exist on type 'Repository'"),
        (of("issues(first: 1) { nodes { timeline } }"), "Field 'timeline' doesn't exist on type 'Issue'"),
        (of("issues(first: 1, query: \"x\") { totalCount }"), "Field 'issues' doesn't accept argument 'query'"),
        (of("issue { id }"), "Field 'issue' is missing required arguments: number"),
        ("{ repository(owner: \"octo-org\") { id } }".to_owned(), "Field 'repository' is missing required arguments: name"),
        (of("name { x }"), "Selections can't be made on scalars (field 'name')"),
        (of("owner"), "Field must have selections (field 'owner' has no selections)"),
        (of("issues(first: $n) { totalCount }"), "Variable $n is used but not declared"),
        (of("...Missing"), "Fragment Missing was used, but not defined"),
        ("mutation { x }".to_owned(), "Parse error on"),
        ("query A { viewer { login } } query B { viewer { login } }".to_owned(), "An operation name is required"),
        ("query A($a: Int!) { viewer { login } }".to_owned(), "Variable $a was provided invalid value"),
        (of("issues(first: 100) { nodes { comments(first: 100) { nodes { body } } labels(first: 100) { nodes { id } } assignees(first: 100) { nodes { id } } } } \
             pullRequests(first: 100) { nodes { comments(first: 100) { nodes { author { login } } } reviews(first: 100) { nodes { id } } } }").replace("first: 100)", "first: 1000)"), "This query requests up to"),
    ] {
        let (data, message) = error(&fake, &query).await;
        assert!(message.starts_with(expected) && data.is_null(), "{query}: {message}");
    }
    for (query, kind, expected) in [
        (
            of("issues { totalCount }"),
            "MISSING_PAGINATION_BOUNDARIES",
            "You must provide a `first` or `last` value",
        ),
        (
            of("issues(first: 101) { totalCount }"),
            "EXCESSIVE_PAGINATION",
            "Requesting 101 records on the `issues` connection exceeds the `first` limit of 100 records.",
        ),
        (
            of("issues(first: 1, after: \"x\") { totalCount }"),
            "INVALID_CURSOR_ARGUMENTS",
            "`x` does not appear to be a valid cursor.",
        ),
        (
            of("issues(first: 1, states: [MERGED]) { totalCount }"),
            "argumentLiteralsIncompatible",
            "unsupported by the fake: state MERGED",
        ),
        (
            of("issues(first: 1, filterBy: {mentioned: \"ada\"}) { totalCount }"),
            "UNSUPPORTED",
            "unsupported by the fake: filterBy mentioned",
        ),
        (
            "{ repository(owner: \"octo-org\", name: \"no\") { id } }".to_owned(),
            "NOT_FOUND",
            "Could not resolve to a Repository with the name 'octo-org/no'.",
        ),
    ] {
        let body = ask(&fake, &query, json!({})).await;
        let error = &body["errors"][0];
        assert_eq!(error["type"], kind, "{body}");
        assert!(error["message"].as_str().unwrap().starts_with(expected), "{body}");
        assert!(body["data"].is_object() && error["locations"][0]["line"] == 1);
    }
    let (status, body, _) = ask_with(&fake, "nonsense", json!({"query": "{ viewer { login } }"})).await;
    assert_eq!((status, &body["message"]), (401, &json!("Bad credentials")));
    let (status, _, _) = ask_with(&fake, TOKEN, json!([1])).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn graphql_shows_what_the_token_opens() {
    let clock = clock();
    let fake = builder(&clock)
        .repository(RepoSpec::new("octo-org/secret").private())
        .open_token("poor")
        .installation(InstallationSpec::new(42, "octo-org").permission("issues", "read"))
        .start()
        .await;
    fake.open_issue("octo-org/secret", json!({}));
    let query = r#"{ repository(owner: "octo-org", name: "secret") { issues(first: 1) { totalCount } pullRequests(first: 1) { totalCount } } }"#;
    let token = fake.installation_token(42);
    let (_, body, _) = ask_with(&fake, &token, json!({"query": query})).await;
    assert_eq!(
        (&body["data"]["repository"]["issues"]["totalCount"], &body["data"]["repository"]["pullRequests"]),
        (&json!(1), &Value::Null)
    );
    assert_eq!(
        (&body["errors"][0]["type"], &body["errors"][0]["path"]),
        (&json!("FORBIDDEN"), &json!(["repository", "pullRequests"]))
    );
    fake.suspend_installation(42, true);
    assert_eq!(ask_with(&fake, &token, json!({"query": query})).await.0, 403);

    fake.rename_repository("octo-org/secret", "hidden");
    assert_eq!(
        ask(&fake, query, json!({})).await["data"]["repository"]["issues"]["totalCount"],
        1,
        "names are followed"
    );
    let strict = query.replace("\"secret\"", "\"secret\", followRenames: false");
    assert_eq!(ask(&fake, &strict, json!({})).await["errors"][0]["type"], "NOT_FOUND");
}

#[tokio::test]
async fn points_are_counted_and_run_out() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO)).graphql_rate_limit(120).start().await;
    let deep = r#"{ repository(owner: "octo-org", name: "hello") { issues(first: 100) { nodes { labels(first: 100) { nodes { id } } comments(first: 10) { totalCount } } } } rateLimit { cost remaining nodeCount } }"#;
    let told = data(&fake, deep, json!({})).await["rateLimit"].clone();
    assert_eq!(
        (&told["cost"], &told["remaining"], &told["nodeCount"]),
        (&json!(2), &json!(118), &json!(11_100))
    );
    fake.leave_graphql_points(1);
    assert_eq!(ask_with(&fake, TOKEN, json!({"query": "{ viewer { login } }"})).await.2, Some(0));
    let (status, body, remaining) = ask_with(&fake, TOKEN, json!({"query": "{ viewer { login } }"})).await;
    assert_eq!((status, &body["errors"][0]["type"], remaining), (200, &json!("RATE_LIMITED"), Some(0)));
    assert_eq!(get(&fake, "/user", &[]).await.status(), 200, "REST is counted apart");
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(ask_with(&fake, TOKEN, json!({"query": "{ viewer { login } }"})).await.2, Some(119));
    fake.fault(Fault::on("graphql").status(502));
    assert_eq!(ask_with(&fake, TOKEN, json!({"query": "{ viewer { login } }"})).await.0, 502);
    let enterprise = http().post(format!("{}/api/graphql", fake.url())).bearer_auth(TOKEN);
    let body: Value = enterprise
        .json(&json!({"query": "{ viewer { id url } }"}))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(body["data"]["viewer"]["url"], "https://github.com/ada");
}

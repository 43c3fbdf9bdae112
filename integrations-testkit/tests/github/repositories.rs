//! Which repositories there are, and what becomes of them.

use serde_json::json;

use super::*;

async fn names(fake: &FakeGitHub, query: Query<'_>) -> Vec<String> {
    let repositories = drain(fake, "/user/repos", query).await;
    all(&repositories, "full_name").into_iter().map(str::to_owned).collect()
}

async fn several(clock: &ManualClock) -> FakeGitHub {
    let fake = builder(clock)
        .account("grace@example.com")
        .repository(RepoSpec::new("octo-org/b"))
        .repository(RepoSpec::new("ada/A").private().description("mine"))
        .repository(RepoSpec::new("grace/c").archived())
        .repository(RepoSpec::new("octo-org/d").private().fork())
        .repository(RepoSpec::new("stranger/e").members(&[]))
        .repository(RepoSpec::new("grace/hers").private().members(&["grace"]))
        .start()
        .await;
    later(clock);
    fake.set_archived("octo-org/b", true);
    fake
}

#[tokio::test]
async fn a_users_repositories_are_those_that_the_user_belongs_to() {
    let clock = clock();
    let fake = several(&clock).await;
    for (query, expected) in [
        ([].as_slice(), ["ada/A", "grace/c", "octo-org/b", "octo-org/d"].as_slice()),
        (&[("direction", "desc")], &["octo-org/d", "octo-org/b", "grace/c", "ada/A"]),
        (&[("visibility", "private")], &["ada/A", "octo-org/d"]),
        (&[("visibility", "public")], &["grace/c", "octo-org/b"]),
        (&[("type", "owner")], &["ada/A"]),
        (&[("type", "member")], &["grace/c", "octo-org/b", "octo-org/d"]),
        (&[("affiliation", "owner,collaborator")], &["ada/A", "grace/c"]),
        (&[("affiliation", "organization_member")], &["octo-org/b", "octo-org/d"]),
        (&[("sort", "updated")], &["octo-org/b", "octo-org/d", "grace/c", "ada/A"]),
        (&[("sort", "created"), ("direction", "asc")], &["octo-org/b", "ada/A", "grace/c", "octo-org/d"]),
        (&[("since", "2026-03-01T09:00:01Z")], &["octo-org/b"]),
        (&[("before", "2026-03-01T09:00:01Z"), ("visibility", "private")], &["ada/A", "octo-org/d"]),
    ] {
        assert_eq!(names(&fake, query).await, expected, "{query:?}");
        let small = [query, &[("per_page", "1")]].concat();
        assert_eq!(names(&fake, &small).await, expected, "{query:?}");
    }
    assert_eq!(fake.repositories().len(), 6);
    assert_eq!(ok(&fake, "/repos/stranger/e", &[]).await["permissions"]["push"], false);
    assert_eq!(refused(&fake, "/repos/grace/hers", &[]).await, (404, "Not Found".to_owned()));
    let (status, message) = refused(&fake, "/user/repos", &[("type", "all"), ("visibility", "all")]).await;
    assert_eq!(
        (status, message.as_str()),
        (422, "If you specify visibility or affiliation, you cannot specify type.")
    );
}

#[tokio::test]
async fn a_repository_is_shown_whole() {
    let clock = clock();
    let fake = several(&clock).await;
    let own = ok(&fake, "/repos/ADA/a", &[]).await;
    assert_eq!(fake.repository_object("ada/A").as_ref(), Some(&own));
    assert_eq!(
        (&own["full_name"], &own["private"], &own["visibility"]),
        (&json!("ada/A"), &json!(true), &json!("private"))
    );
    assert_eq!((&own["description"], &own["owner"]["login"]), (&json!("mine"), &json!("ada")));
    assert!(own.get("organization").is_none());
    let of_org = ok(&fake, "/repos/octo-org/d", &[]).await;
    assert_eq!((&of_org["organization"]["type"], &of_org["fork"]), (&json!("Organization"), &json!(true)));
    fake.patch_repository("octo-org/d", json!({"topics": ["x"], "license": null}));
    let listed = ok(&fake, "/user/repos", &[("visibility", "private"), ("direction", "desc")]).await;
    assert_eq!((&listed[0]["topics"], listed[0].get("license")), (&json!(["x"]), None));
    fake.open_issue("octo-org/d", json!({}));
    fake.open_pull("octo-org/d", json!({}));
    assert_eq!(ok(&fake, "/repos/octo-org/d", &[]).await["open_issues_count"], 2);
    fake.close_issue("octo-org/d", 1, None);
    assert_eq!(ok(&fake, "/repos/octo-org/d", &[]).await["open_issues_count"], 1);
    fake.raw_repository("{\"full_name\":7}");
    let text = get(&fake, "/user/repos", &[("per_page", "1"), ("page", "5")]).await.text().await.unwrap();
    assert_eq!(text, "[{\"full_name\":7}]");
}

#[tokio::test]
async fn a_name_that_a_repository_had_leads_to_it_until_another_takes_it() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.add_user(integrations_testkit::github::UserSpec::new("grace"));
    fake.open_issue(REPO, json!({}));
    let id = fake.repository_id(REPO);
    assert_eq!(fake.rename_repository(REPO, "world"), "octo-org/world");
    assert_eq!(fake.transfer_repository("octo-org/world", "grace"), "grace/world");
    for old in [REPO, "octo-org/world"] {
        let query = [("state", "all"), ("since", "2026-01-01T00:00:00+01:00")];
        let answer = get(&fake, &format!("/repos/{old}/issues"), &query).await;
        let there = format!(
            "{}/repositories/{id}/issues?state=all&since=2026-01-01T00%3A00%3A00%2B01%3A00",
            fake.url()
        );
        assert_eq!((answer.status().as_u16(), header(&answer, "location")), (301, Some(there.as_str())));
        assert_eq!(answer.json::<Value>().await.unwrap()["message"], "Moved Permanently");
        assert_eq!(ok(&fake, &there, &[]).await[0]["number"], 1);
    }
    let now = ok(&fake, &format!("/repositories/{id}"), &[]).await;
    assert_eq!((&now["full_name"], &now["id"]), (&json!("grace/world"), &json!(id)));
    fake.rename_user("grace", "hopper");
    assert_eq!(get(&fake, "/repos/grace/world", &[]).await.status(), 301);
    assert_eq!(ok(&fake, "/repos/hopper/world", &[]).await["id"], json!(id));

    let other = fake.add_repository(RepoSpec::new(REPO));
    assert_ne!(other, id);
    assert_eq!(ok(&fake, &within(""), &[]).await["id"], json!(other));
    fake.remove_repository("hopper/world");
    for gone in
        [format!("/repositories/{id}"), "/repos/hopper/world".to_owned(), "/repos/octo-org/world".to_owned()]
    {
        assert_eq!(refused(&fake, &gone, &[]).await.0, 404);
    }
    // To whom a moved repository is not visible, its name leads nowhere.
    fake.add_repository(RepoSpec::new("octo-org/secret").private().members(&[]));
    fake.rename_repository("octo-org/secret", "hidden");
    assert_eq!(refused(&fake, "/repos/octo-org/secret", &[]).await.0, 404);
}

#[tokio::test]
async fn a_repository_may_have_no_issues() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO).without_issues()).start().await;
    fake.open_pull(REPO, json!({}));
    let disabled = (410, "Issues are disabled for this repo".to_owned());
    assert_eq!(refused(&fake, &within("/issues"), &[]).await, disabled);
    assert_eq!(ok(&fake, &within("/issues/1"), &[]).await["number"], 1);
    assert_eq!(ok(&fake, &within("/pulls"), &[]).await.as_array().unwrap().len(), 1);
    assert_eq!(ok(&fake, &within(""), &[]).await["has_issues"], false);
}

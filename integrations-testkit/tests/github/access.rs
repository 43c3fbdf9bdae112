//! What a token opens.

use integrations_testkit::github::InstallationSpec;
use serde_json::json;

use super::*;

const SECRET: &str = "octo-org/secret";

async fn world(clock: &ManualClock) -> FakeGitHub {
    let octo = InstallationSpec::new(42, "octo-org")
        .permission("issues", "write")
        .repository(SECRET)
        .repository("octo-org/other");
    let fake = builder(clock)
        .repository(RepoSpec::new(REPO))
        .repository(RepoSpec::new(SECRET).private())
        .repository(RepoSpec::new("octo-org/other").private())
        .repository(RepoSpec::new("ada/own").private())
        .installation(octo)
        .start()
        .await;
    for name in fake.repositories() {
        fake.open_issue(&name, json!({}));
        fake.open_pull(&name, json!({}));
    }
    fake
}

async fn status(fake: &FakeGitHub, path: &str, token: &str) -> (u16, String) {
    let answer = request(fake, path, token).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["message"].as_str().unwrap_or_default().to_owned())
}

fn names(body: &Value) -> Vec<&str> {
    all(body["repositories"].as_array().unwrap(), "full_name")
}

#[tokio::test]
async fn what_is_private_needs_the_scope_repo() {
    for (scopes, expected) in
        [(["repo"].as_slice(), 200), (&["public_repo", "notifications"], 404), (&[], 404)]
    {
        let fake = builder(&clock())
            .repository(RepoSpec::new(REPO))
            .repository(RepoSpec::new(SECRET).private())
            .open_scopes(scopes)
            .start()
            .await;
        for rest in ["", "/issues", "/pulls", "/issues/comments", "/labels"] {
            assert_eq!(status(&fake, &format!("/repos/{SECRET}{rest}"), TOKEN).await.0, expected, "{rest}");
            assert_eq!(status(&fake, &within(rest), TOKEN).await.0, 200, "{rest}");
        }
        let id = fake.repository_id(SECRET);
        assert_eq!(status(&fake, &format!("/repositories/{id}/issues"), TOKEN).await.0, expected);
        let listed = ok(&fake, "/user/repos", &[]).await.as_array().unwrap().len();
        assert_eq!(listed, if expected == 200 { 2 } else { 1 });
        let answer = get(&fake, &within("/issues"), &[]).await;
        assert_eq!(header(&answer, "x-oauth-scopes"), Some(scopes.join(", ").as_str()));
        assert_eq!(header(&answer, "x-accepted-oauth-scopes"), Some("repo"));
    }
}

#[tokio::test]
async fn nobody_in_particular_sees_what_is_public() {
    let fake = world(&clock()).await;
    let nobody = async |path: &str| {
        let answer = http().get(format!("{}{path}", fake.url())).send().await.unwrap();
        assert_eq!(header(&answer, "x-ratelimit-limit"), Some("60"));
        assert_eq!(header(&answer, "x-oauth-scopes"), None);
        answer.status().as_u16()
    };
    assert_eq!((nobody(&within("/issues")).await, nobody("/repos/octo-org/secret").await), (200, 404));
    for path in ["/user", "/user/repos", "/notifications", "/installation/repositories"] {
        assert_eq!(nobody(path).await, 401, "{path}");
    }
    for wrong in ["nonsense", "ghp_nonsense"] {
        assert_eq!(status(&fake, &within(""), wrong).await, (401, "Bad credentials".to_owned()));
    }
    let basic = http().get(format!("{}/user", fake.url())).basic_auth("ada", Some(TOKEN));
    assert_eq!(basic.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn an_installation_opens_its_repositories_with_its_permissions() {
    let clock = clock();
    let fake = world(&clock).await;
    let token = fake.installation_token(42);
    let body: Value =
        request(&fake, "/installation/repositories", &token).send().await.unwrap().json().await.unwrap();
    assert_eq!((names(&body), &body["total_count"]), (vec![SECRET, "octo-org/other"], &json!(2)));
    assert_eq!(body["repository_selection"], "selected");
    let answer = request(&fake, "/installation/repositories", &token)
        .query(&[("per_page", "1")])
        .send()
        .await
        .unwrap();
    assert_eq!(
        link(&answer, "next").unwrap(),
        format!("{}/installation/repositories?per_page=1&page=2", fake.url())
    );

    let of = |name: &str, rest: &str| format!("/repos/{name}{rest}");
    assert_eq!(status(&fake, &of(SECRET, ""), &token).await.0, 200);
    let issues = request(&fake, &of(SECRET, "/issues"), &token).send().await.unwrap();
    assert_eq!(issues.status(), 200);
    assert_eq!(header(&issues, "x-accepted-github-permissions"), Some("issues=read; pull_requests=read"));
    assert_eq!(header(&issues, "x-oauth-scopes"), None);
    let refused = request(&fake, &of(SECRET, "/pulls"), &token).send().await.unwrap();
    assert_eq!(header(&refused, "x-accepted-github-permissions"), Some("pull_requests=read"));
    assert_eq!(refused.status(), 403);
    assert_eq!(refused.json::<Value>().await.unwrap()["message"], "Resource not accessible by integration");
    assert_eq!(status(&fake, &of(REPO, "/pulls"), &token).await.0, 200, "it is public");
    assert_eq!(status(&fake, &of("ada/own", ""), &token).await.0, 404);
    for path in ["/user", "/user/repos", "/notifications"] {
        let expected = (403, "Resource not accessible by integration".to_owned());
        assert_eq!(status(&fake, path, &token).await, expected, "{path}");
    }

    // It follows a repository through a new name, and out of the installation.
    fake.rename_repository(SECRET, "hidden");
    assert_eq!(status(&fake, "/repos/octo-org/hidden/issues", &token).await.0, 200);
    fake.install(
        InstallationSpec::new(42, "octo-org").repository("octo-org/other").permission("issues", "read"),
    );
    assert_eq!(status(&fake, "/repos/octo-org/hidden/issues", &token).await.0, 404);
    assert_eq!(status(&fake, "/repos/octo-org/other/issues", &token).await.0, 200);
    // All repositories of the account, also those to come.
    fake.install(InstallationSpec::new(42, "octo-org").permission("pull_requests", "read"));
    assert_eq!(
        status(&fake, "/repos/octo-org/other/issues", &token).await.0,
        403,
        "it had other permissions"
    );
    let token = fake.installation_token(42);
    fake.add_repository(RepoSpec::new("octo-org/new").private());
    assert_eq!(status(&fake, "/repos/octo-org/new/issues", &token).await.0, 200);
    assert_eq!(status(&fake, "/repos/octo-org/new/commits/x/status", &token).await.0, 403);

    fake.suspend_installation(42, true);
    let suspended = (403, "This installation has been suspended".to_owned());
    assert_eq!(status(&fake, "/repos/octo-org/new/issues", &token).await, suspended);
    fake.suspend_installation(42, false);
    assert_eq!(status(&fake, "/repos/octo-org/new/issues", &token).await.0, 200);
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(
        status(&fake, "/repos/octo-org/new/issues", &token).await,
        (401, "Bad credentials".to_owned())
    );
    let token = fake.installation_token(42);
    fake.remove_installation(42);
    assert_eq!(status(&fake, "/installation/repositories", &token).await.0, 401);
}

#[tokio::test]
async fn a_users_token_of_an_app_opens_what_the_app_is_installed_in() {
    let clock = clock();
    let fake = world(&clock).await;
    let token = oauth::connect(&fake, "").await.0;
    assert_eq!(status(&fake, "/user", &token).await.0, 200);
    assert_eq!(status(&fake, &format!("/repos/{SECRET}/issues"), &token).await.0, 200);
    assert_eq!(status(&fake, &format!("/repos/{SECRET}/pulls"), &token).await.0, 403);
    assert_eq!(status(&fake, "/repos/ada/own/issues", &token).await.0, 404);
    assert_eq!(status(&fake, &within("/pulls"), &token).await.0, 200);
    for path in ["/user/repos", "/notifications"] {
        assert_eq!(status(&fake, path, &token).await.0, 403, "{path}");
    }
    let json =
        async |path: &str| request(&fake, path, &token).send().await.unwrap().json::<Value>().await.unwrap();
    let installations = json("/user/installations").await;
    assert_eq!(
        (&installations["total_count"], &installations["installations"][0]["id"]),
        (&json!(1), &json!(42))
    );
    assert_eq!(installations["installations"][0]["account"]["login"], "octo-org");
    assert_eq!(installations["installations"][0]["permissions"]["issues"], "write");
    assert_eq!(names(&json("/user/installations/42/repositories").await), [SECRET, "octo-org/other"]);
    assert_eq!(status(&fake, "/user/installations/7/repositories", &token).await.0, 404);
    // Not what the user does not belong to, though the app does.
    fake.set_members(SECRET, &[]);
    assert_eq!(names(&json("/user/installations/42/repositories").await), ["octo-org/other"]);
    assert_eq!(status(&fake, &format!("/repos/{SECRET}/issues"), &token).await.0, 404);
    fake.suspend_installation(42, true);
    assert_eq!(json("/user/installations").await["total_count"], 0);
    assert_eq!(status(&fake, "/repos/octo-org/other/issues", &token).await.0, 404);
    assert_eq!(status(&fake, "/user/installations", TOKEN).await.0, 403);
    assert_eq!(status(&fake, "/installation/repositories", TOKEN).await.0, 403);
}

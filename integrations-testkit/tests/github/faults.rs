//! Answers that go wrong.

use integrations_testkit::Fault;
use serde_json::json;

use super::*;

#[tokio::test]
async fn faults_speak_as_github_does() {
    let clock = clock();
    let fake = start(&clock).await;
    for (status, reason, wait, message) in [
        (403, None, Some("60"), "You have exceeded a secondary rate limit."),
        (429, None, Some("60"), "You have exceeded a secondary rate limit."),
        (403, Some("Resource not accessible by integration"), None, "Resource not accessible by integration"),
        (401, None, None, "Bad credentials"),
        (404, None, None, "Not Found"),
        (410, None, None, "This issue was deleted"),
        (422, None, None, "Validation Failed"),
        (500, None, None, "Server Error"),
        (502, None, None, "Server Error"),
        (451, None, None, "Repository access blocked"),
    ] {
        let fault = Fault::on("issues.listForRepo").status(status);
        fake.fault(reason.into_iter().fold(fault, Fault::reason));
        let answer = get(&fake, &within("/issues"), &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "retry-after")), (status, wait));
        assert!(
            answer.headers().contains_key("x-ratelimit-remaining")
                && answer.headers().contains_key("x-github-request-id")
        );
        let body: Value = answer.json().await.unwrap();
        assert!(body["message"].as_str().unwrap().starts_with(message), "{body}");
        assert_eq!(body["status"], status.to_string());
    }
    assert_eq!(fake.rate_limited("issues.listForRepo"), 2);
    fake.fault(Fault::on("issues.*").status(503));
    let page = get(&fake, &within("/issues"), &[]).await;
    assert!(header(&page, "content-type").unwrap().starts_with("text/html"));
    assert_eq!((fake.count("issues.listForRepo"), fake.units_used()), (11, 0));
}

#[tokio::test]
async fn a_fault_may_say_that_the_hour_is_used_up_or_that_sso_is_needed() {
    let clock = clock();
    let fake = start(&clock).await;
    fake.fault(
        Fault::on("pulls.get")
            .status(403)
            .reason("API rate limit exceeded for user ID 1.")
            .header("x-ratelimit-remaining", "0")
            .header("x-ratelimit-reset", "1772359200"),
    );
    let answer = get(&fake, &within("/pulls/1"), &[]).await;
    assert_eq!(answer.headers().get_all("x-ratelimit-remaining").iter().count(), 1);
    assert_eq!(
        (header(&answer, "x-ratelimit-remaining"), header(&answer, "x-ratelimit-reset")),
        (Some("0"), Some("1772359200"))
    );
    assert_eq!(fake.rate_limited("pulls.get"), 1);
    let sso = "required; url=https://github.com/orgs/octo-org/sso";
    fake.fault(
        Fault::on("repos.get")
            .status(403)
            .reason("Resource protected by organization SAML enforcement.")
            .header("x-github-sso", sso),
    );
    let answer = get(&fake, &within(""), &[]).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "x-github-sso")), (403, Some(sso)));
    assert_eq!(fake.rate_limited("repos.get"), 0);
}

#[tokio::test]
async fn answers_are_cut_lost_and_late() {
    let clock = clock();
    let fake = Arc::new(start(&clock).await);
    fake.open_issue(REPO, json!({}));
    let issues = within("/issues");
    fake.fault(Fault::on("issues.listForRepo").truncate(30));
    assert!(get(&fake, &issues, &[]).await.text().await.is_err());
    for fault in [Fault::on("*").reset(), Fault::on("*").lose_answer()] {
        fake.fault(fault);
        assert!(request(&fake, &issues, TOKEN).send().await.is_err());
    }
    assert_eq!(fake.items_served(), 0);
    fake.fault(Fault::on("issues.listForRepo").delay(Duration::from_secs(10)));
    let late = tokio::spawn({
        let (fake, issues) = (Arc::clone(&fake), issues.clone());
        async move { get(&fake, &issues, &[]).await.status().as_u16() }
    });
    while fake.count("issues.listForRepo") < 4 {
        tokio::task::yield_now().await;
    }
    clock.advance(Duration::from_secs(10));
    assert_eq!(late.await.unwrap(), 200);
    let armed = fake.fault(Fault::on("issues.listForRepo").always().status(500));
    assert_eq!(get(&fake, &issues, &[]).await.status(), 500);
    armed.take_back();
    assert_eq!(get(&fake, &issues, &[]).await.status(), 200);
    let statuses: Vec<_> = fake.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 0, 0, 200, 500, 200]);
}

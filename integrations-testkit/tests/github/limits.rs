//! How much may be asked for.

use integrations_testkit::github::{InstallationSpec, SecondaryLimits};
use integrations_testkit::{Fault, Gate};
use serde_json::json;

use super::*;

/// Limit, remaining, used, reset and resource.
fn standing(answer: &Response) -> (u64, u64, u64, i64, &str) {
    let number = |name: &str| header(answer, name).unwrap().parse::<u64>().unwrap();
    let reset = header(answer, "x-ratelimit-reset").unwrap().parse().unwrap();
    let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
    (limit, remaining, number("x-ratelimit-used"), reset, header(answer, "x-ratelimit-resource").unwrap())
}

const START: i64 = 1_772_355_600;

#[tokio::test]
async fn every_answer_says_how_the_caller_stands() {
    let clock = clock();
    let fake = start(&clock).await;
    clock.advance(Duration::from_secs(10));
    let reset = START + 3_610;
    for (used, path) in
        (1..).zip([within("/issues"), within("/issues/9"), within("/nothing"), "/user".to_owned()])
    {
        let answer = get(&fake, &path, &[]).await;
        assert_eq!(standing(&answer), (5_000, 5_000 - used, used, reset, "core"), "{path}");
    }
    let free = get(&fake, "/rate_limit", &[]).await;
    assert_eq!(standing(&free), (5_000, 4_996, 4, reset, "core"));
    let body: Value = free.json().await.unwrap();
    let core = json!({"limit": 5_000, "remaining": 4_996, "used": 4, "reset": reset});
    assert_eq!((&body["resources"]["core"], &body["rate"]), (&core, &core));
    assert_eq!(
        (&body["resources"]["graphql"]["limit"], &body["resources"]["search"]["limit"]),
        (&json!(5_000), &json!(30))
    );
    fake.fault(Fault::on("issues.listForRepo").status(502));
    let broken = get(&fake, &within("/issues"), &[]).await;
    assert_eq!((broken.status().as_u16(), standing(&broken)), (502, (5_000, 4_996, 4, reset, "core")));
    clock.advance(Duration::from_secs(3_600));
    assert_eq!(standing(&get(&fake, "/user", &[]).await), (5_000, 4_999, 1, reset + 3_600, "core"));
}

#[tokio::test]
async fn when_the_hour_is_used_up_even_what_is_known_is_refused() {
    for (too_many, expected) in [(false, 403), (true, 429)] {
        let clock = clock();
        let fake = builder(&clock)
            .open_token("other")
            .repository(RepoSpec::new(REPO))
            .rate_limit(3)
            .limits_answer_429(too_many)
            .start()
            .await;
        let path = within("/labels");
        let etag = header(&get(&fake, &path, &[]).await, "etag").unwrap().to_owned();
        // All tokens of a user are counted together.
        assert_eq!(request(&fake, &path, "other").send().await.unwrap().status(), 200);
        assert_eq!(get(&fake, &path, &[]).await.status(), 200);
        let answer = request(&fake, &path, TOKEN).header("if-none-match", &etag).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), standing(&answer)),
            (expected, (3, 0, 3, START + 3_600, "core"))
        );
        assert_eq!(header(&answer, "retry-after"), None);
        let message = answer.json::<Value>().await.unwrap()["message"].clone();
        assert_eq!(message, format!("API rate limit exceeded for user ID {}.", fake.user_id()));
        assert_eq!(get(&fake, "/rate_limit", &[]).await.status(), 200);
        assert_eq!((fake.rate_limited("issues.listLabelsForRepo"), fake.units_used()), (1, 3));
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(get(&fake, &path, &[]).await.status(), 200);
        fake.leave_calls(0);
        assert_eq!(get(&fake, &path, &[]).await.status(), expected);
        fake.leave_calls(1);
        assert_eq!(get(&fake, &path, &[]).await.status(), 200);
        assert_eq!(get(&fake, &path, &[]).await.status(), expected);
    }
}

#[tokio::test]
async fn an_installation_has_its_own_hour() {
    let clock = clock();
    let fake = builder(&clock)
        .repository(RepoSpec::new(REPO))
        .installation(InstallationSpec::new(42, "octo-org").permission("issues", "read"))
        .installation_rate_limit(12_500)
        .start()
        .await;
    let token = fake.installation_token(42);
    let call = async || request(&fake, &within("/issues"), &token).send().await.unwrap();
    assert_eq!(standing(&call().await), (12_500, 12_499, 1, START + 3_600, "core"));
    fake.leave_installation_calls(42, 0);
    let refused = call().await;
    assert_eq!(refused.status(), 403);
    assert_eq!(
        refused.json::<Value>().await.unwrap()["message"],
        "API rate limit exceeded for installation ID 42."
    );
    assert_eq!(get(&fake, &within("/issues"), &[]).await.status(), 200);
}

#[tokio::test]
async fn an_endpoint_has_its_points_in_a_minute() {
    let clock = clock();
    let limits = SecondaryLimits { points_per_minute: 3, ..SecondaryLimits::default() };
    let fake = builder(&clock).repository(RepoSpec::new(REPO)).secondary_limits(limits).start().await;
    for _ in 0..3 {
        assert_eq!(get(&fake, &within("/issues"), &[]).await.status(), 200);
        clock.advance(Duration::from_secs(2));
    }
    let refused = get(&fake, &within("/issues"), &[]).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (403, Some("54")));
    assert_eq!(standing(&refused).1, 4_997, "the hour is not used up");
    let message = refused.json::<Value>().await.unwrap()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("You have exceeded a secondary rate limit."), "{message}");
    assert_eq!(get(&fake, &within("/pulls"), &[]).await.status(), 200, "another endpoint");
    clock.advance(Duration::from_secs(54));
    assert_eq!(get(&fake, &within("/issues"), &[]).await.status(), 200);
    assert_eq!(fake.rate_limited("issues.listForRepo"), 1);
}

#[tokio::test]
async fn only_so_many_requests_may_wait_at_a_time() {
    let clock = clock();
    let limits = SecondaryLimits { concurrent: 2, ..SecondaryLimits::default() };
    let fake =
        Arc::new(builder(&clock).repository(RepoSpec::new(REPO)).secondary_limits(limits).start().await);
    let gate = Gate::new();
    fake.fault(Fault::on("issues.listForRepo").times(2).hold_answer(&gate));
    let held: Vec<_> = (0..2)
        .map(|_| {
            let fake = Arc::clone(&fake);
            tokio::spawn(async move { get(&fake, &within("/issues"), &[]).await.status().as_u16() })
        })
        .collect();
    gate.arrived(2).await;
    let refused = get(&fake, "/user", &[]).await;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (403, Some("1")));
    gate.open();
    for held in held {
        assert_eq!(held.await.unwrap(), 200);
    }
    assert_eq!(get(&fake, "/user", &[]).await.status(), 200);
}

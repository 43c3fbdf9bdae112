//! How often an account may call.

use std::time::Duration;

use integrations_testkit::zoom::Plan;
use serde_json::json;

use super::*;

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn without_limits_nobody_is_told_of_them() {
    let fake = start().await;
    for _ in 0..50 {
        let answer = get(&fake, "/users/me", &[]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-ratelimit-category")), (200, None));
    }
}

#[tokio::test]
async fn the_calls_of_a_second_are_counted_by_label_for_the_whole_account() {
    let clock = clock();
    let fake = builder(&clock).enforce_limits(Plan::Free).start().await;
    for remaining in ["1", "0"] {
        let answer = get(&fake, "/users/me/meetings", &[]).await;
        assert_eq!(answer.status(), 200);
        let told = ["category", "type", "limit", "remaining"]
            .map(|name| header(&answer, &format!("x-ratelimit-{name}")));
        assert_eq!(told, [Some("Medium"), Some("QPS"), Some("2"), Some(remaining)]);
    }
    // Another operation with the same label.
    let answer = get(&fake, "/users/me/recordings", &[]).await;
    assert_eq!(answer.status(), 429);
    let told = ["x-ratelimit-type", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after"]
        .map(|name| header(&answer, name).map(str::to_owned));
    let reset = (clock_now(&clock) + 1).to_string();
    assert_eq!(told, [Some("QPS".to_owned()), Some("0".to_owned()), Some(reset), None]);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["code"], 429);
    assert!(body["message"].as_str().unwrap().contains("per-second"));
    ok(&fake, "/users/me", &[]).await;
    assert_eq!((fake.rate_limited("recordings.list"), fake.answered("meetings.list")), (1, 2));
    clock.advance(Duration::from_secs(1));
    ok(&fake, "/users/me/recordings", &[]).await;
}

fn clock_now(clock: &ManualClock) -> i64 {
    use integrations_core::clock::Clock as _;
    clock.now().timestamp()
}

#[tokio::test]
async fn the_calls_of_a_day_are_told_by_a_time_of_iso_8601() {
    let clock = clock();
    let fake = builder(&clock).enforce_limits(Plan::Free).start().await;
    fake.leave_calls_of_the_day(1);
    ok(&fake, "/users/me", &[]).await;
    clock.advance(Duration::from_secs(60));
    let answer = get(&fake, "/users/me", &[]).await;
    assert_eq!(answer.status(), 429);
    assert_eq!(
        (
            header(&answer, "retry-after"),
            header(&answer, "x-ratelimit-type"),
            header(&answer, "x-ratelimit-limit")
        ),
        (Some("2026-03-02T00:00:00Z"), Some("Daily-limit"), Some("6000"))
    );
    assert_eq!(header(&answer, "x-ratelimit-reset"), None);
    // As one was answered with.
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({"code": 429, "message": "You have reached the maximum daily rate limit for this API. Refer to the response header for details on when you can make another request."})
    );
    ok(&fake, "/users/me/meetings", &[]).await;
    clock.advance(Duration::from_secs(15 * 3_600));
    ok(&fake, "/users/me", &[]).await;
    // A plan that is paid for has no such limit.
    let fake = builder(&clock).enforce_limits(Plan::Pro).start().await;
    fake.leave_calls_of_the_day(0);
    for _ in 0..30 {
        ok(&fake, "/users/me", &[]).await;
    }
    assert_eq!(refused(&fake, "/users/me", &[]).await, (429, 429));
}

#[tokio::test]
async fn headers_may_be_absent() {
    let fake = builder(&clock()).enforce_limits(Plan::Business).without_limit_headers().start().await;
    for _ in 0..60 {
        ok(&fake, "/users/me/meetings", &[]).await;
    }
    let answer = get(&fake, "/users/me/meetings", &[]).await;
    assert_eq!(answer.status(), 429);
    let mut names = answer.headers().keys().map(reqwest::header::HeaderName::as_str);
    assert!(names.all(|name| !name.starts_with("x-ratelimit") && name != "retry-after"));
}

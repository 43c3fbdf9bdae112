//! The limits of a mailbox.

use std::time::Duration;

use integrations_testkit::msgraph::Throttling;
use integrations_testkit::{Fault, Gate};

use super::*;

#[tokio::test]
async fn so_many_requests_are_let_through_in_a_span_and_no_more() {
    let clock = clock();
    let limits = Throttling { requests: 3, ..Throttling::OUTLOOK };
    let fake = builder(&clock).throttling(limits).start().await;
    for _ in 0..3 {
        assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 200);
        clock.advance(Duration::from_mins(1));
    }
    let refused = request(&fake, "/v1.0/me/mailFolders").send().await.unwrap();
    assert_eq!(refused.headers()["retry-after"], "420");
    let (status, body) = read(refused).await;
    assert_eq!((status, code(&body)), (429, "ApplicationThrottled"));
    assert_eq!(request(&fake, "/v1.0/me").send().await.unwrap().status(), 200, "the limit is the mailbox's");
    clock.advance(Duration::from_mins(7));
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 200);
    assert_eq!((fake.throttled(), fake.count("mailFolders.list")), (1, 1));

    let part = |id: &str| json!({"id": id, "method": "GET", "url": "/me/calendars"});
    let url = format!("{}/v1.0/$batch", fake.url());
    let batch = http().post(url).bearer_auth(TOKEN).json(&json!({"requests": [part("1"), part("2")]}));
    let (status, body) = read(batch.send().await.unwrap()).await;
    let answers = body["responses"].as_array().unwrap();
    let refused: Vec<_> = answers.iter().filter(|answer| answer["status"] == 429).collect();
    assert_eq!((status, refused.len()), (200, 2));
    assert!(refused[0]["headers"]["Retry-After"].is_string());
    fake.reset_counters();
    assert_eq!(fake.throttled(), 0);
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 429, "the window is as full as it was");
}

#[tokio::test]
async fn four_may_be_under_way_at_once() {
    let fake = builder(&clock()).throttling(Throttling::OUTLOOK).start().await;
    let gate = Gate::new();
    fake.fault(Fault::on("calendars.list").times(4).hold(&gate));
    let waiting: Vec<_> = (0..4).map(|_| tokio::spawn(request(&fake, "/v1.0/me/calendars").send())).collect();
    gate.arrived(4).await;
    let refused = request(&fake, "/v1.0/me/mailFolders").send().await.unwrap();
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "1"));
    assert_eq!(code(&read(refused).await.1), "ApplicationThrottled");
    gate.open();
    for request in waiting {
        assert_eq!(request.await.unwrap().unwrap().status(), 200);
    }
    assert_eq!(get(&fake, "/v1.0/me/mailFolders", &[]).await.0, 200);
    assert_eq!((fake.throttled(), fake.most_concurrent()), (1, 4));
}

#[tokio::test]
async fn a_fault_waits_while_the_limits_refuse() {
    let clock = clock();
    let limits = Throttling { requests: 1, window: Duration::from_secs(60), ..Throttling::OUTLOOK };
    let fake = builder(&clock).throttling(limits).start().await;
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 200);
    fake.fault(Fault::on("calendars.list").status(500));
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 429);
    clock.advance(Duration::from_secs(60));
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 500);
    assert_eq!(fake.count("calendars.list"), 3);
}

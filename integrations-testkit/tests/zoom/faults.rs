//! What goes wrong when the test says so.

use std::time::Duration;

use integrations_testkit::Fault;
use serde_json::json;

use super::*;

const LIST: &str = "/users/me/meetings";

#[tokio::test]
async fn statuses_come_in_zooms_envelope() {
    let fake = start().await;
    for (status, reason, code) in [
        (400, None, 300),
        (401, None, 124),
        (403, None, 3_001),
        (404, None, 3_001),
        (429, None, 429),
        (500, None, 500),
        (400, Some("4711"), 4_711),
        (404, Some("1001"), 1_001),
        (503, Some("Service is busy"), 503),
    ] {
        let fault = Fault::on("meetings.list").status(status);
        fake.fault(reason.into_iter().fold(fault, Fault::reason));
        assert_eq!(refused(&fake, LIST, &[]).await, (status, code), "{reason:?}");
    }
    assert_eq!((fake.rate_limited("meetings.list"), fake.answered("meetings.list")), (1, 8));
    for status in [502, 503, 504] {
        fake.fault(Fault::on("meetings.*").status(status));
        let answer = get(&fake, LIST, &[]).await;
        assert_eq!(answer.status(), status);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    }
    fake.fault(Fault::on("users.me").status(429).body("slow down", "text/plain"));
    let answer = get(&fake, "/users/me", &[]).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (429, "slow down".to_owned()));
    fake.fault(Fault::on("token.*").status(400).reason("4741"));
    let form = [("grant_type", "account_credentials"), ("account_id", fake.account_id())];
    let request = http().post(format!("{}/oauth/token", fake.url()));
    let request = request.basic_auth(fake.client_id(), Some(fake.client_secret())).form(&form);
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap()["code"], 4_741);
}

#[tokio::test]
async fn a_fault_can_be_taken_back_and_an_answer_can_be_cut() {
    let fake = start().await;
    fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    let fault = fake.fault(Fault::on("meetings.*").always().status(500));
    assert_eq!(refused(&fake, LIST, &[]).await, (500, 500));
    fault.take_back();
    ok(&fake, LIST, &[]).await;
    fake.fault(Fault::on("meetings.list").html());
    fake.fault(Fault::on("meetings.list").truncate(40));
    assert!(get(&fake, LIST, &[]).await.json::<Value>().await.is_err());
    assert!(get(&fake, LIST, &[]).await.bytes().await.is_err());
    assert_eq!(fake.items_served(), 1, "what was cut was not served");
    fake.fault(Fault::on("meetings.list").status(500));
    fake.clear_faults();
    ok(&fake, LIST, &[]).await;
}

#[tokio::test]
async fn a_delay_waits_on_the_clock() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    fake.fault(Fault::on("users.me").delay(Duration::from_secs(30)));
    let url = format!("{}/v2/users/me", fake.url());
    let request =
        tokio::spawn(async move { http().get(url).bearer_auth(TOKEN).send().await.unwrap().status() });
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((fake.count("users.me"), fake.answered("users.me"), request.is_finished()), (1, 0, false));
    clock.advance(Duration::from_secs(30));
    assert_eq!(request.await.unwrap(), 200);
}

#[tokio::test]
async fn the_log_tells_what_came_and_every_answer_has_an_id() {
    let fake = start().await;
    for day in 2..4 {
        fake.create_meeting(json!({"start_time": format!("2026-03-{day:02}T09:00:00Z")}));
    }
    let query = [("page_size", "1"), ("from", "2026-03-01")];
    pages(&fake, LIST, &query).await;
    get(&fake, "/nowhere", &[]).await;
    let told: Vec<_> =
        fake.requests().iter().map(|r| (r.operation, r.page_token, r.sync_token, r.status)).collect();
    assert_eq!(
        told,
        [
            ("meetings.list", false, true, 200),
            ("meetings.list", true, true, 200),
            ("unknown", false, false, 404),
        ]
    );
    assert_eq!((fake.requests()[0].path.as_str(), fake.items_served()), ("/v2/users/me/meetings", 2));
    let id = async || get(&fake, "/users/me", &[]).await.headers()["x-zm-trackingid"].clone();
    assert_ne!(id().await, id().await);
    fake.reset_counters();
    assert_eq!(
        (fake.requests().len(), fake.count("meetings.list"), fake.answered("meetings.list")),
        (0, 0, 0)
    );
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let fake = start().await;
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    ok(&fake, "/users/me", &[]).await;
    fake.shutdown().await;
    let again = builder(&clock()).port(port).start().await;
    ok(&again, "/users/me", &[]).await;
}

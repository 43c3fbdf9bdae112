//! What goes wrong when the test says so.

use std::time::Duration;

use integrations_testkit::Fault;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn a_reason_alone_is_a_failure_with_status_200() {
    let fake = start().await;
    fake.fault(Fault::on("conversations.history").nth(2).reason("fatal_error"));
    let query = [("channel", CHANNEL)];
    ok(&fake, "conversations.history", &query).await;
    assert_eq!(
        call(&fake, "conversations.history", &query).await,
        json!({"ok": false, "error": "fatal_error"})
    );
    ok(&fake, "conversations.history", &query).await;
    fake.fault(Fault::on("auth.test").reason("account_inactive"));
    assert_eq!(refused(&fake, "auth.test", &[]).await, "account_inactive");
}

#[tokio::test]
async fn statuses_come_in_slacks_shape() {
    let fake = start().await;
    let query = [("channel", CHANNEL)];
    fake.fault(Fault::on("conversations.history").status(429));
    fake.fault(Fault::on("conversations.history").status(429).header("retry-after", "7"));
    for wait in ["30", "7"] {
        let answer = get(&fake, "conversations.history", &query).await;
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()),
            (429, wait)
        );
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ok": false, "error": "ratelimited"}));
    }
    assert_eq!(fake.rate_limited("conversations.history"), 2);
    for (status, method) in [(500, "conversations.history"), (503, "users.list"), (502, "auth.test")] {
        fake.fault(Fault::on(method).status(status));
        let answer = get(&fake, method, &query[..usize::from(method.ends_with("history"))]).await;
        assert_eq!(answer.status(), status);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        assert!(answer.text().await.unwrap().contains("<h1>"));
    }
    fake.fault(Fault::on("users.list").status(503).reason("service_unavailable"));
    fake.fault(Fault::on("users.list").status(401));
    for (status, code) in [(503, "service_unavailable"), (401, "invalid_auth")] {
        let answer = get(&fake, "users.list", &[]).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({"ok": false, "error": code}));
    }
}

#[tokio::test]
async fn a_fault_can_be_taken_back_and_its_work_is_not_done() {
    let fake = start().await;
    let fault = fake.fault(Fault::on("users.*").always().reason("internal_error"));
    assert_eq!(refused(&fake, "users.list", &[]).await, "internal_error");
    fault.take_back();
    ok(&fake, "users.list", &[]).await;
    fake.fault(Fault::on("users.list").html());
    fake.fault(Fault::on("users.list").truncate(40));
    let answer = get(&fake, "users.list", &[]).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<Value>().await.is_err());
    assert!(get(&fake, "users.list", &[]).await.bytes().await.is_err());
    fake.clear_faults();
    ok(&fake, "users.list", &[]).await;
}

#[tokio::test]
async fn a_delay_waits_on_the_clock() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    fake.fault(Fault::on("users.list").delay(Duration::from_secs(30)));
    let url = format!("{}/api/users.list", fake.url());
    let request =
        tokio::spawn(async move { http().get(url).bearer_auth(TOKEN).send().await.unwrap().status() });
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((fake.count("users.list"), fake.answered("users.list"), request.is_finished()), (1, 0, false));
    clock.advance(Duration::from_secs(30));
    assert_eq!(request.await.unwrap(), 200);
}

#[tokio::test]
async fn the_log_tells_what_came_and_every_answer_has_an_id() {
    let fake = start().await;
    for text in ["a", "b"] {
        fake.post(CHANNEL, json!({"text": text}));
    }
    let query = [("channel", CHANNEL), ("limit", "1"), ("oldest", "1")];
    let page = ok(&fake, "conversations.history", &query).await;
    ok(&fake, "conversations.history", &[query.as_slice(), &[("cursor", cursor(&page).unwrap())]].concat())
        .await;
    let url = format!("{}/api/conversations.history", fake.url());
    http().post(url).bearer_auth(TOKEN).form(&[("channel", CHANNEL), ("cursor", "")]).send().await.unwrap();
    get(&fake, "conversations.open", &[]).await;
    get(&fake, "auth.test", &[]).await;
    let requests = fake.requests();
    let told: Vec<_> = requests.iter().map(|r| (r.operation, r.page_token, r.sync_token, r.status)).collect();
    assert_eq!(
        told,
        [
            ("conversations.history", false, true, 200),
            ("conversations.history", true, true, 200),
            ("conversations.history", false, false, 200),
            ("unknown", false, false, 200),
            ("auth.test", false, false, 200),
        ]
    );
    assert_eq!((requests[0].path.as_str(), fake.messages_served()), ("/api/conversations.history", 4));
    let id = async || {
        let answer = get(&fake, "users.list", &[]).await;
        answer.headers()["x-slack-req-id"].to_str().unwrap().to_owned()
    };
    let first = id().await;
    assert_eq!((first.len(), first == id().await), (32, false));
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let fake = start().await;
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    ok(&fake, "users.list", &[]).await;
    fake.shutdown().await;
    let again = builder(&clock()).port(port).start().await;
    ok(&again, "users.list", &[]).await;
}

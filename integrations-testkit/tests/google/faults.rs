//! What goes wrong when the test says so.

use std::time::Duration;

use integrations_testkit::Fault;
use integrations_testkit::google::FakeGoogle;
use serde_json::Value;

use super::{TOKEN, berlin, builder, clock, get, http, list, reason};

const EVENTS: &str = "/calendar/v3/calendars/primary/events";

async fn fake() -> FakeGoogle {
    builder(&clock()).calendar(berlin(100)).start().await
}

#[tokio::test]
async fn a_status_comes_with_the_envelope_the_reason_and_the_headers() {
    let fake = fake().await;
    fake.fault(
        Fault::on("events.list").nth(2).status(403).reason("rateLimitExceeded").header("retry-after", "7"),
    );
    assert_eq!(list(&fake, &[]).await.0, 200);
    let answer = get(&fake, EVENTS, &[]).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (403, "7"));
    let body: Value = answer.json().await.unwrap();
    assert_eq!(
        (reason(&body), &body["error"]["errors"][0]["domain"]),
        ("rateLimitExceeded", &"usageLimits".into())
    );
    assert_eq!(list(&fake, &[]).await.0, 200);

    fake.fault(Fault::on("events.list").status(401));
    let answer = get(&fake, EVENTS, &[]).await;
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().contains("invalid_token"));

    fake.fault(Fault::on("events.list").times(2).status(503));
    let statuses = [list(&fake, &[]).await.0, list(&fake, &[]).await.0, list(&fake, &[]).await.0];
    assert_eq!(statuses, [503, 503, 200]);
}

#[tokio::test]
async fn the_token_endpoint_fails_in_its_own_words() {
    let fake = builder(&clock()).open_refresh_token("open-refresh").start().await;
    fake.fault(Fault::on("token.refresh").status(400).reason("invalid_grant"));
    let secret = fake.client_secret();
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "open-refresh"),
        ("client_id", fake.client_id()),
        ("client_secret", secret),
    ];
    let refresh = async || http().post(format!("{}/token", fake.url())).form(&form).send().await.unwrap();
    let refused = refresh().await;
    assert_eq!(refused.status(), 400);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"], "invalid_grant");
    assert_eq!(refresh().await.status(), 200);
}

#[tokio::test]
async fn html_and_other_bodies_come_with_200_unless_a_status_is_given() {
    let fake = fake().await;
    fake.fault(Fault::on("events.list").html());
    fake.fault(Fault::on("events.list").status(502).body("not json", "text/plain"));
    let answer = get(&fake, EVENTS, &[]).await;
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    let answer = get(&fake, EVENTS, &[]).await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (502, "not json".to_owned()));
}

#[tokio::test]
async fn a_truncated_answer_breaks_off_where_it_was_told_to() {
    let fake = builder(&clock()).calendar(berlin(1_000)).start().await;
    for bytes in [0, 1, 5_000, 700_000] {
        fake.fault(Fault::on("events.list").truncate(bytes));
        let mut answer = get(&fake, EVENTS, &[("maxResults", "1000")]).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.content_length().unwrap() > 800_000);
        let mut read = 0;
        let end = loop {
            match answer.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        assert!(end.is_some(), "the answer must not look whole");
        assert_eq!(read, bytes);
    }
    assert_eq!(fake.items_served(), 0);
}

#[tokio::test]
async fn a_reset_does_nothing_and_a_lost_answer_has_been_worked_for() {
    let fake = builder(&clock()).rotate_refresh_tokens(true).open_refresh_token("first").start().await;
    let refresh = async || {
        let (id, secret) = (fake.client_id(), fake.client_secret());
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", "first"),
            ("client_id", id),
            ("client_secret", secret),
        ];
        http()
            .post(format!("{}/token", fake.url()))
            .form(&form)
            .send()
            .await
            .map(|answer| answer.status().as_u16())
    };
    fake.fault(Fault::on("token.refresh").reset());
    assert!(refresh().await.is_err());
    fake.fault(Fault::on("token.refresh").lose_answer());
    assert!(refresh().await.is_err());
    assert_eq!(refresh().await.unwrap(), 400, "the token was rotated although the answer was lost");
    assert_eq!(fake.refreshes(), 3);
    assert_eq!(fake.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [0, 0, 400]);
}

#[tokio::test]
async fn a_delay_waits_on_the_clock() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    fake.fault(Fault::on("userinfo").delay(Duration::from_secs(30)).status(500));
    let url = format!("{}/v1/userinfo", fake.url());
    let request =
        tokio::spawn(async move { http().get(url).bearer_auth(TOKEN).send().await.unwrap().status() });
    while clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((fake.count("userinfo"), request.is_finished()), (1, false));
    clock.advance(Duration::from_secs(30));
    assert_eq!(request.await.unwrap(), 500);
}

#[tokio::test]
async fn the_log_tells_what_came_and_the_counters_can_be_reset() {
    let fake = fake().await;
    let (_, page) = list(&fake, &[("maxResults", "10")]).await;
    list(&fake, &[("maxResults", "10"), ("pageToken", page["nextPageToken"].as_str().unwrap())]).await;
    get(&fake, "/nowhere", &[]).await;
    let requests = fake.requests();
    let told: Vec<_> = requests.iter().map(|r| (r.operation, r.page_token, r.sync_token, r.status)).collect();
    assert_eq!(
        told,
        [
            ("events.list", false, false, 200),
            ("events.list", true, false, 200),
            ("unknown", false, false, 404)
        ]
    );
    assert_eq!((requests[0].path.as_str(), fake.items_served()), (EVENTS, 20));
    fake.reset_counters();
    assert_eq!((fake.requests().len(), fake.count("events.list"), fake.items_served()), (0, 0, 0));
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let fake = fake().await;
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    assert_eq!(list(&fake, &[]).await.0, 200);
    fake.shutdown().await;
    let again = builder(&clock()).port(port).start().await;
    assert_eq!(list(&again, &[]).await.0, 200);
}

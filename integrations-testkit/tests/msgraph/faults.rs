//! What goes wrong when a test orders it.

use integrations_testkit::Fault;

use super::*;

#[tokio::test]
async fn a_fault_has_graphs_envelope_and_its_reason_may_nest() {
    let fake = builder(&clock()).start().await;
    for (fault, status, expected) in [
        (Fault::on("calendars.*").status(503), 503, "serviceNotAvailable"),
        (
            Fault::on("calendars.list").status(404).reason("MailboxNotEnabledForRESTAPI"),
            404,
            "MailboxNotEnabledForRESTAPI",
        ),
        (Fault::on("*").status(403), 403, "ErrorAccessDenied"),
        (Fault::on("calendars.list").status(429).header("retry-after", "10"), 429, "ApplicationThrottled"),
        (Fault::on("calendars.list").status(401), 401, "InvalidAuthenticationToken"),
    ] {
        fake.fault(fault);
        let (got, body) = get(&fake, "/v1.0/me/calendars", &[]).await;
        assert_eq!((got, code(&body)), (status, expected));
        if status != 401 {
            assert_eq!(body["error"]["innerError"]["date"], "2026-03-01T09:00:00", "{body}");
            assert!(body["error"]["innerError"]["request-id"].is_string());
        }
    }
    fake.fault(Fault::on("messages.delta").status(400).reason("BadRequest/syncStateNotFound"));
    let answer =
        request(&fake, "/v1.0/me/mailFolders/inbox/messages/delta").header("client-request-id", "mine");
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.headers()["client-request-id"], "mine");
    let (_, body) = read(answer).await;
    let inner = &body["error"]["innerError"];
    assert_eq!(
        (code(&body), &inner["code"], &inner["client-request-id"]),
        ("BadRequest", &json!("syncStateNotFound"), &json!("mine"))
    );
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.0, 200);
}

#[tokio::test]
async fn answers_are_cut_lost_and_taken_back() {
    let fake = builder(&clock()).calendar(berlin(5)).start().await;
    fake.fault(Fault::on("events.list").truncate(40));
    let cut = request(&fake, "/v1.0/me/events").send().await.unwrap();
    assert!(cut.text().await.is_err());
    assert_eq!(fake.items_served(), 0);
    fake.fault(Fault::on("events.list").lose_answer());
    assert!(request(&fake, "/v1.0/me/events").send().await.is_err());
    fake.fault(Fault::on("events.list").html());
    let page = request(&fake, "/v1.0/me/events").send().await.unwrap();
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    fake.fault(Fault::on("events.list").always().status(500)).take_back();
    fake.fault(Fault::on("events.list").status(500));
    fake.clear_faults();
    assert_eq!(get(&fake, "/v1.0/me/events", &[]).await.0, 200);
    assert_eq!((fake.count("events.list"), fake.items_served()), (4, 5));
    fake.reset_counters();
    assert_eq!((fake.requests().len(), fake.count("events.list"), fake.items_served()), (0, 0, 0));
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let fake = builder(&clock()).start().await;
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    fake.shutdown().await;
    let again = builder(&clock()).port(port).start().await;
    assert_eq!(get(&again, "/v1.0/me/calendars", &[]).await.0, 200);
}

//! What calls cost, and what happens when too much is asked for.

use std::time::Duration;

use integrations_testkit::Fault;
use integrations_testkit::google::MailSpec;

use super::{builder, clock, mail, reason};

#[tokio::test]
async fn every_call_costs_what_google_says() {
    let fake = builder(&clock()).start().await;
    let id = fake.add_message(MailSpec::new("a").attachment("a", "text/plain", b"a"));
    let message = fake.message(&id).unwrap();
    let attachment = message["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap();
    let history = fake.history_id();
    let mut total = 0;
    for (path, query, units) in [
        ("profile".to_owned(), None, 1),
        ("labels".to_owned(), None, 1),
        ("labels/INBOX".to_owned(), None, 1),
        ("messages".to_owned(), None, 5),
        (format!("messages/{id}"), None, 20),
        (format!("messages/{id}/attachments/{attachment}"), None, 5),
        (format!("threads/{id}"), None, 40),
        ("history".to_owned(), Some(("startHistoryId", history.as_str())), 2),
        // An answer that nothing was found is an answer.
        ("messages/1".to_owned(), None, 20),
    ] {
        mail(&fake, &path, query.as_slice()).await;
        total += units;
        assert_eq!(fake.units_used(), total, "{path}");
    }
    fake.fault(Fault::on("messages.get").status(500));
    assert_eq!(mail(&fake, &format!("messages/{id}"), &[]).await.0, 500);
    assert_eq!(fake.units_used(), total, "no work, no charge");
    fake.reset_counters();
    assert_eq!(fake.units_used(), 0);
}

#[tokio::test]
async fn the_minute_slides_on_the_clock_of_the_fake() {
    let clock = clock();
    let fake = builder(&clock).gmail_quota(50).start().await;
    let id = fake.add_message(MailSpec::new("a"));
    let path = format!("messages/{id}");
    let status = async || mail(&fake, &path, &[]).await.0;
    assert_eq!(status().await, 200);
    clock.advance(Duration::from_secs(30));
    assert_eq!([status().await, status().await], [200, 429], "60 units in a minute");
    let (status_code, refused) = mail(&fake, &path, &[]).await;
    assert_eq!((status_code, reason(&refused)), (429, "rateLimitExceeded"));
    assert_eq!(refused["error"]["status"], "RESOURCE_EXHAUSTED");
    assert_eq!(mail(&fake, "messages", &[]).await.0, 200, "smaller ones fit in");
    assert_eq!(fake.units_used(), 45, "what is refused costs nothing");

    clock.advance(Duration::from_secs(29));
    assert_eq!(status().await, 429);
    clock.advance(Duration::from_secs(1));
    assert_eq!([status().await, status().await], [200, 429], "the first one has left the minute");
    clock.advance(Duration::from_secs(30));
    assert_eq!([status().await, status().await], [200, 429]);
    assert_eq!((fake.units_used(), fake.count("messages.get")), (85, 9));
}

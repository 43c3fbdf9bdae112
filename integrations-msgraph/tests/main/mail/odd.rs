//! Payloads that are odd: what they mean, and whom they harm.

use integrations_testkit::Fault;
use serde_json::json;

use super::Mailbox;

#[tokio::test]
async fn one_malformed_message_is_quarantined_and_its_page_goes_on() {
    let mailbox = Mailbox::new().await;
    let there = mailbox.fake.insert_message("inbox", json!({}));
    for item in [
        r#"{"id":"odd-date","receivedDateTime":"yesterday","body":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"odd-read","isRead":"no","receivedDateTime":null,"body":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"odd-to","toRecipients":[{"emailAddress":{"address":7}}],"receivedDateTime":null,"body":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"odd-body","body":"text","receivedDateTime":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"odd-words","importance":"urgent","flag":{"flagStatus":"waving"},"inferenceClassification":"x","body":{"contentType":"markdown","content":"*a*"},"receivedDateTime":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"nulls","subject":null,"from":null,"toRecipients":null,"body":null,"flag":null,"categories":null,"receivedDateTime":null,"isRead":null,"@removed":null,"lastModifiedDateTime":null}"#,
        r#"{"id":"partial"}"#,
        r#"{"subject":"x"}"#,
        r#""not an object""#,
    ] {
        mailbox.fake.raw_message("inbox", item);
    }
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (3, 7));
    let mut quarantine = mailbox.quarantine();
    quarantine.sort();
    let row = |id: &str, reason: &str| (id.to_owned(), reason.to_owned());
    assert_eq!(
        quarantine,
        [
            row("", "$: expected struct WireMessage"),
            row("", "$: missing field `id`"),
            row("odd-body", "$.body: expected struct WireBody"),
            row("odd-date", "$.receivedDateTime: expected an RFC 3339 time"),
            row("odd-read", "$.isRead: expected a boolean"),
            row("odd-to", "$.toRecipients[0].emailAddress.address: expected a string"),
            row("partial", "$: Graph does not give the message whole, 400, ErrorInvalidIdMalformed"),
        ]
    );
    let odd = mailbox.message("odd-words");
    assert!(!odd.important && !odd.starred);
    assert_eq!(odd.text.as_deref(), Some("*a*"));
    let nulls = mailbox.message("nulls");
    assert_eq!((nulls.subject, nulls.sent_at, nulls.read), (None, None, None));
    assert_eq!(nulls.labels, [mailbox.fake.folder_id("inbox")]);
    assert!(mailbox.messages().iter().any(|message| message.id == there));
}

#[tokio::test]
async fn of_a_message_that_comes_more_than_once_the_last_word_counts() {
    let mailbox = Mailbox::new().await;
    let page = |items: serde_json::Value| {
        let link = format!("{}/v1.0/me/mailFolders/x/messages/delta?$deltatoken=x", mailbox.fake.url());
        let body = json!({"value": items, "@odata.deltaLink": link}).to_string();
        drop(mailbox.fake.fault(Fault::on("messages.delta").body(&body, "application/json")));
    };
    let message = |id: &str, subject: &str| json!({"id": id, "subject": subject, "body": null, "receivedDateTime": null, "lastModifiedDateTime": null});
    page(json!([
        message("1", "first"), message("1", "last"),
        {"id": "2", "@removed": {"reason": "deleted"}}, message("2", "back"),
        message("3", "there"), {"id": "3", "@removed": {"reason": "changed"}},
        {"id": "never known", "@removed": {"reason": "word of tomorrow"}},
    ]));
    mailbox.sync().await;
    let mut there: Vec<_> = mailbox.messages().into_iter().map(|m| (m.id, m.subject.unwrap())).collect();
    there.sort();
    assert_eq!(there, [("1".to_owned(), "last".to_owned()), ("2".to_owned(), "back".to_owned())]);
    page(json!([{"id": "2", "@removed": {"reason": "changed"}}, {"id": "1", "@removed": {}}]));
    mailbox.sync().await;
    assert_eq!(mailbox.messages(), []);
}

#[tokio::test]
async fn a_message_that_comes_in_part_is_got_whole() {
    let mailbox =
        Mailbox::with(|fake| fake.partial_read_marks(true), super::one_at_a_time, |config| config).await;
    let files = json!([{"name": "a.txt"}]);
    let message = json!({"subject": "Lunch", "categories": ["Family"], "attachments": files});
    let id = mailbox.fake.insert_message("inbox", message);
    let other = mailbox.fake.insert_message("inbox", json!({}));
    mailbox.sync().await;
    mailbox.fake.mark_read(&id, true);
    let gone = mailbox.fake.insert_message("inbox", json!({}));
    mailbox.fake.mark_read(&gone, true);
    mailbox.fake.reset_counters();
    // The other one is gone by the time that it is asked for.
    drop(mailbox.fake.fault(Fault::on("messages.get").nth(2).status(404).reason("ErrorItemNotFound")));
    mailbox.sync().await;
    assert_eq!(mailbox.fake.count("messages.get"), 2);
    let message = mailbox.message(&id);
    assert_eq!((message.subject.as_deref(), message.read), (Some("Lunch"), Some(true)));
    assert_eq!((message.attachments.len(), message.labels.len()), (1, 2));
    assert!(mailbox.messages().iter().all(|message| message.id != gone));

    // What Graph does not give of it harms it alone, and what was known of it stays.
    mailbox.fake.mark_read(&id, false);
    mailbox.fake.mark_read(&other, true);
    drop(mailbox.fake.fault(Fault::on("messages.get").nth(1).status(403).reason("ErrorAccessDenied")));
    let report = mailbox.sync().await;
    assert_eq!((report.upserted, report.quarantined), (1, 1));
    let quarantined = mailbox.quarantine();
    assert!(quarantined[0].1.starts_with("$: Graph does not give the message whole, 403"), "{quarantined:?}");
    assert_eq!(mailbox.messages().len(), 2);
}

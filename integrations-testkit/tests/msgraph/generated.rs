//! Large calendars and mailboxes that cost no memory.

use std::collections::{BTreeMap, BTreeSet};

use integrations_testkit::msgraph::FolderSpec;

use super::*;

#[tokio::test]
async fn the_same_seed_makes_the_same_calendar() {
    let (one, two) = (
        builder(&clock()).calendar(berlin(300)).start().await,
        builder(&clock()).calendar(berlin(300)).start().await,
    );
    let (first, _) = month(&one, "odata.maxpagesize=100").await;
    assert_eq!(first, month(&two, "odata.maxpagesize=7").await.0);
    let other = builder(&clock()).seed(2).calendar(berlin(300)).start().await;
    assert_ne!(first, month(&other, "odata.maxpagesize=100").await.0);
    let unique: BTreeSet<&str> = ids(&first).into_iter().collect();
    assert_eq!(unique.len(), first.len());
}

#[tokio::test]
async fn a_generated_calendar_has_a_bit_of_everything() {
    let fake = builder(&clock()).calendar(berlin(2_000)).start().await;
    let mut all = Vec::new();
    let mut link = format!("{}/v1.0/me/events?$top=500", fake.url());
    loop {
        let (status, page) = follow(&link, IMMUTABLE).await;
        assert_eq!(status, 200, "{page}");
        all.extend(page["value"].as_array().unwrap().clone());
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        next.clone_into(&mut link);
    }
    assert_eq!(ids(&all), fake.event_ids("Calendar"));
    let values = |field: &str| all.iter().map(|event| event[field].to_string()).collect::<BTreeSet<_>>();
    for (field, least) in [
        ("type", 2),
        ("isAllDay", 2),
        ("showAs", 4),
        ("sensitivity", 4),
        ("importance", 3),
        ("isOnlineMeeting", 2),
        ("isOrganizer", 2),
        ("isCancelled", 2),
        ("originalStartTimeZone", 6),
        ("categories", 3),
        ("isReminderOn", 2),
    ] {
        assert!(values(field).len() >= least, "{field}: {:?}", values(field));
    }
    let patterns: BTreeSet<String> = all
        .iter()
        .filter_map(|event| event["recurrence"]["pattern"]["type"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(patterns.len(), 6, "{patterns:?}");
    assert!(all.iter().all(|event| event["isCancelled"] == text(event, "subject").starts_with("Canceled")));
}

#[tokio::test]
async fn a_round_has_what_a_view_has() {
    let fake = builder(&clock()).calendar(berlin(800)).start().await;
    let (items, _) = month(&fake, "odata.maxpagesize=50, IdType=\"ImmutableId\"").await;
    assert_eq!(ids(&items), fake.view_ids("Calendar", START, END));
    let mut told: BTreeMap<String, Value> = items
        .iter()
        .filter(|item| item["type"] != "seriesMaster")
        .map(|item| (text(item, "id"), item["start"].clone()))
        .collect();
    let mut link =
        format!("{}/v1.0/me/calendarView?startDateTime={START}&endDateTime={END}&$top=900", fake.url());
    loop {
        let (_, page) = follow(&link, IMMUTABLE).await;
        for event in page["value"].as_array().unwrap() {
            assert_eq!(told.remove(&text(event, "id")).as_ref(), Some(&event["start"]), "{event}");
        }
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        next.clone_into(&mut link);
    }
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn a_touched_event_is_like_the_untouched_one() {
    let fake = builder(&clock())
        .calendar(berlin(200))
        .folder(FolderSpec::well_known("inbox").generated(200))
        .start()
        .await;
    let changing = ["@odata.etag", "changeKey", "lastModifiedDateTime"];
    let bare = |mut item: Value| {
        item.as_object_mut().unwrap().retain(|name, _| !changing.contains(&name.as_str()));
        item
    };
    for id in fake.event_ids("Calendar") {
        let before = fake.event(&id).unwrap();
        fake.patch_event(&id, json!({}));
        assert_eq!(bare(fake.event(&id).unwrap()), bare(before));
    }
    for id in fake.message_ids("inbox") {
        let before = fake.message(&id).unwrap();
        fake.patch_message(&id, json!({}));
        assert_eq!(bare(fake.message(&id).unwrap()), bare(before));
    }
    assert_eq!(fake.folder("inbox")["unreadItemCount"], 13);
}

#[tokio::test]
async fn a_page_costs_what_it_serves_whatever_the_size_of_the_mailbox() {
    let fake = builder(&clock())
        .calendar(berlin(5_000_000))
        .folder(FolderSpec::well_known("inbox").generated(5_000_000))
        .start()
        .await;
    assert_eq!((fake.live_events("Calendar"), fake.live_messages("inbox")), (5_000_000, 5_000_000));
    let query = [("startDateTime", START), ("endDateTime", END)];
    let (_, page) = get(&fake, "/v1.0/me/calendarView/delta", &query).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    let first = format!("{}/v1.0/me/mailFolders/inbox/messages/delta", fake.url());
    let (_, page) = follow(&first, "odata.maxpagesize=1000").await;
    assert_eq!(page["value"].as_array().unwrap().len(), 1_000);
    let folder = fake.folder("inbox");
    assert_eq!((&folder["totalItemCount"], &folder["unreadItemCount"]), (&json!(5_000_000), &json!(312_500)));
    let far = [("startDateTime", "2001-01-01T00:00:00Z"), ("endDateTime", "2001-02-01T00:00:00Z")];
    let (_, page) = get(&fake, "/v1.0/me/calendarView/delta", &far).await;
    assert_eq!(page["value"], json!([]), "a window that is far away gives empty pages, not a long search");
    assert!(page["@odata.nextLink"].is_string());
}

#[tokio::test]
async fn generated_messages_have_a_bit_of_everything_and_grow_younger() {
    let fake = builder(&clock())
        .folder(FolderSpec::well_known("inbox").generated(600))
        .folder(FolderSpec::well_known("sentitems").generated(20))
        .folder(FolderSpec::well_known("drafts").generated(5))
        .start()
        .await;
    let (all, _) = messages(&fake, "inbox", "odata.maxpagesize=250").await;
    assert_eq!(all.len(), 600);
    assert!(all.iter().map(|message| text(message, "receivedDateTime")).is_sorted());
    assert!(all.iter().all(|message| text(message, "receivedDateTime").as_str() < START));
    let values = |field: &str| all.iter().map(|message| message[field].to_string()).collect::<BTreeSet<_>>();
    for (field, least) in [
        ("isRead", 2),
        ("importance", 3),
        ("flag", 3),
        ("hasAttachments", 2),
        ("categories", 2),
        ("replyTo", 2),
        ("inferenceClassification", 2),
        ("ccRecipients", 4),
        ("from", 9),
        ("conversationId", 100),
        ("subject", 10),
    ] {
        assert!(values(field).len() >= least, "{field}");
    }
    assert!(values("conversationId").len() < 200, "several messages a conversation");
    let kinds: BTreeSet<_> = all.iter().map(|message| message["body"]["contentType"].to_string()).collect();
    assert_eq!(kinds.len(), 2);
    let (sent, _) = messages(&fake, "sentitems", IMMUTABLE).await;
    assert!(sent.iter().all(|message| message["from"]["emailAddress"]["address"] == "ada@example.com"));
    let (drafts, _) = messages(&fake, "drafts", IMMUTABLE).await;
    assert!(drafts.iter().all(|message| message["isDraft"] == true));
}

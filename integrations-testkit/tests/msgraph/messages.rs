//! Messages: fields, delta rounds per folder, moves.

use integrations_testkit::msgraph::FolderSpec;

use super::*;

fn removed(id: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.message", "id": id, "@removed": {"reason": "deleted"}})
}

async fn with_messages(count: usize) -> (FakeGraph, Vec<String>) {
    let fake = builder(&clock()).start().await;
    let ids = (0..count)
        .map(|number| fake.insert_message("inbox", json!({"subject": format!("Message {number}")})))
        .collect();
    (fake, ids)
}

#[tokio::test]
async fn a_message_has_what_exchange_fills_in() {
    let (fake, _) = with_messages(0).await;
    let people = |address: &str| json!([{"emailAddress": {"name": address, "address": address}}]);
    let id = fake.insert_message(
        "inbox",
        json!({
            "subject": "Hi", "from": people("grace@example.com")[0], "ccRecipients": people("c@example.com"),
            "body": {"contentType": "html", "content": "<p>Hello <b>you</b></p>"}, "flag": {"flagStatus": "flagged"},
            "receivedDateTime": "2026-02-28T10:00:00Z", "importance": "high",
            "internetMessageHeaders": [{"name": "x-mark", "value": "1"}], "aFieldOfTomorrow": true,
        }),
    );
    let (status, message) = get(&fake, &format!("/v1.0/me/messages/{id}"), &[]).await;
    assert_eq!(status, 200);
    for (field, value) in [
        ("id", json!(id)),
        ("subject", json!("Hi")),
        ("bodyPreview", json!("Hello you")),
        ("sender", people("grace@example.com")[0].clone()),
        ("toRecipients", json!([{"emailAddress": {"name": "Ada Lovelace", "address": "ada@example.com"}}])),
        ("ccRecipients", people("c@example.com")),
        ("bccRecipients", json!([])),
        ("replyTo", json!([])),
        ("receivedDateTime", json!("2026-02-28T10:00:00Z")),
        ("createdDateTime", json!("2026-03-01T09:00:00Z")),
        ("isRead", json!(false)),
        ("isDraft", json!(false)),
        ("flag", json!({"flagStatus": "flagged"})),
        ("importance", json!("high")),
        ("hasAttachments", json!(false)),
        ("parentFolderId", json!(fake.folder_id("inbox"))),
        ("inferenceClassification", json!("focused")),
        ("aFieldOfTomorrow", json!(true)),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
    assert_eq!(message["@odata.etag"], format!("W/\"{}\"", text(&message, "changeKey")));
    assert!(
        text(&message, "internetMessageId").starts_with('<')
            && text(&message, "webLink").starts_with("https://")
    );
    for rare in ["internetMessageHeaders", "uniqueBody", "@odata.type"] {
        assert!(message.get(rare).is_none(), "{rare}");
    }
    let select = [("$select", "internetMessageHeaders,uniqueBody")];
    let (_, rare) = get(&fake, &format!("/v1.0/me/messages/{id}"), &select).await;
    assert_eq!(rare["internetMessageHeaders"], json!([{"name": "x-mark", "value": "1"}]));
    assert_eq!((&rare["uniqueBody"], rare.get("subject")), (&message["body"], None));
    let inside = format!("/v1.0/me/mailFolders/inbox/messages/{id}");
    assert_eq!(get(&fake, &inside, &[]).await.1["subject"], "Hi");
    let text_body = request(&fake, &format!("/v1.0/me/messages/{id}"))
        .header("prefer", r#"outlook.body-content-type="text""#);
    let (_, plain) = read(text_body.send().await.unwrap()).await;
    assert_eq!(plain["body"], json!({"contentType": "text", "content": "Hello you\r\n"}));
    assert_ne!(plain["id"], message["id"]);
}

#[tokio::test]
async fn a_full_round_and_one_of_changes() {
    let (fake, inserted) = with_messages(5).await;
    let (items, link) = messages(&fake, "inbox", "odata.maxpagesize=2, IdType=\"ImmutableId\"").await;
    assert_eq!(ids(&items), inserted);
    assert!(
        items
            .iter()
            .all(|item| item["@odata.type"] == "#microsoft.graph.message" && item["body"].is_object())
    );
    let folder = fake.folder_id("inbox");
    assert!(
        link.contains(&format!("/v1.0/me/mailfolders('{folder}')/messages/delta?$deltatoken=")),
        "{link}"
    );
    fake.mark_read(&inserted[3], true);
    fake.flag_message(&inserted[1], "complete");
    fake.delete_message(&inserted[0]);
    fake.mark_read(&inserted[1], true);
    let (changes, link) = drain(&link, IMMUTABLE).await;
    assert_eq!(ids(&changes), [&inserted[3], &inserted[0], &inserted[1]]);
    assert_eq!((&changes[0]["isRead"], &changes[1]), (&json!(true), &removed(&inserted[0])));
    assert_eq!(changes[2]["flag"], json!({"flagStatus": "complete"}));
    assert!(drain(&link, IMMUTABLE).await.0.is_empty());
    assert_eq!(fake.live_messages("inbox"), 4);
    assert_eq!(fake.message(&inserted[0]), None);
}

#[tokio::test]
async fn what_is_selected_holds_for_the_whole_round_and_the_next() {
    let (fake, inserted) = with_messages(3).await;
    let first =
        format!("{}/v1.0/me/mailFolders/inbox/messages/delta?$select=subject,isRead&$top=2", fake.url());
    let (_, page) = follow(&first, IMMUTABLE).await;
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    let (items, link) = drain(&first, IMMUTABLE).await;
    fake.mark_read(&inserted[0], true);
    let (changes, _) = drain(&link, IMMUTABLE).await;
    for item in items.iter().chain(&changes) {
        let mut names: Vec<_> = item.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["@odata.etag", "@odata.type", "id", "isRead", "subject"]);
    }
    assert_eq!((items.len(), changes.len()), (3, 1));
}

#[tokio::test]
async fn a_round_may_begin_at_a_time_and_refuses_other_filters() {
    let (fake, _) = with_messages(0).await;
    for day in ["2026-01-10", "2026-02-10", "2026-02-20"] {
        fake.insert_message("inbox", json!({"subject": day, "receivedDateTime": format!("{day}T00:00:00Z")}));
    }
    let filtered =
        |filter: &str| format!("{}/v1.0/me/mailFolders/inbox/messages/delta?$filter={filter}", fake.url());
    let (items, _) = drain(&filtered("receivedDateTime+ge+2026-02-10T00:00:00Z"), IMMUTABLE).await;
    assert_eq!(items.len(), 2);
    let (items, link) = drain(&filtered("receivedDateTime+gt+2026-02-10T00:00:00Z"), IMMUTABLE).await;
    assert_eq!(items.len(), 1);
    fake.insert_message("inbox", json!({"receivedDateTime": "2025-12-24T00:00:00Z"}));
    let young = fake.insert_message("inbox", json!({}));
    assert_eq!(ids(&drain(&link, IMMUTABLE).await.0), [&young]);
    for (query, expected) in [
        ("$filter=isRead+eq+false", "ErrorInvalidUrlQueryFilter"),
        ("$search=x", "ErrorInvalidUrlQuery"),
        ("$orderby=receivedDateTime+desc", "unsupportedByFake"),
        ("changeType=created", "unsupportedByFake"),
        ("$skip=1", "unsupportedByFake"),
        ("$select=colour", "RequestBroker--ParseUri"),
    ] {
        let url = format!("{}/v1.0/me/mailFolders/inbox/messages/delta?{query}", fake.url());
        let (status, body) = follow(&url, IMMUTABLE).await;
        assert_eq!((status, code(&body)), (400, expected), "{query}");
    }
}

#[tokio::test]
async fn a_move_is_a_removal_here_and_an_addition_there() {
    let (fake, inserted) = with_messages(2).await;
    let id = &inserted[0];
    let usual = fake.usual_id(id);
    let (_, inbox) = messages(&fake, "inbox", IMMUTABLE).await;
    let (_, archive) = messages(&fake, "archive", IMMUTABLE).await;
    fake.move_message(id, "archive");
    let (left, after) = drain(&inbox, IMMUTABLE).await;
    let (came, _) = drain(&archive, IMMUTABLE).await;
    assert_eq!(left, [removed(id)]);
    assert_eq!(
        (ids(&came), &came[0]["parentFolderId"]),
        (vec![id.as_str()], &json!(fake.folder_id("archive")))
    );
    assert_eq!(drain(&inbox, "odata.maxpagesize=9").await.0, [removed(&usual)]);
    let new = drain(&archive, "odata.maxpagesize=9").await.0[0]["id"].clone();
    assert_eq!(new, json!(fake.usual_id(id)));
    assert_ne!(new, json!(usual));
    assert_eq!(get(&fake, &format!("/v1.0/me/messages/{usual}"), &[]).await.0, 404);
    assert_eq!(get(&fake, &format!("/v1.0/me/messages/{id}"), &[]).await.0, 200);

    fake.move_message(id, "inbox");
    assert_eq!(ids(&drain(&inbox, IMMUTABLE).await.0), [id], "it went and came back");
    let both = drain(&inbox, "odata.maxpagesize=9").await.0;
    assert_eq!((&both[0], &both[1]["id"]), (&removed(&usual), &json!(fake.usual_id(id))));
    assert_eq!(ids(&drain(&after, IMMUTABLE).await.0), [id]);
    assert_eq!(fake.message_ids("inbox"), [inserted[1].clone(), id.clone()]);
}

#[tokio::test]
async fn a_meeting_request_says_what_it_is() {
    let (fake, _) = with_messages(0).await;
    let kind = "#microsoft.graph.eventMessageRequest";
    let id =
        fake.insert_message("inbox", json!({"@odata.type": kind, "meetingMessageType": "meetingRequest"}));
    let (items, _) = messages(&fake, "inbox", IMMUTABLE).await;
    assert_eq!(
        (&items[0]["@odata.type"], &items[0]["meetingMessageType"]),
        (&json!(kind), &json!("meetingRequest"))
    );
    assert_eq!(fake.message(&id).unwrap()["@odata.type"], kind);
}

#[tokio::test]
async fn messages_are_listed_by_folder_and_in_all() {
    let (fake, inserted) = with_messages(3).await;
    let sent = fake.insert_message("sentitems", json!({"subject": "Sent"}));
    let (_, page) = get(&fake, "/v1.0/me/mailFolders/sentitems/messages", &[("$select", "subject")]).await;
    assert_eq!(ids(page["value"].as_array().unwrap()), [&sent]);
    let (_, first) = get(&fake, "/v1.0/me/messages", &[("$top", "2")]).await;
    let (_, second) = follow(first["@odata.nextLink"].as_str().unwrap(), IMMUTABLE).await;
    let all: Vec<Value> =
        [&first, &second].iter().flat_map(|page| page["value"].as_array().unwrap().clone()).collect();
    assert_eq!(ids(&all), [&inserted[0], &inserted[1], &inserted[2], &sent]);
}

#[tokio::test]
async fn tokens_of_one_folder_can_be_too_old() {
    let fake = builder(&clock()).folder(FolderSpec::new("Projects")).start().await;
    let (_, inbox) = messages(&fake, "inbox", IMMUTABLE).await;
    let (_, projects) = messages(&fake, &fake.folder_id("Projects"), IMMUTABLE).await;
    fake.expire_folder_tokens("Projects");
    let (status, body) = follow(&projects, IMMUTABLE).await;
    assert_eq!((status, code(&body)), (410, "SyncStateNotFound"));
    assert_eq!(follow(&inbox, IMMUTABLE).await.0, 200);
    fake.expire_delta_tokens();
    assert_eq!(follow(&inbox, IMMUTABLE).await.0, 410);
}

#[tokio::test]
async fn a_raw_item_is_served_as_it_is() {
    let (fake, _) = with_messages(1).await;
    let (_, link) = messages(&fake, "inbox", IMMUTABLE).await;
    fake.raw_message("inbox", r#"{"id":"odd","receivedDateTime":17}"#);
    let odd = json!({"id": "odd", "receivedDateTime": 17});
    assert_eq!(drain(&link, IMMUTABLE).await.0, std::slice::from_ref(&odd));
    assert_eq!(messages(&fake, "inbox", IMMUTABLE).await.0[1], odd);
    assert_eq!(fake.message_ids("inbox").len(), 1);

    let (_, link) = messages(&fake, "inbox", IMMUTABLE).await;
    let id = fake.message_ids("inbox").remove(0);
    let garbled = json!({"id": id, "from": "nobody"});
    fake.garble_message(&id, &garbled.to_string());
    assert_eq!(drain(&link, IMMUTABLE).await.0, std::slice::from_ref(&garbled));
    assert_eq!(get(&fake, &format!("/v1.0/me/messages/{id}"), &[]).await.1["from"], "nobody");
    assert!(fake.message_ids("inbox").is_empty());
    fake.mend_message(&id);
    assert_eq!(drain(&link, IMMUTABLE).await.0[0]["subject"], "Message 0");
}

#[tokio::test]
async fn a_mark_of_reading_may_come_without_the_rest() {
    for partial in [false, true] {
        let fake = builder(&clock()).partial_read_marks(partial).start().await;
        let ids: Vec<_> = (0..3).map(|_| fake.insert_message("inbox", json!({"subject": "Hi"}))).collect();
        let start = format!("{}/v1.0/me/mailFolders/inbox/messages/delta", fake.url());
        let (first, link) = drain(&start, IMMUTABLE).await;
        // A full round tells everything.
        assert!(first.iter().all(|item| item["subject"] == "Hi"));
        fake.mark_read(&ids[0], true);
        fake.mark_read(&ids[1], true);
        fake.flag_message(&ids[1], "flagged");
        let (changes, _) = drain(&link, IMMUTABLE).await;
        let marked = json!({"@odata.type": "#microsoft.graph.message", "id": ids[0], "isRead": true,
            "parentFolderId": fake.folder_id("inbox")});
        assert_eq!((changes.len(), changes[0] == marked), (2, partial), "{changes:?}");
        assert_eq!(changes[1]["subject"], "Hi", "it has changed otherwise, too");
    }
}

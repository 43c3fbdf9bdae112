//! Messages that are made up on the way out.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use integrations_testkit::google::MailSpec;
use serde_json::{Value, json};

use super::{builder, clock, drain, header, listed, mail, text};

#[tokio::test]
async fn list_get_threads_and_history_tell_the_same() {
    let fake = builder(&clock()).messages(400).start().await;
    let query = [("includeSpamTrash", "true"), ("maxResults", "33")];
    let (items, ..) = drain(&fake, "messages", "messages", &query).await;
    let ids: Vec<_> = items.iter().map(|item| text(item, "id")).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 400);
    assert_eq!((ids.clone(), fake.live_messages()), (fake.message_ids(), 400));

    // The oldest message's history id starts the whole history behind it.
    let start = text(&fake.message(&ids[399]).unwrap(), "historyId");
    let query = [("startHistoryId", start.as_str()), ("maxResults", "70")];
    let (records, ..) = drain(&fake, "history", "history", &query).await;
    assert_eq!(records.len(), 399);
    let mut threads: HashMap<String, Vec<String>> = HashMap::new();
    for (item, id) in items.iter().zip(&ids).rev() {
        let message = fake.message(id).unwrap();
        assert_eq!((&message["id"], &message["threadId"]), (&item["id"], &item["threadId"]));
        threads.entry(text(item, "threadId")).or_default().push(id.clone());
        check(&message);
    }
    for (record, id) in records.iter().zip(ids.iter().rev().skip(1)) {
        let message = fake.message(id).unwrap();
        let short = json!({"id": id, "threadId": message["threadId"]});
        assert_eq!(record["messages"], json!([short]));
        assert_eq!(record["id"], message["historyId"]);
        let mut added = short;
        if message.get("labelIds").is_some() {
            added["labelIds"] = message["labelIds"].clone();
        }
        assert_eq!(record["messagesAdded"], json!([{ "message": added }]));
    }
    assert_eq!(records.last().unwrap()["id"], json!(fake.history_id()));

    assert!(threads.len() < 380 && threads.values().any(|thread| thread.len() > 3));
    let (_, profile) = mail(&fake, "profile", &[]).await;
    assert_eq!(profile["threadsTotal"], threads.len());
    for (thread, members) in threads {
        let (_, told) = mail(&fake, &format!("threads/{thread}"), &[]).await;
        let told = told["messages"].as_array().unwrap();
        assert_eq!(told.iter().map(|message| text(message, "id")).collect::<Vec<_>>(), members);
        assert_eq!(members[0], thread);
        for reply in &told[1..] {
            let subject = |message: &Value| header(&message["payload"], "Subject").unwrap().to_owned();
            assert_eq!(subject(reply), format!("Re: {}", subject(&told[0])));
            let first = header(&told[0]["payload"], "Message-ID").unwrap();
            assert!(header(&reply["payload"], "References").unwrap().starts_with(first));
        }
    }
}

/// What must hold for any message.
fn check(message: &Value) {
    let payload = &message["payload"];
    for name in ["Subject", "From", "To", "Date", "Message-ID", "Content-Type"] {
        assert!(header(payload, name).is_some_and(|value| !value.is_empty()), "{name} in {message}");
    }
    let date = chrono::DateTime::parse_from_rfc2822(header(payload, "Date").unwrap()).unwrap();
    assert_eq!(message["internalDate"], json!(date.timestamp_millis().to_string()));
    check_part(payload);
}

fn check_part(part: &Value) {
    let body = &part["body"];
    let size = body["size"].as_u64().unwrap();
    if let Some(parts) = part["parts"].as_array() {
        assert!(part["mimeType"].as_str().unwrap().starts_with("multipart/") && parts.len() > 1);
        parts.iter().for_each(check_part);
    } else if part["filename"] == "" {
        let data = URL_SAFE.decode(body["data"].as_str().unwrap()).unwrap();
        assert_eq!(data.len() as u64, size);
        assert!(String::from_utf8(data).unwrap().split("\r\n").all(|line| !line.contains('\n')));
    } else {
        assert!(size > 0 && body["attachmentId"].is_string());
    }
}

#[tokio::test]
async fn the_mailbox_looks_like_one() {
    let fake = builder(&clock()).messages(4_000).start().await;
    let messages: Vec<_> = fake.message_ids().iter().map(|id| fake.message(id).unwrap()).collect();
    let share = |test: &dyn Fn(&Value) -> bool| messages.iter().filter(|message| test(message)).count() / 40;
    let has = |message: &Value, label: &str| {
        message["labelIds"].as_array().is_some_and(|labels| labels.iter().any(|known| known == label))
    };
    for (label, least, most) in [
        ("INBOX", 40, 70),
        ("UNREAD", 15, 30),
        ("SENT", 10, 30),
        ("SPAM", 1, 3),
        ("TRASH", 1, 4),
        ("STARRED", 1, 4),
        ("CATEGORY_PROMOTIONS", 8, 25),
        ("CATEGORY_PERSONAL", 20, 50),
    ] {
        let found = share(&|message| has(message, label));
        assert!((least..=most).contains(&found), "{label}: {found} %");
    }
    let kind = |kind: &'static str| share(&|message| message["payload"]["mimeType"] == kind);
    assert!(kind("multipart/alternative") > 25 && kind("text/plain") > 8);
    assert!((5..=25).contains(&kind("multipart/mixed")));
    assert!(messages.iter().any(|message| message["payload"]["mimeType"] == "multipart/related"));
    let beyond_ascii = |message: &Value| !header(&message["payload"], "Subject").unwrap().is_ascii();
    assert!((20..=70).contains(&share(&beyond_ascii)));
    let bytes: usize = messages.iter().map(|message| message.to_string().len()).sum();
    assert!((2_000..=8_000).contains(&(bytes / messages.len())), "{} bytes", bytes / messages.len());
    let shown = listed(&fake, &[("maxResults", "500")]).await.len();
    assert_eq!(
        shown,
        messages.iter().filter(|message| !has(message, "SPAM") && !has(message, "TRASH")).count()
    );

    let (_, counted) = mail(&fake, "labels/INBOX", &[]).await;
    let inbox: Vec<_> = messages.iter().filter(|message| has(message, "INBOX")).collect();
    assert_eq!(counted["messagesTotal"], inbox.len());
    assert_eq!(counted["messagesUnread"], inbox.iter().filter(|message| has(message, "UNREAD")).count());
    let threads: HashSet<_> = inbox.iter().map(|message| text(message, "threadId")).collect();
    assert_eq!(counted["threadsTotal"], threads.len());
}

#[tokio::test]
async fn the_same_seed_makes_the_same_mailbox_and_another_makes_another() {
    let mailbox = async |seed| {
        let fake = builder(&clock()).messages(60).seed(seed).start().await;
        fake.message_ids().iter().map(|id| fake.message(id).unwrap()).collect::<Vec<_>>()
    };
    let first = mailbox(7).await;
    assert_eq!(first, mailbox(7).await);
    let other = mailbox(8).await;
    assert!(first.iter().zip(&other).all(|(a, b)| a["id"] != b["id"]));
}

#[tokio::test]
async fn an_attachment_has_the_size_that_was_said_and_the_same_bytes_in_the_raw_message() {
    let fake = builder(&clock()).messages(200).start().await;
    let ids = fake.message_ids();
    let with_file = ids.iter().find_map(|id| {
        let message = fake.message(id).unwrap();
        let part =
            message["payload"]["parts"].as_array()?.iter().find(|part| part["filename"] != "")?.clone();
        Some((id.clone(), part))
    });
    let (id, part) = with_file.unwrap();
    let path = format!("messages/{id}/attachments/{}", text(&part["body"], "attachmentId"));
    let (_, attachment) = mail(&fake, &path, &[]).await;
    let bytes = URL_SAFE.decode(text(&attachment, "data")).unwrap();
    assert_eq!((&attachment["size"], &attachment["size"]), (&json!(bytes.len()), &part["body"]["size"]));
    let (_, raw) = mail(&fake, &format!("messages/{id}"), &[("format", "raw")]).await;
    let raw = String::from_utf8(URL_SAFE.decode(text(&raw, "raw")).unwrap()).unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
    assert!(raw.replace("\r\n", "").contains(&encoded));
}

#[tokio::test]
async fn changes_lie_over_what_is_generated() {
    let fake = builder(&clock()).messages(40).start().await;
    let (ids, start) = (fake.message_ids(), fake.history_id());
    let before = fake.message(&ids[3]).unwrap();
    fake.modify_messages(&[&ids[3]], &["STARRED", "IMPORTANT", "INBOX"], &["UNREAD", "SPAM", "TRASH"]);
    fake.delete_message(&ids[4]);
    let reply = fake.add_message(MailSpec::new("Re: again").thread(&ids[3]));
    let after = fake.message(&ids[3]).unwrap();
    assert_eq!(after["payload"], before["payload"]);
    assert!(after["historyId"].as_str() > before["historyId"].as_str());
    assert_eq!(fake.message(&reply).unwrap()["threadId"], before["threadId"]);
    let (_, thread) = mail(&fake, &format!("threads/{}", text(&before, "threadId")), &[]).await;
    assert_eq!(thread["messages"].as_array().unwrap().last().unwrap()["id"], json!(reply));
    assert_eq!((fake.live_messages(), fake.message(&ids[4])), (40, None));
    assert!(!fake.message_ids().contains(&ids[4]));
    let query = [("startHistoryId", start.as_str())];
    let (records, ..) = drain(&fake, "history", "history", &query).await;
    assert_eq!(records.len(), 3);
    assert_eq!(records[1]["messagesDeleted"][0]["message"]["id"], json!(ids[4]));

    // The history of the time before still tells that the message came.
    let oldest = text(&fake.message(ids.last().unwrap()).unwrap(), "historyId");
    let (records, ..) = drain(&fake, "history", "history", &[("startHistoryId", oldest.as_str())]).await;
    let added = |record: &Value| record["messagesAdded"][0]["message"]["id"] == json!(ids[4]);
    assert!(records.iter().any(added));
}

#[tokio::test]
async fn a_million_messages_cost_what_is_read_of_them() {
    let fake = builder(&clock()).messages(1_000_000).start().await;
    assert_eq!(fake.live_messages(), 1_000_000);
    let (_, page) = mail(&fake, "messages", &[("maxResults", "500")]).await;
    let first = text(&page["messages"][0], "id");
    assert_eq!(fake.message(&first).unwrap()["historyId"], json!(fake.history_id()));
    let token = text(&page, "nextPageToken");
    let (_, second) = mail(&fake, "messages", &[("maxResults", "500"), ("pageToken", &token)]).await;
    assert_eq!(second["messages"].as_array().unwrap().len(), 500);
    let (_, old) = mail(&fake, "messages", &[("q", "before:1700000000"), ("maxResults", "1")]).await;
    let old = fake.message(old["messages"][0]["id"].as_str().unwrap()).unwrap();
    let date: i64 = old["internalDate"].as_str().unwrap().parse().unwrap();
    assert!((1_699_990_000_000..1_700_000_000_000).contains(&date));
}

#[tokio::test]
async fn a_label_that_nothing_has_gives_empty_pages_instead_of_a_long_search() {
    let fake = builder(&clock()).messages(120_000).start().await;
    let (_, page) = mail(&fake, "messages", &[("labelIds", "CHAT")]).await;
    assert!(page.get("messages").is_none() && page["nextPageToken"].is_string());
    assert!(listed(&fake, &[("labelIds", "CHAT")]).await.is_empty());
}

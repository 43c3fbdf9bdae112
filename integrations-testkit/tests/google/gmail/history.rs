//! What happened since when.

use integrations_testkit::google::{FakeGoogle, MailSpec};
use serde_json::{Value, json};

use super::{builder, clock, drain, mail, reason, text};

async fn since(fake: &FakeGoogle, start: &str, query: &[(&str, &str)]) -> Vec<Value> {
    let mut query = query.to_vec();
    query.push(("startHistoryId", start));
    drain(fake, "history", "history", &query).await.0
}

#[tokio::test]
async fn every_kind_of_change_is_told_in_order() {
    let fake = builder(&clock()).start().await;
    let start = fake.history_id();
    let id = fake.add_message(MailSpec::new("a"));
    let reply = fake.add_message(MailSpec::new("Re: a").thread(&id).labels(&["SENT"]));
    fake.remove_labels(&id, &["UNREAD"]);
    fake.trash_message(&id);
    fake.delete_message(&reply);

    let short = |message: &str| json!({"id": message, "threadId": id});
    let with = |message: &str, labels: &[&str]| json!({"id": message, "threadId": id, "labelIds": labels});
    let records = since(&fake, &start, &[]).await;
    let ids: Vec<_> = records.iter().map(|record| text(record, "id").parse::<u64>().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a < b) && ids[0] > start.parse().unwrap());
    assert!(ids[0] > 1 << 53, "no floating-point number holds it");
    assert_eq!(ids[4].to_string(), fake.history_id());
    assert!(ids.windows(2).any(|pair| pair[1] - pair[0] > 1));

    let expected = [
        json!({"messages": [short(&id)], "messagesAdded": [{"message": with(&id, &["INBOX", "UNREAD"])}]}),
        json!({"messages": [short(&reply)], "messagesAdded": [{"message": with(&reply, &["SENT"])}]}),
        json!({
            "messages": [short(&id)],
            "labelsRemoved": [{"message": with(&id, &["INBOX"]), "labelIds": ["UNREAD"]}],
        }),
        json!({
            "messages": [short(&id)],
            "labelsAdded": [{"message": with(&id, &["INBOX", "TRASH"]), "labelIds": ["TRASH"]}],
        }),
        json!({"messages": [short(&reply)], "messagesDeleted": [{"message": with(&reply, &["SENT"])}]}),
    ];
    for (record, mut expected) in records.into_iter().zip(expected) {
        expected["id"] = record["id"].clone();
        assert_eq!(record, expected);
    }
}

#[tokio::test]
async fn a_listing_goes_on_behind_the_id_it_is_given_and_says_the_current_one() {
    let fake = builder(&clock()).start().await;
    let first = fake.add_message(MailSpec::new("a"));
    let known = fake.history_id();
    assert_eq!(fake.message(&first).unwrap()["historyId"], json!(known));
    let (status, nothing) = mail(&fake, "history", &[("startHistoryId", &known)]).await;
    assert_eq!((status, nothing), (200, json!({"historyId": known})));

    let second = fake.add_message(MailSpec::new("b"));
    let records = since(&fake, &known, &[]).await;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["messagesAdded"][0]["message"]["id"], json!(second));
    // An id in a gap, as a push notification may carry it, is as good.
    let gap = (known.parse::<u64>().unwrap() + 1).to_string();
    assert_eq!(since(&fake, &gap, &[]).await, records);
    let (_, current) = mail(&fake, "history", &[("startHistoryId", &fake.history_id())]).await;
    assert_eq!(current, json!({"historyId": fake.history_id()}));
}

#[tokio::test]
async fn pages_hold_what_is_asked_for_at_every_boundary() {
    for empty_pages in [false, true] {
        let fake = builder(&clock()).empty_pages(empty_pages).start().await;
        let start = fake.history_id();
        for n in 0..12 {
            fake.add_message(MailSpec::new(&n.to_string()));
        }
        let all = since(&fake, &start, &[]).await;
        assert_eq!(all.len(), 12);
        for size in [1, 2, 3, 5, 11, 12, 13] {
            let size_text = size.to_string();
            let query = [("startHistoryId", start.as_str()), ("maxResults", size_text.as_str())];
            let (records, sizes, last) = drain(&fake, "history", "history", &query).await;
            assert_eq!(records, all, "{size}");
            assert_eq!(last["historyId"], json!(fake.history_id()));
            assert_eq!(sizes.contains(&0), empty_pages);
            if !empty_pages {
                assert_eq!(sizes.len(), 12_usize.div_ceil(size));
            }
        }
    }
}

#[tokio::test]
async fn what_happens_while_pages_are_read_is_on_the_pages_to_come() {
    let fake = builder(&clock()).page_cap(2).start().await;
    let start = fake.history_id();
    for n in 0..3 {
        fake.add_message(MailSpec::new(&n.to_string()));
    }
    let (_, first) = mail(&fake, "history", &[("startHistoryId", &start)]).await;
    assert_eq!(first["historyId"], json!(fake.history_id()));
    let late = fake.add_message(MailSpec::new("late"));
    let token = text(&first, "nextPageToken");
    let query = [("startHistoryId", start.as_str()), ("pageToken", token.as_str())];
    let (_, second) = mail(&fake, "history", &query).await;
    assert_eq!(second["history"][1]["messagesAdded"][0]["message"]["id"], json!(late));
    assert_eq!((&second["historyId"], second.get("nextPageToken")), (&json!(fake.history_id()), None));
    // A token goes with its own start only.
    let query = [("startHistoryId", fake.history_id()), ("pageToken", token)];
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(mail(&fake, "history", &query).await.0, 400);
}

#[tokio::test]
async fn kinds_and_a_label_can_be_asked_for() {
    let fake = builder(&clock()).start().await;
    let start = fake.history_id();
    let inbox = fake.add_message(MailSpec::new("in"));
    let sent = fake.add_message(MailSpec::new("out").labels(&["SENT"]));
    fake.add_labels(&sent, &["STARRED"]);
    fake.remove_labels(&inbox, &["INBOX"]);
    fake.remove_labels(&inbox, &["UNREAD"]);
    fake.delete_message(&inbox);
    let groups = async |query: &[(&str, &str)]| {
        let records = since(&fake, &start, query).await;
        let group = |record: &Value| {
            let keys = record.as_object().unwrap().keys();
            keys.filter(|key| !["id", "messages"].contains(&key.as_str()))
                .cloned()
                .collect::<Vec<_>>()
                .join("+")
        };
        records.iter().map(group).collect::<Vec<_>>()
    };
    let all = [
        "messagesAdded",
        "messagesAdded",
        "labelsAdded",
        "labelsRemoved",
        "labelsRemoved",
        "messagesDeleted",
    ];
    assert_eq!(groups(&[]).await, all);
    assert_eq!(groups(&[("historyTypes", "messageAdded")]).await, all[..2]);
    let both = [("historyTypes", "labelAdded"), ("historyTypes", "messageDeleted")];
    assert_eq!(groups(&both).await, ["labelsAdded", "messagesDeleted"]);
    // The removal of the label itself belongs to it, what comes later does not.
    assert_eq!(groups(&[("labelId", "INBOX")]).await, ["messagesAdded", "labelsRemoved"]);
    assert_eq!(groups(&[("labelId", "SENT")]).await, ["messagesAdded", "labelsAdded"]);
    for wrong in [("historyTypes", "messagesAdded"), ("labelId", "Label_1")] {
        let (status, body) = mail(&fake, "history", &[("startHistoryId", &start), wrong]).await;
        assert_eq!((status, reason(&body)), (400, "invalidArgument"), "{wrong:?}");
    }
}

#[tokio::test]
async fn one_record_may_tell_of_several_messages_and_of_labels_that_come_and_go() {
    let fake = builder(&clock()).start().await;
    let ids = [0, 1, 2].map(|n| fake.add_message(MailSpec::new(&n.to_string())));
    fake.remove_labels(&ids[2], &["UNREAD"]);
    let start = fake.history_id();
    fake.modify_messages(&[&ids[0], &ids[1], &ids[2]], &["STARRED"], &["UNREAD"]);
    fake.modify_messages(&[&ids[0]], &["STARRED"], &["UNREAD"]);
    let records = since(&fake, &start, &[]).await;
    assert_eq!(records.len(), 1, "what is so already makes no record");
    let length = |group: &str| records[0][group].as_array().unwrap().len();
    assert_eq!((length("messages"), length("labelsAdded"), length("labelsRemoved")), (3, 3, 2));
    for id in &ids {
        assert_eq!(fake.message(id).unwrap()["historyId"], records[0]["id"]);
        assert_eq!(fake.message(id).unwrap()["labelIds"], json!(["INBOX", "STARRED"]));
    }
}

#[tokio::test]
async fn a_start_that_is_too_old_or_unknown_is_not_found() {
    let fake = builder(&clock()).messages(20).start().await;
    let start = fake.history_id();
    fake.add_message(MailSpec::new("a"));
    let (_, page) = mail(&fake, "history", &[("startHistoryId", &start), ("maxResults", "1")]).await;
    assert_eq!(page["history"].as_array().unwrap().len(), 1);
    let current = fake.history_id();
    let future = (current.parse::<u64>().unwrap() + 1).to_string();
    for unknown in ["1", "0", future.as_str(), "18446744073709551615"] {
        let (status, body) = mail(&fake, "history", &[("startHistoryId", unknown)]).await;
        assert_eq!((status, reason(&body)), (404, "notFound"), "{unknown}");
    }
    for (query, expected) in
        [(&[][..], 400), (&[("startHistoryId", "-1")], 400), (&[("startHistoryId", "x")], 400)]
    {
        assert_eq!(mail(&fake, "history", query).await.0, expected);
    }

    fake.expire_history();
    for old in [&start, &current] {
        let (status, body) = mail(&fake, "history", &[("startHistoryId", old)]).await;
        assert_eq!((status, reason(&body)), (404, "notFound"));
    }
    assert_ne!(fake.history_id(), current);
    let fresh = text(&mail(&fake, "profile", &[]).await.1, "historyId");
    assert!(since(&fake, &fresh, &[]).await.is_empty());
    let id = fake.add_message(MailSpec::new("b"));
    assert_eq!(since(&fake, &fresh, &[]).await[0]["messages"][0]["id"], json!(id));
}

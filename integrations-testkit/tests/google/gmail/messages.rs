//! Listing and reading messages.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use chrono::{DateTime, Utc};
use integrations_core::clock::Clock as _;
use integrations_testkit::ManualClock;
use integrations_testkit::google::{FakeGoogle, MailSpec};
use serde_json::{Value, json};

use super::{TOKEN, builder, clock, drain, get, header, http, listed, mail, reason, text};

fn at(time: &str) -> DateTime<Utc> {
    time.parse().unwrap()
}

fn body(part: &Value) -> String {
    let bytes = URL_SAFE.decode(part["body"]["data"].as_str().unwrap()).unwrap();
    assert_eq!(part["body"]["size"], bytes.len());
    String::from_utf8(bytes).unwrap()
}

async fn with_messages(count: usize) -> (FakeGoogle, Vec<String>) {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let mut ids: Vec<_> = (0..count)
        .map(|n| {
            clock.advance(Duration::from_secs(1));
            fake.add_message(MailSpec::new(&format!("Message {n}")))
        })
        .collect();
    ids.reverse();
    (fake, ids)
}

#[tokio::test]
async fn an_empty_mailbox_has_no_messages_key_and_a_profile() {
    let fake = builder(&clock()).start().await;
    let (status, page) = mail(&fake, "messages", &[]).await;
    assert_eq!((status, page), (200, json!({"resultSizeEstimate": 0})));
    let (_, profile) = mail(&fake, "profile", &[]).await;
    let expected = json!({
        "emailAddress": "ada@example.com",
        "messagesTotal": 0,
        "threadsTotal": 0,
        "historyId": fake.history_id(),
    });
    assert_eq!(profile, expected);
    // The account's own address means the same as `me`.
    assert_eq!(get(&fake, "/gmail/v1/users/ada%40example.com/profile", &[]).await.status(), 200);
    assert_eq!(get(&fake, "/gmail/v1/users/grace%40example.com/profile", &[]).await.status(), 403);
}

#[tokio::test]
async fn pages_hold_what_is_asked_for_at_every_boundary() {
    let (fake, ids) = with_messages(12).await;
    for size in [1, 2, 3, 4, 5, 6, 11, 12, 13, 500] {
        let size_text = size.to_string();
        let (items, sizes, _) =
            drain(&fake, "messages", "messages", &[("maxResults", size_text.as_str())]).await;
        assert_eq!(items.iter().map(|item| text(item, "id")).collect::<Vec<_>>(), ids, "{size}");
        let (full, rest) = (12 / size, 12 % size);
        let mut expected = vec![size; full];
        expected.extend((rest > 0).then_some(rest));
        assert_eq!(sizes, expected, "{size}");
        assert_eq!(items[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["id", "threadId"]);
    }
}

#[tokio::test]
async fn the_default_is_a_hundred_the_most_five_hundred_and_the_cap_holds_for_both() {
    let fake = builder(&clock()).messages(1_200).start().await;
    let sizes = async |fake: &FakeGoogle, query: &[(&str, &str)]| {
        drain(fake, "messages", "messages", query).await.1.into_iter().max()
    };
    assert_eq!(sizes(&fake, &[]).await, Some(100));
    assert_eq!(sizes(&fake, &[("maxResults", "9999")]).await, Some(500));
    let fake = builder(&clock()).messages(50).page_cap(7).start().await;
    assert_eq!(sizes(&fake, &[("maxResults", "20")]).await, Some(7));
}

#[tokio::test]
async fn empty_pages_have_successors_and_lose_nothing() {
    for count in [0, 1, 5] {
        let clock = clock();
        let fake = builder(&clock).empty_pages(true).start().await;
        let ids: Vec<_> = (0..count).map(|_| fake.add_message(MailSpec::new("x"))).collect();
        for size in ["2", "100"] {
            let (items, sizes, _) = drain(&fake, "messages", "messages", &[("maxResults", size)]).await;
            assert_eq!(items.len(), ids.len());
            assert!(sizes[1..].contains(&0) && sizes.len() > 2, "{sizes:?}");
        }
    }
}

#[tokio::test]
async fn the_newest_comes_first_wherever_it_was_added() {
    let fake = builder(&clock()).messages(30).start().await;
    let generated = fake.message_ids();
    let dates: Vec<i64> = generated
        .iter()
        .map(|id| fake.message(id).unwrap()["internalDate"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(dates.is_sorted_by(|a, b| a >= b));
    let between = DateTime::from_timestamp_millis(i64::midpoint(dates[9], dates[10])).unwrap();
    let old = fake.add_message(MailSpec::new("imported").date(between));
    let new = fake.add_message(MailSpec::new("new"));
    let mut expected = generated.clone();
    expected.insert(10, old);
    expected.insert(0, new);
    for size in ["1", "10", "11", "12", "500"] {
        let query = [("maxResults", size), ("includeSpamTrash", "true")];
        assert_eq!(listed(&fake, &query).await, expected, "{size}");
    }
    assert_eq!(fake.message_ids(), expected);
}

#[tokio::test]
async fn what_arrives_or_goes_while_pages_are_read_does_not_move_the_rest() {
    let (fake, ids) = with_messages(6).await;
    let (_, first) = mail(&fake, "messages", &[("maxResults", "2")]).await;
    fake.add_message(MailSpec::new("newer than every page to come"));
    fake.delete_message(&ids[1]);
    fake.delete_message(&ids[2]);
    let token = text(&first, "nextPageToken");
    let query = [("maxResults", "100"), ("pageToken", token.as_str())];
    let (_, rest) = mail(&fake, "messages", &query).await;
    let rest: Vec<_> = rest["messages"].as_array().unwrap().iter().map(|item| text(item, "id")).collect();
    assert_eq!(rest, ids[3..]);
}

#[tokio::test]
async fn spam_and_trash_are_hidden_unless_they_are_asked_for() {
    let (fake, ids) = with_messages(4).await;
    fake.add_labels(&ids[0], &["SPAM"]);
    fake.trash_message(&ids[1]);
    assert_eq!(listed(&fake, &[]).await, ids[2..]);
    assert_eq!(listed(&fake, &[("includeSpamTrash", "true")]).await, ids);
    let trash = [("includeSpamTrash", "true"), ("labelIds", "TRASH")];
    assert_eq!(listed(&fake, &trash).await, ids[1..2]);
    assert!(listed(&fake, &trash[1..]).await.is_empty());
    assert_eq!(fake.message(&ids[1]).unwrap()["labelIds"], json!(["INBOX", "UNREAD", "TRASH"]));
    fake.untrash_message(&ids[1]);
    assert_eq!(listed(&fake, &[]).await, ids[1..]);
    assert_eq!((fake.live_messages(), fake.message_ids()), (4, ids));
}

#[tokio::test]
async fn labels_must_all_be_there() {
    let (fake, ids) = with_messages(3).await;
    let label = fake.add_label("Rechnungen/März");
    fake.modify_messages(&[&ids[0], &ids[1]], &[&label], &[]);
    fake.modify_messages(&[&ids[1]], &["STARRED"], &["UNREAD"]);
    assert_eq!(listed(&fake, &[("labelIds", &label)]).await, ids[..2]);
    assert_eq!(listed(&fake, &[("labelIds", &label), ("labelIds", "UNREAD")]).await, ids[..1]);
    assert_eq!(listed(&fake, &[("labelIds", "STARRED")]).await, ids[1..2]);
    let (status, refused) = mail(&fake, "messages", &[("labelIds", "Label_9")]).await;
    assert_eq!((status, reason(&refused)), (400, "invalidArgument"));

    let (_, labels) = mail(&fake, "labels", &[]).await;
    let own = labels["labels"].as_array().unwrap().iter().find(|known| known["id"] == label).unwrap();
    assert_eq!((&own["name"], &own["type"]), (&json!("Rechnungen/März"), &json!("user")));
    let (_, counted) = mail(&fake, &format!("labels/{label}"), &[]).await;
    let counts = ["messagesTotal", "messagesUnread", "threadsTotal", "threadsUnread"];
    assert_eq!(counts.map(|field| counted[field].as_u64().unwrap()), [2, 1, 2, 1]);
    assert_eq!(mail(&fake, "labels/Label_9", &[]).await.0, 404);
}

#[tokio::test]
async fn a_search_by_seconds_of_the_epoch_is_understood_and_any_other_refused() {
    let fake = builder(&clock()).messages(2_000).start().await;
    let day = |time: &str| at(time).timestamp();
    let (after, before) = (day("2025-01-01T00:00:00Z"), day("2025-02-01T00:00:00Z"));
    let edge = fake.add_message(MailSpec::new("first").date(at("2025-01-01T00:00:00Z")));
    fake.add_message(MailSpec::new("too late").date(at("2025-02-01T00:00:00Z")));
    let wanted: Vec<_> = fake
        .message_ids()
        .into_iter()
        .filter(|id| {
            let message = fake.message(id).unwrap();
            let seconds = message["internalDate"].as_str().unwrap().parse::<i64>().unwrap() / 1_000;
            (after..before).contains(&seconds)
        })
        .collect();
    assert!(wanted.len() > 40 && wanted.last() == Some(&edge));
    let search = format!("after:{after} before:{before}");
    for size in ["7", "500"] {
        let query = [("q", search.as_str()), ("includeSpamTrash", "true"), ("maxResults", size)];
        assert_eq!(listed(&fake, &query).await, wanted);
    }
    for search in ["from:ada", "after:2025/01/01", "after:", "is:unread after:1"] {
        let (status, refused) = mail(&fake, "messages", &[("q", search)]).await;
        assert_eq!((status, reason(&refused)), (400, "unsupportedByFake"), "{search}");
    }
}

#[tokio::test]
async fn page_tokens_of_another_query_another_listing_or_nobody_are_refused() {
    let (fake, ids) = with_messages(5).await;
    let (_, page) = mail(&fake, "messages", &[("maxResults", "2"), ("labelIds", "INBOX")]).await;
    let token = text(&page, "nextPageToken");
    let token = ("pageToken", token.as_str());
    let start = fake.history_id();
    let start = ("startHistoryId", start.as_str());
    assert_eq!(mail(&fake, "messages", &[("labelIds", "INBOX"), token]).await.0, 200);
    let refused: [(&str, &[(&str, &str)]); 5] = [
        ("messages", &[token]),
        ("messages", &[("labelIds", "UNREAD"), token]),
        ("messages", &[("labelIds", "INBOX"), ("includeSpamTrash", "true"), token]),
        ("messages", &[("pageToken", "09876543210987654321")]),
        ("history", &[start, token]),
    ];
    for (path, query) in refused {
        let (status, body) = mail(&fake, path, query).await;
        assert_eq!((status, reason(&body)), (400, "invalidArgument"), "{query:?}");
    }
    fake.expire_mail_page_tokens();
    assert_eq!(mail(&fake, "messages", &[("labelIds", "INBOX"), token]).await.0, 400);
    assert_eq!(listed(&fake, &[("maxResults", "2")]).await, ids);
}

#[tokio::test]
async fn what_the_fake_has_not_is_refused_and_so_is_what_google_has_not() {
    let (fake, ids) = with_messages(1).await;
    let message = format!("messages/{}", ids[0]);
    let refused = [
        ("messages", ("fields", "messages/id"), "unsupportedByFake"),
        ("messages", ("alt", "media"), "unsupportedByFake"),
        ("profile", ("quotaUser", "x"), "unsupportedByFake"),
        ("messages", ("labelId", "INBOX"), "invalidArgument"),
        ("messages", ("maxResults", "0"), "invalid"),
        ("messages", ("includeSpamTrash", "yes"), "invalid"),
        (message.as_str(), ("format", "FULL"), "invalidArgument"),
        (message.as_str(), ("maxResults", "1"), "invalidArgument"),
    ];
    for (path, parameter, expected) in refused {
        let (status, body) = mail(&fake, path, &[parameter]).await;
        assert_eq!((status, reason(&body)), (400, expected), "{parameter:?}");
    }
    assert_eq!(mail(&fake, "messages", &[("alt", "json"), ("prettyPrint", "false")]).await.0, 200);
    assert_eq!(mail(&fake, "messages", &[("maxResults", "1"), ("maxResults", "2")]).await.0, 400);
    assert_eq!(get(&fake, "/gmail/v1/users/me/drafts", &[]).await.status(), 404);
}

#[tokio::test]
async fn an_id_that_names_nothing_is_not_found_and_one_that_cannot_be_an_id_is_invalid() {
    let (fake, ids) = with_messages(2).await;
    fake.delete_message(&ids[0]);
    for (id, status, expected) in [
        (ids[0].as_str(), 404, "notFound"),
        ("18c9a1b2c3d4e5f6", 404, "notFound"),
        ("1", 404, "notFound"),
        ("ffffffffffffffff", 400, "invalidArgument"),
        ("18c9a1b2c3d4e5f6aa", 400, "invalidArgument"),
        ("nosuchmessage", 400, "invalidArgument"),
    ] {
        for kind in ["messages", "threads"] {
            let (given, body) = mail(&fake, &format!("{kind}/{id}"), &[]).await;
            assert_eq!((given, reason(&body)), (status, expected), "{kind}/{id}");
        }
    }
    let (_, gone) = mail(&fake, &format!("messages/{}", ids[0]), &[]).await;
    let expected = json!({"error": {
        "code": 404,
        "message": "Requested entity was not found.",
        "errors": [{"message": "Requested entity was not found.", "domain": "global", "reason": "notFound"}],
        "status": "NOT_FOUND",
    }});
    assert_eq!(gone, expected);
}

fn everything() -> MailSpec {
    MailSpec::new("Zahlen für März – \"<final>\"")
        .from("Zoë Washburne <zoe@partner.example>")
        .to("Ada <ada@example.com>")
        .to("grace@example.com")
        .cc("田中 太郎 <tanaka@example.jp>")
        .text("Grüße & mehr,\nZoë <zoe>\n")
        .html("<p>Grüße <img src=\"cid:logo\"></p>\n")
        .inline("logo", "logo.png", "image/png", b"\x89PNG")
        .attachment("zahlen.csv", "text/csv", b"a;b\n1;2\n")
        .attachment("Übersicht.pdf", "application/pdf", &[7; 1_000])
        .header("List-Id", "<numbers.partner.example>")
        .header("Message-ID", "<own@partner.example>")
        .labels(&["INBOX", "IMPORTANT"])
        .date("2026-02-03T04:05:06.789Z".parse().unwrap())
}

#[tokio::test]
async fn a_message_in_full_is_a_tree_of_parts() {
    let fake = builder(&clock()).start().await;
    let id = fake.add_message(everything());
    let (status, message) = mail(&fake, &format!("messages/{id}"), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(fake.message(&id).as_ref(), Some(&message));
    for (field, value) in [
        ("id", json!(id)),
        ("threadId", json!(id)),
        ("labelIds", json!(["INBOX", "IMPORTANT"])),
        ("snippet", json!("Grüße &amp; mehr, Zoë &lt;zoe&gt;")),
        ("internalDate", json!("1770091506789")),
        ("historyId", json!(fake.history_id())),
    ] {
        assert_eq!(message[field], value, "{field}");
    }
    let payload = &message["payload"];
    for (name, value) in [
        ("Subject", "Zahlen für März – \"<final>\""),
        ("From", "Zoë Washburne <zoe@partner.example>"),
        ("To", "Ada <ada@example.com>, grace@example.com"),
        ("Cc", "田中 太郎 <tanaka@example.jp>"),
        ("Date", "Tue, 3 Feb 2026 04:05:06 +0000"),
        ("Message-ID", "<own@partner.example>"),
        ("Delivered-To", "ada@example.com"),
        ("List-Id", "<numbers.partner.example>"),
    ] {
        assert_eq!(header(payload, name), Some(value));
    }
    let names: Vec<_> =
        payload["headers"].as_array().unwrap().iter().map(|header| text(header, "name")).collect();
    assert_eq!(names.iter().filter(|name| *name == "Message-ID").count(), 1);

    let mut tree = Vec::new();
    walk(payload, &mut tree);
    assert_eq!(
        tree,
        [
            ("", "multipart/mixed", ""),
            ("0", "multipart/related", ""),
            ("0.0", "multipart/alternative", ""),
            ("0.0.0", "text/plain", ""),
            ("0.0.1", "text/html", ""),
            ("0.1", "image/png", "logo.png"),
            ("1", "text/csv", "zahlen.csv"),
            ("2", "application/pdf", "Übersicht.pdf"),
        ]
        .map(|(part, kind, name)| (part.to_owned(), kind.to_owned(), name.to_owned()))
    );
    let words = &payload["parts"][0]["parts"][0];
    assert_eq!(body(&words["parts"][0]), "Grüße & mehr,\r\nZoë <zoe>\r\n");
    assert_eq!(body(&words["parts"][1]), "<p>Grüße <img src=\"cid:logo\"></p>\r\n");
    assert_eq!(header(&payload["parts"][0]["parts"][1], "Content-ID"), Some("<logo>"));
    assert_eq!(payload["body"], json!({"size": 0}));
    assert_eq!(payload["parts"][2]["body"]["size"], 1_000);
    assert!(payload["parts"][2]["body"].get("data").is_none());
}

fn walk(part: &Value, tree: &mut Vec<(String, String, String)>) {
    tree.push((text(part, "partId"), text(part, "mimeType"), text(part, "filename")));
    for child in part["parts"].as_array().into_iter().flatten() {
        walk(child, tree);
    }
}

#[tokio::test]
async fn the_formats_leave_out_what_they_should() {
    let fake = builder(&clock()).start().await;
    let id = fake.add_message(everything());
    let path = format!("messages/{id}");
    let fields = async |format: &str| {
        let (_, message) = mail(&fake, &path, &[("format", format)]).await;
        let mut fields: Vec<_> = message.as_object().unwrap().keys().cloned().collect();
        fields.sort();
        (fields.join(" "), message)
    };
    let common = "historyId id internalDate labelIds";
    assert_eq!(fields("minimal").await.0, format!("{common} sizeEstimate snippet threadId"));
    assert_eq!(fields("full").await.0, format!("{common} payload sizeEstimate snippet threadId"));
    assert_eq!(fields("raw").await.0, format!("{common} raw sizeEstimate snippet threadId"));
    let (names, message) = fields("metadata").await;
    assert_eq!(names, format!("{common} payload sizeEstimate snippet threadId"));
    assert_eq!(
        header(&message["payload"], "Content-Type").unwrap().split(';').next(),
        Some("multipart/mixed")
    );
    assert!(message["payload"].get("parts").is_none() && message["payload"].get("body").is_none());

    let query = [("format", "metadata"), ("metadataHeaders", "subject"), ("metadataHeaders", "List-ID")];
    let (_, message) = mail(&fake, &path, &query).await;
    let names: Vec<_> =
        message["payload"]["headers"].as_array().unwrap().iter().map(|header| text(header, "name")).collect();
    assert_eq!(names, ["Subject", "List-Id"]);
}

#[tokio::test]
async fn the_raw_message_is_mail_as_it_travels() {
    let fake = builder(&clock()).start().await;
    let id = fake.add_message(everything());
    let (_, message) = mail(&fake, &format!("messages/{id}"), &[("format", "raw")]).await;
    let raw = String::from_utf8(URL_SAFE.decode(text(&message, "raw")).unwrap()).unwrap();
    assert!(raw.is_ascii() && raw.lines().count() > 30);
    assert!(raw.split("\r\n").all(|line| !line.contains('\n') && line.len() < 100), "{raw}");
    let (head, rest) = raw.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("\r\nFrom: =?UTF-8?B?Wm/Dqw==?= Washburne <zoe@partner.example>\r\n"), "{head}");
    assert!(head.contains("\r\nMessage-ID: <own@partner.example>\r\n"));
    let boundary = head.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let parts: Vec<_> = rest.split(&format!("--{boundary}")).collect();
    assert_eq!((parts.len(), parts[4]), (5, "--\r\n"));
    let attached = parts[2].split_once("\r\n\r\n").unwrap().1;
    assert_eq!(
        base64::engine::general_purpose::STANDARD.decode(attached.replace("\r\n", "")).unwrap(),
        b"a;b\n1;2\n"
    );
}

#[tokio::test]
async fn attachments_are_read_apart_by_an_id_that_changes_but_goes_on_working() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let (id, other) = (fake.add_message(everything()), fake.add_message(MailSpec::new("none")));
    let attachment =
        |message: &Value, part: usize| text(&message["payload"]["parts"][part]["body"], "attachmentId");
    let read = async |message: &str, attachment: &str| {
        mail(&fake, &format!("messages/{message}/attachments/{attachment}"), &[]).await
    };
    let first = attachment(&fake.message(&id).unwrap(), 1);
    clock.advance(Duration::from_secs(1));
    let second = attachment(&fake.message(&id).unwrap(), 1);
    assert_ne!(first, second);
    for known in [&first, &second] {
        let (status, body) = read(&id, known).await;
        assert_eq!((status, body), (200, json!({"size": 8, "data": URL_SAFE.encode("a;b\n1;2\n")})));
    }
    let (status, body) = read(&other, &first).await;
    assert_eq!((status, reason(&body)), (400, "invalidArgument"));
    assert_eq!(read(&id, "ANGjdJmadeup").await.0, 400);
    fake.delete_message(&id);
    assert_eq!(read(&id, &second).await.0, 404);
}

#[tokio::test]
async fn a_thread_has_its_messages_in_order_and_lives_as_long_as_one_of_them() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let first = fake.add_message(MailSpec::new("Plan"));
    let late = fake.add_message(MailSpec::new("Re: Plan").thread(&first).date(clock_in(&clock, 60)));
    let middle = fake.add_message(MailSpec::new("Re: Plan").thread(&late).date(clock_in(&clock, 30)));
    fake.add_message(MailSpec::new("something else"));
    let path = format!("threads/{first}");
    let (_, thread) = mail(&fake, &path, &[("format", "minimal")]).await;
    let ids = |thread: &Value| {
        thread["messages"].as_array().unwrap().iter().map(|message| text(message, "id")).collect::<Vec<_>>()
    };
    assert_eq!(ids(&thread), [&first, &middle, &late].map(String::from));
    assert_eq!(thread["id"], json!(first));
    assert_eq!(thread["historyId"], fake.message(&middle).unwrap()["historyId"]);
    assert!(thread["messages"][0].get("payload").is_none());

    fake.delete_message(&first);
    let (_, thread) = mail(&fake, &path, &[]).await;
    assert_eq!(ids(&thread), [&middle, &late].map(String::from));
    assert_eq!(thread["messages"][0]["threadId"], json!(first));
    assert_eq!(mail(&fake, &format!("threads/{middle}"), &[]).await.0, 404, "a message, but no thread");
    assert_eq!(mail(&fake, &path, &[("format", "raw")]).await.0, 400);
    let (_, profile) = mail(&fake, "profile", &[]).await;
    assert_eq!((&profile["messagesTotal"], &profile["threadsTotal"]), (&json!(3), &json!(2)));
    fake.delete_message(&middle);
    fake.delete_message(&late);
    assert_eq!(mail(&fake, &path, &[]).await.0, 404);
    assert_eq!(mail(&fake, "profile", &[]).await.1["threadsTotal"], 1);
}

fn clock_in(clock: &ManualClock, seconds: i64) -> DateTime<Utc> {
    clock.now() + chrono::TimeDelta::seconds(seconds)
}

#[tokio::test]
async fn raw_text_is_served_as_it_is_in_every_format() {
    let (fake, ids) = with_messages(1).await;
    let odd = r#"{"id":17,"payload":[],"labelIds":"INBOX"#;
    let id = fake.raw_message(odd);
    assert_eq!(listed(&fake, &[]).await, [id.clone(), ids[0].clone()]);
    for format in ["full", "metadata", "minimal", "raw"] {
        let answer = get(&fake, &format!("{}/messages/{id}", super::ME), &[("format", format)]).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, odd.to_owned()));
    }
    assert_eq!((fake.message(&id), fake.live_messages()), (None, 2));
}

#[tokio::test]
async fn the_scope_decides_what_may_be_read() {
    let fake = builder(&clock()).messages(3).start().await;
    let id = fake.message_ids()[0].clone();
    let message = format!("messages/{id}");
    let token = async |scopes: &[&str]| super::super::oauth::token_for(&fake, scopes).await;
    let call = async |token: &str, path: &str, query: &[(&str, &str)]| {
        let url = format!("{}{}/{path}", fake.url(), super::ME);
        let answer = http().get(url).bearer_auth(token).query(query).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for scope in [
        "https://www.googleapis.com/auth/gmail.readonly",
        "https://www.googleapis.com/auth/gmail.modify",
        "https://mail.google.com/",
    ] {
        let token = token(&[scope]).await;
        for path in ["profile", "labels", "messages", message.as_str()] {
            assert_eq!(call(&token, path, &[]).await.0, 200, "{scope} {path}");
        }
    }
    let calendar = token(&["https://www.googleapis.com/auth/calendar"]).await;
    let (status, refused) = call(&calendar, "messages", &[]).await;
    assert_eq!((status, reason(&refused)), (403, "insufficientPermissions"));
    let detail = &refused["error"]["details"][0];
    assert_eq!(detail["reason"], "ACCESS_TOKEN_SCOPE_INSUFFICIENT");
    assert_eq!(detail["metadata"]["service"], "gmail.googleapis.com");
    assert_eq!(detail["metadata"]["method"], "caribou.api.proto.MailboxService.ListMessages");

    let metadata = "https://www.googleapis.com/auth/gmail.metadata";
    for scopes in [&[metadata][..], &[metadata, "https://www.googleapis.com/auth/gmail.readonly"]] {
        let token = token(scopes).await;
        assert_eq!(call(&token, &message, &[("format", "metadata")]).await.0, 200);
        assert_eq!(call(&token, &message, &[("format", "minimal")]).await.0, 200);
        assert_eq!(call(&token, "messages", &[]).await.0, 200);
        for (path, query) in [
            (message.as_str(), ("format", "full")),
            (&message, ("format", "raw")),
            ("messages", ("q", "after:1")),
        ] {
            let (status, refused) = call(&token, path, &[query]).await;
            assert_eq!((status, reason(&refused)), (403, "forbidden"), "{query:?}");
        }
        let (_, refused) = call(&token, &message, &[]).await;
        assert_eq!(refused["error"]["message"], "Metadata scope doesn't allow format FULL");
    }
    let url = format!("{}{}/messages", fake.url(), super::ME);
    assert_eq!(http().get(&url).send().await.unwrap().status(), 401);
    fake.expire_access_tokens();
    assert_eq!(http().get(&url).bearer_auth(TOKEN).send().await.unwrap().status(), 401);
}

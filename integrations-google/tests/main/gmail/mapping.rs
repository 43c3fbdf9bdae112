//! Every field that Gmail has for a message and a label, and where it goes.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use integrations_core::model::{Change, Entity, Raw};
use integrations_core::normalize::{PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_google::gmail::{LABELS, MESSAGES};
use integrations_google::{Gmail, GoogleConfig};
use serde_json::{Value, json};

use crate::chaos::Random;

fn upsert(stream: &str, wire: &Value) -> Value {
    let adapter = Gmail::new(GoogleConfig::builder().client("id", "secret").build().unwrap());
    let stream = StreamKey {
        owner: "ada".into(),
        service: adapter.info().id.clone(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    let raw = Raw::new(Bytes::from(wire.to_string()));
    let stages = Stages::new(adapter.normalizer());
    let mut done = stages.run(std::slice::from_ref(&raw), &stream, &PageContext::default());
    assert_eq!(done.quarantined, []);
    let Change::Upsert(record) = done.changes.remove(0) else { panic!("{wire} is deleted") };
    assert_eq!(record.raw, raw);
    // What a store keeps comes back as it was.
    let stored = serde_json::to_string(&record.entity).unwrap();
    assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
    json!({"entity": record.entity, "source": record.source})
}

fn message(wire: &Value) -> Value {
    upsert(MESSAGES, wire)
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($value:expr) => {
        insta::with_settings!({omit_expression => true}, { insta::assert_json_snapshot!($value) })
    };
}

fn headers(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// As the live API writes it: base64url with padding.
fn text(part: &str, media_type: &str, text: &[u8]) -> Value {
    let data = STANDARD.encode(text).replace('+', "-").replace('/', "_");
    json!({
        "partId": part,
        "mimeType": media_type,
        "filename": "",
        "headers": headers(&[("Content-Type", &format!("{media_type}; charset=\"UTF-8\""))]),
        "body": {"size": text.len(), "data": data},
    })
}

fn file(part: &str, media_type: &str, name: &str, more: &[(&str, &str)]) -> Value {
    json!({
        "partId": part,
        "mimeType": media_type,
        "filename": name,
        "headers": headers(more),
        "body": {"attachmentId": format!("ANGjdJ8{part}"), "size": 1234},
    })
}

fn many(part: &str, media_type: &str, more: &[(&str, &str)], parts: &[Value]) -> Value {
    json!({
        "partId": part, "mimeType": media_type, "filename": "", "headers": headers(more),
        "body": {"size": 0}, "parts": parts,
    })
}

fn mail(labels: &[&str], payload: &Value) -> Value {
    json!({
        "id": "19b8f0a1c2d3e4f5",
        "threadId": "19b8f0a1c2d30000",
        "labelIds": labels,
        "snippet": "Hello &amp; welcome",
        "payload": payload,
        "sizeEstimate": 4711,
        "historyId": "9100000000000123",
        "internalDate": "1772442000000",
    })
}

#[test]
fn a_plain_mail_with_every_header() {
    let mut root = text("", "text/plain", b"Hello & welcome,\r\n\r\nthe figures are in.\r\n");
    root["headers"] = headers(&[
        ("Delivered-To", "ada@example.com"),
        ("Received", "by 2002:a05:7300:1 with SMTP id x; Mon, 2 Mar 2026 01:00:00 -0800 (PST)"),
        ("ARC-Seal", "i=1; a=rsa-sha256"),
        ("DKIM-Signature", "v=1; a=rsa-sha256"),
        ("Return-Path", "<bounces@list.example>"),
        ("From", "\"Hopper, Grace\" <grace@example.com>"),
        ("Sender", "Secretary <office@example.com>"),
        ("Reply-To", "answers@example.com"),
        ("To", "Ada <ada@example.com>, bob@example.com"),
        ("Cc", "Team: eve@example.com, Mallory <mallory@example.com>;"),
        ("Bcc", "hidden@example.com"),
        ("Subject", "Re: Figures"),
        ("Date", "Mon, 2 Mar 2026 10:00:00 +0100"),
        ("Message-ID", "<figures-2@example.com>"),
        ("In-Reply-To", "<figures-1@example.com>"),
        ("References", "<figures-0@example.com> <figures-1@example.com>"),
        ("List-Unsubscribe", "<https://list.example/u?id=1>, <mailto:u@list.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain; charset=\"UTF-8\""),
        ("Importance", "high"),
    ]);
    snapshot!(message(&mail(&["UNREAD", "IMPORTANT", "STARRED", "CATEGORY_UPDATES", "INBOX"], &root)));
}

#[test]
fn a_mail_in_two_forms_with_a_file() {
    let both = many(
        "0",
        "multipart/alternative",
        &[],
        &[
            text("0.0", "text/plain", b"See the file.\r\n"),
            text("0.1", "text/html", b"<div dir=\"ltr\">See the <b>file</b>.</div>\r\n"),
        ],
    );
    let pdf = file(
        "1",
        "application/pdf",
        "figures.pdf",
        &[
            ("Content-Type", "application/pdf; name=\"figures.pdf\""),
            ("Content-Disposition", "attachment; filename=\"figures.pdf\""),
            ("X-Attachment-Id", "f_1"),
            ("Content-ID", "<f_1>"),
        ],
    );
    let about = [("From", "Grace <grace@example.com>"), ("To", "ada@example.com"), ("Subject", "The file")];
    snapshot!(message(&mail(&["SENT"], &many("", "multipart/mixed", &about, &[both, pdf]))));
}

#[test]
fn html_alone_is_read_as_text_too() {
    let html = "<html><head><title>Spring</title><style>p{color:red}</style></head><body>\
                <h1>Spring</h1><p>Dear Ada,<br>all is <i>on sale</i> &ndash; now.</p>\
                <table><tr><td>Tulips</td><td>3&nbsp;€</td></tr></table>\
                <a href=\"https://shop.example/\">Shop</a></body></html>";
    let mut root = text("", "text/html", html.as_bytes());
    root["headers"] = headers(&[("From", "shop@shop.example"), ("To", "undisclosed-recipients:;")]);
    snapshot!(message(&mail(&["CATEGORY_PROMOTIONS"], &root)));
}

#[test]
fn words_of_every_script_are_decoded() {
    let root = many(
        "",
        "multipart/mixed",
        &[
            ("From", "=?UTF-8?B?5bGx55Sw5aSq6YOO?= <taro@example.jp>"),
            ("To", "Müller, Eva <eva@example.de>, =?iso-8859-1?q?Jos=E9?= <jose@example.es>"),
            ("Cc", "=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <hanako@example.jp>"),
            ("Subject", "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?b?IOadseS6rCDwn5e8?="),
            ("Thread-Topic", "=?utf-8?q?Gr=C3=BC=C3=9Fe?="),
        ],
        &[
            text("0", "text/plain", "こんにちは 👋\r\n".as_bytes()),
            file("1", "text/csv", "=?utf-8?q?=C3=9Cbersicht.csv?=", &[]),
        ],
    );
    snapshot!(message(&mail(&["INBOX"], &root)));
}

#[test]
fn a_picture_within_the_text() {
    let html = b"<p>Look: <img src=\"cid:ii_cat\"></p>";
    let picture = |part, name, id: &str, disposition: &str| {
        let more = [("Content-ID", format!("<{id}>")), ("Content-Disposition", disposition.to_owned())];
        file(part, "image/png", name, &more.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    let root = many(
        "",
        "multipart/related",
        &[("From", "grace@example.com"), ("Subject", "A cat")],
        &[
            many(
                "0",
                "multipart/alternative",
                &[],
                &[text("0.0", "text/plain", b"Look: [image: cat.png]\r\n"), text("0.1", "text/html", html)],
            ),
            picture("1", "cat.png", "ii_cat", "attachment; filename=cat.png"),
            picture("2", "dog.png", "ii_dog", "attachment; filename=dog.png"),
            picture("3", "", "ii_bird", "inline"),
        ],
    );
    snapshot!(message(&mail(&["INBOX"], &root)));
}

#[test]
fn a_mail_within_a_mail_and_an_invitation_are_files() {
    let inner = many(
        "1.0",
        "multipart/mixed",
        &[("Subject", "Inner"), ("From", "inner@example.com")],
        &[text("1.0.0", "text/plain", b"Inner text"), file("1.0.1", "image/png", "inner.png", &[])],
    );
    let mut attached = file("1", "message/rfc822", "Inner.eml", &[("Content-Disposition", "attachment")]);
    attached["parts"] = json!([inner]);
    let root = many(
        "",
        "multipart/mixed",
        &[("From", "grace@example.com"), ("Subject", "Outer")],
        &[
            many(
                "0",
                "multipart/alternative",
                &[],
                &[text("0.0", "text/plain", b"Outer text"), text("0.1", "text/calendar", b"BEGIN:VCALENDAR")],
            ),
            attached,
            text("2", "text/plain", b"-- \r\nA list's footer"),
        ],
    );
    snapshot!(message(&mail(&["INBOX"], &root)));
}

#[test]
fn a_draft_has_no_one_it_is_for_yet() {
    let mut root = text("", "text/plain", b"");
    root["headers"] = headers(&[("From", "Ada <ada@example.com>"), ("Subject", ""), ("To", "")]);
    root["body"] = json!({"size": 0});
    snapshot!(message(&mail(&["DRAFT"], &root)));
}

#[test]
fn thrown_away_and_taken_for_spam() {
    let mut root = text("", "text/plain", b"You have won.");
    // What a careless program sends.
    root["headers"] = headers(&[
        ("From", "<>"),
        ("To", "you at example.com"),
        ("Message-ID", "won@nowhere"),
        ("Subject", "=?x-unknown?q?Won?="),
        ("Subject", "You have won"),
    ]);
    snapshot!(message(&mail(&["TRASH", "SPAM", "UNREAD", "CATEGORY_NEW"], &root)));
}

#[test]
fn base64_in_any_alphabet() {
    let words = "a?b>c~ ÿþ";
    let data =
        [URL_SAFE_NO_PAD.encode(words), STANDARD.encode(words), STANDARD.encode(words).replace('=', "\r\n")];
    let parts: Vec<_> = data
        .iter()
        .map(|data| json!({"mimeType": "text/plain", "body": {"size": 1, "data": data}}))
        .collect();
    snapshot!(message(&mail(&[], &many("", "multipart/mixed", &[], &parts))));
}

#[test]
fn a_charset_that_gmail_left_as_it_was() {
    let mut root = text("", "text/plain", b"\x1b$B;3EDB@O:\x1b(B\r\nP.S. ok\r\n");
    root["headers"] = headers(&[("Content-Type", "text/plain; charset=ISO-2022-JP; format=flowed")]);
    snapshot!(message(&mail(&["INBOX"], &root)));
}

#[test]
fn a_message_with_nothing_but_its_id() {
    snapshot!(message(&json!({"id": "19b8f0a1c2d3e4f5"})));
}

#[test]
fn labels_of_gmail_and_of_the_user() {
    let own = json!({
        "id": "Label_7", "name": "Projects/Engine", "type": "user",
        "messageListVisibility": "show", "labelListVisibility": "labelShow",
        "messagesTotal": 12, "messagesUnread": 3, "threadsTotal": 8, "threadsUnread": 2,
        "color": {"textColor": "#ffffff", "backgroundColor": "#285bac"},
    });
    let inbox = json!({"id": "INBOX", "name": "INBOX", "type": "system"});
    snapshot!([upsert(LABELS, &own), upsert(LABELS, &inbox)]);
}

/// Pieces that parsers of mail stumble over.
const PIECES: &[&str] = &[
    "a",
    "Ada",
    "@",
    "x.example",
    "<",
    ">",
    "\"",
    "\\",
    "(",
    ")",
    ",",
    ";",
    ":",
    " ",
    "\t",
    "\r\n",
    "\n ",
    "=?",
    "?=",
    "=?utf-8?q?=C3=BC?=",
    "=?utf-8?b?w7w=?=",
    "=?x?b?!?=",
    "?q?",
    "ü",
    "山",
    "👋",
    "\u{fffd}",
    "\0",
    "\u{1b}$B",
    "&amp;",
    "&#",
    "&#x110000;",
    "<p",
    "</p>",
    "<!--",
    "-->",
    "<![CDATA[",
    "<pre>",
    "<style>",
    "<script>",
    "</",
    "=",
    "charset",
    "utf-16",
    "iso-2022-jp",
    "boundary",
    "*0*=",
    "%",
    "'",
    "[",
    "]",
    "..",
    "-",
];

fn soup(random: &mut Random) -> String {
    let pieces = random.below(12);
    (0..pieces).map(|_| PIECES[usize::try_from(random.below(PIECES.len() as u64)).unwrap()]).collect()
}

#[test]
fn whatever_a_sender_writes_is_read_or_refused_by_its_path() {
    let names =
        ["From", "To", "Cc", "Reply-To", "Subject", "Message-ID", "In-Reply-To", "References", "X-Odd"];
    let types =
        ["text/plain", "text/html", "TEXT/Html", "multipart/related", "multipart/", "message/rfc822", ""];
    let mut random = Random(7);
    let rounds = std::env::var("SOUP").map_or(1_000, |rounds| rounds.parse().unwrap());
    let stages =
        Stages::new(Gmail::new(GoogleConfig::builder().client("id", "s").build().unwrap()).normalizer());
    let stream = StreamKey {
        owner: "ada".into(),
        service: "gmail".into(),
        connection: "cn_1".into(),
        stream: MESSAGES.into(),
    };
    let (mut read, mut refused) = (0, 0);
    for _ in 0..rounds {
        let about: Vec<_> =
            names.iter().map(|name| json!({"name": name, "value": soup(&mut random)})).collect();
        let part = |random: &mut Random| {
            let media_type = types[usize::try_from(random.below(types.len() as u64)).unwrap()];
            let (words, kind) = (soup(random), soup(random));
            let data = if random.below(9) == 0 { words } else { STANDARD.encode(words) };
            json!({
                "mimeType": media_type,
                "filename": if random.below(4) == 0 { soup(random) } else { String::new() },
                "headers": headers(&[("Content-Type", &format!("{media_type}; charset={kind}")), ("Content-ID", &kind)]),
                "body": {"size": 1, "data": data},
            })
        };
        let mut inner = part(&mut random);
        inner["parts"] = json!([part(&mut random), part(&mut random)]);
        let mut root = part(&mut random);
        root["headers"] = json!(about);
        root["parts"] = json!([part(&mut random), inner]);
        let wire = json!({"id": "1", "snippet": soup(&mut random), "payload": root}).to_string();
        let done = stages.run(&[Raw::new(wire)], &stream, &PageContext::default());
        read += done.changes.len();
        for item in done.quarantined {
            assert!(item.path.starts_with("$.payload") && item.id.as_deref() == Some("1"), "{}", item.path);
            refused += 1;
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > refused && refused > 0);
}

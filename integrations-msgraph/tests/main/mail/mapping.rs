//! Every field that Graph has for a message and a folder, and where it goes.

use std::sync::Arc;

use integrations_core::model::{Change, Entity, Raw};
use integrations_core::normalize::{MailFolder, PageContext, Stages};
use integrations_core::sync::StreamKey;
use integrations_msgraph::mail::{FOLDERS, OutlookMailNormalizer};
use serde_json::{Value, json};

fn upsert(stream: &str, wire: &Value, folder: Option<MailFolder>) -> Value {
    let stream = StreamKey {
        owner: "ada".into(),
        service: "outlook_mail".into(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    let raw = Raw::new(wire.to_string());
    let mut context = PageContext::default();
    context.folder = folder;
    let stages = Stages::new(Arc::new(OutlookMailNormalizer));
    let mut done = stages.run(std::slice::from_ref(&raw), &stream, &context);
    assert_eq!(done.quarantined, []);
    let Change::Upsert(record) = done.changes.remove(0) else { panic!("it is deleted") };
    assert_eq!(record.raw, raw);
    // What a store keeps comes back as it was.
    let stored = serde_json::to_string(&record.entity).unwrap();
    assert_eq!(serde_json::from_str::<Entity>(&stored).unwrap(), record.entity);
    json!({"entity": record.entity, "source": record.source})
}

/// Without the expression, which only repeats the test.
macro_rules! snapshot {
    ($stream:expr, $folder:expr, $wire:tt) => {
        insta::with_settings!({omit_expression => true}, {
            insta::assert_json_snapshot!(upsert($stream, &json!($wire), $folder))
        })
    };
}

#[test]
fn a_message_with_everything() {
    snapshot!("AQMkInbox", Some(MailFolder::Inbox), {
        "@odata.type": "#microsoft.graph.message", "@odata.etag": "W/\"CQAAABYAAAD\"", "id": "AAkA1",
        "createdDateTime": "2026-03-01T08:59:58Z", "lastModifiedDateTime": "2026-03-01T09:10:00Z",
        "changeKey": "CQAAABYAAAD", "categories": ["Red category", "Family"],
        "receivedDateTime": "2026-03-01T09:00:00Z", "sentDateTime": "2026-03-01T08:59:57Z",
        "hasAttachments": true, "internetMessageId": "<m1@example.com>", "subject": "Re: Lunch",
        "bodyPreview": "At one?", "importance": "high", "parentFolderId": "AQMkInbox",
        "conversationId": "AAQkC", "conversationIndex": "AQHZ", "isRead": false, "isDraft": false,
        "webLink": "https://outlook.office365.com/owa/?ItemID=AAkA1", "inferenceClassification": "focused",
        "body": {"contentType": "html", "content": "<html><body><p>At <b>one</b>?</p><p>Grace</p></body></html>"},
        "sender": {"emailAddress": {"name": "Assistant", "address": "assistant@example.com"}},
        "from": {"emailAddress": {"name": "Grace Hopper", "address": "grace@example.com"}},
        "toRecipients": [{"emailAddress": {"name": "Ada", "address": "ada@example.com"}},
                         {"emailAddress": {"name": "bob@example.com", "address": "bob@example.com"}}],
        "ccRecipients": [{"emailAddress": {"name": "Team", "address": ""}}, {"emailAddress": {}}, {}],
        "bccRecipients": [{"emailAddress": {"address": "eve@example.com"}}],
        "replyTo": [{"emailAddress": {"name": "Office", "address": "office@example.com"}}],
        "flag": {"flagStatus": "flagged", "dueDateTime": {"dateTime": "2026-03-05T00:00:00.0000000", "timeZone": "UTC"}},
        "internetMessageHeaders": [
            {"name": "Received", "value": "from a by b"}, {"name": "From", "value": "Grace <grace@example.com>"},
            {"name": "In-Reply-To", "value": "<m0@example.com>"},
            {"name": "References", "value": "<r1@example.com>\r\n <m0@example.com>"},
            {"name": "List-Id", "value": "<team.example.com>"}, {"name": "X-MS-Exchange-Organization-AuthAs", "value": "Internal"},
            {"name": "X-Mailer", "value": "Pine"}, {"name": null, "value": "x"}, {"name": "X-Empty", "value": null},
        ],
        "attachments": [
            {"@odata.type": "#microsoft.graph.fileAttachment", "id": "AAkA1F", "name": "menu.pdf", "contentType": "application/pdf",
             "size": 48213, "isInline": false, "contentId": null, "lastModifiedDateTime": "2026-03-01T08:59:50Z"},
            {"@odata.type": "#microsoft.graph.fileAttachment", "id": "AAkA1P", "name": "logo.png", "contentType": "image/png",
             "size": 210, "isInline": true, "contentId": "<logo@01DA>"},
            {"@odata.type": "#microsoft.graph.itemAttachment", "id": "AAkA1I", "name": "Lunch", "contentType": null, "size": 900, "isInline": false},
            {"@odata.type": "#microsoft.graph.referenceAttachment", "id": "AAkA1R", "name": "plan.docx", "size": 0,
             "isInline": false, "sourceUrl": "https://files.example/plan.docx"},
        ],
    });
}

#[test]
fn a_draft_in_plain_text() {
    snapshot!("AQMkDrafts", None, {
        "id": "AAkA2", "changeKey": "CQAB", "isDraft": true, "isRead": true, "subject": "", "bodyPreview": "",
        "createdDateTime": "2026-03-01T10:00:00Z", "sentDateTime": "0001-01-01T00:00:00Z",
        "body": {"contentType": "text", "content": "a < b\r\nc"}, "importance": "low",
        "flag": {"flagStatus": "complete"}, "toRecipients": [], "from": null,
        "sender": {"emailAddress": {"name": "Ada", "address": "ada@example.com"}},
    });
}

#[test]
fn an_invitation_that_was_thrown_away() {
    snapshot!("AQMkTrash", Some(MailFolder::Trash), {
        "@odata.type": "#microsoft.graph.eventMessageRequest", "id": "AAkA3", "subject": "Stand-up",
        "meetingMessageType": "meetingRequest", "parentFolderId": "AQMkTrash", "isRead": true,
        "receivedDateTime": "2026-03-01T09:00:00Z", "startDateTime": {"dateTime": "2026-03-02T09:00:00.0000000", "timeZone": "UTC"},
        "body": {"contentType": "html", "content": ""},
    });
}

#[test]
fn a_folder_and_one_that_searches() {
    snapshot!(FOLDERS, None, {
        "@odata.type": "#microsoft.graph.mailFolder", "id": "AQMkInbox", "displayName": "Posteingang",
        "parentFolderId": "AQMkRoot", "childFolderCount": 2, "unreadItemCount": 5, "totalItemCount": 70,
        "isHidden": false, "wellKnownName": "inbox",
    });
    snapshot!(FOLDERS, None, {
        "@odata.type": "#microsoft.graph.mailSearchFolder", "id": "AQMkSearch", "displayName": "Weekly digests",
        "parentFolderId": "AQMkInbox", "includeNestedFolders": true, "filterQuery": "contains(subject, 'weekly')",
    });
}

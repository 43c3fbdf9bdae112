//! What does Exchange fill in and keep of a message that the test writes?

use serde_json::{Map, Value, json};

use super::attachment::Attachment;
use crate::msgraph::fields::fields;
use crate::msgraph::ids::guid;
use crate::msgraph::query::time;
use crate::msgraph::text::{instant, preview};
use crate::patch::merge;
use crate::random::mix;

fields! {
    /// The properties of a message.
    MessageField of "microsoft.graph.message" without [InternetMessageHeaders, UniqueBody] {
        BccRecipients = "bccRecipients",
        Body = "body",
        BodyPreview = "bodyPreview",
        Categories = "categories",
        CcRecipients = "ccRecipients",
        ChangeKey = "changeKey",
        ConversationId = "conversationId",
        ConversationIndex = "conversationIndex",
        CreatedDateTime = "createdDateTime",
        Flag = "flag",
        From = "from",
        HasAttachments = "hasAttachments",
        Importance = "importance",
        InferenceClassification = "inferenceClassification",
        InternetMessageHeaders = "internetMessageHeaders",
        InternetMessageId = "internetMessageId",
        IsDeliveryReceiptRequested = "isDeliveryReceiptRequested",
        IsDraft = "isDraft",
        IsRead = "isRead",
        IsReadReceiptRequested = "isReadReceiptRequested",
        LastModifiedDateTime = "lastModifiedDateTime",
        ParentFolderId = "parentFolderId",
        ReceivedDateTime = "receivedDateTime",
        ReplyTo = "replyTo",
        Sender = "sender",
        SentDateTime = "sentDateTime",
        Subject = "subject",
        ToRecipients = "toRecipients",
        UniqueBody = "uniqueBody",
        WebLink = "webLink",
    }
}

/// What the server says of a message, whatever a test writes.
const COMPUTED: [&str; 6] =
    ["@odata.etag", "changeKey", "id", "lastModifiedDateTime", "parentFolderId", "webLink"];

/// What a folder holds.
#[derive(Debug)]
pub(super) enum Letter {
    Message(Box<Message>),
    /// Text of the test, served as it is.
    Raw(String),
}

/// A message that the test wrote or touched.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Everything but what is computed.
    pub(super) fields: Map<String, Value>,
    pub(super) attachments: Vec<Attachment>,
    /// Text of the test that is served in its place.
    pub(super) garbled: Option<String>,
    /// Whether its last change was no other than that it was read or unread.
    pub(super) just_marked: bool,
}

impl Message {
    /// Adds the fields that the server assigns, where they are missing.
    pub(super) fn fill(mut message: Map<String, Value>, user: &Value, number: u64, now: i64) -> Self {
        let attachments = match message.remove("attachments") {
            Some(Value::Array(attachments)) => attachments.iter().map(|a| Attachment::read(a, now)).collect(),
            _ => Vec::new(),
        };
        message.retain(|name, _| !COMPUTED.contains(&name.as_str()));
        if let Some(sender) = message.get("sender").or_else(|| message.get("from")).cloned() {
            message.entry("from").or_insert_with(|| sender.clone());
            message.entry("sender").or_insert(sender);
        }
        let grace = json!({"emailAddress": {"name": "Grace Hopper", "address": "grace.hopper@example.com"}});
        let domain = user["address"].as_str().and_then(|address| address.split('@').nth(1)).unwrap_or("x");
        let name = guid(mix(number ^ 0x6d69_6d65));
        let defaults = json!({
            "bccRecipients": [],
            "body": {"contentType": "html", "content": ""},
            "categories": [],
            "ccRecipients": [],
            "conversationId": format!("AAQkA{:016x}AAQA{:016x}=", mix(number), mix(number ^ 1)),
            "conversationIndex": format!("AQHZ{:016x}", mix(number ^ 2)),
            "createdDateTime": instant(now),
            "flag": {"flagStatus": "notFlagged"},
            "from": grace,
            "importance": "normal",
            "inferenceClassification": "focused",
            "internetMessageId": format!("<{name}@mail.{domain}>"),
            "isDeliveryReceiptRequested": false,
            "isDraft": false,
            "isRead": false,
            "isReadReceiptRequested": false,
            "receivedDateTime": instant(now),
            "replyTo": [],
            "sender": grace,
            "sentDateTime": instant(now - 2_000),
            "subject": "",
            "toRecipients": [{"emailAddress": user}],
        });
        if let Value::Object(defaults) = defaults {
            for (field, value) in defaults {
                message.entry(field).or_insert(value);
            }
        }
        let mut message = Self { fields: message, attachments, garbled: None, just_marked: false };
        message.follow();
        message
    }

    /// Adds what follows from the rest.
    fn follow(&mut self) {
        let fields = &mut self.fields;
        let body = &fields["body"];
        let is_html = body["contentType"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("html"));
        let shown = preview(body["content"].as_str().unwrap_or_default(), is_html);
        let whole = body.clone();
        let named = |name: &str, value: &Value| json!({"name": name, "value": value});
        let headers = json!([
            named("MIME-Version", &json!("1.0")),
            named("From", &fields["from"]["emailAddress"]["address"]),
            named("Subject", &fields["subject"]),
            named("Message-ID", &fields["internetMessageId"]),
            named("Content-Type", &json!("multipart/alternative")),
        ]);
        fields.entry("bodyPreview").or_insert(json!(shown));
        fields.entry("uniqueBody").or_insert(whole);
        fields.entry("internetMessageHeaders").or_insert(headers);
    }

    /// Merges a patch into the message.
    pub(super) fn patch(&mut self, mut patch: Map<String, Value>) {
        patch.retain(|name, _| !COMPUTED.contains(&name.as_str()));
        if patch.contains_key("body") {
            for stale in ["bodyPreview", "uniqueBody"] {
                self.fields.remove(stale);
            }
        }
        let mut whole = Value::Object(std::mem::take(&mut self.fields));
        merge(&mut whole, Value::Object(patch));
        if let Value::Object(whole) = whole {
            self.fields = whole;
        }
        self.fields.entry("body").or_insert(json!({"contentType": "html", "content": ""}));
        self.follow();
    }

    pub(super) fn is_read(&self) -> bool {
        self.fields.get("isRead").and_then(Value::as_bool).unwrap_or(false)
    }

    /// When it was received, in milliseconds.
    pub(super) fn received(&self) -> i64 {
        self.fields.get("receivedDateTime").and_then(Value::as_str).and_then(time).unwrap_or(0)
    }

    /// Inline attachments do not count.
    pub(super) fn has_attachments(&self) -> bool {
        self.attachments.iter().any(|attachment| !attachment.inline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(value: Value) -> Message {
        let Value::Object(fields) = value else { panic!("an object") };
        Message::fill(fields, &json!({"name": "Ada", "address": "ada@example.com"}), 7, 1_000)
    }

    #[test]
    fn a_message_says_who_sent_it_and_begins_as_its_body_does() {
        let sender = json!({"emailAddress": {"name": "G", "address": "g@example.com"}});
        let message =
            message(json!({"from": sender, "body": {"contentType": "html", "content": "<p>Hi</p>"}}));
        assert_eq!((&message.fields["sender"], &message.fields["bodyPreview"]), (&sender, &json!("Hi")));
        assert_eq!(message.fields["toRecipients"][0]["emailAddress"]["address"], "ada@example.com");
        assert_eq!(message.received(), 1_000);
    }

    #[test]
    fn a_patch_of_the_body_changes_what_follows_from_it() {
        let mut message = message(json!({"body": {"contentType": "text", "content": "one"}}));
        let Value::Object(patch) = json!({"id": "x", "isRead": true, "body": {"content": "two"}}) else {
            unreachable!()
        };
        message.patch(patch);
        assert_eq!((&message.fields["bodyPreview"], message.is_read()), (&json!("two"), true));
        assert_eq!(message.fields["uniqueBody"], json!({"contentType": "text", "content": "two"}));
        assert!(!message.fields.contains_key("id"));
    }

    #[test]
    fn only_attachments_that_are_not_inline_count() {
        let with = |inline: bool| {
            message(json!({"attachments": [{"name": "a.png", "isInline": inline, "contentBytes": "aGk="}]}))
        };
        assert!(with(false).has_attachments() && !with(true).has_attachments());
        assert_eq!(with(true).attachments[0].content, b"hi");
    }
}

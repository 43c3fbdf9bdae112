//! Messages, folders and attachments.

use std::sync::Arc;

use integrations_core::normalize::Stages;
use integrations_core::sync::StreamKey;
use integrations_msgraph::mail::{FOLDERS, OutlookMailNormalizer};
use serde_json::{Value, json};

use super::{Example, Tally, examples};

/// Messages that cannot be read, with the reason. Nothing else may be quarantined.
const MESSAGES: &[(&str, &str)] = &[
    // The name of the property where its value should be.
    ("api.eventmessage-update.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    ("api.mailfolder-list-messages.03.response.json", "$: missing field `id`"),
    ("api.mailfolder-post-messages.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    ("api.message-createforward.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    ("api.message-createreply.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    ("api.message-delta.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    ("api.message-update.03.response.json", "$.receivedDateTime: expected an RFC 3339 time"),
    // A word in quotes where the API has a truth: written by hand.
    ("concepts.delta-query-messages.09.json.json", "$.isRead: expected a boolean"),
    // The body of a request.
    ("concepts.outlook-send-mail-from-other-user.02.json.json", "$: missing field `id`"),
];

/// Folders that cannot be read.
const CHANNELS: &[(&str, &str)] = &[];

/// What is a message of these resources, and no chat's, group's or meeting's.
const MESSAGE: &[&str] = &["microsoft.graph.message", "microsoft.graph.eventMessage"];
const FOLDER: &[&str] = &["microsoft.graph.mailFolder", "microsoft.graph.mailSearchFolder"];
const ATTACHMENT: &[&str] =
    &["microsoft.graph.fileAttachment", "microsoft.graph.itemAttachment", "microsoft.graph.attachment"];

/// Blocks of which the documentation does not say what they are.
const UNMARKED: &[(&str, &str)] = &[
    ("api.message-createforward.05.response.json", "microsoft.graph.message"),
    ("concepts.outlook-send-mail-from-other-user.01.json.json", "microsoft.graph.message"),
    ("concepts.outlook-send-mail-from-other-user.02.json.json", "microsoft.graph.message"),
    ("resources.mailfolder.02.json.json", "microsoft.graph.mailFolder"),
];

fn stages(stream: &str) -> (Stages, StreamKey) {
    let stream = StreamKey {
        owner: "ada".into(),
        service: "outlook_mail".into(),
        connection: "cn_1".into(),
        stream: stream.into(),
    };
    (Stages::new(Arc::new(OutlookMailNormalizer)), stream)
}

/// The resources that Graph has answered with. Bodies of requests are no answers, and have no id.
fn answers<'e>(examples: &'e [Example], resources: &[&str]) -> Vec<(&'e str, &'e Value)> {
    let is_one = |example: &&Example| {
        let unmarked = UNMARKED.iter().find(|(name, _)| *name == example.name).map(|(_, what)| *what);
        let resource = example.resource.as_deref().or(unmarked);
        example.kind != "request" && resource.is_some_and(|resource| resources.contains(&resource))
    };
    let of = |example: &'e Example| example.items().iter().map(|item| (example.name.as_str(), item));
    examples.iter().filter(is_one).flat_map(of).collect()
}

#[test]
fn every_message_is_normalised_or_quarantined_by_name() {
    let Some(examples) = examples() else { return };
    let (stages, stream) = stages("inbox");
    let mut tally = Tally::default();
    for (name, item) in answers(&examples, MESSAGE) {
        tally.run(&stages, &stream, name, item);
    }
    tally.settle("messages", MESSAGES);
}

#[test]
fn every_folder_is_normalised_or_quarantined_by_name() {
    let Some(examples) = examples() else { return };
    let (stages, stream) = stages(FOLDERS);
    let mut tally = Tally::default();
    for (name, item) in answers(&examples, FOLDER) {
        tally.run(&stages, &stream, name, item);
    }
    tally.settle("folders", CHANNELS);
}

/// Attachments come as a property of their message.
#[test]
fn every_attachment_is_named_by_its_message() {
    let Some(examples) = examples() else { return };
    let (stages, stream) = stages("inbox");
    let mut tally = Tally::default();
    for (name, item) in answers(&examples, ATTACHMENT) {
        tally.run(&stages, &stream, name, &json!({"id": "1", "attachments": [item]}));
    }
    tally.settle("attachments", &[]);
}

//! What is attached to a message, and how is it answered?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::render::View;
use super::{Mail, Source};
use crate::msgraph::Graph;
use crate::msgraph::errors::Refusal;
use crate::msgraph::ids::{Kind, Name};
use crate::msgraph::page::Listing;
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::Query;
use crate::msgraph::text::{instant, put_json};
use crate::server::{Call, Reply};
use http::header::CONTENT_TYPE;

const FILE: &str = "#microsoft.graph.fileAttachment";

/// The properties of an attachment, in each of its kinds.
const PROPERTIES: [&str; 14] = [
    "contentBytes",
    "contentId",
    "contentLocation",
    "contentType",
    "id",
    "isFolder",
    "isInline",
    "item",
    "lastModifiedDateTime",
    "name",
    "permission",
    "providerType",
    "size",
    "sourceUrl",
];

/// A file, an item or a reference.
#[derive(Debug, Clone)]
pub(super) struct Attachment {
    kind: String,
    name: String,
    content_type: Option<String>,
    pub(super) inline: bool,
    content_id: Option<String>,
    modified: i64,
    pub(super) content: Vec<u8>,
    /// What only other kinds than files have.
    rest: Map<String, Value>,
}

impl Attachment {
    /// Reads one as a test writes it.
    pub(super) fn read(written: &Value, now: i64) -> Self {
        let text = |name: &str| written[name].as_str().map(str::to_owned);
        let kind = text("@odata.type").unwrap_or_else(|| FILE.to_owned());
        let content = match written["contentBytes"].as_str() {
            Some(encoded) => STANDARD.decode(encoded).unwrap_or_else(|error| panic!("contentBytes: {error}")),
            None => Vec::new(),
        };
        let own = ["item", "sourceUrl", "providerType", "permission", "isFolder", "size"];
        let rest = written.as_object().into_iter().flatten().filter(|(name, _)| own.contains(&name.as_str()));
        Self {
            name: text("name").unwrap_or_else(|| "attachment.txt".to_owned()),
            content_type: text("contentType").or_else(|| (kind == FILE).then(|| "text/plain".to_owned())),
            inline: written["isInline"].as_bool().unwrap_or(false),
            content_id: text("contentId"),
            modified: now,
            content,
            rest: rest.map(|(name, value)| (name.clone(), value.clone())).collect(),
            kind,
        }
    }

    pub(super) fn file(
        name: &str,
        content_type: &str,
        content: Vec<u8>,
        inline: bool,
        modified: i64,
    ) -> Self {
        Self {
            kind: FILE.to_owned(),
            name: name.to_owned(),
            content_type: Some(content_type.to_owned()),
            inline,
            content_id: inline.then(|| format!("{name}@01DAB0F0")),
            modified,
            content,
            rest: Map::new(),
        }
    }

    /// An attached item as MIME: what the test has given for its content, or else its subject and its text.
    fn mime(&self) -> Vec<u8> {
        if !self.content.is_empty() {
            return self.content.clone();
        }
        let item = self.rest.get("item").unwrap_or(&Value::Null);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (subject, body) = (text(&item["subject"]), text(&item["body"]["content"]));
        format!("MIME-Version: 1.0\r\nSubject: {subject}\r\n\r\n{body}").into_bytes()
    }

    fn written(&self, id: &str) -> Value {
        // What Exchange keeps beside the content.
        let size = self.content.len() as u64 + 180;
        let mut written = json!({
            "@odata.type": self.kind,
            "id": id,
            "lastModifiedDateTime": instant(self.modified),
            "name": self.name,
            "contentType": self.content_type,
            "size": size,
            "isInline": self.inline,
        });
        if self.kind == FILE {
            written["@odata.mediaContentType"] = json!(self.content_type);
            written["contentId"] = json!(self.content_id);
            written["contentLocation"] = Value::Null;
            written["contentBytes"] = json!(STANDARD.encode(&self.content));
        }
        for (name, value) in &self.rest {
            written[name.as_str()] = value.clone();
        }
        written
    }
}

/// What a client wants of an attachment.
fn selected(query: &Query) -> Result<Option<Vec<&str>>, Refusal> {
    let Some(select) = query.get("$select") else { return Ok(None) };
    let names: Vec<&str> = select.split(',').map(str::trim).collect();
    // Properties of files alone are named with their type.
    let bare = |name: &&str| {
        let name = name.strip_prefix("microsoft.graph.fileAttachment/").unwrap_or(name);
        !PROPERTIES.contains(&name)
    };
    match names.iter().copied().find(bare) {
        Some(name) => {
            let message = format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type 'microsoft.graph.attachment'."
            );
            Err(Refusal::new(400, "RequestBroker--ParseUri", message))
        }
        None => Ok(Some(names)),
    }
}

fn restricted(mut written: Value, select: Option<&[&str]>) -> Value {
    if let (Some(select), Some(object)) = (select, written.as_object_mut()) {
        let named = |name: &str| select.iter().any(|wanted| wanted.rsplit('/').next() == Some(name));
        object.retain(|name, _| name.starts_with("@odata.") || name == "id" || named(name));
    }
    written
}

/// Answers `/me/messages/{id}/attachments`.
pub(in crate::msgraph) fn list(graph: &Graph, call: &Call, message: &str) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$top", "$skip"])?;
    let select = selected(&query)?;
    let state = graph.state();
    let (name, attachments) = of_message(&state.mail, graph, message)?;
    let mut listing = Listing::begin(graph, &query, &prefer, "me/messages/attachments")?;
    for (attachment, part) in attachments.iter().zip(1..) {
        let id = graph.ids.text(prefer.id_type, &Name { part, ..name });
        if !listing.offer(|out| put_json(out, &restricted(attachment.written(&id), select.as_deref()))) {
            break;
        }
    }
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/messages/{id}/attachments/{attachment}`.
pub(in crate::msgraph) fn get(
    graph: &Graph,
    call: &Call,
    message: &str,
    attachment: &str,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select"])?;
    let select = selected(&query)?;
    let (name, attachment) = one(graph, message, attachment)?;
    let mut body = restricted(attachment.written(&graph.ids.text(prefer.id_type, &name)), select.as_deref());
    body["@odata.context"] =
        json!("https://graph.microsoft.com/v1.0/$metadata#me/messages/attachments/$entity");
    Ok(prefer.applied(Reply::json(200, body.to_string()), false))
}

/// Answers `/me/messages/{id}/attachments/{attachment}/$value`.
pub(in crate::msgraph) fn value(
    graph: &Graph,
    call: &Call,
    message: &str,
    attachment: &str,
) -> Result<Reply, Refusal> {
    Query::of(call).only(&[])?;
    let (_, attachment) = one(graph, message, attachment)?;
    if attachment.kind.ends_with("graph.referenceAttachment") {
        return Err(Refusal::new(405, "ErrorInvalidRequest", "A reference attachment has no content."));
    }
    let kind = attachment.content_type.as_deref();
    if attachment.kind != FILE {
        let reply = Reply { body: attachment.mime().into(), ..Reply::empty(200) };
        return Ok(reply.header(CONTENT_TYPE, kind.unwrap_or("text/plain")));
    }
    let reply = Reply { body: attachment.content.into(), ..Reply::empty(200) };
    Ok(reply.header(CONTENT_TYPE, kind.unwrap_or("application/octet-stream")))
}

fn one(graph: &Graph, message: &str, id: &str) -> Result<(Name, Attachment), Refusal> {
    let state = graph.state();
    let (of, mut attachments) = of_message(&state.mail, graph, message)?;
    let name = graph.ids.read(id)?;
    let number = usize::try_from(name.part).ok().and_then(|part| part.checked_sub(1));
    let number = number.filter(|_| name.kind == Kind::Attachment && name.key == of.key);
    let number = number.filter(|number| *number < attachments.len()).ok_or_else(Refusal::not_found)?;
    Ok((Name { part: name.part, ..of }, attachments.swap_remove(number)))
}

/// The attachments of a message, and the name that theirs are made of.
pub(super) fn of_message(
    mail: &Mail,
    graph: &Graph,
    message: &str,
) -> Result<(Name, Vec<Attachment>), Refusal> {
    let key = mail.find_message(&graph.ids, message)?;
    let (_, moves) = mail.store.find(key).ok_or_else(Refusal::not_found)?;
    let name = Name { kind: Kind::Attachment, key, moves: Some(moves), part: 0 };
    let attachments = match mail.source(key).ok_or_else(Refusal::not_found)? {
        Source::Stored(message) => message.attachments.clone(),
        Source::Generated(generator, index) => generator.attachments(index),
        Source::Raw(_) => return Err(Refusal::not_found()),
    };
    Ok((name, attachments))
}

/// The ids of a message's attachments, for a test.
pub(super) fn ids_of(view: &View<'_>, name: &Name, count: usize) -> Vec<String> {
    (1..).take(count).map(|part| view.ids.text(view.prefer.id_type, &Name { part, ..*name })).collect()
}

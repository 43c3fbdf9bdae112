//! How is a message written into an answer?

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::message::MessageField;
use super::{Mail, Source};
use crate::msgraph::body::put_body;
use crate::msgraph::change_key::{of_version, put_change_key};
use crate::msgraph::fields::{Object, Select, named};
use crate::msgraph::ids::{Ids, Kind, Name};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::store::Key;
use crate::msgraph::text::{moment, put, put_json, put_seconds, truth};

/// How a client wants its messages.
#[derive(Debug)]
pub(in crate::msgraph) struct View<'a> {
    pub(in crate::msgraph) ids: &'a Ids,
    pub(in crate::msgraph) prefer: &'a Preferences,
    pub(in crate::msgraph) select: Select<MessageField>,
    /// Whether each item says that it is a message, as in a delta round.
    pub(in crate::msgraph) typed: bool,
}

/// Appends a message; text of the test as it is. False when there is nothing.
pub(super) fn put_message(mail: &Mail, view: &View<'_>, key: Key, out: &mut Vec<u8>) -> bool {
    use MessageField as F;
    let (Some(source), Some((folder, moves))) = (mail.source(key), mail.store.find(key)) else {
        return false;
    };
    let entry = mail.store.entry(key);
    let modified = match (&source, entry) {
        (Source::Raw(text), _) => {
            put!(out, text);
            return true;
        }
        (_, Some(entry)) => entry.modified,
        (Source::Generated(generator, index), None) => generator.received(*index) + 1_000,
        (Source::Stored(_), None) => 0,
    };
    let change = match entry.map(|entry| entry.version) {
        Some(version) if version > 0 => of_version(version),
        _ => key.number(),
    };
    let name = Name { kind: Kind::Message, key, moves: Some(moves), part: 0 };
    let mut object = Object::begin(out, view.select);
    let own_type = match &source {
        Source::Stored(message) => message.fields.get("@odata.type").and_then(|kind| kind.as_str()),
        _ => None,
    };
    if let Some(kind) = own_type.or_else(|| view.typed.then_some("#microsoft.graph.message")) {
        put_json(object.always("@odata.type"), kind);
    }
    let out = object.always("@odata.etag");
    put!(out, r#""W/\""#);
    put_change_key(out, change);
    put!(out, r#"\"""#);
    let out = object.always("id");
    out.push(b'"');
    view.ids.put(out, view.prefer.id_type, &name);
    out.push(b'"');
    if let Some(out) = object.field(F::LastModifiedDateTime) {
        out.push(b'"');
        put_seconds(out, moment(modified));
        put!(out, "Z\"");
    }
    if let Some(out) = object.field(F::ChangeKey) {
        out.push(b'"');
        put_change_key(out, change);
        out.push(b'"');
    }
    if let Some(out) = object.field(F::ParentFolderId) {
        put_json(out, &mail.folders[folder].id);
    }
    if let Some(out) = object.field(F::WebLink) {
        let id = view.ids.text(view.prefer.id_type, &name);
        let id = utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string();
        put!(
            out,
            r#""https://outlook.office365.com/owa/?ItemID="#,
            id,
            r#"&exvsurl=1&viewmodel=ReadMessageItem""#
        );
    }
    match source {
        Source::Generated(generator, index) => generator.put_content(index, &mut object, view.prefer.body),
        Source::Stored(message) => {
            if !message.fields.contains_key("hasAttachments")
                && let Some(out) = object.field(F::HasAttachments)
            {
                put!(out, truth(message.has_attachments()));
            }
            put_fields(message, &mut object, view);
        }
        Source::Raw(_) => {}
    }
    object.end();
    true
}

fn put_fields(message: &super::message::Message, object: &mut Object<'_, MessageField>, view: &View<'_>) {
    let usual = object.select().is_usual();
    for (name, value) in &message.fields {
        match named::<MessageField>(name) {
            Some(number) if object.select().bits & (1 << number) == 0 => continue,
            // What the test made up is there unless a client selects.
            None if !usual || name == "@odata.type" => continue,
            _ => {}
        }
        let out = object.always(name);
        match name.as_str() {
            "body" | "uniqueBody" => put_body(out, value, view.prefer.body),
            _ => put_json(out, value),
        }
    }
}

//! What does a delta round over the messages of a folder hold?
//!
//! Rounds are per folder. A message that moves leaves one folder, where it is `@removed`, and comes into
//! another; only its immutable id tells that it is the same.

use super::render::{View, put_message};
use super::{Letter, Mail};
use crate::msgraph::Graph;
use crate::msgraph::access::Access;
use crate::msgraph::errors::Refusal;
use crate::msgraph::fields::Select;
use crate::msgraph::ids::{IdType, Kind, Name};
use crate::msgraph::page::Items;
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::{Query, time};
use crate::msgraph::round::{Request, Round};
use crate::msgraph::store::{Change, Key};
use crate::msgraph::text::{put, truth};
use crate::msgraph::tokens::{Cursor, Kind as CursorKind};
use crate::server::{Call, Reply};

/// How many messages a page may look at before it is cut short.
const SCAN_LIMIT: usize = 50_000;

/// What Graph has and the fake does not; refused, so that no test relies on it.
const UNSUPPORTED: [&str; 3] = ["$expand", "$orderby", "changeType"];

/// Answers `/me/mailFolders/{id}/messages/delta`.
pub(in crate::msgraph) fn round(
    graph: &Graph,
    call: &Call,
    access: Access,
    folder: &str,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    let state = graph.state();
    let mail = &state.mail;
    let number = mail.find_folder(&graph.ids, folder)?;
    if let Some(name) = query.names().find(|name| UNSUPPORTED.contains(name)) {
        return Err(Refusal::unsupported(&format!("{name} in a round over messages")));
    }
    if query.get("$search").is_some() {
        let text = "The following parameters are not supported with change tracking over the 'Messages' \
                    resource: '$search'.";
        return Err(Refusal::new(400, "ErrorInvalidUrlQuery", text));
    }
    let path = format!("/v1.0/me/mailfolders('{}')/messages/delta", mail.folders[number].id);
    let target = state.target(path, mail.store.version(), mail.store.epoch(number));
    let round = Round::begin(graph, call, &query, &target, || {
        query.only(&["$select", "$top", "$filter"])?;
        let select = Select::<super::MessageField>::parse(query.get("$select"))?;
        Ok(Request { top: query.top()?, select: select.bits, window: (received_since(&query)?, 0) })
    })?;
    let select = access.restrict_messages(Select::of_bits(round.cursor.select));
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: true };
    Ok(round.reply(graph, &prefer, "Collection(message)", |cursor, items| {
        Page { mail, folder: number, view: &view, items, partial: graph.partial_read_marks }.fill(cursor)
    }))
}

/// The only filter that a round can have: `receivedDateTime ge` or `gt` a time.
fn received_since(query: &Query) -> Result<i64, Refusal> {
    let Some(filter) = query.get("$filter") else { return Ok(i64::MIN) };
    let words: Vec<&str> = filter.split_whitespace().collect();
    let since = match words.as_slice() {
        ["receivedDateTime", "ge", at] => time(at),
        ["receivedDateTime", "gt", at] => time(at).map(|at| at + 1),
        _ => None,
    };
    since.ok_or_else(|| {
        let text = "The $filter of a round over messages can only be 'receivedDateTime ge' or 'receivedDateTime gt' a time.";
        Refusal::new(400, "ErrorInvalidUrlQueryFilter", text)
    })
}

/// A page that is being filled.
struct Page<'a> {
    mail: &'a Mail,
    folder: usize,
    view: &'a View<'a>,
    items: &'a mut Items,
    /// Whether marks of reading are told without the rest.
    partial: bool,
}

impl Page<'_> {
    fn fill(self, cursor: &Cursor) -> Option<Cursor> {
        match cursor.kind {
            CursorKind::Everything => self.everything(cursor),
            CursorKind::Changes | CursorKind::End => self.changes(cursor),
        }
    }

    fn everything(mut self, cursor: &Cursor) -> Option<Cursor> {
        let (mail, mut looked_at, mut next) = (self.mail, 0, None);
        mail.store.walk(self.folder, cursor.next, |place, key| {
            if self.items.full() || looked_at == SCAN_LIMIT {
                next = Some(Cursor { next: place, ..*cursor });
                return false;
            }
            looked_at += 1;
            self.add(key, cursor);
            true
        });
        next
    }

    fn changes(mut self, cursor: &Cursor) -> Option<Cursor> {
        let (mail, mut next) = (self.mail, None);
        mail.store.changes(self.folder, cursor.next..=cursor.upto, |change| {
            if self.items.full() {
                next = Some(Cursor { next: change.version, ..*cursor });
                return false;
            }
            if change.stays(self.folder) {
                self.changed(&change, cursor);
            } else {
                self.gone(&change);
            }
            true
        });
        next
    }

    /// Tells of a message that has changed, or, where it was just read, of that alone.
    fn changed(&mut self, change: &Change<'_, Letter>, cursor: &Cursor) {
        let Letter::Message(message) = &change.entry.item else { return self.add(change.key, cursor) };
        if !self.partial || !message.just_marked || message.garbled.is_some() {
            return self.add(change.key, cursor);
        }
        let (view, folder) = (self.view, &self.mail.folders[self.folder].id);
        let name = Name { kind: Kind::Message, key: change.key, moves: Some(change.moves), part: 0 };
        self.items.add(|out| {
            put!(out, r##"{"@odata.type":"#microsoft.graph.message","id":""##);
            view.ids.put(out, view.prefer.id_type, &name);
            put!(out, r#"","isRead":"#, truth(message.is_read()), r#","parentFolderId":""#, folder, "\"}");
        });
    }

    fn add(&mut self, key: Key, cursor: &Cursor) {
        if self.mail.received(key) >= cursor.window.0 {
            self.items.add(|out| {
                put_message(self.mail, self.view, key, out);
            });
        }
    }

    /// Tells of a message that is no longer in this folder.
    fn gone(&mut self, change: &Change<'_, Letter>) {
        let view = self.view;
        // By its immutable id it is still here, if it went away and came back.
        if view.prefer.id_type == IdType::Immutable && change.entry.at == Some(self.folder) {
            return;
        }
        let name = Name { kind: Kind::Message, key: change.key, moves: Some(change.moves), part: 0 };
        self.items.add(|out| {
            put!(out, r##"{"@odata.type":"#microsoft.graph.message","id":""##);
            view.ids.put(out, view.prefer.id_type, &name);
            put!(out, r#"","@removed":{"reason":"deleted"}}"#);
        });
    }
}

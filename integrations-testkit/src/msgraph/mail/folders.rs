//! What do the listings of folders answer?

use super::{Folder, Mail, ROOT};
use crate::msgraph::Graph;
use crate::msgraph::errors::Refusal;
use crate::msgraph::fields::{Object, Select, fields};
use crate::msgraph::page::{Listing, single};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::Query;
use crate::msgraph::round::{Request, Round, Target};
use crate::msgraph::text::{put, put_json, truth};
use crate::msgraph::tokens::{Cursor, Kind};
use crate::server::{Call, Reply};

fields! {
    /// The properties of a folder.
    FolderField of "microsoft.graph.mailFolder" without [] {
        ChildFolderCount = "childFolderCount",
        DisplayName = "displayName",
        IsHidden = "isHidden",
        ParentFolderId = "parentFolderId",
        SizeInBytes = "sizeInBytes",
        TotalItemCount = "totalItemCount",
        UnreadItemCount = "unreadItemCount",
    }
}

/// Appends a folder.
pub(super) fn put_folder(
    out: &mut Vec<u8>,
    mail: &Mail,
    unread: &[i64],
    number: usize,
    select: Select<FolderField>,
    typed: bool,
) {
    use FolderField as F;
    let folder = &mail.folders[number];
    let inside = |(other, child): &(usize, &Folder)| child.parent == number && *other != number;
    let (children, total) = (mail.present().filter(inside).count(), mail.store.live(number));
    let mut object = Object::begin(out, select);
    if typed {
        put!(object.always("@odata.type"), r##""#microsoft.graph.mailFolder""##);
    }
    put_json(object.always("id"), &folder.id);
    if let Some(out) = object.field(F::DisplayName) {
        put_json(out, &folder.name);
    }
    if let Some(out) = object.field(F::ParentFolderId) {
        put_json(out, &mail.folders[folder.parent].id);
    }
    for (field, count) in [
        (F::ChildFolderCount, children as u64),
        (F::UnreadItemCount, u64::try_from(unread[number]).unwrap_or(0)),
        (F::TotalItemCount, total),
        (F::SizeInBytes, total * 40_960),
    ] {
        if let Some(out) = object.field(field) {
            put_json(out, &count);
        }
    }
    if let Some(out) = object.field(F::IsHidden) {
        put!(out, truth(folder.hidden));
    }
    object.end();
}

/// Answers `/me/mailFolders`.
pub(in crate::msgraph) fn list(graph: &Graph, call: &Call) -> Result<Reply, Refusal> {
    list_inside(graph, call, None)
}

/// Answers `/me/mailFolders/{id}/childFolders`.
pub(in crate::msgraph) fn children(graph: &Graph, call: &Call, parent: &str) -> Result<Reply, Refusal> {
    list_inside(graph, call, Some(parent))
}

fn list_inside(graph: &Graph, call: &Call, parent: Option<&str>) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$top", "$skip", "includeHiddenFolders"])?;
    let select = Select::parse(query.get("$select"))?;
    let hidden = query.flag("includeHiddenFolders")?;
    let state = graph.state();
    let mail = &state.mail;
    let parent = parent.map_or(Ok(ROOT), |parent| mail.find_folder(&graph.ids, parent))?;
    let unread = mail.unread();
    let mut listing = Listing::begin(graph, &query, &prefer, "me/mailFolders")?;
    for (number, folder) in mail.present() {
        if number == ROOT || folder.parent != parent || (folder.hidden && !hidden) {
            continue;
        }
        if !listing.offer(|out| put_folder(out, mail, &unread, number, select, false)) {
            break;
        }
    }
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/mailFolders/{id}`.
pub(in crate::msgraph) fn show(graph: &Graph, call: &Call, folder: &str) -> Result<Reply, Refusal> {
    let query = Query::of(call);
    query.only(&["$select"])?;
    let select = Select::parse(query.get("$select"))?;
    let state = graph.state();
    let number = state.mail.find_folder(&graph.ids, folder)?;
    let mut body = Vec::new();
    put_folder(&mut body, &state.mail, &state.mail.unread(), number, select, false);
    Ok(single("me/mailFolders/$entity", &body))
}

/// Answers `/me/mailFolders/delta`: every folder, wherever it lies, hidden ones included. That messages come
/// and go is no change of a folder.
pub(in crate::msgraph) fn round(graph: &Graph, call: &Call) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    let state = graph.state();
    let mail = &state.mail;
    let target: Target = state.target("/v1.0/me/mailfolders/delta".to_owned(), mail.version, 0);
    let round = Round::begin(graph, call, &query, &target, || {
        query.only(&["$select"])?;
        let select = Select::<FolderField>::parse(query.get("$select"))?;
        Ok(Request { select: select.bits, ..Request::default() })
    })?;
    let select = Select::of_bits(round.cursor.select);
    let unread = mail.unread();
    Ok(round.reply(graph, &prefer, "Collection(mailFolder)", |cursor, items| {
        let changes = cursor.kind == Kind::Changes;
        let mut due: Vec<(u64, usize)> = mail
            .folders
            .iter()
            .enumerate()
            .filter(|(number, folder)| *number != ROOT && (changes || !folder.removed))
            .map(|(number, folder)| (if changes { folder.version } else { number as u64 }, number))
            .filter(|(place, _)| *place >= cursor.next && (!changes || *place <= cursor.upto))
            .collect();
        due.sort_unstable();
        for (place, number) in due {
            if items.full() {
                return Some(Cursor { next: place, ..*cursor });
            }
            items.add(|out| {
                if mail.folders[number].removed {
                    put!(out, r##"{"@odata.type":"#microsoft.graph.mailFolder","id":""##);
                    put!(out, mail.folders[number].id, r#"","@removed":{"reason":"deleted"}}"#);
                } else {
                    put_folder(out, mail, &unread, number, select, true);
                }
            });
        }
        None
    }))
}

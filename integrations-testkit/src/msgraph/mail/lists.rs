//! What do the plain listings and look-ups of messages answer?

use super::render::{View, put_message};
use crate::msgraph::Graph;
use crate::msgraph::access::Access;
use crate::msgraph::errors::Refusal;
use crate::msgraph::fields::Select;
use crate::msgraph::page::{Listing, single};
use crate::msgraph::prefer::Preferences;
use crate::msgraph::query::Query;
use crate::server::{Call, Reply};

/// Answers `/me/mailFolders/{id}/messages`, and `/me/messages` for all folders, oldest first.
pub(in crate::msgraph) fn list(
    graph: &Graph,
    call: &Call,
    access: Access,
    folder: Option<&str>,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select", "$top", "$skip"])?;
    let select = access.restrict_messages(Select::parse(query.get("$select"))?);
    let state = graph.state();
    let mail = &state.mail;
    let folders: Vec<usize> = match folder {
        Some(folder) => vec![mail.find_folder(&graph.ids, folder)?],
        None => mail.present().map(|(number, _)| number).collect(),
    };
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut listing = Listing::begin(graph, &query, &prefer, "me/messages")?;
    let mut full = false;
    for folder in folders {
        if full {
            break;
        }
        mail.store.walk(folder, 0, |_, key| {
            full = !listing.offer(|out| {
                put_message(mail, &view, key, out);
            });
            !full
        });
    }
    Ok(prefer.applied(listing.reply(call, &query), false))
}

/// Answers `/me/messages/{id}`.
pub(in crate::msgraph) fn get(
    graph: &Graph,
    call: &Call,
    access: Access,
    id: &str,
) -> Result<Reply, Refusal> {
    let (query, prefer) = (Query::of(call), Preferences::read(call)?);
    query.only(&["$select"])?;
    let select = access.restrict_messages(Select::parse(query.get("$select"))?);
    let state = graph.state();
    let key = state.mail.find_message(&graph.ids, id)?;
    let view = View { ids: &graph.ids, prefer: &prefer, select, typed: false };
    let mut body = Vec::new();
    put_message(&state.mail, &view, key, &mut body);
    Ok(prefer.applied(single("me/messages/$entity", &body), false))
}

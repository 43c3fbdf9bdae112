//! What do the methods answer that are about channels?

use serde_json::json;

use super::Slack;
use super::access;
use super::channel::{Channel, Kind, View};
use super::errors::refused;
use super::method::Row;
use super::paging::directory;
use super::query::Query;
use super::workspace::{Listed, Workspace};
use crate::oauth::Caller;
use crate::server::Reply;

fn object(workspace: &Workspace, channel: &Channel, view: View<'_>) -> String {
    let peer_deleted = channel.peer.as_ref().is_some_and(|peer| workspace.roster.is_deleted(peer));
    channel.object(view, &workspace.ground.team, peer_deleted).to_string()
}

/// What is common to both listings: which channels are asked for, and the scopes for them.
fn wanted(slack: &Slack, caller: &Caller, query: &Query) -> Result<(Vec<Kind>, bool), Reply> {
    slack.check_team(query)?;
    let types = query.types()?;
    let scopes: Vec<_> = types.iter().map(|kind| kind.read_scope()).collect();
    access::require(caller, &scopes)?;
    Ok((types, query.flag("exclude_archived")?))
}

/// `conversations.list`: what the caller could see in a browser of channels.
pub(super) fn list(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let (types, no_archived) = wanted(slack, caller, query)?;
    let view = View { viewer: &caller.user, num_members: true, is_member: true, locale: false };
    let shows = |channel: &Channel| channel.is_visible(&caller.user);
    listing(slack, caller, row, query, view, |channel| {
        types.contains(&channel.kind) && !(no_archived && channel.archived) && shows(channel)
    })
}

/// `users.conversations`: what a user is in, and the caller too where it is not public.
pub(super) fn of_user(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let (types, no_archived) = wanted(slack, caller, query)?;
    let user = query.get("user").unwrap_or(&caller.user);
    if !slack.workspace().roster.contains(user) {
        return Err(refused("user_not_found"));
    }
    let view = View { viewer: &caller.user, num_members: false, is_member: false, locale: false };
    let shows = |channel: &Channel| channel.is_member(user) && channel.is_visible(&caller.user);
    listing(slack, caller, row, query, view, |channel| {
        types.contains(&channel.kind) && !(no_archived && channel.archived) && shows(channel)
    })
}

fn listing(
    slack: &Slack,
    caller: &Caller,
    row: &Row,
    query: &Query,
    view: View<'_>,
    shows: impl Fn(&Channel) -> bool,
) -> Result<Reply, Reply> {
    let listing = slack.listing(row, caller, query, 0)?;
    let workspace = slack.workspace();
    let due = |from| {
        workspace.listed(from).filter(|(_, listed)| match listed {
            Listed::Channel(channel) => shows(channel),
            Listed::Raw(_) => true,
        })
    };
    let page = slack.page(&listing, u64::MAX, due, |listed, items| match listed {
        Listed::Channel(channel) => items.extend_from_slice(object(&workspace, channel, view).as_bytes()),
        Listed::Raw(text) => items.extend_from_slice(text.as_bytes()),
    });
    Ok(directory("channels", page, ""))
}

/// `conversations.info`.
pub(super) fn info(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let workspace = slack.workspace();
    let channel = access::channel(&workspace, caller, row, query.needed("channel")?, Kind::read_scope)?;
    let view = View {
        viewer: &caller.user,
        num_members: query.flag("include_num_members")?,
        is_member: true,
        locale: query.flag("include_locale")?,
    };
    Ok(Reply::json(200, format!(r#"{{"ok":true,"channel":{}}}"#, object(&workspace, channel, view))))
}

/// `conversations.members`.
pub(super) fn members(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    let workspace = slack.workspace();
    let channel = access::channel(&workspace, caller, row, query.needed("channel")?, Kind::read_scope)?;
    let listing = slack.listing(row, caller, query, 0)?;
    let due = |from| channel.members(from, &caller.user);
    let page = slack.page(&listing, u64::MAX, due, |member, items| {
        items.extend_from_slice(json!(member).to_string().as_bytes());
    });
    Ok(directory("members", page, ""))
}

//! What may the caller see?
//!
//! A token opens what its scopes name: of channels by their type, and only those that the user or the bot
//! behind it is in, except that whoever may see public channels sees them all. A bot reads the messages of
//! the channels it is in; a user also those of public ones.

use super::channel::{Channel, Kind};
use super::errors::{missing_scope, refused};
use super::method::Row;
use super::workspace::Workspace;
use crate::oauth::Caller;
use crate::server::Reply;

pub(super) fn has(caller: &Caller, scope: &str) -> bool {
    caller.scopes.iter().any(|granted| granted == scope)
}

/// Refuses a caller who has not all of these scopes.
pub(super) fn require(caller: &Caller, scopes: &[&str]) -> Result<(), Reply> {
    let needed: Vec<&str> = scopes.iter().copied().filter(|scope| !has(caller, scope)).collect();
    if needed.is_empty() { Ok(()) } else { Err(missing_scope(&needed, &caller.scopes)) }
}

/// Refuses a caller who has none of the scopes that open a part of a method.
fn require_some(caller: &Caller, row: &Row) -> Result<(), Reply> {
    let some = row.scopes.iter().any(|scope| has(caller, scope));
    if some { Ok(()) } else { Err(missing_scope(row.scopes, &caller.scopes)) }
}

/// A channel that the caller may see, with the scope that `needed` says of its type.
pub(super) fn channel<'a>(
    workspace: &'a Workspace,
    caller: &Caller,
    row: &Row,
    id: &str,
    needed: impl FnOnce(Kind) -> &'static str,
) -> Result<&'a Channel, Reply> {
    require_some(caller, row)?;
    let channel = workspace.channel(id).filter(|channel| channel.is_visible(&caller.user));
    let channel = channel.ok_or_else(|| refused("channel_not_found"))?;
    require(caller, &[needed(channel.kind)])?;
    Ok(channel)
}

/// A channel whose messages the caller may read.
pub(super) fn readable<'a>(
    workspace: &'a Workspace,
    caller: &Caller,
    row: &Row,
    id: &str,
) -> Result<&'a Channel, Reply> {
    let channel = channel(workspace, caller, row, id, Kind::history_scope)?;
    if caller.is_bot && !channel.is_member(&caller.user) {
        return Err(refused("not_in_channel"));
    }
    Ok(channel)
}

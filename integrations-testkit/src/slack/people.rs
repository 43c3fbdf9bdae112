//! What do the methods answer that are about users and the workspace?

use serde_json::json;

use super::Slack;
use super::access;
use super::errors::refused;
use super::method::Row;
use super::paging::directory;
use super::query::Query;
use super::roster::Shown;
use crate::oauth::Caller;
use crate::server::Reply;

/// The most users that are sent without a `limit`.
const ALL_AT_ONCE: usize = 1_000;

fn shown(caller: &Caller, query: &Query) -> Result<Shown, Reply> {
    let email = access::has(caller, "users:read.email");
    Ok(Shown { email, locale: query.flag("include_locale")? })
}

/// `users.list`: everybody, also bots and those who were deactivated.
pub(super) fn list(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    access::require(caller, row.scopes)?;
    slack.check_team(query)?;
    let shown = shown(caller, query)?;
    let listing = slack.listing(row, caller, query, 0)?;
    let workspace = slack.workspace();
    if listing.limit.is_none() && workspace.roster.len() > ALL_AT_ONCE {
        return Err(refused("limit_required"));
    }
    let due = |from| workspace.roster.listed(from, shown);
    let page = slack.page(&listing, u64::MAX, due, |user, items| items.extend_from_slice(user.as_bytes()));
    let cache = format!(r#","cache_ts":{}"#, slack.clock.now().timestamp());
    Ok(directory("members", page, &cache))
}

/// `users.info`.
pub(super) fn info(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    access::require(caller, row.scopes)?;
    let user = slack.workspace().roster.show(query.needed("user")?, shown(caller, query)?);
    let user = user.ok_or_else(|| refused("user_not_found"))?;
    Ok(Reply::json(200, json!({"ok": true, "user": user}).to_string()))
}

/// `team.info`.
pub(super) fn team(slack: &Slack, caller: &Caller, row: &Row, query: &Query) -> Result<Reply, Reply> {
    access::require(caller, row.scopes)?;
    let workspace = slack.workspace();
    let ground = &workspace.ground;
    if query.get("team").is_some_and(|team| team != ground.team) {
        return Err(refused("team_not_found"));
    }
    let (name, host) = (&slack.team_name, &ground.host);
    let body = json!({
        "ok": true,
        "team": {
            "id": ground.team,
            "name": name,
            "url": format!("https://{host}/"),
            "domain": host.split('.').next(),
            "email_domain": name,
            "icon": {"image_default": true, "image_34": "https://a.slack-edge.com/80588/img/avatars-teams/ava_0020-34.png"},
            "avatar_base_url": "https://ca.slack-edge.com/",
            "is_verified": false,
        },
    });
    Ok(Reply::json(200, body.to_string()))
}

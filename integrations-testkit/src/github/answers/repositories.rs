//! What is answered about users, installations and repositories?

use http::header::LAST_MODIFIED;
use serde_json::{Value, json};

use super::activity::http_date;
use crate::github::access::Token;
use crate::github::errors::{not_found, refused, unsupported};
use crate::github::hub::{Hub, Seat};
use crate::github::json::Time;
use crate::github::paging::{json as answer, numbered, write};
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::github::user::{Oneself, Sort};
use crate::server::Reply;

/// `users.getAuthenticated`.
pub(super) fn user(request: &Request<'_>, hub: &Hub) -> Result<Reply, Reply> {
    let account = request.caller.account.ok_or_else(|| not_found(request.row().docs))?;
    let mut body = Vec::new();
    write(&request.view(hub).show(Oneself(hub.roster.get(account))), &mut body);
    Ok(answer(body))
}

/// `repos.get`.
pub(super) fn one(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Reply {
    let mut body = Vec::new();
    request.view(hub).put_repository(repository, true, &mut body);
    answer(body).header(LAST_MODIFIED, &http_date(repository.updated))
}

/// How a repository belongs to the caller.
fn affiliation(request: &Request<'_>, hub: &Hub, repository: &Repository) -> &'static str {
    if request.caller.account == Some(repository.owner) {
        "owner"
    } else if hub.roster.get(repository.owner).sort == Sort::Organization {
        "organization_member"
    } else {
        "collaborator"
    }
}

/// `repos.listForAuthenticatedUser`.
pub(super) fn of_user(request: &Request<'_>, hub: &Hub) -> Result<Reply, Reply> {
    let query = &request.query;
    let visibility = query.word("visibility", &["all", "public", "private"])?;
    let kind = query.word("type", &["all", "owner", "public", "private", "member"])?;
    let given = |name| query.get(name).is_some();
    if given("type") && (given("visibility") || given("affiliation")) {
        let message = "If you specify visibility or affiliation, you cannot specify type.";
        return Err(refused(422, message, request.row().docs));
    }
    let every = ["owner", "collaborator", "organization_member"];
    let affiliations: Vec<&str> = match query.get("affiliation") {
        None => every.to_vec(),
        Some(text) => text.split(',').map(str::trim).collect(),
    };
    if let Some(unknown) = affiliations.iter().find(|wanted| !every.contains(wanted)) {
        return Err(unsupported(&format!("affiliation={unknown}")));
    }
    let sort = query.word("sort", &["full_name", "created", "updated", "pushed"])?;
    let descending = query.descends(sort != "full_name")?;
    let (since, before) = (query.time("since")?, query.time("before")?);
    let shows = |repository: &Repository| {
        let how = affiliation(request, hub, repository);
        request.caller.belongs(hub, repository)
            && affiliations.contains(&how)
            && (visibility == "all" || (visibility == "private") == repository.private)
            && match kind {
                "owner" => how == "owner",
                "member" => how != "owner",
                "public" => !repository.private,
                "private" => repository.private,
                _ => true,
            }
            && since.is_none_or(|since| repository.updated >= since)
            && before.is_none_or(|before| repository.updated < before)
    };
    let mut listed: Vec<((i64, String, u64), &Seat)> = Vec::new();
    for (seat, place) in hub.seats.iter().zip(0..) {
        match seat {
            Seat::Repository(repository) if shows(repository) => {
                let name = repository.full_name(hub).to_lowercase();
                let at = match sort {
                    "created" => repository.created,
                    "updated" => repository.updated,
                    "pushed" => repository.pushed,
                    _ => 0,
                };
                listed.push(((at, if sort == "full_name" { name } else { String::new() }, place), seat));
            }
            // Text of the test stands at the end.
            Seat::Raw(_) => listed.push(((i64::MAX, String::new(), place), seat)),
            _ => {}
        }
    }
    listed.sort_by(|one, other| one.0.cmp(&other.0));
    if descending {
        listed.reverse();
    }
    let view = request.view(hub);
    let page = numbered(request, request.per_page(), listed.into_iter(), |(_, seat), out| match seat {
        Seat::Repository(repository) => view.put_repository(repository, false, out),
        Seat::Raw(text) => out.extend_from_slice(text.as_bytes()),
        Seat::Removed => {}
    })?;
    Ok(page.reply(request, "/user/repos"))
}

/// `apps.listReposAccessibleToInstallation` and, `of_user`, the part of it that a user sees as well.
pub(super) fn of_installation(request: &Request<'_>, hub: &Hub, of_user: bool) -> Result<Reply, Reply> {
    let installations = &request.caller.installations;
    let installation = installations.iter().find(|known| !of_user || known.id() == request.asked.number);
    let installation = installation.ok_or_else(|| not_found(request.row().docs))?;
    let narrowed = matches!(&request.caller.token, Token::Installation(_, names) if !names.is_empty());
    let covered = |repository: &&Repository| {
        let owner = &hub.roster.get(repository.owner).login;
        installation.login().eq_ignore_ascii_case(owner)
            && (installation.repositories().is_empty() || hub.lists(installation.repositories(), repository))
            && request.caller.belongs(hub, repository)
    };
    let view = request.view(hub);
    let found = hub.repositories().filter(covered);
    let page = numbered(request, request.per_page(), found, |repository, out| {
        view.put_repository(repository, false, out);
    })?;
    let selection = if narrowed { "selected" } else { installation.selection() };
    let before = format!(
        "{{\"total_count\":{},\"repository_selection\":\"{selection}\",\"repositories\":[",
        page.total
    );
    let path = if of_user {
        format!("/user/installations/{}/repositories", installation.id())
    } else {
        "/installation/repositories".to_owned()
    };
    Ok(page.wrapped(request, &path, &before, "]}"))
}

/// `apps.listInstallationsForAuthenticatedUser`.
pub(super) fn installations(request: &Request<'_>, hub: &Hub) -> Result<Reply, Reply> {
    let (view, github) = (request.view(hub), request.github);
    let page = numbered(request, request.per_page(), request.caller.installations.iter(), |known, out| {
        let account = view.user(hub.roster.find(known.login()));
        let account = serde_json::to_value(account).unwrap_or_default();
        let id = known.id();
        let kind = account["type"].as_str().unwrap_or("Organization").to_owned();
        let installed: Value = json!({
            "id": id,
            "account": account,
            "repository_selection": known.selection(),
            "access_tokens_url": format!("{}/app/installations/{id}/access_tokens", request.api),
            "repositories_url": format!("{}/installation/repositories", request.api),
            "html_url": format!("https://github.com/settings/installations/{id}"),
            "app_id": github.authority.app_id(),
            "client_id": github.authority.client_id(),
            "target_id": account["id"],
            "target_type": kind,
            "permissions": known.permissions(),
            "events": ["issues", "pull_request"],
            "created_at": Time(github.start).to_string(),
            "updated_at": Time(github.start).to_string(),
            "single_file_name": null,
            "suspended_at": null,
            "suspended_by": null,
        });
        write(&installed, out);
    })?;
    let before = format!("{{\"total_count\":{},\"installations\":[", page.total);
    Ok(page.wrapped(request, "/user/installations", &before, "]}"))
}

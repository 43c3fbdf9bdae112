//! What does the REST API answer?

pub(super) mod activity;
pub(super) mod commits;
pub(super) mod issues;
pub(super) mod pulls;
pub(super) mod repositories;
pub(super) mod talk;

use super::errors::{moved, not_found, refused};
use super::hub::Hub;
use super::operation::{Named, Operation};
use super::repository::Repository;
use super::request::Request;
use super::tracker::Departed;
use crate::server::Reply;

/// Answers a request.
pub(super) fn answer(request: &Request<'_>, hub: &Hub) -> Result<Reply, Reply> {
    match request.row().operation {
        Operation::User => repositories::user(request, hub),
        Operation::Repositories => repositories::of_user(request, hub),
        Operation::Installations => repositories::installations(request, hub),
        Operation::InstallationRepositoriesOfUser => repositories::of_installation(request, hub, true),
        Operation::InstallationRepositories => repositories::of_installation(request, hub, false),
        Operation::Notifications => activity::notifications(request, hub),
        Operation::RateLimit => Ok(activity::rate_limit(request)),
        _ => in_repository(request, hub, find(request, hub)?),
    }
}

fn in_repository(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    request.caller.is_permitted(hub, repository, request.row().permissions)?;
    let answer = match request.row().operation {
        Operation::Repository => return Ok(repositories::one(request, hub, repository)),
        Operation::Issues => issues::list,
        Operation::Issue => issues::one,
        Operation::IssueComments => talk::comments_of_issue,
        Operation::IssuesComments => talk::comments,
        Operation::Labels => issues::labels,
        Operation::Milestones => issues::milestones,
        Operation::Pulls => pulls::list,
        Operation::Pull => pulls::one,
        Operation::Reviews => pulls::reviews,
        Operation::PullsComments => talk::review_comments,
        Operation::PullComments => talk::review_comments_of_pull,
        Operation::CheckRuns => commits::check_runs,
        _ => commits::combined_status,
    };
    answer(request, hub, repository)
}

/// The repository that a path names, if the caller may see it; what had the name before leads there.
fn find<'h>(request: &Request<'_>, hub: &'h Hub) -> Result<&'h Repository, Reply> {
    // Of a repository that is not there GitHub does not say what was wanted in it.
    let nothing = || not_found("");
    let (id, now) = match request.asked.repository.as_ref().ok_or_else(nothing)? {
        Named::Id(id) => (*id, true),
        Named::FullName(name) => hub.named(name).ok_or_else(nothing)?,
    };
    let found = hub.repository(id).filter(|repository| request.caller.sees(hub, repository));
    let repository = found.ok_or_else(nothing)?;
    if now {
        return Ok(repository);
    }
    Err(moved(&with_query(request, &format!("{}{}", link_path(repository, ""), request.asked.rest))))
}

/// The path that links have, behind a repository's id.
fn link_path(repository: &Repository, rest: &str) -> String {
    format!("/repositories/{}{rest}", repository.id)
}

fn with_query(request: &Request<'_>, path: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    let query = query.extend_pairs(request.query.iter()).finish();
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{}{path}{mark}{query}", request.api)
}

/// The refusal of an issue that is not here: it was never, was deleted, or is in another repository.
fn no_issue(request: &Request<'_>, hub: &Hub, repository: &Repository, number: u64, rest: &str) -> Reply {
    let docs = request.row().docs;
    match repository.tracker.departed(number) {
        Some(Departed::Deleted) => refused(410, "This issue was deleted", docs),
        Some(Departed::Transferred(id, number)) => {
            match hub.repository(id).filter(|repository| request.caller.sees(hub, repository)) {
                // It may have moved on from there, or have been deleted there.
                Some(repository) if repository.tracker.served(number).is_none() => {
                    no_issue(request, hub, repository, number, rest)
                }
                Some(repository) => {
                    let path = link_path(repository, &format!("/issues/{number}{rest}"));
                    moved(&with_query(request, &path))
                }
                None => not_found(docs),
            }
        }
        None => not_found(docs),
    }
}

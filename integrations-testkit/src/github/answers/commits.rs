//! What is answered about commits?

use std::borrow::Cow;

use super::link_path;
use crate::github::check::{Checks, Combined, Commit, Status, worst};
use crate::github::errors::refused;
use crate::github::hub::Hub;
use crate::github::paging::{json, numbered, write};
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::server::Reply;

/// What is known of the commit that a path names, by its own name or that of a pull request's branch.
fn commit<'r>(request: &Request<'_>, repository: &'r Repository) -> Result<(String, Cow<'r, Checks>), Reply> {
    let reference = &request.asked.reference;
    let by_branch = repository
        .tracker
        .touched()
        .filter_map(|issue| issue.pull.as_ref())
        .find(|pull| pull.head.name == *reference || pull.head.sha == *reference);
    let sha = by_branch.map_or(reference, |pull| &pull.head.sha);
    let known = repository.checks_of(sha).or_else(|| by_branch.map(|_| Cow::Owned(Checks::default())));
    let checks = known
        .ok_or_else(|| refused(422, &format!("No commit found for SHA: {reference}"), request.row().docs))?;
    Ok((sha.clone(), checks))
}

/// `checks.listForRef`.
pub(super) fn check_runs(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let (sha, checks) = commit(request, repository)?;
    let query = &request.query;
    let latest = query.word("filter", &["latest", "all"])? == "latest";
    let status = match query.get("status") {
        None => None,
        Some(_) => Some(query.word("status", &["queued", "in_progress", "completed"])?),
    };
    let mut runs = if latest { checks.latest_runs() } else { checks.runs.iter().rev().collect() };
    runs.retain(|run| {
        query.get("check_name").is_none_or(|name| run.name == name)
            && status.is_none_or(|status| run.status == status)
    });
    let view = request.view(hub);
    let page = numbered(request, request.per_page(), runs.into_iter(), |run, out| {
        write(&view.show(Commit { repository, sha: &sha, item: run }), out);
    })?;
    let before = format!("{{\"total_count\":{},\"check_runs\":[", page.total);
    let path = link_path(repository, &format!("/commits/{sha}/check-runs"));
    Ok(page.wrapped(request, &path, &before, "]}"))
}

/// `repos.getCombinedStatusForRef`.
pub(super) fn combined_status(
    request: &Request<'_>,
    hub: &Hub,
    repository: &Repository,
) -> Result<Reply, Reply> {
    let (sha, checks) = commit(request, repository)?;
    let all = checks.latest_statuses();
    let first = usize::try_from(request.query.page()? - 1).unwrap_or(usize::MAX);
    let (total, verdict) = (all.len(), worst(all.iter().map(|status| Status::verdict(status))));
    let per_page = request.per_page();
    let statuses = all.into_iter().skip(first.saturating_mul(per_page)).take(per_page).collect();
    let combined = Combined { statuses, total, verdict };
    let mut body = Vec::new();
    write(&request.view(hub).show(Commit { repository, sha: &sha, item: &combined }), &mut body);
    Ok(json(body))
}

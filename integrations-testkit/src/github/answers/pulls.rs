//! What is answered about pull requests?

use super::link_path;
use crate::github::errors::not_found;
use crate::github::hub::Hub;
use crate::github::layer::{By, Key, Order, Served};
use crate::github::paging::{json, numbered};
use crate::github::put::patched;
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::server::Reply;

/// `pulls.list`. There is no `since`.
pub(super) fn list(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let query = &request.query;
    let open = query.state("PullRequest")?;
    let by = match query.word("sort", &["created", "updated", "popularity"])? {
        "created" => By::Created,
        "updated" => By::Updated,
        _ => By::Comments,
    };
    // Without a sort, or by the time of making, it goes down, else up.
    let order = Order { by, descending: query.descends(by == By::Created)? };
    let (view, tracker) = (request.view(hub), &repository.tracker);
    let owner = &hub.roster.get(repository.owner).login;
    let branches = |key: &Key| {
        let (head, base) = (query.get("head"), query.get("base"));
        if head.is_none() && base.is_none() {
            return true;
        }
        let issue = tracker.issue(key.id);
        issue.as_ref().and_then(|issue| issue.pull.as_ref()).is_some_and(|pull| {
            head.is_none_or(|head| head == format!("{owner}:{}", pull.head.name))
                && base.is_none_or(|base| base == pull.base.name)
        })
    };
    let shown = |key: &Key| match tracker.gist(key.id) {
        Some(gist) => gist.pull && open.is_none_or(|open| open == gist.open) && branches(key),
        None => tracker.raw_is_pull(key.id) == Some(true),
    };
    let page =
        numbered(request, request.per_page(), tracker.issues(order, None).filter(shown), |key, out| {
            match tracker.served(key.id) {
                Some(Served::Item(issue)) => view.put_pull(repository, &issue, false, out),
                Some(Served::Raw(text)) => out.extend_from_slice(text.as_bytes()),
                None => {}
            }
        })?;
    Ok(page.reply(request, &link_path(repository, "/pulls")))
}

/// `pulls.get`.
pub(super) fn one(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let issue = repository.tracker.issue(request.asked.number).filter(|issue| issue.pull.is_some());
    let issue = issue.ok_or_else(|| not_found(request.row().docs))?;
    let mut body = Vec::new();
    request.view(hub).put_pull(repository, &issue, true, &mut body);
    Ok(json(body))
}

/// `pulls.listReviews`, the oldest first.
pub(super) fn reviews(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let (number, view) = (request.asked.number, request.view(hub));
    let known = repository.tracker.issue(number).is_some_and(|issue| issue.pull.is_some());
    if !known {
        return Err(not_found(request.row().docs));
    }
    let page =
        numbered(request, request.per_page(), repository.tracker.reviews_of(number), |review, out| {
            patched(&view.show((repository, &review)), review.patch.as_ref(), out);
        })?;
    Ok(page.reply(request, &link_path(repository, &format!("/pulls/{number}/reviews"))))
}

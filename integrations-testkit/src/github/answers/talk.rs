//! What is answered about comments?

use super::{link_path, no_issue};
use crate::github::errors::not_found;
use crate::github::hub::Hub;
use crate::github::layer::{By, Key, Order};
use crate::github::paging::numbered;
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::server::Reply;

/// In which order a listing of comments goes. GitHub looks at the direction only where a sort is given, so
/// a direction alone would be ignored.
fn order(request: &Request<'_>) -> Result<Order, Reply> {
    let query = &request.query;
    let by = match query.word("sort", &["created", "updated"])? {
        "created" => By::Created,
        _ => By::Updated,
    };
    let descending = query.descends(false)?;
    if query.get("sort").is_none() && query.get("direction").is_some() {
        return Err(crate::github::errors::unsupported("direction without sort"));
    }
    Ok(Order { by, descending })
}

/// Whether a comment was updated since; `updated` is asked only where its place does not tell.
fn is_recent(order: Order, since: Option<i64>, key: Key, updated: impl FnOnce() -> Option<i64>) -> bool {
    match since {
        None => true,
        Some(since) if order.by == By::Updated => key.at >= since,
        // Text of the test has only the time at which it came.
        Some(since) => updated().unwrap_or(key.at) >= since,
    }
}

/// `issues.listCommentsForRepo`.
pub(super) fn comments(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let (order, since) = (order(request)?, request.query.time("since")?);
    let (view, tracker) = (request.view(hub), &repository.tracker);
    let updated = |id| tracker.comment_owned(id).map(|comment| comment.updated);
    let recent = |key: &Key| is_recent(order, since, *key, || updated(key.id));
    let comments = tracker.comments(order, None).filter(recent);
    let page = numbered(request, request.per_page(), comments, |key, out| {
        view.put_served_comment(repository, key.id, out);
    })?;
    Ok(page.reply(request, &link_path(repository, "/issues/comments")))
}

/// `issues.listComments`: of an issue or a pull request.
pub(super) fn comments_of_issue(
    request: &Request<'_>,
    hub: &Hub,
    repository: &Repository,
) -> Result<Reply, Reply> {
    let number = request.asked.number;
    if repository.tracker.served(number).is_none() {
        return Err(no_issue(request, hub, repository, number, "/comments"));
    }
    let (view, tracker) = (request.view(hub), &repository.tracker);
    let since = request.query.time("since")?.unwrap_or(i64::MIN);
    let comments = tracker.comments_of(number).filter_map(|id| tracker.comment_owned(id));
    let comments = comments.filter(|comment| comment.updated >= since);
    let page = numbered(request, request.per_page(), comments, |comment, out| {
        view.put_comment(repository, &comment, out);
    })?;
    Ok(page.reply(request, &link_path(repository, &format!("/issues/{number}/comments"))))
}

/// `pulls.listReviewCommentsForRepo`.
pub(super) fn review_comments(
    request: &Request<'_>,
    hub: &Hub,
    repository: &Repository,
) -> Result<Reply, Reply> {
    let (order, since) = (order(request)?, request.query.time("since")?);
    let (view, tracker) = (request.view(hub), &repository.tracker);
    let updated = |id| tracker.review_comment_owned(id).map(|comment| comment.updated);
    let recent = |key: &Key| is_recent(order, since, *key, || updated(key.id));
    let comments = tracker.review_comments(order, None).filter(recent);
    let page = numbered(request, request.per_page(), comments, |key, out| {
        view.put_review_comment(repository, key.id, out);
    })?;
    Ok(page.reply(request, &link_path(repository, "/pulls/comments")))
}

/// `pulls.listReviewComments`.
pub(super) fn review_comments_of_pull(
    request: &Request<'_>,
    hub: &Hub,
    repository: &Repository,
) -> Result<Reply, Reply> {
    let number = request.asked.number;
    let (order, since) = (order(request)?, request.query.time("since")?.unwrap_or(i64::MIN));
    let (view, tracker) = (request.view(hub), &repository.tracker);
    let known = tracker.issue(number).is_some_and(|issue| issue.pull.is_some());
    if !known {
        return Err(not_found(request.row().docs));
    }
    let comments = tracker.review_comments_of(number).filter_map(|id| tracker.review_comment_owned(id));
    let mut comments: Vec<_> = comments.filter(|comment| comment.updated >= since).collect();
    comments.sort_by_key(|comment| {
        (if order.by == By::Updated { comment.updated } else { comment.created }, comment.id)
    });
    if order.descending {
        comments.reverse();
    }
    let page = numbered(request, request.per_page(), comments.into_iter(), |comment, out| {
        view.put_review_comment(repository, comment.id, out);
    })?;
    Ok(page.reply(request, &link_path(repository, &format!("/pulls/{number}/comments"))))
}

//! How does what people say of an issue or a change become a comment of the model?

use integrations_core::model::{Comment, CommentKind, Raw, Record, ReviewState, Source};
use integrations_core::normalize::{ItemContext, ItemError};

use super::address::Address;
use super::graphql::GraphReview;
use super::kind::{Kind, comment_id, issue_id, review_comment_id, review_id};
use super::people::{actor, person};
use super::wire::{Time, WireItem, filled};

/// A comment, a comment on a place in a change, or a review.
pub(super) fn comment(
    wire: WireItem<'_>,
    kind: Kind,
    item: &Raw,
    context: &ItemContext<'_>,
) -> Result<Record, ItemError> {
    let Some(id) = &wire.id else { return Err(ItemError::new("$", "missing field `id`")) };
    let (id, kind) = match kind {
        Kind::Review => (review_id(&id.0), CommentKind::Review),
        Kind::ReviewComment => (review_comment_id(&id.0), CommentKind::ReviewComment),
        _ => (comment_id(&id.0), CommentKind::Comment),
    };
    let mut comment = Comment::new(id, kind);
    let page = wire.html_url.as_deref().and_then(Address::page);
    let issue =
        [&wire.issue_url, &wire.pull_request_url].into_iter().flatten().find_map(|url| Address::api(url));
    let issue = issue.filter(|issue| issue.number().is_some()).or(page);
    comment.project = issue.map(|issue| issue.project.to_owned());
    comment.issue_number = issue.and_then(Address::number);
    comment.issue_id = comment.issue_number.map(issue_id);
    comment.answers = wire.in_reply_to_id.map(|id| review_comment_id(&id.to_string()));
    comment.author = wire.user.and_then(person);
    comment.body = filled(wire.body);
    if comment.kind == CommentKind::Review {
        comment.review = wire.state.as_deref().map(verdict);
    }
    comment.path = wire.path;
    // The line is null where the change has moved on.
    comment.line = wire.line.or(wire.original_line);
    comment.reactions = wire.reactions.0;
    comment.created_at = wire.created_at.or(wire.submitted_at).map(|Time(at)| at);
    let (version, updated_at) = wire.updated_at.map(|stamp| (stamp.text, stamp.at)).unzip();
    comment.updated_at = updated_at;
    let source = Source {
        service: context.stream.service.clone(),
        id: comment.id.clone(),
        version,
        link: filled(wire.html_url),
        modified_at: updated_at.or(comment.created_at),
    };
    Ok(Record { entity: comment.into(), source, raw: item.clone() })
}

/// A review that GraphQL has told, with the number of its pull request and the address of the repository.
pub(super) fn graphql_review(
    review: GraphReview<'_>,
    wire: &WireItem<'_>,
    item: &Raw,
    context: &ItemContext<'_>,
) -> Result<Record, ItemError> {
    let id = review.full_database_id.or(review.database_id);
    let Some(id) = id else { return Err(ItemError::new("$.review", "missing field `fullDatabaseId`")) };
    let mut comment = Comment::new(review_id(&id.0), CommentKind::Review);
    let repository = wire.repository_url.as_deref().and_then(Address::api);
    comment.project = repository.map(|repository| repository.project.to_owned());
    comment.issue_number = wire.number;
    comment.issue_id = wire.number.map(issue_id);
    comment.author = review.author.and_then(actor);
    comment.body = filled(review.body);
    comment.review = review.state.as_deref().map(verdict);
    comment.created_at = review.submitted_at.map(|Time(at)| at);
    let (version, updated_at) = review.updated_at.map(|stamp| (stamp.text, stamp.at)).unzip();
    comment.updated_at = updated_at;
    let source = Source {
        service: context.stream.service.clone(),
        id: comment.id.clone(),
        version,
        link: filled(review.url),
        modified_at: updated_at.or(comment.created_at),
    };
    Ok(Record { entity: comment.into(), source, raw: item.clone() })
}

/// What a review says. The API writes its words in capitals, webhooks in small letters.
fn verdict(word: &str) -> ReviewState {
    let small = word.to_ascii_lowercase();
    match small.as_str() {
        "approved" => ReviewState::Approved,
        "changes_requested" => ReviewState::ChangesRequested,
        "commented" => ReviewState::Commented,
        "dismissed" => ReviewState::Dismissed,
        "pending" => ReviewState::Pending,
        _ => ReviewState::Other(word.into()),
    }
}

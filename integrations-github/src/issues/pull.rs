//! What has a pull request beside what an issue has?
//!
//! A list of issues shows pull requests as issues; a list of pull requests shows their branches. Whether one was
//! approved, whether its checks passed and how large it is, GraphQL tells for many at once. Where both say
//! something, GraphQL counts: it was asked later.

use integrations_core::model::{CheckState, PersonRef, PullRequest, ReviewState};

use super::graphql::PullDetails;
use super::people::{actor, person, team};
use super::wire::{Time, WireBranch, WireItem, filled};

/// Whether it was taken in.
pub(super) fn is_merged(wire: &WireItem<'_>) -> bool {
    wire.merged == Some(true)
        || wire.merged_at.is_some()
        || wire.pull_request.as_ref().is_some_and(|links| links.merged_at.is_some())
        || wire
            .graphql
            .as_ref()
            .is_some_and(|details| details.merged_at.is_some() || details.merged == Some(true))
}

/// What it has beside what an issue has; and who took it in.
pub(super) fn pull(wire: &mut WireItem<'_>) -> (PullRequest, Option<PersonRef>) {
    let mut pull = PullRequest::default();
    let mut merged_by = wire.merged_by.take().and_then(person);
    pull.draft = wire.draft == Some(true);
    let linked = wire.pull_request.as_ref().and_then(|links| links.merged_at);
    pull.merged_at = wire.merged_at.or(linked).map(|Time(at)| at);
    pull.mergeable = wire.mergeable;
    (pull.additions, pull.deletions, pull.changed_files) =
        (wire.additions, wire.deletions, wire.changed_files);
    let (head, base) = (wire.head.take(), wire.base.take());
    if let Some(head) = head {
        pull.source_branch = source(&head, base.as_ref());
        pull.head_sha = filled(head.sha);
    }
    pull.target_branch = base.and_then(|base| filled(base.name));
    let asked = std::mem::take(&mut wire.requested_reviewers).into_iter().filter_map(person);
    let teams = std::mem::take(&mut wire.requested_teams).into_iter().filter_map(team);
    pull.requested_reviewers = asked.chain(teams).collect();
    if let Some(details) = wire.graphql.take() {
        merged_by = add(&mut pull, *details).or(merged_by);
    }
    (pull, merged_by)
}

/// The branch by its name, or `owner:name` where it is another repository's.
fn source(head: &WireBranch<'_>, base: Option<&WireBranch<'_>>) -> Option<String> {
    let (from, to) = (repository(head), base.and_then(repository));
    let same = from.is_some() && from == to;
    let label = if same { None } else { filled(head.label.clone()) };
    label.or_else(|| filled(head.name.clone()))
}

fn repository<'a>(branch: &'a WireBranch<'_>) -> Option<&'a str> {
    branch.repo.as_ref()?.full_name.as_deref()
}

/// Takes over what GraphQL says; returns who took the change in.
fn add(pull: &mut PullRequest, details: PullDetails<'_>) -> Option<PersonRef> {
    pull.draft = details.is_draft.unwrap_or(pull.draft);
    pull.merged_at = details.merged_at.map(|Time(at)| at).or(pull.merged_at);
    pull.mergeable = match details.mergeable.as_deref() {
        Some("MERGEABLE") => Some(true),
        Some("CONFLICTING") => Some(false),
        // `UNKNOWN` while GitHub finds out.
        _ => pull.mergeable,
    };
    pull.review = details.review_decision.as_deref().map(decision);
    pull.head_sha = details.head_ref_oid.or(pull.head_sha.take());
    pull.target_branch = filled(details.base_ref_name).or(pull.target_branch.take());
    let owner = details.head_repository_owner.and_then(|owner| owner.login);
    pull.source_branch = match (filled(details.head_ref_name), owner) {
        (Some(name), Some(owner)) if details.is_cross_repository == Some(true) => {
            Some(format!("{}:{name}", &*owner))
        }
        (Some(name), _) => Some(name),
        (None, _) => pull.source_branch.take(),
    };
    pull.additions = details.additions.or(pull.additions);
    pull.deletions = details.deletions.or(pull.deletions);
    pull.changed_files = details.changed_files.or(pull.changed_files);
    if let Some(requests) = details.review_requests.and_then(|requests| requests.nodes) {
        let asked = requests.into_iter().flatten().filter_map(|request| request.requested_reviewer);
        pull.requested_reviewers = asked.filter_map(actor).collect();
    }
    let last = details.commits.and_then(|commits| commits.nodes?.pop()?);
    let rollup = last.and_then(|node| node.commit?.status_check_rollup?.state);
    pull.checks = rollup.as_deref().map(rolled_up);
    details.merged_by.and_then(actor)
}

/// `PullRequestReviewDecision`.
fn decision(word: &str) -> ReviewState {
    match word {
        "APPROVED" => ReviewState::Approved,
        "CHANGES_REQUESTED" => ReviewState::ChangesRequested,
        "REVIEW_REQUIRED" => ReviewState::Pending,
        other => ReviewState::Other(other.into()),
    }
}

/// `StatusState`.
fn rolled_up(word: &str) -> CheckState {
    match word {
        "SUCCESS" => CheckState::Success,
        "FAILURE" | "ERROR" => CheckState::Failure,
        "PENDING" | "EXPECTED" => CheckState::Pending,
        other => CheckState::Other(other.into()),
    }
}

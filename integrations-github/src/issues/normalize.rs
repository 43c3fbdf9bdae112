//! How does an item of GitHub's become a record of the model?

use integrations_core::json;
use integrations_core::model::{
    Change, Issue, IssueKind, IssueLabel, IssueState, Milestone, Raw, Record, Source,
};
use integrations_core::normalize::{ItemContext, ItemError, Normalizer};

use super::address::Address;
use super::comment::{comment, graphql_review};
use super::kind::{Kind, id_of_unreadable, issue_id, kind};
use super::notification::notification;
use super::people::person;
use super::pull::{is_merged, pull};
use super::wire::{Time, WireItem, WireMilestone, WireNamed, filled};

const NOTHING_KNOWN: &str =
    "neither an issue, nor a pull request, nor a comment, nor a review, nor a notification";

/// Maps issues and pull requests, what is said of them, and notifications: each as the REST API sends it, alone
/// or in a list, and as it stands in a webhook's payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct GitHubNormalizer;

impl Normalizer for GitHubNormalizer {
    fn normalize(&self, item: &Raw, context: &ItemContext<'_>) -> Result<Change, ItemError> {
        json::decode_item(item.as_bytes())
            .and_then(|wire| record(wire, item, context))
            .map(Change::Upsert)
            .map_err(|error| error.with_id(id_of_unreadable(item)))
    }
}

fn record(mut wire: WireItem<'_>, item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    let mut path = "$";
    if let Some(rest) = wire.rest.take() {
        let graphql = wire.graphql.take();
        wire = WireItem { graphql, ..*rest };
        path = "$.rest";
    }
    match (kind(|field| wire.has(field), address(&wire)), wire.review.take()) {
        (_, Some(review)) => graphql_review(*review, &wire, item, context),
        (Some(Kind::Issue), _) => issue(wire, item, context),
        (Some(Kind::Notification), _) => notification(wire, item, context),
        (Some(kind), _) => comment(wire, kind, item, context),
        (None, _) => Err(ItemError::new(path, NOTHING_KNOWN)),
    }
}

/// Where an item says that it is.
fn address<'a>(wire: &'a WireItem<'_>) -> Option<Address<'a>> {
    let url = wire.url.as_deref().and_then(Address::api);
    url.or_else(|| wire.html_url.as_deref().and_then(Address::page))
}

fn issue(mut wire: WireItem<'_>, item: &Raw, context: &ItemContext<'_>) -> Result<Record, ItemError> {
    let Some(number) = wire.number else { return Err(ItemError::new("$", "missing field `number`")) };
    let (address, merged) = (address(&wire), is_merged(&wire));
    let is_pull = wire.pull_request.is_some()
        || wire.head.is_some()
        || wire.graphql.is_some()
        || address.is_some_and(Address::is_pull);
    let kind = if is_pull { IssueKind::PullRequest } else { IssueKind::Issue };
    let mut issue = Issue::new(issue_id(number), kind);
    issue.number = Some(number);
    let repository = wire.repository_url.as_deref().and_then(Address::api).or(address);
    issue.project = repository.map(|repository| repository.project.to_owned());
    if let Some(full_name) = wire.repository.take().and_then(|repository| filled(repository.full_name)) {
        issue.project = Some(full_name);
    }
    issue.state = match wire.state.as_deref() {
        _ if merged => IssueState::Merged,
        Some(word) => state(word),
        None if wire.closed_at.is_some() => IssueState::Closed,
        None => IssueState::Open,
    };
    if is_pull {
        let (pull, merged_by) = pull(&mut wire);
        issue.pull = Some(Box::new(pull));
        issue.closed_by = merged_by;
    }
    issue.title = filled(wire.title);
    issue.body = filled(wire.body);
    issue.state_reason = filled(wire.state_reason);
    issue.issue_type = wire.issue_type.and_then(|issue_type| filled(issue_type.name));
    issue.author = wire.user.and_then(person);
    issue.assignees = wire.assignees.into_iter().filter_map(person).collect();
    if issue.assignees.is_empty() {
        issue.assignees.extend(wire.assignee.and_then(person));
    }
    issue.closed_by = wire.closed_by.and_then(person).or(issue.closed_by);
    issue.labels = wire.labels.into_iter().filter_map(label).collect();
    issue.milestone = wire.milestone.and_then(milestone);
    issue.locked = wire.locked == Some(true);
    issue.lock_reason = filled(wire.active_lock_reason);
    issue.comment_count = wire.comments;
    issue.reactions = wire.reactions.0;
    issue.created_at = wire.created_at.map(|Time(at)| at);
    issue.closed_at = wire.closed_at.map(|Time(at)| at);
    let (version, updated_at) = wire.updated_at.map(|stamp| (stamp.text, stamp.at)).unzip();
    issue.updated_at = updated_at;
    let source = Source {
        service: context.stream.service.clone(),
        id: issue.id.clone(),
        version,
        link: filled(wire.html_url),
        modified_at: updated_at,
    };
    Ok(Record { entity: issue.into(), source, raw: item.clone() })
}

fn state(word: &str) -> IssueState {
    match word {
        "open" => IssueState::Open,
        "closed" => IssueState::Closed,
        other => IssueState::Other(other.into()),
    }
}

/// A label without a name is none.
fn label(wire: WireNamed) -> Option<IssueLabel> {
    let colour = |text: &str| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(IssueLabel {
        id: wire.id.map(|id| id.0),
        name: filled(wire.name)?,
        color: wire.color.filter(|text| colour(text)).map(|text| ["#", &text].concat()),
    })
}

/// Milestones are named by their number wherever the API asks for one.
fn milestone(wire: WireMilestone<'_>) -> Option<Milestone> {
    let (id, title) = (wire.number.map(|number| number.to_string()), filled(wire.title));
    (id.is_some() || title.is_some()).then(|| Milestone {
        id,
        title: title.unwrap_or_default(),
        due_at: wire.due_on.map(|Time(at)| at),
        state: wire.state.as_deref().map(state).unwrap_or_default(),
    })
}

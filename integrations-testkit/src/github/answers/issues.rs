//! What is answered about issues, labels and milestones?

use super::{link_path, no_issue};
use crate::github::errors::{invalid, refused};
use crate::github::hub::Hub;
use crate::github::issue::Issue;
use crate::github::layer::{By, Key, Order, Served};
use crate::github::paging::{check_number, cursored, json, numbered, write};
use crate::github::repository::Repository;
use crate::github::request::Request;
use crate::github::user::UserKey;
use crate::server::Reply;

/// One of the things that an issue may have, none of them, or any.
enum Wanted<T> {
    One(T),
    Any,
    None,
    /// What nothing has.
    Nothing,
}

impl<T: PartialEq> Wanted<T> {
    fn of(text: &str, find: impl FnOnce(&str) -> Option<T>) -> Self {
        match text {
            "*" => Self::Any,
            "none" => Self::None,
            other => find(other).map_or(Self::Nothing, Self::One),
        }
    }

    fn admits(&self, had: &[T]) -> bool {
        match self {
            Self::One(wanted) => had.contains(wanted),
            Self::Any => !had.is_empty(),
            Self::None => had.is_empty(),
            Self::Nothing => false,
        }
    }
}

/// What a listing of issues leaves out.
struct Filter {
    open: Option<bool>,
    since: Option<i64>,
    assignee: Option<Wanted<UserKey>>,
    creator: Option<Wanted<UserKey>>,
    milestone: Option<Wanted<u64>>,
    labels: Vec<Option<u64>>,
}

impl Filter {
    fn of(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Self, Reply> {
        let query = &request.query;
        let user = |name| query.get(name).map(|text| Wanted::of(text, |login| hub.roster.find(login)));
        let milestone = match query.get("milestone") {
            Some(text) if !matches!(text, "*" | "none") && text.parse::<u64>().is_err() => {
                return Err(invalid("Issue", "milestone", text, request.row().docs));
            }
            other => other.map(|text| Wanted::of(text, |number| number.parse().ok())),
        };
        let names = query.get("labels").into_iter().flat_map(|names| names.split(','));
        let label = |name: &str| repository.label_named(name.trim()).map(|label| label.id);
        Ok(Self {
            open: query.state("Issue")?,
            since: query.time("since")?,
            assignee: user("assignee"),
            creator: user("creator"),
            milestone,
            labels: names.filter(|name| !name.is_empty()).map(label).collect(),
        })
    }

    /// Whether all that is asked for is known without making an issue up.
    fn is_quick(&self) -> bool {
        let given = self.assignee.is_some() || self.creator.is_some() || self.milestone.is_some();
        !given && self.labels.is_empty()
    }

    fn shows(&self, issue: &Issue) -> bool {
        let author: Vec<UserKey> = issue.author.into_iter().collect();
        let milestone: Vec<u64> = issue.milestone.into_iter().collect();
        self.labels.iter().all(|label| label.is_some_and(|label| issue.labels.contains(&label)))
            && self.assignee.as_ref().is_none_or(|wanted| wanted.admits(&issue.assignees))
            && self.creator.as_ref().is_none_or(|wanted| wanted.admits(&author))
            && self.milestone.as_ref().is_none_or(|wanted| wanted.admits(&milestone))
    }

    /// Whether a listing shows what is at a place; text of the test is shown as far as its time is right.
    fn admits(&self, repository: &Repository, key: Key, by: By) -> bool {
        let since = self.since.unwrap_or(i64::MIN);
        let Some(gist) = repository.tracker.gist(key.id) else {
            let here = repository.tracker.raw_is_pull(key.id) == Some(false);
            return here && (by == By::Comments || key.at >= since);
        };
        self.open.is_none_or(|open| open == gist.open)
            && gist.updated >= since
            && (self.is_quick() || repository.tracker.issue(key.id).is_some_and(|issue| self.shows(&issue)))
    }
}

/// `issues.listForRepo`: issues and pull requests.
pub(super) fn list(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    has_issues(request, repository)?;
    let filter = Filter::of(request, hub, repository)?;
    let by = match request.query.word("sort", &["created", "updated", "comments"])? {
        "created" => By::Created,
        "updated" => By::Updated,
        _ => By::Comments,
    };
    let order = Order { by, descending: request.query.descends(true)? };
    let (per_page, view, tracker) = (request.per_page(), request.view(hub), &repository.tracker);
    // What is older than `since` need not be passed over one by one.
    let oldest = filter.since.filter(|_| by == By::Updated);
    let items = |from: Option<Key>, turned: bool| {
        let order = if turned { order.reversed() } else { order };
        let from = match (from, oldest) {
            (None, Some(since)) if !order.descending => Some(Key { at: since - 1, id: u64::MAX }),
            _ => from,
        };
        let recent = move |key: &Key| !order.descending || oldest.is_none_or(|since| key.at >= since);
        let filter = &filter;
        tracker.issues(order, from).take_while(recent).filter(move |&key| filter.admits(repository, key, by))
    };
    let put = |key: Key, out: &mut Vec<u8>| view.put_served_issue(repository, key.id, out);
    let by_cursor = request.query.get("after").is_some() || request.query.get("before").is_some();
    let page = if request.github.settings.numbered_links {
        if by_cursor {
            return Err(crate::github::errors::unsupported("cursors where links are numbered"));
        }
        numbered(request, per_page, items(None, false), put)?
    } else if by_cursor || request.query.page()? == 1 {
        cursored(request, per_page, items, put)?
    } else {
        check_number(request, per_page)?;
        numbered(request, per_page, items(None, false), put)?
    };
    Ok(page.reply(request, &link_path(repository, "/issues")))
}

fn has_issues(request: &Request<'_>, repository: &Repository) -> Result<(), Reply> {
    if repository.has_issues {
        return Ok(());
    }
    Err(refused(410, "Issues are disabled for this repo", request.row().docs))
}

/// `issues.get`: an issue, or a pull request as one.
pub(super) fn one(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let number = request.asked.number;
    let mut body = Vec::new();
    match repository.tracker.served(number) {
        Some(Served::Item(issue)) => {
            if issue.pull.is_none() {
                has_issues(request, repository)?;
            }
            request.view(hub).put_issue(repository, &issue, true, &mut body);
        }
        Some(Served::Raw(text)) => body.extend_from_slice(text.as_bytes()),
        None => return Err(no_issue(request, hub, repository, number, "")),
    }
    Ok(json(body))
}

/// `issues.listLabelsForRepo`.
pub(super) fn labels(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let view = request.view(hub);
    let page = numbered(request, request.per_page(), repository.labels.iter(), |label, out| {
        write(&view.show((repository, label)), out);
    })?;
    Ok(page.reply(request, &link_path(repository, "/labels")))
}

/// `issues.listMilestones`.
pub(super) fn milestones(request: &Request<'_>, hub: &Hub, repository: &Repository) -> Result<Reply, Reply> {
    let (view, open) = (request.view(hub), request.query.state("Milestone")?);
    let by_date = request.query.word("sort", &["due_on", "completeness"])? == "due_on";
    let descending = request.query.descends(false)?;
    let mut milestones: Vec<_> = repository.milestones.iter().collect();
    milestones.retain(|milestone| open.is_none_or(|open| open == milestone.closed.is_none()));
    milestones.sort_by_key(|milestone| {
        let (open, closed) = repository.milestone_counts(milestone.number);
        let percent = i64::try_from(closed * 100 / (open + closed).max(1)).unwrap_or(0);
        (if by_date { milestone.due.unwrap_or(i64::MAX) } else { percent }, milestone.number)
    });
    if descending {
        milestones.reverse();
    }
    let page = numbered(request, request.per_page(), milestones.into_iter(), |milestone, out| {
        write(&view.show((repository, milestone)), out);
    })?;
    Ok(page.reply(request, &link_path(repository, "/milestones")))
}

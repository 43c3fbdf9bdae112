//! What is there to do: which tasks are open, which issues are the user's to see to, and who waits for a review?

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use integrations_core::Result;
use integrations_core::connection::{Connection, ServiceId};
use integrations_core::model::identity::Someone;
use integrations_core::model::{
    CheckState, IssueState, PersonRef, PullRequest, RecordKind, ReviewState, Task, TaskStatus,
};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::{RecordQuery, StoredRecord};

use super::agenda::Titles;

const PAGE: u32 = 200;

/// Something that is not done.
pub(crate) struct Open {
    pub(crate) service: ServiceId,
    pub(crate) kind: Work,
    pub(crate) title: String,
    /// The list of a task, or the number of an issue behind its project.
    pub(crate) list: String,
    pub(crate) due: Option<NaiveDate>,
    /// Whether it is a part of the one before it.
    pub(crate) part: bool,
    /// How far it is, in words.
    pub(crate) state: Vec<String>,
    /// What the machines say of a change.
    pub(crate) checks: Option<CheckState>,
}

/// What waits for the user, in the order in which others wait for them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// A pull request that they are asked to look at.
    Review,
    /// A pull request of theirs.
    Pull,
    Issue,
    Task,
}

impl Work {
    /// In JSON.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Pull => "pull_request",
            Self::Issue => "issue",
            Self::Task => "task",
        }
    }
}

/// Reads what is open: what is due first comes first, and the parts of a task behind it.
pub(crate) async fn open_work(
    store: &SqliteStore,
    user: &str,
    connections: &[&Connection],
    zone: Tz,
    titles: &Titles,
) -> Result<Vec<Open>> {
    let all = |kind| RecordQuery::new().owner(user).kind(kind);
    let mut work: Vec<Vec<Open>> = Vec::new();
    let mut query = all(RecordKind::Issue).limit(PAGE);
    loop {
        let page = store.records(&query).await?;
        let Some(last) = page.last() else { break };
        query = query.after(last.cursor());
        work.extend(page.iter().filter_map(|record| Some(vec![for_one_of(connections, record, zone)?])));
    }
    let tasks = store.records(&all(RecordKind::Task)).await?;
    work.extend(tasks_with_parts(&tasks, zone, titles));
    work.sort_by_key(|work| work.first().map(|first| (first.due.is_none(), first.due, first.kind)));
    Ok(work.into_iter().flatten().collect())
}

/// An issue that is assigned to the user, or a change that they are asked to look at.
fn for_one_of(connections: &[&Connection], record: &StoredRecord, zone: Tz) -> Option<Open> {
    let issue = record.entity.as_issue().filter(|issue| issue.state == IssueState::Open)?;
    let connection = connections.iter().find(|connection| connection.id == record.stream.connection)?;
    let me = Someone::account(&connection.service, &connection.account);
    let is_me = |one: &PersonRef| Someone::named(&record.stream.service, one).same(&me).is_some();
    let pull = issue.pull.as_deref();
    let is_asked = pull.is_some_and(|pull| pull.requested_reviewers.iter().any(is_me));
    if !is_asked && !issue.assignees.iter().any(is_me) {
        return None;
    }
    let project = issue.project.as_deref().unwrap_or_default();
    let due = issue.milestone.as_ref().and_then(|milestone| milestone.due_at);
    Some(Open {
        service: record.stream.service.clone(),
        kind: if is_asked { Work::Review } else { pull.map_or(Work::Issue, |_| Work::Pull) },
        title: issue.title.clone().unwrap_or_else(|| "(untitled)".to_owned()),
        list: issue.number.map_or_else(|| project.to_owned(), |number| format!("{project}#{number}")),
        due: due.map(|due| due.with_timezone(&zone).date_naive()),
        part: false,
        state: match pull {
            Some(pull) => state_of(pull, is_asked),
            None => issue.labels.iter().map(|label| label.name.clone()).collect(),
        },
        checks: pull.and_then(|pull| pull.checks.clone()),
    })
}

/// What those who looked at it say.
fn state_of(pull: &PullRequest, is_asked: bool) -> Vec<String> {
    let review = match &pull.review {
        Some(ReviewState::Approved) => "approved",
        Some(ReviewState::ChangesRequested) => "changes asked for",
        _ => "",
    };
    let words = [if is_asked { "your review" } else { "" }, review];
    words.into_iter().filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The open tasks, each before its parts.
fn tasks_with_parts(records: &[StoredRecord], zone: Tz, titles: &Titles) -> Vec<Vec<Open>> {
    let open = records.iter().filter_map(|record| Some((&record.stream, record.entity.as_task()?)));
    let open: Vec<_> = open.filter(|(_, task)| is_open(task)).collect();
    let mut parts: HashMap<_, Vec<_>> = HashMap::new();
    let mut whole = Vec::new();
    for (stream, task) in &open {
        let parent = task
            .parent_id
            .as_deref()
            .filter(|parent| open.iter().any(|(other, task)| (other, task.id.as_str()) == (stream, parent)));
        match parent {
            Some(parent) => parts.entry((*stream, parent)).or_default().push(*task),
            None => whole.push((*stream, *task)),
        }
    }
    whole
        .sort_by_key(|(stream, task)| (titles.of(&stream.connection, &stream.stream), task.position.clone()));
    let mut all = Vec::new();
    for (stream, task) in whole {
        let list = titles.of(&stream.connection, &stream.stream);
        let line = |task: &Task, part| Open {
            service: stream.service.clone(),
            kind: Work::Task,
            title: task.title.clone().unwrap_or_else(|| "(untitled)".to_owned()),
            list: list.clone(),
            due: task.due.as_ref().map(|due| due.date_in(zone)),
            part,
            state: Vec::new(),
            checks: None,
        };
        let mut group = vec![line(task, false)];
        let mut below = parts.remove(&(stream, task.id.as_str())).unwrap_or_default();
        below.sort_by_key(|task| task.position.as_deref());
        group.extend(below.into_iter().map(|task| line(task, true)));
        all.push(group);
    }
    all
}

pub(crate) fn is_open(task: &Task) -> bool {
    matches!(task.status, TaskStatus::Open | TaskStatus::InProgress) && !task.hidden
}

//! What is there to do?

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use integrations_core::Result;
use integrations_core::model::{RecordKind, Task, TaskStatus};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;

use super::agenda::Titles;

/// A task that is not done.
pub(crate) struct Open {
    pub(crate) title: String,
    pub(crate) list: String,
    pub(crate) due: Option<NaiveDate>,
    /// Whether it is a part of the one before it.
    pub(crate) part: bool,
}

/// Reads the open tasks: what is due first comes first, and the parts of a task behind it.
pub(crate) async fn open_tasks(
    store: &SqliteStore,
    user: &str,
    zone: Tz,
    titles: &Titles,
) -> Result<Vec<Open>> {
    let records = store.records(&RecordQuery::new().owner(user).kind(RecordKind::Task)).await?;
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
    let due = |task: &Task| task.due.as_ref().map(|due| due.date_in(zone));
    whole.sort_by_key(|(stream, task)| {
        let due = due(task);
        (due.is_none(), due, titles.of(&stream.connection, &stream.stream), task.position.clone())
    });
    let mut all = Vec::new();
    for (stream, task) in whole {
        let list = titles.of(&stream.connection, &stream.stream);
        let line = |task: &Task, part| Open {
            title: task.title.clone().unwrap_or_else(|| "(untitled)".to_owned()),
            list: list.clone(),
            due: due(task),
            part,
        };
        all.push(line(task, false));
        let mut below = parts.remove(&(stream, task.id.as_str())).unwrap_or_default();
        below.sort_by_key(|task| task.position.as_deref());
        all.extend(below.into_iter().map(|task| line(task, true)));
    }
    Ok(all)
}

pub(crate) fn is_open(task: &Task) -> bool {
    matches!(task.status, TaskStatus::Open | TaskStatus::InProgress) && !task.hidden
}

//! Which tasks does `tasks.list` show, and which lists `tasklists.list`?

use serde_json::json;

use super::list::{Entry, TaskList};
use super::task::{Facts, KINDS, etag};
use crate::google::Google;
use crate::google::errors;
use crate::google::event::instant;
use crate::google::listing::SCAN_LIMIT;
use crate::google::paging::Paging;
use crate::google::query::Query;
use crate::google::tokens::{Cursor, Kind};
use crate::random::{hash_text, mix};
use crate::server::Reply;

/// What a listing leaves out. Lower bounds are inclusive, upper ones exclusive, in milliseconds.
struct Filter {
    /// Which of [`KINDS`] it leaves out.
    without: [bool; 4],
    updated_min: Option<i64>,
    completed_in: (Option<i64>, Option<i64>),
    due_in: (Option<i64>, Option<i64>),
}

impl Filter {
    fn of(query: &Query) -> Result<Self, Reply> {
        let mut without = [false; 4];
        for (without, (name, by_default)) in without.iter_mut().zip(KINDS) {
            *without = if query.get(name).is_some() { !query.flag(name)? } else { !by_default };
        }
        Ok(Self {
            without,
            updated_min: query.time("updatedMin")?,
            completed_in: (query.time("completedMin")?, query.time("completedMax")?),
            due_in: (query.time("dueMin")?, query.time("dueMax")?),
        })
    }

    fn shows(&self, task: &Facts) -> bool {
        let within = |(min, max): (Option<i64>, Option<i64>), time: Option<i64>| {
            min.is_none_or(|min| time.is_some_and(|time| time >= min))
                && max.is_none_or(|max| time.is_some_and(|time| time < max))
        };
        let left_out = self.without.iter().zip(task.kinds).any(|(without, is_one)| *without && is_one);
        !left_out
            && self.updated_min.is_none_or(|min| task.updated >= min)
            && within(self.completed_in, task.completed)
            && within(self.due_in, task.due)
    }
}

impl TaskList {
    /// The task at an index as it is listed, if it is.
    fn shown(&self, index: u64, filter: &Filter) -> Option<String> {
        match self.entry(index) {
            Some(Entry::Raw(text)) => Some(text.clone()),
            Some(Entry::Task(task, facts)) => filter.shows(facts).then(|| json!(task).to_string()),
            None if filter.updated_min.is_some_and(|min| self.generator.updated(index) < min) => None,
            None => {
                let task = self.task_at(index)?;
                filter.shows(&Facts::of(&task)).then(|| json!(task).to_string())
            }
        }
    }

    /// Serves a page; returns where the listing goes on, with a task behind it if the page is full.
    fn page(
        &self,
        cursor: &Cursor,
        filter: &Filter,
        limit: usize,
        items: &mut Vec<String>,
    ) -> Option<Cursor> {
        for index in cursor.next..self.end() {
            if index - cursor.next >= SCAN_LIMIT as u64 {
                return Some(Cursor { next: index, ..*cursor });
            }
            if let Some(item) = self.shown(index, filter) {
                if items.len() == limit {
                    return Some(Cursor { next: index, ..*cursor });
                }
                items.push(item);
            }
        }
        None
    }
}

/// Answers `tasks.list`.
pub(super) fn tasks(google: &Google, id: &str, query: &Query) -> Result<Reply, Reply> {
    let lists = google.tasks.lists();
    let list = lists.find(id).ok_or_else(|| errors::newer(404, None, None))?;
    let limit = query.max_results(20, 100, google.page_cap)?;
    let filter = Filter::of(query)?;
    let collection = format!("tasks/{}", list.spec.id);
    let paging = Paging::begin(google, query, Kind::Page, &collection, list.page_epoch, 0)?;
    let mut items = Vec::new();
    let at_end = Cursor { next: list.end(), ..paging.cursor };
    let next = paging.serve(at_end, |cursor| list.page(cursor, &filter, limit, &mut items));
    let etag = etag(mix(hash_text(&collection) ^ list.version));
    Ok(answer(google, "tasks#tasks", &etag, &items, next.as_ref()))
}

/// Answers `tasklists.list`.
pub(super) fn lists(google: &Google, query: &Query) -> Result<Reply, Reply> {
    let lists = google.tasks.lists();
    let limit = query.max_results(1_000, 1_000, google.page_cap)?;
    let paging = Paging::begin(google, query, Kind::Page, "tasks/users/@me/lists", 0, 0)?;
    let mut items = Vec::new();
    let at_end = Cursor { next: lists.end(), ..paging.cursor };
    let next = paging.serve(at_end, |cursor| {
        for (index, list) in lists.from(cursor.next) {
            if items.len() == limit {
                return Some(Cursor { next: index, ..*cursor });
            }
            items.push(entry(list));
        }
        None
    });
    let versions = lists.from(0).map(|(index, list)| mix(index) ^ list.version);
    let etag = etag(versions.fold(0, |whole, version| mix(whole ^ version)));
    Ok(answer(google, "tasks#taskLists", &etag, &items, next.as_ref()))
}

fn entry(list: &TaskList) -> String {
    let id = &list.spec.id;
    let entry = json!({
        "kind": "tasks#taskList",
        "id": id,
        "etag": etag(mix(hash_text(id) ^ list.version)),
        "title": list.spec.title,
        "updated": instant(list.updated),
        "selfLink": format!("https://www.googleapis.com/tasks/v1/users/@me/lists/{id}"),
    });
    entry.to_string()
}

/// The envelope of a page; without items it has no such field.
fn answer(google: &Google, kind: &str, etag: &str, items: &[String], next: Option<&Cursor>) -> Reply {
    let mut body = format!(r#"{{"kind":"{kind}","etag":{}"#, json!(etag));
    if let Some(next) = next {
        body = body + r#","nextPageToken":""# + &google.codec.encode(next) + "\"";
    }
    if !items.is_empty() {
        body = body + r#","items":["# + &items.join(",") + "]";
    }
    body.push('}');
    Reply { items: items.len() as u64, ..Reply::json(200, body) }
}

//! Which endpoint of Tasks answers a request, and may the caller use it?

use http::Method;
use serde_json::json;

use super::listing;
use crate::google::query::Query;
use crate::google::routes::decode;
use crate::google::{Google, conditional, errors};
use crate::server::{Call, Reply};

const SCOPES: &[&str] = &["tasks", "tasks.readonly"];

/// An endpoint of Tasks, with what its path names.
pub(in crate::google) enum Endpoint {
    Lists,
    Tasks(String),
    Task(String, String),
}

impl Endpoint {
    /// The endpoint of a path, given as its segments.
    pub(in crate::google) fn of(method: &Method, segments: &[&str]) -> Option<Self> {
        let ["tasks", "v1", rest @ ..] = segments else { return None };
        if method != Method::GET {
            return None;
        }
        match rest {
            ["users", user, "lists"] if decode(user) == "@me" => Some(Self::Lists),
            ["lists", list, "tasks"] => Some(Self::Tasks(decode(list))),
            ["lists", list, "tasks", task] => Some(Self::Task(decode(list), decode(task))),
            _ => None,
        }
    }

    pub(in crate::google) const fn operation(&self) -> &'static str {
        match self {
            Self::Lists => "tasklists.list",
            Self::Tasks(_) => "tasks.list",
            Self::Task(..) => "tasks.get",
        }
    }

    /// The method, as the refusal of a scope names it.
    pub(in crate::google) const fn rpc(&self) -> &'static str {
        match self {
            Self::Lists => "google.apps.tasks.v1.TasksService.ListTaskLists",
            Self::Tasks(_) => "google.apps.tasks.v1.TasksService.ListTasks",
            Self::Task(..) => "google.apps.tasks.v1.TasksService.GetTask",
        }
    }

    pub(in crate::google) fn answer(&self, google: &Google, call: &Call, query: &Query) -> Reply {
        self.try_answer(google, call, query).unwrap_or_else(|refused| refused)
    }

    fn try_answer(&self, google: &Google, call: &Call, query: &Query) -> Result<Reply, Reply> {
        google.admit(call, SCOPES, self.rpc())?;
        match self {
            Self::Lists => {
                query.only(&["maxResults", "pageToken"], &[])?;
                listing::lists(google, query)
            }
            Self::Tasks(list) => {
                query.only(
                    &[
                        "completedMax",
                        "completedMin",
                        "dueMax",
                        "dueMin",
                        "maxResults",
                        "pageToken",
                        "showAssigned",
                        "showCompleted",
                        "showDeleted",
                        "showHidden",
                        "updatedMin",
                    ],
                    &[],
                )?;
                listing::tasks(google, list, query)
            }
            Self::Task(list, task) => {
                query.only(&[], &[])?;
                let lists = google.tasks.lists();
                let task = lists.find(list).and_then(|list| list.task(task));
                let task = task.ok_or_else(|| errors::newer(404, None, None))?;
                Ok(conditional::answer(call, json!(task).to_string().into_bytes()))
            }
        }
    }
}

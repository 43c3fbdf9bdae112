//! What may machines do with a commit?

use std::borrow::Cow;

use serde_json::Value;

use super::{FakeGitHub, Given, repository};
use crate::github::check::{CheckRun, Checks, Status};
use crate::github::repository::Repository;

/// What is known of a commit, to be changed; what was made up is kept from then on.
fn checks<'r>(repository: &'r mut Repository, sha: &str) -> &'r mut Checks {
    let known = repository.checks_of(sha).map(Cow::into_owned).unwrap_or_default();
    repository.checks.entry(sha.to_owned()).or_insert(known)
}

/// Check runs and statuses. They are no update of a pull request.
impl FakeGitHub {
    /// A check of a commit runs: `name`, `status` (`queued`, `in_progress`, `completed`), `conclusion`. With a
    /// conclusion it is completed, else in progress unless it says otherwise. A second run of a name counts
    /// instead of the first. Returns the run's number.
    ///
    /// # Panics
    /// For a field that the fake does not know.
    pub fn check_run(&self, full_name: &str, sha: &str, new: Value) -> u64 {
        let mut given = Given::new("a check run", new);
        let run_id = self.write(full_name, |hub, id, now| {
            let conclusion = given.some_text("conclusion");
            let usual = if conclusion.is_some() { "completed" } else { "in_progress" };
            let run = CheckRun {
                id: hub.fresh_id(),
                name: given.text("name").unwrap_or_else(|| "build".to_owned()),
                status: given.text("status").unwrap_or_else(|| usual.to_owned()),
                completed: conclusion.as_ref().map(|_| now),
                conclusion,
                started: now,
            };
            let run_id = run.id;
            checks(repository(hub, id), sha).runs.push(run);
            run_id
        });
        given.end();
        run_id
    }

    /// A check run ends with this conclusion, such as `success`.
    ///
    /// # Panics
    /// When there is no such run of this commit.
    pub fn complete_check_run(&self, full_name: &str, sha: &str, run_id: u64, conclusion: &str) {
        self.change(full_name, |repository, now| {
            let found = checks(repository, sha).runs.iter_mut().find(|run| run.id == run_id);
            let run = found.unwrap_or_else(|| panic!("no check run {run_id} of {sha}"));
            "completed".clone_into(&mut run.status);
            run.conclusion = Some(conclusion.to_owned());
            run.completed = Some(now);
        });
    }

    /// A commit gets a status: `context`, `state` (`error`, `failure`, `pending`, `success`), `description`.
    /// A second one of a context counts instead of the first. Returns the status's number.
    ///
    /// # Panics
    /// For a field that the fake does not know.
    pub fn commit_status(&self, full_name: &str, sha: &str, new: Value) -> u64 {
        let mut given = Given::new("a status", new);
        let status_id = self.write(full_name, |hub, id, now| {
            let status = Status {
                id: hub.fresh_id(),
                context: given.text("context").unwrap_or_else(|| "default".to_owned()),
                state: given.text("state").unwrap_or_else(|| "pending".to_owned()),
                description: given.some_text("description"),
                created: now,
            };
            let status_id = status.id;
            checks(repository(hub, id), sha).statuses.push(status);
            status_id
        });
        given.end();
        status_id
    }
}

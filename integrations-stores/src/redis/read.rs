//! How does a stored job become one of the family's?

use std::sync::Arc;

use chrono::{DateTime, Utc};
use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{Job, JobQuery, JobRecord, JobState, Lease, NewJob, Payload, Priority};
use integrations_core::sync::Fence;
use redis::aio::ConnectionManager;
use serde::de::DeserializeOwned;

use super::RedisStore;
use super::failure::{OrStore, odd};

/// A lease as the script gives it: the id, the fence, and the first [`FIELDS`] of the job.
pub(super) type Grant = (String, u64, Vec<Option<Vec<u8>>>);

/// What is read of a job; those of a lease come first.
const FIELDS: [&str; 18] = [
    "kind", "tenant", "user", "key", "payload", "priority", "failures", "lost", "at", "state", "due",
    "started", "finished", "worker", "progress", "failure", "again", "fence",
];

/// Jobs that are looked at in one go.
const PAGE: usize = 500;

/// The fields of a job.
struct Fields(Vec<Option<Vec<u8>>>, &'static str);

impl Fields {
    fn bytes(&mut self, field: &str) -> Option<Vec<u8>> {
        let index = FIELDS.iter().position(|known| *known == field)?;
        self.0.get_mut(index)?.take()
    }

    fn text(&mut self, field: &str) -> Result<Option<String>> {
        self.bytes(field).map(|bytes| String::from_utf8(bytes).map_err(|_| odd(self.1))).transpose()
    }

    fn required(&mut self, field: &str) -> Result<String> {
        self.text(field)?.ok_or_else(|| odd(self.1))
    }

    fn number(&mut self, field: &str) -> Result<u32> {
        self.required(field)?.parse().map_err(|_| odd(self.1))
    }

    fn time(&mut self, field: &str) -> Result<Option<DateTime<Utc>>> {
        let micros = self.text(field)?.map(|text| text.parse().map_err(|_| odd(self.1))).transpose()?;
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }

    /// What another version has written is as good as nothing.
    fn json<T: DeserializeOwned>(&mut self, field: &str) -> Option<T> {
        serde_json::from_slice(&self.bytes(field)?).ok()
    }

    fn job(&mut self, id: String) -> Result<Job> {
        let owner = Owner::new(self.required("tenant")?, self.required("user")?);
        let mut new = NewJob::new(self.required("kind")?, owner);
        new.key = self.text("key")?.map(Arc::from);
        new.payload = Payload::new(self.bytes("payload").unwrap_or_default());
        new.priority = Priority::from_rank(self.number("priority")?.try_into().unwrap_or(u8::MAX));
        let at = self.time("at")?.ok_or_else(|| odd(self.1))?;
        let mut job = Job::new(id, new, at);
        (job.failures, job.lost) = (self.number("failures")?, self.number("lost")?);
        Ok(job)
    }

    fn record(&mut self, id: String) -> Result<JobRecord> {
        let state = match self.required("state")?.as_str() {
            "waiting" => JobState::Waiting,
            "running" => JobState::Running,
            "done" => JobState::Done,
            "dead" => JobState::Dead,
            _ => return Err(odd(self.1)),
        };
        let mut record = JobRecord::new(self.job(id)?, state);
        record.due_at = self.time("due")?;
        record.started_at = self.time("started")?;
        record.finished_at = self.time("finished")?;
        record.worker = self.text("worker")?;
        record.progress = self.json("progress");
        record.failure = self.json("failure");
        record.again = self.bytes("again").is_some();
        Ok(record)
    }
}

pub(super) fn lease((id, fence, held): Grant, operation: &'static str) -> Result<Lease> {
    Ok(Lease::new(Fields(held, operation).job(id)?, Fence(fence)))
}

impl RedisStore {
    pub(super) async fn find_jobs(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        const OPERATION: &str = "queue.find";
        let (mut connection, start) = self.server();
        let after = query.after.as_ref().map(|id| id.as_str().to_owned());
        let mut found = Vec::new();
        if let Some(ids) = self.candidates(query, &mut connection, &start, OPERATION).await? {
            let rest: Vec<_> = ids.into_iter().filter(|id| Some(id) > after.as_ref()).collect();
            for page in rest.chunks(PAGE) {
                self.look(page, query, &mut found, &mut connection, &start, OPERATION).await?;
                if found.len() >= query.limit() {
                    break;
                }
            }
            return Ok(found);
        }
        let mut from = after.map_or_else(|| "-inf".to_owned(), |id| format!("({id}"));
        while found.len() < query.limit() {
            let mut range = redis::cmd("ZRANGEBYSCORE");
            range.arg(format!("{start}ids")).arg(&from).arg("+inf").arg("LIMIT").arg(0).arg(PAGE);
            let page: Vec<String> = range.query_async(&mut connection).await.or_store(OPERATION)?;
            let Some(last) = page.last() else { break };
            from = format!("({last}");
            self.look(&page, query, &mut found, &mut connection, &start, OPERATION).await?;
        }
        Ok(found)
    }

    /// The ids among which are all that are asked for, in their order, where those are fewer than all.
    async fn candidates(
        &self,
        query: &JobQuery,
        connection: &mut ConnectionManager,
        start: &str,
        operation: &'static str,
    ) -> Result<Option<Vec<String>>> {
        if let Some(id) = &query.id {
            return Ok(Some(vec![id.as_str().to_owned()]));
        }
        let mut ids: Vec<String> = Vec::new();
        if query.state == Some(JobState::Running) {
            let kinds: Vec<String> = redis::cmd("SMEMBERS")
                .arg(format!("{start}kinds"))
                .query_async(connection)
                .await
                .or_store(operation)?;
            for kind in kinds {
                let mut range = redis::cmd("ZRANGE");
                range.arg(format!("{start}running:{kind}")).arg(0).arg(-1);
                ids.append(&mut range.query_async(connection).await.or_store(operation)?);
            }
        } else if query.finished_since.is_some()
            || query.finished_before.is_some()
            || query.state == Some(JobState::Dead)
        {
            let since =
                query.finished_since.map_or_else(|| "-inf".into(), |at| at.timestamp_micros().to_string());
            let before = query
                .finished_before
                .map_or_else(|| "+inf".into(), |at| format!("({}", at.timestamp_micros()));
            for state in [JobState::Done, JobState::Dead] {
                if query.state.is_none_or(|asked| asked == state) {
                    let mut range = redis::cmd("ZRANGEBYSCORE");
                    range.arg(format!("{start}{}", state.as_str())).arg(&since).arg(&before);
                    ids.append(&mut range.query_async(connection).await.or_store(operation)?);
                }
            }
        } else {
            return Ok(None);
        }
        ids.sort_unstable();
        Ok(Some(ids))
    }

    async fn look(
        &self,
        ids: &[String],
        query: &JobQuery,
        found: &mut Vec<JobRecord>,
        connection: &mut ConnectionManager,
        start: &str,
        operation: &'static str,
    ) -> Result<()> {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.cmd("HMGET").arg(format!("{start}job:{id}")).arg(&FIELDS[..]);
        }
        let rows: Vec<Vec<Option<Vec<u8>>>> = pipe.query_async(connection).await.or_store(operation)?;
        for (id, row) in ids.iter().zip(rows) {
            // It was purged meanwhile.
            if row.first().is_none_or(Option::is_none) {
                continue;
            }
            let record = Fields(row, operation).record(id.clone())?;
            if found.len() < query.limit() && query.matches(&record) {
                found.push(record);
            }
        }
        Ok(())
    }
}

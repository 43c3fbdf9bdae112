//! How does a job get into the queue, and what if its twin is there?

use std::collections::{HashMap, HashSet};

use integrations_core::Result;
use integrations_core::connection::Owner;
use integrations_core::queue::{Enqueued, Enqueuing, JobId, JobState, NewJob};

use super::super::failure::OrStore;
use super::desk::{Desk, OPERATION, Twin};
use super::lanes::LaneId;
use super::row::{self, Row, json, later};

impl Desk<'_> {
    pub(super) async fn enqueue(&mut self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let twins: Vec<Option<String>> = jobs.iter().map(NewJob::twin_id).collect();
        let known: Vec<&str> = twins.iter().flatten().map(String::as_str).collect();
        self.look_up(&known).await?;
        self.load_lanes(&jobs).await?;
        let mut enqueued = Vec::with_capacity(jobs.len());
        for (job, twin) in jobs.into_iter().zip(twins) {
            enqueued.push(self.add(job, twin).await?);
        }
        Ok(enqueued)
    }

    /// Puts finished jobs into the queue once more.
    pub(super) async fn requeue(&mut self, jobs: Vec<JobId>) -> Result<Vec<Option<Enqueued>>> {
        let mut requeued = Vec::with_capacity(jobs.len());
        for id in &jobs {
            let found = match row::key(id) {
                Some(key) => self.load(key).await?.filter(|row| row.state.is_finished()),
                None => None,
            };
            requeued.push(match found {
                Some(row) => Some(self.requeue_one(row).await?),
                None => None,
            });
        }
        Ok(requeued)
    }

    async fn requeue_one(&mut self, row: Row) -> Result<Enqueued> {
        if row.state == JobState::Dead {
            for sql in ["DELETE FROM job_payloads WHERE job = ?", "DELETE FROM jobs WHERE key = ?"] {
                sqlx::query(sql).bind(row.key).execute(&mut *self.connection).await.or_store(OPERATION)?;
            }
        }
        self.add(row.job.again(), row.twin).await
    }

    /// Puts a job into the queue, under this twin's name.
    pub(super) async fn add(&mut self, job: NewJob, twin: Option<String>) -> Result<Enqueued> {
        let due = later(self.now, job.delay);
        self.tally(&job.kind);
        if let Some(twin) = &twin
            && let Some(enqueued) = self.coalesce(twin, &job, due).await?
        {
            return Ok(enqueued);
        }
        self.last_key += 1;
        let mut row = Row::new(self.last_key, job, twin.clone(), due, self.now);
        self.ripen(&mut row).await?;
        let enqueued = Enqueued::new(row.job.id.clone(), Enqueuing::Added);
        if let Some(twin) = twin {
            self.twins.insert(twin, Twin::New(self.new.len()));
        }
        self.new.push(row);
        Ok(enqueued)
    }

    async fn coalesce(&mut self, twin: &str, job: &NewJob, due: i64) -> Result<Option<Enqueued>> {
        self.look_up(&[twin]).await?;
        if let Some(Twin::New(place)) = self.twins.get(twin).copied() {
            let row = &mut self.new[place];
            if job.priority >= row.job.priority && Some(due) >= row.due_at {
                row.job.payload = job.payload.clone();
                return Ok(Some(Enqueued::new(row.job.id.clone(), Enqueuing::Coalesced)));
            }
            self.flush().await?;
            self.look_up(&[twin]).await?;
        }
        match self.twins.get(twin).copied() {
            Some(Twin::Waits(key)) => self.coalesce_waiting(key, job, due).await,
            Some(Twin::Runs(key)) => self.run_again(key, job, due).await.map(Some),
            Some(Twin::New(_) | Twin::None) | None => Ok(None),
        }
    }

    async fn coalesce_waiting(&mut self, key: i64, job: &NewJob, due: i64) -> Result<Option<Enqueued>> {
        let Some(mut row) = self.load(key).await? else { return Ok(None) };
        if job.priority < row.job.priority {
            self.leave_lane(&mut row).await?;
            row.job.priority = job.priority;
        }
        if row.job.failures == 0 {
            row.due_at = row.due_at.min(Some(due));
        }
        self.ripen(&mut row).await?;
        self.save(&row).await?;
        if row.job.payload != job.payload {
            row.job.payload = job.payload.clone();
            row.update_payload(&mut *self.connection, OPERATION).await?;
        }
        Ok(Some(Enqueued::new(row.job.id, Enqueuing::Coalesced)))
    }

    /// Keeps what a twin asks for until the job that runs is settled.
    async fn run_again(&mut self, key: i64, job: &NewJob, due: i64) -> Result<Enqueued> {
        sqlx::query(
            "INSERT INTO job_agains (job, priority, due_at, payload) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET priority = min(priority, excluded.priority), \
             due_at = min(due_at, excluded.due_at), payload = excluded.payload",
        )
        .bind(key)
        .bind(job.priority.rank())
        .bind(due)
        .bind(job.payload.as_bytes())
        .execute(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        Ok(Enqueued::new(key.to_string(), Enqueuing::Again))
    }

    /// Finds out which of these twins wait or run.
    async fn look_up(&mut self, twins: &[&str]) -> Result<()> {
        let unknown: Vec<&str> =
            twins.iter().copied().filter(|twin| !self.twins.contains_key(*twin)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found: Vec<(String, i64, bool)> = sqlx::query_as(
            "SELECT j.twin, j.key, j.state = 'running' FROM json_each(?) AS t CROSS JOIN jobs AS j \
             ON j.twin = t.value AND j.finished_at IS NULL",
        )
        .bind(json(&unknown, OPERATION)?)
        .fetch_all(&mut *self.connection)
        .await
        .or_store(OPERATION)?;
        self.twins.extend(unknown.into_iter().map(|twin| (twin.to_owned(), Twin::None)));
        for (twin, key, runs) in found {
            self.twins.insert(twin, if runs { Twin::Runs(key) } else { Twin::Waits(key) });
        }
        Ok(())
    }

    /// Reads what giving turns to these jobs needs, for all at once.
    async fn load_lanes(&mut self, jobs: &[NewJob]) -> Result<()> {
        let mut lanes: HashMap<LaneId, HashSet<&Owner>> = HashMap::new();
        for job in jobs.iter().filter(|job| job.delay.is_zero()) {
            lanes.entry((job.kind.clone(), job.priority)).or_default().insert(&job.owner);
        }
        if lanes.keys().any(|lane| !self.lanes.knows(lane)) {
            self.flush().await?;
        }
        for (lane, owners) in lanes {
            self.lanes.load(&mut *self.connection, &lane, owners).await?;
        }
        Ok(())
    }
}

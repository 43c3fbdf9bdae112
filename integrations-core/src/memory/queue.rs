//! How does the memory keep a queue?
//!
//! One lock, so that each call happens at once and whole.

mod jobs;
mod lane;

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;

use self::jobs::Jobs;
use super::MemoryStore;
use crate::error::Result;
use crate::queue::{
    Enqueued, Heartbeat, JobId, JobKind, JobQuery, JobQueue, JobRecord, LeaseRequest, Leased, NewJob,
    QueueStats, Settlement,
};

pub(super) struct Queue {
    jobs: Mutex<Jobs>,
    news: Notify,
}

impl Queue {
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        Self { jobs: Mutex::new(Jobs::new(now)), news: Notify::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.jobs().len()
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JobQueue for MemoryStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        let enqueued = self.queue.jobs().enqueue(jobs, self.clock.now());
        self.queue.news.notify_waiters();
        Ok(enqueued)
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        Ok(self.queue.jobs().lease(request, self.clock.now()))
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        Ok(self.queue.jobs().extend(heartbeats, self.clock.now()))
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        let settled = self.queue.jobs().settle(settlements, self.clock.now());
        self.queue.news.notify_waiters();
        Ok(settled)
    }

    async fn stats(&self) -> Result<QueueStats> {
        Ok(self.queue.jobs().stats(self.clock.now()))
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        Ok(self.queue.jobs().find(query))
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        let enqueued = self.queue.jobs().requeue(jobs, self.clock.now());
        self.queue.news.notify_waiters();
        Ok(enqueued)
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        Ok(self.queue.jobs().purge(before))
    }

    async fn wait(&self, kinds: &[JobKind]) {
        loop {
            // It listens before it looks, so that what comes in between wakes it.
            let news = self.queue.news.notified();
            if self.queue.jobs().has_news(kinds, self.clock.now()) {
                return;
            }
            news.await;
        }
    }
}

//! Where does work wait, and who has it?
//!
//! All jobs stand in one map, in the order in which they came; whoever looks for one looks at all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use integrations_core::connection::Owner;
use integrations_core::queue::{
    Enqueued, Enqueuing, Heartbeat, Job, JobFailure, JobId, JobKind, JobQuery, JobQueue, JobRecord, JobState,
    Lease, LeaseId, LeaseRequest, Leased, MOST_LOST_LEASES, NewJob, Outcome, Payload, Priority, Progress,
    QueueStats, Settlement,
};
use integrations_core::sync::Fence;
use integrations_core::{ErrorKind, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::FileStore;
use super::file::{Blob, later};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Jobs {
    all: BTreeMap<u64, Entry>,
    ever: BTreeMap<JobKind, Ever>,
    last_number: u64,
    last_fence: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    kind: JobKind,
    owner: Owner,
    key: Option<Arc<str>>,
    /// What is to be done, and when; a job that runs or is over keeps it.
    work: Work,
    enqueued_at: DateTime<Utc>,
    state: JobState,
    failures: u32,
    lost: u32,
    /// Of the last lease.
    fence: u64,
    /// When the lease runs out.
    until: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    worker: Option<String>,
    progress: Option<Progress>,
    failure: Option<JobFailure>,
    /// What a twin wants that has come while it runs.
    again: Option<Work>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Work {
    payload: Blob,
    priority: Priority,
    due: DateTime<Utc>,
}

/// What there ever was of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Ever {
    done: u64,
    retried: u64,
    dead: u64,
}

/// Wakes those who wait for a job.
#[derive(Debug, Default)]
pub(crate) struct News {
    notify: Notify,
    /// Of which kinds something has come since somebody last asked for them.
    kinds: Mutex<BTreeSet<JobKind>>,
}

impl News {
    fn kinds(&self) -> MutexGuard<'_, BTreeSet<JobKind>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JobQueue for FileStore {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        let now = self.clock.now();
        self.change_jobs(|all| jobs.into_iter().map(|job| all.add(job, now)).collect())
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        let now = self.clock.now();
        // Before it looks, so that what comes afterwards is news.
        self.news.kinds().retain(|kind| request.wants.iter().all(|(wanted, _)| wanted != kind));
        self.jobs.change(|all| Ok(all.lease(request, now)))
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        let now = self.clock.now();
        self.jobs.change(|all| {
            let extend = |beat: Heartbeat| {
                let Some((_, entry)) = all.held(&beat.lease) else { return false };
                entry.until = Some(later(now, beat.ttl));
                entry.progress = beat.progress.or(entry.progress.take());
                true
            };
            Ok(heartbeats.into_iter().map(extend).collect())
        })
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        let now = self.clock.now();
        self.change_jobs(|all| settlements.into_iter().map(|it| all.settle(it, now)).collect())
    }

    async fn stats(&self) -> Result<QueueStats> {
        Ok(self.jobs.look().stats(self.clock.now()))
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        let jobs = self.jobs.look();
        let after = query.after.as_ref().map_or(0, |id| id.as_str().parse().unwrap_or(u64::MAX));
        let behind = jobs.all.iter().filter(|(number, _)| **number > after);
        let records = behind.map(|(number, entry)| entry.record(*number));
        Ok(records.filter(|record| query.matches(record)).take(query.limit()).collect())
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        let now = self.clock.now();
        self.change_jobs(|all| {
            let requeue = |id: &JobId| {
                let number = all.number(id).filter(|number| all.all[number].state.is_finished())?;
                let again = all.all[&number].again();
                if all.all[&number].state == JobState::Dead {
                    all.all.remove(&number);
                }
                Some(all.add(again, now))
            };
            jobs.iter().map(requeue).collect()
        })
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        self.jobs.change(|jobs| {
            let count = jobs.all.len();
            jobs.all.retain(|_, entry| entry.finished_at.is_none_or(|at| at >= before));
            Ok((count - jobs.all.len()) as u64)
        })
    }

    async fn wait(&self, kinds: &[JobKind]) {
        loop {
            // It listens before it looks, so that what comes in between wakes it.
            let woken = self.news.notify.notified();
            let now = self.clock.now();
            if kinds.iter().any(|kind| self.news.kinds().contains(kind))
                || self.jobs.look().all.values().any(|it| it.is_ready(now) && kinds.contains(&it.kind))
            {
                return;
            }
            woken.await;
        }
    }
}

impl FileStore {
    /// Changes jobs, and wakes those who wait for what waits now.
    fn change_jobs<R>(&self, change: impl FnOnce(&mut Jobs) -> R) -> Result<R> {
        let result = self.jobs.change(|all| Ok(change(all)))?;
        let jobs = self.jobs.look();
        let waiting = jobs.all.values().filter(|entry| entry.state == JobState::Waiting);
        self.news.kinds().extend(waiting.map(|entry| entry.kind.clone()));
        self.news.notify.notify_waiters();
        Ok(result)
    }
}

impl Jobs {
    fn number(&self, id: &JobId) -> Option<u64> {
        let number = id.as_str().parse().ok()?;
        (self.all.contains_key(&number) && *id == number.to_string().as_str()).then_some(number)
    }

    /// The job of a lease that nobody else has taken, and that was not settled.
    fn held(&mut self, lease: &LeaseId) -> Option<(u64, &mut Entry)> {
        let number = self.number(&lease.job)?;
        let entry = self.all.get_mut(&number)?;
        (entry.state == JobState::Running && entry.fence == lease.fence.0).then_some((number, entry))
    }

    fn add(&mut self, job: NewJob, now: DateTime<Utc>) -> Enqueued {
        let work = Work {
            payload: Blob(job.payload.as_bytes().to_vec()),
            priority: job.priority,
            due: later(now, job.delay),
        };
        let twin = self.all.iter_mut().find(|(_, it)| {
            job.key.is_some()
                && it.key == job.key
                && it.kind == job.kind
                && it.owner == job.owner
                && !it.state.is_finished()
        });
        if let Some((number, twin)) = twin {
            let how = if twin.state == JobState::Running {
                twin.again = Some(match twin.again.take() {
                    Some(again) => again.and(work),
                    None => work,
                });
                Enqueuing::Again
            } else {
                twin.take_on(work);
                Enqueuing::Coalesced
            };
            return Enqueued::new(number.to_string(), how);
        }
        self.last_number += 1;
        self.all.insert(self.last_number, Entry::new(job, work, now));
        Enqueued::new(self.last_number.to_string(), Enqueuing::Added)
    }

    fn lease(&mut self, request: &LeaseRequest, now: DateTime<Utc>) -> Leased {
        let mut leased = Leased::default();
        for (kind, max) in &request.wants {
            self.put_back_lost(kind, now);
            for _ in 0..*max {
                let Some(number) = self.first(kind, now) else { break };
                let Some(entry) = self.all.get_mut(&number) else { break };
                // Higher than the last one, and than those of a file that was deleted: nobody leases a million
                // jobs per second.
                let clock = u64::try_from(now.timestamp_micros()).unwrap_or(0);
                self.last_fence = clock.max(self.last_fence + 1);
                entry.state = JobState::Running;
                entry.fence = self.last_fence;
                entry.until = Some(later(now, request.ttl));
                entry.started_at = Some(now);
                entry.worker = Some(request.worker.clone());
                leased.leases.push(Lease::new(entry.job(number), Fence(entry.fence)));
            }
            let next = self.all.values().filter(|it| it.kind == *kind).filter_map(|it| match it.state {
                JobState::Waiting if it.work.due > now => Some(it.work.due),
                JobState::Running => it.until,
                _ => None,
            });
            let next = next.min().map(|next| (next - now).to_std().unwrap_or_default());
            leased.next_due = [leased.next_due, next].into_iter().flatten().min();
        }
        leased
    }

    /// Of the due jobs with the highest priority, the first one of the user who has had none for the longest time:
    /// so users take turns.
    fn first(&self, kind: &JobKind, now: DateTime<Utc>) -> Option<u64> {
        let of_kind = || self.all.iter().filter(|(_, entry)| entry.kind == *kind);
        let mut served: HashMap<(&Owner, Priority), u64> = HashMap::new();
        for (_, entry) in of_kind() {
            let last = served.entry((&entry.owner, entry.work.priority)).or_default();
            *last = entry.fence.max(*last);
        }
        let ready = of_kind().filter(|(_, entry)| entry.is_ready(now));
        let first = ready.min_by_key(|(number, entry)| {
            let priority = entry.work.priority;
            (priority, served.get(&(&entry.owner, priority)).copied(), entry.work.due, **number)
        });
        first.map(|(number, _)| *number)
    }

    /// Jobs whose leases have run out wait again; those whose leases always run out are given up.
    fn put_back_lost(&mut self, kind: &JobKind, now: DateTime<Utc>) {
        let expired = |it: &Entry| it.kind == *kind && it.until.is_some_and(|until| until <= now);
        let lost: Vec<u64> =
            self.all.iter().filter(|(_, it)| expired(it)).map(|(number, _)| *number).collect();
        for number in lost {
            let Some(entry) = self.all.get_mut(&number) else { continue };
            entry.lost += 1;
            if entry.lost < MOST_LOST_LEASES {
                entry.wait_until(entry.work.due);
                continue;
            }
            let message = "its workers have all vanished; see whether it crashes them, then put it in again";
            entry.failure = Some(JobFailure::new(ErrorKind::Cancelled, "lease_lost", message));
            self.finish(number, JobState::Dead, None, now);
        }
    }

    fn settle(&mut self, settlement: Settlement, now: DateTime<Utc>) -> bool {
        let Some((number, entry)) = self.held(&settlement.lease) else { return false };
        entry.progress = settlement.progress.or(entry.progress.take());
        entry.failure = settlement.failure.or(entry.failure.take());
        let repeat = settlement.repeat.map(|repeat| Work {
            payload: repeat.payload.map_or(entry.work.payload.clone(), |it| Blob(it.as_bytes().to_vec())),
            priority: entry.work.priority,
            due: later(now, repeat.after),
        });
        match settlement.outcome {
            Outcome::Done => self.finish(number, JobState::Done, repeat, now),
            Outcome::Dead => self.finish(number, JobState::Dead, repeat, now),
            // It keeps its place.
            Outcome::Release => entry.wait_until(entry.work.due),
            Outcome::Retry { after } => {
                entry.failures += 1;
                entry.wait_until(later(now, after));
                let kind = entry.kind.clone();
                self.ever.entry(kind).or_default().retried += 1;
            }
        }
        true
    }

    /// A job is over. What is to come after it, or came while it ran, waits as a new job.
    fn finish(&mut self, number: u64, state: JobState, repeat: Option<Work>, now: DateTime<Utc>) {
        let Some(entry) = self.all.get_mut(&number) else { return };
        (entry.state, entry.until, entry.finished_at) = (state, None, Some(now));
        let next = match (repeat, entry.again.take()) {
            (Some(repeat), Some(again)) => Some(repeat.and(again)),
            (repeat, again) => repeat.or(again),
        };
        let again = entry.again();
        let ever = self.ever.entry(entry.kind.clone()).or_default();
        *if state == JobState::Done { &mut ever.done } else { &mut ever.dead } += 1;
        if let Some(work) = next {
            self.last_number += 1;
            self.all.insert(self.last_number, Entry::new(again, work, now));
        }
    }

    fn stats(&self, now: DateTime<Utc>) -> QueueStats {
        let mut stats = QueueStats::default();
        for entry in self.all.values() {
            let kind = stats.kinds.entry(entry.kind.clone()).or_default();
            match entry.state {
                JobState::Waiting if entry.is_ready(now) => {
                    kind.ready += 1;
                    kind.oldest = kind.oldest.max((now - entry.work.due).to_std().ok());
                }
                JobState::Waiting => kind.delayed += 1,
                JobState::Running => kind.running += 1,
                JobState::Dead => kind.dead += 1,
                JobState::Done => {}
            }
        }
        for (kind, ever) in &self.ever {
            let kind = stats.kinds.entry(kind.clone()).or_default();
            (kind.done_ever, kind.retried_ever, kind.dead_ever) = (ever.done, ever.retried, ever.dead);
        }
        stats
    }
}

impl Entry {
    fn new(job: NewJob, work: Work, now: DateTime<Utc>) -> Self {
        Self {
            kind: job.kind,
            owner: job.owner,
            key: job.key,
            work,
            enqueued_at: now,
            state: JobState::Waiting,
            failures: 0,
            lost: 0,
            fence: 0,
            until: None,
            started_at: None,
            finished_at: None,
            worker: None,
            progress: None,
            failure: None,
            again: None,
        }
    }

    fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.state == JobState::Waiting && self.work.due <= now
    }

    /// A job that waits does the work of a twin, too. A time that a provider has asked for stays.
    fn take_on(&mut self, work: Work) {
        let due = self.work.due;
        self.work = self.work.clone().and(work);
        if self.failures > 0 {
            self.work.due = due;
        }
    }

    /// It waits once more, and does the work of the twin that came while it ran.
    fn wait_until(&mut self, due: DateTime<Utc>) {
        (self.state, self.until, self.work.due) = (JobState::Waiting, None, due);
        if let Some(again) = self.again.take() {
            self.work = self.work.clone().and(Work { due, ..again });
        }
    }

    /// The same once more.
    fn again(&self) -> NewJob {
        let mut job = NewJob::new(self.kind.clone(), self.owner.clone());
        job.key.clone_from(&self.key);
        job.payload(Payload::new(self.work.payload.0.clone())).priority(self.work.priority)
    }

    fn job(&self, number: u64) -> Job {
        let mut job = Job::new(number.to_string(), self.again(), self.enqueued_at);
        (job.failures, job.lost) = (self.failures, self.lost);
        job
    }

    fn record(&self, number: u64) -> JobRecord {
        let mut record = JobRecord::new(self.job(number), self.state);
        record.due_at = self.until.or((self.state == JobState::Waiting).then_some(self.work.due));
        record.started_at = self.started_at;
        record.finished_at = self.finished_at;
        record.worker.clone_from(&self.worker);
        record.progress.clone_from(&self.progress);
        record.failure.clone_from(&self.failure);
        record.again = self.again.is_some();
        record
    }
}

impl Work {
    /// Two in one: the newer payload, the higher priority, the earlier time.
    fn and(self, newer: Self) -> Self {
        Self {
            payload: newer.payload,
            priority: self.priority.min(newer.priority),
            due: self.due.min(newer.due),
        }
    }
}

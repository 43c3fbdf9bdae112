//! What becomes of a job?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::lane::Lane;
use crate::connection::Owner;
use crate::error::ErrorKind;
use crate::queue::{
    Enqueued, Enqueuing, Heartbeat, Job, JobFailure, JobId, JobKind, JobQuery, JobRecord, JobState,
    KindStats, Lease, LeaseId, LeaseRequest, Leased, MOST_LOST_LEASES, NewJob, Outcome, Payload, Priority,
    QueueStats, Settlement,
};
use crate::sync::Fence;

/// All jobs, by their numbers, and in the orders in which they are looked for.
pub(super) struct Jobs {
    all: BTreeMap<u64, Entry>,
    kinds: BTreeMap<JobKind, Kind>,
    /// The one that waits or runs, of all twins.
    twins: HashMap<TwinKey, u64>,
    /// By the time at which they were finished.
    finished: BTreeSet<(DateTime<Utc>, u64)>,
    last_number: u64,
    last_fence: u64,
}

struct Entry {
    record: JobRecord,
    /// Its place in its lane, from when it is ready until it is to be tried again.
    turn: Option<u64>,
    /// Of its last lease.
    fence: u64,
    /// What came while it runs.
    again: Option<Twin>,
}

/// What a twin asks for.
struct Twin {
    payload: Payload,
    priority: Priority,
    due: DateTime<Utc>,
}

type TwinKey = (JobKind, Owner, Arc<str>);

/// The jobs of a kind; sets of times and numbers.
#[derive(Default)]
struct Kind {
    lanes: [Lane; Priority::ALL.len()],
    /// Those in the lanes, by the time since when they are due.
    ready: BTreeSet<(DateTime<Utc>, u64)>,
    /// By the time at which they are due.
    delayed: BTreeSet<(DateTime<Utc>, u64)>,
    /// By the time at which their leases run out.
    running: BTreeSet<(DateTime<Utc>, u64)>,
    dead: u64,
    done_ever: u64,
    retried_ever: u64,
    dead_ever: u64,
    /// Whether jobs have begun to wait since somebody last asked for some.
    news: bool,
}

impl Jobs {
    /// An empty queue. Its numbers and fences are above those of one that was set up before: nobody
    /// makes a million jobs or leases per second.
    pub(super) fn new(now: DateTime<Utc>) -> Self {
        let start = u64::try_from(now.timestamp_micros()).unwrap_or(0);
        Self {
            all: BTreeMap::new(),
            kinds: BTreeMap::new(),
            twins: HashMap::new(),
            finished: BTreeSet::new(),
            last_number: start,
            last_fence: start,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn enqueue(&mut self, jobs: Vec<NewJob>, now: DateTime<Utc>) -> Vec<Enqueued> {
        jobs.into_iter().map(|job| self.add(job, now)).collect()
    }

    fn add(&mut self, job: NewJob, now: DateTime<Utc>) -> Enqueued {
        self.ripen(&job.kind, now);
        let due = later(now, job.delay);
        let twin = twin_key(&job.kind, &job.owner, job.key.as_ref());
        if let Some(number) = twin.and_then(|twin| self.twins.get(&twin).copied())
            && let Some(mut entry) = self.take(number)
        {
            let twin = Twin { payload: job.payload, priority: job.priority, due };
            let how = if entry.record.state == JobState::Running {
                entry.again = Some(match entry.again.take() {
                    Some(kept) => kept.coalesce(twin),
                    None => twin,
                });
                Enqueuing::Again
            } else {
                entry.coalesce(twin);
                Enqueuing::Coalesced
            };
            let id = entry.record.job.id.clone();
            self.put(number, entry, now);
            return Enqueued { id, how };
        }
        self.last_number += 1;
        let number = self.last_number;
        let mut record = JobRecord::new(Job::new(number.to_string(), job, now), JobState::Waiting);
        record.due_at = Some(due);
        let id = record.job.id.clone();
        self.put(number, Entry { record, turn: None, fence: 0, again: None }, now);
        Enqueued { id, how: Enqueuing::Added }
    }

    pub(super) fn lease(&mut self, request: &LeaseRequest, now: DateTime<Utc>) -> Leased {
        let mut leased = Leased::default();
        let until = later(now, request.ttl);
        for (kind, max) in &request.wants {
            self.put_back_lost(kind, now);
            self.ripen(kind, now);
            for _ in 0..*max {
                let Some(number) = self.kinds.get(kind).and_then(Kind::first) else { break };
                let Some(mut entry) = self.take(number) else { break };
                self.last_fence += 1;
                entry.fence = self.last_fence;
                let record = &mut entry.record;
                record.state = JobState::Running;
                record.due_at = Some(until);
                record.started_at = Some(now);
                record.worker = Some(request.worker.clone());
                leased.leases.push(Lease::new(record.job.clone(), Fence(entry.fence)));
                self.put(number, entry, now);
            }
            let Some(kind) = self.kinds.get_mut(kind) else { continue };
            kind.news = false;
            kind.lanes.iter_mut().for_each(Lane::forget_past);
            for next in [kind.delayed.first(), kind.running.first()].into_iter().flatten() {
                let wait = (next.0 - now).to_std().unwrap_or_default();
                leased.next_due = Some(leased.next_due.map_or(wait, |due| due.min(wait)));
            }
        }
        leased
    }

    pub(super) fn extend(&mut self, heartbeats: Vec<Heartbeat>, now: DateTime<Utc>) -> Vec<bool> {
        let mut held = Vec::with_capacity(heartbeats.len());
        for Heartbeat { lease, ttl, progress } in heartbeats {
            let entry = self.take_held(&lease);
            held.push(entry.is_some());
            if let Some((number, mut entry)) = entry {
                entry.record.due_at = Some(later(now, ttl));
                entry.record.progress = progress.or(entry.record.progress);
                self.put(number, entry, now);
            }
        }
        held
    }

    pub(super) fn settle(&mut self, settlements: Vec<Settlement>, now: DateTime<Utc>) -> Vec<bool> {
        let mut held = Vec::with_capacity(settlements.len());
        for settlement in settlements {
            let entry = self.take_held(&settlement.lease);
            held.push(entry.is_some());
            if let Some((number, entry)) = entry {
                self.end(number, entry, settlement, now);
            }
        }
        held
    }

    fn end(&mut self, number: u64, mut entry: Entry, settlement: Settlement, now: DateTime<Utc>) {
        let Settlement { outcome, failure, progress, repeat, .. } = settlement;
        let record = &mut entry.record;
        record.progress = progress.or(record.progress.take());
        record.failure = failure.or(record.failure.take());
        match outcome {
            Outcome::Done | Outcome::Dead => {
                let repeat = repeat.map(|repeat| Twin {
                    payload: repeat.payload.unwrap_or_else(|| record.job.payload.clone()),
                    priority: record.job.priority,
                    due: later(now, repeat.after),
                });
                let state = if outcome == Outcome::Done { JobState::Done } else { JobState::Dead };
                self.finish(number, entry, state, repeat, now);
            }
            Outcome::Retry { after } => {
                record.job.failures += 1;
                self.kinds.entry(record.job.kind.clone()).or_default().retried_ever += 1;
                entry.turn = None;
                self.wait_on(number, entry, later(now, after), now);
            }
            Outcome::Release => self.wait_on(number, entry, now, now),
        }
    }

    /// A job is over. What came while it ran, or is to come after it, waits as a new job.
    fn finish(
        &mut self,
        number: u64,
        mut entry: Entry,
        state: JobState,
        repeat: Option<Twin>,
        now: DateTime<Utc>,
    ) {
        let next = match (repeat, entry.again.take()) {
            (Some(repeat), Some(again)) => Some(repeat.coalesce(again)),
            (repeat, again) => repeat.or(again),
        };
        let record = &mut entry.record;
        let kind = self.kinds.entry(record.job.kind.clone()).or_default();
        *if state == JobState::Done { &mut kind.done_ever } else { &mut kind.dead_ever } += 1;
        record.state = state;
        record.due_at = None;
        record.finished_at = Some(now);
        let again = record.job.again();
        self.put(number, entry, now);
        if let Some(Twin { payload, priority, due }) = next {
            let delay = (due - now).to_std().unwrap_or_default();
            self.add(again.payload(payload).priority(priority).delay(delay), now);
        }
    }

    /// A job waits once more, and does the work of the twin that came while it ran.
    fn wait_on(&mut self, number: u64, mut entry: Entry, due: DateTime<Utc>, now: DateTime<Utc>) {
        entry.record.state = JobState::Waiting;
        entry.record.due_at = Some(due);
        if let Some(Twin { payload, priority, .. }) = entry.again.take() {
            entry.coalesce(Twin { payload, priority, due });
        }
        self.put(number, entry, now);
    }

    fn put_back_lost(&mut self, kind: &JobKind, now: DateTime<Utc>) {
        loop {
            let first = self.kinds.get(kind).and_then(|kind| kind.running.first().copied());
            let Some((expired, number)) = first.filter(|(until, _)| *until <= now) else { return };
            let Some(mut entry) = self.take(number) else { return };
            entry.record.job.lost += 1;
            if entry.record.job.lost < MOST_LOST_LEASES {
                self.wait_on(number, entry, expired, now);
                continue;
            }
            entry.record.failure = Some(JobFailure::new(
                ErrorKind::Cancelled,
                "lease_lost",
                format!(
                    "{MOST_LOST_LEASES} workers have lost the job, the last was {}; see whether it crashes them, \
                     and put it into the queue again",
                    entry.record.worker.as_deref().unwrap_or("unknown"),
                ),
            ));
            self.finish(number, entry, JobState::Dead, None, now);
        }
    }

    /// Those whose time has come are ready, in the order of their times.
    fn ripen(&mut self, kind: &JobKind, now: DateTime<Utc>) {
        loop {
            let first = self.kinds.get(kind).and_then(|kind| kind.delayed.first().copied());
            let Some((_, number)) = first.filter(|(due, _)| *due <= now) else { return };
            let Some(entry) = self.take(number) else { return };
            self.put(number, entry, now);
        }
    }

    pub(super) fn stats(&mut self, now: DateTime<Utc>) -> QueueStats {
        let kinds: Vec<JobKind> = self.kinds.keys().cloned().collect();
        for kind in &kinds {
            self.ripen(kind, now);
        }
        QueueStats { kinds: self.kinds.iter().map(|(name, kind)| (name.clone(), kind.stats(now))).collect() }
    }

    pub(super) fn find(&self, query: &JobQuery) -> Vec<JobRecord> {
        let number = |id: &JobId| id.as_str().parse().unwrap_or(u64::MAX);
        let after = query.after.as_ref().map_or(Bound::Unbounded, |id| Bound::Excluded(number(id)));
        let one = query.id.as_ref().map(number);
        let range = match one {
            Some(one) => self.all.range((Bound::Included(one), Bound::Included(one))),
            None => self.all.range((after, Bound::Unbounded)),
        };
        let records = range.map(|(_, entry)| &entry.record).filter(|record| query.matches(record));
        records.take(query.limit()).cloned().collect()
    }

    pub(super) fn requeue(&mut self, jobs: &[JobId], now: DateTime<Utc>) -> Vec<Option<Enqueued>> {
        let requeue = |id: &JobId| {
            let number = self.number(id).filter(|number| self.all[number].record.state.is_finished())?;
            let entry = self.take(number)?;
            let again = entry.record.job.again();
            if entry.record.state == JobState::Done {
                self.put(number, entry, now);
            }
            Some(self.add(again, now))
        };
        jobs.iter().map(requeue).collect()
    }

    pub(super) fn purge(&mut self, before: DateTime<Utc>) -> u64 {
        let mut purged = 0;
        while let Some((_, number)) = self.finished.first().copied().filter(|(at, _)| *at < before) {
            self.take(number);
            purged += 1;
        }
        purged
    }

    /// Whether there may be something that those who asked last have not seen.
    pub(super) fn has_news(&mut self, kinds: &[JobKind], now: DateTime<Utc>) -> bool {
        kinds.iter().any(|name| {
            self.ripen(name, now);
            self.kinds.get(name).is_some_and(|kind| kind.news || kind.first().is_some())
        })
    }

    fn number(&self, id: &JobId) -> Option<u64> {
        let number = id.as_str().parse().ok()?;
        self.all.get(&number).is_some_and(|entry| entry.record.job.id == *id).then_some(number)
    }

    fn take_held(&mut self, lease: &LeaseId) -> Option<(u64, Entry)> {
        let number = self.number(&lease.job)?;
        let entry = &self.all[&number];
        let held = entry.record.state == JobState::Running && entry.fence == lease.fence.0;
        if held { self.take(number).map(|entry| (number, entry)) } else { None }
    }

    /// Takes a job out of all orders.
    fn take(&mut self, number: u64) -> Option<Entry> {
        let entry = self.all.remove(&number)?;
        let JobRecord { job, state, due_at, finished_at, .. } = &entry.record;
        if let Some(twin) = twin_key(&job.kind, &job.owner, job.key.as_ref())
            && !state.is_finished()
        {
            self.twins.remove(&twin);
        }
        let kind = self.kinds.entry(job.kind.clone()).or_default();
        let due = (due_at.unwrap_or_default(), number);
        match state {
            JobState::Waiting if kind.delayed.remove(&due) => {}
            JobState::Waiting => {
                kind.ready.remove(&due);
                kind.lanes[usize::from(job.priority.rank())].remove(entry.turn.unwrap_or_default(), number);
            }
            JobState::Running => {
                kind.running.remove(&due);
            }
            JobState::Done | JobState::Dead => {
                self.finished.remove(&(finished_at.unwrap_or_default(), number));
                kind.dead -= u64::from(*state == JobState::Dead);
            }
        }
        Some(entry)
    }

    /// Puts a job into the orders that are for its state.
    fn put(&mut self, number: u64, mut entry: Entry, now: DateTime<Utc>) {
        entry.record.again = entry.again.is_some();
        let JobRecord { job, state, due_at, finished_at, .. } = &entry.record;
        if let Some(twin) = twin_key(&job.kind, &job.owner, job.key.as_ref())
            && !state.is_finished()
        {
            self.twins.insert(twin, number);
        }
        let due = (due_at.unwrap_or_default(), number);
        let kind = self.kinds.entry(job.kind.clone()).or_default();
        match state {
            JobState::Waiting if due.0 > now => {
                kind.delayed.insert(due);
                kind.news = true;
            }
            JobState::Waiting => {
                let lane = &mut kind.lanes[usize::from(job.priority.rank())];
                let turn = entry.turn.unwrap_or_else(|| lane.turn(&job.owner));
                lane.insert(turn, number);
                entry.turn = Some(turn);
                kind.ready.insert(due);
                kind.news = true;
            }
            JobState::Running => {
                kind.running.insert(due);
            }
            JobState::Done | JobState::Dead => {
                self.finished.insert((finished_at.unwrap_or_default(), number));
                kind.dead += u64::from(*state == JobState::Dead);
            }
        }
        self.all.insert(number, entry);
    }
}

impl Entry {
    /// A job that waits takes on what a twin asks for; one that waits for a retry keeps its time.
    fn coalesce(&mut self, twin: Twin) {
        let job = &mut self.record.job;
        job.payload = twin.payload;
        if twin.priority < job.priority {
            job.priority = twin.priority;
            self.turn = None;
        }
        if job.failures == 0 {
            self.record.due_at = self.record.due_at.min(Some(twin.due));
        }
    }
}

impl Twin {
    fn coalesce(self, newer: Self) -> Self {
        Self {
            payload: newer.payload,
            priority: self.priority.min(newer.priority),
            due: self.due.min(newer.due),
        }
    }
}

impl Kind {
    fn first(&self) -> Option<u64> {
        self.lanes.iter().find_map(Lane::first)
    }

    fn stats(&self, now: DateTime<Utc>) -> KindStats {
        KindStats {
            ready: self.ready.len() as u64,
            delayed: self.delayed.len() as u64,
            running: self.running.len() as u64,
            dead: self.dead,
            done_ever: self.done_ever,
            retried_ever: self.retried_ever,
            dead_ever: self.dead_ever,
            oldest: self.ready.first().map(|(due, _)| (now - *due).to_std().unwrap_or_default()),
        }
    }
}

fn twin_key(kind: &JobKind, owner: &Owner, key: Option<&Arc<str>>) -> Option<TwinKey> {
    key.map(|key| (kind.clone(), owner.clone(), Arc::clone(key)))
}

fn later(now: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
    now.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

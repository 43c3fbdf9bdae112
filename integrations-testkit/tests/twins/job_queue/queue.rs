//! How does a queue work that looks through all its jobs, and has one flaw?
//!
//! It is as simple as can be, and shares nothing with the one in memory: so the suite itself has a second opinion.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::future;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::connection::{Owner, TenantId};
use integrations_core::queue::{
    Enqueued, Enqueuing, Heartbeat, Job, JobFailure, JobId, JobKind, JobQuery, JobQueue, JobRecord, JobState,
    KindStats, Lease, LeaseId, LeaseRequest, Leased, MOST_LOST_LEASES, NewJob, Outcome, Payload, Priority,
    QueueStats, Repeat, Settlement,
};
use integrations_core::sync::Fence;
use integrations_core::{Error, ErrorKind, Result};
use tokio::sync::Notify;

use super::super::gap;
use super::Flaw;

#[derive(Debug)]
pub(super) struct Twin {
    clock: Arc<ManualClock>,
    flaw: Option<Flaw>,
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    jobs: Vec<Held>,
    made: u64,
    fences: HashMap<Option<JobKind>, u64>,
    /// The last turn of each user, and the last of all, in each lane.
    turns: HashMap<(Lane, Owner), u64>,
    last: HashMap<Lane, u64>,
    ever: BTreeMap<JobKind, KindStats>,
}

type Lane = (JobKind, u8);

#[derive(Debug, Clone)]
struct Held {
    record: JobRecord,
    fence: u64,
    again: Option<Again>,
    turn: Option<u64>,
    /// Whether nobody is told of it.
    quiet: bool,
}

#[derive(Debug, Clone)]
struct Again {
    payload: Payload,
    priority: Priority,
    due: DateTime<Utc>,
}

impl Twin {
    pub(super) fn new(clock: Arc<ManualClock>, flaw: Option<Flaw>) -> Self {
        Self { clock, flaw, state: Mutex::default(), news: Notify::new() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn later(&self, by: Duration) -> DateTime<Utc> {
        let by = TimeDelta::from_std(by).unwrap();
        let by = if self.has(Flaw::DecadesAreOver) && by > TimeDelta::days(50 * 365) {
            TimeDelta::zero()
        } else {
            by
        };
        self.clock.now() + if self.has(Flaw::TimesAreRounded) { by - TimeDelta::milliseconds(1) } else { by }
    }

    fn is_due(&self, record: &JobRecord) -> bool {
        let (due, now) = (record.due_at.unwrap_or_default(), self.clock.now());
        record.state == JobState::Waiting && (due < now || (due == now && !self.has(Flaw::DueIsExclusive)))
    }

    fn is_kind(&self, kind: &JobKind, wanted: &JobKind) -> bool {
        let (kind, wanted) = (kind.as_str(), wanted.as_str());
        match self.flaw {
            Some(Flaw::AnyKind) => true,
            Some(Flaw::KindsFoldCase) => kind.to_lowercase() == wanted.to_lowercase(),
            Some(Flaw::KindsAreTrimmed) => kind.trim() == wanted.trim(),
            _ => kind == wanted,
        }
    }

    fn is_id(&self, id: &JobId, wanted: &JobId) -> bool {
        let number = |id: &JobId| id.as_str().trim().parse::<u64>().ok();
        id == wanted || (self.has(Flaw::IdsAreNumbers) && number(id) == number(wanted))
    }

    fn twin_key(&self, kind: &JobKind, owner: &Owner, key: Option<&Arc<str>>) -> Option<[String; 4]> {
        let mut key = key.map(ToString::to_string);
        let (mut kind, mut tenant, mut user) =
            (kind.to_string(), owner.tenant.to_string(), owner.user.to_string());
        match self.flaw {
            Some(Flaw::NoTwins) => key = None,
            Some(Flaw::NoKeyIsAKey) => key = Some(key.unwrap_or_default()),
            Some(Flaw::EmptyKeyIsNone) => key = key.filter(|key| !key.is_empty()),
            Some(Flaw::KeysFoldCase) => key = key.map(|key| key.to_lowercase()),
            Some(Flaw::KeysAreCut) => key = key.map(|key| key.chars().take(255).collect()),
            Some(Flaw::OwnersAreJoined) => (tenant, user) = (format!("{tenant}:{user}"), String::new()),
            Some(Flaw::TwinsOfAllTenants) => tenant.clear(),
            Some(Flaw::TwinsOfAllUsers) => user.clear(),
            Some(Flaw::TwinsOfAllKinds) => kind.clear(),
            _ => {}
        }
        key.map(|key| [kind, tenant, user, key])
    }

    fn find_twin(&self, job: &NewJob, among: usize) -> Option<usize> {
        let wanted = self.twin_key(&job.kind, &job.owner, job.key.as_ref())?;
        let state = self.state();
        let mut jobs = state.jobs.iter().take(among);
        jobs.position(|Held { record: JobRecord { job, state, .. }, .. }| {
            let counts = match state {
                JobState::Waiting => true,
                JobState::Running => !self.has(Flaw::RunningIsNoTwin),
                JobState::Done | JobState::Dead => self.has(Flaw::FinishedIsATwin),
            };
            counts && self.twin_key(&job.kind, &job.owner, job.key.as_ref()).as_ref() == Some(&wanted)
        })
    }

    fn merge(&self, older: Again, newer: Again) -> Again {
        let mut merged = Again {
            payload: newer.payload,
            priority: older.priority.min(newer.priority),
            due: older.due.min(newer.due),
        };
        match self.flaw {
            Some(Flaw::OlderPayloadStays) => merged.payload = older.payload,
            Some(Flaw::NewerPriorityCounts) => merged.priority = newer.priority,
            Some(Flaw::OlderPriorityCounts) => merged.priority = older.priority,
            Some(Flaw::NewerTimeCounts) => merged.due = newer.due,
            Some(Flaw::OlderTimeCounts) => merged.due = older.due,
            _ => {}
        }
        merged
    }

    /// A job that waits does its twin's work, too.
    fn coalesce(&self, held: &mut Held, twin: Again) {
        let Held { record, turn, .. } = held;
        let job = &mut record.job;
        let due = record.due_at.unwrap_or(twin.due);
        let own = Again { payload: job.payload.clone(), priority: job.priority, due };
        let Again { payload, priority, due } = self.merge(own, twin);
        if job.priority != priority || self.has(Flaw::CoalescedComesLast) {
            *turn = None;
        }
        (job.payload, job.priority) = (payload, priority);
        if job.failures == 0 || self.has(Flaw::RetryIsHurried) {
            record.due_at = Some(due);
        }
    }

    fn add(&self, mut job: NewJob, twin: Option<usize>) -> Enqueued {
        if self.has(Flaw::DelayIsIgnored) {
            job.delay = Duration::ZERO;
        }
        let due = self.later(job.delay);
        let mut state = self.state();
        if let Some(held) = twin.and_then(|twin| state.jobs.get_mut(twin)) {
            let twin = Again { payload: job.payload, priority: job.priority, due };
            let id = held.record.job.id.clone();
            if held.record.state != JobState::Running || self.has(Flaw::RunningIsCoalesced) {
                self.coalesce(held, twin);
                return Enqueued::new(id, Enqueuing::Coalesced);
            }
            held.again = Some(match held.again.take() {
                Some(kept) if self.has(Flaw::FirstTwinIsKept) => kept,
                Some(kept) => self.merge(kept, twin),
                None => twin,
            });
            return Enqueued::new(id, Enqueuing::Again);
        }
        let bytes = job.payload.as_bytes();
        match self.flaw {
            Some(Flaw::TenantIsForgotten) => job.owner.tenant = TenantId::single(),
            Some(Flaw::PayloadIsText) => {
                job.payload = Payload::new(String::from_utf8_lossy(bytes).into_owned());
            }
            Some(Flaw::PayloadIsCut) => job.payload = Payload::new(bytes[..bytes.len().min(65_535)].to_vec()),
            _ => {}
        }
        state.made += 1;
        state.ever.entry(job.kind.clone()).or_default();
        let late = TimeDelta::seconds(i64::from(self.has(Flaw::EnqueuedAtIsLater)));
        let job = Job::new(state.made.to_string(), job, self.clock.now() + late);
        let id = job.id.clone();
        let mut record = JobRecord::new(job, JobState::Waiting);
        record.due_at = Some(due);
        state.jobs.push(Held { record, fence: 0, again: None, turn: None, quiet: false });
        if self.has(Flaw::TurnWhenPutIn) {
            self.give_turns(&mut state);
        }
        Enqueued::new(id, Enqueuing::Added)
    }

    /// Jobs that have become due get their turns, in the order in which they did.
    fn give_turns(&self, state: &mut State) {
        let lane = |job: &Job| (job.kind.clone(), job.priority.rank());
        let mut present = HashMap::new();
        let mut new = Vec::new();
        for (place, Held { record, turn, .. }) in state.jobs.iter().enumerate() {
            match turn {
                _ if record.state != JobState::Waiting => {}
                Some(turn) => {
                    let least: &mut u64 = present.entry(lane(&record.job)).or_insert(*turn);
                    *least = (*least).min(*turn);
                }
                None if self.is_due(record) || self.has(Flaw::TurnWhenPutIn) => new.push(place),
                None => {}
            }
        }
        if !self.has(Flaw::RipeInOrderOfArrival) {
            new.sort_by_key(|place| (state.jobs[*place].record.due_at, *place));
        }
        for place in new {
            let Held { record, turn, .. } = &mut state.jobs[place];
            let lane = lane(&record.job);
            let last = state.last.entry(lane.clone()).or_default();
            let floor = match self.flaw {
                Some(Flaw::NewcomersCatchUp) => 1,
                Some(Flaw::NewcomersComeLast) => *last + 1,
                _ => *present.entry(lane.clone()).or_insert(*last + 1),
            };
            let own = state.turns.entry((lane, record.job.owner.clone())).or_default();
            *own = floor.max(*own + 1);
            *last = (*last).max(*own);
            *turn = Some(*own);
        }
    }

    /// The places of the first jobs of a kind, in their order.
    fn choose(&self, state: &State, kind: &JobKind, max: usize) -> Vec<usize> {
        let mut ready: Vec<_> = state.jobs.iter().enumerate().collect();
        ready.retain(|(_, Held { record, .. })| {
            let shared = self.has(Flaw::LeaseIsShared) && record.state == JobState::Running;
            self.is_kind(&record.job.kind, kind) && (shared || self.is_due(record))
        });
        ready.sort_by_key(|(place, held)| {
            let rank = if self.has(Flaw::PriorityIsIgnored) { 0 } else { held.record.job.priority.rank() };
            let turn = if self.has(Flaw::FirstComeFirstServed) { None } else { held.turn };
            let newest = self.has(Flaw::NewestFirst).then_some(Reverse(*place));
            (rank, newest, turn, *place)
        });
        let max = match self.flaw {
            Some(Flaw::OneTooMany) => max + 1,
            Some(Flaw::NoneIsAll) if max == 0 => usize::MAX,
            _ => max,
        };
        ready.into_iter().take(max).map(|(place, _)| place).collect()
    }

    fn next_fence(&self, state: &mut State, place: usize) -> u64 {
        let Held { record, fence, .. } = &state.jobs[place];
        if self.has(Flaw::FenceOfJob) && *fence > 0 {
            return *fence;
        }
        let count =
            state.fences.entry(self.has(Flaw::FencesByKind).then(|| record.job.kind.clone())).or_default();
        *count += 1;
        *count
    }

    fn put_back_lost(&self, kind: &JobKind) {
        let early = TimeDelta::seconds(i64::from(self.has(Flaw::LeaseRunsOutEarly)));
        let count = self.state().jobs.len();
        for place in 0..count {
            let mut state = self.state();
            let held = &mut state.jobs[place];
            let lost = held.record.state == JobState::Running
                && held.record.job.kind == *kind
                && held.record.due_at.is_some_and(|until| until - early <= self.clock.now())
                && !self.has(Flaw::LeaseNeverRunsOut);
            if !lost {
                continue;
            }
            held.record.job.lost += u32::from(!self.has(Flaw::LossIsNotCounted));
            held.record.job.failures += u32::from(self.has(Flaw::LossIsFailure));
            let most = MOST_LOST_LEASES - u32::from(self.has(Flaw::NinthLossIsDead));
            if held.record.job.lost < most || self.has(Flaw::NeverDeadByLoss) {
                let kept = held.again.clone();
                if self.has(Flaw::LossForgetsTwin) {
                    held.again = None;
                }
                self.wait_on(held, self.clock.now());
                if self.has(Flaw::LossKeepsTwin) {
                    held.again = kept;
                }
                continue;
            }
            let code = if self.has(Flaw::LossHasNoCode) { "unknown" } else { "lease_lost" };
            held.record.failure = Some(JobFailure::new(ErrorKind::Cancelled, code, "lost"));
            drop(state);
            let follower = self.finish(place, JobState::Dead, None);
            self.follow(follower);
        }
    }

    fn wait_on(&self, held: &mut Held, due: DateTime<Utc>) {
        held.record.state = JobState::Waiting;
        held.record.due_at = Some(due);
        if let Some(twin) = held.again.take() {
            self.coalesce(held, Again { due, ..twin });
        }
    }

    /// A job is over; returns what comes after it.
    fn finish(&self, place: usize, end: JobState, repeat: Option<Repeat>) -> Vec<(NewJob, u32)> {
        let mut state = self.state();
        let Held { record, again, .. } = &mut state.jobs[place];
        let mut again = again.take().map(|again| match self.flaw {
            Some(Flaw::TwinIsAtOnce) => Again { due: self.clock.now(), ..again },
            Some(Flaw::TwinTimeCountsFromEnd) => {
                let came = record.started_at.unwrap_or_default();
                Again { due: self.clock.now() + (again.due - came).max(TimeDelta::zero()), ..again }
            }
            _ => again,
        });
        if self.has(Flaw::DeadForgetsTwin) && end == JobState::Dead {
            again = None;
        }
        let repeat = repeat.filter(|_| {
            !(self.has(Flaw::NoRepeat) || (self.has(Flaw::DeadIsNotRepeated) && end == JobState::Dead))
        });
        let failures = if self.has(Flaw::RepeatKeepsFailures) { record.job.failures } else { 0 };
        let repeat = repeat.map(|Repeat { after, payload }| {
            let payload = match self.flaw {
                Some(Flaw::RepeatKeepsPayload) => None,
                Some(Flaw::RepeatOfNothingKeepsPayload) => {
                    payload.filter(|payload| !payload.as_bytes().is_empty())
                }
                _ => payload,
            };
            let after = if self.has(Flaw::RepeatIsAtOnce) { Duration::ZERO } else { after };
            let payload = payload.unwrap_or_else(|| record.job.payload.clone());
            Again { payload, priority: record.job.priority, due: self.later(after) }
        });
        let followers = match (repeat, again) {
            (Some(repeat), Some(_)) if self.has(Flaw::RepeatForgetsTwin) => vec![repeat],
            (Some(repeat), Some(again)) if self.has(Flaw::RepeatBesideTwin) => vec![repeat, again],
            (Some(repeat), Some(again)) => vec![self.merge(repeat, again)],
            (repeat, again) => repeat.into_iter().chain(again).collect(),
        };
        record.state = end;
        record.due_at = None;
        record.finished_at =
            if self.has(Flaw::FinishedWhenStarted) { record.started_at } else { Some(self.clock.now()) };
        let job = record.job.again();
        let ever = state.ever.entry(job.kind.clone()).or_default();
        *if end == JobState::Done { &mut ever.done_ever } else { &mut ever.dead_ever } += 1;
        let follower = |Again { payload, priority, due }| {
            let delay = (due - self.clock.now()).to_std().unwrap_or_default();
            (job.clone().payload(payload).priority(priority).delay(delay), failures)
        };
        followers.into_iter().map(follower).collect()
    }

    fn follow(&self, followers: Vec<(NewJob, u32)>) {
        for (job, failures) in followers {
            self.add(job, None);
            if let Some(held) = self.state().jobs.last_mut() {
                held.record.job.failures = failures;
            }
        }
    }

    fn place(&self, lease: &LeaseId, any_state: Flaw, any_fence: Flaw) -> Option<usize> {
        self.state().jobs.iter().position(|Held { record, fence, .. }| {
            self.is_id(&record.job.id, &lease.job)
                && (record.state == JobState::Running || self.has(any_state))
                && (*fence == lease.fence.0 || self.has(any_fence))
        })
    }

    async fn end(&self, place: usize, settlement: Settlement) {
        if self.has(Flaw::SettleIsTwoSteps) {
            let read = self.state().jobs[place].again.clone();
            gap().await;
            self.state().jobs[place].again = read;
        }
        let followers = self.take_in(place, settlement);
        if self.has(Flaw::FollowerComesLater) {
            gap().await;
        }
        self.follow(followers);
    }

    /// Returns what comes after the job.
    fn take_in(&self, place: usize, settlement: Settlement) -> Vec<(NewJob, u32)> {
        let Settlement { outcome, failure, progress, repeat, .. } = settlement;
        let minute = Duration::from_secs(60);
        let mut state = self.state();
        let State { jobs, ever, .. } = &mut *state;
        let held = &mut jobs[place];
        let record = &mut held.record;
        if !self.has(Flaw::LastProgressIsForgotten) {
            record.progress = progress.or(record.progress.take());
        }
        if !self.has(Flaw::FailureIsForgotten) {
            record.failure = failure.or(record.failure.take());
        }
        let end = match outcome {
            Outcome::Done if self.has(Flaw::DoneComesBack) => {
                self.wait_on(held, self.later(minute));
                return Vec::new();
            }
            Outcome::Dead if self.has(Flaw::DeadComesBack) => {
                self.wait_on(held, self.later(minute));
                return Vec::new();
            }
            Outcome::Done => JobState::Done,
            Outcome::Dead => JobState::Dead,
            Outcome::Retry { after } => {
                record.job.failures += u32::from(!self.has(Flaw::RetryIsNotCounted));
                ever.entry(record.job.kind.clone()).or_default().retried_ever += 1;
                held.turn = None;
                if self.has(Flaw::RetryForgetsTwin) {
                    held.again = None;
                }
                let after = if self.has(Flaw::RetryIsAtOnce) { Duration::ZERO } else { after };
                self.wait_on(held, self.later(after));
                return Vec::new();
            }
            Outcome::Release => {
                record.job.failures += u32::from(self.has(Flaw::ReleaseCounts));
                if self.has(Flaw::ReleaseForgetsFailures) {
                    record.job.failures = 0;
                }
                if self.has(Flaw::ReleaseForgetsTwin) {
                    held.again = None;
                }
                let after = if self.has(Flaw::ReleaseWaits) { minute } else { Duration::ZERO };
                self.wait_on(held, self.later(after));
                return Vec::new();
            }
        };
        drop(state);
        self.finish(place, end, repeat)
    }

    fn tell(&self) {
        match self.flaw {
            Some(Flaw::NeverWakes) => {}
            Some(Flaw::WakesOne) => self.news.notify_one(),
            _ => self.news.notify_waiters(),
        }
    }

    fn next_due(&self, kinds: &[&JobKind]) -> Option<Duration> {
        let state = self.state();
        let of_kind = |job: &Job| kinds.contains(&&job.kind) || self.has(Flaw::NextDueOfAllKinds);
        let times = state.jobs.iter().filter(|held| of_kind(&held.record.job)).filter_map(
            |Held { record, .. }| {
                let told = match record.state {
                    JobState::Waiting => !self.has(Flaw::NextDueForgetsDelayed) && !self.is_due(record),
                    JobState::Running => !self.has(Flaw::NextDueForgetsLeases),
                    JobState::Done | JobState::Dead => false,
                };
                record.due_at.filter(|_| told)
            },
        );
        let next = times.min().map(|due| (due - self.clock.now()).to_std().unwrap_or_default());
        next.map(|next| next + Duration::from_secs(u64::from(self.has(Flaw::NextDueIsLate))))
    }
}

#[async_trait]
impl JobQueue for Twin {
    async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        let check = |job: &NewJob| match job.check() {
            Err(_) if self.has(Flaw::LargeHasNoCode) => Err(Error::from(ErrorKind::InvalidRequest)),
            checked => checked,
        };
        let halfway = self.has(Flaw::LargeIsRefusedHalfway);
        if !halfway && !self.has(Flaw::LargeIsTaken) {
            jobs.iter().try_for_each(check)?;
        }
        let before = if self.has(Flaw::BatchHasNoTwins) { self.state().jobs.len() } else { usize::MAX };
        let mut enqueued = Vec::new();
        for job in jobs {
            if halfway {
                check(&job)?;
            }
            if self.has(Flaw::EnqueueIsOneByOne) {
                gap().await;
            }
            let twin = self.find_twin(&job, before);
            if self.has(Flaw::EnqueueIsTwoSteps) {
                gap().await;
            }
            enqueued.push(self.add(job, twin));
        }
        if self.has(Flaw::AnswersAreReversed) {
            enqueued.reverse();
        }
        self.tell();
        Ok(enqueued)
    }

    async fn lease(&self, request: &LeaseRequest) -> Result<Leased> {
        let mut chosen = Vec::new();
        for (index, (kind, max)) in request.wants.iter().enumerate() {
            if index > 0 && self.has(Flaw::FirstKindOnly) {
                break;
            }
            let max = if self.has(Flaw::OneBoundForAll) { request.wants[0].1 } else { *max };
            self.put_back_lost(kind);
            let mut state = self.state();
            self.give_turns(&mut state);
            chosen.extend(
                self.choose(&state, kind, max).into_iter().map(|place| (place, state.jobs[place].clone())),
            );
        }
        if self.has(Flaw::LeaseIsTwoSteps) {
            gap().await;
        }
        let mut leased = Leased::default();
        for (place, Held { record: JobRecord { job, .. }, .. }) in &chosen {
            let mut state = self.state();
            let fence = self.next_fence(&mut state, *place);
            let held = &mut state.jobs[*place];
            held.fence = fence;
            let record = &mut held.record;
            record.state = JobState::Running;
            record.due_at = Some(self.later(request.ttl));
            record.started_at =
                Some(if self.has(Flaw::StartedWhenPutIn) { job.enqueued_at } else { self.clock.now() });
            record.worker = Some(request.worker.clone()).filter(|_| !self.has(Flaw::WorkerIsForgotten));
            leased.leases.push(Lease::new(job.clone(), Fence(fence)));
        }
        if self.has(Flaw::LeaseEndsLater) {
            for (place, _) in &chosen {
                self.state().jobs[*place].record.due_at = Some(DateTime::<Utc>::MAX_UTC);
            }
            gap().await;
            for (place, _) in &chosen {
                self.state().jobs[*place].record.due_at = Some(self.later(request.ttl));
            }
        }
        leased.next_due = self.next_due(&request.wants.iter().map(|(kind, _)| kind).collect::<Vec<_>>());
        Ok(leased)
    }

    async fn extend(&self, heartbeats: Vec<Heartbeat>) -> Result<Vec<bool>> {
        let mut held = Vec::new();
        for Heartbeat { lease, ttl, progress } in heartbeats {
            let place = self.place(&lease, Flaw::ExtendAfterEnd, Flaw::ExtendByJob);
            held.push(place.is_some());
            let mut state = self.state();
            if self.has(Flaw::RefusedHeartbeatLeavesProgress) {
                let named = state.jobs.iter_mut().find(|held| held.record.job.id == lease.job);
                named.unwrap().record.progress.clone_from(&progress);
            }
            let Some(record) = place.map(|place| &mut state.jobs[place].record) else { continue };
            if record.state == JobState::Running && !self.has(Flaw::ExtendDoesNothing) {
                let more = TimeDelta::from_std(ttl).unwrap();
                record.due_at = match record.due_at {
                    Some(due) if self.has(Flaw::ExtendAdds) => Some(due + more),
                    _ => Some(self.later(ttl)),
                };
            }
            record.progress = match self.flaw {
                Some(Flaw::ProgressIsForgotten) => progress,
                Some(Flaw::NoteIsForgotten) => progress.map(|mut progress| {
                    progress.note = None;
                    progress
                }),
                _ => progress.or(record.progress.take()),
            };
        }
        if self.has(Flaw::OneLostLosesAll) && held.contains(&false) {
            held.fill(false);
        }
        Ok(held)
    }

    async fn settle(&self, settlements: Vec<Settlement>) -> Result<Vec<bool>> {
        let mut held = Vec::new();
        for settlement in settlements {
            let stopped = self.has(Flaw::OneRefusedStopsAll) && held.contains(&false);
            let place = self.place(&settlement.lease, Flaw::SettledTwice, Flaw::SettleByJob);
            let place = place.filter(|_| !stopped);
            held.push(place.is_some());
            if let Some(place) = place {
                self.end(place, settlement).await;
            }
        }
        if !self.has(Flaw::SettleWakesNobody) {
            self.tell();
        }
        Ok(held)
    }

    async fn stats(&self) -> Result<QueueStats> {
        let mut state = self.state();
        let State { jobs, ever, .. } = &mut *state;
        for stats in ever.values_mut() {
            *stats = kept(stats, self.has(Flaw::RetriesDoNotCount));
        }
        for Held { record, .. } in jobs {
            let counts = ever.entry(record.job.kind.clone()).or_default();
            match record.state {
                JobState::Waiting if self.is_due(record) || self.has(Flaw::DelayedIsReady) => {
                    let since = if self.has(Flaw::OldestWhenPutIn) {
                        Some(record.job.enqueued_at)
                    } else {
                        record.due_at
                    };
                    let due = (self.clock.now() - since.unwrap_or_default()).to_std().unwrap_or_default();
                    counts.oldest = counts.oldest.max(Some(due));
                    counts.ready += 1;
                }
                JobState::Waiting => counts.delayed += 1,
                JobState::Running => counts.running += 1,
                JobState::Dead => counts.dead += 1,
                JobState::Done => {}
            }
        }
        Ok(QueueStats { kinds: ever.clone() })
    }

    async fn find(&self, query: &JobQuery) -> Result<Vec<JobRecord>> {
        let mut query = query.clone();
        let state = self.state();
        let mut records: Vec<JobRecord> = state.jobs.iter().map(|held| self.shown(held)).collect();
        if self.has(Flaw::FoundByTime) {
            records.sort_by_key(|record| record.due_at);
        }
        if let Some(after) = &query.after {
            let behind =
                records.iter().position(|record| record.job.id == *after).map_or(0, |place| place + 1);
            records.drain(..behind - usize::from(self.has(Flaw::PagesOverlap)));
        }
        if self.has(Flaw::LimitComesFirst) {
            records.truncate(query.limit());
        }
        let no_limit = self.has(Flaw::NoUsualLimit) && query.limit.is_none();
        let limit = if no_limit { usize::MAX } else { query.limit() };
        if let Some(id) = query.id.take() {
            records.retain(|record| self.is_id(&record.job.id, &id));
        }
        if let Some(kind) = query.kind.take() {
            records.retain(|record| self.is_kind(&record.job.kind, &kind) || self.has(Flaw::KindIsIgnored));
        }
        let millisecond = TimeDelta::milliseconds(1);
        match self.flaw {
            Some(Flaw::StateIsIgnored) => query.state = None,
            Some(Flaw::DelayedIsNotFound) => {
                records.retain(|record| record.state != JobState::Waiting || self.is_due(record));
            }
            Some(Flaw::TenantIsIgnored) => {
                let owner = query.owner.take();
                records
                    .retain(|record| owner.as_ref().is_none_or(|owner| owner.user == record.job.owner.user));
            }
            Some(Flaw::WindowHasItsEnd) => {
                query.finished_before = query.finished_before.map(|at| at + millisecond);
            }
            Some(Flaw::WindowHasNoBeginning) => {
                query.finished_since = query.finished_since.map(|at| at + millisecond);
            }
            _ => {}
        }
        Ok(records.into_iter().filter(|record| query.matches(record)).take(limit).collect())
    }

    async fn requeue(&self, jobs: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        let mut requeued = Vec::new();
        for id in jobs {
            let (mut job, failures) = {
                let mut state = self.state();
                let place = state.jobs.iter().position(|held| {
                    let finished = held.record.state.is_finished() || self.has(Flaw::RequeueTakesAll);
                    self.is_id(&held.record.job.id, id) && finished
                });
                let Some(place) = place else {
                    requeued.push(None);
                    continue;
                };
                let JobRecord { job, state: ended, .. } = &state.jobs[place].record;
                let (job, failures) = (job.again(), job.failures);
                let goes = match ended {
                    JobState::Dead => !self.has(Flaw::RequeueLeavesLetter),
                    _ => self.has(Flaw::RequeueTakesHistory),
                };
                if goes {
                    state.jobs.remove(place);
                }
                (job, failures)
            };
            let twin = self.find_twin(&job, usize::MAX).filter(|_| !self.has(Flaw::RequeueHasNoTwins));
            if let Some(twin) = twin.filter(|_| self.has(Flaw::RequeuedIsOlder)) {
                job.payload = self.state().jobs[twin].record.job.payload.clone();
            }
            requeued.push(Some(self.add(job, twin)));
            let mut state = self.state();
            let last = state.jobs.last_mut().unwrap();
            last.quiet = self.has(Flaw::RequeuedIsNoNews);
            if self.has(Flaw::RequeueKeepsFailures) {
                last.record.job.failures = failures;
            }
        }
        self.tell();
        Ok(requeued)
    }

    async fn purge(&self, before: DateTime<Utc>) -> Result<u64> {
        let mut state = self.state();
        let count = state.jobs.len();
        let end = before + TimeDelta::milliseconds(i64::from(self.has(Flaw::PurgeIsInclusive)));
        state.jobs.retain(|Held { record, .. }| match record.finished_at {
            Some(at) => at >= end || (self.has(Flaw::PurgeLeavesDead) && record.state == JobState::Dead),
            None => !(self.has(Flaw::PurgeTakesAll) && record.job.enqueued_at < end),
        });
        if self.has(Flaw::PurgedIsUncounted) {
            state.ever.values_mut().for_each(|stats| stats.done_ever = 0);
        }
        let purged = (count - state.jobs.len()) as u64;
        Ok(if self.has(Flaw::PurgeCountsNothing) { 0 } else { purged })
    }

    async fn wait(&self, kinds: &[JobKind]) {
        loop {
            let news = self.news.notified();
            let ready = self.state().jobs.iter().any(|Held { record, quiet, .. }| {
                kinds.contains(&record.job.kind) && self.is_due(record) && !quiet
            });
            if ready && !self.has(Flaw::MissesWhatCame) {
                return;
            }
            if self.has(Flaw::NeverWakes) {
                future::pending::<()>().await;
            }
            news.await;
        }
    }
}

impl Twin {
    fn shown(&self, held: &Held) -> JobRecord {
        let mut record = held.record.clone();
        record.again = held.again.is_some() && !self.has(Flaw::AgainIsHidden);
        record
    }
}

/// Counts anew what there is, and keeps what there ever was.
fn kept(stats: &KindStats, no_retries: bool) -> KindStats {
    let mut ever = KindStats::default();
    (ever.done_ever, ever.dead_ever) = (stats.done_ever, stats.dead_ever);
    ever.retried_ever = if no_retries { 0 } else { stats.retried_ever };
    ever
}

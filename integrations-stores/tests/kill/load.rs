//! What is there to do, and was it done exactly once?

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use integrations_core::queue::{
    Enqueuing, JobId, JobKind, JobQuery, JobRecord, JobState, NewJob, Payload, Priority,
};
use integrations_core::sync::{Position, StreamKey};
use serde::{Deserialize, Serialize};

use crate::Random;
use crate::place::Stores;

/// The host's own kinds: twins have one for themselves, and so has what fails until no try is left.
pub(crate) const MIRROR: &str = "mirror";
pub(crate) const REPORT: &str = "report";
pub(crate) const HOPELESS: &str = "hopeless";
pub(crate) const KINDS: [&str; 6] =
    [JobKind::FULL_SYNC, JobKind::INCREMENTAL_SYNC, JobKind::WEBHOOK, MIRROR, REPORT, HOPELESS];

const USERS: u64 = 17;
const GROUPS: usize = 6;
const ROUNDS: u64 = 3;

/// The payload of a job: its effect is to bring a stream of the sink so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Work {
    pub(crate) stream: String,
    pub(crate) task: Task,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// So many commits, one after the other, once so many tries have failed.
    Steps { steps: u64, failures: u32 },
    /// Nothing: there is no second try.
    Refused,
    /// Nothing: each try fails.
    Hopeless,
    /// The change of this number, or a later one, is in the sink.
    Change { number: u64 },
    /// One commit in each round.
    Round { round: u64 },
}

impl Work {
    pub(crate) fn stream(stream: &str) -> StreamKey {
        StreamKey {
            owner: "load".into(),
            service: "load".into(),
            connection: "cn_load".into(),
            stream: stream.into(),
        }
    }

    /// The work of the next round; `None` after the last.
    pub(crate) fn next_round(&self, round: u64) -> Option<Self> {
        let task = Task::Round { round: round + 1 };
        (round < ROUNDS).then(|| Self { stream: self.stream.clone(), task })
    }
}

/// Where a stream of twins stands.
pub(crate) fn number(position: &Position) -> u64 {
    match position {
        Position::Resync { generation, .. } => *generation,
        _ => 0,
    }
}

/// All that was ever asked for.
#[derive(Debug, Default)]
pub(crate) struct Load {
    streams: u64,
    /// How many commits each stream must have.
    commits: BTreeMap<String, u64>,
    /// How many jobs of each kind must have been done.
    done: BTreeMap<&'static str, u64>,
    /// Jobs of which there is nobody else who does them.
    own: BTreeMap<JobId, JobState>,
    /// The last change of each group of twins.
    changes: [u64; GROUPS],
    /// What became of changes.
    pub(crate) added: u64,
    pub(crate) coalesced: u64,
    pub(crate) again: u64,
    flaky: u64,
}

impl Load {
    /// Puts some of everything into the queue.
    pub(crate) async fn enqueue(&mut self, stores: &Stores, random: &mut Random) {
        let mut jobs = Vec::new();
        let steps = |steps, failures| Task::Steps { steps, failures };
        for kind in [JobKind::INCREMENTAL_SYNC, JobKind::WEBHOOK] {
            jobs.push(self.job(random, kind, steps(1, 0), JobState::Done));
        }
        jobs.push(self.job(random, JobKind::FULL_SYNC, steps(5, 0), JobState::Done));
        if random.below(2) == 0 {
            let kind = [JobKind::FULL_SYNC, JobKind::WEBHOOK, REPORT][random.index(3)];
            self.flaky += 1;
            jobs.push(self.job(random, kind, steps(2, 1), JobState::Done));
        }
        if random.below(3) == 0 {
            let round = Task::Round { round: 1 };
            jobs.push(self.job(random, REPORT, round, JobState::Done));
        }
        if random.below(4) == 0 {
            jobs.push(self.job(random, JobKind::WEBHOOK, Task::Refused, JobState::Dead));
        }
        if random.below(8) == 0 {
            jobs.push(self.job(random, HOPELESS, Task::Hopeless, JobState::Dead));
        }
        let (jobs, states): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        let enqueued = stores.queue.enqueue(jobs).await.unwrap();
        for (enqueued, state) in enqueued.into_iter().zip(states) {
            assert_eq!(enqueued.how, Enqueuing::Added);
            assert!(self.own.insert(enqueued.id.clone(), state).is_none(), "{} is there twice", enqueued.id);
        }
        // A group may be met twice, and then those are twins within one call.
        let changes = (0..random.below(4)).map(|_| self.change(random)).collect();
        for enqueued in stores.queue.enqueue(changes).await.unwrap() {
            match enqueued.how {
                Enqueuing::Added => self.added += 1,
                Enqueuing::Coalesced => self.coalesced += 1,
                Enqueuing::Again => self.again += 1,
            }
        }
    }

    fn job(
        &mut self,
        random: &mut Random,
        kind: &'static str,
        task: Task,
        ends: JobState,
    ) -> (NewJob, JobState) {
        self.streams += 1;
        let stream = format!("{kind} {}", self.streams);
        let (commits, done) = match &task {
            Task::Steps { steps, .. } => (*steps, 1),
            Task::Round { .. } => (ROUNDS, ROUNDS),
            Task::Refused | Task::Hopeless | Task::Change { .. } => (0, 0),
        };
        self.commits.insert(stream.clone(), commits);
        *self.done.entry(kind).or_default() += done;
        let delay = Duration::from_millis(random.below(200) * random.below(2));
        let job = NewJob::new(kind, format!("user {}", random.below(USERS)).as_str())
            .payload(Payload::json(&Work { stream, task }).unwrap())
            .priority(Priority::ALL[random.index(3)])
            .delay(delay);
        (job, ends)
    }

    fn change(&mut self, random: &mut Random) -> NewJob {
        let group = random.index(GROUPS);
        self.changes[group] += 1;
        let work = Work { stream: group_name(group), task: Task::Change { number: self.changes[group] } };
        NewJob::new(MIRROR, format!("user {group}").as_str())
            .key(group_name(group))
            .payload(Payload::json(&work).unwrap())
            .priority(Priority::ALL[random.index(3)])
            .delay(Duration::from_millis(random.below(100) * random.below(2)))
    }

    /// Whether everything is as if nobody had ever been killed; returns how many jobs have lost their
    /// lease so often.
    pub(crate) async fn check(&self, stores: &Stores) -> BTreeMap<u32, u64> {
        let records = all(stores).await;
        let mut wrong = Vec::new();
        let mut seen: BTreeMap<&JobId, JobState> = BTreeMap::new();
        let mut lost = BTreeMap::new();
        for record in &records {
            let job = &record.job;
            *lost.entry(job.lost).or_default() += 1;
            let code = record.failure.as_ref().and_then(|failure| failure.code.as_deref());
            if code == Some("lease_lost") {
                wrong.push(format!(
                    "{} {} was killed too often: more kills than it can bear",
                    job.kind, job.id
                ));
            }
            if seen.insert(&job.id, record.state).is_some() {
                wrong.push(format!("{} {} is there twice", job.kind, job.id));
            }
            if record.state == JobState::Dead && self.own.get(&job.id) != Some(&JobState::Dead) {
                wrong.push(format!("{} {} is dead: {:?}", job.kind, job.id, record.failure));
            }
        }
        for (id, ends) in &self.own {
            let found = seen.get(id);
            if found != Some(ends) {
                wrong.push(format!("{id} is {found:?}, not {ends:?}"));
            }
        }
        self.check_counts(stores, &mut wrong).await;
        self.check_sink(stores, &mut wrong).await;
        assert!(wrong.is_empty(), "{} things are wrong: {wrong:#?}", wrong.len());
        lost
    }

    async fn check_counts(&self, stores: &Stores, wrong: &mut Vec<String>) {
        let stats = stores.queue.stats().await.unwrap();
        for kind in KINDS {
            let found = stats.kinds.get(&JobKind::from(kind)).copied().unwrap_or_default();
            let done = self.done.get(kind).copied().unwrap_or(0);
            // How often a twin that comes while another runs is one job more depends on what else comes.
            let range = if kind == MIRROR { self.added..=self.added + self.again } else { done..=done };
            let dead = self.own.iter().filter(|(_, ends)| **ends == JobState::Dead).count() as u64;
            if !range.contains(&found.done_ever) || found.ready + found.delayed + found.running > 0 {
                wrong.push(format!("{kind}: {found:?}, and {range:?} are to be done"));
            }
            if stats.total().dead != dead || stats.total().dead_ever != dead {
                wrong.push(format!("{dead} are to be dead: {:?}", stats.total()));
            }
        }
        if stats.total().retried_ever < self.flaky {
            wrong.push(format!("{} have failed and were to be tried again: {:?}", self.flaky, stats.total()));
        }
    }

    async fn check_sink(&self, stores: &Stores, wrong: &mut Vec<String>) {
        for (stream, commits) in &self.commits {
            let key = Work::stream(stream);
            let (state, records) =
                (stores.sink.load(&key).await.unwrap(), stores.sink.count_unseen(&key, 1).await.unwrap());
            if (state.revision, records.seen, records.unseen) != (*commits, *commits, 0) {
                wrong.push(format!("{stream}: {state:?} with {records:?} instead of {commits} commits"));
            }
        }
        for (group, last) in self.changes.iter().enumerate() {
            let state = stores.sink.load(&Work::stream(&group_name(group))).await.unwrap();
            if number(&state.position) != *last || state.revision > *last {
                wrong.push(format!("{}: {state:?}, and the last change is {last}", group_name(group)));
            }
        }
        let known = stores.sink.streams(&"cn_load".into()).await.unwrap();
        let known: BTreeSet<_> = known.into_iter().map(|stream| stream.to_string()).collect();
        let expected = self.commits.iter().filter(|(_, commits)| **commits > 0).count();
        let groups = self.changes.iter().filter(|last| **last > 0).count();
        if known.len() != expected + groups {
            wrong.push(format!("{} streams instead of {expected} and {groups}", known.len()));
        }
    }
}

fn group_name(group: usize) -> String {
    format!("group {group}")
}

/// All that the queue knows.
pub(crate) async fn all(stores: &Stores) -> Vec<JobRecord> {
    let mut records: Vec<JobRecord> = Vec::new();
    loop {
        let last = records.last().map(|record| record.job.id.clone());
        let page = stores.queue.find(&JobQuery::default().page(last, 500)).await.unwrap();
        if page.is_empty() {
            return records;
        }
        records.extend(page);
    }
}

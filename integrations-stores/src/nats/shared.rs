//! What do all calls on a queue share?

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use integrations_core::clock::Clock;
use integrations_core::queue::{JobKind, JobState};
use integrations_core::{Error, ErrorKind, Result};
use tokio::sync::{OnceCell, OwnedMutexGuard, watch};

use super::counts::Counter;
use super::failure::{unreachable, unreadable};
use super::index::{Index, Known};
use super::names::Names;
use super::record::{Glance, Record, Stand};
use super::schema::{self, StreamInfo};
use super::server::{Put, Server, Writing};

/// How many requests of a call are on their way at once.
pub(super) const PARALLEL: usize = 256;

/// How often a change is tried on a slot that others change all the time.
pub(super) const ATTEMPTS: usize = 50;

pub(super) struct Shared {
    pub(super) server: Server,
    pub(super) names: Names,
    pub(super) clock: Arc<dyn Clock>,
    /// For how long after its end a lease is still taken to be held.
    pub(super) margin: Duration,
    /// When the stream of jobs was made, in microseconds since 1970: fences begin there.
    epoch: watch::Sender<Option<u64>>,
    /// Whether they were found to be made again, and the index is of those before.
    pub(super) remade: AtomicBool,
    index: Mutex<Index>,
    recent: Mutex<Recent>,
    /// Up to which sequence the stream was followed; `None` before all of it was read.
    pub(super) seen: watch::Sender<Option<u64>>,
    /// Changes when a job begins to wait.
    pub(super) news: watch::Sender<()>,
    /// Calls of this process that change the same slot go one after the other.
    slots: Mutex<HashMap<u128, Arc<tokio::sync::Mutex<()>>>>,
    pub(super) counter: OnceCell<Counter>,
}

/// A slot, and the job in it.
pub(super) struct Held {
    pub(super) slot: u128,
    pub(super) sequence: u64,
    pub(super) record: Record,
}

impl Shared {
    pub(super) fn new(server: Server, names: Names, clock: Arc<dyn Clock>, margin: Duration) -> Self {
        Self {
            server,
            names,
            clock,
            margin,
            epoch: watch::Sender::new(None),
            remade: AtomicBool::new(false),
            index: Mutex::default(),
            recent: Mutex::default(),
            seen: watch::Sender::new(None),
            news: watch::Sender::new(()),
            slots: Mutex::default(),
            counter: OnceCell::new(),
        }
    }

    pub(super) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(super) fn micros(&self) -> i64 {
        self.clock.now().timestamp_micros()
    }

    /// Waits for the turn to change a slot.
    pub(super) async fn lock(&self, slot: u128) -> Turn<'_> {
        let line = Arc::clone(self.slots().entry(slot).or_default());
        Turn { shared: self, slot, held: Some(line.lock_owned().await) }
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<u128, Arc<tokio::sync::Mutex<()>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks whether the streams are there, once.
    pub(super) async fn check(&self, operation: &'static str) -> Result<()> {
        if self.epoch.borrow().is_none() {
            let created = schema::check(&self.server, &self.names, operation).await?;
            // Whoever follows may have been faster, and knows better.
            self.epoch.send_if_modified(|epoch| epoch.replace(epoch.unwrap_or(micros(created))).is_none());
        }
        Ok(())
    }

    /// The stream is about to be read; if it was made again since, what is known is of another.
    pub(super) fn begin(&self, created: DateTime<Utc>) {
        let created = Some(micros(created));
        let before = *self.epoch.borrow();
        if before.is_some() && before != created {
            tracing::warn!(queue = self.names.queue, "the streams were made again; the queue begins anew");
            self.seen.send_replace(None);
            *self.index() = Index::default();
            *self.recent() = Recent::default();
        }
        self.index().begin_load();
        self.epoch.send_replace(created);
    }

    /// Waits until the index has been loaded.
    pub(super) async fn loaded(&self, operation: &'static str) -> Result<()> {
        self.seen_up_to(0, operation).await
    }

    /// Waits until the index knows of everything that is in the stream by now, whoever wrote it.
    pub(super) async fn catch_up(&self, operation: &'static str) -> Result<()> {
        let info: StreamInfo = schema::info(&self.server, &self.names.jobs, operation).await?;
        let last = info.state.last_seq;
        let created = Some(micros(info.created));
        if *self.epoch.borrow() != created {
            self.remade.store(true, Ordering::SeqCst);
            let mut epoch = self.epoch.subscribe();
            let begun = epoch.wait_for(|epoch| *epoch == created);
            if self.server.in_time(begun).await.is_none() {
                return Err(unreachable(operation));
            }
        }
        let mut seen = self.seen.subscribe();
        let seen_all = |seen: &Option<u64>| seen.is_some_and(|seen| seen >= last);
        if seen_all(&seen.borrow_and_update()) {
            return Ok(());
        }
        // The last message may have been deleted, and then it never comes; one that is not deleted does.
        let tick = async {
            self.server.sleep(Duration::from_millis(5)).await;
            let writing = Writing { behind: None, glance: "", body: bytes::Bytes::new(), once: None };
            self.server.put(operation, self.names.tick(), writing).await
        };
        let came = std::pin::pin!(seen.wait_for(seen_all));
        let put = match futures_util::future::select(came, std::pin::pin!(tick)).await {
            futures_util::future::Either::Left(_) => return Ok(()),
            futures_util::future::Either::Right((put, _)) => put?,
        };
        match put {
            Put::Stored(sequence) => self.seen_up_to(sequence, operation).await,
            Put::Conflict => Err(unreachable(operation)),
        }
    }

    async fn seen_up_to(&self, sequence: u64, operation: &'static str) -> Result<()> {
        let mut seen = self.seen.subscribe();
        let came = seen.wait_for(|seen| seen.is_some_and(|seen| seen >= sequence));
        match self.server.in_time(came).await {
            Some(Ok(_)) => Ok(()),
            _ => Err(unreachable(operation)),
        }
    }

    /// The index learns how a slot is.
    pub(super) fn learn(&self, slot: u128, sequence: u64, glance: &Glance) {
        let news = self.index().learn(slot, sequence, glance, self.micros());
        if news && matches!(glance.stand, Stand::Waits(_)) {
            self.news.send_replace(());
        }
    }

    /// Writes a job into its slot, behind what was there. The caller tells the index, so that the jobs of a batch
    /// come into it in their order.
    pub(super) async fn put(
        &self,
        operation: &'static str,
        slot: u128,
        behind: u64,
        record: &Record,
    ) -> Result<Put> {
        let subject = self.names.slot(&record.job.job.kind, slot);
        let glance = record.glance().text();
        let writing = Writing { behind: Some(behind), glance: &glance, body: record.body(), once: None };
        let put = self.server.put(operation, subject, writing).await?;
        if let Put::Stored(sequence) = put {
            self.recent().keep(sequence, record.clone());
        }
        Ok(put)
    }

    /// Empties a slot, if nobody was there first.
    pub(super) async fn empty(&self, operation: &'static str, slot: u128, sequence: u64) -> Result<bool> {
        let emptied = self.server.delete(operation, &self.names.jobs, sequence).await?;
        if emptied {
            self.index().remove(slot, sequence);
            self.recent().take(sequence);
            self.server.tell(self.names.gone(), format!("{slot:032x} {sequence}")).await;
        }
        Ok(emptied)
    }

    /// Reads what the index knows to be there; if that is the past, what is there now.
    pub(super) async fn read(&self, operation: &'static str, known: &Known) -> Result<Option<Held>> {
        if let Some(record) = self.recent().take(known.sequence) {
            return Ok(Some(self.hold(known.slot, known.sequence, record)));
        }
        match self.server.at(operation, &self.names.jobs, known.sequence).await? {
            Some(stored) => {
                let record = Record::read(operation, &stored.body)?;
                Ok(Some(self.hold(known.slot, known.sequence, record)))
            }
            None => self.read_again(operation, &known.kind, known.slot, known.sequence).await,
        }
    }

    /// Reads what is in a slot now, after it was not what it was thought to be.
    pub(super) async fn read_again(
        &self,
        operation: &'static str,
        kind: &JobKind,
        slot: u128,
        sequence: u64,
    ) -> Result<Option<Held>> {
        let subject = self.names.slot(kind, slot);
        let Some(stored) = self.server.last(operation, &self.names.jobs, &subject).await? else {
            self.index().remove(slot, sequence);
            return Ok(None);
        };
        let record = Record::read(operation, &stored.body)?;
        self.learn(slot, stored.sequence, &record.glance());
        Ok(Some(self.hold(slot, stored.sequence, record)))
    }

    /// Writes a job that is over into the history, and returns the sequence that it has there.
    pub(super) async fn remember(
        &self,
        operation: &'static str,
        record: &Record,
        once: String,
    ) -> Result<u64> {
        let id = &record.job.job.id;
        let subject = self.names.finished(record.job.state, id).ok_or_else(|| unreadable(operation))?;
        let glance = record.glance().text();
        let writing = Writing { behind: None, glance: &glance, body: record.body(), once: Some(once) };
        match self.server.put(operation, subject, writing).await? {
            Put::Stored(sequence) => Ok(sequence),
            Put::Conflict => Err(unreachable(operation)),
        }
    }

    /// The fence of the lease whose message has this sequence. Streams that are made later begin higher: nobody takes
    /// a million leases per second.
    pub(super) fn fence(&self, sequence: u64) -> u64 {
        self.epoch.borrow().unwrap_or(0).saturating_add(sequence)
    }

    /// A lease that was just taken has the fence of its message; later messages name it.
    fn hold(&self, slot: u128, sequence: u64, mut record: Record) -> Held {
        if record.fence == 0 && Self::is_running(&record) {
            record.fence = self.fence(sequence);
        }
        Held { slot, sequence, record }
    }

    /// As [`read`](Self::read), for those who only look.
    pub(super) async fn look(&self, operation: &'static str, known: &Known) -> Result<Option<Held>> {
        if let Some(record) = self.recent().records.get(&known.sequence) {
            return Ok(Some(self.hold(known.slot, known.sequence, record.clone())));
        }
        self.read(operation, known).await
    }

    pub(super) fn is_running(record: &Record) -> bool {
        record.job.state == JobState::Running
    }
}

fn micros(time: DateTime<Utc>) -> u64 {
    u64::try_from(time.timestamp_micros()).unwrap_or(0)
}

/// The turn to change a slot, until it is dropped.
pub(super) struct Turn<'a> {
    shared: &'a Shared,
    slot: u128,
    held: Option<OwnedMutexGuard<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut slots = self.shared.slots();
        // Whoever waits has the line, too.
        if slots.get(&self.slot).is_some_and(|line| Arc::strong_count(line) == 1) {
            slots.remove(&self.slot);
        }
    }
}

pub(super) fn contended(operation: &'static str) -> Error {
    Error::new(ErrorKind::Store, "others have changed the job each time; try again")
        .with_code("job_contended")
        .with_operation(operation)
}

/// What this process wrote last, so that it need not be read back.
#[derive(Default)]
struct Recent {
    records: HashMap<u64, Record>,
    order: VecDeque<u64>,
    weight: usize,
}

/// How many bytes of records are kept, about.
const RECENT: usize = 16 * 1024 * 1024;

impl Recent {
    fn keep(&mut self, sequence: u64, record: Record) {
        self.weight += record.weight();
        self.records.insert(sequence, record);
        self.order.push_back(sequence);
        while self.weight > RECENT || self.order.len() > 2 * self.records.len() + 1024 {
            let Some(oldest) = self.order.pop_front() else { return };
            self.take(oldest);
        }
    }

    /// Whatever comes next replaces what has this sequence, so that nobody asks for it again.
    fn take(&mut self, sequence: u64) -> Option<Record> {
        let record = self.records.remove(&sequence)?;
        self.weight = self.weight.saturating_sub(record.weight());
        Some(record)
    }
}

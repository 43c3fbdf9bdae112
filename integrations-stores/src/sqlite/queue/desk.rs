//! What does a batch of calls read, keep in mind and write?

use std::collections::{BTreeMap, HashMap, HashSet};

use integrations_core::Result;
use integrations_core::queue::JobKind;
use sqlx::SqliteConnection;

use super::super::failure::OrStore;
use super::lanes::{LaneId, Lanes};
use super::row::{self, Row, json};

pub(super) const OPERATION: &str = "queue";

/// How many new jobs, with how many bytes of payload, go into one statement.
const MOST_ROWS: usize = 1_000;
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The work of one transaction. What is new is kept back, to be written together; all else is written at once.
pub(super) struct Desk<'c> {
    pub(super) connection: &'c mut SqliteConnection,
    pub(super) now: i64,
    pub(super) last_key: i64,
    pub(super) last_fence: i64,
    stored: (i64, i64),
    pub(super) lanes: Lanes,
    pub(super) new: Vec<Row>,
    /// What is known of the twins that wait or run.
    pub(super) twins: HashMap<String, Twin>,
    pub(super) tallies: BTreeMap<JobKind, Tally>,
    pub(super) news: News,
}

/// Which job has a twin's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Twin {
    None,
    /// At this place of the new ones.
    New(usize),
    Waits(i64),
    Runs(i64),
}

/// What is to be added to the counts of a kind.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) done: u32,
    pub(super) retried: u32,
    pub(super) dead: u32,
}

/// What those who wait for jobs have to know.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The kinds of which jobs have begun to wait.
    pub(super) waiting: HashSet<JobKind>,
    /// Kinds that were asked for, and when the next job of each is due.
    pub(super) seen: HashMap<JobKind, Option<i64>>,
}

impl<'c> Desk<'c> {
    pub(super) async fn new(connection: &'c mut SqliteConnection, now: i64) -> Result<Self> {
        let stored: (i64, i64) = sqlx::query_as("SELECT job, fence FROM job_counters")
            .fetch_one(&mut *connection)
            .await
            .or_store(OPERATION)?;
        Ok(Self {
            connection,
            now,
            last_key: stored.0,
            last_fence: stored.1,
            stored,
            lanes: Lanes::default(),
            new: Vec::new(),
            twins: HashMap::new(),
            tallies: BTreeMap::new(),
            news: News::default(),
        })
    }

    pub(super) fn tally(&mut self, kind: &JobKind) -> &mut Tally {
        self.tallies.entry(kind.clone()).or_default()
    }

    /// Reads a job.
    pub(super) async fn load(&mut self, key: i64) -> Result<Option<Row>> {
        let row = sqlx::query(concat!("SELECT ", row::columns!(), " FROM jobs AS j WHERE j.key = ?"))
            .bind(key)
            .fetch_optional(&mut *self.connection)
            .await
            .or_store(OPERATION)?;
        row.map(|row| Row::read(&row, OPERATION)).transpose()
    }

    /// Writes a job, and that it begins to wait.
    pub(super) async fn save(&mut self, row: &Row) -> Result<()> {
        if let Some(twin) = &row.twin {
            self.twins.remove(twin);
        }
        row.update(&mut *self.connection, OPERATION).await
    }

    /// Gives a turn to a job whose time has come, unless it has one.
    pub(super) async fn ripen(&mut self, row: &mut Row) -> Result<()> {
        self.news.waiting.insert(row.job.kind.clone());
        if row.due_at.is_some_and(|due| due > self.now) {
            return self.leave_lane(row).await;
        }
        let id = lane(row);
        if let Some(turn) = row.turn {
            self.lanes.comes_back(&id, turn);
            return Ok(());
        }
        if !self.lanes.knows(&id) {
            self.flush().await?;
        }
        self.lanes.load(&mut *self.connection, &id, [&row.job.owner]).await?;
        row.turn = self.lanes.turn(&id, &row.job.owner);
        Ok(())
    }

    /// A job that waits leaves its lane, for another one or for later.
    pub(super) async fn leave_lane(&mut self, row: &mut Row) -> Result<()> {
        if row.turn.take().is_some() {
            self.flush().await?;
            self.lanes.forget(&lane(row));
        }
        Ok(())
    }

    /// Writes what was kept back.
    pub(super) async fn flush(&mut self) -> Result<()> {
        let mut rows = self.new.as_slice();
        while !rows.is_empty() {
            let mut bytes = 0;
            let fits = rows.iter().take(MOST_ROWS).take_while(|row| {
                bytes += row.job.payload.as_bytes().len();
                bytes <= MOST_BYTES
            });
            let (some, others) = rows.split_at(fits.count().max(1));
            row::insert(&mut *self.connection, some, OPERATION).await?;
            rows = others;
        }
        if !self.new.is_empty() {
            self.new.clear();
            self.twins.clear();
        }
        self.lanes.write(&mut *self.connection).await
    }

    /// Writes all that is left.
    pub(super) async fn close(mut self) -> Result<News> {
        self.flush().await?;
        if !self.tallies.is_empty() {
            let tallies = std::mem::take(&mut self.tallies);
            let list: Vec<_> = tallies
                .iter()
                .map(|(kind, tally)| (kind.as_str(), tally.done, tally.retried, tally.dead))
                .collect();
            sqlx::query(
                "INSERT INTO job_kinds (kind, done_ever, retried_ever, dead_ever) \
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?) WHERE true \
                 ON CONFLICT DO UPDATE SET done_ever = done_ever + excluded.done_ever, \
                 retried_ever = retried_ever + excluded.retried_ever, dead_ever = dead_ever + excluded.dead_ever \
                 WHERE excluded.done_ever + excluded.retried_ever + excluded.dead_ever > 0",
            )
            .bind(json(&list, OPERATION)?)
            .execute(&mut *self.connection)
            .await
            .or_store(OPERATION)?;
        }
        if self.stored != (self.last_key, self.last_fence) {
            sqlx::query("UPDATE job_counters SET job = ?, fence = ?")
                .bind(self.last_key)
                .bind(self.last_fence)
                .execute(&mut *self.connection)
                .await
                .or_store(OPERATION)?;
        }
        Ok(self.news)
    }
}

pub(super) fn lane(row: &Row) -> LaneId {
    (row.job.kind.clone(), row.job.priority)
}

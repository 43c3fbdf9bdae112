//! What does the queue hold, how fast does it go, and what does each worker do?

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use chrono::{DateTime, Utc};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use integrations_core::Result;
use integrations_core::queue::{JobQuery, JobQueue, JobRecord, JobState, KindStats};
use serde::Serialize;

/// How many jobs of one sort are listed at the most.
const LISTED: usize = 50;

/// What is known of a queue at one moment.
#[derive(Serialize)]
pub(crate) struct Status {
    kinds: integrations_core::queue::QueueStats,
    running: Vec<Line>,
    dead: Vec<Line>,
}

/// A job, in words.
#[derive(Serialize)]
struct Line {
    job: String,
    kind: String,
    user: String,
    about: Option<String>,
    worker: Option<String>,
    since: Option<DateTime<Utc>>,
    progress: Option<integrations_core::queue::Progress>,
    failure: Option<integrations_core::queue::JobFailure>,
}

impl From<JobRecord> for Line {
    fn from(record: JobRecord) -> Self {
        Self {
            job: record.job.id.to_string(),
            kind: record.job.kind.to_string(),
            user: record.job.owner.user.to_string(),
            about: record.job.key.as_deref().map(str::to_owned),
            worker: record.worker,
            since: record.finished_at.or(record.started_at),
            progress: record.progress,
            failure: record.failure,
        }
    }
}

pub(crate) async fn status(queue: &dyn JobQueue) -> Result<Status> {
    let lines = async |state| {
        let found = queue.find(&JobQuery::in_state(state).page(None, LISTED)).await?;
        Ok::<_, integrations_core::Error>(found.into_iter().map(Line::from).collect())
    };
    Ok(Status {
        kinds: queue.stats().await?,
        running: lines(JobState::Running).await?,
        dead: lines(JobState::Dead).await?,
    })
}

/// A picture of the queue, drawn anew each second; a line a second where the output is no terminal.
pub(crate) struct View {
    users: usize,
    processes: usize,
    done: Option<u64>,
    live: bool,
}

impl View {
    pub(crate) fn new(users: usize, processes: usize) -> Self {
        Self { users, processes, done: None, live: io::stdout().is_terminal() }
    }

    pub(crate) async fn show(&mut self, queue: &dyn JobQueue, now: DateTime<Utc>) -> Result<()> {
        let status = status(queue).await?;
        let total = status.kinds.total();
        let rate = total.done_ever.saturating_sub(self.done.unwrap_or(total.done_ever));
        self.done = Some(total.done_ever);
        let mut out = anstream::stdout();
        let _ = if self.live {
            writeln!(out, "\x1b[H\x1b[2J{}", self.picture(&status, total, rate, now))
        } else {
            writeln!(
                out,
                "{} ready, {} scheduled, {} running, {} dead; {rate} done/s",
                total.ready, total.delayed, total.running, total.dead
            )
        };
        Ok(())
    }

    pub(crate) async fn end(&self, queue: &dyn JobQueue) -> Result<()> {
        let total = queue.stats().await?.total();
        println!(
            "Stopped: {} jobs done in all, {} failed tries, {} dead letters; {} wait for the next start.",
            total.done_ever,
            total.retried_ever,
            total.dead,
            total.ready + total.delayed
        );
        Ok(())
    }

    fn picture(&self, status: &Status, total: KindStats, rate: u64, now: DateTime<Utc>) -> String {
        let mut kinds = table(&["Jobs", "ready", "scheduled", "running", "dead", "done", "oldest"]);
        let rows = status.kinds.kinds.iter().map(|(kind, stats)| (kind.as_str(), *stats));
        for (kind, stats) in rows.chain([("all", total)]) {
            let oldest = stats.oldest.map_or_else(String::new, |age| format!("{:.1} s", age.as_secs_f64()));
            let numbers = [stats.ready, stats.delayed, stats.running, stats.dead, stats.done_ever];
            let numbers = numbers.into_iter().map(|number| number.to_string());
            kinds.add_row([kind.to_owned()].into_iter().chain(numbers).chain([oldest]));
        }
        for column in 1..7 {
            if let Some(column) = kinds.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!(
            "{} users, 3 calendars each; {} worker processes; {rate} jobs done in the last second\n\n{kinds}\n\n{}\n\n\
             Ctrl-C stops.",
            self.users,
            self.processes,
            workers(&status.running, now)
        )
    }
}

/// What each worker is at.
fn workers(running: &[Line], now: DateTime<Utc>) -> Table {
    let mut by_worker: BTreeMap<&str, Vec<&Line>> = BTreeMap::new();
    for line in running {
        by_worker.entry(line.worker.as_deref().unwrap_or("?")).or_default().push(line);
    }
    let mut table = table(&["Worker", "jobs", "longest", "now at"]);
    for (worker, lines) in by_worker {
        let since = lines.iter().filter_map(|line| line.since).min().unwrap_or(now);
        let longest = format!("{:.1} s", (now - since).as_seconds_f64().max(0.0));
        let at: Vec<_> = lines.iter().take(3).map(|line| format!("{} of {}", line.kind, line.user)).collect();
        table.add_row([worker.to_owned(), lines.len().to_string(), longest, at.join(", ")]);
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    table
}

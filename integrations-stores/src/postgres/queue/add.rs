//! How does a job get into the queue, and what if its twin is there?

use std::collections::HashMap;

use integrations_core::Result;
use integrations_core::queue::{Enqueued, Enqueuing, JobId, NewJob};
use sqlx::{PgConnection, Row as _};

use super::super::failure::{Answered, OrStore};
use super::super::{PostgresStore, micros};
use super::{again, number, read};

const OPERATION: &str = "queue.enqueue";
const REQUEUE: &str = "queue.requeue";

/// The columns of what is to be added; no twin stands there twice.
#[derive(Default)]
struct Columns {
    kinds: Vec<String>,
    tenants: Vec<String>,
    users: Vec<String>,
    names: Vec<Option<String>>,
    twins: Vec<Option<String>>,
    priorities: Vec<i16>,
    delays: Vec<i64>,
    payloads: Vec<Vec<u8>>,
}

impl PostgresStore {
    pub(super) async fn add_jobs(&self, jobs: Vec<NewJob>) -> Result<Vec<Enqueued>> {
        self.check(OPERATION).await?;
        let enqueued = again(|| async {
            let mut connection = self.any_connection(OPERATION).await?;
            add(&mut connection, self.now(), &jobs, &self.channel(), OPERATION).await
        })
        .await?;
        self.inner.queue.bell.ring(jobs.iter().map(|job| &job.kind));
        Ok(enqueued)
    }

    pub(super) async fn requeue_jobs(&self, ids: &[JobId]) -> Result<Vec<Option<Enqueued>>> {
        let numbers: Vec<Option<i64>> = ids.iter().map(number).collect();
        let (now, channel) = (self.now(), self.channel());
        let (requeued, kinds) = self
            .transaction(REQUEUE, move |connection| {
                let (numbers, channel) = (numbers.clone(), channel.clone());
                Box::pin(async move { requeue(connection, now, &numbers, &channel).await })
            })
            .await?;
        self.inner.queue.bell.ring(kinds.iter());
        Ok(requeued)
    }
}

type Requeued = (Vec<Option<Enqueued>>, Vec<integrations_core::queue::JobKind>);

async fn requeue(
    connection: &mut PgConnection,
    now: Option<i64>,
    numbers: &[Option<i64>],
    channel: &str,
) -> Result<Requeued> {
    let known: Vec<i64> = numbers.iter().flatten().copied().collect();
    let rows = sqlx::query(concat!(
        "SELECT ",
        read::finished!(),
        " FROM job_history AS j WHERE id = ANY ($1) ORDER BY id FOR UPDATE"
    ))
    .bind(&known)
    .fetch_all(&mut *connection)
    .answered(REQUEUE)
    .await?;
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let record = read::record(row, REQUEUE)?;
        found.insert(row.try_get::<i64, _>(0).or_store(REQUEUE)?, record);
    }
    sqlx::query("DELETE FROM job_history WHERE id = ANY ($1) AND state = 4")
        .bind(&known)
        .execute(&mut *connection)
        .answered(REQUEUE)
        .await?;
    let (mut jobs, mut places) = (Vec::new(), Vec::with_capacity(numbers.len()));
    for number in numbers {
        let record = number.and_then(|number| found.get(&number).cloned().map(|record| (number, record)));
        places.push(record.map(|(number, record)| {
            if record.state == integrations_core::queue::JobState::Dead {
                found.remove(&number);
            }
            jobs.push(record.job.again());
            jobs.len() - 1
        }));
    }
    let added =
        if jobs.is_empty() { Vec::new() } else { add(connection, now, &jobs, channel, REQUEUE).await? };
    let requeued = places.into_iter().map(|place| place.and_then(|place| added.get(place).cloned()));
    Ok((requeued.collect(), jobs.into_iter().map(|job| job.kind).collect()))
}

/// Adds jobs with one statement.
async fn add(
    connection: &mut PgConnection,
    now: Option<i64>,
    jobs: &[NewJob],
    channel: &str,
    operation: &'static str,
) -> Result<Vec<Enqueued>> {
    let (columns, places) = fold(jobs);
    let rows: Vec<(i64, i64, i32)> = sqlx::query_as(
        "SELECT place, job, how FROM (SELECT now_micros($1) AS moment) AS m, LATERAL jobs_add(m.moment, $2, $3, \
         $4, $5, $6, $7, ARRAY(SELECT m.moment + d.delay FROM unnest($8) WITH ORDINALITY AS d (delay, place) \
         ORDER BY d.place), $9, $10) ORDER BY place",
    )
    .bind(now)
    .bind(columns.kinds)
    .bind(columns.tenants)
    .bind(columns.users)
    .bind(columns.names)
    .bind(columns.twins)
    .bind(columns.priorities)
    .bind(columns.delays)
    .bind(columns.payloads)
    .bind(channel)
    .fetch_all(connection)
    .answered(operation)
    .await?;
    let mut first = vec![true; rows.len()];
    Ok(places
        .into_iter()
        .map(|place| {
            let (_, id, how) = rows[place];
            let how = match how {
                0 if std::mem::take(&mut first[place]) => Enqueuing::Added,
                2 => Enqueuing::Again,
                _ => Enqueuing::Coalesced,
            };
            Enqueued::new(id.to_string(), how)
        })
        .collect())
}

/// Coalesces the twins among the jobs themselves, and says at which place of the columns each of them stands.
fn fold(jobs: &[NewJob]) -> (Columns, Vec<usize>) {
    let mut columns = Columns::default();
    let mut known = HashMap::new();
    let mut places = Vec::with_capacity(jobs.len());
    for job in jobs {
        let (delay, rank) = (micros(job.delay), i16::from(job.priority.rank()));
        let payload = job.payload.as_bytes().to_vec();
        let twin = job.twin_id();
        let next = columns.kinds.len();
        let place = twin.as_ref().map_or(next, |twin| *known.entry(twin.clone()).or_insert(next));
        places.push(place);
        if place < next {
            columns.priorities[place] = columns.priorities[place].min(rank);
            columns.delays[place] = columns.delays[place].min(delay);
            columns.payloads[place] = payload;
            continue;
        }
        columns.kinds.push(job.kind.as_str().to_owned());
        columns.tenants.push(job.owner.tenant.as_str().to_owned());
        columns.users.push(job.owner.user.as_str().to_owned());
        columns.names.push(job.key.as_deref().map(str::to_owned));
        columns.twins.push(twin);
        columns.priorities.push(rank);
        columns.delays.push(delay);
        columns.payloads.push(payload);
    }
    (columns, places)
}

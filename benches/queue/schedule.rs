//! What does the schedule of ten thousand connections with three streams each cost?

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use integrations_benches::Result;
use integrations_benches::figures::{Spread, Stopwatch};
use integrations_core::Gateway;
use integrations_core::auth::{AccessToken, SealedTokens, TokenStore, Tokens, Vault};
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::connection::{
    Account, Connection, ConnectionId, ConnectionStatus, GrantType, Owner, ServiceId,
};
use integrations_core::queue::{JobKind, JobQueue, LeaseRequest, NewJob, Payload, Settlement};
use integrations_core::schedule::Scheduler;
use integrations_google::calendar::SERVICE;
use integrations_google::{GoogleCalendar, GoogleConfig};
use tokio::task::JoinSet;

use super::backend::{Site, Store};

const STREAMS: [&str; 3] =
    ["primary", "team@group.calendar.google.com", "holidays@group.v.calendar.google.com"];
const FILLING: usize = 500;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What was seen.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Seconds of `reconcile` over all connections.
    pub(crate) reconcile: f64,
    /// And of the same once more, when each connection has its job.
    pub(crate) again: f64,
    /// MiB of resident memory that came with it, and with the jobs of all streams.
    pub(crate) grown_mib: f64,
    /// MiB of resident memory at the end.
    pub(crate) resident_mib: f64,
    /// How many jobs wait for their time.
    pub(crate) delayed: u64,
    /// How many jobs were due, and how many milliseconds a `lease` took.
    pub(crate) ticks: Vec<(usize, Spread)>,
}

pub(crate) async fn measure(site: &Site, connections: usize, rounds: usize) -> Result<Seen> {
    let queue = &site.queue;
    let gateway = connect(&site.store, connections).await?;
    // Over an hour, some of ten thousand looks would be due before the first tick.
    let scheduler = Scheduler::builder(gateway, Arc::clone(queue)).reconcile_every(30 * DAY).build();
    let before = resident_mib();
    let reconcile = timed(scheduler.reconcile()).await?;
    let again = timed(scheduler.reconcile()).await?;
    for from in (0..connections).step_by(FILLING) {
        let some = from..connections.min(from + FILLING);
        let jobs = some.flat_map(|number| {
            // As far apart as the schedule has them, and none due while this goes on.
            let delay = Duration::from_secs(3_600) + Duration::from_millis(number as u64 * 30);
            STREAMS.map(|stream| poll(number, stream, delay))
        });
        queue.enqueue(jobs.collect()).await?;
    }
    let resident = resident_mib();
    let delayed = queue.stats().await?.total().delayed;
    let mut ticks = Vec::new();
    for due in [0, 1, 100] {
        let mut times = Vec::new();
        for round in 0..rounds {
            times.push(tick(&**queue, due, connections + round * due).await? * 1e3);
        }
        ticks.push((due, Spread::of(times)));
    }
    Ok(Seen { reconcile, again, grown_mib: resident - before, resident_mib: resident, delayed, ticks })
}

async fn timed<T>(work: impl Future<Output = integrations_core::Result<T>>) -> Result<f64> {
    let watch = Stopwatch::start();
    work.await?;
    Ok(watch.seconds())
}

/// Seconds of a lease when so many of the delayed jobs have become due.
async fn tick(queue: &dyn JobQueue, due: usize, first: usize) -> Result<f64> {
    let clock = SystemClock::new();
    if due > 0 {
        let soon = Duration::from_millis(200);
        queue.enqueue((first..first + due).map(|number| poll(number, "primary", soon)).collect()).await?;
        clock.sleep(soon + Duration::from_millis(20)).await;
    }
    let request = LeaseRequest::new("bench", JobKind::INCREMENTAL_SYNC, 100, Duration::from_secs(60));
    let watch = Stopwatch::start();
    let leases = queue.lease(&request).await?.leases;
    let seconds = watch.seconds();
    if leases.len() != due {
        return Err(format!("{} jobs were leased when {due} were due", leases.len()).into());
    }
    queue.settle(leases.iter().map(Settlement::done).collect()).await?;
    Ok(seconds)
}

/// The job of a stream, as the scheduler makes it.
fn poll(number: usize, stream: &str, delay: Duration) -> NewJob {
    let id = id(number);
    NewJob::new(JobKind::INCREMENTAL_SYNC, owner(number))
        .key(format!("{SERVICE}/{id}/{stream}"))
        .payload(Payload::new(format!(r#"{{"connection":"{id}","stream":"{stream}"}}"#)))
        .delay(delay)
}

fn owner(number: usize) -> Owner {
    Owner::from(format!("user_{number:06}").as_str())
}

fn account(number: usize) -> String {
    format!("1{number:020}")
}

fn id(number: usize) -> ConnectionId {
    Connection::derive_id(&owner(number), &SERVICE.into(), &account(number).into())
}

/// A gateway over connections that are stored.
async fn connect(store: &Arc<dyn Store>, connections: usize) -> Result<Gateway> {
    let vault = Vault::ephemeral()?;
    let mut putting = JoinSet::new();
    for number in 0..connections {
        if putting.len() >= 64 {
            putting.join_next().await.transpose()?.transpose()?;
        }
        let (store, connection) = (Arc::clone(store), connection(&vault, number)?);
        putting.spawn(async move { TokenStore::put(&*store, &connection).await });
    }
    while let Some(put) = putting.join_next().await {
        put??;
    }
    let config = GoogleConfig::builder().client("bench", "bench").build()?;
    Ok(Gateway::builder()
        .adapter(GoogleCalendar::new(config))
        .token_store(Arc::clone(store) as _)
        .sync_sink(Arc::clone(store) as _)
        .key_value_store(Arc::clone(store) as _)
        .vault(vault)
        .build()?)
}

fn connection(vault: &Vault, number: usize) -> Result<Connection> {
    let (owner, service, id) = (owner(number), ServiceId::from(SERVICE), id(number));
    let tokens = Tokens { access: AccessToken::new("ya29.bench")?, refresh: None };
    let (access, refresh) = vault.seal_tokens(&owner, &service, &id, &tokens)?;
    let now = SystemClock::new().now();
    Ok(Connection {
        id,
        owner,
        service,
        account: Account { id: account(number).into(), email: None, name: None },
        status: ConnectionStatus::Active,
        scopes: Vec::new(),
        tokens: SealedTokens {
            access,
            refresh,
            issued_at: now,
            expires_at: Some(now + TimeDelta::days(365)),
        },
        grant: GrantType::User,
        refreshing_since: None,
        version: 0,
        created_at: now,
        updated_at: now,
    })
}

/// The memory that this process holds, from Linux' `/proc`; zero on other systems.
fn resident_mib() -> f64 {
    let read = || {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()
    };
    read().unwrap_or_default() / 1_024.0
}

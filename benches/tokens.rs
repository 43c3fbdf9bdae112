//! What does a fresh token cost a call, and what happens when ten thousand expire together?
//!
//! `cargo bench -p integrations-benches --bench tokens` prints the time of a token that is in memory, for
//! 1 and 16 tasks (goal: 1 µs), and how 10,000 connections whose tokens expire within the same minute are
//! refreshed on a manual clock: the most exchanges in any second and any minute (the limits are 100 at once
//! and 6,000 a minute), and whether a call ever went out with a token that had expired.

#![allow(clippy::disallowed_methods, reason = "a bench reads the machine's clock")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chrono::TimeDelta;
use http::{HeaderMap, StatusCode};
use integrations_core::auth::{
    AccessToken, RefreshToken, SealedTokens, TokenManager, TokenParts, TokenSettings, TokenStore, Tokens,
    Vault,
};
use integrations_core::clock::{Clock, ManualClock, SystemClock};
use integrations_core::connection::{Account, ConnectionId, ConnectionStatus, GrantType, Owner};
use integrations_core::http::{Pipeline, PipelineParts, Request, Response, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::observe::{Silent, TracedAudit};
use integrations_core::resilience::{Limits, Unlimited};
use integrations_core::{AdapterRegistry, Connection, Gateway, Result, ServiceAdapter};
use integrations_google::{GoogleCalendar, GoogleConfig};

const SERVICE: &str = "google_calendar";
const CALLS: u32 = 2_000_000;
const CONNECTIONS: usize = 10_000;

/// Answers at once, and counts the exchanges of each second of its clock.
#[derive(Debug)]
struct Counting {
    clock: Arc<dyn Clock>,
    exchanges: Mutex<BTreeMap<u64, u64>>,
    made: AtomicU64,
}

#[async_trait]
impl Transport for Counting {
    async fn send(&self, request: Request) -> Result<Response> {
        if request.operation == "token.refresh" {
            let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
            *exchanges.entry(self.clock.monotonic().as_secs()).or_default() += 1;
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let body =
                format!(r#"{{"access_token":"ya29.{number}","expires_in":3600,"token_type":"Bearer"}}"#);
            return Ok(Response::new(StatusCode::OK, HeaderMap::new(), body));
        }
        Ok(Response::new(StatusCode::OK, HeaderMap::new(), "{}"))
    }
}

fn adapter() -> Result<Arc<dyn ServiceAdapter>> {
    Ok(GoogleCalendar::new(GoogleConfig::builder().client("id", "secret").build()?))
}

async fn stored(
    store: &dyn TokenStore,
    vault: &Vault,
    name: &str,
    clock: &dyn Clock,
) -> Result<ConnectionId> {
    let (id, owner) = (ConnectionId::new(name), Owner::from("ada"));
    let tokens =
        Tokens { access: AccessToken::new("ya29.first")?, refresh: Some(RefreshToken::new("1//refresh")) };
    let (access, refresh) = vault.seal_tokens(&owner, &SERVICE.into(), &id, &tokens)?;
    let now = clock.now();
    let connection = Connection {
        id: id.clone(),
        owner,
        service: SERVICE.into(),
        account: Account { id: name.into(), email: None, name: None },
        status: ConnectionStatus::Active,
        scopes: Vec::new(),
        tokens: SealedTokens { access, refresh, issued_at: now, expires_at: Some(now + TimeDelta::hours(1)) },
        grant: GrantType::User,
        refreshing_since: None,
        version: 0,
        created_at: now,
        updated_at: now,
    };
    store.put(&connection).await?;
    Ok(id)
}

/// Nanoseconds of a call, by so many tasks at once.
async fn warm(manager: &Arc<TokenManager>, id: &ConnectionId, tasks: u32) -> Result<f64> {
    let each = CALLS / tasks;
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (manager, id) = (Arc::clone(manager), id.clone());
            tokio::spawn(async move {
                for _ in 0..each {
                    manager.fresh(&id).await?;
                }
                Ok::<_, integrations_core::Error>(())
            })
        })
        .collect();
    for task in running {
        if let Ok(outcome) = task.await {
            outcome?;
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(each * tasks))
}

async fn cached() -> Result<()> {
    let clock = SystemClock::shared();
    let store = Arc::new(MemoryStore::with_clock(Arc::clone(&clock)));
    let vault = Vault::ephemeral()?;
    let id = stored(&*store, &vault, "cn_1", &*clock).await?;
    let http: Arc<dyn Transport> = Arc::new(Counting {
        clock: Arc::clone(&clock),
        exchanges: Mutex::default(),
        made: AtomicU64::new(0),
    });
    let parts = PipelineParts::new(http, Arc::clone(&clock), Arc::clone(&store) as _, Arc::new(Unlimited));
    let mut adapters = AdapterRegistry::default();
    adapters.register(adapter()?)?;
    let manager = Arc::new(TokenManager::new(TokenParts {
        store,
        vault,
        adapters: Arc::new(adapters),
        pipeline: Arc::new(Pipeline::new(parts, 1)),
        clock,
        observer: Arc::new(Silent),
        audit: Arc::new(TracedAudit),
        settings: TokenSettings::default(),
    }));
    for tasks in [1, 16] {
        let mut times = Vec::new();
        for _ in 0..5 {
            times.push(warm(&manager, &id, tasks).await?);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "a token in memory, {tasks:>2} tasks: {:.0} ns a call ({:.0} to {:.0})",
            times[2], times[0], times[4]
        );
    }
    Ok(())
}

async fn herd() -> Result<()> {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let time: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = MemoryStore::with_clock(Arc::clone(&time));
    let vault = Vault::ephemeral()?;
    let mut ids = Vec::new();
    for number in 0..CONNECTIONS {
        ids.push(stored(&store, &vault, &format!("cn_{number}"), &*time).await?);
    }
    let http =
        Arc::new(Counting { clock: Arc::clone(&time), exchanges: Mutex::default(), made: AtomicU64::new(0) });
    let gateway = Gateway::builder()
        .adapter(adapter()?)
        .store(store.clone())
        .vault(vault)
        .transport(Arc::clone(&http) as _)
        .clock(Arc::clone(&time))
        .limits(SERVICE, Limits::UNKNOWN)
        .build()?;
    // Every connection is used every ten seconds of the last seven minutes of the old tokens, and a call at
    // a time.
    clock.advance(Duration::from_secs(53 * 60));
    let (failed, under_way) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut busy: Vec<Option<tokio::task::JoinHandle<()>>> = (0..CONNECTIONS).map(|_| None).collect();
    for second in 0..420_usize {
        for (number, id) in ids.iter().enumerate().filter(|(number, _)| number % 10 == second % 10) {
            if busy[number].as_ref().is_some_and(|task| !task.is_finished()) {
                continue;
            }
            let (gateway, id, failed, under_way) =
                (gateway.clone(), id.clone(), Arc::clone(&failed), Arc::clone(&under_way));
            under_way.fetch_add(1, Ordering::Relaxed);
            busy[number] = Some(tokio::spawn(async move {
                if gateway.check_health(&id).await.is_err() {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                under_way.fetch_sub(1, Ordering::Relaxed);
            }));
        }
        for _ in 0..20 {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_millis(50));
        }
    }
    let exchanges = http.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let total: u64 = exchanges.values().sum();
    let second = exchanges.values().max().copied().unwrap_or_default();
    let minute =
        exchanges.keys().map(|from| exchanges.range(from..&(from + 60)).map(|(_, n)| n).sum::<u64>()).max();
    let ends = (exchanges.keys().next(), exchanges.keys().last());
    let took = ends.0.zip(ends.1).map_or(0, |(first, last)| last - first + 1);
    println!(
        "{CONNECTIONS} connections that expire together: {total} exchanges in {took} s, at most {second} in a second \
         and {} in a minute; {} calls failed, {} are under way",
        minute.unwrap_or_default(),
        failed.load(Ordering::Relaxed),
        under_way.load(Ordering::Relaxed)
    );
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    cached().await?;
    herd().await
}

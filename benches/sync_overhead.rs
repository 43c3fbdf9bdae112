//! What does the engine cost over a bare loop that lists a calendar?
//!
//! Three contestants list the same calendar of the same fake, which runs in a process of its own:
//!
//! * `bare`: reqwest, and a typed decode of each page ([`plain`]);
//! * `engine`: `Gateway::sync` with a sink that drops everything but the position;
//! * `google-calendar3`: the generated client of that name, from `peers/`.
//!
//! Each runs as a process of its own, and takes its time from the first request to the last event, so
//! that no start of a process is counted. They take turns, round by round.
//!
//! `--no-peer`, or `NO_PEER=1` in the environment, leaves out google-calendar3, whose first build needs
//! the network. `--events N` and `--rounds N` set the size.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use chrono::TimeDelta;
use integrations_benches::figures::{Spread, Stopwatch, count, table};
use integrations_benches::process::{Fakes, Program, TOKEN, Usage, build, report};
use integrations_benches::{Result, plain};
use integrations_core::Gateway;
use integrations_core::auth::{AccessToken, SealedTokens, TokenStore, Tokens, Vault};
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::connection::{
    Account, Connection, ConnectionId, ConnectionStatus, GrantType, Owner, ServiceId, StreamId,
};
use integrations_core::memory::MemoryStore;
use integrations_core::resilience::Limits;
use integrations_core::sync::{Commit, Receipt, StreamKey, StreamState, SyncSettings, SyncSink, Unseen};
use integrations_google::calendar::SERVICE;
use integrations_google::{GoogleCalendar, GoogleConfig};
use serde::{Deserialize, Serialize};
use url::Url;

const PAGE_SIZE: u32 = 250;
const PEER: &str = "google-calendar3";

/// What a contestant says at the end.
#[derive(Debug, Serialize, Deserialize)]
struct Outcome {
    events: u64,
    seconds: f64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        // This program is its own contestants.
        ["contestant", name, url, token] => contestant(name, url, token),
        options if options.contains(&"--bench") => race(options),
        _ => {
            println!("sync_overhead: nothing to test; run it with `cargo bench`");
            Ok(())
        }
    }
}

/// The rows of figures of one contestant, round by round.
#[derive(Default)]
struct Figures {
    seconds: Vec<f64>,
    cpu: Vec<f64>,
    peak: Vec<f64>,
}

fn race(options: &[&str]) -> Result<()> {
    let events: u64 = number(options, "--events", 100_000)?;
    let rounds: usize = number(options, "--rounds", 9)?.try_into()?;
    let own = std::env::current_exe()?;
    let mut contestants: Vec<(&str, PathBuf)> = vec![("bare", own.clone()), ("engine", own)];
    if !options.contains(&"--no-peer") && std::env::var_os("NO_PEER").is_none() {
        contestants.push((PEER, build_peer(&contestants[0].1)?));
    }
    let fakes = Fakes::start(events)?;
    let run = |name: &str, program: &PathBuf| -> Result<(Outcome, Usage)> {
        let page_size = PAGE_SIZE.to_string();
        let arguments = match name {
            PEER => vec![fakes.url(), TOKEN, &page_size],
            _ => vec!["contestant", name, fakes.url(), TOKEN],
        };
        let (program, outcome): (_, Outcome) = Program::start(program, &arguments)?;
        if outcome.events != events {
            return Err(format!("{name} has read {} of {events} events", outcome.events).into());
        }
        Ok((outcome, program.usage()))
    };

    let mut figures: Vec<Figures> = contestants.iter().map(|_| Figures::default()).collect();
    // The first round warms up the fake and the machine, and does not count.
    for round in 0..=rounds {
        for turn in 0..contestants.len() {
            let index = (turn + round) % contestants.len();
            let (name, program) = &contestants[index];
            let (outcome, usage) = run(name, program)?;
            if round > 0 {
                figures[index].seconds.push(outcome.seconds);
                figures[index].cpu.push(usage.cpu_seconds);
                figures[index].peak.push(usage.peak_mib);
            }
        }
    }
    print(events, rounds, &contestants, &figures);
    println!("the fake: {}", fakes.usage());
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn print(events: u64, rounds: usize, contestants: &[(&str, PathBuf)], figures: &[Figures]) {
    let rate = |figures: &Figures| count(events as f64 / Spread::of(figures.seconds.clone()).median);
    let bare = &figures[0];
    let mut rows = vec![
        ["", "events/s", "of bare (middle half)", "cpu s", "cpu of bare", "peak MiB"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for ((name, _), own) in contestants.iter().zip(figures) {
        rows.push(vec![
            (*name).to_owned(),
            rate(own),
            Spread::of_ratios(&bare.seconds, &own.seconds).to_string(),
            format!("{:.2}", Spread::of(own.cpu.clone()).median),
            Spread::of_ratios(&own.cpu, &bare.cpu).to_string(),
            format!("{:.0}", Spread::of(own.peak.clone()).median),
        ]);
    }
    println!("{events} events at {PAGE_SIZE} a page, {rounds} rounds\n\n{}", table(&rows));
    let engine = &figures[1];
    print!(
        "sync_overhead: engine {} events/s, bare {} events/s, ratio {}",
        rate(engine),
        rate(bare),
        Spread::of_ratios(&bare.seconds, &engine.seconds)
    );
    if let Some(peer) = figures.get(2) {
        let ahead = Spread::of_ratios(&peer.seconds, &engine.seconds);
        print!("; {PEER} {} events/s, engine {ahead} times as fast", rate(peer));
    }
    println!();
}

/// Builds the peer into the target directory in whose `release/deps` this program lies.
fn build_peer(own: &Path) -> Result<PathBuf> {
    let target = own.ancestors().nth(3).and_then(Path::to_str).ok_or("the target directory is not known")?;
    build(&["--manifest-path", "peers/google-calendar3/Cargo.toml", "--target-dir", target])
}

fn number(options: &[&str], name: &str, default: u64) -> Result<u64> {
    match options.iter().position(|option| *option == name) {
        None => Ok(default),
        Some(at) => Ok(options.get(at + 1).ok_or_else(|| format!("{name} needs a number"))?.parse()?),
    }
}

#[tokio::main]
async fn contestant(name: &str, url: &str, token: &str) -> Result<()> {
    let outcome = match name {
        "bare" => bare(url, token).await?,
        "engine" => engine(url, token).await?,
        _ => return Err(format!("there is no contestant {name}").into()),
    };
    report(&outcome)
}

/// What somebody writes who needs no more than the events.
async fn bare(base: &str, token: &str) -> Result<Outcome> {
    let client = reqwest::Client::new();
    let watch = Stopwatch::start();
    let mut events = 0;
    let mut page_token: Option<String> = None;
    loop {
        let mut url = Url::parse(&format!("{base}/calendar/v3/calendars/primary/events"))?;
        url.query_pairs_mut()
            .append_pair("maxResults", &PAGE_SIZE.to_string())
            .append_pair("singleEvents", "false")
            .extend_pairs(page_token.iter().map(|token| ("pageToken", token)));
        let answer = client.get(url).bearer_auth(token).send().await?.error_for_status()?;
        let page: plain::Page = serde_json::from_slice(&answer.bytes().await?)?;
        events += page.items.len() as u64;
        page_token = page.next_page_token;
        if page_token.is_none() {
            break;
        }
    }
    Ok(Outcome { events, seconds: watch.seconds() })
}

/// The same through the whole family.
async fn engine(base: &str, token: &str) -> Result<Outcome> {
    let store = Arc::new(MemoryStore::new());
    let vault = Vault::ephemeral()?;
    let connection = connection(&vault, token)?;
    store.put(&connection).await?;
    let mut settings = SyncSettings::default();
    settings.listing_page = PAGE_SIZE;
    settings.changes_page = PAGE_SIZE;
    let config = GoogleConfig::builder().client("bench", "bench").base_url(base).build()?;
    let gateway = Gateway::builder()
        .adapter(GoogleCalendar::new(config))
        .token_store(Arc::clone(&store) as _)
        .key_value_store(store)
        .sync_sink(Arc::new(Nowhere::default()))
        .vault(vault)
        .sync_settings(settings)
        // The fake has no quota, and what Google's would hold back is not what is measured.
        .limits(SERVICE, Limits::UNKNOWN)
        .build()?;

    let watch = Stopwatch::start();
    let total = gateway.sync(&connection.id).await?.into_result()?.total();
    Ok(Outcome { events: total.upserted, seconds: watch.seconds() })
}

/// A connection as it would be stored after a user has come back with a grant.
fn connection(vault: &Vault, token: &str) -> Result<Connection> {
    let owner = Owner::from("ada");
    let service = ServiceId::from(SERVICE);
    let account = Account { id: "1".into(), email: None, name: None };
    let id = Connection::derive_id(&owner, &service, &account.id);
    let tokens = Tokens { access: AccessToken::new(token)?, refresh: None };
    let (access, refresh) = vault.seal_tokens(&owner, &service, &id, &tokens)?;
    let now = SystemClock::new().now();
    let expires_at = Some(now + TimeDelta::days(365));
    Ok(Connection {
        id,
        owner,
        service,
        account,
        status: ConnectionStatus::Active,
        scopes: Vec::new(),
        tokens: SealedTokens { access, refresh, issued_at: now, expires_at },
        grant: GrantType::User,
        refreshing_since: None,
        version: 0,
        created_at: now,
        updated_at: now,
    })
}

/// A sink that keeps the positions and drops the records: what is left is the engine's own cost.
#[derive(Debug, Default)]
struct Nowhere {
    states: Mutex<HashMap<StreamKey, StreamState>>,
}

#[async_trait]
impl SyncSink for Nowhere {
    async fn load(&self, stream: &StreamKey) -> integrations_core::Result<StreamState> {
        let states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(states.get(stream).cloned().unwrap_or_default())
    }

    async fn commit(&self, commit: Commit) -> integrations_core::Result<Receipt> {
        let revision = commit.expected_revision + 1;
        let state = StreamState { position: commit.position, revision, fence: commit.fence };
        self.states.lock().unwrap_or_else(PoisonError::into_inner).insert(commit.stream, state);
        Ok(Receipt { revision, swept: 0 })
    }

    async fn count_unseen(&self, _: &StreamKey, _: u64) -> integrations_core::Result<Unseen> {
        Ok(Unseen::default())
    }

    async fn forget(&self, _: &ConnectionId) -> integrations_core::Result<u64> {
        Ok(0)
    }

    async fn streams(&self, _: &ConnectionId) -> integrations_core::Result<Vec<StreamId>> {
        Ok(Vec::new())
    }

    async fn forget_stream(&self, _: &StreamKey) -> integrations_core::Result<u64> {
        Ok(0)
    }
}

//! A full sync of as many events as you like, from a fake in another process into SQLite.
//!
//! `cargo run --release --example backfill -- --events 1000000`
//!
//! Prints events per second and the peak of this process's memory, which does not depend on how many
//! events there are.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use clap::Parser;
use integrations_core::auth::Vault;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::resilience::Limits;
use integrations_core::{Error, Gateway};
use integrations_examples::loopback::{self, Loopback};
use integrations_examples::memory::peak_mib;
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_stores::SqliteStore;
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// Syncs many events into SQLite and says how fast that was.
#[derive(Parser)]
struct Options {
    /// How many events the fake calendar has.
    #[arg(long, default_value_t = 100_000)]
    events: u64,
    /// Where to keep the database; a temporary file by default.
    #[arg(long)]
    db: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Be the fake, until standard input closes.
    #[arg(long, hide = true)]
    serve: bool,
}

/// What the fake says when it is ready.
#[derive(Serialize, Deserialize)]
struct Ready {
    url: String,
    client_id: String,
    client_secret: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    if options.serve { serve(options.events).await } else { backfill(options).await }
}

async fn backfill(options: Options) -> Result<(), Box<dyn std::error::Error>> {
    let temporary = tempfile::tempdir()?;
    let db = options.db.unwrap_or_else(|| temporary.path().join("backfill.db"));
    let (_fake, ready) = start_fake(options.events).await?;
    let store = SqliteStore::open(&db).await?;
    let config =
        GoogleConfig::builder().client(ready.client_id, ready.client_secret).base_url(ready.url).build()?;
    let gateway = Gateway::builder()
        .adapter(GoogleCalendar::new(config))
        .store(store)
        .vault(Vault::ephemeral()?)
        // The fake has no quota, and what Google's would hold back is not what is measured.
        .limits(integrations_google::calendar::SERVICE, Limits::UNKNOWN)
        .build()?;

    let loopback = Loopback::listen().await?;
    let begun =
        gateway.connect("ada", "google_calendar").redirect_uri(loopback.redirect_uri()).begin().await?;
    let clock = SystemClock::new();
    let came_back = loopback.came_back(&begun.url, &clock);
    let (address, ()) = tokio::try_join!(came_back, loopback::browse(begun.url.as_str()))?;
    let connection = gateway.complete("ada", &address).await?;

    let before = clock.monotonic();
    let total = gateway.sync(&connection.id).await?.into_result()?.total();
    let took = clock.monotonic() - before;
    let size = std::fs::metadata(&db)?.len();
    print(options.json, total.upserted, took, size);
    if total.upserted != options.events && total.upserted != 0 {
        let message = format!("{} events came where {} were", total.upserted, options.events);
        return Err(Box::new(Error::new(integrations_core::ErrorKind::DataFormat, message)));
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn print(json: bool, events: u64, took: Duration, size: u64) {
    let seconds = took.as_secs_f64();
    let rate = events as f64 / seconds.max(0.001);
    let peak = peak_mib();
    let mib = size as f64 / f64::from(1 << 20);
    if json {
        println!(
            "{}",
            serde_json::json!({
                "events": events, "seconds": seconds, "events_per_second": rate, "peak_mib": peak, "database_mib": mib
            })
        );
    } else {
        let peak = peak.map_or("peak memory not known".into(), |peak| format!("{peak:.1} MiB peak memory"));
        println!("{events} events in {seconds:.1} s: {rate:.0} events/s, {peak}, {mib:.0} MiB database");
    }
}

async fn start_fake(events: u64) -> Result<(Child, Ready), Box<dyn std::error::Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["--serve", "--events", &events.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().ok_or("the fake has no standard output")?;
    let line = BufReader::new(stdout).lines().next_line().await?.ok_or("the fake did not start")?;
    Ok((child, serde_json::from_str(&line)?))
}

async fn serve(events: u64) -> Result<(), Box<dyn std::error::Error>> {
    let calendar =
        CalendarSpec::new("ada@example.com").primary().time_zone("Europe/Berlin").generated(events);
    let fake = FakeGoogle::builder().calendar(calendar).start().await;
    let ready = Ready {
        url: fake.url().to_owned(),
        client_id: fake.client_id().to_owned(),
        client_secret: fake.client_secret().to_owned(),
    };
    println!("{}", serde_json::to_string(&ready)?);
    // The parent's end closes standard input.
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

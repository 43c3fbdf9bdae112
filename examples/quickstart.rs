//! Connect a calendar account, sync it into SQLite, follow its changes, and print the coming week.
//!
//! `cargo run --example quickstart` runs against a fake Google: no account, no network. With `--google`
//! the same program runs against Google; it needs `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` of a
//! desktop client, and `TOKEN_ENCRYPTION_KEY` if the database is kept.

mod quickstart {
    pub(crate) mod agenda;
    pub(crate) mod output;
    pub(crate) mod provider;
}

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use chrono_tz::Tz;
use clap::Parser;
use integrations_core::adapter::Stream;
use integrations_core::auth::Vault;
use integrations_core::{Connection, Gateway};
use integrations_examples::loopback::{self, Loopback};
use integrations_examples::progress::Bars;
use integrations_stores::SqliteStore;

use crate::quickstart::output::Output;
use crate::quickstart::provider::Provider;

/// Connects a calendar account, syncs it into SQLite, and prints the coming week.
#[derive(Parser)]
struct Options {
    /// Keep the database here; a second run goes on from where the first one stopped.
    #[arg(long)]
    db: Option<PathBuf>,
    /// Use Google instead of the fake.
    #[arg(long)]
    google: bool,
    /// The time zone to show times in, e.g. `Europe/Berlin`; that of the main calendar by default.
    #[arg(long)]
    zone: Option<Tz>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    json: bool,
}

const USER: &str = "ada";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    let mut out = Output::new(options.json);

    // What a host puts together: a provider, a store, and a key.
    let provider = if options.google { Provider::google()? } else { Provider::fake().await };
    let temporary = tempfile::tempdir()?;
    let db = options.db.clone().unwrap_or_else(|| temporary.path().join("quickstart.db"));
    let store = SqliteStore::builder().clock(provider.clock()).open(&db).await?;
    let gateway = Gateway::builder()
        .adapter(provider.adapter()?)
        .store(store.clone())
        .vault(vault(&options)?)
        .clock(provider.clock())
        .observer(Arc::new(Bars::default()))
        .build()?;
    out.provider(&provider);

    let connection = connect(&gateway, &provider, &mut out).await?;
    provider.take_up(&store).await?;
    let streams = gateway.streams(&connection.id).await?;
    let report = gateway.sync(&connection.id).await?.into_result()?;
    out.first_sync(&streams, &report);

    if let Some(told) = provider.edit(&store, &connection).await? {
        let served = provider.items_served();
        let report = gateway.sync(&connection.id).await?.into_result()?;
        out.changes(&told, &report, provider.items_served() - served);
    }

    let zone = options.zone.or_else(|| zone_of(&streams)).unwrap_or(Tz::UTC);
    let week = quickstart::agenda::coming_week(&store, USER, provider.clock().now(), zone).await?;
    out.week(&week, &streams);
    if options.db.is_some() {
        out.kept(&db);
    }
    out.end()?;
    Ok(())
}

/// A temporary database needs no key that outlives it.
fn vault(options: &Options) -> integrations_core::Result<Vault> {
    match Vault::from_env() {
        Err(_) if options.db.is_none() || !options.google => Vault::ephemeral(),
        vault => vault,
    }
}

/// The connection of an earlier run, or a new one: the user is sent to the provider and comes back.
async fn connect(
    gateway: &Gateway,
    provider: &Provider,
    out: &mut Output,
) -> Result<Connection, Box<dyn std::error::Error>> {
    let known = gateway.connections(USER).await?.into_iter().find(|known| known.status.as_str() == "active");
    // The fake has forgotten its grants with its last run; Google has not.
    if let (Some(connection), false) = (&known, provider.is_fake()) {
        out.connected(connection, true);
        return Ok(connection.clone());
    }
    let loopback = Loopback::listen().await?;
    let redirect_uri = loopback.redirect_uri().to_owned();
    let begun = gateway
        .connect(USER, integrations_google::calendar::SERVICE)
        .redirect_uri(redirect_uri)
        .begin()
        .await?;
    let clock = provider.clock();
    let came_back = loopback.came_back(&begun.url, &*clock);
    let address = if provider.is_fake() {
        tokio::try_join!(came_back, loopback::browse(begun.url.as_str()))?.0
    } else {
        eprintln!("Open this address in a browser and allow access:\n\n  {}\n", begun.url);
        if !io::stderr().is_terminal() {
            eprintln!("(waiting for the browser to come back)");
        }
        came_back.await?
    };
    let connection = gateway.complete(USER, &address).await?;
    out.connected(&connection, known.is_some());
    Ok(connection)
}

fn zone_of(streams: &[Stream]) -> Option<Tz> {
    streams.iter().find(|stream| stream.primary).or(streams.first()).and_then(|stream| stream.time_zone)
}

//! The first ten minutes: connect a user's calendars, mail, tasks, chats, code and meetings, sync them into SQLite,
//! follow what changes, and show one agenda, one inbox and one list of what is to do.
//!
//! `cargo run --example quickstart` runs against fakes of Google, Microsoft, Slack, GitHub and Zoom: no account, no
//! network. With `--real` the same program uses the services whose credentials stand in the environment:
//! `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET` of a desktop client, and so on with `MICROSOFT_`, `SLACK_`,
//! `GITHUB_` and `ZOOM_`. Slack, GitHub and Zoom send users back to addresses that are registered: set
//! `LOOPBACK_PORT`, register `http://127.0.0.1:PORT/callback` there, and let the app at Slack use PKCE. A database
//! that is kept needs a `TOKEN_ENCRYPTION_KEY`.

mod quickstart {
    pub(crate) mod agenda;
    pub(crate) mod chapters;
    pub(crate) mod inbox;
    pub(crate) mod names;
    pub(crate) mod output;
    pub(crate) mod tables;
    pub(crate) mod todo;
}

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;
use clap::Parser;
use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::Vault;
use integrations_core::clock::Clock;
use integrations_core::connection::{ConnectionStatus, ServiceId};
use integrations_core::sync::{SyncRequest, Window};
use integrations_core::{Connection, Gateway, GatewayBuilder};
use integrations_examples::changes::Watch;
use integrations_examples::loopback::Loopback;
use integrations_examples::progress::Bars;
use integrations_examples::providers::Providers;
use integrations_examples::words;
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;
use serde_json::Value;
use tokio::task::JoinSet;

use self::quickstart::agenda::{Titles, coming_week};
use self::quickstart::chapters;
use self::quickstart::inbox::inbox;
use self::quickstart::names::Names;
use self::quickstart::output::{Account, Done, Output, Synced};
use self::quickstart::todo::open_work;

/// Connects a user's accounts, syncs them into SQLite, and prints an agenda, an inbox and what is to do.
#[derive(Parser)]
pub(crate) struct Options {
    /// Keep the database here; a second run goes on from where the first one stopped.
    #[arg(long)]
    pub(crate) db: Option<PathBuf>,
    /// Use the services whose credentials stand in the environment, instead of fakes.
    #[arg(long, alias = "google")]
    pub(crate) real: bool,
    /// The time zone to show times in, e.g. `Europe/Berlin`; that of the main calendar by default.
    #[arg(long)]
    pub(crate) zone: Option<Tz>,
    /// Print one JSON document instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

type Error = Box<dyn std::error::Error>;

const USER: &str = "ada";
/// How far back mails and chats are read. A whole mailbox may take an hour.
const DAYS_BACK: i64 = 28;

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(document) => {
            if let Some(document) = document {
                println!("{document:#}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns what it would have printed, if that is to be JSON.
pub(crate) async fn run(options: Options) -> Result<Option<Value>, Error> {
    let mut out = Output::new(options.json);

    // What a host puts together: adapters, a store, and a key.
    let providers = if options.real {
        Providers::Real
    } else {
        Providers::fake_at(chapters::ports(options.db.as_deref()).await?).await
    };
    let (adapters, missing) = providers.adapters();
    for error in &missing {
        eprintln!("Left out: {}", error.message());
    }
    if adapters.is_empty() {
        return Err("no service can be used without its credentials".into());
    }
    let temporary = tempfile::tempdir()?;
    let db = options.db.clone().unwrap_or_else(|| temporary.path().join("quickstart.db"));
    let store = SqliteStore::builder().clock(providers.clock()).open(&db).await?;
    let watch = Watch::over(&store);
    let bars = Bars::of(adapters.iter().map(|adapter| adapter.info()));
    let gateway = adapters
        .into_iter()
        .fold(providers.gateway(), GatewayBuilder::adapter)
        .store(store.clone())
        .sync_sink(Arc::clone(&watch) as _)
        .vault(vault(&options)?)
        .observer(Arc::new(bars))
        .build()?;
    if let Some(story) = providers.story() {
        chapters::take_up(story, &store).await?;
    }
    out.providers(&providers);

    let mut accounts = Vec::new();
    for service in gateway.services() {
        accounts.push(connect(&gateway, &providers, service).await?);
    }
    out.connected(&accounts);

    let since = providers.clock().now() - TimeDelta::days(DAYS_BACK);
    let request = SyncRequest::incremental().within(Window::since(since));
    let mut host =
        Host { gateway: &gateway, store: &store, accounts: &accounts, titles: Titles::default(), zone: None };
    let done = host.sync(request, &*providers.clock()).await?;
    out.first_sync(&accounts, &done, &watch.take());

    let zone = options.zone.or(host.zone).unwrap_or(Tz::UTC);
    let name = |id: &ServiceId| gateway.services().find(|info| info.id == *id).map_or("", |info| info.name);
    let now = || providers.clock().now().with_timezone(&zone);
    if let Some(story) = providers.story() {
        let deeds = chapters::go_on(story, &store).await?;
        host.sync(request, &*providers.clock()).await?;
        let records = store.count(&RecordQuery::new().owner(USER)).await?;
        out.changes(&deeds, name, now(), &watch.take(), records);
    }

    out.week(&coming_week(&store, USER, providers.clock().now(), zone, &host.titles).await?);
    out.inbox(&inbox(&store, USER, &host.names().await?, &host.titles).await?, now(), name);
    out.open_work(&open_work(&store, USER, &host.connections(), zone, &host.titles).await?, now());
    if options.db.is_some() {
        out.kept(&db);
    }
    match done.streams.into_iter().find_map(|stream| stream.outcome.err()) {
        Some(error) => Err(error.into()),
        None => Ok(out.end()),
    }
}

/// A temporary database needs no key that outlives it.
fn vault(options: &Options) -> integrations_core::Result<Vault> {
    match Vault::from_env() {
        Err(_) if options.db.is_none() || !options.real => Vault::ephemeral(),
        vault => vault,
    }
}

/// The connection of an earlier run, or a new one: the user is sent to the provider and comes back.
async fn connect(gateway: &Gateway, providers: &Providers, service: &ServiceInfo) -> Result<Account, Error> {
    let mut known = gateway.connections(USER).await?.into_iter().filter(|known| known.service == service.id);
    let known = known.find(|known| known.status == ConnectionStatus::Active);
    let is_known = known.is_some();
    let account = |connection| Account { service: service.name, connection, known: is_known };
    // The fakes have forgotten their grants with the last run; the providers have not.
    if let (Some(connection), None) = (&known, providers.story()) {
        return Ok(account(connection.clone()));
    }
    let loopback = Loopback::listen().await?;
    let begun = gateway.connect(USER, &service.id).redirect_uri(loopback.redirect_uri()).begin().await?;
    let address = providers.send_user(&begun.url, loopback).await?;
    Ok(account(gateway.complete(USER, &address).await?))
}

/// What is synced, and what is known of it.
struct Host<'a> {
    gateway: &'a Gateway,
    store: &'a SqliteStore,
    accounts: &'a [Account],
    titles: Titles,
    /// That of the user's main calendar.
    zone: Option<Tz>,
}

impl Host<'_> {
    /// Brings all accounts up to date, all at the same time: none waits for another's provider.
    async fn sync(&mut self, request: SyncRequest, clock: &dyn Clock) -> Result<Done, Error> {
        let began = clock.monotonic();
        let mut runs: JoinSet<integrations_core::Result<_>> = JoinSet::new();
        for (place, Account { connection, .. }) in self.accounts.iter().enumerate() {
            let (gateway, id) = (self.gateway.clone(), connection.id.clone());
            runs.spawn(async move {
                let streams = gateway.streams(&id).await?;
                let report = gateway.sync_with(&id, request).await?;
                Ok((place, streams, report))
            });
        }
        let mut reports = BTreeMap::new();
        while let Some(run) = runs.join_next().await {
            let (place, streams, report) = run??;
            reports.insert(place, (streams, report));
        }
        let took = clock.monotonic().saturating_sub(began);

        let names = self.names().await?;
        let (mut all, mut kept) = (Vec::new(), Vec::new());
        for (place, (streams, report)) in reports {
            let Account { service, connection, .. } = &self.accounts[place];
            self.titles.add(&connection.id, &streams);
            let main = streams.iter().find(|stream| stream.primary && stream.time_zone.is_some());
            self.zone = self.zone.or(main.and_then(|main| main.time_zone));
            let of_account = || RecordQuery::new().connection(&connection.id);
            kept.push(words::kept(self.store, &connection.service, &of_account()).await?);
            for (key, outcome) in report.streams {
                let Some(stream) = streams.iter().find(|stream| stream.id == key.stream) else { continue };
                let title = names.place(&connection.id, stream.id.as_str());
                all.push(Synced {
                    service: connection.service.clone(),
                    name: service,
                    id: stream.id.to_string(),
                    title: title.unwrap_or_else(|| stream.title.clone()),
                    is_empty: self.store.count(&of_account().stream(&stream.id)).await? == 0,
                    outcome,
                });
            }
        }
        Ok(Done { streams: all, kept, took })
    }

    fn connections(&self) -> Vec<&Connection> {
        self.accounts.iter().map(|account| &account.connection).collect()
    }

    async fn names(&self) -> Result<Names, Error> {
        Ok(Names::read(self.store, &self.connections()).await?)
    }
}

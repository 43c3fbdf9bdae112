//! A full sync of as many items as you like, from a fake in another process into SQLite.
//!
//! `cargo run --release --example backfill -- --items 1000000`
//! `cargo run --release --example backfill -- --service gmail --items 50000`
//!
//! Prints items per second and the peak of this process's memory, which does not depend on how many items there
//! are; for Gmail also what the sync costs there, next to the least that it could cost.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use integrations_core::auth::Vault;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::model::RecordKind;
use integrations_core::{Error, ErrorKind, Gateway, ServiceAdapter};
use integrations_examples::loopback::{self, Loopback};
use integrations_examples::memory::peak_mib;
use integrations_examples::providers::without_quotas;
use integrations_github::{GitHub, GitHubConfig};
use integrations_google::{Gmail, GoogleCalendar, GoogleConfig, calendar, gmail, limits};
use integrations_msgraph::{GraphConfig, OutlookCalendar, OutlookMail};
use integrations_slack::{Slack, SlackConfig};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;
use integrations_testkit::github::{FakeGitHub, RepoSpec};
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use integrations_testkit::msgraph::{self, FakeGraph, FolderSpec};
use integrations_testkit::oauth::Pkce;
use integrations_testkit::slack::FakeSlack;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// Syncs many items into SQLite and says how fast that was.
#[derive(Parser)]
struct Options {
    /// The service.
    #[arg(long, value_enum, default_value_t = Service::GoogleCalendar)]
    service: Service,
    /// How many items the fake has: events, mails, messages without the replies in threads, or issues without
    /// what is said of them.
    #[arg(long, alias = "events", default_value_t = 100_000)]
    items: u64,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Service {
    /// Events of one calendar.
    GoogleCalendar,
    /// The mails of a mailbox.
    Gmail,
    /// The messages of 20 channels.
    Slack,
    /// Events of one calendar, series among them.
    OutlookCalendar,
    /// The mails of the inbox.
    OutlookMail,
    /// The issues and pull requests of one repository.
    #[value(name = "github")]
    GitHub,
}

impl Service {
    const fn id(self) -> &'static str {
        match self {
            Self::GoogleCalendar => calendar::SERVICE,
            Self::Gmail => gmail::SERVICE,
            Self::Slack => integrations_slack::SERVICE,
            Self::OutlookCalendar => integrations_msgraph::calendar::SERVICE,
            Self::OutlookMail => integrations_msgraph::mail::SERVICE,
            Self::GitHub => integrations_github::SERVICE,
        }
    }

    const fn kind(self) -> RecordKind {
        match self {
            Self::GoogleCalendar | Self::OutlookCalendar => RecordKind::Event,
            Self::Gmail | Self::OutlookMail | Self::Slack => RecordKind::Message,
            Self::GitHub => RecordKind::Issue,
        }
    }

    const fn items(self) -> &'static str {
        match self {
            Self::GoogleCalendar | Self::OutlookCalendar => "events",
            Self::Gmail | Self::OutlookMail | Self::Slack => "messages",
            Self::GitHub => "issues",
        }
    }
}

type Failure = Box<dyn std::error::Error>;

const CHANNELS: u64 = 20;
/// The made-up events of Outlook lie within a year and a month of today.
const DAYS: u32 = 400;
/// As many as `messages.list` gives at the most.
const MAILS_PER_PAGE: u64 = 500;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let options = Options::parse();
    if options.serve { serve(options.service, options.items).await } else { backfill(options).await }
}

async fn backfill(options: Options) -> Result<(), Failure> {
    let Options { service, items, json, .. } = options;
    let temporary = tempfile::tempdir()?;
    let db = options.db.unwrap_or_else(|| temporary.path().join("backfill.db"));
    let fake = Fake::start(service, items).await?;
    let store = SqliteStore::open(&db).await?;
    // What the providers' quotas would hold back is not what is measured.
    let gateway = without_quotas(Gateway::builder())
        .adapter(fake.adapter(service)?)
        .store(store.clone())
        .vault(Vault::ephemeral()?)
        .build()?;

    let loopback = Loopback::listen().await?;
    let redirect_uri = loopback.redirect_uri();
    let begun = gateway.connect("ada", service.id()).redirect_uri(redirect_uri).begin().await?;
    let clock = SystemClock::new();
    let came_back = loopback.came_back(&begun.url, &clock);
    let (address, ()) = tokio::try_join!(came_back, loopback::browse(begun.url.as_str()))?;
    let connection = gateway.complete("ada", &address).await?;

    let before = clock.monotonic();
    let total = gateway.sync(&connection.id).await?.into_result()?.total();
    let took = clock.monotonic() - before;
    let peak_mib = peak_mib();
    let done = Done { service, items: total.upserted, took, peak_mib, bytes: std::fs::metadata(&db)?.len() };
    done.print(json, &fake.stop().await?);

    let kept = store.count(&RecordQuery::new().connection(&connection.id).kind(service.kind())).await?;
    // Of a chat come the replies, too.
    if kept == items || service == Service::Slack && kept > items {
        return Ok(());
    }
    let message = format!("{kept} {} are kept where {items} are", service.items());
    Err(Box::new(Error::new(ErrorKind::DataFormat, message)))
}

/// What came of a sync.
struct Done {
    service: Service,
    items: u64,
    took: Duration,
    peak_mib: Option<f64>,
    bytes: u64,
}

impl Done {
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    fn print(&self, json: bool, spent: &Spent) {
        let Self { service, items, took, peak_mib, bytes } = self;
        let seconds = took.as_secs_f64();
        let rate = *items as f64 / seconds.max(0.001);
        let mib = *bytes as f64 / f64::from(1 << 20);
        let ratio = spent.least.map(|least| spent.used as f64 / least as f64);
        if json {
            let spent = ratio.map(|ratio| json!({"used": spent.used, "least": spent.least, "ratio": ratio}));
            println!(
                "{}",
                json!({
                    "service": service.id(), "items": items, "seconds": seconds, "items_per_second": rate,
                    "peak_mib": peak_mib, "database_mib": mib, "quota": spent,
                })
            );
            return;
        }
        let peak =
            peak_mib.map_or("peak memory not known".into(), |peak| format!("{peak:.1} MiB peak memory"));
        println!("{items} records in {seconds:.1} s: {rate:.0} records/s, {peak}, {mib:.0} MiB database");
        if let (Some(least), Some(ratio)) = (spent.least, ratio) {
            println!(
                "{} quota units at Gmail, where {least} are the least: {ratio:.3} times as many",
                spent.used
            );
        }
    }
}

/// What the fake says when it is ready.
#[derive(Serialize, Deserialize)]
struct Ready {
    url: String,
    client_id: String,
    client_secret: String,
}

/// What the fake says at its end.
#[derive(Serialize, Deserialize)]
struct Spent {
    /// Quota units that were used.
    used: u64,
    /// The least that the methods allow: each mail got once, the fullest pages of the list, and the profile.
    least: Option<u64>,
}

/// The fake, in a process of its own.
struct Fake {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    ready: Ready,
}

impl Fake {
    async fn start(service: Service, items: u64) -> Result<Self, Failure> {
        let service = service.to_possible_value().ok_or("the service has no name")?;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--serve", "--service", service.get_name(), "--items", &items.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut says = BufReader::new(child.stdout.take().ok_or("the fake has no standard output")?).lines();
        let line = says.next_line().await?.ok_or("the fake did not start")?;
        Ok(Self { child, says, ready: serde_json::from_str(&line)? })
    }

    fn adapter(&self, service: Service) -> Result<std::sync::Arc<dyn ServiceAdapter>, Error> {
        let Ready { url, client_id, client_secret } = &self.ready;
        let google =
            || GoogleConfig::builder().client(client_id, client_secret.as_str()).base_url(url).build();
        let microsoft = || GraphConfig::builder().client(client_id, client_secret.as_str()).base_url(url);
        match service {
            Service::OutlookCalendar => {
                OutlookCalendar::new(microsoft().calendar_back(DAYS).calendar_ahead(DAYS).build()?)
            }
            Service::OutlookMail => OutlookMail::new(microsoft().build()?),
            Service::GitHub => {
                let config = GitHubConfig::builder().client(client_id, client_secret.as_str());
                Ok(GitHub::new(config.base_url(url).build()?))
            }
            Service::GoogleCalendar => Ok(GoogleCalendar::new(google()?)),
            Service::Gmail => Ok(Gmail::new(google()?)),
            Service::Slack => {
                let config = SlackConfig::builder().client(client_id, client_secret.as_str());
                // Without PKCE, Slack sends nobody back to a program.
                Slack::new(config.base_url(url).pkce().build()?)
            }
        }
    }

    async fn stop(mut self) -> Result<Spent, Failure> {
        drop(self.child.stdin.take());
        let line = self.says.next_line().await?.ok_or("the fake says nothing at its end")?;
        Ok(serde_json::from_str(&line)?)
    }
}

async fn serve(service: Service, items: u64) -> Result<(), Failure> {
    let used = match service {
        Service::GoogleCalendar => {
            let calendar = CalendarSpec::new("ada@example.com").primary().time_zone("Europe/Berlin");
            let fake = FakeGoogle::builder().calendar(calendar.generated(items)).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret()).await?;
            0
        }
        Service::Gmail => {
            let fake = FakeGoogle::builder().messages(items).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret()).await?;
            fake.units_used()
        }
        Service::Slack => {
            let fake = FakeSlack::builder().generated_channels(CHANNELS, items.div_ceil(CHANNELS));
            let fake = fake.pkce(Pkce::Required).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret()).await?;
            0
        }
        Service::OutlookCalendar => {
            let calendar = msgraph::CalendarSpec::new("Calendar").generated(items);
            let fake = FakeGraph::builder().calendar(calendar).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret().unwrap_or_default()).await?;
            0
        }
        Service::OutlookMail => {
            let inbox = FolderSpec::well_known("inbox").generated(items);
            let fake = FakeGraph::builder().folder(inbox).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret().unwrap_or_default()).await?;
            0
        }
        Service::GitHub => {
            let repository = RepoSpec::new("ada/engine").generated(items);
            let fake = FakeGitHub::builder().with_lasting_tokens().rate_limit(u64::MAX);
            let fake = fake.graphql_rate_limit(u64::MAX).repository(repository).start().await;
            until_the_end(fake.url(), fake.client_id(), fake.client_secret()).await?;
            0
        }
    };
    let cost = |operation| u64::from(limits::GMAIL.cost(operation, 1));
    let pages = items.div_ceil(MAILS_PER_PAGE).max(1);
    let least = items * cost("messages.get") + pages * cost("messages.list") + cost("getProfile");
    let spent = Spent { used, least: (service == Service::Gmail).then_some(least) };
    println!("{}", serde_json::to_string(&spent)?);
    Ok(())
}

/// Says where the fake is, and waits for the parent's end, which closes standard input.
async fn until_the_end(url: &str, client_id: &str, client_secret: &str) -> Result<(), Failure> {
    let [url, client_id, client_secret] = [url, client_id, client_secret].map(str::to_owned);
    println!("{}", serde_json::to_string(&Ready { url, client_id, client_secret })?);
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}

//! Runs fake providers as a program of its own, for benchmarks and examples.
//!
//! Prints one line of JSON for each when it is ready, the fake Google first, then the fake Slack, the fake
//! GitHub and the fake Zoom, and runs until it is killed.

use std::io::Read as _;

use clap::{Parser, ValueEnum};
use integrations_testkit::github::FakeGitHub;
use integrations_testkit::google::{CalendarSpec, FakeGoogle, TaskListSpec};
use integrations_testkit::msgraph::{self, FakeGraph, FolderSpec};
use integrations_testkit::oauth::{AccountSpec, Dialect, FakeOAuth};
use integrations_testkit::slack::{FakeSlack, Tiers};
use integrations_testkit::zoom::FakeZoom;
use serde_json::json;
use tokio::sync::oneshot;

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Tokyo",
    "Europe/London",
    "America/Los_Angeles",
    "Asia/Kolkata",
];

/// Runs a fake provider on the loopback interface.
#[derive(Debug, Parser)]
#[command(version)]
struct Options {
    /// The provider.
    #[arg(long, value_enum, default_value_t = Service::Google)]
    service: Service,
    /// The port to listen on; 0 means any.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How many events the account has, over all its calendars.
    #[arg(long, default_value_t = 1_000)]
    events: u64,
    /// How many calendars the account has.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    calendars: u64,
    /// How many messages the account's mailbox has.
    #[arg(long, default_value_t = 0)]
    messages: u64,
    /// How many quota units Gmail grants the account in a minute; without it as many as are asked for.
    #[arg(long)]
    gmail_quota: Option<u64>,
    /// How many tasks the account has, over all its lists.
    #[arg(long, default_value_t = 0)]
    tasks: u64,
    /// How many task lists the account has.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    task_lists: u64,
    /// What everything made up depends on.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The most items that any page holds.
    #[arg(long)]
    page_cap: Option<usize>,
    /// Rotate refresh tokens.
    #[arg(long)]
    rotate: bool,
    /// The address of the account.
    #[arg(long, default_value = "ada@example.com")]
    user: String,
    /// An access token that is valid from the start.
    #[arg(long)]
    open_token: Option<String>,
    /// A refresh token that is valid from the start.
    #[arg(long)]
    open_refresh_token: Option<String>,
    /// Ask for consent on a page instead of agreeing at once; also at the OAuth servers.
    #[arg(long)]
    interactive: bool,
    /// Also run these OAuth servers: `google`, `slack`, `microsoft`, `github`, `zoom` or `all`, each with a
    /// port if it must have one, as in `slack:8101`. Repeated, or with commas between them.
    #[arg(long, value_delimiter = ',', value_parser = oauth_server)]
    oauth: Vec<OAuthServer>,
    /// Also run a fake Microsoft Graph, on this port; 0, or none, means any. It has as many events and
    /// messages as the fake Google, in its own calendar and its inbox.
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "PORT")]
    msgraph: Option<u16>,
    /// Also run a fake Slack, on this port; 0, or none, means any.
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "PORT")]
    slack: Option<u16>,
    /// How many channels the fake Slack has.
    #[arg(long, default_value_t = 10)]
    slack_channels: u64,
    /// How many messages each of them has, beside the replies in threads.
    #[arg(long, default_value_t = 100)]
    slack_messages: u64,
    /// Which of Slack's limits it enforces; without this, none.
    #[arg(long, value_enum)]
    slack_tiers: Option<SlackTiers>,
    /// Also run a fake GitHub, on this port; 0, or none, means any.
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "PORT")]
    github: Option<u16>,
    /// How many repositories the fake GitHub has.
    #[arg(long, default_value_t = 10)]
    github_repositories: u64,
    /// How many issues and pull requests each of them has, at most a million.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(..=1_000_000))]
    github_issues: u64,
    /// How many calls it grants in an hour.
    #[arg(long, default_value_t = 5_000)]
    github_rate_limit: u64,
    /// Also run a fake Zoom, on this port; 0, or none, means any.
    #[arg(long, num_args = 0..=1, default_missing_value = "0", value_name = "PORT")]
    zoom: Option<u16>,
    /// How many meetings the fake Zoom has, at most a hundred thousand.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(..=100_000))]
    zoom_meetings: u64,
    /// A second account of the OAuth servers, to choose from.
    #[arg(long)]
    second_user: Option<String>,
    /// Stop when standard input is closed, so that no fake outlives the program that started it.
    #[arg(long)]
    until_stdin_closes: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Service {
    /// OAuth 2.0, Calendar v3, Gmail v1 and Tasks v1.
    Google,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SlackTiers {
    /// Those of an app that is in the Marketplace or is a customer's own.
    Standard,
    /// Those of an app that is sold outside the Marketplace.
    Restricted,
}

/// OAuth servers that were asked for, and the port; 0 means any.
#[derive(Debug, Clone)]
struct OAuthServer {
    dialects: Vec<Dialect>,
    port: u16,
}

fn oauth_server(text: &str) -> Result<OAuthServer, String> {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let port = port.parse().map_err(|_| format!("{port:?} is no port"))?;
    let dialects: Vec<_> = Dialect::ALL.into_iter().filter(|d| name == "all" || d.name() == name).collect();
    match (dialects.len(), port) {
        (0, _) => Err(format!("no OAuth server is called {name:?}; try slack, or all")),
        (1, _) | (_, 0) => Ok(OAuthServer { dialects, port }),
        _ => Err("only a single server can be given a port".to_owned()),
    }
}

#[tokio::main]
async fn main() {
    let options = Options::parse();
    let fake = match options.service {
        Service::Google => google(&options).await,
    };
    let ready = json!({
        "service": "google",
        "url": fake.url(),
        "client_id": fake.client_id(),
        "client_secret": fake.client_secret(),
        "user": fake.user(),
    });
    println!("{ready}");
    let slack = match options.slack {
        Some(port) => Some(slack(&options, port).await),
        None => None,
    };
    if let Some(slack) = &slack {
        let ready = json!({
            "service": "slack",
            "url": slack.url(),
            "client_id": slack.client_id(),
            "client_secret": slack.client_secret(),
            "user": slack.user(),
            "team_id": slack.team_id(),
        });
        println!("{ready}");
    }
    let github = match options.github {
        Some(port) => Some(github(&options, port).await),
        None => None,
    };
    if let Some(github) = &github {
        let ready = json!({
            "service": "github",
            "url": github.url(),
            "client_id": github.client_id(),
            "client_secret": github.client_secret(),
            "user": github.user(),
            "login": github.login(),
        });
        println!("{ready}");
    }
    let zoom = match options.zoom {
        Some(port) => Some(zoom(&options, port).await),
        None => None,
    };
    let mut servers = Vec::new();
    for asked in &options.oauth {
        for &dialect in &asked.dialects {
            let server = oauth(&options, dialect, asked.port).await;
            let ready = json!({
                "service": "oauth",
                "dialect": dialect.name(),
                "url": server.url(),
                "client_id": server.client_id(),
                "client_secret": server.client_secret(),
                "users": server.accounts().iter().map(|account| &account.email).collect::<Vec<_>>(),
            });
            println!("{ready}");
            servers.push(server);
        }
    }
    let graph = match options.msgraph {
        Some(port) => Some(graph(&options, port).await),
        None => None,
    };
    if options.until_stdin_closes {
        stdin_closed().await;
        fake.shutdown().await;
        if let Some(graph) = graph {
            graph.shutdown().await;
        }
        if let Some(slack) = slack {
            slack.shutdown().await;
        }
        if let Some(github) = github {
            github.shutdown().await;
        }
        if let Some(zoom) = zoom {
            zoom.shutdown().await;
        }
        for server in servers {
            server.shutdown().await;
        }
    } else {
        std::future::pending::<()>().await;
    }
}

async fn google(options: &Options) -> FakeGoogle {
    let mut builder = FakeGoogle::builder()
        .port(options.port)
        .seed(options.seed)
        .user(&options.user)
        .messages(options.messages)
        .rotate_refresh_tokens(options.rotate)
        .interactive(options.interactive);
    if let Some(cap) = options.page_cap {
        builder = builder.page_cap(cap);
    }
    if let Some(token) = &options.open_token {
        builder = builder.open_token(token);
    }
    if let Some(token) = &options.open_refresh_token {
        builder = builder.open_refresh_token(token);
    }
    for (index, zone) in (0..options.calendars).zip(ZONES.into_iter().cycle()) {
        let share = share(options.events, options.calendars, index);
        let calendar = if index == 0 {
            CalendarSpec::new(&options.user).primary()
        } else {
            CalendarSpec::new(&format!("calendar{index}@group.calendar.google.com"))
                .summary(&format!("Calendar {index}"))
        };
        builder = builder.calendar(calendar.time_zone(zone).generated(share));
    }
    for index in 0..options.task_lists {
        let list = TaskListSpec::new(&format!("list{index}")).title(&format!("List {index}"));
        builder = builder.task_list(list.generated(share(options.tasks, options.task_lists, index)));
    }
    if let Some(units) = options.gmail_quota {
        builder = builder.gmail_quota(units);
    }
    builder.start().await
}

/// How many of `all` fall to one of so many.
const fn share(all: u64, among: u64, index: u64) -> u64 {
    all / among + (index < all % among) as u64
}

async fn slack(options: &Options, port: u16) -> FakeSlack {
    let mut builder = FakeSlack::builder()
        .port(port)
        .seed(options.seed)
        .user(&options.user)
        .interactive(options.interactive)
        .generated_channels(options.slack_channels, options.slack_messages);
    if let Some(cap) = options.page_cap {
        builder = builder.page_cap(cap);
    }
    if let Some(token) = &options.open_token {
        builder = builder.open_token(token);
    }
    if let Some(token) = &options.open_refresh_token {
        builder = builder.open_refresh_token(token);
    }
    builder = match options.slack_tiers {
        None => builder,
        Some(SlackTiers::Standard) => builder.enforce_tiers(Tiers::Standard),
        Some(SlackTiers::Restricted) => builder.enforce_tiers(Tiers::Restricted),
    };
    builder.start().await
}

/// Starts the fake Microsoft Graph and says that it is ready.
async fn graph(options: &Options, port: u16) -> FakeGraph {
    let calendar = msgraph::CalendarSpec::new("Calendar").time_zone("W. Europe Standard Time");
    let mut builder = FakeGraph::builder()
        .port(port)
        .seed(options.seed)
        .user(&options.user)
        .interactive(options.interactive)
        .calendar(calendar.generated(options.events))
        .folder(FolderSpec::well_known("inbox").generated(options.messages));
    if let Some(cap) = options.page_cap {
        builder = builder.page_cap(cap);
    }
    if let Some(token) = &options.open_token {
        builder = builder.open_token(token);
    }
    if let Some(token) = &options.open_refresh_token {
        builder = builder.open_refresh_token(token);
    }
    let fake = builder.start().await;
    let ready = json!({
        "service": "msgraph",
        "url": fake.url(),
        "client_id": fake.client_id(),
        "client_secret": fake.client_secret(),
        "user": fake.user(),
    });
    println!("{ready}");
    fake
}

async fn github(options: &Options, port: u16) -> FakeGitHub {
    let mut builder = FakeGitHub::builder()
        .port(port)
        .seed(options.seed)
        .user(&options.user)
        .interactive(options.interactive)
        .with_lasting_tokens()
        .rate_limit(options.github_rate_limit)
        .generated_repositories(options.github_repositories, options.github_issues);
    if let Some(cap) = options.page_cap {
        builder = builder.page_cap(cap);
    }
    if let Some(token) = &options.open_token {
        builder = builder.open_token(token);
    }
    builder.start().await
}

/// Starts the fake Zoom and says that it is ready.
async fn zoom(options: &Options, port: u16) -> FakeZoom {
    let mut builder = FakeZoom::builder()
        .port(port)
        .seed(options.seed)
        .user(&options.user)
        .interactive(options.interactive)
        .generated_meetings(options.zoom_meetings);
    if let Some(cap) = options.page_cap {
        builder = builder.page_cap(cap);
    }
    if let Some(token) = &options.open_token {
        builder = builder.open_token(token);
    }
    if let Some(token) = &options.open_refresh_token {
        builder = builder.open_refresh_token(token);
    }
    let fake = builder.start().await;
    let ready = json!({
        "service": "zoom",
        "url": fake.url(),
        "client_id": fake.client_id(),
        "client_secret": fake.client_secret(),
        "user": fake.user(),
        "account_id": fake.account_id(),
    });
    println!("{ready}");
    fake
}

async fn oauth(options: &Options, dialect: Dialect, port: u16) -> FakeOAuth {
    let mut builder = FakeOAuth::builder(dialect)
        .port(port)
        .seed(options.seed)
        .account(AccountSpec::new(&options.user).name("Ada Lovelace"));
    if let Some(second) = &options.second_user {
        builder = builder.account(second.as_str());
    }
    if options.interactive {
        builder = builder.with_consent_page();
    }
    builder.start().await
}

/// Reads on a thread of its own: a read that blocks must not hold up the runtime's end.
async fn stdin_closed() {
    let (closed, wait) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = [0; 1_024];
        while std::io::stdin().read(&mut rest).is_ok_and(|read| read > 0) {}
        closed.send(())
    });
    // An error means that the thread is gone, and standard input with it.
    let _ = wait.await;
}

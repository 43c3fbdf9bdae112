//! What does the program that one starts do, and what do those that work?

use std::error::Error;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::{Clock, SystemClock};
use integrations_core::queue::{JobQueue, WorkerPool};
use integrations_core::schedule::{Cadence, Scheduler};
use integrations_core::{Gateway, Result};
use integrations_google::calendar::SERVICE;
use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use crate::Options;
use crate::backends::Backends;
use crate::provider::{Application, VARIABLE};
use crate::view::View;

const CALENDARS: [&str; 3] = ["ada@example.com", "team@example.com", "holidays@example.com"];

/// Everybody's calendars are read every five seconds; in earnest, every five minutes do.
fn scheduler(gateway: Gateway, queue: &Arc<dyn JobQueue>) -> Scheduler {
    let often = Cadence::every(Duration::from_secs(5)).at_least_every(Duration::from_secs(20));
    Scheduler::builder(gateway, Arc::clone(queue)).cadence(often).build()
}

/// Works until standard input ends, then comes to an end in good order.
pub(crate) async fn work(backends: &Backends, name: &str) -> Result<(), Box<dyn Error>> {
    let application: Application = serde_json::from_str(&std::env::var(VARIABLE)?)?;
    let scheduler = scheduler(application.gateway(backends)?, &backends.queue);
    scheduler.begin().await?;
    let pool =
        WorkerPool::builder(Arc::clone(&backends.queue)).name(name).handlers(scheduler.handlers()).build()?;
    let report = pool
        .run(async {
            let mut nothing = Vec::new();
            let _ = tokio::io::stdin().read_to_end(&mut nothing).await;
        })
        .await;
    eprintln!("{name}: {} jobs done, {} handed back", report.done, report.released);
    Ok(())
}

/// Connects users, has others work, and shows what goes on.
pub(crate) async fn watch(
    backends: &Backends,
    options: &Options,
    limit: Duration,
) -> Result<(), Box<dyn Error>> {
    let clock = SystemClock::new();
    let fake = CALENDARS
        .into_iter()
        .fold(FakeGoogle::builder(), |fake, calendar| fake.calendar(CalendarSpec::new(calendar)))
        .start()
        .await;
    let application = Application {
        url: fake.url().to_owned(),
        client_id: fake.client_id().to_owned(),
        client_secret: fake.client_secret().to_owned(),
        key: key(&*backends.values).await?,
    };
    let gateway = application.gateway(backends)?;
    let scheduler = scheduler(gateway.clone(), &backends.queue);
    for user in 0..options.users {
        let begun = gateway
            .connect(format!("user-{user:02}"), SERVICE)
            .redirect_uri("http://127.0.0.1:9/callback")
            .begin()
            .await?;
        let connection =
            gateway.complete(format!("user-{user:02}"), &fake.consent(begun.url.as_str()).await?).await?;
        scheduler.start(&connection.id).await?;
    }
    let mut workers = Workers::start(options, &application)?;
    let mut view = View::new(options.users, options.processes);
    let began = clock.monotonic();
    let mut seconds = 0;
    while limit.is_zero() || clock.monotonic() - began < limit {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => break,
            () = clock.sleep(Duration::from_secs(1)) => {}
        }
        something_happens(&fake, seconds, clock.now());
        seconds += 1;
        view.show(&*backends.queue, clock.now()).await?;
        workers.check()?;
    }
    workers.stop().await?;
    view.end(&*backends.queue).await?;
    Ok(())
}

/// The key that seals the tokens: made once, and kept beside them, so that the program can be started again. In earnest it
/// comes from where secrets rest, and never lies beside what it seals.
async fn key(values: &dyn KeyValueStore) -> Result<String, Box<dyn Error>> {
    const NAME: &str = "worker/key";
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    values
        .put_if_absent(NAME, STANDARD.encode(bytes).as_bytes(), Duration::from_secs(10 * 365 * 24 * 60 * 60))
        .await?;
    Ok(String::from_utf8(values.get(NAME).await?.unwrap_or_default())?)
}

/// At the provider, somebody adds an event each second.
fn something_happens(fake: &FakeGoogle, number: usize, now: chrono::DateTime<chrono::Utc>) {
    let at = |hours| json!({ "dateTime": (now + chrono::TimeDelta::hours(hours)).to_rfc3339() });
    let event = json!({ "summary": format!("Meeting {number}"), "start": at(1), "end": at(2) });
    fake.insert_event(CALENDARS[number % CALENDARS.len()], event);
}

/// The processes that work.
struct Workers(Vec<(String, Child)>);

impl Workers {
    fn start(options: &Options, application: &Application) -> Result<Self, Box<dyn Error>> {
        let program = std::env::current_exe()?;
        let application = serde_json::to_string(application)?;
        let start = |number| {
            let name = format!("worker-{number}");
            let mut command = Command::new(&program);
            command.args(["--work-as", &name]).arg("--dir").arg(&options.dir);
            command.args(["--store", value(&options.store).as_str()]);
            if let Some(queue) = &options.queue {
                command.args(["--queue", value(queue).as_str()]);
            }
            command.env(VARIABLE, &application).stdin(Stdio::piped()).kill_on_drop(true);
            Ok::<_, io::Error>((name, command.spawn()?))
        };
        Ok(Self((1..=options.processes).map(start).collect::<Result<_, _>>()?))
    }

    fn check(&mut self) -> Result<(), Box<dyn Error>> {
        for (name, child) in &mut self.0 {
            if let Some(status) = child.try_wait()? {
                return Err(format!("{name} has ended: {status}").into());
            }
        }
        Ok(())
    }

    /// Closes their standard input, and waits until they have come to their end.
    async fn stop(self) -> Result<(), Box<dyn Error>> {
        let mut children = self.0;
        for (_, child) in &mut children {
            drop(child.stdin.take());
        }
        for (_, mut child) in children {
            child.wait().await?;
        }
        Ok(())
    }
}

fn value(choice: &impl clap::ValueEnum) -> String {
    choice.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

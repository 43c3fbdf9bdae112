//! A workspace of a thousand channels under Slack's real limits: how much of what is allowed is used?
//!
//! Real HTTP, the real governor, and a fake that counts the calls of a minute as Slack does. The time is made up: as
//! soon as nobody has anything to do but wait, the clock jumps to the next who wakes.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::auth::Vault;
use integrations_core::clock::Clock;
use integrations_core::http::reqwest::ReqwestTransport;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::sync::{StreamKey, SyncReport};
use integrations_core::{Connection, Gateway, Result};
use integrations_slack::{History, Slack, SlackConfig};
use integrations_testkit::slack::{FakeSlack, Tiers};

use crate::host::{HISTORY, REDIRECT, REPLIES};

/// A clock that jumps.
#[derive(Clone)]
struct JumpClock(Arc<Mutex<Time>>);

struct Time {
    now: Duration,
    count: u64,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl JumpClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Time {
            now: Duration::from_secs(1_000),
            count: 0,
            sleepers: BTreeMap::new(),
        })))
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap()
    }

    /// Jumps to the first who wakes.
    fn jump(&self) {
        let mut time = self.time();
        let (&(due, _), _) = time.sleepers.first_key_value().unwrap();
        time.now = time.now.max(due);
        while let Some(entry) = time.sleepers.first_entry().filter(|entry| entry.key().0 <= due) {
            let waker = entry.remove();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

impl fmt::Debug for JumpClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JumpClock")
    }
}

#[async_trait]
impl Clock for JumpClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(20_500) + TimeDelta::from_std(self.monotonic()).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.time().now
    }

    async fn sleep(&self, duration: Duration) {
        let key = {
            let mut time = self.time();
            time.count += 1;
            (time.now + duration, time.count)
        };
        let sleeper = Sleeper { clock: self, key };
        poll_fn(|context| {
            let mut time = sleeper.clock.time();
            if time.now >= key.0 {
                return Poll::Ready(());
            }
            time.sleepers.insert(key, Some(context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// Leaves nothing behind when a sleep is given up.
struct Sleeper<'a> {
    clock: &'a JumpClock,
    key: (Duration, u64),
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        self.clock.time().sleepers.remove(&self.key);
    }
}

/// Knows how many calls are under way.
#[derive(Debug)]
struct Watched {
    http: ReqwestTransport,
    under_way: Arc<AtomicUsize>,
}

#[async_trait]
impl Transport for Watched {
    async fn send(&self, request: Request) -> Result<Response> {
        self.under_way.fetch_add(1, Relaxed);
        let answer = self.http.send(request).await;
        self.under_way.fetch_sub(1, Relaxed);
        answer
    }
}

struct World {
    clock: JumpClock,
    under_way: Arc<AtomicUsize>,
    fake: FakeSlack,
    store: MemoryStore,
    gateway: Gateway,
}

impl World {
    async fn new(channels: u64, messages: u64, history: History) -> Self {
        let clock = JumpClock::new();
        let tiers = match history {
            History::Marketplace => Tiers::Standard,
            History::Restricted => Tiers::Restricted,
        };
        let fake = FakeSlack::builder()
            .clock(Arc::new(clock.clone()))
            .generated_channels(channels, messages)
            .enforce_tiers(tiers)
            .start()
            .await;
        let under_way = Arc::new(AtomicUsize::new(0));
        let http =
            Watched { http: ReqwestTransport::new("tests").unwrap(), under_way: Arc::clone(&under_way) };
        let store = MemoryStore::with_clock(Arc::new(clock.clone()));
        let config =
            SlackConfig::builder().client(fake.client_id(), fake.client_secret()).base_url(fake.url());
        let gateway = Gateway::builder()
            .adapter(Slack::new(config.history(history).build().unwrap()).unwrap())
            .store(store.clone())
            .vault(Vault::ephemeral().unwrap())
            .transport(Arc::new(http))
            .clock(Arc::new(clock.clone()))
            .build()
            .unwrap();
        Self { clock, under_way, fake, store, gateway }
    }

    /// Runs a future; when it waits for nothing but the time, the clock jumps.
    async fn run<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let mut idle = 0;
        loop {
            let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            if let Poll::Ready(done) = step {
                return done;
            }
            tokio::task::yield_now().await;
            idle = if self.under_way.load(Relaxed) == 0 { idle + 1 } else { 0 };
            if idle > 8 {
                self.clock.jump();
                idle = 0;
            }
        }
    }

    async fn connect(&self) -> Connection {
        self.run(async {
            let connect = self.gateway.connect("ada", "slack").redirect_uri(REDIRECT);
            let begun = connect.begin().await.unwrap();
            let callback = self.fake.consent(begun.url.as_str()).await.unwrap();
            self.gateway.complete("ada", &callback).await.unwrap()
        })
        .await
    }

    /// Brings everything up to date, and prints what that has cost.
    async fn sync(&self, connection: &Connection, what: &str) -> Figures {
        self.fake.reset_counters();
        let begun = self.clock.monotonic();
        let report: SyncReport = self.run(self.gateway.sync(&connection.id)).await.unwrap();
        let report = report.into_result().unwrap();
        let minutes = (self.clock.monotonic() - begun).as_secs_f64() / 60.0;
        let figures = Figures {
            history: self.fake.answered(HISTORY),
            replies: self.fake.answered(REPLIES),
            refused: ["users.list", "users.conversations", HISTORY, REPLIES]
                .iter()
                .map(|operation| self.fake.rate_limited(operation))
                .sum(),
            upserted: report.total().upserted,
            minutes,
        };
        println!(
            "{what}: {} records in {minutes:.1} minutes; {} calls of history and {} of replies, which is {:.1} a minute of the \
             one that is the bottleneck; {} answered 429",
            figures.upserted,
            figures.history,
            figures.replies,
            figures.rate(),
            figures.refused,
        );
        figures
    }
}

#[derive(Debug)]
struct Figures {
    history: u64,
    replies: u64,
    refused: u64,
    upserted: u64,
    minutes: f64,
}

impl Figures {
    /// Calls a minute of the method that holds up the others.
    #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
    fn rate(&self) -> f64 {
        self.history.max(self.replies) as f64 / self.minutes
    }
}

#[tokio::test]
async fn a_hundred_channels_are_read_at_the_pace_that_slack_allows() {
    at_the_pace_that_slack_allows(100).await;
}

#[tokio::test]
#[ignore = "takes half a minute in a debug build; run it in release"]
async fn a_thousand_channels_are_read_at_the_pace_that_slack_allows() {
    at_the_pace_that_slack_allows(1_000).await;
}

/// With a hundred messages in each, beside the replies.
async fn at_the_pace_that_slack_allows(channels: u64) {
    let world = World::new(channels, 100, History::Marketplace).await;
    let connection = world.connect().await;
    let first = world.sync(&connection, "listing").await;
    let others = world.fake.user_ids().len() as u64 + channels;
    let mut all = 0;
    for channel in world.fake.channel_ids() {
        let stored = world.store.records(&StreamKey::new(&connection, &channel.as_str().into())).len() as u64;
        assert_eq!(stored, world.fake.message_count(&channel), "{channel}");
        all += stored;
    }
    // What was broadcast comes with the history and with its thread.
    let twice = first.upserted - all - others;
    println!("{all} messages, {twice} of them twice");
    assert!(all > channels * 100 && twice * 100 < all);
    assert!(first.rate() >= 45.0 && first.refused < 5, "{first:?}");

    // And again, with nothing new: a call for each channel that is not archived, and the threads of late.
    let second = world.sync(&connection, "nothing new").await;
    assert_eq!(second.upserted, others, "people and conversations are listed anew");
    assert!(second.history <= channels && second.replies < channels, "{second:?}");
    assert!(second.rate() >= 45.0 && second.refused < 5, "{second:?}");
}

#[tokio::test]
async fn where_reading_is_restricted_once_a_minute_is_kept_to() {
    let world = World::new(10, 20, History::Restricted).await;
    let connection = world.connect().await;
    let first = world.sync(&connection, "listing, restricted").await;
    // 15 and 5 messages, and the threads.
    assert_eq!(first.history, 20);
    assert!(first.rate() >= 0.9 && first.refused < 5, "{first:?}");
    let second = world.sync(&connection, "nothing new, restricted").await;
    assert!(second.history <= 10 && second.rate() >= 0.9 && second.refused < 5, "{second:?}");
}

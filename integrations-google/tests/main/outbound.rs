//! The one way out: retries, waits, circuits, quotas and kept answers, with a provider that is scripted
//! and a clock that moves only while somebody waits.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::poll_fn;
use futures_util::stream::FuturesUnordered;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use integrations_core::auth::AccessToken;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::{Clock, ManualClock};
use integrations_core::http::{CacheMode, Pipeline, PipelineParts, Request, Response, Session, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::resilience::{Governor, Limits, Quota, RateLimiter, Scope, Unlimited};
use integrations_core::{Error, ErrorKind, Result};
use integrations_google::{GoogleCalendar, GoogleConfig};
use integrations_stores::SqliteStore;
use url::Url;

const URL: &str = "https://www.googleapis.com/calendar/v3/users/me/calendarList";

type Script = dyn FnMut(usize, &Request) -> Result<Response> + Send;

/// Answers as it is told, and writes down when it was asked.
struct Scripted {
    clock: ManualClock,
    script: Mutex<Box<Script>>,
    asked: Mutex<Vec<Duration>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: Request) -> Result<Response> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(self.clock.monotonic());
            asked.len() - 1
        };
        (self.script.lock().unwrap())(number, &request)
    }
}

struct World {
    clock: ManualClock,
    provider: Arc<Scripted>,
    session: Session,
}

fn answer(status: u16, headers: &[(header::HeaderName, &str)]) -> Response {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
    Response::new(StatusCode::from_u16(status).unwrap(), headers, "{}")
}

fn session(
    http: Arc<Scripted>,
    values: Arc<dyn KeyValueStore>,
    limiter: Arc<dyn RateLimiter>,
    id: &str,
) -> Session {
    let config = GoogleConfig::builder().client("id", "secret").build().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(http.clock.clone());
    let parts = PipelineParts::new(http, clock, values, limiter);
    let token = AccessToken::new("ya29.token").unwrap();
    let pipeline = Arc::new(Pipeline::new(parts, 7));
    Session::with_token(GoogleCalendar::new(config), pipeline, id.into(), token)
}

fn world(script: impl FnMut(usize, &Request) -> Result<Response> + Send + 'static) -> World {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let provider = Arc::new(Scripted {
        clock: clock.clone(),
        script: Mutex::new(Box::new(script)),
        asked: Mutex::default(),
    });
    let values = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let session = session(Arc::clone(&provider), values, Arc::new(Unlimited), "cn_1");
    World { clock, provider, session }
}

impl World {
    fn asked(&self) -> Vec<Duration> {
        self.provider.asked.lock().unwrap().clone()
    }
}

/// Runs a future; whenever it waits, the clock goes on a little.
async fn drive<T>(clock: &ManualClock, future: impl Future<Output = T>) -> T {
    // Whoever is ready goes on before the clock does, however many they are.
    let mut future = pin!(tokio::task::unconstrained(future));
    loop {
        let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        match step {
            Poll::Ready(done) => return done,
            Poll::Pending => {
                clock.advance(Duration::from_millis(50));
                tokio::task::yield_now().await;
            }
        }
    }
}

fn get() -> Request {
    Request::get("calendarList.list", Url::parse(URL).unwrap())
}

fn post() -> Request {
    Request::new("events.insert", Method::POST, Url::parse(URL).unwrap())
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_and_the_providers_word_is_kept() {
    let world = world(|number, _| {
        Ok(match number {
            0 => answer(503, &[]),
            1 => answer(429, &[(header::RETRY_AFTER, "7")]),
            2 => answer(503, &[(header::RETRY_AFTER, "Mon, 02 Mar 2026 09:01:00 GMT")]),
            _ => answer(200, &[]),
        })
    });
    drive(&world.clock, world.session.send(get())).await.unwrap();
    let asked = world.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked[2] - asked[1] >= Duration::from_secs(7), "{asked:?}");
    assert!(asked[3] - asked[0] >= Duration::from_secs(60), "{asked:?}");
}

#[tokio::test]
async fn what_may_have_been_processed_is_not_sent_twice() {
    for (first, sent) in [
        (500, 1),
        (503, 1),
        // Refused for its rate: it was not processed.
        (429, 2),
    ] {
        let world = world(move |number, _| Ok(answer(if number == 0 { first } else { 200 }, &[])));
        let _ = drive(&world.clock, world.session.send(post())).await;
        assert_eq!(world.asked().len(), sent, "{first}");
    }
    let broken = world(|number, _| match number {
        0 => Err(Error::new(ErrorKind::Network, "the connection broke")),
        _ => Ok(answer(200, &[])),
    });
    assert_eq!(
        drive(&broken.clock, broken.session.send(post())).await.unwrap_err().kind(),
        ErrorKind::Network
    );
    let unsent = world(|number, _| match number {
        0 => Err(Error::new(ErrorKind::Network, "no connection")
            .with_code("not_connected")
            .with_not_processed()),
        _ => Ok(answer(200, &[])),
    });
    drive(&unsent.clock, unsent.session.send(post())).await.unwrap();
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let world = world(|_, _| Ok(answer(503, &[(header::RETRY_AFTER, "20")])));
    let request = get().with_deadline(Duration::from_secs(30));
    let before = world.clock.monotonic();
    let error = drive(&world.clock, world.session.send(request)).await.unwrap_err();
    assert!(world.clock.monotonic() - before <= Duration::from_secs(31), "{error}");
    assert_eq!(error.service().unwrap().as_str(), "google_calendar");
}

#[tokio::test]
async fn a_call_waits_before_it_is_sent_as_it_is_told_and_not_beyond_its_deadline() {
    let world = world(|_, _| Ok(answer(200, &[])));
    let before = world.clock.monotonic();
    drive(&world.clock, world.session.send(get().with_wait(Duration::from_secs(9)))).await.unwrap();
    let waited = world.asked()[0] - before;
    assert!((Duration::from_secs(9)..Duration::from_secs(10)).contains(&waited), "{waited:?}");

    let request = get().with_wait(Duration::from_secs(90)).with_deadline(Duration::from_secs(30));
    let error = drive(&world.clock, world.session.send(request)).await.unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Timeout, Some("deadline")));
    assert_eq!(world.asked().len(), 1);
}

/// A provider that fails for ten minutes gets no more than the budget's extra calls; when it works again,
/// traffic is back within one half-open period.
#[tokio::test]
async fn ten_bad_minutes_cost_the_provider_no_more_than_the_budget() {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let start = clock.monotonic();
    let bad = Duration::from_secs(600);
    let provider = Arc::new(Scripted {
        clock: clock.clone(),
        script: Mutex::new(Box::new({
            let clock = clock.clone();
            move |_, _| Ok(answer(if clock.monotonic() - start < bad { 500 } else { 200 }, &[]))
        })),
        asked: Mutex::default(),
    });
    let values = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let session = session(Arc::clone(&provider), values, Arc::new(Unlimited), "cn_1");
    let mut calls = 0_usize;
    let mut recovered = None;
    let mut under_way = FuturesUnordered::new();
    // Five calls a second, whatever becomes of them.
    while clock.monotonic() - start < bad + Duration::from_secs(120) {
        for _ in 0..5 {
            calls += usize::from(clock.monotonic() - start < bad);
            under_way.push(session.send(get()));
        }
        for _ in 0..20 {
            poll_fn(|context| {
                while let Poll::Ready(Some(outcome)) = under_way.poll_next_unpin(context) {
                    if outcome.is_ok() && recovered.is_none() {
                        recovered = Some(clock.monotonic() - start - bad);
                    }
                }
                Poll::Ready(())
            })
            .await;
            clock.advance(Duration::from_millis(50));
        }
    }
    let asked = provider.asked.lock().unwrap().iter().filter(|at| **at - start < bad).count();
    let extra = asked.saturating_sub(calls);
    println!("{calls} calls in ten bad minutes, {asked} reached the provider");
    // A reserve of 10, a token every 30 s, and 15 % of the calls.
    assert!(extra <= 10 + 20 + (calls * 15).div_ceil(100), "{extra} extra of {calls}");
    assert!(asked < calls / 10, "the circuit holds most of them back: {asked} of {calls}");
    assert!(recovered.unwrap() <= Duration::from_secs(61), "{recovered:?}");
}

#[tokio::test]
async fn only_a_refusal_of_the_providers_slows_the_connection_down() {
    let mine = || Error::from(ErrorKind::RateLimited).with_code("queue_full").with_not_processed();
    for theirs in [false, true] {
        let clock = ManualClock::at("2026-03-02T09:00:00Z");
        let script = move |number: usize, _: &Request| match number {
            0 if theirs => Ok(answer(429, &[])),
            0 => Err(mine()),
            _ => Ok(answer(200, &[])),
        };
        let provider = Arc::new(Scripted {
            clock: clock.clone(),
            script: Mutex::new(Box::new(script)),
            asked: Mutex::default(),
        });
        let values = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let governor = Governor::builder().service("google_calendar", Limits::UNKNOWN).build();
        let session = session(Arc::clone(&provider), values, Arc::new(governor), "cn_1");
        drive(&clock, session.send(get())).await.unwrap();
        let asked = provider.asked.lock().unwrap().clone();
        // Without a time in the answer, the governor's own fallback is a minute; a retry waits for 2 s.
        let minute = asked[1] - asked[0] >= Duration::from_secs(60);
        assert_eq!(minute, theirs, "{asked:?}");
    }
}

/// Takes so many calls at once for 100 ms each, and refuses those beyond.
#[derive(Debug)]
struct Narrow {
    clock: ManualClock,
    bears: usize,
    under_way: AtomicUsize,
    refused: AtomicUsize,
}

#[async_trait]
impl Transport for Narrow {
    async fn send(&self, _: Request) -> Result<Response> {
        let fits = self.under_way.fetch_add(1, Relaxed) < self.bears;
        self.clock.sleep(Duration::from_millis(100)).await;
        self.under_way.fetch_sub(1, Relaxed);
        if fits {
            return Ok(answer(200, &[]));
        }
        self.refused.fetch_add(1, Relaxed);
        Ok(answer(429, &[(header::RETRY_AFTER, "1")]))
    }
}

#[tokio::test]
async fn a_provider_that_bears_fewer_at_once_than_the_limit_is_not_run_against_for_ever() {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let (under_way, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let provider = Arc::new(Narrow { clock: clock.clone(), bears: 2, under_way, refused });
    let values = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let time: Arc<dyn Clock> = Arc::new(clock.clone());
    let transport = Arc::clone(&provider) as Arc<dyn Transport>;
    let parts = PipelineParts::new(transport, time, values, Arc::new(Unlimited));
    let config = GoogleConfig::builder().client("id", "secret").build().unwrap();
    let token = AccessToken::new("ya29.token").unwrap();
    let pipeline = Arc::new(Pipeline::new(parts, 7));
    let session = Session::with_token(GoogleCalendar::new(config), pipeline, "cn_1".into(), token);
    let calls = futures_util::stream::iter(0..3_000)
        .map(|_| session.send(get()))
        .buffer_unordered(8)
        .for_each(|outcome| async move { drop(outcome.unwrap()) });
    drive(&clock, calls).await;
    // Two of the first four, and one whenever a third is tried, which is after each long run of successes.
    // How long that takes depends on who comes first.
    let refused = provider.refused.load(Relaxed);
    assert!((2..=12).contains(&refused), "{refused} of 3,000 refused");
}

/// Two pipelines on one store stand for two processes.
async fn a_429_holds_the_other_back(clock: ManualClock, values: Arc<dyn KeyValueStore>) {
    const LIMITS: Limits = Limits::new(&[Quota::new(Scope::Connection, 600, Duration::from_secs(60))]);
    let provider = Arc::new(Scripted {
        clock: clock.clone(),
        script: Mutex::new(Box::new(|number, _| {
            Ok(if number == 0 { answer(429, &[(header::RETRY_AFTER, "30")]) } else { answer(200, &[]) })
        })),
        asked: Mutex::default(),
    });
    let limiter = || -> Arc<dyn RateLimiter> {
        let governor = Governor::builder().service("google_calendar", LIMITS).shared(Arc::clone(&values));
        Arc::new(governor.build())
    };
    let one = session(Arc::clone(&provider), Arc::clone(&values), limiter(), "cn_1");
    let two = session(Arc::clone(&provider), Arc::clone(&values), limiter(), "cn_1");
    let refused = one.send(get().with_deadline(Duration::from_secs(20)));
    assert_eq!(slowly(&clock, refused).await.unwrap_err().kind(), ErrorKind::RateLimited);
    slowly(&clock, two.send(get())).await.unwrap();
    let asked = provider.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert!(asked[1] - asked[0] >= Duration::from_secs(30), "{asked:?}");
}

/// As [`drive`], where something real (a database) has to be waited for, too.
async fn slowly<T>(clock: &ManualClock, future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        for _ in 0..50 {
            let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            if let Poll::Ready(done) = step {
                return done;
            }
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_429_seen_by_one_process_holds_the_others_back_in_memory() {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    a_429_holds_the_other_back(clock, Arc::new(store)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_429_seen_by_one_process_holds_the_others_back_on_sqlite() {
    let clock = ManualClock::at("2026-03-02T09:00:00Z");
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("host.db");
    let store = SqliteStore::builder().clock(Arc::new(clock.clone())).open(&db).await.unwrap();
    a_429_holds_the_other_back(clock, Arc::new(store)).await;
}

#[tokio::test]
async fn an_answer_that_still_holds_is_not_sent_again_and_never_to_another_connection() {
    let world = world(|_, request| {
        let known = request.headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "\"1\"");
        Ok(if known { answer(304, &[]) } else { answer(200, &[(header::ETAG, "\"1\"")]) })
    });
    let request = || get().with_cache(CacheMode::Revalidate);
    let first = drive(&world.clock, world.session.send(request())).await.unwrap();
    assert!(first.kept.is_none());
    let second = drive(&world.clock, world.session.send(request())).await.unwrap();
    assert_eq!((second.status, &second.body), (StatusCode::OK, &first.body));
    assert!(!second.kept.unwrap().stale);
    assert_eq!(world.asked().len(), 2);

    let fresh = || get().with_cache(CacheMode::Fresh(CacheMode::FRESH));
    drive(&world.clock, world.session.send(fresh())).await.unwrap();
    assert_eq!(world.asked().len(), 2, "an answer of this minute is fresh");

    let values = Arc::new(MemoryStore::with_clock(Arc::new(world.clock.clone())));
    let other = session(Arc::clone(&world.provider), values, Arc::new(Unlimited), "cn_2");
    assert!(drive(&world.clock, other.send(fresh())).await.unwrap().kept.is_none());
}

#[tokio::test]
async fn the_last_good_answer_stands_in_for_a_provider_that_is_down() {
    let world = world(|number, _| {
        Ok(if number == 0 { answer(200, &[(header::ETAG, "\"1\"")]) } else { answer(500, &[]) })
    });
    let request = || get().with_cache(CacheMode::Revalidate);
    drive(&world.clock, world.session.send(request())).await.unwrap();
    assert!(drive(&world.clock, world.session.send(request())).await.is_err());
    let stale = drive(&world.clock, world.session.send(request().with_fallback())).await.unwrap();
    assert!(stale.kept.unwrap().stale);
    assert!(stale.kept.unwrap().at < world.clock.now());
}

/// Whatever is dropped, and whenever: no place, no probe and no quota is lost.
#[tokio::test]
async fn dropped_calls_leak_nothing() {
    let world = world(|number, _| Ok(answer(if number % 3 == 0 { 503 } else { 200 }, &[])));
    let mut lengths = HashSet::new();
    for round in 0..2_000_u32 {
        let polls = (round * 7_919) % 12;
        let mut call = Box::pin(world.session.send(get()));
        for _ in 0..polls {
            let step = poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
            if step.is_ready() {
                break;
            }
            world.clock.advance(Duration::from_millis(u64::from(round % 700)));
            tokio::task::yield_now().await;
        }
        lengths.insert(polls);
    }
    // After the circuit has had its time to close, calls go through as on the first day.
    world.clock.advance(Duration::from_secs(120));
    for _ in 0..20 {
        let _ = drive(&world.clock, world.session.send(get())).await;
        world.clock.advance(Duration::from_secs(5));
    }
    assert_eq!(lengths.len(), 12);
    assert!(drive(&world.clock, world.session.send(get())).await.is_ok());
}

/// SplitMix64, so that a failure can be run again from its seed.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Ten thousand schedules of faults: once a request that is not idempotent may have been processed, it
/// never goes out again; and nobody comes back earlier than the provider asked.
#[tokio::test]
async fn no_schedule_of_faults_sends_twice_what_may_have_been_processed_or_comes_back_too_early() {
    for seed in 0..10_000_u64 {
        let idempotent = seed % 2 == 0;
        // Whether the last answer leaves it open that the request was processed, and the wait it asked for.
        let last = Arc::new(Mutex::new((false, Duration::ZERO)));
        let mut state = seed;
        let world = world({
            let last = Arc::clone(&last);
            move |_, _| {
                let wait = 1 + random(&mut state) % 20;
                let told = wait.to_string();
                let (answer, processed, wait) = match random(&mut state) % 8 {
                    0 => (Ok(answer(500, &[])), true, 0),
                    1 => (Ok(answer(503, &[(header::RETRY_AFTER, &told)])), true, wait),
                    2 | 3 => (Ok(answer(429, &[(header::RETRY_AFTER, &told)])), false, wait),
                    4 => (Err(Error::new(ErrorKind::Network, "the connection broke")), true, 0),
                    5 => (Err(Error::new(ErrorKind::Timeout, "no answer")), true, 0),
                    6 => {
                        let unsent = Error::new(ErrorKind::Network, "no connection").with_not_processed();
                        (Err(unsent.with_code("not_connected")), false, 0)
                    }
                    _ => (Ok(answer(200, &[])), true, 0),
                };
                let mut last = last.lock().unwrap();
                assert!(idempotent || !last.0, "seed {seed}: sent again after it may have been processed");
                *last = (processed, Duration::from_secs(wait));
                answer
            }
        });
        let request = if idempotent { get() } else { post() };
        let _ = drive_fast(&world.clock, world.session.send(request), &last).await;
        let asked = world.asked();
        assert!(asked.len() <= 4, "seed {seed}: {asked:?}");
    }
}

/// As [`drive`] in larger steps; after each answer that asked for a wait, checks that nothing is sent before
/// it is over.
async fn drive_fast<T>(
    clock: &ManualClock,
    future: impl Future<Output = T>,
    last: &Mutex<(bool, Duration)>,
) -> T {
    // It is polled many times in a row; nothing else waits for this thread.
    let mut future = pin!(tokio::task::unconstrained(future));
    let mut quiet_until = Duration::ZERO;
    loop {
        last.lock().unwrap().1 = Duration::MAX;
        let step = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        let told = last.lock().unwrap().1;
        if told != Duration::MAX {
            assert!(clock.monotonic() >= quiet_until, "sent before the wait was over");
            quiet_until = clock.monotonic() + told;
        }
        if let Poll::Ready(done) = step {
            return done;
        }
        clock.advance(Duration::from_millis(400));
    }
}

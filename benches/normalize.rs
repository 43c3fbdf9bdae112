//! How fast do items become records, next to a plain typed decode of the same bytes?
//!
//! Events come by the page. Ours is the whole way of a page behind the network: the adapter splits the body into items, and the
//! pipeline maps and validates each one, keeps its raw JSON, and would set a bad one aside. Both sides
//! own what they have made, and drop it within the time that is measured. Items of the other kinds come one by
//! one, and ours is the pipeline over them.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use criterion::{Criterion, Throughput};
use integrations_benches::figures::{Spread, count, seconds_each, table};
use integrations_benches::kinds::all as all_kinds;
use integrations_benches::process::{Fakes, TOKEN};
use integrations_benches::{Result, plain};
use integrations_core::adapter::{Pull, PullFrom, ServiceAdapter};
use integrations_core::auth::AccessToken;
use integrations_core::clock::SystemClock;
use integrations_core::connection::StreamId;
use integrations_core::http::{Pipeline, PipelineParts, Request, Response, Session, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::normalize::{Normalized, Stages};
use integrations_core::resilience::Unlimited;
use integrations_core::sync::{StreamKey, Window};
use integrations_google::{GoogleCalendar, GoogleConfig};
use tokio::runtime::{Builder, Runtime};

const PAGE_SIZES: [u32; 2] = [250, 1000];
const ROUNDS: usize = 101;
const ROUND: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("normalize: nothing to test; run it with `cargo bench`");
        return Ok(());
    }
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut pages = Vec::new();
    {
        let fakes = Fakes::start(PAGE_SIZES.into_iter().max().unwrap_or_default().into())?;
        for size in PAGE_SIZES {
            pages.push((size, runtime.block_on(fetch_page(&fakes, size))?));
        }
    }

    let mut criterion = Criterion::default().configure_from_args();
    for (size, body) in &pages {
        let ours = Ours::new(&runtime, body)?;
        check(&ours, body, *size as usize)?;
        let mut group = criterion.benchmark_group(format!("page of {size}"));
        group.throughput(Throughput::Elements(u64::from(*size)));
        group.bench_function("ours", |bencher| bencher.iter(|| ours.page()));
        group.bench_function("plain", |bencher| bencher.iter(|| plain_page(body)));
        group.finish();
    }
    criterion.final_summary();

    let mut rows = vec![["page", "KiB", "ours/s", "plain/s", "ratio"].map(str::to_owned).to_vec()];
    let mut summary = String::new();
    for (size, body) in &pages {
        let ours = Ours::new(&runtime, body)?;
        let (our_seconds, plain_seconds) = race(&ours, body);
        let per_second = |seconds: &[f64]| count(f64::from(*size) / Spread::of(seconds.to_vec()).median);
        let (our_rate, plain_rate) = (per_second(&our_seconds), per_second(&plain_seconds));
        let ratio = Spread::of_ratios(&plain_seconds, &our_seconds);
        summary = format!("normalize: {our_rate} items/s, {plain_rate} items/s plain, ratio {ratio}");
        let kib = (body.len() / 1024).to_string();
        rows.push(vec![size.to_string(), kib, our_rate, plain_rate, ratio.to_string()]);
    }
    println!("\n{}", table(&rows));
    println!("\n{}\n{summary}", table(&kinds(&runtime)?));
    Ok(())
}

/// A row for each kind of item.
fn kinds(runtime: &Runtime) -> Result<Vec<Vec<String>>> {
    let mut rows = vec![["kind", "bytes", "ours/s", "plain/s", "ratio"].map(str::to_owned).to_vec()];
    for kind in runtime.block_on(all_kinds())? {
        let (ours, plain) = turns(|| kind.ours(), || kind.plain());
        let per_second = |seconds: &[f64]| {
            count(
                f64::from(u32::try_from(kind.items.len()).unwrap_or(u32::MAX))
                    / Spread::of(seconds.to_vec()).median,
            )
        };
        let ratio = Spread::of_ratios(&plain, &ours);
        let bytes = kind.bytes().to_string();
        rows.push(vec![
            kind.name.to_owned(),
            bytes,
            per_second(&ours),
            per_second(&plain),
            ratio.to_string(),
        ]);
    }
    Ok(rows)
}

/// Seconds for a page in each round, ours and plain.
fn race(ours: &Ours<'_>, body: &[u8]) -> (Vec<f64>, Vec<f64>) {
    turns(|| ours.page(), || plain_page(body))
}

/// Seconds of each round of both. Who goes first changes from round to round.
fn turns<T, U>(mut ours: impl FnMut() -> T, mut plain: impl FnMut() -> U) -> (Vec<f64>, Vec<f64>) {
    let mut seconds = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            seconds.0.push(seconds_each(ROUND, &mut ours));
        }
        seconds.1.push(seconds_each(ROUND, &mut plain));
        if round % 2 == 1 {
            seconds.0.push(seconds_each(ROUND, &mut ours));
        }
    }
    seconds
}

fn plain_page(body: &[u8]) -> Option<plain::Page> {
    serde_json::from_slice(black_box(body)).ok()
}

/// Both sides read all of the page.
fn check(ours: &Ours<'_>, body: &[u8], size: usize) -> Result<()> {
    let plain: plain::Page = serde_json::from_slice(body)?;
    let page = ours.page()?;
    if page.changes.len() != size || plain.items.len() != size {
        let (ours, set_aside, plain) = (page.changes.len(), page.quarantined.len(), plain.items.len());
        return Err(format!("of {size}, ours reads {ours} and sets {set_aside} aside, plain {plain}").into());
    }
    Ok(())
}

/// The way of a page through adapter and pipeline, with a transport that answers from memory.
struct Ours<'a> {
    runtime: &'a Runtime,
    adapter: Arc<dyn ServiceAdapter>,
    session: Session,
    pipeline: Stages,
    key: StreamKey,
}

impl<'a> Ours<'a> {
    fn new(runtime: &'a Runtime, body: &Bytes) -> Result<Self> {
        let adapter = GoogleCalendar::new(GoogleConfig::builder().client("bench", "bench").build()?);
        let transport =
            Arc::new(Canned(Response::new(http::StatusCode::OK, http::HeaderMap::new(), body.clone())));
        let clock = SystemClock::shared();
        let values = Arc::new(MemoryStore::with_clock(Arc::clone(&clock)));
        let parts = PipelineParts::new(transport, clock, values, Arc::new(Unlimited));
        let pipeline = Arc::new(Pipeline::new(parts, 1));
        let session =
            Session::with_token(Arc::clone(&adapter), pipeline, "cn_1".into(), AccessToken::new(TOKEN)?);
        let pipeline = Stages::new(adapter.normalizer());
        let key = StreamKey {
            owner: "ada".into(),
            service: adapter.info().id.clone(),
            connection: "cn_bench".into(),
            stream: StreamId::from("primary"),
        };
        Ok(Self { runtime, adapter, session, pipeline, key })
    }

    fn page(&self) -> Result<Normalized> {
        let from = PullFrom::Listing { page: None };
        let pull = Pull { stream: &self.key.stream, from, page_size: 2500, window: Window::ALL };
        let page = self.runtime.block_on(self.adapter.sync_data(&self.session, pull))?;
        Ok(self.pipeline.run(&page.items, &self.key, &page.context))
    }
}

/// Answers every request with the same body, which is shared and not copied.
#[derive(Debug)]
struct Canned(Response);

#[async_trait]
impl Transport for Canned {
    async fn send(&self, _: Request) -> integrations_core::Result<Response> {
        Ok(self.0.clone())
    }
}

async fn fetch_page(fakes: &Fakes, size: u32) -> Result<Bytes> {
    let url = format!("{}/calendar/v3/calendars/primary/events?maxResults={size}", fakes.url());
    let answer = reqwest::Client::new().get(url).bearer_auth(TOKEN).send().await?;
    Ok(answer.error_for_status()?.bytes().await?)
}

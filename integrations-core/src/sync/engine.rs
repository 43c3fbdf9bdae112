//! How does a stream get from where it stands to now?
//!
//! One step is: read a page at the [`Position`], normalise it, commit it with the position that follows
//! from it. The engine takes steps until it is tracking with no page left. It keeps nothing between
//! steps that is not in the position, so a run that dies at any point is taken up by the next.
//!
//! While a page is normalised and committed, the next one is on its way: reading ahead changes nothing
//! at the provider, and nothing here until its own commit.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{OptionFuture, join};

use super::position::{Leftover, Position};
use super::report::StreamReport;
use super::sink::{Commit, Fence, StreamKey, Sweep, SyncSink, Unseen};
use super::window::Window;
use crate::adapter::{Deletions, Next, Page, Pull, PullFrom, ServiceAdapter, Stream};
use crate::connection::StreamId;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Session;
use crate::model::Change;
use crate::normalize::{Normalized, Stages};
use crate::observe::{Notice, Observer};

/// How streams are read; the defaults suit most hosts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SyncSettings {
    /// Items per page of a listing; 1000 by default. The provider's own limit wins.
    pub listing_page: u32,
    /// Items per page of changes; 500 by default. The provider's own limit wins.
    pub changes_page: u32,
    /// How many pages a run may read; 1,000,000 by default. A provider that names a next page for ever
    /// is stopped there, and the next run goes on.
    pub max_pages: u64,
    /// The share of a stream's records that a complete listing may not have seen and still be believed;
    /// 0.5 by default. Fewer than [`Self::believable`] are always believed.
    pub max_shrink: f64,
    /// How many unseen records are believed whatever their share, as long as the listing has seen any;
    /// 10 by default.
    pub believable: u64,
    /// How long after its last full listing a stream is listed again, at services that do not name
    /// [everything that is deleted](crate::adapter::Deletions): what is gone by then is found, under the same
    /// conditions as by any full listing. Never by default: what that costs is for the host to weigh. A stream
    /// that is [frozen](crate::adapter::Stream::frozen) is not listed for it.
    pub relist_after: Option<Duration>,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self {
            listing_page: 1000,
            changes_page: 500,
            max_pages: 1_000_000,
            max_shrink: 0.5,
            believable: 10,
            relist_after: None,
        }
    }
}

/// Whether to go on from where the stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncMode {
    /// Goes on: lists a new stream, and reads the changes of one that has been listed.
    #[default]
    Incremental,
    /// Lists everything again, and deletes what is not there any more.
    Full,
}

/// What a run should do.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SyncRequest {
    /// Whether to go on from where the stream stands.
    pub mode: SyncMode,
    /// Believes listings however short they are, also the last one, if its deletions were withheld.
    pub accept_shrink: bool,
    /// Who runs; by default the fence that the stream already has.
    pub fence: Option<Fence>,
    /// What a listing reads; by default all there is, or what the stream was listed with before. A wider window
    /// than that lists the stream again; a narrower one counts from the next full listing on.
    pub window: Option<Window>,
    /// How many streams of a connection are read at once; by default 4, as many as a connection has places
    /// in its service's [bulkhead](crate::resilience::BulkheadLimits).
    pub parallel: Option<NonZeroUsize>,
    /// As [`SyncSettings::relist_after`], for this run; by default what the settings say.
    pub relist_after: Option<Duration>,
}

impl SyncRequest {
    /// Goes on from where the streams stand.
    pub fn incremental() -> Self {
        Self::default()
    }

    /// Lists everything again.
    pub fn full() -> Self {
        Self { mode: SyncMode::Full, ..Self::default() }
    }

    /// Believes listings however short they are.
    pub fn accept_shrink(mut self) -> Self {
        self.accept_shrink = true;
        self
    }

    /// Reads what is in a window; see [`window`](Self::window).
    pub fn within(mut self, window: Window) -> Self {
        self.window = Some(window);
        self
    }

    /// Reads so many streams of a connection at once; at least 1.
    pub fn parallel(mut self, streams: usize) -> Self {
        self.parallel = Some(NonZeroUsize::new(streams).unwrap_or(NonZeroUsize::MIN));
        self
    }

    /// Lists a stream again that was last listed so long ago; see [`SyncSettings::relist_after`].
    pub fn relist_after(mut self, interval: Duration) -> Self {
        self.relist_after = Some(interval);
        self
    }

    /// Runs under a fence, e.g. that of a job's lease.
    pub fn with_fence(mut self, fence: Fence) -> Self {
        self.fence = Some(fence);
        self
    }
}

/// Reads streams into a sink.
#[derive(Debug, Clone)]
pub struct SyncEngine {
    sink: Arc<dyn SyncSink>,
    observer: Arc<dyn Observer>,
    settings: SyncSettings,
}

impl SyncEngine {
    /// An engine that writes into a sink.
    pub fn new(sink: Arc<dyn SyncSink>, observer: Arc<dyn Observer>, settings: SyncSettings) -> Self {
        Self { sink, observer, settings }
    }

    /// The same engine, for another ear.
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// Brings one stream up to date.
    ///
    /// # Errors
    /// Those of the provider and of the sink. What was committed before stays, and the next run goes on
    /// from there. [`ErrorKind::Conflict`] when somebody else runs the same stream.
    ///
    /// # Cancel safety
    /// The future may be dropped at any await; a page that was not committed is read again.
    pub async fn run(
        &self,
        adapter: &dyn ServiceAdapter,
        session: &Session,
        stages: &Stages,
        key: &StreamKey,
        stream: &Stream,
        request: SyncRequest,
    ) -> Result<StreamReport> {
        let state = self.sink.load(key).await?;
        let stored = state.position;
        let now = session.now();
        let deletions = adapter.info().capabilities.deletions;
        let due = match request.relist_after.or(self.settings.relist_after) {
            Some(interval) if deletions != Deletions::Named => stored.was_listed_before(interval, now),
            _ => false,
        };
        let position = begin(&stored, request, stream.frozen, due);
        // A stream that is listed for the first time, or always, has not lost its position.
        let phase = match &stored {
            Position::Start | Position::Listed { .. } => stored.phase(),
            _ => position.phase(),
        };
        // What was read before it froze may not have been its end.
        let read_to_its_end = matches!(stored, Position::Listed { .. }) && position == stored;
        let mut run = Run {
            engine: self,
            reader: Reader {
                adapter,
                session,
                stream: &key.stream,
                frozen: stream.frozen,
                settings: &self.settings,
            },
            stages,
            key,
            accept_shrink: request.accept_shrink,
            fence: request.fence.unwrap_or(state.fence),
            revision: state.revision,
            now,
            report: StreamReport { started_in: phase, ..StreamReport::default() },
        };
        if stream.frozen && read_to_its_end {
            // There is nothing more to read; what was withheld may be accepted now.
            run.settle(position).await?;
            return Ok(run.report);
        }
        self.observer.notice(&Notice::StreamStarted { stream: key, title: &stream.title, phase });
        run.catch_up(position).await?;
        self.observer.notice(&Notice::StreamFinished { stream: key, report: &run.report });
        Ok(run.report)
    }
}

/// From where a run goes on; `due` says that it is time for a full listing.
fn begin(stored: &Position, request: SyncRequest, frozen: bool, due: bool) -> Position {
    let (before, asked) = (stored.window(), request.window);
    match (request.mode, stored) {
        (_, Position::Start) => match asked {
            Some(window) if !window.is_all() => stored.anew(window),
            _ => Position::Start,
        },
        (_, Position::Listed { .. }) if !frozen => stored.anew(asked.unwrap_or(before)),
        (SyncMode::Full, Position::Listed { .. } | Position::Tracking { .. }) => {
            stored.anew(asked.unwrap_or(before))
        }
        // More is wanted than was listed.
        (_, position) if asked.is_some_and(|window| !before.covers(&window)) => {
            position.anew(asked.unwrap_or(before))
        }
        (_, Position::Tracking { .. }) if due && !frozen => stored.anew(asked.unwrap_or(before)),
        // A listing that is under way is as full as a new one would be.
        (_, position) => position.clone(),
    }
}

/// Reads pages.
#[derive(Clone, Copy)]
struct Reader<'a> {
    adapter: &'a dyn ServiceAdapter,
    session: &'a Session,
    stream: &'a StreamId,
    frozen: bool,
    settings: &'a SyncSettings,
}

impl Reader<'_> {
    async fn read(self, position: &Position) -> Result<Page> {
        let (from, page_size) = match position {
            Position::Start | Position::Resync { .. } => {
                (PullFrom::Listing { page: None }, self.settings.listing_page)
            }
            Position::Listing { page, .. } => {
                (PullFrom::Listing { page: Some(page) }, self.settings.listing_page)
            }
            Position::Tracking { since, page, .. } => {
                (PullFrom::Changes { since, page: page.as_ref() }, self.settings.changes_page)
            }
            Position::Listed { .. } => (PullFrom::Listing { page: None }, self.settings.listing_page),
        };
        let pull = Pull { stream: self.stream, from, page_size, window: position.window() };
        let mut page = self.adapter.sync_data(self.session, pull).await?;
        // There are no changes to follow in what is frozen.
        if self.frozen && matches!(page.next, Next::Done(_)) {
            page.next = Next::Listed;
        }
        Ok(page)
    }
}

/// One stream, while it is run.
struct Run<'a> {
    engine: &'a SyncEngine,
    reader: Reader<'a>,
    stages: &'a Stages,
    key: &'a StreamKey,
    accept_shrink: bool,
    fence: Fence,
    revision: u64,
    /// When the run began.
    now: DateTime<Utc>,
    report: StreamReport,
}

impl Run<'_> {
    async fn catch_up(&mut self, position: Position) -> Result<()> {
        let mut position = self.settle(position).await?;
        // A provider may forget a position while it is being read. Twice in one run, it is at fault.
        for attempt in 0.. {
            match self.follow(&mut position).await {
                Err(error) if error.kind() == ErrorKind::CursorExpired && attempt < 2 => {
                    position = self.resync(&position).await?;
                }
                outcome => {
                    outcome?;
                    break;
                }
            }
        }
        self.settle(position).await.map(drop)
    }

    /// Takes steps until there is nothing more to read, and leaves the position of the last commit.
    async fn follow(&mut self, position: &mut Position) -> Result<()> {
        let reader = self.reader;
        let mut page = reader.read(position).await?;
        loop {
            let ahead = match position.after(&page.next, 0, self.now) {
                // Nothing more to read: the page is the last one.
                next if next.is_caught_up() => None,
                next if next == *position => {
                    return Err(endless("the provider names a page as its own next page"));
                }
                next => Some(next),
            };
            if ahead.is_some() && self.report.pages + 1 >= self.engine.settings.max_pages {
                self.commit_page(position, page).await?;
                return Err(endless("the run has read as many pages as it may; the next run goes on"));
            }
            // The request for the next page goes out first; its answer arrives while this page is
            // normalised and committed.
            let next = OptionFuture::from(ahead.as_ref().map(|ahead| reader.read(ahead)));
            let (next, committed) = join(next, self.commit_page(position, page)).await;
            committed?;
            match next {
                None => return Ok(()),
                Some(next) => page = next?,
            }
        }
    }

    async fn commit_page(&mut self, position: &mut Position, page: Page) -> Result<()> {
        // What follows keeps this thread busy: let the request that was just made go out first.
        tokio::task::yield_now().await;
        let Normalized { changes: read, quarantined } = self.stages.run(&page.items, self.key, &page.context);
        let unidentified = quarantined.iter().filter(|item| item.id.is_none()).count() as u64;
        let next = position.after(&page.next, unidentified, self.now);
        let is_listing = !matches!(position, Position::Tracking { .. });
        // What the provider does not show any more is not gone.
        let next = if page.partial && is_listing { next.with_leftover(Leftover::None) } else { next };
        // Items are read after it is known what is gone: an item that came back counts.
        let mut changes: Vec<_> = page.deleted.into_iter().map(|id| Change::Delete { id }).collect();
        changes.extend(read);
        let outside = leave_out(&mut changes, &position.window());
        let upserted = changes.iter().filter(|change| matches!(change, Change::Upsert(_))).count() as u64;
        self.report.pages += 1;
        self.report.upserted += upserted;
        self.report.deleted += changes.len() as u64 - upserted - outside;
        self.report.outside += outside;
        self.report.quarantined += quarantined.len() as u64;
        self.commit(Normalized { changes, quarantined }, None, &next).await?;
        *position = next;
        self.engine.observer.notice(&Notice::PageCommitted { stream: self.key, report: &self.report });
        Ok(())
    }

    async fn commit(&mut self, page: Normalized, sweep: Option<Sweep>, position: &Position) -> Result<()> {
        let receipt = self
            .engine
            .sink
            .commit(Commit {
                stream: self.key.clone(),
                fence: self.fence,
                expected_revision: self.revision,
                generation: position.generation(),
                changes: page.changes,
                quarantined: page.quarantined,
                sweep,
                position: position.clone(),
            })
            .await?;
        self.revision = receipt.revision;
        self.report.swept += receipt.swept;
        Ok(())
    }

    /// The provider has forgotten the position. That is stored first, so that a run which dies now is
    /// not taken up where the provider knows nothing.
    async fn resync(&mut self, position: &Position) -> Result<Position> {
        let position = position.anew(position.window());
        self.commit(Normalized::default(), None, &position).await?;
        self.report.resyncs += 1;
        tracing::info!(stream = %self.key.stream, connection = %self.key.connection, "the position was lost; listing again");
        self.engine.observer.notice(&Notice::StreamResync { stream: self.key });
        Ok(position)
    }

    /// After a complete listing: deletes what it has not seen, if it can be believed.
    async fn settle(&mut self, position: Position) -> Result<Position> {
        let (generation, leftover) = (position.generation(), position.leftover());
        if leftover == Leftover::None {
            return Ok(position);
        }
        let count = self.engine.sink.count_unseen(self.key, generation).await?;
        let believed = leftover == Leftover::Pending && self.believes(count);
        if self.accept_shrink || count.unseen == 0 || believed {
            let position = position.with_leftover(Leftover::None);
            self.commit(Normalized::default(), Some(Sweep { before: generation }), &position).await?;
            self.report.withheld = None;
            return Ok(position);
        }
        self.report.withheld = Some(count.into());
        let position = position.with_leftover(Leftover::Withheld);
        if leftover == Leftover::Pending {
            self.commit(Normalized::default(), None, &position).await?;
            let notice = Notice::DeletionsWithheld { stream: self.key, withheld: count.into() };
            self.engine.observer.notice(&notice);
        }
        Ok(position)
    }

    /// Whether a complete listing that has seen so many records is long enough to be true.
    #[allow(clippy::cast_precision_loss, reason = "a share needs no precision")]
    fn believes(&self, Unseen { seen, unseen }: Unseen) -> bool {
        let SyncSettings { max_shrink, believable, .. } = self.engine.settings;
        unseen == 0
            || (seen > 0 && (unseen <= believable || unseen as f64 <= max_shrink * (seen + unseen) as f64))
    }
}

/// What lies outside of the window is not kept; it may have been inside before. Returns how many.
fn leave_out(changes: &mut [Change], window: &Window) -> u64 {
    let mut outside = 0;
    if window.is_all() {
        return outside;
    }
    for change in changes {
        if let Change::Upsert(record) = change
            && !window.contains(&record.entity)
        {
            *change = Change::Delete { id: std::mem::take(&mut record.source.id) };
            outside += 1;
        }
    }
    outside
}

fn endless(message: &'static str) -> Error {
    Error::new(ErrorKind::DataFormat, message).with_code("too_many_pages")
}

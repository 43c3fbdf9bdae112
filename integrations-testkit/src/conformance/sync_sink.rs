//! Does a [`SyncSink`] keep its promises?
//!
//! A sink has no call that reads records back, so the cases look through
//! [`count_unseen`](SyncSink::count_unseen): which records there are shows in how many.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use integrations_core::clock::ManualClock;
use integrations_core::model::Change;
use integrations_core::sync::{
    Commit, Cursor, Fence, Leftover, Position, StreamKey, StreamState, Sweep, SyncSink, Unseen, Window,
};

use super::{at_once, conflict, deletion, exception, ok, quarantined, stream, upsert};

/// Expands to a module `sync_sink` with a test per promise of
/// [`SyncSink`](integrations_core::sync::SyncSink); see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! sync_sink_conformance {
    ($make:ident $(, ignore = $reason:literal)?) => {
        $crate::sync_sink_conformance!(@ store => store, $make $(, ignore = $reason)?);
    };
    ($make:ident, with guard $(, ignore = $reason:literal)?) => {
        $crate::sync_sink_conformance!(@ (store, _guard) => store, $make $(, ignore = $reason)?);
    };
    (@ $pattern:pat => $store:ident, $make:ident $(, ignore = $reason:literal)?) => {
        $crate::__conformance_suite!(sync_sink, $pattern => $store, $make $(, ignore = $reason)?, [
            a_fresh_stream_is_at_the_default_state,
            a_commit_moves_the_position,
            a_commit_without_changes_moves_the_position,
            revisions_count_the_commits,
            a_stale_revision_is_refused_and_nothing_is_applied,
            a_revision_that_is_ahead_is_refused,
            a_stale_fence_is_refused_and_nothing_is_applied,
            the_highest_fence_is_remembered,
            a_record_replaces_the_one_with_its_id,
            the_last_change_of_an_id_wins,
            deleting_what_is_not_there_is_no_error,
            a_deletion_takes_the_exceptions_with_it,
            a_deletion_takes_the_exceptions_before_it_in_the_commit,
            an_exception_after_the_deletion_stays,
            an_exception_that_has_moved_to_another_series_stays,
            an_exception_that_has_moved_to_a_deleted_series_goes_with_it,
            a_record_takes_on_the_generation_that_writes_it,
            a_sweep_deletes_the_generations_before,
            a_sweep_comes_after_the_changes,
            a_sweep_leaves_other_streams_alone,
            a_quarantined_id_counts_as_seen,
            a_quarantined_item_makes_no_record,
            an_item_can_leave_the_quarantine_and_come_back,
            ids_are_told_apart_exactly,
            a_large_commit_is_applied_whole,
            streams_do_not_see_each_other,
            forget_deletes_everything_of_a_connection,
            forget_leaves_other_connections_alone,
            a_forgotten_stream_starts_again,
            the_streams_of_a_connection_are_those_that_had_a_commit,
            forgetting_a_stream_leaves_the_others_alone,
            committing_at_once_has_one_winner,
            streams_commit_at_once_independently,
            a_dropped_commit_is_applied_whole_or_not_at_all,
        ]);
    };
}

/// The sink, as the cases take it.
pub fn shared(sink: impl SyncSink) -> Arc<dyn SyncSink> {
    Arc::new(sink)
}

const RUNNERS: usize = 32;

fn calendar() -> StreamKey {
    stream("cn_1", "primary")
}

fn step(stream: &StreamKey, expected_revision: u64, generation: u64, changes: Vec<Change>) -> Commit {
    Commit {
        stream: stream.clone(),
        fence: Fence::default(),
        expected_revision,
        generation,
        changes,
        quarantined: Vec::new(),
        sweep: None,
        position: Position::Resync { generation, window: Window::ALL },
    }
}

fn upserts(ids: &[&str]) -> Vec<Change> {
    ids.iter().map(|id| upsert(id)).collect()
}

fn upsert_exception(id: &str, series: &str) -> Change {
    Change::Upsert(exception(id, series))
}

/// Commits to the stream as it stands; returns how many records were swept.
async fn apply(sink: &Arc<dyn SyncSink>, mut commit: Commit) -> u64 {
    let state = ok(sink.load(&commit.stream).await);
    commit.expected_revision = state.revision;
    commit.fence = state.fence;
    ok(sink.commit(commit).await).swept
}

async fn unseen(sink: &Arc<dyn SyncSink>, stream: &StreamKey, generation: u64) -> (u64, u64) {
    let Unseen { seen, unseen } = ok(sink.count_unseen(stream, generation).await);
    (seen, unseen)
}

/// How many records there are, whatever their generation.
async fn count(sink: &Arc<dyn SyncSink>, stream: &StreamKey) -> u64 {
    unseen(sink, stream, 1 << 40).await.1
}

/// Nothing has been committed, so nothing is known.
pub async fn a_fresh_stream_is_at_the_default_state(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    assert_eq!(ok(sink.load(&calendar()).await), StreamState::default());
    assert_eq!(ok(sink.count_unseen(&calendar(), 1).await), Unseen::default());
}

/// Each kind of position comes back as it was committed, with the fence and the revision.
pub async fn a_commit_moves_the_position(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let cursor = Cursor::new("CAES\u{e9}\"'%_\\\n0");
    let time = super::samples::time();
    let window = Window::since(time).until(time + chrono::TimeDelta::microseconds(1));
    let positions = [
        Position::Listing { generation: 1, page: cursor.clone(), unidentified: 3, begun: Some(time), window },
        Position::Tracking {
            generation: 1,
            since: cursor.clone(),
            page: Some(Cursor::new("")),
            leftover: Leftover::Withheld,
            begun: Some(time),
            window: Window::ALL,
        },
        Position::Tracking {
            generation: 1,
            since: cursor,
            page: None,
            leftover: Leftover::None,
            begun: None,
            window,
        },
        Position::Listed { generation: 1, leftover: Leftover::Pending, window },
        Position::Resync { generation: 2, window },
        Position::Start,
    ];
    for (revision, position) in positions.into_iter().enumerate() {
        let revision = revision as u64;
        let fence = Fence(7 + revision);
        let commit = Commit { position: position.clone(), fence, ..step(&calendar(), revision, 1, vec![]) };
        assert_eq!(ok(sink.commit(commit).await).revision, revision + 1);
        let state = StreamState { position, revision: revision + 1, fence };
        assert_eq!(ok(sink.load(&calendar()).await), state);
    }
}

/// An empty page is progress, too.
pub async fn a_commit_without_changes_moves_the_position(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    ok(sink.commit(step(&calendar(), 0, 5, vec![])).await);
    let state = ok(sink.load(&calendar()).await);
    assert_eq!(state.position, Position::Resync { generation: 5, window: Window::ALL });
    assert_eq!(count(&sink, &calendar()).await, 0);
}

/// The receipt and `load` agree.
pub async fn revisions_count_the_commits(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for revision in 0..5 {
        let receipt = ok(sink.commit(step(&calendar(), revision, 1, vec![])).await);
        assert_eq!(receipt.revision, revision + 1);
        assert_eq!(ok(sink.load(&calendar()).await).revision, revision + 1);
    }
}

/// A commit that would do everything that a commit can do does none of it.
pub async fn a_stale_revision_is_refused_and_nothing_is_applied(
    sink: Arc<dyn SyncSink>,
    _clock: ManualClock,
) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b"]))).await;
    apply(&sink, step(&calendar(), 0, 1, upserts(&["c"]))).await;
    for stale in [0, 1] {
        refused_without_effect(&sink, stale, Fence(9)).await;
    }
}

/// Nobody can have read it.
pub async fn a_revision_that_is_ahead_is_refused(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    conflict(sink.commit(step(&calendar(), 1, 1, upserts(&["a"]))).await);
    assert_eq!(ok(sink.load(&calendar()).await), StreamState::default());
    assert_eq!(count(&sink, &calendar()).await, 0);
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b", "c"]))).await;
    refused_without_effect(&sink, 2, Fence(9)).await;
}

/// The revision is right, but another runner has taken over.
pub async fn a_stale_fence_is_refused_and_nothing_is_applied(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let first = Commit { fence: Fence(5), ..step(&calendar(), 0, 1, upserts(&["a", "b", "c"])) };
    ok(sink.commit(first).await);
    for stale in [0, 4] {
        refused_without_effect(&sink, 1, Fence(stale)).await;
    }
}

async fn refused_without_effect(sink: &Arc<dyn SyncSink>, expected_revision: u64, fence: Fence) {
    let before = (ok(sink.load(&calendar()).await), unseen(sink, &calendar(), 2).await);
    conflict(
        sink.commit(Commit {
            fence,
            quarantined: vec![quarantined(Some("b")), quarantined(None)],
            sweep: Some(Sweep { before: 2 }),
            ..step(&calendar(), expected_revision, 2, vec![deletion("a"), upsert("new")])
        })
        .await,
    );
    let after = (ok(sink.load(&calendar()).await), unseen(sink, &calendar(), 2).await);
    assert_eq!(after, before);
}

/// The same fence may go on, a higher one takes over, and from then on the lower one is stale.
pub async fn the_highest_fence_is_remembered(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for (revision, fence) in [(0, 3), (1, 3), (2, 8), (3, 8)] {
        ok(sink.commit(Commit { fence: Fence(fence), ..step(&calendar(), revision, 1, vec![]) }).await);
        assert_eq!(ok(sink.load(&calendar()).await).fence, Fence(fence));
    }
    conflict(sink.commit(Commit { fence: Fence(7), ..step(&calendar(), 4, 1, vec![]) }).await);
    assert_eq!(ok(sink.load(&calendar()).await).fence, Fence(8));
}

/// In a later commit, and within one.
pub async fn a_record_replaces_the_one_with_its_id(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b", "a"]))).await;
    assert_eq!(count(&sink, &calendar()).await, 2);
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "c"]))).await;
    assert_eq!(count(&sink, &calendar()).await, 3);
}

/// Of an upsert and a deletion in one commit, the later one counts.
pub async fn the_last_change_of_an_id_wins(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["stored-1", "stored-2"]))).await;
    let changes = vec![
        upsert("new-1"),
        deletion("new-1"),
        deletion("new-2"),
        upsert("new-2"),
        upsert("stored-1"),
        deletion("stored-1"),
        deletion("stored-2"),
        upsert("stored-2"),
        upsert("new-3"),
        deletion("new-3"),
        upsert("new-3"),
        deletion("new-4"),
        upsert("new-4"),
        deletion("new-4"),
    ];
    apply(&sink, step(&calendar(), 0, 2, changes)).await;
    // new-2, new-3 and stored-2, all of which this commit has written.
    assert_eq!(unseen(&sink, &calendar(), 2).await, (3, 0));
}

/// Providers tell of deletions of what was never listed.
pub async fn deleting_what_is_not_there_is_no_error(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("never")])).await;
    apply(&sink, step(&calendar(), 0, 1, vec![upsert("a"), deletion("never"), deletion("never")])).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
}

/// Those of this series, and no others.
pub async fn a_deletion_takes_the_exceptions_with_it(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let changes = vec![
        upsert("series"),
        upsert_exception("series_1", "series"),
        upsert_exception("series_2", "series"),
        upsert("other"),
        upsert_exception("other_1", "other"),
        // Its master is in no page: an invitation to a single occurrence.
        upsert_exception("orphan_1", "orphan"),
    ];
    apply(&sink, step(&calendar(), 0, 1, changes)).await;
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("series")])).await;
    assert_eq!(count(&sink, &calendar()).await, 3);
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("other_1")])).await;
    assert_eq!(count(&sink, &calendar()).await, 2, "the series of a deleted exception stays");
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("orphan")])).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
}

/// The changes are in order: what was before the deletion is deleted.
pub async fn a_deletion_takes_the_exceptions_before_it_in_the_commit(
    sink: Arc<dyn SyncSink>,
    _clock: ManualClock,
) {
    apply(&sink, step(&calendar(), 0, 1, vec![upsert_exception("series_1", "series")])).await;
    let changes = vec![
        upsert("series"),
        upsert_exception("series_1", "series"),
        upsert_exception("series_2", "series"),
        deletion("series"),
        upsert("series"),
    ];
    apply(&sink, step(&calendar(), 0, 2, changes)).await;
    assert_eq!(unseen(&sink, &calendar(), 2).await, (1, 0), "the series alone has come back");
}

/// The changes are in order: what comes after the deletion is there.
pub async fn an_exception_after_the_deletion_stays(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let stored = vec![upsert("series"), upsert_exception("series_1", "series")];
    apply(&sink, step(&calendar(), 0, 1, stored)).await;
    let changes = vec![deletion("series"), upsert_exception("series_1", "series")];
    apply(&sink, step(&calendar(), 0, 2, changes)).await;
    assert_eq!(unseen(&sink, &calendar(), 2).await, (1, 0));
}

/// It belongs to the series that its last record names.
pub async fn an_exception_that_has_moved_to_another_series_stays(
    sink: Arc<dyn SyncSink>,
    _clock: ManualClock,
) {
    apply(&sink, step(&calendar(), 0, 1, vec![upsert_exception("e", "old")])).await;
    let changes = vec![upsert_exception("e", "new"), deletion("old")];
    apply(&sink, step(&calendar(), 0, 1, changes)).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("old")])).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
    apply(&sink, step(&calendar(), 0, 1, vec![deletion("new")])).await;
    assert_eq!(count(&sink, &calendar()).await, 0);
}

/// Even if it is stored as the exception of another one.
pub async fn an_exception_that_has_moved_to_a_deleted_series_goes_with_it(
    sink: Arc<dyn SyncSink>,
    _clock: ManualClock,
) {
    let stored = vec![upsert_exception("e", "old"), upsert_exception("e_1", "e")];
    apply(&sink, step(&calendar(), 0, 1, stored)).await;
    let changes = vec![upsert_exception("e", "new"), deletion("new")];
    apply(&sink, step(&calendar(), 0, 1, changes)).await;
    assert_eq!(count(&sink, &calendar()).await, 1, "e_1 alone: nobody has deleted its parent by name");
}

/// So a listing can tell what it has not met.
pub async fn a_record_takes_on_the_generation_that_writes_it(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b", "c"]))).await;
    assert_eq!(unseen(&sink, &calendar(), 1).await, (3, 0));
    assert_eq!(unseen(&sink, &calendar(), 2).await, (0, 3));
    apply(&sink, step(&calendar(), 0, 2, upserts(&["b", "d"]))).await;
    assert_eq!(unseen(&sink, &calendar(), 2).await, (2, 2));
}

/// And says how many it has deleted; records of that generation and of later ones stay.
pub async fn a_sweep_deletes_the_generations_before(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for (generation, ids) in [(1, ["a", "b"]), (2, ["c", "d"]), (3, ["e", "f"]), (4, ["g", "h"])] {
        apply(&sink, step(&calendar(), 0, generation, upserts(&ids))).await;
    }
    let sweep = Commit { sweep: Some(Sweep { before: 3 }), ..step(&calendar(), 0, 4, vec![]) };
    assert_eq!(apply(&sink, sweep.clone()).await, 4);
    assert_eq!(count(&sink, &calendar()).await, 4);
    assert_eq!(unseen(&sink, &calendar(), 4).await, (2, 2));
    assert_eq!(apply(&sink, sweep).await, 0, "there is nothing left to sweep");
}

/// What the last page has met is not swept.
pub async fn a_sweep_comes_after_the_changes(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b", "c", "d"]))).await;
    let last_page = Commit {
        sweep: Some(Sweep { before: 2 }),
        quarantined: vec![quarantined(Some("c"))],
        ..step(&calendar(), 0, 2, vec![upsert("a"), upsert("new"), deletion("b")])
    };
    assert_eq!(apply(&sink, last_page).await, 1, "d alone: b was deleted, not swept");
    assert_eq!(unseen(&sink, &calendar(), 2).await, (3, 0));
}

/// A generation belongs to its stream.
pub async fn a_sweep_leaves_other_streams_alone(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for stream in [calendar(), stream("cn_1", "holidays"), stream("cn_2", "primary")] {
        apply(&sink, step(&stream, 0, 1, upserts(&["a", "b"]))).await;
    }
    let sweep = Commit { sweep: Some(Sweep { before: 9 }), ..step(&calendar(), 0, 9, vec![]) };
    assert_eq!(apply(&sink, sweep).await, 2);
    for stream in [stream("cn_1", "holidays"), stream("cn_2", "primary")] {
        assert_eq!(count(&sink, &stream).await, 2);
    }
}

/// It is there at the provider, so its last good state stays.
pub async fn a_quarantined_id_counts_as_seen(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a", "b", "c"]))).await;
    let bad =
        Commit { quarantined: vec![quarantined(Some("b"))], ..step(&calendar(), 0, 2, upserts(&["a"])) };
    apply(&sink, bad).await;
    assert_eq!(unseen(&sink, &calendar(), 2).await, (2, 1));
    let sweep = Commit { sweep: Some(Sweep { before: 2 }), ..step(&calendar(), 0, 2, vec![]) };
    assert_eq!(apply(&sink, sweep).await, 1);
    assert_eq!(unseen(&sink, &calendar(), 2).await, (2, 0));
}

/// Whether its id is known or not.
pub async fn a_quarantined_item_makes_no_record(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let items = vec![quarantined(Some("x")), quarantined(None), quarantined(None), quarantined(Some("x"))];
    apply(&sink, Commit { quarantined: items, ..step(&calendar(), 0, 1, upserts(&["a"])) }).await;
    assert_eq!(unseen(&sink, &calendar(), 1).await, (1, 0));
}

/// As often as its state changes at the provider.
pub async fn an_item_can_leave_the_quarantine_and_come_back(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for generation in [1, 3, 5] {
        let bad =
            Commit { quarantined: vec![quarantined(Some("a"))], ..step(&calendar(), 0, generation, vec![]) };
        apply(&sink, bad).await;
        let good = step(&calendar(), 0, generation + 1, upserts(&["a"]));
        apply(&sink, good).await;
        assert_eq!(unseen(&sink, &calendar(), generation + 1).await, (1, 0));
    }
    let gone = Commit { quarantined: vec![quarantined(Some("a"))], ..step(&calendar(), 0, 7, vec![]) };
    apply(&sink, gone).await;
    apply(&sink, step(&calendar(), 0, 7, vec![deletion("a")])).await;
    assert_eq!(count(&sink, &calendar()).await, 0);
}

/// Ids that differ in case, in a space or in a wildcard are different ids.
pub async fn ids_are_told_apart_exactly(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let long = "i".repeat(1024);
    let ids = [
        "id", "ID", "id ", " id", "i%", "i_", "i'd", "i\"d", "id\\", "é", "e\u{301}", "1", "01", "1.0", &long,
    ];
    apply(&sink, step(&calendar(), 0, 1, upserts(&ids))).await;
    assert_eq!(count(&sink, &calendar()).await, ids.len() as u64);
    for (deleted, id) in (1..).zip(ids) {
        apply(&sink, step(&calendar(), 0, 1, vec![deletion(id)])).await;
        assert_eq!(count(&sink, &calendar()).await, ids.len() as u64 - deleted, "{id:?}");
    }
}

/// Whatever the size of the batches that a sink works in.
pub async fn a_large_commit_is_applied_whole(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let change = |index: usize| upsert(&format!("id-{index}"));
    for (revision, size) in (0..).zip([1, 7, 63, 64, 65, 100, 999, 2500]) {
        apply(&sink, step(&calendar(), 0, revision, (0..size).map(change).collect())).await;
        assert_eq!(unseen(&sink, &calendar(), revision).await, (size as u64, 0));
    }
    let gone = (0..2000).map(|index| deletion(&format!("id-{index}"))).collect();
    apply(&sink, step(&calendar(), 0, 9, gone)).await;
    assert_eq!(count(&sink, &calendar()).await, 500);
}

/// The same ids in another stream, or in another connection, are other records.
pub async fn streams_do_not_see_each_other(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let streams =
        [calendar(), stream("cn_1", "holidays"), stream("cn_2", "primary"), stream("cn_1p", "rimary")];
    for stream in &streams {
        assert_eq!(ok(sink.load(stream).await), StreamState::default());
        let changes = vec![upsert("a"), upsert("series"), upsert_exception("series_1", "series")];
        ok(sink.commit(Commit { fence: Fence(4), ..step(stream, 0, 1, changes) }).await);
    }
    let quarantine = vec![quarantined(Some("series"))];
    apply(&sink, Commit { quarantined: quarantine, ..step(&calendar(), 0, 2, vec![deletion("a")]) }).await;
    apply(&sink, step(&calendar(), 0, 2, vec![deletion("series")])).await;
    assert_eq!(count(&sink, &calendar()).await, 0);
    for stream in &streams[1..] {
        assert_eq!(unseen(&sink, stream, 1).await, (3, 0));
        assert_eq!(ok(sink.load(stream).await).revision, 1);
    }
}

/// All of its streams, and it says how many records they had.
pub async fn forget_deletes_everything_of_a_connection(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let streams = [calendar(), stream("cn_1", "holidays")];
    for stream in &streams {
        let quarantined = vec![quarantined(Some("x")), quarantined(None)];
        apply(&sink, Commit { quarantined, ..step(stream, 0, 1, upserts(&["a", "b", "c"])) }).await;
    }
    assert_eq!(ok(sink.forget(&"cn_1".into()).await), 6);
    for stream in &streams {
        assert_eq!(ok(sink.load(stream).await), StreamState::default());
        assert_eq!(count(&sink, stream).await, 0);
    }
    assert_eq!(ok(sink.forget(&"cn_1".into()).await), 0);
}

/// Those whose ids are alike among them.
pub async fn forget_leaves_other_connections_alone(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let others = [stream("cn_2", "primary"), stream("cn_10", "primary"), stream("CN_1", "primary")];
    for stream in others.iter().chain([&calendar()]) {
        apply(&sink, step(stream, 0, 1, upserts(&["a"]))).await;
    }
    assert_eq!(ok(sink.forget(&"cn_1".into()).await), 1);
    assert_eq!(ok(sink.forget(&"unknown".into()).await), 0);
    for stream in &others {
        assert_eq!(ok(sink.load(stream).await).revision, 1);
        assert_eq!(count(&sink, stream).await, 1);
    }
}

/// A runner from before is refused; a new one begins at revision 0.
pub async fn a_forgotten_stream_starts_again(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    ok(sink.commit(Commit { fence: Fence(9), ..step(&calendar(), 0, 1, upserts(&["a"])) }).await);
    ok(sink.forget(&"cn_1".into()).await);
    conflict(sink.commit(Commit { fence: Fence(9), ..step(&calendar(), 1, 1, upserts(&["b"])) }).await);
    assert_eq!(count(&sink, &calendar()).await, 0);
    ok(sink.commit(step(&calendar(), 0, 1, upserts(&["c"]))).await);
    assert_eq!(count(&sink, &calendar()).await, 1);
}

/// Each once, also one without a record, and none of another connection.
pub async fn the_streams_of_a_connection_are_those_that_had_a_commit(
    sink: Arc<dyn SyncSink>,
    _clock: ManualClock,
) {
    assert!(ok(sink.streams(&"cn_1".into()).await).is_empty());
    for stream in [calendar(), stream("cn_1", "holidays"), stream("cn_2", "primary"), stream("CN_1", "work")]
    {
        apply(&sink, step(&stream, 0, 1, vec![])).await;
        apply(&sink, step(&stream, 1, 1, upserts(&["a"]))).await;
    }
    let mut streams = ok(sink.streams(&"cn_1".into()).await);
    streams.sort();
    assert_eq!(streams, ["holidays", "primary"]);
}

/// It has no record, no quarantine and no position any more, and starts again.
pub async fn forgetting_a_stream_leaves_the_others_alone(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let others = [stream("cn_1", "holidays"), stream("cn_2", "primary"), stream("cn_1", "PRIMARY")];
    for stream in others.iter().chain([&calendar()]) {
        let quarantined = vec![quarantined(Some("x")), quarantined(None)];
        apply(&sink, Commit { quarantined, ..step(stream, 0, 1, upserts(&["a", "b"])) }).await;
    }
    assert_eq!(ok(sink.forget_stream(&calendar()).await), 2);
    assert_eq!(ok(sink.forget_stream(&calendar()).await), 0);
    assert_eq!(ok(sink.load(&calendar()).await), StreamState::default());
    assert_eq!(count(&sink, &calendar()).await, 0);
    for stream in &others {
        assert_eq!(ok(sink.load(stream).await).revision, 1);
        assert_eq!(count(&sink, stream).await, 2);
    }
    conflict(sink.commit(step(&calendar(), 1, 1, upserts(&["late"]))).await);
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a"]))).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
}

/// Of many runners that have read the same revision, one commits; the others leave no record behind.
pub async fn committing_at_once_has_one_winner(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    for revision in 0..4 {
        let results = at_once(RUNNERS, |runner| {
            let sink = Arc::clone(&sink);
            let id = |index| upsert(&format!("{revision}-{runner}-{index}"));
            let commit = step(&calendar(), revision, 1, (0..10).map(id).collect());
            async move {
                match sink.commit(commit).await {
                    Ok(receipt) => Some(receipt.revision),
                    refused => {
                        conflict(refused);
                        None
                    }
                }
            }
        })
        .await;
        let winners: Vec<u64> = results.into_iter().flatten().collect();
        assert_eq!(winners, [revision + 1]);
        assert_eq!(ok(sink.load(&calendar()).await).revision, revision + 1);
        assert_eq!(count(&sink, &calendar()).await, 10 * (revision + 1));
    }
}

/// They may wait for each other, but none is refused.
pub async fn streams_commit_at_once_independently(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let streams: Vec<StreamKey> = (0..RUNNERS).map(|index| stream("cn_1", &format!("s{index}"))).collect();
    at_once(RUNNERS, |runner| {
        let (sink, stream) = (Arc::clone(&sink), streams[runner].clone());
        async move {
            for revision in 0..5 {
                let id = format!("id-{revision}");
                ok(sink.commit(step(&stream, revision, 1, upserts(&[&id]))).await);
            }
        }
    })
    .await;
    for stream in &streams {
        assert_eq!(count(&sink, stream).await, 5);
    }
}

/// Wherever it is dropped, and the sink goes on working.
pub async fn a_dropped_commit_is_applied_whole_or_not_at_all(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    const RECORDS: usize = 300;
    for polls in 0..24 {
        let stream = stream("cn_1", &format!("dropped-after-{polls}"));
        let changes = (0..RECORDS).map(|index| upsert(&format!("id-{index}"))).collect();
        {
            let mut commit = pin!(sink.commit(step(&stream, 0, 1, changes)));
            for _ in 0..polls {
                if let Poll::Ready(result) = commit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    ok(result);
                    break;
                }
                // Lets other threads get on, so that the drop meets the commit at different places.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
            }
        }
        let (revision, records) = loop {
            let before = ok(sink.load(&stream).await).revision;
            let records = count(&sink, &stream).await;
            if ok(sink.load(&stream).await).revision == before {
                break (before, records);
            }
        };
        assert_eq!(records, revision * RECORDS as u64, "dropped after {polls} polls");
        let next = stream_after(&sink, &stream).await;
        assert_eq!(next, ok(sink.load(&stream).await).revision, "the sink goes on");
    }
}

/// Commits until it is not refused: a dropped commit may still be on its way.
async fn stream_after(sink: &Arc<dyn SyncSink>, stream: &StreamKey) -> u64 {
    loop {
        let revision = ok(sink.load(stream).await).revision;
        match sink.commit(step(stream, revision, 1, vec![])).await {
            Ok(receipt) => return receipt.revision,
            refused => conflict(refused),
        }
    }
}

//! Does a stream know how far it is read, and who may move it?

use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::sync::{
    Commit, Cursor, Fence, Leftover, Position, StreamState, Sweep, SyncSink, Unseen, Window,
};

use super::super::samples::time;
use super::super::{conflict, deletion, ok, quarantined, upsert};
use super::{apply, calendar, count, step, unseen, upserts};

/// Nothing has been committed, so nothing is known.
pub async fn a_fresh_stream_is_at_the_default_state(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    assert_eq!(ok(sink.load(&calendar()).await), StreamState::default());
    assert_eq!(ok(sink.count_unseen(&calendar(), 1).await), Unseen::default());
}

/// Each kind of position comes back as it was committed, with the fence and the revision.
pub async fn a_commit_moves_the_position(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let cursor = Cursor::new("CAES\u{e9}\"'%_\\\n0");
    let time = time();
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

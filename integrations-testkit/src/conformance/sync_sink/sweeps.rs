//! Does a complete listing delete what it has not seen, and nothing else?

use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::sync::{Commit, Sweep, SyncSink};

use super::super::{deletion, quarantined, stream, upsert};
use super::{apply, calendar, count, step, unseen, upsert_exception, upserts};

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
        let kept = u64::from(generation > 1);
        assert_eq!(unseen(&sink, &calendar(), generation).await, (kept, 0), "its last good state stays");
        let good = step(&calendar(), 0, generation + 1, upserts(&["a"]));
        apply(&sink, good).await;
        assert_eq!(unseen(&sink, &calendar(), generation + 1).await, (1, 0));
    }
    let gone = Commit { quarantined: vec![quarantined(Some("a"))], ..step(&calendar(), 0, 7, vec![]) };
    apply(&sink, gone).await;
    apply(&sink, step(&calendar(), 0, 7, vec![deletion("a")])).await;
    assert_eq!(count(&sink, &calendar()).await, 0);
}

/// A sweep is no deletion by name: each record stands for itself.
pub async fn a_sweep_leaves_the_exceptions_that_were_seen(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let stored = vec![upsert("series"), upsert_exception("e_1", "series"), upsert_exception("e_2", "series")];
    apply(&sink, step(&calendar(), 0, 1, stored)).await;
    let seen = vec![upsert_exception("e_1", "series")];
    let sweep = Commit { sweep: Some(Sweep { before: 2 }), ..step(&calendar(), 0, 2, seen) };
    assert_eq!(apply(&sink, sweep).await, 2, "the series, and the exception that was not seen");
    assert_eq!(unseen(&sink, &calendar(), 2).await, (1, 0));
}

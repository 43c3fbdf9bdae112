//! Does a commit apply its changes, in their order?

use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::sync::SyncSink;

use super::super::{deletion, upsert};
use super::{apply, calendar, count, step, unseen, upserts};

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

/// Ids that differ in case, in a space, in a wildcard or in their end alone are different ids.
pub async fn ids_are_told_apart_exactly(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let [long, other] = ["i", "d"].map(|end| "i".repeat(1023) + end);
    let ids = [
        "id", "ID", "id ", " id", "i%", "i_", "i'd", "i\"d", "id\\", "é", "e\u{301}", "1", "01", "1.0",
        &long, &other,
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

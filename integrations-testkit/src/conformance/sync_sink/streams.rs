//! Are streams told apart, and forgotten?

use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::sync::{Commit, Fence, StreamState, SyncSink};

use super::super::{conflict, deletion, ok, quarantined, stream, upsert};
use super::{apply, calendar, count, step, unseen, upsert_exception, upserts};

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
    assert!(ok(sink.streams(&"cn_1".into()).await).is_empty());
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
        if stream == calendar() {
            apply(&sink, step(&stream, 1, 1, upserts(&["a"]))).await;
        }
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
    assert_eq!(ok(sink.streams(&"cn_1".into()).await).len(), 2, "the forgotten one is not among them");
    conflict(sink.commit(step(&calendar(), 1, 1, upserts(&["late"]))).await);
    apply(&sink, step(&calendar(), 0, 1, upserts(&["a"]))).await;
    assert_eq!(count(&sink, &calendar()).await, 1);
}

/// It has not happened.
pub async fn a_refused_commit_makes_no_stream(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    conflict(sink.commit(step(&calendar(), 1, 1, upserts(&["a"]))).await);
    assert!(ok(sink.streams(&"cn_1".into()).await).is_empty());
}

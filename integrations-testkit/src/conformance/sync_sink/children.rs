//! Does what belongs to a record go with it?

use std::sync::Arc;

use integrations_core::clock::ManualClock;
use integrations_core::model::{Change, Comment, CommentKind, Issue, IssueKind, Record};
use integrations_core::sync::SyncSink;

use super::super::{deletion, record, upsert};
use super::{apply, calendar, count, step, unseen, upsert_exception};

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

/// Whatever the kinds of the two.
pub async fn a_deletion_takes_the_comments_with_the_issue(sink: Arc<dyn SyncSink>, _clock: ManualClock) {
    let issue =
        |id: &str| Change::Upsert(Record { entity: Issue::new(id, IssueKind::Issue).into(), ..record(id) });
    let comment = |id: &str, issue: &str| {
        let mut comment = Comment::new(id, CommentKind::Comment);
        comment.issue_id = Some(issue.into());
        Change::Upsert(Record { entity: comment.into(), ..record(id) })
    };
    let stored = vec![issue("1"), comment("c1", "1"), comment("c2", "1"), issue("2"), comment("c3", "2")];
    apply(&sink, step(&calendar(), 0, 1, stored)).await;
    apply(&sink, step(&calendar(), 0, 1, vec![comment("c4", "1"), deletion("1")])).await;
    assert_eq!(count(&sink, &calendar()).await, 2, "the other issue and its comment");
}

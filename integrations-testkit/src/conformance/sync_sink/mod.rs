//! Does a [`SyncSink`] keep its promises?
//!
//! A sink has no call that reads records back, so the cases look through
//! [`count_unseen`](SyncSink::count_unseen): which records there are shows in how many.

mod changes;
mod children;
mod concurrency;
mod positions;
mod streams;
mod sweeps;

use std::sync::Arc;

use integrations_core::model::Change;
use integrations_core::sync::{Commit, Fence, Position, StreamKey, SyncSink, Unseen, Window};

pub use self::changes::*;
pub use self::children::*;
pub use self::concurrency::*;
pub use self::positions::*;
pub use self::streams::*;
pub use self::sweeps::*;
use super::{exception, ok, stream, upsert};

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
    (@ $($how:tt)+) => {
        $crate::__conformance_suite!(sync_sink, $($how)+, [
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
            a_deletion_takes_the_comments_with_the_issue,
            a_record_takes_on_the_generation_that_writes_it,
            a_sweep_deletes_the_generations_before,
            a_sweep_comes_after_the_changes,
            a_sweep_leaves_other_streams_alone,
            a_sweep_leaves_the_exceptions_that_were_seen,
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
            a_refused_commit_makes_no_stream,
            forgetting_a_stream_leaves_the_others_alone,
            committing_at_once_has_one_winner,
            streams_commit_at_once_independently,
            nobody_sees_half_a_commit,
            a_dropped_commit_is_applied_whole_or_not_at_all,
        ]);
    };
}

crate::sync_sink_conformance!(@ cases SyncSink);

/// The sink, as the cases take it.
pub fn shared(sink: impl SyncSink) -> Arc<dyn SyncSink> {
    Arc::new(sink)
}

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

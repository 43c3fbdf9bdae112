//! Can every case of the suite `sync_sink` fail?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use integrations_core::clock::ManualClock;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::model::{Change, RecordKind};
use integrations_core::normalize::Quarantined;
use integrations_core::sync::{
    Commit, Fence, Position, Receipt, StreamKey, StreamState, Sweep, SyncSink, Unseen, Window,
};
use integrations_core::{Error, ErrorKind, Result};
use integrations_testkit::conformance;
use integrations_testkit::conformance::sync_sink::CASES;

use super::{flaws, gap};

flaws!(SyncSink of Twin {
    /// A stream that nobody knows has a position.
    FreshHasAPosition: [a_fresh_stream_is_at_the_default_state, forget_deletes_everything_of_a_connection],
    /// Changes are applied, and the position stays.
    PositionStays: [a_commit_moves_the_position, a_commit_without_changes_moves_the_position],
    /// The window of a position is not kept.
    WindowIsLost: [a_commit_moves_the_position],
    /// The page of a position is not kept.
    PageIsLost: [a_commit_moves_the_position],
    /// A commit without a change is none.
    EmptyIsSkipped: [
        a_commit_moves_the_position,
        a_commit_without_changes_moves_the_position,
        revisions_count_the_commits,
        the_streams_of_a_connection_are_those_that_had_a_commit,
    ],
    /// The revision counts the changes.
    RevisionCountsChanges: [revisions_count_the_commits],
    /// The receipt has the revision from before.
    ReceiptIsBehind: [a_commit_moves_the_position, revisions_count_the_commits],
    /// An old revision is good.
    OldRevisionPasses: [a_stale_revision_is_refused_and_nothing_is_applied],
    /// A revision that nobody can have read is good.
    RevisionMayBeAhead: [a_revision_that_is_ahead_is_refused, a_forgotten_stream_starts_again],
    /// Whoever comes last wins.
    FenceIsNotChecked: [a_stale_fence_is_refused_and_nothing_is_applied, the_highest_fence_is_remembered],
    /// The fence is not kept.
    FenceIsForgotten: [
        a_commit_moves_the_position,
        a_stale_fence_is_refused_and_nothing_is_applied,
        the_highest_fence_is_remembered,
    ],
    /// The first fence stays.
    FirstFenceStays: [the_highest_fence_is_remembered],
    /// A refused commit is applied but for its position.
    RefusedIsApplied: [
        a_stale_revision_is_refused_and_nothing_is_applied,
        a_revision_that_is_ahead_is_refused,
        a_stale_fence_is_refused_and_nothing_is_applied,
        committing_at_once_has_one_winner,
    ],
    /// The fence of a refused commit counts.
    RefusedKeepsTheFence: [a_stale_revision_is_refused_and_nothing_is_applied],
    /// The quarantine of a refused commit counts.
    RefusedIsQuarantined: [a_stale_fence_is_refused_and_nothing_is_applied],
    /// A refused commit leaves a stream behind.
    RefusedMakesAStream: [a_refused_commit_makes_no_stream],
    /// A record stands beside the one that it replaces.
    RecordsPileUp: [a_record_replaces_the_one_with_its_id],
    /// Deletions are applied before all others.
    DeletionsComeFirst: [the_last_change_of_an_id_wins],
    /// Deletions are applied after all others.
    DeletionsComeLast: [the_last_change_of_an_id_wins, an_exception_after_the_deletion_stays],
    /// Deleting what is not there is an error.
    DeletingNothingFails: [deleting_what_is_not_there_is_no_error],
    /// A deletion leaves the exceptions.
    ChildrenStay: [a_deletion_takes_the_exceptions_with_it],
    /// A deletion leaves those exceptions that came with it.
    NewChildrenStay: [a_deletion_takes_the_exceptions_before_it_in_the_commit],
    /// A deletion takes the exceptions that come after it.
    LaterChildrenGo: [an_exception_after_the_deletion_stays],
    /// A deletion takes the exceptions of exceptions.
    GrandchildrenGo: [an_exception_that_has_moved_to_a_deleted_series_goes_with_it],
    /// A deletion of an exception takes its series.
    ParentsGo: [a_deletion_takes_the_exceptions_with_it],
    /// An exception belongs to the series that it first had.
    FirstParentStays: [
        an_exception_that_has_moved_to_another_series_stays,
        an_exception_that_has_moved_to_a_deleted_series_goes_with_it,
    ],
    /// Within a commit, an exception belongs to the series that it had before.
    StoredParentCounts: [
        an_exception_that_has_moved_to_another_series_stays,
        an_exception_that_has_moved_to_a_deleted_series_goes_with_it,
    ],
    /// Events alone belong to others.
    OnlyEventsHaveParents: [a_deletion_takes_the_comments_with_the_issue],
    /// A record keeps the generation that it was first written in.
    FirstGenerationStays: [
        a_record_takes_on_the_generation_that_writes_it,
        a_sweep_comes_after_the_changes,
    ],
    /// Nothing is swept.
    SweepDoesNothing: [a_sweep_deletes_the_generations_before],
    /// The generation of the listing is swept, too.
    SweepIsInclusive: [a_sweep_deletes_the_generations_before, a_quarantined_id_counts_as_seen],
    /// How much was swept is not said.
    SweepIsNotCounted: [a_sweep_deletes_the_generations_before],
    /// The sweep comes before the changes.
    SweepComesFirst: [a_sweep_comes_after_the_changes],
    /// The other streams of the connection are swept, too.
    SweepCrossesStreams: [a_sweep_leaves_other_streams_alone],
    /// All connections are swept.
    SweepCrossesConnections: [a_sweep_leaves_other_streams_alone],
    /// What belongs to a record that is swept goes with it.
    SweepTakesChildren: [a_sweep_leaves_the_exceptions_that_were_seen],
    /// What could not be read was not seen.
    QuarantineIsNotSeen: [a_quarantined_id_counts_as_seen, a_sweep_comes_after_the_changes],
    /// What could not be read is deleted.
    QuarantineDeletes: [a_quarantined_id_counts_as_seen],
    /// What could not be read is a record.
    QuarantineIsARecord: [a_quarantined_item_makes_no_record],
    /// What could not be read once is never written.
    QuarantineIsForEver: [an_item_can_leave_the_quarantine_and_come_back],
    /// An item can go to the quarantine once.
    QuarantineIsOnce: [an_item_can_leave_the_quarantine_and_come_back],
    /// Ids that differ in case are the same.
    IdsFoldCase: [ids_are_told_apart_exactly],
    /// Ids that differ in spaces at their ends are the same.
    IdsAreTrimmed: [ids_are_told_apart_exactly],
    /// Ids that are equal as numbers are the same.
    IdsAreNumbers: [ids_are_told_apart_exactly],
    /// Ids that look the same are the same.
    IdsAreComposed: [ids_are_told_apart_exactly],
    /// Long ids are cut off.
    IdsAreCut: [ids_are_told_apart_exactly],
    /// Of many changes, the first ones are applied.
    LargeIsCut: [a_large_commit_is_applied_whole],
    /// The names of connection and stream run together.
    NamesRunTogether: [streams_do_not_see_each_other],
    /// A connection has one stream.
    ConnectionIsTheStream: [streams_do_not_see_each_other, a_sweep_leaves_other_streams_alone],
    /// A stream's name stands for itself in all connections.
    StreamIsTheName: [streams_do_not_see_each_other, forget_leaves_other_connections_alone],
    /// Connections that differ in case are the same.
    ConnectionsFoldCase: [
        forget_leaves_other_connections_alone,
        the_streams_of_a_connection_are_those_that_had_a_commit,
        forgetting_a_stream_leaves_the_others_alone,
    ],
    /// Forgetting leaves the records.
    ForgetLeavesRecords: [forget_deletes_everything_of_a_connection, a_forgotten_stream_starts_again],
    /// Forgetting leaves the position.
    ForgetLeavesPositions: [
        forget_deletes_everything_of_a_connection,
        a_forgotten_stream_starts_again,
        forgetting_a_stream_leaves_the_others_alone,
    ],
    /// Forgetting takes the connections whose names begin in the same way.
    ForgetTakesAlike: [forget_leaves_other_connections_alone],
    /// Forgetting counts the streams.
    ForgetCountsStreams: [forget_deletes_everything_of_a_connection],
    /// Forgetting a stream forgets its connection.
    ForgetStreamTakesAll: [forgetting_a_stream_leaves_the_others_alone],
    /// Streams without a record are not named.
    StreamsNeedRecords: [the_streams_of_a_connection_are_those_that_had_a_commit],
    /// The streams of all connections are named.
    StreamsAreOfAll: [the_streams_of_a_connection_are_those_that_had_a_commit],
    /// A stream is named as often as it had a commit.
    StreamsComeTwice: [the_streams_of_a_connection_are_those_that_had_a_commit],
    /// Looking and applying are two steps.
    CommitIsTwoSteps: [committing_at_once_has_one_winner],
    /// Whoever commits to something else meanwhile is in the way.
    WholeSinkIsLocked: [streams_commit_at_once_independently],
    /// Half of the changes are applied in a step of their own.
    HalfIsAStep: [nobody_sees_half_a_commit, a_dropped_commit_is_applied_whole_or_not_at_all],
    /// The position moves in a step of its own.
    PositionIsAStep: [a_dropped_commit_is_applied_whole_or_not_at_all],
});

#[derive(Debug)]
struct Twin {
    flaw: Option<Flaw>,
    inner: Mutex<Inner>,
}

type Key = (String, String);

#[derive(Debug, Default)]
struct Inner {
    streams: BTreeMap<Key, Data>,
    /// Counts the commits.
    commits: u64,
}

#[derive(Debug, Default, Clone)]
struct Data {
    state: StreamState,
    records: BTreeMap<String, Stored>,
    quarantined: BTreeSet<String>,
    /// The ids that were ever in the quarantine.
    ever: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Stored {
    generation: u64,
    parent: Option<String>,
}

impl Twin {
    fn new(_clock: Arc<ManualClock>, flaw: Option<Flaw>) -> Self {
        Self { flaw, inner: Mutex::default() }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    fn connection(&self, id: &ConnectionId) -> String {
        if self.has(Flaw::ConnectionsFoldCase) { id.as_str().to_lowercase() } else { id.to_string() }
    }

    fn key(&self, stream: &StreamKey) -> Key {
        let (connection, name) = (self.connection(&stream.connection), stream.stream.to_string());
        match self.flaw {
            Some(Flaw::NamesRunTogether) => (connection + &name, String::new()),
            Some(Flaw::ConnectionIsTheStream) => (connection, String::new()),
            Some(Flaw::StreamIsTheName) => (String::new(), name),
            Some(Flaw::ConnectionsFoldCase) => (connection, name.to_lowercase()),
            _ => (connection, name),
        }
    }

    fn id(&self, id: &str) -> String {
        match self.flaw {
            Some(Flaw::IdsFoldCase) => id.to_lowercase(),
            Some(Flaw::IdsAreTrimmed) => id.trim().into(),
            Some(Flaw::IdsAreCut) => id.chars().take(255).collect(),
            Some(Flaw::IdsAreComposed) => id.replace("e\u{301}", "é"),
            Some(Flaw::IdsAreNumbers) => id.parse().map_or(id.into(), |number: f64| number.to_string()),
            _ => id.into(),
        }
    }

    fn admits(&self, commit: &Commit, state: &StreamState) -> bool {
        let revision = commit.expected_revision;
        let fresh = commit.fence >= state.fence || self.has(Flaw::FenceIsNotChecked);
        let current = revision == state.revision
            || (self.has(Flaw::OldRevisionPasses) && revision < state.revision)
            || (self.has(Flaw::RevisionMayBeAhead) && revision > state.revision);
        fresh && current
    }

    /// What a commit leaves behind that is refused: nothing.
    fn refuse(&self, key: Key, commit: Commit, inner: &mut Inner) -> Result<Receipt> {
        match self.flaw {
            Some(Flaw::RefusedIsApplied) => {
                let data = inner.streams.entry(key).or_default();
                self.change(data, commit.generation, commit.changes)?;
            }
            Some(Flaw::RefusedIsQuarantined) => {
                let data = inner.streams.entry(key).or_default();
                self.quarantine(data, commit.generation, commit.quarantined);
            }
            Some(Flaw::RefusedKeepsTheFence) => {
                let state = &mut inner.streams.entry(key).or_default().state;
                state.fence = state.fence.max(commit.fence);
            }
            Some(Flaw::RefusedMakesAStream) => drop(inner.streams.entry(key).or_default()),
            _ => {}
        }
        Err(Error::new(ErrorKind::Conflict, "somebody else has committed to the stream"))
    }

    fn change(&self, data: &mut Data, generation: u64, mut changes: Vec<Change>) -> Result<()> {
        match self.flaw {
            Some(Flaw::DeletionsComeFirst) => changes.sort_by_key(|it| matches!(it, Change::Upsert(_))),
            Some(Flaw::DeletionsComeLast) => changes.sort_by_key(|it| matches!(it, Change::Delete { .. })),
            Some(Flaw::LargeIsCut) => changes.truncate(1000),
            _ => {}
        }
        let before = data.records.clone();
        let mut gone = BTreeSet::new();
        for change in changes {
            let id = self.id(change.id());
            match change {
                Change::Upsert(_) if self.has(Flaw::QuarantineIsForEver) && data.ever.contains(&id) => {}
                Change::Upsert(record) => {
                    data.quarantined.remove(&id);
                    let event = record.entity.kind() == RecordKind::Event;
                    let parent = record.entity.parent_id().filter(|_| event || self.knows_all_parents());
                    let mut stored = Stored { generation, parent: parent.map(|parent| self.id(parent)) };
                    let old = data.records.remove(&id);
                    match (self.flaw, old) {
                        (Some(Flaw::FirstParentStays), Some(old)) => stored.parent = old.parent,
                        (Some(Flaw::FirstGenerationStays), Some(old)) => stored.generation = old.generation,
                        (Some(Flaw::RecordsPileUp), Some(old)) => {
                            data.records.insert(format!("{id} of {}", data.records.len()), old);
                        }
                        _ => {}
                    }
                    data.records.insert(id, stored);
                }
                Change::Delete { .. } => {
                    data.quarantined.remove(&id);
                    let deleted = data.records.remove(&id);
                    if deleted.is_none() && self.has(Flaw::DeletingNothingFails) {
                        return Err(Error::new(ErrorKind::Store, "there is no such record"));
                    }
                    if let Some(parent) =
                        deleted.and_then(|it| it.parent).filter(|_| self.has(Flaw::ParentsGo))
                    {
                        data.records.remove(&parent);
                    }
                    self.orphan(data, &before, &id);
                    gone.insert(id);
                }
            }
        }
        if self.has(Flaw::LaterChildrenGo) {
            data.records.retain(|_, it| it.parent.as_ref().is_none_or(|parent| !gone.contains(parent)));
        }
        Ok(())
    }

    fn knows_all_parents(&self) -> bool {
        !self.has(Flaw::OnlyEventsHaveParents)
    }

    /// Deletes what belongs to a record that was deleted.
    fn orphan(&self, data: &mut Data, before: &BTreeMap<String, Stored>, parent: &str) {
        let mut children: Vec<String> = Vec::new();
        for (id, stored) in &data.records {
            let its = match (self.flaw, before.get(id)) {
                (Some(Flaw::ChildrenStay), _) | (Some(Flaw::NewChildrenStay), None) => continue,
                (Some(Flaw::StoredParentCounts), Some(before)) => &before.parent,
                _ => &stored.parent,
            };
            if its.as_deref() == Some(parent) {
                children.push(id.clone());
            }
        }
        for child in children {
            data.records.remove(&child);
            if self.has(Flaw::GrandchildrenGo) {
                self.orphan(data, before, &child);
            }
        }
    }

    fn quarantine(&self, data: &mut Data, generation: u64, items: Vec<Quarantined>) {
        for item in items {
            let Some(id) = item.id.map(|id| self.id(&id)) else {
                if self.has(Flaw::QuarantineIsARecord) {
                    data.records.insert("nameless".into(), Stored { generation, parent: None });
                }
                continue;
            };
            match (self.flaw, data.records.get_mut(&id)) {
                (Some(Flaw::QuarantineIsNotSeen), _) => {}
                (Some(Flaw::QuarantineIsOnce), _) if data.ever.contains(&id) => {
                    drop(data.records.remove(&id));
                }
                (Some(Flaw::QuarantineDeletes), _) => drop(data.records.remove(&id)),
                (_, Some(stored)) => stored.generation = generation,
                (Some(Flaw::QuarantineIsARecord), None) => {
                    data.records.insert(id.clone(), Stored { generation, parent: None });
                }
                _ => {}
            }
            data.ever.insert(id.clone());
            data.quarantined.insert(id);
        }
    }

    fn sweep(&self, inner: &mut Inner, key: &Key, sweep: Sweep) -> u64 {
        let before = match self.flaw {
            Some(Flaw::SweepDoesNothing) => 0,
            Some(Flaw::SweepIsInclusive) => sweep.before + 1,
            _ => sweep.before,
        };
        let mut swept = 0;
        for (other, data) in &mut inner.streams {
            let own = match self.flaw {
                Some(Flaw::SweepCrossesStreams) => other.0 == key.0,
                Some(Flaw::SweepCrossesConnections) => true,
                _ => other == key,
            };
            if !own {
                continue;
            }
            let (kept, gone) =
                std::mem::take(&mut data.records).into_iter().partition(|(_, it)| it.generation >= before);
            data.records = kept;
            let gone: BTreeMap<String, Stored> = gone;
            if self.has(Flaw::SweepTakesChildren) {
                data.records.retain(|_, it| it.parent.as_ref().is_none_or(|it| !gone.contains_key(it)));
            }
            if other == key {
                swept = gone.len() as u64;
            }
        }
        if self.has(Flaw::SweepIsNotCounted) { 0 } else { swept }
    }

    fn position(&self, old: Position, mut new: Position) -> Position {
        if self.has(Flaw::PositionStays) {
            return old;
        }
        match &mut new {
            Position::Listing { window, .. }
            | Position::Tracking { window, .. }
            | Position::Listed { window, .. }
            | Position::Resync { window, .. }
                if self.has(Flaw::WindowIsLost) =>
            {
                *window = Window::ALL;
            }
            Position::Tracking { page, .. } if self.has(Flaw::PageIsLost) => *page = None,
            _ => {}
        }
        new
    }

    fn fence(&self, old: Fence, new: Fence) -> Fence {
        match self.flaw {
            Some(Flaw::FenceIsForgotten) => Fence::default(),
            Some(Flaw::FirstFenceStays) if old > Fence::default() => old,
            _ => new,
        }
    }

    /// Forgets the streams that are chosen.
    fn forget_where(&self, chosen: impl Fn(&Key) -> bool) -> u64 {
        let mut inner = self.inner();
        let keys: Vec<Key> = inner.streams.keys().filter(|key| chosen(key)).cloned().collect();
        let mut deleted = 0;
        for key in &keys {
            let Some(data) = inner.streams.remove(key) else { continue };
            deleted += data.records.len() as u64;
            match self.flaw {
                Some(Flaw::ForgetLeavesRecords) => {
                    inner.streams.insert(key.clone(), Data { state: StreamState::default(), ..data });
                }
                Some(Flaw::ForgetLeavesPositions) => {
                    inner.streams.insert(key.clone(), Data { state: data.state, ..Data::default() });
                }
                _ => {}
            }
        }
        if self.has(Flaw::ForgetCountsStreams) { keys.len() as u64 } else { deleted }
    }
}

#[async_trait]
impl SyncSink for Twin {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        let known = self.inner().streams.get(&self.key(stream)).map(|data| data.state.clone());
        Ok(known.unwrap_or_else(|| {
            let mut state = StreamState::default();
            if self.has(Flaw::FreshHasAPosition) {
                state.position = Position::Resync { generation: 1, window: Window::ALL };
            }
            state
        }))
    }

    async fn commit(&self, mut commit: Commit) -> Result<Receipt> {
        let key = self.key(&commit.stream);
        let (state, commits) = {
            let mut inner = self.inner();
            let state = inner.streams.get(&key).map(|data| data.state.clone()).unwrap_or_default();
            if !self.admits(&commit, &state) {
                return self.refuse(key, commit, &mut inner);
            }
            (state, inner.commits)
        };
        let empty = commit.changes.is_empty() && commit.quarantined.is_empty() && commit.sweep.is_none();
        if empty && self.has(Flaw::EmptyIsSkipped) {
            return Ok(Receipt { revision: state.revision, swept: 0 });
        }
        if matches!(self.flaw, Some(Flaw::CommitIsTwoSteps | Flaw::WholeSinkIsLocked)) {
            gap().await;
        }
        if matches!(self.flaw, Some(Flaw::HalfIsAStep | Flaw::PositionIsAStep)) {
            let half = if self.has(Flaw::HalfIsAStep) { commit.changes.len() / 2 } else { 0 };
            let rest = commit.changes.split_off(half);
            let first = std::mem::replace(&mut commit.changes, rest);
            let first = if self.has(Flaw::HalfIsAStep) { first } else { std::mem::take(&mut commit.changes) };
            self.change(self.inner().streams.entry(key.clone()).or_default(), commit.generation, first)?;
            gap().await;
        }
        let mut inner = self.inner();
        if self.has(Flaw::WholeSinkIsLocked) && inner.commits != commits {
            return self.refuse(key, commit, &mut inner);
        }
        inner.commits += 1;
        let (changes, mut swept) = (commit.changes.len() as u64, 0);
        if let Some(sweep) = commit.sweep.take_if(|_| self.has(Flaw::SweepComesFirst)) {
            swept = self.sweep(&mut inner, &key, sweep);
        }
        let data = inner.streams.entry(key.clone()).or_default();
        self.change(data, commit.generation, commit.changes)?;
        self.quarantine(data, commit.generation, commit.quarantined);
        let by = if self.has(Flaw::RevisionCountsChanges) { changes } else { 1 };
        let revision = state.revision + by;
        data.state = StreamState {
            position: self.position(state.position, commit.position),
            revision,
            fence: self.fence(state.fence, commit.fence),
        };
        if let Some(sweep) = commit.sweep {
            swept = self.sweep(&mut inner, &key, sweep);
        }
        Ok(Receipt {
            revision: if self.has(Flaw::ReceiptIsBehind) { revision - by } else { revision },
            swept,
        })
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        let inner = self.inner();
        let records = inner.streams.get(&self.key(stream)).into_iter().flat_map(|data| data.records.values());
        let (seen, unseen): (Vec<_>, Vec<_>) = records.partition(|it| it.generation >= generation);
        Ok(Unseen { seen: seen.len() as u64, unseen: unseen.len() as u64 })
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        let id = self.connection(connection);
        Ok(self.forget_where(|(own, _)| match self.flaw {
            Some(Flaw::ForgetTakesAlike) => own.starts_with(&id),
            Some(Flaw::StreamIsTheName) => true,
            _ => *own == id,
        }))
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        let id = self.connection(connection);
        let mut streams = Vec::new();
        for ((own, name), data) in &self.inner().streams {
            let its = *own == id || self.has(Flaw::StreamsAreOfAll);
            if its && !(self.has(Flaw::StreamsNeedRecords) && data.records.is_empty()) {
                let times = if self.has(Flaw::StreamsComeTwice) { data.state.revision } else { 1 };
                streams.extend((0..times).map(|_| StreamId::from(name.as_str())));
            }
        }
        Ok(streams)
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        let key = self.key(stream);
        let all = self.has(Flaw::ForgetStreamTakesAll);
        Ok(self.forget_where(|other| *other == key || (all && other.0 == key.0)))
    }
}

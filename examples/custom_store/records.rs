//! Where do records and positions go, together?

use std::collections::BTreeMap;

use async_trait::async_trait;
use integrations_core::connection::{ConnectionId, StreamId};
use integrations_core::model::{Change, Entity, Source};
use integrations_core::sync::{Commit, Fence, Position, Receipt, StreamKey, StreamState, SyncSink, Unseen};
use integrations_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::FileStore;
use super::file::Blob;

pub(crate) type Streams = BTreeMap<ConnectionId, BTreeMap<StreamId, Stream>>;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Stream {
    position: Position,
    revision: u64,
    fence: Fence,
    records: BTreeMap<String, Stored>,
    /// What could not be read, for somebody to look at.
    quarantine: Vec<Bad>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    /// The listing that has seen it last.
    generation: u64,
    entity: Entity,
    source: Source,
    raw: Blob,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Bad {
    generation: u64,
    id: Option<String>,
    stage: String,
    path: String,
    reason: String,
    raw: Blob,
}

impl FileStore {
    /// What is kept of a stream.
    pub(crate) fn entities(&self, connection: &ConnectionId, stream: &StreamId) -> Vec<Entity> {
        let streams = self.streams.look();
        let stream = streams.get(connection).and_then(|streams| streams.get(stream));
        stream.into_iter().flat_map(|it| it.records.values()).map(|it| it.entity.clone()).collect()
    }
}

#[async_trait]
impl SyncSink for FileStore {
    async fn load(&self, stream: &StreamKey) -> Result<StreamState> {
        let streams = self.streams.look();
        Ok(find(&streams, stream).map(Stream::state).unwrap_or_default())
    }

    async fn commit(&self, commit: Commit) -> Result<Receipt> {
        self.streams.change(|streams| {
            let own = streams.entry(commit.stream.connection.clone()).or_default();
            own.entry(commit.stream.stream.clone()).or_default().apply(commit)
        })
    }

    async fn count_unseen(&self, stream: &StreamKey, generation: u64) -> Result<Unseen> {
        let streams = self.streams.look();
        let mut count = Unseen::default();
        for record in find(&streams, stream).into_iter().flat_map(|stream| stream.records.values()) {
            *if record.generation >= generation { &mut count.seen } else { &mut count.unseen } += 1;
        }
        Ok(count)
    }

    async fn forget(&self, connection: &ConnectionId) -> Result<u64> {
        self.streams.change(|streams| {
            let gone = streams.remove(connection).unwrap_or_default();
            Ok(gone.values().map(|stream| stream.records.len() as u64).sum())
        })
    }

    async fn streams(&self, connection: &ConnectionId) -> Result<Vec<StreamId>> {
        Ok(self.streams.look().get(connection).into_iter().flat_map(BTreeMap::keys).cloned().collect())
    }

    async fn forget_stream(&self, stream: &StreamKey) -> Result<u64> {
        self.streams.change(|streams| {
            let gone = streams.get_mut(&stream.connection).and_then(|own| own.remove(&stream.stream));
            Ok(gone.map_or(0, |stream| stream.records.len() as u64))
        })
    }
}

fn find<'a>(streams: &'a Streams, key: &StreamKey) -> Option<&'a Stream> {
    streams.get(&key.connection)?.get(&key.stream)
}

impl Stream {
    fn state(&self) -> StreamState {
        StreamState { position: self.position.clone(), revision: self.revision, fence: self.fence }
    }

    /// The heart of it: changes, quarantine, sweep and position, in this order, or nothing.
    fn apply(&mut self, commit: Commit) -> Result<Receipt> {
        if commit.fence < self.fence || commit.expected_revision != self.revision {
            let message = "somebody else has committed to the stream; load it again and go on from there";
            return Err(Error::new(ErrorKind::Conflict, message).with_code("stale_revision"));
        }
        let generation = commit.generation;
        for change in commit.changes {
            self.quarantine.retain(|bad| bad.id.as_deref() != Some(change.id()));
            match change {
                Change::Upsert(record) => {
                    let raw = Blob(record.raw.as_bytes().to_vec());
                    let (entity, source) = (record.entity, record.source);
                    self.records.insert(source.id.clone(), Stored { generation, entity, source, raw });
                }
                Change::Delete { id } => self
                    .records
                    .retain(|other, it| *other != id && it.entity.parent_id() != Some(id.as_str())),
            }
        }
        for item in commit.quarantined {
            if let Some(id) = &item.id {
                self.quarantine.retain(|bad| bad.id.as_ref() != Some(id));
                // It is there, though it cannot be read: its last good state is not swept.
                if let Some(stored) = self.records.get_mut(id) {
                    stored.generation = generation;
                }
            }
            self.quarantine.push(Bad {
                generation,
                id: item.id,
                stage: item.stage.into(),
                path: item.path,
                reason: item.reason,
                raw: Blob(item.raw.as_bytes().to_vec()),
            });
        }
        let before = self.records.len();
        if let Some(sweep) = commit.sweep {
            self.records.retain(|_, it| it.generation >= sweep.before);
            self.quarantine.retain(|bad| bad.generation >= sweep.before);
        }
        self.revision += 1;
        (self.position, self.fence) = (commit.position, commit.fence);
        Ok(Receipt { revision: self.revision, swept: (before - self.records.len()) as u64 })
    }
}

//! Does a long life of commits lead to what they say, one after the other?

use integrations_core::memory::MemoryStore;
use integrations_core::model::Change;
use integrations_core::sync::{Commit, Fence, Position, StreamKey, Sweep, SyncSink, Window};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{deletion, exception, quarantined, stream, upsert};

use crate::Schema;

/// The same numbers in every run: a linear congruential generator (Knuth's MMIX).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn id(&mut self) -> String {
        format!("id-{}", self.below(60))
    }
}

async fn compare(store: &PostgresStore, model: &MemoryStore, stream: &StreamKey) {
    let query = RecordQuery::new().connection(stream.connection.clone()).stream(stream.stream.clone());
    let mut stored = store.records(&query).await.unwrap();
    stored.sort_by(|one, other| one.id().cmp(other.id()));
    let expected = model.records(stream);
    assert_eq!(stored.len(), expected.len());
    for (stored, expected) in stored.iter().zip(&expected) {
        assert_eq!(
            (&stored.entity, &stored.source, &stored.raw),
            (&expected.entity, &expected.source, &expected.raw)
        );
        let read = store.record(stream, expected.id()).await.unwrap();
        assert_eq!(read.as_ref(), Some(stored));
    }
    for generation in 0..30 {
        assert_eq!(
            store.count_unseen(stream, generation).await.unwrap(),
            model.count_unseen(stream, generation).await.unwrap()
        );
    }
    assert_eq!(store.load(stream).await.unwrap(), model.load(stream).await.unwrap());
    // The store in memory keeps those whose parent was deleted until the next sweep.
    let expected = model.quarantined(stream);
    for item in store.quarantine(Some(stream), 1000).await.unwrap() {
        assert!(expected.iter().any(|expected| expected.id == item.id));
    }
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_long_life_of_random_commits_is_that_of_the_store_in_memory() {
    let schema = Schema::new();
    let (store, model) = (schema.store().await, MemoryStore::new());
    let streams = [stream("cn_1", "a"), stream("cn_1", "b"), stream("cn_2", "a")];
    let mut dice = Dice(1);
    for round in 0..300 {
        let stream = &streams[usize::try_from(dice.below(3)).unwrap()];
        let generation = round / 12;
        let changes = (0..dice.below(40))
            .map(|_| match dice.below(6) {
                0 => deletion(&dice.id()),
                1 | 2 => {
                    let (id, series) = (dice.id(), dice.id());
                    Change::Upsert(exception(&id, &series))
                }
                _ => upsert(&dice.id()),
            })
            .collect();
        let commit = Commit {
            stream: stream.clone(),
            fence: Fence(round / 50),
            expected_revision: model.load(stream).await.unwrap().revision,
            generation,
            changes,
            quarantined: (0..dice.below(3)).map(|_| quarantined(Some(&dice.id()))).collect(),
            sweep: (dice.below(10) == 0).then_some(Sweep { before: generation.saturating_sub(1) }),
            position: Position::Resync { generation, window: Window::ALL },
        };
        let receipt = store.commit(commit.clone()).await.unwrap();
        assert_eq!(receipt, model.commit(commit).await.unwrap());
        if dice.below(60) == 0 {
            let id = "cn_2".into();
            assert_eq!(store.forget(&id).await.unwrap(), model.forget(&id).await.unwrap());
        }
        if round % 10 == 0 {
            compare(&store, &model, stream).await;
        }
    }
    for stream in &streams {
        compare(&store, &model, stream).await;
    }
}

//! Which record has this id?
//!
//! Providers' ids are random. In an index of a million of them, each new one falls on another page, and
//! a commit of a thousand records would write a thousand pages for their ids alone. So there are two
//! tables: new ids gather in `recent_names`, which is small, and are moved to `names` many at a time,
//! in order, so that they share the pages that are written. An id is in exactly one of them.

use std::collections::HashMap;

use integrations_core::Result;
use sqlx::SqliteConnection;

use super::failure::{OrStore, unwritable};

/// How many ids gather before they are moved: enough that a page of `names` takes in several at a time,
/// few enough that `recent_names` stays in the cache.
#[cfg(not(test))]
const MOST_RECENT: i64 = 32_768;
#[cfg(test)]
const MOST_RECENT: i64 = 20;

/// The key of the record that has the id `?2` in the stream `?1`.
macro_rules! key_of_id {
    () => {
        "(SELECT key FROM recent_names WHERE stream = ?1 AND id = ?2 \
          UNION ALL SELECT key FROM names WHERE stream = ?1 AND id = ?2)"
    };
}
pub(super) use key_of_id;

/// Any number of ids in one statement: JSON, for SQLite's `json_each`.
pub(super) fn list<T: serde::Serialize>(items: &[T], operation: &'static str) -> Result<String> {
    serde_json::to_string(items).map_err(|_| unwritable("list of ids", operation))
}

/// The keys of the records that have one of these ids.
pub(super) async fn find(
    connection: &mut SqliteConnection,
    stream: i64,
    ids: &str,
    operation: &'static str,
) -> Result<HashMap<String, i64>> {
    let found: Vec<(String, i64)> = sqlx::query_as(
        // From the ids to the tables, so that SQLite need not sort the ids into a table first.
        "SELECT n.id, n.key FROM json_each(?2) AS wanted \
         CROSS JOIN recent_names AS n ON n.stream = ?1 AND n.id = wanted.value \
         UNION ALL SELECT n.id, n.key FROM json_each(?2) AS wanted \
         CROSS JOIN names AS n ON n.stream = ?1 AND n.id = wanted.value",
    )
    .bind(stream)
    .bind(ids)
    .fetch_all(connection)
    .await
    .or_store(operation)?;
    Ok(found.into_iter().collect())
}

/// Adds the ids of new records.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    stream: i64,
    mut names: Vec<(&str, i64)>,
    operation: &'static str,
) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    sqlx::query(
        "INSERT OR ROLLBACK INTO recent_names (stream, id, key) \
         SELECT ?1, value ->> 0, value ->> 1 FROM json_each(?2)",
    )
    .bind(stream)
    .bind(list(&names, operation)?)
    .execute(&mut *connection)
    .await
    .or_store(operation)?;
    let recent: i64 = sqlx::query_scalar("SELECT count(*) FROM recent_names")
        .fetch_one(&mut *connection)
        .await
        .or_store(operation)?;
    if recent > MOST_RECENT {
        for sql in [
            "INSERT OR ROLLBACK INTO names SELECT stream, id, key FROM recent_names ORDER BY stream, id",
            "DELETE FROM recent_names",
        ] {
            sqlx::query(sql).execute(&mut *connection).await.or_store(operation)?;
        }
    }
    Ok(())
}

/// Deletes the records that have one of these ids, and the ids.
pub(super) async fn delete_records(
    connection: &mut SqliteConnection,
    stream: i64,
    ids: &str,
    operation: &'static str,
) -> Result<()> {
    for sql in [
        "DELETE FROM records WHERE key IN ( \
           SELECT key FROM recent_names WHERE stream = ?1 AND id IN (SELECT value FROM json_each(?2)) \
           UNION ALL SELECT key FROM names WHERE stream = ?1 AND id IN (SELECT value FROM json_each(?2)))",
        "DELETE FROM recent_names WHERE stream = ?1 AND id IN (SELECT value FROM json_each(?2))",
        "DELETE FROM names WHERE stream = ?1 AND id IN (SELECT value FROM json_each(?2))",
    ] {
        sqlx::query(sql).bind(stream).bind(ids).execute(&mut *connection).await.or_store(operation)?;
    }
    Ok(())
}

/// Deletes the records of the generations before this one, and their ids; returns how many records.
pub(super) async fn sweep_records(
    connection: &mut SqliteConnection,
    stream: i64,
    before: i64,
    operation: &'static str,
) -> Result<u64> {
    let mut deleted = 0;
    for sql in [
        "DELETE FROM recent_names WHERE stream = ?1 \
         AND id IN (SELECT id FROM records WHERE stream = ?1 AND generation < ?2)",
        "DELETE FROM names WHERE stream = ?1 \
         AND id IN (SELECT id FROM records WHERE stream = ?1 AND generation < ?2)",
        "DELETE FROM records WHERE stream = ?1 AND generation < ?2",
    ] {
        let done = sqlx::query(sql).bind(stream).bind(before).execute(&mut *connection).await;
        deleted = done.or_store(operation)?.rows_affected();
    }
    Ok(deleted)
}

/// Deletes all records of some streams, and their ids; returns how many records.
pub(super) async fn forget_records(
    connection: &mut SqliteConnection,
    streams: &[i64],
    operation: &'static str,
) -> Result<u64> {
    let streams = list(streams, operation)?;
    let mut deleted = 0;
    for sql in [
        "DELETE FROM recent_names WHERE stream IN (SELECT value FROM json_each(?))",
        "DELETE FROM names WHERE stream IN (SELECT value FROM json_each(?))",
        "DELETE FROM records WHERE stream IN (SELECT value FROM json_each(?))",
    ] {
        let done = sqlx::query(sql).bind(streams.as_str()).execute(&mut *connection).await;
        deleted = done.or_store(operation)?.rows_affected();
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use integrations_core::memory::MemoryStore;
    use integrations_core::model::Change;
    use integrations_core::sync::{Commit, Fence, Position, StreamKey, Sweep, SyncSink, Window};
    use integrations_testkit::conformance::{deletion, exception, quarantined, stream, upsert};

    use crate::sqlite::{RecordQuery, SqliteStore};

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

    async fn check(store: &SqliteStore) {
        let mut connection = store.reader("test").await.unwrap();
        for wrong in [
            "SELECT count(*) FROM records AS r WHERE NOT EXISTS ( \
               SELECT 1 FROM (SELECT * FROM names UNION ALL SELECT * FROM recent_names) AS n \
               WHERE n.key = r.key AND n.id = r.id AND n.stream = r.stream)",
            "SELECT (SELECT count(*) FROM names) + (SELECT count(*) FROM recent_names) \
               - (SELECT count(*) FROM records)",
            "SELECT count(*) FROM names JOIN recent_names USING (stream, id)",
        ] {
            let wrong: i64 = sqlx::query_scalar(wrong).fetch_one(&mut *connection).await.unwrap();
            assert_eq!(wrong, 0);
        }
    }

    async fn compare(store: &SqliteStore, model: &MemoryStore, stream: &StreamKey) {
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
    async fn a_long_life_of_random_commits_is_that_of_the_store_in_memory() {
        let (store, model) = (SqliteStore::in_memory().await.unwrap(), MemoryStore::new());
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
            check(&store).await;
            if round % 10 == 0 {
                compare(&store, &model, stream).await;
            }
        }
        for stream in &streams {
            compare(&store, &model, stream).await;
        }
    }
}

//! Does a commit leave behind exactly what it says?

use integrations_core::model::{Change, Comment, CommentKind, Issue, IssueKind, Raw, Record};
use integrations_core::sync::{Commit, Fence, Position, Sweep, SyncSink};
use integrations_stores::PostgresStore;
use integrations_stores::postgres::RecordQuery;
use integrations_testkit::conformance::{clock, deletion, exception, quarantined, record, stream, upsert};

use crate::{Schema, commit, url};

async fn store() -> (PostgresStore, Schema) {
    let schema = Schema::new();
    let store = schema.builder().clock(std::sync::Arc::new(clock())).connect(&url()).await.unwrap();
    store.migrate().await.unwrap();
    (store, schema)
}

async fn titles(store: &PostgresStore) -> Vec<(String, String)> {
    let records = store.records(&RecordQuery::new()).await.unwrap();
    let mut titles: Vec<_> = records
        .iter()
        .map(|record| (record.id().to_owned(), record.entity.title().unwrap_or_default().to_owned()))
        .collect();
    titles.sort();
    titles
}

fn titled(id: &str, title: &str) -> Change {
    let mut record = record(id);
    let integrations_core::model::Entity::Event(event) = &mut record.entity else { unreachable!() };
    event.title = Some(title.into());
    Change::Upsert(record)
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_last_state_of_an_id_is_the_one_that_is_kept() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "primary"));
    let changes = vec![titled("a", "first"), titled("b", "only"), titled("a", "second")];
    store.commit(Commit { changes, ..commit(&stream, 0, &[]) }).await.unwrap();
    let expected = [("a".to_owned(), "second".to_owned()), ("b".into(), "only".into())];
    assert_eq!(titles(&store).await, expected);
    let changes = vec![titled("a", "third"), deletion("a"), titled("a", "fourth"), deletion("b")];
    store.commit(Commit { changes, ..commit(&stream, 1, &[]) }).await.unwrap();
    assert_eq!(titles(&store).await, [("a".to_owned(), "fourth".to_owned())]);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_quarantine_holds_each_bad_item_until_it_is_good_or_gone() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "primary"));
    let ids = async || {
        let items = store.quarantine(Some(&stream), 100).await.unwrap();
        let mut ids: Vec<_> = items.into_iter().map(|item| (item.id, item.generation)).collect();
        ids.sort();
        ids
    };
    let item = |id: &str, generation| (Some(id.to_owned()), generation);
    let bad = vec![quarantined(Some("a")), quarantined(Some("b")), quarantined(Some("c")), quarantined(None)];
    let step = Commit { quarantined: bad, ..commit(&stream, 0, &["b"]) };
    store.commit(step).await.unwrap();
    assert_eq!(ids().await, [(None, 1), item("a", 1), item("b", 1), item("c", 1)]);

    let worse =
        Commit { generation: 2, quarantined: vec![quarantined(Some("a"))], ..commit(&stream, 1, &[]) };
    store.commit(worse).await.unwrap();
    assert_eq!(ids().await, [(None, 1), item("a", 2), item("b", 1), item("c", 1)], "one entry for each id");

    let changes = vec![upsert("b"), deletion("c")];
    store.commit(Commit { generation: 2, changes, ..commit(&stream, 2, &[]) }).await.unwrap();
    assert_eq!(ids().await, [(None, 1), item("a", 2)]);

    let sweep = Commit { generation: 2, sweep: Some(Sweep { before: 2 }), ..commit(&stream, 3, &[]) };
    store.commit(sweep).await.unwrap();
    assert_eq!(ids().await, [item("a", 2)]);
    assert_eq!(store.forget(&"cn_1".into()).await.unwrap(), 1);
    assert!(store.quarantine(None, 100).await.unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_quarantined_item_keeps_its_last_good_state() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "primary"));
    store.commit(commit(&stream, 0, &["a"])).await.unwrap();
    let good = store.record(&stream, "a").await.unwrap();
    let mut bad = quarantined(Some("a"));
    bad.raw = Raw::new(&b"\xff not { JSON"[..]);
    let step = Commit { generation: 2, quarantined: vec![bad.clone()], ..commit(&stream, 1, &[]) };
    store.commit(step).await.unwrap();
    assert_eq!(store.record(&stream, "a").await.unwrap(), good);
    let kept = &store.quarantine(None, 1).await.unwrap()[0];
    assert_eq!(
        (kept.stage.as_str(), &kept.path, &kept.reason, &kept.raw),
        ("map", &bad.path, &bad.reason, &bad.raw)
    );
    assert_eq!(kept.seen_at, integrations_core::clock::Clock::now(&clock()));
    assert_eq!(kept.stream, stream);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_deletion_takes_all_generations_of_exceptions() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "primary"));
    for (revision, id) in (0..).zip(["s_1", "s_2", "s_3"]) {
        let changes = vec![upsert("s"), Change::Upsert(exception(id, "s"))];
        let step = Commit { generation: revision + 1, changes, ..commit(&stream, revision, &[]) };
        store.commit(step).await.unwrap();
    }
    assert_eq!(store.count(&RecordQuery::new().parent("s")).await.unwrap(), 3);
    let gone = Commit { changes: vec![deletion("s")], ..commit(&stream, 3, &[]) };
    store.commit(gone).await.unwrap();
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 0);
    for id in ["s", "s_1", "s_2", "s_3"] {
        assert_eq!(store.record(&stream, id).await.unwrap(), None);
    }
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn a_deleted_issue_takes_with_it_what_was_said_of_it() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "1296269"));
    let said = |id: &str, issue: &str| {
        let mut comment = Comment::new(id, CommentKind::Comment);
        comment.issue_id = Some(issue.into());
        Change::Upsert(Record { entity: comment.into(), ..record(id) })
    };
    let issue = |id: &str| {
        let entity = Issue::new(id, IssueKind::Issue).into();
        Change::Upsert(Record { entity, ..record(id) })
    };
    let changes = vec![said("comment:1", "1"), issue("1"), issue("2"), said("comment:2", "2")];
    store.commit(Commit { changes, ..commit(&stream, 0, &[]) }).await.unwrap();
    assert_eq!(store.count(&RecordQuery::new().parent("1")).await.unwrap(), 1);
    let gone = Commit { changes: vec![said("comment:3", "1"), deletion("1")], ..commit(&stream, 1, &[]) };
    store.commit(gone).await.unwrap();
    let left: Vec<_> = titles(&store).await.into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ["2", "comment:2"]);
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_streams_of_a_connection_are_listed_with_their_states() {
    let (store, _schema) = store().await;
    for name in ["b", "a"] {
        let step = Commit { fence: Fence(3), ..commit(&stream("cn_1", name), 0, &["x"]) };
        store.commit(step).await.unwrap();
    }
    store.commit(commit(&stream("cn_2", "c"), 0, &["x"])).await.unwrap();
    let streams = store.streams(&"cn_1".into()).await.unwrap();
    assert_eq!(
        streams.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>(),
        [stream("cn_1", "a"), stream("cn_1", "b")]
    );
    assert!(streams.iter().all(|(_, state)| state.revision == 1 && state.fence == Fence(3)));
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn numbers_that_do_not_fit_are_refused() {
    let ((store, _schema), stream) = (store().await, stream("cn_1", "primary"));
    for step in [
        Commit { fence: Fence(u64::MAX), ..commit(&stream, 0, &["a"]) },
        Commit { generation: u64::MAX, ..commit(&stream, 0, &["a"]) },
        Commit { sweep: Some(Sweep { before: u64::MAX }), ..commit(&stream, 0, &["a"]) },
    ] {
        let error = store.commit(step).await.unwrap_err();
        assert_eq!(error.kind(), integrations_core::ErrorKind::InvalidRequest);
    }
    assert_eq!(store.load(&stream).await.unwrap().position, Position::Start);
    assert_eq!(store.count(&RecordQuery::new()).await.unwrap(), 0);
}

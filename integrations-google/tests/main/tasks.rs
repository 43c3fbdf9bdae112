//! Google Tasks, against the fake: what is seen of lists and tasks, and that nothing comes twice.

use std::time::Duration;

use integrations_core::model::{EventTime, Record, TaskStatus};
use integrations_core::sync::{StreamKey, SyncReport, SyncRequest, SyncSink};
use integrations_core::{Connection, ErrorKind};
use integrations_google::GoogleTasks;
use integrations_testkit::Fault;
use integrations_testkit::google::TaskListSpec;
use serde_json::json;

use crate::host::{Host, REDIRECT};

const LIST: &str = "list-a";

async fn tasks() -> Host {
    let list = |id: &str, title: &str| TaskListSpec::new(id).title(title);
    Host::on(
        GoogleTasks::new,
        |fake| fake.task_list(list(LIST, "Mine")).task_list(list("list-b", "Garden")),
        |gateway| gateway,
    )
    .await
}

async fn connect(host: &Host) -> Connection {
    let begun = host.gateway.connect("ada", "google_tasks").redirect_uri(REDIRECT).begin().await.unwrap();
    let callback = host.fake.consent(begun.url.as_str()).await.unwrap();
    host.gateway.complete("ada", &callback).await.unwrap()
}

async fn sync(host: &Host, connection: &Connection) -> SyncReport {
    host.gateway.sync(&connection.id).await.unwrap().into_result().unwrap()
}

fn key(connection: &Connection) -> StreamKey {
    StreamKey::new(connection, &LIST.into())
}

/// The sink holds exactly what the fake has, as it is there.
fn assert_same(host: &Host, connection: &Connection) {
    let mut theirs = host.fake.task_ids(LIST);
    theirs.sort();
    let ours: Vec<Record> = host.store.records(&key(connection));
    assert_eq!(ours.iter().map(Record::id).collect::<Vec<_>>(), theirs);
    for record in ours {
        let theirs = host.fake.task(LIST, record.id()).unwrap();
        assert_eq!(record.source.version.as_deref(), theirs["etag"].as_str(), "{}", record.id());
    }
}

#[tokio::test]
async fn lists_are_streams_and_hidden_tasks_are_read_too() {
    let host = tasks().await;
    let connection = connect(&host).await;
    let parent =
        host.fake.insert_task(LIST, json!({"title": "Move house", "due": "2026-03-05T00:00:00.000Z"}));
    let child = host.fake.insert_task(LIST, json!({"title": "Boxes", "notes": "20 of them"}));
    host.fake.move_task(LIST, &child, Some(&parent), None);
    host.fake.complete_task(LIST, &child);
    sync(&host, &connection).await;
    assert_same(&host, &connection);
    let streams = host.gateway.streams(&connection.id).await.unwrap();
    let titles: Vec<_> = streams.iter().map(|stream| (stream.title.as_str(), stream.primary)).collect();
    assert_eq!(titles, [("Mine", true), ("Garden", false)]);

    let records = host.store.records(&key(&connection));
    let of = |id: &str| records.iter().find(|record| record.id() == id).unwrap().entity.as_task().unwrap();
    assert_eq!(of(&parent).due, Some(EventTime::day("2026-03-05".parse().unwrap())));
    assert_eq!(of(&parent).list_id, LIST);
    assert_eq!(of(&child).parent_id.as_deref(), Some(parent.as_str()));
    assert_eq!((&of(&child).status, of(&child).hidden), (&TaskStatus::Completed, true));
    assert!(of(&child).completed_at.is_some() && of(&child).position.is_some());
}

#[tokio::test]
async fn what_changes_comes_once_and_deletions_are_named() {
    let host = tasks().await;
    let connection = connect(&host).await;
    let ids: Vec<_> =
        (0..12).map(|number| host.fake.insert_task(LIST, json!({"title": number.to_string()}))).collect();
    assert_eq!(sync(&host, &connection).await.total().upserted, 12);
    for _ in 0..3 {
        host.clock.advance(Duration::from_secs(60));
        let total = sync(&host, &connection).await.total();
        assert_eq!((total.upserted, total.deleted), (0, 0), "all lie within the overlap, and come again");
    }
    host.fake.patch_task(LIST, &ids[3], json!({"title": "changed"}));
    host.fake.delete_task(LIST, &ids[4]);
    host.fake.insert_task(LIST, json!({"title": "new"}));
    let total = sync(&host, &connection).await.total();
    assert_eq!((total.upserted, total.deleted), (2, 1));
    assert_same(&host, &connection);
    let total = sync(&host, &connection).await.total();
    assert_eq!((total.upserted, total.deleted), (0, 0), "nor does a deletion come again");

    // A change that becomes visible a little late is not missed.
    host.clock.advance(Duration::from_secs(3_600));
    host.fake.patch_task(LIST, &ids[5], json!({"title": "later"}));
    sync(&host, &connection).await;
    assert_same(&host, &connection);
}

#[tokio::test]
async fn after_weeks_without_a_sync_everything_is_listed_again() {
    let host = tasks().await;
    let connection = connect(&host).await;
    let id = host.fake.insert_task(LIST, json!({"title": "old"}));
    host.fake.insert_task(LIST, json!({"title": "stays"}));
    sync(&host, &connection).await;
    // A quiet list that is read now and then keeps its mark, however old its latest change is.
    for _ in 0..4 {
        host.clock.advance(Duration::from_secs(7 * 86_400));
        assert_eq!(sync(&host, &connection).await.total().resyncs, 0);
    }
    host.fake.delete_task(LIST, &id);
    host.clock.advance(Duration::from_secs(15 * 86_400));
    let total = sync(&host, &connection).await.total();
    assert_eq!(total.resyncs, 2, "one for each list");
    assert_eq!(total.swept, 1);
    assert_same(&host, &connection);
}

#[tokio::test]
async fn a_page_token_that_is_refused_leads_to_a_new_listing() {
    let host = tasks().await;
    let connection = connect(&host).await;
    for number in 0..12 {
        host.fake.insert_task(LIST, json!({"title": number.to_string()}));
    }
    host.fake.fault(Fault::on("tasks.list").nth(2).status(500));
    let report = host.gateway.sync_stream(&connection.id, &LIST.into(), SyncRequest::default()).await;
    assert_eq!(report.unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    let state = host.store.load(&key(&connection)).await.unwrap();
    assert_eq!(state.position.phase(), "listing");
    host.fake.expire_task_page_tokens(LIST);
    assert_eq!(sync(&host, &connection).await.total().resyncs, 1);
    assert_same(&host, &connection);
}

#[tokio::test]
async fn an_odd_task_harms_itself_alone() {
    let host = tasks().await;
    let connection = connect(&host).await;
    host.fake.insert_task(LIST, json!({"title": "good", "status": "needsAction"}));
    host.fake.raw_task(LIST, r#"{"id":"odd","etag":"\"1\"","updated":"2026-03-02T09:00:00.000Z","due":7}"#);
    host.fake.raw_task(LIST, r#"{"id":"word","etag":"\"2\"","status":"delegated","title":"kept"}"#);
    let total = sync(&host, &connection).await.total();
    assert_eq!((total.upserted, total.quarantined), (2, 1));
    let odd = &host.store.quarantined(&key(&connection))[0];
    assert_eq!((odd.id.as_deref(), odd.path.as_str()), (Some("odd"), "$.due"));
    let records = host.store.records(&key(&connection));
    let word = records.iter().find(|record| record.id() == "word").unwrap().entity.as_task().unwrap();
    assert_eq!(word.status, TaskStatus::Other("delegated".into()));
}

#[tokio::test]
async fn health_is_one_cheap_call() {
    let host = tasks().await;
    let connection = connect(&host).await;
    host.fake.reset_counters();
    host.gateway.check_health(&connection.id).await.unwrap();
    assert_eq!(host.fake.count("tasklists.list"), 1);
}

//! The audit log: added to, read, and cleared by age alone.

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::observe::{AuditAction, AuditEntry, AuditLog};
use integrations_core::{Error, ErrorKind};
use integrations_stores::postgres::AuditQuery;
use integrations_testkit::conformance::connection;

use crate::Schema;

fn day(number: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000 + number)
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn entries_come_back_as_they_were_and_can_be_found() {
    let schema = Schema::new();
    let store = schema.store().await;
    let (ada, bob) = (connection("cn_1", "ada"), connection("cn_2", "bob"));
    let refused = Error::new(ErrorKind::InvalidRequest, "x").with_code("state_reused");
    let entries = [
        AuditEntry::new(AuditAction::Connected, day(0))
            .about(&ada)
            .from(Some("203.0.113.7".into()))
            .detail("a b"),
        AuditEntry::new(AuditAction::CallbackRefused, day(1)).failed(&refused).critical(),
        AuditEntry::new(AuditAction::Connected, day(2)).about(&bob),
        AuditEntry::new(AuditAction::Disconnected, day(3)).about(&ada),
    ];
    for entry in &entries {
        store.append(entry).await.unwrap();
    }
    drop(store);

    // Another process reads them.
    let store = schema.store().await;
    let read = async |query: AuditQuery| {
        let found = store.audit(&query).await.unwrap();
        found.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>()
    };
    assert_eq!(read(AuditQuery::new()).await, entries);
    assert_eq!(read(AuditQuery::new().owner("ada")).await, [entries[0].clone(), entries[3].clone()]);
    assert_eq!(read(AuditQuery::new().connection("cn_2")).await, entries[2..3]);
    assert_eq!(read(AuditQuery::new().critical()).await, entries[1..2]);
    assert_eq!(read(AuditQuery::new().action(AuditAction::Connected).since(day(1))).await, entries[2..3]);
    let (first, _) = store.audit(&AuditQuery::new().page(None, 1)).await.unwrap().remove(0);
    assert_eq!(read(AuditQuery::new().page(Some(first), 2)).await, entries[1..3]);

    assert_eq!(store.purge_audit(day(2)).await.unwrap(), 2);
    assert_eq!(read(AuditQuery::new()).await, entries[2..]);
    // A number is not given twice.
    store.purge_audit(day(9)).await.unwrap();
    store.append(&entries[0]).await.unwrap();
    assert!(store.audit(&AuditQuery::new()).await.unwrap()[0].0 > 4);
}

/// Whoever reads on behind the last entry that it has seen must not miss one that was written slowly.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs postgres"]
async fn entries_become_visible_in_the_order_of_their_numbers() {
    const WRITERS: usize = 4;
    const ENTRIES: usize = 40;
    let schema = Schema::new();
    let (reader, writer) = (schema.store().await, schema.store().await);
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for _ in 0..ENTRIES {
                    writer.append(&AuditEntry::new(AuditAction::Connected, day(0))).await.unwrap();
                }
            })
        })
        .collect();
    let (mut last, mut seen) = (None, 0);
    while seen < WRITERS * ENTRIES {
        for (number, _) in reader.audit(&AuditQuery::new().page(last, 1000)).await.unwrap() {
            assert_eq!(number, last.unwrap_or(0) + 1, "an entry was missed");
            (last, seen) = (Some(number), seen + 1);
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

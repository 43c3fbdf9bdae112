//! The audit log: added to, read, and cleared by age alone.

use chrono::{DateTime, TimeDelta, Utc};
use integrations_core::observe::{AuditAction, AuditEntry, AuditLog};
use integrations_core::{Error, ErrorKind};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::AuditQuery;
use integrations_testkit::conformance::connection;

use crate::directory;

fn day(number: i64) -> DateTime<Utc> {
    DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000 + number)
}

#[tokio::test]
async fn entries_come_back_as_they_were_and_can_be_found() {
    let folder = directory();
    let path = folder.path().join("app.db");
    let store = SqliteStore::open(&path).await.unwrap();
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
    let store = SqliteStore::open(&path).await.unwrap();
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

//! Does a rotation reach everything, and harm nothing?

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::auth::{
    ConnectionFilter, RefreshGuard, RotationReport, RotationSettings, Sealed, TokenStore, Vault, rotate_keys,
};
use integrations_core::observe::{AuditAction, AuditEntry, AuditLog};
use integrations_core::{Connection, ConnectionId, Error, ErrorKind, Gateway, Result};

use crate::host::{Host, Nowhere, both, keys, only};

async fn rotate(host: &Host, vault: &Vault, settings: &RotationSettings) -> RotationReport {
    rotate_keys(&host.store, vault, &*host.heard, settings).await.unwrap()
}

async fn with_connections(count: usize) -> Host {
    let host = Host::new();
    let vault = Vault::from(only("old"));
    for number in 0..count {
        host.connect(&vault, &format!("cn_{number:03}")).await;
    }
    host
}

#[tokio::test]
async fn everything_is_sealed_anew_in_batches_and_once() {
    let host = with_connections(250).await;
    let before = host.all().await;
    let vault = Vault::from(both("old"));
    // With the old key primary there is nothing to do.
    let idle = rotate(&host, &vault, &RotationSettings::default()).await;
    assert_eq!((idle.seen, idle.already), (250, 250));
    assert_eq!(host.all().await, before);
    assert_eq!(
        host.heard.all("KeysRotated"),
        ["KeysRotated 100 0", "KeysRotated 200 0", "KeysRotated 250 0"]
    );

    vault.replace_ring(both("new")).unwrap();
    let report = rotate(&host, &vault, &RotationSettings::default()).await;
    assert_eq!((report.seen, report.resealed, report.already), (250, 250, 0));
    assert_eq!((&*report.primary, report.last), ("new", Some("cn_249".into())));
    assert_eq!(
        host.heard.all("KeysRotated")[3..],
        ["KeysRotated 100 100", "KeysRotated 200 200", "KeysRotated 250 250"]
    );
    let new = Vault::from(only("new"));
    for (before, after) in before.into_iter().zip(host.all().await) {
        let (old_tokens, new_tokens) =
            (vault.open_tokens(&before).unwrap(), new.open_tokens(&after).unwrap());
        assert_eq!(old_tokens.access.expose(), new_tokens.access.expose());
        assert_eq!(old_tokens.refresh.unwrap().expose(), new_tokens.refresh.unwrap().expose());
        // All else is as it was.
        let version = before.version + 1;
        assert_eq!(Connection { tokens: after.tokens.clone(), version, ..before }, after);
    }
    let again = rotate(&host, &vault, &RotationSettings::default()).await;
    assert_eq!((again.resealed, again.already), (0, 250));
}

#[tokio::test]
async fn a_gateway_rotates_and_starts_where_it_is_told_to() {
    let host = with_connections(10).await;
    let log = Arc::new(Log::default());
    let gateway = Gateway::builder()
        .adapter(Arc::clone(&host.provider) as _)
        .store(integrations_core::memory::MemoryStore::new())
        .token_store(Arc::new(host.store.clone()))
        .vault(Vault::from(both("new")))
        .transport(Arc::new(Nowhere))
        .observer(Arc::clone(&host.heard) as _)
        .audit_log(Arc::clone(&log) as _)
        .build()
        .unwrap();
    // Another tenant's gateway leaves these alone.
    assert_eq!(gateway.for_tenant("acme").rotate_keys().await.unwrap().seen, 0);
    let settings = RotationSettings::default().batch(2).starting_after("cn_006");
    let report = gateway.rotate_keys_with(settings).await.unwrap();
    assert_eq!((report.seen, report.resealed), (3, 3));
    assert_eq!(host.heard.all("KeysRotated").len(), 2);
    let untouched: Vec<_> =
        host.all().await.iter().map(|connection| keys(connection) == ("old", "old")).collect();
    assert_eq!(untouched, [[true; 7].as_slice(), &[false; 3]].concat());
    let report = gateway.for_tenant("default").with_origin("a job").rotate_keys().await.unwrap();
    assert_eq!((report.seen, report.resealed, report.already), (10, 7, 3));
    // Tokens that do not open are something to look at.
    let mut broken = host.read(&"cn_000".into()).await;
    broken.tokens.access = Sealed::from_stored("v1.gone.AAAA");
    host.store.put(&broken).await.unwrap();
    gateway.rotate_keys().await.unwrap();
    let entries = log.0.lock().unwrap();
    let last: Vec<_> = entries
        .iter()
        .map(|entry| {
            (entry.action, entry.critical, entry.origin.as_deref(), entry.detail.as_deref().unwrap())
        })
        .skip(2)
        .collect();
    let text = |numbers| format!("key new: 10 connections, {numbers} failed");
    let first = text("7 sealed anew, 3 done before, 0 deleted meanwhile, 0");
    let second = text("0 sealed anew, 9 done before, 0 deleted meanwhile, 1");
    let rotated = AuditAction::KeysRotated;
    assert_eq!(last, [(rotated, false, Some("a job"), &*first), (rotated, true, None, &*second)]);
}

#[derive(Debug, Default)]
struct Log(Mutex<Vec<AuditEntry>>);

#[async_trait]
impl AuditLog for Log {
    async fn append(&self, entry: &AuditEntry) -> Result<()> {
        self.0.lock().unwrap().push(entry.clone());
        Ok(())
    }
}

#[tokio::test]
async fn what_does_not_open_is_reported_and_left_and_the_rest_goes_on() {
    let host = with_connections(8).await;
    let change = async |number: usize, change: &dyn Fn(&mut Connection)| {
        let mut connection = host.read(&ConnectionId::from(format!("cn_{number:03}"))).await;
        change(&mut connection);
        host.store.put(&connection).await.unwrap();
    };
    let other = host.read(&"cn_007".into()).await;
    change(1, &|connection| connection.tokens.refresh = Some(Sealed::from_stored("v1.gone.AAAA"))).await;
    change(2, &|connection| connection.tokens.access = other.tokens.access.clone()).await;
    change(3, &|connection| connection.tokens.access = Sealed::from_stored("ya29.plain")).await;
    change(4, &|connection| connection.tokens.refresh = None).await;
    change(5, &|connection| {
        let text = connection.tokens.access.as_str();
        let flipped = if text.ends_with('A') { "B" } else { "A" };
        connection.tokens.access = Sealed::from_stored(format!("{}{flipped}", &text[..text.len() - 1]));
    })
    .await;
    let before = host.all().await;
    let vault = Vault::from(both("new"));
    let report = rotate(&host, &vault, &RotationSettings::default().batch(3).kept_failures(3)).await;
    assert_eq!((report.seen, report.resealed, report.failures), (8, 4, 4));
    assert!(!report.is_complete());
    assert_eq!(report.failed.len(), 3, "no more than the report is to keep");
    let mut heard = host.heard.all("NotResealed");
    heard.sort();
    let (first, last) = heard.split_at(3);
    assert_eq!(
        first,
        [
            "NotResealed cn_001 unknown_key",
            "NotResealed cn_002 unsealing_failed",
            "NotResealed cn_003 not_sealed"
        ]
    );
    // The last character may carry bits that decode to nothing.
    assert!(last[0] == "NotResealed cn_005 unsealing_failed" || last[0] == "NotResealed cn_005 not_sealed");
    for (before, after) in before.iter().zip(host.all().await) {
        if [1, 2, 3, 5].iter().any(|number| after.id == format!("cn_{number:03}").as_str()) {
            assert_eq!(*before, after, "left as it was, and active");
        } else {
            assert_eq!(after.tokens.access.key_id(), Some("new"));
        }
    }
    let (id, error) = &report.failed[0];
    assert!(error.service().is_some_and(|service| *service == "fake"), "{id}: {error}");
}

#[tokio::test]
async fn a_connection_that_is_deleted_meanwhile_does_not_come_back() {
    let host = with_connections(1).await;
    let mut put = host.store.before_put.close();
    let rotation = tokio::spawn({
        let (store, heard) = (host.store.clone(), Arc::clone(&host.heard));
        async move { rotate_keys(&store, &Vault::from(both("new")), &*heard, &RotationSettings::default()).await }
    });
    put.reached().await;
    assert!(host.store.delete(&"cn_000".into()).await.unwrap());
    put.go_on();
    let report = rotation.await.unwrap().unwrap();
    assert_eq!((report.seen, report.vanished, report.is_complete()), (1, 1, true));
    assert!(host.all().await.is_empty());
}

#[tokio::test]
async fn another_primary_key_in_the_middle_ends_the_run() {
    let host = with_connections(3).await;
    let vault = Vault::from(both("new"));
    let mut put = host.store.before_put.close();
    let rotation = tokio::spawn({
        let (store, heard, vault) = (host.store.clone(), Arc::clone(&host.heard), vault.clone());
        async move { rotate_keys(&store, &vault, &*heard, &RotationSettings::default()).await }
    });
    put.reached().await;
    vault
        .replace_ring(both("new").with_key("newest", [3; 32]).unwrap().with_primary("newest").unwrap())
        .unwrap();
    put.go_on();
    let error = rotation.await.unwrap().unwrap_err();
    assert_eq!((error.kind(), error.provider_code()), (ErrorKind::Conflict, Some("primary_changed")));
    let report = rotate(&host, &vault, &RotationSettings::default()).await;
    assert!(report.is_complete() && &*report.primary == "newest");
    assert!(host.all().await.iter().all(|connection| keys(connection) == ("newest", "newest")));
}

/// Stops a rotation at every await in turn; another run ends it.
#[tokio::test]
async fn a_rotation_may_be_dropped_at_any_await() {
    let mut polls = 0;
    loop {
        let mut host = with_connections(6).await;
        host.store = host.store.giving_way(polls);
        let vault = Vault::from(both("new"));
        let settings = RotationSettings::default().batch(4).in_flight(2);
        let mut ended = false;
        {
            let mut run = pin!(rotate_keys(&host.store, &vault, &*host.heard, &settings));
            for _ in 0..polls {
                ended |= poll_fn(|context| Poll::Ready(run.as_mut().poll(context).is_ready())).await;
                tokio::task::yield_now().await;
                if ended {
                    break;
                }
            }
        }
        // In between, everything can be read.
        for connection in host.all().await {
            vault.open_tokens(&connection).unwrap();
        }
        let report = rotate(&host, &vault, &settings).await;
        assert!(report.is_complete() && report.seen == 6, "{polls}: {report:?}");
        for connection in host.all().await {
            let tokens = Vault::from(only("new")).open_tokens(&connection).unwrap();
            assert_eq!(tokens.refresh.unwrap().expose(), host.provider.valid(connection.id.as_str()));
            assert_eq!(connection.version, 2, "sealed anew once");
        }
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(polls > 20, "{polls} awaits are too few to say anything");
}

/// How a store can be out of order.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    AlwaysConflict,
    NeverEnding,
    FailingPut,
    FailingList,
}

#[derive(Debug)]
struct Faulty(crate::host::Store, Fault, AtomicU64);

fn broken() -> Error {
    Error::new(ErrorKind::Store, "the disk is full").with_code("disk_full")
}

#[async_trait]
impl TokenStore for Faulty {
    async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        self.0.get(id).await
    }

    async fn put(&self, connection: &Connection) -> Result<u64> {
        self.2.fetch_add(1, Ordering::Relaxed);
        match self.1 {
            Fault::AlwaysConflict => Err(Error::new(ErrorKind::Conflict, "somebody else was faster")),
            Fault::FailingPut => Err(broken()),
            _ => self.0.put(connection).await,
        }
    }

    async fn delete(&self, id: &ConnectionId) -> Result<bool> {
        self.0.delete(id).await
    }

    async fn list(&self, filter: &ConnectionFilter) -> Result<Vec<Connection>> {
        match self.1 {
            Fault::FailingList => Err(broken()),
            Fault::NeverEnding => self.0.list(&ConnectionFilter::default()).await,
            _ => self.0.list(filter).await,
        }
    }

    async fn acquire_refresh_guard(&self, id: &ConnectionId, ttl: Duration) -> Result<Option<RefreshGuard>> {
        self.0.acquire_refresh_guard(id, ttl).await
    }

    async fn release_refresh_guard(&self, guard: RefreshGuard) -> Result<()> {
        self.0.release_refresh_guard(guard).await
    }
}

#[tokio::test]
async fn a_store_that_is_out_of_order_ends_the_run_and_loses_nothing() {
    let host = with_connections(2).await;
    let before = host.all().await;
    let vault = Vault::from(both("new"));
    let run = async |fault| {
        let store = Faulty(host.store.clone(), fault, AtomicU64::new(0));
        let outcome = rotate_keys(&store, &vault, &*host.heard, &RotationSettings::default()).await;
        (outcome, store.2.into_inner())
    };
    for fault in [Fault::FailingPut, Fault::FailingList] {
        assert_eq!(run(fault).await.0.unwrap_err().provider_code(), Some("disk_full"));
        assert_eq!(host.all().await, before);
    }
    // Somebody else writes each time: it gives up one day, and the other connections have their turn.
    let (outcome, puts) = run(Fault::AlwaysConflict).await;
    let report = outcome.unwrap();
    assert_eq!((report.seen, report.failures, puts), (2, 2, 200));
    assert_eq!(report.failed[0].1.provider_code(), Some("too_busy"));
    assert_eq!(host.all().await, before);
    // A store that gives the same page again and again.
    assert_eq!(run(Fault::NeverEnding).await.0.unwrap_err().provider_code(), Some("unordered"));
}

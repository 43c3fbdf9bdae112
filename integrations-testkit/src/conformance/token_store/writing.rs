//! Is a connection there as it was written, and does nobody write over what they have not read?

use std::sync::Arc;

use integrations_core::auth::{ConnectionFilter, TokenStore};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, ConnectionStatus, GrantType, Owner};

use super::super::{at_once, conflict, connection, ok};
use super::{RUNNERS, id, ids};

/// Reading or deleting it is no error.
pub async fn an_unknown_connection_is_not_there(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    assert_eq!(ok(store.get(&id("cn_1")).await), None);
    assert!(!ok(store.delete(&id("cn_1")).await));
    assert_eq!(ok(store.list(&ConnectionFilter::default()).await), []);
}

/// It comes back as it was put, with the version that `put` has returned, which is above 0.
pub async fn put_creates_a_connection_and_keeps_every_field(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut full = connection("cn_1", Owner::new("acme", "ada"));
    full.account.name = Some("Ada's \u{1F4C5} \"calendar\"".into());
    full.status = ConnectionStatus::ReauthorizationRequired {
        reason: "revoked by the user".into(),
        challenge: Some(r#"{"access_token":{"acrs":{"value":"c1"}}}"#.into()),
    };
    full.grant = GrantType::Key { header: "x-api-key".into(), scheme: String::new() };
    full.refreshing_since = Some(full.created_at);
    let mut bare = connection("cn_2", "bob");
    bare.account.email = None;
    bare.scopes.clear();
    bare.tokens.refresh = None;
    bare.tokens.expires_at = None;
    for mut connection in [full, bare] {
        let version = ok(store.put(&connection).await);
        assert!(version > 0);
        connection.version = version;
        assert_eq!(ok(store.get(&connection.id).await), Some(connection));
    }
}

/// Version 0 says that there is none yet.
pub async fn put_does_not_create_what_is_there(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let first = connection("cn_1", "ada");
    let version = ok(store.put(&first).await);
    let second = Connection { scopes: vec!["other".into()], ..first.clone() };
    conflict(store.put(&second).await);
    assert_eq!(ok(store.get(&first.id).await), Some(Connection { version, ..first }));
}

/// Each write has a higher version than the one before.
pub async fn put_writes_over_the_version_that_it_has_read(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut current = connection("cn_1", "ada");
    for round in 0..5 {
        current.scopes = vec![format!("scope-{round}")];
        let version = ok(store.put(&current).await);
        assert!(version > current.version);
        current.version = version;
        assert_eq!(ok(store.get(&current.id).await).as_ref(), Some(&current));
    }
}

/// Somebody else has written in between.
pub async fn put_over_another_version_writes_nothing(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut read = connection("cn_1", "ada");
    read.version = ok(store.put(&read).await);
    let mut newer = Connection { scopes: vec!["newer".into()], ..read.clone() };
    newer.version = ok(store.put(&newer).await);
    for version in [read.version, newer.version + 1] {
        conflict(store.put(&Connection { version, scopes: vec!["stale".into()], ..read.clone() }).await);
        assert_eq!(ok(store.get(&newer.id).await).as_ref(), Some(&newer));
    }
}

/// Whoever deleted it did not want it back.
pub async fn put_of_a_version_that_is_not_there_writes_nothing(
    store: Arc<dyn TokenStore>,
    _clock: ManualClock,
) {
    let unknown = Connection { version: 3, ..connection("cn_1", "ada") };
    conflict(store.put(&unknown).await);
    assert_eq!(ok(store.get(&unknown.id).await), None);
    let mut deleted = connection("cn_2", "ada");
    deleted.version = ok(store.put(&deleted).await);
    assert!(ok(store.delete(&deleted.id).await));
    conflict(store.put(&deleted).await);
    assert_eq!(ok(store.get(&deleted.id).await), None);
}

async fn one_winner(store: &Arc<dyn TokenStore>, base: Connection) -> Connection {
    let results = at_once(RUNNERS, |runner| {
        let store = Arc::clone(store);
        let mut mine = Connection { scopes: vec![format!("runner-{runner}")], ..base.clone() };
        async move {
            match store.put(&mine).await {
                Ok(version) => {
                    mine.version = version;
                    Some(mine)
                }
                refused => {
                    conflict(refused);
                    None
                }
            }
        }
    })
    .await;
    let mut winners: Vec<Connection> = results.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "more or less than one has won");
    let winner = winners.remove(0);
    assert_eq!(ok(store.get(&base.id).await).as_ref(), Some(&winner));
    winner
}

/// Of many that create it at once, one does; the others are told of the conflict.
pub async fn creating_at_once_has_one_winner(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    one_winner(&store, connection("cn_1", "ada")).await;
}

/// Of many that have read the same version, one writes; round after round.
pub async fn writing_at_once_has_one_winner(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut current = connection("cn_1", "ada");
    current.version = ok(store.put(&current).await);
    for _ in 0..3 {
        let version = current.version;
        current = one_winner(&store, current).await;
        assert!(current.version > version);
    }
}

/// Who writes another connection is not in the way.
pub async fn writing_others_at_once_is_no_conflict(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    at_once(RUNNERS, |runner| {
        let store = Arc::clone(&store);
        async move {
            let mut mine = connection(&format!("cn_{runner}"), "ada");
            for _ in 0..3 {
                mine.version = ok(store.put(&mine).await);
            }
        }
    })
    .await;
    assert_eq!(ok(store.list(&ConnectionFilter::default()).await).len(), RUNNERS);
}

/// The second deletion finds nothing, and other connections stay.
pub async fn delete_says_whether_there_was_one(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    ok(store.put(&connection("cn_1", "ada")).await);
    ok(store.put(&connection("cn_2", "ada")).await);
    assert!(ok(store.delete(&id("cn_1")).await));
    assert!(!ok(store.delete(&id("cn_1")).await));
    assert_eq!(ok(store.get(&id("cn_1")).await), None);
    assert_eq!(ids(&ok(store.list(&ConnectionFilter::default()).await)), ["cn_2"]);
}

/// Of many that delete it at once, one is told that there was one.
pub async fn deleting_at_once_has_one_winner(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    ok(store.put(&connection("cn_1", "ada")).await);
    let deleted = at_once(RUNNERS, |_| {
        let store = Arc::clone(&store);
        async move { ok(store.delete(&id("cn_1")).await) }
    })
    .await;
    assert_eq!(deleted.iter().filter(|deleted| **deleted).count(), 1);
}

/// With version 0, as the first time.
pub async fn a_deleted_connection_can_come_back(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut connection = connection("cn_1", "ada");
    ok(store.put(&connection).await);
    ok(store.delete(&connection.id).await);
    connection.version = ok(store.put(&connection).await);
    assert!(connection.version > 0);
    assert_eq!(ok(store.get(&id("cn_1")).await), Some(connection));
}

/// Whoever has read it before it was deleted cannot write over the one that has come back.
pub async fn a_version_from_before_a_deletion_is_stale(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let mut before = connection("cn_1", "ada");
    let mut versions = Vec::new();
    for _ in 0..3 {
        before.version = ok(store.put(&before).await);
        versions.push(before.version);
    }
    ok(store.delete(&before.id).await);
    let mut back = connection("cn_1", "ada");
    for _ in 0..4 {
        back.version = ok(store.put(&back).await);
        for &version in &versions {
            conflict(store.put(&Connection { version, ..before.clone() }).await);
        }
        assert_eq!(ok(store.get(&back.id).await).as_ref(), Some(&back));
    }
}

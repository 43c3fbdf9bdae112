//! Does a [`TokenStore`] keep its promises?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::{ConnectionFilter, TokenStore};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, ConnectionId, ConnectionStatus, GrantType, Owner};

use super::{at_once, conflict, connection, ok};

/// Expands to a module `token_store` with a test per promise of
/// [`TokenStore`](integrations_core::auth::TokenStore); see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! token_store_conformance {
    ($make:ident $(, ignore = $reason:literal)?) => {
        $crate::token_store_conformance!(@ store => store, $make $(, ignore = $reason)?);
    };
    ($make:ident, with guard $(, ignore = $reason:literal)?) => {
        $crate::token_store_conformance!(@ (store, _guard) => store, $make $(, ignore = $reason)?);
    };
    (@ $pattern:pat => $store:ident, $make:ident $(, ignore = $reason:literal)?) => {
        $crate::__conformance_suite!(token_store, $pattern => $store, $make $(, ignore = $reason)?, [
            an_unknown_connection_is_not_there,
            put_creates_a_connection_and_keeps_every_field,
            put_does_not_create_what_is_there,
            put_writes_over_the_version_that_it_has_read,
            put_over_another_version_writes_nothing,
            put_of_a_version_that_is_not_there_writes_nothing,
            creating_at_once_has_one_winner,
            writing_at_once_has_one_winner,
            delete_says_whether_there_was_one,
            a_deleted_connection_can_come_back,
            list_gives_all_in_the_order_of_their_ids,
            list_filters_by_owner_and_tells_tenants_apart,
            list_filters_by_service,
            list_filters_by_tenant_and_by_status,
            list_gives_pages,
            a_guard_has_one_holder,
            a_guard_runs_out_by_the_clock,
            a_released_guard_is_free,
            a_guard_that_has_run_out_cannot_release_its_successor,
            guards_of_connections_are_independent,
            acquiring_a_guard_at_once_has_one_winner,
            acquiring_a_guard_that_has_run_out_at_once_has_one_winner,
        ]);
    };
}

/// The store, as the cases take it.
pub fn shared(store: impl TokenStore) -> Arc<dyn TokenStore> {
    Arc::new(store)
}

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);
const RUNNERS: usize = 50;

fn id(id: &str) -> ConnectionId {
    ConnectionId::new(id)
}

fn ids(connections: &[Connection]) -> Vec<&str> {
    connections.iter().map(|connection| connection.id.as_str()).collect()
}

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
    conflict(store.put(&Connection { scopes: vec!["stale".into()], ..read }).await);
    conflict(store.put(&Connection { version: newer.version + 1, ..newer.clone() }).await);
    assert_eq!(ok(store.get(&newer.id).await), Some(newer));
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

/// The second deletion finds nothing, and other connections stay.
pub async fn delete_says_whether_there_was_one(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    ok(store.put(&connection("cn_1", "ada")).await);
    ok(store.put(&connection("cn_2", "ada")).await);
    assert!(ok(store.delete(&id("cn_1")).await));
    assert!(!ok(store.delete(&id("cn_1")).await));
    assert_eq!(ok(store.get(&id("cn_1")).await), None);
    assert_eq!(ids(&ok(store.list(&ConnectionFilter::default()).await)), ["cn_2"]);
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

/// The order is that of the ids' bytes.
pub async fn list_gives_all_in_the_order_of_their_ids(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for id in ["b", "a", "cn_10", "B", "cn_2", "é"] {
        ok(store.put(&connection(id, "ada")).await);
    }
    let listed = ok(store.list(&ConnectionFilter::default()).await);
    assert_eq!(ids(&listed), ["B", "a", "b", "cn_10", "cn_2", "é"]);
    for connection in listed {
        assert_eq!(ok(store.get(&connection.id).await), Some(connection), "listed as it is read");
    }
}

/// The same user id in another tenant is another user.
pub async fn list_filters_by_owner_and_tells_tenants_apart(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for (id, tenant, user) in
        [("1", "acme", "ada"), ("2", "acme", "bob"), ("3", "other", "ada"), ("4", "acme", "ada")]
    {
        ok(store.put(&connection(id, Owner::new(tenant, user))).await);
    }
    ok(store.put(&connection("5", "ada")).await);
    let of = async |owner: Owner| ok(store.list(&ConnectionFilter::of(owner)).await);
    assert_eq!(ids(&of(Owner::new("acme", "ada")).await), ["1", "4"]);
    assert_eq!(ids(&of(Owner::new("other", "ada")).await), ["3"]);
    assert_eq!(ids(&of("ada".into()).await), ["5"]);
    assert_eq!(ids(&of(Owner::new("acme", "eve")).await), <[&str; 0]>::default());
}

/// Alone, and together with the owner.
pub async fn list_filters_by_service(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for (id, user, service) in [("1", "ada", "gmail"), ("2", "ada", "slack"), ("3", "bob", "gmail")] {
        ok(store.put(&Connection { service: service.into(), ..connection(id, user) }).await);
    }
    let all = ConnectionFilter::default().with_service("gmail");
    assert_eq!(ids(&ok(store.list(&all).await)), ["1", "3"]);
    let of_ada = ConnectionFilter::of("ada").with_service("gmail");
    assert_eq!(ids(&ok(store.list(&of_ada).await)), ["1"]);
}

/// Each alone, and both together.
pub async fn list_filters_by_tenant_and_by_status(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for (name, tenant, paused) in [("cn_1", "acme", true), ("cn_2", "acme", false), ("cn_3", "other", true)] {
        let mut connection = connection(name, Owner::new(tenant, "ada"));
        if paused {
            connection.status = ConnectionStatus::Paused;
        }
        ok(store.put(&connection).await);
    }
    let acme = ok(store.list(&ConnectionFilter::of_tenant("acme")).await);
    assert_eq!(ids(&acme), ["cn_1", "cn_2"], "of one tenant");
    let paused = ok(store.list(&ConnectionFilter::default().with_status("paused")).await);
    assert_eq!(ids(&paused), ["cn_1", "cn_3"], "of one status");
    let both = ok(store.list(&ConnectionFilter::of_tenant("acme").with_status("paused")).await);
    assert_eq!(ids(&both), ["cn_1"], "of one tenant and one status");
}

/// Page after page gives each one once, with a filter too.
pub async fn list_gives_pages(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for index in 0..25 {
        let user = if index % 5 == 0 { "bob" } else { "ada" };
        ok(store.put(&connection(&format!("cn_{index:02}"), user)).await);
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = ok(store.list(&ConnectionFilter::of("ada").with_page(after, 7)).await);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        after = Some(last.id.clone());
        listed.extend(page);
    }
    let expected: Vec<String> =
        (0..25).filter(|index| index % 5 != 0).map(|index| format!("cn_{index:02}")).collect();
    assert_eq!(ids(&listed), expected);
}

/// While one holds it, nobody else gets it, not even the holder.
pub async fn a_guard_has_one_holder(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let guard = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await);
    assert_eq!(guard.map(|guard| guard.connection), Some(id("cn_1")));
    assert_eq!(ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await), None);
}

/// It is held until just before its time is over, and free at that moment.
pub async fn a_guard_runs_out_by_the_clock(store: Arc<dyn TokenStore>, clock: ManualClock) {
    let first = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await);
    clock.advance(MINUTE - MILLISECOND);
    assert_eq!(ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await), None);
    clock.advance(MILLISECOND);
    let second = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await);
    assert!(second.is_some());
    assert_ne!(first, second, "each acquisition has a holder of its own");
}

/// The next one gets it at once.
pub async fn a_released_guard_is_free(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for _ in 0..3 {
        let Some(guard) = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await) else {
            panic!("the guard was released and is not free");
        };
        ok(store.release_refresh_guard(guard).await);
    }
}

/// Releasing late, or twice, is no error and has no effect.
pub async fn a_guard_that_has_run_out_cannot_release_its_successor(
    store: Arc<dyn TokenStore>,
    clock: ManualClock,
) {
    let Some(late) = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await) else {
        panic!("nobody holds the guard");
    };
    clock.advance(MINUTE);
    let Some(current) = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await) else {
        panic!("the guard has run out and is not free");
    };
    ok(store.release_refresh_guard(late.clone()).await);
    assert_eq!(ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await), None);
    ok(store.release_refresh_guard(current).await);
    assert!(ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await).is_some());
    ok(store.release_refresh_guard(late).await);
}

/// Each connection has its own.
pub async fn guards_of_connections_are_independent(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    let first = ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await);
    let second = ok(store.acquire_refresh_guard(&id("cn_2"), MINUTE).await);
    assert!(first.is_some() && second.is_some());
    if let Some(first) = first {
        ok(store.release_refresh_guard(first).await);
    }
    assert_eq!(ok(store.acquire_refresh_guard(&id("cn_2"), MINUTE).await), None);
}

async fn one_holder(store: &Arc<dyn TokenStore>) {
    let guards = at_once(RUNNERS, |_| {
        let store = Arc::clone(store);
        async move { ok(store.acquire_refresh_guard(&id("cn_1"), MINUTE).await) }
    })
    .await;
    assert_eq!(guards.iter().flatten().count(), 1);
}

/// Of many that try at once, one gets it.
pub async fn acquiring_a_guard_at_once_has_one_winner(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    one_holder(&store).await;
}

/// The same where somebody has held it and never released it.
pub async fn acquiring_a_guard_that_has_run_out_at_once_has_one_winner(
    store: Arc<dyn TokenStore>,
    clock: ManualClock,
) {
    for _ in 0..3 {
        one_holder(&store).await;
        clock.advance(MINUTE);
    }
}

//! Are those connections listed that are asked for, in their order?

use std::sync::Arc;

use integrations_core::auth::{ConnectionFilter, TokenStore};
use integrations_core::clock::ManualClock;
use integrations_core::connection::{Connection, ConnectionStatus, Owner};

use super::super::{connection, ok};
use super::{id, ids};

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

/// Page after page gives each one once, with a filter too, however many it holds back in a row.
pub async fn list_gives_pages(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for index in 0..25 {
        let user = if (5..15).contains(&index) { "bob" } else { "ada" };
        ok(store.put(&connection(&format!("cn_{index:02}"), user)).await);
    }
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let page = ok(store.list(&ConnectionFilter::of("ada").with_page(after.clone(), 7)).await);
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 7);
        assert!(after.is_none_or(|after| page.iter().all(|connection| connection.id > after)));
        after = Some(last.id.clone());
        listed.extend(page);
    }
    let expected: Vec<String> =
        (0..25).filter(|index| !(5..15).contains(index)).map(|index| format!("cn_{index:02}")).collect();
    assert_eq!(ids(&listed), expected);
}

/// A page is named by an id, whether or not there still is such a connection.
pub async fn list_goes_on_behind_what_was_deleted(store: Arc<dyn TokenStore>, _clock: ManualClock) {
    for id in ["cn_1", "cn_2", "cn_3", "cn_4"] {
        ok(store.put(&connection(id, "ada")).await);
    }
    ok(store.delete(&id("cn_2")).await);
    let page = ConnectionFilter::default().with_page(Some(id("cn_2")), 1);
    assert_eq!(ids(&ok(store.list(&page).await)), ["cn_3"]);
}

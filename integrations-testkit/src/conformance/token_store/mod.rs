//! Does a [`TokenStore`] keep its promises?

mod guards;
mod listing;
mod writing;

use std::sync::Arc;

use integrations_core::auth::TokenStore;
use integrations_core::connection::{Connection, ConnectionId};

pub use self::guards::*;
pub use self::listing::*;
pub use self::writing::*;

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
    (@ $($how:tt)+) => {
        $crate::__conformance_suite!(token_store, $($how)+, [
            an_unknown_connection_is_not_there,
            put_creates_a_connection_and_keeps_every_field,
            put_does_not_create_what_is_there,
            put_writes_over_the_version_that_it_has_read,
            put_over_another_version_writes_nothing,
            put_of_a_version_that_is_not_there_writes_nothing,
            creating_at_once_has_one_winner,
            writing_at_once_has_one_winner,
            writing_others_at_once_is_no_conflict,
            delete_says_whether_there_was_one,
            deleting_at_once_has_one_winner,
            a_deleted_connection_can_come_back,
            a_version_from_before_a_deletion_is_stale,
            list_gives_all_in_the_order_of_their_ids,
            list_filters_by_owner_and_tells_tenants_apart,
            list_filters_by_service,
            list_filters_by_tenant_and_by_status,
            list_gives_pages,
            list_goes_on_behind_what_was_deleted,
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

crate::token_store_conformance!(@ cases TokenStore);

/// The store, as the cases take it.
pub fn shared(store: impl TokenStore) -> Arc<dyn TokenStore> {
    Arc::new(store)
}

const RUNNERS: usize = 50;

fn id(id: &str) -> ConnectionId {
    ConnectionId::new(id)
}

fn ids(connections: &[Connection]) -> Vec<&str> {
    connections.iter().map(|connection| connection.id.as_str()).collect()
}

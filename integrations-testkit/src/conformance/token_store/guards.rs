//! Does one alone hold the right to refresh, and for no longer than it may?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::auth::TokenStore;
use integrations_core::clock::ManualClock;

use super::super::{at_once, ok};
use super::{RUNNERS, id};

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);

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

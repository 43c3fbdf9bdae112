//! Does a [`KeyValueStore`] keep its promises?

use std::sync::Arc;
use std::time::Duration;

use integrations_core::cache::KeyValueStore;
use integrations_core::clock::ManualClock;

use super::{at_once, ok};

/// Expands to a module `key_value_store` with a test per promise of
/// [`KeyValueStore`](integrations_core::cache::KeyValueStore); see [`conformance`](crate::conformance).
#[macro_export]
macro_rules! key_value_store_conformance {
    ($make:ident $(, ignore = $reason:literal)?) => {
        $crate::key_value_store_conformance!(@ store => store, $make $(, ignore = $reason)?);
    };
    ($make:ident, with guard $(, ignore = $reason:literal)?) => {
        $crate::key_value_store_conformance!(@ (store, _guard) => store, $make $(, ignore = $reason)?);
    };
    (@ $($how:tt)+) => {
        $crate::__conformance_suite!(key_value_store, $($how)+, [
            an_unknown_key_has_no_value,
            a_value_comes_back_as_it_was_put,
            put_replaces_value_and_time_to_live,
            putting_at_once_leaves_one_value_with_its_time_to_live,
            a_value_is_gone_when_its_time_is_over,
            a_value_without_time_to_live_is_never_there,
            a_very_long_time_to_live_is_no_error,
            keys_are_told_apart_exactly,
            put_if_absent_leaves_what_is_there,
            put_if_absent_takes_the_place_of_an_expired_value,
            put_if_absent_has_one_winner,
            put_if_absent_on_an_expired_value_has_one_winner,
            take_gives_the_value_once,
            take_does_not_give_an_expired_value,
            take_has_one_winner,
            many_expired_values_do_not_come_back,
        ]);
    };
}

crate::key_value_store_conformance!(@ cases KeyValueStore);

/// The store, as the cases take it.
pub fn shared(store: impl KeyValueStore) -> Arc<dyn KeyValueStore> {
    Arc::new(store)
}

const MINUTE: Duration = Duration::from_secs(60);
const MILLISECOND: Duration = Duration::from_millis(1);
const RUNNERS: usize = 50;

/// What was never put is not there, for `get` and `take`.
pub async fn an_unknown_key_has_no_value(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    assert_eq!(ok(store.get("key").await), None);
    assert_eq!(ok(store.take("key").await), None);
}

/// Any bytes come back unchanged, none and those that are no text among them.
pub async fn a_value_comes_back_as_it_was_put(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    for value in [b"".as_slice(), b"text", b"\0\xff\xfe", &all_bytes, &all_bytes.repeat(500)] {
        ok(store.put("key", value, MINUTE).await);
        assert_eq!(ok(store.get("key").await).as_deref(), Some(value));
    }
}

/// The later `put` counts, with its own time to live.
pub async fn put_replaces_value_and_time_to_live(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    ok(store.put("key", b"old", MINUTE).await);
    clock.advance(MINUTE / 2);
    ok(store.put("key", b"new", MINUTE).await);
    clock.advance(MINUTE - MILLISECOND);
    assert_eq!(ok(store.get("key").await).as_deref(), Some(b"new".as_slice()));
    clock.advance(MILLISECOND);
    assert_eq!(ok(store.get("key").await), None);
    ok(store.put("key", b"long", 10 * MINUTE).await);
    ok(store.put("key", b"short", MINUTE).await);
    clock.advance(MINUTE);
    assert_eq!(ok(store.get("key").await), None, "the shorter time to live counts");
}

/// Of many that put at once, one is the last, with both.
pub async fn putting_at_once_leaves_one_value_with_its_time_to_live(
    store: Arc<dyn KeyValueStore>,
    clock: ManualClock,
) {
    at_once(RUNNERS, |runner| {
        let (store, minutes) = (Arc::clone(&store), 1 + u32::try_from(runner).unwrap_or(0));
        async move { ok(store.put("key", &minutes.to_be_bytes(), minutes * MINUTE).await) }
    })
    .await;
    let last = ok(store.get("key").await).and_then(|value| <[u8; 4]>::try_from(value).ok());
    let Some(minutes) = last.map(u32::from_be_bytes) else { panic!("the value is none of those put") };
    clock.advance(minutes * MINUTE - MILLISECOND);
    assert!(ok(store.get("key").await).is_some());
    clock.advance(MILLISECOND);
    assert_eq!(ok(store.get("key").await), None);
}

/// It is there until just before its time to live is over, and not at that moment or later.
pub async fn a_value_is_gone_when_its_time_is_over(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    ok(store.put("key", b"value", MINUTE).await);
    clock.advance(MINUTE - MILLISECOND);
    assert_eq!(ok(store.get("key").await).as_deref(), Some(b"value".as_slice()));
    clock.advance(MILLISECOND);
    assert_eq!(ok(store.get("key").await), None);
    clock.advance(1000 * MINUTE);
    assert_eq!(ok(store.get("key").await), None);
}

/// A time to live of zero is over at once.
pub async fn a_value_without_time_to_live_is_never_there(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    ok(store.put("key", b"value", Duration::ZERO).await);
    assert_eq!(ok(store.get("key").await), None);
    assert!(ok(store.put_if_absent("key", b"value", MINUTE).await));
}

/// A hundred years are as good as for ever.
pub async fn a_very_long_time_to_live_is_no_error(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    ok(store.put("key", b"value", 100 * 366 * 24 * 60 * MINUTE).await);
    clock.advance(99 * 365 * 24 * 60 * MINUTE);
    assert_eq!(ok(store.get("key").await).as_deref(), Some(b"value".as_slice()));
}

/// Keys that differ in case, in a space, in a wildcard or in their end alone are different keys.
pub async fn keys_are_told_apart_exactly(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    let [long, other] = ["k", "y"].map(|end| "k".repeat(499) + end);
    let keys = ["key", "KEY", "key ", " key", "k%", "k_y", "", "ключ", "k'y", "k:e:y", &long, &other];
    for key in keys {
        assert!(ok(store.put_if_absent(key, key.as_bytes(), MINUTE).await), "{key:?}");
    }
    for key in keys {
        assert_eq!(ok(store.take(key).await).as_deref(), Some(key.as_bytes()), "{key:?}");
    }
}

/// It changes neither the value nor its time to live, and says so.
pub async fn put_if_absent_leaves_what_is_there(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    assert!(ok(store.put_if_absent("key", b"first", MINUTE).await));
    assert!(!ok(store.put_if_absent("key", b"second", 10 * MINUTE).await));
    assert_eq!(ok(store.get("key").await).as_deref(), Some(b"first".as_slice()));
    clock.advance(MINUTE);
    assert_eq!(ok(store.get("key").await), None);
}

/// What is expired is as good as absent.
pub async fn put_if_absent_takes_the_place_of_an_expired_value(
    store: Arc<dyn KeyValueStore>,
    clock: ManualClock,
) {
    ok(store.put("key", b"old", MINUTE).await);
    clock.advance(MINUTE - MILLISECOND);
    assert!(!ok(store.put_if_absent("key", b"new", MINUTE).await));
    clock.advance(MILLISECOND);
    assert!(ok(store.put_if_absent("key", b"new", MINUTE).await));
    assert_eq!(ok(store.get("key").await).as_deref(), Some(b"new".as_slice()));
}

/// Of many that try at once, one writes, and its value stays.
pub async fn put_if_absent_has_one_winner(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    one_winner(&store).await;
}

/// The same where an expired value is in the way.
pub async fn put_if_absent_on_an_expired_value_has_one_winner(
    store: Arc<dyn KeyValueStore>,
    clock: ManualClock,
) {
    ok(store.put("key", b"old", MINUTE).await);
    clock.advance(MINUTE);
    one_winner(&store).await;
}

async fn one_winner(store: &Arc<dyn KeyValueStore>) {
    let won = at_once(RUNNERS, |runner| {
        let store = Arc::clone(store);
        async move { ok(store.put_if_absent("key", runner.to_string().as_bytes(), MINUTE).await) }
    })
    .await;
    let winners: Vec<usize> = (0..RUNNERS).filter(|runner| won[*runner]).collect();
    assert_eq!(winners.len(), 1, "{winners:?} have won");
    assert_eq!(ok(store.get("key").await), Some(winners[0].to_string().into_bytes()));
}

/// What was taken is gone, for every call.
pub async fn take_gives_the_value_once(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    ok(store.put("key", b"value", MINUTE).await);
    assert_eq!(ok(store.take("key").await).as_deref(), Some(b"value".as_slice()));
    assert_eq!(ok(store.take("key").await), None);
    assert_eq!(ok(store.get("key").await), None);
    assert!(ok(store.put_if_absent("key", b"value", MINUTE).await));
}

/// At the very moment at which its time is over, it is not given any more.
pub async fn take_does_not_give_an_expired_value(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    ok(store.put("early", b"value", MINUTE).await);
    ok(store.put("late", b"value", MINUTE).await);
    clock.advance(MINUTE - MILLISECOND);
    assert!(ok(store.take("early").await).is_some());
    clock.advance(MILLISECOND);
    assert_eq!(ok(store.take("late").await), None);
}

/// Of many that take at once, one gets the value.
pub async fn take_has_one_winner(store: Arc<dyn KeyValueStore>, _clock: ManualClock) {
    ok(store.put("key", b"value", MINUTE).await);
    let taken = at_once(RUNNERS, |_| {
        let store = Arc::clone(&store);
        async move { ok(store.take("key").await) }
    })
    .await;
    assert_eq!(taken.iter().flatten().count(), 1);
}

/// Clearing them away, whenever the store does it, touches no other value.
pub async fn many_expired_values_do_not_come_back(store: Arc<dyn KeyValueStore>, clock: ManualClock) {
    ok(store.put("stays", b"value", 100 * MINUTE).await);
    for index in 0..200 {
        ok(store.put(&format!("goes-{index}"), b"value", MINUTE).await);
    }
    clock.advance(MINUTE);
    for index in 0..20 {
        ok(store.put(&format!("new-{index}"), b"value", MINUTE).await);
    }
    for index in 0..200 {
        assert_eq!(ok(store.get(&format!("goes-{index}")).await), None);
    }
    for index in 0..20 {
        assert!(ok(store.get(&format!("new-{index}")).await).is_some());
    }
    assert!(ok(store.get("stays").await).is_some());
}

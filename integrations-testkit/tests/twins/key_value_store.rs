//! Can every case of the suite `key_value_store` fail?

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use integrations_core::Result;
use integrations_core::cache::KeyValueStore;
use integrations_core::clock::{Clock, ManualClock};
use integrations_testkit::conformance;
use integrations_testkit::conformance::key_value_store::CASES;

use super::{flaws, gap};

flaws!(KeyValueStore of Twin {
    /// What nobody has put is an empty value.
    UnknownIsEmpty: [an_unknown_key_has_no_value],
    /// Values are kept as text.
    ValuesAreText: [a_value_comes_back_as_it_was_put],
    /// An empty value is none.
    EmptyIsNone: [a_value_comes_back_as_it_was_put],
    /// A second `put` changes nothing.
    FirstValueStays: [put_replaces_value_and_time_to_live],
    /// A second `put` changes the value alone.
    FirstTimeToLiveStays: [put_replaces_value_and_time_to_live],
    /// A second `put` may make the time to live longer, not shorter.
    LongestTimeToLiveStays: [put_replaces_value_and_time_to_live],
    /// Value and time to live are written one after the other.
    PutIsTwoSteps: [putting_at_once_leaves_one_value_with_its_time_to_live],
    /// A value is there at the moment at which its time is over.
    EndIsInclusive: [
        put_replaces_value_and_time_to_live,
        a_value_is_gone_when_its_time_is_over,
        put_if_absent_takes_the_place_of_an_expired_value,
        take_does_not_give_an_expired_value,
    ],
    /// Times are counted in whole minutes, rounded down.
    TimesAreRounded: [a_value_is_gone_when_its_time_is_over, take_does_not_give_an_expired_value],
    /// What has expired is read as long as nobody has cleared it away.
    GetGivesExpired: [a_value_is_gone_when_its_time_is_over, many_expired_values_do_not_come_back],
    /// No time to live stands for ever.
    ZeroIsForEver: [a_value_without_time_to_live_is_never_there],
    /// A time to live of more than thirty days is taken for an instant that is long over.
    MonthsAreOver: [a_very_long_time_to_live_is_no_error],
    /// Keys that differ in case are the same.
    KeysFoldCase: [keys_are_told_apart_exactly],
    /// Keys that differ in spaces at their ends are the same.
    KeysAreTrimmed: [keys_are_told_apart_exactly],
    /// Long keys are cut off.
    KeysAreCut: [keys_are_told_apart_exactly],
    /// A wildcard in a key stands for others.
    KeysArePatterns: [keys_are_told_apart_exactly],
    /// What is there is replaced, though it is said that it is not.
    PutIfAbsentReplaces: [put_if_absent_leaves_what_is_there],
    /// What is there lives as long as what was not put.
    PutIfAbsentRenews: [put_if_absent_leaves_what_is_there],
    /// It is always said that there was none.
    PutIfAbsentSaysYes: [put_if_absent_leaves_what_is_there, put_if_absent_has_one_winner],
    /// What has expired is in the way.
    PutIfAbsentSeesExpired: [
        put_if_absent_takes_the_place_of_an_expired_value,
        put_if_absent_on_an_expired_value_has_one_winner,
        a_value_without_time_to_live_is_never_there,
    ],
    /// Looking and writing are two steps.
    PutIfAbsentIsTwoSteps: [put_if_absent_has_one_winner],
    /// Looking and writing are two steps where something has expired.
    ReplacingExpiredIsTwoSteps: [put_if_absent_on_an_expired_value_has_one_winner],
    /// What is taken stays.
    TakeLeavesIt: [take_gives_the_value_once, take_has_one_winner],
    /// What is taken is in the way of another.
    TakeLeavesAMark: [take_gives_the_value_once],
    /// What has expired is taken.
    TakeGivesExpired: [take_does_not_give_an_expired_value],
    /// Reading and deleting are two steps.
    TakeIsTwoSteps: [take_has_one_winner],
    /// Once there are many, all are cleared away.
    ClearingTakesAll: [many_expired_values_do_not_come_back],
});

#[derive(Debug)]
struct Twin {
    clock: Arc<ManualClock>,
    flaw: Option<Flaw>,
    values: Mutex<HashMap<String, Entry>>,
    puts: AtomicUsize,
}

#[derive(Debug, Clone, Default)]
struct Entry {
    value: Vec<u8>,
    until: Duration,
    taken: bool,
}

impl Twin {
    fn new(clock: Arc<ManualClock>, flaw: Option<Flaw>) -> Self {
        Self { clock, flaw, values: Mutex::default(), puts: AtomicUsize::new(0) }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn values(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.values.lock().unwrap()
    }

    fn key(&self, key: &str) -> String {
        match self.flaw {
            Some(Flaw::KeysFoldCase) => key.to_lowercase(),
            Some(Flaw::KeysAreTrimmed) => key.trim().into(),
            Some(Flaw::KeysAreCut) => key.chars().take(255).collect(),
            Some(Flaw::KeysArePatterns) => key.replace('_', "e"),
            _ => key.into(),
        }
    }

    fn entry(&self, value: &[u8], ttl: Duration) -> Entry {
        let mut entry =
            Entry { value: value.to_vec(), until: self.clock.monotonic() + ttl, ..Entry::default() };
        match self.flaw {
            Some(Flaw::ValuesAreText) => entry.value = String::from_utf8_lossy(value).into_owned().into(),
            Some(Flaw::ZeroIsForEver) if ttl.is_zero() => entry.until = Duration::MAX,
            Some(Flaw::MonthsAreOver) if ttl > Duration::from_hours(30 * 24) => entry.until = Duration::ZERO,
            Some(Flaw::TimesAreRounded) => {
                entry.until = Duration::from_secs(entry.until.as_secs() / 60 * 60);
            }
            _ => {}
        }
        entry
    }

    fn lives(&self, entry: &Entry) -> bool {
        let now = self.clock.monotonic();
        now < entry.until || (self.has(Flaw::EndIsInclusive) && now == entry.until)
    }
}

#[async_trait]
impl KeyValueStore for Twin {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let values = self.values();
        let Some(entry) = values.get(&self.key(key)).filter(|entry| !entry.taken) else {
            return Ok(self.has(Flaw::UnknownIsEmpty).then(Vec::new));
        };
        let there = (self.lives(entry) || self.has(Flaw::GetGivesExpired))
            && !(self.has(Flaw::EmptyIsNone) && entry.value.is_empty());
        Ok(there.then(|| entry.value.clone()))
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        let (key, mut entry) = (self.key(key), self.entry(value, ttl));
        if self.has(Flaw::PutIsTwoSteps) {
            self.values().insert(key.clone(), entry.clone());
            // The first to come is the last to go on.
            for _ in self.puts.fetch_add(1, Ordering::SeqCst)..100 {
                tokio::task::yield_now().await;
            }
            self.values().entry(key).or_default().until = entry.until;
            return Ok(());
        }
        let mut values = self.values();
        if self.has(Flaw::ClearingTakesAll) && values.len() > 100 {
            values.clear();
        }
        if let Some(old) = values.get(&key).filter(|old| self.lives(old)) {
            match self.flaw {
                Some(Flaw::FirstValueStays) => return Ok(()),
                Some(Flaw::FirstTimeToLiveStays) => entry.until = old.until,
                Some(Flaw::LongestTimeToLiveStays) => entry.until = entry.until.max(old.until),
                _ => {}
            }
        }
        values.insert(key, entry);
        Ok(())
    }

    async fn put_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        let (key, entry) = (self.key(key), self.entry(value, ttl));
        let two_steps = {
            let mut values = self.values();
            let expired = match values.get_mut(&key) {
                Some(old) if old.taken => return Ok(false),
                Some(old) if self.lives(old) => {
                    match self.flaw {
                        Some(Flaw::PutIfAbsentReplaces) => *old = entry,
                        Some(Flaw::PutIfAbsentRenews) => old.until = entry.until,
                        _ => {}
                    }
                    return Ok(self.has(Flaw::PutIfAbsentSaysYes));
                }
                Some(_) if self.has(Flaw::PutIfAbsentSeesExpired) => return Ok(false),
                old => old.is_some(),
            };
            self.has(Flaw::PutIfAbsentIsTwoSteps) || (expired && self.has(Flaw::ReplacingExpiredIsTwoSteps))
        };
        if two_steps {
            gap().await;
        }
        self.values().insert(key, entry);
        Ok(true)
    }

    async fn take(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let key = self.key(key);
        let Some(entry) = self.values().get(&key).filter(|entry| !entry.taken).cloned() else {
            return Ok(None);
        };
        if self.has(Flaw::TakeIsTwoSteps) {
            gap().await;
        }
        match self.flaw {
            Some(Flaw::TakeLeavesIt) => {}
            Some(Flaw::TakeLeavesAMark) => self.values().entry(key).or_default().taken = true,
            _ => drop(self.values().remove(&key)),
        }
        Ok((self.lives(&entry) || self.has(Flaw::TakeGivesExpired)).then_some(entry.value))
    }
}

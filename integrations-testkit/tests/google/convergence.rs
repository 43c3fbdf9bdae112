//! A client that follows the protocol ends up with what the calendar holds, whatever happens between
//! its pages.

use std::collections::BTreeMap;

use integrations_testkit::google::FakeGoogle;
use serde_json::{Value, json};

use super::{berlin, builder, clock, list};

/// A small generator: the order of edits must be the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn edit(fake: &FakeGoogle, dice: &mut Dice) {
    let known = fake.event_ids("primary");
    let pick = dice.roll(known.len().max(1));
    match (dice.roll(6), known.get(pick)) {
        (0 | 1, Some(id)) => {
            fake.patch_event("primary", id, json!({"summary": dice.roll(1_000).to_string()}));
        }
        (2, Some(id)) => fake.delete_event("primary", id),
        (3, Some(id)) if !id.contains('_') => {
            let start = format!("2026-04-{:02}T09:00:00Z", 1 + dice.roll(28));
            if dice.roll(2) == 0 {
                fake.cancel_instance("primary", id, &start);
            } else {
                fake.override_instance("primary", id, &start, json!({"summary": "moved"}));
            }
        }
        _ => drop(fake.insert_event("primary", json!({"recurrence": ["RRULE:FREQ=DAILY"]}))),
    }
}

/// One sync from a token, or in full; edits happen before every page.
async fn sync(
    fake: &FakeGoogle,
    dice: &mut Dice,
    mirror: &mut BTreeMap<String, Value>,
    from: Option<&str>,
    edits: bool,
) -> String {
    if from.is_none() {
        mirror.clear();
    }
    let mut page_token = None::<String>;
    loop {
        let size = (1 + dice.roll(5)).to_string();
        let mut query = vec![("maxResults", size.as_str())];
        query.extend(from.map(|token| ("syncToken", token)));
        query.extend(page_token.as_deref().map(|token| ("pageToken", token)));
        let (status, page) = list(fake, &query).await;
        assert_eq!(status, 200, "{page}");
        for item in page["items"].as_array().unwrap() {
            let id = item["id"].as_str().unwrap().to_owned();
            if item["status"] == "cancelled" {
                mirror.remove(&id);
                if item.get("recurringEventId").is_none() {
                    // The exceptions of a series go with it, unannounced.
                    mirror.retain(|_, event| event["recurringEventId"].as_str() != Some(&id));
                }
            } else {
                mirror.insert(id, item.clone());
            }
        }
        if let Some(token) = page["nextSyncToken"].as_str() {
            return token.to_owned();
        }
        page_token = Some(page["nextPageToken"].as_str().unwrap().to_owned());
        for _ in 0..if edits { dice.roll(4) } else { 0 } {
            edit(fake, dice);
        }
    }
}

#[tokio::test]
async fn a_mirror_converges_whatever_is_edited_between_its_pages() {
    for seed in 0..6 {
        let empty_pages = seed % 2 == 0;
        let fake = builder(&clock()).calendar(berlin(12)).empty_pages(empty_pages).start().await;
        let (mut dice, mut mirror) = (Dice(seed), BTreeMap::new());
        let mut token = sync(&fake, &mut dice, &mut mirror, None, true).await;
        for _ in 0..8 {
            token = sync(&fake, &mut dice, &mut mirror, Some(&token), true).await;
            edit(&fake, &mut dice);
        }
        sync(&fake, &mut dice, &mut mirror, Some(&token), false).await;

        let mut live = fake.event_ids("primary");
        live.sort_unstable();
        assert_eq!(mirror.keys().cloned().collect::<Vec<_>>(), live, "seed {seed}");
        assert_eq!(fake.live_events("primary"), live.len() as u64);
        for (id, event) in &mirror {
            assert_eq!(fake.event("primary", id).as_ref(), Some(event), "seed {seed}");
        }
        let mut full = BTreeMap::new();
        sync(&fake, &mut dice, &mut full, None, false).await;
        assert_eq!(full, mirror, "seed {seed}");
    }
}

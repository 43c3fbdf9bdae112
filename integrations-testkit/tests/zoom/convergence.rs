//! Whatever happens to meetings, a client that lists, gets, and asks after what is missing has it in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use integrations_testkit::zoom::SeriesRows;
use serde_json::json;

use super::*;

/// A small generator: the order of acts must be the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn act(fake: &FakeZoom, clock: &ManualClock, dice: &mut Dice) {
    let ids = fake.meeting_ids();
    let topic = dice.roll(1_000).to_string();
    let start = format!("2026-03-{:02}T{:02}:00:00Z", 1 + dice.roll(28), dice.roll(24));
    let picked = ids.get(dice.roll(ids.len().max(1))).copied();
    let occurrences = picked.map(|id| fake.occurrence_ids(id)).unwrap_or_default();
    let one = occurrences.get(dice.roll(occurrences.len().max(1)));
    match (dice.roll(11), picked, one) {
        (0 | 1, ..) | (_, None, _) => drop(fake.create_meeting(json!({"topic": topic, "start_time": start}))),
        (2, ..) => drop(fake.create_meeting(json!({
            "type": 8, "topic": topic, "start_time": start, "timezone": "America/New_York",
            "recurrence": {"type": 1, "repeat_interval": 2, "end_times": 1 + dice.roll(6)},
        }))),
        (3, Some(id), _) => fake.update_meeting(id, json!({"topic": topic})),
        (4, Some(id), _) => fake.update_meeting(id, json!({"duration": 15 + dice.roll(90)})),
        (5, Some(id), None) => fake.update_meeting(id, json!({"start_time": start})),
        (6, Some(id), _) => fake.delete_meeting(id),
        (7, Some(id), Some(one)) => fake.update_occurrence(id, one, json!({"start_time": start})),
        (8, Some(id), Some(one)) => fake.delete_occurrence(id, one),
        (9, Some(id), _) => {
            fake.start_meeting(id);
            clock.advance(Duration::from_secs(600));
            drop(fake.end_meeting(id));
        }
        _ => clock.advance(Duration::from_secs(7_200)),
    }
}

type Mirror = BTreeMap<u64, Value>;

/// Lists, gets what is listed, and asks after what is not listed any more before it is forgotten.
async fn pull(fake: &FakeZoom, mirror: &mut Mirror, page_size: &str) {
    let items = drain(fake, "/users/me/meetings", "meetings", &[("page_size", page_size)]).await;
    let listed = items.iter().map(|item| item["id"].as_u64().unwrap());
    let ids: Vec<u64> = listed.chain(mirror.keys().copied()).collect();
    for id in ids {
        let answer = get(fake, &format!("/meetings/{id}"), &[("show_previous_occurrences", "true")]).await;
        if answer.status() == 404 {
            mirror.remove(&id);
        } else {
            mirror.insert(id, answer.json().await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_mirror_converges_whichever_rows_a_series_has() {
    for seed in 0..4 {
        let clock = clock();
        let series = [SeriesRows::Occurrences, SeriesRows::Series][usize::from(seed % 2 == 0)];
        let fake = builder(&clock).series_rows(series).empty_pages(seed >= 2).start().await;
        let (mut dice, mut mirror) = (Dice(seed), Mirror::new());
        for round in 0..8 {
            for _ in 0..=dice.roll(8) {
                act(&fake, &clock, &mut dice);
            }
            let page_size = (1 + dice.roll(5)).to_string();
            pull(&fake, &mut mirror, &page_size).await;
            let ids: Vec<u64> = mirror.keys().copied().collect();
            // A series whose every occurrence was deleted is in no list.
            let listed: Vec<u64> = fake
                .meeting_ids()
                .into_iter()
                .filter(|id| {
                    let meeting = fake.meeting(*id).unwrap();
                    let occurrences = meeting["occurrences"].as_array().cloned().unwrap_or_default();
                    mirror.contains_key(id)
                        || occurrences.is_empty()
                        || occurrences.iter().any(|one| one["status"] == "available")
                })
                .collect();
            assert_eq!(ids, listed, "seed {seed}, round {round}");
            for (id, kept) in &mirror {
                assert_eq!(*kept, fake.meeting(*id).unwrap(), "seed {seed}, round {round}, meeting {id}");
            }
        }
    }
}

//! A client that follows the protocol ends up with what the mailbox holds, whatever happens between its
//! pages.

use std::collections::{BTreeMap, BTreeSet};

use integrations_testkit::msgraph::FolderSpec;

use super::*;

/// A small generator: the order of edits must be the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, from: &'a [String]) -> Option<&'a String> {
        from.get(self.roll(from.len().max(1)))
    }
}

fn edit_calendar(fake: &FakeGraph, dice: &mut Dice) {
    let events = fake.event_ids("Calendar");
    let seen = fake.view_ids("Calendar", START, END);
    let day = |dice: &mut Dice| format!("2026-03-{:02}", 1 + dice.roll(31));
    let moved = |dice: &mut Dice| {
        let day = format!("2026-0{}-{:02}", 3 + dice.roll(2), 1 + dice.roll(28));
        json!({"isAllDay": false, "start": at(&format!("{day}T10:00:00")), "end": at(&format!("{day}T11:00:00"))})
    };
    match (dice.roll(8), dice.pick(&events).cloned(), dice.pick(&seen).cloned()) {
        (0, Some(id), _) => fake.patch_event(&id, json!({"subject": dice.roll(1_000).to_string()})),
        (1, Some(id), _) if fake.event(&id).unwrap()["type"] == "singleInstance" => {
            fake.patch_event(&id, moved(dice));
        }
        (2, Some(id), _) => fake.delete_event(&id),
        (3 | 4, _, Some(id)) if fake.event(&id).unwrap()["seriesMasterId"].is_string() => {
            let change = moved(dice);
            fake.patch_event(&id, if dice.roll(2) == 0 { change } else { json!({"subject": "exception"}) });
        }
        (5, _, Some(id)) if fake.event(&id).unwrap()["seriesMasterId"].is_string() => fake.delete_event(&id),
        (6, ..) => {
            let day = day(dice);
            let daily = json!({
                "pattern": {"type": "daily", "interval": 1 + dice.roll(3)},
                "range": {"type": "numbered", "startDate": day, "numberOfOccurrences": 5},
            });
            let event = json!({"recurrence": daily, "start": at(&format!("{day}T08:00:00")), "end": at(&format!("{day}T09:00:00"))});
            fake.insert_event("Calendar", event);
        }
        _ => {
            let event = moved(dice);
            fake.insert_event("Calendar", event);
        }
    }
}

/// One round, applied as the protocol asks for: a series comes with all of its occurrences, and an occurrence
/// that does not come with it is gone.
async fn sync(
    fake: &FakeGraph,
    dice: &mut Dice,
    mirror: &mut BTreeMap<String, Value>,
    from: Option<&str>,
    edits: bool,
) -> String {
    if from.is_none() {
        mirror.clear();
    }
    let fresh = format!("{}/v1.0/me/calendarView/delta?startDateTime={START}&endDateTime={END}", fake.url());
    let mut link = from.map_or(fresh, str::to_owned);
    let (mut round, mut series, mut gone) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let end = loop {
        let prefer = format!("odata.maxpagesize={}, {IMMUTABLE}", 1 + dice.roll(6));
        let (status, page) = follow(&link, &prefer).await;
        assert_eq!(status, 200, "{page}");
        for item in page["value"].as_array().unwrap() {
            let id = text(item, "id");
            if item.get("@removed").is_some() {
                round.remove(&id);
                gone.insert(id);
                continue;
            }
            series.extend(item["seriesMasterId"].as_str().map(str::to_owned));
            if item["type"] == "seriesMaster" {
                series.insert(id.clone());
            }
            gone.remove(&id);
            round.insert(id, item.clone());
        }
        if let Some(link) = page["@odata.deltaLink"].as_str() {
            break link.to_owned();
        }
        link = text(&page, "@odata.nextLink");
        for _ in 0..if edits { dice.roll(3) } else { 0 } {
            edit_calendar(fake, dice);
        }
    };
    let belongs = |event: &Value, to: &BTreeSet<String>| {
        event["seriesMasterId"].as_str().is_some_and(|id| to.contains(id))
    };
    mirror.retain(|id, event| !gone.contains(id) && !belongs(event, &gone) && !belongs(event, &series));
    mirror.extend(round.into_iter().filter(|(_, event)| !belongs(event, &gone)));
    end
}

#[tokio::test]
async fn a_mirror_of_a_calendar_converges() {
    for seed in 0..8 {
        let fake = builder(&clock())
            .calendar(berlin(6))
            .empty_pages(seed % 2 == 0)
            .repeated_items(seed % 3 == 0)
            .announce_removed_occurrences(seed % 4 == 1)
            .without_masters(seed % 4 == 2)
            .whole_series(seed % 4 == 3)
            .start()
            .await;
        let (mut dice, mut mirror) = (Dice(seed), BTreeMap::new());
        let mut link = sync(&fake, &mut dice, &mut mirror, None, true).await;
        for _ in 0..8 {
            link = sync(&fake, &mut dice, &mut mirror, Some(&link), true).await;
            edit_calendar(&fake, &mut dice);
        }
        sync(&fake, &mut dice, &mut mirror, Some(&link), false).await;
        let masters = seed % 4 != 2;
        let mut live = fake.view_ids("Calendar", START, END);
        live.retain(|id| masters || fake.event(id).unwrap()["type"] != "seriesMaster");
        live.sort_unstable();
        assert_eq!(mirror.keys().cloned().collect::<Vec<_>>(), live, "seed {seed}");
        for (id, event) in &mirror {
            let shown = fake.event(id).unwrap();
            for field in event.as_object().unwrap().keys().filter(|field| *field != "@odata.type") {
                assert_eq!(event[field], shown[field], "seed {seed}: {field}");
            }
        }
        let mut full = BTreeMap::new();
        sync(&fake, &mut dice, &mut full, None, false).await;
        assert_eq!(full, mirror, "seed {seed}");
    }
}

const FOLDERS: [&str; 3] = ["inbox", "archive", "deleteditems"];

fn edit_mail(fake: &FakeGraph, dice: &mut Dice) {
    let folder = FOLDERS[dice.roll(3)];
    let ids = fake.message_ids(folder);
    match (dice.roll(6), dice.pick(&ids)) {
        (0 | 1, Some(id)) => fake.mark_read(id, dice.roll(2) == 0),
        (2 | 3, Some(id)) => fake.move_message(id, FOLDERS[dice.roll(3)]),
        (4, Some(id)) => fake.delete_message(id),
        _ => drop(fake.insert_message(folder, json!({"subject": dice.roll(1_000).to_string()}))),
    }
}

#[tokio::test]
async fn mirrors_of_folders_converge_by_either_kind_of_id() {
    for seed in 0..6 {
        let immutable = seed % 2 == 0;
        let inbox = FolderSpec::well_known("inbox").generated(9);
        let fake = builder(&clock()).folder(inbox).empty_pages(seed % 3 == 0).start().await;
        let mut dice = Dice(seed);
        let mut mirrors: [BTreeMap<String, Value>; 3] = Default::default();
        let mut links =
            FOLDERS.map(|folder| format!("{}/v1.0/me/mailFolders/{folder}/messages/delta", fake.url()));
        for round in 0..8 {
            for (mirror, link) in mirrors.iter_mut().zip(&mut links) {
                loop {
                    let prefer = format!("odata.maxpagesize={}", 1 + dice.roll(4));
                    let prefer = if immutable { format!("{prefer}, {IMMUTABLE}") } else { prefer };
                    let (status, page) = follow(link, &prefer).await;
                    assert_eq!(status, 200, "{page}");
                    for item in page["value"].as_array().unwrap() {
                        if item.get("@removed").is_some() {
                            mirror.remove(&text(item, "id"));
                        } else {
                            mirror.insert(text(item, "id"), item.clone());
                        }
                    }
                    if round < 7 {
                        edit_mail(&fake, &mut dice);
                    }
                    if let Some(end) = page["@odata.deltaLink"].as_str() {
                        end.clone_into(link);
                        break;
                    }
                    *link = text(&page, "@odata.nextLink");
                }
            }
        }
        for (mirror, folder) in mirrors.iter().zip(FOLDERS) {
            let name = |id: &String| if immutable { id.clone() } else { fake.usual_id(id) };
            let mut live: Vec<String> = fake.message_ids(folder).iter().map(name).collect();
            live.sort_unstable();
            assert_eq!(mirror.keys().cloned().collect::<Vec<_>>(), live, "seed {seed} {folder}");
            for (id, message) in mirror {
                let shown = fake.message(id).unwrap();
                assert_eq!(
                    (&message["isRead"], &message["changeKey"]),
                    (&shown["isRead"], &shown["changeKey"])
                );
            }
            assert_eq!(fake.live_messages(folder), live.len() as u64);
        }
    }
}

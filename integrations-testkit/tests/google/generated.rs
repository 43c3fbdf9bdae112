//! Events that are made up on the way out.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Offset as _};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{berlin, builder, clock, drain, ids, list};

#[tokio::test]
async fn ten_thousand_events_come_once_each_and_make_sense() {
    let fake = builder(&clock()).calendar(berlin(10_000)).page_cap(999).start().await;
    let (items, _) = drain(&fake, &[("maxResults", "2500")]).await;
    assert_eq!(ids(&items).into_iter().collect::<HashSet<_>>().len(), 10_000);
    assert_eq!(fake.items_served(), 10_000);
    assert_eq!(fake.count("events.list"), 11);

    let share = |test: &dyn Fn(&Value) -> bool| items.iter().filter(|item| test(item)).count() / 100;
    assert!((8..=12).contains(&share(&|item| item["start"].get("date").is_some())));
    assert!((8..=12).contains(&share(&|item| item.get("recurrence").is_some())));
    assert!((27..=33).contains(&share(&|item| item.get("conferenceData").is_some())));
    assert!(share(&|item| item.get("attendees").is_some()) > 40);
    let bytes: usize = items.iter().map(|item| item.to_string().len()).sum();
    assert!((900..=1_200).contains(&(bytes / items.len())), "{} bytes an event", bytes / items.len());

    let near = |item: &Value| {
        let start = item["start"]["dateTime"].as_str().or(item["start"]["date"].as_str()).unwrap();
        let day: NaiveDate = start[..10].parse().unwrap();
        (day - NaiveDate::from_ymd_opt(2026, 3, 1).unwrap()).num_days().abs() <= 14
    };
    assert!(share(&near) > 40);
    for item in &items {
        check(item);
    }
}

/// What must hold for any event: offsets belong to the zone, ends come after starts.
fn check(item: &Value) {
    if let (Some(start), Some(end)) = (item["start"]["dateTime"].as_str(), item["end"]["dateTime"].as_str()) {
        let zone: Tz = item["start"]["timeZone"].as_str().unwrap().parse().unwrap();
        let (start, end) =
            (DateTime::parse_from_rfc3339(start).unwrap(), DateTime::parse_from_rfc3339(end).unwrap());
        assert!(start < end, "{item}");
        for time in [start, end] {
            assert_eq!(time.with_timezone(&zone).offset().fix(), *time.offset(), "{item}");
        }
    } else {
        let date = |field: &str| item[field]["date"].as_str().unwrap().parse::<NaiveDate>().unwrap();
        assert!(date("start") < date("end"), "{item}");
    }
    let time = |field: &str| DateTime::parse_from_rfc3339(item[field].as_str().unwrap()).unwrap();
    assert!(time("created") <= time("updated"), "{item}");
    assert!(item["htmlLink"].as_str().unwrap().is_ascii());
    let attendees = item["attendees"].as_array().map_or(&[][..], Vec::as_slice);
    let people: HashSet<_> = attendees.iter().map(|person| person["email"].as_str().unwrap()).collect();
    assert_eq!(people.len(), attendees.len(), "{item}");
}

#[tokio::test]
async fn the_same_seed_makes_the_same_events_and_another_makes_others() {
    let items = async |seed| {
        let fake = builder(&clock()).calendar(berlin(50)).seed(seed).start().await;
        drain(&fake, &[]).await.0
    };
    let first = items(7).await;
    assert_eq!(first, items(7).await);
    assert_ne!(ids(&first), ids(&items(8).await));
}

#[tokio::test]
async fn a_generated_event_can_be_changed_and_deleted() {
    let fake = builder(&clock()).calendar(berlin(20)).start().await;
    let (before, sync) = drain(&fake, &[]).await;
    let known = fake.event_ids("primary");
    assert_eq!(ids(&before), known);
    fake.patch_event("primary", &known[3], json!({"summary": "patched"}));
    fake.delete_event("primary", &known[4]);

    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&changes), [&known[3], &known[4]]);
    assert_eq!((&changes[0]["summary"], &changes[1]["status"]), (&json!("patched"), &json!("cancelled")));
    assert_eq!(changes[0]["start"], before[3]["start"]);
    assert_ne!(changes[0]["etag"], before[3]["etag"]);
    let (after, _) = drain(&fake, &[]).await;
    assert_eq!((after.len(), fake.live_events("primary")), (19, 19));
    assert_eq!(after[3]["summary"], "patched");
}

#[tokio::test]
async fn a_window_over_many_events_finds_the_same_as_a_look_at_each() {
    let fake = builder(&clock()).calendar(berlin(2_000)).start().await;
    let (min, max) = ("2026-03-01T00:00:00Z", "2026-03-08T00:00:00Z");
    let bound = |text: &str| DateTime::parse_from_rfc3339(text).unwrap();
    let (all, _) = drain(&fake, &[]).await;
    let timed_once =
        |item: &&Value| item.get("recurrence").is_none() && item["start"].get("dateTime").is_some();
    let wanted: Vec<_> = all
        .iter()
        .filter(timed_once)
        .filter(|item| bound(item["end"]["dateTime"].as_str().unwrap()) > bound(min))
        .filter(|item| bound(item["start"]["dateTime"].as_str().unwrap()) < bound(max))
        .cloned()
        .collect();
    let (found, _) = drain(&fake, &[("timeMin", min), ("timeMax", max), ("maxResults", "30")]).await;
    let found: Vec<_> = found.iter().filter(timed_once).cloned().collect();
    assert!(wanted.len() > 100);
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_window_that_is_far_away_gives_empty_pages_instead_of_a_long_search() {
    let fake = builder(&clock()).calendar(berlin(120_000)).start().await;
    let query = [("timeMin", "2001-01-01T00:00:00Z"), ("timeMax", "2001-02-01T00:00:00Z")];
    let (_, page) = list(&fake, &query).await;
    assert_eq!(page["items"], json!([]));
    assert!(page["nextPageToken"].is_string());
    assert!(drain(&fake, &query).await.0.is_empty());
}

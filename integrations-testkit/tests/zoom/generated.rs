//! What is made up.

use std::collections::BTreeSet;

use super::*;

const MEETINGS: u64 = 300;

async fn full(seed: u64) -> FakeZoom {
    builder(&clock()).seed(seed).generated_meetings(MEETINGS).start().await
}

#[tokio::test]
async fn what_is_made_up_depends_on_the_seed_alone() {
    let listed = async |seed: u64| drain(&full(seed).await, "/users/me/meetings", "meetings", &[]).await;
    let first = listed(1).await;
    assert_eq!(first, listed(1).await);
    assert_ne!(first, listed(2).await);
}

#[tokio::test]
async fn there_is_a_bit_of_everything() {
    let fake = full(1).await;
    let items = drain(&fake, "/users/me/meetings", "meetings", &[("page_size", "300")]).await;
    let number = |item: &Value, field: &str| item[field].as_u64().unwrap();
    let kinds: BTreeSet<_> = items.iter().map(|item| number(item, "type")).collect();
    assert_eq!(kinds, BTreeSet::from([2, 3, 8]));
    let ids: BTreeSet<_> = items.iter().map(|item| number(item, "id")).collect();
    assert_eq!(ids, fake.meeting_ids().into_iter().collect::<BTreeSet<_>>());
    assert!(ids.len() as u64 > MEETINGS * 9 / 10 && ids.len() < items.len(), "{} {}", ids.len(), items.len());
    let upcoming = rows(&fake, "upcoming").await.len();
    let previous = rows(&fake, "previous_meetings").await.len();
    assert_eq!(upcoming + previous, items.len());
    assert!(upcoming > previous && previous > 10, "{upcoming} {previous}");
    assert!(items.iter().any(|item| item.get("agenda").is_some() && item.get("pmi").is_some()));
    assert!(items.iter().any(|item| !item["topic"].as_str().unwrap().is_ascii()));

    // Whatever is listed is there by itself, with the time of the row among its own.
    for item in items.iter().step_by(7) {
        let path = format!("/meetings/{}", number(item, "id"));
        let meeting = ok(&fake, &path, &[("show_previous_occurrences", "true")]).await;
        assert_eq!((&meeting["uuid"], &meeting["topic"]), (&item["uuid"], &item["topic"]));
        if number(item, "type") == 8 {
            let starts = all(meeting["occurrences"].as_array().unwrap(), "start_time")
                .contains(&item["start_time"].as_str().unwrap());
            assert!(starts, "{item}");
        } else {
            assert_eq!(meeting.get("start_time"), item.get("start_time"));
        }
    }
}

#[tokio::test]
async fn what_lies_in_the_past_took_place() {
    let fake = full(1).await;
    let (mut sessions, mut participants) = (0, 0);
    for id in fake.meeting_ids() {
        let instances = ok(&fake, &format!("/past_meetings/{id}/instances"), &[]).await;
        let uuids: Vec<_> =
            all(instances["meetings"].as_array().unwrap(), "uuid").into_iter().map(str::to_owned).collect();
        assert_eq!(uuids, fake.session_uuids(id));
        for uuid in uuids {
            let path = format!("/past_meetings/{}", twice(&uuid));
            let past = ok(&fake, &path, &[]).await;
            assert_eq!((past["uuid"].as_str(), past["id"].as_u64()), (Some(uuid.as_str()), Some(id)));
            assert!(past["end_time"].as_str().unwrap() <= "2026-03-01T09:00:00Z");
            let people = drain(&fake, &format!("{path}/participants"), "participants", &[]).await;
            let count = past["participants_count"].as_u64().unwrap();
            assert_eq!(people.len() as u64, if count == 1 { 0 } else { count });
            sessions += 1;
            participants += people.len();
        }
    }
    assert!(sessions > 20 && participants > sessions, "{sessions} {participants}");
    let month = [("from", "2026-02-01"), ("to", "2026-03-01")];
    let recorded = drain(&fake, "/users/me/recordings", "meetings", &month).await;
    assert_eq!(all(&recorded, "uuid"), fake.recorded());
    assert!(recorded.len() > 5 && recorded.len() < sessions, "{}", recorded.len());
}

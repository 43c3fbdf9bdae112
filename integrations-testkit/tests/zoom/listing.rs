//! Which meetings are listed, and when.

use std::time::Duration;

use integrations_testkit::zoom::SeriesRows;
use serde_json::json;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn daily() -> Value {
    json!({
        "type": 8, "start_time": "2026-02-28T12:00:00Z", "timezone": "UTC", "duration": 30,
        "recurrence": {"type": 1, "end_times": 4},
    })
}

#[tokio::test]
async fn a_meeting_moves_from_upcoming_to_previous_when_it_is_over() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-01T09:30:00Z", "duration": 30}));
    let row = vec![(id, "2026-03-01T09:30:00Z".to_owned())];
    for listed in ["scheduled", "upcoming", "upcoming_meetings"] {
        assert_eq!(rows(&fake, listed).await, row, "{listed}");
    }
    for listed in ["live", "previous_meetings"] {
        assert_eq!(rows(&fake, listed).await, [], "{listed}");
    }
    clock.advance(HOUR - Duration::from_secs(1));
    assert_eq!(rows(&fake, "upcoming").await, row);
    fake.start_meeting(id);
    clock.advance(HOUR);
    assert_eq!((rows(&fake, "live").await, rows(&fake, "upcoming").await), (row.clone(), row.clone()));
    assert_eq!(rows(&fake, "previous_meetings").await, []);
    fake.end_meeting(id);
    assert_eq!((rows(&fake, "live").await, rows(&fake, "upcoming").await), (vec![], vec![]));
    for listed in ["scheduled", "previous_meetings"] {
        assert_eq!(rows(&fake, listed).await, row, "{listed}");
    }
    clock.advance(HOUR * 24 * 30);
    assert_eq!(rows(&fake, "scheduled").await, [], "it has expired");
}

#[tokio::test]
async fn instant_meetings_and_personal_rooms_are_never_listed() {
    let fake = start().await;
    let instant = fake.create_meeting(json!({"type": 1}));
    fake.start_meeting(fake.personal_room(fake.user()));
    for listed in ["scheduled", "live", "upcoming", "previous_meetings"] {
        assert_eq!(rows(&fake, listed).await, [], "{listed}");
    }
    assert!(fake.meeting(instant).is_some());
}

#[tokio::test]
async fn a_series_has_a_row_for_each_occurrence_or_one() {
    let at = |day: u32| format!("2026-{}T12:00:00Z", ["02-28", "03-01", "03-02", "03-03"][day as usize]);
    let starts = async |fake: &FakeZoom, listed: &str| -> Vec<String> {
        rows(fake, listed).await.into_iter().map(|(_, start)| start).collect()
    };
    let clock = clock();
    let fake = builder(&clock).meeting(daily()).start().await;
    let id = fake.meeting_ids()[0];
    fake.delete_occurrence(id, &fake.occurrence_ids(id)[2]);
    assert_eq!(starts(&fake, "upcoming").await, [at(1), at(3)]);
    assert_eq!(starts(&fake, "previous_meetings").await, [at(0)]);
    assert_eq!(starts(&fake, "scheduled").await, [at(0), at(1), at(3)]);
    clock.advance(HOUR * 4);
    fake.start_meeting(id);
    assert_eq!(starts(&fake, "live").await, [at(1)]);

    let clock = self::clock();
    let fake = builder(&clock).series_rows(SeriesRows::Series).meeting(daily()).start().await;
    assert_eq!(starts(&fake, "upcoming").await, [at(1)]);
    assert_eq!(starts(&fake, "previous_meetings").await, Vec::<String>::new());
    clock.advance(HOUR * 24 * 5);
    assert_eq!(starts(&fake, "upcoming").await, Vec::<String>::new());
    assert_eq!(starts(&fake, "previous_meetings").await, [at(3)]);
    assert_eq!(starts(&fake, "scheduled").await, [at(3)]);
}

#[tokio::test]
async fn a_meeting_without_a_time_is_always_to_come() {
    let fake = start().await;
    let id = fake.create_meeting(json!({"type": 3, "topic": "Whenever"}));
    for listed in ["scheduled", "upcoming"] {
        assert_eq!(rows(&fake, listed).await, [(id, String::new())]);
    }
    assert_eq!(rows(&fake, "previous_meetings").await, []);
    // It is in no range of days.
    let days = [("type", "upcoming"), ("from", "2026-01-01"), ("to", "2027-01-01")];
    assert!(drain(&fake, "/users/me/meetings", "meetings", &days).await.is_empty());
}

#[tokio::test]
async fn days_are_those_of_the_zone_that_is_named() {
    let fake = start().await;
    let late = fake.create_meeting(json!({"start_time": "2026-03-10T23:30:00Z"}));
    let listed = async |query: Query<'_>| -> Vec<u64> {
        let items = drain(&fake, "/users/me/meetings", "meetings", query).await;
        items.iter().map(|item| item["id"].as_u64().unwrap()).collect()
    };
    assert_eq!(listed(&[("from", "2026-03-10"), ("to", "2026-03-10")]).await, [late]);
    assert!(listed(&[("from", "2026-03-11")]).await.is_empty());
    let berlin = ("timezone", "Europe/Berlin");
    assert_eq!(listed(&[("from", "2026-03-11"), berlin]).await, [late]);
    assert!(listed(&[("to", "2026-03-10"), berlin]).await.is_empty());
    assert_eq!(
        refused(&fake, "/users/me/meetings", &[("from", "2026-03-11"), ("to", "2026-03-10")]).await,
        (400, 300)
    );
    assert_eq!(refused(&fake, "/users/me/meetings", &[("from", "yesterday")]).await, (400, 300));
    assert_eq!(
        refused(&fake, "/users/me/meetings", &[("from", "2026-03-11"), ("timezone", "Mars")]).await,
        (400, 300)
    );
}

#[tokio::test]
async fn a_row_has_the_fields_of_a_row_and_a_short_agenda() {
    let fake = start().await;
    fake.create_meeting(json!({
        "start_time": "2026-03-10T09:00:00Z", "agenda": "ä".repeat(400), "settings": {"use_pmi": true},
    }));
    fake.create_meeting(json!({"type": 3}));
    let items = drain(&fake, "/users/me/meetings", "meetings", &[]).await;
    let fields = |item: &Value| item.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        fields(&items[0]),
        ["created_at", "duration", "host_id", "id", "join_url", "timezone", "topic", "type", "uuid"]
    );
    assert_eq!(items[1]["agenda"].as_str().unwrap().chars().count(), 250);
    let pmi = ok(&fake, "/users/me", &[]).await["pmi"].as_u64().unwrap();
    assert_eq!(items[1]["pmi"], pmi.to_string(), "a text in a meeting, and a number in a user");
}

#[tokio::test]
async fn raw_rows_and_repeated_ones_come_last() {
    let fake = start().await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-10T09:00:00Z"}));
    fake.repeat_meeting(id);
    fake.raw_meeting(r#"{"id":"no number"}"#);
    let items =
        drain(&fake, "/users/me/meetings", "meetings", &[("type", "upcoming"), ("page_size", "1")]).await;
    assert_eq!(items.len(), 3);
    assert_eq!(items[0], items[1]);
    assert_eq!(items[2], json!({"id": "no number"}));
}

//! Single events: fields, zones, bodies, ids.

use std::time::Duration;

use super::*;

async fn shown(fake: &FakeGraph, id: &str, prefer: &str) -> Value {
    let answer =
        request(fake, &format!("/v1.0/me/events/{id}")).header("prefer", prefer).send().await.unwrap();
    assert_eq!(answer.headers()["preference-applied"], prefer);
    let (status, body) = read(answer).await;
    assert_eq!(status, 200, "{body}");
    body
}

#[tokio::test]
async fn an_event_has_what_exchange_fills_in() {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let id = fake.insert_event(
        "Calendar",
        json!({
            "subject": "Lunch", "start": at("2026-03-10T12:00:00"), "end": at("2026-03-10T13:00:00"),
            "location": {"displayName": "Harry's Bar"}, "isOnlineMeeting": true, "aFieldOfTomorrow": [1],
        }),
    );
    let (status, event) = get(&fake, &format!("/v1.0/me/events/{id}"), &[]).await;
    assert_eq!(status, 200);
    for (field, value) in [
        ("id", json!(id)),
        ("type", json!("singleInstance")),
        ("seriesMasterId", Value::Null),
        ("recurrence", Value::Null),
        ("start", json!({"dateTime": "2026-03-10T11:00:00.0000000", "timeZone": "UTC"})),
        ("originalStartTimeZone", json!("W. Europe Standard Time")),
        ("createdDateTime", json!("2026-03-01T09:00:00.0000000Z")),
        ("organizer", json!({"emailAddress": {"name": "Ada Lovelace", "address": "ada@example.com"}})),
        ("responseStatus", json!({"response": "organizer", "time": "0001-01-01T00:00:00Z"})),
        ("showAs", json!("busy")),
        ("sensitivity", json!("normal")),
        ("onlineMeetingProvider", json!("teamsForBusiness")),
        ("aFieldOfTomorrow", json!([1])),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    let key = text(&event, "changeKey");
    assert_eq!(event["@odata.etag"], format!("W/\"{key}\""));
    assert_eq!(event["locations"][0]["displayName"], "Harry's Bar");
    assert!(
        text(&event["onlineMeeting"], "joinUrl").starts_with("https://teams.microsoft.com/l/meetup-join/")
    );
    assert!(event.get("originalStart").is_none() && event.get("cancelledOccurrences").is_none());
    let mut same = event;
    same.as_object_mut().unwrap().remove("@odata.context");
    assert_eq!(fake.event(&id), Some(same));
}

#[tokio::test]
async fn times_are_told_in_the_zone_that_is_asked_for() {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let id = fake.insert_event(
        "Calendar",
        json!({"start": at("2026-07-10T23:30:00"), "end": at("2026-07-11T00:30:00")}),
    );
    let day = fake.insert_event(
        "Calendar",
        json!({"isAllDay": true, "start": at("2026-03-29T00:00:00"), "end": at("2026-03-30T00:00:00")}),
    );
    for (zone, time) in [
        ("UTC", "2026-07-10T21:30:00.0000000"),
        ("Pacific Standard Time", "2026-07-10T14:30:00.0000000"),
        ("Asia/Kolkata", "2026-07-11T03:00:00.0000000"),
    ] {
        let prefer = format!("outlook.timezone=\"{zone}\"");
        assert_eq!(shown(&fake, &id, &prefer).await["start"], json!({"dateTime": time, "timeZone": zone}));
        let all_day = shown(&fake, &day, &prefer).await;
        assert_eq!(all_day["start"]["dateTime"], "2026-03-29T00:00:00.0000000", "{zone}");
        assert_eq!(all_day["end"]["dateTime"], "2026-03-30T00:00:00.0000000", "{zone}");
    }
    let odd = request(&fake, "/v1.0/me/events").header("prefer", "outlook.timezone=\"Moon Standard Time\"");
    let (status, body) = read(odd.send().await.unwrap()).await;
    assert_eq!((status, code(&body)), (400, "TimeZoneNotSupportedException"));
    fake.insert_event("Calendar", json!({"originalStartTimeZone": "tzone://Microsoft/Custom"}));
    let (_, events) = get(&fake, "/v1.0/me/events", &[]).await;
    assert_eq!(events["value"][2]["originalStartTimeZone"], "tzone://Microsoft/Custom");
}

#[tokio::test]
async fn a_body_comes_as_html_or_as_text() {
    let fake = builder(&clock()).start().await;
    let written = json!({"contentType": "html", "content": "<html><body><p>a &amp; b</p></body></html>"});
    let html = fake.insert_event("Calendar", json!({"body": written}));
    let plain = fake.insert_event("Calendar", json!({"body": {"contentType": "text", "content": "a & b"}}));
    let text = r#"outlook.body-content-type="text""#;
    let as_text = shown(&fake, &html, text).await;
    assert_eq!(as_text["body"], json!({"contentType": "text", "content": "a & b\r\n"}));
    assert_eq!(as_text["bodyPreview"], "a & b");
    assert_eq!(fake.event(&html).unwrap()["body"], written);
    assert_eq!(fake.event(&plain).unwrap()["body"]["contentType"], "text");
    let as_html = shown(&fake, &plain, r#"outlook.body-content-type="html""#).await;
    assert!(as_html["body"]["content"].as_str().unwrap().contains("a &amp; b"), "{as_html}");
}

#[tokio::test]
async fn select_leaves_out_what_it_does_not_name() {
    let fake = builder(&clock()).calendar(berlin(3)).start().await;
    fake.insert_event("Calendar", json!({"subject": "x", "unknown": 1}));
    let (_, page) = get(&fake, "/v1.0/me/events", &[("$select", "subject,start")]).await;
    for event in page["value"].as_array().unwrap() {
        let mut names: Vec<_> = event.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["@odata.etag", "id", "start", "subject"]);
    }
    assert_eq!(page["value"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn an_event_that_moves_to_another_calendar_keeps_only_its_immutable_id() {
    let fake = builder(&clock()).calendar(berlin(1)).calendar(CalendarSpec::new("Team")).start().await;
    let id = fake.event_ids("Calendar")[0].clone();
    let usual = fake.usual_id(&id);
    let (_, link) = month(&fake, IMMUTABLE).await;
    fake.move_event(&id, "Team");
    assert_eq!(get(&fake, &format!("/v1.0/me/events/{id}"), &[]).await.0, 200);
    let (status, body) = get(&fake, &format!("/v1.0/me/events/{usual}"), &[]).await;
    assert_eq!((status, code(&body)), (404, "ErrorItemNotFound"));
    assert_ne!(fake.usual_id(&id), usual);
    assert_eq!((fake.live_events("Calendar"), fake.event_ids("Team")), (0, vec![id.clone()]));
    let (gone, _) = drain(&link, IMMUTABLE).await;
    assert_eq!(
        gone,
        [json!({"@odata.type": "#microsoft.graph.event", "id": id, "@removed": {"reason": "deleted"}})]
    );
    let (gone, _) = drain(&link, "odata.maxpagesize=5").await;
    assert_eq!(ids(&gone), [&usual], "without the preference it is told by the id that is known");
}

#[tokio::test]
async fn a_change_makes_a_new_etag_and_a_deleted_event_is_not_found() {
    let clock = clock();
    let fake = builder(&clock).calendar(berlin(1)).start().await;
    let id = fake.event_ids("Calendar")[0].clone();
    let before = fake.event(&id).unwrap();
    clock.advance(Duration::from_mins(5));
    fake.patch_event(&id, json!({}));
    let after = fake.event(&id).unwrap();
    assert_eq!(after["lastModifiedDateTime"], "2026-03-01T09:05:00.0000000Z");
    for field in before.as_object().unwrap().keys() {
        let changes = ["@odata.etag", "changeKey", "lastModifiedDateTime"].contains(&field.as_str());
        assert_eq!(before[field] == after[field], !changes, "{field}");
    }
    fake.cancel_event(&id);
    let cancelled = fake.event(&id).unwrap();
    assert_eq!((&cancelled["isCancelled"], &cancelled["showAs"]), (&json!(true), &json!("free")));
    fake.delete_event(&id);
    let (status, body) = get(&fake, &format!("/v1.0/me/events/{id}"), &[]).await;
    assert_eq!((status, code(&body)), (404, "ErrorItemNotFound"));
    assert_eq!((fake.event(&id), fake.live_events("Calendar")), (None, 0));
}

#[tokio::test]
async fn what_graph_refuses_in_an_event_is_a_panic() {
    let fake = builder(&clock()).start().await;
    let mut late = standup();
    late["recurrence"]["range"]["startDate"] = json!("2026-03-03");
    let mut odd = standup();
    odd["recurrence"]["pattern"]["type"] = json!("hourly");
    let noon =
        json!({"isAllDay": true, "start": at("2026-03-03T12:00:00"), "end": at("2026-03-04T12:00:00")});
    let backwards = json!({"start": at("2026-03-03T12:00:00"), "end": at("2026-03-03T11:00:00")});
    for event in [late, odd, noon, backwards, json!("text")] {
        let insert = std::panic::AssertUnwindSafe(|| fake.insert_event("Calendar", event.clone()));
        assert!(std::panic::catch_unwind(insert).is_err(), "{event}");
    }
    assert_eq!(fake.live_events("Calendar"), 0);
}

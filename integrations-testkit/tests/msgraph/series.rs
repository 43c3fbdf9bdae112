//! Series: occurrences, exceptions, cancellations.

use super::*;

async fn with_standup() -> (FakeGraph, String) {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let series = fake.insert_event("Calendar", standup());
    (fake, series)
}

async fn instances(fake: &FakeGraph, series: &str, end: &str) -> Vec<Value> {
    let window = [("startDateTime", START), ("endDateTime", end), ("$top", "100")];
    let (status, mut page) = get(fake, &format!("/v1.0/me/events/{series}/instances"), &window).await;
    assert_eq!(status, 200, "{page}");
    let Value::Array(instances) = page["value"].take() else { panic!("no instances") };
    instances
}

fn starts(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["start"]["dateTime"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn occurrences_stay_at_their_hour_and_have_everything_of_their_series() {
    let (fake, series) = with_standup().await;
    let all = instances(&fake, &series, "2026-04-07T00:00:00Z").await;
    let hours = ["02T08", "09T08", "16T08", "23T08", "30T07"];
    let expected: Vec<String> = hours.iter().map(|hour| format!("2026-03-{hour}:00:00.0000000")).collect();
    assert_eq!(starts(&all)[..5], expected);
    assert_eq!(starts(&all)[5], "2026-04-06T07:00:00.0000000");
    let master = fake.event(&series).unwrap();
    for (occurrence, day) in all.iter().zip(["02", "09", "16", "23", "30"]) {
        for field in ["subject", "organizer", "body", "changeKey", "originalStartTimeZone"] {
            assert_eq!(occurrence[field], master[field], "{field}");
        }
        assert_eq!(
            (&occurrence["type"], &occurrence["seriesMasterId"]),
            (&json!("occurrence"), &json!(series))
        );
        assert_eq!((&occurrence["recurrence"], &master["type"]), (&Value::Null, &json!("seriesMaster")));
        let hour = if day == "30" { "07" } else { "08" };
        assert_eq!(occurrence["originalStart"], format!("2026-03-{day}T{hour}:00:00Z"));
        let (own, whole) = (text(occurrence, "iCalUId"), text(&master, "iCalUId"));
        let stamp = format!("07EA03{:02X}", day.parse::<u8>().unwrap());
        assert_eq!(
            own,
            format!("{}{stamp}{}", &whole[..32], &whole[40..]),
            "the day stands in the global id"
        );
        let id = text(occurrence, "id");
        assert_eq!(id, fake.occurrence_id(&series, &format!("2026-03-{day}")));
        assert_eq!(fake.event(&id).as_ref(), Some(occurrence));
    }
}

#[tokio::test]
async fn an_occurrence_that_is_changed_becomes_an_exception_and_one_that_is_cancelled_is_gone() {
    let (fake, series) = with_standup().await;
    let moved = fake.change_occurrence(
        &series,
        "2026-03-09",
        json!({"subject": "Late", "start": at("2026-03-10T15:00:00"), "end": at("2026-03-10T16:00:00")}),
    );
    let cancelled = fake.cancel_occurrence(&series, "2026-03-16");
    let all = instances(&fake, &series, END).await;
    assert_eq!(all.len(), 4);
    let exception = &all[1];
    assert_eq!((text(exception, "id"), text(exception, "type")), (moved.clone(), "exception".to_owned()));
    assert_eq!(exception["start"]["dateTime"], "2026-03-10T14:00:00.0000000");
    assert_eq!(
        (&exception["originalStart"], &exception["subject"]),
        (&json!("2026-03-09T08:00:00Z"), &json!("Late"))
    );
    let (status, body) = get(&fake, &format!("/v1.0/me/events/{cancelled}"), &[]).await;
    assert_eq!((status, code(&body)), (404, "ErrorItemNotFound"));

    let path = format!("/v1.0/me/events/{series}");
    let (_, master) =
        get(&fake, &path, &[("$select", "cancelledOccurrences"), ("$expand", "exceptionOccurrences")]).await;
    assert_eq!(master["cancelledOccurrences"], json!([format!("OID.{series}.2026-03-16")]));
    assert_eq!(master["exceptionOccurrences"].as_array().unwrap(), std::slice::from_ref(exception));

    fake.patch_event(&series, json!({"subject": "Stand-up", "location": {"displayName": "Room 1"}}));
    let all = instances(&fake, &series, END).await;
    assert_eq!((&all[0]["subject"], &all[1]["subject"]), (&json!("Stand-up"), &json!("Late")));
    assert_eq!(all[1]["location"]["displayName"], "Room 1", "what was not changed follows the series");
    fake.delete_event(&moved);
    assert_eq!(instances(&fake, &series, END).await.len(), 3);
    fake.delete_event(&series);
    assert_eq!(get(&fake, &format!("/v1.0/me/events/{moved}"), &[]).await.0, 404);
    let only_series = get(&fake, "/v1.0/me/events/instances", &[]).await;
    assert_eq!(only_series.0, 400);
}

#[tokio::test]
async fn every_pattern_is_expanded_and_told_as_it_was_written() {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let rows = [
        (json!({"type": "daily", "interval": 10}), "2026-03-05", vec!["03-05", "03-15", "03-25", "04-04"]),
        (
            json!({"type": "weekly", "interval": 2, "daysOfWeek": ["sunday", "tuesday"], "firstDayOfWeek": "monday"}),
            "2026-03-03",
            vec!["03-03", "03-08", "03-17", "03-22", "03-31", "04-05"],
        ),
        (
            json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}),
            "2026-03-31",
            vec!["03-31", "04-30"],
        ),
        (
            json!({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["friday"], "index": "last"}),
            "2026-03-27",
            vec!["03-27", "04-24"],
        ),
        (
            json!({"type": "absoluteYearly", "interval": 1, "month": 4, "dayOfMonth": 1}),
            "2026-04-01",
            vec!["04-01"],
        ),
        (
            json!({"type": "relativeYearly", "interval": 1, "month": 3, "daysOfWeek": ["sunday", "saturday"], "index": "first"}),
            "2026-03-01",
            vec!["03-01"],
        ),
    ];
    for (pattern, first, days) in rows {
        let at = |hour: &str| json!({"dateTime": format!("{first}T{hour}:00:00"), "timeZone": "UTC"});
        let recurrence = json!({"pattern": pattern, "range": {"type": "numbered", "startDate": first, "numberOfOccurrences": 6}});
        let event = json!({"start": at("09"), "end": at("10"), "recurrence": recurrence});
        let series = fake.insert_event("Calendar", event);
        let all = instances(&fake, &series, "2026-05-01T00:00:00Z").await;
        let expected: Vec<String> = days.iter().map(|day| format!("2026-{day}T09:00:00.0000000")).collect();
        assert_eq!(starts(&all)[..days.len().min(all.len())], expected, "{pattern}");
        let told = &fake.event(&series).unwrap()["recurrence"];
        for (name, value) in pattern.as_object().unwrap() {
            assert_eq!(&told["pattern"][name], value, "{name}");
        }
        assert_eq!(told["range"]["recurrenceTimeZone"], "UTC");
        assert_eq!(
            (&told["range"]["numberOfOccurrences"], &told["range"]["endDate"]),
            (&json!(6), &json!("0001-01-01"))
        );
    }
}

#[tokio::test]
async fn a_view_is_by_start_and_everything_is_in_full() {
    let (fake, series) = with_standup().await;
    let lunch = fake.insert_event(
        "Calendar",
        json!({"subject": "Lunch", "start": at("2026-03-10T12:00:00"), "end": at("2026-03-10T13:00:00")}),
    );
    let away = fake.change_occurrence(
        &series,
        "2026-03-16",
        json!({"start": at("2026-05-01T09:00:00"), "end": at("2026-05-01T09:15:00")}),
    );
    let window =
        [("startDateTime", START), ("endDateTime", END), ("$orderby", "start/dateTime"), ("$top", "3")];
    let (_, first) = get(&fake, "/v1.0/me/calendarView", &window).await;
    let (_, second) = follow(first["@odata.nextLink"].as_str().unwrap(), IMMUTABLE).await;
    let all: Vec<Value> =
        [&first, &second].iter().flat_map(|page| page["value"].as_array().unwrap().clone()).collect();
    assert!(starts(&all).is_sorted() && second.get("@odata.nextLink").is_none());
    assert_eq!(all.len(), 5);
    assert_eq!((text(&all[2], "id"), text(&all[2], "subject")), (lunch, "Lunch".to_owned()));
    assert!(all.iter().all(|event| event["subject"].is_string() && event["type"] != "seriesMaster"));
    assert!(!ids(&all).contains(&away.as_str()));
    let may = [("startDateTime", "2026-05-01T00:00:00+02:00"), ("endDateTime", "2026-05-02T00:00:00+02:00")];
    assert_eq!(ids(get(&fake, "/v1.0/me/calendarView", &may).await.1["value"].as_array().unwrap()), [&away]);
    let (status, body) = get(&fake, &format!("/v1.0/me/events/{away}/instances"), &may).await;
    assert_eq!((status, code(&body)), (400, "ErrorInvalidRequest"));
}

#[tokio::test]
async fn an_all_day_series_keeps_its_days() {
    let fake = builder(&clock()).start().await;
    let series = fake.insert_event(
        "Calendar",
        json!({
            "isAllDay": true,
            "start": at("2026-03-28T00:00:00"), "end": at("2026-03-30T00:00:00"),
            "recurrence": {
                "pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 28},
                "range": {"type": "endDate", "startDate": "2026-03-28", "endDate": "2026-06-27"},
            },
        }),
    );
    let all = instances(&fake, &series, "2027-01-01T00:00:00Z").await;
    let days = ["2026-03-28", "2026-04-28", "2026-05-28"].map(|day| format!("{day}T00:00:00.0000000"));
    assert_eq!(starts(&all), days);
    assert_eq!(all[0]["end"]["dateTime"], "2026-03-30T00:00:00.0000000");
    assert_eq!(all[1]["originalStart"], "2026-04-28T00:00:00Z");
}

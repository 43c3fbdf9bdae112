//! Delta rounds over a calendar.

use integrations_testkit::msgraph::SyncLoss;

use super::*;

fn removed(id: &str, reason: &str) -> Value {
    json!({"@odata.type": "#microsoft.graph.event", "id": id, "@removed": {"reason": reason}})
}

fn lunch(day: &str) -> Value {
    json!({"subject": "Lunch", "start": at(&format!("{day}T12:00:00")), "end": at(&format!("{day}T13:00:00"))})
}

async fn with_events() -> (FakeGraph, String, String) {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let series = fake.insert_event("Calendar", standup());
    let single = fake.insert_event("Calendar", lunch("2026-03-10"));
    (fake, series, single)
}

#[tokio::test]
async fn a_full_round_has_series_and_single_events_in_full_and_occurrences_as_stubs() {
    let (fake, series, single) = with_events().await;
    let moved = fake.change_occurrence(&series, "2026-03-09", json!({"subject": "Late"}));
    let (items, _) = month(&fake, "odata.maxpagesize=3, IdType=\"ImmutableId\"").await;
    let kinds: Vec<String> = items.iter().map(|item| text(item, "type")).collect();
    assert_eq!(
        kinds,
        [
            "seriesMaster",
            "occurrence",
            "exception",
            "occurrence",
            "occurrence",
            "occurrence",
            "singleInstance"
        ]
    );
    assert_eq!(ids(&items), fake.view_ids("Calendar", START, END));
    assert_eq!(
        (items[0]["id"].as_str(), items[6]["id"].as_str()),
        (Some(series.as_str()), Some(single.as_str()))
    );
    let stub = json!({
        "@odata.type": "#microsoft.graph.event",
        "@odata.etag": items[0]["@odata.etag"],
        "id": fake.occurrence_id(&series, "2026-03-02"),
        "seriesMasterId": series,
        "type": "occurrence",
        "start": {"dateTime": "2026-03-02T08:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2026-03-02T08:15:00.0000000", "timeZone": "UTC"},
    });
    assert_eq!(items[1], stub);
    assert_eq!((items[2]["id"].as_str(), &items[2]["subject"]), (Some(moved.as_str()), &json!("Late")));
    for full in [0, 2, 6] {
        let mut shown = fake.event(items[full]["id"].as_str().unwrap()).unwrap();
        shown["@odata.type"] = json!("#microsoft.graph.event");
        assert_eq!(items[full], shown);
    }
    assert_eq!((fake.count("calendarView.delta"), fake.items_served()), (3, 7));
}

#[tokio::test]
async fn links_are_opaque_and_each_request_has_its_own_preferences() {
    let (fake, ..) = with_events().await;
    let first = request(&fake, "/v1.0/me/calendarView/delta")
        .query(&[("startdatetime", START), ("enddatetime", END)])
        .header("prefer", "odata.maxpagesize=2")
        .header("prefer", IMMUTABLE)
        .header("prefer", r#"outlook.timezone="Tokyo Standard Time""#);
    let first = first.send().await.unwrap();
    let applied = first.headers()["preference-applied"].to_str().unwrap().to_owned();
    assert!(applied.starts_with("odata.track-changes, odata.maxpagesize=2, IdType"), "{applied}");
    assert!(first.headers().contains_key("request-id"));
    let (_, first) = read(first).await;
    assert_eq!(first["value"][0]["start"]["timeZone"], "Tokyo Standard Time");
    let next = text(&first, "@odata.nextLink");
    assert!(next.starts_with(&format!("{}/v1.0/me/calendarView/delta?$skiptoken=", fake.url())), "{next}");
    let (_, second) = follow(&next, "odata.maxpagesize=1").await;
    let [item] = second["value"].as_array().unwrap().as_slice() else { panic!("{second}") };
    assert_eq!(item["start"]["timeZone"], "UTC");
    let known = fake.usual_id(&fake.view_ids("Calendar", START, END)[2]);
    assert_eq!(text(item, "id"), known, "without the preference the usual ids are back");

    let calendar = fake.calendar_id("Calendar");
    let by_id = format!("/v1.0/me/calendars/{calendar}/calendarView/delta");
    let (_, page) = get(&fake, &by_id, &[("startDateTime", START), ("endDateTime", END)]).await;
    let link = text(&page, "@odata.deltaLink");
    assert!(link.contains(&format!("/me/calendars('{calendar}')/calendarView/delta?$deltatoken=")), "{link}");
    assert_eq!(follow(&link, IMMUTABLE).await.0, 200);
    let log = fake.requests();
    assert_eq!(log.iter().filter(|request| request.page_token).count(), 1);
    assert_eq!(log.iter().filter(|request| request.sync_token).count(), 1);
}

#[tokio::test]
async fn a_round_refuses_what_graph_refuses() {
    let (fake, ..) = with_events().await;
    let window = [("startDateTime", START), ("endDateTime", END)];
    let path = "/v1.0/me/calendarView/delta";
    for (query, expected) in [
        (vec![], "ErrorInvalidParameter"),
        (vec![window[0]], "ErrorInvalidParameter"),
        (vec![window[0], ("endDateTime", "soon")], "ErrorInvalidParameter"),
        (vec![("startDateTime", END), ("endDateTime", START)], "ErrorInvalidParameter"),
        (vec![window[0], window[1], ("$select", "subject")], "ErrorInvalidUrlQuery"),
        (vec![window[0], window[1], ("$expand", "extensions")], "ErrorInvalidUrlQuery"),
        (vec![window[0], window[1], ("$top", "5")], "unsupportedByFake"),
        (vec![("$deltatoken", "garbage")], "SyncStateInvalid"),
        (vec![("$skiptoken", "garbage")], "SyncStateInvalid"),
    ] {
        let (status, body) = get(&fake, path, &query).await;
        assert_eq!((status, code(&body)), (400, expected), "{query:?}");
    }
    let (_, link) = month(&fake, IMMUTABLE).await;
    let (status, body) = follow(&format!("{link}&startDateTime={START}"), IMMUTABLE).await;
    assert_eq!((status, code(&body)), (400, "ErrorInvalidUrlQuery"));
    let (status, body) = follow(&link.replace("deltatoken", "skiptoken"), IMMUTABLE).await;
    assert_eq!((status, code(&body)), (400, "SyncStateInvalid"));
    let elsewhere = fake.add_calendar(CalendarSpec::new("Team"));
    let other = link.replace("/me/calendarView", &format!("/me/calendars('{elsewhere}')/calendarView"));
    assert_eq!(code(&follow(&other, IMMUTABLE).await.1), "SyncStateInvalid", "a token is of one calendar");
}

#[tokio::test]
async fn a_round_of_changes_tells_each_event_once_in_its_latest_state() {
    let (fake, series, single) = with_events().await;
    let (_, link) = month(&fake, IMMUTABLE).await;
    assert_eq!(drain(&link, IMMUTABLE).await.0, [] as [Value; 0]);
    fake.patch_event(&single, json!({"subject": "a"}));
    fake.patch_event(&single, json!({"subject": "b"}));
    let gone = fake.insert_event("Calendar", lunch("2026-03-11"));
    let outside = fake.insert_event("Calendar", lunch("2026-07-11"));
    fake.delete_event(&gone);
    let (items, link) = drain(&link, IMMUTABLE).await;
    assert_eq!(ids(&items), [&single, &outside, &gone]);
    assert_eq!(items[0]["subject"], "b");
    assert_eq!(items[1..], [removed(&outside, "changed"), removed(&gone, "deleted")]);

    fake.patch_event(&single, lunch("2026-05-10"));
    let (items, link) = drain(&link, IMMUTABLE).await;
    assert_eq!(items, [removed(&single, "changed")], "it left the window");
    fake.delete_event(&series);
    let (items, _) = drain(&link, IMMUTABLE).await;
    assert_eq!(items, [removed(&series, "deleted")], "its occurrences go with it");
    assert!(month(&fake, IMMUTABLE).await.0.is_empty());
}

#[tokio::test]
async fn a_change_of_a_series_brings_all_of_it_without_what_is_gone() {
    let (fake, series, _) = with_events().await;
    let (_, link) = month(&fake, IMMUTABLE).await;
    fake.cancel_occurrence(&series, "2026-03-16");
    let away = json!({"start": at("2026-05-01T09:00:00"), "end": at("2026-05-01T09:15:00")});
    fake.change_occurrence(&series, "2026-03-23", away);
    let (items, link) = drain(&link, "odata.maxpagesize=1, IdType=\"ImmutableId\"").await;
    let left = ["2026-03-02", "2026-03-09", "2026-03-30"].map(|day| fake.occurrence_id(&series, day));
    assert_eq!(ids(&items), [&series, &left[0], &left[1], &left[2]]);

    let later = json!({"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "startDate": "2026-03-02", "numberOfOccurrences": 2}});
    fake.patch_event(&series, json!({"recurrence": later}));
    let (items, link) = drain(&link, IMMUTABLE).await;
    assert_eq!(ids(&items), [&series, &left[0], &fake.occurrence_id(&series, "2026-03-03")]);

    let april =
        json!({"start": at("2026-04-02T09:00:00"), "end": at("2026-04-02T09:15:00"), "recurrence": null});
    fake.patch_event(&series, april);
    let (items, _) = drain(&link, IMMUTABLE).await;
    assert_eq!(items, [removed(&series, "changed")]);
}

#[tokio::test]
async fn the_fake_can_announce_the_occurrences_that_are_gone() {
    let fake = builder(&clock()).calendar(berlin(0)).announce_removed_occurrences(true).start().await;
    let series = fake.insert_event("Calendar", standup());
    let (_, link) = month(&fake, IMMUTABLE).await;
    let cancelled = fake.cancel_occurrence(&series, "2026-03-16");
    let away = json!({"start": at("2026-05-01T09:00:00"), "end": at("2026-05-01T09:15:00")});
    let away = fake.change_occurrence(&series, "2026-03-23", away);
    let (items, link) = drain(&link, IMMUTABLE).await;
    assert_eq!(items[4..], [removed(&cancelled, "deleted"), removed(&away, "changed")]);
    let left = ["2026-03-02", "2026-03-09", "2026-03-30"].map(|day| fake.occurrence_id(&series, day));
    fake.delete_event(&series);
    let (items, _) = drain(&link, IMMUTABLE).await;
    let mut gone = vec![removed(&series, "deleted")];
    gone.extend(left.iter().map(|id| removed(id, "deleted")));
    assert_eq!(items, gone);
}

#[tokio::test]
async fn series_may_be_left_out_or_kept_together() {
    let fake = builder(&clock()).calendar(berlin(0)).without_masters(true).start().await;
    let series = fake.insert_event("Calendar", standup());
    let (items, _) = month(&fake, IMMUTABLE).await;
    assert_eq!(items.len(), 5);
    assert!(items.iter().all(|item| item["type"] == "occurrence" && item["seriesMasterId"] == json!(series)));

    let fake = builder(&clock()).calendar(berlin(0)).whole_series(true).start().await;
    fake.insert_event("Calendar", standup());
    fake.insert_event("Calendar", standup());
    let query = [("startDateTime", START), ("endDateTime", END)];
    let first =
        request(&fake, "/v1.0/me/calendarView/delta").query(&query).header("prefer", "odata.maxpagesize=2");
    let (_, first) = read(first.send().await.unwrap()).await;
    assert_eq!(first["value"].as_array().unwrap().len(), 6);
    let (_, second) = follow(first["@odata.nextLink"].as_str().unwrap(), "odata.maxpagesize=2").await;
    assert_eq!(second["value"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn what_changes_while_the_pages_are_read_is_not_lost() {
    let (fake, series, single) = with_events().await;
    let query = [("startDateTime", START), ("endDateTime", END)];
    let first = request(&fake, "/v1.0/me/calendarView/delta").query(&query);
    let first = first.header("prefer", "odata.maxpagesize=2, IdType=\"ImmutableId\"");
    let (_, first) = read(first.send().await.unwrap()).await;
    assert_eq!(ids(first["value"].as_array().unwrap())[0], series);
    fake.cancel_occurrence(&series, "2026-03-09");
    fake.delete_event(&single);
    let late = fake.insert_event("Calendar", lunch("2026-03-12"));
    let (rest, link) = drain(first["@odata.nextLink"].as_str().unwrap(), IMMUTABLE).await;
    assert_eq!(rest.len(), 4, "three occurrences, and the event that came in the meantime");
    let (changes, _) = drain(&link, IMMUTABLE).await;
    let mut told = ids(&changes);
    told.retain(|id| *id == series || *id == single || *id == late);
    assert_eq!(told, [&series, &single, &late]);
}

#[tokio::test]
async fn a_token_that_is_too_old_is_refused_in_one_of_three_ways() {
    let (fake, ..) = with_events().await;
    let (_, link) = month(&fake, IMMUTABLE).await;
    fake.expire_delta_tokens();
    for (loss, status, expected, located) in [
        (SyncLoss::SyncStateNotFound, 410, "SyncStateNotFound", true),
        (SyncLoss::ResyncRequired, 410, "resyncRequired", true),
        (SyncLoss::SyncStateInvalid, 400, "SyncStateInvalid", false),
    ] {
        fake.lose_state_with(loss);
        let answer = http().get(&link).bearer_auth(TOKEN).send().await.unwrap();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let (got, body) = read(answer).await;
        assert_eq!((got, code(&body), location.is_some()), (status, expected, located));
        if let Some(location) = location {
            assert_eq!(drain(&location, IMMUTABLE).await.0.len(), 7, "it leads to a fresh round");
        }
    }
    let (_, link) = month(&fake, IMMUTABLE).await;
    assert_eq!(follow(&link, IMMUTABLE).await.0, 200);
    let query = [("startDateTime", START), ("endDateTime", END)];
    let page =
        request(&fake, "/v1.0/me/calendarView/delta").query(&query).header("prefer", "odata.maxpagesize=1");
    let next = text(&read(page.send().await.unwrap()).await.1, "@odata.nextLink");
    fake.expire_skip_tokens();
    assert_eq!(follow(&next, IMMUTABLE).await.0, 400);
    assert_eq!(follow(&link, IMMUTABLE).await.0, 200, "those of finished rounds live");
    fake.expire_calendar_tokens("Calendar");
    assert_eq!(follow(&link, IMMUTABLE).await.0, 400);
}

#[tokio::test]
async fn pages_may_be_empty_or_repeat_themselves() {
    let fake = builder(&clock()).calendar(berlin(0)).empty_pages(true).start().await;
    for _ in 0..3 {
        fake.insert_event("Calendar", lunch("2026-03-10"));
    }
    let query = [("startDateTime", START), ("endDateTime", END)];
    let (_, first) = get(&fake, "/v1.0/me/calendarView/delta", &query).await;
    let (_, second) = follow(first["@odata.nextLink"].as_str().unwrap(), IMMUTABLE).await;
    assert_eq!((first["value"].as_array().unwrap().len(), &second["value"]), (3, &json!([])));
    let (_, third) = follow(second["@odata.nextLink"].as_str().unwrap(), IMMUTABLE).await;
    assert!(third["@odata.deltaLink"].is_string());
    assert_eq!(month(&fake, "odata.maxpagesize=1").await.0.len(), 3);

    let fake = builder(&clock()).calendar(berlin(0)).repeated_items(true).start().await;
    fake.insert_event("Calendar", lunch("2026-03-10"));
    let (items, _) = month(&fake, IMMUTABLE).await;
    assert_eq!((items.len(), &items[0]), (2, &items[1]));
}

#[tokio::test]
async fn a_raw_item_is_served_as_it_is() {
    let (fake, ..) = with_events().await;
    let (_, link) = month(&fake, IMMUTABLE).await;
    fake.raw_event("Calendar", r#"{"id":"odd","start":17,"type":"perhaps"}"#);
    let odd = json!({"id": "odd", "start": 17, "type": "perhaps"});
    assert_eq!(drain(&link, IMMUTABLE).await.0, std::slice::from_ref(&odd));
    assert_eq!(month(&fake, IMMUTABLE).await.0.last(), Some(&odd));
}

#[tokio::test]
async fn an_event_may_be_garbled_and_mended() {
    let (fake, series, single) = with_events().await;
    let (_, link) = month(&fake, IMMUTABLE).await;
    let before = fake.event(&single).unwrap();
    let odd = json!({"id": single, "start": "noon"});
    fake.garble_event(&single, &odd.to_string());
    assert_eq!(drain(&link, IMMUTABLE).await.0, std::slice::from_ref(&odd));
    assert_eq!(get(&fake, &format!("/v1.0/me/events/{single}"), &[]).await.1["start"], "noon");
    assert_eq!(fake.event_ids("Calendar"), [series]);
    fake.mend_event(&single);
    let (items, _) = drain(&link, IMMUTABLE).await;
    assert_eq!((ids(&items), &items[0]["start"]), (vec![single.as_str()], &before["start"]));
}

#[tokio::test]
async fn a_calendar_that_is_gone_is_not_found() {
    let fake = builder(&clock()).calendar(berlin(0)).calendar(CalendarSpec::new("Team")).start().await;
    let team = fake.calendar_id("Team");
    let path = format!("/v1.0/me/calendars/{team}/calendarView/delta");
    let (_, page) = get(&fake, &path, &[("startDateTime", START), ("endDateTime", END)]).await;
    fake.remove_calendar("Team");
    let (status, body) = follow(&text(&page, "@odata.deltaLink"), IMMUTABLE).await;
    assert_eq!((status, code(&body)), (404, "ErrorItemNotFound"));
}

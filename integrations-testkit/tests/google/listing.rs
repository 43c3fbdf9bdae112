//! Calendars and events: full and incremental listings.

use std::time::Duration;

use integrations_testkit::google::{CalendarSpec, FakeGoogle};
use serde_json::{Value, json};

use super::{CALENDAR, berlin, builder, clock, drain, get, ids, list, reason};

async fn with_events(count: usize) -> (FakeGoogle, Vec<String>) {
    let fake = builder(&clock()).calendar(berlin(0)).start().await;
    let ids =
        (0..count).map(|n| fake.insert_event("primary", json!({"summary": format!("Event {n}")}))).collect();
    (fake, ids)
}

fn series() -> Value {
    json!({
        "summary": "Standup",
        "start": {"dateTime": "2026-03-02T10:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2026-03-02T10:15:00+01:00", "timeZone": "Europe/Berlin"},
        "recurrence": ["RRULE:FREQ=DAILY;COUNT=30"],
    })
}

#[tokio::test]
async fn the_listing_says_which_calendar_it_is_and_fills_in_what_the_server_assigns() {
    let (fake, ids) = with_events(1).await;
    let (status, page) = list(&fake, &[]).await;
    assert_eq!(status, 200);
    for (field, value) in
        [("kind", "calendar#events"), ("timeZone", "Europe/Berlin"), ("accessRole", "owner")]
    {
        assert_eq!(page[field], value);
    }
    let event = &page["items"][0];
    assert_eq!(event["iCalUID"], format!("{}@google.com", ids[0]));
    for field in
        ["etag", "htmlLink", "created", "updated", "organizer", "creator", "start", "end", "sequence"]
    {
        assert!(event.get(field).is_some(), "{field} is missing in {event}");
    }
    assert_eq!(fake.event("primary", &ids[0]).as_ref(), Some(event));
}

#[tokio::test]
async fn what_changes_while_the_pages_are_read_is_not_lost() {
    let (fake, inserted) = with_events(7).await;
    let (_, first) = list(&fake, &[("maxResults", "3")]).await;
    let token = first["nextPageToken"].as_str().unwrap();

    fake.patch_event("primary", &inserted[0], json!({"summary": "changed after it was served"}));
    fake.patch_event("primary", &inserted[5], json!({"summary": "changed before it was served"}));
    fake.delete_event("primary", &inserted[6]);
    let late = fake.insert_event("primary", json!({"summary": "late"}));

    let (rest, sync) = {
        let (_, second) = list(&fake, &[("maxResults", "3"), ("pageToken", token)]).await;
        let token = second["nextPageToken"].as_str().unwrap();
        let (_, third) = list(&fake, &[("maxResults", "9"), ("pageToken", token)]).await;
        let items =
            [&second["items"], &third["items"]].into_iter().flat_map(|i| i.as_array().unwrap().clone());
        (items.collect::<Vec<_>>(), third["nextSyncToken"].as_str().unwrap().to_owned())
    };
    assert_eq!(ids(&rest), [&inserted[3], &inserted[4], &inserted[5], &late]);

    let (changes, sync) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&changes), [&inserted[0], &inserted[5], &inserted[6], &late]);
    assert_eq!(changes[0]["summary"], "changed after it was served");
    assert!(drain(&fake, &[("syncToken", &sync)]).await.0.is_empty());
}

#[tokio::test]
async fn an_incremental_listing_shows_each_changed_event_once_in_its_latest_state() {
    let clock = clock();
    let fake = builder(&clock).calendar(berlin(0)).page_cap(2).start().await;
    let a = fake.insert_event("primary", json!({"summary": "a"}));
    let (_, sync) = drain(&fake, &[]).await;
    clock.advance(Duration::from_mins(1));
    fake.patch_event("primary", &a, json!({"summary": "a2"}));
    fake.patch_event("primary", &a, json!({"summary": "a3", "location": "here"}));
    fake.patch_event("primary", &a, json!({"location": null}));
    let others: Vec<_> =
        (0..4).map(|n| fake.insert_event("primary", json!({"summary": n.to_string()}))).collect();

    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(changes.len(), 5);
    assert_eq!((&changes[0]["summary"], changes[0].get("location")), (&json!("a3"), None));
    assert_eq!(changes[0]["updated"], "2026-03-01T09:01:00.000Z");
    assert_eq!(ids(&changes[1..]), others);
}

#[tokio::test]
async fn a_deleted_event_is_a_bare_tombstone_and_only_in_the_incremental_listing() {
    let (fake, inserted) = with_events(2).await;
    let (_, sync) = drain(&fake, &[]).await;
    fake.delete_event("primary", &inserted[0]);

    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    let etag = &changes[0]["etag"];
    let tombstone = json!({"kind": "calendar#event", "etag": etag, "id": inserted[0], "status": "cancelled"});
    assert_eq!(changes, std::slice::from_ref(&tombstone));

    assert_eq!(ids(&drain(&fake, &[]).await.0), [&inserted[1]]);
    assert_eq!(ids(&drain(&fake, &[("showDeleted", "true")]).await.0), inserted);
    let answer = get(&fake, &format!("/calendar/v3/calendars/primary/events/{}", inserted[0]), &[]).await;
    assert_eq!(answer.json::<Value>().await.unwrap(), tombstone);
    assert_eq!((fake.live_events("primary"), fake.event_ids("primary")), (1, inserted[1..].to_vec()));
}

#[tokio::test]
async fn a_cancelled_instance_stays_in_the_full_listing_until_its_series_is_deleted() {
    let (fake, _) = with_events(0).await;
    let master = fake.insert_event("primary", series());
    let cancelled = fake.cancel_instance("primary", &master, "2026-03-08T09:00:00Z");
    let moved =
        fake.override_instance("primary", &master, "2026-03-09T09:00:00Z", json!({"summary": "Late"}));
    assert_eq!(cancelled, format!("{master}_20260308T090000Z"));

    let (items, sync) = drain(&fake, &[]).await;
    assert_eq!(ids(&items), [&master, &cancelled, &moved]);
    let original = json!({"dateTime": "2026-03-08T10:00:00+01:00", "timeZone": "Europe/Berlin"});
    assert_eq!(
        items[1],
        json!({
            "kind": "calendar#event",
            "etag": items[1]["etag"],
            "id": cancelled,
            "status": "cancelled",
            "recurringEventId": master,
            "originalStartTime": original,
        })
    );
    assert_eq!(items[2]["recurringEventId"], json!(master));
    assert_eq!(items[2]["end"]["dateTime"], "2026-03-09T10:15:00+01:00");
    assert_eq!((&items[2]["summary"], items[2].get("recurrence")), (&json!("Late"), None));
    assert_eq!(fake.live_events("primary"), 2);

    fake.delete_event("primary", &moved);
    let (changes, sync) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!((ids(&changes), &changes[0]["recurringEventId"]), (vec![moved.as_str()], &json!(master)));

    fake.delete_event("primary", &master);
    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&changes), [&master]);
    assert!(drain(&fake, &[]).await.0.is_empty());
    assert_eq!(fake.live_events("primary"), 0);
}

#[tokio::test]
async fn an_instance_of_an_all_day_series_is_named_by_its_date() {
    let (fake, _) = with_events(0).await;
    let days = json!({"start": {"date": "2026-03-28"}, "end": {"date": "2026-03-30"}, "recurrence": ["RRULE:FREQ=YEARLY"]});
    let master = fake.insert_event("primary", days);
    let moved = fake.override_instance("primary", &master, "2027-03-28", json!({"location": "away"}));
    let instance = fake.event("primary", &moved).unwrap();
    assert_eq!(moved, format!("{master}_20270328"));
    assert_eq!(instance["originalStartTime"], json!({"date": "2027-03-28"}));
    assert_eq!(instance["end"], json!({"date": "2027-03-30"}));
    assert_eq!(instance["iCalUID"], fake.event("primary", &master).unwrap()["iCalUID"]);

    fake.cancel_instance("primary", &master, "2027-03-28");
    assert_eq!(drain(&fake, &[]).await.0.len(), 2);
    assert_eq!(fake.live_events("primary"), 1);
}

#[tokio::test]
async fn expired_tokens_are_refused_each_in_its_way() {
    let (fake, inserted) = with_events(4).await;
    let (_, sync) = drain(&fake, &[]).await;
    for id in &inserted {
        fake.patch_event("primary", id, json!({"summary": "new"}));
    }
    let small = ("maxResults", "2");
    let (_, full) = list(&fake, &[small]).await;
    let (_, changes) = list(&fake, &[small, ("syncToken", &sync)]).await;
    fake.expire_page_tokens("primary");
    let page = full["nextPageToken"].as_str().unwrap();
    let (status, body) = list(&fake, &[small, ("pageToken", page)]).await;
    assert_eq!((status, reason(&body)), (400, "invalid"));
    let page = changes["nextPageToken"].as_str().unwrap();
    let (status, body) = list(&fake, &[small, ("syncToken", &sync), ("pageToken", page)]).await;
    assert_eq!((status, reason(&body)), (410, "fullSyncRequired"));

    assert_eq!(list(&fake, &[("syncToken", &sync)]).await.0, 200);
    fake.expire_sync_tokens("primary");
    let (status, body) = list(&fake, &[("syncToken", &sync)]).await;
    assert_eq!((status, reason(&body)), (410, "fullSyncRequired"));
    let (_, sync) = drain(&fake, &[]).await;
    assert_eq!(list(&fake, &[("syncToken", &sync)]).await.0, 200);
}

#[tokio::test]
async fn tokens_of_another_request_or_of_nobody_are_refused() {
    let fake = builder(&clock()).calendar(berlin(10)).calendar(CalendarSpec::new("team")).start().await;
    let (_, page) = list(&fake, &[("maxResults", "4"), ("timeMin", "2020-01-01T00:00:00Z")]).await;
    let token = page["nextPageToken"].as_str().unwrap();
    let same = [("maxResults", "7"), ("timeMin", "2020-01-01T00:00:00Z"), ("pageToken", token)];
    assert_eq!(list(&fake, &same).await.0, 200);
    let refused: [&[(&str, &str)]; 6] = [
        &[("pageToken", token)],
        &[("timeMin", "2020-01-01T00:00:01Z"), ("pageToken", token)],
        &[("timeMin", "2020-01-01T00:00:00Z"), ("showDeleted", "true"), ("pageToken", token)],
        &[("pageToken", "CAUQAA==")],
        &[("syncToken", "CAUQAA==")],
        &[("syncToken", token)],
    ];
    for query in refused {
        let (status, body) = list(&fake, query).await;
        assert_eq!((status, reason(&body)), (400, "invalid"), "{query:?}");
    }
    let (_, sync) = drain(&fake, &[]).await;
    let answer = get(&fake, "/calendar/v3/calendars/team/events", &[("syncToken", sync.as_str())]).await;
    assert_eq!(answer.status(), 400);
}

#[tokio::test]
async fn a_sync_token_forbids_what_google_forbids_beside_it() {
    let (fake, _) = with_events(1).await;
    let (_, sync) = drain(&fake, &[]).await;
    let time = "2026-01-01T00:00:00Z";
    let restrictions = [
        ("timeMin", time),
        ("timeMax", time),
        ("updatedMin", time),
        ("orderBy", "updated"),
        ("q", "x"),
        ("showDeleted", "false"),
    ];
    for restriction in restrictions {
        let (status, body) = list(&fake, &[("syncToken", &sync), restriction]).await;
        assert_eq!((status, reason(&body)), (400, "syncTokenWithRequestRestrictions"), "{restriction:?}");
    }
    assert_eq!(list(&fake, &[("syncToken", &sync), ("showDeleted", "true")]).await.0, 200);
}

#[tokio::test]
async fn a_window_holds_for_the_listing_and_for_the_sync_token_it_ends_in() {
    let (fake, _) = with_events(0).await;
    let at = |day: &str| json!({"start": {"date": day}, "end": {"date": day.replace("-10", "-11")}});
    let inside = fake.insert_event("primary", at("2026-03-10"));
    let outside = fake.insert_event("primary", at("2026-05-10"));
    let window = [("timeMin", "2026-03-01T00:00:00+01:00"), ("timeMax", "2026-04-01T00:00:00+02:00")];
    let (items, sync) = drain(&fake, &window).await;
    assert_eq!(ids(&items), [&inside]);

    fake.patch_event("primary", &outside, json!({"summary": "still outside"}));
    fake.patch_event("primary", &inside, at("2026-06-10"));
    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(ids(&changes), [&inside], "the move out of the window is shown, the rest is not");

    let (status, body) = list(&fake, &[("timeMin", window[1].1), ("timeMax", window[0].1)]).await;
    assert_eq!((status, reason(&body)), (400, "timeRangeEmpty"));
}

#[tokio::test]
async fn the_order_by_update_ends_with_the_latest_change() {
    let clock = clock();
    let fake = builder(&clock).calendar(berlin(9)).page_cap(4).start().await;
    clock.advance(Duration::from_secs(1));
    let first = fake.event_ids("primary")[0].clone();
    let new = fake.insert_event("primary", json!({}));
    clock.advance(Duration::from_secs(1));
    fake.patch_event("primary", &first, json!({"summary": "latest"}));
    let (items, _) = drain(&fake, &[("orderBy", "updated")]).await;
    assert_eq!(items.len(), 10);
    assert!(items.is_sorted_by_key(|item| item["updated"].as_str().map(str::to_owned)));
    assert_eq!(ids(&items[8..]), [&new, &first]);

    let (recent, _) = drain(&fake, &[("updatedMin", "2026-03-01T09:00:01Z")]).await;
    assert_eq!(ids(&recent), [&first, &new]);
    let (status, body) = list(&fake, &[("updatedMin", "2026-01-01T00:00:00Z")]).await;
    assert_eq!((status, reason(&body)), (410, "updatedMinTooLongAgo"));
}

#[tokio::test]
async fn a_raw_item_is_served_as_it_is() {
    let (fake, _) = with_events(1).await;
    let (_, sync) = drain(&fake, &[]).await;
    fake.raw_item("primary", r#"{"id":"odd","status":"perhaps","start":17}"#);
    let (changes, _) = drain(&fake, &[("syncToken", &sync)]).await;
    assert_eq!(changes, [json!({"id": "odd", "status": "perhaps", "start": 17})]);
    assert_eq!(drain(&fake, &[]).await.0.len(), 2);
}

#[tokio::test]
async fn empty_pages_have_successors() {
    let fake = builder(&clock()).calendar(berlin(5)).empty_pages(true).start().await;
    for size in ["2", "100"] {
        let (_, first) = list(&fake, &[("maxResults", size)]).await;
        let token = first["nextPageToken"].as_str().unwrap();
        let (_, second) = list(&fake, &[("maxResults", size), ("pageToken", token)]).await;
        assert_eq!(second["items"], json!([]));
        assert!(second["nextPageToken"].is_string());
        assert_eq!(drain(&fake, &[("maxResults", size)]).await.0.len(), 5);
    }
}

#[tokio::test]
async fn an_event_that_is_known_is_not_sent_again() {
    let (fake, inserted) = with_events(1).await;
    let url = format!("{}/calendar/v3/calendars/{CALENDAR}/events/{}", fake.url(), inserted[0]);
    let etag = fake.event("primary", &inserted[0]).unwrap()["etag"].as_str().unwrap().to_owned();
    let fetch = async || {
        let request = super::http().get(&url).bearer_auth(super::TOKEN).header("if-none-match", &etag);
        request.send().await.unwrap().status()
    };
    assert_eq!(fetch().await, 304);
    fake.patch_event("primary", &inserted[0], json!({"summary": "new"}));
    assert_eq!(fetch().await, 200);
}

#[tokio::test]
async fn the_calendar_list_pages_and_follows_changes() {
    let fake = builder(&clock())
        .calendar(berlin(0))
        .calendar(CalendarSpec::new("team@group.calendar.google.com").access_role("reader"))
        .calendar(CalendarSpec::new("secret").hidden())
        .start()
        .await;
    let path = "/calendar/v3/users/me/calendarList";
    let fetch = async |query: &[(&str, &str)]| {
        let answer = get(&fake, path, query).await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (_, page) = fetch(&[("maxResults", "1"), ("showHidden", "true")]).await;
    assert_eq!((&page["items"][0]["id"], &page["items"][0]["primary"]), (&json!(CALENDAR), &json!(true)));
    let token = page["nextPageToken"].as_str().unwrap();
    let (_, rest) = fetch(&[("showHidden", "true"), ("pageToken", token)]).await;
    assert_eq!(ids(rest["items"].as_array().unwrap()), ["team@group.calendar.google.com", "secret"]);
    let sync = rest["nextSyncToken"].as_str().unwrap();
    let (_, owned) = fetch(&[("minAccessRole", "writer")]).await;
    assert_eq!(ids(owned["items"].as_array().unwrap()), [CALENDAR]);

    fake.remove_calendar("team@group.calendar.google.com");
    fake.add_calendar(CalendarSpec::new("new").time_zone("Asia/Tokyo"));
    let (_, changes) = fetch(&[("syncToken", sync)]).await;
    assert_eq!(ids(changes["items"].as_array().unwrap()), ["team@group.calendar.google.com", "new"]);
    assert_eq!(changes["items"][0]["deleted"], true);
    let gone = get(&fake, "/calendar/v3/calendars/team%40group.calendar.google.com/events", &[]).await;
    assert_eq!((gone.status().as_u16(), reason(&gone.json().await.unwrap())), (404, "notFound"));

    assert_eq!(fetch(&[("syncToken", sync), ("minAccessRole", "owner")]).await.0, 400);
    fake.expire_calendar_list_sync_tokens();
    let (status, body) = fetch(&[("syncToken", sync)]).await;
    assert_eq!((status, reason(&body)), (410, "fullSyncRequired"));
}

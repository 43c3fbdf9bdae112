//! Calendars, and what plain listings of them accept.

use super::*;

#[tokio::test]
async fn a_calendar_says_whose_it_is_and_what_may_be_done() {
    let shared =
        CalendarSpec::new("Team").owner("Grace Hopper", "grace@example.com").read_only().color("lightBlue");
    let fake = builder(&clock()).calendar(shared).calendar(berlin(0)).start().await;
    let (status, page) = get(&fake, "/v1.0/me/calendars", &[]).await;
    assert_eq!(status, 200);
    let [team, own] = page["value"].as_array().unwrap().as_slice() else { panic!("{page}") };
    for (field, values) in [
        ("name", [json!("Team"), json!("Calendar")]),
        ("isDefaultCalendar", [json!(false), json!(true)]),
        ("isRemovable", [json!(true), json!(false)]),
        ("canEdit", [json!(false), json!(true)]),
        ("canShare", [json!(false), json!(true)]),
        ("color", [json!("lightBlue"), json!("auto")]),
        ("allowedOnlineMeetingProviders", [json!(["teamsForBusiness"]), json!(["teamsForBusiness"])]),
    ] {
        assert_eq!([&team[field], &own[field]], [&values[0], &values[1]], "{field}");
    }
    assert_eq!(team["owner"], json!({"name": "Grace Hopper", "address": "grace@example.com"}));
    assert_eq!(own["owner"], json!({"name": "Ada Lovelace", "address": "ada@example.com"}));

    let (_, by_id) = get(&fake, &format!("/v1.0/me/calendars/{}", text(own, "id")), &[]).await;
    let (_, default) = get(&fake, "/v1.0/me/calendar", &[]).await;
    assert_eq!((&by_id, &by_id["id"]), (&default, &own["id"]));
    assert_eq!(fake.calendar_id("Team"), text(team, "id"));

    let key = team["changeKey"].clone();
    fake.rename_calendar("Team", "The team");
    let (_, renamed) = get(&fake, &format!("/v1.0/me/calendars/{}", text(team, "id")), &[]).await;
    assert_eq!(renamed["name"], "The team");
    assert_ne!(renamed["changeKey"], key);
    fake.remove_calendar("The team");
    let (status, body) = get(&fake, &format!("/v1.0/me/calendars/{}", text(team, "id")), &[]).await;
    assert_eq!((status, code(&body)), (404, "ErrorItemNotFound"));
    assert_eq!(get(&fake, "/v1.0/me/calendars", &[]).await.1["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn lists_go_on_after_a_number_of_items() {
    let mut builder = builder(&clock()).page_cap(2);
    for number in 0..5 {
        builder = builder.calendar(CalendarSpec::new(&format!("Calendar {number}")));
    }
    let fake = builder.start().await;
    let (mut link, mut names) = (format!("{}/v1.0/me/calendars?$select=name", fake.url()), Vec::new());
    loop {
        let (status, page) = follow(&link, IMMUTABLE).await;
        assert_eq!(status, 200, "{page}");
        names.extend(page["value"].as_array().unwrap().iter().map(|calendar| text(calendar, "name")));
        assert!(page["value"][0].get("color").is_none(), "{page}");
        let Some(next) = page["@odata.nextLink"].as_str() else { break };
        assert!(next.starts_with(fake.url()), "{next}");
        next.clone_into(&mut link);
    }
    assert_eq!(names, ["Calendar 0", "Calendar 1", "Calendar 2", "Calendar 3", "Calendar 4"]);
    let skipped = fake.requests().iter().filter(|request| request.page_token).count();
    assert_eq!((fake.count("calendars.list"), skipped), (3, 2));
}

#[tokio::test]
async fn what_the_fake_does_not_have_is_refused() {
    let fake = builder(&clock()).start().await;
    let window = [("startDateTime", START), ("endDateTime", END)];
    let unsupported: [(&str, &[(&str, &str)]); 8] = [
        ("/v1.0/me/calendars", &[("$filter", "name eq 'x'")]),
        ("/v1.0/me/calendars", &[("$orderby", "name")]),
        ("/v1.0/me/events", &[("$filter", "subject eq 'x'")]),
        ("/v1.0/me/events", &[("$expand", "attachments")]),
        ("/v1.0/me/calendarView", &[window[0], window[1], ("$orderby", "subject")]),
        ("/v1.0/me/mailFolders/inbox/messages", &[("$search", "\"x\"")]),
        ("/v1.0/me/contacts", &[]),
        ("/v1.0/users/ada@example.com/events", &[]),
    ];
    for (path, query) in unsupported {
        let (status, body) = get(&fake, path, query).await;
        assert_eq!((status, code(&body)), (400, "unsupportedByFake"), "{path} {query:?}");
    }
    let send = |request: RequestBuilder| async { read(request.send().await.unwrap()).await };
    let posted = http().post(format!("{}/v1.0/me/events", fake.url())).bearer_auth(TOKEN).json(&json!({}));
    assert_eq!(code(&send(posted).await.1), "unsupportedByFake");
    let preferring = request(&fake, "/v1.0/me/calendars").header("prefer", "respond-async");
    assert_eq!(code(&send(preferring).await.1), "unsupportedByFake");
    assert_eq!(request(&fake, "/beta/me").send().await.unwrap().status(), 404);

    for (path, query, expected) in [
        ("/v1.0/me/calendars", ("$select", "colour"), "RequestBroker--ParseUri"),
        ("/v1.0/me/calendars", ("$top", "0"), "BadRequest"),
        ("/v1.0/me/calendars", ("$top", "1001"), "BadRequest"),
        ("/v1.0/me/calendars", ("$skip", "x"), "BadRequest"),
        ("/v1.0/me/calendarView", ("startDateTime", START), "ErrorInvalidParameter"),
        ("/v1.0/me/events/delta", ("startDateTime", START), "ErrorInvalidRequest"),
        ("/v1.0/me/messages/delta", ("$top", "1"), "ErrorInvalidRequest"),
        ("/v1.0/me/events/inbox", ("$select", "id"), "ErrorInvalidIdMalformed"),
    ] {
        let (status, body) = get(&fake, path, &[query]).await;
        assert_eq!((status, code(&body)), (400, expected), "{path} {query:?}");
    }
}

#[tokio::test]
async fn a_path_may_be_written_in_graphs_other_way() {
    let fake = builder(&clock()).start().await;
    let event = fake.insert_event("Calendar", json!({"subject": "x"}));
    let calendar = fake.calendar_id("Calendar");
    for path in [
        format!("/v1.0/me/events('{event}')"),
        format!("/v1.0/me/calendars('{calendar}')/events/{event}"),
        format!("/v1.0/ME/Events/{}", event.replace('=', "%3D")),
    ] {
        assert_eq!(get(&fake, &path, &[]).await.1["subject"], "x", "{path}");
    }
    let lower = format!("/v1.0/me/events/{}", event.to_lowercase());
    assert_eq!(code(&get(&fake, &lower, &[]).await.1), "ErrorInvalidIdMalformed", "ids have a case");
}

#[tokio::test]
async fn the_mailbox_tells_its_zone() {
    let fake = builder(&clock()).mailbox_time_zone("Tokyo Standard Time").start().await;
    let (_, zone) = get(&fake, "/v1.0/me/mailboxSettings/timeZone", &[]).await;
    let (_, settings) = get(&fake, "/v1.0/me/mailboxSettings", &[]).await;
    assert_eq!([&zone["value"], &settings["timeZone"]], ["Tokyo Standard Time"; 2]);
    assert_eq!(fake.count("mailboxSettings.get"), 2);
}

//! Many requests in one.

use integrations_testkit::Fault;

use super::*;

async fn post(fake: &FakeGraph, body: &Value) -> (u16, Value) {
    let url = format!("{}/v1.0/$batch", fake.url());
    read(http().post(url).bearer_auth(TOKEN).json(body).send().await.unwrap()).await
}

fn part(id: &str, url: &str) -> Value {
    json!({"id": id, "method": "GET", "url": url})
}

fn answer<'a>(body: &'a Value, id: &str) -> &'a Value {
    let answers = body["responses"].as_array().unwrap();
    answers.iter().find(|answer| answer["id"] == id).unwrap_or_else(|| panic!("no answer to {id}: {body}"))
}

#[tokio::test]
async fn each_part_has_an_answer_of_its_own_in_another_order() {
    let fake = builder(&clock()).start().await;
    let event = fake.insert_event("Calendar", json!({"subject": "x"}));
    let mut requests: Vec<Value> = (0..18).map(|number| part(&number.to_string(), "/me/calendars")).collect();
    requests.push(part("event", &format!("me/events/{event}?$select=subject")));
    requests.push(part("lost", "/me/events/garbage"));
    requests[18]["headers"] = json!({"Prefer": IMMUTABLE});
    let (status, body) = post(&fake, &json!({"requests": requests})).await;
    assert_eq!(status, 200);
    let order: Vec<&str> =
        body["responses"].as_array().unwrap().iter().map(|a| a["id"].as_str().unwrap()).collect();
    assert_eq!(order.len(), 20);
    assert_ne!(order, requests.iter().map(|request| request["id"].as_str().unwrap()).collect::<Vec<_>>());
    let shown = answer(&body, "event");
    assert_eq!((&shown["status"], &shown["body"]["id"]), (&json!(200), &json!(event)));
    assert_eq!((&shown["body"]["subject"], &shown["body"].get("body")), (&json!("x"), &None));
    assert!(shown["headers"]["Content-Type"].as_str().unwrap().starts_with("application/json"));
    let lost = answer(&body, "lost");
    assert_eq!((&lost["status"], code(&lost["body"])), (&json!(400), "ErrorInvalidIdMalformed"));
    let counts = ["batch", "calendars.list", "events.get"].map(|operation| fake.count(operation));
    assert_eq!(counts, [1, 18, 2]);
    assert_eq!(fake.items_served(), 18);
    assert_eq!(fake.requests().last().unwrap().operation, "batch");
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let fake = builder(&clock()).start().await;
    let many: Vec<Value> = (0..21).map(|number| part(&number.to_string(), "/me/calendars")).collect();
    let mut early = part("2", "/me/calendars");
    early["dependsOn"] = json!(["1"]);
    for (requests, expected) in [
        (json!([]), "BadRequest"),
        (json!({"id": "1"}), "BadRequest"),
        (json!(many), "MaximumValueExceeded"),
        (json!([part("a", "/me"), part("A", "/me")]), "BadRequest"),
        (json!([{"id": "1", "url": "/me"}]), "BadRequest"),
        (json!([part("1", "https://graph.microsoft.com/v1.0/me")]), "BadRequest"),
        (json!([{"id": "1", "method": "POST", "url": "/me/events", "body": {}}]), "BadRequest"),
        (json!([early.clone(), part("1", "/me/calendars")]), "BadRequest"),
        (json!([part("1", "/me/calendars"), part("3", "/me/calendars"), early]), "BadRequest"),
    ] {
        let (status, body) = post(&fake, &json!({"requests": requests})).await;
        assert_eq!((status, code(&body)), (400, expected), "{requests}");
    }
    let plain = http().post(format!("{}/v1.0/$batch", fake.url())).body("{}").send().await.unwrap();
    assert_eq!(plain.status(), 401);
    assert_eq!(fake.count("calendars.list"), 0);
    let (_, body) = post(&fake, &json!({"requests": [part("1", "/v1.0/me/calendars")]})).await;
    assert_eq!(
        code(&answer(&body, "1")["body"]),
        "unsupportedByFake",
        "the version does not belong in a part"
    );
}

#[tokio::test]
async fn a_part_that_waits_for_one_that_failed_is_not_done() {
    let fake = builder(&clock()).start().await;
    let mut requests =
        vec![part("1", "/me/calendars"), part("2", "/me/events/garbage"), part("3", "/me/calendars")];
    requests[1]["dependsOn"] = json!(["1"]);
    requests[2]["dependsOn"] = json!(["2"]);
    let (_, body) = post(&fake, &json!({"requests": requests})).await;
    let statuses = ["1", "2", "3"].map(|id| answer(&body, id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [200, 400, 424]);
    assert_eq!(code(&answer(&body, "3")["body"]), "FailedDependency");
    assert_eq!(fake.count("calendars.list"), 1);
}

#[tokio::test]
async fn faults_strike_the_parts_and_the_whole() {
    let fake = builder(&clock()).start().await;
    let requests: Vec<Value> = (1..=4).map(|number| part(&number.to_string(), "/me/mailFolders")).collect();
    let batch = json!({"requests": requests});
    fake.fault(Fault::on("mailFolders.list").nth(2).status(429).header("retry-after", "7"));
    fake.fault(Fault::on("mailFolders.list").nth(3).reset());
    let (_, body) = post(&fake, &batch).await;
    let struck = answer(&body, "2");
    assert_eq!((&struck["status"], &struck["headers"]["Retry-After"]), (&json!(429), &json!("7")));
    assert_eq!(code(&struck["body"]), "ApplicationThrottled");
    assert_eq!(body["responses"].as_array().unwrap().len(), 3, "one answer is missing");
    fake.fault(Fault::on("batch").status(503));
    let (status, body) = post(&fake, &batch).await;
    assert_eq!((status, code(&body)), (503, "serviceNotAvailable"));
    assert_eq!((fake.count("mailFolders.list"), fake.count("batch")), (4, 2));
}

#[tokio::test]
async fn a_link_of_a_round_and_the_content_of_a_file_fit_into_a_part() {
    let fake = builder(&clock()).start().await;
    let message =
        fake.insert_message("inbox", json!({"attachments": [{"name": "a", "contentBytes": "/wD/"}]}));
    let attachment = fake.attachment_ids(&message).remove(0);
    let (_, link) = messages(&fake, "inbox", IMMUTABLE).await;
    let relative = link.strip_prefix(&format!("{}/v1.0", fake.url())).unwrap();
    let requests =
        [part("1", relative), part("2", &format!("/me/messages/{message}/attachments/{attachment}/$value"))];
    let (_, body) = post(&fake, &json!({"requests": requests})).await;
    let next = answer(&body, "1")["body"]["@odata.deltaLink"].as_str().unwrap();
    assert!(next.starts_with(fake.url()), "{next}");
    assert_eq!(answer(&body, "2")["body"], "/wD/");
}

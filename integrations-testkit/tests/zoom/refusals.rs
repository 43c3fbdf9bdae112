//! What the fake does not know it refuses.

use serde_json::json;

use super::*;

#[tokio::test]
async fn unknown_parameters_words_and_paths_are_refused() {
    let fake = start().await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    for (path, query) in [
        ("/users/me".to_owned(), ("fields", "id")),
        ("/users/me/meetings".to_owned(), ("sort", "start_time")),
        ("/users/me/meetings".to_owned(), ("type", "instant")),
        ("/users/me/meetings".to_owned(), ("page_number", "two")),
        (format!("/meetings/{id}"), ("show_previous_occurrences", "yes")),
        (format!("/meetings/{id}"), ("include_fields", "x")),
        ("/users/me/recordings".to_owned(), ("mc", "true")),
        ("/users/me/recordings".to_owned(), ("trash_type", "recording_file")),
        ("/users/me/recordings".to_owned(), ("from", "01/03/2026")),
        (format!("/past_meetings/{id}/instances"), ("page_size", "30")),
    ] {
        let answer = get(&fake, &path, &[query]).await;
        assert_eq!(answer.status(), 400, "{path} {query:?}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], 300);
        assert!(body["errors"][0]["field"].as_str().unwrap().contains(query.0), "{body}");
    }
    assert_eq!(refused(&fake, "/users/me/meetings", &[("type", "live"), ("type", "live")]).await, (400, 300));
    for path in ["/users/me/webinars", "/meetings", "/report/users", "/meetings/1/registrants", "/"] {
        assert_eq!(refused(&fake, path, &[]).await, (404, 2_300), "{path}");
    }
    assert_eq!(fake.count("unknown"), 5);
    for path in ["/meetings/12345", "/meetings/abc", "/meetings/99999999999999999999"] {
        assert_eq!(refused(&fake, path, &[]).await, (404, 3_001), "{path}");
    }
}

#[tokio::test]
async fn nothing_is_written_through_the_api() {
    let fake = start().await;
    let id = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    let url = |path: &str| format!("{}/v2{path}", fake.url());
    for request in [
        http().post(url("/users/me/meetings")).json(&json!({"topic": "New"})),
        http().patch(url(&format!("/meetings/{id}"))).json(&json!({"topic": "New"})),
        http().delete(url(&format!("/meetings/{id}"))),
    ] {
        let answer = request.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 400);
        let body: Value = answer.json().await.unwrap();
        assert!(
            body["errors"][0]["message"].as_str().unwrap().starts_with("unsupported by the fake"),
            "{body}"
        );
    }
    assert_eq!(fake.meeting_ids(), [id]);
}

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let fake = start().await;
    let url = format!("{}/v2/users/me/meetings", fake.url());
    for token in [None, Some("wrong")] {
        let request = http().get(&url);
        let request = token.into_iter().fold(request, reqwest::RequestBuilder::bearer_auth);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({"code": 124, "message": "Invalid access token."})
        );
    }
}

#[tokio::test]
async fn acts_take_zooms_fields_and_no_others() {
    let fake = start().await;
    for wrong in [
        json!({"subject": "no such field"}),
        json!({"type": 7}),
        json!({"type": 4}),
        json!({"type": 8}),
        json!({"type": 2, "recurrence": {"type": 1, "end_times": 2}}),
        json!({"start_time": "tomorrow"}),
        json!({"timezone": "Mars"}),
        json!({"host": "nobody@example.com"}),
    ] {
        let told =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| fake.create_meeting(wrong.clone())));
        assert!(told.is_err(), "{wrong}");
    }
    assert!(fake.meeting_ids().is_empty());
    assert_eq!(ok(&fake, "/users/me/meetings", &[]).await["total_records"], 0, "the fake goes on");
}

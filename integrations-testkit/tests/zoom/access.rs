//! Who may see what.

use integrations_testkit::zoom::FakeZoom;
use serde_json::json;

use super::*;

async fn with_scopes(scopes: &[&str]) -> FakeZoom {
    builder(&clock()).account("grace@example.com").open_scopes(scopes).start().await
}

#[tokio::test]
async fn every_operation_needs_one_of_its_scopes() {
    let rows = [
        ("/users/me", "user:read:user", "user:read"),
        ("/users/me/meetings", "meeting:read:list_meetings", "meeting:read"),
        ("/users/me/recordings", "cloud_recording:read:list_user_recordings", "recording:read"),
    ];
    for (path, granular, classic) in rows {
        for scope in [granular, classic, &format!("{granular}:admin"), &format!("{classic}:admin")] {
            ok(&with_scopes(&[scope]).await, path, &[]).await;
        }
        let fake = with_scopes(&["meeting:write:meeting"]).await;
        let answer = get(&fake, path, &[]).await;
        assert_eq!(answer.status(), 400, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], 4_711);
        let message = body["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!("Invalid access token, does not contain scopes:[{granular}")),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_users_token_has_to_say_me_unless_it_is_for_the_whole_account() {
    let fake = with_scopes(&["user:read:user", "meeting:read:list_meetings"]).await;
    let own = fake.user_id().to_owned();
    for named in [own.as_str(), fake.user(), "grace@example.com"] {
        assert_eq!(refused(&fake, &format!("/users/{named}"), &[]).await, (401, 4_700), "{named}");
        assert_eq!(refused(&fake, &format!("/users/{named}/meetings"), &[]).await, (401, 4_700), "{named}");
    }
    let fake = with_scopes(&["user:read:user:admin", "meeting:read:list_meetings:admin"]).await;
    for named in ["me", &own, fake.user()] {
        assert_eq!(ok(&fake, &format!("/users/{named}"), &[]).await["id"], own);
    }
    assert_eq!(ok(&fake, "/users/grace@example.com", &[]).await["email"], "grace@example.com");
    assert_eq!(refused(&fake, "/users/nobody@example.com/meetings", &[]).await, (404, 1_001));
    assert_eq!(refused(&fake, "/users", &[]).await, (400, 4_711));
}

#[tokio::test]
async fn what_others_host_is_not_there() {
    let fake = builder(&clock()).account("grace@example.com").start().await;
    let hers =
        fake.create_meeting(json!({"host": "grace@example.com", "start_time": "2026-03-02T09:00:00Z"}));
    let mine = fake.create_meeting(json!({"start_time": "2026-03-02T09:00:00Z"}));
    let uuid = fake.start_meeting(hers);
    fake.end_meeting(hers);
    fake.record(&uuid);
    fake.finish_recording(&uuid);
    for path in [
        format!("/meetings/{hers}"),
        format!("/past_meetings/{hers}"),
        format!("/past_meetings/{hers}/instances"),
        format!("/past_meetings/{}/participants", twice(&uuid)),
        format!("/meetings/{}/recordings", twice(&uuid)),
    ] {
        assert_eq!(refused(&fake, &path, &[]).await, (404, 3_001), "{path}");
    }
    assert_eq!(rows(&fake, "upcoming").await.len(), 1);
    ok(&fake, &format!("/meetings/{mine}"), &[]).await;
    assert!(drain(&fake, "/users/me/recordings", "meetings", &[]).await.is_empty());
}

#[tokio::test]
async fn a_user_can_be_deactivated_and_removed() {
    let fake = start().await;
    assert_eq!(ok(&fake, "/users/me", &[]).await["status"], "active");
    fake.deactivate_user(fake.user());
    assert_eq!(ok(&fake, "/users/me", &[]).await["status"], "inactive");
    fake.patch_user(fake.user(), json!({"timezone": null, "type": 1}));
    let user = ok(&fake, "/users/me", &[]).await;
    assert_eq!((user.get("timezone"), &user["type"]), (None, &json!(1)));
    assert_eq!(user, fake.user_object(fake.user_id()).unwrap());
    fake.remove_user(fake.user());
    for path in ["/users/me", "/users/me/meetings"] {
        assert_eq!(refused(&fake, path, &[]).await, (404, 1_001), "{path}");
    }
}

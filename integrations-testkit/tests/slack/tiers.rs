//! How often a method may be called.

use std::time::Duration;

use integrations_testkit::slack::{FakeSlack, Tiers};
use serde_json::{Value, json};

use super::*;

async fn status(fake: &FakeSlack, method: &str, query: Query<'_>) -> (u16, Option<u64>, Value) {
    let answer = get(fake, method, query).await;
    let wait = answer.headers().get("retry-after").map(|wait| wait.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), wait, answer.json().await.unwrap())
}

#[tokio::test]
async fn each_method_has_its_places_in_a_minute() {
    let methods: [(&str, u64, Query<'_>); 9] = [
        ("conversations.list", 20, &[]),
        ("users.list", 20, &[]),
        ("users.conversations", 50, &[]),
        ("conversations.info", 50, &[("channel", CHANNEL)]),
        ("team.info", 50, &[]),
        ("conversations.history", 50, &[("channel", CHANNEL)]),
        ("conversations.replies", 50, &[("channel", CHANNEL), ("ts", "1772355600.000000")]),
        ("conversations.members", 100, &[("channel", CHANNEL)]),
        ("users.info", 100, &[("user", "USLACKBOT")]),
    ];
    let clock = clock();
    let fake = builder(&clock).channel(general()).enforce_tiers(Tiers::Standard).start().await;
    fake.post(CHANNEL, json!({"text": "a"}));
    for (method, calls, query) in methods {
        for _ in 0..calls {
            assert_eq!(status(&fake, method, query).await.0, 200, "{method}");
        }
        let (code, wait, body) = status(&fake, method, query).await;
        assert_eq!((code, wait), (429, Some(60)), "{method}");
        assert_eq!(body, json!({"ok": false, "error": "ratelimited"}));
        assert_eq!((fake.answered(method), fake.rate_limited(method)), (calls, 1));
        assert_eq!(fake.count(method), calls + 1);
    }
    // What is refused takes no place.
    clock.advance(Duration::from_secs(60));
    for (method, _, query) in methods {
        assert_eq!(status(&fake, method, query).await.0, 200, "{method}");
    }
    for _ in 0..200 {
        assert_eq!(status(&fake, "auth.test", &[]).await.0, 200);
    }
    assert_eq!(fake.answered("auth.test"), 200);
}

#[tokio::test]
async fn the_minute_slides_and_the_wait_is_just_long_enough() {
    let clock = clock();
    let fake = builder(&clock).enforce_tiers(Tiers::Standard).start().await;
    for _ in 0..20 {
        assert_eq!(status(&fake, "users.list", &[]).await.0, 200);
        clock.advance(Duration::from_millis(1_700));
    }
    // 34 s have gone by since the first call.
    let (code, wait, _) = status(&fake, "users.list", &[]).await;
    assert_eq!((code, wait), (429, Some(26)));
    clock.advance(Duration::from_secs(25));
    assert_eq!(status(&fake, "users.list", &[]).await.1, Some(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(status(&fake, "users.list", &[]).await.0, 200);
    let (code, wait, _) = status(&fake, "users.list", &[]).await;
    assert_eq!((code, wait), (429, Some(2)), "the second call was 1.7 s after the first");
}

#[tokio::test]
async fn a_restricted_app_reads_fifteen_messages_a_minute() {
    let clock = clock();
    let fake = builder(&clock).channel(general()).enforce_tiers(Tiers::Restricted).start().await;
    let parent = fake.post(CHANNEL, json!({"text": "parent"}));
    for _ in 0..40 {
        fake.post(CHANNEL, json!({"text": "a"}));
        fake.reply(CHANNEL, &parent, json!({"text": "b"}));
    }
    let query = [("channel", CHANNEL), ("limit", "200")];
    let (mut read, mut next) = (Vec::new(), None::<String>);
    loop {
        let query =
            [query.as_slice(), &next.iter().map(|next| ("cursor", next.as_str())).collect::<Vec<_>>()]
                .concat();
        let (code, wait, page) = status(&fake, "conversations.history", &query).await;
        if code == 429 {
            clock.advance(Duration::from_secs(wait.unwrap()));
            continue;
        }
        let messages = page["messages"].as_array().unwrap();
        assert!(messages.len() <= 15);
        read.extend(all(messages, "ts").into_iter().map(str::to_owned));
        next = cursor(&page).map(str::to_owned);
        if next.is_none() {
            break;
        }
    }
    assert_eq!(
        (&read, fake.answered("conversations.history"), fake.rate_limited("conversations.history")),
        (&fake.history(CHANNEL), 3, 2)
    );
    let (_, _, page) = status(&fake, "conversations.replies", &[("channel", CHANNEL), ("ts", &parent)]).await;
    assert_eq!(page["messages"].as_array().unwrap().len(), 15, "the parent is one of them");
    assert_eq!(status(&fake, "conversations.replies", &[("channel", CHANNEL), ("ts", &parent)]).await.0, 429);
    assert_eq!(status(&fake, "users.list", &[]).await.0, 200, "others have their usual tier");
}

#[tokio::test]
async fn a_call_without_a_token_takes_no_place_and_a_refused_one_does() {
    let fake = builder(&clock()).channel(general()).enforce_tiers(Tiers::Restricted).start().await;
    let url = format!("{}/api/conversations.history", fake.url());
    let body: Value = http().get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(body["error"], "not_authed");
    assert_eq!(
        refused(&fake, "conversations.history", &[("channel", "C0NOWHERE")]).await,
        "channel_not_found"
    );
    assert_eq!(status(&fake, "conversations.history", &[("channel", CHANNEL)]).await.0, 429);
    assert_eq!((fake.answered("conversations.history"), fake.rate_limited("conversations.history")), (2, 1));
    fake.reset_counters();
    assert_eq!(status(&fake, "conversations.history", &[("channel", CHANNEL)]).await.0, 429);
    assert_eq!((fake.answered("conversations.history"), fake.rate_limited("conversations.history")), (0, 1));
}

#[tokio::test]
async fn without_tiers_nothing_is_limited() {
    let fake = start().await;
    for _ in 0..120 {
        ok(&fake, "conversations.list", &[]).await;
    }
    assert_eq!((fake.answered("conversations.list"), fake.rate_limited("conversations.list")), (120, 0));
}

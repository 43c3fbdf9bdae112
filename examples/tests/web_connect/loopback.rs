//! Whom does a program on the user's machine take back?

use std::io;
use std::sync::Arc;

use integrations_examples::loopback::{Loopback, PATIENCE};
use integrations_testkit::ManualClock;
use reqwest::{StatusCode, header};
use url::Url;

fn sent_to() -> Url {
    Url::parse("https://provider.example/authorize?client_id=x&state=right").unwrap()
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test]
async fn one_valid_request_ends_the_wait_and_nothing_else_does() {
    let loopback = Loopback::listen().await.unwrap();
    let callback = loopback.redirect_uri().to_owned();
    assert!(callback.starts_with("http://127.0.0.1:") && callback.ends_with("/callback"), "{callback}");
    let clock = Arc::new(ManualClock::at("2026-03-01T09:00:00Z"));
    let waiting = tokio::spawn(async move { loopback.came_back(&sent_to(), &*clock).await });
    let (client, root) = (client(), callback.trim_end_matches("callback"));
    for other in [
        format!("{root}favicon.ico"),
        root.to_owned(),
        callback.clone(),
        format!("{root}other?code=c&state=right"),
        format!("{callback}?code=c&state=wrong"),
        format!("{callback}?code=c&state="),
        format!("{callback}?code=c&state=right&state=wrong"),
        format!("{callback}?code=c&nostate=right"),
    ] {
        let status = client.get(&other).send().await.unwrap().status();
        assert_eq!(status, StatusCode::NOT_FOUND, "{other}");
        assert!(!waiting.is_finished());
    }
    let address = format!("{callback}?code=the%20code&state=right");
    let answer = client.get(&address).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let page = answer.text().await.unwrap();
    assert!(page.contains("close this page") && !page.contains("code"), "{page}");
    assert_eq!(waiting.await.unwrap().unwrap(), address);
    assert!(client.get(&callback).send().await.is_err(), "the listener is gone");
}

#[tokio::test]
async fn a_refusal_comes_back_too() {
    let loopback = Loopback::listen().await.unwrap();
    let address = format!("{}?error=access_denied&state=right", loopback.redirect_uri());
    let clock = ManualClock::at("2026-03-01T09:00:00Z");
    let sent_to = sent_to();
    let (client, waiting) = (client(), loopback.came_back(&sent_to, &clock));
    let (answer, came_back) = tokio::join!(client.get(&address).send(), waiting);
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    assert_eq!(came_back.unwrap(), address);
}

#[tokio::test]
async fn nobody_is_waited_for_forever() {
    let loopback = Loopback::listen().await.unwrap();
    let callback = loopback.redirect_uri().to_owned();
    let clock = Arc::new(ManualClock::at("2026-03-01T09:00:00Z"));
    let waits = Arc::clone(&clock);
    let waiting = tokio::spawn(async move { loopback.came_back(&sent_to(), &*waits).await });
    // Whoever gets an answer knows that it is waited.
    client().get(&callback).send().await.unwrap();
    clock.advance(PATIENCE);
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(error.to_string().contains("begin again"), "{error}");
}
